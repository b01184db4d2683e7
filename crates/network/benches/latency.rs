//! How long a person waits for the network part, on a local network where the way itself takes no time: what is left is
//! our own work, the nodes' (all in this process), and the sockets between. `cargo bench -p septet-network`; only the
//! starts with `-- starts`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use septet_devnet::{Devnet, Fault, NodeHandle};
use septet_network::{Network, NetworkConfig};
use septet_protocol::account::Seed;
use septet_protocol::crypto::{SystemRandom, blake2b, xchacha_decrypt};
use septet_protocol::id::{Ed25519Public, Namespace};
use septet_protocol::swarm::Auth;
use septet_protocol::swarm::request::{Retrieve, Store};
use tokio_util::sync::CancellationToken;

const DAY: u64 = 24 * 3600 * 1000;

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    let (median, most, slowest) = (at(50), at(95), at(100));
    println!(
        "{what:<44} median {median:>9.2?}   95% {most:>9.2?}   slowest {slowest:>9.2?}   n {}",
        times.len()
    );
}

/// What the network part's files are encrypted with.
const KEY: [u8; 32] = [7; 32];
/// How often the program is started for each figure.
const STARTS: usize = 100;

async fn connect(devnet: &Devnet, folder: &Path) -> Network {
    let config = NetworkConfig::from_toml(&devnet.network_toml()).unwrap();
    let network = Network::start(config, folder, &KEY).unwrap();
    network.status().wait_for(|status| !status.paths.is_empty()).await.unwrap();
    network
}

/// The kept guards as they are saved.
fn kept(folder: &Path) -> BTreeSet<Ed25519Public> {
    let Ok(file) = std::fs::read(folder.join("network/guards")) else { return BTreeSet::new() };
    let key = blake2b(&KEY, &[b"guards"]);
    let text = xchacha_decrypt(&key, file[1..25].try_into().unwrap(), &file[25..]).unwrap();
    let saved: serde_json::Value = serde_json::from_slice(&text).unwrap();
    serde_json::from_value(saved["content"]["kept"].clone()).unwrap()
}

/// Starts with one node frozen: the connection stands, and nothing ever comes back.
async fn starts(devnet: &Devnet) {
    let freeze = |node: &NodeHandle| node.set_fault(Fault::Frozen);
    let nodes = devnet.nodes();
    let mut times = Vec::new();
    for n in 0..STARTS {
        let folder = tempfile::tempdir().unwrap();
        let frozen = &nodes[n % nodes.len()];
        freeze(frozen);
        let began = Instant::now();
        connect(devnet, folder.path()).await;
        times.push(began.elapsed());
        frozen.clear_faults();
    }
    report("first start, a node frozen, to first path", times);

    let folder = tempfile::tempdir().unwrap();
    let network = connect(devnet, folder.path()).await;
    network.status().wait_for(|status| status.paths.len() == 2).await.unwrap();
    while kept(folder.path()).len() < 2 || !folder.path().join("network/nodes").exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(network);
    let guards = kept(folder.path());
    let (mut times, mut with_guard, mut lost) = (Vec::new(), Vec::new(), 0);
    for n in 0..STARTS {
        // Every second time it is a kept guard.
        let guard = guards.iter().nth(n / 2 % 2).filter(|_| n % 2 == 0);
        let frozen = guard.map_or(nodes[n % nodes.len()].clone(), |guard| devnet.node(guard).unwrap());
        freeze(&frozen);
        let began = Instant::now();
        let network = connect(devnet, folder.path()).await;
        if guards.contains(&frozen.ed25519()) { &mut with_guard } else { &mut times }.push(began.elapsed());
        network.status().wait_for(|status| status.paths.len() == 2).await.unwrap();
        drop(network);
        lost += usize::from(kept(folder.path()) != guards);
        frozen.clear_faults();
    }
    report("restart, a kept guard frozen, to first path", with_guard);
    report("restart, another node frozen, to first path", times);
    println!("starts after which the kept guards were others: {lost} of {STARTS}");
}

#[tokio::main]
async fn main() {
    let devnet = Devnet::start().await.unwrap();
    starts(&devnet).await;
    if std::env::args().any(|argument| argument == "starts") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let keys = Seed::generate(&mut SystemRandom).keys();
    let mut times = Vec::new();
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let began = Instant::now();
        connect(&devnet, folder.path()).await;
        times.push(began.elapsed());
    }
    report("first start to first path", times);

    let network = connect(&devnet, folder.path()).await;
    let store = |data: Vec<u8>| {
        let network = network.clone();
        let account = keys.session_id.into();
        async move {
            let began = Instant::now();
            let store = Store { account, namespace: Namespace::MESSAGES, data: &data, ttl: DAY };
            network.store(&store, None).await.unwrap();
            began.elapsed()
        }
    };
    let mut times = Vec::new();
    for n in 0..500_u32 {
        times.push(store(n.to_be_bytes().repeat(100)).await);
    }
    report("store of 400 bytes, one after another", times);

    let began = Instant::now();
    let stores = (0..1000_u32).map(|n| tokio::spawn(store(n.to_le_bytes().repeat(101))));
    let stores: Vec<_> = stores.collect();
    let mut times = Vec::new();
    for store in stores {
        times.push(store.await.unwrap());
    }
    println!("1000 stores at once: {:.0} a second", 1000.0 / began.elapsed().as_secs_f64());

    let auth = Auth::user(keys.session_id, &keys.ed25519);
    let account = keys.session_id.into();
    let mut times = Vec::new();
    for _ in 0..300 {
        let began = Instant::now();
        let retrieve = Retrieve { namespace: Namespace::CONTACTS, last_hash: None, max_size: None };
        let request = |_: &_, now| retrieve.rpc(&auth, now);
        network.swarm_request(&account, request).await.unwrap();
        times.push(began.elapsed());
    }
    report("retrieve of nothing", times);

    let file = vec![7; 10_000_000];
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..10 {
        let began = Instant::now();
        let stored = network.upload(file.clone(), |_, _| {}, CancellationToken::new()).await.unwrap();
        times.0.push(began.elapsed());
        let began = Instant::now();
        network.download(&stored.url, |_, _| {}, CancellationToken::new()).await.unwrap();
        times.1.push(began.elapsed());
    }
    report("upload of 10 MB", times.0);
    report("download of 10 MB", times.1);
}
