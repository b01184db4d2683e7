//! Requests built by the client's half are peeled by the nodes' half, and replies come back.

use data_encoding::{BASE64, HEXLOWER};
use proptest::prelude::*;
use serde_json::Value;

use super::build::{Form, wrap};
use super::*;
use crate::crypto::{Ed25519Secret, Replay, SystemRandom, X25519Secret};

/// A node: its secret key, and how others see it.
fn node(number: u8) -> (X25519Secret, Hop) {
    let key = Ed25519Secret::from_seed([number; 32]);
    let secret = key.to_x25519();
    let hop = Hop { ed25519: key.public(), x25519: secret.public() };
    (secret, hop)
}

fn server(x25519: X25519Public) -> Destination {
    Destination::Server {
        host: "files.\"example\".org".into(),
        target: "/oxen/v4/lsrpc".into(),
        protocol: Protocol::Http,
        port: None,
        method: "POST".into(),
        x25519,
    }
}

/// Lets the nodes of the path peel their layers; returns what the last of `secrets` finds.
fn travel(body: &[u8], secrets: &[&X25519Secret]) -> (LayerKey, Peeled) {
    let envelope = parse_request(body).unwrap();
    assert_eq!(envelope.hop_no, 0);
    let (mut ephemeral, mut enc) = (envelope.ephemeral, envelope.enc);
    let mut ciphertext = envelope.ciphertext.to_vec();
    let (last, hops) = secrets.split_last().unwrap();
    for secret in hops {
        match peel(secret, enc, &ephemeral, &ciphertext).unwrap().1 {
            Peeled::Forward { ephemeral: e, enc: t, ciphertext: c, .. } => {
                (ephemeral, enc, ciphertext) = (e, t, c);
            }
            other => panic!("not to be forwarded: {other:?}"),
        }
    }
    peel(last, enc, &ephemeral, &ciphertext).unwrap()
}

fn either() -> impl Strategy<Value = EncType> {
    prop_oneof![Just(EncType::AesGcm), Just(EncType::XChaCha20)]
}

proptest! {
    #[test]
    fn a_request_to_a_node_arrives_and_its_reply_comes_back(payload: Vec<u8>, hops in 1u8..5, enc in either()) {
        let path: Vec<_> = (1..=hops).map(node).collect();
        let (destination, hop) = node(99);
        let public: Vec<_> = path.iter().map(|(_, hop)| *hop).collect();
        let request = build(&public, &Destination::Node(hop), &payload, enc, &mut SystemRandom).unwrap();
        let secrets: Vec<_> = path.iter().map(|(secret, _)| secret).chain([&destination]).collect();
        let (key, peeled) = travel(&request.body, &secrets);
        let Peeled::Rpc { request: arrived, options } = peeled else { panic!("{peeled:?}") };
        prop_assert_eq!(arrived, payload);
        let reply = options.encode_reply(&key, 421, r#"{"swarm":"ü"}"#, &mut SystemRandom);
        let reply = request.key.open_node(&reply).unwrap();
        prop_assert_eq!(reply, NodeReply { status: 421, body: r#"{"swarm":"ü"}"#.into() });
    }

    #[test]
    fn a_request_in_the_desktop_clients_form_arrives_too(payload: Vec<u8>, hops in 1u8..5) {
        let path: Vec<_> = (1..=hops).map(node).collect();
        let (destination, hop) = node(99);
        let public: Vec<_> = path.iter().map(|(_, hop)| *hop).collect();
        let request = build_unnamed(&public, &Destination::Node(hop), &payload, &mut SystemRandom).unwrap();
        prop_assert!(!request.body.windows(8).any(|bytes| bytes == b"enc_type"));
        let secrets: Vec<_> = path.iter().map(|(secret, _)| secret).chain([&destination]).collect();
        let (key, peeled) = travel(&request.body, &secrets);
        prop_assert_eq!(peeled, Peeled::Rpc { request: payload, options: RpcOptions::default() });
        let reply = RpcOptions::default().encode_reply(&key, 200, "{}", &mut SystemRandom);
        prop_assert_eq!(request.key.open_node(&reply).unwrap(), NodeReply { status: 200, body: "{}".into() });
    }

    #[test]
    fn a_request_to_a_server_arrives_and_its_reply_comes_back(payload: Vec<u8>, enc in either()) {
        let (guard, hop) = node(1);
        let secret = X25519Secret::from_bytes([7; 32]);
        let request = build(&[hop], &server(secret.public()), &payload, enc, &mut SystemRandom).unwrap();
        let (_, peeled) = travel(&request.body, &[&guard]);
        let Peeled::Server { host, target, protocol, port, method, raw_layer } = peeled else {
            panic!("{peeled:?}")
        };
        prop_assert_eq!((host.as_str(), method.as_str()), ("files.\"example\".org", "POST"));
        prop_assert_eq!(target.as_str(), "/oxen/v4/lsrpc");
        prop_assert_eq!((protocol, port), (Protocol::Http, Some(80)));
        let (key, arrived) = open_server_layer(&secret, &raw_layer).unwrap();
        prop_assert_eq!(&arrived, &payload);
        let reply = key.encrypt(&v4::Response::encode(200, &[], &payload), &mut SystemRandom);
        prop_assert_eq!(request.key.open_server_v4(&reply).unwrap().body, payload);
    }

    #[test]
    fn nothing_panics_on_foreign_bytes(bytes: Vec<u8>, enc in either()) {
        let (secret, hop) = node(1);
        let _ = parse_request(&bytes);
        prop_assert!(open_server_layer(&secret, &bytes).is_err());
        let ephemeral = X25519Secret::from_bytes([9; 32]);
        prop_assert!(peel(&secret, enc, &ephemeral.public(), &bytes).is_err());
        // The same bytes, properly encrypted: the parser behind the cipher must stand them too.
        let key = LayerKey::client(enc, &ephemeral, &hop.x25519).unwrap();
        let framed = [&(bytes.len() as u32 / 2).to_le_bytes()[..], &bytes].concat();
        for inner in [&bytes, &framed] {
            let result = peel(&secret, enc, &ephemeral.public(), &key.encrypt(inner, &mut SystemRandom));
            prop_assert!(matches!(result, Err(PeelError::Content(_))));
        }
        let reply = ResponseKey::new(enc, &ephemeral, &hop.x25519).unwrap();
        prop_assert!(reply.open_node(&bytes).is_err());
        prop_assert!(reply.open_node(&key.encrypt(&bytes, &mut SystemRandom)).is_err());
        prop_assert!(reply.open_server_v4(&key.encrypt(&bytes, &mut SystemRandom)).is_err());
    }
}

/// A reply key, and the key the destination answers with.
fn reply_keys(enc: EncType) -> (ResponseKey, X25519Secret, X25519Secret) {
    let (ephemeral, destination) = (X25519Secret::from_bytes([3; 32]), X25519Secret::from_bytes([4; 32]));
    (ResponseKey::new(enc, &ephemeral, &destination.public()).unwrap(), ephemeral, destination)
}

#[test]
fn replies_are_read_leniently() {
    let (key, ephemeral, destination) = reply_keys(EncType::XChaCha20);
    let answer = LayerKey::node(EncType::XChaCha20, &destination, &ephemeral.public()).unwrap();
    let open = |json: &str| key.open_node(&answer.encrypt(json.as_bytes(), &mut SystemRandom));
    let reply = |status, body: &str| Ok(NodeReply { status, body: body.into() });
    assert_eq!(open(r#"{"status":200,"body":"plain"}"#), reply(200, "plain"));
    assert_eq!(open(r#"{"status_code":503,"body":{"a":[1]}}"#), reply(503, r#"{"a":[1]}"#));
    assert_eq!(open(r#"{"status":204}"#), reply(204, ""));
    assert_eq!(open(r#"{"body":"x"}"#), Err(ReplyError::Malformed));
    assert_eq!(open("[]"), Err(ReplyError::Malformed));
    let sealed = BASE64.encode(&answer.encrypt(br#"{"status":200,"body":""}"#, &mut SystemRandom));
    assert_eq!(key.open_node(format!(r#"{{"result":"{sealed}"}}"#).as_bytes()), reply(200, ""));
    assert_eq!(key.open_node(format!("{sealed}\n").as_bytes()), reply(200, ""));
    assert_eq!(key.open_node(b"Service node is not ready"), Err(ReplyError::Undecryptable));
}

#[test]
fn only_xchacha_requests_may_be_answered_with_aes() {
    for (asked, answered, fine) in
        [(EncType::XChaCha20, EncType::AesGcm, true), (EncType::AesGcm, EncType::XChaCha20, false)]
    {
        let (key, ephemeral, destination) = reply_keys(asked);
        let answer = LayerKey::node(answered, &destination, &ephemeral.public()).unwrap();
        assert_eq!(key.open_raw(&answer.encrypt(b"reply", &mut SystemRandom)).is_ok(), fine);
    }
}

#[test]
fn a_reply_can_be_asked_for_as_json_and_raw() {
    let (key, ephemeral, destination) = reply_keys(EncType::AesGcm);
    let answer = LayerKey::node(EncType::AesGcm, &destination, &ephemeral.public()).unwrap();
    let options = RpcOptions { json: true, base64: false };
    let sealed = options.encode_reply(&answer, 200, r#"{"t":1}"#, &mut SystemRandom);
    assert_eq!(key.open_raw(&sealed).unwrap(), br#"{"body":{"t":1},"status":200}"#);
    assert_eq!(key.open_node(&sealed).unwrap().body, br#"{"t":1}"#);
}

#[test]
fn what_cannot_be_built_is_refused() {
    let (_, hop) = node(1);
    let nobody = Hop { x25519: X25519Public([0; 32]), ..hop };
    let refused = |path: &[Hop], to: Hop| {
        build(path, &Destination::Node(to), b"", EncType::AesGcm, &mut SystemRandom).err()
    };
    assert_eq!(refused(&[], hop), Some(OnionError::EmptyPath));
    assert_eq!(refused(&[nobody], hop), Some(OnionError::NodeKey));
    assert_eq!(refused(&[hop], nobody), Some(OnionError::NodeKey));
    assert_eq!(refused(&[hop], hop), None);
}

/// The requests of the vectors that name no cipher, byte for byte.
#[test]
fn unnamed_requests_are_built_byte_for_byte() {
    let vectors: Value = serde_json::from_str(include_str!("../../tests/data/network.json")).unwrap();
    let bytes = |value: &Value| HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap();
    let key = |value: &Value| bytes(value).try_into().unwrap();
    let hop = |node: &Value| Hop {
        ed25519: Ed25519Public(key(&node["ed25519_public"])),
        x25519: X25519Public(key(&node["x25519_public"])),
    };
    let nodes: Vec<Hop> = vectors["onion_nodes"].as_array().unwrap().iter().map(hop).collect();
    let cases = vectors["onion_requests"].as_array().unwrap().iter();
    let unnamed: Vec<_> = cases.filter(|case| case["enc_type"] == "aes-gcm").collect();
    assert_eq!(unnamed.len(), 2);
    for case in unnamed {
        let layers = case["layers"].as_array().unwrap().iter();
        let draws = layers.flat_map(|layer| [bytes(&layer["ephemeral_secret"]), bytes(&layer["nonce"])]);
        let mut rng = Replay::new(draws);
        let request = match case.get("server_x25519_public") {
            Some(server) => {
                let destination = Destination::Server {
                    host: "files.example.org".into(),
                    target: "/oxen/v4/lsrpc".into(),
                    protocol: Protocol::Http,
                    port: None,
                    method: "POST".into(),
                    x25519: X25519Public(key(server)),
                };
                build_unnamed(&nodes[..3], &destination, &bytes(&case["destination_plaintext"]), &mut rng)
            }
            None => {
                // The vectors' word to the destination is shorter than any client's.
                let form = Form { named: false, control: br#"{"headers":{}}"# };
                let payload = case["rpc_body_utf8"].as_str().unwrap().as_bytes();
                wrap(&nodes[..3], &Destination::Node(nodes[3]), payload, EncType::AesGcm, form, &mut rng)
            }
        };
        rng.finish().unwrap();
        assert_eq!(request.unwrap().body, bytes(&case["http_post_body_for_guard"]), "{}", case["name"]);
    }
}
