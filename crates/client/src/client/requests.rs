//! Strangers who wait, and who is not wanted: accepting, declining, blocking (spec 02 §21, §22).
//!
//! Decision: what is decided about a request counts only while it is one. It may have been accepted on another device
//! since a person looked at it, and declining must not delete a contact.

use septet_protocol::id::SessionId;
use septet_protocol::time::Timestamp;

use super::{Client, ClientError};
use crate::event::Event;
use crate::model::ConversationId;
use crate::store::{Db, StoreError};

impl Client {
    /// Accepts a message request: approves the other and tells them (spec 02 §21.2).
    pub async fn accept(&self, id: ConversationId) -> Result<(), ClientError> {
        let other = self.other(id).await?;
        let (engine, documents) = (self.0.engine.clone(), self.0.engine.documents.clone());
        let accept = move |db: &mut Db| {
            db.transaction(|db| {
                let now = engine.writing_time(db)?;
                let accepted = db.accept(id, now)?;
                documents.conversation_changed(db, id, now)?;
                if accepted {
                    engine.tell_accepted(db, other, now)?;
                }
                Ok(accepted)
            })
        };
        let accepted = self.write(accept).await?;
        self.0.engine.bells.config.notify_one();
        self.0.engine.bells.downloads.notify_one();
        if accepted {
            self.0.engine.bells.outbox.notify_one();
            self.0.engine.events.send(Event::Messages(id));
        }
        self.0.engine.events.send(Event::Conversation(id));
        Ok(())
    }

    /// Declines a message request, on all our devices: its messages are deleted, and nobody is told. What they write
    /// later is a request again. Does nothing if it is none.
    pub async fn decline(&self, id: ConversationId) -> Result<(), ClientError> {
        self.other(id).await?;
        self.decline_those(Some(id)).await.map(drop)
    }

    /// Declines every message request, as [`Client::decline`] does one; returns how many there were.
    pub async fn decline_all(&self) -> Result<usize, ClientError> {
        self.decline_those(None).await
    }

    /// Declines one request, or all.
    async fn decline_those(&self, only: Option<ConversationId>) -> Result<usize, ClientError> {
        let (documents, now, shown) = (self.0.engine.documents.clone(), self.now(), self.shown_by());
        let decline = move |db: &mut Db| {
            db.transaction(|db| {
                let declined = requests(db, only, shown)?;
                for (_, other) in &declined {
                    db.decline(*other)?;
                }
                documents.contacts_declined(db, &declined.iter().map(|it| it.1).collect::<Vec<_>>(), now)?;
                Ok(declined)
            })
        };
        let declined = self.write(decline).await?;
        for (id, _) in &declined {
            self.0.engine.events.send(Event::Conversation(*id));
            self.0.engine.events.send(Event::Messages(*id));
        }
        if !declined.is_empty() {
            self.0.engine.bells.config.notify_one();
        }
        Ok(declined.len())
    }

    /// Blocks the other: nothing from them arrives any more. Somebody whose request waits is declined as well.
    pub async fn block(&self, id: ConversationId) -> Result<(), ClientError> {
        let other = self.other(id).await?;
        let shown = self.shown_by();
        let block = move |db: &mut Db| {
            for (_, stranger) in requests(db, Some(id), shown)? {
                db.decline(stranger)?;
            }
            db.set_blocked(other, true).map(drop)
        };
        self.change(id, block).await?;
        // What a request said is gone.
        self.0.engine.events.send(Event::Messages(id));
        Ok(())
    }

    /// Unblocks the other. Does nothing if they are not blocked.
    pub async fn unblock(&self, id: ConversationId) -> Result<(), ClientError> {
        let other = self.other(id).await?;
        if self.conversation(id).await?.is_some_and(|it| it.blocked) {
            self.change(id, move |db| db.set_blocked(other, false).map(drop)).await?;
        }
        Ok(())
    }
}

/// The requests that wait, or this one if it does, and whom they are from.
fn requests(
    db: &Db,
    only: Option<ConversationId>,
    shown: Timestamp,
) -> Result<Vec<(ConversationId, SessionId)>, StoreError> {
    let all = match only {
        Some(id) => db.conversation(id)?.into_iter().collect(),
        None => db.conversations(shown)?,
    };
    let waiting = all.into_iter().filter(|it| it.is_request());
    Ok(waiting.filter_map(|it| it.address.account().map(|other| (it.id, other))).collect())
}
