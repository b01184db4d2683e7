//! The handle on one account: what the window, the command line and bots call.
//!
//! A [`Client`] owns one profile folder and everything that runs for it. It is cheap to clone, and its methods
//! return without waiting for the network unless their documentation says so: they write down what is to be done
//! and the engine does it, also after a restart. What changed is told as [`Event`]s.
//!
//! All methods must be called within a tokio runtime with its clock and I/O switched on.

mod error;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use septet_network::NetworkConfig;
use septet_protocol::account::{DisplayName, Seed};
use septet_protocol::id::SessionId;
use septet_protocol::time::Timestamp;
use tokio::sync::broadcast;
use zeroize::Zeroize;

pub use error::{ClientError, SendError};

use crate::event::Event;
use crate::model::{
    AttachmentId, Connection, Conversation, ConversationId, Draft, Message, MessageId, MessagePage, Page,
    PictureId, Profile,
};

/// How to open a profile.
#[derive(Clone)]
pub struct OpenOptions {
    /// Which network the account lives on.
    pub network: NetworkConfig,
    /// Where the key that protects the profile is kept.
    pub key_protection: KeyProtection,
}

/// Where a new profile keeps the key to its database.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum KeyProtection {
    /// The keychain of the operating system if there is one, else a key file.
    #[default]
    Auto,
    /// A file in the profile folder, readable by its owner only.
    KeyFile,
}

/// What `restore` is doing, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RestoreStage {
    /// Finding nodes and building paths.
    Connecting,
    /// Asking the swarm for the account's profile (at most 15 s).
    Profile,
    /// Fetching the messages of the last 14 days; so many so far.
    Messages {
        /// Messages stored so far.
        fetched: u64,
    },
    /// Done; later messages arrive as usual.
    Done,
}

/// The account's secret, in the three forms a person can write down. Wiped when dropped, never printed by `Debug`.
pub struct Recovery {
    /// 13 words.
    pub phrase: String,
    /// The same seed as 12 BIP-39 words.
    pub bip39: String,
    /// The same seed as 32 hexadecimal digits.
    pub hex: String,
}

impl Drop for Recovery {
    fn drop(&mut self) {
        self.phrase.zeroize();
        self.bip39.zeroize();
        self.hex.zeroize();
    }
}

/// One account at work; see the [module](self).
#[derive(Clone)]
pub struct Client(Arc<()>);

impl Client {
    /// Whether the folder holds an account.
    pub fn exists(profile: &Path) -> bool {
        let _ = profile;
        false
    }

    /// Makes a new account in an empty folder. Local and instant: the network hears of it when the client runs and
    /// publishes its profile.
    pub async fn create(
        profile: &Path,
        name: &DisplayName,
        options: OpenOptions,
    ) -> Result<Client, ClientError> {
        let _ = (profile, name, options);
        Err(ClientError::Stopped)
    }

    /// Restores an account from its seed into an empty folder: asks its swarm for the profile (at most 15 s), then
    /// for the messages of the last 14 days, telling the stages (spec 01 §8).
    ///
    /// `fallback_name` is used if the swarm has none. Without either, [`Profile::name`] is empty: ask the person and
    /// call [`Client::set_name`]. Being offline is not an error; the rest arrives when the network is back.
    pub async fn restore(
        profile: &Path,
        seed: Seed,
        fallback_name: Option<DisplayName>,
        options: OpenOptions,
        progress: impl Fn(RestoreStage) + Send + Sync,
    ) -> Result<Client, ClientError> {
        let _ = (profile, seed, fallback_name, options, progress);
        Err(ClientError::Stopped)
    }

    /// Opens the account of a folder. Nothing runs until [`Client::start`] or [`Client::sync_once`].
    pub async fn open(profile: &Path, options: OpenOptions) -> Result<Client, ClientError> {
        let _ = (profile, options);
        Err(ClientError::Stopped)
    }

    /// Starts polling, sending and downloading until [`Client::stop`]. Does nothing if they run already.
    pub fn start(&self) {}

    /// Sends what waits and fetches what is new, once: starts the tasks if they do not run, and returns when
    /// everything that waited in the swarm is here and nothing is left to be sent.
    ///
    /// # Errors
    /// [`ClientError::Offline`] if there is no connection at the end of `timeout`, [`ClientError::TimedOut`] if
    /// there is one but it took longer; the tasks go on in both cases.
    pub async fn sync_once(&self, timeout: Duration) -> Result<(), ClientError> {
        let _ = (timeout,);
        Err(ClientError::Stopped)
    }

    /// Waits until nothing is left to be sent or published; `false` if some is left after `timeout`.
    pub async fn flush(&self, timeout: Duration) -> Result<bool, ClientError> {
        let _ = (timeout,);
        Err(ClientError::Stopped)
    }

    /// Stops all tasks and closes the database. What was not sent yet goes out after the next start. Other handles
    /// on the same account fail with [`ClientError::Stopped`] from now on.
    pub async fn stop(self) {}

    /// Events from now on. A reader that falls behind loses the oldest ones and should load again what it shows.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        broadcast::channel(1).1
    }

    /// How well we are connected.
    pub fn connection(&self) -> Connection {
        Connection::default()
    }

    /// The network's time.
    pub fn now(&self) -> Timestamp {
        Timestamp::default()
    }

    /// Our Account ID.
    pub fn id(&self) -> SessionId {
        SessionId([0; 32])
    }

    /// Who we are.
    pub async fn profile(&self) -> Result<Profile, ClientError> {
        Err(ClientError::Stopped)
    }

    /// Changes our public name; published in the background.
    pub async fn set_name(&self, name: DisplayName) -> Result<(), ClientError> {
        let _ = (name,);
        Err(ClientError::Stopped)
    }

    /// The account's secret in its written forms. Ask for the password first, if there is one.
    pub async fn recovery(&self) -> Result<Recovery, ClientError> {
        Err(ClientError::Stopped)
    }

    /// Asks the network whose account an ONS name is (spec 03 §11). Waits for the network.
    pub async fn resolve_name(&self, name: &str) -> Result<SessionId, ClientError> {
        let _ = (name,);
        Err(ClientError::Stopped)
    }

    /// All conversations, also hidden ones, requests and blocked ones, in list order: pinned first, then the
    /// newest activity. [`Conversation::is_listed`] and [`Conversation::is_request`] tell where each belongs.
    pub async fn conversations(&self) -> Result<Vec<Conversation>, ClientError> {
        Err(ClientError::Stopped)
    }

    /// One conversation, if it exists.
    pub async fn conversation(&self, id: ConversationId) -> Result<Option<Conversation>, ClientError> {
        let _ = (id,);
        Err(ClientError::Stopped)
    }

    /// The conversation, made empty if it does not exist, shown again if it was hidden. Sends nothing.
    pub async fn open_conversation(&self, id: ConversationId) -> Result<Conversation, ClientError> {
        let _ = (id,);
        Err(ClientError::Stopped)
    }

    /// Keeps a text not sent yet; empty removes it.
    pub async fn set_draft(&self, id: ConversationId, text: &str) -> Result<(), ClientError> {
        let _ = (id, text);
        Err(ClientError::Stopped)
    }

    /// Accepts a message request: approves the other and tells them (spec 02 §21.2).
    pub async fn accept(&self, id: ConversationId) -> Result<(), ClientError> {
        let _ = (id,);
        Err(ClientError::Stopped)
    }

    /// Declines a message request: hides it and tells nobody.
    pub async fn decline(&self, id: ConversationId) -> Result<(), ClientError> {
        let _ = (id,);
        Err(ClientError::Stopped)
    }

    /// Blocks the other: nothing from them arrives any more.
    pub async fn block(&self, id: ConversationId) -> Result<(), ClientError> {
        let _ = (id,);
        Err(ClientError::Stopped)
    }

    /// Unblocks the other.
    pub async fn unblock(&self, id: ConversationId) -> Result<(), ClientError> {
        let _ = (id,);
        Err(ClientError::Stopped)
    }

    /// Pins the conversation to the top of the list, or unpins it.
    pub async fn pin(&self, id: ConversationId, pinned: bool) -> Result<(), ClientError> {
        let _ = (id, pinned);
        Err(ClientError::Stopped)
    }

    /// No notifications until then; `None` switches them on again.
    pub async fn mute(&self, id: ConversationId, until: Option<Timestamp>) -> Result<(), ClientError> {
        let _ = (id, until);
        Err(ClientError::Stopped)
    }

    /// Takes the conversation out of the list; its messages stay.
    pub async fn hide(&self, id: ConversationId) -> Result<(), ClientError> {
        let _ = (id,);
        Err(ClientError::Stopped)
    }

    /// Gives the other a private name; `None` removes it.
    pub async fn set_nickname(
        &self,
        id: ConversationId,
        name: Option<DisplayName>,
    ) -> Result<(), ClientError> {
        let _ = (id, name);
        Err(ClientError::Stopped)
    }

    /// Marks the conversation as unread by hand, or takes that mark away.
    pub async fn mark_unread(&self, id: ConversationId, unread: bool) -> Result<(), ClientError> {
        let _ = (id, unread);
        Err(ClientError::Stopped)
    }

    /// Deletes the conversation with all its messages and files from this device.
    pub async fn delete_conversation(&self, id: ConversationId) -> Result<(), ClientError> {
        let _ = (id,);
        Err(ClientError::Stopped)
    }

    /// A part of a conversation of at most `limit` messages, oldest first.
    pub async fn messages(
        &self,
        id: ConversationId,
        page: Page,
        limit: u32,
    ) -> Result<MessagePage, ClientError> {
        let _ = (id, page, limit);
        Err(ClientError::Stopped)
    }

    /// One message, if it exists.
    pub async fn message(&self, id: MessageId) -> Result<Option<Message>, ClientError> {
        let _ = (id,);
        Err(ClientError::Stopped)
    }

    /// Checks a draft, writes it down as message and outbox job in one transaction, and returns its number; it goes
    /// out in the background. Files are read, pictures prepared and all of it stored before this returns.
    pub async fn send(&self, id: ConversationId, draft: Draft) -> Result<MessageId, SendError> {
        let _ = (id, draft);
        Err(ClientError::Stopped.into())
    }

    /// Waits until a message of ours is sent or failed. In both cases, and after [`ClientError::TimedOut`], what is
    /// to be done about it goes on by itself.
    pub async fn wait_sent(&self, id: MessageId, timeout: Duration) -> Result<Message, ClientError> {
        let _ = (id, timeout);
        Err(ClientError::Stopped)
    }

    /// Tries a failed message again.
    pub async fn resend(&self, id: MessageId) -> Result<(), ClientError> {
        let _ = (id,);
        Err(ClientError::Stopped)
    }

    /// Removes a message that is not sent yet, with its files. Does nothing if it is sent.
    pub async fn cancel(&self, id: MessageId) -> Result<(), ClientError> {
        let _ = (id,);
        Err(ClientError::Stopped)
    }

    /// Marks all messages up to and including this one as read.
    pub async fn mark_read(&self, id: ConversationId, up_to: MessageId) -> Result<(), ClientError> {
        let _ = (id, up_to);
        Err(ClientError::Stopped)
    }

    /// Adds one's reaction to a message, or removes it (spec 02 §16).
    pub async fn react(&self, id: MessageId, emoji: &str, remove: bool) -> Result<(), ClientError> {
        let _ = (id, emoji, remove);
        Err(ClientError::Stopped)
    }

    /// Deletes a message from this device; only its place is kept. Nobody is told.
    pub async fn delete_message(&self, id: MessageId) -> Result<(), ClientError> {
        let _ = (id,);
        Err(ClientError::Stopped)
    }

    /// Deletes a message of ours from all our devices and asks the other's devices to do the same; a note to
    /// oneself goes without a trace (spec 02 §23).
    pub async fn delete_for_everyone(&self, id: MessageId) -> Result<(), ClientError> {
        let _ = (id,);
        Err(ClientError::Stopped)
    }

    /// Fetches an attachment in the background; events tell how far it is.
    pub async fn download(&self, id: AttachmentId) -> Result<(), ClientError> {
        let _ = (id,);
        Err(ClientError::Stopped)
    }

    /// Stops fetching an attachment; it can be asked for again.
    pub async fn cancel_download(&self, id: AttachmentId) -> Result<(), ClientError> {
        let _ = (id,);
        Err(ClientError::Stopped)
    }

    /// The plain bytes of an attachment that is on this disk.
    pub async fn attachment_bytes(&self, id: AttachmentId) -> Result<Arc<[u8]>, ClientError> {
        let _ = (id,);
        Err(ClientError::Stopped)
    }

    /// Writes an attachment into the folder `to` under its own, cleaned name (spec 04 §11), or, if `to` is no
    /// folder, to the file `to`. Never overwrites: a number is added instead. Returns the final path.
    pub async fn save_attachment(&self, id: AttachmentId, to: &Path) -> Result<PathBuf, ClientError> {
        let _ = (id, to);
        Err(ClientError::Stopped)
    }

    /// The plain bytes of a display picture.
    pub async fn picture(&self, id: &PictureId) -> Result<Arc<[u8]>, ClientError> {
        let _ = (id,);
        Err(ClientError::Stopped)
    }
}
