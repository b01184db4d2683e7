//! A short conversation to begin with, so that a picture of the demo shows what there is.

use std::time::Duration;

use septet_client::client::Client;
use septet_client::event::Event;
use septet_client::model::{ConversationId, Downloads, Draft};

use super::bot;

/// How long one message of the scene may take.
const STEP: Duration = Duration::from_secs(20);

/// Both write in turn, over the network.
pub async fn play(client: &Client, friend: &Client) -> anyhow::Result<()> {
    let to_friend = client.make_conversation(&friend.id().into()).await?;
    let to_client = friend.make_conversation(&client.id().into()).await?;
    let to_self = client.make_conversation(&client.id().into()).await?;
    // As somebody who said "Yes" when the first picture came.
    client.set_downloads(to_friend, Downloads::Automatic).await?;
    say(client, to_friend, bot::text("Are the pictures from Sunday still on your phone? 🌊")).await?;
    let pictures = Draft {
        preview: None,
        text: "These two came out best".into(),
        files: vec![bot::picture(0), bot::picture(4)],
        reply_to: None,
    };
    say(friend, to_client, pictures).await?;
    say(client, to_friend, bot::text("Which spot was it, can we go back there? 👀")).await?;
    say(friend, to_client, bot::text("Third one down, by the water")).await?;
    say(client, to_self, bot::text("Door code, Thursday")).await?;
    say(client, to_friend, bot::text(LAST)).await?;
    heard(friend, to_client).await
}

/// The last thing said.
const LAST: &str = "Saturday at ten? I bring coffee ☕";

/// Waits until the friend has it all, so that it is not answered as if it were new.
async fn heard(friend: &Client, from: ConversationId) -> anyhow::Result<()> {
    let mut events = friend.subscribe();
    let all_here = async {
        loop {
            let conversation = friend.conversation(from).await?;
            if conversation
                .and_then(|conversation| conversation.last_message)
                .is_some_and(|last| last.text == LAST)
            {
                return anyhow::Ok(());
            }
            // A reader that fell behind looks again all the same.
            while !matches!(events.recv().await, Ok(Event::Message(_)) | Err(_)) {}
        }
    };
    tokio::time::timeout(STEP, all_here).await?
}

async fn say(from: &Client, to: ConversationId, draft: Draft) -> anyhow::Result<()> {
    let id = from.send(to, draft).await?;
    from.wait_sent(id, STEP).await?;
    Ok(())
}
