//! How much is asked for at once (spec 03 §9.7).
//!
//! Decision: a reply that breaks off is lost altogether, and others wait behind it, so on a slow line less is asked for:
//! half as much after each reply that did not come, twice as much after each that came quickly. But not too little:
//! each question spends some time on the way in which the line does nothing. It begins small, because a line that
//! carries more shows that within a few replies, and one that does not would have wasted its first minute.

use std::time::Duration;

/// What is asked for first, in bytes of a whole reply.
const FIRST: i64 = 256 * 1024;
/// Never less: a single message may be larger than its share, and is sent all the same.
const LEAST: i64 = 16 * 1024;
/// Nodes send no more (spec 03 §9.7).
const MOST: i64 = 7_800_000;
/// A reply that came within this time may be twice as large: then it is not too slow yet. On a line that is long, small
/// replies would spend much of the time on the way.
const QUICK: Duration = Duration::from_secs(8);
/// One that took longer than this is to be smaller.
const SLOW: Duration = Duration::from_secs(20);

/// The size of the next reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageSize(i64);

impl Default for PageSize {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl PageSize {
    /// How many bytes a compartment may fill that gets one part of so many.
    pub fn share(self, parts: i64) -> i64 {
        (self.0 / parts.max(1)).max(1)
    }

    /// A reply came after so long.
    pub fn came(&mut self, after: Duration) {
        if after <= QUICK {
            self.0 = self.0.saturating_mul(2).min(MOST);
        } else if after >= SLOW {
            self.halve();
        }
    }

    /// A reply did not come in time.
    pub fn halve(&mut self) {
        self.0 = (self.0 / 2).max(LEAST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shrinks_to_a_floor_and_recovers() {
        let mut size = PageSize::default();
        for _ in 0..20 {
            size.halve();
        }
        assert_eq!(size.share(1), LEAST);
        assert!(size.share(8) > 0);
        for _ in 0..20 {
            size.came(Duration::from_millis(300));
        }
        assert_eq!(size.share(1), MOST);
        let before = size;
        size.came(Duration::from_secs(12));
        assert_eq!(size, before, "neither quick nor slow");
        size.came(Duration::from_secs(24));
        assert_eq!(size.share(1), MOST / 2);
    }

    /// A line of so many bytes a second on which a reply must be there within a time: all of it comes, and little of
    /// the time is lost to replies that were too large.
    #[test]
    fn on_any_line_all_of_it_comes() {
        let limit = Duration::from_secs(30);
        for rate in [2_000_i64, 8_000, 32_000, 125_000, 10_000_000] {
            let (mut size, mut left, mut took) = (PageSize::default(), 3_000_000_i64, Duration::ZERO);
            while left > 0 {
                let page = size.share(1).min(left);
                let needs = Duration::from_millis((page * 1000 / rate).unsigned_abs());
                if needs > limit {
                    took += limit;
                    size.halve();
                } else {
                    left -= page;
                    took += needs;
                    size.came(needs);
                }
            }
            let line = Duration::from_millis((3_000_000 * 1000 / rate).unsigned_abs());
            assert!(took <= line.mul_f64(1.5) + limit * 3, "{took:?} for {line:?}");
        }
    }
}
