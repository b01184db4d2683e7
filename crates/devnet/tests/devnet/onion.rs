//! Onion requests (spec 03 §6.8).

use septet_protocol::onion::EncType;
use serde_json::{Value, json};

use crate::client::{ask, path, rpc_text, through};
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
}

#[tokio::test]
async fn a_three_hop_store_takes_milliseconds() {
    let devnet = network().await;
    let person = crate::client::Person::new();
    let to = &devnet.swarm_of(&person.account())[0];
    let params = json!({"pubkey": person.id, "timestamp": devnet.now(), "ttl": 86_400_000, "data": "aGVsbG8="});
    let started = std::time::Instant::now();
    for _ in 0..10 {
        assert_eq!(ask(&devnet, to, "store", params.clone()).await.status, 200);
    }
    println!("{:?} for 10 stores, connection included", started.elapsed());
}
