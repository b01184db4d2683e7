//! libsodium's `crypto_box_seal`: anyone can seal, only the owner of the key can open (spec 02 §3.3).
//!
//! Written out from its parts, because the network also seals with an ephemeral key that is derived and not random,
//! and because this way a message is encrypted where it already lies.
//!
//! ```text
//! sealed = E ‖ tag(16) ‖ ciphertext        nonce = BLAKE2b-24(E ‖ Y)
//! ```

use zeroize::Zeroizing;

use super::{OpenError, SharedSecret, X25519Secret, blake2b, sodium};
use crate::id::X25519Public;

/// How many bytes a sealed message is longer than the message.
pub const SEAL_OVERHEAD: usize = 48;

/// Seals `message` to `recipient`, with `ephemeral` as the throw-away key. `None` if the recipient's key is of small
/// order, which no account has.
pub fn seal(message: &[u8], recipient: &X25519Public, ephemeral: &X25519Secret) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(message.len() + SEAL_OVERHEAD);
    out.resize(SEAL_OVERHEAD, 0);
    out.extend_from_slice(message);
    seal_in_place(&mut out, recipient, ephemeral, &ephemeral.diffie_hellman(recipient)?)?;
    Some(out)
}

/// Seals what lies behind the first 48 bytes of `buffer`, which are overwritten, with what the ephemeral key and the
/// recipient agree on. `None` if the buffer is shorter.
pub(super) fn seal_in_place(
    buffer: &mut [u8],
    recipient: &X25519Public,
    ephemeral: &X25519Secret,
    shared: &SharedSecret,
) -> Option<()> {
    let public = ephemeral.public();
    let nonce = blake2b::<24>(&[], &[&public.0, &recipient.0]);
    let (key_place, rest) = buffer.split_first_chunk_mut::<32>()?;
    let (tag_place, message) = rest.split_first_chunk_mut::<16>()?;
    *key_place = public.0;
    *tag_place = sodium::secretbox_seal(&box_key(shared), &nonce, message);
    Some(())
}

/// Opens what was sealed to this key.
pub fn seal_open(sealed: &[u8], me: &X25519Secret) -> Result<Vec<u8>, OpenError> {
    let (ephemeral, rest) = sealed.split_first_chunk::<32>().ok_or(OpenError)?;
    let (tag, ciphertext) = rest.split_first_chunk::<16>().ok_or(OpenError)?;
    let shared = me.diffie_hellman(&X25519Public(*ephemeral)).ok_or(OpenError)?;
    let nonce = blake2b::<24>(&[], &[ephemeral, &me.public().0]);
    let mut data = ciphertext.to_vec();
    sodium::secretbox_open(&box_key(&shared), &nonce, &mut data, tag)?;
    Ok(data)
}

fn box_key(shared: &SharedSecret) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    sodium::hsalsa20(shared.as_bytes(), &mut key);
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sodium::other;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn libsodium_opens_what_we_seal(me: [u8; 32], ephemeral: [u8; 32], message: Vec<u8>) {
            let secret = X25519Secret::from_bytes(me);
            let sealed = seal(&message, &secret.public(), &X25519Secret::from_bytes(ephemeral)).unwrap();
            prop_assert_eq!(sealed.len(), message.len() + SEAL_OVERHEAD);
            prop_assert_eq!(&seal_open(&sealed, &secret).unwrap(), &message);
            prop_assert_eq!(other::seal_open(&secret.public().0, &me, &sealed).unwrap(), message);
        }

        #[test]
        fn foreign_bytes_are_refused(bytes: Vec<u8>) {
            prop_assert!(seal_open(&bytes, &X25519Secret::from_bytes([3; 32])).is_err());
        }
    }
}
