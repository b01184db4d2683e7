//! One container for many recipients, who do not see each other (spec 06 §8.1).
//!
//! ```text
//! d 1:# 24:<nonce> 1:e l <len>:<ciphertext> … e e
//! key_i = BLAKE2b-32(key = domain)(x25519(sender, recipient_i) ‖ sender ‖ recipient_i)
//! ```
//! A recipient tries every entry with its own key. Random entries may be appended to hide the number of recipients; they
//! are as long as a ciphertext (spec 09 §7.1; the official core before version 1.9 made them as long as a message, so
//! that they stood out).

use zeroize::Zeroizing;

use super::{OpenError, Random, X25519Secret, blake2b, xchacha_decrypt, xchacha_encrypt};
use crate::counted;
use crate::id::X25519Public;

/// Bytes by which an entry is longer than its message.
const TAG: usize = 16;

/// Why nothing could be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MultiError {
    /// One message for all, or as many messages as recipients.
    #[error("{messages} messages for {recipients} recipients: give one, or one each")]
    Count {
        /// Messages given.
        messages: usize,
        /// Recipients given.
        recipients: usize,
    },
    /// A recipient's key is of small order, which no account has.
    #[error("a recipient's key is not valid")]
    Recipient,
}

/// Encrypts one message for all recipients, or one each. `pad`: the number of entries is rounded up to a multiple of
/// this (0 and 1: left as it is). `nonce`: drawn if not given. `domain`: up to 64 bytes that separate uses.
pub fn encrypt_for_multiple(
    messages: &[impl AsRef<[u8]>],
    recipients: &[X25519Public],
    sender: &X25519Secret,
    domain: &[u8],
    nonce: Option<[u8; 24]>,
    pad: usize,
    rng: &mut impl Random,
) -> Result<Vec<u8>, MultiError> {
    let wrong_count = MultiError::Count { messages: messages.len(), recipients: recipients.len() };
    if messages.len() != 1 && messages.len() != recipients.len() {
        return Err(wrong_count);
    }
    let nonce = nonce.unwrap_or_else(|| rng.array());
    let mut out = b"d1:#24:".to_vec();
    out.extend_from_slice(&nonce);
    out.extend_from_slice(b"1:el");
    for (recipient, message) in recipients.iter().zip(messages.iter().cycle()) {
        let key = key(sender, recipient, &sender.public(), recipient, domain).ok_or(MultiError::Recipient)?;
        counted::put(&mut out, &xchacha_encrypt(&key, &nonce, message.as_ref()));
    }
    let length = messages.iter().map(|message| message.as_ref().len()).max().unwrap_or_default();
    let mut junk = vec![0; length + TAG];
    for _ in recipients.len()..recipients.len().next_multiple_of(pad.max(1)) {
        rng.fill(&mut junk);
        counted::put(&mut out, &junk);
    }
    out.extend_from_slice(b"ee");
    Ok(out)
}

/// Looks for an entry for us. `Ok(None)`: well formed, but nothing in it is for us (or from that sender).
pub fn decrypt_for_multiple(
    encoded: &[u8],
    me: &X25519Secret,
    sender: &X25519Public,
    domain: &[u8],
) -> Result<Option<Vec<u8>>, OpenError> {
    let rest = encoded.strip_prefix(b"d1:#24:").ok_or(OpenError)?;
    let (nonce, rest) = rest.split_first_chunk::<24>().ok_or(OpenError)?;
    let mut rest = rest.strip_prefix(b"1:el").ok_or(OpenError)?;
    let Some(key) = key(me, sender, sender, &me.public(), domain) else { return Ok(None) };
    let mut found = None;
    loop {
        match rest {
            b"ee" => return Ok(found),
            _ => {
                let (entry, after) = counted::take(rest).ok_or(OpenError)?;
                found = found.or_else(|| xchacha_decrypt(&key, nonce, entry).ok());
                rest = after;
            }
        }
    }
}

fn key(
    secret: &X25519Secret,
    other: &X25519Public,
    sender: &X25519Public,
    recipient: &X25519Public,
    domain: &[u8],
) -> Option<Zeroizing<[u8; 32]>> {
    let shared = secret.diffie_hellman(other)?;
    Some(Zeroizing::new(blake2b(domain, &[shared.as_bytes(), &sender.0, &recipient.0])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemRandom;
    use proptest::prelude::*;

    fn secret(number: u8) -> X25519Secret {
        X25519Secret::from_bytes([number; 32])
    }

    proptest! {
        #[test]
        fn every_recipient_finds_its_own(messages in proptest::collection::vec(any::<Vec<u8>>(), 1..5), pad in 0usize..7) {
            let sender = secret(200);
            let recipients: Vec<_> = (1..=messages.len() as u8).map(|number| secret(number).public()).collect();
            let made =
                encrypt_for_multiple(&messages, &recipients, &sender, b"test", None, pad, &mut SystemRandom).unwrap();
            for (index, message) in messages.iter().enumerate() {
                let found = decrypt_for_multiple(&made, &secret(index as u8 + 1), &sender.public(), b"test").unwrap();
                prop_assert_eq!(found.as_ref(), Some(message));
            }
            prop_assert_eq!(decrypt_for_multiple(&made, &secret(99), &sender.public(), b"test").unwrap(), None);
            prop_assert_eq!(decrypt_for_multiple(&made, &secret(1), &sender.public(), b"else").unwrap(), None);
        }

        #[test]
        fn foreign_bytes_are_refused(bytes: Vec<u8>) {
            prop_assert!(decrypt_for_multiple(&bytes, &secret(1), &secret(2).public(), b"").is_err());
            let inside = [&b"d1:#24:123456789012345678901234"[..], b"1:el", &bytes].concat();
            let _ = decrypt_for_multiple(&inside, &secret(1), &secret(2).public(), b"");
        }
    }

    #[test]
    fn random_entries_are_as_long_as_real_ones() {
        let recipients = [secret(1).public(), secret(2).public()];
        let made =
            encrypt_for_multiple(&[b"message"], &recipients, &secret(9), b"", None, 5, &mut SystemRandom)
                .unwrap();
        let mut rest = &made["d1:#24:".len() + 24 + "1:el".len()..];
        let mut lengths = Vec::new();
        while let Some((entry, after)) = counted::take(rest) {
            lengths.push(entry.len());
            rest = after;
        }
        assert_eq!((lengths, rest), (vec![7 + 16; 5], &b"ee"[..]));
    }

    #[test]
    fn the_number_of_messages_has_to_fit() {
        let recipients = [secret(1).public(), secret(2).public(), secret(3).public()];
        let two = [b"a", b"b"];
        let made = encrypt_for_multiple(&two, &recipients, &secret(9), b"", None, 0, &mut SystemRandom);
        assert_eq!(made, Err(MultiError::Count { messages: 2, recipients: 3 }));
    }
}
