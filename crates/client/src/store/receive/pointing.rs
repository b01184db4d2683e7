//! What points at a message: reactions, unsend requests, read receipts.

use rusqlite::{OptionalExtension, params};
use septet_protocol::time::Timestamp;

use super::{Receiver, Standing};
use crate::model::{ConversationId, MessageId};
use crate::store::db::Db;
use crate::store::error::StoreError;
use crate::store::types::{Incoming, QuoteKey};
use crate::store::values::{Ms, optional_time, time};

/// How long wishes for messages that have not come are kept, in ms (spec 02 §28).
const PENDING_MS: u64 = 14 * 24 * 3600 * 1000;
/// The longest emoji kept, in bytes; the longest that exists has 35.
const EMOJI_BYTES: usize = 64;
/// How many read receipts for unknown messages are kept from one message.
const PENDING_RECEIPTS: usize = 100;

/// What a reaction points at, as rows have it.
struct Target {
    conversation: i64,
    author: i64,
    timestamp: Timestamp,
}

impl Db {
    /// We put an emoji under a message, or take it away; `timestamp` is the reaction's own. False if nothing changed.
    pub fn react(
        &mut self,
        message: MessageId,
        emoji: &str,
        remove: bool,
        timestamp: Timestamp,
    ) -> Result<bool, StoreError> {
        self.transaction(|db| {
            let me = db.me()?;
            let target = db
                .sql()
                .prepare_cached(
                    "SELECT conversation, author, timestamp FROM messages WHERE id = ?1 AND deleted = 0 AND local = 0",
                )?
                .query_row([message.0], |row| {
                    Ok(Target { conversation: row.get(0)?, author: row.get(1)?, timestamp: time(row, 2)? })
                })?;
            db.raise_clock(timestamp)?;
            db.write_reaction(&target, me.person, emoji, remove, timestamp)
        })
    }

    /// The newest word of an author about an emoji counts. False if it is not the newest, or says nothing new.
    fn write_reaction(
        &self,
        target: &Target,
        author: i64,
        emoji: &str,
        remove: bool,
        timestamp: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "INSERT INTO reactions (conversation, target_timestamp, target_author, author, emoji, timestamp, removed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET timestamp = excluded.timestamp, removed = excluded.removed
             WHERE excluded.timestamp > timestamp",
        )?;
        let (conversation, at) = (target.conversation, Ms(target.timestamp));
        let values = params![conversation, at, target.author, author, emoji, Ms(timestamp), remove];
        Ok(statement.execute(values)? > 0)
    }
}

impl Receiver<'_> {
    pub(super) fn reaction(
        &mut self,
        incoming: &Incoming,
        target: &QuoteKey,
        emoji: &str,
        remove: bool,
    ) -> Result<(), StoreError> {
        let Some(place) = self.place(incoming.conversation)? else { return Ok(()) };
        if emoji.is_empty() || emoji.len() > EMOJI_BYTES {
            return Ok(());
        }
        let target_author = self.db.person(target.author)?;
        if self.known(target_author, target.timestamp)?.is_some_and(|known| known.deleted) {
            return Ok(());
        }
        let author = self.db.person(incoming.sender)?;
        let target = Target { conversation: place.row, author: target_author, timestamp: target.timestamp };
        let written = self.db.write_reaction(&target, author, emoji, remove, incoming.timestamp)?;
        if written {
            self.applied.changed.insert(incoming.conversation);
        }
        Ok(())
    }

    /// Only the author may unsend, or another device of ours for us (spec 02 §23).
    pub(super) fn unsend(&mut self, incoming: &Incoming, target: QuoteKey) -> Result<(), StoreError> {
        if incoming.sender != target.author && incoming.sender != self.me.id {
            return Ok(());
        }
        let author = self.db.person(target.author)?;
        let Some(known) = self.known(author, target.timestamp)? else {
            let sql =
                "INSERT OR IGNORE INTO pending_unsends (author, timestamp, expires_at) VALUES (?1, ?2, ?3)";
            let until = Ms(self.now + PENDING_MS);
            self.db.sql().prepare_cached(sql)?.execute(params![author, Ms(target.timestamp), until])?;
            return Ok(());
        };
        if known.deleted || known.control {
            return Ok(());
        }
        self.applied.delete_hashes.extend(self.db.hashes_of(&[known.id])?);
        let touched = if self.db.conversation_of(known.id)? == Some(ConversationId(self.me.id)) {
            self.db.remove_messages(&[known.id])?
        } else {
            self.db.delete_messages(&[known.id])?
        };
        self.new.retain(|id| *id != known.id);
        self.applied.changed.extend(touched);
        self.applied.list_changed = true;
        Ok(())
    }

    /// Whether somebody asked for this message to be deleted before it came; forgets the wish.
    pub(super) fn take_pending_unsend(&self, author: i64, timestamp: Timestamp) -> Result<bool, StoreError> {
        let mut statement = self
            .db
            .sql()
            .prepare_cached("DELETE FROM pending_unsends WHERE author = ?1 AND timestamp = ?2")?;
        Ok(statement.execute(params![author, Ms(timestamp)])? > 0)
    }

    /// Reactions may have come before the message that is deleted as it comes.
    pub(super) fn drop_reactions(
        &self,
        conversation: i64,
        author: i64,
        timestamp: Timestamp,
    ) -> Result<(), StoreError> {
        let mut statement = self.db.sql().prepare_cached(
            "DELETE FROM reactions WHERE conversation = ?1 AND target_timestamp = ?2 AND target_author = ?3",
        )?;
        statement.execute(params![conversation, Ms(timestamp), author])?;
        Ok(())
    }

    pub(super) fn receipt(
        &mut self,
        incoming: &Incoming,
        standing: Standing,
        list: &[Timestamp],
    ) -> Result<(), StoreError> {
        let Some(place) = self.place(incoming.conversation)? else { return Ok(()) };
        if !standing.approved || incoming.sender == self.me.id {
            return Ok(());
        }
        let reader = self.db.person(incoming.sender)?;
        let mut update = self.db.sql().prepare_cached(
            "UPDATE messages SET read_at = min(coalesce(read_at, ?4), ?4)
             WHERE author = ?1 AND timestamp = ?2 AND local = 0 AND conversation = ?3",
        )?;
        let mut keep = self.db.sql().prepare_cached(
            "INSERT INTO pending_receipts (reader, timestamp, read_at, expires_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET read_at = min(read_at, excluded.read_at)",
        )?;
        let mut room = PENDING_RECEIPTS;
        for at in list {
            if update.execute(params![self.me.person, Ms(*at), place.row, Ms(incoming.timestamp)])? > 0 {
                self.applied.changed.insert(incoming.conversation);
            } else if room > 0 {
                room -= 1;
                let until = Ms(self.now + PENDING_MS);
                keep.execute(params![reader, Ms(*at), Ms(incoming.timestamp), until])?;
            }
        }
        Ok(())
    }

    /// A message of ours from another device may have been read by the other before its copy came here.
    pub(super) fn take_pending_receipt(&self, incoming: &Incoming, id: MessageId) -> Result<(), StoreError> {
        let reader = self.db.person(incoming.conversation.0)?;
        let key = params![reader, Ms(incoming.timestamp)];
        let read_at = self
            .db
            .sql()
            .prepare_cached(
                "DELETE FROM pending_receipts WHERE reader = ?1 AND timestamp = ?2 RETURNING read_at",
            )?
            .query_row(key, |row| optional_time(row, 0))
            .optional()?
            .flatten();
        if let Some(read_at) = read_at {
            let sql = "UPDATE messages SET read_at = ?2 WHERE id = ?1";
            self.db.sql().prepare_cached(sql)?.execute(params![id.0, Ms(read_at)])?;
        }
        Ok(())
    }
}
