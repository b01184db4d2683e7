//! What another device deleted, as the configs tell it.
//!
//! Decision: a deletion that was made elsewhere is about what there was to be seen there. What this device is still to
//! send was not, so it stays, and so does its conversation in the list: nobody would look for a message that goes out of
//! a conversation that is not there.

use rusqlite::params;

use super::db::Db;
use super::error::StoreError;
use super::types::JobKind;
use crate::model::ConversationId;

macro_rules! sending_sql {
    () => {
        "SELECT o.message FROM outbox o JOIN messages m ON m.id = o.message
         WHERE m.conversation = ?1 AND o.given_up = 0 AND o.kind IN (?2, ?3)"
    };
}

impl Db {
    /// Deletes a conversation as [`Db::delete_conversation`] does, because another device did, but nothing that is
    /// still to be sent from here. Returns whether there was such; then the conversation is listed.
    pub fn delete_as_elsewhere(&mut self, id: ConversationId) -> Result<bool, StoreError> {
        self.transaction(|db| {
            let sending = params![id.0, JobKind::ToRecipient, JobKind::OwnNote];
            if !db.sql().prepare_cached(sending_sql!())?.exists(sending)? {
                db.delete_conversation(id)?;
                return Ok(false);
            }
            // Reactions go with what they are on.
            let rest =
                concat!("DELETE FROM messages WHERE conversation = ?1 AND id NOT IN (", sending_sql!(), ")");
            db.sql().prepare_cached(rest)?.execute(sending)?;
            db.set_priority(id, 0)?;
            Ok(true)
        })
    }
}
