//! Who a node is: its address and its keys, as lists of nodes tell it.

use std::net::{Ipv4Addr, SocketAddrV4};

use data_encoding::{Encoding, Specification};
use septet_protocol::crypto::{Ed25519Secret, Random, SystemRandom};
use septet_protocol::id::{Ed25519Public, SwarmId, X25519Public};

/// What everyone knows about a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeInfo {
    /// Where it serves HTTPS; its loopback address is unique in the network where the system allows that.
    pub address: SocketAddrV4,
    /// Its identity.
    pub ed25519: Ed25519Public,
    /// The key its onion layers are encrypted for.
    pub x25519: X25519Public,
    /// Its key in the daemon's list, known to clients from texts only.
    pub legacy: Ed25519Public,
    /// The swarm it was assigned to when it was made; in lists, the one it is in.
    pub swarm: SwarmId,
}

impl NodeInfo {
    /// A node that does not exist, for lies about the network: its keys belong together, and nothing serves at its
    /// address, which is a loopback address.
    pub fn invented() -> Self {
        let ip = Ipv4Addr::new(127, 251, fastrand::u8(..), fastrand::u8(1..255));
        let address = SocketAddrV4::new(ip, 22_021);
        let swarm = SwarmId(fastrand::u64(..u64::MAX));
        Self::of(SystemRandom.array(), SystemRandom.array(), address, swarm)
    }

    /// A node with keys from these seeds.
    pub(crate) fn of(seed: [u8; 32], legacy: [u8; 32], address: SocketAddrV4, swarm: SwarmId) -> Self {
        let ed25519 = Ed25519Secret::from_seed(seed);
        Self {
            address,
            ed25519: ed25519.public(),
            x25519: ed25519.to_x25519().public(),
            legacy: Ed25519Secret::from_seed(legacy).public(),
            swarm,
        }
    }

    /// The address of the daemon's naming: base32z of the legacy key, and `.snode`.
    pub(crate) fn snode_address(&self) -> String {
        let mut spec = Specification::new();
        spec.symbols.push_str("ybndrfg8ejkmcpqxot1uwisza345h769");
        let name = spec.encoding().map(|base32z: Encoding| base32z.encode(self.legacy.as_bytes()));
        format!("{}.snode", name.unwrap_or_default())
    }
}
