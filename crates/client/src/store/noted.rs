//! What config documents do not say yet.
//!
//! Decision: a change of a contact or a read mark is *noted* in its own transaction and written into its document
//! before anything else is done with that, which is when the document is pushed. A document is one piece, as large as
//! there are contacts; a note is one row. Triggers tell whose row differs from what was last written, so that a message
//! that changes nothing costs no look into the document.

use rusqlite::{OptionalExtension, params};
use septet_protocol::id::{Namespace, SessionId};
use septet_protocol::time::Timestamp;

use super::db::Db;
use super::error::StoreError;
use super::values::{Ms, Person, time};
use crate::model::ConversationId;

/// Notes down that somebody's entry is to be written, if their row changed since it was last.
pub(super) const NOTE_CONTACT: &str = "UPDATE undescribed SET noted_at = ?2
     WHERE person = (SELECT id FROM people WHERE account = ?1) AND noted_at IS NULL";
/// Whether somebody whose row changed has an entry.
pub(super) const UNDESCRIBED: &str = "SELECT p.shared FROM people p JOIN undescribed u ON u.person = p.id
     WHERE p.account = ?1 AND u.noted_at IS NULL";
/// Whose entry is to be written.
pub(super) const NOTED_CONTACTS: &str = "SELECT p.account, u.noted_at
     FROM undescribed u INDEXED BY undescribed_noted JOIN people p ON p.id = u.person
     WHERE u.noted_at IS NOT NULL ORDER BY u.person";
/// Which read marks are to be written.
pub(super) const NOTED_READS: &str = "SELECT id, read_noted_at
     FROM conversations INDEXED BY conversations_read_noted WHERE read_noted_at IS NOT NULL ORDER BY id";

impl Db {
    /// Whether somebody has an entry in the Contacts config; `None` if that says what the tables say, or will.
    pub fn undescribed(&self, id: SessionId) -> Result<Option<bool>, StoreError> {
        let mut statement = self.sql().prepare_cached(UNDESCRIBED)?;
        Ok(statement.query_row([Person(id)], |row| row.get(0)).optional()?)
    }

    /// The entry of somebody in the Contacts config is to be written, should their row have changed since it was last;
    /// `at` is when they were added, should they be new there. Returns whether that is a new note.
    pub fn note_contact(&mut self, id: SessionId, at: Timestamp) -> Result<bool, StoreError> {
        let mut statement = self.sql().prepare_cached(NOTE_CONTACT)?;
        Ok(statement.execute(params![Person(id), Ms(at)])? > 0)
    }

    /// Whose entries are to be written, with the time given to [`Db::note_contact`].
    pub fn noted_contacts(&self) -> Result<Vec<(SessionId, Timestamp)>, StoreError> {
        let mut statement = self.sql().prepare_cached(NOTED_CONTACTS)?;
        let rows = statement.query_map([], |row| {
            let Person(id) = row.get(0)?;
            Ok((id, time(row, 1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The config says of somebody what the tables say, in an entry or by having none.
    pub fn set_described(&self, id: SessionId, shared: bool) -> Result<(), StoreError> {
        let sql = "UPDATE people SET shared = ?2 WHERE account = ?1 AND shared <> ?2";
        self.sql().prepare_cached(sql)?.execute(params![Person(id), shared])?;
        let sql = "DELETE FROM undescribed WHERE person = (SELECT id FROM people WHERE account = ?1)";
        self.sql().prepare_cached(sql)?.execute([Person(id)])?;
        Ok(())
    }

    /// How far a conversation was read is to be written into the config.
    pub fn note_read(&mut self, id: ConversationId, at: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE conversations SET read_noted_at = ?2 WHERE id = ?1 AND read_noted_at IS NULL";
        self.sql().prepare_cached(sql)?.execute(params![id.0, Ms(at)])?;
        Ok(())
    }

    /// Of which conversations that is, with the time given to [`Db::note_read`].
    pub fn noted_reads(&self) -> Result<Vec<(ConversationId, Timestamp)>, StoreError> {
        let mut statement = self.sql().prepare_cached(NOTED_READS)?;
        let rows = statement.query_map([], |row| Ok((ConversationId(row.get(0)?), time(row, 1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The config says how far a conversation was read.
    pub fn set_read_written(&mut self, id: ConversationId) -> Result<(), StoreError> {
        let sql = "UPDATE conversations SET read_noted_at = NULL WHERE id = ?1";
        self.sql().prepare_cached(sql)?.execute([id.0])?;
        Ok(())
    }

    /// Whether a conversation has not been asked for in the config of read states since it was made; it counts as asked
    /// for from now on.
    pub fn begin_read_state(&mut self, id: ConversationId) -> Result<bool, StoreError> {
        let sql = "UPDATE conversations SET read_asked = 1 WHERE id = ?1 AND read_asked = 0";
        Ok(self.sql().prepare_cached(sql)?.execute([id.0])? > 0)
    }

    /// Which configs of ours have something noted for them.
    pub fn noted_configs(&self) -> Result<Vec<Namespace>, StoreError> {
        let noted = [
            (Namespace::CONTACTS, "SELECT 1 FROM undescribed WHERE noted_at IS NOT NULL"),
            (Namespace::CONVO_INFO_VOLATILE, "SELECT 1 FROM conversations WHERE read_noted_at IS NOT NULL"),
        ];
        let mut list = Vec::new();
        for (namespace, sql) in noted {
            if self.sql().prepare_cached(sql)?.exists([])? {
                list.push(namespace);
            }
        }
        Ok(list)
    }
}
