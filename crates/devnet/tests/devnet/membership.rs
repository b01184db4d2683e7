//! Nodes that join, swarms that dissolve, and what becomes of the messages.

use septet_devnet::{Devnet, Handover, NodeHandle};
use septet_protocol::id::{Account, Ed25519Public, Namespace, SwarmId};
use septet_protocol::swarm::{Rpc, nodes::service_nodes};
use serde_json::json;

use crate::client::{Person, ask, direct};
use crate::network;

const DAY: u64 = 86_400_000;

fn deliver(devnet: &Devnet, to: &Account, text: &str) {
    let now = devnet.now();
    devnet.deliver(to, Namespace::MESSAGES, text.as_bytes(), now, now + DAY);
}

fn texts(node: &NodeHandle, of: &Account) -> Vec<String> {
    let messages = node.messages_of(of, Namespace::MESSAGES);
    messages.iter().map(|message| String::from_utf8(message.data.to_vec()).unwrap()).collect()
}

fn keys(nodes: &[NodeHandle]) -> Vec<Ed25519Public> {
    nodes.iter().map(NodeHandle::ed25519).collect()
}

#[tokio::test]
async fn a_node_joins_a_swarm_and_serves() {
    let (devnet, bob) = (network().await, Person::new());
    let account = bob.account();
    ["one", "two", "three"].iter().for_each(|text| deliver(&devnet, &account, text));
    let new = devnet.join(devnet.swarm_id_of(&account), Handover::Complete).unwrap();
    assert_eq!(texts(&new, &account), ["one", "two", "three"], "it is given what the others keep, in order");
    assert_eq!((devnet.all_nodes().len(), devnet.swarm_of(&account).len()), (22, 8));
    // It is in lists and swarms, as a hop and as a member.
    let listed =
        direct(&devnet.nodes()[0], "oxend_request", Rpc::service_nodes().params().clone()).await.json();
    let listed = service_nodes(&listed).unwrap();
    assert!(listed.iter().any(|node| node.ed25519 == new.ed25519() && node.swarm == Some(new.swarm())));
    let params = json!({"pubkey": bob.id, "timestamp": devnet.now(), "ttl": DAY, "data": "YQ=="});
    let reply = ask(&devnet, &new, "store", params).await;
    assert_eq!(reply.status, 200);
    assert!(devnet.swarm_of(&account).iter().all(|node| node.message_count() == 4));
    assert_eq!(devnet.node(&new.ed25519()).unwrap().requests()["store"], 1);
    let empty = devnet.join(devnet.swarm_id_of(&account), Handover::Lost).unwrap();
    assert_eq!(empty.message_count(), 0);
}

#[tokio::test]
async fn a_swarm_dissolves_into_the_ones_beside_it() {
    for (handover, kept) in [(Handover::Complete, vec!["one", "two"]), (Handover::Lost, vec![])] {
        let (devnet, bob) = (network().await, Person::new());
        let account = bob.account();
        ["one", "two"].iter().for_each(|text| deliver(&devnet, &account, text));
        let old = devnet.swarm_of(&account);
        devnet.dissolve(devnet.swarm_id_of(&account), handover);
        let new = devnet.swarm_of(&account);
        assert!(new.len() == 7 && keys(&new).iter().all(|key| !keys(&old).contains(key)));
        assert!(new.iter().all(|node| texts(node, &account) == kept));
        assert!(old.iter().all(|node| node.message_count() == 0 && node.swarm() == SwarmId::NONE));
        // The old members say who is responsible now.
        let params = json!({"pubkey": bob.id, "timestamp": devnet.now(), "ttl": DAY, "data": "YQ=="});
        let refused = direct(&old[0], "store", params).await;
        assert_eq!((refused.status, refused.json()["snodes"].as_array().unwrap().len()), (421, 7));
        // One of them finds a new place.
        devnet.assign(&old[0], devnet.swarm_id_of(&account), Handover::Complete);
        assert_eq!(
            (texts(&old[0], &account), devnet.swarm_of(&account).len()),
            (kept.iter().map(|&text| text.to_owned()).collect(), 8)
        );
    }
}
