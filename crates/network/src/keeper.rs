//! Keeping two good paths, whatever happens to nodes and network (spec 03 §5).
//!
//! One task works in *rounds*. A round sees to a node list, tests the paths that requests found suspect, and builds what
//! is missing. A path is tested by asking its exit, through guard and middle, for its clock: nobody else is involved,
//! so a failure is the path's own; nothing about us is in the request, and the clock comes for free.
//!
//! Decision: a silent guard is only believed to be dead when somebody else answered in the same round. If nobody does,
//! it is our own connection that is gone: nothing is punished, guards are kept, and rounds go on at growing intervals
//! (1 s to 15 s), at once when the machine has got another network, and soon when a request comes. A path whose guard
//! answers but which fails its test gets new hops and keeps its guard — otherwise a hostile hop could make us change
//! guards until one is of its own kind. Only a guard on which three paths in a row failed is let go.

use std::collections::BTreeMap;
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use septet_protocol::crypto::SystemRandom;
use septet_protocol::id::Ed25519Public;
use septet_protocol::swarm::{Node, Rpc};
use tokio::time::{Instant, sleep, sleep_until};

use crate::choose;
use crate::clock::machine_now;
use crate::disk::{Disk, SavedNodes};
use crate::failure::Verdict;
use crate::http::PostOptions;
use crate::onion::Fault;
use crate::path::{self, Path};
use crate::shared::Shared;
use crate::status::Connection;

/// Paths wanted.
const PATHS: usize = 2;
/// How often a round tries to fill the missing places.
const TRIES: u32 = 6;
/// After so many tries without any answer the node list itself is doubted.
const SILENT_TRIES: u32 = 2;
/// How long a path's test may take.
const TEST_LIMIT: Duration = Duration::from_secs(5);
/// How long a guard may take to answer a direct question.
const PROBE_LIMIT: Duration = Duration::from_secs(4);
/// With so many failed paths in a row a guard is let go.
const GUARD_FAILURES: u32 = 3;
/// Shortest time between two rounds without success.
const ROUND_GAP: Duration = Duration::from_secs(1);
/// Longest time between two rounds without success.
const LONGEST_GAP: Duration = Duration::from_secs(15);
/// A seed is not asked again so soon for a list that did not help.
const SEED_GAP: Duration = Duration::from_secs(60);
/// A node list older than this is refreshed, in ms.
const POOL_LIFE: i64 = 2 * 3600 * 1000;
/// How soon a refresh is tried again.
const REFRESH_GAP: Duration = Duration::from_secs(600);

/// The task's own state.
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    disk: Disk,
    guards: Vec<Ed25519Public>,
    guard_failures: BTreeMap<Ed25519Public, u32>,
    failed_rounds: u32,
    /// When a seed gave us its list.
    listed: Option<Instant>,
}

/// What a round has found out so far.
#[derive(Default)]
struct Findings {
    /// Somebody answered: the machine has a network.
    reached: bool,
    /// Guards that did not.
    silent: Vec<Node>,
    /// Paths that failed, of which nobody knows at which node.
    failed: Vec<[Node; 3]>,
}

impl Findings {
    /// Whether somebody was asked, and nobody answered.
    fn is_silence(&self) -> bool {
        let asked = self.silent.len() + self.failed.len();
        asked > 0 && !self.reached
    }
}

impl Keeper {
    pub fn new(shared: Arc<Shared>, disk: Disk) -> Self {
        Self {
            shared,
            disk,
            guards: Vec::new(),
            guard_failures: BTreeMap::new(),
            failed_rounds: 0,
            listed: None,
        }
    }

    /// Keeps paths for ever.
    pub async fn run(mut self) {
        self.guards = self.disk.guards();
        if let Some(saved) =
            self.disk.nodes().filter(|saved| saved.nodes.len() >= self.shared.config.min_pool)
        {
            self.shared.replace_pool(saved.nodes);
        }
        loop {
            let started = Instant::now();
            self.round().await;
            let missing = self.shared.paths().len() < PATHS;
            self.failed_rounds = if missing { self.failed_rounds.saturating_add(1) } else { 0 };
            self.wait(started).await;
        }
    }

    /// Until there is something to do.
    async fn wait(&self, started: Instant) {
        if self.failed_rounds == 0 {
            return self.shared.wake.notified().await;
        }
        let gap = choose::backoff(self.failed_rounds, ROUND_GAP, LONGEST_GAP);
        let demand = async {
            sleep_until(started + ROUND_GAP).await;
            self.shared.wake.notified().await;
        };
        // With one path left requests go on, and their failures must be looked at without delay.
        let connected = !self.shared.paths().is_empty();
        tokio::select! {
            () = sleep_until(started + gap) => {}
            () = demand => {}
            () = self.shared.wake.notified(), if connected => {}
            () = network_changed(self.shared.nodes().first().copied()), if !connected => {}
        }
    }

    async fn round(&mut self) {
        let mut findings = Findings::default();
        if self.shared.pool().nodes().len() < self.shared.config.min_pool {
            self.shared.without_path(Connection::Connecting);
            if !self.take_list_from_seeds().await {
                return self.shared.without_path(Connection::Offline);
            }
            findings.reached = true;
        }
        self.repair();
        self.test_suspects(&mut findings).await;
        if findings.is_silence() && self.shared.paths().is_empty() {
            self.shared.without_path(Connection::Offline);
        }
        self.fill(&mut findings).await;
        if !findings.reached && self.shared.paths().is_empty() {
            self.shared.without_path(Connection::Offline);
            // Nobody on our list answers. Either we have no network, or the list is of another age.
            if !self.list_is_new() && self.take_list_from_seeds().await {
                findings = Findings { reached: true, ..Findings::default() };
                self.fill(&mut findings).await;
            }
        }
        self.conclude(findings).await;
    }

    /// Whether another list could hardly be better.
    fn list_is_new(&self) -> bool {
        self.listed.is_some_and(|at| at.elapsed() < SEED_GAP)
    }

    async fn take_list_from_seeds(&mut self) -> bool {
        let Some(nodes) = self.shared.fetch_from_seeds().await else { return false };
        self.listed = Some(Instant::now());
        save_and_use(&self.shared, &self.disk, nodes);
        true
    }

    /// Paths with a node that is no longer in the pool get another one in its place, or go.
    fn repair(&self) {
        for path in self.shared.paths() {
            let pool = self.shared.nodes();
            let known = |node: &Node| pool.iter().any(|other| other.ed25519 == node.ed25519);
            let Some(gone) = path.nodes.iter().find(|node| !known(node)) else { continue };
            let taken = self.in_use(Some(path.id));
            let distinct = self.shared.config.distinct_subnets;
            let nodes =
                path::replace_hop(&pool, path.nodes, &gone.ed25519, &taken, distinct, &mut SystemRandom);
            let repaired = nodes.map(|nodes| {
                let repaired = Path::new(nodes);
                repaired.fail();
                Arc::new(repaired)
            });
            self.shared.change_paths(|paths| {
                paths.retain(|other| other.id != path.id);
                paths.extend(repaired);
            });
        }
    }

    /// Tests the suspects; if nobody answers, the others too, since then it may be our own connection that is gone.
    async fn test_suspects(&mut self, findings: &mut Findings) {
        let (suspects, others) = self.shared.paths().into_iter().partition(|path| path.is_suspect());
        self.test_paths(suspects, findings).await;
        if findings.is_silence() {
            self.test_paths(others, findings).await;
        }
    }

    async fn test_paths(&mut self, suspects: Vec<Arc<Path>>, findings: &mut Findings) {
        let outcomes = join_all(suspects.iter().map(|path| self.test(&path.nodes))).await;
        for (path, outcome) in suspects.iter().zip(outcomes) {
            match outcome {
                Ok(()) if !path.is_worn_out() => {
                    findings.reached = true;
                    path.passed();
                    self.guard_failures.remove(&path.guard().ed25519);
                }
                outcome => {
                    path.give_up();
                    self.shared.change_paths(|paths| paths.retain(|other| other.id != path.id));
                    self.note(path.nodes, outcome.err(), findings);
                }
            }
        }
    }

    /// Builds the missing paths.
    async fn fill(&mut self, findings: &mut Findings) {
        for attempt in 0..TRIES {
            if !findings.reached && attempt >= SILENT_TRIES {
                return;
            }
            let candidates = self.candidates(&findings.silent);
            if candidates.is_empty() {
                return;
            }
            let outcomes = join_all(candidates.iter().map(|nodes| self.test(nodes))).await;
            let silence = !findings.reached;
            let mut passed = Vec::new();
            for (nodes, outcome) in candidates.into_iter().zip(outcomes) {
                match outcome {
                    Ok(()) => passed.push(nodes),
                    Err(fault) => self.note(nodes, Some(fault), findings),
                }
            }
            findings.reached |= !passed.is_empty();
            if silence && findings.reached {
                self.hear_again(findings).await;
            }
            for nodes in passed {
                self.take(nodes, &findings.silent);
            }
        }
    }

    /// The network has come back in the middle of a round: kept guards that were silent before may answer now.
    async fn hear_again(&self, findings: &mut Findings) {
        let answers = join_all(findings.silent.iter().map(|guard| self.answers(guard))).await;
        let mut answers = answers.into_iter();
        findings.silent.retain(|_| !answers.next().unwrap_or(false));
    }

    /// A guard that we had before and that could serve now.
    fn kept_guard(&self, avoid: &[Node]) -> Option<Node> {
        let free = |key: &&Ed25519Public| {
            let failures = self.guard_failures.get(*key).copied().unwrap_or(0);
            failures < GUARD_FAILURES && !avoid.iter().any(|node| node.ed25519 == **key)
        };
        self.guards.iter().filter(free).find_map(|key| self.shared.pool().get(key).copied())
    }

    /// A path for each missing place; kept guards first.
    fn candidates(&self, silent: &[Node]) -> Vec<[Node; 3]> {
        let pool = self.shared.nodes();
        let mut taken = self.in_use(None);
        let mut candidates = Vec::new();
        for _ in self.shared.paths().len()..PATHS {
            let avoid: Vec<Node> = taken.iter().chain(silent).copied().collect();
            let kept = self.kept_guard(&avoid);
            let guard = kept.or_else(|| path::choose_guard(&pool, &avoid, &mut SystemRandom));
            let distinct = self.shared.config.distinct_subnets;
            let nodes =
                guard.and_then(|guard| path::choose_hops(&pool, guard, &avoid, distinct, &mut SystemRandom));
            let Some(nodes) = nodes else { break };
            taken.extend(nodes);
            candidates.push(nodes);
        }
        candidates
    }

    /// The nodes of all paths but one.
    fn in_use(&self, except: Option<u64>) -> Vec<Node> {
        let mut paths = self.shared.paths();
        paths.retain(|path| Some(path.id) != except);
        paths.iter().flat_map(|path| path.nodes).collect()
    }

    /// Whether all three nodes do their work: the exit is asked for its clock through the other two.
    async fn test(&self, nodes: &[Node; 3]) -> Result<(), Fault> {
        let [guard, middle, exit] = nodes;
        let hops = [path::hop(*guard), path::hop(*middle)];
        match self
            .shared
            .ask_over(guard, &hops, exit, &Rpc::info(), &PostOptions::silent_for(TEST_LIMIT))
            .await
        {
            Ok(answer) if answer.status == 200 => Ok(()),
            Ok(_) => Err(Fault::Unreadable),
            // It works; we are asking too much of it.
            Err(Fault::Plain { status: 429, .. }) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    /// Takes a tested path into use, unless it has a new guard while one that we had before could serve.
    fn take(&mut self, nodes: [Node; 3], silent: &[Node]) {
        let [guard, ..] = nodes;
        if !self.guards.contains(&guard.ed25519) {
            let busy: Vec<Node> = self.in_use(None).iter().chain(silent).copied().collect();
            if self.kept_guard(&busy).is_some() {
                return;
            }
            self.guards.push(guard.ed25519);
        }
        tracing::debug!(guard = %guard.ip, "path built");
        self.shared.change_paths(|paths| paths.push(Arc::new(Path::new(nodes))));
    }

    /// Notes a failed path; who is to blame is decided when the round is over, unless a hop names somebody.
    fn note(&mut self, nodes: [Node; 3], fault: Option<Fault>, findings: &mut Findings) {
        let [guard, middle, exit] = nodes;
        findings.reached |= fault.as_ref().is_none_or(Fault::proves_network);
        if matches!(fault, Some(Fault::NoNetwork | Fault::GuardUnreachable)) {
            return findings.silent.push(guard);
        }
        *self.guard_failures.entry(guard.ed25519).or_default() += 1;
        let verdict = fault.map(|fault| fault.verdict(&[guard.ed25519, middle.ed25519], Some(&exit.ed25519)));
        match verdict {
            Some(Verdict::HopLost(key)) => self.shared.forget(&key),
            Some(Verdict::DestinationLost) => self.shared.forget(&exit.ed25519),
            Some(Verdict::NodeNotReady(key)) => self.shared.strike(&key),
            _ => findings.failed.push(nodes),
        }
    }

    /// Blames whom the round has shown to be to blame, and keeps the guards that are left.
    async fn conclude(&mut self, findings: Findings) {
        if !findings.reached {
            self.guard_failures.clear();
            return;
        }
        // Who was silent while the network was only just coming back gets another chance to answer.
        let failed = findings.failed.iter().map(|[guard, ..]| *guard);
        let doubted: Vec<Node> = failed.chain(findings.silent.iter().copied()).collect();
        let answers = join_all(doubted.iter().map(|guard| self.answers(guard))).await;
        let dead: Vec<Ed25519Public> = doubted
            .iter()
            .zip(answers)
            .filter_map(|(guard, answers)| (!answers).then_some(guard.ed25519))
            .collect();
        for [guard, middle, exit] in &findings.failed {
            if !dead.contains(&guard.ed25519) {
                self.shared.strike(&middle.ed25519);
                self.shared.strike(&exit.ed25519);
            }
        }
        let worn_out = self.guard_failures.iter().filter(|(_, failures)| **failures >= GUARD_FAILURES);
        let mut dropped: Vec<Ed25519Public> = worn_out.map(|(key, _)| *key).collect();
        dropped.extend(dead);
        for key in &dropped {
            tracing::debug!(%key, "guard let go");
            self.guard_failures.remove(key);
            self.shared.forget(key);
        }
        self.guards.retain(|key| !dropped.contains(key));
        self.save_guards();
    }

    /// The guards in use first, then those that may be used again; no more than are wanted.
    fn save_guards(&mut self) {
        let in_use: Vec<_> = self.shared.paths().iter().map(|path| path.guard().ed25519).collect();
        self.guards.sort_by_key(|key| !in_use.contains(key));
        self.guards.truncate(PATHS);
        self.disk.save_guards(self.guards.clone());
    }

    /// Whether a node answers a direct question that says nothing about us.
    async fn answers(&self, node: &Node) -> bool {
        let options = PostOptions::silent_for(PROBE_LIMIT);
        self.shared.http.post_rpc(node, Rpc::info().to_json(), &options).await.is_ok()
    }
}

fn save_and_use(shared: &Shared, disk: &Disk, nodes: Vec<Node>) {
    disk.save_nodes(SavedNodes { fetched: machine_now(), nodes: nodes.clone() });
    shared.replace_pool(nodes);
}

/// Refreshes the node list whenever it has grown old and there is a path to do it over.
pub(crate) async fn refresh(shared: Arc<Shared>, disk: Disk) {
    let mut fetched = disk.nodes().map_or_else(machine_now, |saved| saved.fetched);
    let mut status = shared.status.subscribe();
    loop {
        let age = (machine_now() - fetched).max(0);
        if age < POOL_LIFE {
            sleep(Duration::from_millis((POOL_LIFE - age).unsigned_abs())).await;
        }
        if status.wait_for(|status| status.connection == Connection::Connected).await.is_err() {
            return;
        }
        match shared.fetch_nodes().await {
            Some(nodes) => {
                save_and_use(&shared, &disk, nodes);
                fetched = machine_now();
            }
            None => sleep(choose::jitter(REFRESH_GAP)).await,
        }
    }
}

/// Until the machine's way to the world is another than now: a cable, a hotspot, a tunnel has come or gone.
///
/// Which local address would be used towards a node is asked of the system once a second; nothing is sent for that.
async fn network_changed(node: Option<Node>) {
    let way = || -> Option<IpAddr> {
        let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
        socket.connect(node.map(|node| (node.ip, node.port))?).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    let before = way();
    loop {
        sleep(Duration::from_secs(1)).await;
        if way() != before {
            return;
        }
    }
}
