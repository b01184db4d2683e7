//! Paths of three nodes, and how they are chosen (spec 03 §5).
//!
//! The *guard*, the first, knows our address; it is kept over restarts, because each change gives another stranger the
//! chance to be it. The other two are drawn afresh. The nodes of a path lie in different /24 networks, so that one
//! operator is unlikely to hold all three, and no node serves in two paths at once.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use septet_protocol::crypto::Random;
use septet_protocol::id::Ed25519Public;
use septet_protocol::onion::Hop;
use septet_protocol::swarm::Node;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use crate::choose;

/// With so many failures in a row a path is given up, however well its nodes do in tests.
const FAILURES: u32 = 3;
/// Requests under way on one path. More would only cost the guard connections, and us handshakes.
const AT_ONCE: usize = 16;

/// A path in use.
#[derive(Debug)]
pub(crate) struct Path {
    /// Distinguishes it from every other path of this run.
    pub id: u64,
    /// Guard, middle, exit.
    pub nodes: [Node; 3],
    /// Something failed on it, and it has not been tested since: better use another.
    suspect: AtomicBool,
    /// Failures since the last success.
    failures: AtomicU32,
    /// Set when it has failed its test.
    lost: CancellationToken,
    /// Turns for requests: each under way holds a connection to the guard.
    turns: Semaphore,
}

impl Path {
    /// A path over these nodes.
    pub fn new(nodes: [Node; 3]) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            nodes,
            suspect: AtomicBool::new(false),
            failures: AtomicU32::new(0),
            lost: CancellationToken::new(),
            turns: Semaphore::new(AT_ONCE),
        }
    }

    /// The node that sees our address.
    pub const fn guard(&self) -> &Node {
        let [guard, _, _] = &self.nodes;
        guard
    }

    /// The keys of its nodes, from the guard on.
    pub fn keys(&self) -> [Ed25519Public; 3] {
        self.nodes.map(|node| node.ed25519)
    }

    /// As the onion layers need it.
    pub fn hops(&self) -> [Hop; 3] {
        self.nodes.map(hop)
    }

    /// Whether a node is part of it.
    pub fn contains(&self, key: &Ed25519Public) -> bool {
        self.nodes.iter().any(|node| node.ed25519 == *key)
    }

    /// Whether it waits to be tested.
    pub fn is_suspect(&self) -> bool {
        self.suspect.load(Ordering::Relaxed)
    }

    /// Something failed on it: it is to be tested.
    pub fn fail(&self) {
        self.suspect.store(true, Ordering::Relaxed);
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// A request takes long on it: it is to be tested, without being blamed yet.
    pub fn doubt(&self) {
        self.suspect.store(true, Ordering::Relaxed);
    }

    /// Waits for a turn to send a request; it lasts until the returned value is dropped.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Nobody closes the semaphore.
        self.turns.acquire().await.ok()
    }

    /// It has failed its test: requests that still wait on it need not wait any longer.
    pub fn give_up(&self) {
        self.lost.cancel();
    }

    /// Until [`Path::give_up`].
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// It has passed its test.
    pub fn passed(&self) {
        self.suspect.store(false, Ordering::Relaxed);
    }

    /// A request went through.
    pub fn succeed(&self) {
        self.suspect.store(false, Ordering::Relaxed);
        self.failures.store(0, Ordering::Relaxed);
    }

    /// Whether it has failed so often without one success that its passing the tests does not count.
    pub fn is_worn_out(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= FAILURES
    }
}

/// A node as an onion layer needs it.
pub(crate) const fn hop(node: Node) -> Hop {
    Hop { ed25519: node.ed25519, x25519: node.x25519() }
}

/// A node that may join those in `near` (of one path) and is none of `taken` (of other paths): any that fits, all
/// equally likely, so that a /24 with many nodes is likelier than one with few.
fn fitting(
    pool: &[Node],
    near: &[Node],
    taken: &[Node],
    distinct_subnets: bool,
    rng: &mut impl Random,
) -> Option<Node> {
    let fits = |node: &&Node| {
        let same = |other: &Node| other.ed25519 == node.ed25519;
        let too_near = |other: &Node| distinct_subnets && other.subnet() == node.subnet();
        !taken.iter().any(same) && !near.iter().any(|other| same(other) || too_near(other))
    };
    choose::one(pool.iter().filter(fits).copied().collect(), rng)
}

/// A new guard that is none of `taken`.
pub(crate) fn choose_guard(pool: &[Node], taken: &[Node], rng: &mut impl Random) -> Option<Node> {
    fitting(pool, &[], taken, false, rng)
}

/// Two more nodes for a guard; `None` if the pool has no fitting ones.
pub(crate) fn choose_hops(
    pool: &[Node],
    guard: Node,
    taken: &[Node],
    distinct_subnets: bool,
    rng: &mut impl Random,
) -> Option<[Node; 3]> {
    let middle = fitting(pool, &[guard], taken, distinct_subnets, rng)?;
    let exit = fitting(pool, &[guard, middle], taken, distinct_subnets, rng)?;
    Some([guard, middle, exit])
}

/// The same path with another node in the place of one that is gone; `None` if nothing fits, or if the guard is gone.
pub(crate) fn replace_hop(
    pool: &[Node],
    nodes: [Node; 3],
    gone: &Ed25519Public,
    taken: &[Node],
    distinct_subnets: bool,
    rng: &mut impl Random,
) -> Option<[Node; 3]> {
    let [guard, middle, exit] = nodes;
    let pool: Vec<Node> = pool.iter().filter(|node| node.ed25519 != *gone).copied().collect();
    if middle.ed25519 == *gone {
        return Some([guard, fitting(&pool, &[guard, exit], taken, distinct_subnets, rng)?, exit]);
    }
    if exit.ed25519 == *gone {
        return Some([guard, middle, fitting(&pool, &[guard, middle], taken, distinct_subnets, rng)?]);
    }
    None
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use septet_protocol::crypto::SystemRandom;

    use super::*;
    use crate::pool::tests::{moved, node};

    fn distinct(nodes: [Node; 3]) -> bool {
        let [a, b, c] = nodes.map(|node| node.ed25519);
        a != b && b != c && a != c
    }

    #[test]
    fn hops_are_distinct_and_not_taken() {
        let pool: Vec<Node> = (1..=6).map(node).collect();
        for _ in 0..100 {
            let path = choose_hops(&pool, node(1), &[node(2)], true, &mut SystemRandom).unwrap();
            assert!(distinct(path) && path[0] == node(1) && !path.contains(&node(2)));
        }
        assert_eq!(choose_hops(&pool[..3], node(1), &[node(2)], true, &mut SystemRandom), None);
    }

    #[test]
    fn neighbours_do_not_share_a_path_unless_allowed() {
        let near = |n: u8| moved(n, Ipv4Addr::new(10, 0, 0, n));
        let pool = [near(1), near(2), near(3), node(4)];
        assert_eq!(choose_hops(&pool, near(1), &[], true, &mut SystemRandom), None);
        assert!(distinct(choose_hops(&pool, near(1), &[], false, &mut SystemRandom).unwrap()));
    }

    #[test]
    fn a_node_that_is_gone_is_replaced_in_its_place() {
        let pool: Vec<Node> = (1..=4).map(node).collect();
        let nodes = [node(1), node(2), node(3)];
        let repaired =
            |gone: u8| replace_hop(&pool, nodes, &node(gone).ed25519, &[], true, &mut SystemRandom);
        assert_eq!(repaired(2), Some([node(1), node(4), node(3)]));
        assert_eq!(repaired(3), Some([node(1), node(2), node(4)]));
        assert_eq!(repaired(1), None);
        assert_eq!(repaired(4), None);
    }

    #[test]
    fn guards_are_not_shared() {
        let pool = [node(1), node(2)];
        assert_eq!(choose_guard(&pool, &[node(1)], &mut SystemRandom), Some(node(2)));
        assert_eq!(choose_guard(&pool, &pool, &mut SystemRandom), None);
    }
}
