//! Names that people register to be found by (SNS, formerly ONS), and the account ids behind them (spec 03 §11).
//!
//! The network is asked for the hash of a name and answers with an id encrypted under the name itself: nodes do not
//! learn which name was asked for unless they guess it. Ask three nodes, and believe only equal answers.

use zeroize::Zeroizing;

use crate::crypto::{argon2id, blake2b, secretbox_open, xchacha_decrypt};
use crate::id::SessionId;

/// The most characters a name may have.
const MAX_LENGTH: usize = 64;
/// Memory and passes of the key derivation that old registrations use.
const LEGACY_MEMORY: usize = 256 << 20;
const LEGACY_PASSES: u64 = 3;

/// A name in the form in which it is hashed: lower-case letters, digits, `_`, and `-` inside.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Name(String);

/// Why a text cannot be a registered name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing was entered.
    #[error("enter a name")]
    Empty,
    /// Longer than 64 characters.
    #[error("no registered name is that long")]
    TooLong,
    /// A character that cannot be in a name, or a `-` at an end.
    #[error("a registered name has only letters a to z, digits, _ and, inside, -")]
    Character,
}

/// Why an answer for a name gives no account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not encrypted for this name, or altered: the node answered something else.
    #[error("the answer does not belong to this name")]
    Undecryptable,
    /// The name stands for something that is no account id.
    #[error("the name is registered, but not for an account")]
    NotAnAccount,
    /// An old registration needs 256 MiB of memory to open, which was not to be had.
    #[error("there is not enough memory to resolve this name")]
    OutOfMemory,
}

impl Name {
    /// A name as it was typed.
    pub fn parse(typed: &str) -> Result<Self, InvalidName> {
        let name = typed.trim().to_lowercase();
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        match name.len() {
            0 => Err(InvalidName::Empty),
            _ if !name.bytes().all(inner) || name.starts_with('-') || name.ends_with('-') => {
                Err(InvalidName::Character)
            }
            1..=MAX_LENGTH => Ok(Self(name)),
            _ => Err(InvalidName::TooLong),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What nodes are asked for: `name_hash` of `ons_resolve`, which travels in base64.
    pub fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }

    /// The account behind the name, from a node's answer. Without a nonce the registration is of the old kind, and
    /// opening it takes 256 MiB and about a second.
    pub fn decrypt(&self, encrypted: &[u8], nonce: Option<&[u8; 24]>) -> Result<SessionId, NameError> {
        decrypt_value(&self.0, encrypted, nonce)
    }

    /// The answer that makes this name resolve to this account; what the test network registers.
    pub fn encrypt(&self, account: &SessionId, nonce: &[u8; 24]) -> Vec<u8> {
        crate::crypto::xchacha_encrypt(&key(&self.0), nonce, &account.to_prefixed())
    }
}

/// Opens an answer for a name that is used exactly as given.
pub fn decrypt_value(name: &str, encrypted: &[u8], nonce: Option<&[u8; 24]>) -> Result<SessionId, NameError> {
    let opened = match nonce {
        Some(nonce) => xchacha_decrypt(&key(name), nonce, encrypted),
        None => {
            let key = argon2id(name.as_bytes(), &[0; 16], LEGACY_PASSES, LEGACY_MEMORY);
            secretbox_open(&Zeroizing::new(key.ok_or(NameError::OutOfMemory)?), &[0; 24], encrypted)
        }
    };
    match opened.map_err(|_| NameError::Undecryptable)?.as_slice() {
        [SessionId::PREFIX, key @ ..] => key.try_into().map(SessionId).map_err(|_| NameError::NotAnAccount),
        _ => Err(NameError::NotAnAccount),
    }
}

fn hash(name: &str) -> [u8; 32] {
    blake2b(&[], &[name.as_bytes()])
}

fn key(name: &str) -> [u8; 32] {
    blake2b(&hash(name), &[name.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_read_as_desktop_reads_them() {
        assert_eq!(Name::parse("  KEE ").unwrap().as_str(), "kee");
        assert!(Name::parse("session-team").is_ok() && Name::parse("under_score").is_ok());
        for (typed, error) in [
            ("", InvalidName::Empty),
            ("-kee", InvalidName::Character),
            ("kee-", InvalidName::Character),
            ("foo.bar", InvalidName::Character),
            ("zürich", InvalidName::Character),
            (&"a".repeat(65), InvalidName::TooLong),
        ] {
            assert_eq!(Name::parse(typed), Err(error));
        }
    }

    proptest! {
        #[test]
        fn what_is_registered_resolves(text in "[a-z0-9_]{1,64}", key: [u8; 32], nonce: [u8; 24]) {
            let name = Name::parse(&text).unwrap();
            let made = name.encrypt(&SessionId(key), &nonce);
            prop_assert_eq!(name.decrypt(&made, Some(&nonce)), Ok(SessionId(key)));
            prop_assert_eq!(decrypt_value("Other", &made, Some(&nonce)), Err(NameError::Undecryptable));
        }

        #[test]
        fn nothing_panics_on_foreign_bytes(text: String, bytes: Vec<u8>) {
            let _ = Name::parse(&text);
            prop_assert_eq!(decrypt_value(&text, &bytes, Some(&[0; 24])), Err(NameError::Undecryptable));
        }
    }
}
