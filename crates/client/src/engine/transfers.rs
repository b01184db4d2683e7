//! Files on their way, up or down: how far they are, and how to stop them.
//!
//! Decision: progress is kept in memory only. The store knows *that* a file moves; how many bytes did so far is of
//! interest to nobody after a restart.
//!
//! Decision: nobody who deletes has to know what moves. A task listens to what is told of changes and stops the transfers
//! whose messages are gone; each transfer looks once by itself after it was entered here, so that none slips through.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::{Engine, uploads};
use crate::event::Event;
use crate::model::{AttachmentId, AttachmentState, Message};
use crate::store::StoreError;

/// A transfer tells of its progress this often over its whole length.
const PROGRESS_STEPS: u64 = 50;

/// Stops what moves for messages that go, until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    let mut events = engine.events.subscribe();
    loop {
        let event = tokio::select! {
            () = cancel.cancelled() => return,
            event = events.recv() => event,
        };
        match event {
            Ok(Event::Changed { .. } | Event::Messages(_) | Event::Conversations | Event::Deleted { .. })
            | Err(RecvError::Lagged(_)) => {
                if let Err(error) = engine.stop_what_is_gone().await {
                    tracing::debug!(%error, "a transfer goes on for nobody");
                }
            }
            Ok(_) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

impl Engine {
    /// Whether an attachment is gone.
    pub async fn is_gone(&self, id: AttachmentId) -> Result<bool, StoreError> {
        self.store.read(move |db| Ok(!db.attachments_gone(&[id])?.is_empty())).await
    }

    async fn stop_what_is_gone(&self) -> Result<(), StoreError> {
        let moving: Vec<AttachmentId> = self.transfers.moving().keys().copied().collect();
        if moving.is_empty() {
            return Ok(());
        }
        for id in self.store.read(move |db| db.attachments_gone(&moving)).await? {
            self.transfers.cancel(id);
        }
        Ok(())
    }
}

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
        for attachment in message.files_mut() {
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
