//! What a person chooses for this device, and what follows from it at once.

use super::{Client, ClientError};
use crate::model::{ConversationId, Settings, TypingNow};

impl Client {
    /// What is told and shown on this device.
    pub fn settings(&self) -> Settings {
        self.0.engine.settings()
    }

    /// Switches read receipts on or off; off to begin with (spec 02 §19). Off, what was read and not told yet is not told
    /// any more.
    pub async fn set_read_receipts(&self, on: bool) -> Result<(), ClientError> {
        Ok(self.0.engine.set_read_receipts(on).await?)
    }

    /// Switches typing indicators on or off; off to begin with (spec 02 §20). Off, whoever is shown as typing is not any
    /// more.
    pub async fn set_typing_indicators(&self, on: bool) -> Result<(), ClientError> {
        Ok(self.0.engine.set_typing_indicators(on).await?)
    }

    /// A person types in a conversation: to be called for each key that changes the text, and when the text is empty
    /// again or left. The other hears of it if the setting is on and they may know; sending a message ends it by itself.
    pub fn typing(&self, id: ConversationId, what: TypingNow) {
        self.0.engine.typing(id, what);
    }
}
