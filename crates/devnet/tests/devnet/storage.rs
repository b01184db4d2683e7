//! The storage requests that succeed (spec 03 §9), read with the protocol's own reply types, which verify every
//! member's signature.

use std::collections::BTreeSet;

use data_encoding::BASE64;
use septet_devnet::{Devnet, DevnetBuilder, Fault, NodeHandle};
use septet_protocol::id::{MessageHash, Namespace};
use septet_protocol::swarm::reply::{DeleteReply, ExpireReply, RetrieveReply, StoreReply, SweepReply};
use septet_protocol::swarm::request::{Delete, DeleteAll, DeleteBefore, Expire, ExpireAll, GetExpiries};
use septet_protocol::swarm::signing::{ExpireMode, Scope};
use septet_protocol::swarm::{self, Auth, MemberKeys, Rpc};
use septet_protocol::time::Timestamp;
use serde_json::{Value, json};

use crate::client::{Person, ask, direct};
use crate::network;

const DAY: u64 = 86_400_000;

fn now(devnet: &Devnet) -> Timestamp {
    Timestamp::from_ms(devnet.now())
}

/// Stores text in namespace 0; the hash.
async fn store(devnet: &Devnet, node: &NodeHandle, to: &Person, text: &str) -> MessageHash {
    let data = BASE64.encode(text.as_bytes());
    let params = json!({"pubkey": to.id, "timestamp": devnet.now(), "ttl": DAY, "data": data});
    let answer = direct(node, "store", params).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["hash"].as_str().unwrap().parse().unwrap()
}

async fn good(node: &NodeHandle, rpc: &Rpc) -> Value {
    let answer = direct(node, rpc.method(), rpc.params().clone()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn retrieve(devnet: &Devnet, node: &NodeHandle, who: &Person, extra: Value) -> RetrieveReply {
    let now = devnet.now();
    let mut params = who.signed(json!({"timestamp": now, "namespace": 0}), &format!("retrieve{now}"));
    params.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let answer = direct(node, "retrieve", params).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    RetrieveReply::read(&answer.json(), &who.account(), Namespace::MESSAGES).unwrap()
}

/// The keys of an account's swarm.
fn members(devnet: &Devnet, who: &Person) -> MemberKeys {
    devnet.swarm_of(&who.account()).iter().map(NodeHandle::ed25519).collect()
}

fn texts(reply: &RetrieveReply) -> Vec<String> {
    reply.messages.iter().map(|message| String::from_utf8(message.data.to_vec()).unwrap()).collect()
}

#[tokio::test]
async fn every_member_stores_signs_and_gives_back() {
    let devnet = network().await;
    let bob = Person::new();
    let swarm = devnet.swarm_of(&bob.account());
    assert_eq!(swarm.len(), 7);
    let (timestamp, ttl) = (devnet.now(), DAY);
    let params =
        json!({"pubkey": bob.id, "timestamp": timestamp, "ttl": ttl, "data": BASE64.encode(b"hello")});
    let reply = ask(&devnet, &swarm[3], "store", params.clone()).await;
    assert_eq!(reply.status, 200);
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let expected = swarm::message_hash(&bob.account(), Namespace::MESSAGES, b"hello");
    let read = StoreReply::read(&body, &members(&devnet, &bob), expected).unwrap();
    assert_eq!(body["hash"], json!(expected));
    assert_eq!(read.members.done().count(), 7, "every signature holds");
    let own = &body["swarm"][swarm[3].ed25519().to_string()];
    assert!(own["t"].is_u64(), "the entry of the node that was asked has a time of its own");
    assert_eq!(own["expiry"], json!(timestamp + ttl));
    assert!(own.get("already").is_none());

    // The same bytes again: nothing new; `already` is a boolean here and a number from the other members.
    let later = json!({"pubkey": bob.id.to_string().to_uppercase(), "timestamp": timestamp + 1, "ttl": 2 * DAY,
                       "data": BASE64.encode(b"hello")});
    let body = direct(&swarm[3], "store", later).await.json();
    assert_eq!(body["swarm"][swarm[3].ed25519().to_string()]["already"], json!(true));
    assert_eq!(body["swarm"][swarm[0].ed25519().to_string()]["already"], json!(1));
    assert_eq!(body["swarm"][swarm[0].ed25519().to_string()]["expiry"], json!(timestamp + 1 + 2 * DAY));
    for node in &swarm {
        let stored = node.messages_of(&bob.account(), Namespace::MESSAGES);
        assert_eq!(stored.len(), 1);
        assert_eq!((stored[0].timestamp, stored[0].expiry), (timestamp, timestamp + 1 + 2 * DAY));
    }
    assert_eq!(devnet.messages_of(&bob.account(), Namespace::MESSAGES).len(), 1);
    let got = retrieve(&devnet, &swarm[6], &bob, json!({})).await;
    assert_eq!(got.messages[0].hash, expected);
    assert_eq!(&got.messages[0].data[..], b"hello");
}

#[tokio::test]
async fn the_largest_message_fits() {
    let devnet = network().await;
    let bob = Person::new();
    let node = &devnet.swarm_of(&bob.account())[0];
    let data = BASE64.encode(&vec![7; 76_800]);
    let params =
        json!({"pubkey": bob.id, "timestamp": devnet.now(), "expiry": devnet.now() + DAY, "data": data});
    assert_eq!(ask(&devnet, node, "store", params).await.status, 200);
}

#[tokio::test]
async fn pages_follow_one_another() {
    let devnet = network().await;
    let bob = Person::new();
    let node = &devnet.swarm_of(&bob.account())[0];
    for number in 0..10 {
        store(&devnet, node, &bob, &format!("message {number}")).await;
    }
    let page = retrieve(&devnet, node, &bob, json!({"max_count": 4})).await;
    assert_eq!((page.messages.len(), page.more), (4, true));
    let last = page.messages[3].hash;
    let page = retrieve(&devnet, node, &bob, json!({"last_hash": last})).await;
    assert_eq!((texts(&page)[0].as_str(), page.messages.len(), page.more), ("message 4", 6, false));
    let page = retrieve(&devnet, node, &bob, json!({"lastHash": last, "max_size": 320})).await;
    assert_eq!((page.messages.len(), page.more), (2, true), "100 + 43 + 12 bytes each");
    let page = retrieve(&devnet, node, &bob, json!({"max_size": 1})).await;
    assert_eq!((page.messages.len(), page.more), (1, true), "one at least");
    for start in [json!(""), json!(null), json!("A".repeat(43))] {
        let page = retrieve(&devnet, node, &bob, json!({"last_hash": start})).await;
        assert_eq!(page.messages.len(), 10, "unknown or none: from the beginning");
    }
    assert_eq!(retrieve(&devnet, node, &bob, json!({"max_count": -1})).await.messages.len(), 0);
}

#[tokio::test]
async fn a_page_holds_a_share_of_the_largest_size() {
    let devnet = network().await;
    let bob = Person::new();
    let node = &devnet.swarm_of(&bob.account())[0];
    let now = devnet.now();
    for number in 0..40_u8 {
        devnet.deliver(&bob.account(), Namespace::MESSAGES, vec![number; 75_000], now, now + DAY);
    }
    // 7,800,000 / 8 = 975,000, at 100,143 a message.
    let page = retrieve(&devnet, node, &bob, json!({"max_size": -8})).await;
    assert_eq!((page.messages.len(), page.more), (9, true));
    // A fifth if nothing is said.
    assert_eq!(retrieve(&devnet, node, &bob, json!({})).await.messages.len(), 15);
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_signed_for() {
    let devnet = network().await;
    let bob = Person::new();
    let node = &devnet.swarm_of(&bob.account())[0];
    let (a, b) = (store(&devnet, node, &bob, "a").await, store(&devnet, node, &bob, "b").await);
    let unknown = MessageHash([7; 32]);
    let auth = Auth::User { id: bob.id, key: &bob.key };
    let request = Delete { hashes: vec![b, unknown, a, b], required: true };
    let body = good(node, &request.rpc(&auth)).await;
    let reply = DeleteReply::read(&body, &members(&devnet, &bob), &bob.account(), &request).unwrap();
    assert_eq!(reply.members.done().count(), 7);
    let expected: BTreeSet<MessageHash> = [a, b].into();
    assert!(reply.members.done().all(|(_, deleted)| *deleted == expected));
    assert!(devnet.messages_of(&bob.account(), Namespace::MESSAGES).is_empty());

    let again = direct(node, "delete", request.rpc(&auth).params().clone()).await;
    assert_eq!(again.status, 404, "required, and nothing was there");
    assert!(again.json()["swarm"].is_object());
    let not_required = Delete { required: false, ..request };
    good(node, &not_required.rpc(&auth)).await;
}

#[tokio::test]
async fn namespaces_are_emptied_one_by_one_or_all_together() {
    let devnet = network().await;
    let bob = Person::new();
    let node = &devnet.swarm_of(&bob.account())[0];
    let auth = Auth::User { id: bob.id, key: &bob.key };
    let start = devnet.now();
    let deliver = |namespace, text: &str, timestamp| {
        devnet.deliver(&bob.account(), Namespace(namespace), text.as_bytes(), timestamp, start + DAY)
    };
    let hashes = [
        deliver(0, "old", start - 1000),
        deliver(0, "new", start),
        deliver(2, "p", start),
        deliver(3, "c", start),
    ];

    let before = DeleteBefore { namespace: Namespace(0), before: Timestamp::from_ms(start - 1000) };
    let body = good(node, &before.rpc(&auth)).await;
    let reply = SweepReply::read(&body, &members(&devnet, &bob), &bob.account(), before.before).unwrap();
    assert_eq!(reply.members.done().count(), 7);
    assert!(reply.members.done().all(|(_, deleted)| *deleted == BTreeSet::from([hashes[0]])));
    let everywhere =
        bob.signed(json!({"namespace": "all", "before": start}), &format!("delete_beforeall{start}"));
    let answer = direct(node, "delete_before", everywhere).await;
    assert_eq!((answer.status, answer.text()), (500, "request failed"), "the official server's defect");

    let when = now(&devnet);
    let one = DeleteAll { scope: Scope::One(Namespace(2)) };
    let reply = SweepReply::read(
        &good(node, &one.rpc(&auth, when)).await,
        &members(&devnet, &bob),
        &bob.account(),
        when,
    )
    .unwrap();
    assert!(reply.members.done().all(|(_, deleted)| *deleted == BTreeSet::from([hashes[2]])));
    let all = DeleteAll { scope: Scope::All };
    let body = good(node, &all.rpc(&auth, when)).await;
    let own = &body["swarm"][node.ed25519().to_string()]["deleted"];
    assert_eq!(*own, json!({"0": [hashes[1]], "3": [hashes[3]]}));
    let reply = SweepReply::read(&body, &members(&devnet, &bob), &bob.account(), when).unwrap();
    assert_eq!(reply.members.done().count(), 7);
}

#[tokio::test]
async fn expiries_are_set_shortened_and_extended() {
    let devnet = network().await;
    let bob = Person::new();
    let node = &devnet.swarm_of(&bob.account())[0];
    let auth = Auth::User { id: bob.id, key: &bob.key };
    let start = devnet.now();
    let deliver =
        |text: &str, expiry| devnet.deliver(&bob.account(), Namespace(0), text.as_bytes(), start, expiry);
    let (short, long) = (deliver("short", start + DAY), deliver("long", start + 9 * DAY));
    let hashes = vec![long, short, MessageHash([1; 32])];
    let expire = async |expiries: Vec<u64>, mode| {
        let expiries = expiries.into_iter().map(Timestamp::from_ms).collect();
        let request = Expire { hashes: hashes.clone(), expiries, mode };
        let body = good(node, &request.rpc(&auth)).await;
        let reply = ExpireReply::read(&body, &members(&devnet, &bob), &bob.account(), &request).unwrap();
        assert_eq!(reply.members.done().count(), 7, "{mode:?} {body}");
        body["swarm"][node.ed25519().to_string()].clone()
    };
    let sorted = |mut hashes: Vec<MessageHash>| {
        hashes.sort_by_key(MessageHash::to_string);
        json!(hashes)
    };
    let to = start + 5 * DAY;
    let entry = expire(vec![to], ExpireMode::Extend).await;
    assert_eq!((&entry["expiry"], &entry["updated"]), (&json!(to), &json!([short])));
    assert_eq!(entry["unchanged"], json!({long.to_string(): start + 9 * DAY}));
    let entry = expire(vec![to], ExpireMode::Shorten).await;
    assert_eq!((&entry["updated"], &entry["unchanged"]), (&json!([long]), &json!({short.to_string(): to})));
    let entry = expire(vec![start + 2 * DAY], ExpireMode::Set).await;
    assert_eq!(entry["updated"], sorted(vec![long, short]));
    assert!(entry.get("unchanged").is_none());
    let entry = expire(vec![start + 3 * DAY, start + 4 * DAY, to], ExpireMode::Set).await;
    assert_eq!(entry["expiry"].as_array().unwrap().len(), 2, "as many as were updated");
    let entry = expire(vec![start + 99 * DAY], ExpireMode::Set).await;
    let capped = entry["expiry"].as_u64().unwrap();
    assert!(capped.abs_diff(devnet.now() + 30 * DAY) < 60_000, "capped at 30 days");

    let when = now(&devnet);
    let request = GetExpiries { hashes: hashes.clone() };
    let body = good(node, &request.rpc(&auth, when)).await;
    assert_eq!(body, json!({"expiries": {long.to_string(): capped, short.to_string(): capped}}));

    let request = ExpireAll { scope: Scope::All, expiry: Timestamp::from_ms(to) };
    let body = good(node, &request.rpc(&auth)).await;
    assert_eq!(body["swarm"][node.ed25519().to_string()]["updated"], json!({"0": sorted(vec![long, short])}));
    let reply = SweepReply::read(&body, &members(&devnet, &bob), &bob.account(), request.expiry).unwrap();
    assert_eq!(reply.members.done().count(), 7);
}

#[tokio::test]
async fn the_expired_are_swept_away() {
    let devnet = network().await;
    let bob = Person::new();
    let node = &devnet.swarm_of(&bob.account())[0];
    store(&devnet, node, &bob, "soon gone").await;
    devnet.set_clock_offset(i64::try_from(DAY).unwrap() + 1000);
    devnet.sweep();
    assert!(retrieve(&devnet, node, &bob, json!({})).await.messages.is_empty());
}

#[tokio::test]
async fn batches_run_all_and_sequences_up_to_the_first_failure() {
    let devnet = network().await;
    let bob = Person::new();
    let node = &devnet.swarm_of(&bob.account())[0];
    let store = |ttl| {
        json!({"method": "store", "params":
            {"pubkey": bob.id, "timestamp": devnet.now(), "ttl": ttl, "data": BASE64.encode(b"x")}})
    };
    let requests = json!({"requests": [store(DAY), store(1), {"method": "info", "params": {}}]});
    let batch = direct(node, "batch", requests.clone()).await;
    let results = swarm::reply::results(batch.json()).unwrap();
    assert_eq!(results.iter().map(|result| result.code).collect::<Vec<_>>(), [200, 403, 200]);
    assert_eq!(results[1].body, json!("Provided expiry/TTL is not valid."));
    assert!(batch.json().get("t").is_none());
    let sequence = direct(node, "sequence", requests).await;
    let results = swarm::reply::results(sequence.json()).unwrap();
    assert_eq!(results.iter().map(|result| result.code).collect::<Vec<_>>(), [200, 403]);
    let twenty = json!({"requests": vec![json!({"method": "info", "params": {}}); 20]});
    assert_eq!(swarm::reply::results(direct(node, "batch", twenty).await.json()).unwrap().len(), 20);
}

/// The bodies of spec 03 §9.18, as the official desktop client sends them.
#[tokio::test]
async fn the_documents_examples_work() {
    let devnet = network().await;
    let bob = Person::new();
    let node = &devnet.swarm_of(&bob.account())[0];
    let now = devnet.now();
    let store = json!({"requests": [{"method": "store", "params": {"pubkey": bob.id, "namespace": 0, "timestamp": now,
        "ttl": 1_209_600_000, "data": BASE64.encode(b"hello")}}]});
    let reply = ask(&devnet, node, "sequence", store).await;
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let stored = &body["results"][0]["body"];
    assert_eq!(body["results"][0]["code"], 200);
    let hash = stored["hash"].as_str().unwrap();
    assert_eq!(stored["swarm"].as_object().unwrap().len(), 7);

    let retrieve = |namespace: i16, last_hash: &str, max_size: i32, text: String| {
        json!({"method": "retrieve", "params": bob.signed(
            json!({"namespace": namespace, "last_hash": last_hash, "max_size": max_size, "timestamp": now}), &text)})
    };
    let expiry = now + 30 * DAY;
    let poll = json!({"requests": [
        retrieve(0, "", -2, format!("retrieve{now}")),
        retrieve(2, hash, -8, format!("retrieve2{now}")),
        {"method": "expire", "params":
            bob.signed(json!({"messages": [hash], "expiry": expiry}), &format!("expire{expiry}{hash}"))},
    ]});
    let reply = ask(&devnet, node, "batch", poll).await;
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let results = &body["results"];
    assert_eq!(results[0]["body"]["messages"][0]["hash"], hash);
    assert_eq!(results[0]["body"]["messages"][0]["timestamp"], now);
    assert_eq!(results[1]["body"]["messages"], json!([]));
    let own = &results[2]["body"]["swarm"][node.ed25519().to_string()];
    assert_eq!((&own["expiry"], &own["updated"]), (&json!(expiry), &json!([hash])));
}

#[tokio::test]
async fn conditions_choose_a_branch() {
    let devnet = network().await;
    let node = &devnet.nodes()[0];
    let info = json!({"method": "info", "params": {}});
    for (condition, holds) in [
        (json!({"hf_at_least": [19, 4]}), true),
        (json!({"hf_before": [19, 4]}), false),
        (json!({"v_at_least": [2, 11, 0]}), false),
        (json!({"v_before": [2, 9]}), true),
        (json!({"hf_at_least": [19], "height_before": 1}), false),
        (json!({"height_at_least": 1}), true),
    ] {
        let reply = direct(node, "ifelse", json!({"if": condition, "then": info})).await.json();
        assert_eq!(reply["condition"], json!(holds), "{condition}");
        assert_eq!(reply["result"]["code"] == json!(200), holds);
        assert_eq!((&reply["v"], &reply["hf"]), (&json!([2, 8, 0]), &json!([19, 4])));
    }
    let batch = json!({"if": {"v_before": [0]}, "else": {"method": "batch", "params": {"requests": [info]}}});
    let reply = direct(node, "ifelse", batch).await.json();
    assert_eq!(reply["result"]["body"]["results"][0]["code"], 200);
}

#[tokio::test]
async fn private_namespaces_are_the_owners() {
    let devnet = network().await;
    let bob = Person::new();
    let node = &devnet.swarm_of(&bob.account())[0];
    let now = devnet.now();
    for namespace in [2, 3, 4, 5, -11, 32_767, -32_768] {
        let params =
            json!({"namespace": namespace, "timestamp": now, "ttl": DAY, "data": BASE64.encode(b"c")});
        let signed = bob.signed(params, &format!("store{namespace}{now}"));
        assert_eq!(direct(node, "store", signed).await.status, 200, "{namespace}");
        let params = json!({"namespace": namespace, "timestamp": now});
        let signed = bob.signed(params, &format!("retrieve{namespace}{now}"));
        assert_eq!(direct(node, "retrieve", signed).await.json()["messages"].as_array().unwrap().len(), 1);
    }
    // Anyone may leave something in an inbox and look at an outbox.
    let inbox = json!({"pubkey": bob.id, "namespace": 10, "timestamp": now, "ttl": DAY, "data": "YQ=="});
    assert_eq!(direct(node, "store", inbox).await.status, 200);
    let outbox = direct(node, "retrieve", json!({"pubkey": bob.id, "namespace": -21})).await;
    assert_eq!(outbox.status, 200);
    for text in ["first", "second"] {
        let params =
            json!({"namespace": -21, "timestamp": now, "ttl": DAY, "data": BASE64.encode(text.as_bytes())});
        direct(node, "store", bob.signed(params, &format!("store-21{now}"))).await;
    }
    let outbox = direct(node, "retrieve", json!({"pubkey": bob.id, "namespace": -21})).await.json();
    assert_eq!(outbox["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_silent_member_makes_a_store_slow_but_not_wrong() {
    let patience = std::time::Duration::from_millis(200);
    let devnet = DevnetBuilder::new().member_patience(patience).start().await.unwrap();
    let bob = Person::new();
    let swarm = devnet.swarm_of(&bob.account());
    swarm[1].set_fault(Fault::Dead);
    swarm[2].set_fault(Fault::Garbage);
    swarm[3].set_fault(Fault::WrongSignature);
    swarm[4].set_fault(Fault::ClockSkew(-86_400_000));
    let started = std::time::Instant::now();
    let params = json!({"pubkey": bob.id, "timestamp": devnet.now(), "ttl": DAY, "data": "YQ=="});
    let body = direct(&swarm[0], "store", params).await.json();
    assert!(started.elapsed() >= patience);
    let entry = |index: usize| &body["swarm"][swarm[index].ed25519().to_string()];
    assert_eq!(*entry(1), json!({"failed": true, "timeout": true}));
    assert_eq!(*entry(2), json!({"failed": true, "bad_peer_response": true}));
    let skewed = json!({"failed": true, "code": "406", "reason": "Timestamp error: check your clock"});
    assert_eq!(*entry(4), skewed);
    let hash = swarm::message_hash(&bob.account(), Namespace::MESSAGES, b"a");
    let reply = StoreReply::read(&body, &members(&devnet, &bob), hash).unwrap();
    assert_eq!(reply.members.done().count(), 3, "three well members; one with a false signature");
    assert!(swarm[1].messages_of(&bob.account(), Namespace(0)).is_empty());
}

#[tokio::test]
async fn the_end_of_a_hundred_thousand_messages_is_found() {
    let devnet = DevnetBuilder::new().swarms(1).nodes_per_swarm(1).start().await.unwrap();
    let bob = Person::new();
    let node = &devnet.nodes()[0];
    let now = devnet.now();
    for number in 0..100_000_u32 {
        devnet.deliver(&bob.account(), Namespace(0), number.to_le_bytes().to_vec(), now, now + DAY);
    }
    let last = node.messages_of(&bob.account(), Namespace(0))[99_000].hash;
    let after = retrieve(&devnet, node, &bob, json!({"last_hash": last, "max_count": 1})).await;
    assert_eq!(after.messages.len(), 1);
}
