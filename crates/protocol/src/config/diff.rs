//! What changed between two versions of a document (spec 05 §3.1).
//!
//! A diff has the shape of the data but carries markers instead of values: `""` a scalar was set, `"-"` it was
//! removed, `[added, removed]` a set changed. Replaying one takes the values from the document that carried it.
//!
//! Decision: a diff is never a structure in memory. It is written straight into the message while two trees are
//! walked, kept as the bytes it came in, and replayed by walking those bytes: most diffs are never replayed.

use std::collections::BTreeSet;

use crate::bencode::{BencodeError, MAX_DEPTH, Reader, write_bytes};

use super::value::{Dict, Scalar, Set, TreeError, Value};

/// The marker of a scalar that was set.
const ASSIGNED: &[u8] = b"";
/// The marker of a scalar that was removed.
const REMOVED: &[u8] = b"-";

/// Why bytes are not a diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DiffError {
    /// Not bencode, or a malformed set.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A value that is none of the markers.
    #[error("a diff with something that is not a marker")]
    Marker,
}

impl From<BencodeError> for DiffError {
    fn from(error: BencodeError) -> Self {
        Self::Tree(error.into())
    }
}

/// Appends the diff from `old` to `new`.
pub(super) fn write(out: &mut Vec<u8>, old: &Dict, new: &Dict) {
    out.push(b'd');
    write_entries(out, old, new);
    out.push(b'e');
}

/// Appends the keys that differ, without the dict's frame.
fn write_entries(out: &mut Vec<u8>, old: &Dict, new: &Dict) {
    if old.is_same(new) {
        return;
    }
    let (mut olds, mut news) = (old.iter().peekable(), new.iter().peekable());
    loop {
        match (olds.peek().copied(), news.peek().copied()) {
            (None, None) => break,
            (Some((key, value)), None) => {
                write_removed(out, key, value);
                olds.next();
            }
            (None, Some((key, value))) => {
                write_added(out, key, value);
                news.next();
            }
            (Some((old_key, old_value)), Some((new_key, new_value))) => match old_key.cmp(new_key) {
                std::cmp::Ordering::Less => {
                    write_removed(out, old_key, old_value);
                    olds.next();
                }
                std::cmp::Ordering::Greater => {
                    write_added(out, new_key, new_value);
                    news.next();
                }
                std::cmp::Ordering::Equal => {
                    write_changed(out, new_key, old_value, new_value);
                    olds.next();
                    news.next();
                }
            },
        }
    }
}

fn write_added(out: &mut Vec<u8>, key: &[u8], value: &Value) {
    write_bytes(out, key);
    match value {
        Value::Int(_) | Value::Bytes(_) => write_bytes(out, ASSIGNED),
        Value::Set(set) => write_set(out, &Set::default(), set),
        Value::Dict(dict) => write(out, &Dict::default(), dict),
    }
}

fn write_removed(out: &mut Vec<u8>, key: &[u8], value: &Value) {
    write_bytes(out, key);
    match value {
        Value::Int(_) | Value::Bytes(_) => write_bytes(out, REMOVED),
        Value::Set(set) => write_set(out, set, &Set::default()),
        Value::Dict(dict) => write(out, dict, &Dict::default()),
    }
}

fn write_changed(out: &mut Vec<u8>, key: &[u8], old: &Value, new: &Value) {
    match (old, new) {
        (Value::Set(old), Value::Set(new)) => {
            if old != new {
                write_bytes(out, key);
                write_set(out, old, new);
            }
        }
        (Value::Dict(old), Value::Dict(new)) => {
            let start = out.len();
            write_bytes(out, key);
            out.push(b'd');
            let inside = out.len();
            write_entries(out, old, new);
            if out.len() == inside {
                out.truncate(start);
            } else {
                out.push(b'e');
            }
        }
        (Value::Int(_) | Value::Bytes(_), Value::Int(_) | Value::Bytes(_)) => {
            if old != new {
                write_added(out, key, new);
            }
        }
        // Another kind: as if the old one had never been.
        _ => write_added(out, key, new),
    }
}

fn write_set(out: &mut Vec<u8>, old: &Set, new: &Set) {
    out.push(b'l');
    for (from, without) in [(new, old), (old, new)] {
        out.push(b'l');
        from.iter().filter(|member| !without.contains(member)).for_each(|member| member.write(out));
        out.push(b'e');
    }
    out.push(b'e');
}

/// Reads over a diff, checking it, and returns its bytes.
pub(super) fn read<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], DiffError> {
    let start = reader.position();
    check(reader, MAX_DEPTH)?;
    Ok(reader.span(start..reader.position()))
}

fn check(reader: &mut Reader<'_>, depth: usize) -> Result<(), DiffError> {
    let depth = depth.checked_sub(1).ok_or(BencodeError::Depth)?;
    let mut keys = reader.open_dict()?;
    while keys.next(reader)?.is_some() {
        match reader.peek() {
            Some(b'd') => check(reader, depth)?,
            Some(b'l') => read_set_change(reader).map(drop)?,
            Some(b'i') => return Err(DiffError::Marker),
            _ => {
                let marker = reader.bytes()?;
                if marker != ASSIGNED && marker != REMOVED {
                    return Err(DiffError::Marker);
                }
            }
        }
    }
    Ok(())
}

/// Reads `[added, removed]`.
fn read_set_change(reader: &mut Reader<'_>) -> Result<(Set, Set), DiffError> {
    reader.open_list()?;
    let change = (Set::read_half(reader)?, Set::read_half(reader)?);
    if !reader.close() {
        return Err(DiffError::Marker);
    }
    Ok(change)
}

/// Replays `diff` onto `data`, taking the values from `source`, the document that carried it (spec 05 §4 "apply").
/// May leave empty sets and dicts: prune afterwards. An error means that the diff had not been checked.
pub(super) fn apply(data: &mut Dict, diff: &[u8], source: &Dict) -> Result<(), DiffError> {
    apply_entries(data, &mut Reader::new(diff), source)
}

fn apply_entries(data: &mut Dict, reader: &mut Reader<'_>, source: &Dict) -> Result<(), DiffError> {
    let mut keys = reader.open_dict()?;
    while let Some(key) = keys.next(reader)? {
        match (reader.peek(), source.get(key)) {
            (Some(b'd'), Some(Value::Dict(source))) => {
                if !matches!(data.get(key), Some(Value::Dict(_))) {
                    data.insert_any(key, Value::Dict(Dict::default()));
                }
                if let Some(Value::Dict(data)) = data.get_mut(key) {
                    apply_entries(data, reader, source)?;
                }
            }
            (Some(b'l'), Some(Value::Set(_))) => {
                let (added, removed) = read_set_change(reader)?;
                let mut set = data.set(key).cloned().unwrap_or_default();
                added.iter().for_each(|member: &Scalar| set.insert(member.clone()));
                removed.iter().for_each(|member| set.remove(member));
                data.insert_any(key, Value::Set(set));
            }
            (Some(b'0'..=b'9'), Some(value @ (Value::Int(_) | Value::Bytes(_)))) => {
                if reader.bytes()? == ASSIGNED {
                    data.insert_any(key, value.clone());
                } else {
                    data.remove(key);
                }
            }
            // A later change removed it from the source, or made another kind of it.
            _ => {
                reader.skip()?;
                data.remove(key);
            }
        }
    }
    Ok(())
}

/// Brings what changed between `base` and `ours` into `data`, except where that differs from `base` itself.
pub(super) fn rebase(data: &mut Dict, base: &Dict, ours: &Dict) {
    let keys: BTreeSet<&[u8]> = base.iter().chain(ours.iter()).map(|(key, _)| key).collect();
    for key in keys {
        let (before, after) = (base.get(key), ours.get(key));
        if before == after {
            continue;
        }
        let unchanged = data.get(key) == before;
        match (after, data.get(key)) {
            (Some(Value::Dict(after)), Some(Value::Dict(here))) => {
                let mut here = here.clone();
                rebase(&mut here, base.dict(key).unwrap_or(&Dict::default()), after);
                data.insert(key, Value::Dict(here));
            }
            (Some(after), _) if unchanged => data.insert(key, after.clone()),
            (None, _) if unchanged => data.remove(key),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Dict {
        Dict::read(&mut Reader::new(text.as_bytes()), true).unwrap()
    }

    fn between(old: &str, new: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, &tree(old), &tree(new));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_rebase_changes_only_what_nobody_else_has_changed() {
        let rebased = |base: &str, ours: &str, theirs: &str| {
            let mut data = tree(theirs);
            rebase(&mut data, &tree(base), &tree(ours));
            let mut out = Vec::new();
            data.write(&mut out);
            String::from_utf8(out).unwrap()
        };
        // Set, added and removed; what they did elsewhere stays.
        assert_eq!(rebased("d1:ai1ee", "d1:ai2ee", "d1:ai1e1:zi9ee"), "d1:ai2e1:zi9ee");
        assert_eq!(rebased("de", "d1:ad1:xi1eee", "d1:ad1:yi2eee"), "d1:ad1:xi1e1:yi2eee");
        assert_eq!(rebased("d1:ad1:xi1eee", "de", "d1:ad1:xi1ee1:bi1ee"), "d1:bi1ee");
        // They changed or removed the same: that counts.
        assert_eq!(rebased("d1:ai1ee", "d1:ai2ee", "d1:ai3ee"), "d1:ai3ee");
        assert_eq!(rebased("d1:ad1:xi1eee", "d1:ad1:xi2eee", "de"), "de");
        assert_eq!(rebased("d1:ad1:xi1eee", "de", "d1:ad1:xi5eee"), "d1:ad1:xi5eee");
    }

    #[test]
    fn a_diff_names_every_leaf_that_changed() {
        assert_eq!(between("d1:ai1e1:bi2ee", "d1:ai1e1:c1:xe"), "d1:b1:-1:c0:e");
        assert_eq!(between("d1:ai1ee", "d1:a1:1e"), "d1:a0:e");
        assert_eq!(between("d1:ad1:xi1eee", "de"), "d1:ad1:x1:-ee");
        assert_eq!(between("de", "d1:ad1:xi1eee"), "d1:ad1:x0:ee");
        assert_eq!(between("d1:ali1ei2eee", "d1:ali2e1:zee"), "d1:all1:zeli1eeee");
        assert_eq!(between("d1:ad1:xi1eee", "d1:ai5ee"), "d1:a0:e");
        assert_eq!(between("d1:ad1:xi1ee1:bi1ee", "d1:ad1:xi1ee1:bi2ee"), "d1:b0:e");
        assert_eq!(between("d1:ai1ee", "d1:ai1ee"), "de");
    }

    #[test]
    fn replaying_takes_values_from_the_source() {
        let replay = |data: &str, diff: &str, source: &str| {
            let mut data = tree(data);
            apply(&mut data, diff.as_bytes(), &tree(source)).unwrap();
            data.prune();
            let mut out = Vec::new();
            data.write(&mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(replay("d1:ai1ee", "d1:a0:e", "d1:ai9ee"), "d1:ai9ee");
        assert_eq!(replay("d1:ai1ee", "d1:a0:e", "de"), "de");
        assert_eq!(replay("d1:ai1ee", "d1:a1:-e", "de"), "de");
        assert_eq!(replay("d1:ad1:xi1eee", "d1:ad1:x1:-ee", "de"), "de");
        assert_eq!(replay("d1:ali1eee", "d1:alli2eeli1eeee", "d1:ali2eee"), "d1:ali2eee");
        assert_eq!(replay("d1:ai1ee", "d1:ad1:x0:ee", "d1:ad1:xi3eee"), "d1:ad1:xi3eee");
    }

    #[test]
    fn only_markers_are_diffs() {
        for (text, good) in [
            ("d1:a0:1:b1:-e", true),
            ("d1:adee", true),
            ("d1:alleleee", true),
            ("d1:ai1ee", false),
            ("d1:a1:xe", false),
            ("d1:alleee", false),
            ("d1:allelelee", false),
            ("d1:alli2ei1eeleee", false),
            ("d1:b0:1:a0:e", false),
        ] {
            assert_eq!(read(&mut Reader::new(text.as_bytes())).is_ok(), good, "{text}");
        }
    }
}
