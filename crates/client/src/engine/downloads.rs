//! Fetching files and display pictures (spec 04 §12, §13).
//!
//! What is wanted is in the store; this task takes the oldest wanted ones, at most three at a time, decrypts them and
//! keeps them in our own encrypted store. A file that the server does not have any more is marked as expired and not
//! asked for again; other failures are tried again after 30 s, 30 min and 6 h, and at once when a person asks or when
//! the network comes back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use septet_network::NetworkError;
use septet_protocol::attachment::{FileOpenError, FileUrl, Key, picture};
use septet_protocol::time::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Engine, connection, pace, uploads};
use crate::event::Event;
use crate::model::{AttachmentId, AttachmentState, Message};
use crate::store::{StoreError, StoredAttachment, TransferState, WantedPicture};

/// So many files come down at the same time.
const MOST_DOWNLOADS: usize = 3;
/// A transfer tells of its progress this often over its whole length.
const PROGRESS_STEPS: u64 = 50;

/// Files on their way: how far they are, and how to stop them.
pub struct Transfers {
    /// Turns for uploads of all messages together.
    pub uploads: Semaphore,
    moving: Mutex<BTreeMap<AttachmentId, Moving>>,
}

/// One file on its way.
struct Moving {
    state: Option<AttachmentState>,
    cancel: CancellationToken,
}

impl Default for Transfers {
    fn default() -> Self {
        Self { uploads: Semaphore::new(uploads::MOST_UPLOADS), moving: Mutex::default() }
    }
}

impl Transfers {
    fn moving(&self) -> MutexGuard<'_, BTreeMap<AttachmentId, Moving>> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file sets out; it is forgotten when the returned value is dropped.
    pub fn begin(&self, id: AttachmentId) -> Underway<'_> {
        let cancel = CancellationToken::new();
        self.moving().insert(id, Moving { state: None, cancel: cancel.clone() });
        Underway { transfers: self, id, cancel }
    }

    /// Notes how far a file is; tells whether that is worth telling others.
    pub fn note(&self, id: AttachmentId, state: AttachmentState) -> bool {
        let mut moving = self.moving();
        let Some(entry) = moving.get_mut(&id) else { return false };
        let worth = step(entry.state.as_ref()) != step(Some(&state));
        entry.state = Some(state);
        worth
    }

    /// Stops a file on its way.
    pub fn cancel(&self, id: AttachmentId) {
        if let Some(entry) = self.moving().get(&id) {
            entry.cancel.cancel();
        }
    }

    /// Adds how far its files are to a message from the store.
    pub fn overlay(&self, message: &mut Message) {
        let moving = self.moving();
        if moving.is_empty() {
            return;
        }
        for attachment in &mut message.attachments {
            if let Some(state) = moving.get(&attachment.id).and_then(|entry| entry.state.clone()) {
                attachment.state = state;
            }
        }
    }
}

/// How far a transfer is, in steps that are worth telling.
fn step(state: Option<&AttachmentState>) -> Option<u64> {
    match state? {
        AttachmentState::Uploading { done, total } | AttachmentState::Downloading { done, total } => {
            Some(done.saturating_mul(PROGRESS_STEPS) / (*total).max(1))
        }
        _ => None,
    }
}

/// A file on its way, until it is dropped.
pub struct Underway<'a> {
    transfers: &'a Transfers,
    id: AttachmentId,
    /// Stops it.
    pub cancel: CancellationToken,
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.transfers.moving().remove(&self.id);
    }
}

/// What a task of ours fetches.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    Attachment(AttachmentId),
    Picture(String),
}

/// Fetches what is wanted until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    let mut status = engine.network.status();
    let mut running: JoinSet<()> = JoinSet::new();
    let mut busy: BTreeMap<tokio::task::Id, Wanted> = BTreeMap::new();
    loop {
        let next = match fill(&engine, &mut running, &mut busy).await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(%error, "wanted files cannot be looked up");
                None
            }
        };
        // Bounded, so that a machine that slept looks at the clock again.
        let wait = next.map(|at| at.since(engine.network.now()).clamp(50, 60_000));
        let wait = std::time::Duration::from_millis(wait.unwrap_or(0));
        tokio::select! {
            () = cancel.cancelled() => break,
            () = engine.bells.downloads.notified() => {}
            Some(ended) = running.join_next_with_id() => {
                let id = match &ended { Ok((id, ())) => *id, Err(error) => error.id() };
                busy.remove(&id);
            }
            () = tokio::time::sleep(wait), if next.is_some() && running.len() < MOST_DOWNLOADS => {}
            back = connection::connected(&mut status) => if back.is_none() { break },
        }
    }
    running.shutdown().await;
}

/// Starts what is due as long as there is room; tells when the next one is due.
async fn fill(
    engine: &Arc<Engine>,
    running: &mut JoinSet<()>,
    busy: &mut BTreeMap<tokio::task::Id, Wanted>,
) -> Result<Option<Timestamp>, StoreError> {
    let now = engine.network.now();
    let (due, pictures, next) = engine
        .store
        .call(move |db| {
            let due = db.transfers_due(TransferState::Download, now, 2 * MOST_DOWNLOADS as u32)?;
            Ok((due, db.pictures_wanted()?, db.transfers_next()?))
        })
        .await?;
    for attachment in due {
        let wanted = Wanted::Attachment(attachment.id);
        if running.len() < MOST_DOWNLOADS && !busy.values().any(|other| *other == wanted) {
            let engine = Arc::clone(engine);
            let task = running.spawn(async move { fetch_attachment(&engine, attachment).await });
            busy.insert(task.id(), wanted);
        }
    }
    for wish in pictures {
        let wanted = Wanted::Picture(wish.source.url.clone());
        if running.len() < MOST_DOWNLOADS && !busy.values().any(|other| *other == wanted) {
            let engine = Arc::clone(engine);
            let task = running.spawn(async move { fetch_picture(&engine, wish).await });
            busy.insert(task.id(), wanted);
        }
    }
    Ok(next.filter(|at| *at > now))
}

/// Why a file is not here.
enum Failure {
    /// The server does not have it any more.
    Expired,
    /// It is not what its message says; trying again will not help.
    Useless(String),
    /// It may work later.
    Later(String),
    /// Somebody stopped it.
    Cancelled,
}

impl From<NetworkError> for Failure {
    fn from(error: NetworkError) -> Self {
        match error {
            NetworkError::FileGone => Self::Expired,
            NetworkError::FileTooLarge => Self::Useless(error.to_string()),
            NetworkError::Cancelled => Self::Cancelled,
            other => Self::Later(other.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Later(error.to_string())
    }
}

impl From<FileOpenError> for Failure {
    fn from(error: FileOpenError) -> Self {
        Self::Useless(error.to_string())
    }
}

/// Fetches an attachment and writes down what became of it.
async fn fetch_attachment(engine: &Arc<Engine>, attachment: StoredAttachment) {
    let (id, message, conversation) = (attachment.id, attachment.message, attachment.conversation);
    let attempts = attachment.attempts + 1;
    let result = fetch(engine, attachment).await;
    let now = engine.network.now();
    let written = engine
        .store
        .call(move |db| match result {
            Ok(file) => {
                db.attachment_downloaded(id, &file)?;
                Ok(Some(AttachmentState::Local))
            }
            Err(Failure::Expired) => {
                db.attachment_expired(id)?;
                Ok(Some(AttachmentState::Expired))
            }
            Err(Failure::Cancelled) => {
                db.attachment_unwanted(id)?;
                Ok(Some(AttachmentState::Remote))
            }
            Err(Failure::Useless(reason)) => {
                db.attachment_failed(id, &reason)?;
                Ok(Some(AttachmentState::Failed { reason }))
            }
            Err(Failure::Later(reason)) => match pace::download(attempts) {
                Some(wait) => {
                    db.attachment_retry(id, now + wait.as_millis() as u64)?;
                    Ok(None)
                }
                None => {
                    db.attachment_failed(id, &reason)?;
                    Ok(Some(AttachmentState::Failed { reason }))
                }
            },
        })
        .await;
    match written {
        Ok(Some(state)) => {
            engine.events.send(Event::Attachment { conversation, message, attachment: id, state })
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "what became of a file cannot be written down"),
    }
}

/// Downloads, decrypts and stores an attachment; returns its name in our store.
async fn fetch(engine: &Arc<Engine>, attachment: StoredAttachment) -> Result<String, Failure> {
    let pointer = uploads::pointer(&attachment);
    let url = pointer.url.clone().ok_or_else(|| Failure::Useless("its address is not usable".to_owned()))?;
    let (id, message, conversation) = (attachment.id, attachment.message, attachment.conversation);
    let told = Arc::clone(engine);
    let progress = move |done, total| {
        let state = AttachmentState::Downloading { done, total };
        if told.transfers.note(id, state.clone()) {
            told.events.send(Event::Attachment { conversation, message, attachment: id, state });
        }
    };
    let underway = engine.transfers.begin(id);
    let blob = engine.network.download(&url, progress, underway.cancel.clone()).await?;
    let files = engine.store.files().clone();
    let stored = tokio::task::spawn_blocking(move || {
        let plain = pointer.open(&blob)?;
        files.write(&plain).map_err(Failure::from)
    });
    stored.await.map_err(|_| Failure::Later("stopped".to_owned()))?
}

/// Fetches a display picture and writes down what became of it.
async fn fetch_picture(engine: &Arc<Engine>, wish: WantedPicture) {
    let result = download_picture(engine, &wish).await;
    let written = engine
        .store
        .call(move |db| match result {
            Ok(file) => db.picture_fetched(wish.id, &wish.source, &file).map(|_| true),
            Err(Failure::Later(reason)) => {
                // It stays wanted, and is tried again after the next start or poll that brings something.
                tracing::debug!(%reason, "a display picture waits");
                Ok(false)
            }
            Err(_) => db.picture_failed(wish.id, &wish.source).map(|_| false),
        })
        .await;
    match written {
        Ok(true) => {
            engine.events.send(Event::Profile);
            engine.events.send(Event::Conversations);
        }
        Ok(false) => {}
        Err(error) => tracing::warn!(%error, "what became of a picture cannot be written down"),
    }
}

/// Downloads, decrypts and stores a display picture; returns its name in our store.
async fn download_picture(engine: &Arc<Engine>, wish: &WantedPicture) -> Result<String, Failure> {
    let useless = || Failure::Useless("its address or key is not usable".to_owned());
    let url: FileUrl = wish.source.url.parse().map_err(|_| useless())?;
    let key = Key::<32>::from_slice(&wish.source.key).ok_or_else(useless)?;
    let blob = engine.network.download(&url, |_, _| {}, CancellationToken::new()).await?;
    let files = engine.store.files().clone();
    let stored = tokio::task::spawn_blocking(move || {
        let plain = picture::decrypt(&blob, &key, &url)?;
        files.write(&plain).map_err(Failure::from)
    });
    stored.await.map_err(|_| Failure::Later("stopped".to_owned()))?
}
