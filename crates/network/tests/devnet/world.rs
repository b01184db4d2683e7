//! A local network and a client's connection to it.

use std::collections::BTreeSet;
use std::time::Duration;

use septet_devnet::{Devnet, DevnetBuilder, NodeHandle};
use septet_network::{Connection, Network, NetworkConfig, NetworkError, Reply};
use septet_protocol::account::{AccountKeys, Seed};
use septet_protocol::crypto::SystemRandom;
use septet_protocol::id::{Account, Ed25519Public, MessageHash, Namespace};
use septet_protocol::swarm::Auth;
use septet_protocol::swarm::reply::{RetrieveReply, StoreReply, StoredMessage};
use septet_protocol::swarm::request::{Retrieve, Store};
use tempfile::TempDir;

/// What the network part's files are encrypted with.
pub const KEY: [u8; 32] = [7; 32];
/// How long a message is to be kept.
pub const DAY: u64 = 24 * 3600 * 1000;

/// A local network, one connection to it, and the account of whoever it is.
pub struct World {
    pub devnet: Devnet,
    pub network: Network,
    pub folder: TempDir,
    pub keys: AccountKeys,
}

impl World {
    /// The usual network.
    pub async fn new() -> Self {
        Self::with(Devnet::builder()).await
    }

    /// A network of another shape.
    pub async fn with(builder: DevnetBuilder) -> Self {
        Self::with_paths(builder, 2).await
    }

    /// A network of another shape, which makes so many paths.
    pub async fn with_paths(builder: DevnetBuilder, paths: usize) -> Self {
        let devnet = builder.start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let network = connect(&devnet, &folder);
        let world = Self { devnet, network, folder, keys: Seed::generate(&mut SystemRandom).keys() };
        world.until_paths(paths).await;
        world
    }

    /// Another start of the same client.
    pub async fn restart(mut self) -> Self {
        self.network = connect(&self.devnet, &self.folder);
        self.until_paths(2).await;
        self
    }

    pub fn account(&self) -> Account {
        self.keys.session_id.into()
    }

    pub fn auth(&self) -> Auth<'_> {
        Auth::user(self.keys.session_id, &self.keys.ed25519)
    }

    /// Waits until there are so many paths.
    pub async fn until_paths(&self, count: usize) {
        let mut status = self.network.status();
        let enough = status.wait_for(|status| status.paths.len() >= count);
        tokio::time::timeout(Duration::from_secs(40), enough).await.expect("paths in time").unwrap();
    }

    /// Waits for a state of the connection.
    pub async fn until(&self, connection: Connection) {
        let mut status = self.network.status();
        let there = status.wait_for(|status| status.connection == connection);
        tokio::time::timeout(Duration::from_secs(40), there).await.expect("the state in time").unwrap();
    }

    /// The nodes of a path.
    pub fn path(&self, index: usize) -> Vec<NodeHandle> {
        let hop = |hop: &septet_network::PathHop| self.devnet.node(&hop.ed25519).unwrap().clone();
        self.network.paths()[index].iter().map(hop).collect()
    }

    /// Becomes somebody whose swarm does not have this node.
    pub fn move_away_from(&mut self, node: &NodeHandle) {
        while self.devnet.swarm_of(&self.account()).iter().any(|member| member.ed25519() == node.ed25519()) {
            self.keys = Seed::generate(&mut SystemRandom).keys();
        }
    }

    /// Waits until just these are the guards in use.
    pub async fn until_guards(&self, guards: &BTreeSet<Ed25519Public>) {
        let mut status = self.network.status();
        let these = status.wait_for(|status| {
            status.paths.iter().map(|path| path[0].ed25519).collect::<BTreeSet<_>>() == *guards
        });
        // A guard that did not answer while there was no network is tried again after a pause that grows.
        tokio::time::timeout(Duration::from_secs(120), these).await.expect("the guards in time").unwrap();
    }

    /// All guards in use.
    pub fn guards(&self) -> Vec<NodeHandle> {
        (0..self.network.paths().len()).map(|index| self.path(index)[0].clone()).collect()
    }

    /// Stores to ourselves, as anybody could.
    pub async fn store(&self, data: &[u8]) -> Result<StoreReply, NetworkError> {
        let store = Store { account: self.account(), namespace: Namespace::MESSAGES, data, ttl: DAY };
        self.network.store(&store, None).await
    }

    /// Two members of our swarm that no path of ours leads through; for that we become somebody else if need be.
    pub fn two_members_off_our_paths(&mut self) -> [NodeHandle; 2] {
        let paths = self.network.paths();
        let hops: Vec<_> = paths.iter().flatten().map(|hop| hop.ed25519).collect();
        loop {
            let swarm = self.devnet.swarm_of(&self.account());
            let mut off = swarm.into_iter().filter(|node| !hops.contains(&node.ed25519()));
            if let (Some(one), Some(other)) = (off.next(), off.next()) {
                return [one, other];
            }
            self.keys = Seed::generate(&mut SystemRandom).keys();
        }
    }

    /// Fetches our messages: a signed request.
    pub async fn retrieve(&self) -> Result<Reply, NetworkError> {
        self.retrieve_after(None).await
    }

    pub async fn retrieve_after(&self, last_hash: Option<MessageHash>) -> Result<Reply, NetworkError> {
        let retrieve = Retrieve { namespace: Namespace::MESSAGES, last_hash, max_size: None };
        self.network.swarm_request(&self.account(), |_, now| retrieve.rpc(&self.auth(), now)).await
    }

    /// The messages of [`World::retrieve`].
    pub async fn messages(&self) -> Vec<StoredMessage> {
        let reply = self.retrieve().await.unwrap();
        RetrieveReply::read(&reply.body, &self.account(), Namespace::MESSAGES).unwrap().messages
    }
}

/// A connection with this data folder.
pub fn connect(devnet: &Devnet, folder: &TempDir) -> Network {
    let config = NetworkConfig::from_toml(&devnet.network_toml()).unwrap();
    Network::start(config, folder.path(), &KEY).unwrap()
}
