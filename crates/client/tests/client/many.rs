//! Many messages, many people. How long it takes is printed and judged nowhere: a busy machine is no defect.

use std::time::Instant;

use septet_protocol::account::{DisplayName, Seed};
use septet_protocol::crypto::SystemRandom;
use septet_protocol::id::{Account, Namespace, SessionId};
use septet_protocol::message::{Content, Outgoing, Visible, encode_one_to_one};
use septet_protocol::time::Timestamp;

use crate::world::{PATIENCE, With, World};

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_waiting_messages_are_fetched() {
    const COUNT: u64 = 10_000;
    let world = World::new().await;
    let bob = world.resting_person("Bob").await;
    let sender = Seed::generate(&mut SystemRandom).keys();
    let now = world.net.now();
    let account = Account::from(bob.id());
    for number in 0..COUNT {
        let content = Content::Visible(Visible { body: format!("message {number}"), ..Visible::default() });
        let outgoing = Outgoing::new(content, Timestamp::from_ms(now - COUNT + number));
        let data = encode_one_to_one(&outgoing, &sender, &bob.id(), &mut SystemRandom).unwrap();
        world.net.deliver(&account, Namespace::MESSAGES, data, now, now + 1_000_000_000);
    }
    let start = Instant::now();
    bob.client.sync_once(PATIENCE).await.unwrap();
    println!("{COUNT} waiting messages: {:?}", start.elapsed());
    let unread =
        bob.client.conversation(bob.client.with(sender.session_id).await).await.unwrap().unwrap().unread;
    assert_eq!(u64::from(unread), COUNT);
    let texts = bob.texts(sender.session_id).await;
    assert_eq!(texts.first().map(String::as_str), Some("message 0"));
    assert_eq!(texts.last().map(String::as_str), Some("message 9999"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_contacts_are_restored() {
    const COUNT: u32 = 1000;
    let world = World::new().await;
    let alice = world.resting_person("Alice").await;
    for number in 0..COUNT {
        let mut id = [7; 32];
        id[..4].copy_from_slice(&number.to_le_bytes());
        let nickname = DisplayName::parse(&format!("Contact number {number}")).unwrap();
        alice.client.set_nickname(alice.client.with(SessionId(id)).await, Some(nickname)).await.unwrap();
    }
    alice.client.sync_once(PATIENCE).await.unwrap();
    let start = Instant::now();
    let (restored, _) = world.second_device(&alice).await;
    let taken = start.elapsed();
    println!("{COUNT} contacts restored: {taken:?}");
    assert_eq!(restored.client.conversations().await.unwrap().len(), COUNT as usize);
}
