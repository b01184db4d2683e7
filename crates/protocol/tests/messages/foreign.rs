//! What holds for any bytes that come as the content of a message, or as one of its texts. Driven by random input here,
//! and by the fuzzer.

use septet_protocol::account::{Seed, parse_recovery};
use septet_protocol::attachment::{
    AttachmentPointer, CommunityFileUrl, Encryption, FileUrl, Key, legacy, metadata, mime, name, picture,
};
use septet_protocol::crypto::secretstream::{HEADER, Push, Tag};
use septet_protocol::crypto::session::Opened;
use septet_protocol::crypto::{SystemRandom, aes256_cbc_encrypt, hmac_sha256, session, sha256};
use septet_protocol::id::{Ed25519Public, SessionId};
use septet_protocol::message::newer::has_unknown_field;
use septet_protocol::message::{
    Content, DecodeError, Emoji, MAX_ATTACHMENTS, Received, decode_one_to_one, read_opened, truncated_body,
};
use septet_protocol::time::Timestamp;
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

/// Reads bytes as the content of a message that was opened, from ourselves and from another; costs no cryptography.
pub fn opened(content: &[u8]) {
    let me = SessionId([7; 32]);
    let timestamp = Timestamp::from_ms(5);
    for sender in [me, SessionId([8; 32])] {
        let from = || Opened { message: content.to_vec(), sender, sender_ed25519: Ed25519Public([9; 32]) };
        let read = read_opened(from(), timestamp, me);
        assert_eq!(read, read_opened(from(), timestamp, me), "the same bytes are the same message");
        if let Ok(received) = &read {
            within_limits(received, content.len());
        }
    }
}

/// What is read takes no more room than its bytes did, and keeps to the limits.
fn within_limits(received: &Received, length: usize) {
    match &received.content {
        Content::Visible(visible) => {
            // A byte that is no UTF-8 becomes three.
            assert!(visible.attachments.len() <= MAX_ATTACHMENTS && visible.body.len() <= 3 * length);
            for file in &visible.attachments {
                let shown = name::displayed(&file.name);
                assert!(
                    !shown.contains(['/', '\\', '\u{202e}']) && !shown.contains(char::is_control),
                    "{shown:?}"
                );
                assert!(shown.len() <= 255, "{} bytes of a name", shown.len());
            }
        }
        Content::ReadReceipt(list) => assert!(list.len() <= length),
        _ => {}
    }
    if let Some(name) = received.profile.as_ref().and_then(|profile| profile.name.as_ref()) {
        assert!(name.as_str().len() <= 100 && !name.as_str().trim().is_empty());
    }
}

/// Reads bytes as an encrypted file, in each format: as they are, and as what somebody who has the key encrypted.
/// The first two bytes say how it is cut and what size its message claims.
pub fn file(bytes: &[u8]) {
    let Some(([cut, claim], bytes)) = bytes.split_first_chunk::<2>() else { return };
    let url: FileUrl = "http://filev2.getsession.org/file/1".parse().unwrap();
    let pointer = |encryption| AttachmentPointer {
        url: Some(url.clone()),
        encryption,
        content_type: String::new(),
        size: u32::from(*claim),
        name: String::new(),
        dimensions: None,
        voice: false,
    };
    let (stream_key, both) = (Key::new([1; 32]), Key::new([1; 64]));
    let opens = |encryption: Encryption, blob: &[u8]| {
        let opened = pointer(encryption).open(blob);
        assert!(opened.as_ref().is_ok_and(|plain| plain.len() <= blob.len()) || opened.is_err());
        opened
    };
    let stream = || Encryption::Deterministic { key: stream_key.clone() };
    assert!(opens(stream(), bytes).is_err() && picture::decrypt(bytes, &stream_key, &url).is_err());
    let legacy_with = |digest| Encryption::Legacy { key: both.clone(), digest };
    assert!(opens(legacy_with(sha256(&[bytes])), bytes).is_err());

    // Chunks of any size, of which any may say that it is the last.
    let mut blob = [&b"S"[..], &[2; HEADER]].concat();
    let mut pushing = Push::new(stream_key.as_bytes(), &[2; HEADER]);
    for chunk in bytes.chunks(usize::from(*cut).max(1)) {
        let tag = if chunk.last().is_some_and(|last| last % 4 == 0) { Tag::Final } else { Tag::Message };
        pushing.push(chunk, tag, &mut blob);
    }
    let _ = opens(stream(), &blob);

    // Any ciphertext that is rightly signed, whole blocks or not.
    let mut blob = bytes.to_vec();
    if cut % 2 == 0 {
        blob = [&[3; 16][..], &aes256_cbc_encrypt(&[1; 32], &[3; 16], bytes)].concat();
    }
    blob.extend(hmac_sha256(&[1; 32], &[&blob]));
    let digest = sha256(&[&blob]);
    match opens(legacy_with(digest), &blob) {
        Ok(plain) if cut % 2 == 0 => {
            let zeros = *claim == 0 && bytes.iter().all(|byte| *byte == 0);
            let length = if *claim == 0 { bytes.len() } else { usize::from(*claim) };
            assert_eq!(plain, if zeros { &[] } else { bytes.get(..length).unwrap() });
        }
        Err(_) if cut % 2 == 0 => assert!(usize::from(*claim) > bytes.len()),
        _ => {}
    }
    assert!(legacy::padded_size(bytes.len()) >= bytes.len());
}

/// Reads bytes as a file that is to be sent: what it tells of where it was made is taken out, and nothing put in.
pub fn to_be_sent(bytes: &[u8]) {
    let _ = (mime::sniff(bytes), mime::guess("", bytes));
    let cleaned = metadata::clean(bytes.to_vec());
    assert!(cleaned.bytes.len() <= bytes.len() + 64, "{} from {}", cleaned.bytes.len(), bytes.len());
    if cleaned.damaged {
        return;
    }
    let again = metadata::clean(cleaned.bytes.clone());
    assert!(again.bytes == cleaned.bytes, "cleaning twice finds something");
}
