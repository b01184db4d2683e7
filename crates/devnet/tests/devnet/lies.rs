//! Nodes that lie, and what a client sees of it: replies in the right form, with something false in them.

use std::collections::BTreeSet;

use data_encoding::BASE64;
use septet_devnet::{Devnet, Fault, Lie, NodeHandle, NodeInfo, RetrieveLie};
use septet_protocol::id::{MessageHash, Namespace};
use septet_protocol::swarm::reply::StoreReply;
use septet_protocol::swarm::{self, MemberKeys};
use serde_json::{Value, json};

use crate::client::{Person, ask, direct};
use crate::network;

const DAY: u64 = 86_400_000;

/// A network, somebody with three messages, and a liar among the keepers of these.
async fn with_messages() -> (Devnet, Person, NodeHandle) {
    let (devnet, bob) = (network().await, Person::new());
    for text in ["one", "two", "three"] {
        deliver(&devnet, &bob, 0, text);
    }
    let liar = devnet.swarm_of(&bob.account())[0].clone();
    (devnet, bob, liar)
}

fn deliver(devnet: &Devnet, to: &Person, namespace: i16, text: &str) -> MessageHash {
    let (now, namespace) = (devnet.now(), Namespace(namespace));
    devnet.deliver(&to.account(), namespace, text.as_bytes(), now, now + DAY)
}

fn true_hash(of: &Person, text: &str) -> String {
    swarm::message_hash(&of.account(), Namespace::MESSAGES, text.as_bytes()).to_string()
}

/// What a node gives out of a namespace after a hash (`""`: all).
async fn page(devnet: &Devnet, node: &NodeHandle, who: &Person, namespace: i16, after: &str) -> Value {
    let now = devnet.now();
    let signed = if namespace == 0 { String::new() } else { namespace.to_string() };
    let params = json!({"timestamp": now, "namespace": namespace, "last_hash": after});
    let answer = direct(node, "retrieve", who.signed(params, &format!("retrieve{signed}{now}"))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Hash and text of each message of a page; `-` for what is no text of ours.
fn items(page: &Value) -> Vec<(String, String)> {
    let item = |item: &Value| {
        let data = BASE64.decode(item["data"].as_str().unwrap().as_bytes()).unwrap();
        let text = String::from_utf8(data).ok().filter(|text| ["one", "two", "three"].contains(&&**text));
        (item["hash"].as_str().unwrap().to_owned(), text.unwrap_or_else(|| "-".to_owned()))
    };
    page["messages"].as_array().unwrap().iter().map(item).collect()
}

fn told(node: &NodeHandle, kind: &str) -> u64 {
    node.requests().get(&format!("lie:{kind}")).copied().unwrap_or(0)
}

#[tokio::test]
async fn hashes_are_swapped_among_messages() {
    let (devnet, bob, liar) = with_messages().await;
    liar.set_fault(RetrieveLie::SwapHashes);
    let hash = |text| true_hash(&bob, text);
    let got = items(&page(&devnet, &liar, &bob, 0, "").await);
    let pair = |hash: &str, text: &str| (hash.to_owned(), text.to_owned());
    assert_eq!(got, [pair(&hash("two"), "one"), pair(&hash("three"), "two"), pair(&hash("one"), "three")]);
    assert_eq!(told(&liar, "retrieve"), 1);
    // Who goes on from a false hash is where it was: nothing is skipped, nothing comes twice.
    assert!(items(&page(&devnet, &liar, &bob, 0, &hash("one")).await).is_empty());
    assert_eq!(told(&liar, "retrieve"), 1, "an empty page is no lie");
    liar.clear_faults();
    assert_eq!(items(&page(&devnet, &liar, &bob, 0, "").await)[0], pair(&hash("one"), "one"));
}

#[tokio::test]
async fn hashes_stand_on_other_data_and_data_under_invented_hashes() {
    let (devnet, bob, liar) = with_messages().await;
    let honest = items(&page(&devnet, &liar, &bob, 0, "").await);
    liar.set_fault(RetrieveLie::OtherData);
    let other = items(&page(&devnet, &liar, &bob, 0, "").await);
    assert!(other.iter().zip(&honest).all(|(told, true_one)| told.0 == true_one.0 && told.1 == "-"));
    liar.clear_faults();
    liar.set_fault(RetrieveLie::InventHashes);
    let invented = items(&page(&devnet, &liar, &bob, 0, "").await);
    assert!(
        invented.iter().zip(&honest).all(|(told, true_one)| told.0 != true_one.0 && told.1 == true_one.1)
    );
    let after = page(&devnet, &liar, &bob, 0, &invented[2].0).await;
    assert!(items(&after).is_empty(), "an invented hash tells the liar where the client is");
    assert_eq!(told(&liar, "retrieve"), 2);
}

#[tokio::test]
async fn messages_are_hidden() {
    let (devnet, bob, liar) = with_messages().await;
    liar.set_fault(RetrieveLie::HideAll);
    let none = page(&devnet, &liar, &bob, 0, "").await;
    assert_eq!((items(&none).len(), &none["more"]), (0, &json!(false)));
    liar.clear_faults();
    liar.set_fault(RetrieveLie::HideEvery(2));
    let texts: Vec<String> =
        items(&page(&devnet, &liar, &bob, 0, "").await).into_iter().map(|item| item.1).collect();
    assert_eq!(texts, ["one", "three"]);
    assert_eq!(told(&liar, "retrieve"), 2);
    assert_eq!(liar.messages_of(&bob.account(), Namespace::MESSAGES).len(), 3, "it has kept them");
}

#[tokio::test]
async fn what_is_gone_comes_again() {
    let (devnet, bob, liar) = with_messages().await;
    let old = deliver(&devnet, &bob, 2, "one");
    let new = deliver(&devnet, &bob, 2, "two");
    assert!(liar.forget(&bob.account(), old));
    liar.set_fault(RetrieveLie::ReplayUnderOwnHashes);
    let got = items(&page(&devnet, &liar, &bob, 2, "").await);
    assert_eq!(got, [(new.to_string(), "two".to_owned()), (old.to_string(), "one".to_owned())]);
    liar.clear_faults();
    liar.set_fault(RetrieveLie::ReplayUnderNewHashes);
    let mut after = new.to_string();
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        let got = items(&page(&devnet, &liar, &bob, 2, &after).await);
        assert_eq!((got.len(), &*got[0].1), (1, "one"));
        after.clone_from(&got[0].0);
        assert!(seen.insert(after.clone()) && after != old.to_string());
    }
    assert_eq!(told(&liar, "retrieve"), 4);
}

#[tokio::test]
async fn forged_messages_have_right_hashes() {
    let (devnet, bob, liar) = with_messages().await;
    liar.set_fault(RetrieveLie::AddForged);
    for (namespace, honest) in [(0, 3), (3, 0)] {
        let page = page(&devnet, &liar, &bob, namespace, "").await;
        let all = page["messages"].as_array().unwrap();
        assert_eq!(all.len(), honest + 1);
        let forged = &all[honest];
        let data = BASE64.decode(forged["data"].as_str().unwrap().as_bytes()).unwrap();
        let hash = swarm::message_hash(&bob.account(), Namespace(namespace), &data);
        assert_eq!(forged["hash"], json!(hash));
    }
    assert_eq!(told(&liar, "retrieve"), 2);
}

#[tokio::test]
async fn pages_hold_what_is_not_theirs_or_too_much() {
    let (devnet, bob, liar) = with_messages().await;
    let carol = std::iter::repeat_with(Person::new)
        .find(|carol| devnet.swarm_id_of(&carol.account()) == devnet.swarm_id_of(&bob.account()))
        .unwrap();
    let hers = deliver(&devnet, &carol, 0, "hers").to_string();
    liar.set_fault(RetrieveLie::AddForeign);
    let got = items(&page(&devnet, &liar, &bob, 0, "").await);
    assert_eq!((got.len(), &got[3].0), (4, &hers));
    liar.clear_faults();
    liar.set_fault(RetrieveLie::AddHuge(100_000));
    let page = page(&devnet, &liar, &bob, 0, "").await;
    assert!(page["messages"][3]["data"].as_str().is_some_and(|data| data.len() > 100_000));
    assert_eq!(told(&liar, "retrieve"), 2);
}

#[tokio::test]
async fn pages_are_turned_round_and_never_end() {
    let (devnet, bob, liar) = with_messages().await;
    liar.set_fault(RetrieveLie::Reverse);
    let got = items(&page(&devnet, &liar, &bob, 0, "").await);
    assert_eq!(got.iter().map(|item| &*item.1).collect::<Vec<_>>(), ["three", "two", "one"]);
    assert!(items(&page(&devnet, &liar, &bob, 0, &got[2].0).await).is_empty());
    liar.clear_faults();
    let last = true_hash(&bob, "three");
    liar.set_fault(RetrieveLie::MoreForEver);
    let empty = page(&devnet, &liar, &bob, 0, &last).await;
    assert_eq!((items(&empty).len(), &empty["more"]), (0, &json!(true)));
    liar.set_fault(RetrieveLie::SamePageForEver);
    let again = page(&devnet, &liar, &bob, 0, &last).await;
    assert_eq!((items(&again).len(), &again["more"]), (3, &json!(true)));
}

#[tokio::test]
async fn messages_have_wrong_times() {
    let (devnet, bob, liar) = with_messages().await;
    let honest = page(&devnet, &liar, &bob, 0, "").await["messages"][0].clone();
    liar.set_fault(RetrieveLie::ShiftTimes { timestamp: 5000, expiration: -30 * DAY.cast_signed() });
    let told = page(&devnet, &liar, &bob, 0, "").await["messages"][0].clone();
    let shift = |key: &str| told[key].as_i64().unwrap() - honest[key].as_i64().unwrap();
    assert_eq!((shift("timestamp"), shift("expiration")), (5000, -30 * DAY.cast_signed()));
    assert_eq!((&told["hash"], &told["data"]), (&honest["hash"], &honest["data"]));
}

#[tokio::test]
async fn a_node_tells_a_wrong_time_and_goes_by_the_right_one() {
    let (devnet, bob, liar) = with_messages().await;
    let hour = 3_600_000;
    liar.set_fault(Lie::Time(hour));
    let near = |told: &Value, expected: u64| told.as_u64().unwrap().abs_diff(expected) < 60_000;
    let later = devnet.now() + hour.cast_unsigned();
    let info = direct(&liar, "info", json!({})).await.json();
    assert!(near(&info["t"], later) && near(&info["timestamp"], later));
    // A request signed at the right time passes; one at the time it tells does not.
    assert!(near(&page(&devnet, &liar, &bob, 0, "").await["t"], later));
    let params = bob.signed(json!({"timestamp": later, "namespace": 0}), &format!("retrieve{later}"));
    assert_eq!(direct(&liar, "retrieve", params).await.status, 406);
    let params = json!({"pubkey": bob.id, "timestamp": devnet.now(), "ttl": DAY, "data": "YQ=="});
    let stored = ask(&devnet, &liar, "store", params).await;
    let stored: Value = serde_json::from_slice(&stored.body).unwrap();
    assert!(near(&stored["t"], later) && near(&stored["swarm"][liar.ed25519().to_string()]["t"], later));
    assert!(told(&liar, "time") >= 4);
}

#[tokio::test]
async fn a_liar_leads_its_accounts_to_colluders() {
    let (devnet, bob, liar) = with_messages().await;
    let member = |node: &&NodeHandle| node.info().swarm == devnet.swarm_id_of(&bob.account());
    let colluders: Vec<NodeHandle> =
        devnet.nodes().iter().filter(|node| !member(node)).take(2).cloned().collect();
    let infos: Vec<NodeInfo> = colluders.iter().map(|node| node.info().clone()).collect();
    liar.set_fault(Lie::Misdirects(infos.clone()));
    for colluder in &colluders {
        colluder.set_fault(Lie::Colludes);
        colluder.set_fault(Lie::Misdirects(infos.clone()));
    }
    let keys = |reply: &Value| -> Vec<Value> {
        reply["snodes"].as_array().unwrap().iter().map(|node| node["pubkey_ed25519"].clone()).collect()
    };
    let expected: Vec<Value> = infos.iter().map(|info| json!(info.ed25519)).collect();
    let store = json!({"pubkey": bob.id, "timestamp": devnet.now(), "ttl": DAY, "data": "YQ=="});
    let refused = direct(&liar, "store", store.clone()).await;
    assert_eq!((refused.status, keys(&refused.json())), (421, expected.clone()));
    for node in [&liar, &colluders[0]] {
        let listed = direct(node, "get_swarm", json!({"pubkey": bob.id})).await.json();
        assert_eq!(keys(&listed), expected);
        assert!(told(node, "swarm") >= 1);
    }
    // The colluders look like a swarm, proofs and all, and nothing stored there reaches the account.
    let reply = direct(&colluders[1], "store", store.clone()).await.json();
    let hash = swarm::message_hash(&bob.account(), Namespace::MESSAGES, b"a");
    let proofs = |reply: &Value| {
        let all: MemberKeys = devnet.nodes().iter().map(NodeHandle::ed25519).collect();
        StoreReply::read(reply, &all, hash).unwrap().members.done().count()
    };
    assert_eq!(proofs(&reply), 2);
    assert!(items(&page(&devnet, &colluders[0], &bob, 0, "").await).is_empty());
    assert_eq!((told(&colluders[0], "colludes"), told(&colluders[1], "colludes")), (2, 1));
    assert!(colluders.iter().all(|node| node.message_count() == 0));
    // The honest members go on without the liar.
    let honest = &devnet.swarm_of(&bob.account())[1];
    let reply = direct(honest, "store", store).await.json();
    assert_eq!(reply["swarm"][liar.ed25519().to_string()]["code"], json!("421"));
    assert_eq!(proofs(&reply), 6);
}

#[tokio::test]
async fn a_liar_leads_its_accounts_nowhere() {
    let (devnet, bob, liar) = with_messages().await;
    let invented = [NodeInfo::invented(), NodeInfo::invented(), NodeInfo::invented()];
    assert!(invented.iter().all(|info| info.ed25519.to_x25519() == Some(info.x25519)));
    liar.set_fault(Fault::Lies(Lie::Misdirects(invented.to_vec())));
    let reply = ask(&devnet, &liar, "get_swarm", json!({"pubkey": bob.id})).await;
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["snodes"][2]["pubkey_ed25519"], json!(invented[2].ed25519));
    assert_eq!(body["swarm"], json!(devnet.swarm_id_of(&bob.account()).to_string()));
}
