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

/// Destinations that may fail.
const DESTINATIONS: usize = 3;
/// Paths that may fail.
const PATHS: usize = 4;
/// Detours that are no failures.
const DETOURS: usize = 4;
/// Wait before another try.
const PAUSE: Duration = Duration::from_millis(100);
/// Wait after "too many requests".
const BUSY: Duration = Duration::from_secs(1);

/// How a request has fared so far.
#[derive(Default)]
pub(crate) struct Attempts {
    /// Destinations that had their chance.
    pub tried: Vec<Ed25519Public>,
    /// Paths that had theirs.
    pub paths: Vec<PathId>,
    destinations_failed: usize,
    paths_failed: usize,
    detours: usize,
}

/// Whose fault a failure was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    /// The destination's.
    Destination,
    /// Somebody's on the path.
    Path,
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
    /// A try has failed, for a reason that may not be there the next time.
    pub fn failed(&mut self, failure: Failure, error: NetworkError) -> Next {
        match failure {
            Failure::Destination | Failure::Busy => self.destinations_failed += 1,
            Failure::Path => self.paths_failed += 1,
        }
        if self.destinations_failed >= DESTINATIONS || self.paths_failed >= PATHS {
            return Next::GiveUp(error);
        }
        Next::Again(choose::jitter(if failure == Failure::Busy { BUSY } else { PAUSE }))
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
        assert_eq!(tries(&mut Attempts::default(), Failure::Destination), DESTINATIONS);
        assert_eq!(tries(&mut Attempts::default(), Failure::Busy), DESTINATIONS);
        let mut attempts = Attempts::default();
        assert_eq!(tries(&mut attempts, Failure::Path), PATHS);
        assert_eq!(tries(&mut attempts, Failure::Destination), 1, "a request has an end, whatever fails");
        let mut attempts = Attempts::default();
        let again = |_: &usize| attempts.detour(NetworkError::Failed) == Next::Again(Duration::ZERO);
        assert_eq!((0..99).take_while(again).count(), DETOURS);
    }
}
