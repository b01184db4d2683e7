//! One account on a second device.

use septet_client::client::{Client, RestoreStage};
use septet_client::model::ConversationId;
use septet_protocol::account::{DisplayName, Seed};

use crate::world::{PATIENCE, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_account_has_its_name_and_both_sides_of_its_conversations() {
    let world = World::new().await;
    let (mut alice, mut bob) = world.friends().await;
    alice.says(&bob, "how are you?").await;
    bob.hears("how are you?").await;
    bob.says(&alice, "fine").await;
    alice.hears("fine").await;
    assert!(alice.client.flush(PATIENCE).await.unwrap());

    let (restored, stages) = world.second_device(&alice).await;
    assert_eq!(restored.id(), alice.id());
    assert_eq!(restored.client.profile().await.unwrap().name, "Alice");
    assert_eq!(stages.first(), Some(&RestoreStage::Connecting));
    assert!(stages.contains(&RestoreStage::Profile));
    assert_eq!(stages.last(), Some(&RestoreStage::Done));
    restored.client.sync_once(PATIENCE).await.unwrap();
    assert_eq!(restored.texts(bob.id()).await, ["hi", "hello", "how are you?", "fine"]);
    let conversation = restored.client.conversation(ConversationId(bob.id())).await.unwrap().unwrap();
    assert!(conversation.approved && conversation.approved_me);
    assert_eq!(conversation.name, "Bob");
}

#[tokio::test(flavor = "multi_thread")]
async fn note_to_self_is_hidden_until_there_is_a_note() {
    let world = World::new().await;
    let alice = world.person("Alice").await;
    alice.says(&alice, "remember the milk").await;
    let note = ConversationId(alice.id());
    assert!(alice.client.conversation(note).await.unwrap().unwrap().is_listed());
    // A change of the profile must not hide it again.
    alice.client.set_name(DisplayName::parse("Alice B").unwrap()).await.unwrap();
    assert!(alice.client.conversation(note).await.unwrap().unwrap().is_listed());
    alice.client.hide(note).await.unwrap();
    assert!(alice.client.flush(PATIENCE).await.unwrap());
    let (second, _) = world.second_device(&alice).await;
    assert_eq!(second.client.profile().await.unwrap().name, "Alice B");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_device_sends_the_other_shows() {
    let world = World::new().await;
    let (alice, bob) = world.friends().await;
    assert!(alice.client.flush(PATIENCE).await.unwrap());
    let (mut second, _) = world.second_device(&alice).await;
    second.client.start();
    let sent = alice.says(&bob, "from my first device").await;
    let copy = second.hears("from my first device").await;
    assert!(copy.outgoing);
    assert_eq!((copy.timestamp, copy.conversation), (sent.timestamp, ConversationId(bob.id())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_given_up_leaves_no_account() {
    let world = World::new().await;
    world.net.network_down(true);
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("profile");
    let (began, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let seed = || Seed::from_bytes([7; 16]);
    let tell = |stage| began.send(stage).unwrap_or_default();
    {
        let restore = Client::restore(&profile, seed(), None, world.options(), tell);
        tokio::select! {
            _ = restore => panic!("restored without a network"),
            stage = begun.recv() => assert_eq!(stage, Some(RestoreStage::Connecting)),
        }
    }
    assert!(!Client::exists(&profile));
    // The folder is free for the next try.
    let name = DisplayName::parse("Alice").unwrap();
    let client = Client::create(&profile, &name, world.options()).await.unwrap();
    assert_eq!(client.profile().await.unwrap().name, "Alice");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_a_restored_account_asks_for_a_name() {
    let world = World::new().await;
    let alice = world.resting_person("Alice").await;
    world.net.network_down(true);
    let (restored, _) = world.second_device(&alice).await;
    assert_eq!(restored.client.profile().await.unwrap().name, "");
}
