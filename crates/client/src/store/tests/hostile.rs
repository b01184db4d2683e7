//! What people, contacts among them, can make us keep and compute.

use super::*;
use crate::store::receive::pointing::{EMOJI_UNDER_MESSAGE, WAITING_REACTIONS, WAITING_RECEIPTS};
use septet_protocol::message::Emoji;

fn count(db: &Db, table: &str) -> i64 {
    db.sql().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

/// So many different emoji.
fn emoji(count: usize) -> Vec<Emoji> {
    let emoji: Vec<Emoji> = (0x1f300..0x1fb00u32)
        .filter_map(|code| char::from_u32(code)?.to_string().parse().ok())
        .take(count)
        .collect();
    assert_eq!(emoji.len(), count);
    emoji
}

fn reacting(target: SessionId, ms: i64, emoji: &Emoji, remove: bool) -> IncomingKind {
    let target = QuoteKey { author: target, timestamp: at(ms) };
    IncomingKind::Reaction { target, emoji: emoji.clone(), remove }
}

/// The item under another name, as if stored anew.
fn numbered(item: ReceivedItem, number: i64) -> ReceivedItem {
    ReceivedItem { hash: hash(("numbered", number)), ..item }
}

#[test]
fn reactions_of_a_contact_to_what_is_not_here_are_bounded() {
    let mut db = db();
    befriend(&mut db, alice());
    take(&mut db, vec![from(alice(), at(-5), text("hello"))]);
    let like = &emoji(1)[0];
    for page in 0..15 {
        let items = (0..200).map(|number| {
            let number = page * 200 + number;
            numbered(from(alice(), at(number), reacting(alice(), 1_000_000 + number, like, false)), number)
        });
        take(&mut db, items.collect());
    }
    assert_eq!(count(&db, "reactions"), WAITING_REACTIONS);
    // What is here is reacted to all the same, and what waits for its message finds it.
    take(&mut db, vec![from(alice(), at(9000), reacting(alice(), -5, like, false))]);
    take(&mut db, vec![from(alice(), at(1_000_000), text("late"))]);
    let shown: Vec<usize> = page(&db, alice()).iter().map(|message| message.reactions.len()).collect();
    assert_eq!(shown, [1, 1]);
    // That one waits no more, so there is room for another.
    take(&mut db, vec![from(alice(), at(9001), reacting(alice(), 2_000_000, like, false))]);
    assert_eq!(count(&db, "reactions"), WAITING_REACTIONS + 2);
}

#[test]
fn emoji_of_a_contact_under_one_message_are_bounded() {
    let mut db = db();
    befriend(&mut db, alice());
    take(&mut db, vec![from(alice(), at(1), text("hello"))]);
    let all = emoji(EMOJI_UNDER_MESSAGE as usize + 50);
    for (number, emoji) in (0..).zip(&all) {
        let ms = 10 + number;
        take(&mut db, vec![numbered(from(alice(), at(ms), reacting(alice(), 1, emoji, false)), ms)]);
    }
    assert_eq!(count(&db, "reactions"), EMOJI_UNDER_MESSAGE);
    // Those that are there can be taken back and given again for ever, without making rows.
    for ms in 1000..1100 {
        let remove = ms % 2 == 0;
        take(&mut db, vec![numbered(from(alice(), at(ms), reacting(alice(), 1, &all[0], remove)), ms)]);
        let has = page(&db, alice()).remove(0).reactions.iter().any(|it| it.emoji == all[0].as_str());
        assert_eq!(has, !remove);
    }
    assert_eq!(count(&db, "reactions"), EMOJI_UNDER_MESSAGE);
}

#[test]
fn receipts_for_what_never_was_are_bounded() {
    let mut db = db();
    befriend(&mut db, alice());
    let sent = send(&mut db, alice(), at(5), "ours");
    take(&mut db, vec![from(alice(), at(6), text("theirs"))]);
    for receipt in 0..30 {
        // A hundred thousand names of messages, the same ones again and again.
        let timestamps = (0..100_000).map(|name| at(receipt * 100_000 + name % 500 - 10_000_000)).collect();
        let kind = IncomingKind::ReadReceipt { timestamps };
        take(&mut db, vec![numbered(from(alice(), at(10 + receipt), kind), receipt)]);
    }
    assert_eq!(count(&db, "pending_receipts"), i64::from(WAITING_RECEIPTS));
    assert!(!db.message(sent).unwrap().unwrap().read);
    // And one that says something still does.
    take(&mut db, vec![from(alice(), at(90), IncomingKind::ReadReceipt { timestamps: vec![at(5)] })]);
    assert!(db.message(sent).unwrap().unwrap().read);
}

#[test]
fn any_sent_time_has_a_place_and_no_message_is_lost_for_it() {
    let mut db = db();
    befriend(&mut db, alice());
    let times = [1, 1000, NOW.as_ms(), NOW.as_ms() + 1, 1 << 52, u64::MAX];
    for (number, ms) in (0..).zip(times) {
        let mut item = from(alice(), Timestamp::from_ms(ms), text(&format!("{ms}")));
        item.stored_at = NOW;
        take(&mut db, vec![numbered(item.clone(), number), numbered(item, 100 + number)]);
    }
    let (unread, shown) = (conversation(&db, alice()).unread, page(&db, alice()));
    assert_eq!(shown.len(), times.len(), "each came twice");
    assert_eq!(unread as usize, times.len());
    // An honest message of a moment later stands below all of them.
    let mut later = batch(vec![from(alice(), at(5000), text("honest"))]);
    later.now = at(5000);
    db.apply_received(&later).unwrap();
    let shown = db.messages(with(&db, alice()), Page::Newest, 1000, at(5000)).unwrap().messages;
    assert_eq!(shown.last().unwrap().text, "honest");
}
