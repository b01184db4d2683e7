//! Downloads that fail and go on.

use super::*;

/// An attachment of a message from somebody we know, wanted.
pub(crate) fn wanted(db: &mut Db) -> (MessageId, AttachmentId) {
    let remote = RemoteFile { url: "http://f/1".into(), key: vec![1; 64].into(), digest: Some([2; 32]) };
    let file = NewAttachment {
        name: "x.bin".into(),
        content_type: "application/octet-stream".into(),
        size: 5,
        dimensions: None,
        voice: false,
        remote: Some(remote),
        file: None,
        pointer: None,
        original: None,
    };
    let kind = IncomingKind::Message {
        text: String::new(),
        attachments: vec![file],
        quote: None,
        preview: None,
        expiry: Expiry::Off,
    };
    take(db, vec![from(alice(), at(1), kind)]);
    let message = page(db, alice()).remove(0);
    let id = message.attachments[0].id;
    assert!(db.attachment_wanted(id).unwrap());
    (message.id, id)
}

pub(crate) fn shown(db: &Db, message: MessageId) -> AttachmentState {
    db.message(message).unwrap().unwrap().attachments.remove(0).state
}

fn due(db: &Db, now: Timestamp) -> usize {
    db.transfers_due(TransferState::Download, now, 10).unwrap().len()
}

const COMING: AttachmentState = AttachmentState::Downloading { done: 0, total: 0 };

#[test]
fn a_failed_download_is_shown_as_failed_and_waits_for_its_next_attempt() {
    let mut db = db();
    let (message, id) = wanted(&mut db);
    assert!(db.attachment_retry(id, at(30_000), None).unwrap());
    assert_eq!(shown(&db, message), COMING);
    assert!(db.attachment_retry(id, at(60_000), Some("the network did not manage to do it")).unwrap());
    let reason = "the network did not manage to do it".to_owned();
    assert_eq!(shown(&db, message), AttachmentState::Failed { reason });

    assert_eq!((due(&db, at(59_999)), due(&db, at(60_000))), (0, 1));
    let stored = db.attachment(id).unwrap().unwrap();
    assert_eq!(stored.attempts, 2);
    let remote = stored.remote.unwrap();
    assert_eq!((remote.url.as_str(), remote.digest), ("http://f/1", Some([2; 32])));
    assert_eq!(*remote.key, [1; 64]);

    assert!(db.attachment_downloaded(id, &"a".repeat(32), "image/png").unwrap());
    assert_eq!(shown(&db, message), AttachmentState::Local);
}

#[test]
fn a_click_forgets_failures_and_waits_no_longer() {
    let mut db = db();
    let (message, id) = wanted(&mut db);
    assert!(!db.attachment_wanted(id).unwrap(), "it is on its way already");
    db.attachment_retry(id, at(30_000), Some("no")).unwrap();
    assert!(db.attachment_wanted(id).unwrap());
    assert_eq!((shown(&db, message), due(&db, NOW)), (COMING, 1));
    assert_eq!(db.attachment(id).unwrap().unwrap().attempts, 0);
    // The same for one that was given up.
    db.attachment_failed(id, "no").unwrap();
    assert_eq!(due(&db, at(1_000_000_000)), 0);
    assert!(db.attachment_wanted(id).unwrap());
    assert_eq!((shown(&db, message), due(&db, NOW)), (COMING, 1));
}

#[test]
fn a_network_that_is_back_ends_the_waiting_but_not_the_count() {
    let mut db = db();
    let (message, id) = wanted(&mut db);
    db.attachment_retry(id, at(30_000), Some("no")).unwrap();
    db.downloads_hasten().unwrap();
    assert_eq!(due(&db, NOW), 1);
    assert_eq!(db.attachment(id).unwrap().unwrap().attempts, 1);
    assert_eq!(shown(&db, message), AttachmentState::Failed { reason: "no".to_owned() });
}

#[test]
fn a_download_that_nobody_wants_any_more_does_not_come_back() {
    let mut db = db();
    let (message, id) = wanted(&mut db);
    db.attachment_retry(id, at(30_000), Some("no")).unwrap();
    assert!(db.attachment_unwanted(id).unwrap());
    assert!(!db.attachment_retry(id, at(60_000), Some("no")).unwrap());
    assert_eq!((shown(&db, message), due(&db, at(1_000_000))), (AttachmentState::Remote, 0));
}

#[test]
fn what_waits_is_not_hidden_by_what_is_due_or_goes_up() {
    let mut db = db();
    let (_, id) = wanted(&mut db);
    db.attachment_retry(id, at(30_000), None).unwrap();
    let mut message = outgoing(&mut db, bob(), at(2), "");
    message.attachments = vec![NewAttachment {
        name: "a.png".into(),
        content_type: "image/png".into(),
        size: 7,
        dimensions: None,
        voice: false,
        remote: None,
        file: Some("f".repeat(32)),
        pointer: None,
        original: None,
    }];
    let waiting = NewJob { payload: None, ..job(JobKind::ToRecipient, bob(), at(2)) };
    db.insert_outgoing(&message, &[waiting], Now::Known(NOW)).unwrap();
    assert_eq!(db.downloads_next(NOW).unwrap(), Some(at(30_000)));
    assert_eq!(db.downloads_next(at(30_000)).unwrap(), None, "it is due, not to come");
}

#[test]
fn a_file_that_nobody_wants_any_more_is_not_taken() {
    type Deed = fn(&mut Db, MessageId, AttachmentId);
    let deeds: [(&str, bool, Deed); 5] = [
        ("stopped", false, |db, _, id| assert!(db.attachment_unwanted(id).unwrap())),
        ("deleted", true, |db, message, _| _ = db.delete_messages(&[message]).unwrap()),
        ("removed", true, |db, message, _| _ = db.remove_messages(&[message]).unwrap()),
        // Its rows are still there, and go in steps.
        ("conversation deleted", true, |db, _, _| db.delete_conversation(with(db, alice())).unwrap()),
        ("contact deleted", true, |db, _, _| db.delete_contact(alice()).unwrap()),
    ];
    for (name, gone, deed) in deeds {
        let mut db = db();
        let (message, id) = wanted(&mut db);
        assert_eq!(db.attachments_gone(&[id]).unwrap(), [], "{name}");
        deed(&mut db, message, id);
        assert_eq!(!db.attachments_gone(&[id]).unwrap().is_empty(), gone, "{name}");
        assert!(!db.attachment_downloaded(id, &"a".repeat(32), "image/png").unwrap(), "{name}");
        assert!(!db.is_file_in_use(&"a".repeat(32)).unwrap(), "{name}");
    }
}
