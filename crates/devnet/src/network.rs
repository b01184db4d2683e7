//! What the nodes share: who they are, which swarm is whose, the time, registered names.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use septet_protocol::id::{Ed25519Public, SessionId, SwarmId};
use septet_protocol::name::Name;
use septet_protocol::swarm;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::cut::Wire;
use crate::names::NameRecord;
use crate::node::{Node, NodeInfo};
use crate::pubkey::Pubkey;
use crate::state::State;

/// The version every node reports.
pub(crate) const VERSION: [u64; 3] = [2, 8, 0];
/// The hard fork the network is at.
pub(crate) const HARD_FORK: [u64; 2] = [19, 4];
/// The height of the chain, which does not grow.
pub(crate) const HEIGHT: u64 = 1_600_000;

/// How long nodes wait for each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the next hop of an onion request (spec 03 §6.8: 30 s).
    pub relay: Duration,
    /// For a member of the swarm (spec 03 §9.2: 5 s).
    pub member: Duration,
    /// For an HTTP server behind the last hop (spec 03 §6.8: 25 s).
    pub proxy: Duration,
}

/// The whole network, as each of its nodes sees it.
pub(crate) struct Network {
    nodes: RwLock<Vec<Arc<Node>>>,
    names: RwLock<BTreeMap<[u8; 32], NameRecord>>,
    registered: RwLock<BTreeMap<[u8; 32], (Name, SessionId)>>,
    pub patience: Patience,
    /// Whether nodes know `active_nodes_bin`.
    pub active_nodes_bin: bool,
    pub state: Option<Arc<State>>,
    clock_offset: AtomicI64,
    pub wire: Wire,
    tasks: Tasks,
}

impl Network {
    pub fn new(
        nodes: Vec<Arc<Node>>,
        (patience, active_nodes_bin): (Patience, bool),
        state: Option<Arc<State>>,
        runtime: Handle,
    ) -> Self {
        let (names, clock_offset, tasks) = (RwLock::default(), AtomicI64::new(0), Tasks::new(runtime));
        let (nodes, wire) = (RwLock::new(nodes), Wire::default());
        Self {
            nodes,
            names,
            registered: RwLock::default(),
            patience,
            active_nodes_bin,
            state,
            clock_offset,
            wire,
            tasks,
        }
    }

    /// All nodes, in the order they joined.
    pub fn nodes(&self) -> Vec<Arc<Node>> {
        self.nodes.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes a new node in.
    pub fn add(&self, node: Arc<Node>) {
        self.nodes.write().unwrap_or_else(PoisonError::into_inner).push(node);
    }

    /// The node with this identity.
    pub fn find(&self, key: &Ed25519Public) -> Option<Arc<Node>> {
        self.nodes().into_iter().find(|node| node.info.ed25519 == *key)
    }

    /// The swarm responsible for an account, and its present members (spec 03 §4).
    pub fn swarm_of(&self, account: &Pubkey) -> (SwarmId, Vec<Arc<Node>>) {
        let mut nodes = self.nodes();
        let swarms = nodes.iter().map(|node| node.swarm());
        let Some(id) = swarm::nearest(account.position(), swarms) else { return (SwarmId::NONE, Vec::new()) };
        nodes.retain(|node| node.swarm() == id);
        (id, nodes)
    }

    /// All nodes, as they are at present.
    pub fn list(&self) -> Vec<NodeInfo> {
        let info = |node: &Arc<Node>| NodeInfo { swarm: node.swarm(), ..node.info.clone() };
        self.nodes().iter().map(info).collect()
    }

    /// What the chain holds under the hash of a name.
    pub fn name(&self, hash: &[u8; 32]) -> Option<NameRecord> {
        self.names.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    /// Takes names registered earlier.
    pub fn set_names(&self, names: BTreeMap<[u8; 32], NameRecord>) {
        *self.names.write().unwrap_or_else(PoisonError::into_inner) = names;
    }

    /// A name registered since the start, in the clear.
    pub fn registered(&self, hash: &[u8; 32]) -> Option<(Name, SessionId)> {
        self.registered.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    /// Puts a name on the chain.
    pub fn register(&self, name: &Name, account: &SessionId) {
        let (hash, record) = (name.hash(), NameRecord::register(name, account));
        let mut registered = self.registered.write().unwrap_or_else(PoisonError::into_inner);
        registered.insert(hash, (name.clone(), *account));
        if let Some(state) = &self.state {
            state.put_name(&hash, &record);
        }
        self.names.write().unwrap_or_else(PoisonError::into_inner).insert(hash, record);
    }

    /// The network's time, Unix ms.
    pub fn now(&self) -> u64 {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        u64::try_from(real)
            .unwrap_or(u64::MAX)
            .saturating_add_signed(self.clock_offset.load(Ordering::Relaxed))
    }

    /// Moves the network's time, for every node at once.
    pub fn set_clock_offset(&self, ms: i64) {
        self.clock_offset.store(ms, Ordering::Relaxed);
    }

    /// Runs `work` to its end even when the one who asked has hung up, and gives its result if not shut down first.
    pub async fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (done, result) = oneshot::channel();
        self.tasks.spawn(async move { _ = done.send(work.await) });
        result.await.ok()
    }

    /// Runs `work` until the network ends.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(work);
    }

    /// Stops everything that runs.
    pub fn stop(&self) -> Stopping {
        let doors = self.nodes().iter().filter_map(|node| node.door.retire()).collect();
        Stopping { tasks: self.tasks.stop(), doors }
    }
}

/// What is still ending.
#[must_use = "everything ends by itself, too; to wait for it is optional"]
pub(crate) struct Stopping {
    pub tasks: Option<JoinSet<()>>,
    pub doors: Vec<JoinHandle<()>>,
}

impl Stopping {
    /// Waits until nothing runs any more.
    pub async fn finish(self) {
        if let Some(mut tasks) = self.tasks {
            tasks.shutdown().await;
        }
        for door in self.doors {
            // The error says that the task was stopped, which was the purpose.
            _ = door.await;
        }
    }
}

/// The tasks of a network; they end with it.
struct Tasks {
    runtime: Handle,
    running: Mutex<Option<JoinSet<()>>>,
}

impl Tasks {
    fn new(runtime: Handle) -> Self {
        Self { runtime, running: Mutex::new(Some(JoinSet::new())) }
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(running) = running.as_mut() else { return };
        while running.try_join_next().is_some() {}
        running.spawn_on(work, &self.runtime);
    }

    fn stop(&self) -> Option<JoinSet<()>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = &mut running {
            running.abort_all();
        }
        running
    }
}

/// One node's seat in the network: what a request handler needs.
#[derive(Clone)]
pub(crate) struct Seat {
    pub network: Arc<Network>,
    pub node: Arc<Node>,
}

impl Seat {
    /// The node's own idea of the time, Unix ms.
    pub fn now(&self) -> u64 {
        self.network.now().saturating_add_signed(self.node.faults().clock_skew)
    }

    /// The time it tells others, Unix ms.
    pub fn told_time(&self) -> u64 {
        let lie = self.node.faults().lies.time;
        if lie != 0 {
            self.node.count("lie:time");
        }
        self.now().saturating_add_signed(lie)
    }

    /// Whether the node acts as one that keeps this account's messages.
    pub fn is_responsible_for(&self, account: &Pubkey) -> bool {
        let lies = self.node.faults().lies;
        if lies.colludes || lies.misdirects.is_some() {
            return lies.colludes;
        }
        let (swarm, _) = self.network.swarm_of(account);
        swarm != SwarmId::NONE && swarm == self.node.swarm()
    }

    /// Those that keep this account's messages, as the node acts: the swarm, or all that collude if it does.
    pub fn members_for(&self, account: &Pubkey) -> Vec<Arc<Node>> {
        let colludes = |node: &Arc<Node>| node.faults().lies.colludes;
        if colludes(&self.node) {
            return self.network.nodes().into_iter().filter(colludes).collect();
        }
        self.network.swarm_of(account).1
    }

    /// The same network seen from another node.
    pub fn at(&self, node: &Arc<Node>) -> Seat {
        Seat { network: Arc::clone(&self.network), node: Arc::clone(node) }
    }
}
