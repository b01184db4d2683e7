//! Conversations: the list, and what is set for each of them.
//!
//! Decision: the list is one query and one sort. The newest message of each conversation comes from the paging
//! index, the unread counts from counters that triggers keep, so a list of a thousand conversations over a million
//! messages costs a few thousand index steps and no scan.

use rusqlite::types::Null;
use rusqlite::{OptionalExtension, Row, params};
use septet_protocol::id::SessionId;
use septet_protocol::time::Timestamp;

use super::db::Db;
use super::error::StoreError;
use super::people::{picture_id, profile_data};
use super::types::{ContactData, ProfileData, ReadMark};
use super::values::{Ms, Named, Person, expiry, expiry_columns, optional_time, time};
use crate::model::{
    Address, AttachmentSummary, Conversation, ConversationId, ConversationKind, DraftSummary, Expiry,
    LastMessage, MessageId,
};

/// Unread messages that should have disappeared by now; rarely any.
macro_rules! over_sql {
    () => {
        "FROM messages WHERE conversation = c.id AND counts = 1 AND expires_at <= ?2 AND id > c.cleared_to
             AND (sorted_at, timestamp) > (c.last_read, c.last_read)"
    };
}

macro_rules! list_sql {
    ($condition:literal) => {
        concat!(
            "SELECT c.id, c.kind, c.address, coalesce(p.name, g.name, r.name, ''), p.nickname,
                    coalesce(p.picture_file, g.picture_file, r.picture_file),
                    max(c.unread - (SELECT count(*) ",
            over_sql!(),
            "), 0),
                    max(c.mentions - (SELECT count(*) ",
            over_sql!(),
            " AND mention = 1), 0),
                    c.marked_unread, c.priority, c.muted_until, coalesce(p.approved, g.invited = 0, 1),
                    coalesce(p.approved_me, 1), coalesce(p.blocked, 0), d.text,
                    max(c.active_at, c.opened_at), c.expiry_mode, c.expiry_seconds,
                    m.id, a.account, m.outgoing, CASE m.deleted WHEN 0 THEN substr(m.text, 1, 240) ELSE '' END, m.notice, m.timestamp, m.state,
                    m.read_at IS NOT NULL OR (m.outgoing = 0 AND (m.counts = 0
                        OR (m.sorted_at, m.timestamp) <= (c.last_read, c.last_read))),
                    t.content_type, t.name, t.voice,
                    (SELECT count(*) FROM attachments WHERE message = m.id AND position >= 0),
                    (SELECT count(*) FROM draft_files WHERE conversation = d.conversation), d.quote,
                    EXISTS (SELECT 1 FROM draft_previews WHERE conversation = d.conversation),
                    m.deleted <> 0, c.downloads
             FROM conversations c
             LEFT JOIN people p ON p.id = c.person
             LEFT JOIN groups g ON g.conversation = c.id
             LEFT JOIN rooms r ON r.conversation = c.id
             LEFT JOIN drafts d ON d.conversation = c.id
             LEFT JOIN messages m ON m.id = (
                 SELECT id FROM messages WHERE conversation = c.id AND id > c.cleared_to
                     AND (expires_at IS NULL OR expires_at > ?2)
                 ORDER BY sorted_at DESC, timestamp DESC, id DESC LIMIT 1)
             LEFT JOIN people a ON a.id = m.author
             LEFT JOIN attachments t ON t.message = m.id AND t.position = 0 AND m.deleted = 0 ",
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

macro_rules! marks_sql {
    () => {
        "SELECT id, address, last_read, marked_unread FROM conversations"
    };
}

/// All conversations.
pub(super) const LIST: &str = list_sql!("");
/// One of them.
pub(super) const ONE: &str = list_sql!("WHERE c.id = ?1");
/// Which one has an address.
pub(super) const FIND: &str = "SELECT id FROM conversations WHERE address = ?1";

impl Db {
    /// All conversations, in the order of the list: pinned ones by priority, then the latest active, then by title.
    /// Requests, hidden and blocked ones are among them. What has disappeared by `now` is not counted or shown.
    pub fn conversations(&self, now: Timestamp) -> Result<Vec<Conversation>, StoreError> {
        self.snapshot(|sql| {
            let mut statement = sql.prepare_cached(LIST)?;
            let mut list =
                statement.query_map(params![Null, Ms(now)], conversation)?.collect::<Result<Vec<_>, _>>()?;
            list.sort_by(Conversation::list_order);
            Ok(list)
        })
    }

    /// One conversation as it is stored, with what should have disappeared by now: not for showing.
    pub fn conversation(&self, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
        self.one_conversation(id, -1)
    }

    /// One conversation. What has disappeared by `now` is not counted or shown.
    pub fn shown_conversation(
        &self,
        id: ConversationId,
        now: Timestamp,
    ) -> Result<Option<Conversation>, StoreError> {
        self.one_conversation(id, Ms::column(now))
    }

    fn one_conversation(&self, id: ConversationId, over: i64) -> Result<Option<Conversation>, StoreError> {
        let mut statement = self.sql().prepare_cached(ONE)?;
        Ok(statement.query_row([id.0, over], conversation).optional()?)
    }

    /// The conversation at an address, if there is one.
    pub fn conversation_at(&self, address: &Address) -> Result<Option<Conversation>, StoreError> {
        self.find_conversation(address)?.map_or(Ok(None), |id| self.conversation(id))
    }

    /// The number of the conversation at an address, if there is one.
    pub fn find_conversation(&self, address: &Address) -> Result<Option<ConversationId>, StoreError> {
        let mut statement = self.sql().prepare_cached(FIND)?;
        let found = statement.query_row([address.to_bytes()], |row| row.get(0).map(ConversationId));
        Ok(found.optional()?)
    }

    /// What a conversation is with; `None` if there is no such conversation.
    pub fn address_of(&self, id: ConversationId) -> Result<Option<Address>, StoreError> {
        let mut statement = self.sql().prepare_cached("SELECT address FROM conversations WHERE id = ?1")?;
        Ok(statement.query_row([id.0], |row| row.get(0).map(|Named(address)| address)).optional()?)
    }

    /// Whose conversation it is, if it is with one account.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is with something else, or not there.
    pub fn account_of(&self, id: ConversationId) -> Result<SessionId, StoreError> {
        self.address_of(id)?.and_then(|address| address.account()).ok_or(StoreError::NotFound)
    }

    /// The conversation at an address; made if there is none, without any activity.
    pub fn make_conversation(&mut self, address: &Address) -> Result<ConversationId, StoreError> {
        self.transaction(|db| db.ensure_conversation(address))
    }

    /// As [`Db::make_conversation`], as a part of something else.
    pub(super) fn ensure_conversation(&self, address: &Address) -> Result<ConversationId, StoreError> {
        if let Some(id) = self.find_conversation(address)? {
            return Ok(id);
        }
        let (kind, person) = match address {
            Address::Account(id) => {
                let (person, me) = (self.person(*id)?, self.me()?.person);
                let kind =
                    if person == me { ConversationKind::NoteToSelf } else { ConversationKind::Private };
                (kind, Some(person))
            }
            Address::Group(_) => (ConversationKind::Group, None),
            Address::Room { .. } => (ConversationKind::Room, None),
            Address::Blinded(id) => (ConversationKind::Blinded, Some(self.author(&id.to_prefixed())?)),
        };
        // Note to Self is hidden until there is a note (spec 01 §10); so is who was only a contact, as on other devices.
        let is_hidden = match kind {
            ConversationKind::NoteToSelf => true,
            ConversationKind::Private => {
                let sql = "SELECT 1 FROM people WHERE id = ?1 AND created > 0";
                self.sql().prepare_cached(sql)?.exists([person])?
            }
            _ => false,
        };
        let priority = if is_hidden { -1 } else { 0 };
        let sql = "INSERT INTO conversations (kind, address, person, priority) VALUES (?1, ?2, ?3, ?4)";
        let mut statement = self.sql().prepare_cached(sql)?;
        Ok(ConversationId(statement.insert(params![kind, address.to_bytes(), person, priority])?))
    }

    /// Marks a conversation as opened by hand and takes it out of hiding. False if there is no such conversation.
    pub fn open_conversation(&mut self, id: ConversationId, now: Timestamp) -> Result<bool, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "UPDATE conversations SET priority = max(priority, 0),
                 opened_at = CASE WHEN opened_at = 0 AND active_at = 0 THEN ?2 ELSE opened_at END
             WHERE id = ?1",
        )?;
        Ok(statement.execute(params![id.0, Ms(now)])? > 0)
    }

    fn update(
        &mut self,
        id: ConversationId,
        sql: &'static str,
        value: impl rusqlite::ToSql,
    ) -> Result<bool, StoreError> {
        Ok(self.sql().prepare_cached(sql)?.execute(params![id.0, value])? > 0)
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
        let (mode, seconds) = expiry_columns(value);
        let mut statement = self.sql().prepare_cached(
            "UPDATE conversations SET expiry_mode = ?2, expiry_seconds = ?3
             WHERE id = ?1 AND (expiry_mode <> ?2 OR expiry_seconds <> ?3)",
        )?;
        Ok(statement.execute(params![id.0, mode, seconds])? > 0)
    }

    /// Deletes the messages and hides the conversation; the contact stays, and whether it is marked unread.
    pub fn delete_conversation(&mut self, id: ConversationId) -> Result<(), StoreError> {
        self.transaction(|db| {
            db.clear_messages(id)?;
            db.sql().prepare_cached("DELETE FROM drafts WHERE conversation = ?1")?.execute([id.0])?;
            let mut statement = db.sql().prepare_cached(
                "UPDATE conversations SET priority = -1, active_at = 0, opened_at = 0 WHERE id = ?1",
            )?;
            statement.execute([id.0])?;
            Ok(())
        })
    }

    /// Deletes the conversation with somebody and forgets the contact with all that was set for it: a later message
    /// is a request again.
    pub fn delete_contact(&mut self, person: SessionId) -> Result<(), StoreError> {
        self.transaction(|db| {
            if let Some(id) = db.find_conversation(&person.into())? {
                db.delete_conversation(id)?;
                let mut statement = db.sql().prepare_cached(
                    "UPDATE conversations SET marked_unread = 0, muted_until = NULL, notify = 0, expiry_mode = 0,
                         expiry_seconds = 0, downloads = 0 WHERE id = ?1",
                )?;
                statement.execute([id.0])?;
            }
            let mut statement = db.sql().prepare_cached(
                "UPDATE people SET approved = 0, approved_me = 0, nickname = NULL, created = 0 WHERE account = ?1",
            )?;
            statement.execute(params![Person(person)])?;
            Ok(())
        })
    }

    /// Refuses a request: its conversation is gone, and a later message is a request again. A name of ours for them
    /// stays.
    pub fn decline(&mut self, person: SessionId) -> Result<(), StoreError> {
        self.transaction(|db| {
            let nickname = db.contact(person)?.and_then(|row| row.nickname);
            db.delete_contact(person)?;
            db.set_nickname(person, nickname.as_deref())
        })
    }

    /// A contact's standing, for the Contacts config; `None` if the account is unknown.
    pub fn contact(&self, id: SessionId) -> Result<Option<ContactData>, StoreError> {
        let mut statement = self.sql().prepare_cached(concat!(contacts_sql!(), " WHERE p.account = ?1"))?;
        Ok(statement.query_row(params![Person(id)], contact).optional()?)
    }

    /// Everybody but ourselves, in the order of their accounts.
    pub fn contacts(&self) -> Result<Vec<ContactData>, StoreError> {
        let mut statement = self.sql().prepare_cached(concat!(
            contacts_sql!(),
            " WHERE substr(p.account, 1, 1) = x'05' AND p.id NOT IN (SELECT person FROM account) ORDER BY p.account"
        ))?;
        Ok(statement.query_map([], contact)?.collect::<Result<_, _>>()?)
    }

    /// Takes over what the Contacts config says of somebody: everything as it stands there, the profile if it is
    /// newer, or what it has more if it is the same one. Returns whether anything changed.
    pub fn apply_contact(&mut self, data: &ContactData) -> Result<bool, StoreError> {
        self.transaction(|db| {
            let before = db.contact(data.id)?;
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
                let id = db.ensure_conversation(&data.id.into())?;
                db.set_priority(id, priority)?;
                db.set_muted(id, data.muted_until)?;
                db.set_expiry(id, data.expiry)?;
            }
            Ok(before != db.contact(data.id)?)
        })
    }

    /// How far a conversation was read; `None` if there is no such conversation.
    pub fn read_mark(&self, id: ConversationId) -> Result<Option<ReadMark>, StoreError> {
        let mut statement = self.sql().prepare_cached(concat!(marks_sql!(), " WHERE id = ?1"))?;
        Ok(statement.query_row([id.0], read_mark).optional()?)
    }

    /// How far each conversation was read, in the order of their addresses.
    pub fn read_marks(&self) -> Result<Vec<ReadMark>, StoreError> {
        let mut statement = self.sql().prepare_cached(concat!(marks_sql!(), " ORDER BY address"))?;
        Ok(statement.query_map([], read_mark)?.collect::<Result<_, _>>()?)
    }
}

fn read_mark(row: &Row<'_>) -> rusqlite::Result<ReadMark> {
    let Named(address) = row.get(1)?;
    Ok(ReadMark {
        conversation: ConversationId(row.get(0)?),
        address,
        last_read: time(row, 2)?,
        marked_unread: row.get(3)?,
    })
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
    let Named(address) = row.get(2)?;
    let priority: i64 = row.get(9)?;
    Ok(Conversation {
        id: ConversationId(row.get(0)?),
        kind: row.get(1)?,
        address,
        name: row.get(3)?,
        nickname: row.get(4)?,
        picture: picture_id(row.get(5)?),
        unread: row.get(6)?,
        mentions: row.get(7)?,
        marked_unread: row.get(8)?,
        pinned: priority.max(0),
        muted_until: optional_time(row, 10)?,
        hidden: priority < 0,
        approved: row.get(11)?,
        approved_me: row.get(12)?,
        blocked: row.get(13)?,
        draft: draft(row)?,
        active_at: time(row, 15)?,
        expiry: expiry(row, 16)?,
        downloads: row.get(34)?,
        last_message: match row.get(18)? {
            Some(id) => Some(last_message(row, MessageId(id))?),
            None => None,
        },
    })
}

fn draft(row: &Row<'_>) -> rusqlite::Result<Option<DraftSummary>> {
    let Some(text) = row.get(14)? else { return Ok(None) };
    let reply_to = row.get::<_, Option<i64>>(31)?.map(MessageId);
    Ok(Some(DraftSummary { text, files: row.get(30)?, reply_to, preview: row.get(32)? }))
}

fn last_message(row: &Row<'_>, id: MessageId) -> rusqlite::Result<LastMessage> {
    let Person(from) = row.get(19)?;
    let content_type: Option<String> = row.get(26)?;
    let attachment = match content_type {
        Some(content_type) => Some(AttachmentSummary {
            content_type,
            name: row.get(27)?,
            voice: row.get(28)?,
            count: row.get(29)?,
        }),
        None => None,
    };
    Ok(LastMessage {
        id,
        from,
        outgoing: row.get(20)?,
        text: row.get(21)?,
        notice: super::message::notice(row, 22)?,
        timestamp: time(row, 23)?,
        state: row.get(24)?,
        read: row.get(25)?,
        deleted: row.get(33)?,
        attachment,
    })
}
