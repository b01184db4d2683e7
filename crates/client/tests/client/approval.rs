//! Strangers, and what becomes of them.

use septet_client::client::SendError;
use septet_client::event::Event;
use septet_client::model::{Draft, Notice};
use septet_protocol::id::{Account, Namespace};

use crate::sync::{look, picture, sees_picture};
use crate::world::{PATIENCE, With, World};

#[tokio::test(flavor = "multi_thread")]
async fn accepting_tells_the_other() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.person("Alice").await, world.person("Bob").await);
    alice.says(&bob, "hi").await;
    let with_alice = alice.id();
    let request = bob.client.with(with_alice).await;
    bob.waits("the request", |event| matches!(event, Event::Request(id) if id == request).then_some(()))
        .await;

    bob.client.accept(bob.client.with(with_alice).await).await.unwrap();
    let conversation = bob.client.conversation(bob.client.with(with_alice).await).await.unwrap().unwrap();
    assert!(conversation.approved && !conversation.is_request());
    alice
        .waits("the acceptance", |event| match event {
            Event::Message(message) => (message.notice == Some(Notice::TheyAccepted)).then_some(()),
            _ => None,
        })
        .await;
    assert!(alice.client.conversation(alice.client.with(bob.id()).await).await.unwrap().unwrap().approved_me);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_request_is_gone_and_nobody_is_told() {
    let world = World::new().await;
    let (alice, mut bob) = (world.person("Alice").await, world.person("Bob").await);
    alice.says(&bob, "hi").await;
    bob.hears("hi").await;
    assert!(bob.client.flush(PATIENCE).await.unwrap());
    let swarm = || world.net.messages_of(&Account::from(alice.id()), Namespace::MESSAGES);
    let (with_alice, before) = (bob.client.with(alice.id()).await, swarm());
    bob.client.decline(with_alice).await.unwrap();
    let left = bob.client.conversation(with_alice).await.unwrap();
    assert!(left.is_none_or(|conversation| !conversation.is_request() && !conversation.is_listed()));
    // Bob's other devices hear of it; whatever Alice could be told would lie in her swarm.
    assert!(bob.client.flush(PATIENCE).await.unwrap());
    assert_eq!(swarm(), before);
    alice.client.sync_once(PATIENCE).await.unwrap();
    let with_bob = alice.client.with(bob.id()).await;
    assert!(!alice.client.conversation(with_bob).await.unwrap().unwrap().approved_me);
    assert_eq!(alice.texts(bob.id()).await, ["hi"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_blocked_account_arrives_until_it_is_unblocked() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let with_alice = alice.id();
    bob.client.block(bob.client.with(with_alice).await).await.unwrap();
    let draft = Draft { text: "no".to_owned(), ..Draft::default() };
    assert_eq!(bob.client.send(bob.client.with(with_alice).await, draft).await, Err(SendError::Blocked));

    alice.says(&bob, "are you there?").await;
    bob.client.sync_once(PATIENCE).await.unwrap();
    assert_eq!(bob.texts(alice.id()).await, ["hi", "hello"]);

    bob.client.unblock(bob.client.with(with_alice).await).await.unwrap();
    alice.says(&bob, "and now?").await;
    bob.hears("and now?").await;
    assert_eq!(bob.texts(alice.id()).await, ["hi", "hello", "and now?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_picture_is_fetched_when_they_are_accepted() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.person("Alice").await, world.person("Bob").await);
    let with_alice = alice.id();
    alice.client.set_picture(Some(picture())).await.unwrap();
    sees_picture(&mut alice, with_alice).await;
    alice.hands(&bob, "hello.bin", vec![7; 500]).await;

    // What is clicked is fetched, by the same task that would fetch the picture; that one is not wanted yet.
    let attachment = bob.next_message().await.attachments.remove(0);
    bob.client.download(attachment.id).await.unwrap();
    assert_eq!(bob.receives(&attachment).await, vec![7; 500]);
    assert_eq!(look(&bob, with_alice).await.picture, None);

    bob.client.accept(bob.client.with(with_alice).await).await.unwrap();
    assert_eq!(sees_picture(&mut bob, with_alice).await, (400, 400));
}
