//! Attachments, display pictures and file addresses.

use septet_protocol::attachment::{
    AttachmentPointer, Encryption, FileServer, FileUrl, Key, ServerKey, deterministic, legacy, picture,
};
use septet_protocol::crypto::{Blake2bOptions, Ed25519Secret, Replay, blake2b_with, sha256};
use septet_protocol::id::X25519Public;
use serde_json::Value;

use crate::{array, bytes, load, text};

fn number(value: &Value, field: &str) -> usize {
    value[field].as_u64().unwrap_or_else(|| panic!("no number {field} in {value}")) as usize
}

#[test]
fn legacy_files_are_padded_to_the_same_sizes() {
    for case in load("files")["legacy_padded_size"].as_array().unwrap() {
        assert_eq!(legacy::padded_size(number(case, "plaintext")), number(case, "padded"));
    }
}

#[test]
fn legacy_files_are_encrypted_to_the_same_bytes_and_open() {
    let vectors = load("files");
    for (name, padded) in [("legacy_attachment", true), ("legacy_attachment_unpadded", false)] {
        let case = &vectors[name];
        let plain = text(case, "plaintext_utf8").as_bytes();
        let mut rng = Replay::new([bytes(case, "key_64"), bytes(case, "iv")]);
        let sealed = match padded {
            true => legacy::encrypt(plain, &mut rng).unwrap(),
            false => legacy::encrypt_unpadded(plain, &mut rng).unwrap(),
        };
        rng.finish().unwrap();
        assert_eq!(sealed.blob, bytes(case, "uploaded_blob"), "{name}");
        assert_eq!(sealed.digest, array(case, "digest_sha256"), "{name}");
        assert_eq!(sealed.size, plain.len());
        let pointer = AttachmentPointer {
            url: "http://filev2.getsession.org/file/1".parse().ok(),
            encryption: Encryption::Legacy { key: sealed.key, digest: sealed.digest },
            content_type: "text/plain".into(),
            size: sealed.size as u32,
            name: "hello.txt".into(),
            dimensions: None,
            voice: false,
        };
        assert_eq!(pointer.open(&sealed.blob).unwrap(), plain, "{name}");
        assert_eq!(AttachmentPointer::from_bytes(&pointer.to_bytes()), Ok(pointer));
    }
}

#[test]
fn legacy_pictures_are_encrypted_to_the_same_bytes_and_open() {
    let vectors = load("files");
    let case = &vectors["legacy_profile_picture"];
    let (key, plain) = (Key::new(array(case, "key_32")), text(case, "plaintext_utf8").as_bytes());
    let blob = picture::encrypt(plain, &key, &mut Replay::new([bytes(case, "nonce_12")])).unwrap();
    assert_eq!(blob, bytes(case, "uploaded_blob_nonce_ct_tag"));
    let url: FileUrl = "http://filev2.getsession.org/file/1".parse().unwrap();
    assert_eq!(picture::decrypt(&blob, &key, &url).unwrap(), plain);
}

#[test]
fn deterministic_files_have_the_same_sizes() {
    for case in load("files")["deterministic_sizes"].as_array().unwrap() {
        let size = number(case, "plaintext");
        assert_eq!(deterministic::padding_size(size), number(case, "padding"), "{size}");
        assert_eq!(deterministic::encrypted_size(size), number(case, "encrypted"), "{size}");
    }
}

#[test]
fn deterministic_files_are_encrypted_to_the_same_bytes_and_open() {
    for case in load("files")["deterministic_attachment"].as_array().unwrap() {
        let plain: Vec<u8> = (0..number(case, "length")).map(|i| (7 * i) as u8).collect();
        let blob = check_deterministic(case, "seed", "key", "header", &plain);
        assert!(blob.starts_with(&bytes(case, "first_64_bytes")));
        assert!(blob.ends_with(&bytes(case, "last_32_bytes")));
        if case["encrypted_full"].is_string() {
            assert_eq!(blob, bytes(case, "encrypted_full"));
        }
    }
}

#[test]
fn a_deterministic_picture_gets_the_same_name_on_the_server() {
    let vectors = load("files");
    let case = &vectors["deterministic_profile_picture_example"];
    let plain = text(case, "plaintext_utf8").as_bytes();
    let blob = check_deterministic(case, "account_ed25519_seed", "key_32", "header_24", plain);
    assert_eq!(server_name(&blob), text(case, "file_id_on_server"));
    for case in vectors["file_id_from_content"].as_array().unwrap() {
        assert_eq!(server_name(text(case, "content_utf8").as_bytes()), text(case, "file_id"));
    }
}

/// How servers name files by their content; clients take the name as it comes.
fn server_name(blob: &[u8]) -> String {
    let salt = b"SessionFileSvr\0\0";
    let hash = blake2b_with::<33>(Blake2bOptions { salt: Some(salt), ..Default::default() }, &[blob]);
    data_encoding::BASE64URL.encode(&hash)
}

fn check_deterministic(case: &Value, seed: &str, key: &str, header: &str, plain: &[u8]) -> Vec<u8> {
    let domain = match number(case, "domain") {
        0 => deterministic::Domain::Attachment,
        _ => deterministic::Domain::ProfilePicture,
    };
    let account = Ed25519Secret::from_seed(array(case, seed));
    let (blob, made) = deterministic::encrypt(plain, &account, domain).unwrap();
    assert_eq!(made.as_bytes(), &array::<32>(case, key));
    assert_eq!(blob.len(), number(case, "encrypted_len"));
    assert_eq!(blob[1..25], bytes(case, header));
    assert_eq!(sha256(&[&blob]), array(case, "sha256_of_encrypted"));
    assert_eq!(deterministic::decrypt(&blob, &made).unwrap(), plain);
    blob
}

#[test]
fn addresses_are_read() {
    let vectors = load("files");
    let server = &vectors["file_server"];
    let ours = FileServer::mainnet();
    assert_eq!(ours.ed25519.unwrap().to_string(), text(server, "ed25519"));
    assert_eq!(ours.x25519.to_string(), text(server, "x25519"));
    for case in vectors["urls"].as_array().unwrap() {
        let url: FileUrl = text(case, "url").parse().unwrap();
        assert_eq!(url.id().as_str(), text(case, "id"));
        assert_eq!(url.is_deterministic(), case["deterministic"].as_bool().unwrap());
        match (url.key(), case["server_x25519"].as_str()) {
            (ServerKey::Default, None) => assert_eq!(text(case, "server"), "default"),
            (ServerKey::Given { x25519, .. }, Some(key)) => {
                assert_eq!(x25519, key.parse::<X25519Public>().unwrap());
            }
            (key, expected) => panic!("{url}: {key:?}, expected {expected:?}"),
        }
    }
}
