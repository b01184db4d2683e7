//! How well we are connected, for the path light.

use std::net::Ipv4Addr;

use septet_protocol::id::Ed25519Public;
use septet_protocol::swarm::Node;

use crate::path::Path;

/// Whether requests go through.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Connection {
    /// No node answers.
    Offline,
    /// Looking for nodes, or building paths.
    #[default]
    Connecting,
    /// There is a path that has been tested.
    Connected,
}

/// One node of a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathHop {
    /// Its address.
    pub ip: Ipv4Addr,
    /// Its country: `local` for this machine. `None` if unknown: there is no table of addresses and countries here, and
    /// asking somebody would tell him our path.
    pub country: Option<String>,
    /// Its key.
    pub ed25519: Ed25519Public,
}

/// What the path light shows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NetworkStatus {
    /// Whether requests go through.
    pub connection: Connection,
    /// The paths in use, each from the guard on.
    pub paths: Vec<Vec<PathHop>>,
}

impl PathHop {
    fn of(node: &Node) -> Self {
        let country = node.ip.is_loopback().then(|| "local".to_owned());
        Self { ip: node.ip, country, ed25519: node.ed25519 }
    }
}

/// A path as it is shown.
pub(crate) fn shown(path: &Path) -> Vec<PathHop> {
    path.nodes.iter().map(PathHop::of).collect()
}
