//! The envelope of older days around a user config (spec 05 §6).
//!
//! A config message is still sent inside the protobuf layers of a message to oneself, signed and sealed, though it is
//! encrypted already. What comes in may be wrapped, wrapped twice (one release did), or bare.
//!
//! Decision: the five fixed messages are written by hand. The bytes must be the same on every device, default values
//! included, which a protobuf library leaves out.

use crate::crypto::{Ed25519Secret, X25519Secret, session};
use crate::id::X25519Public;

use super::Kind;

/// The byte that ends the padding of a message.
const PADDING_END: u8 = 0x80;
const TYPE_REQUEST: u64 = 1;
const TYPE_SESSION_MESSAGE: u64 = 6;
/// The envelope's timestamp is fixed, so that equal configs are equal when wrapped.
const TIMESTAMP: u64 = 1;

/// The account's keys that a config is wrapped with; wiped when dropped.
pub struct WrapKeys {
    ed25519: Ed25519Secret,
    x25519: X25519Secret,
    public: X25519Public,
}

impl WrapKeys {
    /// The keys of the account with this Ed25519 seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let ed25519 = Ed25519Secret::from_seed(seed);
        let x25519 = ed25519.to_x25519();
        let public = x25519.public();
        Self { ed25519, x25519, public }
    }

    /// Wraps `data`, an encrypted config message. `None` if the account's key is not a usable one.
    pub fn wrap(&self, data: &[u8], seqno: i64, kind: Kind) -> Option<Vec<u8>> {
        let mut config = Vec::with_capacity(data.len() + 24);
        write_number(&mut config, 1, kind.wire());
        write_number(&mut config, 2, seqno.cast_unsigned());
        write_message(&mut config, 3, data);
        let mut content = Vec::with_capacity(config.len() + 8);
        write_message(&mut content, 11, &config);
        content.push(PADDING_END);
        let sealed =
            session::encrypt_for_recipient_deterministic(&content, &self.ed25519, &self.public).ok()?;
        let mut envelope = Vec::with_capacity(sealed.len() + 16);
        write_number(&mut envelope, 1, TYPE_SESSION_MESSAGE);
        write_number(&mut envelope, 5, TIMESTAMP);
        write_message(&mut envelope, 8, &sealed);
        let mut request = Vec::with_capacity(envelope.len() + 16);
        write_message(&mut request, 1, b"");
        write_message(&mut request, 2, b"");
        write_message(&mut request, 3, &envelope);
        write_number(&mut request, 4, 0);
        let mut out = Vec::with_capacity(request.len() + 8);
        write_number(&mut out, 1, TYPE_REQUEST);
        write_message(&mut out, 2, &request);
        Some(out)
    }

    /// Takes one layer of wrapping off; `None` if there is none of ours, or it is around a config of another kind.
    pub fn unwrap(&self, wrapped: &[u8], kind: Kind) -> Option<Vec<u8>> {
        let web_socket = Fields::read(wrapped)?;
        if web_socket.number(1) != Some(TYPE_REQUEST) {
            return None;
        }
        let request = Fields::read(web_socket.message(2)?)?;
        let envelope = Fields::read(request.message(3)?)?;
        let opened = session::decrypt_own(envelope.message(8)?, &self.ed25519, &self.x25519).ok()?;
        let unpadded = opened.iter().rposition(|&byte| byte != 0)?;
        let (&PADDING_END, content) = opened.get(..=unpadded)?.split_last()? else { return None };
        let content = Fields::read(content)?;
        let config = Fields::read(content.message(11)?)?;
        if config.number(1) != Some(kind.wire()) {
            return None;
        }
        config.message(3).map(<[u8]>::to_vec)
    }

    /// Takes all layers off that there are: none, one or two.
    pub fn unwrap_all(&self, data: &[u8], kind: Kind) -> Option<Vec<u8>> {
        let once = self.unwrap(data, kind)?;
        Some(self.unwrap(&once, kind).unwrap_or(once))
    }
}

fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn write_number(out: &mut Vec<u8>, field: u64, value: u64) {
    write_varint(out, field << 3);
    write_varint(out, value);
}

fn write_message(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    write_varint(out, field << 3 | 2);
    write_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A value of a protobuf field, as far as we need to tell them apart.
enum Field<'a> {
    Number(u64),
    Message(&'a [u8]),
}

/// The fields of a protobuf message, in the order they came.
struct Fields<'a>(Vec<(u64, Field<'a>)>);

impl<'a> Fields<'a> {
    fn read(mut bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = read_varint(&mut bytes)?;
            match key & 7 {
                0 => fields.push((key >> 3, Field::Number(read_varint(&mut bytes)?))),
                1 => drop(bytes.split_off(..8)?),
                2 => {
                    let length = usize::try_from(read_varint(&mut bytes)?).ok()?;
                    fields.push((key >> 3, Field::Message(bytes.split_off(..length)?)));
                }
                5 => drop(bytes.split_off(..4)?),
                _ => return None,
            }
        }
        Some(Self(fields))
    }

    /// The last value of a field counts.
    fn last(&self, field: u64) -> Option<&Field<'a>> {
        self.0.iter().rev().find(|(number, _)| *number == field).map(|(_, value)| value)
    }

    fn number(&self, field: u64) -> Option<u64> {
        match self.last(field)? {
            Field::Number(value) => Some(*value),
            Field::Message(_) => None,
        }
    }

    fn message(&self, field: u64) -> Option<&'a [u8]> {
        match self.last(field)? {
            Field::Message(bytes) => Some(bytes),
            Field::Number(_) => None,
        }
    }
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.split_off_first()?;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
