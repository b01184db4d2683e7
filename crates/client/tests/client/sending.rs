//! What happens to something written until everybody has it: waiting, taken back, refused.

use septet_client::event::Event;
use septet_client::model::{ConnectionState, MessageId};

use crate::world::{PATIENCE, Person, With, World};

/// How far the network's clock moves while somebody is away, in ms: longer than the age from which on a message that
/// was never tried gets a new date, and than what configs make outdated (spec 02 §21.5).
const AWAY_MS: i64 = 10 * 60 * 1000;

/// Waits until a person's program knows that there is no network.
async fn until_offline(person: &mut Person) {
    let offline = |event| match event {
        Event::Connection(connection) => (connection.state == ConnectionState::Offline).then_some(()),
        _ => None,
    };
    person.waits("offline", offline).await;
}

/// Bob writes something to Alice without a network, and is away until it is ten minutes later; then there is one again.
async fn writes_and_is_away(
    world: &World,
    mut bob: Person,
    alice: &Person,
    text: &str,
) -> (Person, MessageId) {
    world.net.network_down(true);
    until_offline(&mut bob).await;
    let id = bob.writes(alice, text).await;
    let Person { client, folder, .. } = bob;
    client.stop().await;
    // His machine is started anew, or its clock would prove that no ten minutes went by.
    std::fs::remove_file(folder.path().join("profile/network/clock")).unwrap();
    let bob = world.open(folder).await;
    world.net.set_clock_offset(AWAY_MS);
    world.net.network_down(false);
    (bob, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_without_a_network_is_not_dropped_because_contacts_changed_meanwhile() {
    let world = World::new().await;
    let (mut alice, bob) = world.friends().await;
    let (bob, _) = writes_and_is_away(&world, bob, &alice, "are you there?").await;
    alice.client.delete_contact(alice.client.with(bob.id()).await).await.unwrap();
    // Published, and heard of by all members of her swarm.
    for _ in 0..3 {
        alice.client.sync_once(PATIENCE).await.unwrap();
    }
    bob.client.start();
    let heard = alice.hears("are you there?").await;
    assert!(heard.timestamp.as_ms().abs_diff(world.net.now()) < 60_000, "dated when it went out");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_without_a_network_comes_in_unread_and_after_what_was_said_meanwhile() {
    let world = World::new().await;
    let (mut alice, bob) = world.friends().await;
    let (bob, late) = writes_and_is_away(&world, bob, &alice, "are you there?").await;
    alice.client.sync_once(PATIENCE).await.unwrap();
    alice.says(&bob, "I am waiting").await;
    bob.client.start();
    let heard = alice.hears("are you there?").await;
    let with_bob = alice.client.conversation(heard.conversation).await.unwrap().unwrap();
    assert_eq!(with_bob.unread, 1);
    assert_eq!(alice.texts(bob.id()).await.last().map(String::as_str), Some("are you there?"));
    let sent = bob.client.wait_sent(late, PATIENCE).await.unwrap();
    assert_eq!((sent.timestamp, sent.sorted_at), (heard.timestamp, heard.timestamp));
}
