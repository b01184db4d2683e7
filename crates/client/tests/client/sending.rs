//! What happens to something written until everybody has it: waiting, taken back, refused.

use septet_client::client::{ClientError, SendError};
use septet_client::event::Event;
use septet_client::model::{ConnectionState, Draft, MessageId, MessageState, OutgoingFile};
use septet_devnet::FileFault;
use septet_protocol::id::{Account, Namespace, SessionId};

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

/// Everybody sends what is to be sent, and has what was sent.
async fn settle(people: &[&Person]) {
    for person in people {
        assert!(person.client.flush(PATIENCE).await.unwrap());
    }
    for person in people {
        person.client.sync_once(PATIENCE).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cancelled_before_anything_of_it_left_was_never_there() {
    let world = World::new().await;
    let (mut alice, bob) = world.friends().await;
    settle(&[&alice, &bob]).await;
    let stored = || world.net.messages_of(&Account::from(bob.id()), Namespace::MESSAGES).len();
    let before = stored();
    world.net.network_down(true);
    until_offline(&mut alice).await;
    let (first, second) = (alice.writes(&bob, "no").await, alice.writes(&bob, "not that either").await);
    alice.writes(&bob, "but this").await;
    alice.client.cancel(first).await.unwrap();
    alice.client.delete_for_everyone(second).await.unwrap();
    world.net.network_down(false);
    settle(&[&alice, &bob]).await;
    for (one, other) in [(&alice, &bob), (&bob, &alice)] {
        assert_eq!(one.texts(other.id()).await, ["hi", "hello", "but this"]);
    }
    assert_eq!(stored() - before, 1, "nobody was asked to delete what he could not have");
}

/// Alice writes to somebody, and takes it back while it is on its way; what both then show of her devices and his.
async fn taken_back_on_its_way(to_self: bool, everywhere: bool) -> [Vec<String>; 3] {
    let world = World::new().await;
    let (alice, bob) = world.friends().await;
    let (laptop, _) = world.second_device(&alice).await;
    laptop.client.start();
    let to = if to_self { &alice } else { &bob };
    // From now on nothing of what the devices share changes by writing: what is held is the message.
    alice.says(to, "before").await;
    settle(&[&alice, &laptop, &bob]).await;
    let hold = world.net.hold("store");
    let id = alice.writes(to, "a mistake").await;
    tokio::time::timeout(PATIENCE, hold.until_held(1)).await.unwrap();
    match everywhere {
        true => alice.client.delete_for_everyone(id).await.unwrap(),
        false => alice.client.cancel(id).await.unwrap(),
    }
    drop(hold);
    for _ in 0..2 {
        settle(&[&alice, &laptop, &bob]).await;
    }
    let (id, other) = (to.id(), if to_self { bob.id() } else { alice.id() });
    [alice.texts(id).await, laptop.texts(id).await, bob.texts(other).await]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cancelled_on_its_way_is_deleted_where_it_arrives() {
    let [alice, laptop, bob] = taken_back_on_its_way(false, false).await;
    assert_eq!(alice, ["hi", "hello", "before"]);
    assert_eq!(laptop, ["hi", "hello", "before"]);
    assert_eq!(bob, ["hi", "hello", "before", ""], "its place is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_for_everyone_on_its_way_is_deleted_everywhere() {
    let [alice, laptop, bob] = taken_back_on_its_way(false, true).await;
    assert_eq!(alice, ["hi", "hello", "before", ""]);
    assert_eq!(laptop, ["hi", "hello", "before"]);
    assert_eq!(bob, ["hi", "hello", "before", ""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_taken_back_on_its_way_comes_to_no_device() {
    for everywhere in [false, true] {
        let [alice, laptop, _] = taken_back_on_its_way(true, everywhere).await;
        assert_eq!((alice, laptop), (vec!["before".to_owned()], vec!["before".to_owned()]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_refused_fails_its_message_and_nothing_behind_it() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    world.net.set_file_fault(FileFault::RefusesUploads(403));
    let file = OutgoingFile::Bytes {
        name: "data.bin".to_owned(),
        content_type: "application/octet-stream".to_owned(),
        bytes: vec![1; 1000],
    };
    let with_bob = alice.client.with(bob.id()).await;
    let draft = Draft { files: vec![file], ..Draft::default() };
    let refused = alice.client.send(with_bob, draft).await.unwrap();
    alice.says(&bob, "and a text").await;
    bob.hears("and a text").await;
    let failed = alice.client.wait_sent(refused, PATIENCE).await.unwrap();
    assert_eq!(failed.state, MessageState::Failed);
    assert_eq!(failed.failure.as_deref(), Some("The file server does not take data.bin."));
    // Nothing of it was out: sent again, it goes as if it were written now.
    world.net.clear_file_faults();
    alice.client.resend(refused).await.unwrap();
    assert_eq!(alice.client.wait_sent(refused, PATIENCE).await.unwrap().state, MessageState::Sent);
    let heard = bob.next_message().await;
    assert_eq!(bob.receives(&heard.attachments[0]).await, vec![1; 1000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_leaves_no_trace() {
    let world = World::new().await;
    let alice = world.person("Alice").await;
    // No key has this point.
    let nobody = SessionId([0; 32]);
    let with_nobody = alice.client.with(nobody).await;
    let draft = Draft { text: "hello?".to_owned(), ..Draft::default() };
    alice.client.set_draft(with_nobody, draft.clone()).await.unwrap();
    let refused = alice.client.send(with_nobody, draft).await.unwrap_err();
    assert!(matches!(refused, SendError::Client(ClientError::Unsendable(_))), "{refused}");
    assert!(alice.texts(nobody).await.is_empty());
    let it = alice.client.conversation(with_nobody).await.unwrap().unwrap();
    let draft = it.draft.as_ref().map(|draft| draft.text.as_str());
    assert_eq!((draft, it.approved, it.last_message.is_none()), (Some("hello?"), false, true));
    assert!(alice.client.flush(PATIENCE).await.unwrap());
}
