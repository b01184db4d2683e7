//! A list of nodes that comes with the program, for where neither a seed nor a built-in node can be reached (spec 03
//! §2.3).
//!
//! It is a list as one seed gave it, written down by `make node-snapshot` before a release: JSON with the moment, the
//! chain's height then, and a line for each node. It ages: nodes that had asked to leave have left some time later. A
//! block takes [`BLOCK`] ms, so from the age follows the height, and from that who is gone.
//!
//! Decision: what it is used for is to find *anybody* who still answers. It is never held against a newer list, and
//! never saved as one.

use std::net::SocketAddrV4;
use std::path::Path;

use septet_protocol::id::{Ed25519Public, SwarmId};
use septet_protocol::swarm::Node;
use septet_protocol::time::Timestamp;
use serde::Deserialize;

/// How long the chain takes for a block, in ms.
const BLOCK: u64 = 120_000;

/// The list of the real network; empty until somebody has made one.
const MAINNET: &str = include_str!("../data/mainnet-nodes.json");

/// A list of nodes, and when it was true.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeSnapshot {
    /// When it was taken.
    taken: Timestamp,
    /// The chain's height then.
    height: u64,
    /// The nodes, in the order of their keys.
    nodes: Vec<Node>,
}

/// The file. A node is its key, its address and HTTPS port, its swarm in hexadecimal (empty: unknown), and the height at
/// which it leaves (0: it stays).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    taken: u64,
    height: u64,
    nodes: Vec<(Ed25519Public, SocketAddrV4, String, u64)>,
}

impl NodeSnapshot {
    /// The one that is built in. The file is ours, so it is right; a test reads it.
    pub(crate) fn mainnet() -> Self {
        Self::read(MAINNET).unwrap_or_default()
    }

    /// Reads the text of a file; `None` if it is none. Nodes that cannot be are left out.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let file: File = serde_json::from_str(text).ok()?;
        let node = |(key, address, swarm, unlock_height): (Ed25519Public, SocketAddrV4, String, u64)| {
            let mut node = Node::new(key, *address.ip(), address.port())?;
            node.swarm = u64::from_str_radix(&swarm, 16).ok().map(SwarmId);
            node.unlock_height = unlock_height;
            Some(node)
        };
        let nodes = file.nodes.into_iter().filter_map(node).collect();
        Some(Self { taken: Timestamp::from_ms(file.taken), height: file.height, nodes })
    }

    /// These nodes, as they were at `taken`, when the chain had this height.
    pub(crate) fn new(taken: Timestamp, height: u64, mut nodes: Vec<Node>) -> Self {
        nodes.sort_unstable_by_key(|node| node.ed25519);
        Self { taken, height, nodes }
    }

    /// The text of the file; the same for the same nodes, and with a line for each.
    pub fn to_text(&self) -> String {
        let line = |node: &Node| {
            let swarm = node.swarm.map(|swarm| format!("{:x}", swarm.0)).unwrap_or_default();
            format!(
                "  [\"{}\",\"{}:{}\",\"{swarm}\",{}]",
                node.ed25519, node.ip, node.port, node.unlock_height
            )
        };
        let lines: Vec<String> = self.nodes.iter().map(line).collect();
        let lines = if lines.is_empty() { String::new() } else { format!("\n{}\n", lines.join(",\n")) };
        format!("{{\"taken\":{},\"height\":{},\"nodes\":[{lines}]}}\n", self.taken.as_ms(), self.height)
    }

    /// How many nodes it has.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Those nodes that have not left by now, going by the clock.
    pub(crate) fn at(&self, now: Timestamp) -> Vec<Node> {
        let height = self.height.saturating_add(now.since(self.taken) / BLOCK);
        let stays = |node: &&Node| node.unlock_height == 0 || node.unlock_height > height;
        self.nodes.iter().filter(stays).copied().collect()
    }
}

/// Reads a file; `None` if it cannot be read or is none.
pub(crate) fn load(path: &Path) -> Option<NodeSnapshot> {
    NodeSnapshot::read(&std::fs::read_to_string(path).ok()?)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use septet_protocol::crypto::Ed25519Secret;

    use super::*;

    fn node(seed: u8, unlock_height: u64, swarm: Option<u64>) -> Node {
        let key = Ed25519Secret::from_seed([seed; 32]).public();
        let mut node = Node::new(key, Ipv4Addr::new(1, 2, 3, seed), 22021).unwrap();
        (node.swarm, node.unlock_height) = (swarm.map(SwarmId), unlock_height);
        node
    }

    fn snapshot(nodes: Vec<Node>) -> NodeSnapshot {
        NodeSnapshot { taken: Timestamp::from_ms(1_700_000_000_000), height: 1000, nodes }
    }

    #[test]
    fn the_built_in_one_can_be_read() {
        assert_eq!(NodeSnapshot::read(MAINNET), Some(NodeSnapshot::mainnet()));
        assert_eq!(NodeSnapshot::mainnet().to_text(), MAINNET);
        assert!(NodeSnapshot::mainnet().nodes.iter().all(Node::is_public));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for nodes in [vec![], vec![node(1, 0, Some(u64::MAX)), node(2, 77, None), node(3, 0, Some(0))]] {
            let snapshot = snapshot(nodes);
            assert_eq!(NodeSnapshot::read(&snapshot.to_text()), Some(snapshot));
        }
        assert_eq!(NodeSnapshot::read("[]"), None);
    }

    #[test]
    fn nodes_that_had_asked_to_leave_are_gone_after_a_while() {
        let snapshot = snapshot(vec![node(1, 0, None), node(2, 1000, None), node(3, 1002, None)]);
        let at = |later: u64| snapshot.at(Timestamp::from_ms(snapshot.taken.as_ms() + later));
        assert_eq!(at(0), [node(1, 0, None), node(3, 1002, None)]);
        assert_eq!(at(2 * BLOCK - 1), at(0));
        assert_eq!(at(2 * BLOCK), [node(1, 0, None)]);
        assert_eq!(
            snapshot.at(Timestamp::from_ms(0)),
            at(0),
            "a clock that is behind makes nobody come back"
        );
    }
}
