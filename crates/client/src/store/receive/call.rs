//! Calls, which this version does not take: each leaves one line (spec 02 §25).
//!
//! A caller may say several times that they call; all of it names the same call. Which of it comes first depends on
//! the nodes, so the line stands where the earliest does. A call that another device of ours took, or refused, leaves
//! none, in whatever order that is heard.

use rusqlite::{OptionalExtension, params};
use septet_protocol::time::Timestamp;

use super::message::Body;
use super::{Receiver, Standing, TTL_LONGEST_MS};
use crate::model::{Expiry, MessageId, Notice};
use crate::store::arrived::{CallKey, Incoming, ReceivedItem};
use crate::store::error::StoreError;
use crate::store::values::{Ms, time};

/// What is known of a call.
struct Told {
    /// Its line; none if a person deleted it.
    line: Option<MessageId>,
    timestamp: Timestamp,
}

impl Receiver<'_> {
    /// Somebody calls.
    pub(super) fn call(
        &mut self,
        item: &ReceivedItem,
        incoming: &Incoming,
        standing: Standing,
        call: CallKey,
        expiry: Expiry,
    ) -> Result<bool, StoreError> {
        if !standing.approved {
            return Ok(false);
        }
        // Whatever of it is seen, and in whatever order it comes: something happened here.
        if let Some(place) = self.place(&incoming.conversation)? {
            let at = self.place_in_time(item, incoming).0;
            self.db.touch_conversation(place.row, at, false)?;
        }
        if self.told(call, self.me.person)?.is_some() {
            return Ok(false);
        }
        let caller = self.db.person(incoming.sender)?;
        if let Some(told) = self.told(call, caller)? {
            match told.line.filter(|_| incoming.timestamp < told.timestamp) {
                Some(line) => self.remove(line)?,
                None => return Ok(false),
            }
        }
        let body = Body { notice: Some(&Notice::MissedCall), ..Body::empty(expiry) };
        let line = self.message(item, incoming, standing, &body)?;
        self.tell(call, caller, line, incoming.timestamp)?;
        Ok(line.is_some())
    }

    /// A device of ours took a call or refused it.
    pub(super) fn call_settled(&mut self, incoming: &Incoming, call: CallKey) -> Result<bool, StoreError> {
        if incoming.sender != self.me.id {
            return Ok(false);
        }
        let mut statement = self
            .db
            .sql()
            .prepare_cached("SELECT message FROM calls WHERE call = ?1 AND message IS NOT NULL")?;
        let lines: Vec<MessageId> =
            statement.query_map([&call.0[..]], |row| row.get(0).map(MessageId))?.collect::<Result<_, _>>()?;
        drop(statement);
        for line in lines {
            self.remove(line)?;
        }
        self.tell(call, self.me.person, None, incoming.timestamp)?;
        Ok(true)
    }

    fn told(&self, call: CallKey, by: i64) -> Result<Option<Told>, StoreError> {
        let sql = "SELECT message, timestamp FROM calls WHERE call = ?1 AND sender = ?2";
        let found = self.db.sql().prepare_cached(sql)?.query_row(params![&call.0[..], by], |row| {
            Ok(Told { line: row.get::<_, Option<i64>>(0)?.map(MessageId), timestamp: time(row, 1)? })
        });
        Ok(found.optional()?)
    }

    fn tell(&self, call: CallKey, by: i64, line: Option<MessageId>, at: Timestamp) -> Result<(), StoreError> {
        let mut statement = self.db.sql().prepare_cached(
            "INSERT INTO calls (call, sender, message, timestamp, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET message = excluded.message, timestamp = excluded.timestamp",
        )?;
        let until = Ms(self.now + TTL_LONGEST_MS);
        statement.execute(params![&call.0[..], by, line.map(|line| line.0), Ms(at), until])?;
        Ok(())
    }
}
