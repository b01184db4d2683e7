//! The running network, as tests and tools hold it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use septet_protocol::id::{Account, Ed25519Public, MessageHash, Namespace, SessionId, SwarmId, X25519Public};
use septet_protocol::name::Name;

use crate::cut::Cut;
use crate::error::DevnetError;
use crate::fault::{Fault, FileFault, SeedFault};
use crate::file_server::{FileServer, ONION_TARGET};
use crate::hold::Hold;
use crate::http::Door;
use crate::line::{Bottleneck, Line, Traffic};
use crate::network::Network;
use crate::node::NodeHandle;
use crate::nursery::Nursery;
use crate::pubkey::Pubkey;
use crate::seed::Seed;
use crate::stored::{StoredFile, StoredMessage, message_hash};
use crate::tasks::Stopping;

/// A network that serves. It stops when dropped.
pub struct Devnet {
    pub(crate) network: Arc<Network>,
    nodes: Vec<NodeHandle>,
    file_server: Arc<FileServer>,
    seed: Arc<Seed>,
    seed_door: Door,
    line: Arc<Bottleneck>,
    pub(crate) nursery: Nursery,
}

impl Devnet {
    pub(crate) fn new(
        network: Arc<Network>,
        file_server: Arc<FileServer>,
        (seed, seed_door): (Arc<Seed>, Door),
        line: Arc<Bottleneck>,
        nursery: Nursery,
    ) -> Self {
        let nodes = network.nodes().into_iter().map(NodeHandle).collect();
        Self { network, nodes, file_server, seed, seed_door, line, nursery }
    }

    /// Opens all doors and starts sweeping.
    pub(crate) fn open(&self, sweep_every: Duration) {
        self.network_down(false);
        let (network, files) = (Arc::downgrade(&self.network), Arc::downgrade(&self.file_server));
        self.network.tasks.spawn(async move {
            loop {
                tokio::time::sleep(sweep_every).await;
                let (Some(network), Some(files)) = (network.upgrade(), files.upgrade()) else { return };
                sweep(&network, &files);
            }
        });
    }

    /// Where clients begin: `http://127.0.0.1:PORT/json_rpc`.
    pub fn seed_url(&self) -> String {
        format!("http://{}/json_rpc", self.seed_door.address())
    }

    /// Where the file server is, as clients name it: `http://127.0.0.1:PORT`.
    pub fn file_server_url(&self) -> String {
        format!("http://{}", self.file_server.door.address())
    }

    /// The file server's key.
    pub fn file_server_key(&self) -> X25519Public {
        self.file_server.secret.public()
    }

    /// The text of a network file that leads clients here. They take the seed's word for the list of nodes.
    pub fn network_toml(&self) -> String {
        self.network_toml_with(false)
    }

    /// As [`Devnet::network_toml`], with or without `pool_consensus`: whether clients ask several nodes for the list
    /// of nodes and keep what they agree on, as on the real network.
    pub fn network_toml_with(&self, pool_consensus: bool) -> String {
        format!(
            "name = \"local\"\n\
             seeds = [\"{seed}\"]\n\
             min_pool = {min_pool}\n\
             pool_consensus = {pool_consensus}\n\
             distinct_subnets = {distinct}\n\
             [file_server]\n\
             url = \"{files}\"\n\
             x25519 = \"{key}\"\n\
             ed25519 = \"\"\n\
             onion_target = \"{ONION_TARGET}\"\n",
            seed = self.seed_url(),
            min_pool = self.nodes.len().min(7),
            distinct = self.nursery.distinct_subnets,
            files = self.file_server_url(),
            key = self.file_server_key(),
        )
    }

    /// Writes [`Devnet::network_toml`] to a file.
    pub fn write_network_file(&self, path: &Path) -> Result<(), DevnetError> {
        std::fs::write(path, self.network_toml())
            .map_err(|source| DevnetError::NetworkFile { path: path.to_owned(), source })
    }

    /// The nodes the network was made with, swarm by swarm.
    pub fn nodes(&self) -> &[NodeHandle] {
        &self.nodes
    }

    /// All nodes, those that joined later at the end.
    pub fn all_nodes(&self) -> Vec<NodeHandle> {
        self.network.nodes().into_iter().map(NodeHandle).collect()
    }

    /// The node with this identity.
    pub fn node(&self, key: &Ed25519Public) -> Option<NodeHandle> {
        self.network.find(key).map(NodeHandle)
    }

    /// The members of an account's swarm at present.
    pub fn swarm_of(&self, account: &Account) -> Vec<NodeHandle> {
        let (_, members) = self.network.swarm_of(&Pubkey::from(account));
        members.into_iter().map(NodeHandle).collect()
    }

    /// The id of an account's swarm.
    pub fn swarm_id_of(&self, account: &Account) -> SwarmId {
        self.network.swarm_of(&Pubkey::from(account)).0
    }

    /// Lets something be wrong with a node, in addition to what is.
    pub fn set_fault(&self, node: &NodeHandle, fault: impl Into<Fault>) {
        node.set_fault(fault);
    }

    /// Makes a node well again.
    pub fn clear_faults(&self, node: &NodeHandle) {
        node.clear_faults();
    }

    /// Makes every node, the seed and the file server well again, and the network reachable.
    pub fn clear_all_faults(&self) {
        self.all_nodes().iter().for_each(NodeHandle::clear_faults);
        self.file_server.clear_faults();
        self.clear_seed_faults();
        self.network.wire.mend();
    }

    /// Lets the nodes go away from all clients at the `number`th request of this name from now on (1 is the next;
    /// names as in [`NodeHandle::requests`]); those inside a batch count. What follows it in its batch is not done.
    pub fn cut_at(&self, request: &str, number: u32, cut: Cut) {
        self.network.wire.plan(request, cut, number);
    }

    /// Until that has happened.
    pub async fn until_cut(&self) {
        self.network.wire.until_cut().await;
    }

    /// Gives the nodes back after a cut.
    pub fn mend(&self) {
        self.network.wire.mend();
    }

    /// Holds the requests of this method that clients make of any node (names as in [`NodeHandle::requests`]), alone or
    /// inside a batch, until what is returned is dropped. They have been counted, and wait before anything is checked
    /// or done; other requests go on. What members pass on to each other is not held.
    pub fn hold(&self, method: &str) -> Hold {
        self.network.gate.hold(method)
    }

    /// Holds all requests to the file server as they arrive, uploads and downloads, until what is returned is dropped.
    /// The node that passed one on waits as long as for any server ([`crate::DevnetBuilder::proxy_patience`]).
    pub fn hold_files(&self) -> Hold {
        self.file_server.hold()
    }

    /// Lets something be wrong with the file server, in addition to what is.
    pub fn set_file_fault(&self, fault: FileFault) {
        self.file_server.set_fault(fault);
    }

    /// Makes the file server well again.
    pub fn clear_file_faults(&self) {
        self.file_server.clear_faults();
    }

    /// Lets something be wrong with the seed, in addition to what is.
    pub fn set_seed_fault(&self, fault: SeedFault) {
        self.seed.set_fault(fault);
        if self.seed.is_dead() {
            self.seed_door.close();
        }
    }

    /// Makes the seed well again.
    pub fn clear_seed_faults(&self) {
        self.seed.clear_faults();
        self.seed_door.open();
    }

    /// Takes the whole network away from its clients (every connection breaks, new ones are refused), or gives it
    /// back. What is dead by a fault of its own stays away.
    pub fn network_down(&self, down: bool) {
        let dead = |node: &&NodeHandle| node.0.faults().dead;
        let nodes = self.all_nodes();
        let node_doors = nodes.iter().filter(|node| down || !dead(node)).map(|node| &node.0.door);
        let files = Some(&self.file_server.door).filter(|_| down || !self.file_server.is_dead());
        let seed = Some(&self.seed_door).filter(|_| down || !self.seed.is_dead());
        for door in node_doors.chain(files).chain(seed) {
            if down {
                door.close();
            } else {
                door.open();
            }
        }
    }

    /// Puts all clients behind one line to the nodes and the seed, or takes it away. Connections that are open go on
    /// through it.
    pub fn set_line(&self, line: Option<Line>) {
        self.line.set(line);
    }

    /// How many bytes clients and the network have exchanged so far, TLS and HTTP included, with or without a line.
    pub fn traffic(&self) -> Traffic {
        self.line.traffic()
    }

    /// Moves the network's clock by so many ms from the machine's.
    pub fn set_clock_offset(&self, ms: i64) {
        self.network.clock.set_offset(ms);
    }

    /// The network's time, ms.
    pub fn now(&self) -> u64 {
        self.network.clock.now()
    }

    /// Removes what has expired now, without waiting for the next sweep.
    pub fn sweep(&self) {
        sweep(&self.network, &self.file_server);
    }

    /// How many requests all nodes have seen, by name (see [`NodeHandle::requests`]).
    pub fn requests(&self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for (name, count) in self.all_nodes().iter().flat_map(NodeHandle::requests) {
            *all.entry(name).or_default() += count;
        }
        all
    }

    /// How many requests about an account clients have made of all nodes, by method (see [`NodeHandle::requests_of`]).
    pub fn requests_of(&self, account: &Account) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for (name, count) in self.all_nodes().iter().flat_map(|node| node.requests_of(account)) {
            *all.entry(name).or_default() += count;
        }
        all
    }

    /// How often the seed was asked.
    pub fn seed_requests(&self) -> u64 {
        self.seed.requests()
    }

    /// Counts all requests from zero again, those of the seed excepted.
    pub fn reset_requests(&self) {
        self.all_nodes().iter().for_each(NodeHandle::reset_requests);
    }

    /// Every message that any member of the swarm stores for an account in a namespace, each once, by timestamp.
    pub fn messages_of(&self, account: &Account, namespace: Namespace) -> Vec<StoredMessage> {
        let mut found: BTreeMap<(u64, MessageHash), StoredMessage> = BTreeMap::new();
        for message in self.all_nodes().iter().flat_map(|node| node.messages_of(account, namespace)) {
            found.entry((message.timestamp, message.hash)).or_insert(message);
        }
        found.into_values().collect()
    }

    /// Puts a message into every member of the swarm, as if a client had stored it. `timestamp` and `expiry` in ms.
    pub fn deliver(
        &self,
        account: &Account,
        namespace: Namespace,
        data: impl Into<Arc<[u8]>>,
        timestamp: u64,
        expiry: u64,
    ) -> MessageHash {
        let (pubkey, data) = (Pubkey::from(account), data.into());
        let hash = message_hash(&pubkey, namespace, &data);
        let message = StoredMessage { hash, namespace: namespace.0, timestamp, expiry, data };
        for node in self.swarm_of(account) {
            node.0.storage().store(pubkey, message.clone());
        }
        hash
    }

    /// The files on the file server, by id.
    pub fn files(&self) -> BTreeMap<String, StoredFile> {
        self.file_server.files().all()
    }

    /// Registers a name for an account.
    pub fn register_name(&self, name: &Name, account: &SessionId) {
        self.network.names.register(name, account);
    }

    /// Stops the network and waits until its ports are free. Dropping it stops it without waiting.
    pub async fn shutdown(self) {
        self.stop().finish().await;
    }

    fn stop(&self) -> Stopping {
        let mut stopping = self.network.stop();
        stopping.doors.extend(self.seed_door.retire());
        stopping.doors.extend(self.file_server.door.retire());
        stopping
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        drop(self.stop());
    }
}

fn sweep(network: &Network, files: &FileServer) {
    let now = network.clock.now();
    for node in network.nodes() {
        node.storage().sweep(now.saturating_add_signed(node.faults().clock_skew));
    }
    files.files().sweep(now);
}
