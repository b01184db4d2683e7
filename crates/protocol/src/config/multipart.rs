//! Messages too large for the swarm, cut into parts (spec 05 §5.5).
//!
//! What is cut is the compressed and padded message; each part is encrypted and stored on its own. Parts arrive in
//! any order and over several polls; [`Parts`] holds them until a set is complete, and afterwards remembers that it
//! was, so that stragglers are not waited for again.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bencode::{Reader, write_bytes};
use crate::crypto::blake2b;
use crate::swarm::MAX_MESSAGE_BYTES;
use crate::time::Timestamp;

use super::exchange::StorageHash;
use super::seal;
use super::seal::OVERHEAD;

/// The first byte of the plaintext of a part.
pub(super) const PART: u8 = b'm';
/// Bytes around the chunk in a part.
const FRAME: usize = 50;
/// Bytes of the message in each part but the last.
const CHUNK: usize = MAX_MESSAGE_BYTES - FRAME - OVERHEAD;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// How long parts of a set wait for the others after the last one came, in milliseconds.
const INCOMPLETE_MS: u64 = 7 * DAY_MS;
/// How long a set is remembered after it was complete, in milliseconds.
const FINISHED_MS: u64 = 14 * DAY_MS;

/// Cuts `padded` into the plaintexts of parts. `None` if there would be fewer than 2 or more than 255.
pub(super) fn split(padded: &[u8]) -> Option<([u8; 32], Vec<Vec<u8>>)> {
    let set = blake2b::<32>(&[], &[padded]);
    let count = u8::try_from(padded.len().div_ceil(CHUNK)).ok().filter(|&count| count > 1)?;
    let parts = padded.chunks(CHUNK).zip(0u8..).map(|(chunk, index)| part(&set, index, count, chunk));
    Some((set, parts.collect()))
}

fn part(set: &[u8; 32], index: u8, count: u8, chunk: &[u8]) -> Vec<u8> {
    let length = chunk.len() + FRAME;
    let mut out = Vec::with_capacity(length + OVERHEAD);
    out.extend_from_slice(b"ml");
    write_bytes(&mut out, set);
    write_bytes(&mut out, &[index]);
    write_bytes(&mut out, &[count]);
    write_bytes(&mut out, chunk);
    out.push(b'e');
    out.resize(length, 0);
    out
}

/// A part as received.
struct Part<'a> {
    set: [u8; 32],
    index: u8,
    count: u8,
    chunk: &'a [u8],
}

impl<'a> Part<'a> {
    /// Reads the plaintext of a part, without its leading `m`.
    fn parse(list: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(list);
        reader.open_list().ok()?;
        let set = reader.array().ok()?;
        let [index] = reader.array().ok()?;
        let [count] = reader.array().ok()?;
        let chunk = reader.bytes().ok()?;
        let whole = reader.close() && count > 1 && index < count && !chunk.is_empty();
        whole.then_some(Self { set, index, count, chunk })
    }
}

/// A part that is held until the others come.
#[derive(Clone)]
pub(super) struct Held {
    pub hash: StorageHash,
    pub chunk: Arc<[u8]>,
    /// The part as the swarm has it; absent if a version of the program took it in that did not keep it.
    pub stored: Option<Arc<[u8]>>,
}

/// The parts of one message.
#[derive(Clone)]
pub(super) struct PartSet {
    /// The number of parts; 0 for a set that is finished.
    pub count: u8,
    pub expires: Timestamp,
    pub held: BTreeMap<u8, Held>,
}

/// A message as it is in the swarm, perhaps put together from its parts.
pub(super) struct Assembled {
    /// The serialised message.
    pub message: Vec<u8>,
    /// The storage hashes of all parts.
    pub hashes: Vec<StorageHash>,
    /// The bytes of all parts as the swarm has them, if they are known.
    pub stored: Option<Vec<Vec<u8>>>,
}

/// What taking in a part came to.
pub(super) enum Taken {
    /// Not a part, or one that does not fit the others.
    Invalid,
    /// Held, known before, or of a finished set.
    Held,
    /// The set is complete.
    Complete(Assembled),
    /// The set is complete and does not make a message.
    Damaged,
}

/// The sets of parts that are known, by the hash of what they make.
#[derive(Clone, Default)]
pub(super) struct Parts(pub BTreeMap<[u8; 32], PartSet>);

impl Parts {
    /// Takes in the plaintext of a part, without its leading `m`, and the part as it is `stored`.
    pub fn take(&mut self, list: &[u8], hash: &StorageHash, stored: &[u8], now: Timestamp) -> Taken {
        let Some(part) = Part::parse(list) else { return Taken::Invalid };
        let set = self.0.entry(part.set).or_insert_with(|| PartSet {
            count: part.count,
            expires: now,
            held: BTreeMap::new(),
        });
        if set.count == 0 {
            return Taken::Held;
        }
        if set.count != part.count {
            return Taken::Invalid;
        }
        set.expires = now + INCOMPLETE_MS;
        set.held.entry(part.index).or_insert_with(|| Held {
            hash: hash.clone(),
            chunk: part.chunk.into(),
            stored: Some(stored.into()),
        });
        if set.held.len() < usize::from(set.count) {
            return Taken::Held;
        }
        let held = std::mem::take(&mut set.held);
        let whole: Vec<u8> = held.values().flat_map(|held| held.chunk.iter().copied()).collect();
        if blake2b::<32>(&[], &[&whole]) != part.set {
            self.0.remove(&part.set);
            return Taken::Damaged;
        }
        self.finish(part.set, now);
        match seal::open_plaintext(seal::unpad(&whole)) {
            Some(Ok(message)) => Taken::Complete(Assembled {
                message,
                stored: held.values().map(|held| held.stored.as_deref().map(<[u8]>::to_vec)).collect(),
                hashes: held.into_values().map(|held| held.hash).collect(),
            }),
            _ => Taken::Damaged,
        }
    }

    /// Remembers that `set` needs no more parts.
    pub fn finish(&mut self, set: [u8; 32], now: Timestamp) {
        self.0.insert(set, PartSet { count: 0, expires: now + FINISHED_MS, held: BTreeMap::new() });
    }

    /// Forgets what is past its time.
    pub fn expire(&mut self, now: Timestamp) {
        self.0.retain(|_, set| set.expires >= now);
    }

    /// The storage hashes of parts that wait for others.
    pub fn waiting(&self) -> impl Iterator<Item = &StorageHash> {
        self.0.values().flat_map(|set| set.held.values().map(|held| &held.hash))
    }
}
