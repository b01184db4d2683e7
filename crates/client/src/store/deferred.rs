//! What this version cannot read, kept for one that can (spec 09 §6.1).
//!
//! Decision: anybody can store bytes of a newer format for us, and any stranger a message of an unknown kind. So all of
//! it together has a size, those without a known sender a number, and what does not fit drives out the oldest: first
//! of those that nobody is known to have sent. Triggers count, so keeping to the limits costs nothing while they hold.

use rusqlite::{OptionalExtension, named_params, params};
use septet_protocol::id::{Account, Namespace};
use septet_protocol::swarm::reply::StoredMessage;
use septet_protocol::time::Timestamp;

use super::arrived::{Deferred, DeferredId, ReceivedItem, Unreadable};
use super::db::Db;
use super::error::StoreError;
use super::types::QuoteKey;
use super::values::{Hash, Ms, Owner, Person, time};
use crate::model::MessageId;

/// The most that is kept, in bytes, each record with 256 on top.
pub(super) const MOST_BYTES: i64 = 256 * 1024 * 1024;
/// The most records of a newer format.
pub(super) const MOST_NEWER: i64 = 10_000;
/// How long after a person dismissed it the notice may come again, in ms: 7 days.
pub(super) const NOTICE_PAUSE_MS: u64 = 7 * 24 * 3600 * 1000;
/// Where it is written down when the notice was dismissed.
const DISMISSED: &str = "unreadable_dismissed";

/// What another version tried last, of an owner and compartment, from a number on.
pub(super) const UNTRIED: &str = "SELECT id, hash, stored_at, stored_till, raw FROM deferred
     INDEXED BY deferred_tried
     WHERE owner = ?1 AND namespace = ?2 AND id > ?3 AND tried_by <> ?4 AND (expires_at IS NULL OR expires_at > ?5)
     ORDER BY id LIMIT ?6";
/// What is kept without a line of an author and time, but for what has another number.
pub(super) const KEPT: &str =
    "SELECT id FROM deferred WHERE sender = ?1 AND timestamp = ?2 AND placeholder IS NULL
     AND (?3 IS NULL OR msg_id IS NULL OR msg_id = ?3)";

/// Something to be kept.
pub(super) struct NewDeferred<'a> {
    pub owner: Account,
    pub namespace: Namespace,
    pub item: &'a ReceivedItem,
    pub unreadable: &'a Unreadable,
    /// The line that stands for it.
    pub placeholder: Option<MessageId>,
    /// The conversation it belongs to.
    pub place: Option<Account>,
    pub expires_at: Option<Timestamp>,
    pub now: Timestamp,
}

/// What a record says of its place.
pub(super) struct Record {
    pub placeholder: Option<MessageId>,
    pub received_at: Timestamp,
}

/// The version that keeps and tries.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Db {
    /// Keeps something, and as much of the rest as there is room for.
    pub(super) fn insert_deferred(&self, new: &NewDeferred<'_>) -> Result<(), StoreError> {
        let unknown = new.unreadable.unknown;
        let mut statement = self.sql().prepare_cached(
            "INSERT OR IGNORE INTO deferred (kind, owner, namespace, hash, sender, timestamp, msg_id, place,
                 stored_at, stored_till, raw, placeholder, expires_at, received_at, tried_by)
             VALUES (:kind, :owner, :namespace, :hash, :sender, :timestamp, :msg_id, :place,
                 :stored_at, :stored_till, :raw, :placeholder, :expires_at, :now, :version)",
        )?;
        statement.execute(named_params! {
            ":kind": i64::from(unknown.is_some()),
            ":owner": Owner(new.owner),
            ":namespace": new.namespace.0,
            ":hash": Hash(new.item.hash),
            ":sender": unknown.map(|unknown| Person(unknown.sender)),
            ":timestamp": unknown.map(|unknown| Ms(unknown.timestamp)),
            ":msg_id": unknown.and_then(|unknown| unknown.msg_id).map(|id| id.0),
            ":place": new.place.map(Owner),
            ":stored_at": Ms(new.item.stored_at),
            ":stored_till": Ms(new.item.expiration),
            ":raw": new.unreadable.raw,
            ":placeholder": new.placeholder.map(|line| line.0),
            ":expires_at": new.expires_at.map(Ms),
            ":now": Ms(new.now),
            ":version": VERSION,
        })?;
        self.bound_deferred(MOST_BYTES, MOST_NEWER)
    }

    /// Drives out the oldest of what is too much. The line that stands for it stays: there was a message.
    pub(super) fn bound_deferred(&self, most_bytes: i64, most_newer: i64) -> Result<(), StoreError> {
        let mut totals = self
            .sql()
            .prepare_cached("SELECT sum(bytes), sum(count) FILTER (WHERE kind = 0) FROM deferred_totals")?;
        let mut evict = self.sql().prepare_cached(
            "DELETE FROM deferred WHERE id = (SELECT id FROM deferred WHERE kind = ?1 ORDER BY id LIMIT 1)",
        )?;
        loop {
            let (bytes, newer): (i64, i64) = totals.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            if bytes <= most_bytes && newer <= most_newer {
                return Ok(());
            }
            evict.execute([i64::from(newer == 0)])?;
        }
    }

    /// Whether a message is kept already without a line, perhaps under another hash. One with a line is a message like
    /// any.
    pub(super) fn has_deferred(&self, target: QuoteKey, msg_id: Option<i64>) -> Result<bool, StoreError> {
        let key = params![Person(target.author), Ms(target.timestamp), msg_id];
        Ok(self.sql().prepare_cached(KEPT)?.exists(key)?)
    }

    /// Forgets what is kept of a message that was unsent; the line that stands for it is a message like any. False if
    /// there was nothing.
    pub(super) fn forget_deferred(&self, target: QuoteKey, msg_id: Option<i64>) -> Result<bool, StoreError> {
        let key = params![Person(target.author), Ms(target.timestamp), msg_id];
        let sql = "DELETE FROM deferred WHERE sender = ?1 AND timestamp = ?2 AND placeholder IS NULL
                   AND (?3 IS NULL OR msg_id IS NULL OR msg_id = ?3)";
        let mut statement = self.sql().prepare_cached(sql)?;
        Ok(statement.execute(key)? > 0)
    }

    /// Forgets what is kept of a conversation.
    pub(super) fn forget_deferred_of(&self, place: Account) -> Result<(), StoreError> {
        self.sql().prepare_cached("DELETE FROM deferred WHERE place = ?1")?.execute([Owner(place)])?;
        Ok(())
    }

    pub(super) fn deferred_record(&self, id: DeferredId) -> Result<Option<Record>, StoreError> {
        let sql = "SELECT placeholder, received_at FROM deferred WHERE id = ?1";
        let found = self.sql().prepare_cached(sql)?.query_row([id.0], |row| {
            let placeholder = row.get::<_, Option<i64>>(0)?.map(MessageId);
            Ok(Record { placeholder, received_at: time(row, 1)? })
        });
        Ok(found.optional()?)
    }

    /// Notes that this version tried. `known`: it could read it, and had no use for it; then no line stands for it, and it
    /// is kept until `until`.
    pub(super) fn deferred_tried(
        &self,
        id: DeferredId,
        known: bool,
        until: Option<Timestamp>,
        version: &str,
    ) -> Result<(), StoreError> {
        let mut statement = self.sql().prepare_cached(
            "UPDATE deferred SET tried_by = ?2, known = ?3,
                 placeholder = CASE WHEN ?3 THEN NULL ELSE placeholder END,
                 expires_at = CASE WHEN ?3 THEN coalesce(expires_at, ?4) ELSE expires_at END WHERE id = ?1",
        )?;
        statement.execute(params![id.0, version, known, until.map(Ms)])?;
        Ok(())
    }

    /// At most so many messages after `after` that were kept or tried by another version than this one, the oldest first:
    /// each is to be read once more.
    pub fn deferred_untried(
        &self,
        (owner, namespace): (Account, Namespace),
        version: &str,
        after: DeferredId,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Deferred>, StoreError> {
        let mut statement = self.sql().prepare_cached(UNTRIED)?;
        let key = params![Owner(owner), namespace.0, after.0, version, Ms(now), limit];
        let rows = statement.query_map(key, |row| {
            let Hash(hash) = row.get(1)?;
            let (timestamp, expiry) = (time(row, 2)?, time(row, 3)?);
            let message = StoredMessage { hash, timestamp, expiry, data: row.get(4)? };
            Ok(Deferred { id: DeferredId(row.get(0)?), message })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether a person is to be told that something came which only a later version can show: of a newer format, or
    /// our own without a place in a conversation. Not again for 7 days after it was dismissed.
    pub fn update_wanted(&self, now: Timestamp) -> Result<bool, StoreError> {
        let dismissed: Option<u64> = self.setting(DISMISSED)?;
        let rests = dismissed.is_some_and(|at| now.since(Timestamp::from_ms(at)) < NOTICE_PAUSE_MS);
        if rests {
            return Ok(false);
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM deferred_totals WHERE kind = 0 AND count > 0) OR EXISTS
                 (SELECT 1 FROM deferred WHERE sender = ?1 AND placeholder IS NULL AND known = 0)";
        let me = Person(self.me()?.id);
        Ok(self.sql().prepare_cached(sql)?.query_row([me], |row| row.get(0))?)
    }

    /// A person has seen that.
    pub fn dismiss_update_notice(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.set_setting(DISMISSED, &now.as_ms())
    }
}
