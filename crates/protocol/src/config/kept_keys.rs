//! The bytes of a group's keys messages, as the swarm has or had them (spec 09 §7.2).
//!
//! A keys message cannot be made a second time: an admin signed it, and what fills it up comes from the group's secret.
//! Whoever has its bytes can store it again, though, also a member who could never have written it, and also one for
//! whom there was no key inside. So every device keeps the bytes of all keys messages that are active, of both kinds,
//! and keeps them as long as they are.
//!
//! Decision: a message is kept under the name that its bytes have in the group's swarm, which is worked out here and
//! never taken over. So what is stored again has the name that is missed, whatever became of the file it was kept in.
//!
//! Decision: neither the spec nor the official core says how these bytes are kept, so the layout is ours: a bencoded
//! dict of its own, which the dump of the group's keys may hold as one value.
//!
//! | key | value |
//! |---|---|
//! | `!` | 1, the version of this layout |
//! | `m` | list of the messages, in the order of their names |

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::bencode::{Reader, write_bytes, write_int};
use crate::id::{Account, GroupId, MessageHash, Namespace};
use crate::swarm::{MAX_MESSAGE_BYTES, message_hash};

use super::exchange::LoadError;

/// The most messages that are kept of one group: some rekeys of every day of the 60 days that a key is kept for.
pub const MAX_KEPT_KEYS: usize = 1024;
/// The most bytes that are kept of one group: 16 MiB, that many messages for twice as many members as groups have.
pub const MAX_KEPT_KEYS_BYTES: usize = 16 << 20;

const VERSION: &[u8] = b"!";
const MESSAGES: &[u8] = b"m";
/// The layout that is described above. Another number only for one that cannot be read as this.
const CURRENT_VERSION: i64 = 1;

/// Why a message is not kept. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// No swarm has it: it is empty, or longer than [`MAX_MESSAGE_BYTES`].
    #[error("no swarm has a message of {0} bytes")]
    Length(usize),
    /// With it there would be more than [`MAX_KEPT_KEYS`] or [`MAX_KEPT_KEYS_BYTES`].
    #[error("too many keys messages are kept of this group")]
    Full,
}

/// The kept bytes of one group's keys messages, by the names they have in its swarm. At most [`MAX_KEPT_KEYS`] messages
/// and [`MAX_KEPT_KEYS_BYTES`].
#[derive(Clone, PartialEq, Eq)]
pub struct KeptKeys {
    group: GroupId,
    messages: BTreeMap<MessageHash, Arc<[u8]>>,
}

impl KeptKeys {
    /// Nothing, for the group of this id.
    pub const fn new(group: GroupId) -> Self {
        Self { group, messages: BTreeMap::new() }
    }

    /// The name that a keys message has in this group's swarm.
    pub fn name_of(&self, message: &[u8]) -> MessageHash {
        message_hash(&Account::Group(self.group), Namespace::GROUP_KEYS, message)
    }

    /// Keeps `message`, as it was received. To be called with what was found genuine only, and is active. Whether it was
    /// not kept before.
    pub fn keep(&mut self, message: &[u8]) -> Result<bool, NotKept> {
        if message.is_empty() || message.len() > MAX_MESSAGE_BYTES {
            return Err(NotKept::Length(message.len()));
        }
        let name = self.name_of(message);
        if self.messages.contains_key(&name) {
            return Ok(false);
        }
        if self.messages.len() >= MAX_KEPT_KEYS || self.total_bytes() + message.len() > MAX_KEPT_KEYS_BYTES {
            return Err(NotKept::Full);
        }
        self.messages.insert(name, message.into());
        Ok(true)
    }

    /// Forgets what is not `active`: the messages of generations that are past. Whether there was such a one.
    pub fn retain(&mut self, active: &BTreeSet<MessageHash>) -> bool {
        let before = self.messages.len();
        self.messages.retain(|name, _| active.contains(name));
        self.messages.len() != before
    }

    /// The bytes of the message of this name.
    pub fn get(&self, name: &MessageHash) -> Option<&[u8]> {
        self.messages.get(name).map(AsRef::as_ref)
    }

    /// All that is kept, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (MessageHash, &[u8])> {
        self.messages.iter().map(|(name, message)| (*name, message.as_ref()))
    }

    /// How many messages are kept.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The length of all messages together.
    fn total_bytes(&self) -> usize {
        self.messages.values().map(|message| message.len()).sum()
    }

    /// Everything, to be stored on this device.
    pub fn dump(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.total_bytes() + 8 * self.len() + 32);
        out.push(b'd');
        write_bytes(&mut out, VERSION);
        write_int(&mut out, CURRENT_VERSION);
        write_bytes(&mut out, MESSAGES);
        out.push(b'l');
        self.messages.values().for_each(|message| write_bytes(&mut out, message));
        out.extend_from_slice(b"ee");
        out
    }

    /// Reads what [`KeptKeys::dump`] wrote for this group. Refuses what is damaged, of another layout, or beyond the
    /// limits; then start with nothing, and let the back-fill bring the bytes again
    /// ([`KeysRecovery`](super::KeysRecovery)).
    pub fn load(group: GroupId, dump: &[u8]) -> Result<Self, LoadError> {
        let mut kept = Self::new(group);
        let (mut version, mut messages) = (None, false);
        let reader = &mut Reader::new(dump);
        let mut keys = reader.open_dict()?;
        while let Some(key) = keys.next(reader)? {
            match key {
                VERSION => version = Some(reader.int()?),
                MESSAGES => {
                    messages = true;
                    kept.read(reader)?;
                }
                _ => drop(reader.skip()?),
            }
        }
        let whole = version == Some(CURRENT_VERSION) && messages && reader.peek().is_none();
        whole.then_some(kept).ok_or(LoadError::Damaged)
    }

    /// Reads the list of messages.
    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), LoadError> {
        reader.open_list()?;
        let mut bytes = 0;
        while !reader.close() {
            let message = reader.bytes()?;
            bytes += message.len();
            let fits = self.len() < MAX_KEPT_KEYS && bytes <= MAX_KEPT_KEYS_BYTES;
            if message.is_empty() || message.len() > MAX_MESSAGE_BYTES || !fits {
                return Err(LoadError::Damaged);
            }
            self.messages.insert(self.name_of(message), message.into());
        }
        Ok(())
    }
}

/// The names and lengths, not the bytes.
impl fmt::Debug for KeptKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.messages.iter().map(|(name, message)| (name, message.len()))).finish()
    }
}
