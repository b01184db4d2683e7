//! What only a newer version can read (spec 09 §6.1).
//!
//! Two things are told apart from what means nothing: data of a newer format, of which nothing can be known, and
//! authentic messages that say something of an unknown kind. The client keeps both as they came and tries again after
//! an update; here is what needs nothing but the bytes.
//!
//! Decision: the rules are those that the official clients share, so that all devices of a person agree on what a
//! message is. In doubt it is not of a newer kind: what is malformed, and what says something known beside the unknown,
//! is handled as it always was.

use super::expiration::Expiration;
use super::msg_id::MsgId;
use super::text::is_blank;
use super::write::TIMER_UPDATE;
use crate::fields::fields;
use crate::id::{Account, SessionId};
use crate::time::Timestamp;
use crate::wire::proto;

/// The highest number of a top-level field of `Content` that is known: the [`MsgId`] of the coming official core, which
/// its messages of every kind have.
pub const HIGHEST_KNOWN_FIELD: u32 = 18;
/// How long a swarm keeps a message if nobody asks for less, in ms: 14 days.
const FULL_LIFE_MS: u64 = 14 * 24 * 60 * 60 * 1000;

/// An authentic message of a kind that this version does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownType {
    /// Who wrote it; ourselves, if it comes from another device of ours.
    pub sender: SessionId,
    /// It is a message of ours.
    pub is_own: bool,
    /// In a copy of our own message: the other account of its conversation. `None` also if it names no account.
    pub sync_target: Option<SessionId>,
    /// Sent timestamp.
    pub timestamp: Timestamp,
    /// Its second name beside the timestamp, if it has one (spec 09 §6.3).
    pub msg_id: Option<MsgId>,
    /// When it disappears, as its fields say. Only a timer after sending runs before somebody could read it.
    pub expiration: Expiration,
}

/// Where a message of an unknown kind belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// In the conversation with this account, who wrote it, or in this group, where somebody else did.
    Incoming(Account),
    /// In the conversation with this account, to whom we wrote it, or in this group, where we did.
    Outgoing(Account),
    /// Nowhere that could be known.
    Nowhere,
}

impl UnknownType {
    /// Where it belongs, and a line that stands for it, if there is such a conversation. `owner`: in whose swarm it was
    /// found. What is in a group's belongs to that group, whatever it names.
    pub fn placement(&self, owner: Account) -> Placement {
        match (owner, self.is_own, self.sync_target) {
            (Account::Group(_), false, _) => Placement::Incoming(owner),
            (Account::Group(_), true, _) => Placement::Outgoing(owner),
            (Account::User(_), false, _) => Placement::Incoming(self.sender.into()),
            (Account::User(_), true, Some(account)) => Placement::Outgoing(account.into()),
            (Account::User(_), true, None) => Placement::Nowhere,
        }
    }
}

/// Until when a message that has no line standing for it is kept; `None`: until a version can read it.
///
/// `expires`: when its own timer ends, if it is one that runs from sending. `stored` and `server_expiry`: when the swarm
/// took it, and until when the swarm keeps it. A sender who asked the swarm for less than the full time meant it so.
pub fn kept_until(
    expires: Option<Timestamp>,
    stored: Timestamp,
    server_expiry: Option<Timestamp>,
) -> Option<Timestamp> {
    expires.or(server_expiry.filter(|expiry| expiry.since(stored) < FULL_LIFE_MS))
}

/// Whether stored data is of a newer format: it begins with a zero byte, as no protobuf message can. To be asked of
/// what was stored for our own account only; in groups any byte may come first.
pub fn is_newer_format(data: &[u8]) -> bool {
    data.first() == Some(&0)
}

/// The numbers of the top-level fields of a serialized message, in order; `None` if it is malformed.
pub fn field_numbers(message: &[u8]) -> Option<Vec<u32>> {
    fields(message).map(|field| field.ok().map(|field| field.number)).collect()
}

/// Whether a serialized `Content` is well formed and has a top-level field that no version before this one knows.
pub fn has_unknown_field(content: &[u8]) -> bool {
    field_numbers(content).is_some_and(|numbers| numbers.iter().any(|number| *number > HIGHEST_KNOWN_FIELD))
}

/// Whether a `Content`, read and as it came, says something of an unknown kind, and nothing that is known.
pub(super) fn is_unknown_type(wire: &proto::Content, bytes: &[u8]) -> bool {
    !says_something_known(wire) && has_unknown_field(bytes)
}

fn says_something_known(wire: &proto::Content) -> bool {
    wire.receipt_message.is_some()
        || wire.typing_message.is_some()
        || wire.data_extraction_notification.is_some()
        || wire.unsend_request.is_some()
        || wire.call_message.is_some()
        || wire.message_request_response.is_some()
        || wire.data_message.as_ref().is_some_and(has_something_to_show)
}

/// Something to show or to do. The name of the conversation alone is not: it is all that this version sees of our own
/// copy of a new kind.
fn has_something_to_show(data: &proto::DataMessage) -> bool {
    let empty_update = proto::GroupUpdateMessage::default();
    data.group_update_message.as_ref().is_some_and(|update| *update != empty_update)
        || data.reaction.is_some()
        || data.community_invitation.is_some()
        || !data.attachments.is_empty()
        || data.flags.unwrap_or(0) & TIMER_UPDATE != 0
        || data.body.as_deref().is_some_and(|body| !is_blank(&String::from_utf8_lossy(body)))
}
