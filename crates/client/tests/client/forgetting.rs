//! Files that are on their way when their message goes, and a machine that has no network to tell it the time.

use std::time::Duration;

use septet_client::event::Event;
use septet_client::model::{AttachmentState, Draft, Expiry, OutgoingFile};
use septet_devnet::{FileFault, Line};

use crate::disk;
use crate::world::{PATIENCE, Person, With, World};

/// How long the file server thinks about each request: longer than a message takes to be deleted.
const THINKS: Duration = Duration::from_millis(1500);
/// A line that needs longer for a file than the message has time.
const SLOW: Line = Line { up: 10_000_000, down: 60_000, delay: Duration::ZERO, buffer: 60_000 };
/// Bytes of the file.
const LENGTH: usize = 900_000;

fn file(name: &str) -> OutgoingFile {
    let bytes = name.bytes().cycle().take(LENGTH).collect();
    OutgoingFile::Bytes { name: name.to_owned(), content_type: "application/octet-stream".to_owned(), bytes }
}

/// How a message goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Deed {
    Cancel,
    Delete,
    Unsend,
    Expire,
    DeleteConversation,
    DeleteContact,
}

/// Lets a message with a file go while the file comes; afterwards nothing of it is on Bob's disk.
async fn goes_while_it_comes(deed: Deed) {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let with_bob = alice.client.with(bob.id()).await;
    if deed == Deed::Expire {
        alice.client.set_expiry(with_bob, Expiry::AfterSend(6)).await.unwrap();
    }
    let sent = alice.client.send(with_bob, Draft { files: vec![file("gone.bin")], ..Draft::default() });
    let sent = sent.await.unwrap();
    bob.client.stop().await;
    alice.client.wait_sent(sent, PATIENCE).await.ok();
    match deed {
        Deed::Expire => world.net.set_line(Some(SLOW)),
        _ => world.net.set_file_fault(FileFault::Slow(THINKS)),
    }
    bob = world.open(bob.folder).await;
    bob.client.start();
    if deed == Deed::Expire {
        let bytes = bob.waits("bytes of the file", |event| match event {
            Event::Attachment { message, state: AttachmentState::Downloading { done: 1.., .. }, .. } => {
                Some(message)
            }
            _ => None,
        });
        let message = bytes.await;
        let gone = async {
            while bob.client.message(message).await.unwrap().is_some() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, gone).await.expect("it stays");
    } else {
        let heard = bob.next_message().await;
        let client = &bob.client;
        match deed {
            Deed::Cancel => client.cancel_download(heard.attachments[0].id).await.unwrap(),
            Deed::Delete => client.delete_message(heard.id).await.unwrap(),
            Deed::Unsend => alice.client.delete_for_everyone(sent).await.unwrap(),
            Deed::DeleteConversation => client.delete_conversation(heard.conversation).await.unwrap(),
            Deed::DeleteContact => client.delete_contact(heard.conversation).await.unwrap(),
            Deed::Expire => {}
        }
    }
    bob.client.sync_once(PATIENCE).await.unwrap();
    world.net.set_line(None);
    // Three files come at a time, so with the fourth of these the first is done.
    alice.client.set_expiry(with_bob, Expiry::Off).await.unwrap();
    for _ in 0..4 {
        let name = "stays.bin";
        alice.hands(&bob, name, name.repeat(1000).into_bytes()).await;
        let mut heard = bob.next_message().await;
        while heard.attachments[0].name != name {
            heard = bob.next_message().await;
        }
        if heard.attachments[0].state == AttachmentState::Remote {
            bob.client.download(heard.attachments[0].id).await.unwrap();
        }
        bob.receives(&heard.attachments[0]).await;
    }
    bob.client.stop().await;
    let disk = disk::of(bob.folder.path());
    assert_eq!(disk.files(), disk.files_of_rows(), "{deed:?}");
    assert_eq!(disk.files().len(), 4, "{deed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_after_its_message_was_deleted_is_not_kept() {
    goes_while_it_comes(Deed::Delete).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_after_its_message_was_unsent_is_not_kept() {
    goes_while_it_comes(Deed::Unsend).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_after_its_message_disappeared_is_not_kept() {
    goes_while_it_comes(Deed::Expire).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_after_it_was_stopped_is_not_kept() {
    goes_while_it_comes(Deed::Cancel).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_after_its_conversation_was_deleted_is_not_kept() {
    goes_while_it_comes(Deed::DeleteConversation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_after_its_sender_was_deleted_is_not_kept() {
    goes_while_it_comes(Deed::DeleteContact).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_ends_with_its_message_and_holds_up_nothing() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let with_bob = alice.client.with(bob.id()).await;
    // Without an end: only what is stopped ends.
    world.net.set_file_fault(FileFault::Slow(PATIENCE * 10));
    let files = ["one.bin", "two.bin", "three.bin", "four.bin"].map(file).into();
    let sent = alice.client.send(with_bob, Draft { files, ..Draft::default() }).await.unwrap();
    let requests = || world.net.requests().values().sum::<u64>();
    let before = requests();
    let moves = async {
        while requests() == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, moves).await.expect("nothing is uploaded");
    alice.client.delete_message(sent).await.unwrap();
    alice.says(&bob, "what follows").await;
    bob.hears("what follows").await;
    alice.client.stop().await;
    assert!(world.net.files().is_empty());
    assert_eq!(disk::of(alice.folder.path()).files(), Vec::<String>::new());
}

/// What the database says of a person's messages.
fn texts(person: &Person) -> Vec<String> {
    disk::of(person.folder.path()).texts()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_goes_without_a_network_too_and_not_before() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let with_bob = alice.client.with(bob.id()).await;
    for (text, seconds) in [("a moment", 5), ("an hour", 3600)] {
        alice.client.set_expiry(with_bob, Expiry::AfterSend(seconds)).await.unwrap();
        alice.says(&bob, text).await;
        bob.hears(text).await;
    }
    let Person { client, folder, .. } = bob;
    client.stop().await;
    // As after the machine was started anew: what the network's clock is cannot be proven any more.
    std::fs::remove_file(folder.path().join("profile").join("network").join("clock")).unwrap();
    world.net.network_down(true);
    let bob = world.open(folder).await;
    bob.client.start();
    let gone = async {
        while texts(&bob).iter().any(|text| text == "a moment") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("it stays for ever");
    assert!(texts(&bob).iter().any(|text| text == "an hour"));
    assert!(bob.texts(alice.id()).await.iter().any(|text| text == "an hour"));
}
