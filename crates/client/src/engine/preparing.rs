//! Getting the files of messages that are written down ready to be uploaded: copying, scaling, taking out what they
//! tell about where they were made (spec 04 §9).
//!
//! Decision: a message is stored and shown first; this goes on behind it, one file after the other, so that only one
//! picture is ever decoded. Originals are copied first, because what lies on a person's disk may change or go. All of
//! it is written down file by file and goes on after a kill. It needs no network and does not wait for one.
//!
//! Decision: a file that cannot be sent gives its message up, with a sentence. One at which the program ended several
//! times is not tried for ever: it may be what ends it.

use std::sync::Arc;

use septet_protocol::crypto::blake2b;
use tokio_util::sync::CancellationToken;

use super::outgoing::LARGEST_FILE;
use super::{Engine, pace, pictures};
use crate::error::SendError;
use crate::event::Event;
use crate::model::{AttachmentState, MessageState};
use crate::source_file;
use crate::store::{PreparedFile, StoreError, StoredAttachment};

/// So often preparing one file is begun.
const MOST_ATTEMPTS: u32 = 5;

/// Prepares what there is until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    let mut failures = 0;
    loop {
        let step = tokio::select! {
            () = cancel.cancelled() => return,
            step = step(&engine) => step,
        };
        match step {
            Ok(true) => failures = 0,
            Ok(false) => tokio::select! {
                () = cancel.cancelled() => return,
                () = engine.bells.preparing.notified() => {}
            },
            Err(error) => {
                tracing::warn!(%error, "a file waits to be prepared");
                failures += 1;
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = tokio::time::sleep(pace::retry(failures)) => {}
                }
            }
        }
    }
}

/// Why a file was not got ready.
enum Failure {
    /// It never will be.
    Unsendable(SendError),
    /// It may be later.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Takes the next file a step further; `false` if there is none.
async fn step(engine: &Arc<Engine>) -> Result<bool, StoreError> {
    let Some(attachment) = engine.store.read(|db| db.next_to_prepare()).await? else { return Ok(false) };
    let result = match attachment.file.clone() {
        None => copy(engine, &attachment).await,
        Some(_) if attachment.attempts >= MOST_ATTEMPTS => Err(Failure::Unsendable(broken(&attachment))),
        Some(original) => prepare(engine, &attachment, original).await,
    };
    match result {
        Ok(()) => Ok(true),
        Err(Failure::Store(error)) => Err(error),
        Err(Failure::Unsendable(error)) => give_up(engine, attachment, &error).await.map(|()| true),
    }
}

/// Copies an original into the folder of files.
async fn copy(engine: &Arc<Engine>, attachment: &StoredAttachment) -> Result<(), Failure> {
    let unreadable = |reason: String| {
        Failure::Unsendable(SendError::FileUnreadable { name: attachment.name.clone(), reason })
    };
    let Some(source) = attachment.source.clone() else {
        return Err(unreadable(StoreError::NotFound.to_string()));
    };
    let read = tokio::task::spawn_blocking(move || source.read());
    let bytes = read
        .await
        .map_err(|_| StoreError::Closed)?
        .map_err(|error| unreadable(source_file::reason(&error)))?;
    let file = engine.store.write_file(bytes).await?;
    let (id, name) = (attachment.id, file.clone());
    if !engine.store.call(move |db| db.attachment_copied(id, &name)).await? {
        engine.store.remove_file(&file).await?;
    }
    Ok(())
}

/// Makes of a copied original what is uploaded.
async fn prepare(
    engine: &Arc<Engine>,
    attachment: &StoredAttachment,
    original: String,
) -> Result<(), Failure> {
    let id = attachment.id;
    engine.store.call(move |db| db.attachment_attempted(id)).await?;
    let (files, about, keep) = (engine.store.files().clone(), attachment.clone(), original.clone());
    let prepared = tokio::task::spawn_blocking(move || {
        let bytes = files.read(&keep).map_err(|error| match error {
            StoreError::NotFound | StoreError::FileDamaged => {
                let (name, reason) = (about.name.clone(), error.to_string());
                Failure::Unsendable(SendError::FileUnreadable { name, reason })
            }
            error => Failure::Store(error),
        })?;
        ready(bytes, &about, |bytes| match bytes {
            Some(bytes) => files.write(bytes),
            None => Ok(keep),
        })
    });
    let prepared = match prepared.await {
        Ok(prepared) => prepared?,
        Err(error) if error.is_panic() => return Err(Failure::Unsendable(broken(attachment))),
        Err(_) => return Err(StoreError::Closed.into()),
    };
    let written = prepared.clone();
    if engine.store.call(move |db| db.attachment_prepared(id, &written)).await? {
        tell(engine, attachment, &prepared);
    } else {
        // Cancelled meanwhile; the original is gone with its row.
        engine.store.remove_file(&prepared.file).await?;
    }
    Ok(())
}

/// Prepares bytes and has them stored: `None` says that they are what they were.
fn ready(
    bytes: Vec<u8>,
    about: &StoredAttachment,
    store: impl FnOnce(Option<&[u8]>) -> Result<String, StoreError>,
) -> Result<PreparedFile, Failure> {
    let digest = |bytes: &[u8]| blake2b::<32>(&[], &[bytes]);
    let before = digest(&bytes);
    let prepared = match about.voice {
        true => pictures::as_it_is(bytes, &about.content_type),
        false => pictures::prepare(bytes, &about.content_type, LARGEST_FILE),
    };
    let size = prepared.bytes.len() as u64;
    if size > LARGEST_FILE {
        let name = about.name.clone();
        return Err(Failure::Unsendable(SendError::FileTooLarge { name, size, limit: LARGEST_FILE }));
    }
    let changed = digest(&prepared.bytes) != before;
    Ok(PreparedFile {
        file: store(changed.then_some(prepared.bytes.as_slice()))?,
        content_type: prepared.content_type,
        size,
        dimensions: prepared.dimensions,
    })
}

/// Tells that a file waits for its upload now.
fn tell(engine: &Engine, before: &StoredAttachment, prepared: &PreparedFile) {
    let (conversation, message, attachment) = (before.conversation, before.message, before.id);
    let state = AttachmentState::Uploading { done: 0, total: 0 };
    engine.events.send(Event::Attachment { conversation, message, attachment, state });
    let shown = (&before.content_type, before.dimensions, before.size);
    if shown != (&prepared.content_type, prepared.dimensions, prepared.size) {
        engine.events.send(Event::Changed { conversation, message });
    }
}

/// A file that cannot be sent: neither can its message.
async fn give_up(engine: &Engine, attachment: StoredAttachment, error: &SendError) -> Result<(), StoreError> {
    let (id, reason) = (attachment.id, error.sentence());
    let told = reason.clone();
    let Some((conversation, message)) =
        engine.store.call(move |db| db.attachment_unsendable(id, &reason)).await?
    else {
        return Ok(());
    };
    let state = AttachmentState::Failed { reason: told };
    engine.events.send(Event::Attachment { conversation, message, attachment: id, state });
    engine.events.send(Event::State { conversation, message, state: MessageState::Failed });
    // What waits behind it may go now.
    engine.outbox_changed();
    Ok(())
}

/// Said of a file that breaks what prepares it.
fn broken(attachment: &StoredAttachment) -> SendError {
    let reason = "it cannot be prepared for sending".to_owned();
    SendError::FileUnreadable { name: attachment.name.clone(), reason }
}
