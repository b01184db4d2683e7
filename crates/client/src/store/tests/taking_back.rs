//! Taking back what is not known to be sent: without a trace, or with a request to delete it, whatever the way.

use super::*;

/// A way for a message to go, and what it is called.
type Way = (&'static str, fn(&mut Db, MessageId));

/// How a message can go.
const WAYS: [Way; 5] = [
    ("cancelled", |db, id| assert!(db.cancel_outgoing(id).unwrap())),
    ("deleted", |db, id| drop(db.delete_messages(&[id]).unwrap())),
    ("removed", |db, id| drop(db.remove_messages(&[id]).unwrap())),
    ("cleared away", |db, _| db.clear_messages(with(db, alice())).unwrap()),
    ("gone with the contact", |db, _| db.delete_contact(alice()).unwrap()),
];

/// The requests to delete something that wait, with who is asked.
fn unsends(db: &Db) -> Vec<(Account, Wish)> {
    let jobs = due(db).into_iter();
    jobs.filter_map(|job| Some((job.recipient, job.wish?))).collect()
}

fn unsend(timestamp: Timestamp) -> Wish {
    Wish::Unsend { author: me(), timestamp }
}

#[test]
fn what_was_never_tried_goes_without_a_trace() {
    for (way, go) in WAYS {
        let mut db = db();
        let id = send(&mut db, alice(), at(1), "x");
        go(&mut db, id);
        assert_eq!(db.outbox_len().unwrap(), 0, "{way}");
    }
}

#[test]
fn what_may_be_out_is_asked_to_be_deleted_behind_itself() {
    for (way, go) in WAYS {
        let mut db = db();
        let id = send(&mut db, alice(), at(1), "x");
        let job = due(&db).remove(0);
        db.outbox_attempting(job.id).unwrap();
        let later = send(&mut db, bob(), at(2), "y");
        go(&mut db, id);
        assert_eq!(unsends(&db), [(alice().into(), unsend(at(1)))], "{way}");
        assert!(db.outbox_job(job.id).unwrap().is_none(), "{way}");
        // The answer comes when the message is gone already.
        assert_eq!(db.outbox_sent(job.id, hash(1), NOW, Now::Known(NOW)).unwrap(), None, "{way}");
        assert_eq!(unsends(&db).len(), 1, "{way}");
        // It has no date of its own yet.
        let head = due(&db).into_iter().find(|job| job.wish.is_some()).unwrap();
        db.freshen(&head, NOW).unwrap();
        let head = db.outbox_job(head.id).unwrap().unwrap();
        assert_eq!((head.timestamp, head.encoded, head.lane), (at(3), false, job.lane), "{way}");
        assert!(db.message(later).unwrap().is_some());
    }
}

#[test]
fn a_control_line_cannot_be_asked_to_be_deleted() {
    let mut db = db();
    let expiry = Expiry::AfterSend(60);
    let notice = Some(Notice::ExpiryChanged { expiry });
    let line = OutgoingMessage { notice, ..outgoing(&mut db, alice(), at(1), "") };
    let wish = Some(Wish::TimerUpdate { expiry });
    let told = NewJob { wish, ..job(JobKind::ToRecipient, alice(), at(1)) };
    let id = db.insert_outgoing(&line, &[told], Now::Known(NOW)).unwrap().id;
    db.outbox_attempting(due(&db)[0].id).unwrap();
    assert!(db.cancel_outgoing(id).unwrap());
    assert_eq!(db.outbox_len().unwrap(), 0);
}

#[test]
fn what_failed_may_be_out_as_well() {
    let mut db = db();
    let id = send(&mut db, alice(), at(1), "x");
    let job = due(&db).remove(0);
    db.outbox_attempting(job.id).unwrap();
    db.outbox_failed(job.id, "no").unwrap();
    assert!(!db.cancel_untried(id).unwrap());
    assert!(db.outbox_resend(id, NOW).unwrap());
    assert!(unsends(&db).is_empty(), "moved to the end of its lane, not taken back");
    assert!(due(&db)[0].attempted);
    assert!(db.cancel_outgoing(id).unwrap());
    assert_eq!(unsends(&db), [(alice().into(), unsend(at(1)))]);
}

#[test]
fn what_is_sent_is_not_taken_back_by_itself() {
    let mut db = db();
    let id = send(&mut db, alice(), at(1), "x");
    let job = due(&db).remove(0);
    db.outbox_attempting(job.id).unwrap();
    db.outbox_sent(job.id, hash(1), NOW, Now::Known(NOW)).unwrap();
    assert!(!db.cancel_untried(id).unwrap() && !db.cancel_outgoing(id).unwrap());
    // Deleted on this device only: our other ones still get their copy.
    db.release_copy(id).unwrap();
    db.delete_messages(&[id]).unwrap();
    let copy = due(&db).remove(0);
    assert_eq!(
        (copy.kind, copy.message, payload(&db, &copy)),
        (JobKind::Other, None, Some(b"copy".to_vec()))
    );
    assert_eq!(copy.recipient, me().into());
    assert!(unsends(&db).is_empty());
}

#[test]
fn a_note_taken_back_does_not_come_from_our_own_swarm() {
    let mut db = db();
    let message = outgoing(&mut db, me(), at(1), "note");
    let id = db.insert_outgoing(&message, &[job(JobKind::OwnNote, me(), at(1))], Now::Known(NOW)).unwrap().id;
    let note = due(&db).remove(0);
    db.outbox_attempting(note.id).unwrap();
    assert!(db.cancel_outgoing(id).unwrap());
    assert_eq!(unsends(&db), [(me().into(), unsend(at(1)))]);
    let applied = take(&mut db, vec![copy(me(), at(1), text("note"))]);
    assert!(applied.messages.is_empty() && page(&db, me()).is_empty());
    assert_eq!(applied.delete_hashes.len(), 1, "it is deleted there too");
}

#[test]
fn a_note_that_comes_back_before_the_answer_is_sent_and_stays() {
    let mut db = db();
    let message = outgoing(&mut db, me(), at(1), "note");
    db.insert_outgoing(&message, &[job(JobKind::OwnNote, me(), at(1))], Now::Known(NOW)).unwrap();
    db.outbox_attempting(due(&db)[0].id).unwrap();
    take(&mut db, vec![copy(me(), at(1), text("note"))]);
    assert_eq!(db.outbox_len().unwrap(), 0);
    assert_eq!(page(&db, me())[0].state, MessageState::Sent);
}
