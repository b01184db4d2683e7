//! Hashes, message authentication codes, and Argon2id.
//!
//! BLAKE2b comes from libsodium (its vector code is the fastest here and it knows salt and personalisation), SHA-2
//! and HMAC from *ring*. All take the message in parts, so that nobody has to join bytes only to hash them.

use ring::{digest, hmac};

use super::sodium;

/// Why a BLAKE2b computation cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Blake2bError {
    /// The output has to have 16 to 64 bytes.
    #[error("a hash of {0} bytes was asked for; 16 to 64 are possible")]
    OutputLength(usize),
    /// The key may have up to 64 bytes.
    #[error("the key has {0} bytes; at most 64 are possible")]
    KeyLength(usize),
}

/// Key, salt and personalisation of a BLAKE2b hash; all optional.
#[derive(Clone, Copy, Default)]
pub struct Blake2bOptions<'a> {
    /// Up to 64 bytes; empty for none. A longer key is replaced by its own 64-byte hash, as HMAC does.
    pub key: &'a [u8],
    /// 16 bytes mixed into the start value.
    pub salt: Option<&'a [u8; 16]>,
    /// 16 bytes mixed into the start value.
    pub personal: Option<&'a [u8; 16]>,
}

/// BLAKE2b with an output of `N` bytes (16 to 64), of the parts one after the other. An empty key means none.
pub fn blake2b<const N: usize>(key: &[u8], message_parts: &[&[u8]]) -> [u8; N] {
    blake2b_with(Blake2bOptions { key, ..Default::default() }, message_parts)
}

/// BLAKE2b with salt and personalisation; otherwise as [`blake2b`].
pub fn blake2b_with<const N: usize>(options: Blake2bOptions<'_>, message_parts: &[&[u8]]) -> [u8; N] {
    const { assert!(N >= 16 && N <= 64, "BLAKE2b gives 16 to 64 bytes") };
    let shortened;
    let key = if options.key.len() > 64 {
        shortened = blake2b::<64>(&[], &[options.key]);
        &shortened
    } else {
        options.key
    };
    let mut out = [0; N];
    // The lengths are right by construction.
    if let Some(mut state) = sodium::Blake2b::new(N, key, options.salt, options.personal) {
        message_parts.iter().for_each(|part| state.update(part));
        state.finish(&mut out);
    }
    out
}

/// BLAKE2b with a length that is only known when the program runs: 16 to 64 bytes, key up to 64.
pub fn blake2b_any(length: usize, key: &[u8], message: &[u8]) -> Result<Vec<u8>, Blake2bError> {
    if !(16..=64).contains(&length) {
        return Err(Blake2bError::OutputLength(length));
    }
    let mut state =
        sodium::Blake2b::new(length, key, None, None).ok_or(Blake2bError::KeyLength(key.len()))?;
    state.update(message);
    let mut out = vec![0; length];
    state.finish(&mut out);
    Ok(out)
}

/// SHA-256 of the parts one after the other.
pub fn sha256(message_parts: &[&[u8]]) -> [u8; 32] {
    digest_parts(&digest::SHA256, message_parts)
}

/// SHA-512 of the parts one after the other.
pub fn sha512(message_parts: &[&[u8]]) -> [u8; 64] {
    digest_parts(&digest::SHA512, message_parts)
}

fn digest_parts<const N: usize>(algorithm: &'static digest::Algorithm, parts: &[&[u8]]) -> [u8; N] {
    let mut context = digest::Context::new(algorithm);
    parts.iter().for_each(|part| context.update(part));
    let mut out = [0; N];
    // Both callers ask for the algorithm's own length.
    out.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    out
}

/// HMAC-SHA256 of the parts one after the other.
pub fn hmac_sha256(key: &[u8], message_parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    message_parts.iter().for_each(|part| context.update(part));
    let mut out = [0; 32];
    out.iter_mut().zip(context.sign().as_ref()).for_each(|(to, from)| *to = *from);
    out
}

/// Argon2id, version 1.3, one lane: 32 bytes. `operations` is the number of passes, `memory` is in bytes.
/// `None` if that much memory is not to be had, or if a limit is out of range.
pub fn argon2id(password: &[u8], salt: &[u8; 16], operations: u64, memory: usize) -> Option<[u8; 32]> {
    sodium::argon2id(password, salt, operations, memory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blake2b_takes_parts_keys_and_personalisation() {
        assert_eq!(blake2b::<32>(&[], &[b"abc"]), blake2b::<32>(&[], &[b"a", b"", b"bc"]));
        assert_ne!(blake2b::<32>(&[], &[b"abc"]), blake2b::<32>(b"k", &[b"abc"]));
        let personal = Blake2bOptions { personal: Some(b"xed25519signatur"), ..Default::default() };
        assert_ne!(blake2b_with::<64>(personal, &[b"abc"]), blake2b::<64>(&[], &[b"abc"]));
    }

    #[test]
    fn blake2b_lengths_are_checked() {
        assert_eq!(blake2b_any(15, &[], b"x"), Err(Blake2bError::OutputLength(15)));
        assert_eq!(blake2b_any(65, &[], b"x"), Err(Blake2bError::OutputLength(65)));
        assert_eq!(blake2b_any(32, &[0; 65], b"x"), Err(Blake2bError::KeyLength(65)));
        assert_eq!(blake2b_any(32, b"k", b"x").unwrap(), blake2b::<32>(b"k", &[b"x"]));
    }

    #[test]
    fn argon2id_refuses_what_it_cannot_do() {
        assert!(argon2id(b"password", &[0; 16], 1, 8192).is_some());
        assert!(argon2id(b"password", &[0; 16], 1, 1).is_none());
    }

    proptest! {
        #[test]
        fn sha_and_hmac_agree_with_libsodium(a: Vec<u8>, b: Vec<u8>) {
            let joined = [a.clone(), b.clone()].concat();
            prop_assert_eq!(sha512(&[&a, &b]), sodium::other::sha512(&joined));
            prop_assert_eq!(hmac_sha256(&a, &[&a, &b]), sodium::other::hmac_sha256(&a, &joined));
        }
    }
}
