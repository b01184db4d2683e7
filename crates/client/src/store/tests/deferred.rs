//! What this version cannot read (spec 09 §6.1).

use septet_protocol::id::GroupId;
use septet_protocol::message::Expiration;
use septet_protocol::message::MsgId;
use septet_protocol::message::newer::UnknownType;

use super::*;
use crate::store::deferred::{MOST_BYTES, MOST_NEWER, NOTICE_PAUSE_MS};

const COMPARTMENT: Namespace = Namespace::MESSAGES;
const DAY: i64 = 24 * 3_600_000;

/// A message of an unknown kind; in the conversation with `target` if it is ours.
fn unknown(sender: SessionId, target: Option<SessionId>, ms: i64, expiration: Expiration) -> ReceivedItem {
    let unknown = UnknownType {
        sender,
        is_own: sender == me(),
        sync_target: target,
        timestamp: at(ms),
        msg_id: None,
        expiration,
    };
    unreadable(Some(unknown), ms)
}

/// Bytes of a newer format, which anybody can store.
fn newer(number: i64) -> ReceivedItem {
    unreadable(None, number)
}

fn unreadable(unknown: Option<UnknownType>, ms: i64) -> ReceivedItem {
    let raw = format!("{unknown:?} {ms}").into_bytes();
    let meaning = Meaning::Unreadable(Unreadable { unknown, raw });
    ReceivedItem { hash: hash((unknown, ms)), stored_at: at(ms), expiration: at(ms + 14 * DAY), meaning }
}

fn from_alice(ms: i64) -> ReceivedItem {
    unknown(alice(), None, ms, Expiration::Off)
}

fn count(db: &Db, table: &str) -> i64 {
    db.sql().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

fn untried(db: &Db, version: &str) -> Vec<Deferred> {
    db.deferred_untried((Account::User(me()), COMPARTMENT), version, DeferredId(0), 100, NOW).unwrap()
}

/// Reads all that is kept as a version that takes each for what `meaning` says.
fn update(db: &mut Db, version: &str, meaning: impl Fn(&Deferred) -> Meaning) -> AppliedBatch {
    let kept = untried(db, version);
    let items: Vec<_> =
        kept.iter().map(|kept| (kept.id, ReceivedItem::new(&kept.message, meaning(kept)))).collect();
    db.apply_deferred(&items, Account::User(me()), COMPARTMENT, version, NOW).unwrap()
}

/// What a text from Alice would have been if this version had known it.
fn as_text(sender: SessionId, ms: i64, kind: IncomingKind) -> Meaning {
    incoming(sender, alice(), at(ms), kind).meaning
}

#[test]
fn a_line_stands_for_it_where_people_talk_and_nowhere_else() {
    let mut db = db();
    let applied = take(&mut db, vec![from_alice(-9)]);
    assert!(applied.messages.is_empty() && !applied.unreadable && !applied.list_changed);
    assert!(db.conversations(NOW).unwrap().is_empty(), "a stranger makes nothing by it");
    assert_eq!((count(&db, "people"), count(&db, "deferred")), (1, 1), "but it is kept");
    // A conversation that nobody used.
    made(&mut db, alice());
    assert!(take(&mut db, vec![from_alice(-8)]).messages.is_empty());
    befriend(&mut db, alice());
    let applied = take(&mut db, vec![from_alice(-7)]);
    assert_eq!(applied.messages[0].notice, Some(Notice::Unreadable));
    assert_eq!(conversation(&db, alice()).unread, 1);
    // Ours from another device, in its conversation; it is no word of ours that reads or accepts.
    let applied = take(&mut db, vec![unknown(me(), Some(alice()), -6, Expiration::Off)]);
    assert!(applied.messages[0].outgoing && !applied.unreadable);
    assert_eq!(conversation(&db, alice()).unread, 1);
    // Hidden, or blocked.
    let id = with(&db, alice());
    db.set_priority(id, -1).unwrap();
    assert!(take(&mut db, vec![from_alice(-5)]).messages.is_empty());
    assert!(conversation(&db, alice()).hidden);
    assert_eq!(count(&db, "deferred"), 5);
    db.set_blocked(alice(), true).unwrap();
    take(&mut db, vec![from_alice(-4)]);
    assert_eq!(count(&db, "deferred"), 5);
}

#[test]
fn only_what_has_no_place_and_no_stranger_sent_is_told_of_and_not_every_day() {
    let mut db = db();
    take(&mut db, vec![from_alice(-9)]);
    assert!(!db.update_wanted(NOW).unwrap(), "a stranger cannot");
    assert!(take(&mut db, vec![unknown(me(), None, -8, Expiration::Off)]).unreadable);
    assert!(db.update_wanted(NOW).unwrap());
    db.dismiss_update_notice(NOW).unwrap();
    assert!(!take(&mut db, vec![unknown(me(), None, -7, Expiration::Off), newer(1)]).unreadable);
    assert!(!db.update_wanted(at(7 * DAY - 1)).unwrap());
    assert!(db.update_wanted(at(7 * DAY)).unwrap());
    // What this version can read after all, and has no use for, is no reason to update.
    let mut read = super::db();
    take(&mut read, vec![unknown(me(), None, -8, Expiration::Off)]);
    update(&mut read, "next", |_| Meaning::Nothing);
    assert!(!read.update_wanted(NOW).unwrap());
    take(&mut read, vec![newer(1)]);
    assert!(read.update_wanted(NOW).unwrap());
}

#[test]
fn an_unsend_request_takes_what_is_kept_and_its_line() {
    let unsend = |ms| {
        let target = QuoteKey { author: alice(), timestamp: at(ms) };
        from(alice(), at(-1), IncomingKind::Unsend { target, msg_id: None })
    };
    let other = |item: ReceivedItem| ReceivedItem { hash: hash("twin"), ..item };
    for friends in [true, false] {
        for early in [true, false] {
            let mut db = db();
            if friends {
                befriend(&mut db, alice());
            }
            let mut parts = [vec![from_alice(-9)], vec![unsend(-9)]];
            if early {
                parts.reverse();
            }
            parts.into_iter().for_each(|items| _ = take(&mut db, items));
            take(&mut db, vec![other(from_alice(-9))]);
            assert_eq!((count(&db, "deferred"), count(&db, "messages")), (0, 0), "{friends} {early}");
        }
    }
}

#[test]
fn it_goes_with_its_line_and_with_its_conversation() {
    let mut db = db();
    take(&mut db, vec![from_alice(-9)]);
    befriend(&mut db, alice());
    take(&mut db, vec![from_alice(-8), from_alice(-7), from_alice(-6)]);
    let lines = page(&db, alice());
    db.remove_messages(&[lines[0].id]).unwrap();
    assert_eq!(count(&db, "deferred"), 3);
    db.delete_messages(&[lines[1].id]).unwrap();
    assert_eq!(count(&db, "deferred"), 2);
    db.delete_conversation(with(&db, alice())).unwrap();
    assert_eq!(count(&db, "deferred"), 0);
}

#[test]
fn it_is_kept_as_long_as_its_sender_meant() {
    let until = |db: &Db| {
        let sql = "SELECT expires_at FROM deferred";
        db.sql().query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).unwrap()
    };
    let ms = |time: Timestamp| i64::try_from(time.as_ms()).unwrap();
    let kept = |item| {
        let mut db = db();
        take(&mut db, vec![item]);
        until(&db)
    };
    let (read, sent) = (Expiration::AfterRead(60), Expiration::AfterSend(60));
    assert_eq!(kept(from_alice(-9)), None);
    assert_eq!(kept(unknown(alice(), None, -9, read)), None);
    assert_eq!(kept(unknown(alice(), None, -9, sent)), Some(ms(at(59_991))));
    let short = ReceivedItem { expiration: at(DAY), ..from_alice(-9) };
    assert_eq!(kept(short), Some(ms(at(DAY))));
    // With a line, it goes when that goes.
    let mut db = db();
    befriend(&mut db, alice());
    take(&mut db, vec![unknown(alice(), None, -9, sent)]);
    assert_eq!((until(&db), page(&db, alice())[0].expires_at), (None, Some(at(59_991))));
    db.delete_expired(at(60_000)).unwrap();
    assert_eq!(count(&db, "deferred"), 0);
    // Over before it came.
    take(&mut db, vec![unknown(alice(), None, -90_000, sent)]);
    assert_eq!((count(&db, "deferred"), count(&db, "messages")), (0, 0));
}

#[test]
fn the_oldest_gives_way_and_first_what_nobody_is_known_to_have_sent() {
    let mut db = db();
    let oldest = |db: &Db| {
        let sql = "SELECT min(stored_at) FROM deferred";
        db.sql().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    take(&mut db, (0..MOST_NEWER + 20).map(|number| newer(number - 900_000)).collect());
    assert_eq!(count(&db, "deferred"), MOST_NEWER);
    assert_eq!(oldest(&db), i64::try_from(at(20 - 900_000).as_ms()).unwrap());
    take(&mut db, vec![from_alice(-9)]);
    let size = "SELECT sum(length(raw) + 256) FROM deferred";
    let told = "SELECT sum(bytes) FROM deferred_totals";
    let sum =
        |db: &Db, sql| db.sql().query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).unwrap().unwrap_or(0);
    assert_eq!(sum(&db, size), sum(&db, told));
    db.bound_deferred(1000, MOST_NEWER).unwrap();
    assert_eq!(sum(&db, size), sum(&db, told));
    assert!(sum(&db, size) <= 1000);
    assert!(db.has_deferred(QuoteKey { author: alice(), timestamp: at(-9) }, None).unwrap());
    db.bound_deferred(0, 0).unwrap();
    assert_eq!((count(&db, "deferred"), sum(&db, told)), (0, 0));
}

#[test]
fn after_an_update_it_takes_the_place_of_its_line() {
    let mut db = db();
    befriend(&mut db, alice());
    let later = |ms| from(alice(), at(ms), text("later"));
    take(&mut db, vec![from_alice(-9), later(-8), from_alice(-7), later(-6)]);
    let target = QuoteKey { author: alice(), timestamp: at(-9) };
    let emoji = "👍".parse().unwrap();
    take(&mut db, vec![from(alice(), at(-5), IncomingKind::Reaction { target, emoji, remove: false })]);
    let (id, lines) = (with(&db, alice()), page(&db, alice()));
    db.mark_read(id, lines[1].id, Now::Known(NOW)).unwrap();
    assert_eq!(conversation(&db, alice()).unread, 2);

    assert!(untried(&db, deferred::VERSION).is_empty(), "this version has tried");
    let applied = update(&mut db, "next", |kept| match kept.message.timestamp == at(-9) {
        true => as_text(alice(), -9, text("first")),
        false => as_text(alice(), -7, text("third")),
    });
    assert_eq!(applied.messages.len(), 2);
    assert!(applied.changed.contains(&id));
    assert_eq!(texts(&db, alice()), ["first", "later", "third", "later"]);
    let read: Vec<_> = page(&db, alice()).iter().map(|message| message.read).collect();
    assert_eq!(read, [true, true, false, false]);
    assert_eq!(conversation(&db, alice()).unread, 2);
    assert_eq!(page(&db, alice())[0].reactions.len(), 1);
    assert_eq!(count(&db, "deferred"), 0);
    assert!(untried(&db, "next").is_empty());
}

#[test]
fn a_countdown_goes_on_over_an_update() {
    let mut db = db();
    befriend(&mut db, alice());
    take(&mut db, vec![unknown(alice(), None, -9, Expiration::AfterRead(60))]);
    let line = page(&db, alice()).remove(0);
    db.mark_read(with(&db, alice()), line.id, Now::Known(at(-2))).unwrap();
    let ends = page(&db, alice())[0].expires_at;
    assert_eq!(ends, Some(at(59_998)));
    update(&mut db, "next", |_| as_text(alice(), -9, timed(Expiry::AfterRead(60))));
    let message = page(&db, alice()).remove(0);
    assert_eq!((message.text.as_str(), message.expires_at), ("x", ends));
}

#[test]
fn what_was_kept_from_the_future_stands_where_it_came() {
    let mut db = db();
    befriend(&mut db, alice());
    take(&mut db, vec![from_alice(5000)]);
    take(&mut db, vec![from_alice(4000)]);
    let before: Vec<_> = page(&db, alice()).iter().map(|line| (line.sorted_at, line.timestamp)).collect();
    let kept = untried(&db, "next");
    let item = |kept: &Deferred| {
        let ms = if kept.message.timestamp == at(5000) { 5000 } else { 4000 };
        (kept.id, ReceivedItem::new(&kept.message, as_text(alice(), ms, text("x"))))
    };
    let items: Vec<_> = kept.iter().map(item).collect();
    // A month later.
    db.apply_deferred(&items, Account::User(me()), COMPARTMENT, "next", at(30 * DAY)).unwrap();
    let after: Vec<_> = page(&db, alice()).iter().map(|line| (line.sorted_at, line.timestamp)).collect();
    assert_eq!(before, after);
}

#[test]
fn what_still_cannot_be_used_stays_and_is_tried_once_by_each_version() {
    let mut db = db();
    befriend(&mut db, alice());
    take(&mut db, vec![from_alice(-9), from_alice(-8), newer(-7)]);
    let still = update(&mut db, "next", |kept| {
        let unknown = (kept.message.timestamp != at(-8)).then_some(());
        match unknown {
            Some(()) => Meaning::Unreadable(Unreadable { unknown: None, raw: Vec::new() }),
            None => Meaning::Nothing,
        }
    });
    assert!(still.messages.is_empty());
    assert_eq!(count(&db, "deferred"), 3);
    assert_eq!(page(&db, alice()).len(), 1, "what says nothing has no line any more");
    assert!(untried(&db, "next").is_empty());
    assert_eq!(untried(&db, "after that").len(), 3);
    // Said by somebody blocked meanwhile: nothing is stored, so it stays.
    db.set_blocked(alice(), true).unwrap();
    update(&mut db, "after that", |kept| as_text(alice(), -9, text(&kept.id.0.to_string())));
    assert_eq!(count(&db, "deferred"), 3);
    assert!(page(&db, alice()).is_empty());
    db.set_blocked(alice(), false).unwrap();
    update(&mut db, "the last", |_| as_text(alice(), -9, text("at last")));
    assert_eq!(texts(&db, alice()), ["at last"]);
}

#[test]
fn several_of_one_moment_are_told_apart_by_their_numbers() {
    let mut db = db();
    befriend(&mut db, alice());
    let numbered = |number: Option<i64>, name: &str| {
        let mut item = from_alice(-9);
        item.hash = hash(name);
        if let Meaning::Unreadable(Unreadable { unknown: Some(unknown), .. }) = &mut item.meaning {
            unknown.msg_id = number.map(MsgId);
        }
        item
    };
    take(&mut db, vec![numbered(Some(1), "a")]);
    take(&mut db, vec![numbered(Some(2), "b")]);
    take(&mut db, vec![numbered(Some(2), "again"), numbered(None, "c")]);
    assert_eq!((count(&db, "deferred"), page(&db, alice()).len()), (2, 2));
}

/// What is in a group's swarm stands in that group, whoever it is from and whatever it names, and is kept as the group's.
#[test]
fn a_message_in_a_group_is_kept_for_the_group() {
    let group = GroupId([3; 32]);
    let from_group =
        |items| ReceivedBatch { account: Account::Group(group), namespace: Namespace(11), ..batch(items) };
    let mut db = db();
    befriend(&mut db, alice());
    let items = || vec![from_alice(-9), unknown(me(), Some(alice()), -8, Expiration::Off)];
    let applied = db.apply_received(&from_group(items())).unwrap();
    assert!(applied.messages.is_empty(), "there is no such conversation, and Alice's is not it");
    assert_eq!(count(&db, "deferred"), 2);

    let mut db = super::db();
    let conversation = db.make_conversation(&group.into()).unwrap();
    db.open_conversation(conversation, at(-1_000_000)).unwrap();
    let applied = db.apply_received(&from_group(items())).unwrap();
    let lines: Vec<_> = applied.messages.iter().map(|line| (line.conversation, line.outgoing)).collect();
    assert_eq!(lines, [(conversation, false), (conversation, true)]);
    let kept =
        |account| db.deferred_untried((account, Namespace(11)), "next", DeferredId(0), 9, NOW).unwrap();
    assert_eq!((kept(Account::Group(group)).len(), kept(Account::User(me())).len()), (2, 0));
    // What has no line goes with the conversation too.
    db.set_priority(conversation, -1).unwrap();
    db.apply_received(&from_group(vec![from_alice(-7)])).unwrap();
    assert_eq!((count(&db, "messages"), count(&db, "deferred")), (2, 3));
    db.delete_conversation(conversation).unwrap();
    assert_eq!(count(&db, "deferred"), 0);
}

#[test]
fn limits_are_those_of_other_clients() {
    let text = include_str!("../../../../protocol/tests/data/changes-2026.json");
    let limits = &serde_json::from_str::<serde_json::Value>(text).unwrap()["unsupported_messages"]["limits"];
    assert_eq!(limits["total_bytes"], MOST_BYTES);
    assert_eq!(limits["newer_format_rows"], MOST_NEWER);
    assert_eq!(limits["banner_reappears_after_ms"], NOTICE_PAUSE_MS);
    let mut db = db();
    let items = vec![from_alice(-9), newer(-8)];
    let raw = |item: &ReceivedItem| match &item.meaning {
        Meaning::Unreadable(unreadable) => unreadable.raw.len() as i64,
        _ => 0,
    };
    let (raw, records): (i64, i64) = (items.iter().map(raw).sum(), 2);
    take(&mut db, items);
    let sql = "SELECT sum(bytes) FROM deferred_totals";
    let counted: i64 = db.sql().query_row(sql, [], |row| row.get(0)).unwrap();
    let overhead = limits["row_overhead_bytes"].as_i64().unwrap();
    assert_eq!(counted, raw + records * overhead);
    assert_eq!(limits.as_object().unwrap().len(), 4, "there is no other");
}
