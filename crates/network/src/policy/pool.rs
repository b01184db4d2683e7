//! The nodes of the network that we know (spec 03 §3).
//!
//! Decision: only lists say who is in the network; failures never do. A node that fails, or is complained about,
//! is *gone around* for a while — used only where there is no other — and comes back by itself. So no hop can evict
//! honest nodes by complaining about them, and a bad hour of ours does not shrink the network to a few.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use septet_protocol::crypto::Random;
use septet_protocol::id::{Account, Ed25519Public};
use septet_protocol::swarm::{self, Node};

use crate::choose;

/// With so many failures a node is gone around for long.
const STRIKES: usize = 3;
/// Older failures do not count.
const STRIKE_LIFE: Duration = Duration::from_secs(48 * 3600);
/// How long a node is gone around that failed [`STRIKES`] times.
const LONG: Duration = Duration::from_secs(3600);
/// How long a node is gone around of which only somebody says that it is gone.
const SHORT: Duration = Duration::from_secs(5 * 60);

/// The known nodes, sorted by key, and what speaks against some of them.
#[derive(Default)]
pub(crate) struct Pool {
    nodes: Vec<Node>,
    wary: BTreeMap<Ed25519Public, Wary>,
}

/// What speaks against a node.
#[derive(Default)]
struct Wary {
    /// Failures as a part of a path; forgiven when it does its part.
    as_hop: Vec<Instant>,
    /// Answers of its own that were no good; those it cannot make good by answering something else.
    own: Vec<Instant>,
    /// Gone around until then, for what it has done…
    until: Option<Instant>,
    /// …and for what is said of it.
    hearsay: Option<Instant>,
}

/// As what a node has failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// As a part of a path, and perhaps it was another part.
    Hop,
    /// As the one that was asked.
    Destination,
}

impl Pool {
    /// Takes a list; failures are forgiven.
    pub fn replace(&mut self, mut nodes: Vec<Node>) {
        nodes.sort_unstable_by_key(|node| node.ed25519);
        nodes.dedup_by_key(|node| node.ed25519);
        self.nodes = nodes;
        self.wary.clear();
    }

    /// All nodes, in the order of their keys.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// A node by its key.
    pub fn get(&self, key: &Ed25519Public) -> Option<&Node> {
        let index = self.nodes.binary_search_by_key(key, |node| node.ed25519).ok()?;
        self.nodes.get(index)
    }

    /// Notes a failure of a node.
    pub fn strike(&mut self, key: &Ed25519Public, part: Part, now: Instant) {
        let wary = self.wary.entry(*key).or_default();
        let strikes = match part {
            Part::Hop => &mut wary.as_hop,
            Part::Destination => &mut wary.own,
        };
        strikes.retain(|at| now.saturating_duration_since(*at) < STRIKE_LIFE);
        strikes.push(now);
        if strikes.len() >= STRIKES {
            strikes.clear();
            wary.until = Some(now + LONG);
        }
    }

    /// There are signs, but no proof, that a node is gone: it was silent, or somebody says so.
    pub fn go_around(&mut self, key: &Ed25519Public, now: Instant) {
        self.wary.entry(*key).or_default().hearsay = Some(now + SHORT);
    }

    /// A node has answered: it is not gone.
    pub fn answered(&mut self, key: &Ed25519Public) {
        if let Some(wary) = self.wary.get_mut(key) {
            wary.hearsay = None;
        }
    }

    /// These nodes have done their part in a path.
    pub fn forgive(&mut self, keys: &[Ed25519Public]) {
        for key in keys {
            if let Some(wary) = self.wary.get_mut(key) {
                wary.as_hop.clear();
            }
            self.answered(key);
        }
    }

    /// Whether a node is better not used now.
    pub fn is_avoided(&self, key: &Ed25519Public, now: Instant) -> bool {
        let Some(wary) = self.wary.get(key) else { return false };
        wary.until.max(wary.hearsay).is_some_and(|until| now < until)
    }

    /// One of the nodes that fit, all equally likely; one that is gone around only if there is no other.
    pub fn draw(&self, fits: impl Fn(&Node) -> bool, now: Instant, rng: &mut impl Random) -> Option<Node> {
        let fitting: Vec<Node> = self.nodes.iter().filter(|node| fits(node)).copied().collect();
        let good = fitting.iter().filter(|node| !self.is_avoided(&node.ed25519, now)).copied().collect();
        choose::one(good, rng).or_else(|| choose::one(fitting, rng))
    }

    /// The members of an account's swarm, if the list says who is in which swarm (spec 03 §4.2).
    pub fn swarm_of(&self, account: &Account) -> Vec<Node> {
        let swarms = self.nodes.iter().filter_map(|node| node.swarm);
        let Some(nearest) = swarm::nearest(swarm::position(account), swarms) else { return Vec::new() };
        self.nodes.iter().filter(|node| node.swarm == Some(nearest)).copied().collect()
    }

    /// How many of our nodes are also in a list, with the same address.
    pub fn common(&self, list: &[Node]) -> usize {
        let same = |node: &&Node| {
            self.get(&node.ed25519).is_some_and(|known| (known.ip, known.port) == (node.ip, node.port))
        };
        list.iter().filter(same).count()
    }
}

/// What several nodes say the network is: the nodes of which at least two say the same in everything that is used —
/// key, address, port and swarm (spec 03 §3).
pub(crate) fn agreement(lists: &[Vec<Node>]) -> Vec<Node> {
    let mut named = BTreeMap::new();
    for list in lists {
        let mut own: Vec<_> =
            list.iter().map(|node| ((node.ed25519, node.ip, node.port, node.swarm), node)).collect();
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
