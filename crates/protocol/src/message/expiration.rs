//! Messages that disappear (spec 02 §18).
//!
//! Every message carries its own timer, and disappears by that one alone: the setting of the conversation only
//! decides what the *next* message of its owner carries.

/// When a message disappears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Expiration {
    /// It stays.
    #[default]
    Off,
    /// So many seconds (not 0) after it was read.
    AfterRead(u32),
    /// So many seconds (not 0) after it was sent.
    AfterSend(u32),
}

/// Where a message stands; decides how its timer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A conversation with one other account.
    Private,
    /// Note to Self or a group: nothing is "read" there, timers count from sending.
    NoteToSelfOrGroup,
}

/// `Content.expirationType` on the wire.
pub(super) const TYPE_AFTER_READ: i32 = 1;
/// `Content.expirationType` on the wire.
pub(super) const TYPE_AFTER_SEND: i32 = 2;

impl Expiration {
    /// Reads `expirationType` and `expirationTimer` of a message (spec 02 §18.2). Absent or unknown means off.
    pub(super) fn resolve(kind: Option<i32>, seconds: Option<u32>, place: Place) -> Self {
        let seconds = seconds.unwrap_or(0);
        match (kind, place) {
            _ if seconds == 0 => Self::Off,
            (Some(TYPE_AFTER_READ | TYPE_AFTER_SEND), Place::NoteToSelfOrGroup)
            | (Some(TYPE_AFTER_SEND), Place::Private) => Self::AfterSend(seconds),
            (Some(TYPE_AFTER_READ), Place::Private) => Self::AfterRead(seconds),
            _ => Self::Off,
        }
    }

    /// `expirationType` and `expirationTimer` as they are written. A timer of 0 seconds is off, whatever its type.
    pub(super) fn to_wire(self) -> (i32, u32) {
        match self {
            Self::Off | Self::AfterRead(0) | Self::AfterSend(0) => (0, 0),
            Self::AfterRead(seconds) => (TYPE_AFTER_READ, seconds),
            Self::AfterSend(seconds) => (TYPE_AFTER_SEND, seconds),
        }
    }

    /// What notices and calls carry: they have no moment of sending that matters, so after-send becomes after-read
    /// (spec 02 §18.2).
    pub fn coerced_to_after_read(self) -> Self {
        match self {
            Self::AfterSend(seconds) => Self::AfterRead(seconds),
            other => other,
        }
    }

    /// The timer in milliseconds, if it disappears.
    pub fn timer_ms(self) -> Option<u64> {
        match self {
            Self::Off | Self::AfterRead(0) | Self::AfterSend(0) => None,
            Self::AfterRead(seconds) | Self::AfterSend(seconds) => Some(u64::from(seconds) * 1000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_resolved_by_place() {
        use Expiration::{AfterRead, AfterSend, Off};
        use Place::{NoteToSelfOrGroup, Private};
        for (kind, seconds, place, expected) in [
            (None, None, Private, Off),
            (Some(0), Some(60), Private, Off),
            (Some(7), Some(60), Private, Off),
            (None, Some(60), NoteToSelfOrGroup, Off),
            (Some(1), Some(0), Private, Off),
            (Some(1), Some(60), Private, AfterRead(60)),
            (Some(2), Some(60), Private, AfterSend(60)),
            (Some(1), Some(60), NoteToSelfOrGroup, AfterSend(60)),
            (Some(2), Some(60), NoteToSelfOrGroup, AfterSend(60)),
        ] {
            assert_eq!(Expiration::resolve(kind, seconds, place), expected, "{kind:?} {seconds:?} {place:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for expiration in [Expiration::Off, Expiration::AfterRead(300), Expiration::AfterSend(43_200)] {
            let (kind, seconds) = expiration.to_wire();
            assert_eq!(Expiration::resolve(Some(kind), Some(seconds), Place::Private), expiration);
        }
        assert_eq!(Expiration::AfterSend(0).to_wire(), (0, 0));
        assert_eq!(Expiration::AfterSend(9).coerced_to_after_read(), Expiration::AfterRead(9));
    }
}
