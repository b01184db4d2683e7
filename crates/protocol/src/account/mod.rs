//! Accounts: one 16-byte seed, from which every key follows, and the ways people write it down (spec 01).
//!
//! Decision: the seed is the account. It is what gets stored, and the keys are derived from it whenever they are
//! needed; phrase, BIP-39 sentence and hexadecimal digits are three spellings of the same seed.

mod name;
mod phrase;
mod recovery;
mod recovery_error;
pub mod words;

use bip39::{Language, Mnemonic};
use data_encoding::HEXLOWER;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub use name::{DisplayName, NameError};
pub use recovery::parse_recovery;
pub use recovery_error::RecoveryError;

use crate::crypto::session::{Recipients, Senders};
use crate::crypto::{Ed25519Secret, Random, X25519Secret};
use crate::id::SessionId;

/// The 16 random bytes that are an account. Wiped when dropped; never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 16]);

impl Seed {
    /// The seed of a new account. There is nothing to register anywhere (spec 01 §7).
    pub fn generate(rng: &mut impl Random) -> Self {
        Self(rng.array())
    }

    /// A seed that was stored earlier.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The recovery password of every Session client: 13 English words (spec 01 §3.2).
    pub fn to_phrase(&self) -> Zeroizing<String> {
        phrase::encode(&self.0)
    }

    /// The same seed as a 12-word English BIP-39 sentence. Other Session clients do not know it (spec 01 §4).
    pub fn to_bip39(&self) -> Zeroizing<String> {
        // 16 bytes always make 12 words; the error is for other lengths.
        let words =
            Mnemonic::from_entropy_in(Language::English, &self.0).map(|sentence| sentence.to_string());
        Zeroizing::new(words.unwrap_or_default())
    }

    /// 32 hexadecimal digits, as in the recovery QR code (spec 01 §5).
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(HEXLOWER.encode(&self.0))
    }

    /// The keys of the account (spec 01 §1).
    pub fn keys(&self) -> AccountKeys {
        let mut padded = Zeroizing::new([0; 32]);
        padded.iter_mut().zip(&self.0).for_each(|(to, from)| *to = *from);
        let ed25519 = Ed25519Secret::from_seed(*padded);
        let x25519 = ed25519.to_x25519();
        let session_id = SessionId::from(x25519.public());
        AccountKeys {
            ed25519,
            x25519,
            session_id,
            senders: Senders::default(),
            recipients: Recipients::default(),
        }
    }
}

/// An account's keys; all follow from its [`Seed`].
#[derive(Clone)]
pub struct AccountKeys {
    /// Signs messages and storage requests.
    pub ed25519: Ed25519Secret,
    /// Opens messages.
    pub x25519: X25519Secret,
    /// The account's id.
    pub session_id: SessionId,
    /// Who has written to it: no part of the keys, but wanted wherever they open something.
    pub(crate) senders: Senders,
    /// Whom it has written to.
    pub(crate) recipients: Recipients,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Replay;

    /// Vector 8 of spec 01 §14.
    #[test]
    fn an_account_is_its_seed() {
        let bytes =
            [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
        let seed = Seed::generate(&mut Replay::new([bytes.to_vec()]));
        let keys = seed.keys();
        assert_eq!(
            keys.session_id.to_string(),
            "05d2ad010eeb72d72e561d9de7bd7b6989af77dcabffa03a5111a6c859ae5c3a72"
        );
        assert_eq!(keys.ed25519.public().to_x25519(), Some(keys.session_id.x25519()));
        assert_eq!(keys.ed25519.seed()[16..], [0; 16]);
        assert_eq!(*seed.to_hex(), "0123456789abcdef0123456789abcdef");
        assert!(seed.to_bip39().starts_with("abuse boss fly "));
    }
}
