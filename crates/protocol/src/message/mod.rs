//! One-to-one messages, Note to Self and copies for one's own devices (spec 02 §3–§26).
//!
//! From the inside out: a [`Content`] is what somebody says; an [`Outgoing`] is a content with the time, timer and
//! profile it travels with; [`encode_one_to_one`] pads, signs and seals it into the bytes that a swarm stores, and
//! [`decode_one_to_one`] opens such bytes into a [`Received`].
//!
//! Decision: all rules that need nothing but the bytes and our own keys are applied here, once, while reading: what
//! [`decode_one_to_one`] returns is authentic, from one known account, in its time, cut to its limits, and of a kind
//! that its sender may send. Rules that need the history (duplicates, blocking, approval) belong to the client.
//!
//! Decision: what comes from the future is told apart from what means nothing ([`DecodeError::NewerFormat`],
//! [`DecodeError::UnknownType`], [`newer`]), for the client keeps it until a version can read it. The fields that the
//! coming official core adds to known kinds do not disturb; of them only [`MsgId`] is kept.
//!
//! Decision: the same [`Content`] serves both directions. What we write and what we accept differ only in leniency,
//! and one type makes it impossible that we send something we would not read.

#[cfg(test)]
mod broken_text;
mod clock;
mod content;
mod emoji;
mod expiration;
#[cfg(test)]
mod from_the_future;
mod group_update;
mod msg_id;
pub mod newer;
mod one_to_one;
mod outgoing;
mod profile;
mod raw_pointers;
mod read;
#[cfg(test)]
mod round_trip;
mod sent_time;
#[cfg(test)]
mod tests;
mod text;
mod write;

pub use clock::UniqueClock;
pub use content::{
    Call, CallId, CallKind, CommunityInvitation, Content, DataExtraction, LinkPreview, MessageRef, Reaction,
    ReactionAction, Visible,
};
pub use emoji::{Emoji, EmojiError};
pub use expiration::{Expiration, Place};
pub use group_update::{GroupChange, GroupUpdate, MAX_GROUP_NAME_BYTES, MemberChange};
pub use msg_id::MsgId;
pub use one_to_one::{
    DataError, DecodeError, EncodeError, Received, decode_one_to_one, encode_one_to_one, from_store_data,
    read_opened, to_store_data,
};
pub use outgoing::{Outgoing, TTL_CALL_MS, TTL_CONTENT_MS, TTL_TYPING_MS};
pub use profile::{Profile, ProfilePicture};
pub use raw_pointers::{RawPointer, RawPointers};
pub use read::ContentError;
pub use sent_time::{COMMUNITY_TOLERANCE_MS, Witness};
pub use text::{
    MAX_RECEIVED_CHARS, MAX_SENT_CHARS, Mention, MessageText, TextError, mentions, mentions_account,
    truncated_body,
};

/// The most attachments one message may have; more make it invalid (spec 02 §13).
pub const MAX_ATTACHMENTS: usize = 32;
