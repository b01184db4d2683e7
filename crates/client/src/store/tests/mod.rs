//! The store's rules, on a database in memory.

mod calls;
mod dating;
mod deferred;
mod deleting;
mod drafts;
mod expiry;
mod gone;
mod identity;
mod kills;
mod late;
mod migrating;
mod order;
mod outbox;
mod pages;
mod plans;
mod profile;
mod readers;
mod reading;
mod receive;
mod search;
mod strangers;
mod taking_back;
pub(crate) mod transfers;

use septet_protocol::account::Seed;
use septet_protocol::id::{Account, Ed25519Public, MessageHash, Namespace, SessionId};
use septet_protocol::time::Timestamp;

use super::*;
use crate::model::*;

/// Some moment; tests count from here.
pub(crate) const NOW: Timestamp = Timestamp::from_ms(1_790_000_000_000);

/// A database with an account.
pub(crate) fn db() -> Db {
    let mut db = Db::memory();
    db.insert_account(&StoredAccount { id: me(), seed: Seed::from_bytes([1; 16]), created: NOW }).unwrap();
    db
}

fn me() -> SessionId {
    SessionId([1; 32])
}

fn alice() -> SessionId {
    SessionId([0xa1; 32])
}

fn bob() -> SessionId {
    SessionId([0xb0; 32])
}

/// The conversation with somebody; a number that none has if there is none.
fn with(db: &Db, id: SessionId) -> ConversationId {
    db.find_conversation(&id.into()).unwrap().unwrap_or(ConversationId(0))
}

/// The conversation with somebody; made if there is none.
fn made(db: &mut Db, id: SessionId) -> ConversationId {
    db.make_conversation(&id.into()).unwrap()
}

/// A moment so many ms after [`NOW`]; negative ones are before.
fn at(ms: i64) -> Timestamp {
    if ms < 0 { NOW - ms.unsigned_abs() } else { NOW + ms.unsigned_abs() }
}

/// A hash made of anything.
fn hash(of: impl std::fmt::Debug) -> MessageHash {
    MessageHash(septet_protocol::crypto::blake2b(&[], &[format!("{of:?}").as_bytes()]))
}

fn text(body: &str) -> IncomingKind {
    IncomingKind::Message {
        text: body.to_owned(),
        attachments: Vec::new(),
        quote: None,
        preview: None,
        expiry: Expiry::Off,
    }
}

/// A text that disappears.
fn timed(expiry: Expiry) -> IncomingKind {
    IncomingKind::Message { text: "x".into(), attachments: Vec::new(), quote: None, preview: None, expiry }
}

/// No text, and files.
fn files(attachments: Vec<NewAttachment>) -> IncomingKind {
    IncomingKind::Message {
        text: String::new(),
        attachments,
        quote: None,
        preview: None,
        expiry: Expiry::Off,
    }
}

/// A draft of this text.
fn drafted(text: &str) -> StoredDraft {
    StoredDraft { text: text.to_owned(), ..Default::default() }
}

/// A file of five bytes; where it is to be fetched, if anywhere.
fn file(remote: Option<RemoteFile>) -> NewAttachment {
    NewAttachment {
        name: "x.bin".into(),
        content_type: "application/octet-stream".into(),
        size: 5,
        dimensions: None,
        voice: false,
        remote,
        file: None,
        pointer: None,
        original: None,
    }
}

/// A message from `sender`, in the conversation with `conversation`.
fn incoming(
    sender: SessionId,
    conversation: SessionId,
    timestamp: Timestamp,
    kind: IncomingKind,
) -> ReceivedItem {
    let conversation = conversation.into();
    let incoming = Incoming { sender, conversation, timestamp, msg_id: None, profile: None, kind };
    let hash = hash((
        sender,
        &incoming.conversation,
        timestamp,
        matches!(incoming.kind, IncomingKind::Message { .. }),
    ));
    let expiration = at(14 * 24 * 3_600_000);
    ReceivedItem { hash, stored_at: timestamp, expiration, meaning: Meaning::Said(Box::new(incoming)) }
}

/// What an item says, to change it.
fn said(item: &mut ReceivedItem) -> &mut Incoming {
    match &mut item.meaning {
        Meaning::Said(incoming) => incoming,
        Meaning::Nothing | Meaning::Unreadable(_) => panic!("it says nothing"),
    }
}

/// A message from `sender` to us.
fn from(sender: SessionId, timestamp: Timestamp, kind: IncomingKind) -> ReceivedItem {
    incoming(sender, sender, timestamp, kind)
}

/// A copy of a message that we sent to `to` from another device.
fn copy(to: SessionId, timestamp: Timestamp, kind: IncomingKind) -> ReceivedItem {
    incoming(me(), to, timestamp, kind)
}

fn batch(items: Vec<ReceivedItem>) -> ReceivedBatch {
    ReceivedBatch {
        node: Ed25519Public([9; 32]),
        account: Account::User(me()),
        namespace: Namespace::MESSAGES,
        last_hash: items.last().map(|item| Cursor { hash: item.hash, expires_at: item.expiration }),
        generation: 0,
        items,
        now: NOW,
    }
}

/// Takes in items as one batch.
fn take(db: &mut Db, items: Vec<ReceivedItem>) -> AppliedBatch {
    db.apply_received(&batch(items)).unwrap()
}

fn outgoing(db: &mut Db, to: SessionId, timestamp: Timestamp, body: &str) -> OutgoingMessage {
    OutgoingMessage {
        preview: None,
        conversation: made(db, to),
        timestamp,
        text: body.to_owned(),
        quote: None,
        attachments: Vec::new(),
        notice: None,
        expiry: Expiry::Off,
    }
}

fn job(kind: JobKind, to: SessionId, timestamp: Timestamp) -> NewJob {
    NewJob {
        kind,
        recipient: Account::User(to),
        namespace: Namespace::MESSAGES,
        message: None,
        timestamp,
        ttl_ms: 1_209_600_000,
        payload: Some(timestamp.as_ms().to_be_bytes().to_vec()),
        wish: None,
        copy: None,
    }
}

/// The jobs whose turn it is.
fn due(db: &Db) -> Vec<Job> {
    db.outbox_due().unwrap().into_iter().map(|due| db.outbox_job(due.job).unwrap().unwrap()).collect()
}

fn payload(db: &Db, job: &Job) -> Option<Vec<u8>> {
    db.outbox_payload(job.id).unwrap()
}

/// Stores a message to `to` with the job that sends it and the copy that follows.
fn send(db: &mut Db, to: SessionId, timestamp: Timestamp, body: &str) -> MessageId {
    let mut job = job(JobKind::ToRecipient, to, timestamp);
    job.copy = Some(SwarmCopy { payload: b"copy".to_vec(), ttl_ms: 1000 });
    let message = outgoing(db, to, timestamp, body);
    db.insert_outgoing(&message, &[job], Now::Known(NOW)).unwrap().id
}

fn page(db: &Db, id: SessionId) -> Vec<Message> {
    db.messages(with(db, id), Page::Newest, 1000, NOW).unwrap().messages
}

fn texts(db: &Db, id: SessionId) -> Vec<String> {
    page(db, id).into_iter().map(|message| message.text).collect()
}

fn conversation(db: &Db, id: SessionId) -> Conversation {
    db.conversation(with(db, id)).unwrap().unwrap()
}

/// An emoji for a message of `target`, sent at `ms`.
fn reaction(target: SessionId, ms: i64, emoji: &str, remove: bool) -> IncomingKind {
    IncomingKind::Reaction {
        target: QuoteKey { author: target, timestamp: at(ms) },
        emoji: emoji.parse().unwrap(),
        remove,
    }
}

/// The wish that a message be deleted.
fn unsend(author: SessionId, ms: i64) -> IncomingKind {
    IncomingKind::Unsend { target: QuoteKey { author, timestamp: at(ms) }, msg_id: None }
}

/// A line that tells what happened.
fn notice(notice: Notice) -> IncomingKind {
    IncomingKind::Notice { notice, expiry: Expiry::Off }
}

/// A contact who accepted us and whom we accepted.
fn befriend(db: &mut Db, id: SessionId) {
    db.set_approved(id, true).unwrap();
    db.set_approved_me(id, true).unwrap();
    let conversation = made(db, id);
    db.open_conversation(conversation, at(-1_000_000)).unwrap();
}
