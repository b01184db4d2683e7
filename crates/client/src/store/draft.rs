//! What is being written: text, files that wait, and what it answers, one draft for each conversation.
//!
//! Decision: a file that was pasted is in our own folder from the moment it is added, one that lies on disk is named by
//! its path and read when the message is sent. Sending empties the draft in the transaction that writes the message
//! down, see [`Db::insert_outgoing`]: there is always one of the two.

use rusqlite::{OptionalExtension, Row, named_params, params};
use septet_protocol::time::Timestamp;

use super::db::Db;
use super::error::StoreError;
use super::types::{DraftFile, StoredDraft};
use super::values::Ms;
use crate::model::{ConversationId, DraftPreview, KeptFile, MessageId, PreviewImage};

impl Db {
    /// What is being written in a conversation; empty if nothing is.
    pub fn draft(&self, id: ConversationId) -> Result<StoredDraft, StoreError> {
        self.snapshot(|sql| {
            let mut statement =
                sql.prepare_cached("SELECT text, quote FROM drafts WHERE conversation = ?1")?;
            let head = statement
                .query_row([id.0], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(MessageId))));
            let Some((text, reply_to)) = head.optional()? else { return Ok(StoredDraft::default()) };
            let mut statement = sql.prepare_cached(
                "SELECT name, content_type, size, path, file, voice FROM draft_files WHERE conversation = ?1
                 ORDER BY position",
            )?;
            let files = statement.query_map([id.0], file)?.collect::<Result<_, _>>()?;
            let mut statement = sql.prepare_cached(
                "SELECT url, title, image, content_type, width, height FROM draft_previews WHERE conversation = ?1",
            )?;
            let preview = statement.query_row([id.0], preview).optional()?;
            Ok(StoredDraft { text, reply_to, files, preview })
        })
    }

    /// Keeps what is being written; nothing at all removes it, with its files. Returns whether that is new; false also
    /// if there is no such conversation.
    pub fn set_draft(
        &mut self,
        id: ConversationId,
        draft: &StoredDraft,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.transaction(|db| {
            if db.draft(id)? == *draft {
                return Ok(false);
            }
            db.sql().prepare_cached("DELETE FROM drafts WHERE conversation = ?1")?.execute([id.0])?;
            if *draft == StoredDraft::default() {
                return Ok(true);
            }
            db.insert_draft(id, draft, now)
        })
    }

    fn insert_draft(
        &self,
        id: ConversationId,
        draft: &StoredDraft,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // A message that is gone meanwhile is not answered any more.
        let mut statement = self.sql().prepare_cached(
            "INSERT INTO drafts (conversation, text, quote, updated_at)
             SELECT id, ?2, (SELECT m.id FROM messages m WHERE m.id = ?3 AND m.conversation = ?1), ?4
             FROM conversations WHERE id = ?1",
        )?;
        let quote = draft.reply_to.map(|message| message.0);
        if statement.execute(params![id.0, draft.text, quote, Ms(now)])? == 0 {
            return Ok(false);
        }
        let mut insert = self.sql().prepare_cached(
            "INSERT INTO draft_files (conversation, position, name, content_type, size, path, file, voice)
             VALUES (:conversation, :position, :name, :type, :size, :path, :file, :voice)",
        )?;
        // Those that were in the draft before are not given up after all.
        let mut keep = self.sql().prepare_cached("DELETE FROM doomed_files WHERE name = ?1")?;
        for (position, file) in (0_i64..).zip(&draft.files) {
            let (path, kept) = match file {
                DraftFile::There(path) => (Some(path), None),
                DraftFile::Here(kept) => (None, Some(kept)),
            };
            insert.execute(named_params! {
                ":conversation": id.0,
                ":position": position,
                ":name": kept.map_or("", |kept| &kept.name),
                ":type": kept.map_or("", |kept| &kept.content_type),
                ":size": kept.map_or(0, |kept| i64::try_from(kept.size).unwrap_or(i64::MAX)),
                ":path": path,
                ":file": kept.map(|kept| &kept.file),
                ":voice": kept.is_some_and(|kept| kept.voice),
            })?;
            if let Some(kept) = kept {
                keep.execute([&kept.file])?;
            }
        }
        if let Some(preview) = &draft.preview {
            self.insert_draft_preview(id, preview)?;
        }
        Ok(true)
    }

    fn insert_draft_preview(&self, id: ConversationId, preview: &DraftPreview) -> Result<(), StoreError> {
        let mut insert = self.sql().prepare_cached(
            "INSERT INTO draft_previews (conversation, url, title, image, content_type, width, height)
             VALUES (:conversation, :url, :title, :image, :type, :width, :height)",
        )?;
        let image = preview.image.as_ref();
        insert.execute(named_params! {
            ":conversation": id.0,
            ":url": preview.url,
            ":title": preview.title,
            ":image": image.map(|image| &*image.bytes),
            ":type": image.map_or("", |image| &image.content_type),
            ":width": image.map_or(0, |image| image.dimensions.0),
            ":height": image.map_or(0, |image| image.dimensions.1),
        })?;
        Ok(())
    }
}

fn preview(row: &Row<'_>) -> rusqlite::Result<DraftPreview> {
    let image = match row.get::<_, Option<Vec<u8>>>(2)? {
        Some(bytes) => Some(PreviewImage {
            bytes: bytes.into(),
            content_type: row.get(3)?,
            dimensions: (row.get(4)?, row.get(5)?),
        }),
        None => None,
    };
    Ok(DraftPreview { url: row.get(0)?, title: row.get(1)?, image })
}

fn file(row: &Row<'_>) -> rusqlite::Result<DraftFile> {
    if let Some(path) = row.get(3)? {
        return Ok(DraftFile::There(path));
    }
    Ok(DraftFile::Here(KeptFile {
        name: row.get(0)?,
        content_type: row.get(1)?,
        size: row.get::<_, i64>(2)?.unsigned_abs(),
        voice: row.get(5)?,
        file: row.get(4)?,
    }))
}
