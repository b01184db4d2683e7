//! What only a later version can show (spec 09 §6.1).

use super::{Client, ClientError};

impl Client {
    /// Whether to tell a person that something came which only a later version can show, and that has no place in a
    /// conversation. Such things are kept, and read after an update. Told by
    /// [`Event::UpdateWanted`](crate::event::Event::UpdateWanted) when it becomes so; to be asked at the start.
    ///
    /// Anybody can store bytes for us that look like a newer format; so this is only a hint, and after it was dismissed
    /// it rests for 7 days.
    pub async fn update_wanted(&self) -> Result<bool, ClientError> {
        let now = self.now();
        self.read(move |db| db.update_wanted(now)).await
    }

    /// The person has seen that.
    pub async fn dismiss_update_notice(&self) -> Result<(), ClientError> {
        let now = self.now();
        self.write(move |db| db.dismiss_update_notice(now)).await
    }
}
