//! A message to be sent: content, time, timer and profile; how long it is stored, and what one's own devices get.

use super::content::{CallKind, Content};
use super::expiration::Expiration;
use super::profile::Profile;
use crate::id::SessionId;
use crate::time::Timestamp;

/// How long a swarm keeps ordinary messages: 14 days, in milliseconds. The most it allows (spec 02 §7).
pub const TTL_CONTENT_MS: u64 = 14 * 24 * 60 * 60 * 1000;
/// How long a swarm keeps typing indicators: 20 seconds, in milliseconds.
pub const TTL_TYPING_MS: u64 = 20_000;
/// How long a swarm keeps call signalling: 5 minutes, in milliseconds.
pub const TTL_CALL_MS: u64 = 5 * 60 * 1000;
/// The shortest time a swarm keeps anything: 10 seconds, in milliseconds.
const TTL_MIN_MS: u64 = 10_000;

/// A message to be sent.
///
/// What its kind does not carry (spec 02 §7) is not written: a read receipt, say, may be given the conversation's
/// timer and the profile without harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// What it says.
    pub content: Content,
    /// Sent timestamp, from [`super::UniqueClock`]. The copy for one's own devices has the same.
    pub timestamp: Timestamp,
    /// When it disappears: the conversation's setting; of a timer update, the new one.
    pub expiration: Expiration,
    /// Who we are. Not in copies for oneself, nor in Note to Self.
    pub profile: Option<Profile>,
    /// In a copy for one's own devices: the conversation it belongs to.
    pub sync_target: Option<SessionId>,
}

impl Outgoing {
    /// A message without timer and profile.
    pub const fn new(content: Content, timestamp: Timestamp) -> Self {
        Self { content, timestamp, expiration: Expiration::Off, profile: None, sync_target: None }
    }

    /// With this timer.
    pub fn with_expiration(self, expiration: Expiration) -> Self {
        Self { expiration, ..self }
    }

    /// With this profile.
    pub fn with_profile(self, profile: Profile) -> Self {
        Self { profile: Some(profile), ..self }
    }

    /// The copy that goes to our own swarm after the message itself was stored for `contact`, so that our other
    /// devices show it too (spec 02 §9). `None` for kinds that are not copied.
    pub fn sync_copy(&self, contact: SessionId) -> Option<Self> {
        let sync_target = match &self.content {
            Content::Visible(_)
            | Content::Reaction(_)
            | Content::CommunityInvitation(_)
            | Content::TimerUpdate => Some(contact),
            // Names its target itself, by author and time.
            Content::Unsend(_) => None,
            // Stops the ringing.
            Content::Call(call) if matches!(call.kind, CallKind::Answer | CallKind::End) => None,
            _ => return None,
        };
        Some(Self { sync_target, profile: None, ..self.clone() })
    }

    /// How long the swarm is to keep it, in milliseconds (spec 02 §7): 10 seconds to 14 days.
    pub fn ttl_ms(&self) -> u64 {
        let follows_timer = matches!(
            self.content,
            Content::Visible(_)
                | Content::Reaction(_)
                | Content::CommunityInvitation(_)
                | Content::TimerUpdate
        );
        match (&self.content, self.expiration.timer_ms()) {
            (Content::Typing(_), _) => TTL_TYPING_MS,
            (Content::Call(_), _) => TTL_CALL_MS,
            // The clock of a message that disappears after being read starts when it is read; our own copy is read
            // the moment we send it.
            (_, Some(timer))
                if follows_timer
                    && (matches!(self.expiration, Expiration::AfterSend(_))
                        || self.sync_target.is_some()) =>
            {
                timer.clamp(TTL_MIN_MS, TTL_CONTENT_MS)
            }
            _ => TTL_CONTENT_MS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::content::{Call, CallId, MessageRef, Visible};
    use super::*;

    const TIME: Timestamp = Timestamp::from_ms(1_767_225_600_123);
    const CONTACT: SessionId = SessionId([5; 32]);

    fn visible() -> Outgoing {
        Outgoing::new(Content::Visible(Visible { body: "hi".into(), ..Default::default() }), TIME)
    }

    fn call(kind: CallKind) -> Outgoing {
        let id = CallId("7b1e9c5e-5d4e-4e35-a7ab-3f2f7f2d0a11".into());
        Outgoing::new(
            Content::Call(Call { id, kind, sdps: vec![], line_indexes: vec![], mids: vec![] }),
            TIME,
        )
    }

    #[test]
    fn the_time_to_live_follows_the_timer_of_what_is_shown() {
        let (hour, hour_ms) = (3600, 3_600_000);
        assert_eq!(visible().ttl_ms(), TTL_CONTENT_MS);
        assert_eq!(visible().with_expiration(Expiration::AfterRead(hour)).ttl_ms(), TTL_CONTENT_MS);
        assert_eq!(visible().with_expiration(Expiration::AfterSend(hour)).ttl_ms(), hour_ms);
        assert_eq!(visible().with_expiration(Expiration::AfterSend(1)).ttl_ms(), 10_000);
        assert_eq!(visible().with_expiration(Expiration::AfterSend(u32::MAX)).ttl_ms(), TTL_CONTENT_MS);
        let copy = visible().with_expiration(Expiration::AfterRead(hour)).sync_copy(CONTACT).unwrap();
        assert_eq!(copy.ttl_ms(), hour_ms);
        let unsend = Content::Unsend(MessageRef { author: CONTACT, timestamp: TIME });
        let unsend = Outgoing::new(unsend, TIME).with_expiration(Expiration::AfterSend(hour));
        assert_eq!(unsend.ttl_ms(), TTL_CONTENT_MS);
        assert_eq!(Outgoing::new(Content::Typing(true), TIME).ttl_ms(), TTL_TYPING_MS);
        assert_eq!(call(CallKind::Offer).ttl_ms(), TTL_CALL_MS);
    }

    #[test]
    fn copies_are_made_of_what_other_devices_need() {
        let profile = Profile { name: None, picture: None, updated: 0 };
        let copy = visible().with_profile(profile).sync_copy(CONTACT).unwrap();
        assert_eq!((copy.sync_target, copy.profile, copy.timestamp), (Some(CONTACT), None, TIME));
        let unsend = Outgoing::new(Content::Unsend(MessageRef { author: CONTACT, timestamp: TIME }), TIME);
        assert_eq!(unsend.sync_copy(CONTACT).unwrap(), unsend);
        assert!(call(CallKind::End).sync_copy(CONTACT).is_some());
        for content in
            [Content::Typing(true), Content::ReadReceipt(vec![TIME]), Content::RequestResponse(true)]
        {
            assert_eq!(Outgoing::new(content, TIME).sync_copy(CONTACT), None);
        }
        assert_eq!(call(CallKind::Offer).sync_copy(CONTACT), None);
    }
}
