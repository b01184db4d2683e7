//! A short conversation to begin with, so that a picture of the demo shows what there is.

use std::time::Duration;

use septet_client::client::Client;
use septet_client::model::{ConversationId, Draft};

use super::bot;

/// How long one message of the scene may take.
const STEP: Duration = Duration::from_secs(20);

/// Both write in turn, over the network.
pub async fn play(client: &Client, friend: &Client) -> anyhow::Result<()> {
    let (me, them) = (client.id(), friend.id());
    let (to_friend, to_client) = (ConversationId(them), ConversationId(me));
    say(client, to_friend, bot::text("Are the pictures from Sunday still on your phone? 🌊")).await?;
    let pictures = Draft {
        text: "These two came out best".into(),
        files: vec![bot::picture(0), bot::picture(4)],
        reply_to: None,
    };
    say(friend, to_client, pictures).await?;
    say(client, to_friend, bot::text("Which spot was it, can we go back there? 👀")).await?;
    say(friend, to_client, bot::text("Third one down, by the water")).await?;
    say(client, to_friend, bot::text("Saturday at ten? I bring coffee ☕")).await?;
    say(client, ConversationId(me), bot::text("Door code, Thursday")).await
}

async fn say(from: &Client, to: ConversationId, draft: Draft) -> anyhow::Result<()> {
    let id = from.send(to, draft).await?;
    from.wait_sent(id, STEP).await?;
    Ok(())
}
