//! The attachment pointers of a message as they came, byte by byte.
//!
//! A pointer may say more than this version reads in it. Whoever stores the bytes beside what was read has that too:
//! for a later version that knows it, and for whatever repeats the pointer to others.
//!
//! Decision: the generated types forget what they do not know, so the bytes are looked for in a second walk, and only
//! in messages that have files. Bytes count as a pointer's only if they are read as that very pointer: where the walk
//! and the schema do not agree about a message, there are none, and never those of another file.

use std::fmt;

use zeroize::Zeroizing;

use super::content::{Content, Visible};
use crate::attachment::AttachmentPointer;
use crate::fields::{Value, fields};

/// Number of the `DataMessage` in a `Content`.
const DATA: u32 = 1;
/// Number of an attachment's pointer in a `DataMessage`.
const ATTACHMENT: u32 = 2;
/// Number of a preview in a `DataMessage`.
const PREVIEW: u32 = 10;
/// Number of the picture's pointer in a `Preview`.
const IMAGE: u32 = 3;

/// The serialized `AttachmentPointer` of one file, at most [`RawPointer::MAX_BYTES`]. Contains the file's key: wiped
/// when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct RawPointer(Zeroizing<Vec<u8>>);

impl RawPointer {
    /// A longer pointer is not kept as it came; our rule, some ten times what clients write.
    pub const MAX_BYTES: usize = 4_096;

    /// The bytes. Whoever copies them wipes the copy.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, for good.
    pub fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    /// Bytes that are read as this pointer.
    pub(super) fn of(bytes: &[u8], pointer: &AttachmentPointer) -> Option<Self> {
        let is_it =
            bytes.len() <= Self::MAX_BYTES && AttachmentPointer::from_bytes(bytes).as_ref() == Ok(pointer);
        is_it.then(|| Self(Zeroizing::new(bytes.to_vec())))
    }
}

impl fmt::Debug for RawPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawPointer({} bytes)", self.0.len())
    }
}

/// The pointers of one message as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawPointers {
    /// One for each attachment, in their order; `None` of one that was too long.
    pub attachments: Vec<Option<RawPointer>>,
    /// That of the preview's picture; `None` also if it was too long.
    pub preview: Option<RawPointer>,
}

impl RawPointers {
    /// Those of a content, out of its serialized form.
    pub(super) fn of(content: &Content, bytes: &[u8]) -> Self {
        match content {
            Content::Visible(visible) => {
                Self { attachments: attachments(visible, bytes), preview: preview(visible, bytes) }
            }
            _ => Self::default(),
        }
    }
}

fn attachments(visible: &Visible, content: &[u8]) -> Vec<Option<RawPointer>> {
    let mut raw = messages(content, DATA).flat_map(|data| messages(data, ATTACHMENT));
    let of_next = |pointer| raw.next().and_then(|raw| RawPointer::of(raw, pointer));
    visible.attachments.iter().map(of_next).collect()
}

fn preview(visible: &Visible, content: &[u8]) -> Option<RawPointer> {
    let image = visible.preview.as_ref()?.image.as_deref()?;
    let previews = messages(content, DATA).flat_map(|data| messages(data, PREVIEW));
    // A message that comes in several parts is what they are one after the other.
    let raw = |preview| Zeroizing::new(messages(preview, IMAGE).collect::<Vec<_>>().concat());
    previews.map(raw).find_map(|raw| RawPointer::of(&raw, image))
}

/// The messages in a message's fields of one number, in their order.
fn messages(message: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    fields(message).map_while(Result::ok).filter_map(move |field| match field.value {
        Value::Bytes(bytes) if field.number == number => Some(bytes),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{TIME, alice, bob, receive_bytes};
    use super::*;
    use crate::wire::{Message as _, proto};

    /// Field 15 of a pointer, which no version knows yet.
    const NEW: &[u8] = &[0x7a, 2, 0x51, 0x52];

    /// A field that is a message.
    fn nested(number: u32, message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        prost::encoding::encode_varint(u64::from(number) << 3 | 2, &mut out);
        prost::encoding::encode_varint(message.len() as u64, &mut out);
        [out, message.to_vec()].concat()
    }

    /// A pointer to a file of this number, with more than is known behind what is.
    fn pointer(id: u64, more: &[u8]) -> Vec<u8> {
        let pointer = proto::AttachmentPointer {
            deprecated_id: Some(id),
            key: Some(vec![7; 32]),
            ..Default::default()
        };
        [&pointer.encode_to_vec(), more].concat()
    }

    /// What Bob gets of a content that consists of these data messages.
    fn raw(data: &[Vec<u8>]) -> (Visible, RawPointers) {
        let mut content = proto::Content { sig_timestamp: Some(TIME), ..Default::default() }.encode_to_vec();
        content.extend(data.iter().flat_map(|data| nested(DATA, data)));
        let received = receive_bytes(content, &alice(), &bob()).unwrap();
        let Content::Visible(visible) = received.content else { panic!() };
        (visible, received.pointers)
    }

    fn bytes(raw: &RawPointers) -> Vec<Option<&[u8]>> {
        raw.attachments.iter().map(|raw| raw.as_ref().map(RawPointer::as_bytes)).collect()
    }

    #[test]
    fn pointers_keep_what_is_not_known_in_them_each_its_own() {
        let pointers = [pointer(1, NEW), pointer(2, &[]), pointer(3, &[NEW, NEW].concat())];
        let fields: Vec<_> = pointers.iter().map(|pointer| nested(ATTACHMENT, pointer)).collect();
        // As one data message, and as one that comes in parts with something else between.
        let in_parts = [fields[0].clone(), [&nested(1, b"hi"), fields[1].as_slice(), &fields[2]].concat()];
        for data in [&[fields.concat()][..], &in_parts] {
            let (visible, raw) = raw(data);
            assert_eq!(visible.attachments.len(), 3);
            assert_eq!(bytes(&raw), pointers.each_ref().map(|pointer| Some(pointer.as_slice())));
            assert!(!format!("{raw:?}").contains("7, 7"), "keys are not printed");
        }
    }

    #[test]
    fn a_pointer_that_is_too_long_is_read_and_not_kept() {
        let longest = |length: usize| {
            let more = |count: usize| nested(15, &vec![0; count]);
            let pointer = pointer(1, &more(length - pointer(1, &more(4_000)).len() + 4_000));
            assert_eq!(pointer.len(), length);
            pointer
        };
        for (length, kept) in [(RawPointer::MAX_BYTES, true), (RawPointer::MAX_BYTES + 1, false)] {
            let pointers = [longest(length), pointer(2, NEW)];
            let (visible, raw) = raw(&[pointers.each_ref().map(|it| nested(ATTACHMENT, it)).concat()]);
            assert_eq!(visible.attachments.len(), 2);
            assert_eq!(bytes(&raw), [kept.then_some(&pointers[0][..]), Some(&pointers[1])], "{length}");
        }
    }

    #[test]
    fn a_previews_picture_is_that_of_the_link_in_the_text() {
        let preview = |url: &str, image: &[Vec<u8>]| {
            let images = image.iter().flat_map(|image| nested(IMAGE, image)).collect();
            nested(PREVIEW, &[nested(1, url.as_bytes()), nested(2, b"A page"), images].concat())
        };
        let own = [pointer(2, NEW), [&[0x20, 9], NEW].concat()];
        let data = [
            nested(1, b"https://a.example"),
            preview("https://b.example", &[pointer(1, NEW)]),
            preview("https://a.example", &own),
        ];
        let (visible, raw) = raw(&[data.concat()]);
        assert_eq!(visible.preview.unwrap().image.unwrap().size, 9);
        assert_eq!(raw.preview.unwrap().as_bytes(), own.concat());
        assert!(raw.attachments.is_empty());
    }

    #[test]
    fn where_the_walk_sees_less_than_the_schema_there_are_no_bytes_of_another_file() {
        // A group, which the schema's reader skips and the walk does not, with a file behind it and one in another part.
        let group = [0x7b, 0x08, 1, 0x7c];
        let fields: [_; 3] = [1, 2, 3].map(|id| nested(ATTACHMENT, &pointer(id, NEW)));
        let (visible, raw) = raw(&[[&fields[0][..], &group, &fields[1]].concat(), fields[2].clone()]);
        assert_eq!(visible.attachments.len(), 3);
        assert_eq!(bytes(&raw), [Some(&pointer(1, NEW)[..]), None, None]);
    }
}
