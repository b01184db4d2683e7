//! What is being written: drafts as they are kept, files that wait in the composer, and sending.
//!
//! Decision: a file shows up in the composer as soon as its size is known, so that what is sent is what is seen; a
//! small picture of it follows. A pasted picture is written into the account's own store before it shows up, so that
//! the draft that names it survives whatever happens.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::ColorImage;
use septet_client::client::{Client, ClientError, may_tell_place};
use septet_client::model::{ConversationId, Draft, MessageId, OutgoingFile};
use tokio::sync::Semaphore;

use super::super::command::{Look, StagedFile, Toast, Update, Writing};
use super::{Teller, files, pictures, previews, sentence};

/// Pixels of the longer side of a small picture in the composer.
const THUMBNAIL: u32 = 192;
/// Larger files are not looked into for a small picture.
const LOOK_INTO: u64 = 64 << 20;
/// So many files are looked into at the same time.
static LOOKS: Semaphore = Semaphore::const_new(2);

/// Brings back what a draft has besides its text.
pub async fn load(client: &Client, teller: &Teller, conversation: ConversationId) -> Result<(), ClientError> {
    let writing = written(client, teller, client.draft(conversation).await?).await;
    let files = writing.files.clone();
    teller.tell(Update::Draft(conversation, writing));
    look_into(client, teller, conversation, files);
    Ok(())
}

/// Sends a message; one that is refused goes back to where it was written.
pub async fn send(
    client: &Client,
    teller: &Teller,
    conversation: ConversationId,
    draft: Draft,
) -> Option<MessageId> {
    let error = match client.send(conversation, draft.clone()).await {
        Ok(id) => return Some(id),
        Err(error) => error,
    };
    // Until the composer keeps it again, with whatever was begun there meanwhile.
    if let Err(error) = client.set_draft(conversation, draft.clone()).await {
        teller.problem(&error);
    }
    let writing = written(client, teller, draft).await;
    let files = writing.files.clone();
    teller.tell(Update::Refused { conversation, writing, reason: sentence(&error) });
    look_into(client, teller, conversation, files);
    None
}

/// A draft as the composer shows it. A file that is not there any more is left out, and that is said.
async fn written(client: &Client, teller: &Teller, draft: Draft) -> Writing {
    let reply = match draft.reply_to {
        Some(id) => client.message(id).await.ok().flatten().filter(|message| !message.deleted),
        None => None,
    };
    let mut files = Vec::new();
    for file in draft.files {
        match staged(file).await {
            Ok(file) => files.push(file),
            Err(problem) => teller.tell(Update::Toast(Toast::bad(problem))),
        }
    }
    let preview = match draft.preview {
        Some(preview) => Some(previews::shown(preview).await),
        None => None,
    };
    Writing { text: draft.text, reply: reply.map(Arc::new), files, preview }
}

/// Asks for files to send.
pub fn pick(client: Client, teller: Teller, conversation: ConversationId) {
    tokio::spawn(async move {
        if !files::dialogs() {
            teller.tell(Update::NoFileDialog);
            return;
        }
        if let Some(files) = rfd::AsyncFileDialog::new().pick_files().await {
            let paths = files.iter().map(|file| file.path().to_owned()).collect();
            stage(&client, &teller, conversation, paths).await;
        }
    });
}

/// Puts files from disk into the composer.
pub async fn stage(client: &Client, teller: &Teller, conversation: ConversationId, paths: Vec<PathBuf>) {
    let mut files = Vec::new();
    for path in paths {
        match staged(OutgoingFile::Path(path)).await {
            Ok(file) => {
                teller.tell(Update::Staged(conversation, file.clone()));
                files.push(file);
            }
            Err(problem) => teller.tell(Update::Toast(Toast::bad(problem))),
        }
    }
    look_into(client, teller, conversation, files);
}

/// Puts a picture from the clipboard into the composer.
pub fn stage_picture(client: Client, teller: Teller, conversation: ConversationId, picture: Arc<ColorImage>) {
    tokio::spawn(async move {
        let bytes =
            tokio::task::spawn_blocking(move || pictures::unmultiplied(&picture).and_then(pictures::png));
        let Some(bytes) = bytes.await.ok().flatten() else {
            teller.tell(Update::NotStaged(conversation));
            return;
        };
        let name = format!("Picture {}.png", jiff::Zoned::now().strftime("%Y-%m-%d %H.%M.%S"));
        match client.keep_file(&name, "image/png", bytes).await {
            Ok(kept) => {
                let source = OutgoingFile::Kept(kept.clone());
                let (size, look) = (kept.size, Look::default());
                let file = StagedFile { name, size, picture: true, source, look };
                teller.tell(Update::Staged(conversation, file.clone()));
                look_into(&client, &teller, conversation, vec![file]);
            }
            Err(error) => {
                teller.tell(Update::NotStaged(conversation));
                teller.problem(&error);
            }
        }
    });
}

/// A file as the composer shows it, before anybody looked into it; or why it cannot be sent, as a sentence.
async fn staged(source: OutgoingFile) -> Result<StagedFile, String> {
    let (name, size) = match &source {
        OutgoingFile::Kept(kept) => (kept.name.clone(), kept.size),
        OutgoingFile::Bytes { name, bytes, .. } => (name.clone(), bytes.len() as u64),
        OutgoingFile::Path(path) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match tokio::fs::metadata(path).await {
                Ok(about) if about.is_dir() => {
                    return Err(sentence(&format!("{name}: a folder cannot be sent")));
                }
                Ok(about) => (name, about.len()),
                Err(error) => return Err(sentence(&format!("{name}: {error}"))),
            }
        }
    };
    let ending = Path::new(&name).extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
    let picture = ending.is_some_and(|e| matches!(e.as_str(), "png" | "jpg" | "jpeg" | "webp" | "gif"));
    Ok(StagedFile { name, size, picture, source, look: Look::default() })
}

/// Looks into files in their order, and tells of each what it showed.
fn look_into(client: &Client, teller: &Teller, conversation: ConversationId, files: Vec<StagedFile>) {
    let (client, teller) = (client.clone(), teller.clone());
    tokio::spawn(async move {
        for file in files {
            let Ok(turn) = LOOKS.acquire().await else { return };
            let (client, teller) = (client.clone(), teller.clone());
            tokio::spawn(async move {
                let look = look(&client, &file).await;
                teller.tell(Update::Looked(conversation, file.source, look));
                drop(turn);
            });
        }
    });
}

async fn look(client: &Client, file: &StagedFile) -> Look {
    let may_tell_place = may_tell_place(file.source.clone()).await;
    let thumbnail = match file.picture && file.size <= LOOK_INTO {
        true => thumbnail(client, &file.source).await.map(Arc::new),
        false => None,
    };
    Look { thumbnail, may_tell_place }
}

async fn thumbnail(client: &Client, source: &OutgoingFile) -> Option<ColorImage> {
    let bytes = match source {
        OutgoingFile::Path(path) => tokio::fs::read(path).await.ok()?,
        OutgoingFile::Bytes { bytes, .. } => bytes.clone(),
        OutgoingFile::Kept(kept) => client.kept_bytes(kept).await.ok()?,
    };
    tokio::task::spawn_blocking(move || pictures::decode(&bytes, THUMBNAIL)).await.ok().flatten()
}
