//! What goes into the store and what comes out of it, where [`crate::model`] has no shape for it.

use septet_protocol::id::{Account, MessageHash, Namespace, SessionId};
use septet_protocol::message::Emoji;
use septet_protocol::time::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::kinds::Transport;
use crate::model::{
    Address, AttachmentId, ConversationId, DraftPreview, Expiry, KeptFile, MessageId, Notice,
};
use crate::source_file::SourceFile;

/// What time it is on the network (spec 03 §8). Until it is known, what is sent gets no final timestamp, and no
/// countdown begins or ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Now {
    /// The network has told it.
    Known(Timestamp),
    /// The best guess; may be years off.
    Guessed(Timestamp),
}

impl Now {
    /// The time, known or not.
    pub const fn at(self) -> Timestamp {
        match self {
            Self::Known(at) | Self::Guessed(at) => at,
        }
    }

    /// The time, if it is known.
    pub const fn known(self) -> Option<Timestamp> {
        match self {
            Self::Known(at) => Some(at),
            Self::Guessed(_) => None,
        }
    }
}

/// A job's number in the outbox.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct JobId(pub i64);

/// Where a picture's encrypted bytes are, and what decrypts them (spec 02 §12).
#[derive(Clone, PartialEq, Eq)]
pub struct PictureSource {
    /// Address on the file server.
    pub url: String,
    /// 32 bytes (16 from very old clients).
    pub key: Zeroizing<Vec<u8>>,
}

/// A public profile, of ourselves or as it came with a message or a config.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ProfileData {
    /// The name; empty if none was told (the stored one stays).
    pub name: String,
    /// The picture; none removes it.
    pub picture: Option<PictureSource>,
    /// When it was last changed, Unix **seconds**; 0 if not told.
    pub updated: u64,
}

/// Which message another one answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuoteKey {
    /// Author of the quoted message.
    pub author: SessionId,
    /// Its sent timestamp.
    pub timestamp: Timestamp,
}

/// Where a file is on the file server (spec 04).
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteFile {
    /// Address, with its fragment.
    pub url: String,
    /// 64 bytes (legacy) or 32 bytes (deterministic); empty in communities.
    pub key: Zeroizing<Vec<u8>>,
    /// SHA-256 of the uploaded bytes, legacy encryption only.
    pub digest: Option<[u8; 32]>,
}

/// An attachment to store with its message.
#[derive(Clone)]
pub struct NewAttachment {
    /// Cleaned file name; may be empty.
    pub name: String,
    /// MIME type.
    pub content_type: String,
    /// Size of the plain file in bytes.
    pub size: u64,
    /// Pixels, if known.
    pub dimensions: Option<(u32, u32)>,
    /// It is a voice message.
    pub voice: bool,
    /// Where it is on the file server: of a received one, unless its message does not say so in a way that can be
    /// used. Without it and without a file it can never be opened.
    pub remote: Option<RemoteFile>,
    /// Its name in the folder of files, if it is ready to be sent or was received whole.
    pub file: Option<String>,
    /// Where it is, if it is one to send that is not prepared yet; then `file` and `remote` are none.
    pub original: Option<Original>,
    /// The pointer as received, with what this version does not read in it; `None` of one to send, and of one that was
    /// too long ([`RawPointer`](septet_protocol::message::RawPointer)).
    pub pointer: Option<Zeroizing<Vec<u8>>>,
}

/// A link with a title and a picture (spec 02 §15).
#[derive(Clone)]
pub struct NewPreview {
    /// The link, as it stands in the text.
    pub url: String,
    /// Title of the page; may be empty if there is a picture.
    pub title: String,
    /// The picture.
    pub image: Option<Box<NewAttachment>>,
}

/// Where a file is that a person gave to be sent, before it is prepared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Original {
    /// In the folder of files, under this name.
    Here(String),
    /// Where the person has it; it is to be copied.
    There(SourceFile),
}

/// An attachment that is ready to be uploaded.
#[derive(Clone, Debug)]
pub struct PreparedFile {
    /// Its name in the folder of files.
    pub file: String,
    /// MIME type.
    pub content_type: String,
    /// Size in bytes.
    pub size: u64,
    /// Pixels, if it is a picture.
    pub dimensions: Option<(u32, u32)>,
}

/// What is being written in a conversation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StoredDraft {
    /// The text.
    pub text: String,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// Files, in the order they were added.
    pub files: Vec<DraftFile>,
    /// What the link in it leads to.
    pub preview: Option<DraftPreview>,
}

/// A file of a draft.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DraftFile {
    /// Where the person has it.
    There(String),
    /// In the folder of files.
    Here(KeptFile),
}

/// Where a stored attachment stands between here and the file server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransferState {
    /// Here, to be uploaded.
    Upload,
    /// On the file server; fetched when asked for.
    Remote,
    /// On the file server; to be fetched.
    Download,
    /// Here.
    Local,
    /// Given up until asked for again.
    Failed,
    /// Gone from the file server.
    Expired,
    /// Nowhere that we know of, or with no key that could open it.
    Unusable,
    /// Ours, to be prepared before it is uploaded.
    Prepare,
}

/// An attachment with everything that up- and download need.
#[derive(Clone)]
pub struct StoredAttachment {
    /// Its number.
    pub id: AttachmentId,
    /// The message it belongs to.
    pub message: MessageId,
    /// That message's conversation.
    pub conversation: ConversationId,
    /// Cleaned file name; may be empty.
    pub name: String,
    /// MIME type.
    pub content_type: String,
    /// Size of the plain file in bytes.
    pub size: u64,
    /// Pixels, if known.
    pub dimensions: Option<(u32, u32)>,
    /// It is a voice message.
    pub voice: bool,
    /// Where it stands.
    pub state: TransferState,
    /// Where it is on the file server, if it is.
    pub remote: Option<RemoteFile>,
    /// Its name in the folder of files, if it is here.
    pub file: Option<String>,
    /// Where the person has it, if it is to be sent and not copied yet.
    pub source: Option<SourceFile>,
    /// Why it was given up, as a sentence.
    pub failure: Option<String>,
    /// How often moving it was tried.
    pub attempts: u32,
    /// It is the picture of its message's link, and no attachment.
    pub preview: bool,
}

/// A message of ours that is to be sent.
#[derive(Clone)]
pub struct OutgoingMessage {
    /// Where to.
    pub conversation: ConversationId,
    /// Its sent timestamp, from [`Db::next_timestamp`](super::Db::next_timestamp).
    pub timestamp: Timestamp,
    /// Its text.
    pub text: String,
    /// What it answers.
    pub quote: Option<QuoteKey>,
    /// Its files.
    pub attachments: Vec<NewAttachment>,
    /// What a link in it leads to.
    pub preview: Option<NewPreview>,
    /// What it tells, if it is a control line (a changed timer).
    pub notice: Option<Notice>,
    /// When it disappears.
    pub expiry: Expiry,
}

/// What storing an outgoing message led to.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The new message.
    pub id: MessageId,
    /// It answered a message request: a request response has to be sent too (spec 02 §21.2).
    pub accepted_request: bool,
    /// Messages of the other whose countdown began because they thereby became read.
    pub read: Vec<ReadMessage>,
}

/// Whether only a message's place is kept, and by whose will.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deletion {
    /// The message is here.
    No,
    /// Its author deleted it, everywhere.
    ByAuthor,
    /// We deleted it on this device.
    Here,
    /// The same, but for a moment all of it is still here and can be brought back.
    HereForNow,
}

/// What a job is for; decides what its success means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JobKind {
    /// A message to its recipient; its success makes the message "sent".
    ToRecipient,
    /// The copy of a sent message for our own swarm; brings the message its hash.
    SyncCopy,
    /// A note to ourselves: both of these.
    OwnNote,
    /// A reaction, unsend request, request response…: changes no message.
    Other,
}

/// Something to be sent that is not encoded yet and is no row of messages: what there is to say, without a date.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Wish {
    /// We accept the other (spec 02 §21).
    RequestResponse,
    /// An emoji put under a message, or taken away.
    Reaction {
        /// The message's author.
        author: SessionId,
        /// The message's sent timestamp.
        timestamp: Timestamp,
        /// The emoji.
        emoji: Emoji,
        /// It is taken away.
        remove: bool,
    },
    /// A message that is to be deleted.
    Unsend {
        /// Its author.
        author: SessionId,
        /// Its sent timestamp.
        timestamp: Timestamp,
    },
    /// We have read the messages with these sent timestamps.
    ReadReceipt {
        /// Sent timestamps.
        timestamps: Vec<Timestamp>,
    },
    /// We saved a file of the message with this sent timestamp.
    MediaSaved {
        /// The sent timestamp.
        timestamp: Timestamp,
    },
    /// Our messages disappear like this from now on.
    TimerUpdate {
        /// The timer.
        expiry: Expiry,
    },
}

/// Bytes to be stored in a swarm.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// What for.
    pub kind: JobKind,
    /// Whose swarm.
    pub recipient: Account,
    /// Which compartment.
    pub namespace: Namespace,
    /// The message it carries, if any.
    pub message: Option<MessageId>,
    /// Sent timestamp of what it carries.
    pub timestamp: Timestamp,
    /// How long the swarm shall keep it, in ms.
    pub ttl_ms: u64,
    /// The bytes; `None` until uploads are done and the job has a timestamp of the network's, see
    /// [`Db::outbox_encoded`](super::Db::outbox_encoded).
    pub payload: Option<Vec<u8>>,
    /// What to encode when it has its final timestamp, if that is not a row of messages.
    pub wish: Option<Wish>,
    /// The copy for our own swarm, sent when this one is.
    pub copy: Option<SwarmCopy>,
}

/// What follows a job into our own swarm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SwarmCopy {
    /// The bytes.
    pub payload: Vec<u8>,
    /// How long the swarm shall keep them, in ms.
    pub ttl_ms: u64,
}

/// A queue of the outbox: what goes to one place goes out in the order in which it was written. Told apart only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Lane(pub(super) Vec<u8>);

/// A job that is the first of its lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// Which one.
    pub job: JobId,
    /// Its lane.
    pub lane: Lane,
}

/// A job as it stands, without its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// Its number; those of one lane are done in this order.
    pub id: JobId,
    /// Its lane.
    pub lane: Lane,
    /// How it gets where it goes.
    pub transport: Transport,
    /// What for.
    pub kind: JobKind,
    /// Whose swarm.
    pub recipient: Account,
    /// Which compartment.
    pub namespace: Namespace,
    /// The message it carries, if any.
    pub message: Option<MessageId>,
    /// Sent timestamp of what it carries.
    pub timestamp: Timestamp,
    /// How long the swarm shall keep it, in ms.
    pub ttl_ms: u64,
    /// It has bytes; see [`Db::outbox_payload`](super::Db::outbox_payload).
    pub encoded: bool,
    /// What to encode, if that is not a row of messages.
    pub wish: Option<Wish>,
    /// Some of its bytes, or of what it is the copy of, may be out: it keeps them and its timestamp for ever.
    pub attempted: bool,
    /// When it was made.
    pub created: Timestamp,
}

/// An incoming message that disappears after reading and has just become read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadMessage {
    /// The message.
    pub id: MessageId,
    /// Its author.
    pub from: SessionId,
    /// Its sent timestamp.
    pub timestamp: Timestamp,
    /// Its hash in our swarm.
    pub hash: Option<MessageHash>,
    /// Its countdown began just now and ends then: the swarm's copy is to be shortened (spec 02 §18.4).
    pub expires_at: Option<Timestamp>,
}

/// Read up to where.
#[derive(Clone, Debug, Default)]
pub struct ReadOutcome {
    /// Something was read by it.
    pub any: bool,
    /// Of what was read, what disappears after reading and whose countdown began, oldest first; the first thousand.
    pub read: Vec<ReadMessage>,
    /// The conversation's read mark moved or its hand-made "unread" mark is gone: sync it.
    pub changed: bool,
}

/// A contact's standing, as configs sync it (spec 05 §11.1).
#[derive(Clone, PartialEq, Eq)]
pub struct ContactData {
    /// Who.
    pub id: SessionId,
    /// Public profile.
    pub profile: ProfileData,
    /// Our name for them.
    pub nickname: Option<String>,
    /// We accepted them.
    pub approved: bool,
    /// They accepted us.
    pub approved_me: bool,
    /// We blocked them.
    pub blocked: bool,
    /// Negative hidden, 0 listed, positive pinned; `None` if there is no conversation.
    pub priority: Option<i64>,
    /// No notifications until then.
    pub muted_until: Option<Timestamp>,
    /// When our messages to them disappear.
    pub expiry: Expiry,
    /// When the contact was made.
    pub created: Timestamp,
}

/// How far a conversation was read, as configs sync it (spec 05 §11.3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadMark {
    /// Which conversation.
    pub conversation: ConversationId,
    /// What it is with.
    pub address: Address,
    /// Everything up to this sent timestamp is read.
    pub last_read: Timestamp,
    /// Marked unread by hand.
    pub marked_unread: bool,
}

/// A synced config as it lies on disk.
#[derive(Clone)]
pub struct StoredConfig {
    /// Whose.
    pub owner: Account,
    /// Which.
    pub namespace: Namespace,
    /// The protocol's own dump.
    pub dump: Zeroizing<Vec<u8>>,
    /// It has changes that the swarm does not have.
    pub needs_push: bool,
    /// Sent timestamp of the newest config message merged, as far as two members of the swarm agree; zero if none.
    pub processed_at: Timestamp,
}
