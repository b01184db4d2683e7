//! The nodes together: who they are, which swarm is whose, and what all of them share.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use septet_protocol::id::{Ed25519Public, SwarmId};
use septet_protocol::swarm;

use crate::clock::Clock;
use crate::cut::Wire;
use crate::hold::Gate;
use crate::names::Names;
use crate::node::Node;
use crate::node_info::NodeInfo;
use crate::pubkey::Pubkey;
use crate::tasks::{Stopping, Tasks};
use crate::version::ServerVersion;

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

/// How the nodes of a network behave, all alike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conduct {
    pub patience: Patience,
    /// The release they imitate.
    pub version: ServerVersion,
    /// Whether they know `active_nodes_bin`.
    pub active_nodes_bin: bool,
}

/// The whole network, as each of its nodes sees it.
pub(crate) struct Network {
    nodes: RwLock<Vec<Arc<Node>>>,
    pub conduct: Conduct,
    pub clock: Arc<Clock>,
    pub names: Names,
    pub wire: Wire,
    /// Where requests to any node are held.
    pub gate: Gate,
    pub tasks: Tasks,
}

impl Network {
    pub fn new(nodes: Vec<Arc<Node>>, conduct: Conduct, names: Names, tasks: Tasks) -> Self {
        let (nodes, clock) = (RwLock::new(nodes), Arc::default());
        Self { nodes, conduct, clock, names, wire: Wire::default(), gate: Gate::default(), tasks }
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

    /// Stops everything that runs.
    pub fn stop(&self) -> Stopping {
        let doors = self.nodes().iter().filter_map(|node| node.door.retire()).collect();
        Stopping { tasks: self.tasks.stop(), doors }
    }
}
