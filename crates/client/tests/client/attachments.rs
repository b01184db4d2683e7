//! Pictures and files.

use septet_client::client::{ClientError, Saving, SendError};
use septet_client::event::Event;
use septet_client::model::{AttachmentState, Draft, MessageId, OutgoingFile};
use septet_devnet::FileFault;
use septet_protocol::account::{AccountKeys, Seed, parse_recovery};
use septet_protocol::attachment::{self, AttachmentPointer, Encryption, Key, deterministic};
use septet_protocol::crypto::{SystemRandom, session};
use septet_protocol::id::{Account, Namespace, SessionId};
use septet_protocol::message::{Content, Outgoing, Visible, encode_one_to_one};
use septet_protocol::time::Timestamp;
use septet_protocol::wire::{Message as _, proto};

use crate::disk;
use crate::world::{Person, With, World};

fn file(name: &str, len: usize) -> OutgoingFile {
    let bytes = (0..len).map(|index| (index * 31 % 251) as u8).collect();
    OutgoingFile::Bytes { name: name.to_owned(), content_type: "application/octet-stream".to_owned(), bytes }
}

fn bytes_of(file: &OutgoingFile) -> Vec<u8> {
    match file {
        OutgoingFile::Bytes { bytes, .. } => bytes.clone(),
        OutgoingFile::Path(path) => std::fs::read(path).unwrap(),
        OutgoingFile::Kept(kept) => panic!("{} is in a store", kept.name),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_all_sizes_arrive_byte_by_byte() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    for len in [1, 1_000_000, 10_000_000] {
        let sent = file("data.bin", len);
        alice.hands(&bob, "data.bin", bytes_of(&sent)).await;
        let heard = bob.next_message().await;
        let attachment = &heard.attachments[0];
        assert_eq!((attachment.name.as_str(), attachment.size), ("data.bin", len as u64));
        assert!(bob.receives(attachment).await == bytes_of(&sent), "{len} bytes differ");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_sent_twice_is_stored_once_as_every_client_encrypts_it() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    for name in ["first.bin", "again.bin"] {
        alice.hands(&bob, name, vec![7; 5000]).await;
        let heard = bob.next_message().await;
        assert_eq!(heard.attachments[0].name, name);
        assert_eq!(bob.receives(&heard.attachments[0]).await, vec![7; 5000]);
    }
    let files: Vec<_> = world.net.files().into_values().collect();
    let [file] = files.as_slice() else { panic!("{} files", files.len()) };
    assert_eq!((file.data[0], file.data.len()), (b'S', deterministic::encrypted_size(5000)));
    let recovery = alice.client.recovery().await.unwrap();
    let keys = parse_recovery(&recovery.phrase).unwrap().keys();
    let same = attachment::encrypt(&[7; 5000], &keys.ed25519, deterministic::Domain::Attachment).unwrap();
    assert!(file.data == same.blob);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_one_byte_too_large_is_refused_with_a_sentence() {
    let world = World::new().await;
    let alice = world.resting_person("Alice").await;
    let draft = Draft { files: vec![file("big.bin", 10_000_001)], ..Draft::default() };
    let refused = alice.client.send(alice.client.with(alice.id()).await, draft).await.unwrap_err();
    assert!(matches!(refused, SendError::FileTooLarge { size: 10_000_001, .. }));
    assert!(refused.to_string().contains("big.bin is too large"));
    assert!(alice.texts(alice.id()).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_files_in_one_message_keep_their_order() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let files: Vec<OutgoingFile> =
        (1..=5).map(|number| file(&format!("{number}.bin"), number * 1000)).collect();
    let draft = Draft { text: "five files".to_owned(), files: files.clone(), ..Draft::default() };
    alice.client.send(alice.client.with(bob.id()).await, draft).await.unwrap();
    let heard = bob.hears("five files").await;
    let names: Vec<&str> = heard.attachments.iter().map(|attachment| attachment.name.as_str()).collect();
    assert_eq!(names, ["1.bin", "2.bin", "3.bin", "4.bin", "5.bin"]);
    for (attachment, sent) in heard.attachments.iter().zip(&files) {
        let state = bob.client.message(heard.id).await.unwrap().unwrap();
        let now = state.attachments.iter().find(|now| now.id == attachment.id).unwrap().clone();
        assert_eq!(bob.receives(&now).await, bytes_of(sent));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_file_waits_for_a_click() {
    let world = World::new().await;
    let (alice, mut bob) = (world.person("Alice").await, world.person("Bob").await);
    alice.hands(&bob, "hello.bin", vec![7; 5000]).await;
    let attachment = bob.next_message().await.attachments.remove(0);
    assert_eq!(attachment.state, AttachmentState::Remote);
    bob.client.download(attachment.id).await.unwrap();
    assert_eq!(bob.receives(&attachment).await, vec![7; 5000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nasty_names_are_saved_under_safe_ones_and_nothing_is_overwritten() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let folder = tempfile::tempdir().unwrap();
    for name in
        ["../../evil.txt", "a\0b.txt", "\u{202e}gpj.exe", &"x".repeat(300), "..", "same.txt", "same.txt"]
    {
        alice.hands(&bob, name, name.as_bytes().to_vec()).await;
        let attachment = bob.next_message().await.attachments.remove(0);
        assert_eq!(bob.receives(&attachment).await, name.as_bytes());
        let saved = bob.client.save_attachment(attachment.id, folder.path(), Saving::Told).await.unwrap();
        assert_eq!(saved.parent(), Some(folder.path()), "{name:?}");
        assert_eq!(std::fs::read(&saved).unwrap(), name.as_bytes(), "{name:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_tells_how_far_it_is() {
    let world = World::new().await;
    let mut alice = world.person("Alice").await;
    let draft = Draft { files: vec![file("data.bin", 2_000_000)], ..Draft::default() };
    alice.client.send(alice.client.with(alice.id()).await, draft).await.unwrap();
    alice
        .waits("progress", |event| match event {
            Event::Attachment { state: AttachmentState::Uploading { done, total }, .. } => {
                (done > 0 && total > 2_000_000).then_some(())
            }
            _ => None,
        })
        .await;
}

/// What a later version may add to a pointer: field 15, of five bytes.
const NEW: &[u8] = &[0x7a, 5, b'l', b'a', b't', b'e', b'r'];

/// A pointer to nothing that could be fetched, with something that no version knows yet.
fn from_the_future(name: &str) -> Vec<u8> {
    let pointer = proto::AttachmentPointer {
        deprecated_id: Some(0),
        file_name: Some(name.into()),
        key: Some(vec![7; 32]),
        url: Some("http://filev2.getsession.org/file/1#d".into()),
        ..Default::default()
    };
    [&pointer.encode_to_vec(), NEW].concat()
}

/// A field that is a text or a message.
fn field(number: usize, value: &[u8]) -> Vec<u8> {
    let varint = |mut rest: usize| {
        let mut out = Vec::new();
        while rest > 0x7f {
            out.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
        out
    };
    [&varint(number << 3 | 2), &varint(value.len()), value].concat()
}

/// Stores a content for somebody, as `from` writes it.
fn delivers(world: &World, from: &AccountKeys, to: SessionId, data_message: &[u8]) {
    let now = world.net.now();
    let content = proto::Content { sig_timestamp: Some(now), ..Default::default() }.encode_to_vec();
    let content = [&content[..], &field(1, data_message), &[0x80]].concat();
    let sealed =
        session::encrypt_for_recipient(&content, &from.ed25519, &to.x25519(), &mut SystemRandom).unwrap();
    let envelope =
        proto::Envelope { kind: Some(6), timestamp: Some(now), content: Some(sealed), ..Default::default() };
    let request = proto::WebSocketRequest { body: Some(envelope.encode_to_vec()), ..Default::default() };
    let data = proto::WebSocketMessage { kind: Some(1), request: Some(request) }.encode_to_vec();
    world.net.deliver(&Account::from(to), Namespace::MESSAGES, data, now, now + 1_000_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_later_version_reads_in_a_pointer_is_kept_as_it_came() {
    let world = World::new().await;
    let mut bob = world.person("Bob").await;
    let stranger = Seed::generate(&mut SystemRandom).keys();
    let me = parse_recovery(&bob.client.recovery().await.unwrap().phrase).unwrap().keys();
    let link = "https://a.example";
    let preview = field(10, &[field(1, link.as_bytes()), field(3, &from_the_future("page.png"))].concat());
    let files = |names: [&str; 2]| names.map(|name| field(2, &from_the_future(name))).concat();

    let received = [field(1, link.as_bytes()), files(["one.bin", "two.bin"]), preview].concat();
    delivers(&world, &stranger, bob.id(), &received);
    assert_eq!(bob.hears(link).await.attachments.len(), 2);
    // A copy of what we sent to the stranger from another device.
    let target = field(105, stranger.session_id.to_string().as_bytes());
    let copy = [field(1, b"ours"), files(["three.bin", "four.bin"]), target].concat();
    delivers(&world, &me, bob.id(), &copy);
    assert!(bob.hears("ours").await.outgoing);

    let Person { client, folder, .. } = bob;
    client.stop().await;
    let [attachments, previews] = disk::of(folder.path()).pointers();
    let expected = ["one.bin", "two.bin", "three.bin", "four.bin"].map(|name| Some(from_the_future(name)));
    assert_eq!(attachments, expected);
    assert_eq!(previews, [Some(from_the_future("page.png"))]);
}

/// A message of only these files, from a stranger who writes them as they are.
async fn hears_files(world: &World, attachments: Vec<AttachmentPointer>) -> Person {
    let bob = world.resting_person("Bob").await;
    let stranger = Seed::generate(&mut SystemRandom).keys();
    let content = Content::Visible(Visible { attachments, ..Visible::default() });
    let now = world.net.now();
    let message = Outgoing::new(content, Timestamp::from_ms(now));
    let data = encode_one_to_one(&message, &stranger, &bob.id(), &mut SystemRandom).unwrap();
    world.net.deliver(&Account::from(bob.id()), Namespace::MESSAGES, data, now, now + 1_000_000_000);
    bob.client.start();
    bob
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_can_never_be_opened_are_shown_as_such() {
    let world = World::new().await;
    let file = |name: &str, url: &str, encryption| AttachmentPointer {
        url: url.parse().ok(),
        encryption,
        content_type: "image/png".to_owned(),
        size: 5,
        name: name.to_owned(),
        dimensions: None,
        voice: false,
    };
    let good = "http://filev2.getsession.org/file/1#d";
    let without_address = file("nowhere.png", "", Encryption::Deterministic { key: Key::new([1; 32]) });
    let without_key = file("locked.png", good, Encryption::None);
    let mut bob = hears_files(&world, vec![without_address, without_key]).await;
    let heard = bob.next_message().await;
    let names: Vec<_> = heard.attachments.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["nowhere.png", "locked.png"]);

    // A click changes nothing, nor does a restart.
    for file in &heard.attachments {
        bob.client.download(file.id).await.unwrap();
    }
    let bob = world.reopen(bob).await;
    let shown = bob.client.message(heard.id).await.unwrap().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for file in &shown.attachments {
        assert_eq!(file.state, AttachmentState::Unusable);
        let refused = bob.client.save_attachment(file.id, folder.path(), Saving::Told).await;
        assert!(matches!(refused, Err(ClientError::NotDownloaded)));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Waits until an attachment is told to be where `wanted` says.
async fn tells(person: &mut Person, what: &str, wanted: impl Fn(&AttachmentState) -> bool) {
    person
        .waits(what, |event| match event {
            Event::Attachment { state, .. } if wanted(&state) => Some(()),
            _ => None,
        })
        .await;
}

/// Where a message's only attachment is, as a list of messages shows it.
async fn shown(person: &Person, message: MessageId) -> AttachmentState {
    person.client.message(message).await.unwrap().unwrap().attachments.remove(0).state
}

/// Begins to wait at its first byte.
fn waits_to_come(state: &AttachmentState) -> bool {
    *state == AttachmentState::Downloading { done: 0, total: 0 }
}

/// A stranger's file that was clicked and failed three times: once by the click, twice by itself at a start.
async fn failed_three_times(world: &World) -> (Person, MessageId) {
    let (alice, mut bob) = (world.person("Alice").await, world.person("Bob").await);
    alice.hands(&bob, "hello.bin", vec![7; 5000]).await;
    let heard = bob.next_message().await;
    world.net.set_file_fault(FileFault::Broken);
    bob.client.download(heard.attachments[0].id).await.unwrap();
    tells(&mut bob, "the click", waits_to_come).await;
    tells(&mut bob, "the first failure", waits_to_come).await;
    let mut bob = world.reopen(bob).await;
    tells(&mut bob, "the second failure", waits_to_come).await;
    assert!(waits_to_come(&shown(&bob, heard.id).await));
    let mut bob = world.reopen(bob).await;
    tells(&mut bob, "the third failure", |state| matches!(state, AttachmentState::Failed { .. })).await;
    (bob, heard.id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_failed_three_times_says_so_and_goes_on_by_itself() {
    let world = World::new().await;
    let (bob, message) = failed_three_times(&world).await;
    let bob = world.rest(bob).await;
    let AttachmentState::Failed { reason } = shown(&bob, message).await else {
        panic!("it is not shown as failed after a restart");
    };
    assert!(!reason.is_empty());
    world.net.clear_file_faults();
    let mut bob = bob;
    bob.client.start();
    tells(&mut bob, "the file", |state| *state == AttachmentState::Local).await;
    let attachment = bob.client.message(message).await.unwrap().unwrap().attachments.remove(0);
    assert_eq!(attachment.state, AttachmentState::Local);
    assert_eq!(bob.receives(&attachment).await, vec![7; 5000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_click_fetches_a_failed_download_at_once() {
    let world = World::new().await;
    let (mut bob, message) = failed_three_times(&world).await;
    world.net.clear_file_faults();
    let attachment = bob.client.message(message).await.unwrap().unwrap().attachments.remove(0);
    bob.client.download(attachment.id).await.unwrap();
    assert_eq!(bob.receives(&attachment).await, vec![7; 5000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_upload_is_shown_at_its_beginning_and_goes_on() {
    let world = World::new().await;
    let mut alice = world.person("Alice").await;
    world.net.set_file_fault(FileFault::Broken);
    let draft = Draft { files: vec![file("data.bin", 200_000)], ..Draft::default() };
    let id = alice.client.send(alice.client.with(alice.id()).await, draft).await.unwrap();
    let moved = |state: &AttachmentState| matches!(state, AttachmentState::Uploading { done: 1.., .. });
    let anew = |state: &AttachmentState| *state == AttachmentState::Uploading { done: 0, total: 0 };
    tells(&mut alice, "bytes that move", moved).await;
    tells(&mut alice, "the interruption", anew).await;
    world.net.clear_file_faults();
    tells(&mut alice, "the upload", |state| *state == AttachmentState::Local).await;
    assert_eq!(shown(&alice, id).await, AttachmentState::Local);
}
