//! Requests that are held until a test lets them go, and requests counted by account.

use std::collections::BTreeMap;
use std::sync::Arc;

use septet_devnet::{Devnet, NodeHandle};
use septet_protocol::id::Namespace;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::client::{Answer, Person, direct};
use crate::network;

const DAY: u64 = 86_400_000;

fn message(devnet: &Devnet, to: &Person, text: &str) -> Value {
    let data = data_encoding::BASE64.encode(text.as_bytes());
    json!({"pubkey": to.id, "timestamp": devnet.now(), "ttl": DAY, "data": data})
}

/// Asks in the background.
fn begin(node: &NodeHandle, method: &'static str, params: Value) -> JoinHandle<Answer> {
    let node = node.clone();
    tokio::spawn(async move { direct(&node, method, params).await })
}

fn stored(devnet: &Devnet, who: &Person) -> Vec<String> {
    let node = &devnet.swarm_of(&who.account())[0];
    let messages = node.messages_of(&who.account(), Namespace(0));
    messages.iter().map(|message| String::from_utf8(message.data.to_vec()).unwrap()).collect()
}

#[tokio::test]
async fn what_is_held_waits_in_order_and_goes_on_when_let_through() {
    let (devnet, bob) = (network().await, Person::new());
    let swarm = devnet.swarm_of(&bob.account());
    let hold = devnet.hold("store");
    let mut asked = Vec::new();
    for (place, text) in ["first", "second", "third"].into_iter().enumerate() {
        asked.push(begin(&swarm[place], "store", message(&devnet, &bob, text)));
        hold.until_held(place + 1).await;
    }
    assert_eq!(hold.held(), 3);
    assert_eq!(devnet.requests()["store"], 3, "what is held has been counted");
    assert!(stored(&devnet, &bob).is_empty());
    assert_eq!(direct(&swarm[0], "info", json!({})).await.status, 200, "other requests go on");

    hold.let_through(1);
    let mut asked = asked.into_iter();
    assert_eq!(asked.next().unwrap().await.unwrap().status, 200);
    assert_eq!(stored(&devnet, &bob), ["first"]);
    assert_eq!(hold.held(), 2);
    drop(hold);
    for reply in asked {
        assert_eq!(reply.await.unwrap().status, 200);
    }
    assert_eq!(stored(&devnet, &bob).len(), 3);
    let late = direct(&swarm[0], "store", message(&devnet, &bob, "fourth")).await;
    assert_eq!(late.status, 200, "nothing is held any more");
}

#[tokio::test]
async fn one_member_holds_while_the_others_go_on() {
    let (devnet, bob) = (network().await, Person::new());
    let swarm = devnet.swarm_of(&bob.account());
    let hold = swarm[0].hold("store");
    let held = begin(&swarm[0], "store", message(&devnet, &bob, "held"));
    hold.until_held(1).await;
    assert_eq!(direct(&swarm[1], "store", message(&devnet, &bob, "overtakes")).await.status, 200);
    assert_eq!(stored(&devnet, &bob), ["overtakes"], "also at the member that holds: it was passed on to it");
    drop(hold);
    assert_eq!(held.await.unwrap().status, 200);
    assert_eq!(stored(&devnet, &bob), ["overtakes", "held"]);
}

#[tokio::test]
async fn a_held_part_holds_its_batch_and_a_client_that_leaves_stops_nothing() {
    let (devnet, bob) = (Arc::new(network().await), Person::new());
    let node = devnet.swarm_of(&bob.account())[0].clone();
    let hold = devnet.hold("store");
    let requests = [
        json!({"method": "store", "params": message(&devnet, &bob, "one")}),
        json!({"method": "get_swarm", "params": {"pubkey": bob.id}}),
    ];
    let batch = begin(&node, "batch", json!({"requests": requests}));
    hold.until_held(1).await;
    let other = devnet.hold("store");
    batch.abort();
    assert!(batch.await.unwrap_err().is_cancelled());
    drop(hold);
    // The second hold came after the request: it does not hold it.
    let arrived = async {
        while stored(&devnet, &bob).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), arrived).await.unwrap();
    assert_eq!(other.held(), 0);
}

#[tokio::test]
async fn a_network_that_stops_lets_go_of_what_it_held() {
    let (devnet, bob) = (network().await, Person::new());
    let hold = devnet.hold("store");
    let node = devnet.swarm_of(&bob.account())[0].clone();
    let params = message(&devnet, &bob, "never");
    let asked = tokio::spawn(async move {
        let text = crate::client::rpc_text("store", &params).into_bytes();
        crate::client::post(&node, "/storage_rpc/v1", text).await
    });
    hold.until_held(1).await;
    devnet.shutdown().await;
    assert!(asked.await.unwrap().is_err());
    assert_eq!(hold.held(), 0);
}

#[tokio::test]
async fn requests_are_counted_by_account() {
    let (devnet, bob, eve) = (network().await, Person::new(), Person::new());
    let node = devnet.swarm_of(&bob.account())[0].clone();
    let requests = [
        json!({"method": "store", "params": message(&devnet, &bob, "one")}),
        json!({"method": "store", "params": message(&devnet, &bob, "two")}),
        json!({"method": "get_swarm", "params": {"pubkey": eve.id}}),
        json!({"method": "info", "params": {}}),
    ];
    assert_eq!(direct(&node, "batch", json!({"requests": requests})).await.status, 200);
    let other = &devnet.swarm_of(&bob.account())[1];
    assert_eq!(direct(other, "store", message(&devnet, &bob, "three")).await.status, 200);
    let counts = |counts: &[(&str, u64)]| -> BTreeMap<String, u64> {
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    assert_eq!(devnet.requests_of(&bob.account()), counts(&[("store", 3)]));
    assert_eq!(node.requests_of(&bob.account()), counts(&[("store", 2)]));
    assert_eq!(devnet.requests_of(&eve.account()), counts(&[("get_swarm", 1)]));
    assert_eq!(devnet.requests_of(&Person::new().account()), BTreeMap::new());
    devnet.reset_requests();
    assert_eq!(devnet.requests_of(&bob.account()), BTreeMap::new());
}
