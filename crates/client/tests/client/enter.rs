//! What is written is kept: as a draft while it is written, as a message from the moment it is sent, whatever becomes
//! of the program or of the files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use septet_client::client::SendError;
use septet_client::event::Event;
use septet_client::model::{AttachmentState, Draft, MessageId, MessageState, OutgoingFile};

use crate::disk;
use crate::world::{PATIENCE, Person, With, World};

/// More than is copied before a message is written down.
const LARGE: usize = 2_000_000;

fn on_disk(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn files(text: &str, files: Vec<OutgoingFile>) -> Draft {
    Draft { text: text.to_owned(), files, ..Draft::default() }
}

/// Files in the folder of an account.
fn stored(person: &Person) -> usize {
    disk::of(person.folder.path()).files().len()
}

async fn states(person: &Person, id: MessageId) -> Vec<AttachmentState> {
    let message = person.client.message(id).await.unwrap().unwrap();
    message.attachments.into_iter().map(|attachment| attachment.state).collect()
}

/// Waits until a message of ours is given up.
async fn gives_up(person: &Person, id: MessageId) -> String {
    let message = person.client.wait_sent(id, PATIENCE).await.unwrap();
    assert_eq!(message.state, MessageState::Failed);
    message.failure.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_with_files_is_there_the_moment_it_is_sent_and_survives_a_crash() {
    let world = World::new().await;
    let (alice, mut bob) = (world.resting_person("Alice").await, world.person("Bob").await);
    let disk = tempfile::tempdir().unwrap();
    let large = on_disk(disk.path(), "large.bin", &vec![7; LARGE]);
    let small = on_disk(disk.path(), "small.bin", &[8; 10]);
    let pasted = alice.client.keep_file("pasted.bin", "application/octet-stream", vec![9; 10]).await.unwrap();
    let draft = files(
        "three files",
        vec![OutgoingFile::Path(large), OutgoingFile::Path(small.clone()), OutgoingFile::Kept(pasted)],
    );
    let id = alice.client.send(alice.client.with(bob.id()).await, draft).await.unwrap();
    // Small ones are ours from here on.
    std::fs::write(&small, [1; 10]).unwrap();

    let alice = world.crash(alice).await;
    assert_eq!(states(&alice, id).await, [const { AttachmentState::Preparing }; 3]);
    let shown = alice.client.message(id).await.unwrap().unwrap();
    assert_eq!((shown.text.as_str(), shown.state), ("three files", MessageState::Sending));
    for (attachment, content) in shown.attachments.iter().zip([vec![7; LARGE], vec![8; 10], vec![9; 10]]) {
        assert!(alice.client.attachment_bytes(attachment.id).await.unwrap()[..] == content);
    }

    alice.client.start();
    let heard = bob.hears("three files").await;
    for (attachment, content) in heard.attachments.iter().zip([vec![7; LARGE], vec![8; 10], vec![9; 10]]) {
        bob.client.download(attachment.id).await.unwrap();
        assert!(bob.receives(attachment).await == content);
    }
    alice.client.wait_sent(id, PATIENCE).await.unwrap();
    assert_eq!(states(&alice, id).await, [const { AttachmentState::Local }; 3]);
    assert_eq!(stored(&alice), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_another_file_is_not_sent() {
    let world = World::new().await;
    let (alice, mut bob) = (world.resting_person("Alice").await, world.person("Bob").await);
    let disk = tempfile::tempdir().unwrap();
    let to_bob = alice.client.with(bob.id()).await;
    let mut sent = Vec::new();
    for name in ["changed.bin", "gone.bin"] {
        let path = on_disk(disk.path(), name, &vec![7; LARGE]);
        let draft = files(name, vec![OutgoingFile::Path(path)]);
        sent.push(alice.client.send(to_bob, draft).await.unwrap());
    }
    alice.writes(&bob, "and on").await;
    std::fs::write(disk.path().join("changed.bin"), vec![8; LARGE + 1]).unwrap();
    std::fs::remove_file(disk.path().join("gone.bin")).unwrap();

    let alice = world.crash(alice).await;
    alice.client.start();
    let reason = gives_up(&alice, sent[0]).await;
    assert_eq!(reason, "Cannot read changed.bin: it was changed after the message was written.");
    assert_eq!(gives_up(&alice, sent[1]).await, "Cannot read gone.bin: it is not there.");
    // What is behind them does not wait.
    bob.hears("and on").await;
    assert!(!bob.texts(alice.id()).await.iter().any(|text| text.ends_with(".bin")));
    assert_eq!(
        states(&alice, sent[1]).await,
        [AttachmentState::Failed { reason: "Cannot read gone.bin: it is not there.".to_owned() }]
    );

    // Trying again does not make it the file that was meant.
    alice.client.resend(sent[0]).await.unwrap();
    assert_eq!(gives_up(&alice, sent[0]).await, reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_file_is_needed_no_more() {
    let world = World::new().await;
    let mut alice = world.person("Alice").await;
    let disk = tempfile::tempdir().unwrap();
    let path = on_disk(disk.path(), "large.bin", &vec![7; LARGE]);
    let with_herself = alice.client.with(alice.id()).await;
    let id =
        alice.client.send(with_herself, files("", vec![OutgoingFile::Path(path.clone())])).await.unwrap();
    alice
        .waits("the end of preparing", |event| match event {
            Event::Attachment { message, state: AttachmentState::Uploading { .. }, .. } => {
                (message == id).then_some(())
            }
            _ => None,
        })
        .await;
    std::fs::remove_file(path).unwrap();
    assert_eq!(alice.client.wait_sent(id, PATIENCE).await.unwrap().state, MessageState::Sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_or_taken_back_leaves_no_file() {
    let world = World::new().await;
    let alice = world.resting_person("Alice").await;
    let with_herself = alice.client.with(alice.id()).await;
    let bytes = |len| OutgoingFile::Bytes {
        name: "data.bin".to_owned(),
        content_type: "application/octet-stream".to_owned(),
        bytes: vec![7; len],
    };
    let refused = alice.client.send(with_herself, files("", vec![bytes(5), bytes(0)])).await;
    assert!(matches!(refused, Err(SendError::FileEmpty { .. })));
    assert_eq!(stored(&alice), 0);
    let id = alice.client.send(with_herself, files("", vec![bytes(5), bytes(6)])).await.unwrap();
    assert_eq!(stored(&alice), 2);
    alice.client.cancel(id).await.unwrap();
    let gone = async {
        while stored(&alice) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("files of a cancelled message stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_kept_whole_and_sending_turns_it_into_a_message() {
    let world = World::new().await;
    let (alice, mut bob) = (world.person("Alice").await, world.person("Bob").await);
    let answered = alice.says(&bob, "sure?").await;
    let disk = tempfile::tempdir().unwrap();
    let path = on_disk(disk.path(), "lake.bin", &[7; 5]);
    let pasted = alice.client.keep_file("pasted.bin", "image/png", vec![9; 10]).await.unwrap();
    let draft = Draft {
        preview: None,
        text: "look".to_owned(),
        files: vec![OutgoingFile::Kept(pasted.clone()), OutgoingFile::Path(path)],
        reply_to: Some(answered.id),
    };
    let with_bob = alice.client.with(bob.id()).await;
    alice.client.set_draft(with_bob, draft.clone()).await.unwrap();

    let alice = world.crash(alice).await;
    assert_eq!(alice.client.draft(with_bob).await.unwrap(), draft);
    assert_eq!(alice.client.kept_bytes(&pasted).await.unwrap(), [9; 10]);
    let summary = alice.client.conversation(with_bob).await.unwrap().unwrap().draft.unwrap();
    assert_eq!((summary.files, summary.reply_to), (2, Some(answered.id)));

    alice.client.send(with_bob, draft).await.unwrap();
    assert_eq!(alice.client.draft(with_bob).await.unwrap(), Draft::default());
    alice.client.start();
    let heard = bob.hears("look").await;
    assert_eq!(heard.attachments.len(), 2);
    assert_eq!(heard.quote.unwrap().text, "sure?");
}
