//! Strangers, and what becomes of them.

use septet_client::client::SendError;
use septet_client::event::Event;
use septet_client::model::{Draft, Notice};
use septet_protocol::id::{Account, Namespace};
use septet_protocol::message::Content;

use crate::sync::{look, picture, sees_picture};
use crate::world::{PATIENCE, Person, With, World};

/// Bob's two devices, on both of which a request of Alice waits.
async fn asked_on_two_devices(world: &World) -> (Person, Person, Person) {
    let (alice, mut phone) = (world.person("Alice").await, world.person("Bob").await);
    assert!(phone.client.flush(PATIENCE).await.unwrap());
    let (desk, _) = world.second_device(&phone).await;
    alice.says(&phone, "hi").await;
    phone.hears("hi").await;
    desk.client.sync_once(PATIENCE).await.unwrap();
    assert!(look(&phone, alice.id()).await.is_request() && look(&desk, alice.id()).await.is_request());
    (alice, phone, desk)
}

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

#[tokio::test(flavor = "multi_thread")]
async fn what_is_declined_on_one_device_is_gone_on_the_other_and_may_come_again() {
    let world = World::new().await;
    let (alice, mut phone, mut desk) = asked_on_two_devices(&world).await;
    phone.client.decline(phone.client.with(alice.id()).await).await.unwrap();
    assert!(phone.client.flush(PATIENCE).await.unwrap());
    desk.client.sync_once(PATIENCE).await.unwrap();
    for device in [&phone, &desk] {
        let left = look(device, alice.id()).await;
        assert!(left.hidden && !left.is_request() && !left.approved_me, "{left:?}");
        assert!(device.texts(alice.id()).await.is_empty());
    }
    alice.says(&phone, "please").await;
    for device in [&mut phone, &mut desk] {
        device.hears("please").await;
        assert!(look(device, alice.id()).await.is_request());
        assert_eq!(device.texts(alice.id()).await, ["please"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_requests_are_declined_at_once_and_nothing_else() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    for name in ["Carol", "Dave"] {
        world.person(name).await.says(&bob, name).await;
        bob.hears(name).await;
    }
    assert_eq!(bob.client.decline_all().await.unwrap(), 2);
    let left = bob.client.conversations().await.unwrap();
    assert!(!left.iter().any(|it| it.is_request()));
    assert_eq!(bob.texts(alice.id()).await, ["hi", "hello"]);
    assert_eq!(bob.client.decline_all().await.unwrap(), 0);
    // A contact is no request.
    let with_alice = bob.client.with(alice.id()).await;
    bob.client.decline(with_alice).await.unwrap();
    assert!(look(&bob, alice.id()).await.approved);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_blocked_from_a_request_is_so_on_all_devices_and_leaves_nothing_there() {
    let world = World::new().await;
    let (alice, mut phone, desk) = asked_on_two_devices(&world).await;
    phone.client.block(phone.client.with(alice.id()).await).await.unwrap();
    assert!(phone.client.flush(PATIENCE).await.unwrap());
    desk.client.sync_once(PATIENCE).await.unwrap();
    for device in [&phone, &desk] {
        let left = look(device, alice.id()).await;
        assert!(left.blocked && left.hidden && !left.is_request(), "{left:?}");
        assert!(device.texts(alice.id()).await.is_empty());
    }
    // Unblocked, they may ask again.
    phone.client.unblock(phone.client.with(alice.id()).await).await.unwrap();
    assert!(!look(&phone, alice.id()).await.is_request());
    alice.says(&phone, "sorry").await;
    phone.hears("sorry").await;
    assert!(look(&phone, alice.id()).await.is_request());
}

#[tokio::test(flavor = "multi_thread")]
async fn unblocking_somebody_who_is_not_blocked_does_nothing() {
    let world = World::new().await;
    let (alice, bob) = world.friends().await;
    assert!(bob.client.flush(PATIENCE).await.unwrap());
    let configs = || world.net.messages_of(&Account::from(bob.id()), Namespace::CONTACTS);
    let before = configs();
    let with_alice = bob.client.with(alice.id()).await;
    bob.client.sync_once(PATIENCE).await.unwrap();
    let mut events = bob.client.subscribe();
    bob.client.unblock(with_alice).await.unwrap();
    bob.client.sync_once(PATIENCE).await.unwrap();
    assert_eq!(configs(), before);
    while let Ok(event) = events.try_recv() {
        let told = matches!(event, Event::Conversation(id) if id == with_alice);
        assert!(!told, "nothing is told, because nothing happened");
    }
    assert!(!look(&bob, alice.id()).await.blocked);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_response_that_accepts_means_anything() {
    let world = World::new().await;
    let (mut alice, bob) = (world.person("Alice").await, world.resting_person("Bob").await);
    alice.says(&bob, "hi").await;
    world.stores(&bob, &alice, Content::RequestResponse(false)).await;
    alice.client.sync_once(PATIENCE).await.unwrap();
    assert!(!look(&alice, bob.id()).await.approved_me);
    world.stores(&bob, &alice, Content::RequestResponse(true)).await;
    let accepted = |event| match event {
        Event::Message(message) => (message.notice == Some(Notice::TheyAccepted)).then_some(*message),
        _ => None,
    };
    let line = alice.waits("the acceptance", accepted).await;
    assert!(look(&alice, bob.id()).await.approved_me);
    let page =
        alice.client.messages(line.conversation, septet_client::model::Page::Newest, 10).await.unwrap();
    assert_eq!(page.messages.iter().filter(|message| message.notice.is_some()).count(), 1);
}
