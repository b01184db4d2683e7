//! Bringing the files of a message to the file server before the message itself goes out (spec 04 §12).
//!
//! A file goes up as soon as it is prepared (see [`super::preparing`]), while others still are.
//!
//! Decision: what was uploaded is written down file by file, so a retry, also after a restart, uploads only what is
//! missing. Files are encrypted when they go up; the same file gives the same bytes and key, so that one whose upload
//! was cut off before it was written down is not stored twice.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use septet_network::NetworkError;
use septet_protocol::attachment::deterministic::Domain;
use septet_protocol::attachment::{self, AttachmentPointer, Encrypted, Encryption, Key};
use tokio::sync::broadcast::error::RecvError;
use zeroize::Zeroizing;

use super::Engine;
use super::outbox::attempt::Attempt;
use crate::event::Event;
use crate::model::{AttachmentState, MessageId};
use crate::store::{RemoteFile, StoreError, StoredAttachment, TransferState};

/// So many files of all messages go up at the same time.
pub const MOST_UPLOADS: usize = 3;

/// Uploads what is missing of a message's files, each as soon as it is prepared.
pub async fn complete(engine: &Arc<Engine>, message: MessageId) -> Result<(), Attempt> {
    let attachments = engine.store.read(move |db| db.attachments_of(message)).await?;
    let missing = attachments.into_iter().filter(|attachment| attachment.remote.is_none());
    stream::iter(missing)
        .map(|attachment| async move {
            let (id, preview) = (attachment.id, attachment.preview);
            match upload(engine, prepared(engine, &attachment).await?).await {
                // No reason to lose the text: it goes without.
                Err(Attempt::Refused(_)) if preview => {
                    engine.store.call(move |db| db.drop_preview_picture(id)).await?;
                    Ok(())
                }
                uploaded => uploaded,
            }
        })
        .buffer_unordered(MOST_UPLOADS)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}

/// Nobody is told of this: who sent it deleted it.
fn gone() -> Attempt {
    Attempt::Refused("The message is not here any more.".to_owned())
}

/// Where an uploaded file is, as the message says it.
pub fn pointer(attachment: &StoredAttachment) -> AttachmentPointer {
    let remote = attachment.remote.as_ref();
    AttachmentPointer {
        url: remote.and_then(|remote| remote.url.parse().ok()),
        encryption: remote.map_or(Encryption::Unusable, encryption),
        content_type: attachment.content_type.clone(),
        size: u32::try_from(attachment.size).unwrap_or(u32::MAX),
        name: attachment.name.clone(),
        dimensions: attachment.dimensions,
        voice: attachment.voice,
    }
}

/// How a stored file's key and digest are to be understood.
fn encryption(remote: &RemoteFile) -> Encryption {
    match (Key::<64>::from_slice(&remote.key), Key::<32>::from_slice(&remote.key), remote.digest) {
        (Some(key), _, Some(digest)) => Encryption::Legacy { key, digest },
        (_, Some(key), _) => Encryption::Deterministic { key },
        _ => Encryption::Unusable,
    }
}

/// Waits until a file is prepared, and returns it as it is then.
async fn prepared(engine: &Arc<Engine>, file: &StoredAttachment) -> Result<StoredAttachment, Attempt> {
    let (id, of) = (file.id, file.conversation);
    let mut events = engine.events.subscribe();
    loop {
        let now = engine.store.read(move |db| db.attachment(id)).await?.ok_or_else(gone)?;
        match now.state {
            TransferState::Prepare => {}
            TransferState::Failed => return Err(Attempt::Refused(now.failure.unwrap_or_default())),
            _ => return Ok(now),
        }
        // Events that were lost only make us look again.
        while match events.recv().await {
            Ok(Event::Attachment { attachment, .. }) => attachment != id,
            // Its message may be gone.
            Ok(event @ (Event::Changed { .. } | Event::Deleted { .. } | Event::Messages(_))) => {
                event.conversation() != Some(of)
            }
            Ok(_) => true,
            Err(RecvError::Lagged(_)) => false,
            Err(RecvError::Closed) => return Err(Attempt::Later("stopped".to_owned())),
        } {}
    }
}

/// Encrypts and uploads one file and writes down where it is.
async fn upload(engine: &Arc<Engine>, attachment: StoredAttachment) -> Result<(), Attempt> {
    // Closed only when the engine is gone.
    let _turn = engine.transfers.uploads.acquire().await.map_err(|_| Attempt::Later("stopped".to_owned()))?;
    let guard = engine.transfers.begin(attachment.id);
    // Its turn may have come late. What goes from here on is noticed by those who stop transfers.
    if engine.is_gone(attachment.id).await? {
        return Err(gone());
    }
    let encrypted = encrypt(engine, &attachment).await?;
    let told = Arc::clone(engine);
    let (id, message, conversation) = (attachment.id, attachment.message, attachment.conversation);
    let progress = move |done, total| {
        let state = AttachmentState::Uploading { done, total };
        if told.transfers.note(id, state.clone()) {
            told.events.send(Event::Attachment { conversation, message, attachment: id, state });
        }
    };
    let uploaded = engine.network.upload(encrypted.blob, progress, guard.cancel.clone()).await;
    drop(guard);
    let uploaded = match uploaded {
        Ok(uploaded) => uploaded,
        Err(_) if engine.is_gone(id).await? => return Err(gone()),
        Err(error) => {
            // The next attempt begins at the first byte, and so does what is shown.
            let state = AttachmentState::Uploading { done: 0, total: 0 };
            engine.events.send(Event::Attachment { conversation, message, attachment: id, state });
            return Err(refusal(&attachment, error));
        }
    };
    let remote = RemoteFile {
        url: uploaded.url.into_deterministic().as_str().to_owned(),
        key: Zeroizing::new(encrypted.key.as_bytes().to_vec()),
        digest: None,
    };
    engine.store.call(move |db| db.attachment_uploaded(id, &remote)).await?;
    let state = AttachmentState::Local;
    engine.events.send(Event::Attachment { conversation, message, attachment: id, state });
    Ok(())
}

/// Reads and encrypts a file, away from the threads that must not wait.
async fn encrypt(engine: &Arc<Engine>, attachment: &StoredAttachment) -> Result<Encrypted, Attempt> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Attempt::Refused(format!("{} cannot be read any more: {error}.", attachment.name))
    };
    let Some(file) = attachment.file.clone() else { return Err(unreadable(&StoreError::NotFound)) };
    let this = Arc::clone(engine);
    let encrypted = tokio::task::spawn_blocking(move || {
        let plain = this.store.files().read(&file)?;
        Ok::<_, StoreError>(attachment::encrypt(&plain, &this.keys.ed25519, Domain::Attachment))
    });
    let encrypted = encrypted.await.map_err(|_| Attempt::Later("stopped".to_owned()))?;
    encrypted.map_err(|error| unreadable(&error))?.map_err(|error| unreadable(&error))
}

/// What a failed upload means for its message: what the server refuses for good, it will not take later, and nothing
/// behind it has to wait (spec 04 §2). Its limits for how much one asks pass.
fn refusal(attachment: &StoredAttachment, error: NetworkError) -> Attempt {
    let name = &attachment.name;
    match error {
        NetworkError::FileTooLarge => Attempt::Refused(format!("{name} is too large for the file server.")),
        NetworkError::Rejected { status: 408 | 429, .. } => Attempt::Later(error.to_string()),
        NetworkError::Rejected { .. } | NetworkError::FileGone => {
            Attempt::Refused(format!("The file server does not take {name}."))
        }
        other => Attempt::Later(other.to_string()),
    }
}
