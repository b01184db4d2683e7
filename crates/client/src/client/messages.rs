//! Reading and writing messages.

use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;

use super::{Client, ClientError};
use crate::engine::Reader;
use crate::event::Event;
use crate::model::{ConversationId, Message, MessageId, MessagePage, MessageState, Page};
use crate::store::Db;

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

    /// Marks all messages up to and including this one as read.
    pub async fn mark_read(&self, id: ConversationId, up_to: MessageId) -> Result<(), ClientError> {
        let now = self.0.engine.now();
        let documents = self.0.engine.documents.clone();
        let receipts = if self.settings().read_receipts { RECEIPTS } else { 0 };
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

    /// Tells that a message changed or is gone.
    pub(super) fn tell_changed(&self, conversation: ConversationId, message: MessageId) {
        self.0.engine.events.send(Event::Changed { conversation, message });
        self.0.engine.events.send(Event::Conversation(conversation));
    }
}
