//! Reading and writing messages.

use std::time::Duration;

use septet_protocol::message::Emoji;
use tokio::sync::broadcast::error::RecvError;

use super::{Client, ClientError, SendError};
use crate::engine::{check_text, load_files};
use crate::event::Event;
use crate::model::{
    ConversationId, Draft, Message, MessageId, MessagePage, MessageState, OutgoingFile, Page,
};
use crate::store::{Db, NewAttachment, Wish};

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
        let now = self.now();
        let mut page = self.read(move |db| db.messages(id, page, limit, now)).await?;
        for message in &mut page.messages {
            self.0.engine.transfers.overlay(message);
        }
        Ok(page)
    }

    /// One message, if it exists.
    pub async fn message(&self, id: MessageId) -> Result<Option<Message>, ClientError> {
        let now = self.now();
        let mut message = self.read(move |db| db.shown_message(id, now)).await?;
        if let Some(message) = &mut message {
            self.0.engine.transfers.overlay(message);
        }
        Ok(message)
    }

    /// Checks a draft, writes it down as message and outbox job in one transaction, and returns its number; it goes
    /// out in the background. Files are read, pictures prepared and all of it stored before this returns.
    pub async fn send(&self, id: ConversationId, draft: Draft) -> Result<MessageId, SendError> {
        let text = check_text(&draft)?;
        if self.read(move |db| db.conversation(id)).await?.is_some_and(|conversation| conversation.blocked) {
            return Err(SendError::Blocked);
        }
        let quote = match draft.reply_to {
            Some(message) => Some(self.quoted(id, message).await?),
            None => None,
        };
        let attachments = self.take_in(draft.files).await?;
        Ok(self.0.engine.send_message(id, text, quote, attachments).await?)
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
            self.0.engine.bells.outbox.notify_one();
        }
        Ok(())
    }

    /// Removes a message that is not sent yet, with its files. Does nothing if it is sent.
    pub async fn cancel(&self, id: MessageId) -> Result<(), ClientError> {
        let attachments = self.read(move |db| db.attachments_of(id)).await?;
        let cancel = move |db: &mut Db| {
            let conversation = db.conversation_of(id)?;
            Ok(conversation.zip(db.cancel_outgoing(id)?.then_some(())))
        };
        if let Some((conversation, ())) = self.write(cancel).await? {
            for attachment in attachments {
                self.0.engine.transfers.cancel(attachment.id);
            }
            self.tell_changed(conversation, id);
        }
        Ok(())
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
        self.0.engine.became_read(outcome.read);
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
        if message.deleted || message.notice.is_some() || message.state == MessageState::Sending {
            return Err(ClientError::Refused("this message cannot be reacted to"));
        }
        if self.conversation(message.conversation).await?.is_some_and(|conversation| conversation.blocked) {
            return Err(ClientError::Refused("you blocked this contact: unblock to react"));
        }
        let engine = self.0.engine.clone();
        let conversation = message.conversation;
        let react = move |db: &mut Db| {
            db.transaction(|db| {
                if let Err(error) = engine.answer(db, conversation)? {
                    return Ok(Err(error));
                }
                let (author, timestamp) = (message.from, message.timestamp);
                let wish = Wish::Reaction { author, timestamp, emoji: emoji.clone(), remove };
                let to = db.account_of(conversation)?;
                match engine.enqueue(db, to, wish)? {
                    Ok(timestamp) => db.react(id, emoji.as_str(), remove, timestamp).map(Ok),
                    Err(error) => Ok(Err(error)),
                }
            })
        };
        self.write(react).await??;
        self.0.engine.bells.outbox.notify_one();
        // Reacting accepts: the other's picture may be wanted now.
        self.0.engine.bells.downloads.notify_one();
        self.0.engine.bells.config.notify_one();
        self.tell_changed(conversation, id);
        Ok(())
    }

    /// Deletes a message from this device; only its place is kept. Nobody is told.
    pub async fn delete_message(&self, id: MessageId) -> Result<(), ClientError> {
        for conversation in self.write(move |db| db.delete_messages(&[id])).await? {
            self.tell_changed(conversation, id);
        }
        Ok(())
    }

    /// Deletes a message of ours from all our devices and asks the other's devices to do the same; a note to
    /// oneself goes without a trace (spec 02 §23).
    pub async fn delete_for_everyone(&self, id: MessageId) -> Result<(), ClientError> {
        let message = self.message(id).await?.ok_or(ClientError::NotFound("message"))?;
        if !message.outgoing || message.notice.is_some() || message.deleted {
            return Err(ClientError::Refused("only messages of your own can be deleted for everyone"));
        }
        let engine = self.0.engine.clone();
        let conversation = message.conversation;
        let delete = move |db: &mut Db| {
            db.transaction(|db| {
                let (hashes, to) = (db.hashes_of(&[id])?, db.account_of(conversation)?);
                if message.state == MessageState::Sent {
                    let wish = Wish::Unsend { author: message.from, timestamp: message.timestamp };
                    if let Err(error) = engine.enqueue(db, to, wish)? {
                        return Ok(Err(error));
                    }
                }
                if to == engine.me() {
                    db.remove_messages(&[id])?
                } else {
                    db.delete_messages(&[id])?
                };
                Ok(Ok(hashes))
            })
        };
        let hashes = self.write(delete).await??;
        self.0.engine.forget(hashes);
        self.0.engine.bells.outbox.notify_one();
        self.tell_changed(conversation, id);
        Ok(())
    }

    /// Tells that a message changed or is gone.
    fn tell_changed(&self, conversation: ConversationId, message: MessageId) {
        self.0.engine.events.send(Event::Changed { conversation, message });
        self.0.engine.events.send(Event::Conversation(conversation));
    }

    /// Checks what a draft answers.
    async fn quoted(&self, id: ConversationId, message: MessageId) -> Result<MessageId, SendError> {
        let quoted =
            self.message(message).await?.filter(|quoted| quoted.conversation == id && !quoted.deleted);
        quoted.map(|quoted| quoted.id).ok_or(SendError::NoSuchMessage)
    }

    /// Reads and prepares the files of a draft and stores them encrypted.
    async fn take_in(&self, files: Vec<OutgoingFile>) -> Result<Vec<NewAttachment>, SendError> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let engine = self.0.engine.clone();
        let stored = tokio::task::spawn_blocking(move || {
            let mut attachments = Vec::new();
            for file in load_files(files)? {
                let stored = engine.store.files().write(&file.prepared.bytes).map_err(ClientError::from)?;
                attachments.push(NewAttachment {
                    name: file.name,
                    content_type: file.prepared.content_type,
                    size: file.prepared.bytes.len() as u64,
                    dimensions: file.prepared.dimensions,
                    voice: false,
                    remote: None,
                    file: Some(stored),
                    pointer: None,
                });
            }
            Ok(attachments)
        });
        stored.await.unwrap_or(Err(SendError::Client(ClientError::Stopped)))
    }
}
