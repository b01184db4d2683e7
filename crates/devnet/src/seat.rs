//! One node's seat in the network: all that its answers are made of.

use std::sync::Arc;

use septet_protocol::id::SwarmId;

use crate::network::Network;
use crate::node::Node;
use crate::pubkey::Pubkey;

/// A node and the network around it: what a request handler needs.
#[derive(Clone)]
pub(crate) struct Seat {
    pub network: Arc<Network>,
    pub node: Arc<Node>,
}

impl Seat {
    /// The node's own idea of the time, Unix ms.
    pub fn now(&self) -> u64 {
        self.network.clock.now().saturating_add_signed(self.node.faults().clock_skew)
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
