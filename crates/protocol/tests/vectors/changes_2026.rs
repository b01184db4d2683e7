//! What changed in 2026 (spec 09): addresses of files, stream encryption, messages of newer versions. The sections on
//! configs are tested with the configs, the waits of downloads with the client.

use septet_protocol::account::{AccountKeys, Seed};
use septet_protocol::attachment::{
    self, AttachmentPointer, CommunityFileUrl, Encryption, FileId, FileOpenError, FileServer, FileUrl, Key,
    Scheme, ServerKey, deterministic, legacy,
};
use septet_protocol::crypto::{Blake2bOptions, Ed25519Secret, SystemRandom, blake2b_with, session, sha256};
use septet_protocol::id::{Ed25519Public, SessionId, X25519Public};
use septet_protocol::message::newer::{
    HIGHEST_KNOWN_FIELD, Placement, UnknownType, field_numbers, has_unknown_field, is_newer_format,
    kept_until,
};
use septet_protocol::message::{Content, DecodeError, Expiration, Witness, decode_one_to_one};
use septet_protocol::time::Timestamp;
use septet_protocol::wire::{Message as _, proto};
use serde_json::Value;

use crate::{array, bytes, load, text};

fn section(name: &str) -> Value {
    load("changes-2026")[name].clone()
}

fn cases(name: &str) -> Vec<Value> {
    section(name)["cases"].as_array().unwrap().clone()
}

/// Our reading where it differs from that of the official core, which knows the bare mark only.
fn is_stream(case: &Value) -> bool {
    case.get("stream_septet").unwrap_or(&case["stream"]).as_bool().unwrap()
}

fn scheme(case: &Value) -> Scheme {
    match text(case, "scheme") {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => panic!("{other}"),
    }
}

/// What requests to a server of this key are encrypted to.
fn x25519(key: &str) -> X25519Public {
    let key: Ed25519Public = key.parse().unwrap();
    key.to_x25519().unwrap_or(X25519Public(key.0))
}

#[test]
fn file_urls_are_read() {
    for case in cases("file_urls_parse") {
        let url = text(&case, "url").parse::<FileUrl>();
        if case["refused"] == true {
            assert!(url.is_err(), "{case}");
            continue;
        }
        let url = url.unwrap();
        let port = case["port"].as_u64().unwrap_or_else(|| scheme(&case).default_port().into());
        assert_eq!((url.scheme(), url.host()), (scheme(&case), text(&case, "host")), "{case}");
        assert_eq!((u64::from(url.port()), url.id().as_str()), (port, text(&case, "id")), "{case}");
        assert_eq!(url.is_deterministic(), is_stream(&case), "{case}");
        match (url.key(), case["custom_key"].as_str()) {
            (ServerKey::Default, None) => {}
            (ServerKey::Given { x25519: read, .. }, Some(key)) => assert_eq!(read, x25519(key), "{case}"),
            (key, _) => panic!("{case}: {key:?}"),
        }
    }
}

#[test]
fn file_urls_are_written() {
    for case in cases("file_urls_generate") {
        let server = FileServer {
            scheme: scheme(&case),
            host: text(&case, "host").to_owned(),
            port: case["port"].as_u64().unwrap().try_into().unwrap(),
            x25519: x25519(text(&case, "key")),
            ed25519: text(&case, "key").parse().ok(),
        };
        let id: FileId = text(&case, "id").parse().unwrap();
        let stream = case["stream"].as_bool().unwrap();
        let url = FileUrl::new(&server, id.clone(), stream);
        assert_eq!(url.as_str(), text(&case, "url"));
        assert_eq!(text(&case, "url").parse::<FileUrl>().unwrap().as_str(), text(&case, "url"));
        if stream {
            assert_eq!(FileUrl::new(&server, id, false).into_deterministic(), url);
        }
    }
}

#[test]
fn fragments_are_written_and_read() {
    let section = section("file_url_fragment");
    for case in section["build"].as_array().unwrap() {
        let mut server = FileServer::mainnet();
        if let Some(key) = case["key"].as_str() {
            (server.x25519, server.ed25519) = (x25519(key), key.parse().ok());
        }
        let url = FileUrl::new(&server, "1".parse().unwrap(), case["stream"].as_bool().unwrap());
        assert_eq!(url.as_str().split_once('#').map_or("", |(_, fragment)| fragment), text(case, "fragment"));
    }
    for case in section["read_stream"].as_array().unwrap() {
        let url: FileUrl = format!("http://a.example/file/1#{}", text(case, "fragment")).parse().unwrap();
        assert_eq!(url.is_deterministic(), case["stream"].as_bool().unwrap(), "{case}");
    }
}

#[test]
fn community_file_urls_are_read() {
    for case in cases("community_file_urls_parse") {
        let url = text(&case, "url").parse::<CommunityFileUrl>();
        if case["refused"] == true {
            assert!(url.is_err(), "{case}");
            continue;
        }
        let url = url.unwrap();
        assert_eq!(url.base.as_str(), text(&case, "base"));
        assert_eq!(url.room.map_or(String::new(), |room| room.to_string()), text(&case, "room"));
        assert_eq!((Some(url.id), url.deterministic), (case["id"].as_u64(), is_stream(&case)), "{case}");
    }
}

#[test]
fn community_file_urls_are_written() {
    for case in cases("community_file_urls_generate") {
        let url = CommunityFileUrl {
            base: text(&case, "base").parse().unwrap(),
            room: Some(text(&case, "room").parse().unwrap()),
            id: case["id"].as_u64().unwrap(),
            deterministic: case["stream"].as_bool().unwrap(),
        };
        assert_eq!(url.to_string(), text(&case, "url"));
    }
}

/// What we upload is what the official clients upload of the same file and account, and what they open.
#[test]
fn files_are_encrypted_as_by_every_client() {
    for case in cases("stream_encryption_cross_client") {
        let domain = match case["domain"].as_u64().unwrap() {
            0 => deterministic::Domain::Attachment,
            _ => deterministic::Domain::ProfilePicture,
        };
        let account = Ed25519Secret::from_seed(array(&case, "seed"));
        let plain = text(&case, "plaintext_ascii").as_bytes();
        let encrypted = attachment::encrypt(plain, &account, domain).unwrap();
        assert_eq!(encrypted.key.as_bytes(), &array::<32>(&case, "key"));
        assert_eq!(encrypted.blob[1..25], bytes(&case, "header"));
        assert_eq!(Some(encrypted.blob.len() as u64), case["encrypted_len"].as_u64());
        assert_eq!(sha256(&[&encrypted.blob]), array(&case, "sha256_of_encrypted"));
        assert_eq!(attachment::encrypt(plain, &account, domain).unwrap(), encrypted, "the same again");
        assert_eq!(deterministic::decrypt(&encrypted.blob, &encrypted.key).unwrap(), plain);
    }
}

#[test]
fn a_foreign_legacy_attachment_opens() {
    let case = section("legacy_attachment_external");
    let (blob, digest) = (bytes(&case, "uploaded_blob"), array::<32>(&case, "digest"));
    let (key, plain) = (array::<64>(&case, "key_64"), text(&case, "plaintext_ascii").as_bytes());
    let size = case["pointer_size"].as_u64().unwrap() as usize;
    let open = |blob: &[u8], digest: &[u8; 32], size| legacy::decrypt(blob, &Key::new(key), digest, size);
    assert_eq!(open(&blob, &digest, size).unwrap(), plain);
    let whole = open(&blob, &digest, 0).unwrap();
    assert_eq!(Some(whole.len() as u64), case["decrypted_padded_len"].as_u64());
    assert_eq!(open(&blob, &digest, whole.len() + 1), Err(FileOpenError::TooShort));

    let mut altered = blob.clone();
    altered[20] = altered[20].wrapping_add(1);
    assert_eq!(open(&altered, &digest, size), Err(FileOpenError::Damaged));
    assert_eq!(open(&blob, &[0; 32], size), Err(FileOpenError::Damaged));

    // The key has the last word, whatever became of the address.
    for address in ["http://filev2.getsession.org/file/1", "http://filev2.getsession.org/file/1#d"] {
        let pointer = AttachmentPointer {
            url: address.parse().ok(),
            encryption: Encryption::Legacy { key: Key::new(key), digest },
            content_type: String::new(),
            size: size as u32,
            name: String::new(),
            dimensions: None,
            voice: false,
        };
        let read = AttachmentPointer::from_bytes(&pointer.to_bytes()).unwrap();
        assert_eq!(read.open(&blob).unwrap(), plain);
    }
}

#[test]
fn messages_of_newer_versions_are_recognised() {
    let section = section("unsupported_messages");
    assert_eq!(section["highest_known_content_field"], HIGHEST_KNOWN_FIELD);
    for case in section["top_level_field_numbers"].as_array().unwrap() {
        let numbers: Option<Vec<u32>> = serde_json::from_value(case["fields"].clone()).unwrap();
        assert_eq!(field_numbers(&bytes(case, "bytes")), numbers, "{case}");
    }
    for case in section["contains_unknown_field"].as_array().unwrap() {
        assert_eq!(has_unknown_field(&bytes(case, "bytes")), case["unknown"] == true, "{case}");
    }
    for case in section["newer_format"].as_array().unwrap() {
        assert_eq!(is_newer_format(&bytes(case, "bytes")), case["newer"] == true, "{case}");
    }
}

#[test]
fn messages_of_unknown_kinds_are_recognised() {
    let (alice, bob) = (keys(1), keys(2));
    let wire = |description: &str| {
        let mut content = proto::Content::default();
        match description {
            "sigTimestamp 1234" => content.sig_timestamp = Some(1234),
            "dataMessage{body \"hi\"}" => {
                content.data_message =
                    Some(proto::DataMessage { body: Some(b"hi".to_vec()), ..Default::default() });
            }
            "receiptMessage{READ, [1]}" => {
                content.receipt_message = Some(proto::ReceiptMessage { kind: Some(1), timestamp: vec![1] });
            }
            "dataMessage{syncTarget other}" => {
                let target = Some(bob.session_id.to_string().into_bytes());
                content.data_message = Some(proto::DataMessage { sync_target: target, ..Default::default() });
            }
            other => panic!("{other}"),
        }
        content.encode_to_vec()
    };
    for case in section("unsupported_messages")["unknown_type"].as_array().unwrap() {
        let content = [wire(text(case, "content")), bytes(case, "appended")].concat();
        // To oneself, as only there a conversation may be named.
        let result = decode_one_to_one(&stored(&content, 1234, &alice), &alice);
        let unknown = matches!(result, Err(DecodeError::UnknownType(_)));
        assert_eq!(unknown, case["unknown_type"] == true, "{case}: {result:?}");
    }
}

fn keys(number: u8) -> AccountKeys {
    Seed::from_bytes([number; 16]).keys()
}

/// A serialized content, as an account stores it for itself.
fn stored(content: &[u8], time: u64, account: &AccountKeys) -> Vec<u8> {
    let to = account.session_id.x25519();
    let padded = [content, &[0x80]].concat();
    let sealed = session::encrypt_for_recipient(&padded, &account.ed25519, &to, &mut SystemRandom).unwrap();
    let envelope =
        proto::Envelope { kind: Some(6), timestamp: Some(time), content: Some(sealed), ..Default::default() };
    let request = proto::WebSocketRequest { body: Some(envelope.encode_to_vec()), ..Default::default() };
    proto::WebSocketMessage { kind: Some(1), request: Some(request) }.encode_to_vec()
}

/// Those of groups come with the groups.
#[test]
fn messages_of_unknown_kinds_are_placed() {
    let (author, other) = (SessionId([1; 32]), SessionId([2; 32]));
    for case in section("unsupported_messages")["placement"].as_array().unwrap() {
        if case["group"] == true {
            continue;
        }
        let target = case["sync_target"].as_str();
        let unknown = UnknownType {
            sender: author,
            is_own: case["from_us"] == true,
            sync_target: target.filter(|target| *target == "05 id").map(|_| other),
            timestamp: Timestamp::from_ms(1),
            msg_id: None,
            expiration: Expiration::Off,
        };
        let expected = match (text(case, "placement"), case["conversation"].as_str()) {
            ("incoming", Some("author")) => Placement::Incoming(author),
            ("outgoing", Some("sync_target")) => Placement::Outgoing(other),
            ("none", None) => Placement::Nowhere,
            other => panic!("{other:?}"),
        };
        assert_eq!(unknown.placement(), expected, "{case}");
    }
}

#[test]
fn messages_without_a_place_are_kept_as_long() {
    for case in section("unsupported_messages")["retained_expiry_ms"].as_array().unwrap() {
        let time = |field: &str| case[field].as_u64().map(Timestamp::from_ms);
        let stored = time("server_timestamp").unwrap();
        let kept = kept_until(time("after_send_expires"), stored, time("server_expiry"));
        assert_eq!(kept, time("expires"), "{case}");
    }
}

#[test]
fn signed_times_are_judged_by_the_same_rule() {
    let base: u64 = 1_767_225_600_123;
    for case in cases("sig_timestamp_rule") {
        let signed = base.checked_add_signed(case["diff_ms"].as_i64().unwrap()).unwrap();
        let outside = Timestamp::from_ms(base);
        let witness = match case["community"] == true {
            true => Witness::CommunityServer(outside),
            false => Witness::Envelope(outside),
        };
        assert_eq!(witness.agrees(Some(signed)), case["accept"] == true, "{case}");
        assert!(witness.agrees(Some(0)) && witness.agrees(None));
    }
}

/// Two servers name one file differently; both names are taken as they are.
#[test]
fn names_of_files_are_opaque() {
    let case = section("file_ids_from_content");
    let content = text(&case, "content_ascii").as_bytes();
    let salted = Blake2bOptions { salt: Some(b"SessionFileSvr\0\0"), ..Default::default() };
    let salted = blake2b_with::<33>(salted, &[content]);
    assert_eq!(data_encoding::BASE64URL.encode(&salted), text(&case, "python_server_salt"));
    for field in ["python_server_salt", "quic_server_key"] {
        let id = text(&case, field);
        let url: FileUrl = format!("http://filev2.getsession.org/file/{id}#d").parse().unwrap();
        assert_eq!((url.id().as_str(), url.number(), url.is_deterministic()), (id, 0, true));
        assert_eq!(FileUrl::new(&FileServer::mainnet(), id.parse().unwrap(), true), url);
    }
}

/// Session Pro is not ours to judge: the signatures of its vectors hold, and a message that carries the proof, whole or
/// broken, in the new form or the old, reads as one that carries none.
#[test]
fn session_pro_decides_about_nothing() {
    let case = section("pro");
    let backend = Ed25519Public(array(&case, "backend_pk"));
    let signature = array::<64>(&case, "proof_sig_by_backend");
    assert!(backend.verify(&bytes(&case["signed"], "proof"), &signature));

    let expiry = [4 << 3, 0x80, 0x80, 0x80, 0x80, 6];
    let (tag, key) = (array::<32>(&case, "revocation_tag"), array::<32>(&case, "rotating_pk"));
    let new = [field(2, &tag), field(3, &key), expiry.to_vec(), field(5, &signature)].concat();
    let old = [&[8, 0][..], &new].concat();
    let unknown = [new.clone(), field(9, b"another form")].concat();
    let proof = |proof: &[u8]| field(16, &[&field(1, proof)[..], &[16, 3]].concat());
    let account = keys(1);
    let data = proto::DataMessage { body: Some("x".repeat(10_000).into_bytes()), ..Default::default() };
    let content = proto::Content { data_message: Some(data), sig_timestamp: Some(5), ..Default::default() };
    let plain = content.encode_to_vec();
    let without = decode_one_to_one(&stored(&plain, 5, &account), &account).unwrap();
    assert!(matches!(&without.content, Content::Visible(visible) if visible.body.len() == 10_000));
    for pro in [
        proof(&new),
        proof(&old),
        proof(&unknown),
        proof(&new[..40]),
        proof(b""),
        field(16, b""),
        field(16, b"\xff"),
        field(17, &signature),
        field(17, b"short"),
        [proof(&new), field(17, &signature)].concat(),
    ] {
        let with = decode_one_to_one(&stored(&[&plain[..], &pro].concat(), 5, &account), &account);
        assert!(with.as_ref() == Ok(&without), "{pro:?}");
    }
}

/// A field of bytes; its tag and length take two bytes each, as they may.
fn field(number: u32, value: &[u8]) -> Vec<u8> {
    let two = |value: usize| [(value & 0x7f) as u8 | 0x80, (value >> 7) as u8];
    [&two((number as usize) << 3 | 2)[..], &two(value.len()), value].concat()
}
