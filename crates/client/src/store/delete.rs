//! Deleting, and what deletes itself.
//!
//! Decision: "deleted" leaves a placeholder that keeps author and timestamp, so the message cannot come back;
//! "removed" takes the row away, and only its hash in the list of seen ones keeps it from coming back. Files go when
//! their row is gone for good: triggers write their names down, the store unlinks them after the commit.

use rusqlite::{OptionalExtension, params};
use septet_protocol::id::MessageHash;
use septet_protocol::time::Timestamp;

use super::db::Db;
use super::error::StoreError;
use super::message::json_list;
use super::types::QuoteKey;
use super::values::{Hash, Ms, Person};
use crate::model::{ConversationId, MessageId};

impl Db {
    /// The conversation of a message.
    pub fn conversation_of(&self, id: MessageId) -> Result<Option<ConversationId>, StoreError> {
        let mut statement = self.sql().prepare_cached("SELECT conversation FROM messages WHERE id = ?1")?;
        Ok(statement.query_row([id.0], |row| row.get(0).map(ConversationId)).optional()?)
    }

    /// The number of a message by author and sent timestamp, which is its identity on the network; the oldest if
    /// several conversations have one.
    pub fn find_message(&self, key: QuoteKey) -> Result<Option<MessageId>, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "SELECT m.id FROM messages m JOIN people a ON a.id = m.author
             WHERE a.account = ?1 AND m.timestamp = ?2 AND m.local = 0 ORDER BY m.id LIMIT 1",
        )?;
        Ok(statement
            .query_row(params![Person(key.author), Ms(key.timestamp)], |row| row.get(0).map(MessageId))
            .optional()?)
    }

    /// All hashes that a message has in our own swarm: to delete it there, or to change when it is forgotten.
    pub fn hashes_of(&self, ids: &[MessageId]) -> Result<Vec<MessageHash>, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "SELECT hash FROM messages WHERE id IN (SELECT value FROM json_each(?1)) AND hash IS NOT NULL
             UNION SELECT hash FROM extra_hashes WHERE message IN (SELECT value FROM json_each(?1))",
        )?;
        let rows = statement.query_map([json_list(ids)], |row| row.get(0).map(|Hash(hash)| hash))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Empties messages and leaves placeholders: text, files, quote, reactions and jobs go; author and timestamp
    /// stay (spec 02 §23). Returns the conversations touched.
    pub fn delete_messages(&mut self, ids: &[MessageId]) -> Result<Vec<ConversationId>, StoreError> {
        self.transaction(|db| {
            let list = json_list(ids);
            let touched = db.conversations_of(&list)?;
            for sql in [
                "DELETE FROM reactions WHERE (conversation, target_timestamp, target_author) IN
                     (SELECT conversation, timestamp, author FROM messages
                      WHERE id IN (SELECT value FROM json_each(?1)))",
                "DELETE FROM attachments WHERE message IN (SELECT value FROM json_each(?1))",
                "DELETE FROM previews WHERE message IN (SELECT value FROM json_each(?1))",
                "DELETE FROM outbox WHERE message IN (SELECT value FROM json_each(?1))",
                "DELETE FROM extra_hashes WHERE message IN (SELECT value FROM json_each(?1))",
                "UPDATE messages SET deleted = 1, text = '', notice = NULL, quote_author = NULL,
                     quote_timestamp = NULL, unread = 0, mention = 0, hash = NULL, failure = NULL
                 WHERE id IN (SELECT value FROM json_each(?1))",
            ] {
                db.sql().prepare_cached(sql)?.execute([&list])?;
            }
            Ok(touched)
        })
    }

    /// Takes messages away without a trace. Returns the conversations touched.
    pub fn remove_messages(&mut self, ids: &[MessageId]) -> Result<Vec<ConversationId>, StoreError> {
        self.transaction(|db| {
            let list = json_list(ids);
            let touched = db.conversations_of(&list)?;
            let sql = "DELETE FROM messages WHERE id IN (SELECT value FROM json_each(?1))";
            db.sql().prepare_cached(sql)?.execute([&list])?;
            Ok(touched)
        })
    }

    fn conversations_of(&self, list: &str) -> Result<Vec<ConversationId>, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "SELECT DISTINCT conversation FROM messages WHERE id IN (SELECT value FROM json_each(?1))
             ORDER BY conversation",
        )?;
        let rows = statement.query_map([list], |row| row.get(0).map(ConversationId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Takes away what has disappeared by now. Returns the conversations touched.
    pub fn delete_expired(&mut self, now: Timestamp) -> Result<Vec<ConversationId>, StoreError> {
        self.transaction(|db| {
            let mut statement = db.sql().prepare_cached("SELECT id FROM messages WHERE expires_at <= ?1")?;
            let ids: Vec<MessageId> =
                statement.query_map([Ms(now)], |row| row.get(0).map(MessageId))?.collect::<Result<_, _>>()?;
            drop(statement);
            if ids.is_empty() { Ok(Vec::new()) } else { db.remove_messages(&ids) }
        })
    }

    /// When the next message disappears.
    pub fn next_expiry(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT min(expires_at) FROM messages WHERE expires_at IS NOT NULL";
        let next: Option<Ms> = self.sql().prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(next.map(|ms| ms.0))
    }

    /// The swarm's word on when a message disappears wins over ours (spec 02 §18.4).
    pub fn set_expires_at(&mut self, id: MessageId, at: Timestamp) -> Result<(), StoreError> {
        self.sql()
            .prepare_cached("UPDATE messages SET expires_at = ?2 WHERE id = ?1")?
            .execute(params![id.0, Ms(at)])?;
        Ok(())
    }

    /// Forgets what is of no use any more: hashes that swarms have forgotten, wishes and reactions for messages that
    /// never came, what no version could read in time.
    pub fn forget_old(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.transaction(|db| {
            for table in
                ["seen_hashes", "pending_unsends", "pending_receipts", "reactions", "calls", "deferred"]
            {
                db.sql().execute(&format!("DELETE FROM {table} WHERE expires_at <= ?1"), [Ms(now)])?;
            }
            Ok(())
        })
    }
}
