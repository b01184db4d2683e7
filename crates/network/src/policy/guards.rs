//! Guards: the few nodes that see our address (spec 03 §5).
//!
//! Each change of a guard gives another stranger the chance to be it, and an attacker who owns some nodes only has to
//! wait until one of them is drawn. So guards are *kept*, over failures and restarts, and changed as seldom as can be.
//!
//! Decision: what costs a guard is evidence spread over time. A guard that does not answer is asked again at growing
//! intervals, while another node stands in for it; it is given up only after [`FAILURES`] failures over at least
//! [`GIVE_UP`], each while others answered. A reboot, a sleep, a lost line never come near that. Separately, a guard
//! that answers but whose paths keep dying, with other hops each time, is given up too: it may be choosing which of
//! our paths live. One that was given up is remembered, and serves again if there are too few.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use septet_protocol::id::Ed25519Public;
use serde::{Deserialize, Serialize};

use super::pool::Pool;

/// Guards that are kept.
pub(super) const KEPT: usize = 2;
/// A guard is given up after so many failures at the least…
pub(super) const FAILURES: u32 = 5;
/// …that are spread over at least this time.
pub(super) const GIVE_UP: Duration = Duration::from_secs(10 * 60);
/// The wait before a silent guard is asked again, the first time; it doubles.
const RETRY: Duration = Duration::from_secs(5);
/// The longest wait.
const RETRY_LONGEST: Duration = Duration::from_secs(120);
/// So many paths of a guard may die in a row before it is left alone for a while.
const DEAD_IN_ROW: u32 = 3;
/// Paths that died count half as much after this time.
const RECORD_HALF_LIFE: Duration = Duration::from_secs(3600);
/// So many of a guard's paths must have died to be a sign of anything.
const DEAD_PATHS: f64 = 8.0;
/// Given-up guards that are remembered.
const FORMER: usize = 6;
/// Lists in a row without a guard before it counts as gone.
const ABSENCES: u32 = 2;

/// The guards as they are written down.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct SavedGuards {
    /// Those that are kept.
    pub kept: Vec<Ed25519Public>,
    /// Those that were given up, the latest first.
    #[serde(default)]
    pub former: Vec<Ed25519Public>,
}

/// The guards and their records.
pub(crate) struct Guards {
    kept: Vec<Ed25519Public>,
    former: Vec<Ed25519Public>,
    records: BTreeMap<Ed25519Public, Record>,
    changed: bool,
}

/// What is known of a guard, or of a node that stands in for one.
#[derive(Default)]
struct Record {
    /// When it first did not answer since it last did, while others answered.
    trouble: Option<Instant>,
    failures: u32,
    /// Failures of whatever cause since it last answered; for the waits.
    misses: u32,
    /// Not to be asked again before.
    retry: Option<Instant>,
    /// Lists in a row that did not have it.
    absent: u32,
    /// Paths over it that worked and that died, of late.
    lived: f64,
    died: f64,
    counted: Option<Instant>,
    /// Paths over it that died since the last that passed a test.
    in_row: u32,
    /// When its first path died.
    since: Option<Instant>,
}

/// How long a guard is left alone that has failed so often before.
fn wait(failures: u32) -> Duration {
    RETRY.saturating_mul(1 << failures.min(10)).min(RETRY_LONGEST)
}

impl Record {
    fn count(&mut self, now: Instant) {
        if let Some(before) = self.counted {
            let halves = now.saturating_duration_since(before).as_secs_f64() / RECORD_HALF_LIFE.as_secs_f64();
            let rest = 0.5_f64.powf(halves);
            self.lived *= rest;
            self.died *= rest;
        }
        self.counted = Some(now);
    }

    fn mostly_dies(&self) -> bool {
        self.died >= DEAD_PATHS && self.died > 2.0 * self.lived
    }
}

impl Guards {
    /// The guards of an earlier run.
    pub fn new(saved: SavedGuards) -> Self {
        let mut kept = saved.kept;
        kept.truncate(KEPT);
        Self { kept, former: saved.former, records: BTreeMap::new(), changed: false }
    }

    /// Whether this node is kept as a guard; it is then never used as anything else.
    pub fn is_kept(&self, key: &Ed25519Public) -> bool {
        self.kept.contains(key)
    }

    /// The kept guards.
    #[cfg(test)]
    pub fn kept(&self) -> &[Ed25519Public] {
        &self.kept
    }

    /// Whether there is room for another.
    pub fn is_short(&self) -> bool {
        self.kept.len() < KEPT
    }

    /// Guards that may be tried now, best first: kept ones, then those given up if there are too few. While nobody
    /// at all answers (`silent_line`) every kept one may.
    pub fn due(&self, silent_line: bool, now: Instant) -> Vec<Ed25519Public> {
        let rested = |key: &&Ed25519Public| self.retry(key).is_none_or(|at| at <= now);
        let kept = self.kept.iter().filter(|key| silent_line || rested(key));
        let former = self.former.iter().filter(|key| self.is_short() && rested(key));
        kept.chain(former).copied().collect()
    }

    /// When the next kept guard may be tried again that does not answer now.
    pub fn next_retry(&self) -> Option<Instant> {
        self.kept.iter().filter_map(|key| self.retry(key)).min()
    }

    fn retry(&self, key: &Ed25519Public) -> Option<Instant> {
        self.records.get(key).and_then(|record| record.retry)
    }

    /// A node has proven itself as the guard of a path that is taken into use: it is kept if there is room.
    pub fn adopt(&mut self, key: &Ed25519Public) {
        if self.is_short() && !self.is_kept(key) {
            self.former.retain(|other| other != key);
            self.kept.push(*key);
            self.changed = true;
        }
    }

    /// A guard has answered.
    pub fn answered(&mut self, key: &Ed25519Public) {
        if let Some(record) = self.records.get_mut(key) {
            (record.trouble, record.failures, record.misses, record.retry) = (None, 0, 0, None);
        }
    }

    /// A guard has not answered: it is asked again after a while.
    pub fn silent(&mut self, key: &Ed25519Public, now: Instant) {
        let record = self.records.entry(*key).or_default();
        record.retry = Some(now + wait(record.misses));
        record.misses = record.misses.saturating_add(1);
    }

    /// A path over this guard has passed its test.
    pub fn path_passed(&mut self, key: &Ed25519Public) {
        if let Some(record) = self.records.get_mut(key) {
            record.in_row = 0;
        }
    }

    /// A guard did not answer while others did.
    pub fn failed(&mut self, key: &Ed25519Public, now: Instant) {
        let record = self.records.entry(*key).or_default();
        let first = *record.trouble.get_or_insert(now);
        record.failures = record.failures.saturating_add(1);
        if record.failures >= FAILURES && now.saturating_duration_since(first) >= GIVE_UP {
            self.give_up(key);
        }
    }

    /// A path over this guard has died, though the guard is there.
    pub fn path_failed(&mut self, key: &Ed25519Public, now: Instant) {
        let others_live = self.others_live(key);
        let record = self.records.entry(*key).or_default();
        record.count(now);
        record.died += 1.0;
        if record.in_row >= DEAD_IN_ROW {
            // It answers at once and is of no use: asked without a pause, it would be asked a thousand times a second.
            record.retry = Some(now + wait(record.in_row - DEAD_IN_ROW));
        }
        record.in_row = record.in_row.saturating_add(1);
        let first = *record.since.get_or_insert(now);
        let long = now.saturating_duration_since(first) >= GIVE_UP;
        if record.mostly_dies() && long && others_live {
            self.give_up(key);
        }
    }

    /// A path over this guard has done well for a while.
    pub fn path_worked(&mut self, key: &Ed25519Public, now: Instant) {
        let record = self.records.entry(*key).or_default();
        record.count(now);
        record.lived += 1.0;
    }

    /// Whether paths over other guards do well: else it is the network, not the guard.
    fn others_live(&self, key: &Ed25519Public) -> bool {
        let mut others = self.records.iter().filter(|(other, _)| *other != key);
        others.any(|(_, record)| record.lived > record.died)
    }

    /// A fresh list has come; a guard that two lists in a row do not have has left the network.
    pub fn list_changed(&mut self, pool: &Pool) {
        for key in self.kept.clone() {
            let record = self.records.entry(key).or_default();
            record.absent = if pool.get(&key).is_some() { 0 } else { record.absent + 1 };
            if record.absent >= ABSENCES {
                self.give_up(&key);
            }
        }
    }

    /// The line was gone: waits that come from that are over.
    pub fn line_is_back(&mut self) {
        for record in self.records.values_mut() {
            (record.misses, record.retry) = (0, None);
        }
    }

    fn give_up(&mut self, key: &Ed25519Public) {
        self.records.remove(key);
        let before = self.kept.len();
        self.kept.retain(|other| other != key);
        if self.kept.len() < before {
            tracing::info!(guard = %key, "guard given up");
            self.former.retain(|other| other != key);
            self.former.insert(0, *key);
            self.former.truncate(FORMER);
            self.changed = true;
            // Not at once again: whoever stood in for it comes first.
            self.records.entry(*key).or_default().misses = 5;
        }
    }

    /// What is to be written down, if it has changed since it was last asked for.
    pub fn take_change(&mut self) -> Option<SavedGuards> {
        let changed = std::mem::take(&mut self.changed);
        changed.then(|| SavedGuards { kept: self.kept.clone(), former: self.former.clone() })
    }
}
