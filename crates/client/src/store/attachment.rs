//! Attachments on their way up and down.

use rusqlite::{OptionalExtension, Row, named_params, params};
use septet_protocol::time::Timestamp;
use zeroize::Zeroizing;

use super::db::Db;
use super::error::StoreError;
use super::kinds::AttachmentClass;
use super::types::{PreparedFile, RemoteFile, StoredAttachment, TransferState};
use super::values::{Ms, json};
use crate::model::{AttachmentId, ConversationId, MessageId};

macro_rules! attachment_sql {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.message, t.conversation, t.name, t.content_type, t.size, t.width, t.height, t.voice, t.state,
                    t.url, t.key, t.digest, t.file, t.attempts, t.source, t.failure, t.class
             FROM attachments t ",
            $rest
        )
    };
}

/// Transfers of one direction whose time has come.
pub(super) const DUE: &str = attachment_sql!(
    "JOIN conversations v ON v.id = t.conversation AND t.message > v.cleared_to
     WHERE t.state = ?1 AND t.state IN (0, 2) AND t.not_before <= ?2 ORDER BY t.not_before, t.id LIMIT ?3"
);

/// The next file to get ready: those to be copied first.
pub(super) const PREPARING: &str = attachment_sql!(
    "JOIN conversations v ON v.id = t.conversation AND t.message > v.cleared_to
         WHERE t.state = 7 ORDER BY t.file IS NOT NULL, t.id LIMIT 1"
);

/// The next time after a given one at which a download comes due.
pub(super) const DOWNLOADS_NEXT: &str =
    "SELECT min(not_before) FROM attachments WHERE state = 2 AND state IN (0, 2) AND not_before > ?1";

/// No download waits any longer.
pub(super) const HASTEN: &str =
    "UPDATE attachments SET not_before = 0 WHERE state = 2 AND state IN (0, 2) AND not_before > 0";
/// Whether anything points at a file.
pub(super) const FILE_IN_USE: &str = "SELECT 1 FROM attachments WHERE file = ?1
     UNION ALL SELECT 1 FROM people WHERE picture_file = ?1
     UNION ALL SELECT 1 FROM draft_files WHERE file = ?1
     UNION ALL SELECT 1 FROM groups WHERE picture_file = ?1
     UNION ALL SELECT 1 FROM rooms WHERE picture_file = ?1";

impl Db {
    /// One attachment.
    pub fn attachment(&self, id: AttachmentId) -> Result<Option<StoredAttachment>, StoreError> {
        let mut statement = self.sql().prepare_cached(attachment_sql!("WHERE t.id = ?1"))?;
        Ok(statement.query_row([id.0], stored).optional()?)
    }

    /// A message's attachments in their order; the picture of its link before them.
    pub fn attachments_of(&self, message: MessageId) -> Result<Vec<StoredAttachment>, StoreError> {
        let mut statement =
            self.sql().prepare_cached(attachment_sql!("WHERE t.message = ?1 ORDER BY t.position"))?;
        Ok(statement.query_map([message.0], stored)?.collect::<Result<_, _>>()?)
    }

    /// Uploads ([`TransferState::Upload`]) or downloads ([`TransferState::Download`]) whose time has come.
    pub fn transfers_due(
        &self,
        state: TransferState,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<StoredAttachment>, StoreError> {
        let mut statement = self.sql().prepare_cached(DUE)?;
        Ok(statement.query_map(params![state, Ms(now), limit], stored)?.collect::<Result<_, _>>()?)
    }

    /// The next attachment of ours to be copied or prepared: originals that are still where a person has them first.
    pub fn next_to_prepare(&self) -> Result<Option<StoredAttachment>, StoreError> {
        Ok(self.sql().prepare_cached(PREPARING)?.query_row([], stored).optional()?)
    }

    /// The original is copied to this file; false if its message is gone (then the file is to be deleted).
    pub fn attachment_copied(&mut self, id: AttachmentId, file: &str) -> Result<bool, StoreError> {
        let sql = "UPDATE attachments SET file = ?2, source = NULL WHERE id = ?1 AND state = 7";
        Ok(self.sql().prepare_cached(sql)?.execute(params![id.0, file])? > 0)
    }

    /// Preparing begins now, once more. What breaks the program each time is told by the count.
    pub fn attachment_attempted(&mut self, id: AttachmentId) -> Result<(), StoreError> {
        let sql = "UPDATE attachments SET attempts = attempts + 1 WHERE id = ?1";
        self.sql().prepare_cached(sql)?.execute([id.0])?;
        Ok(())
    }

    /// It can be uploaded now; false if its message is gone (then the file is to be deleted).
    pub fn attachment_prepared(
        &mut self,
        id: AttachmentId,
        prepared: &PreparedFile,
    ) -> Result<bool, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "UPDATE attachments SET state = 0, original = 0, attempts = 0, file = :file, content_type = :type,
                 class = :class, size = :size, width = :width, height = :height
             WHERE id = :id AND state = 7",
        )?;
        let changed = statement.execute(named_params! {
            ":id": id.0,
            ":file": prepared.file,
            ":type": prepared.content_type,
            ":class": AttachmentClass::of(&prepared.content_type, false),
            ":size": i64::try_from(prepared.size).unwrap_or(i64::MAX),
            ":width": prepared.dimensions.map(|size| size.0),
            ":height": prepared.dimensions.map(|size| size.1),
        })?;
        Ok(changed > 0)
    }

    /// It turned out that it cannot be sent: its message is given up, with this sentence. Returns the message, if it
    /// is still there.
    pub fn attachment_unsendable(
        &mut self,
        id: AttachmentId,
        reason: &str,
    ) -> Result<Option<(ConversationId, MessageId)>, StoreError> {
        self.transaction(|db| {
            let Some(attachment) = db.attachment(id)? else { return Ok(None) };
            db.attachment_failed(id, reason)?;
            for job in db.outbox_of(attachment.message)? {
                db.outbox_failed(job.id, reason)?;
            }
            Ok(Some((attachment.conversation, attachment.message)))
        })
    }

    /// When the next download comes due after `now`; `None` if nothing waits. What is due already does not hide it,
    /// nor do uploads.
    pub fn downloads_next(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let next: Option<Ms> =
            self.sql().prepare_cached(DOWNLOADS_NEXT)?.query_row([Ms(now)], |row| row.get(0))?;
        Ok(next.map(|ms| ms.0))
    }

    /// An upload is done: the file server has it there. True if the whole message is uploaded now.
    pub fn attachment_uploaded(&mut self, id: AttachmentId, remote: &RemoteFile) -> Result<bool, StoreError> {
        self.transaction(|db| {
            let digest = remote.digest.as_ref().map(|digest| &digest[..]);
            db.sql()
                .prepare_cached(
                    "UPDATE attachments SET state = 3, url = ?2, key = ?3, digest = ?4, failure = NULL WHERE id = ?1",
                )?
                .execute(params![id.0, remote.url, &remote.key[..], digest])?;
            let waiting: i64 = db
                .sql()
                .prepare_cached(
                    "SELECT count(*) FROM attachments WHERE url IS NULL
                     AND message = (SELECT message FROM attachments WHERE id = ?1)",
                )?
                .query_row([id.0], |row| row.get(0))?;
            Ok(waiting == 0)
        })
    }

    /// It is to be fetched, as soon as it is its turn; one that waits after failures does not wait any longer, and
    /// its failures are forgotten. False if it is here already, is being fetched for the first time, or cannot be.
    pub fn attachment_wanted(&mut self, id: AttachmentId) -> Result<bool, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "UPDATE attachments SET state = 2, failure = NULL, attempts = 0, not_before = 0
             WHERE id = ?1 AND (state IN (1, 4, 5) OR state = 2 AND attempts > 0) AND url IS NOT NULL",
        )?;
        Ok(statement.execute([id.0])? > 0)
    }

    /// It is not to be fetched after all.
    pub fn attachment_unwanted(&mut self, id: AttachmentId) -> Result<bool, StoreError> {
        let sql = "UPDATE attachments SET state = 1, failure = NULL WHERE id = ?1 AND state = 2";
        Ok(self.sql().prepare_cached(sql)?.execute([id.0])? > 0)
    }

    /// It is here, in this file, and of this type. False if nobody wants it any more, because its message is gone or somebody stopped it:
    /// then the file is to be deleted.
    pub fn attachment_downloaded(
        &mut self,
        id: AttachmentId,
        file: &str,
        content_type: &str,
    ) -> Result<bool, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "UPDATE attachments SET state = 3, failure = NULL, file = ?2, content_type = ?3,
                 class = CASE WHEN voice = 1 THEN class ELSE ?4 END
             WHERE id = ?1 AND state = 2
                 AND message > (SELECT cleared_to FROM conversations WHERE id = attachments.conversation)",
        )?;
        let class = AttachmentClass::of(content_type, false);
        Ok(statement.execute(params![id.0, file, content_type, class])? > 0)
    }

    /// Which of these are gone, with their messages or without.
    pub fn attachments_gone(&self, ids: &[AttachmentId]) -> Result<Vec<AttachmentId>, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "SELECT 1 FROM attachments t JOIN conversations v ON v.id = t.conversation AND t.message > v.cleared_to
             WHERE t.id = ?1",
        )?;
        let mut gone = Vec::new();
        for id in ids {
            if !statement.exists([id.0])? {
                gone.push(*id);
            }
        }
        Ok(gone)
    }

    /// A download did not work; the next attempt is not before then. With a sentence why it is shown as failed
    /// meanwhile ([`AttachmentState::Failed`](crate::model::AttachmentState::Failed)); where it is and how it is
    /// decrypted is kept. False if nobody wants it any more.
    pub fn attachment_retry(
        &mut self,
        id: AttachmentId,
        not_before: Timestamp,
        failure: Option<&str>,
    ) -> Result<bool, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "UPDATE attachments SET attempts = attempts + 1, not_before = ?2, failure = ?3
             WHERE id = ?1 AND state = 2",
        )?;
        Ok(statement.execute(params![id.0, Ms(not_before), failure])? > 0)
    }

    /// The picture of a link cannot be sent: its message goes without.
    pub fn drop_preview_picture(&mut self, id: AttachmentId) -> Result<(), StoreError> {
        let sql = "DELETE FROM attachments WHERE id = ?1 AND class = ?2 AND url IS NULL";
        self.sql().prepare_cached(sql)?.execute(params![id.0, AttachmentClass::Preview])?;
        Ok(())
    }

    /// No download waits any longer, as when the network is back. Failures so far still count.
    pub fn downloads_hasten(&mut self) -> Result<(), StoreError> {
        self.sql().prepare_cached(HASTEN)?.execute([])?;
        Ok(())
    }

    /// A transfer is given up, with a sentence why.
    pub fn attachment_failed(&mut self, id: AttachmentId, reason: &str) -> Result<(), StoreError> {
        self.sql()
            .prepare_cached("UPDATE attachments SET state = 4, failure = ?2 WHERE id = ?1")?
            .execute(params![id.0, reason])?;
        Ok(())
    }

    /// The file server does not have it any more.
    pub fn attachment_expired(&mut self, id: AttachmentId) -> Result<(), StoreError> {
        self.sql()
            .prepare_cached("UPDATE attachments SET state = 5, failure = NULL WHERE id = ?1")?
            .execute([id.0])?;
        Ok(())
    }

    /// Whether a row points at a file; a file that none does is an orphan.
    pub(crate) fn is_file_in_use(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.sql().prepare_cached(FILE_IN_USE)?.exists([name])?)
    }

    /// Files whose row is gone, so many at most.
    pub(crate) fn doomed_files(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        let mut statement = self.sql().prepare_cached("SELECT name FROM doomed_files LIMIT ?1")?;
        Ok(statement.query_map([limit], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// These are unlinked.
    pub(crate) fn files_gone(&mut self, names: &[String]) -> Result<(), StoreError> {
        self.transaction(|db| {
            let mut statement = db.sql().prepare_cached("DELETE FROM doomed_files WHERE name = ?1")?;
            for name in names {
                statement.execute([name])?;
            }
            Ok(())
        })
    }
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredAttachment> {
    let width: Option<u32> = row.get(6)?;
    let height: Option<u32> = row.get(7)?;
    let url: Option<String> = row.get(10)?;
    let key: Option<Vec<u8>> = row.get(11)?;
    let digest: Option<[u8; 32]> = row.get(12)?;
    Ok(StoredAttachment {
        id: AttachmentId(row.get(0)?),
        message: MessageId(row.get(1)?),
        conversation: ConversationId(row.get(2)?),
        name: row.get(3)?,
        content_type: row.get(4)?,
        size: row.get::<_, i64>(5)?.unsigned_abs(),
        dimensions: width.zip(height),
        voice: row.get(8)?,
        state: row.get(9)?,
        remote: url.map(|url| RemoteFile { url, key: Zeroizing::new(key.unwrap_or_default()), digest }),
        file: row.get(13)?,
        attempts: row.get(14)?,
        source: json(row, 15)?,
        failure: row.get(16)?,
        preview: row.get::<_, AttachmentClass>(17)? == AttachmentClass::Preview,
    })
}
