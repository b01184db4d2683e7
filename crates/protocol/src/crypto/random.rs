//! Where random bytes come from.
//!
//! Decision: nothing in this crate draws randomness by itself. Whoever encrypts passes a [`Random`]; applications pass
//! [`SystemRandom`], tests and the conformance program pass [`Replay`] with recorded draws and get the same bytes
//! again.

use std::collections::VecDeque;

use super::sodium;

/// A source of random bytes, fit for keys and nonces.
pub trait Random {
    /// Fills `out` with random bytes.
    fn fill(&mut self, out: &mut [u8]);

    /// `N` random bytes.
    fn array<const N: usize>(&mut self) -> [u8; N]
    where
        Self: Sized,
    {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }
}

impl<R: Random + ?Sized> Random for &mut R {
    fn fill(&mut self, out: &mut [u8]) {
        (**self).fill(out);
    }
}

/// The operating system's generator, through libsodium. Cannot fail: libsodium ends the process if the system has no
/// randomness to give.
#[derive(Clone, Copy, Default, Debug)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&mut self, out: &mut [u8]) {
        sodium::random_bytes(out);
    }
}

/// Draws that were recorded elsewhere, in their order.
///
/// A draw of another length than the recorded one, or one too many, is filled with zeros and remembered;
/// [`finish`](Replay::finish) then tells.
#[derive(Clone, Default, Debug)]
pub struct Replay {
    draws: VecDeque<Vec<u8>>,
    taken: usize,
    wrong: Option<usize>,
}

/// The recorded draws were not the ones asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// This draw, counted from 0, was missing or had another length.
    #[error("random draw {0} was missing or had another length")]
    Mismatch(usize),
    /// So many draws were not asked for.
    #[error("{0} random draws were left over")]
    LeftOver(usize),
}

impl Replay {
    /// A source that gives these byte strings, one per call.
    pub fn new(draws: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { draws: draws.into_iter().collect(), taken: 0, wrong: None }
    }

    /// Whether exactly the recorded draws were asked for.
    pub fn finish(self) -> Result<(), ReplayError> {
        match (self.wrong, self.draws.len()) {
            (Some(draw), _) => Err(ReplayError::Mismatch(draw)),
            (None, 0) => Ok(()),
            (None, left) => Err(ReplayError::LeftOver(left)),
        }
    }
}

impl Random for Replay {
    fn fill(&mut self, out: &mut [u8]) {
        match self.draws.pop_front() {
            Some(draw) if draw.len() == out.len() => out.copy_from_slice(&draw),
            _ => {
                out.fill(0);
                self.wrong.get_or_insert(self.taken);
            }
        }
        self.taken += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_gives_different_bytes_each_time() {
        assert_ne!(SystemRandom.array::<32>(), SystemRandom.array::<32>());
    }

    #[test]
    fn a_replay_gives_what_was_recorded_and_notices_what_was_not() {
        let mut rng = Replay::new([vec![1, 2], vec![3]]);
        assert_eq!(rng.array::<2>(), [1, 2]);
        assert_eq!(rng.clone().finish(), Err(ReplayError::LeftOver(1)));
        assert_eq!(rng.array::<2>(), [0, 0]);
        assert_eq!(rng.finish(), Err(ReplayError::Mismatch(1)));
    }
}
