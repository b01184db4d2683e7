//! A small world for a policy: nodes that are there or not, a line that may be cut, and a clock that only moves when
//! told. What the policy orders waits until the play has it done, in whatever order.
//!
//! Every step checks what must always hold; see [`Play::check`].

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use septet_protocol::crypto::{Ed25519Secret, Random};
use septet_protocol::id::{Ed25519Public, SwarmId};
use septet_protocol::swarm::Node;

use super::super::guards::{FAILURES, GIVE_UP};
use super::super::paths::WANTED;
use super::super::{Action, Outcome, PathId, Policy, Probe, Saved, SavedGuards, Settings, Source, TestId};

static NODES: LazyLock<Vec<Node>> = LazyLock::new(|| (0..60).map(make).collect());

fn make(n: u8) -> Node {
    let key = Ed25519Secret::from_seed([n; 32]).public();
    let mut node = Node::new(key, Ipv4Addr::new(20, 0, n, 1), 22021).unwrap();
    node.swarm = Some(SwarmId(u64::from(n) % 3 * (u64::MAX / 4)));
    node
}

/// Node number `n`, below 60, in a /24 of its own and in one of three swarms.
pub(crate) fn node(n: u8) -> Node {
    NODES[usize::from(n)]
}

/// Numbers that are the same in every run with the same seed.
pub(super) struct Dice(pub fastrand::Rng);

impl Random for Dice {
    fn fill(&mut self, out: &mut [u8]) {
        self.0.fill(out);
    }
}

/// Something ordered and not done yet.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Job {
    Test(TestId, [Node; 3], Instant),
    Probe(Probe),
    Fetch(Source),
}

/// How a node behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Manner {
    #[default]
    Well,
    /// Nobody is there: connections are refused.
    Gone,
    /// As a guard it answers for itself, and lets every path die that does not end at a colluder.
    Chokes,
    /// It says that its neighbours are gone.
    Complains,
}

pub(super) struct Play {
    pub policy: Policy,
    pub now: Instant,
    pub dice: Dice,
    pub manners: BTreeMap<Ed25519Public, Manner>,
    /// Whether our own line works.
    pub line: bool,
    /// Whether the seeds answer.
    pub seeds: bool,
    pub jobs: Vec<Job>,
    pub open: BTreeMap<PathId, [Node; 3]>,
    pub saved: Option<SavedGuards>,
    /// Nodes of the real network.
    pub network: Vec<Node>,
    passed: BTreeSet<[Ed25519Public; 3]>,
    /// When each guard did not answer while others did, since it last answered; and when anybody was last heard.
    silences: BTreeMap<Ed25519Public, Vec<Instant>>,
    heard: Option<Instant>,
    unclear: Vec<(Ed25519Public, Instant)>,
    /// Paths that died behind each guard.
    pub died: BTreeMap<Ed25519Public, u32>,
    /// Lists in a row without each kept guard.
    absent: BTreeMap<Ed25519Public, u32>,
}

pub(super) fn settings(min_pool: usize) -> Settings {
    Settings { min_pool, consensus: true, distinct_subnets: true, bootstrap: true, snapshot: Vec::new() }
}

impl Play {
    /// A client that knows `nodes` already, and these guards.
    pub fn new(seed: u64, nodes: u8, guards: &[u8]) -> Self {
        let network: Vec<Node> = (0..nodes).map(node).collect();
        let guards = SavedGuards { kept: guards.iter().map(|n| node(*n).ed25519).collect(), former: vec![] };
        let saved = Saved { nodes: Some((network.clone(), Duration::ZERO)), guards };
        Self::with(seed, network, saved, settings(usize::from(nodes.min(12))))
    }

    pub fn with(seed: u64, network: Vec<Node>, saved: Saved, settings: Settings) -> Self {
        let now = Instant::now();
        let mut play = Self {
            policy: Policy::new(settings, saved, now),
            now,
            dice: Dice(fastrand::Rng::with_seed(seed)),
            manners: BTreeMap::new(),
            line: true,
            seeds: true,
            jobs: Vec::new(),
            open: BTreeMap::new(),
            saved: None,
            network,
            passed: BTreeSet::new(),
            silences: BTreeMap::new(),
            heard: None,
            unclear: Vec::new(),
            died: BTreeMap::new(),
            absent: BTreeMap::new(),
        };
        play.tick();
        play
    }

    pub fn manner(&self, node: &Node) -> Manner {
        self.manners.get(&node.ed25519).copied().unwrap_or_default()
    }

    pub fn behave(&mut self, node: Node, manner: Manner) {
        self.manners.insert(node.ed25519, manner);
    }

    /// Lets time go by, calling the policy whenever it wants to be called.
    pub fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(wake) = self.policy.next_wake(self.now).filter(|wake| *wake <= end) {
            assert!(wake > self.now, "the policy would never sleep");
            self.now = wake;
            self.tick();
        }
        self.now = end;
        self.tick();
    }

    /// Does everything that was ordered, and what follows from that, until nothing is left. What a frozen node is
    /// asked takes five seconds.
    pub fn settle(&mut self) {
        for _ in 0..200 {
            if self.jobs.is_empty() {
                return;
            }
            self.do_job(0);
        }
    }

    /// Lets time go by in steps, doing everything in between.
    pub fn live(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.settle();
            let wake = self.policy.next_wake(self.now).unwrap_or(end).min(end);
            self.wait(wake - self.now);
        }
        self.settle();
    }

    /// Does the job with this number.
    pub fn do_job(&mut self, index: usize) {
        if self.jobs.is_empty() {
            return;
        }
        let job = self.jobs.remove(index % self.jobs.len());
        match job {
            Job::Test(id, nodes, begun) => {
                let outcome = self.outcome(&nodes);
                self.remember(&nodes, outcome, begun);
                self.policy.tested(id, outcome, self.now);
            }
            Job::Probe(probe) => {
                let [guard, ..] = probe.nodes;
                let answers = self.line && self.manner(&guard) != Manner::Gone;
                self.remember_probe(&guard, answers, probe.since);
                self.policy.probed(probe, answers, self.now);
            }
            Job::Fetch(source) => {
                let works = match source {
                    Source::Seeds => self.seeds && self.line,
                    Source::Nodes => self.policy.paths.any(),
                    Source::Bootstrap | Source::Snapshot => false,
                };
                let nodes = works.then(|| self.network.clone());
                self.listed(source, nodes);
            }
        }
        self.tick();
    }

    pub fn listed(&mut self, source: Source, nodes: Option<Vec<Node>>) {
        let before = self.policy.pool.nodes().to_vec();
        if nodes.is_some() && source != Source::Snapshot {
            self.somebody_is_heard();
        }
        self.policy.listed(source, nodes, self.now);
        if self.policy.pool.nodes() != before {
            for key in self.policy.guards.kept() {
                let known = self.policy.pool.get(key).is_some();
                let absent = self.absent.entry(*key).or_default();
                *absent = if known { 0 } else { *absent + 1 };
            }
        }
    }

    fn outcome(&self, nodes: &[Node; 3]) -> Outcome {
        let [guard, middle, exit] = nodes;
        if !self.line || self.manner(guard) == Manner::Gone {
            return Outcome::GuardSilent;
        }
        if self.manner(guard) == Manner::Complains || self.manner(middle) == Manner::Complains {
            let victim = if self.manner(guard) == Manner::Complains { middle } else { exit };
            return Outcome::Bad(crate::failure::Verdict::HopLost(victim.ed25519));
        }
        let dead = [middle, exit].iter().any(|node| self.manner(node) == Manner::Gone);
        if dead || self.manner(guard) == Manner::Chokes { Outcome::NoReply } else { Outcome::Passed }
    }

    fn remember(&mut self, nodes: &[Node; 3], outcome: Outcome, begun: Instant) {
        let [guard, ..] = nodes;
        match outcome {
            Outcome::Passed => {
                self.passed.insert(nodes.map(|node| node.ed25519));
                self.remember_probe(guard, true, begun);
            }
            Outcome::GuardSilent => self.remember_probe(guard, false, begun),
            Outcome::Bad(_) => {
                self.remember_probe(guard, true, begun);
                *self.died.entry(guard.ed25519).or_default() += 1;
            }
            _ => {}
        }
    }

    fn remember_probe(&mut self, guard: &Node, answers: bool, since: Instant) {
        if answers {
            self.unclear.retain(|(silent, _)| *silent != guard.ed25519);
            self.silences.remove(&guard.ed25519);
            self.somebody_is_heard();
        } else if self.heard.is_some_and(|heard| heard >= since) {
            self.silences.entry(guard.ed25519).or_default().push(self.now);
        } else {
            self.unclear.push((guard.ed25519, self.now));
        }
    }

    fn somebody_is_heard(&mut self) {
        self.heard = Some(self.now);
        for (silent, at) in std::mem::take(&mut self.unclear) {
            if self.now - at <= Duration::from_secs(10) {
                self.silences.entry(silent).or_default().push(at);
            }
        }
    }

    /// A request of ours over any path, which goes as the world lets it.
    pub fn request(&mut self) {
        let Some(id) = self.policy.paths.choose(None, &[], &mut self.dice) else {
            self.policy.demand(self.now);
            return self.tick();
        };
        let nodes = self.open[&id];
        match self.outcome(&nodes) {
            Outcome::Passed => {
                self.somebody_is_heard();
                self.policy.succeeded(id, None, self.now);
            }
            Outcome::Bad(verdict) => self.policy.failed(id, None, verdict, false, self.now),
            _ => self.policy.failed(id, None, crate::failure::Verdict::PathFailed, true, self.now),
        }
        self.tick();
    }

    pub fn tick(&mut self) {
        self.policy.tick(self.now, &mut self.dice);
        for action in self.policy.take_actions() {
            match action {
                Action::Test(id, nodes) => {
                    self.check_nodes(&nodes);
                    self.jobs.push(Job::Test(id, nodes, self.now));
                }
                Action::Probe(probe) => {
                    let [guard, ..] = probe.nodes;
                    if self.manner(&guard) == Manner::Chokes {
                        *self.died.entry(guard.ed25519).or_default() += 1;
                    }
                    self.jobs.push(Job::Probe(probe));
                }
                Action::Fetch(source) => self.jobs.push(Job::Fetch(source)),
                Action::Open(id, nodes) => {
                    assert!(self.passed.contains(&nodes.map(|node| node.ed25519)), "used before tested");
                    self.open.insert(id, nodes);
                }
                Action::Retire(id) | Action::Close(id) => {
                    self.open.remove(&id).expect("a path that was open");
                }
                Action::SaveNodes => {}
                Action::SaveGuards(saved) => self.check_guards(saved),
            }
        }
        self.check();
    }

    fn check_nodes(&self, nodes: &[Node; 3]) {
        let [_, middle, exit] = nodes;
        for hop in [middle, exit] {
            assert!(!self.policy.guards.is_kept(&hop.ed25519), "a kept guard is drawn as a hop");
        }
        let keys: BTreeSet<_> = nodes.iter().map(|node| node.ed25519).collect();
        let subnets: BTreeSet<_> = nodes.iter().map(Node::subnet).collect();
        assert_eq!((keys.len(), subnets.len()), (3, 3));
    }

    /// A guard that was saved and is not any more was given up: was that right?
    fn check_guards(&mut self, saved: SavedGuards) {
        let before = self.saved.take().unwrap_or_default();
        for key in before.kept.iter().filter(|key| !saved.kept.contains(key)) {
            let silences = self.silences.get(key).map_or(&[][..], Vec::as_slice);
            let spread = silences.first().map_or(Duration::ZERO, |first| self.now - *first);
            let silent = silences.len() >= FAILURES as usize && spread >= GIVE_UP;
            let absent = self.absent.get(key).is_some_and(|absent| *absent >= 2);
            let deadly = self.died.get(key).is_some_and(|died| *died >= 8);
            assert!(
                silent || absent || deadly,
                "a guard given up for {} failures in {spread:?}",
                silences.len()
            );
        }
        self.saved = Some(saved);
    }

    fn check(&self) {
        assert!(self.open.len() <= WANTED);
        let shown: BTreeMap<PathId, [Node; 3]> =
            self.policy.paths.nodes().map(|(id, nodes)| (id, *nodes)).collect();
        assert_eq!(shown, self.open, "what is said to be open is open");
        let nodes: Vec<_> = self.open.values().flatten().map(|node| node.ed25519).collect();
        assert_eq!(nodes.iter().collect::<BTreeSet<_>>().len(), nodes.len(), "a node serves twice");
        for [_, middle, exit] in self.open.values() {
            for hop in [middle, exit] {
                assert!(!self.policy.guards.is_kept(&hop.ed25519), "a kept guard is a hop");
            }
        }
        assert!(self.policy.next_wake(self.now).is_none_or(|wake| wake > self.now));
        assert!(self.jobs.len() < 30, "orders pile up: {:?}", self.jobs);
    }

    /// The guards of the paths in use.
    pub fn guards(&self) -> BTreeSet<Ed25519Public> {
        self.open.values().map(|[guard, ..]| guard.ed25519).collect()
    }
}
