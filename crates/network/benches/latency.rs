//! How long a person waits for the network part, on a local network where the way itself takes no time: what is left is
//! our own work, the nodes' (all in this process), and the sockets between. `cargo bench -p septet-network`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::time::{Duration, Instant};

use septet_devnet::Devnet;
use septet_network::{Network, NetworkConfig};
use septet_protocol::account::Seed;
use septet_protocol::crypto::SystemRandom;
use septet_protocol::id::Namespace;
use septet_protocol::swarm::Auth;
use septet_protocol::swarm::request::{Retrieve, Store};
use tokio_util::sync::CancellationToken;

const DAY: u64 = 24 * 3600 * 1000;

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!("{what:<44} median {:>9.2?}   95% {:>9.2?}   n {}", at(50), at(95), times.len());
}

async fn connect(devnet: &Devnet, folder: &std::path::Path) -> Network {
    let config = NetworkConfig::from_toml(&devnet.network_toml()).unwrap();
    let network = Network::start(config, folder, &[7; 32]).unwrap();
    network.status().wait_for(|status| !status.paths.is_empty()).await.unwrap();
    network
}

#[tokio::main]
async fn main() {
    let devnet = Devnet::start().await.unwrap();
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
