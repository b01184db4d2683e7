//! What sources are called.
//!
//! Decision: whoever finds that a source comes or goes knows its name and nothing else of it. So what is written down
//! can tell of sources without knowing how they are asked.

use septet_protocol::id::Account;

/// Names a source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKey {
    /// The swarm of an account: our own, or a group's.
    Swarm(Account),
}

/// A source comes or goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is to be asked from now on.
    Appeared(SourceKey),
    /// It is to be asked no more; a round of it is broken off.
    #[cfg_attr(not(test), expect(dead_code, reason = "our own swarm is the only source, and it stays"))]
    Gone(SourceKey),
}
