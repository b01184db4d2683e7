//! Changes to whole conversations.

use septet_client::client::{Client, ClientError};
use septet_client::model::ConversationId;
use septet_protocol::time::Timestamp;

use super::super::command::{Change, Silence};

/// Carries one out.
pub async fn change(client: &Client, id: ConversationId, change: Change) -> Result<(), ClientError> {
    match change {
        Change::Nickname(name) => client.set_nickname(id, name).await,
        Change::MarkUnread(unread) => client.mark_unread(id, unread).await,
        Change::Mute(silence) => {
            // The end is shared with our other devices, so it is told in the network's time.
            let until = match silence {
                Silence::Off => None,
                Silence::For(seconds) => Some(client.now() + u64::from(seconds) * 1000),
                Silence::ForGood => Some(Timestamp::from_ms(u64::MAX)),
            };
            client.mute(id, until).await
        }
        Change::Expiry(expiry) => client.set_expiry(id, expiry).await,
        Change::Hide => client.hide(id).await,
        Change::ShowInList => client.show_again(id).await,
        Change::DeleteMessages => client.delete_conversation(id).await,
        Change::DeleteContact => client.delete_contact(id).await,
    }
}
