//! What the network keeps: messages, files, registered names. Values only; who keeps them is told elsewhere.

use std::sync::Arc;

use bytes::Bytes;
use septet_protocol::crypto::{Random, SystemRandom, blake2b};
use septet_protocol::id::{MessageHash, Namespace, SessionId};
use septet_protocol::name::Name;

use crate::pubkey::Pubkey;

/// A subaccount token as it travels: 36 bytes (spec 03 §9.4).
pub(crate) type Token = [u8; 36];

/// One stored message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredMessage {
    /// Its name in the swarm.
    pub hash: MessageHash,
    /// The compartment it lies in.
    pub namespace: i16,
    /// The sender's timestamp, ms.
    pub timestamp: u64,
    /// When it goes away, ms.
    pub expiry: u64,
    /// The bytes given to `store`, not base64.
    pub data: Arc<[u8]>,
}

/// The name of a message (spec 03 §9.6).
pub(crate) fn message_hash(account: &Pubkey, namespace: Namespace, data: &[u8]) -> MessageHash {
    let namespace = if namespace.0 == 0 { String::new() } else { namespace.to_string() };
    MessageHash(blake2b::<32>(&[], &[&account.0, namespace.as_bytes(), data]))
}

/// One uploaded file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredFile {
    /// The bytes, as uploaded (clients encrypt them).
    pub data: Bytes,
    /// When it was uploaded, ms.
    pub uploaded: u64,
    /// When it goes away, ms.
    pub expires: u64,
}

/// What the chain holds under the hash of a name: the account id encrypted with the name (spec 03 §11).
#[derive(Clone)]
pub(crate) struct NameRecord {
    pub encrypted: Vec<u8>,
    pub nonce: [u8; 24],
}

impl NameRecord {
    /// What someone who registers `name` for an account puts on the chain.
    pub fn register(name: &Name, account: &SessionId) -> Self {
        let nonce = SystemRandom.array();
        Self { encrypted: name.encrypt(account, &nonce), nonce }
    }
}
