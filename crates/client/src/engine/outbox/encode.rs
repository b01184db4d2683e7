//! Giving a waiting job its bytes: a message when its files have an address, and whatever has got another date.

use septet_protocol::id::Account;
use septet_protocol::time::Timestamp;

use crate::engine::Engine;
use crate::engine::uploads::pointer;
use crate::model::Message;
use crate::store::{Db, Job, JobId, NewJob, NewPreview, OutgoingMessage, QuoteKey, StoreError};

/// The bytes of a job; made and kept now, inside the caller's transaction, if it has none. `None` if it cannot have any:
/// its message is gone, or has files that are nowhere yet.
///
/// # Errors
/// [`StoreError::Unsendable`] if there is no form for it; those of the store.
pub(super) fn bytes(engine: &Engine, db: &mut Db, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
    if let Some(payload) = db.outbox_payload(id)? {
        return Ok(Some(payload));
    }
    let Some(job) = db.outbox_job(id)? else { return Ok(None) };
    let Some(encoded) = encoded(engine, db, &job)? else { return Ok(None) };
    let payload = encoded.payload.unwrap_or_default();
    db.outbox_encoded(id, &payload, encoded.ttl_ms, encoded.copy.as_ref())?;
    Ok(Some(payload))
}

fn encoded(engine: &Engine, db: &Db, job: &Job) -> Result<Option<NewJob>, StoreError> {
    match (&job.wish, job.recipient, job.message) {
        (Some(wish), Account::User(to), _) => engine.wish_job(db, to, wish.clone(), job.timestamp).map(Some),
        (None, _, Some(id)) => {
            let Some(message) = db.message(id)? else { return Ok(None) };
            let files = db.attachments_of(id)?;
            if files.iter().any(|file| file.remote.is_none()) {
                return Ok(None);
            }
            let pointers = files.iter().filter(|file| !file.preview).map(pointer).collect();
            let picture = files.iter().find(|file| file.preview).map(pointer);
            engine.message_job(db, &outgoing(message, job.timestamp), pointers, picture).map(Some)
        }
        _ => Ok(None),
    }
}

/// What is encoded of a stored message. It disappears as was said when it was written.
fn outgoing(message: Message, timestamp: Timestamp) -> OutgoingMessage {
    OutgoingMessage {
        conversation: message.conversation,
        timestamp,
        text: message.text,
        quote: message.quote.map(|quote| QuoteKey { author: quote.author, timestamp: quote.timestamp }),
        attachments: Vec::new(),
        preview: message.preview.map(|preview| NewPreview {
            url: preview.url,
            title: preview.title,
            image: None,
        }),
        notice: None,
        expiry: message.expiry,
    }
}
