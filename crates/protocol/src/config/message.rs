//! One version of a document as it travels: seqno, data, what changed, and the changes before it (spec 05 §3).
//!
//! A [`Message`] is finished: its bytes are fixed, and its hash is the hash of exactly those, also when they came
//! from elsewhere. A [`Draft`] is a successor in the making: it remembers the data it started from, so that its diff
//! can be written when it is finished.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::bencode::{BencodeError, Reader, write_bytes, write_int};
use crate::crypto::{Ed25519Secret, blake2b};
use crate::id::Ed25519Public;

use super::diff::{self, DiffError};
use super::value::{Bytes, Dict, TreeError};

/// How many predecessors' changes a message carries, less one (spec 05 §3.2): entries are younger than `seqno - LAG`.
pub(super) const LAG: i64 = 5;

/// The bytes of a document that was never changed.
const PRISTINE: &[u8] = b"d1:#i0e1:&de1:<le1:=dee";

const SEQNO: &[u8] = b"#";
const DATA: &[u8] = b"&";
const LAGGED: &[u8] = b"<";
const DIFF: &[u8] = b"=";
const SIGNATURE: &[u8] = b"~";
/// Bytes of a serialised signature: `1:~64:`, the signature, and the `e` that ends the message.
const SIGNATURE_PART: usize = 6 + 64 + 1;

/// Seqno and hash: what names a message, and the order in which conflicting changes are replayed.
pub(super) type Rank = (i64, [u8; 32]);

/// Why bytes are not a config message that this version understands. Such a message is left in the swarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The data, or something around it, is malformed.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A diff is malformed.
    #[error(transparent)]
    Diff(#[from] DiffError),
    /// A key from before the seqno: reserved for versions that we cannot read.
    #[error("of an incompatible version")]
    Incompatible,
    /// The seqno, the data or the diff is missing.
    #[error("a required part is missing")]
    Incomplete,
    /// The list of earlier changes is misordered or does not fit the seqno.
    #[error("the list of earlier changes is malformed")]
    Lagged,
    /// The signature is missing, misplaced or wrong.
    #[error("the signature is missing or wrong")]
    Signature,
}

impl From<BencodeError> for MessageError {
    fn from(error: BencodeError) -> Self {
        Self::Tree(error.into())
    }
}

/// The change that an earlier message made.
#[derive(Clone)]
pub(super) struct Lagged {
    pub rank: Rank,
    pub diff: Arc<[u8]>,
}

/// A finished message.
#[derive(Clone)]
pub(super) struct Message {
    pub seqno: i64,
    pub data: Dict,
    /// Sorted by rank.
    pub lagged: Vec<Lagged>,
    /// Outer keys that we do not know, with their serialised values, sorted.
    unknown: Vec<(Bytes, Bytes)>,
    bytes: Arc<[u8]>,
    diff: Range<usize>,
    hash: OnceLock<[u8; 32]>,
}

impl Message {
    /// Version 0: empty.
    pub fn pristine() -> Self {
        Self {
            seqno: 0,
            data: Dict::default(),
            lagged: Vec::new(),
            unknown: Vec::new(),
            bytes: PRISTINE.into(),
            diff: PRISTINE.len() - 3..PRISTINE.len() - 1,
            hash: OnceLock::new(),
        }
    }

    /// Whether this is the document that every device starts with, which takes no part in merges.
    pub fn is_pristine(&self) -> bool {
        *self.bytes == *PRISTINE
    }

    /// Reads a message; with `signer`, it must be signed with that key.
    pub fn parse(bytes: Vec<u8>, signer: Option<&Ed25519Public>) -> Result<Self, MessageError> {
        let mut parts = Parts::default();
        let signature = parts.read(&mut Reader::new(&bytes))?;
        if let Some(signer) = signer {
            let signed = signature.and_then(|(end, signature)| Some((bytes.get(..end)?, signature)));
            if !signed.is_some_and(|(bytes, signature)| signer.verify(bytes, &signature)) {
                return Err(MessageError::Signature);
            }
        }
        let missing = MessageError::Incomplete;
        Ok(Self {
            seqno: parts.seqno.ok_or(missing)?,
            data: parts.data.ok_or(missing)?,
            lagged: parts.lagged,
            unknown: parts.unknown,
            diff: parts.diff.ok_or(missing)?,
            bytes: bytes.into(),
            hash: OnceLock::new(),
        })
    }

    /// The serialised message.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What this message changed, serialised.
    pub fn diff(&self) -> &[u8] {
        self.bytes.get(self.diff.clone()).unwrap_or_default()
    }

    /// BLAKE2b-256 of the serialised message.
    pub fn hash(&self) -> &[u8; 32] {
        self.hash.get_or_init(|| blake2b(&[], &[&self.bytes]))
    }

    /// Seqno and hash.
    pub fn rank(&self) -> Rank {
        (self.seqno, *self.hash())
    }

    /// The draft of the next version (spec 05 §3.3).
    pub fn increment(&self) -> Draft {
        let mut lagged: Vec<_> =
            self.lagged.iter().filter(|e| is_recent(e.rank.0, self.seqno)).cloned().collect();
        lagged.push(Lagged { rank: self.rank(), diff: self.diff().into() });
        Draft {
            seqno: self.seqno.saturating_add(1),
            original: self.data.clone(),
            data: self.data.clone(),
            lagged,
            unknown: self.unknown.clone(),
            size_hint: self.bytes.len(),
        }
    }
}

/// Whether a change of version `seqno` is still carried by version `by`.
fn is_recent(seqno: i64, by: i64) -> bool {
    seqno > by.saturating_sub(LAG)
}

/// The outer dict while it is read.
#[derive(Default)]
struct Parts {
    seqno: Option<i64>,
    data: Option<Dict>,
    lagged: Vec<Lagged>,
    unknown: Vec<(Bytes, Bytes)>,
    diff: Option<Range<usize>>,
}

impl Parts {
    /// Reads the outer dict; returns where the signed part ends, and the signature, if there is one.
    fn read(&mut self, reader: &mut Reader<'_>) -> Result<Option<(usize, [u8; 64])>, MessageError> {
        let mut keys = reader.open_dict()?;
        let mut key_start = reader.position();
        while let Some(key) = keys.next(reader)? {
            match (key, self.seqno) {
                (SEQNO, _) => self.seqno = Some(reader.int()?),
                (key, _) if key < SEQNO => return Err(MessageError::Incompatible),
                (_, None) => return Err(MessageError::Incomplete),
                (DATA, _) => self.data = Some(Dict::read(reader, true)?),
                (LAGGED, Some(seqno)) => self.lagged = read_lagged(reader, seqno)?,
                (DIFF, _) => {
                    let start = reader.position();
                    diff::read(reader)?;
                    self.diff = Some(start..reader.position());
                }
                (SIGNATURE, _) => {
                    let signature = reader.array().map_err(|_| MessageError::Signature)?;
                    return if reader.close() {
                        Ok(Some((key_start, signature)))
                    } else {
                        Err(MessageError::Signature)
                    };
                }
                (key, _) if key < SIGNATURE => self.unknown.push((key.into(), reader.skip()?.into())),
                _ => return Err(MessageError::Signature),
            }
            key_start = reader.position();
        }
        Ok(None)
    }
}

/// Reads the list of earlier changes of the message `own`; those that are too old are dropped.
fn read_lagged(reader: &mut Reader<'_>, own: i64) -> Result<Vec<Lagged>, MessageError> {
    let mut lagged = Vec::new();
    let mut previous = None;
    reader.open_list()?;
    while !reader.close() {
        reader.open_list()?;
        let rank = (reader.int()?, reader.array().map_err(|_| MessageError::Lagged)?);
        let diff = diff::read(reader)?;
        if !reader.close() || rank.0 >= own || previous.is_some_and(|previous| previous >= rank) {
            return Err(MessageError::Lagged);
        }
        previous = Some(rank);
        if is_recent(rank.0, own) {
            lagged.push(Lagged { rank, diff: diff.into() });
        }
    }
    Ok(lagged)
}

impl Message {
    /// The draft that this was finished from, if its changes are taken against `original`.
    pub fn reopen(&self, original: Dict) -> Draft {
        Draft {
            seqno: self.seqno,
            data: self.data.clone(),
            original,
            lagged: self.lagged.clone(),
            unknown: self.unknown.clone(),
            size_hint: self.bytes.len(),
        }
    }
}

/// A version that is still being changed.
#[derive(Clone)]
pub(super) struct Draft {
    pub seqno: i64,
    pub data: Dict,
    /// What the diff is taken against.
    pub original: Dict,
    /// Sorted by rank.
    pub lagged: Vec<Lagged>,
    pub unknown: Vec<(Bytes, Bytes)>,
    /// About how many bytes it will be.
    pub size_hint: usize,
}

impl Draft {
    /// Fixes the bytes, signed with `signer` if there is one.
    pub fn finish(&self, signer: Option<&Ed25519Secret>) -> Message {
        let lagged: Vec<_> =
            self.lagged.iter().filter(|e| is_recent(e.rank.0, self.seqno)).cloned().collect();
        let mut out = Vec::with_capacity(self.size_hint + 1024);
        out.push(b'd');
        write_bytes(&mut out, SEQNO);
        write_int(&mut out, self.seqno);
        let mut unknown = self.unknown.iter().peekable();
        let mut write_unknown = |out: &mut Vec<u8>, below: &[u8]| {
            while let Some((key, value)) = unknown.next_if(|(key, _)| key.as_slice() < below) {
                write_bytes(out, key.as_slice());
                out.extend_from_slice(value.as_slice());
            }
        };
        write_unknown(&mut out, DATA);
        write_bytes(&mut out, DATA);
        self.data.write(&mut out);
        write_unknown(&mut out, LAGGED);
        write_bytes(&mut out, LAGGED);
        write_lagged(&mut out, &lagged);
        write_unknown(&mut out, DIFF);
        write_bytes(&mut out, DIFF);
        let diff_start = out.len();
        diff::write(&mut out, &self.original, &self.data);
        let diff = diff_start..out.len();
        write_unknown(&mut out, SIGNATURE);
        if let Some(signer) = signer {
            out.reserve(SIGNATURE_PART);
            let signature = signer.sign(&out);
            write_bytes(&mut out, SIGNATURE);
            write_bytes(&mut out, &signature);
        }
        out.push(b'e');
        Message {
            seqno: self.seqno,
            data: self.data.clone(),
            lagged,
            unknown: self.unknown.clone(),
            bytes: out.into(),
            diff,
            hash: OnceLock::new(),
        }
    }
}

fn write_lagged(out: &mut Vec<u8>, lagged: &[Lagged]) {
    out.push(b'l');
    for Lagged { rank: (seqno, hash), diff } in lagged {
        out.push(b'l');
        write_int(out, *seqno);
        write_bytes(out, hash);
        out.extend_from_slice(diff);
        out.push(b'e');
    }
    out.push(b'e');
}
