//! Whose files come by themselves, and who hears that a file was saved.

use septet_client::client::Saving;
use septet_client::event::Event;
use septet_client::model::{
    Attachment, AttachmentState, ConversationKind, Downloads, Draft, Message, Notice, OutgoingFile, Page,
};
use septet_protocol::id::SessionId;

use crate::world::{PATIENCE, Person, With, World};

/// Two accounts that accepted each other, and of whom nobody said whether files may come.
async fn acquaintances(world: &World) -> (Person, Person) {
    let (alice, bob) = world.friends().await;
    for (one, other) in [(&alice, bob.id()), (&bob, alice.id())] {
        let with = one.client.with(other).await;
        one.client.set_downloads(with, Downloads::Ask).await.unwrap();
    }
    (alice, bob)
}

fn file(name: &str) -> OutgoingFile {
    let content_type = "application/octet-stream".to_owned();
    OutgoingFile::Bytes { name: name.to_owned(), content_type, bytes: name.repeat(50).into_bytes() }
}

/// What a person has of somebody, oldest first.
async fn page(person: &Person, with: SessionId) -> Vec<Message> {
    let with = person.client.with(with).await;
    person.client.messages(with, Page::Newest, 100).await.unwrap().messages
}

/// Lines that tell of saved files.
async fn told(person: &Person, with: SessionId) -> usize {
    let saved = |message: &&Message| message.notice == Some(Notice::MediaSaved);
    page(person, with).await.iter().filter(saved).count()
}

async fn hands(from: &Person, to: &Person, text: &str, names: &[&str]) {
    let files = names.iter().map(|name| file(name)).collect();
    let draft = Draft { text: text.to_owned(), files, ..Draft::default() };
    let id = from.client.send(from.client.with(to.id()).await, draft).await.unwrap();
    from.client.wait_sent(id, PATIENCE).await.unwrap();
}

/// Waits until all files of a message are here.
async fn has(person: &mut Person, message: &Message) -> Vec<Attachment> {
    loop {
        let now = person.client.message(message.id).await.unwrap().unwrap();
        if now.attachments.iter().all(|file| file.state == AttachmentState::Local) {
            return now.attachments;
        }
        let arrived = |event| matches!(event, Event::Attachment { state: AttachmentState::Local, .. });
        person.waits("a file", |event| arrived(event).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_contact_come_once_a_person_lets_them() {
    let world = World::new().await;
    let (alice, mut bob) = acquaintances(&world).await;
    hands(&alice, &bob, "before", &["one.bin", "two.bin"]).await;
    let before = bob.hears("before").await;
    assert!(before.attachments.iter().all(|file| file.state == AttachmentState::Remote));

    // One that is clicked comes alone.
    bob.client.set_downloads(before.conversation, Downloads::OnClick).await.unwrap();
    bob.client.download(before.attachments[0].id).await.unwrap();
    bob.receives(&before.attachments[0]).await;
    let now = bob.client.message(before.id).await.unwrap().unwrap();
    assert_eq!(now.attachments[1].state, AttachmentState::Remote);
    hands(&alice, &bob, "meanwhile", &["three.bin"]).await;
    let meanwhile = bob.hears("meanwhile").await;
    assert_eq!(meanwhile.attachments[0].state, AttachmentState::Remote);

    // What is here already comes with the answer, and what follows by itself.
    bob.client.set_downloads(before.conversation, Downloads::Automatic).await.unwrap();
    let files = has(&mut bob, &before).await;
    assert_eq!(*bob.client.attachment_bytes(files[1].id).await.unwrap(), *"two.bin".repeat(50).as_bytes());
    has(&mut bob, &meanwhile).await;
    hands(&alice, &bob, "after", &["four.bin"]).await;
    let after = bob.hears("after").await;
    has(&mut bob, &after).await;

    // It outlasts the program, and can be taken back.
    let mut bob = world.reopen(bob).await;
    let with = bob.client.with(alice.id()).await;
    let row = bob.client.conversation(with).await.unwrap().unwrap();
    assert_eq!((row.downloads, row.fetches_files()), (Downloads::Automatic, true));
    bob.client.set_downloads(with, Downloads::OnClick).await.unwrap();
    hands(&alice, &bob, "not any more", &["five.bin"]).await;
    assert_eq!(bob.hears("not any more").await.attachments[0].state, AttachmentState::Remote);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_one_devices_and_our_own_files_come_to_all() {
    let world = World::new().await;
    let (alice, bob) = acquaintances(&world).await;
    let with_alice = bob.client.with(alice.id()).await;
    bob.client.set_downloads(with_alice, Downloads::Automatic).await.unwrap();
    let (mut laptop, _) = world.second_device(&bob).await;
    laptop.client.start();
    let with = laptop.client.with(alice.id()).await;
    let row = laptop.client.conversation(with).await.unwrap().unwrap();
    assert_eq!((row.kind, row.downloads), (ConversationKind::Private, Downloads::Ask));

    hands(&alice, &bob, "to both", &["hers.bin"]).await;
    let heard = laptop.hears("to both").await;
    assert_eq!(heard.attachments[0].state, AttachmentState::Remote);
    // Several in one message, with what is said about them, in their order.
    hands(&bob, &alice, "look at these", &["a.bin", "same.bin", "same.bin", "b.bin"]).await;
    let copy = laptop.hears("look at these").await;
    assert!(copy.outgoing);
    let names: Vec<&str> = copy.attachments.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["a.bin", "same.bin", "same.bin", "b.bin"]);
    has(&mut laptop, &copy).await;
    assert_eq!(
        laptop.client.message(heard.id).await.unwrap().unwrap().attachments[0].state,
        AttachmentState::Remote
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_forgotten_is_not_trusted_any_more() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let with = bob.client.with(alice.id()).await;
    bob.client.delete_contact(with).await.unwrap();
    hands(&alice, &bob, "again", &["one.bin"]).await;
    assert_eq!(bob.hears("again").await.attachments[0].state, AttachmentState::Remote);
}

#[tokio::test(flavor = "multi_thread")]
async fn saving_all_files_of_a_message_is_told_once_and_a_program_that_keeps_them_tells_nobody() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let (phone, _) = world.second_device(&alice).await;
    phone.client.start();
    let folder = tempfile::tempdir().unwrap();
    hands(&alice, &bob, "three", &["photo.bin", "photo.bin", ".."]).await;
    let heard = bob.hears("three").await;
    let files = has(&mut bob, &heard).await;
    let all: Vec<_> = files.iter().map(|file| file.id).collect();
    bob.client.save_attachment(files[0].id, folder.path(), Saving::Untold).await.unwrap();
    let saved = bob.client.save_attachments(&all, folder.path(), Saving::Told).await.unwrap();
    let names: Vec<_> = saved.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names[..2], ["photo (2).bin", "photo (3).bin"]);
    assert!(names[2].starts_with("session-attachment-20") && names[2].ends_with("_003"), "{}", names[2]);

    // What Bob saved of his own he tells nobody, nor what is his alone.
    hands(&bob, &alice, "mine", &["own.bin"]).await;
    let own = page(&bob, alice.id()).await.into_iter().find(|message| message.text == "mine").unwrap();
    let own_files = has(&mut bob, &own).await;
    bob.client.save_attachment(own_files[0].id, folder.path(), Saving::Told).await.unwrap();
    // What comes last tells that all before it is there; both devices of Alice show it.
    let last = bob.client.with(alice.id()).await;
    bob.client.send(last, Draft { text: "saved".to_owned(), ..Draft::default() }).await.unwrap();
    for mut device in [alice, phone] {
        while !page(&device, bob.id()).await.iter().any(|message| message.text == "saved") {
            device.hears_of_anything().await;
        }
        assert_eq!(told(&device, bob.id()).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_not_told_that_their_file_was_saved() {
    let world = World::new().await;
    let (alice, mut bob) = (world.person("Alice").await, world.person("Bob").await);
    hands(&alice, &bob, "hello", &["hello.bin"]).await;
    let heard = bob.hears("hello").await;
    bob.client.download(heard.attachments[0].id).await.unwrap();
    bob.receives(&heard.attachments[0]).await;
    let folder = tempfile::tempdir().unwrap();
    bob.client.save_attachment(heard.attachments[0].id, folder.path(), Saving::Told).await.unwrap();
    bob.client.accept(heard.conversation).await.unwrap();
    bob.client.send(heard.conversation, Draft { text: "hi".to_owned(), ..Draft::default() }).await.unwrap();
    let mut alice = alice;
    alice.hears("hi").await;
    assert_eq!(told(&alice, bob.id()).await, 0);
}
