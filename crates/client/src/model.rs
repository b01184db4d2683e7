//! The shapes that the window, the command line and bots see.
//!
//! Decision: they are plain, immutable values, made by the store in one query and shared as they are. Nothing in
//! them refers back to the database, so a frame can draw them without waiting for anything.

mod address;

use std::cmp::Ordering;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use schemars::JsonSchema;
use septet_protocol::id::{MessageHash, SessionId};
use septet_protocol::message::Expiration;
use septet_protocol::time::Timestamp;
use serde::{Deserialize, Serialize};

pub use address::{Address, AddressError};

/// A conversation's number in this profile; stable across restarts, never reused, also if it is deleted and comes
/// back. Outside of this profile it is named by its [`Address`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConversationId(pub i64);

/// A message's number in this profile; stable across restarts, never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub i64);

/// An attachment's number in this profile.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttachmentId(pub i64);

/// Who we are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    /// Our Account ID.
    pub id: SessionId,
    /// The public name, 1 to 100 bytes; empty only while an account is being restored.
    pub name: String,
    /// The display picture on disk (decrypted bytes are read with `Client::picture`), if any.
    pub picture: Option<PictureId>,
    /// What other devices know of the account is here. Until then, in a restored account that has had no connection,
    /// name, picture and contacts are those set here, and those that the account has will take their place; there is
    /// nothing to be asked of a person.
    pub read: bool,
}

/// Names one version of somebody's display picture: changes when the picture does, so it can key a cache.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PictureId(pub String);

/// What a conversation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConversationKind {
    /// The chat with oneself.
    NoteToSelf,
    /// A private chat with one other account.
    Private,
    /// A group. This version keeps its place, and shows none.
    Group,
    /// A room of a community. This version keeps its place, and shows none.
    Room,
    /// A private chat with somebody known from a community only. This version keeps its place, and shows none.
    Blinded,
}

/// A program that reads what arrives; see `Client::reader`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReaderId(pub i64);

/// What became of a message that was to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// It is written down.
    Now(MessageId),
    /// One was written under its key before, and nothing is now.
    Before(SentBefore),
}

/// What was written under a key that is used again; see `Client::send_once`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SentBefore {
    /// The number it got; it may be gone since.
    pub message: MessageId,
    /// Its sent timestamp as it was written first.
    pub timestamp: Timestamp,
}

/// One row of the conversation list, and the head of an open conversation.
#[derive(Clone, PartialEq, Debug)]
pub struct Conversation {
    /// Which one.
    pub id: ConversationId,
    /// Whom or what it is with.
    pub address: Address,
    /// What it is.
    pub kind: ConversationKind,
    /// The other's public name; empty if unknown (show [`Conversation::title`]).
    pub name: String,
    /// The private name given to the other, if any.
    pub nickname: Option<String>,
    /// The other's display picture, if we have it.
    pub picture: Option<PictureId>,
    /// Incoming messages not read yet.
    pub unread: u32,
    /// Unread messages that mention us.
    pub mentions: u32,
    /// Marked unread by hand.
    pub marked_unread: bool,
    /// Pin priority: 0 not pinned, higher is further up.
    pub pinned: i64,
    /// No notifications until then; `Timestamp::from_ms(u64::MAX)` is "until switched on again".
    pub muted_until: Option<Timestamp>,
    /// Not in the list.
    pub hidden: bool,
    /// We accepted the other.
    pub approved: bool,
    /// The other accepted us.
    pub approved_me: bool,
    /// We blocked the other.
    pub blocked: bool,
    /// What is written and not sent yet.
    pub draft: Option<DraftSummary>,
    /// The newest message.
    pub last_message: Option<LastMessage>,
    /// Sent timestamp of the newest message, or when the conversation was opened; sorts the list.
    pub active_at: Timestamp,
    /// When messages that we send here disappear.
    pub expiry: Expiry,
    /// What was answered to whether files that come here are fetched by themselves; of private chats only, and on this
    /// device only. What it comes to: [`Conversation::fetches_files`].
    pub downloads: Downloads,
}

/// Whether files of a contact are fetched by themselves, as a person answered on this device (spec 02 §13).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Downloads {
    /// Nobody was asked yet: the first click on a file asks.
    #[default]
    Ask,
    /// Only what is clicked.
    OnClick,
    /// All of them.
    Automatic,
}

impl Conversation {
    /// What to call it: nickname, name, or the shortened id. Note to Self is named by the string table.
    pub fn title(&self) -> String {
        match &self.nickname {
            Some(nickname) if !nickname.is_empty() => nickname.clone(),
            _ if !self.name.is_empty() => self.name.clone(),
            _ => self.address.short(),
        }
    }

    /// A stranger's conversation that waits to be accepted, declined or blocked (spec 02 §21.2).
    pub fn is_request(&self) -> bool {
        self.kind == ConversationKind::Private
            && !self.approved
            && self.approved_me
            && !self.blocked
            && !self.hidden
    }

    /// Whether files and pictures that others send here are fetched without asking (spec 02 §13): in private chats if a
    /// person said so, elsewhere always. Our own, from our other devices, are everywhere.
    pub fn fetches_files(&self) -> bool {
        match self.kind {
            ConversationKind::Private | ConversationKind::Blinded => {
                self.downloads == Downloads::Automatic && !self.blocked
            }
            ConversationKind::NoteToSelf | ConversationKind::Group | ConversationKind::Room => true,
        }
    }

    /// The order of the list (what the official desktop client shows): pins, activity, titles; addresses make it total.
    pub fn list_order(&self, other: &Self) -> Ordering {
        (other.pinned.cmp(&self.pinned))
            .then_with(|| other.active_at.cmp(&self.active_at))
            .then_with(|| self.title().to_lowercase().cmp(&other.title().to_lowercase()))
            .then_with(|| self.address.cmp(&other.address))
    }

    /// Whether it belongs into the main list.
    pub fn is_listed(&self) -> bool {
        !self.hidden && !self.blocked && (self.kind == ConversationKind::NoteToSelf || self.approved)
    }
}

/// What an account is a member of. This version does not show these conversations yet, but keeps them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Memberships {
    /// Groups.
    pub groups: usize,
    /// Rooms of communities.
    pub communities: usize,
}

/// The newest message of a conversation, as the list shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct LastMessage {
    /// Its number.
    pub id: MessageId,
    /// Its author.
    pub from: SessionId,
    /// Whether we wrote it.
    pub outgoing: bool,
    /// Its text, cut to what a row can show; empty if it has none.
    pub text: String,
    /// What to say instead if there is no text: the kind of its first attachment, or a notice.
    pub attachment: Option<AttachmentSummary>,
    /// The notice it is, if it is not a text.
    pub notice: Option<Notice>,
    /// Sent timestamp.
    pub timestamp: Timestamp,
    /// How far it got.
    pub state: MessageState,
    /// Read by the other (outgoing) or by us (incoming).
    pub read: bool,
    /// It was deleted; only the place is kept.
    pub deleted: bool,
}

/// The first attachment of a message, in a few words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttachmentSummary {
    /// MIME type as sent.
    pub content_type: String,
    /// Cleaned file name; may be empty.
    pub name: String,
    /// How many attachments there are.
    pub count: u32,
    /// It is a voice message.
    pub voice: bool,
}

/// How far a message got.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// Ours, not in the other's swarm yet.
    Sending,
    /// Ours, stored in the other's swarm.
    Sent,
    /// Ours, given up; can be sent again.
    Failed,
    /// The other's.
    Received,
}

/// One message of a conversation.
#[derive(Clone, PartialEq, Debug)]
pub struct Message {
    /// Its number.
    pub id: MessageId,
    /// Where it stands.
    pub conversation: ConversationId,
    /// Its author.
    pub from: SessionId,
    /// Whether we wrote it, on this or another device.
    pub outgoing: bool,
    /// Sent timestamp; with the author it is the message's identity on the network.
    pub timestamp: Timestamp,
    /// Where it stands in its conversation: where it was sent, or where it came if it claims to be from the future.
    /// Messages of the same moment stand in the order of their sent timestamps.
    pub sorted_at: Timestamp,
    /// The name our own swarm gave it, once known.
    pub hash: Option<MessageHash>,
    /// Its text; may be empty.
    pub text: String,
    /// How far it got.
    pub state: MessageState,
    /// Why it failed, as a sentence, if it did.
    pub failure: Option<String>,
    /// Read by the other (outgoing) or by us (incoming).
    pub read: bool,
    /// Pictures and files, in the sender's order.
    pub attachments: Vec<Attachment>,
    /// The message it answers.
    pub quote: Option<Quote>,
    /// A link in its text, with what its sender tells of the page.
    pub preview: Option<LinkPreview>,
    /// Reactions, in the order of their first appearance.
    pub reactions: Vec<Reaction>,
    /// It is not a text but a line that tells what happened.
    pub notice: Option<Notice>,
    /// It was deleted; only the place is kept.
    pub deleted: bool,
    /// It was deleted on this device only, by us; elsewhere it may still be read. False unless it is deleted.
    pub deleted_here: bool,
    /// When it will disappear, once the countdown runs.
    pub expires_at: Option<Timestamp>,
    /// The timer it came with.
    pub expiry: Expiry,
}

/// A line in a conversation that tells what happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// We accepted the other's message request.
    YouAccepted,
    /// The other accepted ours.
    TheyAccepted,
    /// The author changed when their messages disappear.
    ExpiryChanged {
        /// The new setting.
        expiry: Expiry,
    },
    /// The other saved a picture or file of ours.
    MediaSaved,
    /// The other took a screenshot.
    Screenshot,
    /// The other tried to call.
    MissedCall,
    /// An invitation into a community.
    CommunityInvitation {
        /// Full address with key.
        url: String,
        /// Name of the room.
        name: String,
    },
    /// An invitation into a group, which this version cannot join yet.
    GroupInvitation {
        /// Name of the group.
        name: String,
    },
    /// Something that this version cannot show; a later one may.
    Unreadable,
}

/// A link with what the sender of a message tells of its page (spec 02 §15). Nothing of it is fetched by itself.
#[derive(Clone, PartialEq, Debug)]
pub struct LinkPreview {
    /// The link, as it stands in the text.
    pub url: String,
    /// Title of the page; may be empty if there is a picture.
    pub title: String,
    /// Picture of the page; fetched from the file server like an attachment, never from the page.
    pub image: Option<Attachment>,
}

/// When messages disappear (spec 02 §18).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "mode", content = "seconds", rename_all = "snake_case")]
pub enum Expiry {
    /// They stay.
    #[default]
    Off,
    /// So many seconds after they were read.
    AfterRead(u32),
    /// So many seconds after they were sent.
    AfterSend(u32),
}

impl From<Expiration> for Expiry {
    fn from(expiration: Expiration) -> Self {
        match expiration {
            Expiration::Off => Self::Off,
            Expiration::AfterRead(seconds) => Self::AfterRead(seconds),
            Expiration::AfterSend(seconds) => Self::AfterSend(seconds),
        }
    }
}

impl From<Expiry> for Expiration {
    fn from(expiry: Expiry) -> Self {
        match expiry {
            Expiry::Off => Self::Off,
            Expiry::AfterRead(seconds) => Self::AfterRead(seconds),
            Expiry::AfterSend(seconds) => Self::AfterSend(seconds),
        }
    }
}

/// What a message answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quote {
    /// Author of the quoted message.
    pub author: SessionId,
    /// Its sent timestamp.
    pub timestamp: Timestamp,
    /// The message itself, if it is here.
    pub message: Option<MessageId>,
    /// Its text, cut; empty if it is not here or has none.
    pub text: String,
    /// Its first attachment, if it has one.
    pub attachment: Option<AttachmentSummary>,
    /// That attachment, if it is a picture and on this disk.
    pub picture: Option<AttachmentId>,
}

/// One emoji under a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reaction {
    /// The emoji.
    pub emoji: String,
    /// Who chose it, oldest first.
    pub from: Vec<SessionId>,
}

/// A picture or file of a message.
#[derive(Clone, PartialEq, Debug)]
pub struct Attachment {
    /// Its number.
    pub id: AttachmentId,
    /// File name, cleaned of paths, control and direction characters (spec 04 §11); may be empty.
    pub name: String,
    /// MIME type as sent; not to be trusted for anything but a first guess.
    pub content_type: String,
    /// Size of the plain file in bytes.
    pub size: u64,
    /// Width and height in pixels, if the sender told.
    pub dimensions: Option<(u32, u32)>,
    /// It is a voice message.
    pub voice: bool,
    /// Where it is.
    pub state: AttachmentState,
}

impl Message {
    /// All files that came with it: attachments, then the picture of its link.
    pub fn files(&self) -> impl Iterator<Item = &Attachment> {
        self.attachments.iter().chain(self.preview.as_ref().and_then(|preview| preview.image.as_ref()))
    }

    /// The same, to change them.
    pub fn files_mut(&mut self) -> impl Iterator<Item = &mut Attachment> {
        self.attachments.iter_mut().chain(self.preview.as_mut().and_then(|preview| preview.image.as_mut()))
    }
}

impl Attachment {
    /// Whether to show it as a picture: by type, never SVG (spec 04 §9).
    pub fn is_image(&self) -> bool {
        matches!(
            self.content_type.as_str(),
            "image/png" | "image/jpeg" | "image/jpg" | "image/webp" | "image/gif"
        )
    }
}

/// Where an attachment is. The plain bytes are had with `Client::attachment_bytes`.
#[derive(Clone, PartialEq, Debug)]
pub enum AttachmentState {
    /// Ours, being made ready to be sent: copied, scaled, rid of what it tells about where it was made. Until that is
    /// done its size and type are those of the original.
    Preparing,
    /// Ours, waiting for or on its way to the file server.
    Uploading {
        /// Bytes sent.
        done: u64,
        /// Bytes to send; 0 while unknown.
        total: u64,
    },
    /// The other's, not fetched: waits for a click or for its turn.
    Remote,
    /// On its way here.
    Downloading {
        /// Bytes received.
        done: u64,
        /// Bytes to receive; 0 while unknown.
        total: u64,
    },
    /// On this disk, encrypted.
    Local,
    /// Could not be fetched, several times or for good; can be tried again. Until it is given up, it is also tried
    /// again by itself from time to time (spec 09 §2.3).
    Failed {
        /// Why, as a sentence.
        reason: String,
    },
    /// The file server does not have it any more.
    Expired,
    /// Its message does not say in a usable way where it is or how to decrypt it: it can never be opened.
    Unusable,
}

/// What to send.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Draft {
    /// Text; trimmed before it is sent, at most 2,000 code points.
    pub text: String,
    /// Files, at most 32, each 1 to 10,000,000 bytes.
    pub files: Vec<OutgoingFile>,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// What the first link of the text leads to. It is left out if its link is not in the text, and beside files or an
    /// answer, as in the official apps.
    pub preview: Option<DraftPreview>,
}

/// What a link leads to, made by `Client::preview` (spec 02 §15).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DraftPreview {
    /// The link, as it stands in the text.
    pub url: String,
    /// Title of the page.
    pub title: String,
    /// Its picture, if it has one.
    pub image: Option<PreviewImage>,
}

/// The small picture of a page: a JPEG or WebP without metadata.
#[derive(Clone, PartialEq, Eq)]
pub struct PreviewImage {
    /// The file.
    pub bytes: Arc<[u8]>,
    /// MIME type.
    pub content_type: String,
    /// Width and height in pixels, at most 200.
    pub dimensions: (u32, u32),
}

impl fmt::Debug for PreviewImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PreviewImage({:?}, {} bytes)", self.dimensions, self.bytes.len())
    }
}

/// A file to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OutgoingFile {
    /// Read from disk; named and typed by its path.
    Path(PathBuf),
    /// From memory, such as a pasted picture.
    Bytes {
        /// File name to send.
        name: String,
        /// MIME type.
        content_type: String,
        /// The file.
        bytes: Vec<u8>,
    },
    /// From the profile's own store.
    Kept(KeptFile),
}

/// A file in the profile's encrypted store that waits to be sent; made by `Client::keep_file`. It is deleted at the next
/// start if neither a draft nor a message has it by then, and when its draft is given up.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct KeptFile {
    /// File name to send.
    pub name: String,
    /// MIME type.
    pub content_type: String,
    /// Size in bytes.
    pub size: u64,
    /// It is a voice message, which goes alone (spec 02 §13).
    pub voice: bool,
    /// Its name in the folder of files.
    pub(crate) file: String,
}

/// What waits to be sent in a conversation, as its row in the list tells it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DraftSummary {
    /// The text; may be empty.
    pub text: String,
    /// How many files wait.
    pub files: u32,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// It has the preview of a link.
    pub preview: bool,
}

/// A place in a conversation to page from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Page {
    /// The newest messages.
    Newest,
    /// Those just before this message.
    Before(MessageId),
    /// Those just after this message.
    After(MessageId),
    /// This message in the middle.
    Around(MessageId),
}

/// Part of a conversation, oldest first.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct MessagePage {
    /// The messages, oldest first.
    pub messages: Vec<Message>,
    /// There are older ones.
    pub more_before: bool,
    /// There are newer ones.
    pub more_after: bool,
}

/// What a person does in the place where one writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TypingNow {
    /// A key was pressed that changed the text.
    Key,
    /// The text is empty again, or was left.
    Stopped,
}

/// What is told and shown on this device; not shared with our other ones. All of it is off to begin with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Settings {
    /// People we accepted are told what we read, and we what they read.
    pub read_receipts: bool,
    /// People we accepted are told that we are typing, and we that they are.
    pub typing_indicators: bool,
}

/// How well we are connected.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Connection {
    /// Light and word.
    pub state: ConnectionState,
    /// Onion paths in use; each three hops from the guard on.
    pub paths: Vec<Vec<PathHop>>,
}

/// The path light.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// No network, or no path can be built.
    Offline,
    /// Building paths.
    #[default]
    Connecting,
    /// Requests go through.
    Connected,
}

/// One node of a path.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct PathHop {
    /// IPv4 address.
    pub ip: String,
    /// ISO country code, if known.
    pub country: Option<String>,
    /// The node's key, 64 hex digits.
    pub ed25519: String,
}
