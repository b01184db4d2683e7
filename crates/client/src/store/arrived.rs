//! What swarms had for us, as the store is told of it, and what it says came of that.

use std::collections::BTreeSet;

use septet_protocol::id::{Account, Ed25519Public, GroupId, MessageHash, Namespace, SessionId};
use septet_protocol::message::Emoji;
use septet_protocol::message::newer::UnknownType;
use septet_protocol::swarm::reply::StoredMessage;
use septet_protocol::time::Timestamp;
use zeroize::Zeroizing;

use super::types::{NewAttachment, NewPreview, ProfileData, QuoteKey, ReadMessage};
use crate::event::Event;
use crate::model::{Address, ConversationId, Expiry, Message, Notice};

/// What one retrieve brought; applied in one transaction.
#[derive(Clone)]
pub struct ReceivedBatch {
    /// The node that answered.
    pub node: Ed25519Public,
    /// Whose swarm.
    pub account: Account,
    /// Which compartment.
    pub namespace: Namespace,
    /// Where the next retrieve from this node goes on, if it moved.
    pub last_hash: Option<Cursor>,
    /// How often the places of this account had been reset when the retrieve began, see
    /// [`Db::cursor_generation`](super::Db::cursor_generation): a place from before a reset is not kept.
    pub generation: i64,
    /// Everything retrieved, in any order.
    pub items: Vec<ReceivedItem>,
    /// Now: the network's time is known, or nothing would be taken in.
    pub now: Timestamp,
}

/// A place in what a node keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// The last message had from there.
    pub hash: MessageHash,
    /// When the swarm forgets it.
    pub expires_at: Timestamp,
}

/// One stored message of a swarm.
#[derive(Clone)]
pub struct ReceivedItem {
    /// Its hash.
    pub hash: MessageHash,
    /// When it was stored, as one node tells; nothing proves it.
    pub stored_at: Timestamp,
    /// When the swarm forgets it.
    pub expiration: Timestamp,
    /// What it says.
    pub meaning: Meaning,
}

impl ReceivedItem {
    /// A stored message with what it says.
    pub const fn new(message: &StoredMessage, meaning: Meaning) -> Self {
        Self { hash: message.hash, stored_at: message.timestamp, expiration: message.expiry, meaning }
    }

    /// What it says, if this version can read it and it is something to us.
    pub fn incoming(&self) -> Option<&Incoming> {
        match &self.meaning {
            Meaning::Said(incoming) => Some(incoming),
            Meaning::Nothing | Meaning::Unreadable(_) => None,
        }
    }
}

/// What a stored message says to this version.
#[derive(Clone)]
pub enum Meaning {
    /// Nothing: only its hash is remembered.
    Nothing,
    /// Something that this version knows.
    Said(Box<Incoming>),
    /// Something that a later version may know: it is kept as it came (spec 09 §6.1).
    Unreadable(Unreadable),
}

/// What this version cannot read.
#[derive(Clone)]
pub struct Unreadable {
    /// Who wrote it and when, if its kind is unknown; `None` if its format is a newer one, of which nothing is known.
    pub unknown: Option<UnknownType>,
    /// As it is stored in the swarm.
    pub raw: Vec<u8>,
}

/// The number of something that is kept for a later version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DeferredId(pub i64);

/// Something that was kept for a later version, to be read once more.
#[derive(Clone)]
pub struct Deferred {
    /// Its number.
    pub id: DeferredId,
    /// As it was in the swarm.
    pub message: StoredMessage,
}

/// An invitation into a group, or to be its admin, whose proof is checked (spec 06 §7.2, §7.5).
#[derive(Clone)]
pub struct Invitation {
    /// The group.
    pub group: GroupId,
    /// Its name.
    pub name: String,
    /// What one gets by it.
    pub right: GroupRight,
}

/// What lets one into a group.
#[derive(Clone)]
pub enum GroupRight {
    /// A member's right to read and write: 100 bytes (spec 06 §6).
    Member(Zeroizing<Vec<u8>>),
    /// The group's seed: 32 bytes.
    Admin(Zeroizing<Vec<u8>>),
}

/// Names a call in all its messages: a hash of what its caller named it, which may be of any length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallKey(pub [u8; 32]);

/// A decoded and checked message (spec 02 §5 steps 2, 3, 5, 6 and 7 are done).
#[derive(Clone)]
pub struct Incoming {
    /// Who wrote it; ourselves on another device, or here.
    pub sender: SessionId,
    /// Where it belongs.
    pub conversation: Address,
    /// Its sent timestamp.
    pub timestamp: Timestamp,
    /// What tells it from others of the same author and time, if its sender gives that (spec 09 §6.3).
    pub msg_id: Option<i64>,
    /// The sender's profile, if it came along.
    pub profile: Option<ProfileData>,
    /// What it is.
    pub kind: IncomingKind,
}

/// What a received message is.
#[derive(Clone)]
pub enum IncomingKind {
    /// Something to read.
    Message {
        /// Its text.
        text: String,
        /// Its files.
        attachments: Vec<NewAttachment>,
        /// What it answers.
        quote: Option<QuoteKey>,
        /// A link in its text.
        preview: Option<NewPreview>,
        /// When it disappears.
        expiry: Expiry,
    },
    /// A control line.
    Notice {
        /// What happened.
        notice: Notice,
        /// When the line disappears.
        expiry: Expiry,
    },
    /// An emoji added to or taken from a message.
    Reaction {
        /// The message it is for.
        target: QuoteKey,
        /// The emoji.
        emoji: Emoji,
        /// It is taken away.
        remove: bool,
    },
    /// An invitation into a group.
    Invitation(Invitation),
    /// The other calls. One call may say so several times.
    Call {
        /// Which call.
        call: CallKey,
        /// When the line about it disappears.
        expiry: Expiry,
    },
    /// Another device of ours took a call, or refused it.
    CallSettled(CallKey),
    /// The wish that a message be deleted.
    Unsend {
        /// The message.
        target: QuoteKey,
        /// Its number, if the wish tells it.
        msg_id: Option<i64>,
    },
    /// The other has read our messages with these sent timestamps.
    ReadReceipt {
        /// Sent timestamps.
        timestamps: Vec<Timestamp>,
    },
    /// The other accepts our messages (spec 02 §21).
    RequestResponse,
    /// The other is typing, or stopped (spec 02 §20). Nothing of it is kept.
    Typing(bool),
}

/// That somebody is typing, or stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeardTyping {
    /// Where.
    pub conversation: ConversationId,
    /// Who.
    pub from: SessionId,
    /// When it was sent.
    pub timestamp: Timestamp,
    /// They are typing; else they stopped.
    pub started: bool,
}

/// What a batch changed: enough to tell the views, and to follow up on the network.
#[derive(Clone, Debug, Default)]
pub struct AppliedBatch {
    /// New messages, in the order of their sent timestamps; ours from other devices are outgoing.
    pub messages: Vec<Message>,
    /// Conversations that became message requests by this batch.
    pub requests: Vec<ConversationId>,
    /// What happened to messages that were here before: reactions, deletions, read receipts, in the order in which it
    /// was applied.
    pub told: Vec<Event>,
    /// Conversations whose messages changed in another way.
    pub changed: BTreeSet<ConversationId>,
    /// The list changed: order, names, counts.
    pub list_changed: bool,
    /// Accounts whose name, picture or approval changed: to be written into the Contacts config.
    pub contacts_changed: BTreeSet<SessionId>,
    /// A picture is to be fetched.
    pub picture_wanted: bool,
    /// Hashes of deleted messages, to be deleted in our own swarm too (spec 02 §23).
    pub delete_hashes: Vec<MessageHash>,
    /// Messages whose countdown began because we wrote on another device, or had read them there.
    pub read: Vec<ReadMessage>,
    /// Who of those we know types, or does not any more.
    pub typing: Vec<HeardTyping>,
    /// Jobs of ours turned out to be done already.
    pub outbox_changed: bool,
    /// Something came that only a later version can show, and that has no place in a conversation.
    pub unreadable: bool,
}
