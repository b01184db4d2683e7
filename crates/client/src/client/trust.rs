//! Whose files are fetched without a click.

use super::{Client, ClientError};
use crate::event::Event;
use crate::model::{AttachmentState, ConversationId, Downloads};

/// What is missing of so many messages is fetched when a person lets files come.
const LAST_MESSAGES: u32 = 100;

impl Client {
    /// Sets whether files of this private chat are fetched by themselves, on this device. [`Downloads::Automatic`]
    /// also fetches what is missing of the last 100 messages; what is on its way when that is taken back still comes.
    /// Without effect on other conversations, whose files always come.
    pub async fn set_downloads(&self, id: ConversationId, downloads: Downloads) -> Result<(), ClientError> {
        let set = self.write(move |db| {
            db.transaction(|db| {
                if !db.set_downloads(id, downloads)? {
                    return Ok(None);
                }
                let all = db.is_fetched(id, false)?;
                Ok(Some(if all { db.want_missing(id, LAST_MESSAGES)? } else { Vec::new() }))
            })
        });
        let Some(wanted) = set.await? else { return Ok(()) };
        let engine = &self.0.engine;
        engine.events.send(Event::Conversation(id));
        for (message, attachment) in wanted {
            let state = AttachmentState::Downloading { done: 0, total: 0 };
            engine.events.send(Event::Attachment { conversation: id, message, attachment, state });
        }
        engine.bells.downloads.notify_one();
        Ok(())
    }
}
