//! Which source is asked next, and when: decided without doing it.
//!
//! Events go in (a source came, its round ended, somebody rang), what to start or how long to wait comes out.
//!
//! Decision: our own swarm is asked whenever it is due. Of all others a few are asked at once, and for long only so
//! many a second, however many there are and however lively they are: fifty groups must not keep the line busy that a
//! text is to leave by. Until the budget of a while is used up they may be quicker, because all of them are due when
//! the program starts and when the network is back.
//!
//! Decision: whoever is rung for is asked before those whose time has come; a person is waiting there.

use std::collections::BTreeMap;
use std::time::Duration;

use super::source::SourceKey;

/// So many sources besides our own swarm are asked at once.
const MOST_AT_ONCE: usize = 4;
/// For long, they are begun so far apart.
const APART: Duration = Duration::from_millis(250);
/// So much of what was not used before may be used up at once: 60 rounds.
const SAVED: Duration = Duration::from_secs(15);

/// What to do now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Begin a round of this source.
    Start(SourceKey),
    /// Nothing before this time, unless something happens.
    At(Duration),
    /// Nothing until something happens.
    Nothing,
}

/// How a round ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// All there was is here.
    Complete,
    /// It has to be tried again.
    Failed,
    /// It was broken off, because the source was taken off the list.
    Cancelled,
}

/// One source.
#[derive(Default)]
struct Entry {
    /// When it is asked next, if nobody asks it now. Zero comes before all that have waited for their time.
    due: Duration,
    /// So many rounds in a row have failed.
    failures: u32,
    /// A round is under way, and what has happened since it began.
    round: Option<Round>,
}

/// What has happened during a round.
#[derive(Default)]
struct Round {
    /// Somebody rang: what they want to know may be newer than the answer.
    rung: bool,
    /// The network came back: a failure is to be mended at once.
    woken: bool,
    /// The source was taken off the list.
    gone: bool,
}

/// The sources and when they are due. Times are since any fixed moment of a clock that never jumps.
pub struct Agenda {
    own: SourceKey,
    entries: BTreeMap<SourceKey, Entry>,
    /// When the budget of all but our own swarm is whole again.
    spent_until: Duration,
}

impl Agenda {
    /// With nothing on it; this is our own swarm, which waits for no other.
    pub fn new(own: SourceKey) -> Self {
        Self { own, entries: BTreeMap::new(), spent_until: Duration::ZERO }
    }

    /// A source is to be asked from now on.
    pub fn add(&mut self, key: SourceKey, now: Duration) {
        let entry = self.entries.entry(key).or_insert(Entry { due: now, ..Entry::default() });
        if let Some(round) = &mut entry.round
            && std::mem::take(&mut round.gone)
        {
            // It came back before it was gone.
            round.rung = true;
        }
    }

    /// A source is to be asked no more; returns whether a round of it is to be broken off.
    pub fn remove(&mut self, key: &SourceKey) -> bool {
        let round = self.entries.get_mut(key).and_then(|entry| entry.round.as_mut());
        match round {
            Some(round) => round.gone = true,
            None => drop(self.entries.remove(key)),
        }
        self.entries.contains_key(key)
    }

    /// Somebody wants to know now what is new there.
    pub fn ring(&mut self, key: &SourceKey) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.due = Duration::ZERO;
            if let Some(round) = &mut entry.round {
                round.rung = true;
            }
        }
    }

    /// Requests go through again, or the machine has slept: all are due. A round under way that comes to its end
    /// after that has all there was.
    pub fn wake_all(&mut self, now: Duration) {
        for entry in self.entries.values_mut() {
            entry.due = entry.due.min(now);
            if let Some(round) = &mut entry.round {
                round.woken = true;
            }
        }
    }

    /// What to do now. Who is told to start a source has started it.
    pub fn next(&mut self, now: Duration) -> Next {
        let own = self.waiting().find(|(key, _)| **key == self.own).map(|(key, entry)| (entry.due, *key));
        let other = self.waiting().filter(|(key, _)| **key != self.own);
        let other = other.map(|(key, entry)| (entry.due, *key)).min().filter(|_| self.has_room());
        // Not before the budget allows it.
        let allowed = self.spent_until.saturating_sub(SAVED);
        let other = other.map(|(due, key)| (due.max(allowed), key));
        let Some((at, key)) =
            own.filter(|(due, _)| *due <= now).or_else(|| own.into_iter().chain(other).min())
        else {
            return Next::Nothing;
        };
        if at > now {
            return Next::At(at);
        }
        if key != self.own {
            self.spent_until = self.spent_until.max(now) + APART;
        }
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.round = Some(Round::default());
        }
        Next::Start(key)
    }

    /// A round ended; `wait` says how long to wait after so many failures in a row. Returns whether the source is still
    /// on the list.
    pub fn ended(
        &mut self,
        key: &SourceKey,
        how: Ended,
        wait: impl FnOnce(u32) -> Duration,
        now: Duration,
    ) -> bool {
        let Some(entry) = self.entries.get_mut(key) else { return false };
        let round = entry.round.take().unwrap_or_default();
        if round.gone {
            self.entries.remove(key);
            return false;
        }
        entry.failures = if how == Ended::Failed { entry.failures.saturating_add(1) } else { 0 };
        let at_once = round.rung || how == Ended::Cancelled;
        entry.due = match how {
            _ if at_once => Duration::ZERO,
            Ended::Failed if round.woken => now,
            _ => now + wait(entry.failures),
        };
        true
    }

    /// Sources that nobody asks now.
    fn waiting(&self) -> impl Iterator<Item = (&SourceKey, &Entry)> {
        self.entries.iter().filter(|(_, entry)| entry.round.is_none())
    }

    /// Whether one more source besides our own swarm may be asked.
    fn has_room(&self) -> bool {
        let asked = self.entries.iter().filter(|(key, entry)| **key != self.own && entry.round.is_some());
        asked.count() < MOST_AT_ONCE
    }
}

#[cfg(test)]
mod tests {}
