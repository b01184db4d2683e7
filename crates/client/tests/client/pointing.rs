//! What points at a message (reactions, answers, wishes to delete it) between two accounts with two devices each.

use std::time::Duration;

use septet_client::model::{Draft, Message, MessageId, Page, Reaction};
use septet_protocol::id::{Account, Namespace, SessionId};

use crate::world::{PATIENCE, Person, With, World};

/// Alice and Bob, each with a phone and a desktop, and what they have said so far.
struct Four {
    world: World,
    alice: [Person; 2],
    bob: [Person; 2],
}

impl Four {
    async fn new() -> Self {
        let world = World::new().await;
        let (alice, bob) = world.friends().await;
        let (desktop, _) = world.second_device(&alice).await;
        desktop.client.start();
        let (laptop, _) = world.second_device(&bob).await;
        laptop.client.start();
        Self { world, alice: [alice, desktop], bob: [bob, laptop] }
    }

    /// Alice says something; it as each of the four has it.
    async fn said(&mut self, text: &str) -> Said {
        let sent = self.alice[0].says(&self.bob[0], text).await;
        let bob = self.bob[0].id();
        let copy = found(&mut self.alice[1], bob, text).await;
        let alice = self.alice[0].id();
        let heard = found(&mut self.bob[0], alice, text).await;
        let laptop = found(&mut self.bob[1], alice, text).await;
        // The hash of our own copy is known once it came back.
        let sent = until(&mut self.alice[0], sent.id, "the copy's hash", |it| it.hash.is_some()).await;
        Said { alice: [sent.id, copy.id], bob: [heard.id, laptop.id] }
    }

    /// Waits until all four have the message in this state.
    async fn all(&mut self, said: &Said, what: &str, wanted: impl Fn(&Message) -> bool + Copy) {
        for (person, id) in self.alice.iter_mut().chain(&mut self.bob).zip(said.alice.iter().chain(&said.bob))
        {
            until(person, *id, what, wanted).await;
        }
    }
}

/// The numbers of one message on all devices.
struct Said {
    alice: [MessageId; 2],
    bob: [MessageId; 2],
}

/// Waits until a message is as wanted.
async fn until(person: &mut Person, id: MessageId, what: &str, wanted: impl Fn(&Message) -> bool) -> Message {
    loop {
        if let Some(message) = person.client.message(id).await.unwrap().filter(&wanted) {
            return message;
        }
        person.waits(what, Some).await;
    }
}

/// Waits until a message is gone without a trace.
async fn until_gone(person: &mut Person, id: MessageId) {
    while person.client.message(id).await.unwrap().is_some() {
        person.waits("the end of a message", Some).await;
    }
}

/// Waits until there is a message with this text in the conversation with somebody.
async fn found(person: &mut Person, with: SessionId, text: &str) -> Message {
    loop {
        let conversation = person.client.with(with).await;
        let page = person.client.messages(conversation, Page::Newest, 100).await.unwrap();
        if let Some(message) = page.messages.into_iter().find(|message| message.text == text) {
            return message;
        }
        person.waits(text, Some).await;
    }
}

fn reactions(message: &Message) -> Vec<(&str, &[SessionId])> {
    message.reactions.iter().map(|Reaction { emoji, from }| (emoji.as_str(), from.as_slice())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_is_seen_and_taken_back_on_all_devices() {
    let mut four = Four::new().await;
    let said = four.said("shall we?").await;
    let (alice, bob) = (four.alice[0].id(), four.bob[0].id());
    four.bob[1].client.react(said.bob[1], "😂", false).await.unwrap();
    four.all(&said, "Bob's reaction", |it| reactions(it) == [("😂", &[bob][..])]).await;
    // The same again changes nothing; another one beside it does.
    four.bob[0].client.react(said.bob[0], "😂", false).await.unwrap();
    four.alice[1].client.react(said.alice[1], "😂", false).await.unwrap();
    four.all(&said, "Alice's reaction", |it| {
        let mut it = it.reactions.clone();
        it.iter_mut().for_each(|reaction| reaction.from.sort());
        let mut both = vec![alice, bob];
        both.sort();
        it == [Reaction { emoji: "😂".into(), from: both }]
    })
    .await;
    four.bob[0].client.react(said.bob[0], "😂", true).await.unwrap();
    four.all(&said, "the reaction's end", |it| reactions(it) == [("😂", &[alice][..])]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_twenty_first_reaction_in_a_minute_is_refused_also_in_a_new_program() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let sent = alice.says(&bob, "count me").await;
    let heard = bob.hears("count me").await;
    assert_eq!(sent.text, heard.text);
    for number in 0..20 {
        bob.client.react(heard.id, "👍", number % 2 == 1).await.unwrap();
    }
    let error = bob.client.react(heard.id, "👍", false).await.unwrap_err();
    assert!(error.to_string().starts_with("slow down"), "{error}");
    let bob = world.rest(bob).await;
    assert!(bob.client.react(heard.id, "👍", false).await.is_err());
    assert_eq!(&bob.client.recent_emoji().await.unwrap()[..3], ["👍", "😂", "🥰"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_finds_what_it_answers_on_all_devices_until_that_is_deleted() {
    let mut four = Four::new().await;
    let said = four.said("who brings the stove?").await;
    let conversation = four.bob[0].client.with(four.alice[0].id()).await;
    let draft = Draft { text: "me".into(), reply_to: Some(said.bob[0]), ..Draft::default() };
    let id = four.bob[0].client.send(conversation, draft).await.unwrap();
    four.bob[0].client.wait_sent(id, PATIENCE).await.unwrap();
    let (alice, bob) = (four.alice[0].id(), four.bob[0].id());
    let mut answers = Vec::new();
    let ([phone, desktop], [handset, laptop]) = (&mut four.alice, &mut four.bob);
    for (person, with, target) in [
        (phone, bob, said.alice[0]),
        (desktop, bob, said.alice[1]),
        (handset, alice, said.bob[0]),
        (laptop, alice, said.bob[1]),
    ] {
        let answer = found(person, with, "me").await;
        let quote = answer.quote.clone().unwrap();
        assert_eq!(
            (quote.author, quote.message, quote.text.as_str()),
            (alice, Some(target), "who brings the stove?")
        );
        answers.push(answer.id);
    }
    four.alice[0].client.delete_for_everyone(said.alice[0]).await.unwrap();
    four.all(&said, "the end of what is answered", |it| it.deleted).await;
    for (person, answer) in four.alice.iter().chain(&four.bob).zip(answers) {
        let quote = person.client.message(answer).await.unwrap().unwrap().quote.unwrap();
        assert_eq!((quote.message, quote.text.as_str()), (None, ""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_are_deleted_everywhere_with_all_that_hangs_on_them_and_leave_both_swarms() {
    let mut four = Four::new().await;
    let one = four.said("one").await;
    let two = four.said("two").await;
    let (alice, bob) = (four.alice[0].id(), four.bob[0].id());
    four.bob[0].client.react(one.bob[0], "🎉", false).await.unwrap();
    four.all(&one, "the reaction", |it| !it.reactions.is_empty()).await;
    let mut hashes = Vec::new();
    for (person, id) in [(&four.alice[0], one.alice[0]), (&four.alice[0], two.alice[0])] {
        hashes.push((alice, person.client.message(id).await.unwrap().unwrap().hash.unwrap()));
    }
    for id in one.bob[..1].iter().chain(&two.bob[..1]) {
        hashes.push((bob, four.bob[0].client.message(*id).await.unwrap().unwrap().hash.unwrap()));
    }
    four.alice[0].client.delete_all_for_everyone(&[one.alice[0], two.alice[0]]).await.unwrap();
    let gone = |it: &Message| it.deleted && !it.deleted_here && it.text.is_empty() && it.reactions.is_empty();
    four.all(&one, "the first's end", gone).await;
    four.all(&two, "the second's end", gone).await;
    for (owner, hash) in hashes {
        let there = || {
            let stored = four.world.net.messages_of(&Account::from(owner), Namespace::MESSAGES);
            stored.iter().any(|message| message.hash == hash)
        };
        let left = async {
            while there() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, left).await.expect("a copy stays in a swarm");
    }
    // Again: what is only a place has no more to lose than that.
    assert!(four.alice[0].client.delete_for_everyone(one.alice[0]).await.is_err());
    four.alice[0].client.delete_message(one.alice[0]).await.unwrap();
    assert!(four.alice[0].client.message(one.alice[0]).await.unwrap().is_none());
    // Not Bob's to take back, not even one of several.
    let error = four.bob[0].client.delete_all_for_everyone(&[two.bob[0]]).await.unwrap_err();
    assert!(error.to_string().contains("of your own"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_on_this_device_is_deleted_on_no_other_and_can_be_undone_for_a_moment() {
    let mut four = Four::new().await;
    let said = four.said("keep it to yourself").await;
    let hidden = four.bob[0].client.delete_for_now(&[said.bob[0]]).await.unwrap();
    assert_eq!(hidden, [said.bob[0]]);
    let place = until(&mut four.bob[0], said.bob[0], "the place", |it| it.deleted).await;
    assert!(place.deleted_here && place.text.is_empty());
    four.bob[0].client.undo_delete(&hidden).await.unwrap();
    assert_eq!(four.bob[0].client.message(said.bob[0]).await.unwrap().unwrap().text, "keep it to yourself");
    // Once more, and the program ends: it is deleted.
    four.bob[0].client.delete_for_now(&[said.bob[0]]).await.unwrap();
    let [phone, mut laptop] = four.bob;
    let phone = four.world.crash(phone).await;
    phone.client.undo_delete(&[said.bob[0]]).await.unwrap();
    assert!(phone.client.message(said.bob[0]).await.unwrap().unwrap().deleted_here);
    phone.client.start();
    // Another word from Alice comes after whatever the phone may have sent.
    four.alice[0].says(&laptop, "still there?").await;
    laptop.hears("still there?").await;
    for (person, id) in
        [(&laptop, said.bob[1]), (&four.alice[0], said.alice[0]), (&four.alice[1], said.alice[1])]
    {
        assert_eq!(person.client.message(id).await.unwrap().unwrap().text, "keep it to yourself");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_its_time_is_over_what_was_deleted_here_goes_with_its_files() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    alice.hands(&bob, "plan.txt", b"meet at noon".to_vec()).await;
    let heard = bob.next_message().await;
    bob.client.download(heard.attachments[0].id).await.unwrap();
    bob.receives(&heard.attachments[0]).await;
    let file = heard.attachments[0].id;
    let hidden = bob.client.delete_for_now(&[heard.id]).await.unwrap();
    bob.client.undo_delete(&hidden).await.unwrap();
    assert_eq!(bob.client.attachment_bytes(file).await.unwrap().to_vec(), b"meet at noon");
    bob.client.delete_for_now(&[heard.id]).await.unwrap();
    let over = async {
        while bob.client.attachment_bytes(file).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, over).await.expect("the file stays for ever");
    bob.client.undo_delete(&hidden).await.unwrap();
    assert!(bob.client.message(heard.id).await.unwrap().unwrap().deleted_here);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_goes_from_all_devices_without_a_trace_or_from_this_one_with_one() {
    let world = World::new().await;
    let mut phone = world.person("Alice").await;
    let (mut desktop, _) = world.second_device(&phone).await;
    desktop.client.start();
    let me = phone.id();
    let mut notes = Vec::new();
    for text in ["the door code", "the shopping list"] {
        let id = phone.writes(&phone, text).await;
        phone.client.wait_sent(id, PATIENCE).await.unwrap();
        until(&mut phone, id, "its hash", |it| it.hash.is_some()).await;
        notes.push((id, found(&mut desktop, me, text).await.id));
    }
    phone.client.delete_message(notes[1].0).await.unwrap();
    assert!(phone.client.message(notes[1].0).await.unwrap().unwrap().deleted_here);
    phone.client.delete_for_everyone(notes[0].0).await.unwrap();
    until_gone(&mut phone, notes[0].0).await;
    until_gone(&mut desktop, notes[0].1).await;
    assert_eq!(desktop.client.message(notes[1].1).await.unwrap().unwrap().text, "the shopping list");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_the_swarms_copy_goes_later_even_after_a_kill() {
    let world = World::new().await;
    let mut alice = world.person("Alice").await;
    let id = alice.writes(&alice, "burn this").await;
    alice.client.wait_sent(id, PATIENCE).await.unwrap();
    let hash = until(&mut alice, id, "its hash", |it| it.hash.is_some()).await.hash.unwrap();
    let there = |world: &World, alice: &Person| {
        let stored = world.net.messages_of(&Account::from(alice.id()), Namespace::MESSAGES);
        stored.iter().any(|message| message.hash == hash)
    };
    world.net.network_down(true);
    alice.client.delete_for_everyone(id).await.unwrap();
    assert!(alice.client.message(id).await.unwrap().is_none(), "here it is gone at once");
    let alice = world.crash(alice).await;
    assert!(there(&world, &alice));
    world.net.network_down(false);
    alice.client.start();
    assert!(alice.client.flush(PATIENCE).await.unwrap());
    assert!(!there(&world, &alice));
}
