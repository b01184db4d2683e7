//! When a swarm is asked to keep configs longer, and when what it has lost is put back (spec 09 §5.2).
//!
//! A [`KeepAlive`] decides for one swarm, our own or a group's, and does nothing itself: it is told what happened
//! ([`Event`]) and says what is to be done next ([`Action`]). Nothing of it outlives the program.
//!
//! Decision: what an answer says is missing is only put back if a poll that began *after* that answer was complete.
//! Another device may have replaced a config and deleted the old one between our last poll and the request; then the
//! old one is not lost but done with, and the poll tells us. Without that, this device took its own old version for
//! lost and stored it again, beside the one that had replaced it.
//!
//! Decision: nothing is put back on the strength of what one member hides from a poll, because the bytes that are put
//! back are those that were there; at worst a swarm has once more, for a while, what was replaced.

use std::collections::{BTreeMap, BTreeSet};

use septet_protocol::id::MessageHash;
use septet_protocol::swarm::reply::Expired;
use septet_protocol::time::Timestamp;

/// After a confirmed extension the swarm is not asked again for so long, and what was put back, or belongs to nothing
/// of ours, is not looked at again; in ms.
const HOUR_MS: u64 = 60 * 60 * 1000;
/// After an extension that nobody confirmed, in ms.
const UNCONFIRMED_MS: u64 = 60 * 1000;
/// The wait after the first round that put nothing back, in ms; it doubles with each further one.
const FIRST_WAIT_MS: u64 = 60 * 1000;
/// The longest such wait, in ms.
const LONGEST_WAIT_MS: u64 = 30 * 60 * 1000;

/// What the answer to an `expire` request says of what was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Detection {
    /// The request did not extend: nothing can be concluded.
    Unavailable,
    /// Nobody told what they have, or nothing was asked.
    Inconclusive,
    /// At least one member lacks these.
    Conclusive(BTreeSet<MessageHash>),
}

/// What members of a swarm who answered (and not those who failed) say of `asked`. One that does not tell what it left
/// unchanged tells nothing; one that lacks something is enough, for a false alarm costs one repeated store.
pub fn detect<'a>(
    extends: bool,
    asked: &[MessageHash],
    members: impl Iterator<Item = &'a Expired>,
) -> Detection {
    if !extends {
        return Detection::Unavailable;
    }
    let telling: Vec<&Expired> = members.filter(|member| member.unchanged.is_some()).collect();
    if asked.is_empty() || telling.is_empty() {
        return Detection::Inconclusive;
    }
    let lacking = |hash: &&MessageHash| telling.iter().any(|member| !member.has(hash));
    Detection::Conclusive(asked.iter().filter(lacking).copied().collect())
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A poll was complete: of all that were begun, the one with this number, counted from 1.
    Polled {
        /// Its number.
        number: u64,
        /// All config messages that it brought could be read.
        readable: bool,
    },
    /// The answer to an extension came.
    Extended {
        /// Some member did it.
        confirmed: bool,
        /// What it says.
        detection: Detection,
        /// So many polls were begun by then.
        begun: u64,
    },
    /// Too few members have these, as a push found that was to delete what they replace.
    Lacking {
        /// Their names.
        hashes: BTreeSet<MessageHash>,
        /// So many polls were begun by then.
        begun: u64,
    },
    /// An attempt to put something back is over.
    Restored(Round),
}

/// What came of an attempt to put something back.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Round {
    /// All names of the configs that are back whole.
    pub restored: BTreeSet<MessageHash>,
    /// What belongs to no current config.
    pub unclaimed: BTreeSet<MessageHash>,
    /// So many configs are not back, or not whole.
    pub failed: usize,
}

/// What is to be done now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Ask the swarm to keep all current configs for another 30 days.
    Extend,
    /// Put back the current configs that these belong to.
    Restore(BTreeSet<MessageHash>),
    /// Nothing before the next event or the next minute.
    Wait,
}

/// What is known of one swarm's configs.
#[derive(Default)]
pub struct KeepAlive {
    /// The last poll that was complete; none yet in this run.
    polled: Option<u64>,
    /// A config message could not be read. The marks have passed it, so a later poll would show a swarm that seems
    /// clean; nothing is put back until the next start.
    barred: bool,
    /// When the last extension was confirmed.
    extended: Option<Timestamp>,
    /// When the last one failed since.
    unconfirmed: Option<Timestamp>,
    /// What is missing, each with the number of polls begun when that was found.
    missing: BTreeMap<MessageHash, u64>,
    /// What is not looked at again for an hour, since when.
    settled: BTreeMap<MessageHash, Timestamp>,
    /// Rounds that put nothing back, in a row, and when the last one ended.
    failures: u32,
    failed_at: Timestamp,
    /// Something that [`KeepAlive::next`] said is being done.
    busy: bool,
}

impl KeepAlive {
    /// Takes in what happened.
    pub fn on(&mut self, event: Event, now: Timestamp) {
        match event {
            Event::Polled { number, readable } => {
                self.polled = Some(number);
                self.barred |= !readable;
            }
            Event::Extended { confirmed, detection, begun } => {
                self.busy = false;
                (self.extended, self.unconfirmed) = match confirmed {
                    true => (Some(now), None),
                    false => (self.extended, Some(now)),
                };
                // Without a conclusion, what was found earlier stands.
                if let Detection::Conclusive(missing) = detection {
                    self.missing = missing.into_iter().map(|hash| (hash, begun)).collect();
                }
            }
            Event::Lacking { hashes, begun } => {
                self.missing.extend(hashes.into_iter().map(|hash| (hash, begun)));
            }
            Event::Restored(round) => self.restored(round, now),
        }
    }

    fn restored(&mut self, round: Round, now: Timestamp) {
        self.busy = false;
        if !round.restored.is_empty() {
            self.failures = 0;
        } else if round.failed > 0 {
            self.failures = self.failures.saturating_add(1);
            self.failed_at = now;
        }
        self.settled.retain(|_, since| within(*since, HOUR_MS, now));
        for hash in round.restored.into_iter().chain(round.unclaimed) {
            self.missing.remove(&hash);
            self.settled.insert(hash, now);
        }
    }

    /// Something is missing that only waits for a poll; that had better be soon.
    pub fn wants_poll(&self) -> bool {
        let waits = |begun: &u64| self.polled.is_none_or(|polled| polled <= *begun);
        !self.barred && self.missing.values().any(waits)
    }

    /// What is to be done now. An action is not told again before its event came.
    pub fn next(&mut self, now: Timestamp) -> Action {
        let Some(polled) = self.polled.filter(|_| !self.busy) else { return Action::Wait };
        if self.extension_is_due(now) {
            self.busy = true;
            return Action::Extend;
        }
        if self.barred || self.failures > 0 && within(self.failed_at, wait_ms(self.failures), now) {
            return Action::Wait;
        }
        let settled =
            |hash: &MessageHash| self.settled.get(hash).is_some_and(|since| within(*since, HOUR_MS, now));
        let missing = self.missing.iter().filter(|(hash, begun)| polled > **begun && !settled(hash));
        let missing: BTreeSet<MessageHash> = missing.map(|(hash, _)| *hash).collect();
        if missing.is_empty() {
            return Action::Wait;
        }
        self.busy = true;
        Action::Restore(missing)
    }

    fn extension_is_due(&self, now: Timestamp) -> bool {
        let waits = |since: Option<Timestamp>, ms| since.is_some_and(|since| within(since, ms, now));
        !waits(self.extended, HOUR_MS) && !waits(self.unconfirmed, UNCONFIRMED_MS)
    }
}

/// Whether `now` is less than `ms` after `since`. A clock that went backwards ends every wait.
fn within(since: Timestamp, ms: u64, now: Timestamp) -> bool {
    now >= since && now.since(since) < ms
}

/// The wait after so many rounds (1 or more) that put nothing back, in ms.
fn wait_ms(failures: u32) -> u64 {
    let doubled = 1_u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX);
    FIRST_WAIT_MS.saturating_mul(doubled).min(LONGEST_WAIT_MS)
}

#[cfg(test)]
mod tests;
