//! What has been read.
//!
//! Decision: a conversation has one read mark, the place (as a rule the sent timestamp) up to which everything is read;
//! it only moves forward, and never beyond now, so a message that claims to be from the future cannot hide all later
//! ones. What arrives late but is older than the mark comes in as read. That is what the network's configs sync (spec 05
//! §11.3), so all devices agree.

use rusqlite::params;
use septet_protocol::time::Timestamp;

use super::db::Db;
use super::error::StoreError;
use super::types::{Now, ReadMessage, ReadOutcome};
use super::values::{Hash, Ms, Person, expiry, time};
use crate::model::{ConversationId, Expiry, MessageId};

/// A place in a conversation: where it is sorted, and the sent timestamp among those of the same moment.
pub(super) type Place = (Timestamp, Timestamp);

impl Db {
    /// We have seen a conversation up to this message. Starts the countdown of what disappears after reading.
    pub fn mark_read(
        &mut self,
        id: ConversationId,
        up_to: MessageId,
        now: Now,
    ) -> Result<ReadOutcome, StoreError> {
        self.transaction(|db| {
            let at = db
                .sql()
                .prepare_cached(
                    "SELECT sorted_at, timestamp FROM messages WHERE id = ?1 AND conversation = ?2",
                )?
                .query_row([up_to.0, id.0], |row| Ok((time(row, 0)?, time(row, 1)?)))?;
            db.read_up_to(id, at, now)
        })
    }

    /// Takes over a read mark from a config: everything up to this sent timestamp was read on another device.
    pub fn apply_read_mark(
        &mut self,
        id: ConversationId,
        last_read: Timestamp,
        marked_unread: bool,
        now: Now,
    ) -> Result<ReadOutcome, StoreError> {
        self.transaction(|db| {
            let mut outcome = db.move_mark(id, (last_read, last_read), now)?;
            outcome.changed |= db.set_marked_unread(id, marked_unread)?;
            Ok(outcome)
        })
    }

    /// We have seen a conversation up to a moment: its read mark moves, and it is no longer marked unread.
    pub(super) fn read_up_to(
        &self,
        id: ConversationId,
        at: Place,
        now: Now,
    ) -> Result<ReadOutcome, StoreError> {
        let mut outcome = self.move_mark(id, at, now)?;
        let sql = "UPDATE conversations SET marked_unread = 0 WHERE id = ?1 AND marked_unread = 1";
        outcome.changed |= self.sql().prepare_cached(sql)?.execute([id.0])? > 0;
        Ok(outcome)
    }

    /// Moves the read mark of a conversation forward. Countdowns begin once the time is known, see
    /// [`Db::settle_time`].
    pub(super) fn move_mark(
        &self,
        id: ConversationId,
        at: Place,
        now: Now,
    ) -> Result<ReadOutcome, StoreError> {
        let read = self.unread_up_to(id, at, now)?;
        self.sql()
            .prepare_cached(
                "UPDATE messages SET unread = 0,
                     expires_at = CASE WHEN expiry_mode = 1 AND expires_at IS NULL
                         THEN ?3 + expiry_seconds * 1000 ELSE expires_at END
                 WHERE conversation = ?1 AND unread = 1 AND (sorted_at, timestamp) <= (?2, ?4)",
            )?
            .execute(params![id.0, Ms(at.0), now.known().map(Ms), Ms(at.1)])?;
        let mark = now.known().map_or(at.0, |now| now.min(at.0));
        let changed = self
            .sql()
            .prepare_cached("UPDATE conversations SET last_read = ?2 WHERE id = ?1 AND last_read < ?2")?
            .execute(params![id.0, Ms(mark)])?;
        Ok(ReadOutcome { changed: changed > 0 || !read.is_empty(), read })
    }

    /// What moving the read mark will read.
    fn unread_up_to(&self, id: ConversationId, at: Place, now: Now) -> Result<Vec<ReadMessage>, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "SELECT m.id, a.account, m.timestamp, m.notice IS NOT NULL, m.hash, m.expiry_mode, m.expiry_seconds
             FROM messages m JOIN people a ON a.id = m.author
             WHERE m.conversation = ?1 AND m.unread = 1 AND (m.sorted_at, m.timestamp) <= (?2, ?3)
             ORDER BY m.sorted_at, m.timestamp",
        )?;
        let rows = statement.query_map(params![id.0, Ms(at.0), Ms(at.1)], |row| {
            let Person(from) = row.get(1)?;
            Ok(ReadMessage {
                id: MessageId(row.get(0)?),
                from,
                timestamp: time(row, 2)?,
                notice: row.get(3)?,
                hash: row.get::<_, Option<Hash>>(4)?.map(|hash| hash.0),
                expires_at: match expiry(row, 5)? {
                    Expiry::AfterRead(seconds) => now.known().map(|now| now + u64::from(seconds) * 1000),
                    Expiry::Off | Expiry::AfterSend(_) => None,
                },
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
