//! The storage requests (spec 03 §9).

use serde_json::json;

use crate::client::{Person, direct};
use crate::network;

#[tokio::test]
async fn what_was_stored_is_retrieved() {
    let devnet = network().await;
    let bob = Person::new();
    let node = &devnet.swarm_of(&bob.account())[0];
    let now = devnet.now();
    let params = json!({"pubkey": bob.id, "timestamp": now, "ttl": 86_400_000, "data": "aGVsbG8="});
    let stored = direct(node, "store", params).await;
    assert_eq!(stored.status, 200, "{stored:?}");
    let text = format!("retrieve{now}");
    let got = direct(node, "retrieve", bob.signed(json!({"timestamp": now, "namespace": 0}), &text)).await.json();
    assert_eq!(got["messages"][0]["data"], "aGVsbG8=");
    assert_eq!(got["messages"][0]["hash"], stored.json()["hash"]);
    assert_eq!(got["more"], false);
}
