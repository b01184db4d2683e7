//! Making, restoring and opening an account.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use septet_network::Network;
use septet_protocol::account::{DisplayName, Seed};
use septet_protocol::crypto::SystemRandom;
use tokio::time::{Instant, timeout};

use super::{Client, ClientError, Handle, OpenOptions, RestoreStage};
use crate::engine::{Documents, Engine, Ephemeral, Previews, Proven, Receipts, Restore};
use crate::store::{Db, Store, StoreError, StoredAccount, discard_profile, profile_exists};

/// How long a restore waits for a connection, and then for the account's profile (spec 01 §8).
const PROFILE_WAIT: Duration = Duration::from_secs(15);
/// How long a restore then asks for messages; what is left arrives later.
const MESSAGES_WAIT: Duration = Duration::from_secs(30);
/// How long it waits for what it has asked for: on a slow line that would have to be sent again.
const REPLY_WAIT: Duration = Duration::from_secs(15);

impl Client {
    /// Whether the folder holds an account.
    pub fn exists(profile: &Path) -> bool {
        profile_exists(profile)
    }

    /// Makes a new account in an empty folder. Local and instant: the network hears of it when the client runs and
    /// publishes its profile.
    pub async fn create(
        profile: &Path,
        name: &DisplayName,
        options: OpenOptions,
    ) -> Result<Client, ClientError> {
        let seed = Seed::generate(&mut SystemRandom);
        let (documents, name) = (Documents::new(&seed.keys()), name.clone());
        let now = options.network.machine().now();
        Self::make(profile, &seed, options, move |db| documents.fill_new(db, &name, now)).await
    }

    /// Restores an account from its seed into an empty folder: asks its swarm for the profile (at most 15 s once
    /// there is a connection), then for the messages of the last 14 days (for 30 s, the rest arrives later), telling
    /// the stages (spec 01 §8). What has come by then is kept.
    ///
    /// `fallback_name` is used if the swarm has none. Without either, [`Profile::name`](crate::model::Profile) is
    /// empty; if [`Profile::read`](crate::model::Profile) is set as well, ask the person and call [`Client::set_name`].
    /// Being offline is not an error: then the profile is not `read`, and everything arrives when the network is back.
    /// Until then nothing of it is published, and nothing that is set takes the place of what the account has. If it
    /// fails, or is dropped before it is done, the folder holds no account again.
    pub async fn restore(
        profile: &Path,
        seed: Seed,
        fallback_name: Option<DisplayName>,
        options: OpenOptions,
        progress: impl Fn(RestoreStage) + Send + Sync,
    ) -> Result<Client, ClientError> {
        // Declared first, so that it is dropped last: after the network part, which writes into the folder too.
        let mut unfinished = Unfinished { store: None, folder: profile.to_owned() };
        let client = Self::make(profile, &seed, options, |_| Ok(())).await?;
        unfinished.store = Some(client.0.engine.store.clone());
        let engine = &client.0.engine;
        progress(RestoreStage::Connecting);
        let mut restore = Restore::default();
        let connected = timeout(PROFILE_WAIT, engine.wait_connected()).await.is_ok();
        progress(RestoreStage::Profile);
        // Both limits are no errors: the person goes on, and the rest arrives in the background.
        let heard = connected && timeout(PROFILE_WAIT, restore.profile(engine)).await.is_ok();
        if let Some(name) = fallback_name
            && client.profile().await?.name.is_empty()
        {
            // Published only if the swarm, once it was read, has none.
            client.set_name(name).await?;
        }
        if connected {
            progress(RestoreStage::Messages { fetched: 0 });
            let tell = |fetched| progress(RestoreStage::Messages { fetched });
            let until = Instant::now() + MESSAGES_WAIT;
            let all = timeout(MESSAGES_WAIT + REPLY_WAIT, restore.messages(engine, until, &tell)).await;
            if heard && all.unwrap_or_default() {
                engine.read_whole().await?;
            }
        }
        unfinished.store = None;
        progress(RestoreStage::Done);
        Ok(client)
    }

    /// Opens the account of a folder. Nothing runs until [`Client::start`] or [`Client::sync_once`].
    pub async fn open(profile: &Path, options: OpenOptions) -> Result<Client, ClientError> {
        let folder = profile.to_owned();
        let store = blocking(move || Ok(Store::open(&folder)?)).await?;
        Self::with_store(profile.to_owned(), store, options).await
    }

    /// Makes the folder of an account, with what `fill` writes into it: all of it, or nothing.
    async fn make(
        profile: &Path,
        seed: &Seed,
        options: OpenOptions,
        fill: impl FnOnce(&mut Db) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<Client, ClientError> {
        // Before the network's time is known, this machine's has to do.
        let created = options.network.machine().now();
        let account = StoredAccount { id: seed.keys().session_id, seed: seed.clone(), created };
        let (folder, protection) = (profile.to_owned(), options.key_protection);
        let store = blocking(move || Ok(Store::create(&folder, protection, &account, fill)?)).await?;
        Self::with_store(profile.to_owned(), store, options).await
    }

    /// The handle on an open store.
    async fn with_store(profile: PathBuf, store: Store, options: OpenOptions) -> Result<Client, ClientError> {
        let loaded = store.read(|db| {
            let switches = (Receipts::load(db)?, Ephemeral::load(db)?, Previews::load(db)?);
            Ok((db.account()?, switches, Proven::load(db)?))
        });
        let (account, (receipts, typing, previews), last_known) = loaded.await?;
        let keys = account.seed.keys();
        let network = Network::start(options.network, &profile, store.network_key());
        let network = network.map_err(|error| ClientError::Network(error.to_string()))?;
        let engine = Engine::new(keys, store, network);
        engine.receipts.switch(receipts);
        engine.ephemeral.switch(typing);
        engine.previews.switch(previews);
        engine.proven.begin(last_known);
        // The program ended before its time to bring something back was over.
        engine.store.call(|db| db.finish_deleting(None)).await?;
        let (documents, now) = (engine.documents.clone(), engine.now());
        engine.store.call(move |db| documents.reconcile_once(db, now)).await?;
        Ok(Client(Arc::new(Handle { engine })))
    }
}

/// An account that is being restored; if that ends before it is done, everything of it is taken away again.
struct Unfinished {
    store: Option<Store>,
    folder: PathBuf,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let Some(store) = self.store.take() else { return };
        let folder = std::mem::take(&mut self.folder);
        // On a thread of its own, because whoever drops us may not wait for what runs on their thread; and waited
        // for, so that the folder is free at once.
        let undone = std::thread::spawn(move || {
            store.close_now();
            discard_profile(&folder)
        });
        if let Ok(Err(error)) = undone.join() {
            tracing::warn!(%error, "what a cancelled restore began stays in its folder");
        }
    }
}

/// Does something that waits for the disk.
async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, ClientError> + Send + 'static,
) -> Result<T, ClientError> {
    tokio::task::spawn_blocking(f).await.unwrap_or(Err(ClientError::Stopped))
}
