//! What two people tell each other besides what they write, each on two devices: that they type, what they have read,
//! and when what they wrote disappears.

use septet_client::client::Client;
use septet_client::event::Event;
use septet_client::model::{Conversation, Expiry, MessageId, Notice, Page, TypingNow};
use septet_protocol::account::{AccountKeys, parse_recovery};
use septet_protocol::crypto::SystemRandom;
use septet_protocol::id::{Account, Namespace, SessionId};
use septet_protocol::message::{Content, Outgoing, TTL_TYPING_MS, decode_one_to_one, encode_one_to_one};
use septet_protocol::time::Timestamp;

use crate::world::{PATIENCE, Person, With, World};

/// Alice and Bob, who know each other, each on a phone and a laptop.
struct Two {
    world: World,
    alice: Person,
    alices_laptop: Person,
    bob: Person,
    bobs_laptop: Person,
}

impl Two {
    async fn new() -> Self {
        let world = World::new().await;
        let (alice, bob) = world.friends().await;
        for person in [&alice, &bob] {
            assert!(person.client.flush(PATIENCE).await.unwrap());
        }
        let (alices_laptop, bobs_laptop) = (another(&world, &alice).await, another(&world, &bob).await);
        Self { world, alice, alices_laptop, bob, bobs_laptop }
    }

    fn clients(&self) -> [&Client; 4] {
        [&self.alice, &self.alices_laptop, &self.bob, &self.bobs_laptop].map(|person| &person.client)
    }
}

async fn another(world: &World, person: &Person) -> Person {
    let (laptop, _) = world.second_device(person).await;
    laptop.client.sync_once(PATIENCE).await.unwrap();
    laptop
}

async fn keys(person: &Person) -> AccountKeys {
    parse_recovery(&person.client.recovery().await.unwrap().phrase).unwrap().keys()
}

/// What lies in somebody's swarm for them, with how long it is kept, in ms.
async fn stored(world: &World, person: &Person) -> Vec<(Content, u64)> {
    let keys = keys(person).await;
    let stored = world.net.messages_of(&Account::from(person.id()), Namespace::MESSAGES);
    let read = |data: &[u8]| decode_one_to_one(data, &keys).ok();
    stored.iter().filter_map(|it| Some((read(&it.data)?.content, it.expiry - it.timestamp))).collect()
}

/// Waits until something happens.
async fn news(person: &mut Person, awaited: &str) {
    let heard = tokio::time::timeout(PATIENCE, person.hears_of_anything()).await;
    assert!(heard.is_ok(), "{awaited} did not come");
}

/// Waits until somebody is told that the other types, or does not any more.
async fn told(person: &mut Person, from: SessionId, expected: bool) {
    let here = person.client.with(from).await;
    let typing = |event| match event {
        Event::Typing { conversation, from: who, typing } => Some((conversation, who, typing)),
        _ => None,
    };
    assert_eq!(person.waits("that somebody types", typing).await, (here, from, expected));
}

/// Waits for a text and tells whether anybody was typing before it.
async fn typing_before(person: &mut Person, text: &str) -> bool {
    let mut typing = false;
    let heard = |event| match event {
        Event::Typing { .. } => {
            typing = true;
            None
        }
        Event::Message(message) => (message.text == text).then_some(()),
        _ => None,
    };
    person.waits(text, heard).await;
    typing
}

#[tokio::test(flavor = "multi_thread")]
async fn that_somebody_types_is_told_to_who_wants_to_know_and_ends() {
    let mut two = Two::new().await;
    for client in two.clients() {
        assert!(!client.settings().typing_indicators, "off to begin with");
        client.set_typing_indicators(true).await.unwrap();
        assert!(client.settings().typing_indicators);
    }
    let (a, b) = (two.alice.id(), two.bob.id());
    let with_bob = two.alice.client.with(b).await;
    let alice = two.alice.client.clone();

    alice.typing(with_bob, TypingNow::Key);
    told(&mut two.bob, a, true).await;
    told(&mut two.bobs_laptop, a, true).await;
    let kept = stored(&two.world, &two.bob).await;
    let kept: Vec<_> = kept.iter().filter(|(content, _)| matches!(content, Content::Typing(_))).collect();
    assert!(kept.iter().all(|(_, ttl)| *ttl == TTL_TYPING_MS), "{kept:?}");
    two.alice.says(&two.bob, "here it is").await;
    told(&mut two.bob, a, false).await;
    told(&mut two.bobs_laptop, a, false).await;
    let stops = stored(&two.world, &two.bob).await;
    assert!(!stops.iter().any(|(content, _)| *content == Content::Typing(false)), "the message says it");

    for _ in 0..3 {
        alice.typing(with_bob, TypingNow::Key);
    }
    told(&mut two.bob, a, true).await;
    alice.typing(with_bob, TypingNow::Stopped);
    told(&mut two.bob, a, false).await;

    alice.typing(with_bob, TypingNow::Key);
    told(&mut two.bob, a, true).await;
    told(&mut two.bob, a, false).await; // no key was pressed again

    // Symmetric: who switched it off neither sees nor tells.
    two.bobs_laptop.client.set_typing_indicators(false).await.unwrap();
    let Person { client, folder, .. } = two.bobs_laptop;
    two.bobs_laptop = Person::new(client, folder); // what it heard before does not matter
    let laptop = two.bobs_laptop.client.clone();
    laptop.typing(laptop.with(a).await, TypingNow::Key);
    two.bobs_laptop.says(&two.alice, "said nothing").await;
    assert!(!typing_before(&mut two.alice, "said nothing").await);
    assert!(!typing_before(&mut two.alices_laptop, "said nothing").await, "nor that we type ourselves");
    alice.typing(with_bob, TypingNow::Key);
    told(&mut two.bob, a, true).await;
    two.alice.says(&two.bob, "the end").await;
    assert!(!typing_before(&mut two.bobs_laptop, "the end").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_makes_nothing_and_tells_no_stranger() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let carol = world.person("Carol").await;
    for person in [&alice, &bob, &carol] {
        person.client.set_typing_indicators(true).await.unwrap();
    }
    // Somebody says so without being known, and somebody who was blocked does.
    let says = async |from: &Person| {
        let (keys, now) = (keys(from).await, world.net.now());
        let typing = Outgoing::new(Content::Typing(true), Timestamp::from_ms(now));
        let data = encode_one_to_one(&typing, &keys, &bob.id(), &mut SystemRandom).unwrap();
        let account = Account::from(bob.id());
        world.net.deliver(&account, Namespace::MESSAGES, data, now, now + TTL_TYPING_MS);
    };
    let before = conversations(&bob).await;
    says(&carol).await;
    alice.says(&bob, "after Carol").await;
    assert!(!typing_before(&mut bob, "after Carol").await);
    assert_eq!(conversations(&bob).await.len(), before.len());

    // Nobody hears it who has not accepted us.
    alice.writes(&carol, "hello, Carol").await;
    let with_carol = alice.client.with(carol.id()).await;
    for id in [with_carol, alice.client.with(alice.id()).await] {
        alice.client.typing(id, TypingNow::Key);
    }
    assert!(alice.client.flush(PATIENCE).await.unwrap());
    let with_bob = alice.client.with(bob.id()).await;
    alice.client.typing(with_bob, TypingNow::Key);
    told(&mut bob, alice.id(), true).await;
    for person in [&carol, &alice] {
        let lies = stored(&world, person).await;
        assert!(!lies.iter().any(|(content, _)| matches!(content, Content::Typing(_))), "{lies:?}");
    }
}

async fn conversations(person: &Person) -> Vec<Conversation> {
    person.client.conversations().await.unwrap()
}

/// Waits until a message of ours is shown as read.
async fn is_read(person: &mut Person, id: MessageId) {
    while !person.client.message(id).await.unwrap().unwrap().read {
        person.waits("the receipt", |event| matches!(event, Event::Read { .. }).then_some(())).await;
    }
}

fn receipts(stored: &[(Content, u64)]) -> Vec<Vec<Timestamp>> {
    let receipt = |(content, _): &(Content, u64)| match content {
        Content::ReadReceipt(list) => Some(list.clone()),
        _ => None,
    };
    stored.iter().filter_map(receipt).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_is_told_once_and_to_all_devices_of_the_author() {
    let mut two = Two::new().await;
    for client in two.clients() {
        client.set_read_receipts(true).await.unwrap();
    }
    let first = two.alice.says(&two.bob, "one").await;
    two.alice.client.set_expiry(first.conversation, Expiry::AfterSend(86_400)).await.unwrap();
    let second = two.alice.says(&two.bob, "two").await;
    let on_laptop = two.alices_laptop.hears("two").await;
    let heard = two.bob.hears("two").await;
    two.bobs_laptop.hears("two").await;
    two.bob.client.mark_read(heard.conversation, heard.id).await.unwrap();
    is_read(&mut two.alice, second.id).await;
    is_read(&mut two.alice, first.id).await;
    is_read(&mut two.alices_laptop, on_laptop.id).await;
    // The other device learns that it is read, and says nothing: one receipt, without the line about the timer.
    let laptop = two.bobs_laptop.client.clone();
    let there = laptop.with(two.alice.id()).await;
    while laptop.conversation(there).await.unwrap().unwrap().unread > 0 {
        news(&mut two.bobs_laptop, "that it is read").await;
    }
    assert!(laptop.flush(PATIENCE).await.unwrap());
    let told = receipts(&stored(&two.world, &two.alice).await);
    assert_eq!(told, vec![vec![first.timestamp, second.timestamp]]);

    // What is switched off meanwhile is not told any more.
    two.alice.says(&two.bob, "three").await;
    let heard = two.bob.hears("three").await;
    two.bob.client.mark_read(heard.conversation, heard.id).await.unwrap();
    two.bob.client.set_read_receipts(false).await.unwrap();
    assert!(two.bob.client.flush(PATIENCE).await.unwrap());
    assert_eq!(receipts(&stored(&two.world, &two.alice).await).len(), 1);
}

/// The lines about timers that somebody has with another, as `(ours, setting)`.
async fn lines(person: &Person, with: SessionId) -> Vec<(bool, Expiry)> {
    let page = person.client.messages(person.client.with(with).await, Page::Newest, 100).await.unwrap();
    let line = |message: &septet_client::model::Message| match message.notice {
        Some(Notice::ExpiryChanged { expiry }) => Some((message.outgoing, expiry)),
        _ => None,
    };
    page.messages.iter().filter_map(line).collect()
}

async fn setting(person: &Person, with: SessionId) -> Expiry {
    let id = person.client.with(with).await;
    person.client.conversation(id).await.unwrap().unwrap().expiry
}

/// Waits until a device has what was set.
async fn until_set(person: &mut Person, with: SessionId, expiry: Expiry) {
    while setting(person, with).await != expiry {
        news(person, "the setting").await;
    }
}

/// Waits until a device shows just these lines.
async fn until_lines(person: &mut Person, with: SessionId, expected: &[(bool, Expiry)]) {
    while lines(person, with).await != expected {
        let shown = lines(person, with).await;
        news(person, &format!("{expected:?} instead of {shown:?}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_holds_for_ones_own_messages_on_all_ones_devices() {
    let mut two = Two::new().await;
    let (a, b) = (two.alice.id(), two.bob.id());
    let with_bob = two.alice.client.with(b).await;
    let (day, hour) = (Expiry::AfterSend(86_400), Expiry::AfterRead(3600));
    two.alice.client.set_expiry(with_bob, day).await.unwrap();
    two.alice.client.set_expiry(with_bob, hour).await.unwrap();
    // Only the newest line of each stays, also where both came.
    for (person, other, ours) in [
        (&mut two.alice, b, true),
        (&mut two.alices_laptop, b, true),
        (&mut two.bob, a, false),
        (&mut two.bobs_laptop, a, false),
    ] {
        until_lines(person, other, &[(ours, hour)]).await;
    }
    until_set(&mut two.alices_laptop, b, hour).await;
    for person in [&two.bob, &two.bobs_laptop] {
        assert_eq!(setting(person, a).await, Expiry::Off, "it holds for whoever set it");
    }
    let there = two.alices_laptop.client.with(b).await;
    let said = two.alices_laptop.says(&two.bob, "from the laptop").await;
    assert_eq!((said.conversation, said.expiry), (there, hour));
    let heard = two.bob.hears("from the laptop").await;
    assert_eq!((heard.expiry, heard.expires_at), (hour, None), "it counts from reading");
    let copy = two.alice.hears("from the laptop").await;
    assert_eq!(copy.expires_at, Some(copy.timestamp + 3_600_000), "ours counts from sending");

    // Bob follows; his lines stand beside hers, and hers stays as it is.
    two.bobs_laptop.client.set_expiry(two.bobs_laptop.client.with(a).await, hour).await.unwrap();
    until_set(&mut two.bob, a, hour).await;
    until_lines(&mut two.alice, b, &[(true, hour), (false, hour)]).await;
    two.bob.client.mark_read(heard.conversation, heard.id).await.unwrap();
    let read = two.bob.client.message(heard.id).await.unwrap().unwrap();
    let end = read.expires_at.unwrap();
    assert!(end >= heard.timestamp + 3_600_000);
    // The other device takes over when it was read, though it hears of it later.
    let on_laptop = two.bobs_laptop.client.messages(two.bobs_laptop.client.with(a).await, Page::Newest, 100);
    let on_laptop = on_laptop.await.unwrap().messages;
    let on_laptop = on_laptop.iter().find(|message| message.text == "from the laptop").unwrap().id;
    loop {
        let there = two.bobs_laptop.client.message(on_laptop).await.unwrap().unwrap();
        if there.expires_at.is_some_and(|at| at <= end) {
            break;
        }
        news(&mut two.bobs_laptop, "the earlier end").await;
    }

    // Notes to oneself: after sending, whatever is asked.
    let note = two.alice.client.with(a).await;
    assert!(two.alice.client.set_expiry(note, hour).await.is_err());
    two.alice.client.set_expiry(note, day).await.unwrap();
    until_set(&mut two.alices_laptop, a, day).await;
    let own = two.alice.writes(&two.alice, "a note").await;
    let own = two.alice.client.wait_sent(own, PATIENCE).await.unwrap();
    let copy = two.alices_laptop.hears("a note").await;
    assert_eq!((own.expiry, copy.expiry), (day, day));
    assert_eq!(copy.expires_at, Some(copy.timestamp + 86_400_000));
}
