//! Replies that are true, that are not, and that are nothing at all.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::crypto::Ed25519Secret;
use crate::id::{Ed25519Public, SessionId};
use crate::swarm::SwarmReply;
use crate::swarm::nodes::service_nodes;
use crate::swarm::signing::ExpireMode;

const ACCOUNT: Account = Account::User(SessionId([7; 32]));

fn name(data: &[u8]) -> MessageHash {
    message_hash(&ACCOUNT, Namespace::MESSAGES, data)
}

fn item(hash: MessageHash, data: &str) -> Value {
    json!({ "hash": hash.to_string(), "timestamp": 1, "expiration": 2, "data": data })
}

fn retrieved(body: &Value) -> Result<RetrieveReply, ReplyError> {
    RetrieveReply::read(body, &ACCOUNT, Namespace::MESSAGES)
}

#[test]
fn results_are_split_in_order() {
    let body = json!({ "results": [{ "code": 200, "body": { "a": 1 } }, { "code": 401, "body": "no" }] });
    let parts = results(body).unwrap();
    assert!(parts[0].is_ok() && !parts[1].is_ok());
    assert_eq!(parts[1].body, json!("no"));
    assert_eq!(results(json!({})), Err(ReplyError("results")));
    assert_eq!(results(json!({ "results": [1] })), Err(ReplyError("results")));
}

#[test]
fn the_clock_is_found_at_the_top_or_inside() {
    let t = Timestamp::from_ms(1_700_000_000_000);
    assert_eq!(network_time(&json!({ "t": t.as_ms() })), Some(t));
    assert_eq!(
        network_time(&json!({ "results": [{ "body": "x" }, { "body": { "t": t.as_ms() } }] })),
        Some(t)
    );
    assert_eq!(network_time(&json!({ "result": { "body": { "t": t.as_ms() } } })), Some(t));
    assert_eq!(network_time(&json!({ "t": 5 })), None);
    assert_eq!(network_time(&json!("plain text")), None);
}

#[test]
fn a_message_that_cannot_be_read_does_not_hide_the_others() {
    let body = json!({ "messages": [{ "hash": "short" }, item(name(b"a"), "YQ==")], "more": 1 });
    let reply = retrieved(&body).unwrap();
    assert_eq!((reply.messages.len(), reply.forged, reply.more), (1, 0, true));
    assert_eq!(reply.messages[0].data, b"a");
    assert_eq!(retrieved(&json!({})), Err(ReplyError("messages")));
}

#[test]
fn what_is_not_what_its_hash_says_is_left_out() {
    let swapped = json!({ "messages": [item(name(b"b"), "YQ=="), item(name(b"c"), "Yw==")] });
    let reply = retrieved(&swapped).unwrap();
    assert_eq!((reply.messages.len(), reply.forged), (1, 1));
    assert_eq!(reply.messages[0].data, b"c");
    let elsewhere = RetrieveReply::read(&swapped, &ACCOUNT, Namespace::CONTACTS).unwrap();
    assert_eq!((elsewhere.messages.len(), elsewhere.forged), (0, 2));
}

#[test]
fn only_a_members_signature_over_the_very_hash_proves_a_store() {
    let secrets = [[1; 32], [2; 32]].map(Ed25519Secret::from_seed);
    let [member, stranger] = &secrets;
    let swarm = MemberKeys::from_iter([member.public()]);
    let reply = |signer: &Ed25519Secret, named: MessageHash, signed: MessageHash| {
        let signature = BASE64.encode(&signer.sign(&signed::stored(signed)));
        let entry = json!({ "hash": named.to_string(), "signature": signature });
        StoreReply::read(&json!({ "swarm": { signer.public().to_string(): entry } }), &swarm, name(b"a"))
    };
    assert_eq!(reply(member, name(b"a"), name(b"a")).map(|reply| reply.hash), Ok(name(b"a")));
    for (what, lie) in [
        ("another message's true reply", reply(member, name(b"b"), name(b"b"))),
        ("a signature over another hash", reply(member, name(b"a"), name(b"b"))),
        ("somebody who is no member", reply(stranger, name(b"a"), name(b"a"))),
    ] {
        assert_eq!(lie, Err(ReplyError("signature")), "{what}");
    }
    let unsigned = json!({ "swarm": { member.public().to_string(): { "hash": name(b"a").to_string() } } });
    assert_eq!(StoreReply::read(&unsigned, &swarm, name(b"a")), Err(ReplyError("signature")));
}

#[test]
fn a_name_may_be_unregistered() {
    assert_eq!(ons_record(&json!({ "result": {} })), Ok(None));
    assert_eq!(ons_record(&json!({})), Err(ReplyError("result")));
    let record = ons_record(&json!({ "result": { "encrypted_value": "00ff" } })).unwrap().unwrap();
    assert_eq!(record, OnsRecord { encrypted_value: vec![0, 255], nonce: None });
}

/// Any JSON, with names and texts that replies have, so that reading gets deep into it.
fn json() -> impl Strategy<Value = Value> {
    let key = Ed25519Public([9; 32]).to_string();
    let hash = MessageHash([1; 32]).to_string();
    let name = prop::sample::select(vec![
        "swarm".to_owned(),
        key,
        hash.clone(),
        "hash".into(),
        "signature".into(),
        "expiry".into(),
        "updated".into(),
        "unchanged".into(),
        "deleted".into(),
        "messages".into(),
        "results".into(),
        "body".into(),
        "code".into(),
        "t".into(),
        "snodes".into(),
        "result".into(),
        "nonce".into(),
        "encrypted_value".into(),
        "service_node_states".into(),
        "expiries".into(),
        "timestamp".into(),
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof![Just(hash), Just(BASE64.encode(&[0; 64])), ".*"].prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_panics_on_foreign_json(body in json()) {
        let (account, swarm) = (ACCOUNT, MemberKeys::from_iter([Ed25519Public([9; 32])]));
        let now = Timestamp::from_ms(5);
        let hashes = vec![MessageHash([1; 32])];
        let _ = (network_time(&body), retrieved(&body), expiries(&body));
        let _ = StoreReply::read(&body, &swarm, MessageHash([1; 32]));
        let _ = (SweepReply::read(&body, &swarm, &account, now), ons_record(&body), Info::read(&body));
        let _ = DeleteReply::read(&body, &swarm, &account, &Delete { hashes: hashes.clone(), required: false });
        let expire = Expire { hashes, expiries: vec![now], mode: ExpireMode::Extend };
        let _ = ExpireReply::read(&body, &swarm, &account, &expire);
        let _ = (service_nodes(&body), SwarmReply::read(&body));
        let _ = results(body);
    }
}
