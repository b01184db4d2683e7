//! What a message says: one variant for each kind of spec 02 §7.

use std::fmt;

use super::group_update::GroupUpdate;
use crate::attachment::AttachmentPointer;
use crate::id::SessionId;
use crate::time::Timestamp;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text, attachments, a quote, a link preview: what a conversation consists of.
    Visible(Visible),
    /// An emoji set on another message, or taken off (spec 02 §16).
    Reaction(Reaction),
    /// An invitation into a community (spec 02 §17).
    CommunityInvitation(CommunityInvitation),
    /// The sender changed when their messages disappear; the new setting is the message's own timer (spec 02 §18.1).
    TimerUpdate,
    /// Something changed in a group, or we are invited into one (spec 02 §2.19).
    GroupUpdate(GroupUpdate),
    /// The sender has read our messages with these sent timestamps (spec 02 §19).
    ReadReceipt(Vec<Timestamp>),
    /// The sender types (`true`) or stopped (`false`) (spec 02 §20).
    Typing(bool),
    /// The sender saved a file of ours or took a screenshot (spec 02 §24).
    DataExtraction(DataExtraction),
    /// Asks to delete a message (spec 02 §23). Who may ask for which one is the reader's to decide.
    Unsend(MessageRef),
    /// Call signalling (spec 02 §25).
    Call(Call),
    /// Accepts our message request; `false` is never sent and means nothing (spec 02 §21).
    RequestResponse(bool),
    /// Nothing we know. To be dropped without a trace (spec 02 §28).
    Unknown,
}

/// Names a message: on the network its author and sent timestamp identify it (spec 02 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageRef {
    /// Who wrote it.
    pub author: SessionId,
    /// When it was sent, by its envelope.
    pub timestamp: Timestamp,
}

/// A message with something to show: received ones have a text that is not blank, or an attachment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visible {
    /// The text, lines ended by `\n`; may be empty. Received ones are cut to 10,000 code points.
    pub body: String,
    /// Pictures and files, at most [`super::MAX_ATTACHMENTS`].
    pub attachments: Vec<AttachmentPointer>,
    /// The message it answers.
    pub quote: Option<MessageRef>,
    /// A link in the text, with title and picture.
    pub preview: Option<LinkPreview>,
}

impl Visible {
    /// Whether it has text that is not blank, or an attachment. Others are neither sent nor shown (spec 02 §5).
    pub fn has_something_to_show(&self) -> bool {
        !super::text::is_blank(&self.body) || !self.attachments.is_empty()
    }
}

/// A link with a title and a picture (spec 02 §15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkPreview {
    /// The link as it stands in the text.
    pub url: String,
    /// Title of the page; may be empty if there is a picture.
    pub title: String,
    /// Picture of the page. Boxed, as few messages have one.
    pub image: Option<Box<AttachmentPointer>>,
}

/// An emoji for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// The message it is for.
    pub target: MessageRef,
    /// The emoji; not empty.
    pub emoji: String,
    /// Set or take off.
    pub action: ReactionAction,
}

/// What to do with a reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReactionAction {
    /// Set it.
    React,
    /// Take it off.
    Remove,
}

/// An invitation into a community; both fields are non-empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommunityInvitation {
    /// Full address with key: `https://host/room?public_key=…`. Not checked.
    pub url: String,
    /// Name of the room.
    pub name: String,
}

/// What the sender took out of the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataExtraction {
    /// A picture of the screen. No longer sent by anyone.
    Screenshot,
    /// An attachment of the message with this sent timestamp, if the sender told it.
    MediaSaved(Option<Timestamp>),
}

/// One step of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Names the call in all its messages.
    pub id: CallId,
    /// Which step.
    pub kind: CallKind,
    /// Session description (offer, answer), or one line for each candidate.
    pub sdps: Vec<String>,
    /// One for each candidate.
    pub line_indexes: Vec<u32>,
    /// One for each candidate.
    pub mids: Vec<String>,
}

/// Names a call: a UUID in text form, taken as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub String);

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The steps of a call (spec 02 §25).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// An offer will come; wakes the device.
    PreOffer,
    /// The caller's session description.
    Offer,
    /// The called one's session description.
    Answer,
    /// Not in use.
    ProvisionalAnswer,
    /// Where the sender can be reached.
    IceCandidates,
    /// The call is over, or declined.
    End,
}
