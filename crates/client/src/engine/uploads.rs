//! Bringing the files of a message to the file server before the message itself goes out (spec 04 §12).
//!
//! Decision: what was uploaded is written down file by file, so a retry, also after a restart, uploads only what is
//! missing. Files are encrypted when they go up; the same file gives the same bytes and key, so that one whose upload
//! was cut off before it was written down is not stored twice.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use septet_network::NetworkError;
use septet_protocol::attachment::deterministic::Domain;
use septet_protocol::attachment::{self, AttachmentPointer, Encrypted, Encryption, Key};
use septet_protocol::id::Account;
use septet_protocol::message::EncodeError;
use zeroize::Zeroizing;

use super::Engine;
use super::outbox::Attempt;
use crate::event::Event;
use crate::model::{AttachmentState, Message, MessageId};
use crate::store::{
    Db, Job, JobId, NewJob, OutgoingMessage, QuoteKey, RemoteFile, StoreError, StoredAttachment, Wish,
};

/// So many files of all messages go up at the same time.
pub const MOST_UPLOADS: usize = 3;

/// Uploads what is missing of a job's message and then encodes it: the job has its bytes from then on. What is not a
/// message only waited for its timestamp.
pub async fn complete(engine: &Arc<Engine>, job: &Job) -> Result<(), Attempt> {
    if let Some(wish) = job.wish.clone() {
        return encode_wish(engine, job, wish).await;
    }
    let id = job.message.ok_or_else(gone)?;
    let attachments = engine.store.call(move |db| db.attachments_of(id)).await?;
    let missing = attachments.into_iter().filter(|attachment| attachment.remote.is_none());
    stream::iter(missing)
        .map(|attachment| upload(engine, attachment))
        .buffer_unordered(MOST_UPLOADS)
        .try_collect::<Vec<()>>()
        .await?;
    encode(engine, job, id).await
}

/// Gives a job the bytes of its message, now that all its files have an address.
async fn encode(engine: &Arc<Engine>, job: &Job, id: MessageId) -> Result<(), Attempt> {
    let (job, timestamp) = (job.id, job.timestamp);
    let this = Arc::clone(engine);
    let encode = move |db: &mut Db| {
        db.transaction(|db| {
            let Some(message) = db.message(id)? else { return Ok(Ok(())) };
            let pointers = db.attachments_of(id)?.iter().map(pointer).collect();
            keep(db, job, this.message_job(db, &outgoing(message, timestamp), pointers)?)
        })
    };
    engine.store.call(encode).await?.map_err(unsendable)
}

/// Gives a job that is no message the bytes of what it is to say.
async fn encode_wish(engine: &Arc<Engine>, job: &Job, wish: Wish) -> Result<(), Attempt> {
    let (job, timestamp, recipient) = (job.id, job.timestamp, job.recipient);
    let Account::User(to) = recipient else {
        return Err(Attempt::Refused("This cannot be sent to a group.".to_owned()));
    };
    let this = Arc::clone(engine);
    let encode =
        move |db: &mut Db| db.transaction(|db| keep(db, job, this.wish_job(db, to, wish, timestamp)?));
    engine.store.call(encode).await?.map_err(unsendable)
}

/// Writes a job's bytes down.
fn keep(
    db: &mut Db,
    job: JobId,
    encoded: Result<NewJob, EncodeError>,
) -> Result<Result<(), EncodeError>, StoreError> {
    match encoded {
        Err(error) => Ok(Err(error)),
        Ok(encoded) => {
            let payload = encoded.payload.unwrap_or_default();
            db.outbox_encoded(job, &payload, encoded.copy.as_ref()).map(Ok)
        }
    }
}

/// Nobody is told of this: who sent it deleted it.
fn gone() -> Attempt {
    Attempt::Refused("The message is not here any more.".to_owned())
}

fn unsendable(error: EncodeError) -> Attempt {
    Attempt::Refused(format!("This message cannot be sent: {error}."))
}

/// What is encoded of a stored message.
fn outgoing(message: Message, timestamp: septet_protocol::time::Timestamp) -> OutgoingMessage {
    OutgoingMessage {
        conversation: message.conversation,
        timestamp,
        text: message.text,
        quote: message.quote.map(|quote| QuoteKey { author: quote.author, timestamp: quote.timestamp }),
        attachments: Vec::new(),
        notice: None,
        expiry: message.expiry,
    }
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

/// What a failed upload means for its message.
fn refusal(attachment: &StoredAttachment, error: NetworkError) -> Attempt {
    match error {
        NetworkError::FileTooLarge => {
            Attempt::Refused(format!("{} is too large for the file server.", attachment.name))
        }
        other => Attempt::Later(other.to_string()),
    }
}
