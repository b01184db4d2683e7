//! The way of a message out.

use super::*;

#[test]
fn a_message_its_job_and_its_copy_follow_each_other() {
    let mut db = db();
    let id = send(&mut db, alice(), at(1), "hello");
    let message = db.message(id).unwrap().unwrap();
    assert_eq!(
        (message.state, message.outgoing, message.text.as_str()),
        (MessageState::Sending, true, "hello")
    );
    let jobs = due(&db);
    assert_eq!(jobs.len(), 1);
    assert_eq!(
        (jobs[0].kind, jobs[0].recipient, jobs[0].message),
        (JobKind::ToRecipient, alice().into(), Some(id))
    );

    let changed = db.outbox_sent(jobs[0].id, hash("theirs"), NOW, Now::Known(NOW)).unwrap();
    assert_eq!(changed, Some((with(&db, alice()), id)));
    assert_eq!(db.message(id).unwrap().unwrap().state, MessageState::Sent);
    let copies = due(&db);
    assert_eq!(copies.len(), 1);
    assert_eq!((copies[0].kind, copies[0].recipient), (JobKind::SyncCopy, me().into()));
    assert_eq!((payload(&db, &copies[0]).as_deref(), copies[0].ttl_ms), (Some(&b"copy"[..]), 1000));
    assert_eq!(copies[0].timestamp, at(1));

    db.outbox_sent(copies[0].id, hash("ours"), NOW, Now::Known(NOW)).unwrap();
    assert_eq!(db.message(id).unwrap().unwrap().hash, Some(hash("ours")));
    assert_eq!(db.outbox_len().unwrap(), 0);
    assert!(db.unseen(me().into(), &[hash("ours")]).unwrap().is_empty());
    // Told twice, as after a lost reply: nothing happens.
    assert_eq!(db.outbox_sent(copies[0].id, hash("ours"), NOW, Now::Known(NOW)).unwrap(), None);
}

#[test]
fn jobs_for_one_recipient_keep_their_order_and_others_do_not_wait() {
    let mut db = db();
    let first = send(&mut db, alice(), at(1), "1");
    send(&mut db, alice(), at(2), "2");
    let other = send(&mut db, bob(), at(3), "b");
    let jobs = due(&db);
    assert_eq!(jobs.iter().map(|job| job.message).collect::<Vec<_>>(), [Some(first), Some(other)]);
    db.outbox_sent(jobs[1].id, hash("b"), NOW, Now::Known(NOW)).unwrap();
    let [waiting, copy] = due(&db).try_into().unwrap();
    assert_eq!((waiting.id, copy.recipient), (jobs[0].id, me().into()), "what is not out stays at the head");
    db.outbox_sent(copy.id, hash("bc"), NOW, Now::Known(NOW)).unwrap();
    assert_eq!(due(&db).iter().map(|job| job.message).collect::<Vec<_>>(), [Some(first)]);
}

#[test]
fn a_message_with_files_waits_for_its_bytes() {
    let mut db = db();
    let mut message = outgoing(&mut db, alice(), at(1), "");
    let file = NewAttachment {
        name: "a.png".into(),
        content_type: "image/png".into(),
        size: 7,
        dimensions: Some((3, 4)),
        voice: false,
        remote: None,
        file: Some("f".repeat(32)),
        pointer: None,
        original: None,
    };
    message.attachments = vec![file.clone(), NewAttachment { name: "b.png".into(), ..file }];
    let waiting = NewJob { payload: None, ..job(JobKind::ToRecipient, alice(), at(1)) };
    let id = db.insert_outgoing(&message, &[waiting], Now::Known(NOW)).unwrap().id;
    let job = due(&db).remove(0);
    assert_eq!((job.encoded, payload(&db, &job)), (false, None));

    let uploads = db.transfers_due(TransferState::Upload, NOW, 10).unwrap();
    assert_eq!(uploads.iter().map(|upload| upload.name.as_str()).collect::<Vec<_>>(), ["a.png", "b.png"]);
    let remote = RemoteFile { url: "http://f/1".into(), key: vec![1; 64].into(), digest: Some([2; 32]) };
    assert!(!db.attachment_uploaded(uploads[0].id, &remote).unwrap());
    db.attachment_failed(uploads[1].id, "no").unwrap();
    assert!(matches!(db.message(id).unwrap().unwrap().attachments[1].state, AttachmentState::Failed { .. }));
    assert!(db.attachment_uploaded(uploads[1].id, &remote).unwrap());
    assert!(db.transfers_due(TransferState::Upload, NOW, 10).unwrap().is_empty());
    let stored = db.attachments_of(id).unwrap();
    assert_eq!(stored[0].state, TransferState::Local);
    assert!(stored[0].remote == Some(remote) && stored[0].dimensions == Some((3, 4)));

    db.outbox_encoded(job.id, b"bytes", 7, None).unwrap();
    db.outbox_encoded(job.id, b"other", 8, None).unwrap();
    let job = due(&db).remove(0);
    assert_eq!((job.encoded, job.ttl_ms), (true, 7));
    assert_eq!(payload(&db, &job).as_deref(), Some(&b"bytes"[..]), "encoded once");
}

#[test]
fn a_failed_message_is_sent_again_with_the_same_bytes() {
    let mut db = db();
    let id = send(&mut db, alice(), at(1), "1");
    let job = due(&db).remove(0);
    let bytes = payload(&db, &job);
    assert_eq!(db.outbox_failed(job.id, "The network refused it.").unwrap(), Some((with(&db, alice()), id)));
    let message = db.message(id).unwrap().unwrap();
    assert_eq!(
        (message.state, message.failure.as_deref()),
        (MessageState::Failed, Some("The network refused it."))
    );
    assert!(due(&db).is_empty());
    send(&mut db, alice(), at(2), "2");
    assert!(db.outbox_resend(id, NOW).unwrap());
    assert!(!db.outbox_resend(id, NOW).unwrap());
    assert_eq!(db.message(id).unwrap().unwrap().state, MessageState::Sending);
    let second = due(&db).remove(0);
    assert_ne!(second.message, Some(id), "at the end of the queue");
    db.outbox_sent(second.id, hash(2), NOW, Now::Known(NOW)).unwrap();
    let again = due(&db).into_iter().find(|job| job.message == Some(id)).unwrap();
    assert_eq!((payload(&db, &again), again.timestamp), (bytes, at(1)));
    assert!(db.cancel_outgoing(id).unwrap());
    assert!(db.outbox_of(id).unwrap().is_empty());
}

#[test]
fn a_copy_that_fails_leaves_the_message_sent() {
    let mut db = db();
    let id = send(&mut db, alice(), at(1), "1");
    let job = due(&db).remove(0);
    db.outbox_sent(job.id, hash(1), NOW, Now::Known(NOW)).unwrap();
    let copy = due(&db).remove(0);
    db.outbox_failed(copy.id, "refused").unwrap();
    assert_eq!(db.message(id).unwrap().unwrap().state, MessageState::Sent);
    assert!(!db.cancel_outgoing(id).unwrap(), "what is out cannot be taken back");
}

#[test]
fn a_note_to_ourselves_is_sent_by_one_store_or_by_coming_back() {
    let mut db = db();
    let note = |db: &mut Db, ms| {
        let jobs = [job(JobKind::OwnNote, me(), at(ms))];
        let message = outgoing(db, me(), at(ms), "note");
        db.insert_outgoing(&message, &jobs, Now::Known(NOW)).unwrap().id
    };
    let id = note(&mut db, 1);
    let due_now = due(&db);
    db.outbox_sent(due_now[0].id, hash("n"), NOW, Now::Known(NOW)).unwrap();
    let message = db.message(id).unwrap().unwrap();
    assert_eq!((message.state, message.hash), (MessageState::Sent, Some(hash("n"))));

    // The reply to the store was lost; the poll brings the note before the next attempt.
    let id = note(&mut db, 2);
    let applied = take(&mut db, vec![copy(me(), at(2), text("note"))]);
    assert!(applied.messages.is_empty() && applied.outbox_changed);
    assert_eq!(db.message(id).unwrap().unwrap().state, MessageState::Sent);
    assert_eq!(db.outbox_len().unwrap(), 0);
    assert_eq!(page(&db, me()).len(), 2);
}

#[test]
fn writing_to_a_stranger_who_wrote_first_accepts_them() {
    let mut db = db();
    take(&mut db, vec![from(alice(), at(-50), text("may I?"))]);
    assert!(conversation(&db, alice()).is_request());
    db.set_draft(with(&db, alice()), &drafted("sur"), NOW).unwrap();
    let message = outgoing(&mut db, alice(), at(0), "sure");
    let out =
        db.insert_outgoing(&message, &[job(JobKind::ToRecipient, alice(), at(0))], Now::Known(NOW)).unwrap();
    assert!(out.accepted_request);
    let it = conversation(&db, alice());
    assert!(it.approved && it.is_listed() && it.unread == 0 && it.draft.is_none());
    let notices: Vec<_> = page(&db, alice()).into_iter().map(|message| message.notice).collect();
    assert_eq!(notices, [None, Some(Notice::YouAccepted), None]);
    let again = outgoing(&mut db, alice(), at(5), "more");
    assert!(!db.insert_outgoing(&again, &[], Now::Known(NOW)).unwrap().accepted_request);
}

#[test]
fn timestamps_are_never_given_twice() {
    let mut db = db();
    assert_eq!(db.next_timestamp(Now::Known(at(0))).unwrap(), at(0));
    assert_eq!(db.next_timestamp(Now::Known(at(0))).unwrap(), at(1));
    assert_eq!(db.next_timestamp(Now::Known(at(-1000))).unwrap(), at(2), "the clock was set back");
    send(&mut db, alice(), at(50), "x");
    assert_eq!(db.next_timestamp(Now::Known(at(3))).unwrap(), at(51));
}

#[test]
fn the_countdown_starts_when_the_swarm_has_it() {
    let mut db = db();
    let message = OutgoingMessage { expiry: Expiry::AfterSend(60), ..outgoing(&mut db, alice(), at(0), "x") };
    let out =
        db.insert_outgoing(&message, &[job(JobKind::ToRecipient, alice(), at(0))], Now::Known(NOW)).unwrap();
    assert_eq!(db.next_expiry().unwrap(), None);
    let job = due(&db).remove(0);
    db.outbox_sent(job.id, hash(1), at(500), Now::Known(at(900))).unwrap();
    assert_eq!(db.next_expiry().unwrap(), Some(at(60_500)));
    assert!(db.delete_expired(at(60_499)).unwrap().is_empty());
    assert_eq!(db.delete_expired(at(60_500)).unwrap(), [with(&db, alice())]);
    assert!(db.message(out.id).unwrap().is_none());
}

#[test]
fn several_steps_are_one_or_none() {
    let mut db = db();
    let result: Result<(), StoreError> = db.transaction(|db| {
        let message = outgoing(db, alice(), at(1), "x");
        db.insert_outgoing(&message, &[job(JobKind::ToRecipient, alice(), at(1))], Now::Known(NOW))?;
        // A step inside that fails and is caught undoes itself only.
        let inner: Result<(), _> = db.transaction(|db| {
            db.set_nickname(alice(), Some("no"))?;
            Err(StoreError::NotFound)
        });
        assert!(inner.is_err());
        assert_eq!(conversation(db, alice()).nickname, None);
        Err(StoreError::NotFound)
    });
    assert!(matches!(result, Err(StoreError::NotFound)));
    assert!(db.conversations(NOW).unwrap().is_empty());
    assert_eq!(db.outbox_len().unwrap(), 0);
    assert_eq!(db.last_timestamp().unwrap(), Timestamp::default());
}

#[test]
fn jobs_are_told_from_those_that_others_made_meanwhile() {
    let mut db = db();
    let mine = Tracked::default();
    send(&mut db, bob(), at(-9), "before");
    mine.watch(&mut db, |db| Ok(send(db, alice(), at(-8), "mine"))).unwrap();
    mine.watch(&mut db, |db| db.newest_message()).unwrap();
    send(&mut db, bob(), at(-7), "after");
    assert_eq!(mine.spans(), [(JobId(1), JobId(2))]);
    assert!(!db.jobs_are_done(&mine.spans()).unwrap());
    db.outbox_sent(JobId(2), hash("mine"), NOW, Now::Known(NOW)).unwrap();
    assert!(db.jobs_are_done(&mine.spans()).unwrap());
    assert!(db.outbox_len().unwrap() > 0, "those of others, and the copy, still wait");
}
