//! Onion requests (spec 03 §6.8).

use septet_devnet::NodeHandle;
use septet_protocol::crypto::{Ed25519Secret, SystemRandom, X25519Secret};
use septet_protocol::onion::{self, Destination, EncType, Hop, LayerKey, Protocol};
use serde_json::{Value, json};

use crate::client::{Person, ask_over, hop, path, post, post_with, rpc_text, through};
use crate::network;

#[tokio::test]
async fn a_request_goes_through_three_hops_with_either_cipher() {
    let devnet = network().await;
    let to = &devnet.nodes()[20];
    for enc in [EncType::AesGcm, EncType::XChaCha20] {
        let (answer, key) = through(&path(&devnet, to), to, enc, &rpc_text("info", &json!({}))).await;
        assert_eq!(answer.status, 200);
        let reply = key.open_node(&answer.body).unwrap();
        assert_eq!(reply.status, 200);
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(body["version"], json!([2, 8, 0]));
        assert_eq!(body["hf"], json!([19, 4]));
        assert!(body["timestamp"].as_u64().unwrap().abs_diff(devnet.now()) < 5000);
    }
    assert_eq!(devnet.requests()["info"], 2);
    assert_eq!(devnet.requests()["relay"], 6);
}

#[tokio::test]
async fn a_store_goes_over_three_hops_again_and_again() {
    let devnet = network().await;
    let bob = Person::new();
    let to = &devnet.swarm_of(&bob.account())[0];
    let path = path(&devnet, to);
    let params = json!({"pubkey": bob.id, "timestamp": devnet.now(), "ttl": 86_400_000, "data": "aGVsbG8="});
    let http = crate::client::http();
    for _ in 0..21 {
        let reply = ask_over(&http, &path, to, "store", params.clone()).await;
        assert_eq!(reply.status, 200);
    }
}

#[tokio::test]
async fn the_reply_can_be_had_as_json_and_as_bytes() {
    let devnet = network().await;
    let node = &devnet.nodes()[0];
    for (control, embedded, raw) in [
        (json!({"headers": ""}), false, false),
        (json!({"headers": {}, "json": true}), true, false),
        (json!({"body": null, "headers": {"a": "b"}, "base64": false}), false, true),
    ] {
        let plain = frame(rpc_text("info", &json!({})).as_bytes(), &control);
        let (body, key) = sealed(node, &plain);
        let answer = post(node, "/onion_req/v2", body).await.unwrap();
        let sealed = match raw {
            true => answer.body,
            false => data_encoding::BASE64.decode(&answer.body).unwrap(),
        };
        let reply: Value = serde_json::from_slice(&key.decrypt(&sealed).unwrap()).unwrap();
        assert_eq!(reply["status"], 200);
        assert_eq!(reply["body"].is_object(), embedded);
    }
}

#[tokio::test]
async fn a_node_answers_a_request_that_has_no_hops() {
    let devnet = network().await;
    let (node, bob) = (&devnet.nodes()[0], Person::new());
    let request = rpc_text("get_swarm", &json!({"pubkey": bob.id}));
    let (body, key) = sealed(node, &frame(request.as_bytes(), &json!({"headers": ""})));
    let answer = post(node, "/onion_req/v2", body).await.unwrap();
    let opened = key.decrypt(&data_encoding::BASE64.decode(&answer.body).unwrap()).unwrap();
    let reply: Value = serde_json::from_slice(&opened).unwrap();
    let swarm: Value = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
    assert_eq!((&reply["status"], swarm["snodes"].as_array().unwrap().len()), (&json!(200), 7));
    assert_eq!((devnet.requests().get("onion"), devnet.requests().get("relay")), (Some(&1), None));
}

#[tokio::test]
async fn what_a_hop_cannot_read_is_refused_in_the_clear() {
    let devnet = network().await;
    let node = &devnet.nodes()[0];
    for body in [&b""[..], b"abc", b"\xff\xff\xff\xff{}", b"\0\0\0\0not json", b"\0\0\0\0{}"] {
        let answer = post(node, "/onion_req/v2", body.to_vec()).await.unwrap();
        assert_eq!(answer.status, 400);
        assert!(answer.text().starts_with("Error parsing onion request: "), "{}", answer.text());
    }
    let key = X25519Secret::generate(&mut SystemRandom).public();
    let unknown = frame(&[7; 60], &json!({"ephemeral_key": key, "enc_type": "rot13"}));
    let answer = post(node, "/onion_req/v2", unknown).await.unwrap();
    assert!(answer.text().starts_with("Error parsing onion request: "));
    let noise = frame(&[7; 60], &json!({"ephemeral_key": key}));
    let answer = post(node, "/onion_req/v2", noise).await.unwrap();
    assert_eq!((answer.status, answer.text()), (400, "Invalid ciphertext"));
}

#[tokio::test]
async fn what_a_hop_opens_but_does_not_understand_is_refused_under_its_own_key() {
    let devnet = network().await;
    let node = &devnet.nodes()[0];
    let target = "/evil";
    for (plain, text) in [
        (b"garbage".to_vec(), "Invalid json"),
        (frame(b"x", &json!({"neither": "this nor that"})), "Invalid json"),
        (frame(b"x", &json!({"destination": "00"})), "Invalid json"),
        (frame(b"x", &json!({"host": "localhost", "method": "POST"})), "Invalid json"),
        (frame(b"x", &json!({"host": "localhost", "target": target})), "Invalid url"),
        (frame(b"x", &json!({"host": "localhost", "target": "/oxen/v4/lsrpc?x"})), "Invalid url"),
    ] {
        let (body, key) = sealed(node, &plain);
        let answer = post(node, "/onion_req/v2", body).await.unwrap();
        assert_eq!(answer.status, 200);
        let reply = key.decrypt(&data_encoding::BASE64.decode(&answer.body).unwrap()).unwrap();
        let reply: Value = serde_json::from_slice(&reply).unwrap();
        assert_eq!(reply, json!({"status": 400, "body": text}));
    }
}

#[tokio::test]
async fn an_unknown_next_node_is_named() {
    let devnet = network().await;
    let stranger = Ed25519Secret::generate(&mut SystemRandom);
    let stranger = Hop { ed25519: stranger.public(), x25519: stranger.to_x25519().public() };
    let hops: Vec<Hop> = devnet.nodes().iter().take(3).map(hop).collect();
    let request =
        onion::build(&hops, &Destination::Node(stranger), b"{}", EncType::AesGcm, &mut SystemRandom);
    let answer = post(&devnet.nodes()[0], "/onion_req/v2", request.unwrap().body).await.unwrap();
    assert_eq!((answer.status, answer.text()), (502, &*format!("Next node not found: {}", stranger.ed25519)));
}

#[tokio::test]
async fn a_path_may_have_fifteen_hops_more_and_no_further() {
    let devnet = network().await;
    let nodes = devnet.nodes();
    let to = &nodes[20];
    for (hops, refused) in [(15, false), (16, true)] {
        let path: Vec<&NodeHandle> = nodes.iter().cycle().take(hops).collect();
        let (answer, key) = through(&path, to, EncType::AesGcm, &rpc_text("info", &json!({}))).await;
        if refused {
            assert_eq!((answer.status, answer.text()), (400, "onion request max path length exceeded"));
        } else {
            assert_eq!(key.open_node(&answer.body).unwrap().status, 200);
        }
    }
}

#[tokio::test]
async fn servers_that_cannot_be_reached_are_described() {
    let devnet = network().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (host, protocol, port, text) in [
        ("files.example.org", Protocol::Https, None, "Could not resolve host: files.example.org".to_owned()),
        (
            "127.0.0.1",
            Protocol::Http,
            Some(free),
            format!("Failed to connect to 127.0.0.1 port {free} after"),
        ),
    ] {
        let destination = Destination::Server {
            host: host.to_owned(),
            target: "/oxen/v4/lsrpc".to_owned(),
            protocol,
            port,
            method: "POST".to_owned(),
            x25519: devnet.file_server_key(),
        };
        let hops: Vec<Hop> = devnet.nodes().iter().take(3).map(hop).collect();
        let request = onion::build(&hops, &destination, b"le", EncType::AesGcm, &mut SystemRandom).unwrap();
        let answer = post(&devnet.nodes()[0], "/onion_req/v2", request.body).await.unwrap();
        assert_eq!(answer.status, 502);
        assert!(answer.text().starts_with(&text), "{}", answer.text());
    }
}

#[tokio::test]
async fn other_addresses_and_methods_are_not_found() {
    let devnet = network().await;
    let node = &devnet.nodes()[0];
    let answer = post(node, "/foo", Vec::new()).await.unwrap();
    assert_eq!((answer.status, answer.text()), (404, "post /foo Not Found"));
    let url = format!("https://{}/onion_req/v2?x=1", node.info().address);
    let reply = crate::client::http().get(url).send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 404);
    assert_eq!(reply.text().await.unwrap(), "get /onion_req/v2?x=1 Not Found");
}

#[tokio::test]
async fn a_body_of_more_than_ten_mebibytes_is_refused() {
    let devnet = network().await;
    let node = &devnet.nodes()[0];
    let http = crate::client::http();
    let fits = post_with(&http, node, "/onion_req/v2", vec![0xff; 10_485_760]).await.unwrap();
    assert_eq!(fits.status, 400);
    // The connection may break before the whole body was sent; the status must never be another one.
    if let Ok(answer) = post_with(&http, node, "/onion_req/v2", vec![0xff; 10_485_761]).await {
        assert_eq!((answer.status, answer.text()), (413, "Request body too large"));
    }
}

#[tokio::test]
async fn old_clients_are_told_to_go() {
    let devnet = network().await;
    let url = format!("https://{}/storage_rpc/v1", devnet.nodes()[0].info().address);
    let reply =
        crate::client::http().post(url).header("X-Loki-Long-Poll", "1").body("{}").send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 410);
}

/// A layer for one node, and its key.
fn sealed(node: &NodeHandle, plain: &[u8]) -> (Vec<u8>, LayerKey) {
    let ephemeral = X25519Secret::generate(&mut SystemRandom);
    let key = LayerKey::client(EncType::AesGcm, &ephemeral, &node.info().x25519).unwrap();
    let sealed = key.encrypt(plain, &mut SystemRandom);
    (frame(&sealed, &json!({"ephemeral_key": ephemeral.public()})), key)
}

fn frame(blob: &[u8], control: &Value) -> Vec<u8> {
    let length = u32::try_from(blob.len()).unwrap().to_le_bytes();
    [&length[..], blob, control.to_string().as_bytes()].concat()
}
