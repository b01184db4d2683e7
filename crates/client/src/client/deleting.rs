//! Deleting messages, here or everywhere, and bringing back what was deleted a moment ago (spec 02 §23).
//!
//! Decision: what is deleted on this device can be brought back for [`UNDO_FOR`]. Until then all of it stays in its row,
//! marked as deleted and shown to nobody, and nothing else; the time is counted in memory. So there is one way only for
//! it to come back, and a program that ends in between, in whatever way, has deleted it: the next start begins with that.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::{Client, ClientError};
use crate::event::Event;
use crate::model::{ConversationId, Message, MessageId, MessageState};
use crate::store::{Db, StoreError, Wish};

/// How long what was deleted on this device can be brought back.
pub const UNDO_FOR: Duration = Duration::from_secs(8);

/// Messages that look different now or are gone, with their conversations.
type Changed = Vec<(ConversationId, MessageId)>;

impl Client {
    /// Removes a message that is not sent yet, with its files. If some of it may be out, though that is not known yet,
    /// the other's devices and our own are asked to delete it. Does nothing if it is sent.
    pub async fn cancel(&self, id: MessageId) -> Result<(), ClientError> {
        self.take_away(&[id], |db, message| db.cancel_outgoing(message.id)).await
    }

    /// As [`Client::delete_messages`], for one.
    pub async fn delete_message(&self, id: MessageId) -> Result<(), ClientError> {
        self.delete_messages(&[id]).await
    }

    /// Deletes messages from this device for good; only their places are kept. Nobody is told, unless one is not sent
    /// yet: then it must not arrive, and goes as with [`Client::cancel`]. Of what is a mere place already, and of lines
    /// that tell what happened, nothing is kept.
    pub async fn delete_messages(&self, ids: &[MessageId]) -> Result<(), ClientError> {
        self.take_away(ids, |db, message| {
            if is_line(message) {
                db.remove_messages(&[message.id])?;
            } else if !db.cancel_untried(message.id)? {
                db.delete_here(&[message.id])?;
            }
            Ok(true)
        })
        .await
    }

    /// As [`Client::delete_messages`], but what has a text or files can be brought back for [`UNDO_FOR`]: those that are
    /// returned. If the program ends before, they are deleted.
    pub async fn delete_for_now(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, ClientError> {
        let (send, hidden) = tokio::sync::oneshot::channel();
        let mut back = Vec::new();
        let ids_here = ids.to_vec();
        let hide = move |db: &mut Db| {
            db.transaction(|db| {
                let mut changed = Changed::new();
                for id in &ids_here {
                    let Some(message) = db.message(*id)? else { continue };
                    let settled = matches!(message.state, MessageState::Sent | MessageState::Received);
                    if settled && !is_line(&message) {
                        back.extend(db.hide_here(&[*id])?);
                    } else if is_line(&message) {
                        db.remove_messages(&[*id])?;
                    } else {
                        if !db.cancel_untried(*id)? {
                            db.delete_here(&[*id])?;
                        }
                    }
                    changed.push((message.conversation, *id));
                }
                // The one who waits may be gone; then there is nobody to bring it back.
                _ = send.send(back);
                Ok(changed)
            })
        };
        let changed = self.write(hide).await?;
        self.tell_deleted(changed);
        let hidden = hidden.await.unwrap_or_default();
        if !hidden.is_empty() {
            self.finish_later(hidden.clone());
        }
        Ok(hidden)
    }

    /// Brings back what [`Client::delete_for_now`] took, as far as its time is not over.
    pub async fn undo_delete(&self, ids: &[MessageId]) -> Result<(), ClientError> {
        let ids = ids.to_vec();
        let back = self.write(move |db| {
            db.transaction(|db| {
                let back = db.unhide(&ids)?;
                conversations_of(db, &back)
            })
        });
        let changed = back.await?;
        self.tell_deleted(changed);
        Ok(())
    }

    /// As [`Client::delete_all_for_everyone`], for one.
    pub async fn delete_for_everyone(&self, id: MessageId) -> Result<(), ClientError> {
        self.delete_all_for_everyone(&[id]).await
    }

    /// Deletes messages of ours from all our devices and asks the other's devices to do the same, all or none of them; a
    /// note to oneself goes without a trace, and so does what was never out (spec 02 §23). Our own swarm deletes its
    /// copies as soon as it is reached; should it refuse, that is told as [`Event::Problem`].
    pub async fn delete_all_for_everyone(&self, ids: &[MessageId]) -> Result<(), ClientError> {
        for id in ids {
            let message = self.message(*id).await?.ok_or(ClientError::NotFound("message"))?;
            if !message.outgoing || message.notice.is_some() || message.deleted {
                return Err(ClientError::Refused("only messages of your own can be deleted for everyone"));
            }
        }
        let (engine, now) = (self.0.engine.clone(), self.now());
        self.take_away(ids, move |db, message| {
            // What was true a moment ago may not be any more: it was sent, it got another date, it is gone.
            if message.deleted {
                return Ok(false);
            }
            if db.cancel_untried(message.id)? {
                return Ok(true);
            }
            let (hashes, to) = (db.hashes_of(&[message.id])?, db.account_of(message.conversation)?);
            db.doom_hashes(&hashes, now)?;
            // For what may be out, the store asks by itself as it is taken back.
            if message.state == MessageState::Sent {
                let wish = Wish::Unsend { author: message.from, timestamp: message.timestamp };
                engine.enqueue(db, to, wish)?;
            }
            match to == engine.me() {
                true => db.remove_messages(&[message.id])?,
                false => db.delete_messages(&[message.id])?,
            };
            Ok(true)
        })
        .await
    }

    /// Takes messages away as `take` does it with each, in one transaction, and tells.
    async fn take_away(
        &self,
        ids: &[MessageId],
        mut take: impl FnMut(&mut Db, &Message) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<(), ClientError> {
        let ids = ids.to_vec();
        let all = move |db: &mut Db| {
            db.transaction(|db| {
                let mut changed = Changed::new();
                for id in &ids {
                    let Some(message) = db.message(*id)? else { continue };
                    if take(db, &message)? {
                        changed.push((message.conversation, *id));
                    }
                }
                Ok(changed)
            })
        };
        let changed = self.write(all).await?;
        self.tell_deleted(changed);
        Ok(())
    }

    /// Deletes for good what was not brought back in time.
    fn finish_later(&self, ids: Vec<MessageId>) {
        let engine = Arc::downgrade(&self.0.engine);
        tokio::spawn(async move {
            tokio::time::sleep(UNDO_FOR).await;
            let Some(engine) = engine.upgrade() else { return };
            let finish = move |db: &mut Db| {
                db.transaction(|db| {
                    db.finish_deleting(Some(&ids))?;
                    conversations_of(db, &ids)
                })
            };
            match engine.store.call(finish).await {
                // Its files need not come any more.
                Ok(changed) => changed.into_iter().for_each(|(conversation, message)| {
                    engine.events.send(Event::Changed { conversation, message });
                }),
                Err(error) => tracing::debug!(%error, "what was deleted goes at the next start"),
            }
        });
    }

    /// Tells of what was taken away or brought back, which also stops files on their way.
    fn tell_deleted(&self, changed: Changed) {
        if changed.is_empty() {
            return;
        }
        self.0.engine.bells.forgetting.notify_one();
        self.0.engine.outbox_changed();
        let mut rows = BTreeSet::new();
        for (conversation, message) in changed {
            rows.insert(conversation);
            self.0.engine.events.send(Event::Changed { conversation, message });
        }
        for conversation in rows {
            self.0.engine.events.send(Event::Conversation(conversation));
        }
    }
}

/// Nothing that anybody wrote is lost with it: a place that is kept, or a line that tells what happened.
fn is_line(message: &Message) -> bool {
    message.deleted || message.notice.is_some()
}

/// Messages with their conversations; those that are gone are left out.
fn conversations_of(db: &Db, ids: &[MessageId]) -> Result<Changed, StoreError> {
    let mut found = Changed::new();
    for id in ids {
        found.extend(db.conversation_of(*id)?.map(|conversation| (conversation, *id)));
    }
    Ok(found)
}
