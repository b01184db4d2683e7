//! The network's time (spec 03 §8; 09 §3.5).
//!
//! Replies of nodes say what time it is there. From each node the latest word counts, corrected by half its round trip,
//! and the median over the nodes is the network's time: one node, however often it is asked, can never move it.
//!
//! Decision: between replies the time is counted by a clock that nobody can set and that goes on while the machine
//! sleeps ([`machine::steady`]). The machine's own clock is only a first guess; once two nodes agree, the time is *known*,
//! and from then on it does not matter what the machine's clock shows, or whether it jumps. What was known is kept: as
//! long as the machine has not been started anew, the steady clock proves that it still holds.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use septet_protocol::id::Ed25519Public;
use septet_protocol::time::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::machine::{self, MachineClock};

/// Nodes whose word counts; the ones heard longest ago go first.
const NODES: usize = 15;
/// The words of two nodes that differ by less agree, in ms.
const AGREE: i64 = 30_000;
/// A change of the time that is worth writing down, in ms.
const WORTH_SAVING: i64 = 2_000;

/// The network's clock.
pub(crate) struct Clock {
    machine: MachineClock,
    state: Mutex<State>,
    known: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    /// Network's time less the steady clock's, in ms, once it is known.
    offset: Option<i64>,
    /// Network's time less the machine's clock's, in ms, when last known; for a first guess.
    guess: i64,
    /// What each node said, and when on the steady clock.
    words: BTreeMap<Ed25519Public, Word>,
    saved: Option<SavedClock>,
}

#[derive(Clone, Copy)]
struct Word {
    offset: i64,
    at: Duration,
}

/// The clock as it is written down.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct SavedClock {
    /// Which run of the machine the offset belongs to.
    boot: Option<String>,
    /// Network's time less the steady clock's, in ms.
    offset: i64,
    /// Network's time less the machine's clock's, in ms.
    guess: i64,
}

/// Two moments on the steady clock: around a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoundTrip {
    /// When the request went.
    pub sent: Duration,
    /// When the reply was there.
    pub received: Duration,
}

impl RoundTrip {
    /// By how many ms a node's clock is ahead of the steady one, if it answered half way through.
    pub fn offset(self, node: Timestamp) -> i64 {
        let middle = self.sent + self.received.saturating_sub(self.sent) / 2;
        ms(node).saturating_sub(machine::milliseconds(middle).cast_signed())
    }
}

fn ms(time: Timestamp) -> i64 {
    i64::try_from(time.as_ms()).unwrap_or(i64::MAX)
}

fn steady_ms() -> i64 {
    machine::milliseconds(machine::steady()).cast_signed()
}

impl Clock {
    /// A clock that goes on from what was known before, if that can be proven still to hold.
    pub fn new(machine: MachineClock, saved: Option<SavedClock>) -> Self {
        let boot = machine.boot();
        Self::at_boot(machine, saved, boot.as_deref())
    }

    fn at_boot(machine: MachineClock, saved: Option<SavedClock>, boot: Option<&str>) -> Self {
        let holds = |saved: &&SavedClock| boot.is_some() && saved.boot.as_deref() == boot;
        let state = State {
            offset: saved.as_ref().filter(holds).map(|saved| saved.offset),
            guess: saved.as_ref().map_or(0, |saved| saved.guess),
            words: BTreeMap::new(),
            saved,
        };
        let known = watch::Sender::new(state.offset.is_some());
        Self { machine, state: Mutex::new(state), known }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The network's time, or the best guess.
    pub fn now(&self) -> Timestamp {
        let state = self.state();
        let ms = match state.offset {
            Some(offset) => steady_ms().saturating_add(offset),
            None => self.machine.wall().saturating_add(state.guess),
        };
        Timestamp::from_ms(ms.max(0).cast_unsigned())
    }

    /// The network's time, once it is known.
    pub fn known(&self) -> Option<Timestamp> {
        // Not while it is borrowed: whoever makes it known does so under the lock that `now` takes.
        let known = *self.known.borrow();
        known.then(|| self.now())
    }

    /// Until it is known.
    pub async fn until_known(&self) -> Timestamp {
        // The sender is ours, so it does not go away first.
        let _ = self.known.subscribe().wait_for(|known| *known).await;
        self.now()
    }

    /// Tells when it becomes known.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.known.subscribe()
    }

    /// Takes a node's word into account: an offset from the steady clock.
    pub fn learn(&self, node: Ed25519Public, offset: i64) {
        let mut state = self.state();
        state.words.insert(node, Word { offset, at: machine::steady() });
        if state.words.len() > NODES {
            let oldest = state.words.iter().min_by_key(|(_, word)| word.at).map(|(node, _)| *node);
            oldest.map(|node| state.words.remove(&node));
        }
        let offsets: Vec<i64> = state.words.values().map(|word| word.offset).collect();
        self.set(&mut state, &offsets);
    }

    /// Forgets what was heard and starts anew from what these nodes have just said; nothing changes if they do not make
    /// a time.
    pub fn restart(&self, words: Vec<(Ed25519Public, i64)>) {
        let mut state = self.state();
        let at = machine::steady();
        let words: BTreeMap<_, _> =
            words.into_iter().map(|(node, offset)| (node, Word { offset, at })).collect();
        let offsets: Vec<i64> = words.values().map(|word| word.offset).collect();
        if self.set(&mut state, &offsets) {
            state.words = words;
        }
    }

    /// Sets the time by these words, if they make one; whether they do.
    fn set(&self, state: &mut State, offsets: &[i64]) -> bool {
        let Some(offset) = agreed(offsets, state.offset) else { return false };
        state.offset = Some(offset);
        state.guess = steady_ms().saturating_add(offset).saturating_sub(self.machine.wall());
        self.known.send_if_modified(|known| !std::mem::replace(known, true));
        true
    }

    /// What is to be written down, if it has changed by so much since it last was.
    pub fn to_save(&self) -> Option<SavedClock> {
        let mut state = self.state();
        let offset = state.offset?;
        let near = |a: i64, b: i64| a.abs_diff(b) < WORTH_SAVING.unsigned_abs();
        let boot = self.machine.boot();
        let same = |saved: &SavedClock| {
            saved.boot == boot && near(saved.offset, offset) && near(saved.guess, state.guess)
        };
        if state.saved.as_ref().is_some_and(same) {
            return None;
        }
        state.saved = Some(SavedClock { boot, offset, guess: state.guess });
        state.saved.clone()
    }
}

/// The time that several nodes make: the median of three or more, or what two say that agree; of two middle ones that
/// nearer to what we had. `None` if there are too few, or the middle itself is disputed.
fn agreed(offsets: &[i64], before: Option<i64>) -> Option<i64> {
    let mut sorted = offsets.to_vec();
    sorted.sort_unstable();
    let lower = *sorted.get(sorted.len().checked_sub(1)? / 2)?;
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() < 2 || (sorted.len() == 2 && lower.abs_diff(upper) > AGREE.unsigned_abs()) {
        return None;
    }
    let before = before.unwrap_or(lower);
    Some(if lower.abs_diff(before) <= upper.abs_diff(before) { lower } else { upper })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(n: u8) -> Ed25519Public {
        Ed25519Public([n; 32])
    }

    fn clock() -> Clock {
        Clock::new(MachineClock::default(), None)
    }

    fn is_at(clock: &Clock, offset: i64) -> bool {
        (ms(clock.now()) - steady_ms() - offset).abs() < 1000
    }

    #[test]
    fn one_node_never_moves_the_clock_however_often_it_is_asked() {
        let clock = clock();
        for _ in 0..20 {
            clock.learn(node(1), 1_000_000_000);
        }
        assert_eq!(clock.known(), None);
        clock.learn(node(2), 100);
        assert_eq!(clock.known(), None, "two that disagree make no time");
        clock.learn(node(3), 120);
        assert!(clock.known().is_some() && is_at(&clock, 120));
        for _ in 0..20 {
            clock.learn(node(1), -1_000_000_000);
        }
        assert!(is_at(&clock, 110));
    }

    #[test]
    fn two_that_agree_make_the_time_known() {
        let clock = clock();
        clock.learn(node(1), 5_000);
        clock.learn(node(2), 5_900);
        assert!(clock.known().is_some() && is_at(&clock, 5_000));
    }

    #[test]
    fn the_machines_clock_is_only_the_first_guess() {
        let clock = clock();
        assert!((ms(clock.now()) - MachineClock::default().wall()).abs() < 1000);
        clock.restart(vec![(node(1), 3_600_000), (node(2), 3_600_010), (node(3), 5)]);
        assert!(is_at(&clock, 3_600_000));
        clock.restart(vec![(node(1), 7)]);
        assert!(is_at(&clock, 3_600_000), "one is no measurement");
    }

    #[test]
    fn what_was_known_holds_as_long_as_the_machine_runs() {
        let saved = SavedClock { boot: Some("one".into()), offset: 77_000, guess: 0 };
        assert!(is_at(&Clock::at_boot(MachineClock::default(), Some(saved.clone()), Some("one")), 77_000));
        let other = Clock::at_boot(MachineClock::default(), Some(saved.clone()), Some("two"));
        assert_eq!(other.known(), None);
        assert_eq!(
            Clock::at_boot(MachineClock::default(), Some(SavedClock { boot: None, ..saved }), None).known(),
            None
        );
    }

    #[test]
    fn what_the_machine_showed_too_much_is_taken_off_the_next_guess() {
        let clock =
            |ahead, run: &str, saved| Clock::new(MachineClock::ahead_by(ahead).started_anew(run), saved);
        let (before, offset) = (clock(3_600_000, "one", None), 77_000);
        before.restart(vec![(node(1), offset), (node(2), offset)]);
        let saved = before.to_save();
        let again = clock(7_200_000, "one", saved.clone());
        assert!(again.known().is_some() && is_at(&again, offset), "the same run");
        let as_wrong = clock(3_600_000, "two", saved.clone());
        assert!(as_wrong.known().is_none() && is_at(&as_wrong, offset), "another run, the same fault");
        let put_right = clock(0, "two", saved);
        assert!(put_right.known().is_none() && is_at(&put_right, offset - 3_600_000), "only a guess");
    }

    #[test]
    fn whoever_asks_does_not_stop_whoever_learns() {
        for _ in 0..2_000 {
            let clock = clock();
            std::thread::scope(|scope| {
                scope.spawn(|| while clock.known().is_none() {});
                clock.learn(node(1), 0);
                clock.learn(node(2), 0);
            });
        }
    }

    #[test]
    fn it_is_written_down_when_it_has_changed() {
        let clock = clock();
        assert_eq!(clock.to_save(), None);
        clock.restart(vec![(node(1), 0), (node(2), 0)]);
        let saved = clock.to_save().unwrap();
        assert_eq!((saved.offset, clock.to_save()), (0, None));
        clock.restart(vec![(node(1), 100_000), (node(2), 100_000)]);
        assert_eq!(clock.to_save().unwrap().offset, 100_000);
    }

    #[test]
    fn only_the_nodes_heard_last_count() {
        let clock = clock();
        (0..15).for_each(|n| clock.learn(node(n), 0));
        (100..115).for_each(|n| clock.learn(node(n), 3_600_000));
        assert_eq!(clock.state().words.len(), NODES);
        assert!(is_at(&clock, 3_600_000));
    }

    #[test]
    fn half_the_round_trip_is_taken_off() {
        let trip = RoundTrip { sent: Duration::from_millis(1000), received: Duration::from_millis(1400) };
        assert_eq!(trip.offset(Timestamp::from_ms(1200)), 0);
        assert_eq!(trip.offset(Timestamp::from_ms(700)), -500);
    }
}
