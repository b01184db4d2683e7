//! Where the list of nodes comes from when no seed answers.

use std::collections::BTreeSet;

use septet_devnet::{Devnet, NodeHandle, SeedFault};
use septet_network::{Connection, Network, NetworkConfig, NodeSnapshot};
use septet_protocol::id::Ed25519Public;
use tempfile::TempDir;

use crate::world::KEY;

/// A network file's `bootstrap` with these nodes, or with one at the same address where nobody listens.
fn bootstrap(nodes: &[NodeHandle], alive: bool) -> String {
    let entry = |node: &NodeHandle| {
        let address = node.info().address;
        let port = if alive { address.port() } else { 1 };
        format!("{{ ed25519 = \"{}\", ip = \"{}\", port = {port} }}", node.ed25519(), address.ip())
    };
    let entries: Vec<String> = nodes.iter().map(entry).collect();
    format!("bootstrap = [{}]\n", entries.join(", "))
}

fn config(devnet: &Devnet, folder: &TempDir, more: &str) -> NetworkConfig {
    let file = folder.path().join("network.toml");
    std::fs::write(&file, format!("{more}{}", devnet.network_toml())).unwrap();
    NetworkConfig::load(&file).unwrap()
}

async fn connected(config: NetworkConfig, folder: &TempDir) -> Network {
    let network = Network::start(config, folder.path(), &KEY).unwrap();
    let mut status = network.status();
    let there = status.wait_for(|status| status.connection == Connection::Connected);
    tokio::time::timeout(std::time::Duration::from_secs(40), there).await.expect("in time").unwrap();
    network
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_seed_is_reached_the_built_in_nodes_are_asked() {
    let (devnet, folder) = (Devnet::start().await.unwrap(), tempfile::tempdir().unwrap());
    let config = config(&devnet, &folder, &bootstrap(&devnet.nodes()[..3], true));
    devnet.set_seed_fault(SeedFault::Dead);
    let network = connected(config, &folder).await;
    assert_eq!(devnet.seed_requests(), 0);
    assert_eq!(devnet.requests().get("oxend_request"), Some(&3));
    drop(network);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_is_reached_there_is_the_list_that_came_with_the_program() {
    let (devnet, folder) = (Devnet::start().await.unwrap(), tempfile::tempdir().unwrap());
    let snapshot = NodeSnapshot::take(&config(&devnet, &folder, "")).await.unwrap();
    assert_eq!(snapshot.len(), 21);
    // All but eight had asked to leave, and have left.
    let mut staying: BTreeSet<Ed25519Public> = BTreeSet::new();
    let mut text: Vec<String> = snapshot.to_text().lines().map(str::to_owned).collect();
    for (n, line) in text.iter_mut().filter(|line| line.starts_with("  [")).enumerate() {
        if n < 8 {
            staying.insert(line.split('"').nth(1).unwrap().parse().unwrap());
        } else {
            *line = line.replace(",0]", ",1]");
        }
    }
    std::fs::write(folder.path().join("nodes.json"), text.join("\n")).unwrap();
    let more = format!("snapshot = \"nodes.json\"\n{}", bootstrap(&devnet.nodes()[..3], false));
    let config = config(&devnet, &folder, &more);
    devnet.set_seed_fault(SeedFault::Dead);
    let asked = devnet.seed_requests();

    let network = connected(config, &folder).await;
    network.status().wait_for(|status| status.paths.len() == 2).await.unwrap();
    assert!(network.paths().iter().flatten().all(|hop| staying.contains(&hop.ed25519)));
    assert_eq!(devnet.seed_requests(), asked);
    assert!(!folder.path().join("network/nodes").exists(), "it is not a list of our own");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_network_says_of_itself_is_better_than_an_old_list() {
    let (devnet, folder) = (Devnet::start().await.unwrap(), tempfile::tempdir().unwrap());
    let snapshot = NodeSnapshot::take(&config(&devnet, &folder, "")).await.unwrap();
    // Ten of the old list's nodes are others by now: more than a list that is believed may lose.
    let gone = |n: usize, line: &str| {
        let (key, rest) =
            (septet_protocol::crypto::Ed25519Secret::from_seed([n as u8; 32]).public(), &line[68..]);
        format!("  [\"{key}{rest}")
    };
    let mut text: Vec<String> = snapshot.to_text().lines().map(str::to_owned).collect();
    for (n, line) in text.iter_mut().filter(|line| line.starts_with("  [")).take(10).enumerate() {
        *line = gone(n, line);
    }
    std::fs::write(folder.path().join("nodes.json"), text.join("\n")).unwrap();
    let file = folder.path().join("network.toml");
    std::fs::write(&file, format!("snapshot = \"nodes.json\"\n{}", devnet.network_toml_with(true))).unwrap();
    let config = NetworkConfig::load(&file).unwrap();
    devnet.set_seed_fault(SeedFault::Dead);
    let _network = connected(config, &folder).await;
    let saved = async {
        while !folder.path().join("network/nodes").exists() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(90), saved).await.expect("a list of our own in time");
}
