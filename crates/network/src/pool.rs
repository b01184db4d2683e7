//! The nodes of the network that we know (spec 03 §3).
//!
//! Decision: a plain list in memory, copied to disk after every refresh, so that a start needs no seed. Nodes that fail
//! collect strikes; with three they are forgotten until the next refresh brings them back.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use septet_protocol::id::{Account, Ed25519Public};
use septet_protocol::swarm::{self, Node};

/// With so many strikes a node is forgotten.
const STRIKES: usize = 3;
/// Older strikes do not count.
const STRIKE_LIFE: Duration = Duration::from_secs(48 * 3600);

/// The known nodes, sorted by key, and their strikes.
#[derive(Default)]
pub(crate) struct Pool {
    nodes: Vec<Node>,
    strikes: BTreeMap<Ed25519Public, Vec<Instant>>,
}

impl Pool {
    /// Takes a fresh list; strikes are forgiven.
    pub fn replace(&mut self, mut nodes: Vec<Node>) {
        nodes.sort_unstable_by_key(|node| node.ed25519);
        nodes.dedup_by_key(|node| node.ed25519);
        self.nodes = nodes;
        self.strikes.clear();
    }

    /// All nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A node by its key.
    pub fn get(&self, key: &Ed25519Public) -> Option<&Node> {
        let index = self.nodes.binary_search_by_key(key, |node| node.ed25519).ok()?;
        self.nodes.get(index)
    }

    /// Notes a failure of a node. `true` if that was the last straw and it is gone from the pool.
    pub fn strike(&mut self, key: &Ed25519Public) -> bool {
        let strikes = self.strikes.entry(*key).or_default();
        strikes.retain(|at| at.elapsed() < STRIKE_LIFE);
        strikes.push(Instant::now());
        let out = strikes.len() >= STRIKES;
        if out {
            self.remove(key);
        }
        out
    }

    /// Forgets a node.
    pub fn remove(&mut self, key: &Ed25519Public) {
        self.strikes.remove(key);
        self.nodes.retain(|node| node.ed25519 != *key);
    }

    /// The members of an account's swarm, if the list says who is in which swarm (spec 03 §4.2).
    pub fn swarm_of(&self, account: &Account) -> Vec<Node> {
        let swarms = self.nodes.iter().filter_map(|node| node.swarm);
        let Some(nearest) = swarm::nearest(swarm::position(account), swarms) else { return Vec::new() };
        self.nodes.iter().filter(|node| node.swarm == Some(nearest)).copied().collect()
    }
}

/// What several nodes say the network is: the nodes that at least two of them name with equal address (spec 03 §3).
pub(crate) fn agreement(lists: &[Vec<Node>]) -> Vec<Node> {
    let mut named = BTreeMap::new();
    for list in lists {
        let mut own: Vec<_> = list.iter().map(|node| ((node.ed25519, node.ip, node.port), node)).collect();
        own.sort_unstable_by_key(|(name, _)| *name);
        // A node that names another twice still has only one voice.
        own.dedup_by_key(|(name, _)| *name);
        for (name, node) in own {
            let (voices, _) = named.entry(name).or_insert((0, *node));
            *voices += 1;
        }
    }
    named.into_values().filter(|(voices, _)| *voices >= 2).map(|(_, node)| node).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::Ipv4Addr;

    use std::sync::LazyLock;

    use septet_protocol::crypto::Ed25519Secret;
    use septet_protocol::id::{SessionId, SwarmId};

    use super::*;

    /// Keys in their order, so that the nodes of a pool come in the order of their numbers.
    static KEYS: LazyLock<Vec<Ed25519Public>> = LazyLock::new(|| {
        let mut keys: Vec<_> =
            (0..=u8::MAX).map(|seed| Ed25519Secret::from_seed([seed; 32]).public()).collect();
        keys.sort_unstable();
        keys
    });

    /// Node number `n`, in a /24 of its own.
    pub(crate) fn node(n: u8) -> Node {
        moved(n, Ipv4Addr::new(10, 0, n, 1))
    }

    /// Node number `n` at another address.
    pub(crate) fn moved(n: u8, ip: Ipv4Addr) -> Node {
        Node::new(KEYS[usize::from(n)], ip, 22021).unwrap()
    }

    fn keys(nodes: &[Node]) -> Vec<usize> {
        nodes.iter().map(|node| KEYS.binary_search(&node.ed25519).unwrap()).collect()
    }

    #[test]
    fn three_strikes_and_a_node_is_out() {
        let mut pool = Pool::default();
        pool.replace(vec![node(3), node(1), node(2), node(1)]);
        assert_eq!(keys(pool.nodes()), [1, 2, 3]);
        let key = node(2).ed25519;
        assert!(!pool.strike(&key) && !pool.strike(&key));
        assert!(pool.get(&key).is_some());
        assert!(pool.strike(&key));
        assert!(pool.get(&key).is_none());
        pool.replace(vec![node(2)]);
        assert!(!pool.strike(&key));
    }

    #[test]
    fn two_of_three_must_agree_on_key_and_address() {
        let mut moved = node(2);
        moved.port = 1;
        let lists = [
            vec![node(1), node(2), node(3), node(9), node(9)],
            vec![node(1), moved, node(3)],
            vec![node(1), node(4)],
        ];
        assert_eq!(keys(&agreement(&lists)), [1, 3]);
        assert!(agreement(&lists[..1]).is_empty());
    }

    #[test]
    fn the_list_tells_an_accounts_swarm() {
        let mut pool = Pool::default();
        assert!(pool.swarm_of(&Account::User(SessionId([0; 32]))).is_empty());
        let in_swarm = |n: u8, swarm: u64| {
            let mut node = node(n);
            node.swarm = Some(SwarmId(swarm));
            node
        };
        pool.replace(vec![in_swarm(1, 5), in_swarm(2, 1 << 40), in_swarm(3, 5), in_swarm(4, u64::MAX)]);
        assert_eq!(keys(&pool.swarm_of(&Account::User(SessionId([0; 32])))), [1, 3]);
    }
}
