//! Giving their final timestamps to what was written before the network's time was known (spec 02 §6).
//!
//! Decision: what a person writes is written down and shown at once, whatever the machine's clock says; but its sent
//! timestamp is its identity for everybody, so nothing leaves before that is right. Under a guessed time a job gets
//! no bytes and is marked *undated*; once the time is known, all of them are dated in the order they were written,
//! together with everything here that names them, and encoded like a message whose uploads are done.
//!
//! Decision: times that a wrong clock wrote into the tables, in this run or by an older version, are brought down to
//! now at the same moment. None of them can be right, and each would hold something back until it comes true.

use std::collections::BTreeSet;

use rusqlite::types::Type;
use rusqlite::{Row, params};
use septet_protocol::time::Timestamp;

use super::account::AHEAD_MS;
use super::db::Db;
use super::error::StoreError;
use super::types::{JobId, Now, Wish};
use super::values::{Ms, time};
use crate::model::{ConversationId, MessageId};

/// No retry of a transfer is set further ahead, in ms; see `pace`.
const LONGEST_RETRY_MS: u64 = 12 * 60 * 60 * 1000;

/// Rows made here whose time is a guess.
pub(super) const UNDATED_LINES: &str =
    "SELECT id, conversation FROM messages WHERE received_at = 0 AND local = 1 ORDER BY id";
/// Jobs whose timestamp is a guess.
pub(super) const UNDATED_JOBS: &str =
    "SELECT id, message, timestamp, wish FROM outbox WHERE undated = 1 ORDER BY id";
/// Starts countdowns that could not begin before.
pub(super) const COUNT: &str = "UPDATE messages SET expires_at = ?1 + expiry_seconds * 1000 WHERE id IN
     (SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation
      WHERE m.expires_at IS NULL AND m.expiry_mode <> 0 AND m.state IN (1, 3)
          AND (m.counts = 0 OR (m.sorted_at, m.timestamp) <= (c.last_read, c.last_read)))";
/// What a read mark in the future has read stays so when the mark is brought down.
const KEEP_READ: &str = "UPDATE messages SET counts = 0 WHERE id IN
     (SELECT m.id FROM conversations c CROSS JOIN messages m ON m.conversation = c.id AND m.counts = 1
          AND (m.sorted_at, m.timestamp) > (?1, ?1) AND (m.sorted_at, m.timestamp) <= (c.last_read, c.last_read)
      WHERE c.last_read > ?2)";
/// Brings down what stands in the future.
pub(super) const BRING_DOWN: &str = "UPDATE messages SET sorted_at = ?1 WHERE id IN
     (SELECT m.id FROM conversations c CROSS JOIN messages m ON m.conversation = c.id AND m.sorted_at > ?2)";

/// A job without a final timestamp.
struct Undated {
    id: JobId,
    message: Option<MessageId>,
    timestamp: Timestamp,
    wish: Option<Wish>,
}

impl Db {
    /// Whether something waits for its final timestamp. What is written behind it has to wait as well, or it would
    /// come before it and could name a timestamp that changes.
    pub fn has_undated(&self) -> Result<bool, StoreError> {
        Ok(self.sql().prepare_cached("SELECT 1 FROM outbox WHERE undated = 1")?.exists([])?)
    }

    /// The network's time is known: dates what was written before that, starts its countdowns, and brings down what
    /// a wrong clock put into the future. Returns the conversations that look different now.
    pub fn settle_time(&mut self, now: Timestamp) -> Result<BTreeSet<ConversationId>, StoreError> {
        self.transaction(|db| {
            let mut touched = BTreeSet::new();
            // First, so that what is dated now is not behind it.
            db.bring_down(now)?;
            db.date_lines(now, &mut touched)?;
            for job in db.undated_jobs()? {
                db.date_job(&job, now, &mut touched)?;
            }
            db.sql().prepare_cached(COUNT)?.execute([Ms(now)])?;
            Ok(touched)
        })
    }

    /// Lines that tell what we did; they stood before the message that followed.
    fn date_lines(
        &mut self,
        now: Timestamp,
        touched: &mut BTreeSet<ConversationId>,
    ) -> Result<(), StoreError> {
        let mut statement = self.sql().prepare_cached(UNDATED_LINES)?;
        let rows =
            statement.query_map([], |row| Ok((MessageId(row.get(0)?), ConversationId(row.get(1)?))))?;
        let lines: Vec<(MessageId, ConversationId)> = rows.collect::<Result<_, _>>()?;
        drop(statement);
        for (line, conversation) in lines {
            let at = self.next_timestamp(Now::Known(now))?;
            self.date_message(line, conversation, at, now)?;
            touched.insert(conversation);
        }
        Ok(())
    }

    fn undated_jobs(&self) -> Result<Vec<Undated>, StoreError> {
        let mut statement = self.sql().prepare_cached(UNDATED_JOBS)?;
        let jobs = statement.query_map([], |row| {
            Ok(Undated {
                id: JobId(row.get(0)?),
                message: row.get::<_, Option<i64>>(1)?.map(MessageId),
                timestamp: time(row, 2)?,
                wish: wish(row, 3)?,
            })
        })?;
        Ok(jobs.collect::<Result<_, _>>()?)
    }

    /// Gives a job its final timestamp, and what it carries too.
    fn date_job(
        &mut self,
        job: &Undated,
        now: Timestamp,
        touched: &mut BTreeSet<ConversationId>,
    ) -> Result<(), StoreError> {
        let at = self.next_timestamp(Now::Known(now))?;
        self.sql()
            .prepare_cached("UPDATE outbox SET timestamp = ?2, undated = 0 WHERE id = ?1")?
            .execute(params![job.id.0, Ms(at)])?;
        let me = self.me()?.person;
        if let Some(message) = job.message {
            let conversation = self.conversation_of(message)?.ok_or(StoreError::NotFound)?;
            self.date_message(message, conversation, at, now)?;
            // Only what is itself not dated yet can answer something without a date.
            self.sql()
                .prepare_cached(
                    "UPDATE messages SET quote_timestamp = ?3
                     WHERE received_at = 0 AND quote_author = ?1 AND quote_timestamp = ?2",
                )?
                .execute(params![me, Ms(job.timestamp), Ms(at)])?;
            touched.insert(conversation);
        }
        if let Some(Wish::Reaction { author, timestamp, emoji, .. }) = &job.wish {
            let target = self.person(*author)?;
            self.sql()
                .prepare_cached(
                    "UPDATE reactions SET timestamp = ?6 WHERE target_timestamp = ?1 AND target_author = ?2
                     AND author = ?3 AND emoji = ?4 AND timestamp = ?5",
                )?
                .execute(params![Ms(*timestamp), target, me, emoji.as_str(), Ms(job.timestamp), Ms(at)])?;
        }
        Ok(())
    }

    fn date_message(
        &self,
        id: MessageId,
        conversation: ConversationId,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.sql()
            .prepare_cached(
                "UPDATE messages SET timestamp = ?2, sorted_at = ?2, received_at = ?3 WHERE id = ?1",
            )?
            .execute(params![id.0, Ms(at), Ms(now)])?;
        self.touch_conversation(conversation, at, false)
    }

    /// What stands in the future stands at now instead.
    fn bring_down(&self, now: Timestamp) -> Result<(), StoreError> {
        let ahead = Ms(now + AHEAD_MS);
        for sql in [
            KEEP_READ,
            "UPDATE conversations SET last_read = ?1 WHERE last_read > ?2",
            BRING_DOWN,
            "UPDATE conversations SET active_at = ?1 WHERE active_at > ?2",
            "UPDATE conversations SET opened_at = ?1 WHERE opened_at > ?2",
        ] {
            self.sql().prepare_cached(sql)?.execute(params![Ms(now), ahead])?;
        }
        let sql = "UPDATE attachments SET not_before = 0 WHERE state IN (0, 2) AND not_before > ?1";
        self.sql().prepare_cached(sql)?.execute([Ms(now + LONGEST_RETRY_MS)])?;
        Ok(())
    }
}

/// A wish as its column.
pub(super) fn wish_json(wish: &Wish) -> rusqlite::Result<String> {
    serde_json::to_string(wish).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// Reads a wish that may be absent.
pub(super) fn wish(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Wish>> {
    let json: Option<String> = row.get(column)?;
    json.map(|json| serde_json::from_str(&json))
        .transpose()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}
