//! Whom to ask, over which paths, and whom to believe: decided here, without doing any of it.
//!
//! A [`Policy`] is told what has happened — a test of a path has passed, a request has failed, a list of nodes has
//! come, time has gone by — and says what is to be done: test these three nodes, take that path into use, save the
//! guards. It opens no socket, reads no clock and draws no number of its own: moments and randomness come in as
//! arguments, [`Action`]s go out. So thousands of histories can be played through in a second, and the rules that keep
//! a person hidden are properties that hold in all of them (`tests`), not hopes about timing.
//!
//! ```text
//! Policy
//!   ├─ lists   where the list of nodes comes from next
//!   ├─ pool    the nodes, and which of them to go around for a while
//!   ├─ guards  the few nodes that may see our address, kept for as long as they can be
//!   ├─ paths   three nodes each: drawn, tested, used, replaced
//!   ├─ swarms  who keeps whose messages
//!   └─ order   what goes in and comes out
//! ```
//!
//! Decision: what a stranger can bring about for free never costs anything for good. A node that somebody complains
//! about is gone around for minutes, not forgotten; only a list that several agree on says who is in the network.

mod guards;
mod lists;
mod order;
mod paths;
mod pool;
mod swarms;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use septet_protocol::crypto::Random;
use septet_protocol::id::Ed25519Public;
use septet_protocol::swarm::Node;

pub(crate) use guards::{Guards, SavedGuards};
pub(crate) use lists::Lists;
pub(crate) use order::{Action, Outcome, PathId, Probe, Settings, Source, TestId};
pub(crate) use paths::Paths;
pub(crate) use pool::{Part, Pool, agreement};
pub(crate) use swarms::{Claim, Swarms};

use crate::failure::Verdict;

/// After a silence of everybody for so long it was the line that was gone.
const LATELY: Duration = Duration::from_secs(30);
/// Who is heard so soon after a guard was silent shows that it was not the line.
const MEANWHILE: Duration = Duration::from_secs(10);
/// Silences that wait for somebody to be heard.
const UNCLEAR: usize = 16;

/// Everything that is decided about the network.
pub(crate) struct Policy {
    settings: Settings,
    pub pool: Pool,
    pub guards: Guards,
    pub paths: Paths,
    pub swarms: Swarms,
    lists: Lists,
    line: Line,
    /// Destinations whose last answer did not come in time, and the path it was expected on.
    slow: BTreeMap<Ed25519Public, [Ed25519Public; 3]>,
    actions: Vec<Action>,
}

/// What is known of our own connection.
#[derive(Default)]
struct Line {
    /// When somebody was last heard.
    heard: Option<Instant>,
    /// How many tests have brought nothing since.
    silent: u32,
    /// Guards that did not answer, and when, while it is not clear yet whether anybody does.
    unclear: Vec<(Ed25519Public, Instant)>,
}

impl Line {
    fn heard_since(&self, moment: Instant) -> bool {
        self.heard.is_some_and(|heard| heard >= moment)
    }
}

/// What was kept of an earlier run.
#[derive(Default)]
pub(crate) struct Saved {
    /// The list, and how old it is.
    pub nodes: Option<(Vec<Node>, Duration)>,
    /// The guards.
    pub guards: SavedGuards,
}

impl Policy {
    /// The policy at the start of a run.
    pub fn new(settings: Settings, saved: Saved, now: Instant) -> Self {
        let (mut lists, mut pool) = (Lists::default(), Pool::default());
        if let Some((nodes, age)) = saved.nodes {
            lists.restore(&mut pool, nodes, age, now);
        }
        Self {
            settings,
            pool,
            guards: Guards::new(saved.guards),
            paths: Paths::default(),
            swarms: Swarms::default(),
            lists,
            line: Line::default(),
            slow: BTreeMap::new(),
            actions: Vec::new(),
        }
    }

    /// What is to be done, in this order; each is handed out once.
    pub fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// When the policy wants to be called again although nothing has happened; `None`: not at all. Always after `now`,
    /// at which it has just been called: what was due by then and could not be done waits for an event.
    pub fn next_wake(&self, now: Instant) -> Option<Instant> {
        let times = self.paths.next(&self.guards).chain(self.lists.next());
        times.filter(|at| *at > now).min()
    }

    /// Decides what follows from all that has happened. To be called after every event, and at [`Policy::next_wake`].
    pub fn tick(&mut self, now: Instant, rng: &mut impl Random) {
        let connected = self.paths.any();
        let nobody = !connected && self.line.silent >= paths::SILENT;
        let fetch = self.lists.tick(&self.settings, &self.pool, connected, nobody, now);
        self.actions.extend(fetch);
        let silent_line = self.line.silent >= paths::SILENT;
        let mut view = paths::View {
            pool: &self.pool,
            guards: &mut self.guards,
            distinct_subnets: self.settings.distinct_subnets,
            silent_line,
        };
        self.paths.tick(&mut view, now, rng, &mut self.actions);
        if let Some(saved) = self.guards.take_change() {
            self.actions.push(Action::SaveGuards(saved));
        }
    }

    /// Whether nobody has answered for so long that there seems to be no network.
    pub fn is_offline(&self) -> bool {
        !self.paths.any() && (self.line.silent >= paths::SILENT || self.lists.is_stuck(&self.pool))
    }

    /// Somebody was heard: a reply of whatever kind has come from the network.
    fn heard(&mut self, now: Instant) {
        if self.line.silent > 0 && self.line.heard.is_none_or(|heard| now >= heard + LATELY) {
            // The line was gone, not the guards: they are asked again at once.
            self.guards.line_is_back();
        }
        for (guard, at) in std::mem::take(&mut self.line.unclear) {
            if now.saturating_duration_since(at) <= MEANWHILE {
                self.guards.failed(&guard, at);
            }
        }
        (self.line.heard, self.line.silent) = (Some(now), 0);
    }

    /// A guard was heard itself.
    fn guard_heard(&mut self, guard: &Ed25519Public, now: Instant) {
        self.line.unclear.retain(|(silent, _)| silent != guard);
        self.pool.answered(guard);
        self.guards.answered(guard);
        self.heard(now);
    }

    /// A test of a path has ended.
    pub fn tested(&mut self, id: TestId, outcome: Outcome, now: Instant) {
        let Some(test) = self.paths.end_test(id) else { return };
        let [guard, middle, exit] = test.nodes;
        if outcome == Outcome::Passed {
            self.guard_heard(&guard.ed25519, now);
            self.guards.path_passed(&guard.ed25519);
            self.pool.forgive(&[middle.ed25519, exit.ed25519]);
            self.paths.passed(&test, &mut self.guards, now, &mut self.actions);
            return;
        }
        self.paths.failed(&test, outcome, now, &mut self.actions);
        self.blame(test.nodes, outcome, test.begun, now);
    }

    /// A guard was asked directly; `answers`: it is there.
    pub fn probed(&mut self, probe: Probe, answers: bool, now: Instant) {
        let [guard, middle, exit] = probe.nodes;
        if answers {
            self.guard_heard(&guard.ed25519, now);
            self.guards.path_failed(&guard.ed25519, now);
            self.strike_hops(&middle, &exit, now);
        } else {
            self.guard_silent(&guard, probe.since, now);
        }
    }

    /// Puts the blame for a path that does not work where it belongs.
    fn blame(&mut self, nodes: [Node; 3], outcome: Outcome, since: Instant, now: Instant) {
        let [guard, middle, exit] = nodes;
        match outcome {
            Outcome::Passed | Outcome::Unclear => {}
            Outcome::NoNetwork => self.line.silent = self.line.silent.saturating_add(1),
            Outcome::GuardSilent => self.guard_silent(&guard, since, now),
            Outcome::NoReply => {
                self.line.silent = self.line.silent.saturating_add(1);
                self.actions.push(Action::Probe(Probe { nodes, since }));
            }
            Outcome::Bad(verdict) => {
                self.guard_heard(&guard.ed25519, now);
                self.guards.path_failed(&guard.ed25519, now);
                match verdict {
                    Verdict::HopLost(key) | Verdict::NodeNotReady(key) => self.pool.go_around(&key, now),
                    Verdict::DestinationLost => self.pool.go_around(&exit.ed25519, now),
                    _ => self.strike_hops(&middle, &exit, now),
                }
            }
        }
    }

    fn strike_hops(&mut self, middle: &Node, exit: &Node, now: Instant) {
        self.pool.strike(&middle.ed25519, Part::Hop, now);
        self.pool.strike(&exit.ed25519, Part::Hop, now);
    }

    /// A guard did not answer. It counts against the guard only if somebody else is heard meanwhile, or soon after.
    fn guard_silent(&mut self, guard: &Node, since: Instant, now: Instant) {
        self.guards.silent(&guard.ed25519, now);
        self.pool.go_around(&guard.ed25519, now);
        if self.line.heard_since(since) {
            return self.guards.failed(&guard.ed25519, now);
        }
        self.line.silent = self.line.silent.saturating_add(1);
        if self.line.unclear.len() < UNCLEAR {
            self.line.unclear.push((guard.ed25519, now));
        }
    }

    /// A request over a path was answered by its destination.
    pub fn succeeded(&mut self, path: PathId, destination: Option<&Ed25519Public>, now: Instant) {
        self.heard(now);
        if let Some(destination) = destination {
            self.slow.remove(destination);
            self.pool.answered(destination);
        }
        if let Some(guard) = self.paths.succeeded(path, now) {
            self.guards.path_worked(&guard, now);
        }
    }

    /// A request over a path brought no answer of its destination. `doubtful`: that may be the destination's fault as
    /// well as the path's.
    pub fn failed(
        &mut self,
        path: PathId,
        destination: Option<&Ed25519Public>,
        verdict: Verdict,
        doubtful: bool,
        now: Instant,
    ) {
        if let (true, Some(destination)) = (doubtful, destination) {
            self.was_silent(destination, path, now);
        }
        match verdict {
            // A hop that lies about its neighbour pays for it with its path's good name.
            Verdict::HopLost(key) | Verdict::NodeNotReady(key) => {
                self.pool.go_around(&key, now);
                self.paths.suspect(path);
            }
            Verdict::DestinationLost => {
                if let Some(destination) = destination {
                    self.pool.go_around(destination, now);
                }
                self.paths.suspect(path);
            }
            // What a hop says of the clock is noise, as long as the destination does not say so itself.
            Verdict::PathFailed | Verdict::ClockOff => self.paths.suspect(path),
            Verdict::DestinationFailed => {
                if let Some(destination) = destination {
                    self.strike(destination, now);
                }
            }
            Verdict::Deliver
            | Verdict::Refuse
            | Verdict::WrongSwarm
            | Verdict::Busy
            | Verdict::ServerFailed => {}
        }
    }

    /// A request over a path takes long, and nothing moves on it: the path is looked at, without being blamed yet.
    pub fn doubt(&mut self, path: PathId) {
        self.paths.doubt(path);
    }

    /// A destination did not answer, or not in a way that has an end. Twice on paths that share no node, and it is the
    /// destination's fault.
    fn was_silent(&mut self, destination: &Ed25519Public, path: PathId, now: Instant) {
        self.pool.go_around(destination, now);
        let Some(nodes) = self.paths.keys(path) else { return };
        let before = self.slow.insert(*destination, nodes);
        if before.is_some_and(|before| before.iter().all(|key| !nodes.contains(key))) {
            self.slow.remove(destination);
            self.strike(destination, now);
        }
    }

    /// A destination's own word was no good: it lied, or does not work.
    pub fn strike(&mut self, destination: &Ed25519Public, now: Instant) {
        self.pool.strike(destination, Part::Destination, now);
    }

    /// A list of nodes has come, or could not be had.
    pub fn listed(&mut self, source: Source, nodes: Option<Vec<Node>>, now: Instant) {
        if nodes.is_some() && source != Source::Snapshot {
            self.heard(now);
        }
        if self.lists.listed(&self.settings, &mut self.pool, source, nodes, now) {
            self.swarms.list_changed();
            self.slow.clear();
            self.guards.list_changed(&self.pool);
            self.paths.look_again();
            if source != Source::Snapshot {
                self.actions.push(Action::SaveNodes);
            }
        }
    }

    /// The list does not fit what nodes say: it is refreshed, if it has not been just now.
    pub fn doubt_list(&mut self, now: Instant) {
        self.lists.doubt(now);
    }

    /// Somebody waits for a path.
    pub fn demand(&mut self, now: Instant) {
        self.paths.demand(now);
        self.lists.demand(now);
    }

    /// The machine has woken, or has got another network: what failed before says nothing any more.
    pub fn line_changed(&mut self) {
        self.line = Line::default();
        self.guards.line_is_back();
        self.paths.look_again();
        self.lists.look_again();
    }
}
