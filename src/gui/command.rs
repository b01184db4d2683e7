//! What goes between the window and the account behind it.
//!
//! Decision: the window never waits. It sends a [`Command`] and draws on; whatever comes of it arrives as an
//! [`Update`], which wakes the window for one frame. Both are plain values, so a test or a picture needs neither an
//! account nor a network: it reads the commands and feeds updates.

use std::path::PathBuf;
use std::sync::Arc;

use egui::ColorImage;
use septet_client::model::{
    Address, AttachmentId, AttachmentState, Connection, Conversation, ConversationId, Draft, DraftPreview,
    Expiry, Message, MessageId, MessagePage, MessageState, OutgoingFile, Page, Profile, Settings, TypingNow,
};
use septet_protocol::account::DisplayName;
use zeroize::Zeroizing;

use super::attached::{FileNews, FileWish};
use super::clip::{SoundNews, SoundWish};
pub use super::image_key::ImageKey;
use super::own_picture::{PictureNews, PictureWish};
use super::preferences::Preferences;

/// What the person wants.
#[derive(Debug)]
pub enum Command {
    /// Make an account of this name.
    CreateAccount {
        /// As typed; checked where it is made.
        name: String,
    },
    /// Bring back the account of this recovery password, in any of its shapes.
    Restore(Secret),
    /// Stop bringing it back.
    CancelRestore,
    /// Ask for a picture with a QR code, and read the code.
    PickQr,
    /// Read the QR code of a picture in a file.
    ReadQrFile(PathBuf),
    /// Read the QR code of a pasted picture.
    ReadQr(Arc<ColorImage>),
    /// Put a secret on the clipboard, and take it off again after a minute.
    CopySecret(Secret),
    /// Show a conversation: load what is needed, make it if it does not exist.
    Show(ConversationId),
    /// Show the conversation at an address; it is made if there is none.
    Open(Address),
    /// Load messages of a conversation.
    Load {
        /// Which.
        conversation: ConversationId,
        /// Where from.
        page: Page,
        /// How many.
        limit: u32,
    },
    /// Send a message.
    Send {
        /// Where to.
        conversation: ConversationId,
        /// What.
        draft: Draft,
    },
    /// The person has seen that a later version is needed.
    DismissUpdateNotice,
    /// Send a failed message again.
    Resend(MessageId),
    /// Give up on a message that has not gone out.
    Cancel(MessageId),
    /// Put an emoji under a message, or take it away.
    React {
        /// Under which.
        message: MessageId,
        /// One emoji.
        emoji: String,
        /// Take it away.
        remove: bool,
    },
    /// An emoji was chosen for something else than a reaction.
    NoteEmoji(String),
    /// Delete messages: on this device, from which they can be brought back for a moment, or everywhere.
    Delete {
        /// Which.
        messages: Vec<MessageId>,
        /// Everywhere.
        everyone: bool,
    },
    /// Bring back what was deleted on this device a moment ago.
    UndoDelete(Vec<MessageId>),
    /// Ask for a folder, and put attachments there.
    SaveAll(Vec<AttachmentId>),
    /// Messages up to this one were seen.
    MarkRead {
        /// Where.
        conversation: ConversationId,
        /// The newest one seen.
        up_to: MessageId,
    },
    /// Keep what is written and not sent yet.
    SetDraft {
        /// Where.
        conversation: ConversationId,
        /// What; empty for nothing.
        draft: Draft,
    },
    /// Bring back what the draft of a conversation has besides its text.
    LoadDraft(ConversationId),
    /// Ask the website of a link for its preview.
    FetchPreview {
        /// Where it is written.
        conversation: ConversationId,
        /// The link.
        url: String,
    },
    /// Show previews of links that are sent from here, or do not.
    SetLinkPreviews(bool),
    /// Accept a message request.
    Accept(ConversationId),
    /// Decline a message request: its messages are deleted.
    Decline(ConversationId),
    /// Decline every message request.
    DeclineAll,
    /// Block an account.
    Block(ConversationId),
    /// Unblock an account.
    Unblock(ConversationId),
    /// Keep a conversation on top of the list, or not.
    Pin(ConversationId, bool),
    /// Change something else about a conversation.
    Change(ConversationId, Change),
    /// A key was pressed where one writes, or nothing is written any more.
    Typing(ConversationId, TypingNow),
    /// Tell others what was read, and be told, or not.
    SetReadReceipts(bool),
    /// Tell others that one types, and be told, or not.
    SetTypingIndicators(bool),
    /// Fetch an attachment.
    Download(AttachmentId),
    /// Stop fetching or sending an attachment.
    StopTransfer(AttachmentId),
    /// Ask where to put an attachment, and put it there.
    SaveAs {
        /// Which.
        attachment: AttachmentId,
        /// Name to offer.
        name: String,
    },
    /// Something else about files of messages.
    File(FileWish),
    /// Ask for files to send.
    PickFiles(ConversationId),
    /// Prepare a pasted picture for sending.
    StagePicture(ConversationId, Arc<ColorImage>),
    /// Prepare files for sending.
    Stage(ConversationId, Vec<PathBuf>),
    /// Make a picture ready, neither side longer than this many pixels.
    LoadImage(ImageKey, u32),
    /// Show the recovery password.
    Recovery,
    /// Change our public name.
    SetName(String),
    /// Something about our picture.
    OwnPicture(PictureWish),
    /// Ask where to put a picture, and put it there.
    SavePng {
        /// Name to offer.
        name: String,
        /// What to save.
        picture: Arc<ColorImage>,
    },
    /// Keep what was chosen about the window.
    KeepPreferences(Preferences),
    /// Find the account behind a registered name.
    Resolve(String),
    /// Something about sound.
    Sound(SoundWish),
}

/// What can be changed about a conversation. All of it reaches our other devices.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// Give the other a name that only we see, or take it away.
    Nickname(Option<DisplayName>),
    /// Mark it as not seen, or take that mark away.
    MarkUnread(bool),
    /// Switch its notifications off or on.
    Mute(Silence),
    /// Let what one writes there disappear, or stay.
    Expiry(Expiry),
    /// Take it out of the list.
    Hide,
    /// Bring it back into the list.
    ShowInList,
    /// Delete its messages and take it out of the list.
    DeleteMessages,
    /// Delete its messages and forget the other.
    DeleteContact,
}

/// For how long there are no notifications.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Silence {
    /// Not at all.
    Off,
    /// For so many seconds.
    For(u32),
    /// Until they are switched on again.
    ForGood,
}

/// A text that must not be seen anywhere but where it is shown. Wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<Zeroizing<String>> for Secret {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// What happened.
#[derive(Debug)]
pub enum Update {
    /// There is no account in this profile yet.
    NoAccount,
    /// An account is being brought back; how far along.
    Restoring(Progress),
    /// Making or restoring the account failed, as a sentence.
    AccountFailed(String),
    /// The account came back without a name; one must be chosen.
    NameNeeded,
    /// The account that was to be brought back was given up.
    RestoreCancelled,
    /// A secret is on the clipboard, or cannot be put there.
    SecretCopied(bool),
    /// What the QR code of a picture says.
    QrRead(Result<Secret, QrProblem>),
    /// The account is open.
    Opened(Profile),
    /// The account cannot be opened, as a sentence.
    Broken(String),
    /// Our profile changed.
    Profile(Profile),
    /// Something became of a picture that may be ours.
    OwnPicture(PictureNews),
    /// The list was loaded.
    Conversations(Arc<Vec<Conversation>>),
    /// One row of the list is new or changed.
    Conversation(Box<Conversation>),
    /// Messages were loaded.
    Page {
        /// Of which conversation.
        conversation: ConversationId,
        /// From where.
        page: Page,
        /// What was found.
        messages: MessagePage,
    },
    /// A message is new or changed.
    Message(Box<Message>),
    /// These were deleted on this device, which can be undone for a moment.
    DeletedForNow(Vec<MessageId>),
    /// Emoji to offer, the likeliest first.
    RecentEmoji(Vec<String>),
    /// A message to which one wanted to go is not here any more.
    NotHere(ConversationId, MessageId),
    /// A message is gone.
    Gone(ConversationId, MessageId),
    /// A conversation was read up to a message.
    Seen(ConversationId, MessageId),
    /// A message got further.
    State {
        /// Where.
        conversation: ConversationId,
        /// Which.
        message: MessageId,
        /// How far.
        state: MessageState,
    },
    /// An attachment moves or has arrived.
    Attachment {
        /// Where.
        conversation: ConversationId,
        /// Of which message.
        message: MessageId,
        /// Which.
        attachment: AttachmentId,
        /// Where it is now.
        state: AttachmentState,
    },
    /// Messages changed in some way: load what is shown again.
    Stale(ConversationId),
    /// Whether to tell that something came which only a later version can show.
    UpdateWanted(bool),
    /// The connection changed.
    Connection(Connection),
    /// So many ms the network's clock is ahead of this machine's.
    ClockAhead(i64),
    /// What is told and shown on this device.
    Settings(Settings),
    /// The other is typing, or stopped.
    Typing(ConversationId, bool),
    /// A picture is ready, or cannot be shown.
    Image(ImageKey, Option<ColorImage>),
    /// A file waits to be sent.
    Staged(ConversationId, StagedFile),
    /// A pasted picture could not be made a file.
    NotStaged(ConversationId),
    /// More is known of a file that waits to be sent.
    Looked(ConversationId, OutgoingFile, Look),
    /// What the draft of a conversation has besides its text.
    Draft(ConversationId, Writing),
    /// What was chosen about previews of links; `None` if nothing was.
    LinkPreviews(Option<bool>),
    /// What the website of a link answered; `None` if there is nothing to show.
    Preview {
        /// Where the link is written.
        conversation: ConversationId,
        /// The link.
        url: String,
        /// What to show of it.
        preview: Option<ShownPreview>,
    },
    /// The recovery password.
    Recovery(RecoveryWords),
    /// A registered name leads to this account, or to none for this reason.
    Resolved(String, Result<Address, String>),
    /// The system's emoji font was found.
    EmojiFont(Vec<u8>),
    /// Show this conversation.
    OpenConversation(ConversationId),
    /// A message was refused before it was written down; all of it goes back to where it was written.
    Refused {
        /// Where.
        conversation: ConversationId,
        /// What was to be sent.
        writing: Writing,
        /// Why, as a sentence.
        reason: String,
    },
    /// A file was saved here.
    Saved(PathBuf),
    /// Something else became of files of messages.
    File(FileNews),
    /// This system has no way to show a file dialog.
    NoFileDialog,
    /// Something came of a wish about sound.
    Sound(SoundNews),
    /// Something worth a line at the edge of the window.
    Toast(Toast),
}

/// How far restoring is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Looking for nodes.
    Connecting,
    /// Asking the swarm for the account's profile.
    Profile,
    /// Fetching messages.
    Messages {
        /// So many so far.
        fetched: u64,
    },
    /// All is here.
    Done,
}

/// Why a picture gives no QR code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QrProblem {
    /// It is no picture that can be read.
    Unreadable,
    /// There is no code on it, or it is blurred.
    NoCode,
}

/// The recovery password, for the moment it is on screen.
pub struct RecoveryWords {
    /// 13 words.
    pub phrase: Zeroizing<String>,
    /// The same as 12 BIP-39 words.
    pub bip39: Zeroizing<String>,
    /// The same as hexadecimal digits.
    pub hex: Zeroizing<String>,
}

impl std::fmt::Debug for RecoveryWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryWords")
    }
}

/// A line at the edge of the window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Toast {
    /// What it says.
    pub text: String,
    /// Whether something went wrong.
    pub bad: bool,
    /// It tells that these messages were deleted, which can be undone while it is shown.
    pub undo: Vec<MessageId>,
}

impl Toast {
    /// Good to know.
    pub fn info(text: impl Into<String>) -> Self {
        Self { text: text.into(), bad: false, undo: Vec::new() }
    }

    /// Something went wrong.
    pub fn bad(text: impl Into<String>) -> Self {
        Self { text: text.into(), bad: true, undo: Vec::new() }
    }

    /// Messages were deleted, which can be undone for a moment.
    pub fn undo(text: impl Into<String>, messages: Vec<MessageId>) -> Self {
        Self { text: text.into(), bad: false, undo: messages }
    }
}

/// What is in the composer, when it comes back there.
#[derive(Clone, Debug, Default)]
pub struct Writing {
    /// The text.
    pub text: String,
    /// The message it answers.
    pub reply: Option<Arc<Message>>,
    /// The files.
    pub files: Vec<StagedFile>,
    /// What its link leads to.
    pub preview: Option<ShownPreview>,
}

/// What a link leads to, ready to be shown.
#[derive(Clone, Debug)]
pub struct ShownPreview {
    /// What is sent.
    pub preview: DraftPreview,
    /// Its picture.
    pub picture: Option<Arc<ColorImage>>,
}

/// A file that waits in the composer.
#[derive(Clone, Debug)]
pub struct StagedFile {
    /// Name to show.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// It looks like a picture.
    pub picture: bool,
    /// What to send.
    pub source: OutgoingFile,
    /// What a look into it has shown.
    pub look: Look,
}

/// What a look into a file shows.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// A small picture of it, if it is one.
    pub thumbnail: Option<Arc<ColorImage>>,
    /// It may say where it was made, and that cannot be taken out of it.
    pub may_tell_place: bool,
}
