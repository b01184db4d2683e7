//! What changed in 2026 (spec 09): addresses of files, stream encryption, messages of newer versions, lost keys messages.
//! The other sections on configs are tested with the configs and the client, which also has the waits of downloads; see
//! [`every_section_is_known`].

use std::collections::BTreeSet;

use septet_protocol::account::{AccountKeys, Seed};
use septet_protocol::attachment::{
    self, AttachmentPointer, CommunityFileUrl, Encryption, FileId, FileOpenError, FileServer, FileUrl, Key,
    Scheme, ServerKey, deterministic, legacy,
};
use septet_protocol::config::{FORCED_REKEY_PAUSE_MS, ForcedRekey, KeptKeys, KeysView, Removed};
use septet_protocol::crypto::{Blake2bOptions, Ed25519Secret, SystemRandom, blake2b_with, session, sha256};
use septet_protocol::id::{Account, Ed25519Public, GroupId, MessageHash, SessionId, X25519Public};
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
    stored_with(content, time, account, None)
}

/// The same, with a signature for Session Pro in the envelope.
fn stored_with(content: &[u8], time: u64, account: &AccountKeys, pro_sig: Option<Vec<u8>>) -> Vec<u8> {
    let to = account.session_id.x25519();
    let padded = [content, &[0x80]].concat();
    let sealed = session::encrypt_for_recipient(&padded, &account.ed25519, &to, &mut SystemRandom).unwrap();
    let envelope = proto::Envelope {
        kind: Some(6),
        timestamp: Some(time),
        content: Some(sealed),
        pro_sig,
        ..Default::default()
    };
    let request = proto::WebSocketRequest { body: Some(envelope.encode_to_vec()), ..Default::default() };
    proto::WebSocketMessage { kind: Some(1), request: Some(request) }.encode_to_vec()
}

#[test]
fn messages_of_unknown_kinds_are_placed() {
    let (me, author, other, group) =
        (SessionId([9; 32]), SessionId([1; 32]), SessionId([2; 32]), GroupId([3; 32]));
    for case in section("unsupported_messages")["placement"].as_array().unwrap() {
        let is_own = case["from_us"].as_bool().unwrap();
        let in_group = case["group"].as_bool().unwrap();
        let owner = if in_group { Account::from(group) } else { me.into() };
        let expected = match (text(case, "placement"), case["conversation"].as_str()) {
            ("incoming", Some("author")) => Placement::Incoming(author.into()),
            ("incoming", Some("group")) => Placement::Incoming(group.into()),
            ("outgoing", Some("group")) => Placement::Outgoing(group.into()),
            ("outgoing", Some("sync_target")) => Placement::Outgoing(other.into()),
            ("none", None) => Placement::Nowhere,
            other => panic!("{other:?}"),
        };
        let target = case["sync_target"].as_str();
        let unknown = UnknownType {
            sender: if is_own { me } else { author },
            is_own,
            sync_target: target.filter(|target| *target == "05 id").map(|_| other),
            timestamp: Timestamp::from_ms(1),
            msg_id: None,
            expiration: Expiration::Off,
        };
        assert_eq!(unknown.placement(owner), expected, "{case}");
        // What a message in a group names is nothing to us.
        let naming = UnknownType { sync_target: Some(other), ..unknown };
        assert!(!in_group || naming.placement(owner) == expected, "{case}");
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
    for owner in ["master", "rotating", "backend"] {
        let seed = Ed25519Secret::from_seed(array(&case, &format!("{owner}_seed")));
        assert_eq!(seed.public().0, array(&case, &format!("{owner}_pk")), "{owner}");
    }
    let (tag, key) = (array::<32>(&case, "revocation_tag"), array::<32>(&case, "rotating_pk"));
    let (expiry, signature) = (case["expiry"].as_u64().unwrap(), array::<64>(&case, "proof_sig_by_backend"));
    let signed = [b"ProProof_v0_____", &tag[..], &key, expiry.to_string().as_bytes()].concat();
    assert_eq!(signed, bytes(&case["signed"], "proof"));
    assert!(Ed25519Public(array(&case, "backend_pk")).verify(&signed, &signature));

    let new = [field(2, &tag), field(3, &key), number(4, expiry), field(5, &signature)].concat();
    let old = [number(1, 0), new.clone()].concat();
    let unknown = [new.clone(), field(9, b"another form")].concat();
    let carrying = |proof: &[u8], features| field(16, &[field(1, proof), number(2, features)].concat());
    let account = keys(1);
    let read = |content: &[u8], pro_sig: Option<Vec<u8>>| {
        decode_one_to_one(&stored_with(content, 5, &account, pro_sig), &account)
    };
    for case in case["message_features"].as_array().unwrap() {
        let length = case["code_points"].as_u64().unwrap() as usize;
        // Of a text too long even for those who pay what may be shown is read.
        let shown = length.min(10_000);
        let features = case["bitset"].as_u64().unwrap_or(3);
        let proof = |proof: &[u8]| carrying(proof, features);
        for sig_timestamp in [Some(5), None] {
            let data =
                proto::DataMessage { body: Some("x".repeat(length).into_bytes()), ..Default::default() };
            let content = proto::Content { data_message: Some(data), sig_timestamp, ..Default::default() };
            let plain = content.encode_to_vec();
            let without = read(&plain, None).unwrap();
            assert!(matches!(&without.content, Content::Visible(visible) if visible.body.len() == shown));
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
                Vec::new(),
            ] {
                let with = [&plain[..], &pro].concat();
                for pro_sig in [None, Some(signature.to_vec()), Some(vec![0; 64]), Some(b"short".to_vec())] {
                    assert!(read(&with, pro_sig.clone()).as_ref() == Ok(&without), "{pro:?} {pro_sig:?}");
                }
            }
        }
    }
}

/// A group's keys messages of these names; all that is read of them is what a swarm calls them.
fn keys_messages(kept: &KeptKeys, names: &Value) -> BTreeSet<MessageHash> {
    names.as_array().unwrap().iter().map(|name| kept.name_of(name.as_str().unwrap().as_bytes())).collect()
}

#[test]
fn new_keys_are_forced_on_a_group_only_as_the_last_resort() {
    let section = section("config_recovery");
    assert_eq!(section["force_rekey_cooldown_ms"], FORCED_REKEY_PAUSE_MS);
    let now = Timestamp::from_ms(1_767_225_600_123);
    for case in section["force_rekey"].as_array().unwrap() {
        let is = |field: &str| case[field].as_bool().unwrap();
        let mut kept = KeptKeys::new(GroupId([3; 32]));
        for name in case["retained"].as_array().unwrap() {
            assert_eq!(kept.keep(name.as_str().unwrap().as_bytes()), Ok(true));
        }
        let active = keys_messages(&kept, &case["keys_hashes"]);
        let gone = [Removed::Kicked, Removed::Destroyed];
        for removed in if is("kicked_or_destroyed") { &gone[..] } else { &[Removed::No] } {
            let rekey = ForcedRekey {
                is_admin: is("admin"),
                view: KeysView { removed: *removed, active: &active, kept: &kept },
                lost: &active,
                back_fill_failed: is("backfill_failed"),
                level_in_this_poll: is("level_in_this_poll"),
                done_in_this_run: is("rekeyed_this_session"),
                last_attempt: None,
                now,
            };
            assert_eq!(rekey.is_allowed(), is("rekey"), "{case}");
            let rested = ForcedRekey { last_attempt: Some(now - FORCED_REKEY_PAUSE_MS), ..rekey };
            assert_eq!(rested.is_allowed(), is("rekey"), "{case}");
            let early = ForcedRekey { last_attempt: Some(now - (FORCED_REKEY_PAUSE_MS - 1)), ..rekey };
            assert!(!early.is_allowed(), "{case}");
        }
    }
}

/// Each section, and each part of those that have several, has a test here, or is known to be tested elsewhere or to be
/// of no use to us. A newer set of vectors with something more fails here.
#[test]
fn every_section_is_known() {
    let whole = load("changes-2026");
    let names = |value: &Value| -> BTreeSet<String> { value.as_object().unwrap().keys().cloned().collect() };
    let known = |lists: &[&[&str]]| -> BTreeSet<String> {
        lists.iter().copied().flatten().map(|name| (*name).to_owned()).collect()
    };
    let here = [
        "community_file_urls_generate",
        "community_file_urls_parse",
        "file_ids_from_content",
        "file_url_fragment",
        "file_urls_generate",
        "file_urls_parse",
        "legacy_attachment_external",
        "sig_timestamp_rule",
        "stream_encryption_cross_client",
    ];
    let in_parts = ["config_recovery", "pro", "unsupported_messages"];
    let with_configs = ["erased_group_stub"];
    let in_client = ["attachment_download_retry", "config_expiry_detection"];
    assert_eq!(names(&whole), known(&[&["_about"], &here, &in_parts, &with_configs, &in_client]));

    let here = ["force_rekey", "force_rekey_cooldown_ms"];
    let in_client = ["backoff_ms", "bar_after_store_or_refusal_ms", "batch_max", "extend_cooldown_ms"];
    assert_eq!(names(&whole["config_recovery"]), known(&[&["origin"], &here, &in_client]));

    let here = [
        "contains_unknown_field",
        "highest_known_content_field",
        "newer_format",
        "placement",
        "retained_expiry_ms",
        "top_level_field_numbers",
        "unknown_type",
    ];
    let in_client = ["limits"];
    assert_eq!(names(&whole["unsupported_messages"]), known(&[&["origin"], &here, &in_client]));

    // Nothing is asked of the backend, and no proof is used, so its requests and the seeds of proofs are not for us.
    let requests = ["before", "limit", "rotating_seed_cases", "ts"];
    let keys = ["backend_pk", "backend_seed", "master_pk", "master_seed", "rotating_pk", "rotating_seed"];
    let here = ["expiry", "message_features", "proof_sig_by_backend", "revocation_tag", "signed"];
    assert_eq!(names(&whole["pro"]), known(&[&["origin"], &keys, &here, &requests]));
}

/// A field of a number.
fn number(field: u32, mut value: u64) -> Vec<u8> {
    let mut out = vec![(field << 3) as u8];
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

/// A field of bytes; its tag and length take two bytes each, as they may.
fn field(number: u32, value: &[u8]) -> Vec<u8> {
    let two = |value: usize| [(value & 0x7f) as u8 | 0x80, (value >> 7) as u8];
    [&two((number as usize) << 3 | 2)[..], &two(value.len()), value].concat()
}
