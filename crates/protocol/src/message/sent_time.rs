//! Whether a message was sent when its signature says (spec 02 §5, 09 §6.2).

use crate::time::Timestamp;

/// How far the sent timestamp of a community message may be from the time of the server, in ms: 6 hours.
pub const COMMUNITY_TOLERANCE_MS: u64 = 6 * 60 * 60 * 1000;

/// What tells the time of a message beside its signed content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    /// The sent timestamp of the envelope, which its sender wrote at the same moment.
    Envelope(Timestamp),
    /// The time at which a community's server took the message.
    CommunityServer(Timestamp),
}

impl Witness {
    /// Whether a signed sent timestamp (`sigTimestamp`, ms) agrees. Old clients write none, or 0, which is accepted.
    pub fn agrees(self, signed: Option<u64>) -> bool {
        let Some(signed) = signed.filter(|signed| *signed != 0) else { return true };
        match self {
            Self::Envelope(sent) => signed == sent.as_ms(),
            Self::CommunityServer(stored) => signed.abs_diff(stored.as_ms()) <= COMMUNITY_TOLERANCE_MS,
        }
    }
}
