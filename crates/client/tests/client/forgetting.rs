//! Files that are on their way when their message goes, and a machine that has no network to tell it the time.

use std::time::Duration;

use futures_util::future::join_all;
use septet_client::event::Event;
use septet_client::model::{Attachment, AttachmentState, Draft, Expiry, Message, MessageId, OutgoingFile};
use septet_devnet::{Devnet, Hold};
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;

use crate::disk;
use crate::world::{PATIENCE, Person, With, World};

/// So many files come at the same time.
const AT_ONCE: usize = 3;

fn file(name: &str) -> OutgoingFile {
    let bytes = name.bytes().cycle().take(100_000).collect();
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

impl Deed {
    const ALL: [Self; 6] = [
        Self::Cancel,
        Self::Delete,
        Self::Unsend,
        Self::Expire,
        Self::DeleteConversation,
        Self::DeleteContact,
    ];
}

/// Bob has asked the file server for all it can send him at once, and nothing of it has come: a file of a message that
/// is gone since, and those of another one, which stays.
struct Scene {
    deed: Deed,
    bob: Person,
    stays: MessageId,
    hold: Hold,
    _others: [Person; 2],
    _world: World,
}

impl Scene {
    /// As many of the files that stay are asked for before the other as `early` says. If these are any, what is asked for
    /// after the message goes is not held.
    async fn new(deed: Deed, early: usize) -> Self {
        let world = patient().await;
        let (alice, mut bob) = world.friends().await;
        let eve = world.person("Eve").await;
        // One more than come at once together with the one that goes. A stranger's wait for a click.
        let files = (0..AT_ONCE).map(|number| file(&format!("stays {number}"))).collect();
        let draft = Draft { files, ..Draft::default() };
        eve.client.send(eve.client.with(bob.id()).await, draft).await.unwrap();
        let stays = bob.next_message().await;
        bob = world.rest(bob).await;
        if deed == Deed::Expire {
            alice.client.set_expiry(alice.client.with(bob.id()).await, Expiry::AfterRead(1)).await.unwrap();
        }
        let sent = alice.hands(&bob, "goes", vec![7; 100_000]).await;

        let (before, after) = stays.attachments.split_at(early);
        let (hold, polls) = (world.net.hold_files(), world.net.hold("retrieve"));
        want(&bob, before).await;
        bob.client.start();
        held(&hold, early).await;
        drop(polls);
        let goes = bob.next_message().await;
        held(&hold, early + 1).await;
        want(&bob, after).await;
        held(&hold, AT_ONCE).await;
        assert!(is_coming(&bob, goes.id).await, "{deed:?}");
        if early > 0 {
            hold.only_these();
        }
        go(deed, (&alice, sent.id), (&bob, &goes)).await;
        let gone = async {
            while is_coming(&bob, goes.id).await {
                bob.hears_of_anything().await;
            }
        };
        timeout(PATIENCE, gone).await.unwrap_or_else(|_| panic!("{deed:?}: it stays"));
        Self { deed, bob, stays: stays.id, hold, _others: [alice, eve], _world: world }
    }

    /// Nothing is held any more: what stays comes, and nothing else is on the disk.
    async fn ends(mut self) {
        drop(self.hold);
        let stays = until_here(&mut self.bob, self.stays, AT_ONCE).await;
        assert_eq!(stays, [true; AT_ONCE]);
        let Person { client, folder, .. } = self.bob;
        client.stop().await;
        let disk = disk::of(folder.path());
        assert_eq!(disk.files(), disk.files_of_rows(), "{:?}", self.deed);
        assert_eq!(disk.files().len(), AT_ONCE, "{:?}", self.deed);
    }
}

/// A network in which nobody between people and the file server loses patience while it holds files back.
async fn patient() -> World {
    let builder = Devnet::builder().relay_patience(2 * PATIENCE).proxy_patience(2 * PATIENCE);
    World { net: builder.start().await.unwrap() }
}

/// Asks for files.
async fn want(person: &Person, files: &[Attachment]) {
    for file in files {
        person.client.download(file.id).await.unwrap();
    }
}

/// Waits until so many files of a message are here; which of them.
async fn until_here(person: &mut Person, id: MessageId, count: usize) -> Vec<bool> {
    let waits = async {
        loop {
            let message = person.client.message(id).await.unwrap().unwrap();
            let local = message.attachments.iter().map(|file| file.state == AttachmentState::Local);
            let here: Vec<bool> = local.collect();
            if here.iter().filter(|here| **here).count() >= count {
                return here;
            }
            person.hears_of_anything().await;
        }
    };
    timeout(PATIENCE, waits).await.expect("what stays does not come")
}

/// Whether anything was told of the files of a message.
fn told_of_files(heard: &mut Receiver<Event>, of: MessageId) -> bool {
    let mut events = std::iter::from_fn(|| heard.try_recv().ok());
    events.any(|event| matches!(event, Event::Attachment { message, .. } if message == of))
}

/// Waits until so many requests for files are held.
async fn held(hold: &Hold, count: usize) {
    let waits = timeout(PATIENCE, hold.until_held(count)).await;
    waits.unwrap_or_else(|_| panic!("{} files are asked for, not {count}", hold.held()));
}

/// Whether the file of a message is here, as far as its person is shown, and comes.
async fn is_coming(person: &Person, id: MessageId) -> bool {
    let message = person.client.message(id).await.unwrap();
    let file = message.and_then(|message| message.attachments.into_iter().next());
    file.is_some_and(|file| matches!(file.state, AttachmentState::Downloading { .. }))
}

/// Lets a message go that Alice sent to Bob.
async fn go(deed: Deed, (alice, sent): (&Person, MessageId), (bob, heard): (&Person, &Message)) {
    let bob = &bob.client;
    match deed {
        Deed::Cancel => bob.cancel_download(heard.attachments[0].id).await,
        Deed::Delete => bob.delete_message(heard.id).await,
        Deed::Unsend => alice.client.delete_for_everyone(sent).await,
        // It has a second from now on.
        Deed::Expire => bob.mark_read(heard.conversation, heard.id).await,
        Deed::DeleteConversation => bob.delete_conversation(heard.conversation).await,
        Deed::DeleteContact => bob.delete_contact(heard.conversation).await,
    }
    .unwrap();
}

/// Lets a message with a file go while the file comes, and the file come to its end; afterwards nothing of it is on
/// Bob's disk.
async fn comes_for_nobody(deed: Deed) {
    let scene = Scene::new(deed, 0).await;
    // It was asked for first. If Bob has hung up, the server does not know.
    scene.hold.let_through(1);
    // The last of the others is asked for when the first file has come to its end, whatever that was.
    held(&scene.hold, AT_ONCE).await;
    scene.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_after_its_message_was_deleted_is_not_kept() {
    comes_for_nobody(Deed::Delete).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_after_its_message_was_unsent_is_not_kept() {
    comes_for_nobody(Deed::Unsend).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_after_its_message_disappeared_is_not_kept() {
    comes_for_nobody(Deed::Expire).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_after_it_was_stopped_is_not_kept() {
    comes_for_nobody(Deed::Cancel).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_after_its_conversation_was_deleted_is_not_kept() {
    comes_for_nobody(Deed::DeleteConversation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_after_its_sender_was_deleted_is_not_kept() {
    comes_for_nobody(Deed::DeleteContact).await;
}

/// Not a byte of it is let through: it ends because it is stopped, and makes room for the next. That one is here before
/// those for which Bob has waited longer, so that nobody's patience was over.
#[tokio::test(flavor = "multi_thread")]
async fn a_download_ends_with_its_message_and_not_with_its_last_byte() {
    let scenes = Deed::ALL.map(|deed| async move {
        let mut scene = Scene::new(deed, AT_ONCE - 1).await;
        let here = until_here(&mut scene.bob, scene.stays, 1).await;
        assert_eq!(here, [false, false, true], "{deed:?}");
        scene.ends().await;
    });
    join_all(scenes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_ends_with_its_message_and_holds_up_nothing() {
    let world = patient().await;
    let (alice, mut bob) = world.friends().await;
    let with_bob = alice.client.with(bob.id()).await;
    let hold = world.net.hold_files();
    let draft =
        |names: &[&str]| Draft { files: names.iter().map(|name| file(name)).collect(), ..Draft::default() };
    // Asked for before the others: as long as it goes on, nobody's patience was over.
    let note = alice.client.send(alice.client.with(alice.id()).await, draft(&["stays.bin"])).await.unwrap();
    held(&hold, 1).await;
    let sent = alice.client.send(with_bob, draft(&["one.bin", "two.bin", "three.bin"])).await.unwrap();
    held(&hold, AT_ONCE).await;
    let mut heard = alice.client.subscribe();
    alice.client.delete_message(sent).await.unwrap();
    alice.says(&bob, "what follows").await;
    bob.hears("what follows").await;
    assert!(!told_of_files(&mut heard, note), "the other one was given up");
    alice.client.cancel(note).await.unwrap();
    alice.client.stop().await;
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
