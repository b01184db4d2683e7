//! Messages of somebody who writes what no client writes: through a whole client, from the swarm to what is shown.

use septet_client::model::{Draft, Message};
use septet_protocol::account::{AccountKeys, Seed};
use septet_protocol::crypto::{SystemRandom, session};
use septet_protocol::id::{Account, Namespace, SessionId};
use septet_protocol::message::{
    Content, MessageRef, Outgoing, Reaction, ReactionAction, Visible, encode_one_to_one,
};
use septet_protocol::time::Timestamp;
use septet_protocol::wire::{Message as _, proto};

use crate::world::{PATIENCE, Person, With, World};

fn mallory() -> AccountKeys {
    Seed::generate(&mut SystemRandom).keys()
}

fn text(body: &str) -> Content {
    Content::Visible(Visible { body: body.to_owned(), ..Visible::default() })
}

/// Puts a message into somebody's swarm, sent at `at`.
fn writes(world: &World, from: &AccountKeys, to: SessionId, at: u64, content: Content) {
    let message = Outgoing::new(content, Timestamp::from_ms(at));
    let data = encode_one_to_one(&message, from, &to, &mut SystemRandom).unwrap();
    stores(world, to, data);
}

fn stores(world: &World, to: SessionId, data: Vec<u8>) {
    let now = world.net.now();
    world.net.deliver(&Account::from(to), Namespace::MESSAGES, data, now, now + 1_000_000_000);
}

/// Seals a content as it is, in an envelope of this time.
fn seals(world: &World, from: &AccountKeys, to: SessionId, at: u64, content: &proto::Content) {
    let padded = [&content.encode_to_vec()[..], &[0x80]].concat();
    let sealed =
        session::encrypt_for_recipient(&padded, &from.ed25519, &to.x25519(), &mut SystemRandom).unwrap();
    let envelope =
        proto::Envelope { kind: Some(6), timestamp: Some(at), content: Some(sealed), ..Default::default() };
    let request = proto::WebSocketRequest { body: Some(envelope.encode_to_vec()), ..Default::default() };
    stores(world, to, proto::WebSocketMessage { kind: Some(1), request: Some(request) }.encode_to_vec());
}

async fn shown(person: &Person, message: &Message) -> Message {
    person.client.message(message.id).await.unwrap().unwrap()
}

/// A contact answers, deletes and reacts to what somebody else said, and to what we said to somebody else.
#[tokio::test(flavor = "multi_thread")]
async fn what_others_said_is_out_of_reach() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    alice.says(&bob, "between us").await;
    let theirs = bob.hears("between us").await;
    let ours = bob.says(&alice, "as well").await;
    let mallory = mallory();
    let draft = Draft { text: "hi Mallory".to_owned(), ..Draft::default() };
    let sent = bob.client.send(bob.client.with(mallory.session_id).await, draft).await.unwrap();
    bob.client.wait_sent(sent, PATIENCE).await.unwrap();

    let now = world.net.now();
    for (place, message) in [&theirs, &ours].into_iter().enumerate() {
        let at = now + 10 * place as u64;
        let target = MessageRef { author: message.from, timestamp: message.timestamp };
        let visible = Visible { body: format!("quote {place}"), quote: Some(target), ..Visible::default() };
        writes(&world, &mallory, bob.id(), at, Content::Visible(visible));
        let reaction = Reaction { target, emoji: "👎".parse().unwrap(), action: ReactionAction::React };
        writes(&world, &mallory, bob.id(), at + 1, Content::Reaction(reaction));
        writes(&world, &mallory, bob.id(), at + 2, Content::Unsend(target));
    }
    writes(&world, &mallory, bob.id(), now + 100, text("done"));
    let about_theirs = bob.hears("quote 0").await;
    bob.hears("done").await;

    // A message of Alice is none of this conversation; of ours, it says only which time it names.
    assert_eq!(shown(&bob, &about_theirs).await.quote, None);
    for message in [&theirs, &ours] {
        let now = shown(&bob, message).await;
        assert_eq!((&now.text, now.deleted, now.reactions.len()), (&message.text, false, 0));
    }
    assert_eq!(bob.client.conversations().await.unwrap().len(), 2);
}

/// What makes no sense leaves nothing, and what comes after it is read.
#[tokio::test(flavor = "multi_thread")]
async fn floods_of_nonsense_leave_one_request() {
    let world = World::new().await;
    let mut bob = world.resting_person("Bob").await;
    let (mallory, to) = (mallory(), bob.id());
    let now = world.net.now();
    let said = |data: proto::DataMessage| proto::Content {
        data_message: Some(data),
        sig_timestamp: Some(now),
        ..Default::default()
    };
    let hello = proto::DataMessage { body: Some(b"hello".to_vec()), ..Default::default() };
    // Ten thousand files; no time; another time inside than outside; ten megabytes.
    let attachments = vec![proto::AttachmentPointer { deprecated_id: Some(1), ..Default::default() }; 10_000];
    seals(&world, &mallory, to, now, &said(proto::DataMessage { attachments, ..hello.clone() }));
    seals(&world, &mallory, to, 0, &proto::Content { sig_timestamp: Some(0), ..said(hello.clone()) });
    seals(&world, &mallory, to, now + 86_400_000, &said(hello.clone()));
    let body = Some(vec![b'a'; 1_000_000]);
    seals(&world, &mallory, to, now, &said(proto::DataMessage { body, ..hello.clone() }));
    for number in 0..300 {
        writes(&world, &mallory, to, now + number, Content::Typing(number % 2 == 0));
        writes(&world, &mallory, to, now + number, Content::RequestResponse(true));
        writes(&world, &mallory, to, now + number, Content::ReadReceipt(vec![Timestamp::from_ms(number)]));
    }
    let name = Some(vec![b'n'; 50_000]);
    let profile = proto::Profile { display_name: name, ..Default::default() };
    let last = proto::DataMessage {
        body: Some(b"still here".to_vec()),
        profile: Some(profile),
        ..Default::default()
    };
    seals(&world, &mallory, to, now, &said(last));
    bob.client.start();
    bob.hears("still here").await;
    bob.client.sync_once(PATIENCE).await.unwrap();
    assert_eq!(bob.texts(mallory.session_id).await, ["still here"]);
    let conversations = bob.client.conversations().await.unwrap();
    assert_eq!(conversations.len(), 1);
    assert_eq!(conversations[0].unread, 1);
}
