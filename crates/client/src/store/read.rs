//! What has been read.
//!
//! Decision: a conversation has one read mark, the place (as a rule the sent timestamp) up to which everything is read;
//! it only moves forward, and never beyond now, so a message that claims to be from the future cannot hide all later
//! ones. What arrives late but is older than the mark comes in as read. That is what the network's configs sync (spec 05
//! §11.3), so all devices agree.
//!
//! Decision: whether a message is unread is not written on it. A row says only whether it counts: for us to read, and
//! not read elsewhere when it came. It is unread while it stands beyond the mark, so reading half a million messages
//! changes one row, and counting what is left is a walk along an index, or none if nothing is left. Only what begins to
//! disappear by being read is touched, some at a time.

use rusqlite::params;
use septet_protocol::time::Timestamp;

use super::db::Db;
use super::error::StoreError;
use super::types::{Now, ReadMessage, ReadOutcome};
use super::values::{Hash, Ms, Person, time};
use crate::model::{ConversationId, MessageId};

/// A place in a conversation: where it is sorted, and the sent timestamp among those of the same moment.
pub(super) type Place = (Timestamp, Timestamp);

/// At most so many countdowns that begin at once are told to the caller; the others begin as well.
const LISTED: usize = 1000;
/// So many countdowns are begun by one statement.
const STEP: i64 = 500;

/// What is read though it stands beyond the mark, because the mark never goes beyond now: what claims to be from the
/// future and came in the very moment that the mark stands at.
pub(super) const AHEAD: &str = "UPDATE messages SET counts = 0
     WHERE conversation = ?1 AND counts = 1 AND (sorted_at, timestamp) > (?2, ?3)
         AND (sorted_at, timestamp) <= (?4, ?5) AND id > ?6";
/// Whether something that counts stands beyond a place.
pub(super) const BEYOND: &str = "SELECT 1 FROM messages
     WHERE conversation = ?1 AND counts = 1 AND (sorted_at, timestamp) > (?2, ?3) AND id > ?4 LIMIT 1";
/// What counts between two places: how many, and how many mention us.
pub(super) const BETWEEN: &str = "SELECT count(*), coalesce(sum(mention), 0) FROM messages
     WHERE conversation = ?1 AND counts = 1 AND (sorted_at, timestamp) > (?2, ?3)
         AND (sorted_at, timestamp) <= (?4, ?5) AND id > ?6";
/// Texts between two places, the latest first.
pub(super) const TEXTS: &str = "SELECT timestamp FROM messages
     WHERE conversation = ?1 AND counts = 1 AND (sorted_at, timestamp) > (?2, ?3)
         AND (sorted_at, timestamp) <= (?4, ?5) AND id > ?6 AND notice IS NULL
     ORDER BY sorted_at DESC, timestamp DESC LIMIT ?7";
/// What begins to disappear by being read, between two places.
pub(super) const UNTIMED: &str = "SELECT m.id, a.account, m.timestamp, m.hash, m.expiry_seconds
     FROM messages m JOIN people a ON a.id = m.author
     WHERE m.conversation = ?1 AND m.expires_at IS NULL AND m.expiry_mode <> 0 AND m.state IN (1, 3)
         AND m.expiry_mode = 1 AND m.counts = 1 AND (m.sorted_at, m.timestamp) > (?2, ?3)
         AND (m.sorted_at, m.timestamp) <= (?4, ?5) AND m.id > ?6
     ORDER BY m.sorted_at, m.timestamp LIMIT ?7";

/// How far a conversation was read.
struct Mark {
    at: Timestamp,
    /// Messages up to this number are gone, whether their rows are or not.
    cleared_to: i64,
    /// How many are unread.
    unread: i64,
}

impl Db {
    /// We have seen a conversation up to this message. Starts the countdown of what disappears after reading.
    pub fn mark_read(
        &mut self,
        id: ConversationId,
        up_to: MessageId,
        now: Now,
    ) -> Result<ReadOutcome, StoreError> {
        self.transaction(|db| {
            let at = db.standing(id, up_to)?;
            db.read_up_to(id, at, now)
        })
    }

    /// Sent timestamps of what marking as read up to a message will read, the latest `limit` of them, oldest first;
    /// control lines left out. For read receipts.
    pub fn unread_texts(
        &self,
        id: ConversationId,
        up_to: MessageId,
        limit: u32,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let (at, mark) = (self.standing(id, up_to)?, self.mark_of(id)?);
        let mut statement = self.sql().prepare_cached(TEXTS)?;
        let from = Ms(mark.at);
        let range = params![id.0, from, from, Ms(at.0), Ms(at.1), mark.cleared_to, limit];
        let mut texts = statement.query_map(range, |row| time(row, 0))?.collect::<Result<Vec<_>, _>>()?;
        texts.reverse();
        Ok(texts)
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
        let mut mark = self.mark_of(id)?;
        if at <= (mark.at, mark.at) {
            return Ok(ReadOutcome::default());
        }
        let to = now.known().map_or(at.0, |now| now.min(at.0)).max(mark.at);
        let read = match now.known() {
            Some(now) => self.begin_countdowns(id, &mark, at, now)?,
            None => Vec::new(),
        };
        let ahead = params![id.0, Ms(to), Ms(to), Ms(at.0), Ms(at.1), mark.cleared_to];
        let ahead = self.sql().prepare_cached(AHEAD)?.execute(ahead)?;
        if ahead > 0 {
            mark = self.mark_of(id)?;
        }
        let (unread, mentions) = self.read_between(id, &mark, to)?;
        self.sql()
            .prepare_cached(
                "UPDATE conversations SET last_read = ?2, unread = unread - ?3, mentions = mentions - ?4
                 WHERE id = ?1",
            )?
            .execute(params![id.0, Ms(to), unread, mentions])?;
        let any = ahead > 0 || unread > 0;
        Ok(ReadOutcome { any, read, changed: to > mark.at || any })
    }

    /// How many messages a mark reads that moves there, and how many of them mention us.
    fn read_between(&self, id: ConversationId, mark: &Mark, to: Timestamp) -> Result<(i64, i64), StoreError> {
        if mark.unread == 0 {
            return Ok((0, 0));
        }
        let beyond = params![id.0, Ms(to), Ms(to), mark.cleared_to];
        if !self.sql().prepare_cached(BEYOND)?.exists(beyond)? {
            let sql = "SELECT unread, mentions FROM conversations WHERE id = ?1";
            let all = self.sql().prepare_cached(sql)?.query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?)));
            return Ok(all?);
        }
        let range = params![id.0, Ms(mark.at), Ms(mark.at), Ms(to), Ms(to), mark.cleared_to];
        let some = self.sql().prepare_cached(BETWEEN)?.query_row(range, |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(some?)
    }

    /// Starts the countdowns of what the mark reads that moves there, and tells of the first of them.
    fn begin_countdowns(
        &self,
        id: ConversationId,
        mark: &Mark,
        to: Place,
        now: Timestamp,
    ) -> Result<Vec<ReadMessage>, StoreError> {
        let mut begun: Vec<ReadMessage> = Vec::new();
        loop {
            let (from, cleared) = (Ms(mark.at), mark.cleared_to);
            let range = params![id.0, from, from, Ms(to.0), Ms(to.1), cleared, STEP];
            let mut statement = self.sql().prepare_cached(UNTIMED)?;
            let rows = statement.query_map(range, |row| {
                let Person(from) = row.get(1)?;
                let seconds: u32 = row.get(4)?;
                Ok(ReadMessage {
                    id: MessageId(row.get(0)?),
                    from,
                    timestamp: time(row, 2)?,
                    hash: row.get::<_, Option<Hash>>(3)?.map(|hash| hash.0),
                    expires_at: Some(now + u64::from(seconds) * 1000),
                })
            })?;
            let step: Vec<ReadMessage> = rows.collect::<Result<_, _>>()?;
            if step.is_empty() {
                return Ok(begun);
            }
            let mut begin = self.sql().prepare_cached("UPDATE messages SET expires_at = ?2 WHERE id = ?1")?;
            for message in &step {
                begin.execute(params![message.id.0, message.expires_at.map(Ms)])?;
            }
            let room = LISTED.saturating_sub(begun.len());
            begun.extend(step.into_iter().take(room));
        }
    }

    /// Where a message stands.
    fn standing(&self, id: ConversationId, message: MessageId) -> Result<Place, StoreError> {
        let sql = "SELECT sorted_at, timestamp FROM messages WHERE id = ?1 AND conversation = ?2";
        let found = self
            .sql()
            .prepare_cached(sql)?
            .query_row([message.0, id.0], |row| Ok((time(row, 0)?, time(row, 1)?)));
        Ok(found?)
    }

    fn mark_of(&self, id: ConversationId) -> Result<Mark, StoreError> {
        let sql = "SELECT last_read, cleared_to, unread FROM conversations WHERE id = ?1";
        let mark = self.sql().prepare_cached(sql)?.query_row([id.0], |row| {
            Ok(Mark { at: time(row, 0)?, cleared_to: row.get(1)?, unread: row.get(2)? })
        });
        Ok(mark?)
    }
}
