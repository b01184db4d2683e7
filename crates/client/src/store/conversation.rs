//! Conversations: the list, and what is set for each of them.
//!
//! Decision: the list is one query and one sort. The newest message of each conversation comes from the paging
//! index, the unread counts from counters that triggers keep, so a list of a thousand conversations over a million
//! messages costs a few thousand index steps and no scan.

use std::cmp::Ordering;

use rusqlite::{OptionalExtension, Row, params};
use septet_protocol::time::Timestamp;

use super::db::Db;
use super::error::StoreError;
use super::people::{picture_id, profile_data};
use super::types::{ContactData, ProfileData, ReadMark};
use super::values::{Ms, Person, expiry, expiry_columns, optional_time, time};
use crate::model::{
    AttachmentSummary, Conversation, ConversationId, ConversationKind, Expiry, LastMessage, MessageId,
};

macro_rules! list_sql {
    ($condition:literal) => {
        concat!(
            "SELECT c.kind, p.account, p.name, p.nickname, p.picture_file, c.unread, c.mentions, c.marked_unread,
                    c.priority, c.muted_until, p.approved, p.approved_me, p.blocked, c.draft,
                    max(c.active_at, c.opened_at), c.expiry_mode, c.expiry_seconds,
                    m.id, a.account, m.outgoing, substr(m.text, 1, 240), m.notice, m.timestamp, m.state,
                    m.read_at IS NOT NULL OR (m.outgoing = 0 AND m.unread = 0),
                    t.content_type, t.name, t.voice,
                    (SELECT count(*) FROM attachments WHERE message = m.id)
             FROM conversations c
             JOIN people p ON p.id = c.person
             LEFT JOIN messages m ON m.id = (
                 SELECT id FROM messages WHERE conversation = c.id
                 ORDER BY sorted_at DESC, timestamp DESC, id DESC LIMIT 1)
             LEFT JOIN people a ON a.id = m.author
             LEFT JOIN attachments t ON t.message = m.id AND t.position = 0 ",
            $condition
        )
    };
}

macro_rules! contacts_sql {
    () => {
        "SELECT p.account, p.name, p.picture_url, p.picture_key, p.profile_updated, p.nickname, p.approved,
                p.approved_me, p.blocked, c.priority, c.muted_until, coalesce(c.expiry_mode, 0),
                coalesce(c.expiry_seconds, 0), p.created
         FROM people p LEFT JOIN conversations c ON c.person = p.id"
    };
}

/// All conversations.
pub(super) const LIST: &str = list_sql!("");
/// The conversation with one account.
const ONE: &str = list_sql!("WHERE p.account = ?1");

impl Db {
    /// All conversations, in the order of the list: pinned ones by priority, then the latest active, then by title.
    /// Requests, hidden and blocked ones are among them.
    pub fn conversations(&self) -> Result<Vec<Conversation>, StoreError> {
        self.snapshot(|sql| {
            let mut statement = sql.prepare_cached(LIST)?;
            let mut list = statement.query_map([], conversation)?.collect::<Result<Vec<_>, _>>()?;
            list.sort_by(list_order);
            Ok(list)
        })
    }

    /// One conversation.
    pub fn conversation(&self, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
        let mut statement = self.sql().prepare_cached(ONE)?;
        Ok(statement.query_row(params![Person(id.0)], conversation).optional()?)
    }

    /// Makes a conversation if there is none, marks it as opened by hand and takes it out of hiding.
    pub fn open_conversation(&mut self, id: ConversationId, now: Timestamp) -> Result<(), StoreError> {
        self.transaction(|db| {
            let row = db.ensure_conversation(id)?;
            let mut statement = db.sql().prepare_cached(
                "UPDATE conversations SET priority = max(priority, 0),
                     opened_at = CASE WHEN opened_at = 0 AND active_at = 0 THEN ?2 ELSE opened_at END
                 WHERE id = ?1",
            )?;
            statement.execute(params![row, Ms(now)])?;
            Ok(())
        })
    }

    /// Makes a conversation if there is none, without any activity.
    pub fn make_conversation(&mut self, id: ConversationId) -> Result<(), StoreError> {
        self.transaction(|db| db.ensure_conversation(id).map(drop))
    }

    /// The row number of a conversation; made on demand, without any activity.
    pub(super) fn ensure_conversation(&self, id: ConversationId) -> Result<i64, StoreError> {
        if let Some(row) = self.find_conversation(id)? {
            return Ok(row);
        }
        let person = self.person(id.0)?;
        let kind = i64::from(person != self.me()?.person);
        // Note to Self is hidden until there is a note (spec 01 §10).
        let priority = kind - 1;
        let sql = "INSERT INTO conversations (kind, person, opened_at, priority) VALUES (?1, ?2, 0, ?3)";
        Ok(self.sql().prepare_cached(sql)?.insert(params![kind, person, priority])?)
    }

    /// The row number of a conversation, if there is one.
    pub(super) fn find_conversation(&self, id: ConversationId) -> Result<Option<i64>, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "SELECT c.id FROM conversations c JOIN people p ON p.id = c.person WHERE p.account = ?1",
        )?;
        Ok(statement.query_row(params![Person(id.0)], |row| row.get(0)).optional()?)
    }

    fn update(
        &mut self,
        id: ConversationId,
        sql: &'static str,
        value: impl rusqlite::ToSql,
    ) -> Result<bool, StoreError> {
        self.transaction(|db| {
            let row = db.ensure_conversation(id)?;
            Ok(db.sql().prepare_cached(sql)?.execute(params![row, value])? > 0)
        })
    }

    /// Negative hides, 0 lists, positive pins (higher is further up). Returns whether that is new.
    pub fn set_priority(&mut self, id: ConversationId, priority: i64) -> Result<bool, StoreError> {
        self.update(id, "UPDATE conversations SET priority = ?2 WHERE id = ?1 AND priority <> ?2", priority)
    }

    /// No notifications until then; `None` switches them on.
    pub fn set_muted(&mut self, id: ConversationId, until: Option<Timestamp>) -> Result<bool, StoreError> {
        let sql = "UPDATE conversations SET muted_until = ?2 WHERE id = ?1 AND muted_until IS NOT ?2";
        self.update(id, sql, until.map(Ms))
    }

    /// Text not sent yet; empty removes it. Does nothing if there is no such conversation.
    pub fn set_draft(&mut self, id: ConversationId, draft: &str) -> Result<bool, StoreError> {
        let draft = Some(draft).filter(|text| !text.is_empty());
        let mut statement = self.sql().prepare_cached(
            "UPDATE conversations SET draft = ?2 WHERE draft IS NOT ?2
             AND person = (SELECT id FROM people WHERE account = ?1)",
        )?;
        Ok(statement.execute(params![Person(id.0), draft])? > 0)
    }

    /// Marks a conversation unread by hand, or takes that back. Returns whether that is new.
    pub fn set_marked_unread(&mut self, id: ConversationId, unread: bool) -> Result<bool, StoreError> {
        self.update(
            id,
            "UPDATE conversations SET marked_unread = ?2 WHERE id = ?1 AND marked_unread <> ?2",
            unread,
        )
    }

    /// When messages that we send here disappear. Returns whether that is new.
    pub fn set_expiry(&mut self, id: ConversationId, value: Expiry) -> Result<bool, StoreError> {
        self.transaction(|db| {
            let row = db.ensure_conversation(id)?;
            let (mode, seconds) = expiry_columns(value);
            let mut statement = db.sql().prepare_cached(
                "UPDATE conversations SET expiry_mode = ?2, expiry_seconds = ?3
                 WHERE id = ?1 AND (expiry_mode <> ?2 OR expiry_seconds <> ?3)",
            )?;
            Ok(statement.execute(params![row, mode, seconds])? > 0)
        })
    }

    /// Deletes all messages of a conversation with their files and jobs; the conversation stays.
    /// Their hashes stay remembered, so they do not come back (spec 02 §10).
    pub fn clear_messages(&mut self, id: ConversationId) -> Result<(), StoreError> {
        self.transaction(|db| {
            let Some(row) = db.find_conversation(id)? else { return Ok(()) };
            db.sql().prepare_cached("DELETE FROM messages WHERE conversation = ?1")?.execute([row])?;
            db.sql().prepare_cached("DELETE FROM reactions WHERE conversation = ?1")?.execute([row])?;
            Ok(())
        })
    }

    /// Deletes the messages and hides the conversation; the contact stays, and whether it is marked unread.
    pub fn delete_conversation(&mut self, id: ConversationId) -> Result<(), StoreError> {
        self.transaction(|db| {
            db.clear_messages(id)?;
            let Some(row) = db.find_conversation(id)? else { return Ok(()) };
            let mut statement = db.sql().prepare_cached(
                "UPDATE conversations SET priority = -1, draft = NULL, active_at = 0, opened_at = 0 WHERE id = ?1",
            )?;
            statement.execute([row])?;
            Ok(())
        })
    }

    /// Deletes the conversation and forgets the contact with all that was set for it: a later message is a request
    /// again.
    pub fn delete_contact(&mut self, id: ConversationId) -> Result<(), StoreError> {
        self.transaction(|db| {
            db.delete_conversation(id)?;
            if let Some(row) = db.find_conversation(id)? {
                let mut statement = db.sql().prepare_cached(
                    "UPDATE conversations SET marked_unread = 0, muted_until = NULL, expiry_mode = 0,
                         expiry_seconds = 0 WHERE id = ?1",
                )?;
                statement.execute([row])?;
            }
            let mut statement = db.sql().prepare_cached(
                "UPDATE people SET approved = 0, approved_me = 0, nickname = NULL, created = 0 WHERE account = ?1",
            )?;
            statement.execute(params![Person(id.0)])?;
            Ok(())
        })
    }

    /// A contact's standing, for the Contacts config; `None` if the account is unknown.
    pub fn contact(&self, id: ConversationId) -> Result<Option<ContactData>, StoreError> {
        let mut statement = self.sql().prepare_cached(concat!(contacts_sql!(), " WHERE p.account = ?1"))?;
        Ok(statement.query_row(params![Person(id.0)], contact).optional()?)
    }

    /// Everybody but ourselves, in the order of their accounts.
    pub fn contacts(&self) -> Result<Vec<ContactData>, StoreError> {
        let mut statement = self.sql().prepare_cached(concat!(
            contacts_sql!(),
            " WHERE p.id NOT IN (SELECT person FROM account) ORDER BY p.account"
        ))?;
        Ok(statement.query_map([], contact)?.collect::<Result<_, _>>()?)
    }

    /// Takes over what the Contacts config says of somebody: everything as it stands there, the profile if it is
    /// newer, or what it has more if it is the same one. Returns whether anything changed.
    pub fn apply_contact(&mut self, data: &ContactData) -> Result<bool, StoreError> {
        self.transaction(|db| {
            let id = ConversationId(data.id);
            let before = db.contact(id)?;
            match &before {
                Some(known) if known.profile.updated == data.profile.updated && data.profile.updated > 0 => {
                    db.set_profile(data.id, &complete(&data.profile, &known.profile))?;
                }
                _ => _ = db.merge_profile(data.id, &data.profile)?,
            }
            db.set_nickname(data.id, data.nickname.as_deref())?;
            db.set_approved(data.id, data.approved)?;
            db.set_approved_me(data.id, data.approved_me)?;
            db.set_blocked(data.id, data.blocked)?;
            if data.created > Timestamp::default() {
                db.set_contact_created(data.id, Ms(data.created))?;
            }
            if let Some(priority) = data.priority {
                db.set_priority(id, priority)?;
                db.set_muted(id, data.muted_until)?;
                db.set_expiry(id, data.expiry)?;
            }
            Ok(before != db.contact(id)?)
        })
    }

    /// How far a conversation was read; `None` if there is no such conversation.
    pub fn read_mark(&self, id: ConversationId) -> Result<Option<ReadMark>, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "SELECT c.last_read, c.marked_unread FROM conversations c JOIN people p ON p.id = c.person
             WHERE p.account = ?1",
        )?;
        let mark = statement.query_row(params![Person(id.0)], |row| {
            Ok(ReadMark { conversation: id, last_read: time(row, 0)?, marked_unread: row.get(1)? })
        });
        Ok(mark.optional()?)
    }

    /// How far each conversation was read, in the order of their accounts.
    pub fn read_marks(&self) -> Result<Vec<ReadMark>, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "SELECT p.account, c.last_read, c.marked_unread FROM conversations c JOIN people p ON p.id = c.person
             ORDER BY p.account",
        )?;
        let rows = statement.query_map([], |row| {
            let Person(id) = row.get(0)?;
            Ok(ReadMark {
                conversation: ConversationId(id),
                last_read: time(row, 1)?,
                marked_unread: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// A profile with what it does not tell from another one of the same time.
fn complete(profile: &ProfileData, other: &ProfileData) -> ProfileData {
    let name = if profile.name.is_empty() { &other.name } else { &profile.name };
    let picture = profile.picture.as_ref().or(other.picture.as_ref());
    ProfileData { name: name.clone(), picture: picture.cloned(), updated: profile.updated }
}

fn contact(row: &Row<'_>) -> rusqlite::Result<ContactData> {
    let Person(id) = row.get(0)?;
    Ok(ContactData {
        id,
        profile: profile_data(row, 1)?,
        nickname: row.get(5)?,
        approved: row.get(6)?,
        approved_me: row.get(7)?,
        blocked: row.get(8)?,
        priority: row.get(9)?,
        muted_until: optional_time(row, 10)?,
        expiry: expiry(row, 11)?,
        created: time(row, 13)?,
    })
}

fn conversation(row: &Row<'_>) -> rusqlite::Result<Conversation> {
    let Person(id) = row.get(1)?;
    let priority: i64 = row.get(8)?;
    Ok(Conversation {
        id: ConversationId(id),
        kind: if row.get::<_, i64>(0)? == 0 {
            ConversationKind::NoteToSelf
        } else {
            ConversationKind::Private
        },
        name: row.get(2)?,
        nickname: row.get(3)?,
        picture: picture_id(row.get(4)?),
        unread: row.get(5)?,
        mentions: row.get(6)?,
        marked_unread: row.get(7)?,
        pinned: priority.max(0),
        muted_until: optional_time(row, 9)?,
        hidden: priority < 0,
        approved: row.get(10)?,
        approved_me: row.get(11)?,
        blocked: row.get(12)?,
        draft: row.get(13)?,
        active_at: time(row, 14)?,
        expiry: expiry(row, 15)?,
        last_message: match row.get(17)? {
            Some(id) => Some(last_message(row, MessageId(id))?),
            None => None,
        },
    })
}

fn last_message(row: &Row<'_>, id: MessageId) -> rusqlite::Result<LastMessage> {
    let Person(from) = row.get(18)?;
    let content_type: Option<String> = row.get(25)?;
    let attachment = match content_type {
        Some(content_type) => Some(AttachmentSummary {
            content_type,
            name: row.get(26)?,
            voice: row.get(27)?,
            count: row.get(28)?,
        }),
        None => None,
    };
    Ok(LastMessage {
        id,
        from,
        outgoing: row.get(19)?,
        text: row.get(20)?,
        notice: super::message::notice(row, 21)?,
        timestamp: time(row, 22)?,
        state: row.get(23)?,
        read: row.get(24)?,
        attachment,
    })
}

/// The order of the list (what the official desktop client shows): pins, activity, titles; ids make it total.
fn list_order(a: &Conversation, b: &Conversation) -> Ordering {
    b.pinned
        .cmp(&a.pinned)
        .then_with(|| b.active_at.cmp(&a.active_at))
        .then_with(|| a.title().to_lowercase().cmp(&b.title().to_lowercase()))
        .then_with(|| a.id.cmp(&b.id))
}
