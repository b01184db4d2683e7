//! From what is to be said to the bytes that swarms store: once for the other, once for our own devices.
//!
//! Decision: both are made together and stored, before anything is sent. A retry, even after a restart, stores the
//! same bytes, which a swarm keeps only once (spec 02 §8).
//!
//! Decision: while the network's time is not known, nothing can have its final bytes, because the sent timestamp is a
//! part of them. It is encoded all the same, so that a person hears at once what cannot be sent; the bytes are made
//! anew when the time is known, as after uploads.
//!
//! Decision: what has no form on the network ends the transaction in which it was to be written down
//! ([`StoreError::Unsendable`]): nothing of it stays, no conversation that was made for it, no request accepted by it,
//! and a draft is still there.

use std::sync::Arc;

use septet_protocol::account::DisplayName;
use septet_protocol::attachment::{AttachmentPointer, Key};
use septet_protocol::crypto::SystemRandom;
use septet_protocol::id::{Account, Namespace, SessionId};
use septet_protocol::message::{
    Content, DataExtraction, EncodeError, LinkPreview, MessageRef, Outgoing, Profile, ProfilePicture,
    Reaction, ReactionAction, TTL_CONTENT_MS, Visible, encode_one_to_one,
};
use septet_protocol::time::Timestamp;

use super::{Engine, Reader};
use crate::error::ClientError;
use crate::event::Event;
use crate::model::{ConversationId, Expiry, MessageId, Notice, Sent};
use crate::store::{
    Db, JobKind, NewAttachment, NewJob, NewPreview, Now, OutgoingMessage, ProfileData, QuoteKey, StoreError,
    SwarmCopy, Wish,
};

/// Bytes for the recipient's swarm, and a copy for our own if the kind has one.
pub struct Parcel {
    /// For the recipient.
    pub payload: Vec<u8>,
    /// For our own devices.
    pub copy: Option<SwarmCopy>,
    /// How long the recipient's swarm keeps it, in ms.
    pub ttl_ms: u64,
}

/// What a message says, its files left out.
pub struct Words {
    /// Its text.
    pub text: String,
    /// What it answers.
    pub quote: Option<MessageId>,
    /// What a link in it leads to.
    pub preview: Option<NewPreview>,
}

impl Engine {
    /// Encodes a message for its recipient and, if its kind is copied, for our own devices.
    pub fn pack(&self, mut outgoing: Outgoing, to: SessionId) -> Result<Parcel, EncodeError> {
        let own = to == self.me();
        if own {
            outgoing.profile = None;
        }
        let payload = encode_one_to_one(&outgoing, &self.keys, &to, &mut SystemRandom)?;
        let copy = match outgoing.sync_copy(to).filter(|_| !own) {
            None => None,
            Some(copy) => {
                let payload = encode_one_to_one(&copy, &self.keys, &self.me(), &mut SystemRandom)?;
                Some(SwarmCopy { payload, ttl_ms: copy.ttl_ms() })
            }
        };
        Ok(Parcel { payload, copy, ttl_ms: outgoing.ttl_ms() })
    }

    /// What time it is for something that is written now: what stands behind something without a final timestamp has
    /// none either.
    pub fn writing_time(&self, db: &Db) -> Result<Now, StoreError> {
        let now = self.now();
        if now.known().is_some() && !db.has_undated()? {
            return Ok(now);
        }
        // It is rung in the middle of a transaction, but whoever hears it has to wait for that to end.
        self.bells.undated.notify_one();
        Ok(Now::Guessed(now.at()))
    }

    /// Writes a message down, with the jobs that deliver it, in one transaction; nothing if one was written under the
    /// same key before.
    pub async fn send_message(
        self: &Arc<Self>,
        to: ConversationId,
        words: Words,
        attachments: Vec<NewAttachment>,
        key: Option<String>,
    ) -> Result<Sent, ClientError> {
        let engine = Arc::clone(self);
        let write = move |db: &mut Db| {
            db.transaction(|db| {
                let before = match &key {
                    Some(key) => db.sent_before(key)?,
                    None => None,
                };
                match before {
                    Some(before) => Ok(Err(before)),
                    None => engine.write_message(db, to, words, attachments, key.as_deref()).map(Ok),
                }
            })
        };
        let written = match self.store.call(write).await? {
            Ok(written) => written,
            Err(before) => return Ok(Sent::Before(before)),
        };
        let message = written.id;
        self.typed(to);
        self.events.send(Event::Changed { conversation: to, message });
        self.events.send(Event::Seen { conversation: to, message });
        if !written.read.is_empty() {
            // Their countdowns began.
            self.events.send(Event::Messages(to));
        }
        self.events.send(Event::Conversation(to));
        self.became_read(written.read, Reader::Here);
        self.bells.outbox.notify_one();
        self.bells.config.notify_one();
        // Writing accepts: the other's picture may be wanted now.
        self.bells.downloads.notify_one();
        Ok(Sent::Now(message))
    }

    /// The transaction of [`Engine::send_message`].
    fn write_message(
        &self,
        db: &mut Db,
        to: ConversationId,
        words: Words,
        attachments: Vec<NewAttachment>,
        key: Option<&str>,
    ) -> Result<crate::store::Outgoing, StoreError> {
        let Words { text, quote, preview } = words;
        let conversation = db.conversation(to)?.ok_or(StoreError::NotFound)?;
        let other = db.account_of(to)?;
        let now = self.writing_time(db)?;
        if conversation.approved_me && !conversation.approved && other != self.me() {
            // Writing back accepts; the other is told first (spec 02 §21.2).
            self.tell_accepted(db, other, now)?;
        }
        let timestamp = db.next_timestamp(now)?;
        let unread = conversation.unread > 0 || conversation.marked_unread;
        let expiry = conversation.expiry;
        let quote = match quote {
            Some(quoted) => {
                db.message(quoted)?.map(|it| QuoteKey { author: it.from, timestamp: it.timestamp })
            }
            None => None,
        };
        let message = OutgoingMessage {
            conversation: to,
            timestamp,
            text,
            quote,
            attachments,
            preview,
            notice: None,
            expiry,
        };
        let pictured = message.preview.as_ref().is_some_and(|preview| preview.image.is_some());
        let job = match message.attachments.is_empty() && !pictured {
            true => self.message_job(db, &message, Vec::new(), None)?,
            // Encoded once the uploads are done.
            false => NewJob { payload: None, copy: None, ..self.job(other, timestamp) },
        };
        let written = db.insert_outgoing(&message, &[job], now)?;
        if let Some(key) = key {
            db.set_sent(key, written.id, timestamp, now)?;
        }
        // Writing accepts the other and shows what was hidden, on all devices.
        self.documents.conversation_changed(db, to, now)?;
        if unread {
            self.documents.read_changed(db, to, now)?;
        }
        Ok(written)
    }

    /// Something is about to be sent that answers the other without being a message: accepts them, tells them first
    /// if they had asked, and lists the conversation again (spec 02 §21.2).
    pub fn answer(&self, db: &mut Db, to: ConversationId) -> Result<(), StoreError> {
        let other = db.account_of(to)?;
        if other == self.me() {
            return Ok(());
        }
        let now = self.writing_time(db)?;
        if db.accept(to, now)? {
            self.tell_accepted(db, other, now)?;
        }
        self.documents.conversation_changed(db, to, now)?;
        Ok(())
    }

    /// Tells somebody that their messages are welcome. What is written to them at the same moment bears a date 100 ms
    /// later (spec 02 §21.2).
    pub fn tell_accepted(&self, db: &mut Db, to: SessionId, now: Now) -> Result<(), StoreError> {
        let timestamp = db.response_timestamp(now)?;
        let job = self.wish_job(db, to, Wish::RequestResponse, timestamp)?;
        db.enqueue(&NewJob { kind: JobKind::Other, ..job }, now)?;
        Ok(())
    }

    /// Changes when what we write to somebody disappears, tells them, and shares it with our other devices, in one
    /// transaction (spec 02 §18.1). Does nothing if it is so already.
    pub async fn set_expiry(self: &Arc<Self>, to: ConversationId, expiry: Expiry) -> Result<(), ClientError> {
        let engine = Arc::clone(self);
        let set = move |db: &mut Db| db.transaction(|db| engine.write_expiry(db, to, expiry));
        if self.store.call(set).await? {
            self.bells.outbox.notify_one();
            self.bells.config.notify_one();
            self.events.send(Event::Messages(to));
            self.events.send(Event::Conversation(to));
        }
        Ok(())
    }

    /// The transaction of [`Engine::set_expiry`]; tells whether something changed.
    fn write_expiry(&self, db: &mut Db, to: ConversationId, expiry: Expiry) -> Result<bool, StoreError> {
        if !db.set_expiry(to, expiry)? {
            return Ok(false);
        }
        let now = self.writing_time(db)?;
        let timestamp = db.next_timestamp(now)?;
        let job = self.wish_job(db, db.account_of(to)?, Wish::TimerUpdate { expiry }, timestamp)?;
        let message = OutgoingMessage {
            conversation: to,
            timestamp,
            text: String::new(),
            quote: None,
            attachments: Vec::new(),
            preview: None,
            notice: Some(Notice::ExpiryChanged { expiry }),
            expiry,
        };
        db.insert_outgoing(&message, &[job], now)?;
        self.documents.conversation_changed(db, to, now)?;
        Ok(true)
    }

    /// The job that delivers a message whose attachments, and the picture of its link, are where these pointers say.
    pub fn message_job(
        &self,
        db: &Db,
        message: &OutgoingMessage,
        attachments: Vec<AttachmentPointer>,
        picture: Option<AttachmentPointer>,
    ) -> Result<NewJob, StoreError> {
        let preview = message.preview.as_ref().map(|preview| LinkPreview {
            url: preview.url.clone(),
            title: preview.title.clone(),
            image: picture.map(Box::new),
        });
        let quote =
            message.quote.map(|quote| MessageRef { author: quote.author, timestamp: quote.timestamp });
        let content = Content::Visible(Visible { body: message.text.clone(), attachments, quote, preview });
        let mut outgoing = Outgoing::new(content, message.timestamp);
        outgoing.expiration = message.expiry.into();
        outgoing.profile = self.profile(db)?;
        let to = db.account_of(message.conversation)?;
        Ok(self.pack(outgoing, to)?.into_job(self.job(to, message.timestamp)))
    }

    /// Puts something that is no message of its own (a reaction, an unsend request…) into the outbox; returns its
    /// sent timestamp.
    pub fn enqueue(&self, db: &mut Db, to: SessionId, wish: Wish) -> Result<Timestamp, StoreError> {
        let now = self.writing_time(db)?;
        let timestamp = db.next_timestamp(now)?;
        let job = self.wish_job(db, to, wish, timestamp)?;
        db.enqueue(&NewJob { kind: JobKind::Other, ..job }, now)?;
        Ok(timestamp)
    }

    /// The job that delivers what is no message of its own.
    pub fn wish_job(
        &self,
        db: &Db,
        to: SessionId,
        wish: Wish,
        timestamp: Timestamp,
    ) -> Result<NewJob, StoreError> {
        let expiry = match &wish {
            Wish::TimerUpdate { expiry } => *expiry,
            _ => db.conversation_at(&to.into())?.map_or(Expiry::Off, |it| it.expiry),
        };
        let mut outgoing = Outgoing::new(content(wish.clone()), timestamp);
        outgoing.expiration = expiry.into();
        outgoing.profile = self.profile(db)?;
        let job = NewJob { wish: Some(wish), ..self.job(to, timestamp) };
        Ok(self.pack(outgoing, to)?.into_job(job))
    }

    /// An empty job for a recipient.
    fn job(&self, to: SessionId, timestamp: Timestamp) -> NewJob {
        NewJob {
            kind: if to == self.me() { JobKind::OwnNote } else { JobKind::ToRecipient },
            recipient: Account::from(to),
            namespace: Namespace::MESSAGES,
            message: None,
            timestamp,
            ttl_ms: TTL_CONTENT_MS,
            payload: None,
            wish: None,
            copy: None,
        }
    }

    /// Our profile, as messages carry it.
    fn profile(&self, db: &Db) -> Result<Option<Profile>, StoreError> {
        Ok(db.profile_of(self.me())?.map(|data| profile(&data)))
    }
}

impl Parcel {
    /// Fills a job.
    fn into_job(self, job: NewJob) -> NewJob {
        NewJob { ttl_ms: self.ttl_ms, payload: Some(self.payload), copy: self.copy, ..job }
    }
}

/// What a wish says on the network.
fn content(wish: Wish) -> Content {
    match wish {
        Wish::RequestResponse => Content::RequestResponse(true),
        Wish::Reaction { author, timestamp, emoji, remove } => {
            let action = if remove { ReactionAction::Remove } else { ReactionAction::React };
            Content::Reaction(Reaction { target: MessageRef { author, timestamp }, emoji, action })
        }
        Wish::Unsend { author, timestamp } => Content::Unsend(MessageRef { author, timestamp }),
        Wish::ReadReceipt { timestamps } => Content::ReadReceipt(timestamps),
        Wish::MediaSaved { timestamp } => {
            Content::DataExtraction(DataExtraction::MediaSaved(Some(timestamp)))
        }
        Wish::TimerUpdate { .. } => Content::TimerUpdate,
    }
}

/// A profile as messages carry it; a picture only with an address and a key of the right form.
fn profile(data: &ProfileData) -> Profile {
    let picture = data.picture.as_ref().and_then(|picture| {
        Some(ProfilePicture { url: picture.url.parse().ok()?, key: Key::from_slice(&picture.key)? })
    });
    Profile { name: DisplayName::truncated(&data.name), picture, updated: data.updated }
}
