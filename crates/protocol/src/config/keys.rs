//! The keys of a document, and what they do to its messages: sealing for the swarm, opening what is there.

use zeroize::Zeroizing;

use crate::crypto::Ed25519Secret;
use crate::id::Ed25519Public;
use crate::swarm::MAX_MESSAGE_BYTES;

use super::exchange::{PushError, Rules};
use super::message::Message;
use super::wrap::WrapKeys;
use super::{Kind, multipart, seal};

/// The largest compressed and padded message that is pushed, in bytes: a guard against runaway documents.
const MAX_PUSHED: usize = 5_000_000;

/// A message as it is stored.
pub(super) struct Sealed {
    pub messages: Vec<Vec<u8>>,
    /// The name of the set, if it is in parts.
    pub set: Option<[u8; 32]>,
}

/// How a document is encrypted, wrapped and signed.
pub(super) struct Keys {
    /// The first encrypts, all are tried when decrypting.
    encryption: Vec<Zeroizing<[u8; 32]>>,
    domain: &'static str,
    /// User configs: how they are wrapped.
    wrap: Option<(WrapKeys, Kind)>,
    /// Signed documents: whose signature is required.
    pub verify: Option<Ed25519Public>,
    /// Signed documents: what to sign with.
    pub sign: Option<Ed25519Secret>,
}

impl Keys {
    /// Those of a user config of the account with this Ed25519 seed.
    pub fn user(seed: [u8; 32], kind: Kind) -> Self {
        Self {
            encryption: vec![seed.into()],
            domain: kind.domain(),
            wrap: Some((WrapKeys::from_seed(seed), kind)),
            verify: None,
            sign: None,
        }
    }

    /// Those of a document of a group: `encryption` keys, newest first; members have no `sign`.
    pub fn group(
        encryption: Vec<[u8; 32]>,
        domain: &'static str,
        group: Ed25519Public,
        sign: Option<Ed25519Secret>,
    ) -> Self {
        let encryption = encryption.into_iter().map(Into::into).collect();
        Self { encryption, domain, wrap: None, verify: Some(group), sign }
    }

    pub fn can_write(&self) -> bool {
        self.verify.is_none() || self.sign.is_some()
    }

    fn encrypt(&self, plaintext: Vec<u8>) -> Result<Vec<u8>, PushError> {
        let key = self.encryption.first().ok_or(PushError::Keys)?;
        seal::encrypt(plaintext, key, self.domain).map_err(|_| PushError::Keys)
    }

    /// Unwraps and decrypts what the swarm has.
    pub fn decrypt(&self, stored: &[u8]) -> Option<Vec<u8>> {
        let unwrapped = self.wrap.as_ref().and_then(|(keys, kind)| keys.unwrap_all(stored, *kind));
        let ciphertext = unwrapped.as_deref().unwrap_or(stored);
        self.encryption.iter().find_map(|key| seal::decrypt(ciphertext, key, self.domain).ok())
    }

    /// Compresses, pads, encrypts and wraps, in parts if need be.
    pub fn seal(&self, message: &Message, rules: Rules) -> Result<Sealed, PushError> {
        let compressed = seal::compress(message.bytes());
        let padded = seal::pad(compressed.as_deref().unwrap_or(message.bytes()));
        let size = padded.len() + seal::OVERHEAD;
        if size <= MAX_MESSAGE_BYTES {
            return self.seal_single(padded, message.seqno, rules);
        }
        if rules == Rules::January2025 {
            return Err(PushError::TooLarge { size, limit: MAX_MESSAGE_BYTES });
        }
        let too_large = PushError::TooLarge { size: padded.len(), limit: MAX_PUSHED };
        if padded.len() > MAX_PUSHED {
            return Err(too_large);
        }
        let (set, parts) = multipart::split(&padded).ok_or(too_large)?;
        let messages = parts.into_iter().map(|part| self.encrypt(part)).collect::<Result<_, _>>()?;
        Ok(Sealed { messages, set: Some(set) })
    }

    fn seal_single(&self, padded: Vec<u8>, seqno: i64, rules: Rules) -> Result<Sealed, PushError> {
        let encrypted = self.encrypt(padded)?;
        let single = |message| Ok(Sealed { messages: vec![message], set: None });
        let Some((keys, kind)) = &self.wrap else { return single(encrypted) };
        let wrapped = keys.wrap(&encrypted, seqno, *kind).ok_or(PushError::Keys)?;
        match wrapped.len() {
            ..=MAX_MESSAGE_BYTES => single(wrapped),
            size if rules == Rules::January2025 => {
                Err(PushError::TooLarge { size, limit: MAX_MESSAGE_BYTES })
            }
            _ => single(encrypted),
        }
    }
}
