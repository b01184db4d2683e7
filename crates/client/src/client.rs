//! The handle on one account: what the window, the command line and bots call.
//!
//! A [`Client`] owns one profile folder and everything that runs for it. It is cheap to clone, and its methods
//! return without waiting for the network unless their documentation says so: they write down what is to be done
//! and the engine does it, also after a restart. What changed is told as [`Event`]s.
//!
//! All methods must be called within a tokio runtime with its clock and I/O switched on.

mod conversations;
mod deleting;
mod drafts;
mod files;
mod messages;
mod open;
mod previews;
mod reacting;
mod readers;
mod requests;
mod settings;
mod trust;
mod unreadable;

use std::sync::Arc;
use std::time::Duration;

use septet_network::NetworkConfig;
use septet_protocol::account::DisplayName;
use septet_protocol::id::{Ed25519Public, SessionId};
use septet_protocol::time::Timestamp;
use tokio::sync::broadcast;
use tokio::time::timeout_at;
use zeroize::Zeroize;

pub use crate::error::{ClientError, PreviewError, SendError};
pub use deleting::UNDO_FOR;
pub use files::{Saving, may_tell_place};
pub use reacting::FIRST_EMOJI;
pub use readers::{Delivery, Doing};
pub use septet_network::web::PreviewUrl;

use crate::engine::Engine;
use crate::event::Event;
pub use crate::key::KeyProtection;
use crate::model::{Connection, ConnectionState, Memberships, Profile};
use crate::store::{Db, StoreError};

/// How to open a profile.
#[derive(Clone)]
pub struct OpenOptions {
    /// Which network the account lives on.
    pub network: NetworkConfig,
    /// Where the key that protects the profile is kept.
    pub key_protection: KeyProtection,
}

impl OpenOptions {
    /// This network, and the key where it is kept best.
    pub fn new(network: NetworkConfig) -> Self {
        Self { network, key_protection: KeyProtection::default() }
    }

    /// With the key kept there.
    pub fn key_protection(self, key_protection: KeyProtection) -> Self {
        Self { key_protection, ..self }
    }
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
pub struct Client(Arc<Handle>);

/// Ends the tasks when the last handle is gone.
struct Handle {
    engine: Arc<Engine>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.engine.cancel();
    }
}

impl Client {
    /// Starts polling, sending and downloading until [`Client::stop`]. Does nothing if they run already.
    pub fn start(&self) {
        self.0.engine.start();
    }

    /// Sends what waits and fetches what is new, once: starts the tasks if they do not run, and returns when
    /// everything that waited in the swarm is here and nothing is left to be sent.
    ///
    /// # Errors
    /// [`ClientError::Offline`] if there is no connection at the end of `timeout`, [`ClientError::TimedOut`] if
    /// there is one but it took longer; the tasks go on in both cases.
    pub async fn sync_once(&self, timeout: Duration) -> Result<(), ClientError> {
        let engine = &self.0.engine;
        let deadline = tokio::time::Instant::now() + timeout;
        self.start();
        let polled = timeout_at(deadline, engine.polls.next()).await.is_ok();
        if polled && self.flush(deadline.saturating_duration_since(tokio::time::Instant::now())).await? {
            return Ok(());
        }
        match self.connection().state {
            ConnectionState::Connected => Err(ClientError::TimedOut(timeout)),
            ConnectionState::Connecting | ConnectionState::Offline => Err(ClientError::Offline),
        }
    }

    /// Waits until nothing is left to be sent, published or deleted from our own swarm; `false` if some is left after `timeout`.
    pub async fn flush(&self, timeout: Duration) -> Result<bool, ClientError> {
        let engine = &self.0.engine;
        let deadline = tokio::time::Instant::now() + timeout;
        let mut progress = engine.progress.subscribe();
        engine.hasten_receipts().await?;
        loop {
            progress.borrow_and_update();
            let sent = self.read(|db| Ok(db.outbox_len()? == 0 && db.doomed_hashes(1)?.is_empty())).await?;
            if sent && engine.config_is_settled().await? {
                return Ok(true);
            }
            engine.bells.config_awaited.notify_one();
            if timeout_at(deadline, progress.changed()).await.is_err() {
                return Ok(false);
            }
        }
    }

    /// Stops all tasks and closes the database. What was not sent yet goes out after the next start. Other handles
    /// on the same account fail with [`ClientError::Stopped`] from now on.
    pub async fn stop(self) {
        self.0.engine.stop().await;
        // Nobody can bring back any more what was deleted a moment ago.
        if let Err(error) = self.write(|db| db.finish_deleting(None)).await {
            tracing::debug!(%error, "what was deleted goes at the next start");
        }
        self.0.engine.store.close().await;
    }

    /// Events from now on. A reader that falls behind loses the oldest ones and should load again what it shows.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.engine.events.subscribe()
    }

    /// How well we are connected.
    pub fn connection(&self) -> Connection {
        self.0.engine.connection()
    }

    /// The network's time, or the best guess while it is not known.
    pub fn now(&self) -> Timestamp {
        self.0.engine.guess()
    }

    /// What is shown goes by this time.
    fn shown_by(&self) -> Timestamp {
        self.0.engine.shown_by()
    }

    /// Our Account ID.
    pub fn id(&self) -> SessionId {
        self.0.engine.me()
    }

    /// The public key that our messages are signed with.
    pub fn ed25519(&self) -> Ed25519Public {
        self.0.engine.keys.ed25519.public()
    }

    /// Who we are.
    pub async fn profile(&self) -> Result<Profile, ClientError> {
        self.read(|db| db.profile()).await
    }

    /// Changes our public name; published in the background.
    pub async fn set_name(&self, name: DisplayName) -> Result<(), ClientError> {
        self.0.engine.set_name(name).await?;
        Ok(())
    }

    /// Changes our display picture to the square in the centre of this JPEG, PNG, WebP or GIF file, at most 600
    /// pixels wide; `None` removes it. Waits until it is uploaded; it is published in the background. Who stops
    /// waiting before that leaves everything as it was.
    ///
    /// # Errors
    /// [`ClientError::Refused`] if the file is no picture; those of the network, and then nothing has changed.
    pub async fn set_picture(&self, file: Option<Vec<u8>>) -> Result<(), ClientError> {
        self.0.engine.set_picture(file).await
    }

    /// How many groups and communities the account is in, as its devices tell each other.
    pub async fn memberships(&self) -> Result<Memberships, ClientError> {
        let documents = self.0.engine.documents.clone();
        self.read(move |db| documents.memberships(db)).await
    }

    /// The account's secret in its written forms. Ask for the password first, if there is one.
    pub async fn recovery(&self) -> Result<Recovery, ClientError> {
        let seed = self.read(|db| db.account()).await?.seed;
        let [phrase, bip39, hex] =
            [seed.to_phrase(), seed.to_bip39(), seed.to_hex()].map(|text| text.to_string());
        Ok(Recovery { phrase, bip39, hex })
    }

    /// Asks the network whose account an ONS name is (spec 03 §11). Waits for the network.
    pub async fn resolve_name(&self, name: &str) -> Result<SessionId, ClientError> {
        Ok(self.0.engine.network.resolve_name(name).await?)
    }

    /// Asks the store.
    async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ClientError> {
        Ok(self.0.engine.store.read(f).await?)
    }

    /// Changes the store.
    async fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Db) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ClientError> {
        Ok(self.0.engine.store.call(f).await?)
    }
}
