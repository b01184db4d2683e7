//! Making a network.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use septet_protocol::crypto::{Ed25519Secret, Random, SystemRandom, X25519Secret};
use septet_protocol::id::SwarmId;
use tokio::net::TcpSocket;
use tokio::runtime::Handle;

use crate::clock::Clock;
use crate::devnet::Devnet;
use crate::error::DevnetError;
use crate::file_server::{FileServer, FileServerKind, FileService, Files};
use crate::http::{Door, Manner, bind};
use crate::line::Bottleneck;
use crate::names::Names;
use crate::network::{Conduct, Network, Patience};
use crate::node::Node;
use crate::node_info::NodeInfo;
use crate::nursery::Nursery;
use crate::seat::Seat;
use crate::seed::Seed;
use crate::service::NodeService;
use crate::state::{NodeJournal, NodeRecord, State};
use crate::storage::{Journal, Storage};
use crate::tasks::Tasks;
use crate::version::ServerVersion;
use crate::{nursery, tls};

impl Devnet {
    /// A network of the usual shape: 3 swarms of 7 nodes.
    pub async fn start() -> Result<Self, DevnetError> {
        DevnetBuilder::new().start().await
    }

    /// For a network of another shape.
    pub fn builder() -> DevnetBuilder {
        DevnetBuilder::new()
    }
}

/// What a network is to be like; [`DevnetBuilder::start`] makes it.
#[derive(Clone, Debug)]
pub struct DevnetBuilder {
    swarms: usize,
    nodes_per_swarm: usize,
    state_dir: Option<PathBuf>,
    distinct_subnets: bool,
    file_server: FileServerKind,
    conduct: Conduct,
    sweep_every: Duration,
    idle_close: Option<RangeInclusive<Duration>>,
}

impl Default for DevnetBuilder {
    fn default() -> Self {
        let patience = Patience {
            relay: Duration::from_secs(30),
            member: Duration::from_secs(5),
            proxy: Duration::from_secs(25),
        };
        Self {
            swarms: 3,
            nodes_per_swarm: 7,
            state_dir: None,
            distinct_subnets: true,
            file_server: FileServerKind::default(),
            conduct: Conduct { patience, version: ServerVersion::default(), active_nodes_bin: false },
            sweep_every: Duration::from_secs(10),
            idle_close: Some(Duration::from_secs(8)..=Duration::from_secs(12)),
        }
    }
}

impl DevnetBuilder {
    /// A network of 3 swarms of 7 nodes that ends with the process.
    pub fn new() -> Self {
        Self::default()
    }

    /// So many swarms.
    #[must_use]
    pub fn swarms(mut self, swarms: usize) -> Self {
        self.swarms = swarms;
        self
    }

    /// So many nodes in each swarm.
    #[must_use]
    pub fn nodes_per_swarm(mut self, nodes: usize) -> Self {
        self.nodes_per_swarm = nodes;
        self
    }

    /// Keeps keys, ports, messages and files in this folder, and starts from what is in it.
    #[must_use]
    pub fn state_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(folder.into());
        self
    }

    /// Whether each node gets a /24 of its own, `127.0.1.1`, `127.0.2.1` and so on (the default); if not, or where
    /// the system has one loopback address only, all nodes are at `127.0.0.1`.
    #[must_use]
    pub fn distinct_subnets(mut self, distinct: bool) -> Self {
        self.distinct_subnets = distinct;
        self
    }

    /// Which file server to imitate.
    #[must_use]
    pub fn file_server(mut self, kind: FileServerKind) -> Self {
        self.file_server = kind;
        self
    }

    /// How long a node waits for the next hop; 30 s on the real network.
    #[must_use]
    pub fn relay_patience(mut self, patience: Duration) -> Self {
        self.conduct.patience.relay = patience;
        self
    }

    /// How long a node waits for another member of the swarm; 5 s on the real network.
    #[must_use]
    pub fn member_patience(mut self, patience: Duration) -> Self {
        self.conduct.patience.member = patience;
        self
    }

    /// How long a node waits for an HTTP server; 25 s on the real network.
    #[must_use]
    pub fn proxy_patience(mut self, patience: Duration) -> Self {
        self.conduct.patience.proxy = patience;
        self
    }

    /// How often expired messages are removed; every 10 s on the real network.
    #[must_use]
    pub fn sweep_every(mut self, period: Duration) -> Self {
        self.sweep_every = period;
        self
    }

    /// After how long without a request a node closes a connection: somewhere in this range, or never. 8 to 12 s on
    /// the real network.
    #[must_use]
    pub fn idle_close(mut self, after: Option<RangeInclusive<Duration>>) -> Self {
        self.idle_close = after;
        self
    }

    /// Whether nodes know `active_nodes_bin`, as storage server 2.11 does and 2.8 (the default) does not (spec 03 §2.4).
    #[must_use]
    pub fn active_nodes_bin(mut self, known: bool) -> Self {
        self.conduct.active_nodes_bin = known;
        self
    }

    /// Which release of the storage server the nodes imitate; 2.11 knows `active_nodes_bin` in any case.
    #[must_use]
    pub fn server_version(mut self, version: ServerVersion) -> Self {
        self.conduct.version = version;
        self
    }

    /// Starts the network on the current runtime. It serves when this returns.
    pub async fn start(self) -> Result<Devnet, DevnetError> {
        let runtime = Handle::current();
        let state = self.state_dir.as_deref().map(State::open).transpose()?.map(Arc::new);
        let mut records = self.records(state.as_deref())?;
        let storages = storages(records.len(), state.as_ref())?;
        let line = Arc::new(Bottleneck::new());
        let manner = Manner {
            tls: Some(tls::acceptor()?),
            line: Some(Arc::clone(&line)),
            idle: self.idle_close.clone(),
        };
        let ports = Ports { runtime: runtime.clone(), patience: Instant::now() + PORT_PATIENCE };
        let distinct = self.distinct_subnets && bind(SocketAddrV4::new(nursery::alone(1), 0)).is_ok();
        let mut nodes = Vec::new();
        for (index, (record, storage)) in records.iter_mut().zip(storages).enumerate() {
            let ip = nursery::address(index, distinct);
            nodes.push(Arc::new(make_node(record, ip, storage, &manner, &ports).await?));
        }
        if let Some(state) = &state {
            state.set_nodes(&records)?;
        }
        let known_names = state.as_ref().map(|state| state.names()).transpose()?.unwrap_or_default();
        let (names, tasks) = (Names::new(known_names, state.clone()), Tasks::new(runtime.clone()));
        let network = Arc::new(Network::new(nodes, self.conduct(), names, tasks));
        for node in network.nodes() {
            let seat = Seat { network: Arc::clone(&network), node: Arc::clone(&node) };
            node.door.install(Arc::new(NodeService::new(seat)));
        }
        let files = self.make_file_server(&network.clock, state.as_ref(), &ports).await?;
        let nursery = Nursery { manner, distinct_subnets: distinct, runtime };
        let (seed, seed_door) = make_seed(&network, &line, state.as_deref(), &ports).await?;
        let devnet = Devnet::new(network, files, (seed, seed_door), line, nursery);
        devnet.open(self.sweep_every);
        Ok(devnet)
    }

    fn conduct(&self) -> Conduct {
        let active_nodes_bin = self.conduct.active_nodes_bin || self.conduct.version >= ServerVersion::V2_11;
        Conduct { active_nodes_bin, ..self.conduct }
    }

    /// The nodes of the state folder, or new ones: the swarms' ids lie evenly on the ring.
    fn records(&self, state: Option<&State>) -> Result<Vec<NodeRecord>, DevnetError> {
        let wanted = self.swarms.saturating_mul(self.nodes_per_swarm);
        if !(1..=10_000).contains(&wanted) {
            return Err(DevnetError::Size(wanted));
        }
        let known = state.map(State::nodes).transpose()?.unwrap_or_default();
        if known.len() == wanted {
            return Ok(known);
        }
        if !known.is_empty() {
            return Err(DevnetError::OtherShape { wanted, found: known.len() });
        }
        let step = u64::MAX / u64::try_from(self.swarms).unwrap_or(u64::MAX);
        let first = u64::from_le_bytes(SystemRandom.array()) % step;
        let swarm_ids =
            (0..).map_while(|index| step.checked_mul(index)?.checked_add(first)).take(self.swarms);
        let new = |swarm| {
            let (seed, legacy) = (SystemRandom.array(), SystemRandom.array());
            NodeRecord { swarm, seed, legacy, port: 0 }
        };
        Ok(swarm_ids
            .flat_map(|swarm| std::iter::repeat_with(move || new(swarm)).take(self.nodes_per_swarm))
            .collect())
    }

    async fn make_file_server(
        &self,
        clock: &Arc<Clock>,
        state: Option<&Arc<State>>,
        ports: &Ports,
    ) -> Result<Arc<FileServer>, DevnetError> {
        let known = state.map(|state| state.meta("file server key")).transpose()?.flatten();
        let secret = known.and_then(|bytes| bytes.try_into().ok()).unwrap_or_else(|| SystemRandom.array());
        if let Some(state) = state {
            state.set_meta("file server key", &secret)?;
        }
        let files = state.map(|state| state.files()).transpose()?.unwrap_or_default();
        let files = Files::new(files, state.cloned());
        let door = ports.lasting_door("file server port", Manner::default(), state.map(Arc::as_ref)).await?;
        let secret = X25519Secret::from_bytes(secret);
        let server = Arc::new(FileServer::new(secret, files, door, self.file_server, Arc::clone(clock)));
        server.door.install(Arc::new(FileService(Arc::clone(&server))));
        Ok(server)
    }
}

async fn make_seed(
    network: &Arc<Network>,
    line: &Arc<Bottleneck>,
    state: Option<&State>,
    ports: &Ports,
) -> Result<(Arc<Seed>, Door), DevnetError> {
    let seed = Arc::new(Seed::new(Arc::clone(network)));
    let manner = Manner { line: Some(Arc::clone(line)), ..Manner::default() };
    let door = ports.lasting_door("seed port", manner, state).await?;
    door.install(Arc::clone(&seed) as Arc<dyn crate::http::Service>);
    Ok((seed, door))
}

fn storages(count: usize, state: Option<&Arc<State>>) -> Result<Vec<Storage>, DevnetError> {
    let journal =
        |index| state.map(|state| Arc::new(NodeJournal::new(Arc::clone(state), index)) as Arc<dyn Journal>);
    let mut storages: Vec<Storage> = (0..count).map(|index| Storage::new(journal(index))).collect();
    if let Some(state) = state {
        state.load_storage(&mut storages)?;
    }
    Ok(storages)
}

async fn make_node(
    record: &mut NodeRecord,
    ip: Ipv4Addr,
    storage: Storage,
    manner: &Manner,
    ports: &Ports,
) -> Result<Node, DevnetError> {
    let ed25519 = Ed25519Secret::from_seed(record.seed);
    let (socket, address) = ports.bind(ip, record.port).await?;
    record.port = address.port();
    let info = NodeInfo::of(record.seed, record.legacy, address, SwarmId(record.swarm));
    let door = Door::new(socket, address, manner.clone(), ports.runtime.clone());
    Ok(Node::new(info, ed25519, storage, door))
}

/// How long to wait, in all, for ports that were ours before: a network just stopped may still hold them.
const PORT_PATIENCE: Duration = Duration::from_secs(1);

/// Where doors get their ports.
struct Ports {
    runtime: Handle,
    patience: Instant,
}

impl Ports {
    /// The port used before (0: none) if it can still be had, else any.
    async fn bind(&self, ip: Ipv4Addr, port: u16) -> Result<(TcpSocket, SocketAddrV4), DevnetError> {
        let address = SocketAddrV4::new(ip, 0);
        loop {
            match bind(SocketAddrV4::new(ip, port)) {
                Ok(bound) => return Ok(bound),
                Err(_) if port != 0 && Instant::now() < self.patience => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(_) => break,
            }
        }
        bind(address).map_err(|source| DevnetError::Listen { address, source })
    }

    /// A door at `127.0.0.1` whose port is remembered under `key`.
    async fn lasting_door(
        &self,
        key: &str,
        manner: Manner,
        state: Option<&State>,
    ) -> Result<Door, DevnetError> {
        let known = state.map(|state| state.meta(key)).transpose()?.flatten();
        let port = known.and_then(|bytes| bytes.try_into().ok()).map_or(0, u16::from_le_bytes);
        let (socket, address) = self.bind(Ipv4Addr::LOCALHOST, port).await?;
        if let Some(state) = state {
            state.set_meta(key, &address.port().to_le_bytes())?;
        }
        Ok(Door::new(socket, address, manner, self.runtime.clone()))
    }
}
