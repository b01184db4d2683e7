//! What our client stored, opened with the account's keys and written down field by field, without a schema: nothing
//! that is there can go unnoticed, and nothing of the program's own decoder is trusted.
//!
//! A field is a line: its path, then `=5` for a varint, `"text"`, `<32 bytes>`, or `fixed64 5`.

use std::collections::BTreeSet;

use septet_devnet::StoredMessage;
use septet_protocol::account::AccountKeys;
use septet_protocol::crypto::session::decrypt_incoming;
use septet_protocol::id::{Account, MessageHash, Namespace, SessionId};

use crate::world::World;

/// What of the wrapping and of the contents is a message and not a text (spec 02 §2).
const WRAPPINGS: [&str; 2] = ["2", "2.3"];
const CONTENTS: [&str; 14] =
    ["1", "1.2", "1.8", "1.10", "1.10.3", "1.11", "1.101", "1.102", "3", "5", "6", "8", "9", "10"];
/// The profile in a request response.
const RESPONSE_PROFILE: &str = "10.3";

/// One stored message, opened.
pub struct Letter {
    /// Of the wrapping.
    pub wrapping: Vec<String>,
    /// Of the content.
    pub content: Vec<String>,
    /// Envelope timestamp, ms.
    pub sent: u64,
    /// How long the swarm keeps it from the request on, ms.
    pub ttl: u64,
    /// Who signed it.
    pub sender: SessionId,
    /// Of the content with its padding, in bytes.
    pub padded: usize,
    /// Of the content, in bytes.
    pub length: usize,
}

/// What is in an account's swarm already.
pub fn known(world: &World, of: SessionId) -> BTreeSet<MessageHash> {
    stored(world, of).into_iter().map(|message| message.hash).collect()
}

/// What came into an account's swarm since `known`, by sent timestamp.
pub fn since(world: &World, known: &BTreeSet<MessageHash>, keys: &AccountKeys) -> Vec<Letter> {
    let new = stored(world, keys.session_id).into_iter().filter(|message| !known.contains(&message.hash));
    let mut letters: Vec<Letter> = new.map(|message| open(&message, keys)).collect();
    letters.sort_by_key(|letter| letter.sent);
    letters
}

fn stored(world: &World, of: SessionId) -> Vec<StoredMessage> {
    world.net.messages_of(&Account::from(of), Namespace::MESSAGES)
}

fn open(message: &StoredMessage, keys: &AccountKeys) -> Letter {
    let mut wrapping = Vec::new();
    let mut sealed = Vec::new();
    let mut sent = 0;
    walk(&message.data, "", &WRAPPINGS, &mut |path, value| {
        match (path, value) {
            ("2.3.8", Value::Bytes(bytes)) => sealed = bytes.to_vec(),
            ("2.3.5", Value::Varint(at)) => sent = *at,
            _ => {}
        }
        wrapping.push(line(path, value));
    });
    let opened = decrypt_incoming(&sealed, &keys.x25519).unwrap();
    let end = opened.message.iter().rposition(|byte| *byte != 0).unwrap();
    assert_eq!(opened.message[end], 0x80, "padded with 80 and zeros (spec 02 §3.1)");
    let nested: Vec<&str> = CONTENTS.into_iter().chain([RESPONSE_PROFILE]).collect();
    let mut content = Vec::new();
    walk(&opened.message[..end], "", &nested, &mut |path, value| content.push(line(path, value)));
    Letter {
        wrapping,
        content,
        sent,
        ttl: message.expiry - message.timestamp,
        sender: opened.sender,
        padded: opened.message.len(),
        length: end,
    }
}

/// The value of a field, by its wire type.
enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
}

/// Every field in its order; those whose path is in `nested` are walked as well and not told themselves.
fn walk(bytes: &[u8], path: &str, nested: &[&str], tell: &mut impl FnMut(&str, &Value<'_>)) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let tag = varint(&mut rest);
        let number = tag >> 3;
        let path = if path.is_empty() { number.to_string() } else { format!("{path}.{number}") };
        let value = match tag & 7 {
            0 => Value::Varint(varint(&mut rest)),
            1 => Value::Fixed64(u64::from_le_bytes(take(&mut rest, 8).try_into().unwrap())),
            2 => {
                let length = varint(&mut rest);
                Value::Bytes(take(&mut rest, usize::try_from(length).unwrap()))
            }
            other => panic!("wire type {other} at {path}"),
        };
        match value {
            Value::Bytes(inner) if nested.contains(&path.as_str()) => walk(inner, &path, nested, tell),
            value => tell(&path, &value),
        }
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, left) = rest.split_at(count);
    *rest = left;
    taken
}

fn varint(rest: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

fn line(path: &str, value: &Value<'_>) -> String {
    match value {
        Value::Varint(number) => format!("{path} ={number}"),
        Value::Fixed64(number) => format!("{path} fixed64 {number}"),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.chars().any(char::is_control) => format!("{path} \"{text}\""),
            _ => format!("{path} <{} bytes>", bytes.len()),
        },
    }
}
