//! Reading and writing messages.

use std::time::Duration;

use septet_protocol::id::MessageHash;
use septet_protocol::message::Emoji;
use tokio::sync::broadcast::error::RecvError;

use super::{Client, ClientError};
use crate::engine::Reader;
use crate::event::Event;
use crate::model::{ConversationId, Message, MessageId, MessagePage, MessageState, Page};
use crate::store::{Db, StoreError, Wish};

/// How many messages, the latest, a receipt tells of when many are read at once.
const RECEIPTS: u32 = 500;

impl Client {
    /// A part of a conversation of at most `limit` messages, oldest first.
    pub async fn messages(
        &self,
        id: ConversationId,
        page: Page,
        limit: u32,
    ) -> Result<MessagePage, ClientError> {
        let now = self.shown_by();
        let mut page = self.read(move |db| db.messages(id, page, limit, now)).await?;
        for message in &mut page.messages {
            self.0.engine.transfers.overlay(message);
        }
        Ok(page)
    }

    /// One message, if it exists.
    pub async fn message(&self, id: MessageId) -> Result<Option<Message>, ClientError> {
        let now = self.shown_by();
        let mut message = self.read(move |db| db.shown_message(id, now)).await?;
        if let Some(message) = &mut message {
            self.0.engine.transfers.overlay(message);
        }
        Ok(message)
    }

    /// Waits until a message of ours is sent or failed. In both cases, and after [`ClientError::TimedOut`], what is
    /// to be done about it goes on by itself.
    pub async fn wait_sent(&self, id: MessageId, timeout: Duration) -> Result<Message, ClientError> {
        let mut events = self.subscribe();
        let settled = async {
            loop {
                let message = self.message(id).await?.ok_or(ClientError::NotFound("message"))?;
                if message.state != MessageState::Sending {
                    return Ok(message);
                }
                // Events that were lost only make us look again.
                while match events.recv().await {
                    Ok(Event::State { message, .. }) => message != id,
                    Ok(_) => true,
                    Err(RecvError::Lagged(_)) => false,
                    Err(RecvError::Closed) => return Err(ClientError::Stopped),
                } {}
            }
        };
        tokio::time::timeout(timeout, settled).await.unwrap_or(Err(ClientError::TimedOut(timeout)))
    }

    /// Tries a failed message again.
    pub async fn resend(&self, id: MessageId) -> Result<(), ClientError> {
        let now = self.now();
        let resend = move |db: &mut Db| {
            let conversation = db.conversation_of(id)?;
            Ok(conversation.zip(db.outbox_resend(id, now)?.then_some(())))
        };
        if let Some((conversation, ())) = self.write(resend).await? {
            let state = MessageState::Sending;
            self.0.engine.events.send(Event::State { conversation, message: id, state });
            self.0.engine.events.send(Event::Changed { conversation, message: id });
            self.0.engine.bells.preparing.notify_one();
            self.0.engine.outbox_changed();
        }
        Ok(())
    }

    /// Removes a message that is not sent yet, with its files. If some of it may be out, though that is not known yet,
    /// the other's devices and our own are asked to delete it. Does nothing if it is sent.
    pub async fn cancel(&self, id: MessageId) -> Result<(), ClientError> {
        self.take_away(id, move |db| Ok((db.cancel_outgoing(id)?, Vec::new()))).await
    }

    /// Marks all messages up to and including this one as read.
    pub async fn mark_read(&self, id: ConversationId, up_to: MessageId) -> Result<(), ClientError> {
        let now = self.0.engine.now();
        let documents = self.0.engine.documents.clone();
        let receipts = if self.read_receipts() { RECEIPTS } else { 0 };
        let read = move |db: &mut Db| {
            db.transaction(|db| {
                let told = db.unread_texts(id, up_to, receipts)?;
                let outcome = db.mark_read(id, up_to, now)?;
                if outcome.changed {
                    documents.read_changed(db, id, now)?;
                }
                Ok((outcome, told))
            })
        };
        let (outcome, told) = self.write(read).await?;
        if outcome.any {
            self.0.engine.events.send(Event::Seen { conversation: id, message: up_to });
        }
        if !outcome.read.is_empty() {
            // Their countdowns began.
            self.0.engine.events.send(Event::Messages(id));
        }
        if outcome.changed {
            self.0.engine.bells.config.notify_one();
            self.0.engine.events.send(Event::Conversation(id));
        }
        self.0.engine.tell_read(id, told);
        self.0.engine.became_read(outcome.read, Reader::Here);
        Ok(())
    }

    /// Whether people we accepted are told what we read, and we what they read.
    pub fn read_receipts(&self) -> bool {
        self.0.engine.receipts.are_on()
    }

    /// Switches read receipts on or off; off to begin with.
    pub async fn set_read_receipts(&self, on: bool) -> Result<(), ClientError> {
        Ok(self.0.engine.set_read_receipts(on).await?)
    }

    /// Adds one's reaction to a message, or removes it: one emoji (spec 02 §16). Like writing, that accepts a request and lists
    /// a hidden conversation again (spec 02 §21.2).
    pub async fn react(&self, id: MessageId, emoji: &str, remove: bool) -> Result<(), ClientError> {
        let emoji: Emoji = emoji.parse().map_err(|_| ClientError::Refused("choose an emoji"))?;
        let message = self.message(id).await?.ok_or(ClientError::NotFound("message"))?;
        let unsent = matches!(message.state, MessageState::Sending | MessageState::Failed);
        if message.deleted || message.notice.is_some() || unsent {
            return Err(ClientError::Refused("this message cannot be reacted to"));
        }
        if self.conversation(message.conversation).await?.is_some_and(|conversation| conversation.blocked) {
            return Err(ClientError::Refused("you blocked this contact: unblock to react"));
        }
        let engine = self.0.engine.clone();
        let conversation = message.conversation;
        let react = move |db: &mut Db| {
            db.transaction(|db| {
                engine.answer(db, conversation)?;
                let (author, timestamp) = (message.from, message.timestamp);
                let wish = Wish::Reaction { author, timestamp, emoji: emoji.clone(), remove };
                let to = db.account_of(conversation)?;
                let timestamp = engine.enqueue(db, to, wish)?;
                db.react(id, emoji.as_str(), remove, timestamp)
            })
        };
        self.write(react).await?;
        self.0.engine.bells.outbox.notify_one();
        // Reacting accepts: the other's picture may be wanted now.
        self.0.engine.bells.downloads.notify_one();
        self.0.engine.bells.config.notify_one();
        self.tell_changed(conversation, id);
        Ok(())
    }

    /// Deletes a message from this device; only its place is kept. Nobody is told, unless it is not sent yet: then it
    /// must not arrive, and goes as with [`Client::cancel`].
    pub async fn delete_message(&self, id: MessageId) -> Result<(), ClientError> {
        let delete = move |db: &mut Db| {
            if !db.cancel_untried(id)? {
                db.release_copy(id)?;
                db.delete_messages(&[id])?;
            }
            Ok((true, Vec::new()))
        };
        self.take_away(id, delete).await
    }

    /// Deletes a message of ours from all our devices and asks the other's devices to do the same; a note to
    /// oneself goes without a trace, and so does what was never out (spec 02 §23).
    pub async fn delete_for_everyone(&self, id: MessageId) -> Result<(), ClientError> {
        let message = self.message(id).await?.ok_or(ClientError::NotFound("message"))?;
        if !message.outgoing || message.notice.is_some() || message.deleted {
            return Err(ClientError::Refused("only messages of your own can be deleted for everyone"));
        }
        let engine = self.0.engine.clone();
        let delete = move |db: &mut Db| {
            // What was true a moment ago may not be any more: it was sent, it got another date, it is gone.
            let Some(message) = db.message(id)?.filter(|message| !message.deleted) else {
                return Ok((false, Vec::new()));
            };
            if db.cancel_untried(id)? {
                return Ok((true, Vec::new()));
            }
            let (hashes, to) = (db.hashes_of(&[id])?, db.account_of(message.conversation)?);
            // For what may be out, the store asks by itself as it is taken back.
            if message.state == MessageState::Sent {
                let wish = Wish::Unsend { author: message.from, timestamp: message.timestamp };
                engine.enqueue(db, to, wish)?;
            }
            match to == engine.me() {
                true => db.remove_messages(&[id])?,
                false => db.delete_messages(&[id])?,
            };
            Ok((true, hashes))
        };
        self.take_away(id, delete).await
    }

    /// Takes a message away as `f` does it in one transaction: whether it did, and the hashes to be deleted from our
    /// own swarm. Stops its files on their way, and tells.
    async fn take_away(
        &self,
        id: MessageId,
        f: impl FnOnce(&mut Db) -> Result<(bool, Vec<MessageHash>), StoreError> + Send + 'static,
    ) -> Result<(), ClientError> {
        let take = move |db: &mut Db| {
            db.transaction(|db| {
                let files = db.attachments_of(id)?;
                let conversation = db.conversation_of(id)?;
                let (gone, hashes) = f(db)?;
                Ok((conversation.filter(|_| gone), files, hashes))
            })
        };
        let (Some(conversation), files, hashes) = self.write(take).await? else { return Ok(()) };
        for file in files {
            self.0.engine.transfers.cancel(file.id);
        }
        self.0.engine.forget(hashes);
        self.0.engine.outbox_changed();
        self.tell_changed(conversation, id);
        Ok(())
    }

    /// Tells that a message changed or is gone.
    fn tell_changed(&self, conversation: ConversationId, message: MessageId) {
        self.0.engine.events.send(Event::Changed { conversation, message });
        self.0.engine.events.send(Event::Conversation(conversation));
    }
}
