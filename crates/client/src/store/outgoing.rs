//! Writing: a message with its files and jobs in one transaction.

use rusqlite::{named_params, params};
use septet_protocol::id::SessionId;
use septet_protocol::time::Timestamp;

use super::db::Db;
use super::error::StoreError;
use super::kinds::AttachmentClass;
use super::types::{
    Deletion, NewAttachment, NewJob, NewPreview, Now, Original, Outgoing, OutgoingMessage, QuoteKey,
    TransferState,
};
use super::values::{Hash, Ms, expiry_columns, json_text};
use crate::model::{ConversationId, Expiry, MessageId, MessageState, Notice};
use septet_protocol::id::MessageHash;

/// Where the picture of a link stands among the files of its message.
pub(super) const PREVIEW: i64 = -1;

/// One row of `messages` to be written.
pub(super) struct NewRow<'a> {
    pub conversation: ConversationId,
    pub author: i64,
    pub timestamp: Timestamp,
    pub msg_id: Option<i64>,
    /// Where it stands in its conversation.
    pub sorted_at: Timestamp,
    /// Made here, unknown to the network.
    pub local: bool,
    pub outgoing: bool,
    pub state: MessageState,
    pub hash: Option<MessageHash>,
    pub text: &'a str,
    pub notice: Option<&'a Notice>,
    pub quote: Option<QuoteKey>,
    /// For us to read; see [`super::read`].
    pub counts: bool,
    pub mention: bool,
    pub deletion: Deletion,
    pub expiry: Expiry,
    pub expires_at: Option<Timestamp>,
    pub now: Now,
}

impl Db {
    /// Stores a message of ours with its files and jobs, so that it survives whatever happens from now on.
    ///
    /// As writing says that one accepts the other (spec 02 §21.2), it also accepts a request, lists a hidden
    /// conversation again, empties the draft, and reads what came before it (spec 02 §9). A control line does none of
    /// that. The jobs' `message` is filled in here.
    pub fn insert_outgoing(
        &mut self,
        message: &OutgoingMessage,
        jobs: &[NewJob],
        now: Now,
    ) -> Result<Outgoing, StoreError> {
        self.transaction(|db| {
            let me = db.me()?;
            let conversation = message.conversation;
            let other = db.address_of(conversation)?.ok_or(StoreError::NotFound)?.account();
            let written = message.notice.is_none();
            let accepted_request = match other.filter(|id| written && *id != me.id) {
                Some(other) => db.accept_by_writing(conversation, other, message.timestamp, now)?,
                None => false,
            };
            let sorted_at = match now {
                // The latest of the conversation, though it may be a little ahead of now.
                Now::Known(_) => message.timestamp,
                Now::Guessed(_) => db.place_of(conversation, message.timestamp, now)?,
            };
            let id = db.insert_row(&NewRow {
                conversation,
                author: me.person,
                timestamp: message.timestamp,
                msg_id: None,
                sorted_at,
                local: false,
                outgoing: true,
                state: MessageState::Sending,
                hash: None,
                text: &message.text,
                notice: message.notice.as_ref(),
                quote: message.quote,
                counts: false,
                mention: false,
                deletion: Deletion::No,
                expiry: message.expiry,
                expires_at: None,
                now,
            })?;
            db.insert_attachments(id, &message.attachments)?;
            if let Some(preview) = &message.preview {
                db.insert_preview(id, preview)?;
            }
            for job in jobs {
                db.enqueue(&NewJob { message: Some(id), ..job.clone() }, now)?;
            }
            db.raise_clock(message.timestamp)?;
            let read = match written {
                true => {
                    db.touch_conversation(conversation, sorted_at, true)?;
                    db.sql()
                        .prepare_cached("DELETE FROM drafts WHERE conversation = ?1")?
                        .execute([conversation.0])?;
                    db.read_up_to(conversation, (sorted_at, message.timestamp), now)?.read
                }
                false => {
                    db.newest_expiry_change(conversation, me.person, (sorted_at, message.timestamp))?;
                    Vec::new()
                }
            };
            Ok(Outgoing { id, accepted_request, read })
        })
    }

    /// Accepts a message request: we take their messages from now on, and a line tells so. Returns whether there was
    /// something to accept; then a request response has to be sent.
    pub fn accept(&mut self, id: ConversationId, now: Now) -> Result<bool, StoreError> {
        self.transaction(|db| {
            let other = db.account_of(id)?;
            // The line is known here only: it takes no date away from what is sent.
            let accepted = db.accept_by_writing(id, other, now.at(), now)?;
            db.touch_conversation(id, Timestamp::default(), true)?;
            Ok(accepted)
        })
    }

    /// Marks the other as approved. If they had written first, adds the line "you accepted" and returns true.
    fn accept_by_writing(
        &mut self,
        id: ConversationId,
        other: SessionId,
        at: Timestamp,
        now: Now,
    ) -> Result<bool, StoreError> {
        let was_request = self.conversation(id)?.is_some_and(|it| it.approved_me && !it.approved);
        self.set_approved(other, true)?;
        if was_request {
            let author = self.me()?.person;
            self.insert_line(id, author, true, at - 1, &Notice::YouAccepted, now)?;
        }
        Ok(was_request)
    }

    /// Adds a control line made here, unknown to the network.
    pub(super) fn insert_line(
        &self,
        conversation: ConversationId,
        author: i64,
        outgoing: bool,
        timestamp: Timestamp,
        notice: &Notice,
        now: Now,
    ) -> Result<MessageId, StoreError> {
        let sorted_at = self.place_of(conversation, timestamp, now)?;
        self.insert_row(&NewRow {
            conversation,
            author,
            timestamp,
            msg_id: None,
            sorted_at,
            local: true,
            outgoing,
            state: if outgoing { MessageState::Sent } else { MessageState::Received },
            hash: None,
            text: "",
            notice: Some(notice),
            quote: None,
            counts: false,
            mention: false,
            deletion: Deletion::No,
            expiry: Expiry::Off,
            expires_at: None,
            now,
        })
    }

    /// Where something stands in its conversation: where it was sent, but not after now; at the end if nobody knows
    /// when that is.
    pub(super) fn place_of(
        &self,
        conversation: ConversationId,
        timestamp: Timestamp,
        now: Now,
    ) -> Result<Timestamp, StoreError> {
        if let Some(now) = now.known() {
            return Ok(timestamp.min(now));
        }
        let mut statement =
            self.sql().prepare_cached("SELECT max(sorted_at) FROM messages WHERE conversation = ?1")?;
        let last: Option<Ms> = statement.query_row([conversation.0], |row| row.get(0))?;
        Ok(last.map_or(timestamp, |last| timestamp.max(last.0 + 1)))
    }

    /// Writes one row of `messages`.
    pub(super) fn insert_row(&self, row: &NewRow<'_>) -> Result<MessageId, StoreError> {
        let quote_author = row.quote.map(|quote| self.person(quote.author)).transpose()?;
        let (mode, seconds) = expiry_columns(row.expiry);
        let mut statement = self.sql().prepare_cached(
            "INSERT INTO messages (conversation, author, timestamp, local, outgoing, state, hash, text, notice,
                 quote_author, quote_timestamp, counts, mention, deleted, expiry_mode, expiry_seconds, expires_at,
                 received_at, sorted_at, msg_id)
             VALUES (:conversation, :author, :timestamp, :local, :outgoing, :state, :hash, :text, :notice,
                 :quote_author, :quote_timestamp, :counts, :mention, :deleted, :mode, :seconds, :expires_at, :now,
                 :sorted_at, :msg_id)",
        )?;
        statement.execute(named_params! {
            ":conversation": row.conversation.0,
            ":msg_id": row.msg_id,
            ":author": row.author,
            ":timestamp": Ms(row.timestamp),
            ":local": row.local,
            ":outgoing": row.outgoing,
            ":state": row.state,
            ":hash": row.hash.map(Hash),
            ":text": row.text,
            ":notice": row.notice.map(notice_json).transpose()?,
            ":quote_author": quote_author,
            ":quote_timestamp": row.quote.map(|quote| Ms(quote.timestamp)),
            ":counts": row.counts,
            ":mention": row.mention,
            ":deleted": row.deletion,
            ":mode": mode,
            ":seconds": seconds,
            ":expires_at": row.expires_at.map(Ms),
            // 0 while that is not known, see `Db::settle_time`.
            ":now": Ms(row.now.known().unwrap_or_default()),
            ":sorted_at": Ms(row.sorted_at),
        })?;
        Ok(MessageId(self.sql().last_insert_rowid()))
    }

    /// Writes a message's attachments in their order.
    pub(super) fn insert_attachments(
        &self,
        message: MessageId,
        list: &[NewAttachment],
    ) -> Result<(), StoreError> {
        for (position, attachment) in (0_i64..).zip(list) {
            let class = AttachmentClass::of(&attachment.content_type, attachment.voice);
            self.insert_attachment(message, position, class, attachment)?;
        }
        Ok(())
    }

    fn insert_attachment(
        &self,
        message: MessageId,
        position: i64,
        class: AttachmentClass,
        attachment: &NewAttachment,
    ) -> Result<(), StoreError> {
        let mut statement = self.sql().prepare_cached(
            "INSERT INTO attachments (message, position, conversation, sorted_at, class, name, content_type, size,
                 width, height, voice, state, pointer, url, key, digest, file, original, source)
             SELECT id, :position, conversation, sorted_at, :class, :name, :type, :size, :width, :height, :voice,
                 :state, :pointer, :url, :key, :digest, :file, :original, :source
             FROM messages WHERE id = :message",
        )?;
        let (here, source) = match &attachment.original {
            Some(Original::Here(file)) => (Some(file), None),
            Some(Original::There(source)) => (None, Some(source)),
            None => (attachment.file.as_ref(), None),
        };
        let state = match (&attachment.file, &attachment.remote) {
            _ if attachment.original.is_some() => TransferState::Prepare,
            (Some(_), None) => TransferState::Upload,
            (Some(_), Some(_)) => TransferState::Local,
            (None, Some(_)) => TransferState::Remote,
            (None, None) => TransferState::Unusable,
        };
        let remote = attachment.remote.as_ref();
        statement.execute(named_params! {
            ":message": message.0,
            ":position": position,
            ":name": attachment.name,
            ":class": class,
            ":pointer": attachment.pointer.as_ref().map(|pointer| &pointer[..]),
            ":type": attachment.content_type,
            ":size": i64::try_from(attachment.size).unwrap_or(i64::MAX),
            ":width": attachment.dimensions.map(|size| size.0),
            ":height": attachment.dimensions.map(|size| size.1),
            ":voice": attachment.voice,
            ":state": state,
            ":url": remote.map(|remote| &remote.url),
            ":key": remote.map(|remote| &remote.key[..]),
            ":digest": remote.and_then(|remote| remote.digest.as_ref()).map(|digest| &digest[..]),
            ":file": here,
            ":original": attachment.original.is_some(),
            ":source": source.map(json_text).transpose()?,
        })?;
        Ok(())
    }

    /// Writes down what a message's sender tells of a link in it.
    pub(super) fn insert_preview(&self, message: MessageId, preview: &NewPreview) -> Result<(), StoreError> {
        let sql = "INSERT INTO previews (message, url, title) VALUES (?1, ?2, ?3)";
        self.sql().prepare_cached(sql)?.execute(params![message.0, preview.url, preview.title])?;
        match &preview.image {
            Some(image) => self.insert_attachment(message, PREVIEW, AttachmentClass::Preview, image),
            None => Ok(()),
        }
    }

    /// Notes activity in a conversation, and lists it again if it was hidden and `unhide` says so.
    pub(super) fn touch_conversation(
        &self,
        id: ConversationId,
        at: Timestamp,
        unhide: bool,
    ) -> Result<(), StoreError> {
        let mut statement = self.sql().prepare_cached(
            "UPDATE conversations SET active_at = max(active_at, ?2),
                 priority = CASE WHEN ?3 THEN max(priority, 0) ELSE priority END WHERE id = ?1",
        )?;
        statement.execute(params![id.0, Ms(at), unhide])?;
        Ok(())
    }

    /// Whether a text mentions us: `@` and our id (spec 02 §11).
    pub(super) fn mentions_us(text: &str, me: SessionId) -> bool {
        text.contains('@') && text.to_lowercase().contains(&format!("@{me}"))
    }
}

/// A notice as its column.
pub(super) fn notice_json(notice: &Notice) -> Result<String, StoreError> {
    serde_json::to_string(notice)
        .map_err(|error| StoreError::Database(rusqlite::Error::ToSqlConversionFailure(Box::new(error))))
}
