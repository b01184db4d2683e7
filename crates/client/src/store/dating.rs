//! Giving sent timestamps to what waits in the outbox (spec 02 §6): to what was written before the network's time was
//! known, and anew to what has waited too long.
//!
//! Decision: what a person writes is written down and shown at once, whatever the machine's clock says; but its sent
//! timestamp is its identity for everybody, so nothing leaves before that is right. Under a guessed time a job gets
//! no bytes and is marked *undated*; once the time is known, all of them are dated in the order they were written,
//! together with everything here that names them, and encoded like a message whose uploads are done.
//!
//! Decision: what has waited for longer than a minute and was never tried is dated anew when its turn comes, with all of
//! its lane that was never tried either. With its old date it would come in as read, or be dropped by whoever changed
//! their contacts meanwhile (spec 02 §21.5); nobody has seen that date yet.
//!
//! Decision: times that a wrong clock wrote into the tables, in this run or by an older version, are brought down to
//! now at the same moment. None of them can be right, and each would hold something back until it comes true.

use std::collections::BTreeSet;

use rusqlite::types::Type;
use rusqlite::{Params, Row, params};
use septet_protocol::time::Timestamp;

use super::account::AHEAD_MS;
use super::db::Db;
use super::error::StoreError;
use super::types::{Job, JobId, Now, Wish};
use super::values::{Ms, time};
use crate::model::{ConversationId, MessageId};

/// No retry of a transfer is set further ahead, in ms; see `pace`.
const LONGEST_RETRY_MS: u64 = 12 * 60 * 60 * 1000;

/// What was never tried goes out with a date that is at most so far from now, in ms.
const FRESH_MS: u64 = 60_000;

/// Whether any job's timestamp is a guess.
pub(super) const HAS_UNDATED: &str = "SELECT 1 FROM outbox WHERE undated = 1";
/// Rows made here whose time is a guess.
pub(super) const UNDATED_LINES: &str =
    "SELECT id, conversation FROM messages WHERE received_at = 0 AND local = 1 ORDER BY id";
/// Jobs whose timestamp is a guess.
pub(super) const UNDATED_JOBS: &str =
    "SELECT id, message, timestamp, wish, undated FROM outbox WHERE undated = 1 ORDER BY id";
/// What of a lane was never tried.
pub(super) const UNTRIED_JOBS: &str = "SELECT id, message, timestamp, wish, undated FROM outbox
     WHERE lane = ?1 AND given_up = 0 AND attempted = 0 AND undated = 0 ORDER BY id";
/// What of ours quotes a message of ours.
pub(super) const QUOTING: &str = "UPDATE messages SET quote_timestamp = ?3
     WHERE quote_author = ?1 AND quote_timestamp = ?2 AND conversation = ?4 AND (?5 OR received_at = 0)";
/// Starts countdowns that could not begin before.
pub(super) const COUNT: &str = "UPDATE messages SET expires_at = ?1 + expiry_seconds * 1000 WHERE id IN
     (SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation
      WHERE m.expires_at IS NULL AND m.expiry_mode <> 0 AND m.state IN (1, 3)
          AND (m.counts = 0 OR (m.sorted_at, m.timestamp) <= (c.last_read, c.last_read)))";
/// What a read mark in the future has read stays so when the mark is brought down.
pub(super) const KEEP_READ: &str = "UPDATE messages SET counts = 0 WHERE id IN
     (SELECT m.id FROM conversations c CROSS JOIN messages m ON m.conversation = c.id AND m.counts = 1
          AND (m.sorted_at, m.timestamp) > (?1, ?1) AND (m.sorted_at, m.timestamp) <= (c.last_read, c.last_read)
      WHERE c.last_read > ?2)";
/// Brings down what stands in the future.
pub(super) const BRING_DOWN: &str = "UPDATE messages SET sorted_at = ?1 WHERE id IN
     (SELECT m.id FROM conversations c CROSS JOIN messages m ON m.conversation = c.id AND m.sorted_at > ?2)";

/// A job that is to get another timestamp.
struct Redated {
    id: JobId,
    message: Option<MessageId>,
    /// The old one.
    timestamp: Timestamp,
    wish: Option<Wish>,
    /// That was a guess.
    guessed: bool,
}

impl Db {
    /// Whether something waits for its final timestamp. What is written behind it has to wait as well, or it would
    /// come before it and could name a timestamp that changes.
    pub fn has_undated(&self) -> Result<bool, StoreError> {
        Ok(self.sql().prepare_cached(HAS_UNDATED)?.exists([])?)
    }

    /// The network's time is known: dates what was written before that, starts its countdowns, and brings down what
    /// a wrong clock put into the future. Returns the conversations that look different now.
    pub fn settle_time(&mut self, now: Timestamp) -> Result<BTreeSet<ConversationId>, StoreError> {
        self.transaction(|db| {
            let mut touched = BTreeSet::new();
            // First, so that what is dated now is not behind it.
            db.bring_down(now)?;
            db.date_lines(now, &mut touched)?;
            for job in db.jobs_to_date(UNDATED_JOBS, [])? {
                db.date_job(&job, now, &mut touched)?;
            }
            db.sql().prepare_cached(COUNT)?.execute([Ms(now)])?;
            Ok(touched)
        })
    }

    /// A job's turn has come: if it was never tried and its date is not of this minute, it and what of its lane was
    /// never tried either are dated anew, in their order, and lose their bytes. Returns the conversations that look
    /// different now.
    pub fn freshen(&mut self, job: &Job, now: Timestamp) -> Result<BTreeSet<ConversationId>, StoreError> {
        let mut touched = BTreeSet::new();
        let fresh = job.timestamp.as_ms().abs_diff(now.as_ms()) <= FRESH_MS;
        if job.attempted || fresh {
            return Ok(touched);
        }
        self.transaction(|db| {
            for job in db.jobs_to_date(UNTRIED_JOBS, [&job.lane.0])? {
                db.date_job(&job, now, &mut touched)?;
            }
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

    fn jobs_to_date(&self, sql: &str, lane: impl Params) -> Result<Vec<Redated>, StoreError> {
        let mut statement = self.sql().prepare_cached(sql)?;
        let jobs = statement.query_map(lane, |row| {
            Ok(Redated {
                id: JobId(row.get(0)?),
                message: row.get::<_, Option<i64>>(1)?.map(MessageId),
                timestamp: time(row, 2)?,
                wish: wish(row, 3)?,
                guessed: row.get(4)?,
            })
        })?;
        Ok(jobs.collect::<Result<_, _>>()?)
    }

    /// Gives a job another timestamp, and what it carries too. Bytes that name the old one go.
    fn date_job(
        &mut self,
        job: &Redated,
        now: Timestamp,
        touched: &mut BTreeSet<ConversationId>,
    ) -> Result<(), StoreError> {
        let at = match &job.wish {
            Some(Wish::RequestResponse) => self.response_timestamp(Now::Known(now))?,
            _ => self.next_timestamp(Now::Known(now))?,
        };
        self.sql()
            .prepare_cached(
                "UPDATE outbox SET timestamp = ?2, undated = 0, payload = NULL, copy = NULL, copy_ttl = NULL
                 WHERE id = ?1",
            )?
            .execute(params![job.id.0, Ms(at)])?;
        let me = self.me()?.person;
        if let Some(message) = job.message {
            let conversation = self.conversation_of(message)?.ok_or(StoreError::NotFound)?;
            self.date_message(message, conversation, at, now)?;
            // Only what is itself not dated yet can answer something whose date was a guess.
            self.sql().prepare_cached(QUOTING)?.execute(params![
                me,
                Ms(job.timestamp),
                Ms(at),
                conversation.0,
                !job.guessed
            ])?;
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
                "UPDATE messages SET timestamp = ?2, sorted_at = ?2,
                     received_at = CASE received_at WHEN 0 THEN ?3 ELSE received_at END WHERE id = ?1",
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
