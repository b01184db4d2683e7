//! Commands that change one conversation or one message of it.
//!
//! Each says that it is done when the network has what it promises (`session::deliver`): the other's swarm a reaction,
//! our own swarm a setting for our other devices. Only what is for this device alone ends at once.

use std::time::Duration;

use septet_client::client::Client;
use septet_client::model::{ConversationId, Expiry, Message, MessageId, Page};
use septet_protocol::account::DisplayName;
use septet_protocol::time::Timestamp;

use super::args::{About, Common, OfMessage};
use super::output::Output;
use super::{Failure, address, session};

/// How long a change may take if nothing else is said.
const CHANGE: Duration = Duration::from_secs(30);

/// A conversation that is here, and the profile it is in.
async fn open(about: &About, common: &Common) -> Result<(Client, ConversationId), Failure> {
    let client = session::open(common).await?;
    let conversation = address::known(&client, &about.conversation, common.limit(CHANGE)).await?;
    Ok((client, conversation))
}

/// Waits until the network has the change, and says so.
async fn done(client: Client, common: &Common, output: &Output) -> Result<(), Failure> {
    session::deliver(client, common.limit(CHANGE)).await?;
    output.done();
    Ok(())
}

/// `accept`: the other may write, and is told.
pub async fn accept(about: &About, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = address::with_somebody(&client, &about.conversation, common.limit(CHANGE)).await?;
    if conversation.blocked {
        return Err(Failure::failed("blocked", "You blocked this contact: unblock first."));
    }
    // Who is accepted already is so after this, too.
    if !conversation.approved {
        if !conversation.is_request() {
            return Err(no_request());
        }
        client.accept(conversation.id).await?;
    }
    done(client, common, output).await
}

/// `decline`: the request is gone; the other is not told.
pub async fn decline(about: &About, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = address::with_somebody(&client, &about.conversation, common.limit(CHANGE)).await?;
    if !conversation.is_request() {
        return Err(no_request());
    }
    client.decline(conversation.id).await?;
    done(client, common, output).await
}

fn no_request() -> Failure {
    Failure::failed("no_request", "There is no message request from this account.")
}

/// `block`: nothing of theirs arrives any more. Works for strangers, too.
pub async fn block(about: &About, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = address::any(&client, &about.conversation, common.limit(CHANGE)).await?;
    client.block(conversation).await?;
    done(client, common, output).await
}

/// `unblock`; no effect on somebody who is not blocked.
pub async fn unblock(about: &About, common: &Common, output: &Output) -> Result<(), Failure> {
    let (client, conversation) = open(about, common).await?;
    client.unblock(conversation).await?;
    done(client, common, output).await
}

/// `mark-read`: everything up to the newest message.
pub async fn mark_read(about: &About, common: &Common, output: &Output) -> Result<(), Failure> {
    let (client, conversation) = open(about, common).await?;
    if let Some(newest) = client.messages(conversation, Page::Newest, 1).await?.messages.last() {
        client.mark_read(conversation, newest.id).await?;
    }
    done(client, common, output).await
}

/// `mark-unread`: by hand, or no longer.
pub async fn mark_unread(
    about: &About,
    unread: bool,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let (client, conversation) = open(about, common).await?;
    client.mark_unread(conversation, unread).await?;
    done(client, common, output).await
}

/// `pin`.
pub async fn pin(about: &About, pinned: bool, common: &Common, output: &Output) -> Result<(), Failure> {
    let (client, conversation) = open(about, common).await?;
    client.pin(conversation, pinned).await?;
    done(client, common, output).await
}

/// `mute`: for a time, until further notice, or not at all.
pub async fn mute(
    about: &About,
    duration: Option<Duration>,
    off: bool,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let (client, conversation) = open(about, common).await?;
    let until = match duration {
        _ if off => None,
        None => Some(Timestamp::from_ms(u64::MAX)),
        Some(duration) => Some(client.now() + u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
    };
    client.mute(conversation, until).await?;
    done(client, common, output).await
}

/// `hide`: out of the list until a new message or a person brings it back.
pub async fn hide(about: &About, hidden: bool, common: &Common, output: &Output) -> Result<(), Failure> {
    let (client, conversation) = open(about, common).await?;
    if hidden {
        client.hide(conversation).await?;
    } else {
        client.show_again(conversation).await?;
    }
    done(client, common, output).await
}

/// `delete-conversation`: its messages are gone, the contact stays.
pub async fn delete_conversation(about: &About, common: &Common, output: &Output) -> Result<(), Failure> {
    let (client, conversation) = open(about, common).await?;
    client.delete_conversation(conversation).await?;
    done(client, common, output).await
}

/// `delete-contact`: the conversation and the contact are gone.
pub async fn delete_contact(about: &About, common: &Common, output: &Output) -> Result<(), Failure> {
    let (client, conversation) = open(about, common).await?;
    client.delete_contact(conversation).await?;
    done(client, common, output).await
}

/// `set-expiry`: for what is written from now on; the other is told.
pub async fn set_expiry(
    about: &About,
    when: Expiry,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let (client, conversation) = open(about, common).await?;
    client.set_expiry(conversation, when).await?;
    done(client, common, output).await
}

/// `nickname`.
pub async fn nickname(about: &About, name: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let name = match name.trim() {
        "" => None,
        name => Some(
            DisplayName::parse(name).map_err(|error| Failure::failed("invalid_name", error.to_string()))?,
        ),
    };
    let (client, conversation) = open(about, common).await?;
    client.set_nickname(conversation, name).await?;
    done(client, common, output).await
}

/// `react`.
pub async fn react(
    about: &OfMessage,
    emoji: &str,
    remove: bool,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let message = message(&client, about, common).await?;
    client.react(message.id, emoji, remove).await?;
    done(client, common, output).await
}

/// `delete`: here, or for everyone.
pub async fn delete(
    about: &OfMessage,
    more: &[i64],
    for_everyone: bool,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let mut ids = vec![message(&client, about, common).await?.id];
    for id in more {
        let about = OfMessage { conversation: about.conversation.clone(), id: *id };
        ids.push(message(&client, &about, common).await?.id);
    }
    if for_everyone {
        client.delete_all_for_everyone(&ids).await?;
        return done(client, common, output).await;
    }
    client.delete_messages(&ids).await?;
    session::close(client).await;
    output.done();
    Ok(())
}

/// A message that must be in this conversation: a number of another one is a mistake worth telling.
async fn message(client: &Client, about: &OfMessage, common: &Common) -> Result<Message, Failure> {
    let conversation = address::known(client, &about.conversation, common.limit(CHANGE)).await?;
    match client.message(MessageId(about.id)).await? {
        Some(message) if message.conversation == conversation => Ok(message),
        _ => Err(Failure::failed(
            "no_such_message",
            format!("There is no message {} in this conversation.", about.id),
        )),
    }
}
