//! Reading messages: pages of a conversation.
//!
//! Decision: what has disappeared by now, and what was cleared and is on its way out, is in no answer, whether its rows
//! are gone or not; so nothing depends on when they go. What is asked for showing takes the time for that.
//!
//! Decision: pages are found by key, never by counting: "the rows before (place, timestamp, id)" is one descent of the
//! index wherever in a million messages it lies. A page is a handful of queries: the rows, their attachments, their
//! reactions, the first attachments of what they quote.

use std::collections::BTreeMap;

use rusqlite::types::{Null, Type};
use rusqlite::{Connection, OptionalExtension, Row, params};
use septet_protocol::time::Timestamp;

use super::db::Db;
use super::error::StoreError;
use super::outgoing::PREVIEW;
use super::types::{Deletion, TransferState};
use super::values::{Hash, Ms, Person, expiry, optional_time, time};
use crate::model::{
    Attachment, AttachmentId, AttachmentState, AttachmentSummary, ConversationId, LinkPreview, Message,
    MessageId, MessagePage, Notice, Page, Quote, Reaction, ReaderId,
};

macro_rules! message_sql {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.conversation, a.account, m.outgoing, m.timestamp, m.hash, m.text, m.state, m.failure,
                    m.read_at IS NOT NULL OR (m.outgoing = 0 AND (m.counts = 0
                        OR (m.sorted_at, m.timestamp) <= (v.last_read, v.last_read))),
                    m.notice, m.deleted, m.expires_at, m.expiry_mode, m.expiry_seconds,
                    qa.account, m.quote_timestamp, q.id, substr(q.text, 1, 240), m.author, m.sorted_at
             FROM messages m
             JOIN conversations v ON v.id = m.conversation
             JOIN people a ON a.id = m.author
             LEFT JOIN people qa ON qa.id = m.quote_author
             LEFT JOIN messages q ON q.id = (
                 SELECT id FROM messages WHERE author = m.quote_author AND timestamp = m.quote_timestamp
                     AND local = 0 AND conversation = m.conversation AND deleted = 0 AND id > v.cleared_to
                     AND (expires_at IS NULL OR expires_at > ?6) ORDER BY id LIMIT 1)
             WHERE m.id > v.cleared_to AND (m.expires_at IS NULL OR m.expires_at > ?6) ",
            $rest
        )
    };
}

/// The newest of a conversation.
pub(super) const NEWEST: &str = message_sql!(
    "AND m.conversation = ?1 ORDER BY m.sorted_at DESC, m.timestamp DESC, m.id DESC
     LIMIT ?2"
);
/// Those before a place, newest first.
pub(super) const BEFORE: &str = message_sql!(
    "AND m.conversation = ?1 AND (m.sorted_at, m.timestamp, m.id) < (?3, ?4, ?5) ORDER BY m.sorted_at DESC, m.timestamp DESC, m.id DESC
     LIMIT ?2"
);
/// Those from a place on, oldest first.
pub(super) const AFTER: &str = message_sql!(
    "AND m.conversation = ?1 AND (m.sorted_at, m.timestamp, m.id) > (?3, ?4, ?5) ORDER BY m.sorted_at, m.timestamp, m.id LIMIT ?2"
);
/// By number.
pub(super) const BY_ID: &str = message_sql!("AND m.id = ?1");
/// By a JSON list of numbers.
pub(super) const BY_IDS: &str =
    message_sql!("AND m.id IN (SELECT value FROM json_each(?1)) ORDER BY m.sorted_at, m.timestamp, m.id");

/// What came from the network after a number and was not acknowledged by a reader, in the order of numbers.
pub(super) const ARRIVED: &str = message_sql!(
    "AND m.id > ?1 AND m.arrived = 1 AND m.deleted = 0 AND (?3 IS NULL OR m.conversation = ?3)
     AND NOT EXISTS (SELECT 1 FROM reader_acks k WHERE k.reader = ?4 AND k.message = m.id) ORDER BY m.id LIMIT ?2"
);

/// Attachments by a JSON list of their messages' numbers.
pub(super) const ATTACHMENTS: &str =
    "SELECT message, id, name, content_type, size, width, height, voice, state, failure, position FROM attachments
     WHERE message IN (SELECT value FROM json_each(?1)) ORDER BY message, position";
/// Reactions to messages of a conversation between two sent timestamps.
pub(super) const REACTIONS: &str =
    "SELECT r.conversation, r.target_timestamp, r.target_author, p.account, r.emoji
     FROM reactions r JOIN people p ON p.id = r.author
     WHERE r.conversation = ?1 AND r.target_timestamp BETWEEN ?2 AND ?3 AND r.removed = 0
     ORDER BY r.timestamp, r.author, r.emoji";

/// A message with the row numbers that its parts are found by.
struct Loaded {
    message: Message,
    author: i64,
}

impl Db {
    /// Part of a conversation, oldest first, at most `limit` messages (at least one), without what has disappeared by
    /// `now`. If the message to page from is gone, the newest page.
    pub fn messages(
        &self,
        id: ConversationId,
        page: Page,
        limit: u32,
        now: Timestamp,
    ) -> Result<MessagePage, StoreError> {
        self.snapshot(|sql| {
            let limit = i64::from(limit.clamp(1, 10_000));
            let anchor = match page {
                Page::Newest => None,
                Page::Before(at) | Page::After(at) | Page::Around(at) => place(sql, id, at)?,
            };
            let run = Run { sql, id, now: Ms(now) };
            let Some(anchor) = anchor else {
                let (rows, more) = run.rows(NEWEST, limit, Anchor::default())?;
                return run.finish(reversed(rows), more, false);
            };
            match page {
                Page::Before(_) => {
                    let (rows, more) = run.rows(BEFORE, limit, anchor)?;
                    run.finish(reversed(rows), more, true)
                }
                Page::After(_) => {
                    let (rows, more) = run.rows(AFTER, limit, anchor)?;
                    run.finish(rows, true, more)
                }
                Page::Newest | Page::Around(_) => {
                    let half = limit / 2;
                    let (older, before) = run.rows(BEFORE, half, anchor)?;
                    let (newer, after) =
                        run.rows(AFTER, limit - half, Anchor(anchor.0, anchor.1, anchor.2 - 1))?;
                    let mut all = reversed(older);
                    all.extend(newer);
                    run.finish(all, before, after)
                }
            }
        })
    }

    /// One message as it is stored, also if it should have disappeared by now: not for showing.
    pub fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        self.one_message(id, None)
    }

    /// One message, unless it has disappeared by `now`.
    pub fn shown_message(&self, id: MessageId, now: Timestamp) -> Result<Option<Message>, StoreError> {
        self.one_message(id, Some(now))
    }

    fn one_message(&self, id: MessageId, now: Option<Timestamp>) -> Result<Option<Message>, StoreError> {
        self.snapshot(|sql| {
            let mut statement = sql.prepare_cached(BY_ID)?;
            let values = params![id.0, Null, Null, Null, Null, now.map_or(STORED, Ms::column)];
            let Some(row) = statement.query_row(values, loaded).optional()? else { return Ok(None) };
            Ok(complete(sql, vec![row])?.pop())
        })
    }

    /// Several messages in the order they stand in a conversation; those that are gone are left out, and those that
    /// have disappeared by `now`.
    pub fn messages_by_id(&self, ids: &[MessageId], now: Timestamp) -> Result<Vec<Message>, StoreError> {
        self.snapshot(|sql| {
            let mut statement = sql.prepare_cached(BY_IDS)?;
            let values = params![json_list(ids), Null, Null, Null, Null, Ms(now)];
            let list = statement.query_map(values, loaded)?.collect::<Result<Vec<_>, _>>()?;
            complete(sql, list)
        })
    }
}

impl Db {
    /// What came from the network after a number, at most `limit` messages in the order of their numbers: all of it,
    /// or of one conversation, without what `reader` has acknowledged and what has disappeared by `now`.
    pub fn arrived_after(
        &self,
        after: MessageId,
        conversation: Option<ConversationId>,
        reader: Option<ReaderId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Message>, StoreError> {
        self.snapshot(|sql| {
            let mut statement = sql.prepare_cached(ARRIVED)?;
            let (conversation, reader) = (conversation.map(|id| id.0), reader.map(|id| id.0));
            let values = params![after.0, limit, conversation, reader, Null, Ms(now)];
            let list = statement.query_map(values, loaded)?.collect::<Result<Vec<_>, _>>()?;
            complete(sql, list)
        })
    }
}

/// A time before which nothing disappears.
const STORED: i64 = -1;

/// Where a page begins: place, sent timestamp and number of a message.
#[derive(Clone, Copy, Default)]
struct Anchor(Timestamp, Timestamp, i64);

/// Reads parts of one conversation at one moment.
struct Run<'a> {
    sql: &'a Connection,
    id: ConversationId,
    now: Ms,
}

impl Run<'_> {
    /// Runs a page query that asks for one row more than wanted, and tells whether that row was there.
    fn rows(&self, query: &str, limit: i64, anchor: Anchor) -> Result<(Vec<Loaded>, bool), StoreError> {
        let mut statement = self.sql.prepare_cached(query)?;
        let Anchor(place, time, number) = anchor;
        let values = params![self.id.0, limit + 1, Ms(place), Ms(time), number, self.now];
        let mut list = statement.query_map(values, loaded)?.collect::<Result<Vec<_>, _>>()?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = list.len() > limit;
        list.truncate(limit);
        Ok((list, more))
    }

    fn finish(&self, list: Vec<Loaded>, before: bool, after: bool) -> Result<MessagePage, StoreError> {
        Ok(MessagePage { messages: complete(self.sql, list)?, more_before: before, more_after: after })
    }
}

/// Where a message stands in its conversation.
fn place(
    sql: &Connection,
    conversation: ConversationId,
    id: MessageId,
) -> Result<Option<Anchor>, StoreError> {
    let mut statement =
        sql.prepare_cached("SELECT sorted_at, timestamp FROM messages WHERE id = ?1 AND conversation = ?2")?;
    let found =
        statement.query_row([id.0, conversation.0], |row| Ok(Anchor(time(row, 0)?, time(row, 1)?, id.0)));
    Ok(found.optional()?)
}

fn reversed(mut list: Vec<Loaded>) -> Vec<Loaded> {
    list.reverse();
    list
}

fn loaded(row: &Row<'_>) -> rusqlite::Result<Loaded> {
    let Person(from) = row.get(2)?;
    let deletion: Deletion = row.get(11)?;
    let quote_author: Option<Person> = row.get(15)?;
    // What can still be brought back has all its parts, and shows none.
    let quote = match quote_author.filter(|_| deletion == Deletion::No) {
        Some(Person(author)) => Some(Quote {
            author,
            timestamp: time(row, 16)?,
            message: row.get::<_, Option<i64>>(17)?.map(MessageId),
            text: row.get::<_, Option<String>>(18)?.unwrap_or_default(),
            attachment: None,
            picture: None,
        }),
        None => None,
    };
    let message = Message {
        id: MessageId(row.get(0)?),
        conversation: ConversationId(row.get(1)?),
        from,
        outgoing: row.get(3)?,
        timestamp: time(row, 4)?,
        sorted_at: time(row, 20)?,
        hash: row.get::<_, Option<Hash>>(5)?.map(|hash| hash.0),
        text: if deletion == Deletion::No { row.get(6)? } else { String::new() },
        state: row.get(7)?,
        failure: row.get(8)?,
        read: row.get(9)?,
        attachments: Vec::new(),
        quote,
        preview: None,
        reactions: Vec::new(),
        notice: if deletion == Deletion::No { notice(row, 10)? } else { None },
        deleted: deletion != Deletion::No,
        deleted_here: matches!(deletion, Deletion::Here | Deletion::HereForNow),
        expires_at: optional_time(row, 12)?,
        expiry: expiry(row, 13)?,
    };
    Ok(Loaded { message, author: row.get(19)? })
}

/// Adds attachments, reactions and what is quoted.
fn complete(sql: &Connection, mut list: Vec<Loaded>) -> Result<Vec<Message>, StoreError> {
    let ids: Vec<MessageId> = list
        .iter()
        .flat_map(|row| [Some(row.message.id), row.message.quote.as_ref().and_then(|quote| quote.message)])
        .flatten()
        .collect();
    let (mut attachments, mut pictures) = attachments(sql, &ids)?;
    for row in &mut list {
        if let Some(quote) = &mut row.message.quote {
            let all = quote.message.and_then(|id| attachments.get(&id));
            quote.attachment = all.and_then(|all| summary(all));
            quote.picture = all.and_then(|all| first_picture(all));
        }
    }
    add_reactions(sql, &mut list)?;
    let mut previews = previews(sql, &ids)?;
    for (id, preview) in &mut previews {
        preview.image = pictures.remove(id);
    }
    Ok(list
        .into_iter()
        .map(|mut row| {
            if row.message.deleted {
                row.message.reactions.clear();
                return row.message;
            }
            row.message.attachments = attachments.remove(&row.message.id).unwrap_or_default();
            row.message.preview = previews.remove(&row.message.id);
            row.message
        })
        .collect())
}

/// The files of messages, and the pictures of their links.
type Files = (BTreeMap<MessageId, Vec<Attachment>>, BTreeMap<MessageId, Attachment>);

fn attachments(sql: &Connection, ids: &[MessageId]) -> Result<Files, StoreError> {
    let mut statement = sql.prepare_cached(ATTACHMENTS)?;
    let rows = statement.query_map([json_list(ids)], |row| {
        Ok((MessageId(row.get(0)?), row.get::<_, i64>(10)?, attachment(row)?))
    })?;
    let (mut all, mut pictures): Files = (BTreeMap::new(), BTreeMap::new());
    for row in rows {
        let (message, position, attachment) = row?;
        if position == PREVIEW {
            pictures.insert(message, attachment);
        } else {
            all.entry(message).or_default().push(attachment);
        }
    }
    Ok((all, pictures))
}

/// Links with what their senders tell of the pages.
fn previews(sql: &Connection, ids: &[MessageId]) -> Result<BTreeMap<MessageId, LinkPreview>, StoreError> {
    let mut statement = sql.prepare_cached(
        "SELECT message, url, title FROM previews
         WHERE message IN (SELECT value FROM json_each(?1))",
    )?;
    let rows = statement.query_map([json_list(ids)], |row| {
        let preview = LinkPreview { url: row.get(1)?, title: row.get(2)?, image: None };
        Ok((MessageId(row.get(0)?), preview))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn attachment(row: &Row<'_>) -> rusqlite::Result<Attachment> {
    let width: Option<u32> = row.get(5)?;
    let height: Option<u32> = row.get(6)?;
    let (state, failure): (_, Option<String>) = (row.get(8)?, row.get(9)?);
    let failed = |failure: Option<String>| AttachmentState::Failed { reason: failure.unwrap_or_default() };
    Ok(Attachment {
        id: AttachmentId(row.get(1)?),
        name: row.get(2)?,
        content_type: row.get(3)?,
        size: row.get::<_, i64>(4)?.unsigned_abs(),
        dimensions: width.zip(height),
        voice: row.get(7)?,
        state: match state {
            TransferState::Prepare => AttachmentState::Preparing,
            TransferState::Upload => AttachmentState::Uploading { done: 0, total: 0 },
            TransferState::Remote => AttachmentState::Remote,
            // It has failed several times and goes on in the background, or is given up: the same for a person.
            TransferState::Download if failure.is_some() => failed(failure),
            TransferState::Failed => failed(failure),
            TransferState::Download => AttachmentState::Downloading { done: 0, total: 0 },
            TransferState::Local => AttachmentState::Local,
            TransferState::Expired => AttachmentState::Expired,
            TransferState::Unusable => AttachmentState::Unusable,
        },
    })
}

fn summary(all: &[Attachment]) -> Option<AttachmentSummary> {
    let first = all.first()?;
    Some(AttachmentSummary {
        content_type: first.content_type.clone(),
        name: first.name.clone(),
        count: u32::try_from(all.len()).unwrap_or(u32::MAX),
        voice: first.voice,
    })
}

/// The picture that stands for a message: its first attachment, if that is one and here.
fn first_picture(all: &[Attachment]) -> Option<AttachmentId> {
    let first = all.first()?;
    (first.is_image() && first.state == AttachmentState::Local).then_some(first.id)
}

/// Reactions to a run of messages: one range of the table for each conversation among them.
fn add_reactions(sql: &Connection, list: &mut [Loaded]) -> Result<(), StoreError> {
    let mut ranges: BTreeMap<i64, (Timestamp, Timestamp)> = BTreeMap::new();
    for row in list.iter() {
        let at = row.message.timestamp;
        let range = ranges.entry(row.message.conversation.0).or_insert((at, at));
        *range = (range.0.min(at), range.1.max(at));
    }
    let mut statement = sql.prepare_cached(REACTIONS)?;
    let mut found: BTreeMap<(i64, Ms, i64), Vec<Reaction>> = BTreeMap::new();
    for (conversation, (first, last)) in ranges {
        let mut rows = statement.query(params![conversation, Ms(first), Ms(last)])?;
        while let Some(row) = rows.next()? {
            let (Person(author), emoji): (Person, String) = (row.get(3)?, row.get(4)?);
            let reactions = found.entry((row.get(0)?, row.get(1)?, row.get(2)?)).or_default();
            match reactions.iter_mut().find(|reaction| reaction.emoji == emoji) {
                Some(reaction) => reaction.from.push(author),
                None => reactions.push(Reaction { emoji, from: vec![author] }),
            }
        }
    }
    for row in list {
        let key = (row.message.conversation.0, Ms(row.message.timestamp), row.author);
        if let Some(reactions) = found.get(&key) {
            row.message.reactions.clone_from(reactions);
        }
    }
    Ok(())
}

/// Reads a notice that may be absent.
pub(super) fn notice(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Notice>> {
    let json: Option<String> = row.get(column)?;
    json.map(|json| serde_json::from_str(&json))
        .transpose()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

/// Numbers as a JSON list, for `json_each`.
pub(super) fn json_list(ids: &[MessageId]) -> String {
    let numbers: Vec<String> = ids.iter().map(|id| id.0.to_string()).collect();
    format!("[{}]", numbers.join(","))
}
