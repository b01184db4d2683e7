//! What goes in and out of a document: names of stored messages, pushes, results, errors.

use std::fmt;

use crate::bencode::BencodeError;
use crate::id::MessageHash;

use super::message::MessageError;
use super::value::TreeError;

/// The name the swarm gave a stored message: opaque here, [`MessageHash`] on the network.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorageHash(Box<str>);

impl StorageHash {
    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As what the network calls it; `None` if it was not the network that named it.
    pub fn to_message_hash(&self) -> Option<MessageHash> {
        self.0.parse().ok()
    }
}

impl From<&str> for StorageHash {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<MessageHash> for StorageHash {
    fn from(hash: MessageHash) -> Self {
        Self(hash.to_string().into())
    }
}

impl fmt::Display for StorageHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StorageHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which version of the format's habits to follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Rules {
    /// Those of today.
    #[default]
    Current,
    /// Those of January 2025, to replay what was recorded then (spec 05 §14.1): one message or none, dumps of that
    /// time, fields of that time.
    January2025,
}

/// Where a document is between this device and the swarm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Stored in the swarm, nothing changed.
    Clean,
    /// Changed here, not handed out.
    Dirty,
    /// Handed out by a push, not confirmed.
    Waiting,
}

/// What a push hands out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Push {
    /// The version; to be given back when confirming.
    pub seqno: i64,
    /// What to store, each as a message of its own; more than one if it does not fit one.
    pub messages: Vec<Vec<u8>>,
    /// What to delete once all of them are stored.
    pub obsolete: Vec<StorageHash>,
}

/// Why there is nothing to push. The document is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// Larger than what the swarm takes; something must be removed first.
    #[error("too large to be synchronised: {size} bytes, the limit is {limit}")]
    TooLarge {
        /// Bytes it came to.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// This device may read the document, not write it.
    #[error("this device may not change the document")]
    ReadOnly,
    /// The keys cannot be used for encryption.
    #[error("the keys of this document are not usable")]
    Keys,
}

/// Why a dump cannot be loaded. Start anew and merge what the swarm has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The frame of the dump is damaged.
    #[error("the stored config is damaged")]
    Damaged,
    /// The message in it is damaged.
    #[error("the stored config holds a damaged message: {0}")]
    Message(#[from] MessageError),
}

impl From<BencodeError> for LoadError {
    fn from(_: BencodeError) -> Self {
        Self::Damaged
    }
}

impl From<TreeError> for LoadError {
    fn from(_: TreeError) -> Self {
        Self::Damaged
    }
}

/// What came of a merge.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Merged {
    /// The messages that could be read, whether or not they brought something. The others are left in the swarm:
    /// they may be from a newer version.
    pub accepted: Vec<StorageHash>,
    /// Whether the data is other than before.
    pub changed: bool,
}
