//! Onion requests of the protocol documents: built elsewhere, peeled here.

use septet_protocol::crypto::X25519Secret;
use septet_protocol::id::X25519Public;
use septet_protocol::onion::{
    EncType, LayerKey, Peeled, ResponseKey, open_server_layer, parse_request, peel, v4,
};
use serde_json::Value;

use crate::{array, bytes, load, text};

#[test]
fn single_layers_open_from_both_sides() {
    let case = &load("network")["hop_encryption"];
    let client = X25519Secret::from_bytes(array(case, "client_x25519_secret"));
    let server = X25519Secret::from_bytes(array(case, "server_x25519_secret"));
    assert_eq!(client.public().to_string(), text(case, "client_x25519_public"));
    let shared = client.diffie_hellman(&server.public()).unwrap();
    assert_eq!(*shared.as_bytes(), array::<32>(case, "shared_secret_x25519"));
    for (name, enc) in [("aes_gcm", EncType::AesGcm), ("xchacha20", EncType::XChaCha20)] {
        let sealed = bytes(&case[name], "output_nonce_ct_tag");
        let keys = [
            LayerKey::client(enc, &client, &server.public()).unwrap(),
            LayerKey::node(enc, &server, &client.public()).unwrap(),
        ];
        for key in keys {
            assert_eq!(key.decrypt(&sealed).unwrap(), text(case, "plaintext_utf8").as_bytes());
        }
    }
}

/// The secrets of the nodes on the path, guard first, then of the destination.
fn secrets(vectors: &Value) -> Vec<X25519Secret> {
    let nodes = vectors["onion_nodes"].as_array().unwrap();
    nodes.iter().map(|node| X25519Secret::from_bytes(array(node, "x25519_secret"))).collect()
}

#[test]
fn requests_are_peeled_to_the_last_layer_and_replies_opened() {
    let vectors = load("network");
    let secrets = secrets(&vectors);
    for case in vectors["onion_requests"].as_array().unwrap() {
        let name = text(case, "name");
        let to_server = name.contains("server");
        let body = bytes(case, "http_post_body_for_guard");
        let envelope = parse_request(&body).unwrap();
        let (mut ephemeral, mut enc) = (envelope.ephemeral, envelope.enc);
        let mut ciphertext = envelope.ciphertext.to_vec();
        let hops = if to_server { 3 } else { 4 };
        for (index, secret) in secrets.iter().take(hops).enumerate() {
            match peel(secret, enc, &ephemeral, &ciphertext).unwrap().1 {
                Peeled::Forward { next, ephemeral: e, enc: t, ciphertext: c } => {
                    assert_eq!(next.to_string(), text(&vectors["onion_nodes"][index + 1], "ed25519_public"));
                    (ephemeral, enc, ciphertext) = (e, t, c);
                }
                Peeled::Server { target, raw_layer, .. } => {
                    assert_eq!(target, "/oxen/v4/lsrpc");
                    let server = X25519Secret::from_bytes(array(case, "server_x25519_secret"));
                    let (_, payload) = open_server_layer(&server, &raw_layer).unwrap();
                    assert_eq!(payload, bytes(case, "destination_plaintext"), "{name}");
                    assert!(v4::Request::parse(&payload).is_some());
                }
                Peeled::Rpc { request, .. } => {
                    assert_eq!(request, text(case, "rpc_body_utf8").as_bytes(), "{name}");
                }
            }
        }
        open_reply(case, to_server);
    }
}

fn open_reply(case: &Value, to_server: bool) {
    let enc = EncType::parse(text(case, "enc_type")).unwrap();
    let layer = &case["layers"][0];
    let ephemeral = X25519Secret::from_bytes(array(layer, "ephemeral_secret"));
    let key = ResponseKey::new(enc, &ephemeral, &X25519Public(array(layer, "recipient_x25519"))).unwrap();
    let (reply, plaintext) = (&case["response"], text(&case["response"], "plaintext_utf8"));
    if to_server {
        let reply = key.open_server_v4(&bytes(reply, "http_body_raw")).unwrap();
        assert_eq!(Some(reply), v4::Response::parse(plaintext.as_bytes()));
    } else {
        let body = text(reply, "http_body_base64").as_bytes();
        assert_eq!(key.open_text(body).unwrap(), plaintext.as_bytes());
        assert_eq!(key.open_node(body).unwrap().status, 200);
    }
}

#[test]
fn v4_payloads_are_written_byte_for_byte() {
    for case in load("network")["v4_payloads"].as_array().unwrap() {
        let meta = &case["meta"];
        let headers: Vec<_> = meta["headers"].as_object().unwrap().iter().collect();
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        let body = case["body_hex"].as_str().map(|_| bytes(case, "body_hex"));
        let made = v4::request(text(meta, "method"), text(meta, "endpoint"), &headers, body.as_deref());
        assert_eq!(made, bytes(case, "encoded_hex"));
        let read = v4::Request::parse(&made).unwrap();
        assert_eq!((read.endpoint.as_str(), read.body), (text(meta, "endpoint"), body.unwrap_or_default()));
    }
}
