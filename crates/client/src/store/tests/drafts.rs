//! What is written and not sent yet, and what becomes of files between a person's disk and the file server.

use super::*;

/// A file of ours in the folder of files, named so there.
fn kept(file: char) -> KeptFile {
    KeptFile {
        name: "pasted.png".into(),
        content_type: "image/png".into(),
        size: 5,
        voice: file == 'b',
        file: file.to_string().repeat(32),
    }
}

fn stored(file: char) -> DraftFile {
    DraftFile::Here(kept(file))
}

/// A message of ours with these originals, and what was written down of it.
fn hand(db: &mut Db, originals: Vec<Original>) -> MessageId {
    let conversation = made(db, alice());
    let attachment = |original| NewAttachment { original: Some(original), ..file(None) };
    let message = OutgoingMessage {
        preview: None,
        conversation,
        timestamp: at(1),
        text: "look".into(),
        quote: None,
        attachments: originals.into_iter().map(attachment).collect(),
        notice: None,
        expiry: Expiry::Off,
    };
    let job = NewJob { payload: None, ..job(JobKind::ToRecipient, alice(), at(1)) };
    db.insert_outgoing(&message, &[job], Now::Known(NOW)).unwrap().id
}

fn states(db: &Db, id: MessageId) -> Vec<TransferState> {
    db.attachments_of(id).unwrap().into_iter().map(|attachment| attachment.state).collect()
}

/// A file on a person's disk.
fn on_disk(folder: &std::path::Path, name: &str) -> Original {
    let path = folder.join(name);
    std::fs::write(&path, name).unwrap();
    let about = std::fs::metadata(&path).unwrap();
    Original::There(crate::source_file::SourceFile::new(&path, &about).unwrap())
}

#[test]
fn a_draft_keeps_text_answer_and_files_and_gives_its_files_up_with_itself() {
    let mut db = db();
    take(&mut db, vec![from(alice(), at(-5), text("sure?"))]);
    let id = with(&db, alice());
    let answered = db.messages(id, Page::Newest, 1, NOW).unwrap().messages[0].id;
    let files = vec![stored('a'), DraftFile::There("/pictures/lake.jpg".into()), stored('b')];
    let draft = StoredDraft { text: "yes".into(), reply_to: Some(answered), files, preview: None };
    assert!(db.set_draft(id, &draft, NOW).unwrap());
    assert!(!db.set_draft(id, &draft, NOW).unwrap(), "nothing is new");
    assert!(db.draft(id).unwrap() == draft);
    let summary = db.conversation(id).unwrap().unwrap().draft.unwrap();
    assert_eq!((summary.text.as_str(), summary.files, summary.reply_to), ("yes", 3, Some(answered)));
    for file in ["a", "b"] {
        assert!(db.is_file_in_use(&file.repeat(32)).unwrap(), "no start may take it for an orphan");
    }

    let fewer = StoredDraft { files: vec![stored('b')], ..draft };
    assert!(db.set_draft(id, &fewer, NOW).unwrap());
    assert_eq!(db.doomed_files(9).unwrap(), ["a".repeat(32)], "only what was taken out of it");
    db.delete_messages(&[answered]).unwrap();
    assert_eq!(db.draft(id).unwrap().reply_to, None, "a placeholder is no message to answer");
    db.remove_messages(&[answered]).unwrap();
    assert_eq!(db.draft(id).unwrap().reply_to, None, "what is gone is not answered");
    assert!(db.set_draft(id, &StoredDraft::default(), NOW).unwrap());
    assert_eq!(db.doomed_files(9).unwrap().len(), 2);
    assert!(!db.is_file_in_use(&"b".repeat(32)).unwrap());
    assert!(db.conversation(id).unwrap().unwrap().draft.is_none());
}

#[test]
fn sending_empties_the_draft_and_takes_its_files_over() {
    let mut db = db();
    let id = made(&mut db, alice());
    let draft = StoredDraft { files: vec![stored('a'), stored('b')], ..drafted("look") };
    db.set_draft(id, &draft, NOW).unwrap();
    let message = hand(&mut db, vec![Original::Here("a".repeat(32))]);
    assert!(db.draft(id).unwrap() == StoredDraft::default());
    assert_eq!(db.doomed_files(9).unwrap(), ["b".repeat(32)], "what was not sent");
    assert_eq!(states(&db, message), [TransferState::Prepare]);
}

#[test]
fn originals_are_copied_first_and_prepared_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut db = db();
    let here = Original::Here("a".repeat(32));
    let message = hand(&mut db, vec![here, on_disk(folder.path(), "one"), on_disk(folder.path(), "two")]);
    assert!(matches!(db.message(message).unwrap().unwrap().attachments[1].state, AttachmentState::Preparing));
    for (name, copy) in [("one", 'b'), ("two", 'c')] {
        let next = db.next_to_prepare().unwrap().unwrap();
        assert_eq!(next.source.unwrap().read().unwrap(), name.as_bytes());
        assert!(db.attachment_copied(next.id, &copy.to_string().repeat(32)).unwrap());
    }
    let prepared = |file: char| PreparedFile {
        file: file.to_string().repeat(32),
        content_type: "image/jpeg".into(),
        size: 3,
        dimensions: Some((2, 1)),
    };
    for (original, result) in [('a', 'a'), ('b', 'd'), ('c', 'e')] {
        let next = db.next_to_prepare().unwrap().unwrap();
        assert!(next.file == Some(original.to_string().repeat(32)) && next.source.is_none());
        assert!(db.attachment_prepared(next.id, &prepared(result)).unwrap());
        assert!(!db.attachment_prepared(next.id, &prepared(result)).unwrap(), "once");
    }
    assert!(db.next_to_prepare().unwrap().is_none());
    assert_eq!(states(&db, message), [TransferState::Upload; 3]);
    assert_eq!(db.doomed_files(9).unwrap(), ["b".repeat(32), "c".repeat(32)], "what preparing changed");
    let shown = &db.message(message).unwrap().unwrap().attachments[2];
    assert_eq!((shown.size, shown.dimensions, shown.content_type.as_str()), (3, Some((2, 1)), "image/jpeg"));
}

#[test]
fn a_file_that_cannot_be_sent_gives_its_message_up_until_it_is_tried_again() {
    let mut db = db();
    let message = hand(&mut db, vec![Original::Here("a".repeat(32)), Original::Here("b".repeat(32))]);
    let first = db.next_to_prepare().unwrap().unwrap();
    db.attachment_attempted(first.id).unwrap();
    let told = db.attachment_unsendable(first.id, "It is torn.").unwrap();
    assert_eq!(told, Some((first.conversation, message)));
    let shown = db.message(message).unwrap().unwrap();
    assert_eq!((shown.state, shown.failure.as_deref()), (MessageState::Failed, Some("It is torn.")));
    assert_eq!(shown.attachments[0].state, AttachmentState::Failed { reason: "It is torn.".into() });
    assert!(db.outbox_due().unwrap().is_empty());

    assert!(db.outbox_resend(message, NOW).unwrap());
    assert_eq!(states(&db, message), [TransferState::Prepare; 2]);
    assert_eq!(db.next_to_prepare().unwrap().unwrap().attempts, 0);
    assert!(db.cancel_outgoing(message).unwrap());
    assert_eq!(db.attachment_unsendable(first.id, "late").unwrap(), None);
    assert!(!db.attachment_copied(first.id, "late").unwrap());
    assert_eq!(db.doomed_files(9).unwrap().len(), 2);
}
