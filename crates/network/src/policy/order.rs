//! What goes into the policy and comes out of it: what is to be done, and how that may end.

use std::time::Instant;

use septet_protocol::swarm::Node;

use super::guards::SavedGuards;
use crate::failure::Verdict;

/// What the network is like that the policy is for.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The smallest list of nodes that may replace another.
    pub min_pool: usize,
    /// Whether nodes are asked for the list, keeping what two agree on; else always the seeds.
    pub consensus: bool,
    /// Whether the nodes of a path must be in different /24 networks.
    pub distinct_subnets: bool,
    /// Nodes to be asked for the list when no seed answers.
    pub bootstrap: bool,
    /// A list that came with the program, for when nobody answers.
    pub snapshot: Vec<Node>,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    /// Ask the third node, through the first two, for its clock; tell [`Policy::tested`](super::Policy::tested).
    Test(TestId, [Node; 3]),
    /// Ask a guard directly whether it is there; tell [`Policy::probed`](super::Policy::probed).
    Probe(Probe),
    /// Take a path into use.
    Open(PathId, [Node; 3]),
    /// Take it out of use; what is under way on it may end by itself.
    Retire(PathId),
    /// Take it out of use: it does not work, and what waits on it need not wait any longer.
    Close(PathId),
    /// Get a list of nodes; tell [`Policy::listed`](super::Policy::listed).
    Fetch(Source),
    /// Write down the list that is used now.
    SaveNodes,
    /// Write down the guards.
    SaveGuards(SavedGuards),
}

/// A path has failed, and it is to be found out whether its guard is to blame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Probe {
    /// The path's nodes; the first is asked.
    pub nodes: [Node; 3],
    /// When the request went that failed.
    pub since: Instant,
}

/// How a test of a path ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// All three do their work.
    Passed,
    /// The line was busy with other bytes: says nothing about anybody.
    Unclear,
    /// The machine has no network: says nothing about anybody else.
    NoNetwork,
    /// The guard cannot be reached.
    GuardSilent,
    /// The guard took the request, and nothing came back.
    NoReply,
    /// The guard gave something back, and it was no good: some hop complains, or has damaged it.
    Bad(Verdict),
}

/// Distinguishes a path from every other of this run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct PathId(pub(super) u64);

/// Distinguishes a test.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct TestId(pub(super) u64);

/// Who is asked for a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Source {
    /// Three nodes, through paths.
    Nodes,
    /// The seeds.
    Seeds,
    /// The built-in nodes, directly.
    Bootstrap,
    /// The list that came with the program, or an old one of our own.
    Snapshot,
}
