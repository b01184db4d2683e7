//! Paths of three nodes: how they are drawn, tested, used and replaced (spec 03 §5).
//!
//! The *guard*, the first, knows our address and is kept ([`super::guards`]); the other two are drawn afresh, and again
//! every ten minutes of use, so that no two strangers see much of us. The nodes of a path lie in different /24 networks,
//! no node serves in two paths, and a kept guard is never anything but a guard: what it knows of us as a guard must not
//! meet what it would learn at the end of a path.
//!
//! Decision: a path is used when its three nodes have passed a test together — the exit is asked for its clock through
//! the other two — and the first that passes is used at once. Tests that take long are overtaken by others rather than
//! waited for. A path on which something failed is tested again and, if it fails, replaced by other hops behind the
//! same guard: otherwise a hostile hop could make us change guards until one is of its own kind.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use septet_protocol::crypto::Random;
use septet_protocol::id::Ed25519Public;
use septet_protocol::swarm::Node;

use super::guards::Guards;
use super::order::{Action, Outcome, PathId, TestId};
use super::pool::Pool;
use crate::choose;

/// Paths wanted.
pub(super) const WANTED: usize = 2;
/// Tests of new paths under way at once.
const MOST_TESTS: usize = 6;
/// A test that takes longer is no longer waited for: another path is tried beside it.
pub(super) const LATE: Duration = Duration::from_millis(600);
/// After so many tests without any answer there seems to be no network.
pub(super) const SILENT: u32 = 2;
/// So many new paths are tried in a row without a pause.
const EAGER: u32 = 6;
/// The same while nobody answers at all.
const EAGER_SILENT: u32 = 2;
/// Shortest and longest pause after that.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_LONGEST: Duration = Duration::from_secs(15);
/// After so much use the hops of a path are drawn again.
pub(super) const ROTATION: Duration = Duration::from_secs(10 * 60);
/// A renewal that failed is tried again after this time.
const RENEW_AGAIN: Duration = Duration::from_secs(20);
/// With so many failures in a row a path is given up, however well its nodes do in tests.
const FAILURES: u32 = 3;
/// A path that has failed so often, and every third time, is given up too.
const MANY_FAILURES: u32 = 6;
/// A path that has worked so often speaks for its guard.
const WORKED: u32 = 20;

/// The paths in use, and those being tested.
#[derive(Default)]
pub(crate) struct Paths {
    in_use: Vec<InUse>,
    tests: BTreeMap<TestId, Test>,
    numbers: u64,
    /// New paths that failed since the last that did not.
    barren: u32,
    /// No new path is tried before.
    pause: Option<Instant>,
    /// When the last one was tried.
    tried: Option<Instant>,
}

struct InUse {
    id: PathId,
    nodes: [Node; 3],
    born: Instant,
    /// Whether a request has gone over it.
    used: bool,
    /// Better use another, until it has been tested.
    suspect: bool,
    wants_test: bool,
    failures: u32,
    failed: u32,
    worked: u32,
    /// No renewal before.
    renew_after: Option<Instant>,
}

/// A test under way.
pub(super) struct Test {
    pub nodes: [Node; 3],
    pub begun: Instant,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Of a path to be used, in the place of another perhaps.
    New { instead_of: Option<PathId> },
    /// Of a path in use.
    Check(PathId),
}

/// What paths are made from.
pub(super) struct View<'a> {
    pub pool: &'a Pool,
    pub guards: &'a mut Guards,
    pub distinct_subnets: bool,
    pub silent_line: bool,
}

impl InUse {
    fn guard(&self) -> Ed25519Public {
        let [guard, _, _] = &self.nodes;
        guard.ed25519
    }

    fn contains(&self, key: &Ed25519Public) -> bool {
        self.nodes.iter().any(|node| node.ed25519 == *key)
    }

    fn is_worn_out(&self) -> bool {
        self.failures >= FAILURES || (self.failed >= MANY_FAILURES && 2 * self.failed > self.worked)
    }
}

impl Paths {
    /// Whether there is a path.
    pub fn any(&self) -> bool {
        !self.in_use.is_empty()
    }

    /// The nodes of each path in use.
    #[cfg(test)]
    pub fn nodes(&self) -> impl Iterator<Item = (PathId, &[Node; 3])> {
        self.in_use.iter().map(|path| (path.id, &path.nodes))
    }

    /// The keys of a path in use, from the guard on.
    pub fn keys(&self, id: PathId) -> Option<[Ed25519Public; 3]> {
        self.find(id).map(|path| path.nodes.map(|node| node.ed25519))
    }

    /// Whether a node is part of a path in use.
    pub fn contain(&self, key: &Ed25519Public) -> bool {
        self.in_use.iter().any(|path| path.contains(key))
    }

    /// A path for a request that does not lead through its destination: at random, preferably one that is not suspect
    /// and not in `used`. `None` if there is none, or the destination is part of each.
    pub fn choose(
        &self,
        destination: Option<&Ed25519Public>,
        used: &[PathId],
        rng: &mut impl Random,
    ) -> Option<PathId> {
        let fits = |path: &&InUse| destination.is_none_or(|key| !path.contains(key));
        let rank = |path: &InUse| (path.suspect, used.contains(&path.id));
        let best = self.in_use.iter().filter(fits).map(rank).min()?;
        choose::one(self.in_use.iter().filter(fits).filter(|path| rank(path) == best).collect(), rng)
            .map(|path| path.id)
    }

    /// Whether the only path leads through a node, and another one is being tested.
    pub fn may_soon_avoid(&self, key: &Ed25519Public) -> bool {
        let new = |test: &Test| test.kind == Kind::New { instead_of: None };
        self.in_use.len() == 1 && self.contain(key) && self.tests.values().any(new)
    }

    fn find(&self, id: PathId) -> Option<&InUse> {
        self.in_use.iter().find(|path| path.id == id)
    }

    fn find_mut(&mut self, id: PathId) -> Option<&mut InUse> {
        self.in_use.iter_mut().find(|path| path.id == id)
    }

    /// Something failed on a path: it is tested.
    pub fn suspect(&mut self, id: PathId) {
        if let Some(path) = self.find_mut(id) {
            path.failures = path.failures.saturating_add(1);
            path.failed = path.failed.saturating_add(1);
            (path.suspect, path.wants_test) = (true, true);
        }
    }

    /// A request takes long on it: it is tested, without being blamed yet.
    pub fn doubt(&mut self, id: PathId) {
        if let Some(path) = self.find_mut(id) {
            (path.suspect, path.wants_test) = (true, true);
        }
    }

    /// A request went through; the guard if the path has thereby shown that it works.
    pub fn succeeded(&mut self, id: PathId, now: Instant) -> Option<Ed25519Public> {
        let path = self.find_mut(id)?;
        if !path.used {
            (path.used, path.born) = (true, now);
        }
        (path.suspect, path.failures) = (false, 0);
        path.worked = path.worked.saturating_add(1);
        (path.worked == WORKED).then(|| path.guard())
    }

    /// Somebody waits for a path.
    pub fn demand(&mut self, now: Instant) {
        let soon = self.tried.map_or(now, |tried| tried + PAUSE);
        self.pause = self.pause.map(|pause| pause.min(soon));
    }

    /// Pauses are over: something has changed for the better.
    pub fn look_again(&mut self) {
        (self.pause, self.barren) = (None, 0);
    }

    /// When something is due without an event.
    pub fn next(&self, guards: &Guards) -> impl Iterator<Item = Instant> {
        let late = self.tests.values().map(|test| test.begun + LATE);
        let renewal = self.in_use.iter().map(|path| {
            let due = path.born + ROTATION;
            path.renew_after.map_or(due, |after| due.max(after))
        });
        let again = self.in_use.iter().filter_map(|path| path.renew_after);
        late.chain(renewal).chain(again).chain(guards.next_retry()).chain(self.pause)
    }

    /// Starts what is due.
    pub(super) fn tick(
        &mut self,
        view: &mut View<'_>,
        now: Instant,
        rng: &mut impl Random,
        actions: &mut Vec<Action>,
    ) {
        self.promote(view.guards);
        self.check_suspects(now, actions);
        self.return_to_guards(view, now, rng, actions);
        self.renew(view, now, rng, actions);
        self.fill(view, now, rng, actions);
    }

    /// A node that has stood in for a guard becomes one if there is room.
    fn promote(&self, guards: &mut Guards) {
        for path in &self.in_use {
            guards.adopt(&path.guard());
        }
    }

    fn check_suspects(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let wanted: Vec<(PathId, [Node; 3])> =
            self.in_use.iter().filter(|path| path.wants_test).map(|path| (path.id, path.nodes)).collect();
        for (id, nodes) in wanted {
            if let Some(path) = self.find_mut(id) {
                path.wants_test = false;
            }
            let running = self.tests.values().any(|test| test.kind == Kind::Check(id));
            if !running {
                self.start(nodes, Kind::Check(id), now, actions);
            }
        }
    }

    /// Kept guards that may answer again are tried, to take the place of nodes that stand in for them.
    fn return_to_guards(
        &mut self,
        view: &View<'_>,
        now: Instant,
        rng: &mut impl Random,
        actions: &mut Vec<Action>,
    ) {
        let stands_in = |path: &&InUse| !view.guards.is_kept(&path.guard());
        let Some(stand_in) = self.in_use.iter().find(stands_in).map(|path| path.id) else { return };
        for key in view.guards.due(false, now) {
            let Some(guard) = view.pool.get(&key).filter(|_| !self.is_busy(&key)) else { continue };
            if let Some(nodes) = self.draw_hops(view, *guard, Some(stand_in), now, rng) {
                self.start(nodes, Kind::New { instead_of: Some(stand_in) }, now, actions);
            }
        }
    }

    /// Hops are drawn again after a while, and when one of them is no longer to be used.
    fn renew(&mut self, view: &View<'_>, now: Instant, rng: &mut impl Random, actions: &mut Vec<Action>) {
        let bad = |node: &Node| {
            view.pool.get(&node.ed25519).is_none()
                || view.pool.is_avoided(&node.ed25519, now)
                || view.guards.is_kept(&node.ed25519)
        };
        let due = |path: &&InUse| {
            let [_, middle, exit] = &path.nodes;
            let old = path.used && now.saturating_duration_since(path.born) >= ROTATION;
            (old || bad(middle) || bad(exit)) && path.renew_after.is_none_or(|after| after <= now)
        };
        let due: Vec<(PathId, Node)> =
            self.in_use.iter().filter(due).map(|path| (path.id, path.nodes)).map(first).collect();
        for (id, guard) in due {
            if let Some(path) = self.find_mut(id) {
                path.renew_after = Some(now + RENEW_AGAIN);
            }
            let running = self.tests.values().any(|test| test.kind == Kind::New { instead_of: Some(id) });
            if let Some(nodes) = (!running).then(|| self.draw_hops(view, guard, Some(id), now, rng)).flatten()
            {
                self.start(nodes, Kind::New { instead_of: Some(id) }, now, actions);
            }
        }
    }

    /// Tries a new path for each missing one, and beside each that takes long.
    fn fill(&mut self, view: &View<'_>, now: Instant, rng: &mut impl Random, actions: &mut Vec<Action>) {
        if self.in_use.len() >= WANTED || self.pause.is_some_and(|pause| now < pause) {
            return;
        }
        self.pause = None;
        let fresh =
            |test: &&Test| matches!(test.kind, Kind::New { instead_of: None }) && now < test.begun + LATE;
        let underway = self.tests.values().filter(fresh).count();
        for _ in (self.in_use.len() + underway)..WANTED {
            let new = |test: &&Test| matches!(test.kind, Kind::New { .. });
            if self.tests.values().filter(new).count() >= MOST_TESTS {
                return;
            }
            let Some(nodes) = self.draw(view, now, rng) else { return };
            self.tried = Some(now);
            self.start(nodes, Kind::New { instead_of: None }, now, actions);
        }
    }

    fn start(&mut self, nodes: [Node; 3], kind: Kind, now: Instant, actions: &mut Vec<Action>) {
        let id = TestId(self.number());
        self.tests.insert(id, Test { nodes, begun: now, kind });
        actions.push(Action::Test(id, nodes));
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Whether a node is part of a path in use or of one being tested.
    fn is_busy(&self, key: &Ed25519Public) -> bool {
        let tested = self.tests.values().flat_map(|test| &test.nodes);
        self.contain(key) || tested.into_iter().any(|node| node.ed25519 == *key)
    }

    /// A new path: over a guard that may be tried, else over any node that can stand in for one.
    fn draw(&self, view: &View<'_>, now: Instant, rng: &mut impl Random) -> Option<[Node; 3]> {
        let due = view.guards.due(view.silent_line, now);
        let guard = due.iter().filter(|key| !self.is_busy(key)).find_map(|key| view.pool.get(key)).copied();
        let stands_in = |node: &Node| !view.guards.is_kept(&node.ed25519) && !self.is_busy(&node.ed25519);
        let guard = guard.or_else(|| view.pool.draw(stands_in, now, rng))?;
        self.draw_hops(view, guard, None, now, rng)
    }

    /// Two more nodes for a guard, none of which serves elsewhere; the nodes of the path that is to be replaced only if
    /// there are no others.
    fn draw_hops(
        &self,
        view: &View<'_>,
        guard: Node,
        instead_of: Option<PathId>,
        now: Instant,
        rng: &mut impl Random,
    ) -> Option<[Node; 3]> {
        let tested = |key: &Ed25519Public| {
            self.tests.values().any(|test| test.nodes.iter().any(|node| node.ed25519 == *key))
        };
        let elsewhere = |key: &Ed25519Public| {
            self.in_use.iter().any(|path| Some(path.id) != instead_of && path.contains(key))
        };
        let fits = |node: &Node, near: &[Node]| {
            let too_near = |other: &Node| view.distinct_subnets && other.subnet() == node.subnet();
            let same = |other: &Node| other.ed25519 == node.ed25519;
            !view.guards.is_kept(&node.ed25519)
                && !elsewhere(&node.ed25519)
                && !near.iter().any(|other| same(other) || too_near(other))
        };
        let mut next = |near: &[Node]| {
            let fresh =
                |node: &Node| fits(node, near) && !tested(&node.ed25519) && !self.contain(&node.ed25519);
            let any = |node: &Node| fits(node, near);
            view.pool.draw(fresh, now, rng).or_else(|| view.pool.draw(any, now, rng))
        };
        let middle = next(&[guard])?;
        let exit = next(&[guard, middle])?;
        Some([guard, middle, exit])
    }

    /// A test has ended; what it was.
    pub(super) fn end_test(&mut self, id: TestId) -> Option<Test> {
        self.tests.remove(&id)
    }

    /// A test was passed.
    pub(super) fn passed(
        &mut self,
        test: &Test,
        guards: &mut Guards,
        now: Instant,
        actions: &mut Vec<Action>,
    ) {
        match test.kind {
            Kind::New { instead_of } => {
                self.look_again();
                self.take(test.nodes, instead_of, guards, now, actions);
            }
            Kind::Check(id) => {
                let Some(path) = self.find_mut(id) else { return };
                path.suspect = false;
                if path.is_worn_out() {
                    self.drop_path(id, Action::Close(id), actions);
                }
            }
        }
    }

    /// Takes a path that has passed its test into use, if there is a place for it.
    fn take(
        &mut self,
        nodes: [Node; 3],
        instead_of: Option<PathId>,
        guards: &mut Guards,
        now: Instant,
        actions: &mut Vec<Action>,
    ) {
        let [guard, middle, exit] = &nodes;
        let kept = guards.is_kept(&guard.ed25519);
        let old = instead_of.filter(|id| self.find(*id).is_some()).or_else(|| {
            // A path over a guard of ours takes the place of one over a node that only stands in.
            let stands_in = |path: &&InUse| !guards.is_kept(&path.guard());
            let full = self.in_use.len() >= WANTED && kept;
            self.in_use.iter().filter(|_| full).find(stands_in).map(|path| path.id)
        });
        let room = old.is_some() || self.in_use.len() < WANTED;
        let overlaps = self
            .in_use
            .iter()
            .any(|path| Some(path.id) != old && nodes.iter().any(|node| path.contains(&node.ed25519)));
        if !room || overlaps || guards.is_kept(&middle.ed25519) || guards.is_kept(&exit.ed25519) {
            return;
        }
        if let Some(old) = old {
            self.drop_path(old, Action::Retire(old), actions);
        }
        guards.adopt(&guard.ed25519);
        let id = PathId(self.number());
        self.in_use.push(InUse {
            id,
            nodes,
            born: now,
            used: false,
            suspect: false,
            wants_test: false,
            failures: 0,
            failed: 0,
            worked: 0,
            renew_after: None,
        });
        actions.push(Action::Open(id, nodes));
    }

    /// A test was not passed.
    pub(super) fn failed(&mut self, test: &Test, outcome: Outcome, now: Instant, actions: &mut Vec<Action>) {
        match test.kind {
            Kind::New { .. } => {
                let silent = !matches!(outcome, Outcome::Bad(_));
                self.barren = self.barren.saturating_add(1);
                let eager = if silent && self.in_use.is_empty() { EAGER_SILENT } else { EAGER };
                if self.barren >= eager {
                    let doubled = PAUSE.saturating_mul(1 << ((self.barren - eager).min(10) / 2));
                    self.pause = Some(now + doubled.min(PAUSE_LONGEST));
                }
            }
            Kind::Check(_) if outcome == Outcome::Unclear => {}
            Kind::Check(id) => {
                self.drop_path(id, Action::Close(id), actions);
                if !matches!(outcome, Outcome::Bad(_)) {
                    // It may be our own connection: then the others are gone as well.
                    self.in_use.iter_mut().for_each(|path| path.wants_test = true);
                }
            }
        }
    }

    fn drop_path(&mut self, id: PathId, action: Action, actions: &mut Vec<Action>) {
        let before = self.in_use.len();
        self.in_use.retain(|path| path.id != id);
        if self.in_use.len() < before {
            actions.push(action);
        }
    }
}

/// A path's number and its guard.
fn first((id, nodes): (PathId, [Node; 3])) -> (PathId, Node) {
    let [guard, _, _] = nodes;
    (id, guard)
}
