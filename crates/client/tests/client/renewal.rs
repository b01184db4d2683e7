//! What a network forgets with time stays, however long nobody changes it: our display picture, our configs.

use std::time::Duration;

use septet_devnet::FileServerKind;
use septet_protocol::id::{Account, Namespace};

use crate::sync::{look, name, picture, sees_picture};
use crate::world::{PATIENCE, Person, With, World};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Waits until `wanted` is so.
async fn until(what: &str, mut wanted: impl FnMut() -> bool) {
    let wait = async {
        while !wanted() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "{what}");
}

/// Alice with a picture that everybody has, and Bob.
async fn pictured(world: &World) -> (Person, Person) {
    let (mut alice, mut bob) = world.friends().await;
    alice.client.set_picture(Some(picture())).await.unwrap();
    let (with_alice, own) = (alice.id(), alice.id());
    sees_picture(&mut alice, own).await;
    alice.says(&bob, "look").await;
    bob.hears("look").await;
    sees_picture(&mut bob, with_alice).await;
    assert!(alice.client.flush(PATIENCE).await.unwrap());
    (alice, bob)
}

#[tokio::test(flavor = "multi_thread")]
async fn configs_that_nobody_changes_outlive_their_month() {
    let world = World::new().await;
    let (mut alice, bob) = world.friends().await;
    assert!(alice.client.flush(PATIENCE).await.unwrap());
    bob.client.stop().await;
    let me = Account::from(alice.id());
    let stored = || {
        let namespaces = [Namespace::USER_PROFILE, Namespace::CONTACTS];
        namespaces.into_iter().flat_map(|it| world.net.messages_of(&me, it)).collect::<Vec<_>>()
    };
    let first: Vec<_> = stored().iter().map(|message| message.hash).collect();
    for month in 1..=3 {
        world.net.set_clock_offset(month * 25 * DAY_MS);
        world.net.sweep();
        alice = world.reopen(alice).await;
        let wanted = world.net.now() + 29 * DAY_MS as u64;
        until("they are not kept longer", || stored().iter().all(|message| message.expiry > wanted)).await;
    }
    assert_eq!(
        stored().iter().map(|message| message.hash).collect::<Vec<_>>(),
        first,
        "the same all the time"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_can_keep_the_picture_longer_is_asked_every_day() {
    let world = World::new().await;
    let (alice, bob) = pictured(&world).await;
    bob.client.stop().await;
    let file = || world.net.files().into_iter().next().unwrap();
    let (first, begun) = (file().0, file().1.expires);
    let stored = world.net.requests().get("store").copied();
    world.net.set_clock_offset(2 * DAY_MS);
    let alice = world.reopen(alice).await;
    until("the file is not kept longer", || file().1.expires >= begun + 2 * DAY_MS as u64 - 60_000).await;
    assert_eq!((world.net.files().len(), file().0), (1, first.clone()));
    alice.client.sync_once(PATIENCE).await.unwrap();
    assert_eq!(world.net.requests().get("store").copied(), stored, "nobody has to be told");
    // Much later it is gone, and comes back: the same bytes, so the server gives them the same name.
    world.net.set_clock_offset(20 * DAY_MS);
    world.net.sweep();
    assert!(world.net.files().is_empty());
    let alice = world.reopen(alice).await;
    until("the picture does not come back", || !world.net.files().is_empty()).await;
    assert_eq!(file().0, first);
    assert!(alice.client.flush(PATIENCE).await.unwrap());
    let (mut second, _) = world.second_device(&alice).await;
    second.client.start();
    let own = second.id();
    assert_eq!(sees_picture(&mut second, own).await, (400, 400));
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_server_that_cannot_the_picture_moves_on_before_it_is_gone() {
    let world = World::with_files(FileServerKind::OpenSource).await;
    let (alice, bob) = pictured(&world).await;
    let (second, _) = world.second_device(&alice).await;
    second.client.stop().await;
    world.net.set_clock_offset(11 * DAY_MS);
    let alice = world.reopen(alice).await;
    alice.client.sync_once(PATIENCE).await.unwrap();
    assert_eq!(world.net.files().len(), 1, "not yet");

    world.net.set_clock_offset(13 * DAY_MS);
    let alice = world.reopen(alice).await;
    until("it is not uploaded anew", || world.net.files().len() == 2).await;
    // The old file goes, the picture stays for everybody; a device that changes the name does not bring it back.
    world.net.set_clock_offset(22 * DAY_MS);
    world.net.sweep();
    let mut alice = world.reopen(alice).await;
    alice.client.set_name(name("Alice B")).await.unwrap();
    assert!(alice.client.flush(PATIENCE).await.unwrap());
    let own = alice.id();
    assert_eq!(sees_picture(&mut alice, own).await, (400, 400));
    let (mut third, _) = world.second_device(&alice).await;
    third.client.start();
    assert_eq!(sees_picture(&mut third, own).await, (400, 400));
    let mut bob = world.reopen(bob).await;
    alice.says(&bob, "still me").await;
    bob.hears("still me").await;
    let carol = world.person("Carol").await;
    alice.says(&carol, "me too").await;
    let mut carol = carol;
    carol.hears("me too").await;
    carol.client.accept(carol.client.with(own).await).await.unwrap();
    assert_eq!(sees_picture(&mut carol, own).await, (400, 400));
    assert_eq!(look(&bob, own).await.name, "Alice B");
}
