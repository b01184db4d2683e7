//! Clocks that are wrong, and messages from the future.

use super::*;

const YEAR_MS: i64 = 365 * 24 * 3_600_000;

/// A message to `to` with its job, at whatever time it is.
fn write(db: &mut Db, to: SessionId, body: &str, quote: Option<QuoteKey>, now: Now) -> MessageId {
    let timestamp = db.next_timestamp(now).unwrap();
    let message = OutgoingMessage { quote, ..outgoing(db, to, timestamp, body) };
    db.insert_outgoing(&message, &[job(JobKind::ToRecipient, to, timestamp)], now).unwrap().id
}

fn timestamps(db: &Db, id: SessionId) -> Vec<Timestamp> {
    page(db, id).iter().map(|message| message.timestamp).collect()
}

#[test]
fn one_message_under_a_wrong_clock_does_not_date_all_later_ones() {
    let mut db = db();
    let ahead = Now::Known(at(8 * 3_600_000));
    write(&mut db, alice(), "eight hours ahead", None, ahead);
    assert_eq!(db.next_timestamp(Now::Known(NOW)).unwrap(), NOW);
    assert_eq!(db.next_timestamp(Now::Known(NOW)).unwrap(), at(1));
    // When that time comes, what was given out then is not given out again.
    assert_eq!(db.next_timestamp(ahead).unwrap(), at(8 * 3_600_000 + 1));
    // A job without a message counts as well.
    let odd = job(JobKind::Other, alice(), at(9 * 3_600_000));
    db.enqueue(&odd, Now::Known(NOW)).unwrap();
    assert_eq!(db.next_timestamp(Now::Known(at(20))).unwrap(), at(20));
    assert_eq!(db.next_timestamp(Now::Known(at(9 * 3_600_000))).unwrap(), at(9 * 3_600_000 + 1));
    // A few seconds are no wrong clock: the order of what is said stays.
    db.next_timestamp(Now::Known(at(9 * 3_600_000 + 4000))).unwrap();
    let next = db.next_timestamp(Now::Known(at(9 * 3_600_000))).unwrap();
    assert_eq!(next, at(9 * 3_600_000 + 4001));
}

#[test]
fn what_was_written_under_any_clock_is_dated_when_the_time_is_known() {
    for guess in [-YEAR_MS, -3_600_000, 0, 3_600_000, 10 * YEAR_MS] {
        let mut db = db();
        befriend(&mut db);
        take(&mut db, vec![from(alice(), at(-5000), text("before"))]);
        let wrong = Now::Guessed(at(guess));
        let first = write(&mut db, alice(), "first", None, wrong);
        let quoted = QuoteKey { author: me(), timestamp: db.message(first).unwrap().unwrap().timestamp };
        write(&mut db, alice(), "second", Some(quoted), wrong);
        assert_eq!(texts(&db, alice()), ["before", "first", "second"], "shown at once, {guess}");
        assert_eq!(conversation(&db, alice()).unread, 0, "writing reads what came before");
        assert!(db.outbox_due().unwrap().is_empty(), "nothing is sent yet");
        assert!(db.has_undated().unwrap());

        let touched = db.settle_time(NOW).unwrap();
        assert_eq!(touched.into_iter().collect::<Vec<_>>(), [with(&db, alice())]);
        assert!(!db.has_undated().unwrap());
        let page = page(&db, alice());
        let dated = timestamps(&db, alice());
        assert_eq!(dated[0], at(-5000));
        assert!(NOW <= dated[1] && dated[1] < dated[2] && dated[2] <= at(3), "{guess}: {dated:?}");
        let quote = page[2].quote.clone().unwrap();
        assert_eq!((quote.message, quote.timestamp), (Some(first), dated[1]));
        let due = db.outbox_due().unwrap();
        assert_eq!((due.len(), due[0].timestamp, due[0].payload.is_none()), (1, dated[1], true));
        assert_eq!(conversation(&db, alice()).active_at, dated[2], "{guess}");
        let mark = db.read_mark(with(&db, alice())).unwrap().unwrap();
        assert!(mark.last_read <= at(5000), "{guess}: {:?}", mark.last_read);
        db.outbox_encoded(due[0].id, b"bytes", None).unwrap();
        assert_eq!(db.outbox_due().unwrap()[0].payload.as_deref(), Some(&b"bytes"[..]));
        assert!(db.settle_time(at(10)).unwrap().is_empty(), "once is enough");
    }
}

#[test]
fn bytes_of_a_guessed_time_are_not_kept() {
    let mut db = db();
    let mut early = job(JobKind::ToRecipient, alice(), at(1));
    early.copy = Some(SwarmCopy { payload: b"copy".to_vec(), ttl_ms: 1000 });
    let id = db.enqueue(&early, Now::Guessed(NOW)).unwrap();
    db.outbox_encoded(id, b"early", None).unwrap();
    let stored = db.outbox_job(id).unwrap().unwrap();
    assert_eq!(stored.payload, None);
    db.settle_time(NOW).unwrap();
    db.outbox_sent(id, hash(1), NOW, Now::Known(NOW)).unwrap();
    assert!(db.outbox_due().unwrap().is_empty(), "and no copy follows");
}

#[test]
fn reactions_and_what_else_is_said_are_dated_as_well() {
    let mut db = db();
    befriend(&mut db);
    take(&mut db, vec![from(alice(), at(-5000), text("look"))]);
    let target = page(&db, alice()).remove(0);
    let wrong = Now::Guessed(at(YEAR_MS));
    let (author, timestamp, emoji) = (alice(), target.timestamp, "👍");
    let wish = Wish::Reaction { author, timestamp, emoji: emoji.parse().unwrap(), remove: false };
    let at_first = db.next_timestamp(wrong).unwrap();
    let reaction = NewJob { wish: Some(wish.clone()), ..job(JobKind::Other, alice(), at_first) };
    db.enqueue(&reaction, wrong).unwrap();
    db.react(target.id, emoji, false, at_first).unwrap();
    db.settle_time(NOW).unwrap();
    let due = db.outbox_due().unwrap().remove(0);
    assert_eq!((due.timestamp, due.wish), (NOW, Some(wish)));
    // Taking it away a moment later is newer than setting it: the row was dated too.
    assert!(db.react(target.id, emoji, true, at(5)).unwrap());
    assert!(page(&db, alice())[0].reactions.is_empty());
}

#[test]
fn an_acceptance_stands_before_the_message_that_made_it() {
    let mut db = db();
    take(&mut db, vec![from(alice(), at(-50), text("may I?"))]);
    write(&mut db, alice(), "sure", None, Now::Guessed(at(-YEAR_MS)));
    let seen = |db: &Db| page(db, alice()).into_iter().map(|it| it.notice.is_some()).collect::<Vec<_>>();
    assert_eq!(seen(&db), [false, true, false]);
    db.settle_time(NOW).unwrap();
    assert_eq!(seen(&db), [false, true, false]);
    assert!(timestamps(&db, alice()).iter().all(|timestamp| *timestamp <= at(1)));
}

#[test]
fn countdowns_begin_when_the_time_is_known_and_end_no_earlier() {
    for guess in [-YEAR_MS, 10 * YEAR_MS] {
        let mut db = db();
        befriend(&mut db);
        take(&mut db, vec![from(alice(), at(-5000), timed(Expiry::AfterRead(60)))]);
        let id = page(&db, alice())[0].id;
        let outcome = db.mark_read(with(&db, alice()), id, Now::Guessed(at(guess))).unwrap();
        assert!(outcome.any && outcome.read.is_empty(), "nobody knows when it ends");
        assert_eq!(db.next_expiry().unwrap(), None);
        db.settle_time(NOW).unwrap();
        assert_eq!(db.next_expiry().unwrap(), Some(at(60_000)));
    }
}

#[test]
fn a_message_from_the_future_stands_where_it_came() {
    let mut db = db();
    befriend(&mut db);
    take(&mut db, vec![from(alice(), at(10 * YEAR_MS), text("from the future"))]);
    take(&mut db, vec![from(bob(), at(-1000), text("b"))]);
    let later = |items| ReceivedBatch { now: at(5000), ..batch(items) };
    db.apply_received(&later(vec![from(alice(), at(4000), text("later"))])).unwrap();
    write(&mut db, alice(), "answer", None, Now::Known(at(6000)));
    assert_eq!(texts(&db, alice()), ["from the future", "later", "answer"]);
    let first = page(&db, alice()).remove(0);
    assert_eq!((first.timestamp, first.sorted_at), (at(10 * YEAR_MS), NOW), "what it is called stays");
    let it = conversation(&db, alice());
    assert_eq!((it.active_at, it.last_message.unwrap().text.as_str()), (at(6000), "answer"));
    db.apply_received(&later(vec![from(bob(), at(7000), text("c"))])).unwrap();
    let list: Vec<_> = db.conversations(NOW).unwrap().iter().map(|it| it.id).collect();
    assert_eq!(list, [with(&db, alice()), with(&db, bob())], "5 s after now is 5 s after now for everybody");
    let batch = ReceivedBatch { now: at(8000), ..batch(vec![from(bob(), at(7500), text("d"))]) };
    db.apply_received(&batch).unwrap();
    let list: Vec<_> = db.conversations(NOW).unwrap().iter().map(|it| it.id).collect();
    assert_eq!(list, [with(&db, bob()), with(&db, alice())]);
}

#[test]
fn a_node_cannot_make_a_message_vanish_early_or_come_back() {
    let mut db = db();
    befriend(&mut db);
    let kind = timed(Expiry::AfterSend(3600));
    let item = ReceivedItem { expiration: at(1), ..from(alice(), at(-5000), kind) };
    take(&mut db, vec![item.clone()]);
    assert_eq!(page(&db, alice())[0].expires_at, Some(at(3_595_000)));
    db.clear_messages(with(&db, alice())).unwrap();
    db.forget_old(at(24 * 3_600_000)).unwrap();
    take(&mut db, vec![item]);
    assert!(page(&db, alice()).is_empty());
}

/// Alice and Bob are accepted, as are we by them.
fn befriend(db: &mut Db) {
    for id in [alice(), bob()] {
        db.set_approved(id, true).unwrap();
        db.set_approved_me(id, true).unwrap();
    }
}
