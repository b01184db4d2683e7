//! Writing messages: what is not sent yet, and sending it.
//!
//! Decision: what a person wrote is on disk at every moment: as a draft while it is written, as a message from the
//! moment it is sent. One transaction turns the one into the other.

use std::path::PathBuf;

use septet_protocol::attachment::{mime, name};

use super::{Client, ClientError, SendError};
use crate::engine::{Words, base_name, check_text, look_at, take_in};
use crate::event::Event;
use crate::model::{ConversationId, Draft, KeptFile, MessageId, OutgoingFile, Sent};
use crate::store::{DraftFile, NewAttachment, StoreError, StoredDraft};

/// The name of all voice messages (spec 04 §10).
const VOICE_NAME: &str = "session-audio-message";

impl Client {
    /// What is written in a conversation and not sent yet; empty if nothing is.
    pub async fn draft(&self, id: ConversationId) -> Result<Draft, ClientError> {
        let StoredDraft { text, reply_to, files, preview } = self.read(move |db| db.draft(id)).await?;
        let files = files.into_iter().map(|file| match file {
            DraftFile::There(path) => OutgoingFile::Path(PathBuf::from(path)),
            DraftFile::Here(kept) => OutgoingFile::Kept(kept),
        });
        Ok(Draft { text, files: files.collect(), reply_to, preview })
    }

    /// Keeps what is written and not sent yet, over restarts; an empty draft removes it. Of a file on disk its path is
    /// kept; one from memory is stored, each time: use [`Client::keep_file`] for one that stays in a draft.
    pub async fn set_draft(&self, id: ConversationId, draft: Draft) -> Result<(), ClientError> {
        let mut files = Vec::new();
        for file in draft.files {
            files.push(self.draft_file(file).await?);
        }
        let draft = StoredDraft { text: draft.text, reply_to: draft.reply_to, files, preview: draft.preview };
        let now = self.now();
        if self.write(move |db| db.set_draft(id, &draft, now)).await? {
            self.0.engine.events.send(Event::Conversation(id));
        }
        Ok(())
    }

    /// Stores a file from memory, encrypted, for a draft or a message; see [`KeptFile`].
    pub async fn keep_file(
        &self,
        name: &str,
        content_type: &str,
        bytes: Vec<u8>,
    ) -> Result<KeptFile, ClientError> {
        let size = bytes.len() as u64;
        let file = self.0.engine.store.write_file(bytes).await?;
        let (name, content_type) = (name::for_sending(name), content_type.to_owned());
        Ok(KeptFile { name, content_type, size, voice: false, file })
    }

    /// Stores a voice message, as [`Client::keep_file`] does; it is sent under the name that the official desktop app
    /// gives (spec 04 §10), with the type told.
    pub async fn keep_voice(&self, content_type: &str, bytes: Vec<u8>) -> Result<KeptFile, ClientError> {
        let kept = self.keep_file(VOICE_NAME, content_type, bytes).await?;
        Ok(KeptFile { voice: true, ..kept })
    }

    /// A file as a draft keeps it.
    async fn draft_file(&self, file: OutgoingFile) -> Result<DraftFile, ClientError> {
        let kept = match file {
            OutgoingFile::Kept(kept) => kept,
            OutgoingFile::Bytes { name, content_type, bytes } => {
                self.keep_file(&name, &content_type, bytes).await?
            }
            OutgoingFile::Path(path) => {
                let path = std::path::absolute(&path).map_err(StoreError::from)?;
                if let Some(path) = path.to_str() {
                    return Ok(DraftFile::There(path.to_owned()));
                }
                // A path that is no text cannot be written down; what lies there can.
                let bytes = tokio::fs::read(&path).await.map_err(StoreError::from)?;
                let name = base_name(&path);
                self.keep_file(&name, mime::guess(&name, bytes.get(..64).unwrap_or(&bytes)), bytes).await?
            }
        };
        Ok(DraftFile::Here(kept))
    }

    /// The bytes of a file that waits to be sent.
    pub async fn kept_bytes(&self, file: &KeptFile) -> Result<Vec<u8>, ClientError> {
        Ok(self.0.engine.store.read_file(&file.file).await?)
    }

    /// Checks a draft and writes it down as a message, in one transaction with the job that delivers it and the end of
    /// the conversation's draft; returns its number. All the rest happens in the background: files are copied,
    /// prepared and uploaded, and the message goes out.
    ///
    /// # Errors
    /// What can be told of a draft at once; then nothing is written. A file that turns out later to be unsendable
    /// makes the message [failed](crate::model::MessageState::Failed), with a sentence.
    pub async fn send(&self, id: ConversationId, draft: Draft) -> Result<MessageId, SendError> {
        match self.send_once(None, id, draft).await? {
            Sent::Now(message) => Ok(message),
            Sent::Before(before) => Ok(before.message),
        }
    }

    /// As [`Client::send`], but at most once for a key, which is written down with the message: asked again with the
    /// same key, also after a crash, nothing is checked or written, and what was sent then is told. A key is
    /// remembered for 30 days; it should say what caused the message, such as the number of what it answers.
    ///
    /// # Errors
    /// As of [`Client::send`].
    pub async fn send_once(
        &self,
        key: Option<String>,
        id: ConversationId,
        draft: Draft,
    ) -> Result<Sent, SendError> {
        if let Some(key) = key.clone()
            && let Some(before) = self.read(move |db| db.sent_before(&key)).await?
        {
            return Ok(Sent::Before(before));
        }
        let text = check_text(&draft)?;
        if self.read(move |db| db.conversation(id)).await?.is_some_and(|conversation| conversation.blocked) {
            return Err(SendError::Blocked);
        }
        let quote = match draft.reply_to {
            Some(message) => Some(self.quoted(id, message).await?),
            None => None,
        };
        let alone = draft.files.is_empty() && quote.is_none();
        let preview = match draft.preview.filter(|_| alone) {
            Some(preview) => self.taken_preview(&text, preview).await?,
            None => None,
        };
        let attachments = self.take_in(draft.files).await?;
        let words = Words { text, quote, preview };
        let sent = self.0.engine.send_message(id, words, attachments, key).await?;
        self.0.engine.bells.preparing.notify_one();
        Ok(sent)
    }

    /// Checks what a draft answers.
    async fn quoted(&self, id: ConversationId, message: MessageId) -> Result<MessageId, SendError> {
        let quoted =
            self.message(message).await?.filter(|quoted| quoted.conversation == id && !quoted.deleted);
        quoted.map(|quoted| quoted.id).ok_or(SendError::NoSuchMessage)
    }

    /// Looks at the files of a draft, and gives them a place that outlives this program.
    async fn take_in(&self, files: Vec<OutgoingFile>) -> Result<Vec<NewAttachment>, SendError> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let engine = self.0.engine.clone();
        let taken = tokio::task::spawn_blocking(move || {
            let folder = engine.store.files();
            let looked = look_at(files, folder)?;
            take_in(looked, folder).map_err(|error| ClientError::from(error).into())
        });
        taken.await.unwrap_or(Err(SendError::Client(ClientError::Stopped)))
    }
}
