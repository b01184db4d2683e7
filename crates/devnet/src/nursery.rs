//! Where nodes come from that join while the network runs, and which addresses all of them have.

use std::net::{Ipv4Addr, SocketAddrV4};

use septet_protocol::crypto::{Ed25519Secret, Random, SystemRandom};
use septet_protocol::id::SwarmId;
use tokio::runtime::Handle;

use crate::error::DevnetError;
use crate::http::{Door, Manner, bind};
use crate::node::Node;
use crate::node_info::NodeInfo;
use crate::storage::Storage;

/// How nodes are made that come later.
pub(crate) struct Nursery {
    pub manner: Manner,
    /// Whether each has a subnet of its own.
    pub distinct_subnets: bool,
    pub runtime: Handle,
}

impl Nursery {
    /// A node with new keys, not known to anybody yet, its door shut.
    pub fn make(&self, index: usize, swarm: SwarmId) -> Result<Node, DevnetError> {
        let wanted = SocketAddrV4::new(address(index, self.distinct_subnets), 0);
        let bound = bind(wanted).map_err(|source| DevnetError::Listen { address: wanted, source });
        let (socket, address) = bound?;
        let seed = SystemRandom.array();
        let info = NodeInfo::of(seed, SystemRandom.array(), address, swarm);
        let door = Door::new(socket, address, self.manner.clone(), self.runtime.clone());
        Ok(Node::new(info, Ed25519Secret::from_seed(seed), Storage::new(None), door))
    }
}

/// The address of a node: a subnet of its own, or the one address that every system has.
pub(crate) fn address(index: usize, distinct_subnets: bool) -> Ipv4Addr {
    if distinct_subnets { alone(index) } else { Ipv4Addr::LOCALHOST }
}

/// The loopback address of a node, alone in its /24.
pub(crate) fn alone(index: usize) -> Ipv4Addr {
    let (high, low) = (index / 250, index % 250);
    let part = |number: usize| u8::try_from(number).unwrap_or(u8::MAX);
    Ipv4Addr::new(127, part(high), part(low + 1), 1)
}
