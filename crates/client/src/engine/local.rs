//! An engine on a local network, none of whose tasks run: what happens is up to each test.

use std::path::PathBuf;
use std::sync::Arc;

use septet_devnet::Devnet;
use septet_network::{Network, NetworkConfig};
use septet_protocol::account::Seed;
use septet_protocol::crypto::SystemRandom;
use septet_protocol::time::Timestamp;
use tempfile::TempDir;

use super::Engine;
use crate::key::KeyProtection;
use crate::store::{Store, StoredAccount};

/// A new account on a network of its own.
pub struct Local {
    pub net: Devnet,
    pub engine: Arc<Engine>,
    folder: TempDir,
}

impl Local {
    pub async fn new() -> Self {
        let net = Devnet::builder().start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let profile = profile(&folder);
        let (seed, created) = (Seed::generate(&mut SystemRandom), Timestamp::from_ms(net.now()));
        let keys = seed.keys();
        let account = StoredAccount { id: keys.session_id, seed, created };
        let (of, key) = (profile.clone(), KeyProtection::KeyFile);
        let store = move || Store::create(&of, key, &account, |_| Ok(())).unwrap();
        let store = tokio::task::spawn_blocking(store).await.unwrap();
        let config = NetworkConfig::from_toml(&net.network_toml()).unwrap();
        let network = Network::start(config, &profile, store.network_key()).unwrap();
        Self { net, engine: Engine::new(keys, store, network), folder }
    }

    /// How many files lie in the shards of the folder of stored files.
    pub fn stored_files(&self) -> usize {
        let shards = std::fs::read_dir(profile(&self.folder).join("files")).unwrap();
        shards.map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap().count()).sum()
    }
}

fn profile(folder: &TempDir) -> PathBuf {
    folder.path().join("profile")
}
