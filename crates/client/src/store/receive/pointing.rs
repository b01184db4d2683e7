//! What points at a message: reactions, unsend requests, read receipts.

use rusqlite::{OptionalExtension, params};
use septet_protocol::message::Emoji;
use septet_protocol::time::Timestamp;

use super::{Known, Receiver, Standing};
use crate::event::Event;
use crate::model::{ConversationId, MessageId};
use crate::store::arrived::{HeardTyping, Incoming};
use crate::store::db::Db;
use crate::store::error::StoreError;
use crate::store::types::{Deletion, QuoteKey};
use crate::store::values::{Ms, Person, optional_time, time};

/// How long wishes for messages that have not come are kept, in ms (spec 02 §28).
const PENDING_MS: u64 = 14 * 24 * 3600 * 1000;
/// So many wishes to delete messages of one author are kept.
const PENDING_UNSENDS: i64 = 1000;
/// So many reactions are kept of somebody whom we have not accepted.
const STRANGERS_REACTIONS: i64 = 1000;
/// How many read receipts for unknown messages are kept from one message.
const PENDING_RECEIPTS: usize = 100;

/// The other has read a message of ours.
pub(in crate::store) const READ_BY_OTHER: &str = "SELECT id, read_at IS NULL FROM messages
     WHERE author = ?1 AND timestamp = ?2 AND local = 0 AND conversation = ?3";

/// What a reaction points at, as rows have it.
struct Target {
    conversation: ConversationId,
    author: i64,
    timestamp: Timestamp,
}

/// When a reaction came, and until when it waits for its message if that is not here.
struct Arrival {
    at: Timestamp,
    until: Option<Timestamp>,
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
                    let conversation = ConversationId(row.get(0)?);
                    Ok(Target { conversation, author: row.get(1)?, timestamp: time(row, 2)? })
                })?;
            db.raise_clock(timestamp)?;
            db.write_reaction(&target, me.person, emoji, remove, timestamp, Arrival { at: timestamp, until: None })
        })
    }

    /// The newest word of an author about an emoji counts. Whether anything looks different now: an older word, and
    /// one that says again what is so already, change nothing that can be seen.
    fn write_reaction(
        &self,
        target: &Target,
        author: i64,
        emoji: &str,
        remove: bool,
        timestamp: Timestamp,
        arrival: Arrival,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT removed FROM reactions WHERE conversation = ?1 AND target_timestamp = ?2
                AND target_author = ?3 AND author = ?4 AND emoji = ?5";
        let key = params![target.conversation.0, Ms(target.timestamp), target.author, author, emoji];
        let before: Option<bool> =
            self.sql().prepare_cached(sql)?.query_row(key, |row| row.get(0)).optional()?;
        let mut statement = self.sql().prepare_cached(
            "INSERT INTO reactions (conversation, target_timestamp, target_author, author, emoji, timestamp, removed,
                 received_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT DO UPDATE SET timestamp = excluded.timestamp, removed = excluded.removed,
                 received_at = excluded.received_at, expires_at = excluded.expires_at
             WHERE excluded.timestamp > timestamp",
        )?;
        let (conversation, at) = (target.conversation.0, Ms(target.timestamp));
        let (came, until) = (Ms(arrival.at), arrival.until.map(Ms));
        let values =
            params![conversation, at, target.author, author, emoji, Ms(timestamp), remove, came, until];
        Ok(statement.execute(values)? > 0 && before.unwrap_or(true) != remove)
    }
}

impl Receiver<'_> {
    pub(super) fn reaction(
        &mut self,
        incoming: &Incoming,
        standing: Standing,
        target: &QuoteKey,
        emoji: &Emoji,
        remove: bool,
    ) -> Result<bool, StoreError> {
        let Some(place) = self.place(&incoming.conversation)? else { return Ok(false) };
        let author = self.db.person(incoming.sender)?;
        let own = incoming.sender == self.me.id;
        if !self.may_be_quoted(incoming, target.author)
            || !own && !standing.approved && self.has_reacted_enough(author)?
        {
            return Ok(false);
        }
        let target_author = self.db.person(target.author)?;
        let known = self.known(Some(place.row), target_author, target.timestamp, None)?;
        let gone = |known: &Known| matches!(known.deletion, Deletion::ByAuthor | Deletion::Here);
        if known.first().is_some_and(gone) {
            return Ok(false);
        }
        let until = known.is_empty().then(|| self.now + PENDING_MS);
        let target = Target { conversation: place.row, author: target_author, timestamp: target.timestamp };
        let arrival = Arrival { at: self.now, until };
        let newer =
            self.db.write_reaction(&target, author, emoji.as_str(), remove, incoming.timestamp, arrival)?;
        if newer {
            // A message of this very batch comes with its reactions.
            if let Some(known) = known.first().filter(|known| !self.new.contains(&known.id)) {
                self.applied.told.push(Event::Reaction {
                    conversation: place.row,
                    message: known.id,
                    from: incoming.sender,
                    emoji: emoji.as_str().to_owned(),
                    removed: remove,
                });
            }
        }
        Ok(newer)
    }

    fn has_reacted_enough(&self, author: i64) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) >= ?2 FROM (SELECT 1 FROM reactions WHERE author = ?1 LIMIT ?2)";
        let key = [author, STRANGERS_REACTIONS];
        Ok(self.db.sql().prepare_cached(sql)?.query_row(key, |row| row.get(0))?)
    }

    /// Only the author may unsend, or another device of ours for us (spec 02 §23). That the swarm does not have a
    /// message any more is no wish of anybody (spec 09 §6.3).
    pub(super) fn unsend(
        &mut self,
        incoming: &Incoming,
        standing: Standing,
        target: QuoteKey,
        msg_id: Option<i64>,
    ) -> Result<bool, StoreError> {
        if incoming.sender != target.author && incoming.sender != self.me.id {
            return Ok(false);
        }
        let deferred = self.db.forget_deferred(target, msg_id)?;
        let stranger = !standing.approved && incoming.sender != self.me.id;
        let kept = self.keep_unsend(target, msg_id, stranger)?;
        self.strangers |= stranger;
        let known = match self.db.find_person(target.author)? {
            Some(author) => self.known(None, author, target.timestamp, msg_id)?,
            None => Vec::new(),
        };
        let note = self.db.find_conversation(&self.me.id.into())?;
        for known in known.iter().filter(|known| known.deletion != Deletion::ByAuthor && !known.control) {
            self.applied.delete_hashes.extend(self.db.hashes_of(&[known.id])?);
            if Some(known.conversation) == note || known.placeholder {
                self.db.remove_messages(&[known.id])?;
            } else {
                self.db.delete_messages(&[known.id])?;
            }
            if !self.new.contains(&known.id) {
                let (conversation, message) = (known.conversation, known.id);
                self.applied.told.push(Event::Deleted { conversation, message });
            }
            self.new.retain(|id| *id != known.id);
            self.applied.list_changed = true;
        }
        Ok(kept || deferred)
    }

    /// Keeps the wish for what comes later: the message itself, the same under another hash, or another one of the
    /// same moment if the wish names no number. False if it was known.
    fn keep_unsend(&self, target: QuoteKey, msg_id: Option<i64>, stranger: bool) -> Result<bool, StoreError> {
        let mut statement = self.db.sql().prepare_cached(
            "INSERT OR IGNORE INTO pending_unsends (author, timestamp, msg_id, stranger, expires_at)
             SELECT ?1, ?2, ?3, ?4, ?5 WHERE ?6 >
                 (SELECT count(*) FROM (SELECT 1 FROM pending_unsends WHERE author = ?1 LIMIT ?6))",
        )?;
        let (author, at, until) = (Person(target.author), Ms(target.timestamp), Ms(self.now + PENDING_MS));
        Ok(statement.execute(params![author, at, msg_id, stranger, until, PENDING_UNSENDS])? > 0)
    }

    /// Whether somebody asked for a message to be deleted before it came.
    pub(super) fn has_pending_unsend(
        &self,
        target: QuoteKey,
        msg_id: Option<i64>,
    ) -> Result<bool, StoreError> {
        let mut statement = self.db.sql().prepare_cached(
            "SELECT 1 FROM pending_unsends WHERE author = ?1 AND timestamp = ?2
             AND (?3 IS NULL OR msg_id IS NULL OR msg_id = ?3)",
        )?;
        Ok(statement.exists(params![Person(target.author), Ms(target.timestamp), msg_id])?)
    }

    /// Reactions may have come before the message that is deleted as it comes.
    pub(super) fn drop_reactions(
        &self,
        conversation: ConversationId,
        author: i64,
        timestamp: Timestamp,
    ) -> Result<(), StoreError> {
        let mut statement = self.db.sql().prepare_cached(
            "DELETE FROM reactions WHERE conversation = ?1 AND target_timestamp = ?2 AND target_author = ?3",
        )?;
        statement.execute(params![conversation.0, Ms(timestamp), author])?;
        Ok(())
    }

    /// Somebody types, or stopped. It is told on where there is a conversation with somebody we accepted; nothing of
    /// it is kept.
    pub(super) fn typing(
        &mut self,
        incoming: &Incoming,
        standing: Standing,
        started: bool,
    ) -> Result<bool, StoreError> {
        let place = self.place(&incoming.conversation)?;
        if let Some(place) = place.filter(|it| standing.approved && !it.hidden)
            && incoming.sender != self.me.id
        {
            let (from, timestamp) = (incoming.sender, incoming.timestamp);
            self.applied.typing.push(HeardTyping { conversation: place.row, from, timestamp, started });
        }
        Ok(false)
    }

    pub(super) fn receipt(
        &mut self,
        incoming: &Incoming,
        standing: Standing,
        list: &[Timestamp],
    ) -> Result<bool, StoreError> {
        let Some(place) = self.place(&incoming.conversation)? else { return Ok(false) };
        if !standing.approved || incoming.sender == self.me.id {
            return Ok(false);
        }
        let reader = self.db.person(incoming.sender)?;
        let mut room = PENDING_RECEIPTS;
        for at in list {
            if self.was_read(place.row, *at, incoming)? {
                continue;
            }
            if room > 0 {
                room -= 1;
                let until = Ms(self.now + PENDING_MS);
                let sql = "INSERT INTO pending_receipts (reader, timestamp, read_at, expires_at) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET read_at = min(read_at, excluded.read_at)";
                self.db.sql().prepare_cached(sql)?.execute(params![
                    reader,
                    Ms(*at),
                    Ms(incoming.timestamp),
                    until
                ])?;
            }
        }
        Ok(true)
    }

    /// A message of ours was read by the sender of `incoming`. False if it is not here.
    fn was_read(
        &mut self,
        conversation: ConversationId,
        at: Timestamp,
        incoming: &Incoming,
    ) -> Result<bool, StoreError> {
        let mut find = self.db.sql().prepare_cached(READ_BY_OTHER)?;
        let mut update = self
            .db
            .sql()
            .prepare_cached("UPDATE messages SET read_at = min(coalesce(read_at, ?2), ?2) WHERE id = ?1")?;
        let found = find.query_map(params![self.me.person, Ms(at), conversation.0], |row| {
            Ok((MessageId(row.get(0)?), row.get::<_, bool>(1)?))
        })?;
        let found = found.collect::<Result<Vec<_>, _>>()?;
        for (message, unread) in &found {
            update.execute(params![message.0, Ms(incoming.timestamp)])?;
            if *unread {
                self.applied.told.push(Event::Read {
                    conversation,
                    message: *message,
                    from: incoming.sender,
                });
            }
        }
        Ok(!found.is_empty())
    }

    /// A message of ours from another device may have been read by the other before its copy came here.
    pub(super) fn take_pending_receipt(&self, incoming: &Incoming, id: MessageId) -> Result<(), StoreError> {
        let Some(other) = incoming.conversation.account() else { return Ok(()) };
        let reader = self.db.person(other)?;
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
