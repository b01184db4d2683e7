//! A second name of messages, beside their timestamp: `msgId` of the coming official core (spec 09 §6.3).

use crate::fields::{Value, fields};

/// Number of the field in a `Content`.
const IN_CONTENT: u32 = 18;
/// Number of the field in an `UnsendRequest`.
const IN_UNSEND: u32 = 3;
/// Number of the `UnsendRequest` in a `Content`.
const UNSEND: u32 = 9;

/// 64 random bits that tell messages of one author in one millisecond apart. Never sent by us; kept where it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MsgId(pub i64);

impl MsgId {
    /// Whether two ids say that their messages are not the same one: only if both messages have one. To be asked of
    /// messages with the same author and sent timestamp (spec 02 §10).
    pub fn differ(one: Option<Self>, other: Option<Self>) -> bool {
        matches!((one, other), (Some(one), Some(other)) if one != other)
    }

    /// That of a message, out of its serialized `Content`.
    pub(super) fn of_content(content: &[u8]) -> Option<Self> {
        last(content, IN_CONTENT).and_then(Self::read)
    }

    /// That of the message that an unsend request asks to delete, out of the serialized `Content` of the request.
    pub(super) fn of_unsend_target(content: &[u8]) -> Option<Self> {
        match last(content, UNSEND)? {
            Value::Bytes(request) => last(request, IN_UNSEND).and_then(Self::read),
            _ => None,
        }
    }

    /// Reads any wire type, as the format is not final. 0 is what a field that was never set may be written as.
    fn read(value: Value<'_>) -> Option<Self> {
        let bits = match value {
            Value::Varint(bits) | Value::Fixed64(bits) => bits,
            Value::Fixed32(bits) => u64::from(bits),
            Value::Bytes(bytes) => u64::from_le_bytes(bytes.try_into().ok()?),
        };
        (bits != 0).then_some(Self(bits.cast_signed()))
    }
}

/// The last value of a field, which is the one that counts.
fn last(message: &[u8], number: u32) -> Option<Value<'_>> {
    let found = fields(message).map_while(Result::ok).filter(|field| field.number == number);
    found.last().map(|field| field.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_wire_type_is_read() {
        for (bytes, id) in [
            (&[0x90, 1, 5][..], Some(5)),
            (&[0x91, 1, 5, 0, 0, 0, 0, 0, 0, 0x80], Some(i64::MIN + 5)),
            (&[0x92, 1, 8, 5, 0, 0, 0, 0, 0, 0, 0], Some(5)),
            (&[0x92, 1, 2, 5, 0], None),
            (&[0x95, 1, 5, 0, 0, 0], Some(5)),
            (&[0x90, 1, 5, 0x90, 1, 6], Some(6)),
            (&[0x90, 1, 0], None),
            (&[0x08, 5], None),
            (&[], None),
        ] {
            assert_eq!(MsgId::of_content(bytes), id.map(MsgId), "{bytes:?}");
        }
        assert_eq!(MsgId::of_unsend_target(&[0x4a, 2, 0x18, 7]), Some(MsgId(7)));
        assert_eq!(MsgId::of_unsend_target(&[0x48, 2]), None);
    }

    #[test]
    fn only_two_ids_can_differ() {
        let (one, other) = (Some(MsgId(1)), Some(MsgId(2)));
        assert!(MsgId::differ(one, other));
        assert!(!MsgId::differ(one, one));
        assert!(!MsgId::differ(one, None));
        assert!(!MsgId::differ(None, None));
    }
}
