//! Networks that misbehave: every message still arrives once, or waits.

use std::time::Duration;

use septet_client::event::Event;
use septet_client::model::{ConnectionState, MessageState};
use septet_devnet::{Fault, FileFault};
use septet_protocol::id::{Account, Ed25519Public, Namespace};

use crate::world::{PATIENCE, Person, With, World};

/// Both write ten messages each; all must arrive once and in order.
async fn talk(alice: &mut Person, bob: &mut Person) {
    let mut written = Vec::new();
    for number in 0..10 {
        written.push((alice.client.clone(), alice.writes(bob, &format!("a{number}")).await));
        written.push((bob.client.clone(), bob.writes(alice, &format!("b{number}")).await));
    }
    for number in 0..10 {
        bob.hears(&format!("a{number}")).await;
        alice.hears(&format!("b{number}")).await;
    }
    for (client, id) in written {
        assert_eq!(client.wait_sent(id, PATIENCE).await.unwrap().state, MessageState::Sent);
    }
    for (me, other) in [(&*alice, &*bob), (&*bob, &*alice)] {
        let texts = me.texts(other.id()).await;
        for letter in ["a", "b"] {
            let said: Vec<&String> = texts.iter().filter(|text| text.starts_with(letter)).collect();
            let expected: Vec<String> = (0..10).map(|number| format!("{letter}{number}")).collect();
            assert_eq!(said, expected.iter().collect::<Vec<_>>());
        }
    }
}

/// A node of one of Alice's paths: 0 is the guard.
fn hop(person: &Person, number: usize) -> Ed25519Public {
    person.client.connection().paths[0][number].ed25519.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_guard_is_replaced() {
    let world = World::new().await;
    let (mut alice, mut bob) = world.friends().await;
    world.net.node(&hop(&alice, 0)).unwrap().set_fault(Fault::Dead);
    talk(&mut alice, &mut bob).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_middle_hop_is_gone_round() {
    let world = World::new().await;
    let (mut alice, mut bob) = world.friends().await;
    world.net.node(&hop(&alice, 1)).unwrap().set_fault(Fault::Frozen);
    talk(&mut alice, &mut bob).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_dead_members_of_seven_lose_nothing() {
    let world = World::new().await;
    let (mut alice, mut bob) = world.friends().await;
    for node in world.net.swarm_of(&Account::from(bob.id())).iter().take(2) {
        node.set_fault(Fault::Dead);
    }
    talk(&mut alice, &mut bob).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_left_the_swarm_redirect() {
    let world = World::new().await;
    let (mut alice, mut bob) = world.friends().await;
    let swarm = world.net.swarm_of(&Account::from(bob.id()));
    swarm[0].set_fault(Fault::LeftSwarm);
    swarm[1].set_fault(Fault::LeftSwarm);
    swarm[2].set_fault(Fault::LeftSwarmSilently);
    talk(&mut alice, &mut bob).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_and_wrong_signatures_are_not_believed() {
    let world = World::new().await;
    let (mut alice, mut bob) = world.friends().await;
    let swarm = world.net.swarm_of(&Account::from(bob.id()));
    swarm[0].set_fault(Fault::Nonsense);
    swarm[1].set_fault(Fault::WrongSignature);
    swarm[2].set_fault(Fault::Garbage);
    talk(&mut alice, &mut bob).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_an_hour_ahead_is_followed() {
    let world = World::new().await;
    world.net.set_clock_offset(3_600_000);
    let (mut alice, mut bob) = world.friends().await;
    talk(&mut alice, &mut bob).await;
    let ahead = alice.client.now().as_ms().abs_diff(world.net.now());
    assert!(ahead < 60_000, "{ahead} ms off");
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_garbage_in_the_swarm_is_skipped() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let account = Account::from(bob.id());
    let now = world.net.now();
    for data in [vec![], vec![0; 500], b"not a message".to_vec(), vec![0xff; 76_000]] {
        world.net.deliver(&account, Namespace::MESSAGES, data, now, now + 1_000_000);
    }
    alice.says(&bob, "after the garbage").await;
    bob.hears("after the garbage").await;
    assert_eq!(bob.texts(alice.id()).await, ["hi", "hello", "after the garbage"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_wait_while_the_network_is_gone() {
    let world = World::new().await;
    let (mut alice, mut bob) = world.friends().await;
    world.net.network_down(true);
    let first = alice.writes(&bob, "one").await;
    let second = alice.writes(&bob, "two").await;
    alice
        .waits("offline", |event| match event {
            Event::Connection(connection) => (connection.state == ConnectionState::Offline).then_some(()),
            _ => None,
        })
        .await;
    assert_eq!(alice.state(first).await, MessageState::Sending);
    assert_eq!(alice.state(second).await, MessageState::Sending);
    world.net.network_down(false);
    bob.hears("one").await;
    bob.hears("two").await;
    assert_eq!(alice.client.wait_sent(second, PATIENCE).await.unwrap().state, MessageState::Sent);
    assert_eq!(bob.texts(alice.id()).await, ["hi", "hello", "one", "two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_a_sync_ends_in_time() {
    let world = World::new().await;
    let alice = world.resting_person("Alice").await;
    world.net.network_down(true);
    let ended = alice.client.sync_once(Duration::from_secs(2)).await;
    assert_eq!(ended, Err(septet_client::client::ClientError::Offline));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_network_refuses_fails_and_can_be_sent_again() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let swarm = world.net.swarm_of(&Account::from(bob.id()));
    for node in &swarm {
        node.set_fault(Fault::Answers(400, "no".to_owned()));
    }
    let failed = alice.says(&bob, "again").await;
    assert_eq!(failed.state, MessageState::Failed);
    assert!(failed.failure.is_some());
    world.net.clear_all_faults();
    alice.client.resend(failed.id).await.unwrap();
    assert_eq!(alice.client.wait_sent(failed.id, PATIENCE).await.unwrap().state, MessageState::Sent);
    bob.hears("again").await;
    assert_eq!(bob.texts(alice.id()).await, ["hi", "hello", "again"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_waits_for_the_file_server() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    world.net.set_file_fault(FileFault::Broken);
    let file = septet_client::model::OutgoingFile::Bytes {
        name: "data.bin".to_owned(),
        content_type: "application/octet-stream".to_owned(),
        bytes: vec![1; 1000],
    };
    let draft = septet_client::model::Draft { files: vec![file], ..Default::default() };
    let to = bob.id();
    let id = alice.client.send(alice.client.with(to).await, draft).await.unwrap();
    let waits = alice.client.wait_sent(id, Duration::from_secs(3)).await;
    assert!(waits.is_err(), "{waits:?}");
    world.net.clear_file_faults();
    assert_eq!(alice.client.wait_sent(id, PATIENCE).await.unwrap().state, MessageState::Sent);
    let heard = bob.next_message().await;
    assert_eq!(bob.receives(&heard.attachments[0]).await, vec![1; 1000]);
}
