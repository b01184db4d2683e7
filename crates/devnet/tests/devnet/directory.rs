//! Lists of nodes, swarms and names (spec 03 §2.3, §4, §9.16, §11).

use data_encoding::BASE64;
use septet_devnet::{Devnet, Fault, Lie};
use septet_protocol::crypto::Ed25519Secret;
use septet_protocol::id::{Account, Ed25519Public, SwarmId};
use septet_protocol::name::Name;
use septet_protocol::swarm::reply::ons_record;
use septet_protocol::swarm::{self, Rpc, SwarmReply};
use serde_json::{Value, json};

use crate::client::{Person, ask, direct, http};
use crate::network;

async fn ask_seed(devnet: &Devnet, body: String) -> Value {
    let reply = http()
        .post(devnet.seed_url())
        .header("Content-Type", "application/json")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status().as_u16(), 200);
    assert_eq!(reply.headers()["content-type"], "application/json");
    serde_json::from_str(&reply.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn the_seed_lists_all_nodes_with_the_fields_asked_for() {
    let devnet = network().await;
    let wanted = ["public_ip", "storage_port", "pubkey_x25519", "pubkey_ed25519", "requested_unlock_height"];
    let object: Value = wanted.iter().map(|name| ((*name).to_owned(), json!(true))).collect();
    for fields in [object, json!(wanted)] {
        let params = json!({"active_only": true, "fields": fields});
        let request = json!({"jsonrpc": "2.0", "id": 7, "method": "get_n_service_nodes", "params": params});
        let reply = ask_seed(&devnet, request.to_string()).await;
        assert_eq!((&reply["id"], &reply["result"]["status"]), (&json!(7), &json!("OK")));
        let nodes = reply["result"]["service_node_states"].as_array().unwrap();
        assert_eq!(nodes.len(), 21);
        for (listed, node) in nodes.iter().zip(devnet.nodes()) {
            assert_eq!(listed.as_object().unwrap().len(), wanted.len());
            let key: Ed25519Public = listed["pubkey_ed25519"].as_str().unwrap().parse().unwrap();
            assert_eq!(key, node.ed25519());
            assert_eq!(listed["pubkey_x25519"], json!(key.to_x25519().unwrap()));
            assert_eq!(listed["storage_port"], json!(node.info().address.port()));
        }
    }
    let limited = json!({"method": "get_n_service_nodes", "params": {"limit": 5}});
    let reply = ask_seed(&devnet, limited.to_string()).await;
    let nodes = reply["result"]["service_node_states"].as_array().unwrap();
    assert_eq!(nodes.len(), 5);
    for field in ["swarm_id", "storage_lmq_port", "storage_server_version", "service_node_pubkey"] {
        assert!(nodes[0].get(field).is_some(), "{field}");
    }
    assert_eq!(devnet.seed_requests(), 3);
}

#[tokio::test]
async fn the_seed_refuses_what_it_does_not_know() {
    let devnet = network().await;
    assert_eq!(ask_seed(&devnet, "{".to_owned()).await["error"]["code"], -32700);
    assert_eq!(ask_seed(&devnet, json!({"method": "stop"}).to_string()).await["error"]["code"], -32601);
    let reply = http().get(devnet.seed_url()).send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 404);
}

#[tokio::test]
async fn every_node_is_in_a_subnet_of_its_own() {
    let devnet = network().await;
    let mut subnets: Vec<[u8; 4]> =
        devnet.nodes().iter().map(|node| node.info().address.ip().octets()).collect();
    subnets.dedup_by_key(|ip| [ip[0], ip[1], ip[2]]);
    let distinct = devnet.network_toml().contains("distinct_subnets = true");
    assert_eq!(subnets.len(), if distinct { 21 } else { 1 });
    assert!(devnet.nodes().iter().all(|node| node.info().address.ip().is_loopback()));
}

#[tokio::test]
async fn nodes_list_the_network_like_the_seed() {
    let devnet = network().await;
    let reply =
        ask(&devnet, &devnet.nodes()[20], "oxend_request", Rpc::service_nodes().params().clone()).await;
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert!(body["t"].is_u64());
    let nodes = swarm::nodes::service_nodes(&body).unwrap();
    assert_eq!(nodes.len(), 21);
    for (listed, node) in nodes.iter().zip(devnet.nodes()) {
        let info = node.info();
        assert_eq!((listed.ed25519, listed.x25519), (info.ed25519, info.x25519));
        assert_eq!((listed.ip, listed.port), (*info.address.ip(), info.address.port()));
        assert_eq!(listed.swarm, Some(info.swarm));
    }
}

#[tokio::test]
async fn any_node_knows_the_swarm_of_any_account() {
    let devnet = network().await;
    let ids: Vec<SwarmId> = devnet.nodes().iter().map(|node| node.info().swarm).collect();
    for _ in 0..20 {
        let account: Account = Person::new().id.into();
        let expected = swarm::nearest(swarm::position(&account), ids.iter().copied()).unwrap();
        for (node, method, key) in
            [(0, "get_swarm", "pubkey"), (20, "get_swarm", "pubKey"), (9, "get_snodes_for_pubkey", "pubkey")]
        {
            let body = direct(&devnet.nodes()[node], method, json!({key: account.to_string()})).await.json();
            assert_eq!(body["swarm"], json!(format!("{:x}", expected.0)));
            let read = SwarmReply::read(&body).unwrap();
            assert_eq!(read.members.len(), 7);
            assert!(body["snodes"][0]["port"].is_string() && body["snodes"][0]["port_https"].is_u64());
            let address = body["snodes"][0]["address"].as_str().unwrap();
            assert_eq!((address.len(), address.ends_with(".snode")), (52 + 6, true));
        }
        assert_eq!(devnet.swarm_id_of(&account), expected);
    }
}

#[tokio::test]
async fn names_resolve_to_accounts() {
    let devnet = network().await;
    let (bob, node) = (Person::new(), &devnet.nodes()[5]);
    let name = Name::parse("Septet").unwrap();
    let resolve = async || {
        let rpc = Rpc::ons_resolve(&name.hash());
        ons_record(&direct(node, rpc.method(), rpc.params().clone()).await.json()).unwrap()
    };
    assert!(resolve().await.is_none());
    devnet.register_name(&name, &bob.id);
    let record = resolve().await.unwrap();
    assert_eq!(name.decrypt(&record.encrypted_value, record.nonce.as_ref()).unwrap(), bob.id);
    let wrong =
        json!({"endpoint": "ons_resolve", "params": {"type": 1, "name_hash": BASE64.encode(&name.hash())}});
    assert_eq!(direct(node, "oxend_request", wrong).await.status, 400);
}

#[tokio::test]
async fn names_lead_elsewhere_or_nowhere_and_records_differ() {
    let devnet = network().await;
    let (bob, eve, node) = (Person::new(), Person::new(), &devnet.nodes()[5]);
    let name = Name::parse("septet").unwrap();
    devnet.register_name(&name, &bob.id);
    let record = async || {
        let rpc = Rpc::ons_resolve(&name.hash());
        ons_record(&direct(node, rpc.method(), rpc.params().clone()).await.json()).unwrap()
    };
    let account = async || {
        let record = record().await?;
        Some(name.decrypt(&record.encrypted_value, record.nonce.as_ref()).unwrap())
    };
    assert_eq!(record().await, record().await);
    node.set_fault(Fault::NewNonces);
    assert_ne!(record().await, record().await);
    assert_eq!(account().await, Some(bob.id));
    node.set_fault(Lie::Name(Some(eve.id)));
    assert_eq!(account().await, Some(eve.id));
    node.set_fault(Lie::Name(None));
    assert_eq!(account().await, None);
    assert_eq!(node.requests()["lie:name"], 2);
}

#[tokio::test]
async fn a_network_may_be_of_any_size() {
    for (swarms, nodes) in [(1, 1), (1, 4), (5, 2)] {
        let devnet = Devnet::builder().swarms(swarms).nodes_per_swarm(nodes).start().await.unwrap();
        assert_eq!(devnet.nodes().len(), swarms * nodes);
        let key = Ed25519Secret::from_seed([1; 32]).public();
        assert_eq!(devnet.swarm_of(&Account::Group(septet_protocol::id::GroupId(key.0))).len(), nodes);
    }
    assert!(Devnet::builder().swarms(0).start().await.is_err());
}

#[tokio::test]
async fn a_newer_node_gives_the_list_in_one_piece() {
    let devnet = Devnet::builder().active_nodes_bin(true).start().await.unwrap();
    let rpc = Rpc::active_nodes_bin();
    let reply = ask(&devnet, &devnet.nodes()[20], rpc.method(), rpc.params().clone()).await;
    let text: String = serde_json::from_slice(&reply.body).unwrap();
    let nodes = swarm::nodes::active_nodes(&BASE64.decode(text.as_bytes()).unwrap()).unwrap();
    assert_eq!(nodes.len(), 21);
    for (listed, node) in nodes.iter().zip(devnet.nodes()) {
        let info = node.info();
        assert_eq!(
            (listed.ed25519, listed.x25519, listed.swarm),
            (info.ed25519, info.x25519, Some(info.swarm))
        );
        assert_eq!((listed.ip, listed.port), (*info.address.ip(), info.address.port()));
    }
}

#[tokio::test]
async fn the_network_file_asks_for_consensus_if_wanted() {
    let devnet = network().await;
    assert!(devnet.network_toml().contains("pool_consensus = false\n"));
    let with = devnet.network_toml_with(true);
    assert_eq!(with.replace("pool_consensus = true", "pool_consensus = false"), devnet.network_toml());
}
