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
        let jobs = due(&db);
        assert_eq!((jobs.len(), jobs[0].timestamp, jobs[0].encoded), (1, dated[1], false));
        assert_eq!(conversation(&db, alice()).active_at, dated[2], "{guess}");
        let mark = db.read_mark(with(&db, alice())).unwrap().unwrap();
        assert!(mark.last_read <= at(5000), "{guess}: {:?}", mark.last_read);
        db.outbox_encoded(jobs[0].id, b"bytes", 1, None).unwrap();
        assert_eq!(payload(&db, &jobs[0]).as_deref(), Some(&b"bytes"[..]));
        assert!(db.settle_time(at(10)).unwrap().is_empty(), "once is enough");
    }
}

#[test]
fn bytes_of_a_guessed_time_are_not_kept() {
    let mut db = db();
    let mut early = job(JobKind::ToRecipient, alice(), at(1));
    early.copy = Some(SwarmCopy { payload: b"copy".to_vec(), ttl_ms: 1000 });
    let id = db.enqueue(&early, Now::Guessed(NOW)).unwrap();
    db.outbox_encoded(id, b"early", 1, None).unwrap();
    assert!(!db.outbox_job(id).unwrap().unwrap().encoded);
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
    let job = due(&db).remove(0);
    assert_eq!((job.timestamp, job.wish), (NOW, Some(wish)));
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

/// Spec 02 §21.2: the other is told 100 ms before, whenever both get their dates.
#[test]
fn an_acceptance_is_dated_100_ms_before_the_answer() {
    for now in [Now::Known(NOW), Now::Guessed(at(-YEAR_MS))] {
        let mut db = db();
        take(&mut db, vec![from(alice(), at(-5000), text("may I?"))]);
        let told = db.response_timestamp(now).unwrap();
        let wish = Some(Wish::RequestResponse);
        db.enqueue(&NewJob { wish, ..job(JobKind::Other, alice(), told) }, now).unwrap();
        write(&mut db, alice(), "sure", None, now);
        if now.known().is_none() {
            db.settle_time(NOW).unwrap();
        }
        let sql = "SELECT max(timestamp) - min(timestamp), count(*) FROM outbox";
        let apart = db.sql().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(apart, (100_i64, 2_i64), "{now:?}");
    }
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

/// What of a lane is there to be sent: its texts, in the order of the lane.
fn waiting(db: &Db) -> Vec<(String, Timestamp)> {
    let mut jobs: Vec<Job> = page(db, alice()).iter().flat_map(|it| db.outbox_of(it.id).unwrap()).collect();
    jobs.sort_by_key(|job| job.id);
    let text = |job: &Job| db.message(job.message.unwrap()).unwrap().unwrap().text;
    jobs.iter().map(|job| (text(job), job.timestamp)).collect()
}

#[test]
fn what_was_never_tried_is_dated_anew_when_its_turn_comes_late() {
    let mut db = db();
    befriend(&mut db);
    let first = write(&mut db, alice(), "first", None, Now::Known(NOW));
    let quoted = QuoteKey { author: me(), timestamp: db.message(first).unwrap().unwrap().timestamp };
    let second = write(&mut db, alice(), "second", Some(quoted), Now::Known(at(1000)));
    write(&mut db, bob(), "to bob", None, Now::Known(at(2000)));
    let meanwhile = batch(vec![from(alice(), at(3000), text("meanwhile"))]);
    db.apply_received(&ReceivedBatch { now: at(3000), ..meanwhile }).unwrap();
    let head = due(&db).remove(0);

    assert!(db.freshen(&head, at(60_000)).unwrap().is_empty(), "a minute is nothing");
    assert_eq!(texts(&db, alice()), ["first", "second", "meanwhile"]);
    let late = at(60_001);
    let touched = db.freshen(&head, late).unwrap();
    assert_eq!(touched.into_iter().collect::<Vec<_>>(), [with(&db, alice())]);
    assert_eq!(texts(&db, alice()), ["meanwhile", "first", "second"]);
    assert_eq!(waiting(&db), [("first".to_owned(), late), ("second".to_owned(), at(60_002))]);
    let second = db.message(second).unwrap().unwrap();
    assert_eq!((second.timestamp, second.sorted_at), (at(60_002), at(60_002)));
    let quote = second.quote.unwrap();
    assert_eq!((quote.message, quote.timestamp), (Some(first), late));
    let head = due(&db).remove(0);
    assert_eq!((head.message, head.encoded), (Some(first), false), "old bytes name the old date");
    assert_eq!(conversation(&db, alice()).active_at, at(60_002));
    assert_eq!(page(&db, bob())[0].timestamp, at(2000), "other lanes have their own turn");
    assert!(db.freshen(&head, late).unwrap().is_empty(), "once is enough");
}

#[test]
fn what_may_be_out_keeps_its_date_and_bytes() {
    let mut db = db();
    befriend(&mut db);
    let tried = send(&mut db, alice(), at(1), "tried");
    let head = due(&db).remove(0);
    let bytes = payload(&db, &head);
    assert!(db.outbox_attempting(head.id).unwrap());
    assert!(!db.outbox_attempting(head.id).unwrap());
    let head = due(&db).remove(0);
    assert!(db.freshen(&head, at(3_600_000)).unwrap().is_empty());
    assert_eq!((payload(&db, &head), head.timestamp), (bytes, at(1)));
    // Nor does the copy get another date than what it is a copy of.
    db.outbox_sent(head.id, hash(1), at(3_600_000), Now::Known(at(3_600_000))).unwrap();
    let copy = due(&db).remove(0);
    assert_eq!((copy.kind, copy.attempted), (JobKind::SyncCopy, true));
    assert!(db.freshen(&copy, at(7_200_000)).unwrap().is_empty());
    assert_eq!(db.message(tried).unwrap().unwrap().timestamp, at(1));
    // What turned out not to have left goes as if it had not been tried.
    send(&mut db, bob(), at(2), "not out");
    let head = due(&db).into_iter().find(|job| job.recipient == bob().into()).unwrap();
    assert!(db.outbox_attempting(head.id).unwrap());
    db.outbox_not_attempted(head.id).unwrap();
    let head = db.outbox_job(head.id).unwrap().unwrap();
    assert_eq!(db.freshen(&head, at(7_200_000)).unwrap().len(), 1);
}

#[test]
fn a_date_from_the_future_that_was_never_told_is_taken_back() {
    let mut db = db();
    let id = write(&mut db, alice(), "ahead", None, Now::Known(at(3_600_000)));
    let head = due(&db).remove(0);
    assert_eq!(db.freshen(&head, NOW).unwrap().len(), 1);
    assert_eq!(db.message(id).unwrap().unwrap().timestamp, NOW);
}

/// Alice and Bob are accepted, as are we by them.
fn befriend(db: &mut Db) {
    for id in [alice(), bob()] {
        db.set_approved(id, true).unwrap();
        db.set_approved_me(id, true).unwrap();
    }
}
