//! Deleting, and what deletes itself.
//!
//! Decision: whatever grows with the history is deleted in steps, each a transaction of its own, and other orders come
//! in between. A conversation is cleared by one row that says up to which number its messages are gone; from then on no
//! query shows them, and a program that is killed goes on taking them away at its next start.
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
use super::types::{Deletion, QuoteKey};
use super::values::{Hash, Ms, Person};
use crate::model::{ConversationId, MessageId};

/// A message by author and sent timestamp.
pub(super) const FIND: &str = "SELECT m.id FROM messages m JOIN people a ON a.id = m.author
     WHERE a.account = ?1 AND m.timestamp = ?2 AND m.local = 0 ORDER BY m.id LIMIT 1";
/// Takes messages away by a JSON list of numbers.
pub(super) const REMOVE: &str = "DELETE FROM messages WHERE id IN (SELECT value FROM json_each(?1))";

/// How long deleting from our own swarm is tried, in ms: longer than it keeps a message (spec 03 §9).
const DOOMED_MS: u64 = 30 * 24 * 3600 * 1000;
/// At most so many rows are deleted by one statement.
const STEP: i64 = 100;

/// What has disappeared by now.
pub(super) const EXPIRED: &str =
    "SELECT id FROM messages WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2";
/// When the next message disappears.
pub(super) const NEXT_EXPIRY: &str = "SELECT min(expires_at) FROM messages WHERE expires_at IS NOT NULL";
/// When the first message disappears after a moment.
pub(super) const NEXT_EXPIRY_AFTER: &str = "SELECT min(expires_at) FROM messages WHERE expires_at > ?1";
/// Where something has disappeared between two moments.
pub(super) const EXPIRED_BETWEEN: &str =
    "SELECT DISTINCT conversation FROM messages WHERE expires_at > ?1 AND expires_at <= ?2";
/// A conversation that was cleared, and up to which message.
pub(super) const CLEARING: &str =
    "SELECT id, cleared_to FROM conversations INDEXED BY conversations_clearing WHERE cleared_to > 0 LIMIT 1";
/// Takes some of its messages away.
pub(super) const CLEARED: &str = "DELETE FROM messages WHERE id IN
     (SELECT id FROM messages WHERE conversation = ?1 AND id <= ?2 LIMIT ?3)";
/// Takes some of what is of no use any more away, of each kind.
pub(super) const OLD: [&str; 9] = [
    "DELETE FROM seen_hashes WHERE (hash, owner) IN
         (SELECT hash, owner FROM seen_hashes WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM last_hashes WHERE (account, namespace, node) IN
         (SELECT account, namespace, node FROM last_hashes WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM pending_unsends WHERE rowid IN
         (SELECT rowid FROM pending_unsends WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM calls WHERE (call, sender) IN
         (SELECT call, sender FROM calls WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM pending_receipts WHERE (reader, timestamp) IN
         (SELECT reader, timestamp FROM pending_receipts WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM reactions WHERE (conversation, target_timestamp, target_author, author, emoji) IN
         (SELECT conversation, target_timestamp, target_author, author, emoji FROM reactions
          WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM deferred WHERE id IN (SELECT id FROM deferred WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM send_keys WHERE key IN (SELECT key FROM send_keys WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM doomed_hashes WHERE hash IN (SELECT hash FROM doomed_hashes WHERE expires_at <= ?1 LIMIT ?2)",
];

impl Db {
    /// The conversation of a message.
    pub fn conversation_of(&self, id: MessageId) -> Result<Option<ConversationId>, StoreError> {
        let mut statement = self.sql().prepare_cached("SELECT conversation FROM messages WHERE id = ?1")?;
        Ok(statement.query_row([id.0], |row| row.get(0).map(ConversationId)).optional()?)
    }

    /// The number of a message by author and sent timestamp, which is its identity on the network; the oldest if
    /// several conversations have one.
    pub fn find_message(&self, key: QuoteKey) -> Result<Option<MessageId>, StoreError> {
        let mut statement = self.sql().prepare_cached(FIND)?;
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

    /// Empties messages that their authors take back, and leaves placeholders: text, files, quote, preview, reactions,
    /// hashes and jobs go; author and timestamp stay (spec 02 §23). Returns the conversations touched.
    pub fn delete_messages(&mut self, ids: &[MessageId]) -> Result<Vec<ConversationId>, StoreError> {
        self.transaction(|db| {
            let list = json_list(ids);
            db.sql()
                .prepare_cached(
                    "UPDATE messages SET hash = NULL WHERE id IN (SELECT value FROM json_each(?1))",
                )?
                .execute([&list])?;
            db.sql()
                .prepare_cached(
                    "DELETE FROM extra_hashes WHERE message IN (SELECT value FROM json_each(?1))",
                )?
                .execute([&list])?;
            db.empty(&list, Deletion::ByAuthor)
        })
    }

    /// The same with messages that are deleted on this device only. Their hashes stay: should their author take them
    /// back after all, the swarm's copies go as well. Copies on their way to our other devices still go out.
    pub fn delete_here(&mut self, ids: &[MessageId]) -> Result<Vec<ConversationId>, StoreError> {
        self.transaction(|db| {
            for id in ids {
                db.release_copy(*id)?;
            }
            db.empty(&json_list(ids), Deletion::Here)
        })
    }

    /// As [`Db::delete_here`], but all of it stays in its row for a moment, shown to nobody, until it is brought back or
    /// deleted for good. What is deleted already stays as it is. Returns those that can be brought back.
    pub fn hide_here(&mut self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        self.transaction(|db| {
            let mut hidden = Vec::new();
            for id in ids {
                let sql = "UPDATE messages SET deleted = ?2 WHERE id = ?1 AND deleted = 0";
                if db.sql().prepare_cached(sql)?.execute(params![id.0, Deletion::HereForNow])? > 0 {
                    db.release_copy(*id)?;
                    hidden.push(*id);
                }
            }
            Ok(hidden)
        })
    }

    /// Brings back what [`Db::hide_here`] took, unless it is gone for good meanwhile. Returns what is back.
    pub fn unhide(&mut self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        self.transaction(|db| {
            let mut back = Vec::new();
            for id in ids {
                let sql = "UPDATE messages SET deleted = 0 WHERE id = ?1 AND deleted = ?2";
                if db.sql().prepare_cached(sql)?.execute(params![id.0, Deletion::HereForNow])? > 0 {
                    back.push(*id);
                }
            }
            Ok(back)
        })
    }

    /// The time to bring something back is over: of these, or of all that is left of an earlier run.
    pub fn finish_deleting(&mut self, ids: Option<&[MessageId]>) -> Result<(), StoreError> {
        self.transaction(|db| {
            let sql = "SELECT id FROM messages WHERE deleted = 3
                           AND (?1 IS NULL OR id IN (SELECT value FROM json_each(?1))) ORDER BY id";
            let mut statement = db.sql().prepare_cached(sql)?;
            let found = statement.query_map([ids.map(json_list)], |row| row.get(0).map(MessageId))?;
            let found: Vec<MessageId> = found.collect::<Result<_, _>>()?;
            drop(statement);
            if !found.is_empty() {
                db.delete_here(&found)?;
            }
            Ok(())
        })
    }

    /// What deleting does to rows and leaves of them, in a transaction of the caller's.
    fn empty(&mut self, list: &str, how: Deletion) -> Result<Vec<ConversationId>, StoreError> {
        self.transaction(|db| {
            let touched = db.conversations_of(list)?;
            for sql in [
                "DELETE FROM reactions WHERE (conversation, target_timestamp, target_author) IN
                     (SELECT conversation, timestamp, author FROM messages
                      WHERE id IN (SELECT value FROM json_each(?1)))",
                "DELETE FROM reaction_totals WHERE message IN (SELECT value FROM json_each(?1))",
                "DELETE FROM attachments WHERE message IN (SELECT value FROM json_each(?1))",
                "DELETE FROM previews WHERE message IN (SELECT value FROM json_each(?1))",
                "UPDATE drafts SET quote = NULL WHERE quote IN (SELECT value FROM json_each(?1))",
                "DELETE FROM outbox WHERE message IN (SELECT value FROM json_each(?1))",
            ] {
                db.sql().prepare_cached(sql)?.execute([list])?;
            }
            let sql = "UPDATE messages SET deleted = ?2, text = '', notice = NULL, quote_author = NULL,
                     quote_timestamp = NULL, counts = 0, mention = 0, failure = NULL
                 WHERE id IN (SELECT value FROM json_each(?1))";
            db.sql().prepare_cached(sql)?.execute(params![list, how])?;
            Ok(touched)
        })
    }

    /// These are to be deleted from our own swarm; `now` is about the time.
    pub fn doom_hashes(&mut self, hashes: &[MessageHash], now: Timestamp) -> Result<(), StoreError> {
        self.transaction(|db| {
            let sql = "INSERT INTO doomed_hashes (hash, expires_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            let mut statement = db.sql().prepare_cached(sql)?;
            for hash in hashes {
                statement.execute(params![Hash(*hash), Ms(now + DOOMED_MS)])?;
            }
            Ok(())
        })
    }

    /// Some of what is to be deleted from our own swarm.
    pub fn doomed_hashes(&self, limit: u32) -> Result<Vec<MessageHash>, StoreError> {
        let mut statement =
            self.sql().prepare_cached("SELECT hash FROM doomed_hashes ORDER BY hash LIMIT ?1")?;
        let rows = statement.query_map([limit], |row| row.get(0).map(|Hash(hash)| hash))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Our own swarm has deleted these, or never will.
    pub fn hashes_gone(&mut self, hashes: &[MessageHash]) -> Result<(), StoreError> {
        self.transaction(|db| {
            let mut statement = db.sql().prepare_cached("DELETE FROM doomed_hashes WHERE hash = ?1")?;
            for hash in hashes {
                statement.execute(params![Hash(*hash)])?;
            }
            Ok(())
        })
    }

    /// Takes messages away without a trace. Returns the conversations touched.
    pub fn remove_messages(&mut self, ids: &[MessageId]) -> Result<Vec<ConversationId>, StoreError> {
        self.transaction(|db| {
            let list = json_list(ids);
            let touched = db.conversations_of(&list)?;
            db.sql().prepare_cached(REMOVE)?.execute([&list])?;
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

    /// Takes away what has disappeared by now, at most [`STEP`] messages: until nothing is left, [`Db::next_expiry`] is
    /// not later than now. Returns the conversations touched.
    pub fn delete_expired(&mut self, now: Timestamp) -> Result<Vec<ConversationId>, StoreError> {
        self.transaction(|db| {
            let mut statement = db.sql().prepare_cached(EXPIRED)?;
            let ids = statement.query_map(params![Ms(now), STEP], |row| row.get(0).map(MessageId))?;
            let ids: Vec<MessageId> = ids.collect::<Result<_, _>>()?;
            drop(statement);
            if ids.is_empty() { Ok(Vec::new()) } else { db.remove_messages(&ids) }
        })
    }

    /// When the next message disappears.
    pub fn next_expiry(&self) -> Result<Option<Timestamp>, StoreError> {
        let next: Option<Ms> = self.sql().prepare_cached(NEXT_EXPIRY)?.query_row([], |row| row.get(0))?;
        Ok(next.map(|ms| ms.0))
    }

    /// When the first message disappears after a moment.
    pub fn next_expiry_after(&self, at: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let next: Option<Ms> =
            self.sql().prepare_cached(NEXT_EXPIRY_AFTER)?.query_row([Ms(at)], |row| row.get(0))?;
        Ok(next.map(|ms| ms.0))
    }

    /// The conversations of messages that are here still and disappeared after one moment, and not after another.
    pub fn expired_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<ConversationId>, StoreError> {
        let mut statement = self.sql().prepare_cached(EXPIRED_BETWEEN)?;
        let rows = statement.query_map([Ms(from), Ms(to)], |row| row.get(0).map(ConversationId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A message that counts down ends earlier than we thought, as the swarm says (spec 02 §18.4). It never makes one
    /// end later.
    pub fn ends_earlier(&mut self, id: MessageId, at: Timestamp) -> Result<(), StoreError> {
        self.sql()
            .prepare_cached("UPDATE messages SET expires_at = ?2 WHERE id = ?1 AND expires_at > ?2")?
            .execute(params![id.0, Ms(at)])?;
        Ok(())
    }

    /// Forgets what is of no use any more: hashes that swarms have forgotten, wishes and reactions for messages that
    /// never came, what no version could read in time.
    pub fn forget_old(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.transaction(|db| {
            for sql in OLD {
                let mut statement = db.sql().prepare_cached(sql)?;
                while statement.execute(params![Ms(now), STEP])? > 0 {}
            }
            Ok(())
        })
    }

    /// All messages of a conversation are gone, with their files and jobs; the conversation stays. Their hashes stay
    /// remembered, so they do not come back (spec 02 §10). The rows go in steps, see [`Db::clear_step`].
    pub fn clear_messages(&mut self, id: ConversationId) -> Result<(), StoreError> {
        self.transaction(|db| {
            let jobs = "DELETE FROM outbox WHERE message IN
                            (SELECT o.message FROM outbox o JOIN messages m ON m.id = o.message
                             WHERE m.conversation = ?1)";
            db.sql().prepare_cached(jobs)?.execute([id.0])?;
            if let Some(place) = db.address_of(id)?.and_then(|address| address.id()) {
                db.forget_deferred_of(place)?;
            }
            let sql = "UPDATE conversations SET unread = 0, mentions = 0,
                           cleared_to = coalesce((SELECT max(id) FROM messages), 0) WHERE id = ?1";
            db.sql().prepare_cached(sql)?.execute([id.0])?;
            Ok(())
        })
    }

    /// Whether rows of a conversation that was cleared are still on their way out.
    pub fn is_clearing(&self) -> Result<bool, StoreError> {
        Ok(self.sql().prepare_cached(CLEARING)?.exists([])?)
    }

    /// Takes some rows away of what was cleared. False if there is nothing left to take away.
    pub(crate) fn clear_step(&mut self) -> Result<bool, StoreError> {
        self.transaction(|db| {
            let found = db
                .sql()
                .prepare_cached(CLEARING)?
                .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
            let Some((id, to)) = found.optional()? else { return Ok(false) };
            if db.sql().prepare_cached(CLEARED)?.execute(params![id, to, STEP])? == 0 {
                let sql = "DELETE FROM reactions WHERE conversation = ?1 AND expires_at IS NOT NULL";
                db.sql().prepare_cached(sql)?.execute([id])?;
                let sql = "UPDATE conversations SET cleared_to = 0 WHERE id = ?1";
                db.sql().prepare_cached(sql)?.execute([id])?;
            }
            Ok(true)
        })
    }
}
