//! Nodes and seeds that lie about other nodes: in lists, and as hops of a path.

use std::collections::BTreeSet;

use septet_devnet::{HopLie, ListLie, NodeHandle, SeedFault};
use septet_protocol::crypto::Ed25519Secret;
use septet_protocol::onion::EncType;
use septet_protocol::swarm::Rpc;
use serde_json::{Value, json};

use crate::client::{Answer, ask, direct, http, path, rpc_text, through};
use crate::http::HttpError;
use crate::network;

/// The list a node gives.
async fn list(node: &NodeHandle) -> Vec<Value> {
    let reply = direct(node, "oxend_request", Rpc::service_nodes().params().clone()).await.json();
    reply["result"]["service_node_states"].as_array().unwrap().clone()
}

fn told(node: &NodeHandle, kind: &str) -> u64 {
    node.requests().get(&format!("lie:{kind}")).copied().unwrap_or(0)
}

/// The lists' fields that differ, over all entries.
fn changed(one: &[Value], other: &[Value]) -> BTreeSet<String> {
    let fields = |(one, other): (&Value, &Value)| -> Vec<String> {
        let differs = |(name, value): &(&String, &Value)| other[name.as_str()] != **value;
        one.as_object().unwrap().iter().filter(differs).map(|(name, _)| name.clone()).collect()
    };
    one.iter().zip(other).flat_map(fields).collect()
}

#[tokio::test]
async fn lists_have_wrong_keys_addresses_ports_and_swarms() {
    let devnet = network().await;
    let (liar, accomplice) = (&devnet.nodes()[0], &devnet.nodes()[1]);
    let truth = list(liar).await;
    for (lie, field) in [
        (ListLie::PoisonKeys, "pubkey_x25519"),
        (ListLie::WrongAddresses, "public_ip"),
        (ListLie::WrongPorts, "storage_port"),
        (ListLie::WrongSwarms, "swarm_id"),
        (ListLie::NoSwarms, "swarm_id"),
        (ListLie::NotPublic, "public_ip"),
    ] {
        [liar, accomplice].iter().for_each(|node| node.set_fault(lie));
        let told = list(liar).await;
        assert_eq!(told.len(), truth.len());
        assert_eq!(changed(&truth, &told), BTreeSet::from([field.to_owned()]), "{lie:?}");
        assert!(told.iter().zip(&truth).all(|(told, truth)| told[field] != truth[field]), "{lie:?}");
        assert_eq!(list(accomplice).await, told, "liars of one mind agree");
        [liar, accomplice].iter().for_each(|node| node.clear_faults());
    }
    assert_eq!(told(liar, "list"), 6);
    assert_eq!(list(liar).await, truth);
}

#[tokio::test]
async fn lists_are_short_or_hold_invented_nodes() {
    let devnet = network().await;
    let liar = &devnet.nodes()[0];
    liar.set_fault(ListLie::Short(4));
    assert_eq!(list(liar).await.len(), 4);
    liar.set_fault(ListLie::Invent(30));
    let listed = list(liar).await;
    assert_eq!(listed.len(), 34, "lies add up");
    let known =
        |entry: &&Value| devnet.node(&entry["pubkey_ed25519"].as_str().unwrap().parse().unwrap()).is_some();
    assert_eq!(listed.iter().filter(known).count(), 4);
    let addresses: BTreeSet<&str> = listed.iter().map(|entry| entry["public_ip"].as_str().unwrap()).collect();
    assert!(addresses.len() >= 30 && addresses.iter().all(|ip| ip.starts_with("127.")));
}

#[tokio::test]
async fn the_seed_lies_refuses_and_goes_away() {
    let devnet = network().await;
    let ask = async || {
        let body = json!({"method": "get_n_service_nodes", "params": {}}).to_string();
        let reply = http().post(devnet.seed_url()).body(body).send().await?;
        Ok::<_, HttpError>(Answer { status: reply.status().as_u16(), body: reply.bytes().await?.to_vec() })
    };
    let count = |answer: Answer| answer.json()["result"]["service_node_states"].as_array().unwrap().len();
    devnet.set_seed_fault(SeedFault::Lies(ListLie::Short(2)));
    assert_eq!(count(ask().await.unwrap()), 2);
    devnet.set_seed_fault(SeedFault::Refuses(503));
    assert_eq!(ask().await.unwrap().status, 503);
    devnet.set_seed_fault(SeedFault::Frozen);
    let short = std::time::Duration::from_millis(50);
    assert!(tokio::time::timeout(short, ask()).await.is_err());
    devnet.set_seed_fault(SeedFault::Dead);
    assert!(ask().await.unwrap_err().is_connect());
    devnet.network_down(true);
    devnet.network_down(false);
    assert!(ask().await.is_err(), "what is dead by a fault of its own stays away");
    devnet.clear_seed_faults();
    assert_eq!(count(ask().await.unwrap()), 21);
}

#[tokio::test]
async fn a_hop_lies_about_the_next_one() {
    let devnet = network().await;
    let to = &devnet.nodes()[20];
    let path = path(&devnet, to);
    let (liar, next) = (path[1], path[2].ed25519());
    let info = async || through(&path, to, EncType::AesGcm, &rpc_text("info", &json!({}))).await.0;
    let stranger = Ed25519Secret::from_seed([9; 32]).public();
    for (lie, status, text) in [
        (HopLie::NotFound(None), 502, format!("Next node not found: {next}")),
        (HopLie::NotFound(Some(next)), 502, format!("Next node not found: {next}")),
        (HopLie::Unreachable(None), 502, format!("Next node is currently unreachable: {next}")),
        (HopLie::NotReady(Some(next)), 503, format!("Snode not ready: {next}")),
        (HopLie::Blames(stranger), 502, format!("Next node not found: {stranger}")),
    ] {
        liar.set_fault(lie);
        let answer = info().await;
        assert_eq!((answer.status, answer.text()), (status, &*text));
        // Its own requests it answers as ever.
        assert_eq!(direct(liar, "info", json!({})).await.status, 200);
        liar.clear_faults();
    }
    assert_eq!(told(liar, "hop"), 5);
    liar.set_fault(HopLie::NotFound(Some(stranger)));
    assert_eq!(info().await.status, 200, "about others it is honest");
}

#[tokio::test]
async fn a_hop_garbles_or_drops_what_it_passes_on() {
    let patience = std::time::Duration::from_millis(200);
    let devnet = septet_devnet::Devnet::builder().relay_patience(patience).start().await.unwrap();
    let to = &devnet.nodes()[20];
    let path = path(&devnet, to);
    let request = rpc_text("info", &json!({}));
    path[1].set_fault(HopLie::Garbles);
    let (answer, key) = through(&path, to, EncType::XChaCha20, &request).await;
    assert!(answer.status == 200 && key.open_node(&answer.body).is_err());
    path[1].clear_faults();
    path[1].set_fault(HopLie::Drops);
    let (answer, _) = through(&path, to, EncType::XChaCha20, &request).await;
    assert_eq!((answer.status, answer.text()), (504, "Request time out"));
    assert_eq!(told(path[1], "hop"), 2);
    assert_eq!(ask(&devnet, path[1], "info", json!({})).await.status, 200, "as a destination it answers");
}
