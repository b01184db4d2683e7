//! One-to-one messages: every intermediate step of one encoding, and messages that must be accepted or dropped.

use septet_protocol::account::{AccountKeys, DisplayName, Seed};
use septet_protocol::crypto::session::{DecryptError, sign_for_recipient};
use septet_protocol::crypto::{Random, Replay};
use septet_protocol::message::{
    Content, DecodeError, Expiration, Outgoing, Profile, RawPointers, Received, Visible, decode_one_to_one,
    encode_one_to_one, from_store_data, to_store_data,
};
use septet_protocol::time::Timestamp;
use serde_json::Value;

use crate::{array, bytes, load, text};

fn keys(vectors: &Value, field: &str) -> AccountKeys {
    Seed::from_bytes(array(vectors, field)).keys()
}

fn visible() -> Content {
    Content::Visible(Visible { body: "Hello Session ✓".into(), ..Default::default() })
}

fn profile() -> Profile {
    Profile { name: DisplayName::truncated("Alice"), picture: None, updated: 1_767_225_000 }
}

fn message(vectors: &Value) -> Outgoing {
    let time = Timestamp::from_ms(vectors["timestamp_ms"].as_u64().unwrap());
    Outgoing::new(visible(), time).with_profile(profile())
}

#[test]
fn a_message_is_encoded_to_the_same_bytes() {
    let vectors = load("message_1o1");
    let (sender, recipient) = (keys(&vectors, "sender_seed_hex"), keys(&vectors, "recipient_seed_hex"));
    assert_eq!(sender.session_id.to_string(), text(&vectors, "sender_session_id"));
    assert_eq!(recipient.session_id.to_string(), text(&vectors, "recipient_session_id"));
    let message = message(&vectors);
    assert_eq!(message.to_bytes(), bytes(&vectors, "content_hex"));
    let signed =
        sign_for_recipient(&bytes(&vectors, "padded_hex"), &sender.ed25519, &recipient.session_id.x25519());
    assert_eq!(signed, bytes(&vectors, "signed_blob_hex"));

    let mut rng = Replay::new([
        bytes(&vectors, "sealed_ephemeral_sk_hex"),
        bytes(&vectors, "prosig_throwaway_seed_hex"),
    ]);
    let stored = encode_one_to_one(&message, &sender, &recipient.session_id, &mut rng).unwrap();
    rng.finish().unwrap();
    assert_eq!(stored, bytes(&vectors, "websocket_hex"));
    assert_eq!(to_store_data(&stored), text(&vectors, "store_data_base64"));

    let stored = from_store_data(text(&vectors, "store_data_base64")).unwrap();
    assert_eq!(decode_one_to_one(&stored, &recipient), Ok(received(&sender, &message)));
}

fn received(sender: &AccountKeys, message: &Outgoing) -> Received {
    Received {
        sender: sender.session_id,
        sender_ed25519: sender.ed25519.public(),
        timestamp: message.timestamp,
        msg_id: None,
        content: message.content.clone(),
        expiration: Expiration::Off,
        profile: message.profile.clone(),
        sync_target: None,
        target_msg_id: None,
        pointers: RawPointers::default(),
    }
}

/// All lengths of padding, seen from outside: the sealed box is 144 bytes longer than the padded content.
#[test]
fn contents_are_padded_to_the_same_lengths() {
    struct Fixed;
    impl Random for Fixed {
        fn fill(&mut self, out: &mut [u8]) {
            out.fill(7);
        }
    }
    let vectors = load("message_1o1");
    let (sender, recipient) = (keys(&vectors, "sender_seed_hex"), keys(&vectors, "recipient_seed_hex"));
    let stored_length = |body: usize| {
        let content = Content::Visible(Visible { body: "x".repeat(body), ..Default::default() });
        let message = Outgoing::new(content, Timestamp::from_ms(1_767_225_600_123));
        let stored = encode_one_to_one(&message, &sender, &recipient.session_id, &mut Fixed).unwrap();
        (message.to_bytes().len(), stored.len())
    };
    let (_, shortest) = stored_length(1);
    for case in vectors["padding_lengths"].as_array().unwrap() {
        let content = case["content_len"].as_u64().unwrap() as usize;
        let padded = case["padded_len"].as_u64().unwrap() as usize;
        // Contents are at least some 20 bytes long; the shorter lengths are tested in the crate.
        if let Some(body) = (1..400).find(|body| stored_length(*body).0 == content) {
            let (_, stored) = stored_length(body);
            // Lengths of inner messages take a byte more from 128 on; all here are longer than that.
            assert_eq!(stored - shortest, padded - 160, "content of {content} bytes");
        }
    }
}

#[test]
fn received_messages_are_accepted_or_dropped_as_documented() {
    let vectors = load("message_1o1");
    let (sender, recipient) = (keys(&vectors, "sender_seed_hex"), keys(&vectors, "recipient_seed_hex"));
    let expected = received(&sender, &message(&vectors));
    let cases = vectors["receive_cases"].as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let result = decode_one_to_one(&bytes(case, "websocket_hex"), &recipient);
        let name = text(case, "name");
        match text(case, "expect") {
            "accept, same content" => assert_eq!(result.as_ref(), Ok(&expected), "{name}"),
            "accept (legacy sender), time = envelope timestamp" => {
                assert_eq!(result.as_ref(), Ok(&expected), "{name}");
            }
            "drop: bad signature" => {
                assert_eq!(result, Err(DecodeError::Sealed(DecryptError::Signature)), "{name}");
            }
            "decrypts, then drop: timestamp mismatch" => {
                assert_eq!(result, Err(DecodeError::Timestamp), "{name}")
            }
            "decrypts, then drop: foreign sync message" => {
                assert_eq!(result, Err(DecodeError::ForeignSyncTarget), "{name}");
            }
            "drop: cannot decrypt" => {
                assert_eq!(result, Err(DecodeError::Sealed(DecryptError::NotForUs)), "{name}");
            }
            other => panic!("{name}: unknown expectation {other}"),
        }
    }
}
