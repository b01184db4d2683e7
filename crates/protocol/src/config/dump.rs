//! How a document is kept on this device (spec 05 §7.1): the layout of the official core, also its older form.

use std::collections::BTreeMap;

use crate::bencode::{BencodeError, Reader, write_bytes, write_int};
use crate::time::Timestamp;

use super::document::{Content, Document};
use super::exchange::{LoadError, Rules, StorageHash};
use super::message::Message;
use super::multipart::{Held, PartSet, Parts};
use super::value::Dict;

const STATE: &[u8] = b"!";
const MESSAGE: &[u8] = b"$";
const CURRENT: &[u8] = b"(";
const OLD: &[u8] = b")";
const PARTS: &[u8] = b"*";
const LOCAL: &[u8] = b"+";
/// Ours: what the changes of a draft are taken against.
const ORIGINAL: &[u8] = b",";
/// Ours: the data as the swarm has it for sure, if that is not what the changes are taken against.
const BASE: &[u8] = b"-";
/// Ours: the bytes of the current message in the swarm.
const STORED: &[u8] = b".";

const SET_COUNT: &[u8] = b"#";
const SET_EXPIRES: &[u8] = b"T";
const SET_PARTS: &[u8] = b"p";
const PART_INDEX: &[u8] = b"#";
const PART_HASH: &[u8] = b"M";
const PART_CHUNK: &[u8] = b"d";
/// Ours: the part as the swarm has it.
const PART_STORED: &[u8] = b"s";

impl Document {
    /// Takes over what [`Document::dump`] wrote. A document that was dirty goes on as it was: it was never handed out,
    /// because whoever pushes dumps before sending. A dirty dump of the official core does not say what was changed;
    /// that one becomes the next version, in case a push of it went out (spec 05 §7.1).
    pub fn load(mut self, dump: &[u8]) -> Result<Self, LoadError> {
        load(&mut self, dump)?;
        Ok(self)
    }

    /// Everything, to be stored on this device.
    pub fn dump(&mut self) -> Vec<u8> {
        self.needs_dump = false;
        write(self)
    }

    /// The same, without noting that it was dumped.
    pub fn snapshot(&self) -> Vec<u8> {
        write(self)
    }
}

/// Everything a document knows. A draft is finished for it, but not signed.
fn write(document: &Document) -> Vec<u8> {
    let drafted;
    let (state, message) = match &document.content {
        Content::Clean(message) => (0, message),
        Content::Dirty(draft) => {
            drafted = draft.finish(None);
            (1, &drafted)
        }
        Content::Waiting(message) => (2, message),
    };
    let mut out = Vec::with_capacity(message.bytes().len() + 512);
    out.push(b'd');
    write_bytes(&mut out, STATE);
    write_int(&mut out, state);
    write_bytes(&mut out, MESSAGE);
    write_bytes(&mut out, message.bytes());
    write_bytes(&mut out, CURRENT);
    if document.rules == Rules::January2025 {
        write_bytes(
            &mut out,
            document.current.first().map(StorageHash::as_str).unwrap_or_default().as_bytes(),
        );
    } else {
        write_hashes(&mut out, document.current.iter());
    }
    write_bytes(&mut out, OLD);
    write_hashes(&mut out, document.old.union(&document.handed_out));
    if document.rules == Rules::Current {
        write_bytes(&mut out, PARTS);
        write_parts(&mut out, &document.parts);
    }
    write_bytes(&mut out, LOCAL);
    document.local.write(&mut out);
    if let (Content::Dirty(draft), Rules::Current) = (&document.content, document.rules) {
        write_bytes(&mut out, ORIGINAL);
        draft.original.write(&mut out);
    }
    let drafted_on = match &document.content {
        Content::Dirty(draft) => Some(&draft.original),
        Content::Clean(_) | Content::Waiting(_) => None,
    };
    if let (Some(base), Rules::Current) = (&document.base, document.rules)
        && drafted_on != Some(base)
    {
        write_bytes(&mut out, BASE);
        base.write(&mut out);
    }
    if let (Some(stored), Rules::Current) = (&document.stored, document.rules) {
        write_bytes(&mut out, STORED);
        out.push(b'l');
        stored.iter().for_each(|message| write_bytes(&mut out, message));
        out.push(b'e');
    }
    out.push(b'e');
    out
}

fn write_hashes<'a>(out: &mut Vec<u8>, hashes: impl Iterator<Item = &'a StorageHash>) {
    out.push(b'l');
    hashes.for_each(|hash| write_bytes(out, hash.as_str().as_bytes()));
    out.push(b'e');
}

fn write_parts(out: &mut Vec<u8>, parts: &Parts) {
    out.push(b'd');
    for (name, set) in &parts.0 {
        write_bytes(out, name);
        out.push(b'd');
        write_bytes(out, SET_COUNT);
        write_int(out, set.count.into());
        write_bytes(out, SET_EXPIRES);
        write_int(out, set.expires.as_ms().cast_signed());
        if !set.held.is_empty() {
            write_bytes(out, SET_PARTS);
            out.push(b'l');
            for (index, held) in &set.held {
                out.push(b'd');
                write_bytes(out, PART_INDEX);
                write_int(out, (*index).into());
                write_bytes(out, PART_HASH);
                write_bytes(out, held.hash.as_str().as_bytes());
                write_bytes(out, PART_CHUNK);
                write_bytes(out, &held.chunk);
                if let Some(stored) = &held.stored {
                    write_bytes(out, PART_STORED);
                    write_bytes(out, stored);
                }
                out.push(b'e');
            }
            out.push(b'e');
        }
        out.push(b'e');
    }
    out.push(b'e');
}

/// Puts what [`write`] wrote into `document`, which is new.
fn load(document: &mut Document, dump: &[u8]) -> Result<(), LoadError> {
    let reader = &mut Reader::new(dump);
    let mut keys = reader.open_dict()?;
    let (mut state, mut message, mut original) = (None, None, None);
    while let Some(key) = keys.next(reader)? {
        match key {
            STATE => state = Some(reader.int()?),
            MESSAGE => message = Some(Message::parse(reader.bytes()?.to_vec(), None)?),
            CURRENT if reader.peek() == Some(b'l') => document.current = read_hashes(reader)?,
            // The older layout has one, or an empty string.
            CURRENT => {
                document.current =
                    Some(read_hash(reader)?).filter(|h| !h.as_str().is_empty()).into_iter().collect()
            }
            OLD => document.old = read_hashes(reader)?.into_iter().collect(),
            PARTS => document.parts = read_parts(reader)?,
            LOCAL => document.local = Dict::read(reader, true)?,
            ORIGINAL => original = Some(Dict::read(reader, true)?),
            BASE => document.base = Some(Dict::read(reader, true)?),
            STORED => document.stored = Some(read_list(reader, |reader| Ok(reader.bytes()?.to_vec()))?),
            _ => drop(reader.skip()?),
        }
    }
    let message = message.ok_or(LoadError::Damaged)?;
    document.content = match state {
        Some(0) => Content::Clean(message),
        Some(1) => Content::Dirty(match original {
            Some(original) => {
                if document.base.is_none() && !original.is_empty() {
                    document.base = Some(original.clone());
                }
                message.reopen(original)
            }
            None => message.increment(),
        }),
        Some(2) => Content::Waiting(message),
        _ => return Err(LoadError::Damaged),
    };
    Ok(())
}

fn read_hash(reader: &mut Reader<'_>) -> Result<StorageHash, LoadError> {
    let text = std::str::from_utf8(reader.bytes()?).map_err(|_| LoadError::Damaged)?;
    Ok(text.into())
}

fn read_hashes(reader: &mut Reader<'_>) -> Result<Vec<StorageHash>, LoadError> {
    read_list(reader, read_hash)
}

fn read_list<T>(
    reader: &mut Reader<'_>,
    read: impl Fn(&mut Reader<'_>) -> Result<T, LoadError>,
) -> Result<Vec<T>, LoadError> {
    reader.open_list()?;
    let mut items = Vec::new();
    while !reader.close() {
        items.push(read(reader)?);
    }
    Ok(items)
}

fn read_parts(reader: &mut Reader<'_>) -> Result<Parts, LoadError> {
    let mut sets = Parts::default();
    let mut names = reader.open_dict()?;
    while let Some(name) = names.next(reader)? {
        let name = name.try_into().map_err(|_| LoadError::Damaged)?;
        sets.0.insert(name, read_set(reader)?);
    }
    Ok(sets)
}

fn read_set(reader: &mut Reader<'_>) -> Result<PartSet, LoadError> {
    let mut set = PartSet { count: 0, expires: Timestamp::default(), held: BTreeMap::new() };
    let mut keys = reader.open_dict()?;
    while let Some(key) = keys.next(reader)? {
        match key {
            SET_COUNT => set.count = read_byte(reader)?,
            SET_EXPIRES => {
                let expires = u64::try_from(reader.int()?).map_err(|_| LoadError::Damaged)?;
                set.expires = Timestamp::from_ms(expires);
            }
            SET_PARTS => {
                reader.open_list()?;
                while !reader.close() {
                    let (index, held) = read_part(reader)?;
                    set.held.insert(index, held);
                }
            }
            _ => drop(reader.skip()?),
        }
    }
    Ok(set)
}

fn read_part(reader: &mut Reader<'_>) -> Result<(u8, Held), LoadError> {
    let (mut index, mut hash, mut chunk, mut stored) = (None, None, None, None);
    let mut keys = reader.open_dict()?;
    while let Some(key) = keys.next(reader)? {
        match key {
            PART_INDEX => index = Some(read_byte(reader)?),
            PART_HASH => hash = Some(read_hash(reader)?),
            PART_CHUNK => chunk = Some(reader.bytes()?.into()),
            PART_STORED => stored = Some(reader.bytes()?.into()),
            _ => drop(reader.skip()?),
        }
    }
    match (index, hash, chunk) {
        (Some(index), Some(hash), Some(chunk)) => Ok((index, Held { hash, chunk, stored })),
        _ => Err(LoadError::Damaged),
    }
}

fn read_byte(reader: &mut Reader<'_>) -> Result<u8, BencodeError> {
    u8::try_from(reader.int()?).map_err(|_| BencodeError::Number)
}
