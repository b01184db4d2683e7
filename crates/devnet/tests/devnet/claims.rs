//! Nodes that claim to have stored or deleted (spec 03 §9.6, §9.8), and what proof they give.

use std::collections::BTreeSet;

use data_encoding::BASE64;
use septet_devnet::{Devnet, Fault, Lie, NodeHandle, StoreLie};
use septet_protocol::id::{Ed25519Public, Namespace};
use septet_protocol::swarm;
use serde_json::{Value, json};

use crate::client::{Person, direct};
use crate::network;

const DAY: u64 = 86_400_000;

async fn store(devnet: &Devnet, node: &NodeHandle, to: &Person, text: &str) -> Value {
    let data = BASE64.encode(text.as_bytes());
    let params = json!({"pubkey": to.id, "timestamp": devnet.now(), "ttl": DAY, "data": data});
    let answer = direct(node, "store", params).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn hash(of: &Person, text: &str) -> String {
    swarm::message_hash(&of.account(), Namespace::MESSAGES, text.as_bytes()).to_string()
}

/// Key, hash and whether the key signed that hash, of each entry; `None` if it is not signed.
fn proofs(reply: &Value) -> Vec<(Ed25519Public, String, Option<bool>)> {
    let proof = |(key, entry): (&String, &Value)| {
        let (key, hash): (Ed25519Public, _) = (key.parse().unwrap(), entry["hash"].as_str().unwrap());
        let signature = entry.get("signature").and_then(Value::as_str);
        let valid = signature.map(|signature| {
            let signature = BASE64.decode(signature.as_bytes()).unwrap().try_into().unwrap();
            key.verify(hash.as_bytes(), &signature)
        });
        (key, hash.to_owned(), valid)
    };
    reply["swarm"].as_object().unwrap().iter().map(proof).collect()
}

fn told(node: &NodeHandle, kind: &str) -> u64 {
    node.requests().get(&format!("lie:{kind}")).copied().unwrap_or(0)
}

/// How many members keep something for somebody.
fn keepers(devnet: &Devnet, of: &Person) -> usize {
    let keeps = |node: &&NodeHandle| !node.messages_of(&of.account(), Namespace::MESSAGES).is_empty();
    devnet.nodes().iter().filter(keeps).count()
}

#[tokio::test]
async fn a_store_is_claimed_without_proof_or_with_a_wrong_one() {
    for (lie, same_hash, valid) in [
        (StoreLie::Unsigned, true, None),
        (StoreLie::OtherHash, false, Some(true)),
        (StoreLie::Replayed, false, Some(true)),
        (StoreLie::BadSignature, true, Some(false)),
        (StoreLie::Stranger, true, Some(true)),
        (StoreLie::Unkept, true, Some(true)),
    ] {
        let (devnet, bob) = (network().await, Person::new());
        let liar = &devnet.swarm_of(&bob.account())[0];
        liar.set_fault(lie);
        let reply = store(&devnet, liar, &bob, "one").await;
        let [(key, named, signed)] = &proofs(&reply)[..] else { panic!("{reply}") };
        assert_eq!((*named == hash(&bob, "one"), *signed), (same_hash, valid), "{lie:?}");
        assert_eq!(reply["hash"], json!(named), "{lie:?}");
        assert_eq!(devnet.node(key).is_some(), lie != StoreLie::Stranger, "{lie:?}");
        assert_eq!(keepers(&devnet, &bob), 0, "{lie:?}: nobody keeps it");
        assert_eq!(told(liar, "store"), 1);
        // Where another member passes it on, the liar's entry is false and the others keep it.
        let honest = &devnet.swarm_of(&bob.account())[1];
        let reply = store(&devnet, honest, &bob, "one").await;
        let entries = proofs(&reply);
        let (_, named, signed) = entries.iter().find(|(key, ..)| *key == liar.ed25519()).unwrap();
        let as_member = if lie == StoreLie::Stranger { Some(false) } else { valid };
        assert_eq!((*named == hash(&bob, "one"), *signed), (same_hash, as_member), "{lie:?}");
        assert_eq!(reply["hash"], json!(hash(&bob, "one")));
        assert_eq!((entries.len(), keepers(&devnet, &bob)), (7, 6));
    }
}

#[tokio::test]
async fn the_true_reply_to_another_message_is_replayed() {
    let (devnet, bob) = (network().await, Person::new());
    let liar = &devnet.swarm_of(&bob.account())[0];
    let earlier = store(&devnet, liar, &bob, "one").await;
    liar.set_fault(StoreLie::Replayed);
    let reply = store(&devnet, liar, &bob, "two").await;
    assert_eq!((&reply["hash"], &reply["swarm"]), (&earlier["hash"], &earlier["swarm"]));
    let proofs = proofs(&reply);
    assert!(
        proofs.len() == 7 && proofs.iter().all(|proof| proof.1 == hash(&bob, "one") && proof.2 == Some(true))
    );
    assert_eq!(devnet.messages_of(&bob.account(), Namespace::MESSAGES).len(), 1);
}

#[tokio::test]
async fn a_store_is_passed_on_to_nobody() {
    let (devnet, bob) = (network().await, Person::new());
    let liar = &devnet.swarm_of(&bob.account())[0];
    liar.set_fault(StoreLie::OnlyItself);
    let reply = store(&devnet, liar, &bob, "one").await;
    assert_eq!(proofs(&reply), [(liar.ed25519(), hash(&bob, "one"), Some(true))]);
    assert_eq!(keepers(&devnet, &bob), 1);
    liar.clear_faults();
    assert_eq!(proofs(&store(&devnet, liar, &bob, "two").await).len(), 7);
}

#[tokio::test]
async fn deletions_are_claimed() {
    let (devnet, bob) = (network().await, Person::new());
    let liar = &devnet.swarm_of(&bob.account())[0];
    store(&devnet, liar, &bob, "one").await;
    liar.set_fault(Lie::Delete);
    let (hash, now) = (hash(&bob, "one"), devnet.now());
    let delete = bob.signed(json!({"messages": [hash]}), &format!("delete{hash}"));
    let all = bob.signed(json!({"timestamp": now}), &format!("delete_all{now}"));
    let before = bob.signed(json!({"before": now}), &format!("delete_before{now}"));
    for (method, params) in [("delete", delete), ("delete_all", all), ("delete_before", before)] {
        let reply = direct(liar, method, params).await.json();
        assert_eq!(reply["swarm"].as_object().unwrap().len(), 1);
        assert_eq!(reply["swarm"][liar.ed25519().to_string()]["deleted"], json!([hash]), "{method}");
        assert_eq!(keepers(&devnet, &bob), 7, "{method}");
    }
    assert_eq!(told(liar, "delete"), 3);
}

#[tokio::test]
async fn a_request_that_failed_at_every_member_is_answered_200_with_the_failures() {
    let (devnet, bob) = (network().await, Person::new());
    let swarm = devnet.swarm_of(&bob.account());
    swarm.iter().for_each(|node| node.set_fault(Fault::QueryFailure));
    let reply = store(&devnet, &swarm[0], &bob, "one").await;
    let entries = reply["swarm"].as_object().unwrap();
    assert_eq!(entries.keys().collect::<BTreeSet<_>>().len(), 7);
    assert!(entries.values().all(|entry| entry.get("failed").is_some() && entry.get("signature").is_none()));
    assert_eq!(keepers(&devnet, &bob), 0);
}
