//! Which files are fetched without a click, and who said so.
//!
//! Decision: the engine decides, in the transaction that takes a message in; whether and where it is painted makes no
//! difference. What decides is a person's answer, one for each private chat (spec 02 §13). It stays on this device: it
//! is about this disk and this line.

use rusqlite::params;

use super::db::Db;
use super::error::StoreError;
use crate::model::{AttachmentId, ConversationId, ConversationKind, Downloads, MessageId};

/// What is not here of the newest messages of a conversation.
pub(super) const MISSING: &str = "SELECT t.message, t.id FROM (
         SELECT id FROM messages WHERE conversation = ?1 AND id > (SELECT cleared_to FROM conversations WHERE id = ?1)
         ORDER BY sorted_at DESC, timestamp DESC, id DESC LIMIT ?2) m
     JOIN attachments t ON t.message = m.id AND t.state IN (1, 4)";

impl Db {
    /// Writes down a person's answer. False if it was that already, or is not theirs to give: files in groups and rooms,
    /// and our own, are always fetched.
    pub fn set_downloads(&mut self, id: ConversationId, downloads: Downloads) -> Result<bool, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "UPDATE conversations SET downloads = ?2 WHERE id = ?1 AND downloads <> ?2 AND kind IN (?3, ?4)",
        )?;
        let kinds = (ConversationKind::Private, ConversationKind::Blinded);
        Ok(statement.execute(params![id.0, downloads, kinds.0, kinds.1])? > 0)
    }

    /// Whether a file that belongs to a message in this conversation is fetched without a click: an attachment, or the
    /// picture of a link's page.
    pub fn is_fetched(&self, conversation: ConversationId, outgoing: bool) -> Result<bool, StoreError> {
        if outgoing {
            return Ok(true);
        }
        Ok(self.conversation(conversation)?.is_some_and(|it| it.fetches_files()))
    }

    /// Has everything fetched that is missing of the newest `messages` of a conversation; tells what.
    pub fn want_missing(
        &mut self,
        conversation: ConversationId,
        messages: u32,
    ) -> Result<Vec<(MessageId, AttachmentId)>, StoreError> {
        self.transaction(|db| {
            let missing: Vec<(MessageId, AttachmentId)> = db
                .sql()
                .prepare_cached(MISSING)?
                .query_map(params![conversation.0, messages], |row| {
                    Ok((MessageId(row.get(0)?), AttachmentId(row.get(1)?)))
                })?
                .collect::<Result<_, _>>()?;
            let mut wanted = Vec::with_capacity(missing.len());
            for (message, attachment) in missing {
                if db.attachment_wanted(attachment)? {
                    wanted.push((message, attachment));
                }
            }
            Ok(wanted)
        })
    }
}
