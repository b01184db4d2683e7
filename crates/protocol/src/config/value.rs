//! The data of a config: a tree of dicts, sets, integers and byte strings (spec 05 §2.2).
//!
//! Decision: this generic tree *is* the document; typed accessors only look into it. That is how keys of newer
//! versions survive our edits untouched. Dicts are sorted vectors behind a shared pointer: copying a document is one
//! counter, an edit copies only the path it touches, and comparing two versions skips everything they share. Sets and
//! dicts inside are never empty; whatever empties one removes it.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use crate::bencode::{BencodeError, MAX_DEPTH, Reader, write_bytes, write_int};

/// How many bytes are kept in place rather than on the heap.
const INLINE: usize = 22;

/// An immutable byte string; short ones cost no allocation.
#[derive(Clone)]
pub struct Bytes(Repr);

#[derive(Clone)]
enum Repr {
    Inline { length: u8, bytes: [u8; INLINE] },
    Shared(Arc<[u8]>),
}

impl Bytes {
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Repr::Shared(bytes) => bytes,
        }
    }
}

impl From<&[u8]> for Bytes {
    fn from(source: &[u8]) -> Self {
        let mut bytes = [0; INLINE];
        match bytes.get_mut(..source.len()) {
            Some(start) => {
                start.copy_from_slice(source);
                Self(Repr::Inline { length: source.len() as u8, bytes })
            }
            None => Self(Repr::Shared(source.into())),
        }
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Bytes {}

impl PartialOrd for Bytes {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Bytes {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_slice().cmp(other.as_slice())
    }
}

/// An integer or a byte string. Ordered as in a set: integers first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scalar {
    /// A 64-bit integer.
    Int(i64),
    /// A byte string.
    Bytes(Bytes),
}

impl Scalar {
    /// Reads an integer or a byte string.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, BencodeError> {
        match reader.peek() {
            Some(b'i') => reader.int().map(Self::Int),
            _ => reader.bytes().map(|bytes| Self::Bytes(bytes.into())),
        }
    }

    /// Appends the value.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Int(value) => write_int(out, *value),
            Self::Bytes(bytes) => write_bytes(out, bytes.as_slice()),
        }
    }
}

/// A set of integers and byte strings, sorted, without duplicates.
#[derive(Clone, Default)]
pub struct Set(Arc<Vec<Scalar>>);

impl Set {
    /// The members in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Scalar> {
        self.0.iter()
    }

    /// Whether `member` is in the set.
    pub fn contains(&self, member: &Scalar) -> bool {
        self.0.binary_search(member).is_ok()
    }

    /// Whether the set has no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds `member` if it is not there.
    pub fn insert(&mut self, member: Scalar) {
        if let Err(at) = self.0.binary_search(&member) {
            Arc::make_mut(&mut self.0).insert(at, member);
        }
    }

    /// Takes `member` out if it is there.
    pub fn remove(&mut self, member: &Scalar) {
        if let Ok(at) = self.0.binary_search(member) {
            Arc::make_mut(&mut self.0).remove(at);
        }
    }

    /// Reads a list of scalars in set order; an empty one is refused unless `may_be_empty`.
    fn read(reader: &mut Reader<'_>, may_be_empty: bool) -> Result<Self, TreeError> {
        reader.open_list()?;
        let mut members = Vec::new();
        while !reader.close() {
            let member = Scalar::read(reader)?;
            if members.last().is_some_and(|last| *last >= member) {
                return Err(TreeError::SetOrder);
            }
            members.push(member);
        }
        if members.is_empty() && !may_be_empty {
            return Err(TreeError::Empty);
        }
        Ok(Self(Arc::new(members)))
    }

    /// Reads one half of a set's diff, which may be empty.
    pub(crate) fn read_half(reader: &mut Reader<'_>) -> Result<Self, TreeError> {
        Self::read(reader, true)
    }

    /// Appends the members as a list.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(b'l');
        self.0.iter().for_each(|member| member.write(out));
        out.push(b'e');
    }
}

impl FromIterator<Scalar> for Set {
    fn from_iter<I: IntoIterator<Item = Scalar>>(members: I) -> Self {
        let mut members: Vec<_> = members.into_iter().collect();
        members.sort_unstable();
        members.dedup();
        Self(Arc::new(members))
    }
}

impl PartialEq for Set {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for Set {}

/// A value in the tree.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// A 64-bit integer; truth values are 0 and 1.
    Int(i64),
    /// A byte string; text is UTF-8.
    Bytes(Bytes),
    /// A set of scalars, not empty.
    Set(Set),
    /// A dict, not empty.
    Dict(Dict),
}

impl Value {
    /// Whether this is a set or dict without contents, which a document never holds.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Set(set) => set.is_empty(),
            Self::Dict(dict) => dict.is_empty(),
            Self::Int(_) | Self::Bytes(_) => false,
        }
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

/// A dict: byte string keys in ascending order. Clones share their contents until one is changed.
#[derive(Clone, Default)]
pub struct Dict(Arc<Vec<(Bytes, Value)>>);

/// Why bytes are not a tree as the data of a config may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// Not bencode, or of another kind than expected.
    #[error(transparent)]
    Bencode(#[from] BencodeError),
    /// An empty set or dict, which the format does not have.
    #[error("an empty set or dict")]
    Empty,
    /// A set whose members repeat or do not ascend.
    #[error("a set with repeated or misordered members")]
    SetOrder,
}

impl Dict {
    fn search(&self, key: &[u8]) -> Result<usize, usize> {
        self.0.binary_search_by(|(k, _)| k.as_slice().cmp(key))
    }

    /// The value of `key`.
    pub fn get(&self, key: &[u8]) -> Option<&Value> {
        self.search(key).ok().and_then(|at| self.0.get(at)).map(|(_, value)| value)
    }

    /// The value of `key` if it is an integer.
    pub fn int(&self, key: &[u8]) -> Option<i64> {
        match self.get(key) {
            Some(Value::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// The value of `key` if it is a byte string.
    pub fn bytes(&self, key: &[u8]) -> Option<&[u8]> {
        match self.get(key) {
            Some(Value::Bytes(bytes)) => Some(bytes.as_slice()),
            _ => None,
        }
    }

    /// The value of `key` if it is a set.
    pub fn set(&self, key: &[u8]) -> Option<&Set> {
        match self.get(key) {
            Some(Value::Set(set)) => Some(set),
            _ => None,
        }
    }

    /// The value of `key` if it is a dict.
    pub fn dict(&self, key: &[u8]) -> Option<&Dict> {
        match self.get(key) {
            Some(Value::Dict(dict)) => Some(dict),
            _ => None,
        }
    }

    /// The value at the end of `path`, a list of keys.
    pub fn at(&self, path: &[&[u8]]) -> Option<&Value> {
        match path {
            [] => None,
            [key] => self.get(key),
            [key, rest @ ..] => self.dict(key)?.at(rest),
        }
    }

    /// The keys and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &Value)> {
        self.0.iter().map(|(key, value)| (key.as_slice(), value))
    }

    /// The keys whose values are dicts, in order.
    pub fn dicts(&self) -> impl Iterator<Item = (&[u8], &Dict)> {
        self.iter().filter_map(|(key, value)| match value {
            Value::Dict(dict) => Some((key, dict)),
            _ => None,
        })
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both are one and the same in memory (then they are equal; the reverse need not hold).
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Sets `key`. An empty set or dict is not stored: the key is removed instead.
    pub fn insert(&mut self, key: &[u8], value: Value) {
        if value.is_empty() {
            return self.remove(key);
        }
        self.insert_any(key, value);
    }

    /// Sets `key`, also to something empty; the caller prunes later.
    pub(crate) fn insert_any(&mut self, key: &[u8], value: Value) {
        let at = match self.0.last() {
            Some((last, _)) if last.as_slice() < key => Err(self.0.len()),
            _ => self.search(key),
        };
        let entries = Arc::make_mut(&mut self.0);
        match at {
            Ok(at) => {
                if let Some((_, slot)) = entries.get_mut(at) {
                    *slot = value;
                }
            }
            Err(at) => entries.insert(at, (key.into(), value)),
        }
    }

    /// Removes `key` if it is there.
    pub fn remove(&mut self, key: &[u8]) {
        if let Ok(at) = self.search(key) {
            Arc::make_mut(&mut self.0).remove(at);
        }
    }

    /// The value of `key` to change, if there is one. Values must not be left empty without pruning.
    pub(crate) fn get_mut(&mut self, key: &[u8]) -> Option<&mut Value> {
        let at = self.search(key).ok()?;
        Arc::make_mut(&mut self.0).get_mut(at).map(|(_, value)| value)
    }

    /// Puts `value` at the end of `path`, making the dicts on the way; what is in the way and not a dict is replaced.
    /// An empty set or dict is not stored: what was there is removed instead.
    pub fn insert_at(&mut self, path: &[&[u8]], value: Value) {
        match path {
            _ if value.is_empty() => self.remove_at(path),
            [] => {}
            [key] => self.insert(key, value),
            [key, rest @ ..] => {
                if let Some(Value::Dict(dict)) = self.get_mut(key) {
                    dict.insert_at(rest, value);
                } else {
                    let mut dict = Dict::default();
                    dict.insert_at(rest, value);
                    self.insert(key, Value::Dict(dict));
                }
            }
        }
    }

    /// Removes what is at the end of `path`, and the dicts on the way that become empty.
    pub fn remove_at(&mut self, path: &[&[u8]]) {
        match path {
            [] => {}
            [key] => self.remove(key),
            [key, rest @ ..] => {
                if let Some(Value::Dict(dict)) = self.get_mut(key) {
                    dict.remove_at(rest);
                    if dict.is_empty() {
                        self.remove(key);
                    }
                }
            }
        }
    }

    /// Removes empty sets and dicts, depth first.
    pub(crate) fn prune(&mut self) {
        if !self.0.iter().any(|(_, value)| needs_pruning(value)) {
            return;
        }
        Arc::make_mut(&mut self.0).retain_mut(|(_, value)| match value {
            Value::Set(set) => !set.is_empty(),
            Value::Dict(dict) => {
                dict.prune();
                !dict.is_empty()
            }
            _ => true,
        });
    }

    /// Reads a dict. `may_be_empty` holds for this one, not for those inside.
    pub(crate) fn read(reader: &mut Reader<'_>, may_be_empty: bool) -> Result<Self, TreeError> {
        Self::read_nested(reader, may_be_empty, MAX_DEPTH)
    }

    fn read_nested(reader: &mut Reader<'_>, may_be_empty: bool, depth: usize) -> Result<Self, TreeError> {
        let depth = depth.checked_sub(1).ok_or(BencodeError::Depth)?;
        let mut keys = reader.open_dict()?;
        let mut entries = Vec::new();
        while let Some(key) = keys.next(reader)? {
            let value = match reader.peek() {
                Some(b'l') => Value::Set(Set::read(reader, false)?),
                Some(b'd') => Value::Dict(Self::read_nested(reader, false, depth)?),
                Some(b'i') => Value::Int(reader.int()?),
                _ => Value::Bytes(reader.bytes()?.into()),
            };
            entries.push((key.into(), value));
        }
        if entries.is_empty() && !may_be_empty {
            return Err(TreeError::Empty);
        }
        Ok(Self(Arc::new(entries)))
    }

    /// Appends the dict.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(b'd');
        for (key, value) in self.0.iter() {
            write_bytes(out, key.as_slice());
            match value {
                Value::Int(value) => write_int(out, *value),
                Value::Bytes(bytes) => write_bytes(out, bytes.as_slice()),
                Value::Set(set) => set.write(out),
                Value::Dict(dict) => dict.write(out),
            }
        }
        out.push(b'e');
    }
}

fn needs_pruning(value: &Value) -> bool {
    match value {
        Value::Dict(dict) => dict.is_empty() || dict.0.iter().any(|(_, value)| needs_pruning(value)),
        other => other.is_empty(),
    }
}

impl PartialEq for Dict {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.0 == other.0
    }
}

impl Eq for Dict {}

/// Shows the number of keys only: the contents are private.
impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dict({} keys)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Dict, TreeError> {
        Dict::read(&mut Reader::new(text.as_bytes()), true)
    }

    fn written(dict: &Dict) -> String {
        let mut out = Vec::new();
        dict.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_entry_is_compact() {
        assert_eq!(std::mem::size_of::<(Bytes, Value)>(), 48);
    }

    #[test]
    fn a_tree_reads_and_writes_itself() {
        let text = "d1:a30:abcdefghijklmnopqrstuvwxyz12341:bd1:cli-1ei5e0:1:xee1:ci7ee";
        assert_eq!(written(&read(text).unwrap()), text);
        assert_eq!(written(&read("de").unwrap()), "de");
        for bad in ["d1:adee", "d1:alee", "d1:ali2ei1eee", "d1:al1:xi1eee", "d1:alleee", "d1:bi1e1:ai1ee"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let deep = "d1:a".repeat(10_000);
        assert_eq!(read(&deep).err(), Some(TreeError::Bencode(BencodeError::Depth)));
    }

    #[test]
    fn edits_make_and_prune_the_way() {
        let mut dict = read("d1:xi1ee").unwrap();
        let before = dict.clone();
        dict.insert_at(&[b"a", b"b", b"c"], Value::Int(4));
        dict.insert_at(&[b"x", b"y"], Value::from(&b"z"[..]));
        assert_eq!(written(&dict), "d1:ad1:bd1:ci4eee1:xd1:y1:zee");
        dict.remove_at(&[b"a", b"b", b"c"]);
        dict.remove_at(&[b"no", b"such"]);
        assert_eq!(written(&dict), "d1:xd1:y1:zee");
        dict.insert_at(&[b"x", b"y"], Value::Set(Set::default()));
        assert_eq!(written(&dict), "de");
        dict.insert_any(b"e", Value::Dict(Dict::default()));
        dict.prune();
        assert_eq!((written(&dict), written(&before)), ("de".into(), "d1:xi1ee".into()));
    }

    #[test]
    fn a_set_is_sorted_integers_first() {
        let scalar = |text: &[u8]| Scalar::Bytes(text.into());
        let mut set: Set = [scalar(b"b"), Scalar::Int(3), scalar(b""), Scalar::Int(-1), Scalar::Int(3)]
            .into_iter()
            .collect();
        set.insert(Scalar::Int(0));
        set.remove(&scalar(b"b"));
        let mut out = Vec::new();
        set.write(&mut out);
        assert_eq!(out, b"li-1ei0ei3e0:e");
    }
}
