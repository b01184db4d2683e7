//! Commands about one conversation or one message of it.

use std::time::Duration;

use septet_client::client::Client;
use septet_client::model::{Expiry, Message, MessageId, Page};
use septet_protocol::account::DisplayName;
use septet_protocol::time::Timestamp;

use super::args::Common;
use super::output::Output;
use super::{Failure, session};

/// `accept`: the other may write, and is told.
pub async fn accept(to: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::known_conversation(&client, to).await?;
    client.accept(conversation).await?;
    output.done();
    session::flush_and_close(client).await
}

/// `decline`: the request is gone; the other is not told.
pub async fn decline(to: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::known_conversation(&client, to).await?;
    client.decline(conversation).await?;
    output.done();
    session::flush_and_close(client).await
}

/// `block`: nothing of theirs arrives any more. Works for strangers, too.
pub async fn block(to: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::conversation(&client, to).await?;
    client.block(conversation).await?;
    output.done();
    session::flush_and_close(client).await
}

/// `unblock`; no effect on somebody who is not blocked.
pub async fn unblock(to: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::conversation(&client, to).await?;
    client.unblock(conversation).await?;
    output.done();
    session::flush_and_close(client).await
}

/// `mark-read`: everything up to the newest message.
pub async fn mark_read(conversation: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::known_conversation(&client, conversation).await?;
    if let Some(newest) = client.messages(conversation, Page::Newest, 1).await?.messages.last() {
        client.mark_read(conversation, newest.id).await?;
    }
    output.done();
    session::flush_and_close(client).await
}

/// `pin`.
pub async fn pin(to: &str, pinned: bool, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::known_conversation(&client, to).await?;
    client.pin(conversation, pinned).await?;
    output.done();
    session::flush_and_close(client).await
}

/// `mute`: for a time, until further notice, or not at all.
pub async fn mute(
    to: &str,
    duration: Option<Duration>,
    off: bool,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::known_conversation(&client, to).await?;
    let until = match duration {
        _ if off => None,
        None => Some(Timestamp::from_ms(u64::MAX)),
        Some(duration) => Some(client.now() + u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
    };
    client.mute(conversation, until).await?;
    output.done();
    session::flush_and_close(client).await
}

/// `mark-unread`: by hand, or no longer.
pub async fn mark_unread(
    conversation: &str,
    unread: bool,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::known_conversation(&client, conversation).await?;
    client.mark_unread(conversation, unread).await?;
    output.done();
    session::flush_and_close(client).await
}

/// `hide`: out of the list until a new message or a person brings it back.
pub async fn hide(to: &str, hidden: bool, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::known_conversation(&client, to).await?;
    if hidden {
        client.hide(conversation).await?;
    } else {
        client.show_again(conversation).await?;
    }
    output.done();
    session::flush_and_close(client).await
}

/// `delete-conversation`: its messages are gone, the contact stays.
pub async fn delete_conversation(to: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::known_conversation(&client, to).await?;
    client.delete_conversation(conversation).await?;
    output.done();
    session::flush_and_close(client).await
}

/// `delete-contact`: the conversation and the contact are gone.
pub async fn delete_contact(to: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::known_conversation(&client, to).await?;
    client.delete_contact(conversation).await?;
    output.done();
    session::flush_and_close(client).await
}

/// `set-expiry`: for what is written from now on; the other is told.
pub async fn set_expiry(to: &str, when: Expiry, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::known_conversation(&client, to).await?;
    client.set_expiry(conversation, when).await?;
    output.done();
    session::flush_and_close(client).await
}

/// `nickname`.
pub async fn nickname(to: &str, name: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let name = match name.trim() {
        "" => None,
        name => Some(
            DisplayName::parse(name).map_err(|error| Failure::failed("invalid_name", error.to_string()))?,
        ),
    };
    let client = session::open(common).await?;
    let conversation = session::known_conversation(&client, to).await?;
    client.set_nickname(conversation, name).await?;
    output.done();
    session::flush_and_close(client).await
}

/// `react`.
pub async fn react(
    conversation: &str,
    id: MessageId,
    emoji: &str,
    remove: bool,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let message = message_in(&client, conversation, id).await?;
    client.react(message.id, emoji, remove).await?;
    output.done();
    session::flush_and_close(client).await
}

/// `delete`.
pub async fn delete(
    conversation: &str,
    id: MessageId,
    for_everyone: bool,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let message = message_in(&client, conversation, id).await?;
    if for_everyone {
        client.delete_for_everyone(message.id).await?;
    } else {
        client.delete_message(message.id).await?;
    }
    output.done();
    session::flush_and_close(client).await
}

/// A message that must be in this conversation: a number of another one is a mistake worth telling.
async fn message_in(client: &Client, conversation: &str, id: MessageId) -> Result<Message, Failure> {
    let conversation = session::known_conversation(client, conversation).await?;
    match client.message(id).await? {
        Some(message) if message.conversation == conversation => Ok(message),
        _ => Err(Failure::failed(
            "no_such_message",
            format!("There is no message {} in this conversation.", id.0),
        )),
    }
}
