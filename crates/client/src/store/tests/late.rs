//! What was written without a network, and stored long after.

use super::*;

const HOUR: i64 = 3_600_000;

/// A message of Alice's that lay on her device until `stored`.
fn late(sent: i64, stored: i64, body: &str) -> ReceivedItem {
    ReceivedItem { hash: hash(body), stored_at: at(stored), ..from(alice(), at(sent), text(body)) }
}

#[test]
fn it_is_not_taken_for_a_message_from_before_a_deletion() {
    let mut db = db();
    for namespace in [Namespace::CONTACTS, Namespace::USER_PROFILE] {
        let owner = Account::User(me());
        let (dump, processed_at) = (b"dump".to_vec().into(), at(-HOUR));
        db.save_config(&StoredConfig { owner, namespace, dump, needs_push: false, processed_at }).unwrap();
    }
    assert!(take(&mut db, vec![late(-3 * HOUR, -2 * HOUR, "before")]).messages.is_empty());
    assert_eq!(take(&mut db, vec![late(-3 * HOUR, -1000, "after")]).messages.len(), 1);
    // A node that says that it was stored before it was sent, or after now, changes nothing.
    assert_eq!(take(&mut db, vec![late(-1000, -9 * HOUR, "lie")]).messages.len(), 1);
    db.set_priority(with(&db, alice()), -1).unwrap();
    assert!(take(&mut db, vec![late(-4 * HOUR, -2 * HOUR, "old")]).messages.is_empty());
    assert_eq!(take(&mut db, vec![late(-4 * HOUR, -1000, "new")]).messages.len(), 1);
    assert!(!conversation(&db, alice()).hidden);
    // Our own notes.
    let note = |stored, body: &str| ReceivedItem {
        hash: hash(("note", body)),
        stored_at: at(stored),
        ..copy(me(), at(-5 * HOUR - stored), text(body))
    };
    made(&mut db, me());
    db.set_priority(with(&db, me()), -1).unwrap();
    assert!(take(&mut db, vec![note(-2 * HOUR, "old")]).messages.is_empty());
    assert_eq!(take(&mut db, vec![note(-1000, "new")]).messages.len(), 1);
}

#[test]
fn it_comes_in_unread_at_the_end_and_all_devices_agree() {
    let later = || from(alice(), at(-2 * HOUR), text("on the phone"));
    let answer = || copy(alice(), at(-HOUR), text("answer"));
    let written_offline = || late(-3 * HOUR, -1000, "written in the train");
    let read = |db: &Db| page(db, alice()).iter().map(|message| message.read).collect::<Vec<_>>();
    // On one device it came after what followed was read and answered.
    let mut one = db();
    befriend(&mut one, alice());
    take(&mut one, vec![later(), answer()]);
    assert_eq!(conversation(&one, alice()).unread, 0);
    take(&mut one, vec![written_offline()]);
    assert_eq!(texts(&one, alice()), ["on the phone", "answer", "written in the train"]);
    assert_eq!(conversation(&one, alice()).unread, 1);
    let newest = page(&one, alice()).remove(2);
    assert_eq!(
        (newest.timestamp, newest.sorted_at),
        (at(-3 * HOUR), at(-1000)),
        "it says when it was written"
    );
    // On another one everything comes at once.
    let mut other = db();
    befriend(&mut other, alice());
    take(&mut other, vec![written_offline(), answer(), later()]);
    assert_eq!((texts(&other, alice()), read(&other)), (texts(&one, alice()), read(&one)));
    // Read on the one, it is read on the other, by the mark that both share.
    let id = with(&one, alice());
    one.mark_read(id, newest.id, Now::Known(NOW)).unwrap();
    let mark = one.read_mark(id).unwrap().unwrap();
    other.apply_read_mark(with(&other, alice()), mark.last_read, false, Now::Known(NOW)).unwrap();
    assert_eq!(conversation(&other, alice()).unread, 0);
    // So is one that comes only then.
    let mut third = db();
    befriend(&mut third, alice());
    let id = with(&third, alice());
    third.apply_read_mark(id, mark.last_read, false, Now::Known(NOW)).unwrap();
    take(&mut third, vec![written_offline()]);
    assert_eq!(conversation(&third, alice()).unread, 0);
}

#[test]
fn a_slow_line_is_not_late_and_what_we_wrote_stands_where_we_wrote_it() {
    let mut db = db();
    befriend(&mut db, alice());
    take(&mut db, vec![late(-200_000, -90_000, "slow"), from(alice(), at(-150_000), text("quick"))]);
    let ours = ReceivedItem { stored_at: at(-1000), ..copy(alice(), at(-180_000), text("ours")) };
    take(&mut db, vec![ours]);
    assert_eq!(texts(&db, alice()), ["slow", "ours", "quick"]);
}

#[test]
fn nobody_puts_a_message_after_now() {
    let mut db = db();
    befriend(&mut db, alice());
    take(
        &mut db,
        vec![late(-3 * HOUR, 900 * HOUR, "lie"), late(-3 * HOUR + 1, 5000, "a clock that is ahead")],
    );
    let places: Vec<_> = page(&db, alice()).iter().map(|message| message.sorted_at).collect();
    assert_eq!(places, [at(-3 * HOUR), NOW]);
}
