//! Programs that read what arrives, and how far each has come: so that they are told again what they have not
//! acknowledged, and what they answer is sent once.
//!
//! Decision: a message is acknowledged by its number, in any order, because a program works on several conversations
//! at a time. What a reader has is "everything up to here" and a few numbers beyond; each acknowledgement moves the
//! first as far as it goes, so that the second stays short.

use rusqlite::{OptionalExtension, params};
use septet_protocol::time::Timestamp;

use super::db::Db;
use super::error::StoreError;
use super::message::json_list;
use super::types::Now;
use super::values::{Ms, time};
use crate::model::{MessageId, ReaderId, SentBefore};

/// How long a key is remembered, in ms: 30 days, after which a swarm has forgotten what could be answered.
const KEY_MS: u64 = 30 * 24 * 3600 * 1000;

/// The first message after a number that came from the network and was not acknowledged.
pub(super) const NEXT: &str = "SELECT m.id FROM messages m
     WHERE m.id > ?2 AND m.arrived = 1 AND m.deleted = 0
         AND NOT EXISTS (SELECT 1 FROM reader_acks k WHERE k.reader = ?1 AND k.message = m.id)
     ORDER BY m.id LIMIT 1";

impl Db {
    /// Notes that these came from the network: readers are told of them.
    pub(super) fn set_arrived(&self, ids: &[MessageId]) -> Result<(), StoreError> {
        let sql = "UPDATE messages SET arrived = 1 WHERE id IN (SELECT value FROM json_each(?1))";
        self.sql().prepare_cached(sql)?.execute([json_list(ids)])?;
        Ok(())
    }

    /// The newest number that a message ever had here; 0 if there was none.
    pub fn newest_message(&self) -> Result<MessageId, StoreError> {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'messages'";
        let newest = self.sql().prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
        Ok(MessageId(newest.unwrap_or_default()))
    }

    /// The reader of a name, and up to which message it has everything. One that is new here has everything up to
    /// `from`.
    pub fn reader(&mut self, name: &str, from: MessageId) -> Result<(ReaderId, MessageId), StoreError> {
        self.transaction(|db| {
            let sql = "INSERT INTO readers (name, done_to) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            db.sql().prepare_cached(sql)?.execute(params![name, from.0])?;
            db.find_reader(name)?.ok_or(StoreError::NotFound)
        })
    }

    /// The reader of a name, if there is one, and up to which message it has everything.
    pub fn find_reader(&self, name: &str) -> Result<Option<(ReaderId, MessageId)>, StoreError> {
        let mut statement = self.sql().prepare_cached("SELECT id, done_to FROM readers WHERE name = ?1")?;
        let found =
            statement.query_row([name], |row| Ok((ReaderId(row.get(0)?), MessageId(row.get(1)?)))).optional();
        Ok(found?)
    }

    /// Forgets a reader. False if there was none.
    pub fn forget_reader(&mut self, name: &str) -> Result<bool, StoreError> {
        Ok(self.sql().prepare_cached("DELETE FROM readers WHERE name = ?1")?.execute([name])? > 0)
    }

    /// A reader has done with these messages: it is not told of them again.
    pub fn acknowledge(&mut self, reader: ReaderId, ids: &[MessageId]) -> Result<(), StoreError> {
        self.transaction(|db| {
            let sql = "INSERT OR IGNORE INTO reader_acks (reader, message)
                       SELECT r.id, j.value FROM readers r, json_each(?2) j WHERE r.id = ?1 AND j.value > r.done_to";
            db.sql().prepare_cached(sql)?.execute(params![reader.0, json_list(ids)])?;
            let sql = "SELECT done_to, (SELECT max(message) FROM reader_acks WHERE reader = ?1) FROM readers
                       WHERE id = ?1";
            let mut statement = db.sql().prepare_cached(sql)?;
            let (done, newest): (i64, Option<i64>) =
                statement.query_row([reader.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut statement = db.sql().prepare_cached(NEXT)?;
            let next: Option<i64> =
                statement.query_row(params![reader.0, done], |row| row.get(0)).optional()?;
            // Numbers are given in the order of transactions: nothing can still come in between.
            let done = done.max(next.map_or(newest, |next| Some(next - 1)).unwrap_or_default());
            let sql = "UPDATE readers SET done_to = ?2 WHERE id = ?1";
            db.sql().prepare_cached(sql)?.execute([reader.0, done])?;
            let sql = "DELETE FROM reader_acks WHERE reader = ?1 AND message <= ?2";
            db.sql().prepare_cached(sql)?.execute([reader.0, done])?;
            Ok(())
        })
    }

    /// What was written under a key, if anything was.
    pub fn sent_before(&self, key: &str) -> Result<Option<SentBefore>, StoreError> {
        let sql = "SELECT message, timestamp FROM send_keys WHERE key = ?1";
        let found = self.sql().prepare_cached(sql)?.query_row([key], |row| {
            Ok(SentBefore { message: MessageId(row.get(0)?), timestamp: time(row, 1)? })
        });
        Ok(found.optional()?)
    }

    /// Notes what was written under a key; in the transaction that writes it.
    pub fn set_sent(
        &mut self,
        key: &str,
        message: MessageId,
        timestamp: Timestamp,
        now: Now,
    ) -> Result<(), StoreError> {
        let expires_at = now.known().map(|now| Ms(now + KEY_MS));
        let sql = "INSERT INTO send_keys (key, message, timestamp, expires_at) VALUES (?1, ?2, ?3, ?4)";
        self.sql().prepare_cached(sql)?.execute(params![key, message.0, Ms(timestamp), expires_at])?;
        Ok(())
    }
}
