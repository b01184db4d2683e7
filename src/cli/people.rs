//! Commands that change one conversation or one message of it.
//!
//! Each says that it is done when the network has what it promises ([`Context::delivered`]): the other's swarm a
//! reaction, our own swarm a setting for our other devices. Only what is for this device alone ends at once.

use std::time::Duration;

use schemars::JsonSchema;
use septet_client::client::Client;
use septet_client::model::{Conversation, ConversationId, Message, MessageId, Page};
use septet_protocol::account::DisplayName;
use septet_protocol::time::Timestamp;
use serde::Serialize;

use super::args::values::{Span, When};
use super::call::{Answer, Call, Context, Done, params};
use super::{Failure, address};

/// How long a change may take if nothing else is said.
const CHANGE: Duration = Duration::from_secs(30);

params! {
    /// Mark everything in a conversation as read
    pub struct MarkRead {
        /// Account ID, registered name (ONS), or self
        pub conversation: String,
    }

    /// Mark a conversation as unread
    pub struct MarkUnread {
        /// Account ID, registered name (ONS), or self
        pub conversation: String,
        /// No longer
        #[arg(long)]
        #[serde(default)]
        pub off: bool,
    }

    /// Accept a message request
    pub struct Accept {
        /// Account ID or registered name (ONS)
        pub conversation: String,
    }

    /// Decline a message request
    pub struct Decline {
        /// Account ID or registered name (ONS)
        pub conversation: String,
    }

    /// Decline all message requests
    pub struct DeclineAll {}

    /// Block an account
    pub struct Block {
        /// Account ID or registered name (ONS)
        pub conversation: String,
    }

    /// Unblock an account
    pub struct Unblock {
        /// Account ID or registered name (ONS)
        pub conversation: String,
    }

    /// Keep a conversation on top
    pub struct Pin {
        /// Account ID, registered name (ONS), or self
        pub conversation: String,
        /// No longer
        #[arg(long)]
        #[serde(default)]
        pub off: bool,
    }

    /// No notifications of a conversation
    pub struct Mute {
        /// Account ID, registered name (ONS), or self
        pub conversation: String,
        /// For so many seconds, or with a unit: 30m, 8h, 7d
        #[arg(long = "for", value_name = "DURATION", conflicts_with = "off")]
        #[serde(default, rename = "for")]
        pub duration: Option<Span>,
        /// Notifications again
        #[arg(long)]
        #[serde(default)]
        pub off: bool,
    }

    /// Take a conversation out of the list
    pub struct Hide {
        /// Account ID, registered name (ONS), or self
        pub conversation: String,
        /// Show it again
        #[arg(long)]
        #[serde(default)]
        pub off: bool,
    }

    /// Delete a conversation with all its messages, on all devices; the contact stays
    pub struct DeleteConversation {
        /// Account ID, registered name (ONS), or self
        pub conversation: String,
    }

    /// Delete a contact with the whole conversation, on all devices
    pub struct DeleteContact {
        /// Account ID or registered name (ONS)
        pub conversation: String,
    }

    /// Let what is written here disappear
    pub struct SetExpiry {
        /// Account ID, registered name (ONS), or self
        pub conversation: String,
        /// off, after-read:SECONDS or after-send:SECONDS
        #[arg(value_name = "WHEN")]
        pub when: When,
    }

    /// Give somebody a private name; an empty one removes it
    pub struct Nickname {
        /// Account ID or registered name (ONS)
        pub conversation: String,
        /// At most 100 bytes
        pub name: String,
    }

    /// React to a message
    pub struct React {
        /// Account ID, registered name (ONS), or self
        pub conversation: String,
        /// The message's number, as `messages` and `receive` print it
        #[arg(allow_negative_numbers = true)]
        pub id: i64,
        /// One emoji
        pub emoji: String,
        /// Take the reaction back
        #[arg(long)]
        #[serde(default)]
        pub remove: bool,
    }

    /// Delete messages, all or none of them
    pub struct Delete {
        /// Account ID, registered name (ONS), or self
        pub conversation: String,
        /// The message's number, as `messages` and `receive` print it
        #[arg(allow_negative_numbers = true)]
        pub id: i64,
        /// More of the same conversation
        #[arg(value_name = "ID", allow_negative_numbers = true)]
        #[serde(default)]
        pub more: Vec<i64>,
        /// Also for the other, if it is ours
        #[arg(long)]
        #[serde(default)]
        pub for_everyone: bool,
    }
}

/// A command that changes one conversation: finds it, changes it, and is done when the network has the change.
macro_rules! change {
    ($type:ident, $name:literal, $find:ident, |$it:ident, $client:ident, $found:ident| $change:expr) => {
        impl Call for $type {
            const NAME: &'static str = $name;
            type Answer = Done;

            async fn run(self, context: &Context) -> Result<Done, Failure> {
                let ($it, $client) = (self, context.client().await?);
                let $found = address::$find(&$client, &$it.conversation, context.limit(CHANGE)).await?;
                let doing = $client.doing();
                let change = async {
                    $change;
                    Ok::<_, Failure>(())
                };
                doing.during(change).await?;
                context.delivered(&$client, &doing, CHANGE).await
            }
        }
    };
}

change!(MarkRead, "mark_read", known, |it, client, id| read_all(&client, id).await?);
change!(MarkUnread, "mark_unread", known, |it, client, id| client.mark_unread(id, !it.off).await?);
change!(Accept, "accept", with_somebody, |it, client, found| accept(&client, &found).await?);
change!(Decline, "decline", with_somebody, |it, client, found| decline(&client, &found).await?);
// Works for strangers, too: nothing of theirs arrives any more.
change!(Block, "block", any, |it, client, id| client.block(id).await?);
change!(Unblock, "unblock", known, |it, client, id| client.unblock(id).await?);
change!(Pin, "pin", known, |it, client, id| client.pin(id, !it.off).await?);
change!(Mute, "mute", known, |it, client, id| client.mute(id, it.until(client.now())).await?);
change!(Hide, "hide", known, |it, client, id| match it.off {
    true => client.show_again(id).await?,
    false => client.hide(id).await?,
});
change!(DeleteConversation, "delete_conversation", known, |it, client, id| {
    client.delete_conversation(id).await?
});
change!(DeleteContact, "delete_contact", known, |it, client, id| client.delete_contact(id).await?);
// For what is written from now on; the other is told.
change!(SetExpiry, "set_expiry", known, |it, client, id| client.set_expiry(id, it.when.0).await?);
change!(Nickname, "nickname", known, |it, client, id| client.set_nickname(id, it.parsed()?).await?);
change!(React, "react", known, |it, client, id| {
    let message = message(&client, id, it.id).await?;
    client.react(message.id, &it.emoji, it.remove).await?
});

/// What `decline-all` did.
#[derive(Serialize, JsonSchema)]
pub struct Declined {
    /// How many requests there were.
    declined: usize,
}

impl Answer for Declined {
    fn text(&self) -> Option<String> {
        Some(match self.declined {
            0 => "No message requests.".to_owned(),
            1 => "Declined 1 message request.".to_owned(),
            many => format!("Declined {many} message requests."),
        })
    }
}

impl Call for DeclineAll {
    const NAME: &'static str = "decline_all";
    type Answer = Declined;

    async fn run(self, context: &Context) -> Result<Declined, Failure> {
        let client = context.client().await?;
        let doing = client.doing();
        let declined = doing.during(client.decline_all()).await?;
        context.delivered(&client, &doing, CHANGE).await?;
        Ok(Declined { declined })
    }
}

impl Call for Delete {
    const NAME: &'static str = "delete";
    type Answer = Done;

    async fn run(self, context: &Context) -> Result<Done, Failure> {
        let client = context.client().await?;
        let id = address::known(&client, &self.conversation, context.limit(CHANGE)).await?;
        let mut ids = Vec::new();
        for number in std::iter::once(self.id).chain(self.more) {
            ids.push(message(&client, id, number).await?.id);
        }
        if self.for_everyone {
            let doing = client.doing();
            doing.during(client.delete_all_for_everyone(&ids)).await?;
            return context.delivered(&client, &doing, CHANGE).await;
        }
        client.delete_messages(&ids).await?;
        Ok(Done::OK)
    }
}

/// The other may write, and is told. Who is accepted already is so after this, too.
async fn accept(client: &Client, conversation: &Conversation) -> Result<(), Failure> {
    if conversation.blocked {
        return Err(Failure::failed("blocked", "You blocked this contact: unblock first."));
    }
    match conversation.approved {
        true => Ok(()),
        false if conversation.is_request() => Ok(client.accept(conversation.id).await?),
        false => Err(no_request()),
    }
}

/// The request is gone; the other is not told.
async fn decline(client: &Client, conversation: &Conversation) -> Result<(), Failure> {
    match conversation.is_request() {
        true => Ok(client.decline(conversation.id).await?),
        false => Err(no_request()),
    }
}

fn no_request() -> Failure {
    Failure::failed("no_request", "There is no message request from this account.")
}

/// Everything up to the newest message.
async fn read_all(client: &Client, id: ConversationId) -> Result<(), Failure> {
    if let Some(newest) = client.messages(id, Page::Newest, 1).await?.messages.last() {
        client.mark_read(id, newest.id).await?;
    }
    Ok(())
}

impl Mute {
    /// Until when: for a time, until further notice, or not at all.
    fn until(&self, now: Timestamp) -> Option<Timestamp> {
        match self.duration {
            _ if self.off => None,
            None => Some(Timestamp::from_ms(u64::MAX)),
            Some(Span(duration)) => Some(now + u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

impl Nickname {
    /// The name; none if it is to be removed.
    fn parsed(&self) -> Result<Option<DisplayName>, Failure> {
        match self.name.trim() {
            "" => Ok(None),
            _ => DisplayName::parse(&self.name)
                .map(Some)
                .map_err(|error| Failure::failed("invalid_name", error.to_string())),
        }
    }
}

/// A message that must be in this conversation: a number of another one is a mistake worth telling.
async fn message(client: &Client, conversation: ConversationId, id: i64) -> Result<Message, Failure> {
    match client.message(MessageId(id)).await? {
        Some(message) if message.conversation == conversation => Ok(message),
        _ => {
            Err(Failure::failed("no_such_message", format!("There is no message {id} in this conversation.")))
        }
    }
}
