//! Which changes of an expiry are made.

use super::StoredMessage;

/// The longest life by which a gain is measured, ms.
const FULL_LIFE: u64 = 30 * 86_400_000;

/// Which changes of an expiry are allowed (spec 03 §9.12, 09 §4.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ExpiryRule {
    Set,
    ShortenOnly,
    ExtendOnly,
}

impl ExpiryRule {
    /// Whether a message may have `new` as its expiry. What is only to be extended has to gain at least a hundredth of
    /// its life.
    pub(super) fn allows(self, message: &StoredMessage, new: u64) -> bool {
        let old = message.expiry;
        match self {
            Self::Set => true,
            Self::ShortenOnly => new < old,
            Self::ExtendOnly => {
                let life = old.saturating_sub(message.timestamp).min(FULL_LIFE);
                new > old && (new - old).saturating_mul(100) >= life
            }
        }
    }
}
