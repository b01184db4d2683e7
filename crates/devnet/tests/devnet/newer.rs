//! What storage server 2.11 does otherwise than 2.8 (spec 09 §4).

use std::time::Duration;

use data_encoding::BASE64;
use septet_devnet::{Devnet, Fault, NodeHandle, ServerVersion};
use septet_protocol::crypto::{Ed25519Secret, SystemRandom};
use septet_protocol::id::{Account, GroupId, Namespace, SwarmId};
use septet_protocol::swarm::request::Revoke;
use septet_protocol::swarm::{Auth, SubaccountToken};
use septet_protocol::time::Timestamp;
use serde_json::{Value, json};

use crate::client::{Answer, Person, ask, direct, post};
use crate::network;

const DAY: u64 = 86_400_000;

async fn newer() -> Devnet {
    Devnet::builder().server_version(ServerVersion::V2_11).start().await.unwrap()
}

/// A member of a person's swarm.
fn member(devnet: &Devnet, who: &Person) -> NodeHandle {
    devnet.swarm_of(&who.account())[0].clone()
}

/// Stores something in a namespace, signed.
async fn store(node: &NodeHandle, who: &Person, namespace: i16, timestamp: u64, now: u64) -> Answer {
    let scope = if namespace == 0 { String::new() } else { namespace.to_string() };
    let params = json!({"namespace": namespace, "timestamp": timestamp, "sig_timestamp": now, "ttl": DAY,
                        "data": BASE64.encode(&timestamp.to_le_bytes())});
    direct(node, "store", who.signed(params, &format!("store{scope}{now}"))).await
}

async fn retrieve(node: &NodeHandle, who: &Person, namespace: i16, now: u64) -> Value {
    let params = json!({"namespace": namespace, "timestamp": now});
    let answer = direct(node, "retrieve", who.signed(params, &format!("retrieve{namespace}{now}"))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["messages"].clone()
}

#[tokio::test]
async fn it_says_its_version_everywhere() {
    let devnet = newer().await;
    let node = &devnet.nodes()[0];
    assert_eq!(direct(node, "info", json!({})).await.json()["version"], json!([2, 11, 3]));
    let list = json!({"endpoint": "get_service_nodes", "params": {}});
    let list = direct(node, "oxend_request", list).await.json();
    let told = &list["result"]["service_node_states"][0]["storage_server_version"];
    assert_eq!(told, &json!([2, 11, 3]));
    let condition = json!({"if": {"v_at_least": [2, 11]}, "then": {"method": "info", "params": {}}});
    assert_eq!(direct(node, "ifelse", condition).await.json()["condition"], json!(true));
    let nodes = direct(node, "active_nodes_bin", json!({})).await.json();
    assert_eq!(BASE64.decode(nodes.as_str().unwrap().as_bytes()).unwrap().len(), 21 * 51);
    assert_eq!(post(node, "/foo", Vec::new()).await.unwrap().text(), "POST /foo Not Found");
}

#[tokio::test]
async fn nothing_is_stored_in_the_reserved_namespace_nor_found() {
    let (devnet, older, bob) = (newer().await, network().await, Person::new());
    let node = member(&devnet, &bob);
    assert_eq!(store(&node, &bob, -3741, devnet.now(), devnet.now()).await.status, 403);
    devnet.deliver(&bob.account(), Namespace(-3741), *b"x", devnet.now(), devnet.now() + DAY);
    assert_eq!(retrieve(&node, &bob, -3741, devnet.now()).await, json!([]));
    let node = member(&older, &bob);
    assert_eq!(store(&node, &bob, -3741, older.now(), older.now()).await.status, 200);
    assert_eq!(retrieve(&node, &bob, -3741, older.now()).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_public_outbox_keeps_the_newest_message_whatever_the_order() {
    for (devnet, kept_in_order) in [(newer().await, false), (network().await, true)] {
        let (bob, now) = (Person::new(), devnet.now());
        let node = member(&devnet, &bob);
        for timestamp in [now - 2000, now - 1000, now - 3000] {
            let answer = store(&node, &bob, -21, timestamp, now).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        let expected = if kept_in_order { now - 3000 } else { now - 1000 };
        let messages = retrieve(&node, &bob, -21, now).await;
        assert_eq!(messages.as_array().unwrap().len(), 1);
        assert_eq!(messages[0]["timestamp"], json!(expected));
    }
}

#[tokio::test]
async fn an_owner_is_told_which_tokens_are_revoked() {
    let devnet = newer().await;
    let (key, member) =
        (Ed25519Secret::generate(&mut SystemRandom), Ed25519Secret::generate(&mut SystemRandom));
    let id = GroupId(key.public().0);
    let account = Account::Group(id);
    let node = devnet.swarm_of(&account)[0].clone();
    devnet.deliver(&account, Namespace(11), *b"x", devnet.now(), devnet.now() + DAY);
    let token = SubaccountToken::for_group(7, &member.public());
    let list = async |signer: &Ed25519Secret| {
        let now = devnet.now();
        let signature = BASE64.encode(&signer.sign(format!("revoked_subaccounts{now}").as_bytes()));
        let params = json!({"pubkey": id, "timestamp": now, "signature": signature});
        direct(&node, "revoked_subaccounts", params).await
    };
    assert_eq!(list(&key).await.json()["revoked_subaccounts"], json!([]));
    let auth = Auth::GroupAdmin { id, key: &key };
    let now = Timestamp::from_ms(devnet.now());
    let revoke = Revoke { tokens: vec![token], undo: false }.rpc(&auth, now);
    assert_eq!(direct(&node, revoke.method(), revoke.params().clone()).await.status, 200);
    let told = list(&key).await.json();
    assert_eq!(told["revoked_subaccounts"], json!([token.to_base64()]));
    assert!(told["t"].is_u64() && told["hf"].is_array());
    assert_eq!(list(&member).await.status, 401, "only the owner");
    let old = json!({"pubkey": id, "timestamp": devnet.now() - 61_000, "signature": BASE64.encode(&[0; 64])});
    assert_eq!(direct(&node, "revoked_subaccounts", old).await.status, 406);

    let older = network().await;
    let answer = direct(&older.nodes()[0], "revoked_subaccounts", json!({})).await;
    assert_eq!((answer.status, answer.text()), (400, "no method revoked_subaccounts"));
}

#[tokio::test]
async fn the_expiries_of_all_messages_can_be_asked_for() {
    for (devnet, known) in [(newer().await, true), (network().await, false)] {
        let (bob, now) = (Person::new(), devnet.now());
        let first = devnet.deliver(&bob.account(), Namespace(0), *b"a", now, now + DAY);
        let second = devnet.deliver(&bob.account(), Namespace(2), *b"b", now, now + 2 * DAY);
        let params =
            bob.signed(json!({"messages": ["all"], "timestamp": now}), &format!("get_expiries{now}all"));
        let answer = direct(&member(&devnet, &bob), "get_expiries", params).await;
        let all = json!({first.to_string(): now + DAY, second.to_string(): now + 2 * DAY});
        assert_eq!(answer.json()["expiries"], if known { all } else { json!({}) });
    }
}

#[tokio::test]
async fn what_is_older_can_be_deleted_in_all_namespaces() {
    let (devnet, older, bob) = (newer().await, network().await, Person::new());
    let now = devnet.now();
    let mut gone = Vec::new();
    for (namespace, timestamp) in [(0, now - 2000), (2, now - 1000), (2, now)] {
        let data = timestamp.to_le_bytes();
        let hash = devnet.deliver(&bob.account(), Namespace(namespace), data, timestamp, now + DAY);
        gone.push(hash.to_string());
    }
    let before = now - 1000;
    let params =
        bob.signed(json!({"namespace": "all", "before": before}), &format!("delete_beforeall{before}"));
    let refused = direct(&member(&older, &bob), "delete_before", params.clone()).await;
    assert_eq!((refused.status, refused.text()), (500, "request failed"));
    let node = member(&devnet, &bob);
    let reply = direct(&node, "delete_before", params).await.json();
    let entry = &reply["swarm"][node.ed25519().to_string()];
    assert_eq!(entry["deleted"], json!({"0": [gone[0]], "2": [gone[1]]}));
    let mut hashes = gone[..2].to_vec();
    hashes.sort();
    let signed = format!("{}{before}{}", bob.id, hashes.concat());
    let signature = BASE64.decode(entry["signature"].as_str().unwrap().as_bytes()).unwrap();
    assert!(node.ed25519().verify(signed.as_bytes(), &signature.try_into().unwrap()));
    assert_eq!(devnet.messages_of(&bob.account(), Namespace(2)).len(), 1);
    assert!(devnet.messages_of(&bob.account(), Namespace(0)).is_empty());
}

/// Waits until a node has a message of an account.
async fn until_it_has_one(node: &NodeHandle, who: &Person) {
    let has_one = async {
        while node.messages_of(&who.account(), Namespace(0)).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), has_one).await.unwrap();
}

#[tokio::test]
async fn members_that_are_gone_are_left_out_and_catch_up_later() {
    let (devnet, bob) = (newer().await, Person::new());
    let swarm = devnet.swarm_of(&bob.account());
    swarm[1].set_fault(Fault::Dead);
    let params = json!({"pubkey": bob.id, "timestamp": devnet.now(), "ttl": DAY, "data": "YQ=="});
    let entries = direct(&swarm[0], "store", params).await.json()["swarm"].clone();
    assert_eq!(entries.as_object().unwrap().len(), 6);
    assert!(entries.get(swarm[1].ed25519().to_string()).is_none());
    assert!(swarm[1].messages_of(&bob.account(), Namespace(0)).is_empty());
    swarm[1].clear_faults();
    until_it_has_one(&swarm[1], &bob).await;
}

#[tokio::test]
async fn members_that_time_out_catch_up_later() {
    let patience = Duration::from_millis(50);
    let devnet = Devnet::builder().server_version(ServerVersion::V2_11).member_patience(patience);
    let (devnet, bob) = (devnet.start().await.unwrap(), Person::new());
    let swarm = devnet.swarm_of(&bob.account());
    swarm[1].set_fault(Fault::Frozen);
    swarm[2].set_fault(Fault::Drop(1.0));
    let params = json!({"pubkey": bob.id, "timestamp": devnet.now(), "ttl": DAY, "data": "YQ=="});
    let entries = direct(&swarm[0], "store", params).await.json()["swarm"].clone();
    for node in &swarm[1..3] {
        assert_eq!(entries[node.ed25519().to_string()], json!({"failed": true, "timeout": true}));
        assert!(node.messages_of(&bob.account(), Namespace(0)).is_empty());
    }
    for node in &swarm[1..3] {
        node.clear_faults();
        until_it_has_one(node, &bob).await;
    }
}

#[tokio::test]
async fn a_network_without_swarms_says_so() {
    for (devnet, status) in [(newer().await, 500), (network().await, 421)] {
        let bob = Person::new();
        for node in devnet.nodes() {
            devnet.assign(node, SwarmId::NONE, septet_devnet::Handover::Lost);
        }
        let params = json!({"pubkey": bob.id, "timestamp": devnet.now(), "ttl": DAY, "data": "YQ=="});
        let reply = ask(&devnet, &devnet.nodes()[9], "store", params).await;
        assert_eq!(reply.status, status);
        if status == 500 {
            assert_eq!(&reply.body[..], b"No swarms known!");
        }
    }
}
