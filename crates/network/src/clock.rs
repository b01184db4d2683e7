//! The network's time (spec 03 §8).
//!
//! Decision: the machine's clock plus an offset, the median of what the last ten decrypted replies said, each corrected
//! by half its round trip. A single node can lie as it likes without moving the median; with an even number of replies
//! the one nearer to the machine's clock counts. When a node complains about our time, the offset is measured afresh.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use septet_protocol::time::Timestamp;

/// Replies whose word counts.
const SAMPLES: usize = 10;

/// The network's clock.
#[derive(Default)]
pub(crate) struct Clock {
    offset: AtomicI64,
    samples: Mutex<VecDeque<i64>>,
}

/// Two moments of the machine's clock, in Unix ms: around a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoundTrip {
    /// When the request went.
    pub sent: i64,
    /// When the reply was there.
    pub received: i64,
}

impl RoundTrip {
    /// By how much a node's clock is ahead of the machine's, if it answered half way through.
    pub const fn offset(self, node: Timestamp) -> i64 {
        let middle = self.sent + (self.received - self.sent) / 2;
        node.as_ms() as i64 - middle
    }
}

/// The machine's clock, Unix ms.
pub(crate) fn machine_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl Clock {
    /// The network's time.
    pub fn now(&self) -> Timestamp {
        let ms = machine_now().saturating_add(self.offset.load(Ordering::Relaxed));
        Timestamp::from_ms(ms.max(0).cast_unsigned())
    }

    /// The network's time, once it is known.
    pub fn known(&self) -> Option<Timestamp> {
        Some(self.now())
    }

    /// Until it is known.
    pub async fn until_known(&self) -> Timestamp {
        self.now()
    }

    /// Takes an offset from a node's reply into account.
    pub fn learn(&self, offset: i64) {
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() == SAMPLES {
            samples.pop_front();
        }
        samples.push_back(offset);
        self.offset.store(median(samples.iter().copied()), Ordering::Relaxed);
    }

    /// Forgets what was learnt and starts anew from these offsets; nothing changes if there are none.
    pub fn restart(&self, offsets: Vec<i64>) {
        if offsets.is_empty() {
            return;
        }
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        *samples = offsets.into();
        self.offset.store(median(samples.iter().copied()), Ordering::Relaxed);
    }
}

/// The middle offset; of two middle ones that nearer to zero. Zero if there is none.
fn median(offsets: impl Iterator<Item = i64>) -> i64 {
    let mut sorted: Vec<i64> = offsets.collect();
    sorted.sort_unstable();
    let upper = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0);
    if lower.unsigned_abs() < upper.unsigned_abs() { lower } else { upper }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_liar_does_not_move_the_clock() {
        let clock = Clock::default();
        for offset in [100, 1_000_000_000, 120] {
            clock.learn(offset);
        }
        assert_eq!(clock.offset.load(Ordering::Relaxed), 120);
        assert!(clock.now().as_ms().abs_diff(machine_now().cast_unsigned() + 120) < 1000);
    }

    #[test]
    fn of_two_the_nearer_to_our_own_clock_counts() {
        assert_eq!(median([5, 900].into_iter()), 5);
        assert_eq!(median([-900, -5].into_iter()), -5);
        assert_eq!(median([].into_iter()), 0);
    }

    #[test]
    fn only_the_last_ten_count() {
        let clock = Clock::default();
        (0..10).for_each(|_| clock.learn(50));
        (0..6).for_each(|_| clock.learn(3_600_000));
        assert_eq!(clock.offset.load(Ordering::Relaxed), 3_600_000);
    }

    #[test]
    fn half_the_round_trip_is_taken_off() {
        let trip = RoundTrip { sent: 1000, received: 1400 };
        assert_eq!(trip.offset(Timestamp::from_ms(1200)), 0);
        assert_eq!(trip.offset(Timestamp::from_ms(700)), -500);
    }

    #[test]
    fn a_fresh_measurement_replaces_the_old() {
        let clock = Clock::default();
        (0..10).for_each(|_| clock.learn(0));
        clock.restart(vec![3_600_000, 3_600_010, 5]);
        assert_eq!(clock.offset.load(Ordering::Relaxed), 3_600_000);
        clock.restart(Vec::new());
        assert_eq!(clock.offset.load(Ordering::Relaxed), 3_600_000);
    }
}
