//! Sending no faster than the line takes it, so that a small message is not stuck behind a large file.
//!
//! Routers and modems keep whatever they cannot send at once, on some lines seconds of it, and TCP fills that store to
//! the brim before it slows down. All other requests then wait at its end. What is under way on one connection can only be
//! bounded from above by the system's send buffer, which holds every byte until the peer has confirmed it. So the buffer
//! is made as large as what the line carries in [`AHEAD`] and in the time that a confirmation takes: then no byte waits
//! longer than that to be sent, unless others fill the line.
//!
//! How much the line carries is measured from how fast a full buffer takes more. While the buffer is smaller than the
//! line could fill, the measured rate is buffer ÷ round trip, the next buffer rate × ([`AHEAD`] + round trip), so each step
//! multiplies it by more than one until the rate is the line's: it settles where buffer = rate × ([`AHEAD`] + round trip).
//! A quick line is therefore not held back (after the first quarter of a second) and a slow one is not flooded.

use std::time::Duration;

/// How much is to be on its way at most, as the time that the line needs for it.
const AHEAD: Duration = Duration::from_secs(1);
/// The buffer of a new connection, in bytes: about what TCP would send before the first confirmation anyway.
pub(crate) const FIRST: usize = 16 * 1024;
/// The smallest buffer, in bytes: with less, every packet would wait for the confirmation of the one before.
const SMALLEST: usize = 8 * 1024;
/// The largest, in bytes.
const LARGEST: usize = 4 * 1024 * 1024;
/// How long a rate is measured, unless a round trip is longer.
const SAMPLE: Duration = Duration::from_millis(250);
/// The longest round trip that is believed: what takes longer has waited for other bytes.
const LONGEST_TRIP: Duration = Duration::from_secs(2);
/// A buffer with room that is offered nothing for so long has nobody who wants to send.
const IDLE: Duration = Duration::from_millis(100);

/// The size of one connection's send buffer.
#[derive(Debug)]
pub(crate) struct Pace {
    buffer: usize,
    state: State,
    /// When it last took something and had room for more.
    open: Option<Duration>,
    /// How long a confirmation takes if nothing else is on the line.
    round_trip: Duration,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The buffer has not been full since it became what it is; `taken`: whether it has taken anything.
    Filling { taken: bool },
    /// It has been full at `since`, and has taken so many bytes from then on.
    Measuring { since: Duration, taken: usize },
}

impl Pace {
    /// For a connection that took so long to be made.
    pub fn new(round_trip: Duration) -> Self {
        let (state, round_trip) = (State::Filling { taken: false }, round_trip.min(LONGEST_TRIP));
        Self { buffer: FIRST, state, open: None, round_trip }
    }

    /// The buffer has taken bytes, at this moment of the steady clock.
    pub fn took(&mut self, bytes: usize, now: Duration) {
        // Then the time was not spent on sending.
        if self.open.is_some_and(|open| now.saturating_sub(open) > IDLE) {
            self.state = State::Filling { taken: false };
        }
        self.open = Some(now);
        match &mut self.state {
            State::Filling { taken } => *taken = true,
            State::Measuring { taken, .. } => *taken += bytes,
        }
    }

    /// The buffer is full, at this moment of the steady clock. How large it should be from now on, if that is something
    /// new, in bytes.
    pub fn full(&mut self, now: Duration) -> Option<usize> {
        self.open = None;
        let (since, taken) = match self.state {
            State::Measuring { since, taken } => (since, taken),
            // It has been made smaller, and is still too full.
            State::Filling { taken: false } => return None,
            State::Filling { taken: true } => {
                self.state = State::Measuring { since: now, taken: 0 };
                return None;
            }
        };
        let length = now.saturating_sub(since);
        if length < SAMPLE.max(self.round_trip) || taken == 0 {
            return None;
        }
        // Full at both ends: what was taken is what has left.
        let rate = taken as f64 / length.as_secs_f64();
        let ahead = (AHEAD + self.round_trip).as_secs_f64();
        let wanted = ((rate * ahead) as usize).clamp(SMALLEST, LARGEST);
        if wanted.abs_diff(self.buffer) <= self.buffer / 8 {
            self.state = State::Measuring { since: now, taken: 0 };
            return None;
        }
        // A buffer of another size must be filled or emptied first; that would be taken for speed.
        self.state = State::Filling { taken: false };
        self.buffer = wanted;
        Some(wanted)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    /// A line with a store of its own, and a system's send buffer before it, in steps of a millisecond.
    struct Line {
        /// Bytes a ms.
        rate: f64,
        /// Bytes that wait in the line's store.
        stored: f64,
        /// Bytes sent in each ms of the last round trip, whose confirmation is still to come.
        flying: VecDeque<f64>,
        /// All of those.
        in_flight: f64,
    }

    impl Line {
        fn new(rate: f64, round_trip: usize) -> Self {
            Self { rate, stored: 0.0, flying: vec![0.0; round_trip].into(), in_flight: 0.0 }
        }

        /// What is sent and not confirmed.
        fn under_way(&self) -> f64 {
            self.stored + self.in_flight
        }

        /// A ms passes; the bytes that were sent in it.
        fn tick(&mut self) -> f64 {
            let gone = self.stored.min(self.rate);
            self.stored -= gone;
            self.flying.push_back(gone);
            self.in_flight += gone - self.flying.pop_front().unwrap_or_default();
            gone
        }
    }

    /// Sends for so many ms. Of the second half: the bytes that went, and the longest wait in the line's store, in ms.
    fn send(line: &mut Line, length: u64) -> (f64, f64) {
        let mut pace = Pace::new(Duration::from_millis(line.flying.len() as u64));
        let (mut went, mut longest) = (0.0, 0.0_f64);
        for now in 0..length {
            let room = pace.buffer as f64 - line.under_way();
            // Systems ask for more when a good part of the buffer is free.
            if room >= pace.buffer as f64 / 3.0 {
                line.stored += room;
                pace.took(room as usize, Duration::from_millis(now));
                pace.full(Duration::from_millis(now));
            }
            let gone = line.tick();
            if now >= length / 2 {
                went += gone;
                longest = longest.max(line.stored / line.rate);
            }
        }
        (went, longest)
    }

    proptest! {
        /// Twenty seconds are given to find the rate; on lines that are both quick and long it takes most of them.
        #[test]
        fn the_line_is_used_and_its_store_is_not_filled(kbit in 64_u32..20_000, round_trip in 5_usize..900) {
            let rate = f64::from(kbit) / 8.0;
            let (went, longest) = send(&mut Line::new(rate, round_trip), 40_000);
            prop_assert!(went >= 0.8 * rate * 20_000.0, "{went} of {}", rate * 20_000.0);
            prop_assert!(longest <= 1_300.0, "{longest} ms in the store");
        }
    }

    #[test]
    fn a_rate_is_only_believed_between_two_full_moments() {
        let mut pace = Pace::new(Duration::ZERO);
        let at = Duration::from_millis;
        pace.took(1_000_000, at(0));
        assert_eq!(pace.full(at(0)), None, "what fills an empty buffer is no rate");
        pace.took(100_000, at(100));
        assert_eq!(pace.full(at(100)), None, "too short");
        assert_eq!(pace.full(at(500)), Some(200_000));
        pace.took(900_000, at(600));
        assert_eq!(pace.full(at(600)), None, "the larger buffer has only been filled");
        pace.took(10_000, at(1600));
        assert_eq!(pace.full(at(1600)), Some(10_000));
        assert_eq!(pace.full(at(2600)), None, "the smaller one has not been emptied");
    }

    #[test]
    fn time_in_which_nobody_sends_is_not_measured() {
        let mut pace = Pace::new(Duration::ZERO);
        let at = Duration::from_millis;
        pace.took(FIRST, at(0));
        assert_eq!(pace.full(at(0)), None);
        pace.took(FIRST, at(10));
        pace.took(FIRST, at(60_000));
        assert_eq!(pace.full(at(60_000)), None);
    }
}
