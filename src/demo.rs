//! Septet with nothing to set up: a local network, somebody who answers, and the window on a fresh account.
//!
//! Everything is real but the place: the messages go through three onion layers to a swarm of seven nodes and come
//! back; the network merely runs inside this process, on loopback, and is gone afterwards.

mod bot;
mod scene;

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use septet_client::client::{Client, KeyProtection, OpenOptions};
use septet_client::event::Event;
use septet_client::model::ConversationId;
use septet_devnet::Devnet;
use septet_network::NetworkConfig;
use septet_protocol::account::DisplayName;

use crate::gui;

/// How long the first exchange may take; on loopback it takes a fraction of a second.
const FIRST_EXCHANGE: Duration = Duration::from_secs(30);

/// What must live as long as the window: the network, the other account, the folder of both.
pub struct Demo {
    /// The account that the window shows.
    pub client: Client,
    /// The conversation to open.
    pub conversation: ConversationId,
    friend: Client,
    devnet: Devnet,
    folder: tempfile::TempDir,
}

/// Runs the demonstration until its window is closed. With `conversation`, it begins with a few messages.
pub fn run(conversation: bool) -> anyhow::Result<()> {
    // The window shows at once; the network starts behind it.
    gui::run(gui::Options::prepared(async move {
        let demo = Demo::start(conversation).await?;
        Ok(gui::Opened {
            client: demo.client.clone(),
            conversation: Some(demo.conversation),
            stop: Some(Box::pin(demo.stop())),
        })
    }))
}

impl Demo {
    /// Starts the network, both accounts and the first exchange.
    pub async fn start(conversation: bool) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("septet-demo-")
            .tempdir()
            .context("No room for a demo profile")?;
        let devnet = Devnet::start().await.context("The local network did not start")?;
        let network = NetworkConfig::from_toml(&devnet.network_toml())?;
        let friend = account(&folder.path().join("mara"), "Mara Reyes", &network).await?;
        let client = account(&folder.path().join("you"), "Eva", &network).await?;
        let conversation = {
            let friend_id = become_contacts(&client, &friend).await?;
            if conversation {
                scene::play(&client, &friend).await?;
            }
            friend_id
        };
        tokio::spawn(bot::answer(friend.clone()));
        Ok(Self { client, conversation, friend, devnet, folder })
    }

    /// Ends both accounts and the network, and removes the folder.
    pub async fn stop(self) {
        self.client.stop().await;
        self.friend.stop().await;
        self.devnet.shutdown().await;
        if let Err(error) = self.folder.close() {
            tracing::warn!("the demo's folder could not be removed: {error}");
        }
    }
}

async fn account(folder: &Path, name: &str, network: &NetworkConfig) -> anyhow::Result<Client> {
    // A keychain entry would outlive the demo.
    let options = OpenOptions { network: network.clone(), key_protection: KeyProtection::KeyFile };
    let client = Client::create(folder, &DisplayName::parse(name)?, options).await?;
    client.start();
    Ok(client)
}

/// The friend writes first and is accepted, as between any two people.
async fn become_contacts(client: &Client, friend: &Client) -> anyhow::Result<ConversationId> {
    let me = friend.make_conversation(&client.id().into()).await?;
    let them = client.make_conversation(&friend.id().into()).await?;
    let mut events = client.subscribe();
    friend.send(me, bot::text(bot::GREETING)).await?;
    tokio::time::timeout(FIRST_EXCHANGE, async {
        while client.conversation(them).await?.is_none_or(|conversation| conversation.last_message.is_none())
        {
            // A reader that fell behind looks again all the same.
            while !matches!(events.recv().await, Ok(Event::Message(_)) | Err(_)) {}
        }
        anyhow::Ok(())
    })
    .await
    .context("The local network did not carry the first message")??;
    client.accept(them).await?;
    Ok(them)
}
