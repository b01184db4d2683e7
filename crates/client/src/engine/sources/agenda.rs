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

use super::key::SourceKey;

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

    /// A round ended; `wait` says how long to wait after so many failures in a row. Returns how many these are, or nothing
    /// if the source is not on the list any more.
    pub fn ended(
        &mut self,
        key: &SourceKey,
        how: Ended,
        wait: impl FnOnce(u32) -> Duration,
        now: Duration,
    ) -> Option<u32> {
        let entry = self.entries.get_mut(key)?;
        let round = entry.round.take().unwrap_or_default();
        if round.gone {
            self.entries.remove(key);
            return None;
        }
        entry.failures = if how == Ended::Failed { entry.failures.saturating_add(1) } else { 0 };
        let at_once = round.rung || how == Ended::Cancelled;
        entry.due = match how {
            _ if at_once => Duration::ZERO,
            Ended::Failed if round.woken => now,
            _ => now + wait(entry.failures),
        };
        Some(entry.failures)
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
mod tests {
    use fastrand::Rng;
    use septet_protocol::id::{Account, GroupId, SessionId};

    use super::*;

    const OWN: SourceKey = SourceKey::Swarm(Account::User(SessionId([5; 32])));

    fn group(number: u8) -> SourceKey {
        SourceKey::Swarm(Account::Group(GroupId([number; 32])))
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// All that are begun at this time, in their order.
    fn started(agenda: &mut Agenda, now: Duration) -> Vec<SourceKey> {
        std::iter::from_fn(|| match agenda.next(now) {
            Next::Start(key) => Some(key),
            Next::At(_) | Next::Nothing => None,
        })
        .collect()
    }

    #[test]
    fn whoever_is_rung_for_comes_first_and_our_own_swarm_does_not_wait() {
        let mut agenda = Agenda::new(OWN);
        for number in 0..10 {
            agenda.add(group(number), ms(u64::from(number)));
        }
        agenda.ring(&group(9));
        assert_eq!(started(&mut agenda, ms(100)).len(), MOST_AT_ONCE);
        assert!(agenda.entries[&group(9)].round.is_some() && agenda.entries[&group(3)].round.is_none());
        agenda.add(OWN, ms(100));
        assert!(started(&mut agenda, ms(100)) == [OWN], "all places are taken, but not ours");
        assert!(agenda.next(ms(200)) == Next::Nothing);
        assert_eq!(agenda.ended(&group(9), Ended::Complete, |_| ms(5000), ms(200)), Some(0));
        assert!(started(&mut agenda, ms(200)) == [group(3)]);
    }

    #[test]
    fn a_ring_or_a_wake_during_a_round_counts_for_what_comes_of_it() {
        let due = |rung: bool, woken: bool, how: Ended| {
            let mut agenda = Agenda::new(OWN);
            agenda.add(OWN, ms(0));
            assert!(started(&mut agenda, ms(0)) == [OWN]);
            if rung {
                agenda.ring(&OWN);
            }
            if woken {
                agenda.wake_all(ms(5));
            }
            agenda.ended(&OWN, how, |failures| ms(100) * (1 + failures), ms(10));
            agenda.entries[&OWN].due
        };
        assert_eq!(due(false, false, Ended::Complete), ms(110));
        assert_eq!(due(false, false, Ended::Failed), ms(210));
        assert_eq!(due(true, false, Ended::Complete), ms(0));
        assert_eq!(due(true, false, Ended::Failed), ms(0));
        assert_eq!(due(false, true, Ended::Complete), ms(110), "it has all there was");
        assert_eq!(due(false, true, Ended::Failed), ms(10));
    }

    #[test]
    fn a_source_that_comes_back_while_it_is_broken_off_is_asked_anew() {
        let mut agenda = Agenda::new(OWN);
        agenda.add(group(1), ms(0));
        assert!(started(&mut agenda, ms(0)) == [group(1)]);
        assert!(agenda.remove(&group(1)), "a round of it is under way");
        agenda.add(group(1), ms(1));
        assert_eq!(agenda.ended(&group(1), Ended::Cancelled, |_| ms(100), ms(2)), Some(0));
        assert!(started(&mut agenda, ms(2)) == [group(1)]);
        agenda.remove(&group(1));
        assert_eq!(agenda.ended(&group(1), Ended::Cancelled, |_| ms(100), ms(3)), None);
        assert!(agenda.next(ms(1000)) == Next::Nothing);
    }

    /// Histories of sources that come, go, answer, fail and are rung for, drawn at random: the bounds hold always, and
    /// nobody waits for ever.
    #[test]
    fn the_bounds_hold_in_any_history() {
        for seed in 0..40 {
            let mut rng = Rng::with_seed(seed);
            let (mut agenda, mut running) = (Agenda::new(OWN), BTreeMap::<SourceKey, Duration>::new());
            let (mut now, mut begun, mut waited) = (ms(0), 0_u32, BTreeMap::<SourceKey, Duration>::new());
            agenda.add(OWN, now);
            while now < ms(200_000) {
                let key = group(rng.u8(..20));
                match rng.u8(..10) {
                    0 => agenda.add(key, now),
                    1 => drop(agenda.remove(&key)),
                    2 => agenda.ring(&key),
                    3 if rng.u8(..20) == 0 => agenda.wake_all(now),
                    _ => {}
                }
                for key in started(&mut agenda, now) {
                    assert!(running.insert(key, now).is_none(), "seed {seed}: asked twice at once");
                    begun += u32::from(key != OWN);
                    waited.remove(&key);
                }
                assert!(running.keys().filter(|key| **key != OWN).count() <= MOST_AT_ONCE, "seed {seed}");
                for (key, entry) in &agenda.entries {
                    if entry.round.is_none() && entry.due <= now {
                        assert!(*key != OWN, "seed {seed}: our own swarm waits");
                        let since = *waited.entry(*key).or_insert(now);
                        assert!(now - since < ms(60_000), "seed {seed}: one of them waits for ever");
                    } else {
                        waited.remove(key);
                    }
                }
                waited.retain(|key, _| agenda.entries.contains_key(key));
                let (ending, how) = (rng.u8(..4), if rng.bool() { Ended::Complete } else { Ended::Failed });
                if let Some(key) = running.keys().nth(usize::from(ending)).copied() {
                    running.remove(&key);
                    agenda.ended(&key, how, |failures| ms(2000) * failures.min(4), now);
                }
                now += ms(rng.u64(1..200));
            }
            let most = (now.as_millis() + SAVED.as_millis()) / APART.as_millis() + 1;
            assert!(u128::from(begun) <= most, "seed {seed}: {begun} rounds");
        }
    }
}
