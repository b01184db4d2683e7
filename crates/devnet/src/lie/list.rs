//! False lists of the network's nodes.
//!
//! Decision: what is false is made from what is true by fixed rules, without chance, so that all liars who tell the
//! same lie agree: a client that asks several witnesses is to be tested against some of them, or most, being of one
//! mind.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};

use septet_protocol::crypto::{X25519Secret, blake2b};
use septet_protocol::id::{Ed25519Public, SwarmId, X25519Public};

use crate::node_info::NodeInfo;

/// Something false about all nodes of the network, in `get_service_nodes` of a node or the seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListLie {
    /// Every X25519 key is one that a liar made, and does not belong to the Ed25519 key beside it.
    PoisonKeys,
    /// Every address is another one (of loopback, where nothing serves).
    WrongAddresses,
    /// Every port is another one.
    WrongPorts,
    /// Every node is in the swarm after its own.
    WrongSwarms,
    /// No node is in any swarm, so that who keeps what has to be asked for.
    NoSwarms,
    /// Every address is one that cannot be public: private, link-local, shared, multicast, reserved.
    NotPublic,
    /// Only so many nodes, the first ones.
    Short(usize),
    /// So many invented nodes more, at addresses where nothing serves.
    Invent(usize),
}

/// Addresses that no node of the real network can have.
const NOT_PUBLIC: [Ipv4Addr; 9] = [
    Ipv4Addr::new(10, 0, 0, 1),
    Ipv4Addr::new(172, 16, 0, 1),
    Ipv4Addr::new(192, 168, 0, 1),
    Ipv4Addr::new(169, 254, 0, 1),
    Ipv4Addr::new(100, 64, 0, 1),
    Ipv4Addr::new(0, 0, 0, 1),
    Ipv4Addr::new(224, 0, 0, 1),
    Ipv4Addr::new(240, 0, 0, 1),
    Ipv4Addr::new(255, 255, 255, 255),
];

impl ListLie {
    /// One lie of each kind: [`Self::Short`] leaves `short` nodes, [`Self::Invent`] invents `invented` more.
    pub fn each(short: usize, invented: usize) -> [Self; 8] {
        [
            Self::PoisonKeys,
            Self::WrongAddresses,
            Self::WrongPorts,
            Self::WrongSwarms,
            Self::NoSwarms,
            Self::NotPublic,
            Self::Short(short),
            Self::Invent(invented),
        ]
    }

    /// Changes a true list.
    pub(crate) fn tell(self, nodes: &mut Vec<NodeInfo>) {
        match self {
            Self::PoisonKeys => nodes.iter_mut().for_each(|node| node.x25519 = poisoned(&node.ed25519)),
            Self::WrongAddresses => nodes.iter_mut().for_each(|node| {
                let [_, b, c, d] = node.address.ip().octets();
                node.address.set_ip(Ipv4Addr::new(127, b ^ 0x80, c, d));
            }),
            Self::WrongPorts => nodes.iter_mut().for_each(|node| {
                node.address.set_port(node.address.port() ^ 1);
            }),
            Self::WrongSwarms => shift_swarms(nodes),
            Self::NoSwarms => nodes.iter_mut().for_each(|node| node.swarm = SwarmId::NONE),
            Self::NotPublic => nodes.iter_mut().zip(NOT_PUBLIC.iter().cycle()).for_each(|(node, ip)| {
                node.address.set_ip(*ip);
            }),
            Self::Short(count) => nodes.truncate(count),
            Self::Invent(count) => {
                let swarms: Vec<SwarmId> = nodes.iter().map(|node| node.swarm).collect();
                let swarms = swarms.into_iter().cycle().chain(std::iter::repeat(SwarmId::NONE));
                nodes.extend((0..count).zip(swarms).map(|(index, swarm)| invented(index, swarm)));
            }
        }
    }
}

/// A key that the liars know the secret of.
fn poisoned(of: &Ed25519Public) -> X25519Public {
    X25519Secret::from_bytes(blake2b(&[], &[b"poisoned", of.as_bytes()])).public()
}

fn shift_swarms(nodes: &mut [NodeInfo]) {
    let ids: BTreeSet<u64> = nodes.iter().map(|node| node.swarm.0).collect();
    for node in nodes {
        let next = ids.range(node.swarm.0.saturating_add(1)..).next().or(ids.first());
        node.swarm = SwarmId(next.copied().unwrap_or(node.swarm.0));
    }
}

fn invented(index: usize, swarm: SwarmId) -> NodeInfo {
    let seed = |kind: &[u8]| blake2b(&[], &[b"invented", kind, &index.to_le_bytes()]);
    let part = |number: usize| u8::try_from(number % 250).unwrap_or(0);
    let ip = Ipv4Addr::new(127, 252, part(index), part(index / 250) + 1);
    NodeInfo::of(seed(b"ed25519"), seed(b"legacy"), SocketAddrV4::new(ip, 22_021), swarm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn liars_of_one_mind_agree() {
        let truth = vec![invented(7, SwarmId(1)), invented(8, SwarmId(2)), invented(9, SwarmId(2))];
        for lie in ListLie::each(1, 3) {
            let (mut one, mut other) = (truth.clone(), truth.clone());
            lie.tell(&mut one);
            lie.tell(&mut other);
            assert_eq!(one, other);
            assert_ne!(one, truth, "{lie:?}");
        }
    }
}
