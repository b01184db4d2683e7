//! When messages disappear (spec 02 §18).

use super::*;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// A line that says how the author's messages disappear from now on; it does so itself.
fn line(expiry: Expiry) -> IncomingKind {
    IncomingKind::Notice { notice: Notice::ExpiryChanged { expiry }, expiry }
}

fn ends(db: &Db, id: SessionId) -> Vec<Option<Timestamp>> {
    page(db, id).iter().map(|message| message.expires_at).collect()
}

#[test]
fn a_device_that_fetches_later_counts_from_when_it_was_sent() {
    let mut db = db();
    befriend(&mut db, alice());
    let sent = at(-12 * HOUR);
    let day = Expiry::AfterSend(86_400);
    take(&mut db, vec![from(alice(), sent, timed(day)), copy(alice(), sent + 1, timed(day))]);
    take(&mut db, vec![copy(alice(), sent + 2, timed(Expiry::AfterRead(86_400)))]);
    let expected = (0..3).map(|ms| Some(sent + ms + 86_400_000)).collect::<Vec<_>>();
    assert_eq!(ends(&db, alice()), expected);
    let half = Expiry::AfterSend(6 * 3600);
    take(&mut db, vec![from(alice(), sent + 4, timed(half)), copy(alice(), sent + 5, timed(half))]);
    assert_eq!(page(&db, alice()).len(), 3, "what is over already does not come in");
}

#[test]
fn nothing_counts_from_later_than_now() {
    let mut db = db();
    befriend(&mut db, alice());
    take(&mut db, vec![from(alice(), at(3 * HOUR), timed(Expiry::AfterSend(60)))]);
    take(&mut db, vec![copy(alice(), at(4 * HOUR), timed(Expiry::AfterSend(60)))]);
    assert_eq!(ends(&db, alice()), vec![Some(at(60_000)); 2]);
    // The swarm's clock is ahead, or behind: the earlier one counts.
    for (stored, end) in [(at(5000), at(60_000)), (at(-5000), at(55_000))] {
        let to = if stored > NOW { bob() } else { alice() };
        befriend(&mut db, to);
        let message = OutgoingMessage { expiry: Expiry::AfterSend(60), ..outgoing(&mut db, to, at(1), "x") };
        let job = job(JobKind::ToRecipient, to, at(1));
        let id = db.insert_outgoing(&message, &[job], Now::Known(NOW)).unwrap().id;
        assert_eq!(db.message(id).unwrap().unwrap().expires_at, None, "it is not sent");
        let job = due(&db).remove(0);
        db.outbox_sent(job.id, hash(to), stored, Now::Known(NOW)).unwrap();
        assert_eq!(db.message(id).unwrap().unwrap().expires_at, Some(end));
    }
}

#[test]
fn a_message_that_turns_out_to_be_sent_counts_from_when_it_was() {
    let mut db = db();
    let sent = at(-HOUR);
    let message = OutgoingMessage { expiry: Expiry::AfterSend(86_400), ..outgoing(&mut db, me(), sent, "x") };
    let job = job(JobKind::OwnNote, me(), sent);
    let id = db.insert_outgoing(&message, &[job], Now::Known(sent)).unwrap().id;
    // Nobody heard that it was stored; it comes from the swarm.
    take(&mut db, vec![copy(me(), sent, timed(Expiry::AfterSend(86_400)))]);
    let message = db.message(id).unwrap().unwrap();
    assert_eq!((message.state, message.expires_at), (MessageState::Sent, Some(sent + 86_400_000)));
}

#[test]
fn a_week_after_reading_is_a_week_whenever_it_is_read() {
    let mut db = db();
    befriend(&mut db, alice());
    let week = Expiry::AfterRead(7 * 86_400);
    take(&mut db, vec![from(alice(), at(-10 * DAY), timed(week))]);
    assert_eq!(ends(&db, alice()), [None], "nobody has read it");
    let id = page(&db, alice())[0].id;
    db.mark_read(with(&db, alice()), id, Now::Known(NOW)).unwrap();
    assert_eq!(ends(&db, alice()), [Some(at(7 * DAY))]);
    db.mark_read(with(&db, alice()), id, Now::Known(at(DAY))).unwrap();
    assert_eq!(ends(&db, alice()), [Some(at(7 * DAY))], "and it is read once");
}

#[test]
fn lines_about_timers_set_nothing_and_the_newest_of_each_side_stays() {
    let mut db = db();
    befriend(&mut db, alice());
    let [hour, day, off] = [Expiry::AfterRead(3600), Expiry::AfterSend(86_400), Expiry::Off];
    let id = with(&db, alice());
    db.set_expiry(id, hour).unwrap();
    // Older lines come later, of hers and of ours from another device.
    take(&mut db, vec![from(alice(), at(-100), line(day)), copy(alice(), at(-90), line(hour))]);
    take(&mut db, vec![from(alice(), at(-300), line(hour)), copy(alice(), at(-290), line(day))]);
    take(&mut db, vec![copy(alice(), at(-400), line(off)), from(alice(), at(-410), line(off))]);
    assert_eq!(conversation(&db, alice()).expiry, hour, "an older line overrides no newer setting");
    let lines: Vec<_> = page(&db, alice()).into_iter().map(|line| (line.outgoing, line.notice)).collect();
    let changed = |expiry| Some(Notice::ExpiryChanged { expiry });
    assert_eq!(lines, [(false, changed(day)), (true, changed(hour))]);
    let ended = db.delete_expired(at(DAY)).unwrap();
    assert!(ended.contains(&id) && page(&db, alice()).is_empty(), "they disappear as they say");
    take(&mut db, vec![from(alice(), at(-10), line(off))]);
    assert_eq!(ends(&db, alice()), [None], "but for one that says that nothing does");
}

#[test]
fn receipts_that_wait_are_dropped_and_nothing_else() {
    let mut db = db();
    befriend(&mut db, alice());
    send(&mut db, alice(), at(1), "x");
    for (ms, wish) in [
        (2, Wish::ReadReceipt { timestamps: vec![at(1)] }),
        (3, Wish::RequestResponse),
        (4, Wish::ReadReceipt { timestamps: vec![at(2)] }),
    ] {
        let job = NewJob { wish: Some(wish), ..job(JobKind::Other, alice(), at(ms)) };
        let id = db.enqueue(&job, Now::Known(NOW)).unwrap();
        assert!(ms != 4 || db.outbox_attempting(id).unwrap(), "one may be out");
    }
    assert_eq!(db.outbox_len().unwrap(), 4);
    assert_eq!(db.drop_receipts().unwrap(), 2);
    assert_eq!(db.outbox_len().unwrap(), 2, "nobody is asked to delete them");
}

#[test]
fn a_line_that_is_not_sent_yet_gives_way_to_a_newer_one() {
    let mut db = db();
    befriend(&mut db, alice());
    let set = |db: &mut Db, ms, expiry| {
        let wish = Some(Wish::TimerUpdate { expiry });
        let mut job = NewJob { wish, ..job(JobKind::ToRecipient, alice(), at(ms)) };
        job.copy = Some(SwarmCopy { payload: b"copy".to_vec(), ttl_ms: 1000 });
        let notice = Some(Notice::ExpiryChanged { expiry });
        let message = OutgoingMessage { notice, expiry, ..outgoing(db, alice(), at(ms), "") };
        db.insert_outgoing(&message, &[job], Now::Known(at(ms))).unwrap().id
    };
    let jobs = |db: &Db| db.outbox_len().unwrap();
    set(&mut db, 1, Expiry::AfterRead(1));
    set(&mut db, 2, Expiry::AfterRead(2));
    assert_eq!(
        (page(&db, alice()).len(), jobs(&db)),
        (1, 1),
        "the first was never tried: nobody hears of it"
    );
    let tried = due(&db).remove(0);
    db.outbox_attempting(tried.id).unwrap();
    let last = set(&mut db, 3, Expiry::AfterRead(3));
    let lines: Vec<_> = page(&db, alice()).iter().map(|line| line.id).collect();
    assert_eq!((lines, jobs(&db)), (vec![last], 2), "the second may be out, and goes on");
    db.outbox_sent(tried.id, hash("second"), at(4), Now::Known(at(4))).unwrap();
    assert_eq!(jobs(&db), 2, "its copy goes to our devices");
}

#[test]
fn a_timer_set_on_another_device_reads_nothing() {
    let mut db = db();
    befriend(&mut db, alice());
    take(&mut db, vec![from(alice(), at(-2000), text("unread"))]);
    take(&mut db, vec![copy(alice(), at(-1000), line(Expiry::AfterRead(60)))]);
    assert_eq!(conversation(&db, alice()).unread, 1);
    take(&mut db, vec![copy(alice(), at(-900), text("an answer"))]);
    assert_eq!(conversation(&db, alice()).unread, 0, "as an answer does");
}
