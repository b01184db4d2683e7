//! What holds for any bytes that come as the content of a message, or as one of its texts. Driven by random input here,
//! and by the fuzzer.

use septet_protocol::account::{Seed, parse_recovery};
use septet_protocol::attachment::{AttachmentPointer, CommunityFileUrl, FileUrl};
use septet_protocol::crypto::{SystemRandom, session};
use septet_protocol::message::newer::has_unknown_field;
use septet_protocol::message::{DecodeError, Emoji, decode_one_to_one, truncated_body};
use septet_protocol::wire::{Message, proto};

/// Reads bytes as the content of a message from ourselves, as only those may name a conversation.
pub fn content(content: &[u8]) {
    let me = Seed::from_bytes([7; 16]).keys();
    let to = me.session_id.x25519();
    let padded = [content, &[0x80]].concat();
    let sealed = session::encrypt_for_recipient(&padded, &me.ed25519, &to, &mut SystemRandom).unwrap();
    let envelope =
        proto::Envelope { kind: Some(6), timestamp: Some(5), content: Some(sealed), ..Default::default() };
    let request = proto::WebSocketRequest { body: Some(envelope.encode_to_vec()), ..Default::default() };
    let stored = proto::WebSocketMessage { kind: Some(1), request: Some(request) }.encode_to_vec();

    let read = decode_one_to_one(&stored, &me);
    assert_eq!(read, decode_one_to_one(&stored, &me), "the same bytes are the same message");
    if let Err(DecodeError::UnknownType(unknown)) = read {
        assert!(unknown.is_own && has_unknown_field(content), "{content:?}");
    }
    let _ = AttachmentPointer::from_bytes(content);
}

/// Reads bytes as each kind of text. What is read is written so that it is read as the same again.
pub fn text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(url) = text.parse::<FileUrl>() {
        assert_eq!(url.as_str().parse().as_ref(), Ok(&url));
        let marked = url.into_deterministic();
        assert!(marked.is_deterministic());
        assert_eq!(marked.as_str().parse(), Ok(marked));
    }
    if let Ok(url) = text.parse::<CommunityFileUrl>() {
        assert_eq!(url.to_string().parse(), Ok(url));
    }
    if let Ok(emoji) = text.parse::<Emoji>() {
        assert!(emoji.as_str() == text && text.len() <= 64 && !text.is_ascii());
    }
    let _ = (parse_recovery(text), truncated_body(text.to_owned()));
}
