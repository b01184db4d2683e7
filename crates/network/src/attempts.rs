//! How often something is tried: the one policy for every kind of request.
//!
//! Decision: a request may fail at so many destinations, and on so many paths, before it is given up, whichever comes
//! first. Each further try goes to another destination where there are several, and over another path. Being sent on
//! to somebody else, or having to set the clock, is no failure; each may happen a few times.

use std::time::Duration;

use septet_protocol::id::Ed25519Public;

use crate::choose;
use crate::error::NetworkError;
use crate::policy::PathId;

/// What one kind of request may cost.
#[derive(Debug)]
pub(crate) struct Limits {
    /// Destinations that may fail.
    destinations: usize,
    /// Paths that may fail.
    paths: usize,
    /// Of those, how many may fail by being silent or slow.
    slow: usize,
    /// Wait before another try.
    pause: Duration,
}

/// For questions: small, and answered by any of several.
pub(crate) const QUESTION: Limits =
    Limits { destinations: 3, paths: 4, slow: 4, pause: Duration::from_millis(100) };
/// For files: each try begins at the first byte, and a line that was too slow will hardly be another the next time.
pub(crate) const FILE: Limits = Limits { destinations: 3, paths: 3, slow: 2, pause: Duration::from_secs(1) };

/// Detours that are no failures.
const DETOURS: usize = 4;
/// Wait after "too many requests".
const BUSY: Duration = Duration::from_secs(1);

/// How a request has fared so far.
pub(crate) struct Attempts {
    limits: &'static Limits,
    /// Destinations that had their chance.
    pub tried: Vec<Ed25519Public>,
    /// Paths that had theirs.
    pub paths: Vec<PathId>,
    destinations_failed: usize,
    paths_failed: usize,
    slow: usize,
    detours: usize,
}

/// Whose fault a failure was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    /// The destination's.
    Destination,
    /// Somebody's on the path.
    Path,
    /// The same, or the line's: it was silent or slow.
    Slow,
    /// Nobody's: too much was asked at once.
    Busy,
}

/// What is next.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// Another try, after this wait.
    Again(Duration),
    /// Nothing: this is the result.
    GiveUp(NetworkError),
}

impl Attempts {
    /// At the beginning.
    pub fn new(limits: &'static Limits) -> Self {
        let (tried, paths) = (Vec::new(), Vec::new());
        Self { limits, tried, paths, destinations_failed: 0, paths_failed: 0, slow: 0, detours: 0 }
    }

    /// A try has failed, for a reason that may not be there the next time.
    pub fn failed(&mut self, failure: Failure, error: NetworkError) -> Next {
        match failure {
            Failure::Destination | Failure::Busy => self.destinations_failed += 1,
            Failure::Path => self.paths_failed += 1,
            Failure::Slow => (self.paths_failed, self.slow) = (self.paths_failed + 1, self.slow + 1),
        }
        let Limits { destinations, paths, slow, pause } = *self.limits;
        if self.destinations_failed >= destinations || self.paths_failed >= paths || self.slow >= slow {
            return Next::GiveUp(error);
        }
        Next::Again(choose::jitter(if failure == Failure::Busy { BUSY } else { pause }))
    }

    /// It has to be asked again, and nobody has failed.
    pub fn detour(&mut self, error: NetworkError) -> Next {
        self.detours += 1;
        if self.detours > DETOURS { Next::GiveUp(error) } else { Next::Again(Duration::ZERO) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tries(attempts: &mut Attempts, failure: Failure) -> usize {
        let again = |_: &usize| matches!(attempts.failed(failure, NetworkError::Failed), Next::Again(_));
        1 + (0..99).take_while(again).count()
    }

    #[test]
    fn everything_ends() {
        let new = || Attempts::new(&QUESTION);
        assert_eq!(tries(&mut new(), Failure::Destination), 3);
        assert_eq!(tries(&mut new(), Failure::Busy), 3);
        let mut attempts = new();
        assert_eq!(tries(&mut attempts, Failure::Path), 4);
        assert_eq!(tries(&mut attempts, Failure::Destination), 1, "a request has an end, whatever fails");
        let mut attempts = new();
        let again = |_: &usize| attempts.detour(NetworkError::Failed) == Next::Again(Duration::ZERO);
        assert_eq!((0..99).take_while(again).count(), DETOURS);
    }

    #[test]
    fn a_file_that_was_slow_gets_one_more_chance() {
        assert_eq!(tries(&mut Attempts::new(&FILE), Failure::Path), 3);
        assert_eq!(tries(&mut Attempts::new(&FILE), Failure::Slow), 2);
        let mut mixed = Attempts::new(&FILE);
        assert!(matches!(mixed.failed(Failure::Path, NetworkError::Failed), Next::Again(_)));
        assert!(matches!(mixed.failed(Failure::Slow, NetworkError::Timeout), Next::Again(_)));
        assert_eq!(mixed.failed(Failure::Path, NetworkError::Failed), Next::GiveUp(NetworkError::Failed));
    }
}
