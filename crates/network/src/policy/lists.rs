//! Where the list of nodes comes from (spec 03 §2, §3; 09 §3.3).
//!
//! A fresh client asks the *seeds*. Later the nodes themselves are asked, three at a time, and what two agree on is
//! kept; the seeds come in again when those disagree or the list is too small. Where seeds are blocked, the *bootstrap*
//! nodes that are built in are asked, and if those are blocked too, there is the list that came with the program.
//!
//! Decision: a list that is good is hard to take away. One that is too small never replaces it, and one that would
//! lose more than a third of its nodes is only believed of a seed, whose certificate we know.

use std::time::{Duration, Instant};

use septet_protocol::swarm::Node;

use super::order::{Action, Settings, Source};
use super::pool::Pool;

/// A list older than this is refreshed.
pub(super) const LIFE: Duration = Duration::from_secs(2 * 3600);
/// A saved list older than this is only used when there is no other.
pub(super) const OLDEST: Duration = Duration::from_secs(14 * 24 * 3600);
/// How soon a refresh is tried again that failed.
const AGAIN: Duration = Duration::from_secs(600);
/// A list that is doubted is not fetched again so soon.
const GAP: Duration = Duration::from_secs(60);
/// Nor is one of whose nodes none answers; but there is nothing else to do, so it is sooner.
const DEAD_GAP: Duration = Duration::from_secs(15);
/// First and longest wait between two rounds of asking everybody, while there is no list.
const ROUND: Duration = Duration::from_secs(1);
const ROUND_LONGEST: Duration = Duration::from_secs(60);
/// A list with fewer nodes than this makes no path and a destination.
const USABLE: usize = 4;

/// When and whom to ask.
#[derive(Default)]
pub(crate) struct Lists {
    /// When the list in use came, or seems to have come; `None` if it is old.
    fetched: Option<Instant>,
    /// When one was last taken in this run.
    taken: Option<Instant>,
    running: Option<Source>,
    /// Whom to ask at once, because the one before had nothing for us.
    then: Option<Source>,
    /// Nobody is asked before.
    after: Option<Instant>,
    /// Rounds in which nobody gave us a list.
    failed: u32,
    /// Nodes say things that do not fit the list.
    doubted: bool,
    /// The list is asked for because none of its nodes answers.
    dead: bool,
    /// The list in use is one of last resort: whatever is said of the network now is better.
    makeshift: bool,
    /// A saved list of ours that is too old to begin with.
    old: Vec<Node>,
}

impl Lists {
    /// Begins with a list of an earlier run.
    pub(super) fn restore(&mut self, pool: &mut Pool, nodes: Vec<Node>, age: Duration, now: Instant) {
        if age > OLDEST {
            self.old = nodes;
            return;
        }
        pool.replace(nodes);
        self.fetched = now.checked_sub(age).filter(|_| age < LIFE);
    }

    /// Whether there is no usable list, and nobody gave us one.
    pub(super) fn is_stuck(&self, pool: &Pool) -> bool {
        pool.len() < USABLE && self.failed > 0
    }

    /// When something is due. An old list waits for a connection, which is an event of its own.
    pub(super) fn next(&self) -> Option<Instant> {
        let due = self.fetched.map(|fetched| fetched + LIFE);
        if self.running.is_some() { None } else { self.after.or(due) }
    }

    /// Whom to ask now. `nobody`: of those on the list nobody answers.
    pub(super) fn tick(
        &mut self,
        settings: &Settings,
        pool: &Pool,
        connected: bool,
        nobody: bool,
        now: Instant,
    ) -> Option<Action> {
        if self.running.is_some() {
            return None;
        }
        let due = self.after.is_none_or(|after| after <= now);
        let source = match self.then.take() {
            Some(source) => Some(source),
            None if due => self.first(settings, pool, connected, nobody, now),
            None => None,
        };
        self.running = source;
        source.map(Action::Fetch)
    }

    fn first(
        &mut self,
        settings: &Settings,
        pool: &Pool,
        connected: bool,
        nobody: bool,
        now: Instant,
    ) -> Option<Source> {
        let is_new = self.taken.is_some_and(|taken| now < taken + DEAD_GAP);
        self.after = None;
        self.dead = pool.len() < settings.min_pool || (nobody && !is_new);
        if self.dead {
            return Some(Source::Seeds);
        }
        let old = self.doubted || self.fetched.is_none_or(|fetched| fetched + LIFE <= now);
        (old && connected).then_some(if settings.consensus { Source::Nodes } else { Source::Seeds })
    }

    /// What came of asking; whether it was taken.
    pub(super) fn listed(
        &mut self,
        settings: &Settings,
        pool: &mut Pool,
        source: Source,
        nodes: Option<Vec<Node>>,
        now: Instant,
    ) -> bool {
        self.running = None;
        let nodes = match source {
            Source::Snapshot => self.last_resort(settings, pool),
            _ => nodes.filter(|nodes| acceptable(settings, pool, source, self.makeshift, nodes)),
        };
        let Some(nodes) = nodes else {
            self.go_on(settings, source, now);
            return false;
        };
        pool.replace(nodes);
        (self.failed, self.doubted, self.after) = (0, false, None);
        self.makeshift = source == Source::Snapshot;
        // A list of last resort is better than nothing; it is refreshed as soon as there is a connection.
        let fresh = (source != Source::Snapshot).then_some(now);
        (self.fetched, self.taken) = (fresh, fresh);
        true
    }

    /// The list that came with the program or the old one of our own, whichever has more nodes, if that is more than
    /// we have.
    fn last_resort(&mut self, settings: &Settings, pool: &Pool) -> Option<Vec<Node>> {
        let old = std::mem::take(&mut self.old);
        let best = if old.len() > settings.snapshot.len() { old } else { settings.snapshot.clone() };
        (best.len() > pool.len() && best.len() >= USABLE).then_some(best)
    }

    /// Somebody gave us no good list: who is next, or how long to wait.
    fn go_on(&mut self, settings: &Settings, source: Source, now: Instant) {
        self.then = match source {
            Source::Nodes => Some(Source::Seeds),
            Source::Seeds if self.dead && settings.bootstrap => Some(Source::Bootstrap),
            Source::Seeds | Source::Bootstrap if self.dead => Some(Source::Snapshot),
            _ => None,
        };
        if self.then.is_none() {
            let round = ROUND.saturating_mul(1 << self.failed.min(10)).min(ROUND_LONGEST);
            self.failed = self.failed.saturating_add(1);
            // Of a list of last resort many nodes may be gone; others are asked soon.
            self.after = Some(now + if self.dead || self.makeshift { round } else { AGAIN });
            self.doubted = false;
        }
    }

    /// Nodes say things that do not fit the list.
    pub(super) fn doubt(&mut self, now: Instant) {
        let is_new = self.taken.is_some_and(|taken| now < taken + GAP);
        self.doubted |= !is_new;
    }

    /// Somebody waits.
    pub(super) fn demand(&mut self, now: Instant) {
        self.after = self.after.map(|after| after.min(now + ROUND));
    }

    /// The connection is another now.
    pub(super) fn look_again(&mut self) {
        (self.after, self.failed) = (None, 0);
    }
}

/// Whether a list may replace the one in use.
fn acceptable(settings: &Settings, pool: &Pool, source: Source, makeshift: bool, nodes: &[Node]) -> bool {
    if nodes.len() < settings.min_pool {
        return false;
    }
    let good = pool.len() >= settings.min_pool && !makeshift;
    let lost = pool.len() - pool.common(nodes).min(pool.len());
    if good && source != Source::Seeds && lost * 3 > pool.len() {
        tracing::warn!(lost, of = pool.len(), "a list that would lose so many nodes is not believed");
        return false;
    }
    true
}
