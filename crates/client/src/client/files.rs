//! Pictures and files: fetching, reading, saving.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use septet_protocol::attachment::name;
use septet_protocol::time::Timestamp;

use super::{Client, ClientError};
use crate::engine;
use crate::event::Event;
use crate::model::{
    Attachment, AttachmentId, AttachmentState, ConversationKind, Message, OutgoingFile, PictureId,
};
use crate::store::{Db, StoreError, StoredAttachment, Wish};

/// More files of one name than this are not counted up.
const MOST_COPIES: u32 = 10_000;

/// Whether a file may still say where it was made when it is sent: of most kinds that is taken out, of some it cannot be.
/// To be told to a person before sending.
pub async fn may_tell_place(file: OutgoingFile) -> bool {
    tokio::task::spawn_blocking(move || engine::may_tell_place(file)).await.unwrap_or(false)
}

/// Whether a contact is told that a file of theirs was saved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Saving {
    /// A person saved it: the contact is told, as in every client (spec 02 §24).
    Told,
    /// A program keeps what comes, and nobody looked at it: nothing is sent.
    Untold,
}

impl Client {
    /// Fetches an attachment in the background; events tell how far it is.
    pub async fn download(&self, id: AttachmentId) -> Result<(), ClientError> {
        let wanted =
            self.write(move |db| Ok(db.attachment_wanted(id)?.then_some(db.attachment(id)?).flatten()));
        if let Some(attachment) = wanted.await? {
            let state = AttachmentState::Downloading { done: 0, total: 0 };
            self.tell(&attachment, state);
            self.0.engine.bells.downloads.notify_one();
        }
        Ok(())
    }

    /// Stops fetching an attachment; it can be asked for again.
    pub async fn cancel_download(&self, id: AttachmentId) -> Result<(), ClientError> {
        let unwanted =
            self.write(move |db| Ok(db.attachment_unwanted(id)?.then_some(db.attachment(id)?).flatten()));
        if let Some(attachment) = unwanted.await? {
            self.0.engine.transfers.cancel(id);
            self.tell(&attachment, AttachmentState::Remote);
        }
        Ok(())
    }

    /// Tells where an attachment is now.
    fn tell(&self, attachment: &StoredAttachment, state: AttachmentState) {
        let (conversation, message) = (attachment.conversation, attachment.message);
        self.0.engine.events.send(Event::Attachment {
            conversation,
            message,
            attachment: attachment.id,
            state,
        });
    }

    /// The message that an attachment belongs to, if it is still here.
    pub async fn message_of(&self, id: AttachmentId) -> Result<Option<Message>, ClientError> {
        match self.read(move |db| db.attachment(id)).await? {
            Some(attachment) => self.message(attachment.message).await,
            None => Ok(None),
        }
    }

    /// The plain bytes of an attachment that is on this disk.
    pub async fn attachment_bytes(&self, id: AttachmentId) -> Result<Arc<[u8]>, ClientError> {
        let attachment =
            self.read(move |db| db.attachment(id)).await?.ok_or(ClientError::NotFound("attachment"))?;
        match (attachment.file, attachment.source) {
            (Some(file), _) => self.stored_file(file).await,
            // To be copied in a moment; until then it is shown from where it lies.
            (None, Some(source)) => {
                let read = tokio::task::spawn_blocking(move || source.read());
                let bytes = read.await.map_err(|_| ClientError::Stopped)?;
                Ok(Arc::from(bytes.map_err(StoreError::from)?))
            }
            (None, None) => Err(ClientError::NotDownloaded),
        }
    }

    /// Writes an attachment into the folder `to` under its own, cleaned name (spec 04 §11), or, if `to` is no
    /// folder, to the file `to`. Never overwrites: a number is added instead. Returns the final path.
    pub async fn save_attachment(
        &self,
        id: AttachmentId,
        to: &Path,
        saving: Saving,
    ) -> Result<PathBuf, ClientError> {
        let attachment =
            self.read(move |db| db.attachment(id)).await?.ok_or(ClientError::NotFound("attachment"))?;
        let message = self.message(attachment.message).await?.ok_or(ClientError::NotFound("message"))?;
        let path = self.put(&message, id, to).await?;
        self.saved(message, saving).await?;
        Ok(path)
    }

    /// Writes those of these attachments that are on this disk into a folder, as [`Client::save_attachment`] does;
    /// returns the final paths, in their order. Whoever sent them is told once for each of the messages.
    ///
    /// # Errors
    /// [`ClientError::NotDownloaded`] if none is here. What was written before a file failed stays, and is told.
    pub async fn save_attachments(
        &self,
        list: &[AttachmentId],
        folder: &Path,
        saving: Saving,
    ) -> Result<Vec<PathBuf>, ClientError> {
        let (mut paths, mut messages) = (Vec::new(), BTreeMap::new());
        let mut failed = None;
        for id in list {
            let Some(message) = self.message_of(*id).await? else { continue };
            let is_here = |it: &Attachment| it.id == *id && it.state == AttachmentState::Local;
            if !message.attachments.iter().any(is_here) {
                continue;
            }
            match self.put(&message, *id, folder).await {
                Ok(path) => paths.push(path),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
            messages.insert(message.id, message);
        }
        for message in messages.into_values() {
            self.saved(message, saving).await?;
        }
        match failed {
            Some(error) => Err(error),
            None if paths.is_empty() => Err(ClientError::NotDownloaded),
            None => Ok(paths),
        }
    }

    /// The name under which an attachment of a message is saved: its own, cleaned, or one made up (spec 04 §11).
    pub fn name_for_saving(message: &Message, id: AttachmentId) -> String {
        let at = message.attachments.iter().position(|it| it.id == id);
        let Some(attachment) = at.and_then(|at| message.attachments.get(at)) else { return String::new() };
        name::for_saving(&attachment.name).unwrap_or_else(|| {
            let place = if message.attachments.len() > 1 { at.map_or(0, |at| at + 1) } else { 0 };
            name::made_up(&attachment.content_type, &stamp(message.timestamp), place)
        })
    }

    /// Writes an attachment where it is wanted, and nothing over what is there.
    async fn put(&self, message: &Message, id: AttachmentId, to: &Path) -> Result<PathBuf, ClientError> {
        let bytes = self.attachment_bytes(id).await?;
        let (name, to) = (Self::name_for_saving(message, id), to.to_owned());
        let saved = tokio::task::spawn_blocking(move || {
            let wanted = if to.is_dir() { to.join(name) } else { to };
            save(&wanted, &bytes)
        });
        let saved = saved.await.map_err(|_| ClientError::Stopped)?;
        saved.map_err(|error| ClientError::from(StoreError::from(error)))
    }

    /// Tells a contact that we saved a file of theirs (spec 02 §24): in private chats with those we accepted and did not
    /// block, and not of what we sent ourselves.
    async fn saved(&self, message: Message, saving: Saving) -> Result<(), ClientError> {
        if saving == Saving::Untold || message.outgoing {
            return Ok(());
        }
        let engine = self.0.engine.clone();
        let tell = move |db: &mut Db| {
            db.transaction(|db| {
                let id = message.conversation;
                let accepted = db
                    .conversation(id)?
                    .is_some_and(|it| it.kind == ConversationKind::Private && it.approved && !it.blocked);
                if !accepted {
                    return Ok(());
                }
                let wish = Wish::MediaSaved { timestamp: message.timestamp };
                let to = db.account_of(id)?;
                engine.enqueue(db, to, wish).map(drop)
            })
        };
        self.write(tell).await?;
        self.0.engine.bells.outbox.notify_one();
        Ok(())
    }

    /// The plain bytes of a display picture.
    pub async fn picture(&self, id: &PictureId) -> Result<Arc<[u8]>, ClientError> {
        self.stored_file(id.0.clone()).await
    }

    /// Reads a file of the encrypted store.
    async fn stored_file(&self, name: String) -> Result<Arc<[u8]>, ClientError> {
        Ok(Arc::from(self.0.engine.store.read_file(&name).await?))
    }
}

/// A time in this place's own terms, as it stands in made-up file names.
fn stamp(at: Timestamp) -> String {
    let ms = i64::try_from(at.as_ms()).unwrap_or_default();
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d-%H%M%S").to_string()
}

/// Writes a file that is not there yet; if there is one of this name, a number is added before its ending.
fn save(wanted: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    for copy in 1..MOST_COPIES {
        let path = numbered(wanted, copy);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => return file.write_all(bytes).and_then(|()| file.sync_all()).map(|()| path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("there are too many files of this name"))
}

/// `photo.jpg`, `photo (2).jpg`, `photo (3).jpg`…
fn numbered(path: &Path, copy: u32) -> PathBuf {
    if copy == 1 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = match path.extension() {
        Some(extension) => format!("{stem} ({copy}).{}", extension.to_string_lossy()),
        None => format!("{stem} ({copy})"),
    };
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_ever_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = folder.path().join("photo.jpg");
        let names = ["photo.jpg", "photo (2).jpg", "photo (3).jpg"];
        for name in names {
            let path = save(&wanted, name.as_bytes()).unwrap();
            assert_eq!(path, folder.path().join(name));
        }
        for name in names {
            assert_eq!(std::fs::read(folder.path().join(name)).unwrap(), name.as_bytes());
        }
        assert_eq!(save(&folder.path().join("notes"), b"").unwrap(), folder.path().join("notes"));
        assert_eq!(save(&folder.path().join("notes"), b"").unwrap(), folder.path().join("notes (2)"));
    }
}
