//! Two people talk.

use septet_client::client::{ClientError, Saving};
use septet_client::event::Event;
use septet_client::model::{ConversationId, Draft, Expiry, Message, MessageState, Notice, Page};

use crate::world::{PATIENCE, Person, With, World};

#[tokio::test(flavor = "multi_thread")]
async fn alice_and_bob_talk() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.person("Alice").await, world.person("Bob").await);

    // Alice writes to somebody she only knows the id of.
    let sent = alice.says(&bob, "Hello Bob, this is Alice").await;
    assert_eq!(sent.state, MessageState::Sent);

    // For Bob she is a stranger: a request, with the name she goes by.
    let heard = bob.hears("Hello Bob, this is Alice").await;
    assert_eq!((heard.from, heard.timestamp), (alice.id(), sent.timestamp));
    let with_alice = bob.client.with(alice.id()).await;
    let conversation = bob.client.conversation(with_alice).await.unwrap().unwrap();
    assert!(conversation.is_request());
    assert_eq!((conversation.name.as_str(), conversation.unread), ("Alice", 1));

    // His answer accepts her.
    let draft = Draft { text: "Hello Alice!".to_owned(), reply_to: Some(heard.id), ..Draft::default() };
    let answer = bob.client.send(with_alice, draft).await.unwrap();
    bob.client.wait_sent(answer, PATIENCE).await.unwrap();
    assert!(bob.client.conversation(with_alice).await.unwrap().unwrap().is_listed());

    // She sees what it answers, and that he accepted.
    let answer = alice.hears("Hello Alice!").await;
    let quote = answer.quote.unwrap();
    assert_eq!((quote.message, quote.text.as_str()), (Some(sent.id), "Hello Bob, this is Alice"));
    let with_bob = alice.client.with(bob.id()).await;
    let conversation = alice.client.conversation(with_bob).await.unwrap().unwrap();
    assert!(conversation.approved_me && conversation.is_listed());
    assert_eq!(conversation.name, "Bob");

    // Reading takes the count away.
    alice.client.mark_read(with_bob, answer.id).await.unwrap();
    assert_eq!(alice.client.conversation(with_bob).await.unwrap().unwrap().unread, 0);
    assert_eq!(alice.texts(bob.id()).await, ["Hello Bob, this is Alice", "Hello Alice!"]);
    assert_eq!(bob.texts(alice.id()).await, ["Hello Bob, this is Alice", "Hello Alice!"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_all_kinds_arrive_once_and_in_order() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let mut texts: Vec<String> = (1..=40).map(|number| format!("number {number}")).collect();
    texts.extend([
        "x".to_owned(),
        "😀".repeat(2000),
        "مرحبا بالعالم".to_owned(),
        "one\ntwo\n\nthree".to_owned(),
    ]);
    texts.push("👩‍👩‍👧‍👦 e\u{301} \u{202e}right to left".to_owned());
    for text in &texts {
        alice.writes(&bob, text).await;
    }
    for text in &texts {
        assert_eq!(&bob.next_message().await.text, text);
    }
    let mut expected = vec!["hi".to_owned(), "hello".to_owned()];
    expected.extend(texts);
    assert_eq!(bob.texts(alice.id()).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_to_self_is_kept_once() {
    let world = World::new().await;
    let alice = world.person("Alice").await;
    let sent = alice.says(&alice, "remember the milk").await;
    assert!(sent.hash.is_some());
    alice.client.sync_once(PATIENCE).await.unwrap();
    assert_eq!(alice.texts(alice.id()).await, ["remember the milk"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_and_deletions_reach_the_other() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let sent = alice.says(&bob, "look at this").await;
    let heard = bob.hears("look at this").await;

    bob.client.react(heard.id, "😂", false).await.unwrap();
    let mut alice = alice;
    let with_bob = alice.client.with(bob.id()).await;
    let reactions = loop {
        let reactions = alice.client.message(sent.id).await.unwrap().unwrap().reactions;
        if !reactions.is_empty() {
            break reactions;
        }
        let here = |event| {
            matches!(event, Event::Reaction { conversation, .. } if conversation == with_bob).then_some(())
        };
        alice.waits("the reaction", here).await;
    };
    assert_eq!((reactions[0].emoji.as_str(), reactions[0].from.as_slice()), ("😂", &[bob.id()][..]));

    alice.client.delete_for_everyone(sent.id).await.unwrap();
    loop {
        let message = bob.client.message(heard.id).await.unwrap().unwrap();
        if message.deleted {
            assert!(message.text.is_empty() && message.reactions.is_empty());
            break;
        }
        bob.waits("the deletion", |event| matches!(event, Event::Deleted { .. }).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn read_receipts_are_sent_and_shown_only_if_both_want_them() {
    let world = World::new().await;
    let (mut alice, mut bob) = world.friends().await;
    for client in [&alice.client, &bob.client] {
        assert!(!client.settings().read_receipts);
        client.set_read_receipts(true).await.unwrap();
    }
    let sent = alice.says(&bob, "did you read this?").await;
    let heard = bob.hears("did you read this?").await;
    assert!(!alice.client.message(sent.id).await.unwrap().unwrap().read);
    bob.client.mark_read(heard.conversation, heard.id).await.unwrap();
    while !alice.client.message(sent.id).await.unwrap().unwrap().read {
        alice.waits("the receipt", |event| matches!(event, Event::Read { .. }).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn saving_a_file_is_told_to_its_sender() {
    let world = World::new().await;
    let (mut alice, mut bob) = world.friends().await;
    alice.hands(&bob, "photo.bin", vec![7; 100]).await;
    let attachment = bob.next_message().await.attachments.remove(0);
    bob.receives(&attachment).await;
    bob.client.save_attachment(attachment.id, bob.folder.path(), Saving::Told).await.unwrap();
    alice
        .waits("the notice", |event| match event {
            Event::Message(message) => (message.notice == Some(Notice::MediaSaved)).then_some(()),
            _ => None,
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_sent_goes_out_after_a_restart() {
    let world = World::new().await;
    let mut bob = world.person("Bob").await;
    let alice = world.resting_person("Alice").await;
    let id = alice.writes(&bob, "written before the start").await;
    assert_eq!(alice.state(id).await, MessageState::Sending);
    let alice = world.reopen(alice).await;
    bob.hears("written before the start").await;
    alice.client.wait_sent(id, PATIENCE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_before_the_time_is_known_keeps_together_when_it_is_dated() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let heard =
        alice.client.messages(alice.client.with(bob.id()).await, Page::Newest, 10).await.unwrap().messages;
    let alice = world.rest(alice).await;
    let with_bob = alice.client.with(bob.id()).await;
    // Nothing runs: nobody has told the time yet.
    let first = alice.writes(&bob, "first").await;
    let draft = Draft { text: "second".to_owned(), reply_to: Some(first), ..Draft::default() };
    let second = alice.client.send(with_bob, draft).await.unwrap();
    let hello = heard.iter().find(|message| message.text == "hello").unwrap();
    alice.client.react(hello.id, "👍", false).await.unwrap();
    alice.client.set_expiry(with_bob, Expiry::AfterSend(3600)).await.unwrap();
    assert_eq!(alice.texts(bob.id()).await, ["hi", "hello", "first", "second"], "shown at once");
    assert_eq!(alice.state(first).await, MessageState::Sending);

    alice.client.start();
    let there = bob.hears("second").await;
    let (first, second) = (
        alice.client.wait_sent(first, PATIENCE).await.unwrap(),
        alice.client.wait_sent(second, PATIENCE).await.unwrap(),
    );
    assert!(hello.timestamp < first.timestamp && first.timestamp < second.timestamp);
    assert_eq!(there.timestamp, second.timestamp);
    let quote = there.quote.unwrap();
    assert_eq!((quote.timestamp, quote.text.as_str()), (first.timestamp, "first"));
    assert!(alice.client.flush(PATIENCE).await.unwrap());
    bob.client.sync_once(PATIENCE).await.unwrap();
    let page =
        bob.client.messages(bob.client.with(alice.id()).await, Page::Newest, 10).await.unwrap().messages;
    let hello = page.iter().find(|message| message.text == "hello").unwrap();
    assert_eq!(hello.reactions.len(), 1);
    assert!(page.iter().any(|message| matches!(message.notice, Some(Notice::ExpiryChanged { .. }))));
}

/// How many lines tell of a changed timer.
async fn timer_lines(person: &Person, id: ConversationId) -> usize {
    let page = person.client.messages(id, Page::Newest, 100).await.unwrap();
    let tells = |message: &&Message| matches!(message.notice, Some(Notice::ExpiryChanged { .. }));
    page.messages.iter().filter(tells).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_timer_is_told_and_followed_only_by_what_we_write() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let with_bob = alice.client.with(bob.id()).await;
    let with_alice = bob.client.with(alice.id()).await;
    let draft = Draft { text: "not yet sent".to_owned(), ..Draft::default() };
    alice.client.set_draft(with_bob, draft).await.unwrap();
    for expiry in [Expiry::AfterSend(7200), Expiry::AfterSend(3600)] {
        alice.client.set_expiry(with_bob, expiry).await.unwrap();
        bob.waits("the timer", |event| match event {
            Event::Message(message) => {
                (message.notice == Some(Notice::ExpiryChanged { expiry })).then_some(())
            }
            _ => None,
        })
        .await;
    }
    // Of several lines the newest is enough.
    assert_eq!((timer_lines(&alice, with_bob).await, timer_lines(&bob, with_alice).await), (1, 1));
    let here = alice.client.conversation(with_bob).await.unwrap().unwrap();
    assert_eq!(here.expiry, Expiry::AfterSend(3600));
    assert_eq!(here.draft.unwrap().text, "not yet sent");
    assert_eq!(bob.client.conversation(with_alice).await.unwrap().unwrap().expiry, Expiry::Off);
    let sent = alice.says(&bob, "gone in an hour").await;
    assert!(sent.expires_at.is_some_and(|at| at > alice.client.now()));
    assert_eq!(bob.hears("gone in an hour").await.expiry, Expiry::AfterSend(3600));
    let own = alice.client.with(alice.id()).await;
    let refused = alice.client.set_expiry(own, Expiry::AfterRead(60)).await;
    assert!(matches!(refused, Err(ClientError::Refused(_))));
}
