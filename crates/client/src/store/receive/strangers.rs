//! How much strangers can make us keep.
//!
//! Decision: a stranger's message makes a request, with rows for the person, the conversation and what they wrote. There
//! are at most [`MOST_REQUESTS`] that wait, and in each at most [`MOST_MESSAGES`]; what is too much goes, the oldest
//! first, with its files and the person. Nobody can wait for long behind a flood, but a person who reads their requests
//! once in a while sees all that a swarm can hold of honest ones. Who is accepted, blocked, named, pinned or answered is
//! no stranger.

use rusqlite::params;

use super::Receiver;
use crate::model::ConversationId;
use crate::store::error::StoreError;

/// So many requests wait at most, and as many invitations into groups.
pub(in crate::store) const MOST_REQUESTS: i64 = 1000;
/// So many messages are kept of each.
pub(in crate::store) const MOST_MESSAGES: i64 = 20_000;

/// So many of their wishes to delete what has not come are kept.
const MOST_UNSENDS: i64 = 10_000;

/// Requests that are too many, the oldest of them first.
pub(in crate::store) const TOO_MANY: &str = "SELECT c.id, p.id FROM people p
     JOIN conversations c ON c.person = p.id
     WHERE p.approved = 0 AND p.approved_me = 1 AND p.blocked = 0 AND p.nickname IS NULL
         AND c.priority = 0 AND c.muted_until IS NULL AND c.expiry_mode = 0
     ORDER BY c.active_at DESC, c.id DESC LIMIT -1 OFFSET ?1";
/// Invitations of strangers that are too many.
const TOO_MANY_GROUPS: &str = "SELECT g.conversation, p.id FROM groups g
     JOIN people p ON p.id = g.invited_by
     JOIN conversations c ON c.id = g.conversation
     WHERE g.invited = 1 AND p.approved = 0
     ORDER BY c.active_at DESC, c.id DESC LIMIT -1 OFFSET ?1";
/// Messages of a request that are too many.
const TOO_LONG: &str = "DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE conversation = ?1
     ORDER BY sorted_at DESC, timestamp DESC, id DESC LIMIT -1 OFFSET ?2)";
/// Wishes that are too many.
const TOO_MANY_UNSENDS: &str = "DELETE FROM pending_unsends WHERE rowid IN
     (SELECT rowid FROM pending_unsends WHERE stranger = 1 ORDER BY rowid DESC LIMIT -1 OFFSET ?1)";
/// Who is mentioned nowhere any more.
pub(in crate::store) const NOWHERE: &str =
    "SELECT NOT (EXISTS (SELECT 1 FROM messages WHERE author = ?1 OR quote_author = ?1)
     OR EXISTS (SELECT 1 FROM conversations WHERE person = ?1)
     OR EXISTS (SELECT 1 FROM groups WHERE invited_by = ?1)
     OR EXISTS (SELECT 1 FROM members WHERE person = ?1)
     OR EXISTS (SELECT 1 FROM blinded WHERE person = ?1)
     OR EXISTS (SELECT 1 FROM reactions WHERE author = ?1 OR target_author = ?1))";

impl Receiver<'_> {
    /// Drops what strangers made too much of.
    pub(super) fn bound_strangers(&mut self) -> Result<(), StoreError> {
        if !self.strangers {
            return Ok(());
        }
        self.db.sql().prepare_cached(TOO_MANY_UNSENDS)?.execute([MOST_UNSENDS])?;
        let dropped = [self.too_many(TOO_MANY)?, self.too_many(TOO_MANY_GROUPS)?].concat();
        for (conversation, person) in dropped {
            self.drop_request(conversation, person)?;
            self.applied.requests.retain(|request| *request != conversation);
            self.applied.told.retain(|event| event.conversation() != Some(conversation));
            self.applied.changed.remove(&conversation);
            self.requests.remove(&conversation);
        }
        for request in std::mem::take(&mut self.requests) {
            self.db.sql().prepare_cached(TOO_LONG)?.execute([request.0, MOST_MESSAGES])?;
        }
        Ok(())
    }

    fn too_many(&self, sql: &str) -> Result<Vec<(ConversationId, i64)>, StoreError> {
        let mut statement = self.db.sql().prepare_cached(sql)?;
        let rows =
            statement.query_map([MOST_REQUESTS], |row| Ok((ConversationId(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Takes away a request with everything of it, as if it had never come; only its hashes stay known.
    fn drop_request(&mut self, conversation: ConversationId, person: i64) -> Result<(), StoreError> {
        if let Some(place) = self.db.address_of(conversation)?.and_then(|address| address.id()) {
            self.db.forget_deferred_of(place)?;
        }
        for sql in ["DELETE FROM messages WHERE conversation = ?1", "DELETE FROM conversations WHERE id = ?1"]
        {
            self.db.sql().prepare_cached(sql)?.execute([conversation.0])?;
        }
        self.applied.list_changed = true;
        if !self.db.sql().prepare_cached(NOWHERE)?.query_row([person], |row| row.get(0))? {
            return Ok(());
        }
        for sql in [
            "DELETE FROM pending_receipts WHERE reader = ?1",
            "DELETE FROM calls WHERE sender = ?1",
            // Its picture, should there be a file.
            "UPDATE people SET picture_file = NULL WHERE id = ?1",
            "DELETE FROM people WHERE id = ?1",
        ] {
            self.db.sql().prepare_cached(sql)?.execute(params![person])?;
        }
        Ok(())
    }
}
