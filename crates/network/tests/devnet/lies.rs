//! Nodes and seeds that work and say something false: it is not believed, and costs nobody his place.

use std::path::Path;
use std::time::Duration;

use septet_devnet::{Devnet, Fault, HopLie, Lie, ListLie, NodeHandle, NodeInfo, SeedFault};
use septet_network::{Connection, Network, NetworkConfig, NetworkError};
use septet_protocol::account::Seed;
use septet_protocol::crypto::SystemRandom;
use septet_protocol::name::Name;
use serde_json::Value;

use crate::paths::{opened, saved, sealed, until};
use crate::world::{KEY, World, connect};

fn told(node: &NodeHandle, kind: &str) -> u64 {
    node.requests().get(kind).copied().unwrap_or_default()
}

async fn connected(network: &Network) {
    let mut status = network.status();
    let there = status.wait_for(|status| status.connection == Connection::Connected);
    tokio::time::timeout(Duration::from_secs(40), there).await.expect("in time").unwrap();
}

/// The nodes on the disk.
fn nodes(file: &Path) -> Value {
    opened("nodes", &std::fs::read(file).unwrap())["content"]["nodes"].clone()
}

/// Makes the list on the disk three hours old, so that the next start asks three nodes for a new one.
fn age(file: &Path, devnet: &Devnet) -> Vec<u8> {
    let mut list = opened("nodes", &std::fs::read(file).unwrap());
    list["content"]["fetched"] = (devnet.now() - 3 * 3600 * 1000).into();
    let old = sealed("nodes", &list);
    std::fs::write(file, &old).unwrap();
    old
}

/// One node tells a lie about the list; refreshes go on until it was one of the three that are asked.
async fn one_witness_lies(lie: ListLie) {
    let World { devnet, network, folder, .. } = saved(World::new().await).await;
    drop(network);
    let file = folder.path().join("network/nodes");
    let truth = nodes(&file);
    let liar = devnet.nodes()[9].clone();
    liar.set_fault(lie);
    let config = NetworkConfig::from_toml(&devnet.network_toml_with(true)).unwrap();
    while told(&liar, "lie:list") == 0 {
        let old = age(&file, &devnet);
        let network = Network::start(config.clone(), folder.path(), &KEY).unwrap();
        until(|| std::fs::read(&file).is_ok_and(|now| now != old)).await;
        assert_eq!(nodes(&file), truth, "{lie:?}");
        drop(network);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_lying_witness_of_three_changes_nothing_in_the_list() {
    futures_util::future::join_all(ListLie::each(3, 7).map(one_witness_lies)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_layer_is_made_with_keys_that_a_seed_invented() {
    let devnet = Devnet::start().await.unwrap();
    devnet.set_seed_fault(SeedFault::Lies(ListLie::PoisonKeys));
    let folder = tempfile::tempdir().unwrap();
    let network = connect(&devnet, &folder);
    until(|| devnet.seed_requests() >= 2).await;
    assert_eq!((network.paths().len(), devnet.requests().get("onion")), (0, None));
    devnet.clear_seed_faults();
    connected(&network).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_names_colluders_is_not_followed() {
    let world = World::new().await;
    let swarm = world.devnet.swarm_of(&world.account());
    let elsewhere = |node: &&NodeHandle| node.swarm() != swarm[0].swarm();
    let colluders: Vec<NodeHandle> = world.devnet.nodes().iter().filter(elsewhere).take(3).cloned().collect();
    colluders.iter().for_each(|node| node.set_fault(Lie::Colludes));
    swarm[0].set_fault(Lie::Misdirects(colluders.iter().map(|node| node.info().clone()).collect()));
    let mut stored = 0;
    while stored < 10 || told(&swarm[0], "lie:swarm") == 0 {
        world.store(&[stored]).await.unwrap();
        assert_eq!(world.messages().await.len(), usize::from(stored) + 1);
        stored += 1;
    }
    assert_eq!(colluders.iter().map(|node| told(node, "lie:colludes")).sum::<u64>(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_names_nobody_we_know_only_loses_its_turn() {
    for members in [Vec::new(), (0..7).map(|_| NodeInfo::invented()).collect()] {
        let world = World::new().await;
        let swarm = world.devnet.swarm_of(&world.account());
        swarm[0].set_fault(Lie::Misdirects(members));
        let mut stored = 0;
        while stored < 5 || told(&swarm[0], "lie:swarm") == 0 {
            world.store(&[stored]).await.unwrap();
            stored += 1;
        }
        assert_eq!(world.messages().await.len(), usize::from(stored));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn complaints_evict_nobody_and_cost_no_guard() {
    let world = saved(World::new().await).await;
    let file = world.folder.path().join("network/nodes");
    let truth = nodes(&file);
    let guards = world.guards().iter().map(NodeHandle::ed25519).collect();
    let other_guard = world.path(1)[0].ed25519();
    let liar = world.path(0)[1].clone();
    liar.set_fault(HopLie::Blames(other_guard));
    liar.set_fault(HopLie::NotFound(None));
    let mut stored = 0;
    while stored < 20 || told(&liar, "lie:hop") == 0 {
        world.store(&[stored]).await.unwrap();
        stored += 1;
    }
    assert_eq!(nodes(&file), truth);
    world.until_guards(&guards).await;
    let world = world.restart().await;
    world.until_guards(&guards).await;
    assert_eq!(nodes(&file), truth);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_member_refuses_another_is_asked() {
    for (status, text) in [(400, "invalid request"), (401, "verification failed"), (403, "no"), (404, "no")] {
        let world = World::new().await;
        let liar = world.devnet.swarm_of(&world.account())[0].clone();
        liar.reset_requests();
        liar.set_fault(Fault::Answers(status, text.to_owned()));
        let mut stored = 0;
        // The liar's own refusals are not counted, but what reaches it is; some of that passes through only.
        while stored < 20 {
            world.store(&[stored]).await.unwrap();
            assert_eq!(world.messages().await.len(), usize::from(stored) + 1);
            stored += 1;
        }
        assert!(told(&liar, "onion") > 0, "{status}");
    }
}

/// A network file with built-in nodes.
fn with_bootstrap(devnet: &Devnet, nodes: &[NodeHandle]) -> NetworkConfig {
    let entry = |node: &NodeHandle| {
        let (key, at) = (node.ed25519(), node.info().address);
        format!("[[bootstrap]]\ned25519 = \"{key}\"\nip = \"{}\"\nport = {}\n", at.ip(), at.port())
    };
    let toml = devnet.network_toml() + &nodes.iter().map(entry).collect::<String>();
    NetworkConfig::from_toml(&toml).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_seed_is_gone_built_in_nodes_show_the_way_and_one_of_them_may_lie() {
    for lie in [None, Some(ListLie::WrongPorts), Some(ListLie::Short(3)), Some(ListLie::PoisonKeys)] {
        let devnet = Devnet::start().await.unwrap();
        devnet.set_seed_fault(SeedFault::Dead);
        let built_in: Vec<NodeHandle> = [0, 8, 16].map(|index| devnet.nodes()[index].clone()).to_vec();
        if let Some(lie) = lie {
            built_in[0].set_fault(lie);
        }
        let folder = tempfile::tempdir().unwrap();
        let network = Network::start(with_bootstrap(&devnet, &built_in), folder.path(), &KEY).unwrap();
        connected(&network).await;
        if lie.is_some() {
            assert!(told(&built_in[0], "lie:list") > 0);
        }
        let file = folder.path().join("network/nodes");
        until(|| file.exists()).await;
        assert_eq!(nodes(&file).as_array().map(Vec::len), Some(21), "{lie:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_a_name_that_differ_by_their_nonces_agree() {
    let world = World::new().await;
    world.devnet.register_name(&Name::parse("alice").unwrap(), &world.keys.session_id);
    world.devnet.nodes().iter().for_each(|node| node.set_fault(Fault::NewNonces));
    assert_eq!(world.network.resolve_name("alice").await, Ok(world.keys.session_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_liar_makes_a_name_disputed_and_never_another_account() {
    let world = World::new().await;
    world.devnet.register_name(&Name::parse("alice").unwrap(), &world.keys.session_id);
    let mallory = Seed::generate(&mut SystemRandom).keys().session_id;
    for lie in [Some(mallory), None] {
        let liar = world.devnet.nodes()[4].clone();
        liar.set_fault(Lie::Name(lie));
        liar.reset_requests();
        loop {
            let told_before = told(&liar, "lie:name");
            let resolved = world.network.resolve_name("alice").await;
            if told(&liar, "lie:name") > told_before {
                assert_eq!(resolved, Err(NetworkError::NameDisputed));
                break;
            }
            assert_eq!(resolved, Ok(world.keys.session_id));
        }
        liar.clear_faults();
    }
}
