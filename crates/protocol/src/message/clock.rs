//! Timestamps that no two of our messages share.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::time::Timestamp;

/// Gives out sent timestamps: network time, but each later than the one before.
///
/// A message is identified by its author and its sent timestamp in milliseconds; receivers drop a second one with
/// the same (spec 02 §6). So everything we create takes its timestamp here: two messages in one millisecond, or a
/// clock that was set back, still get different ones, in the order they were made.
#[derive(Debug, Default)]
pub struct UniqueClock {
    last: AtomicU64,
}

impl UniqueClock {
    /// A clock that has already given out `last`, the newest sent timestamp of our own known from an earlier run.
    pub const fn after(last: Timestamp) -> Self {
        Self { last: AtomicU64::new(last.as_ms()) }
    }

    /// A timestamp for a message made at `now` (network time): `now`, or just after the one given out last.
    pub fn next(&self, now: Timestamp) -> Timestamp {
        let later = |last: u64| now.as_ms().max(last.saturating_add(1));
        let last = match self.last.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(later(last)))
        {
            Ok(last) | Err(last) => last,
        };
        Timestamp::from_ms(later(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_only_grow() {
        let clock = UniqueClock::after(Timestamp::from_ms(1000));
        let given: Vec<u64> = [900, 1000, 1000, 5000, 4000]
            .iter()
            .map(|now| clock.next(Timestamp::from_ms(*now)).as_ms())
            .collect();
        assert_eq!(given, [1001, 1002, 1003, 5000, 5001]);
    }

    #[test]
    fn threads_never_get_the_same() {
        let clock = UniqueClock::default();
        let mut all: Vec<Timestamp> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| (0..500).map(|_| clock.next(Timestamp::from_ms(7))).collect::<Vec<_>>())
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 2000);
    }
}
