//! What is done to messages: reactions, deletion, saving what is in several.

use septet_client::client::{Client, ClientError, Saving};
use septet_client::model::{AttachmentId, MessageId};

use super::{Teller, files};
use crate::gui::attached::FileNews;
use crate::gui::command::Update;

/// Puts an emoji under a message, or takes it away.
pub async fn react(
    client: &Client,
    teller: &Teller,
    message: MessageId,
    emoji: &str,
    remove: bool,
) -> Result<(), ClientError> {
    client.react(message, emoji, remove).await?;
    if !remove {
        tell_recent(client, teller).await;
    }
    Ok(())
}

/// Tells which emoji to offer.
pub async fn tell_recent(client: &Client, teller: &Teller) {
    match client.recent_emoji().await {
        Ok(emoji) => teller.tell(Update::RecentEmoji(emoji)),
        Err(error) => teller.problem(&error),
    }
}

/// Deletes messages. What can be brought back is told with a way to do so.
pub async fn delete(
    client: &Client,
    teller: &Teller,
    messages: &[MessageId],
    everyone: bool,
) -> Result<(), ClientError> {
    if everyone {
        return client.delete_all_for_everyone(messages).await;
    }
    let hidden = client.delete_for_now(messages).await?;
    if !hidden.is_empty() {
        teller.tell(Update::DeletedForNow(hidden));
    }
    Ok(())
}

/// Asks for a folder and puts attachments there; without a dialog, into the folder for downloads.
pub fn save_all(client: Client, teller: Teller, list: Vec<AttachmentId>) {
    tokio::spawn(async move {
        let Some(folder) = files::pick_folder().await else { return };
        match client.save_attachments(&list, &folder, Saving::Told).await {
            Ok(paths) => teller.tell(Update::File(FileNews::SavedAll(folder, paths.len()))),
            Err(error) => teller.problem(&error),
        }
    });
}
