//! Paths, guards and node lists over starts and restarts.

use std::collections::BTreeSet;

use septet_devnet::{Devnet, Fault, NodeHandle, SeedFault};
use septet_network::{Connection, Network, NetworkConfig};
use septet_protocol::crypto::{blake2b, xchacha_decrypt, xchacha_encrypt};
use septet_protocol::id::Ed25519Public;
use serde_json::Value;

use crate::world::{KEY, World, connect};

fn guards(network: &Network) -> BTreeSet<Ed25519Public> {
    network.paths().iter().map(|path| path[0].ed25519).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_paths_of_three_nodes_share_none() {
    let world = World::new().await;
    let paths = world.network.paths();
    assert!(paths.iter().all(|path| path.len() == 3));
    let nodes: BTreeSet<_> = paths.iter().flatten().map(|hop| hop.ed25519).collect();
    assert_eq!(nodes.len(), 6);
    for path in &paths {
        let subnets: BTreeSet<_> = path.iter().map(|hop| hop.ip.octets()[..3].to_vec()).collect();
        assert_eq!(subnets.len(), 3);
        assert!(path.iter().all(|hop| hop.country.as_deref() == Some("local")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_directly() {
    let world = World::new().await;
    world.store(b"x").await.unwrap();
    world.retrieve().await.unwrap();
    assert_eq!(world.devnet.requests().get("direct"), None);
    // The list says who is in which swarm; so nobody is asked for an account's swarm either.
    assert_eq!(world.devnet.requests().get("get_swarm"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_with_guards_it_had_and_needs_no_seed() {
    let world = World::new().await;
    let before = guards(&world.network);
    let asked = world.devnet.seed_requests();
    let world = saved(world).await.restart().await;
    // On a busy machine another node may stand in for one at first.
    world.until_guards(&before).await;
    assert_eq!(world.devnet.seed_requests(), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_with_a_frozen_guard_goes_on_with_the_other_and_comes_back_to_it() {
    let mut world = saved(World::new().await).await;
    let before = guards(&world.network);
    let kept = kept(&world);
    let frozen = world.guards()[0].clone();
    frozen.set_fault(Fault::Frozen);
    world.network = connect(&world.devnet, &world.folder);
    world.until_paths(1).await;
    let first = world.guards();
    assert!(!first.iter().any(|guard| guard.ed25519() == frozen.ed25519()));
    world.until_paths(2).await;
    assert!(guards(&world.network).iter().any(|guard| *guard != frozen.ed25519() && before.contains(guard)));
    world.store(b"meanwhile").await.unwrap();
    assert_eq!(self::kept(&world), kept, "who stands in is not kept");

    frozen.clear_faults();
    world.until_guards(&before).await;
    assert_eq!(self::kept(&world), kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_with_frozen_hops_and_a_seed_that_is_silent_keeps_its_guards() {
    let mut world = saved(World::new().await).await;
    let (before, kept) = (guards(&world.network), kept(&world));
    let asked = world.devnet.seed_requests();
    world.devnet.set_seed_fault(SeedFault::Frozen);
    let others: Vec<&NodeHandle> =
        world.devnet.nodes().iter().filter(|node| !before.contains(&node.ed25519())).collect();
    // Most draws hit at least one of them.
    others[..5].iter().for_each(|node| node.set_fault(Fault::Frozen));
    let frozen: BTreeSet<_> = others[..5].iter().map(|node| node.ed25519()).collect();
    world.network = connect(&world.devnet, &world.folder);
    world.until_guards(&before).await;
    let paths = world.network.paths();
    assert!(!paths.iter().flatten().any(|hop| frozen.contains(&hop.ed25519)));
    assert_eq!((self::kept(&world), world.devnet.seed_requests()), (kept, asked));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_start_loses_a_kept_guard_whoever_is_frozen() {
    let mut world = saved(World::new().await).await;
    let (before, kept) = (guards(&world.network), kept(&world));
    for node in world.devnet.nodes() {
        node.set_fault(Fault::Frozen);
        world.network = connect(&world.devnet, &world.folder);
        world.until_paths(1).await;
        let paths = world.network.paths();
        assert!(!paths.iter().flatten().any(|hop| hop.ed25519 == node.ed25519()));
        let hops = paths.iter().flat_map(|path| &path[1..]);
        assert!(
            hops.into_iter().all(|hop| !before.contains(&hop.ed25519)),
            "a kept guard is only ever a guard"
        );
        assert_eq!(self::kept(&world), kept);
        node.clear_faults();
    }
    world.network = connect(&world.devnet, &world.folder);
    world.until_guards(&before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_another_network_is_not_used() {
    let world = saved(World::new().await).await;
    let other = Devnet::start().await.unwrap();
    let network = connect(&other, &world.folder);
    network.status().wait_for(|status| status.connection == Connection::Connected).await.unwrap();
    assert!(other.node(&network.paths()[0][0].ed25519).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_list_is_refreshed_from_three_nodes() {
    let world = saved(World::new().await).await;
    let file = world.folder.path().join("network/nodes");
    let mut list = opened("nodes", &std::fs::read(&file).unwrap());
    let three_hours_ago = world.devnet.now() - 3 * 3600 * 1000;
    list["content"]["fetched"] = three_hours_ago.into();
    let old = sealed("nodes", &list);
    std::fs::write(&file, &old).unwrap();

    let asked = world.devnet.seed_requests();
    let config = NetworkConfig::from_toml(&world.devnet.network_toml_with(true)).unwrap();
    let _network = Network::start(config, world.folder.path(), &KEY).unwrap();
    until(|| std::fs::read(&file).is_ok_and(|text| text != old)).await;
    assert!(
        opened("nodes", &std::fs::read(&file).unwrap())["content"]["fetched"].as_u64()
            > Some(three_hours_ago)
    );
    assert_eq!(world.devnet.requests().get("oxend_request"), Some(&3));
    assert_eq!(world.devnet.seed_requests(), asked);
}

/// The guards as they are on disk: those kept, and those given up.
fn kept(world: &World) -> Value {
    let file = std::fs::read(world.folder.path().join("network/guards")).unwrap();
    opened("guards", &file)["content"].clone()
}

/// Waits until list and guards are on disk.
pub async fn saved(world: World) -> World {
    let folder = world.folder.path().join("network");
    until(|| folder.join("nodes").exists()).await;
    let guards = || {
        let file = std::fs::read(folder.join("guards"));
        file.map(|file| opened("guards", &file).to_string()).unwrap_or_default()
    };
    let all = world.guards();
    until(|| all.iter().all(|guard| guards().contains(&guard.ed25519().to_string()))).await;
    world
}

/// A file of the network part as it is encrypted: a byte for the format, a nonce, XChaCha20-Poly1305.
pub fn sealed(name: &str, content: &Value) -> Vec<u8> {
    let mut file = vec![1];
    file.extend([9; 24]);
    file.extend(xchacha_encrypt(&file_key(name), &[9; 24], content.to_string().as_bytes()));
    file
}

pub fn opened(name: &str, file: &[u8]) -> Value {
    let nonce = file[1..25].try_into().unwrap();
    serde_json::from_slice(&xchacha_decrypt(&file_key(name), &nonce, &file[25..]).unwrap()).unwrap()
}

fn file_key(name: &str) -> [u8; 32] {
    blake2b(&KEY, &[name.as_bytes()])
}

/// Waits for something that a file system does not tell of.
pub async fn until(there: impl Fn() -> bool) {
    let look = async {
        while !there() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), look).await.expect("in time");
}
