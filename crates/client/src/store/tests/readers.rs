//! Readers are told of everything until they acknowledge it, and what has a key is written once.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// Takes in a text of Alice and returns its number.
fn arrives(db: &mut Db, ms: i64) -> MessageId {
    take(db, vec![from(alice(), at(ms), text("hi"))]).messages[0].id
}

fn told(db: &Db, reader: ReaderId, after: MessageId) -> Vec<MessageId> {
    let all = db.arrived_after(after, None, Some(reader), 1000, NOW).unwrap();
    all.into_iter().map(|message| message.id).collect()
}

#[test]
fn only_what_came_from_the_network_is_told() {
    let mut db = db();
    befriend(&mut db, alice());
    let (reader, start) = db.reader("bot", MessageId(0)).unwrap();
    send(&mut db, alice(), at(-50), "written here");
    let first = arrives(&mut db, -40);
    let copy = take(&mut db, vec![copy(alice(), at(-30), text("from my laptop"))]).messages[0].id;
    let deleted = arrives(&mut db, -20);
    db.delete_messages(&[deleted]).unwrap();
    take(&mut db, vec![from(bob(), at(-10), timed(Expiry::AfterSend(1)))]);
    assert_eq!(told(&db, reader, start), [first, copy, MessageId(copy.0 + 2)]);
    let later = db.arrived_after(start, None, Some(reader), 1000, at(2000)).unwrap();
    assert_eq!(later.len(), 2, "what has disappeared is not told");
    let of_bob = db.arrived_after(start, Some(with(&db, bob())), None, 1000, NOW).unwrap();
    assert_eq!(of_bob.len(), 1);
}

#[test]
fn a_new_reader_has_everything_up_to_where_it_begins() {
    let mut db = db();
    let first = arrives(&mut db, -40);
    let second = arrives(&mut db, -30);
    assert_eq!(db.newest_message().unwrap(), second);
    let (reader, from) = db.reader("bot", first).unwrap();
    assert_eq!((from, told(&db, reader, from)), (first, vec![second]));
    assert_eq!(db.reader("bot", second).unwrap(), (reader, first), "it is not new any more");
    assert!(db.forget_reader("bot").unwrap());
    assert!(!db.forget_reader("bot").unwrap());
    assert_eq!(db.find_reader("bot").unwrap(), None);
}

#[test]
fn a_key_is_used_once_and_forgotten_late() {
    let mut db = db();
    let message = send(&mut db, alice(), NOW, "the answer");
    db.set_sent("answer to 7", message, NOW, Now::Known(NOW)).unwrap();
    assert_eq!(db.sent_before("answer to 7").unwrap(), Some(SentBefore { message, timestamp: NOW }));
    assert!(db.set_sent("answer to 7", message, NOW, Now::Known(NOW)).is_err());
    db.set_sent("guessed", message, NOW, Now::Guessed(NOW)).unwrap();
    db.remove_messages(&[message]).unwrap();
    db.forget_old(at(30 * 24 * 3_600_000 - 1)).unwrap();
    assert!(db.sent_before("answer to 7").unwrap().is_some());
    db.forget_old(at(30 * 24 * 3_600_000)).unwrap();
    assert_eq!(db.sent_before("answer to 7").unwrap(), None);
    assert!(db.sent_before("guessed").unwrap().is_some(), "nobody knows how old it is");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_acknowledged_when_the_rest_is_told_again_in_order(
        steps in prop::collection::vec((0..4u8, any::<prop::sample::Index>()), 1..60),
    ) {
        let mut db = db();
        befriend(&mut db, alice());
        let (reader, _) = db.reader("bot", MessageId(0)).unwrap();
        let mut waiting = BTreeSet::new();
        for (number, (kind, which)) in (0_i64..).zip(steps) {
            match kind {
                0 | 1 => _ = waiting.insert(arrives(&mut db, number - 1000)),
                2 => _ = send(&mut db, alice(), at(number - 1000), "own"),
                _ if waiting.is_empty() => {}
                _ => {
                    let id = *waiting.iter().nth(which.index(waiting.len())).unwrap();
                    waiting.remove(&id);
                    db.acknowledge(reader, &[id]).unwrap();
                    // Once more changes nothing.
                    db.acknowledge(reader, &[id]).unwrap();
                }
            }
            let (_, done) = db.find_reader("bot").unwrap().unwrap();
            prop_assert_eq!(told(&db, reader, done), waiting.iter().copied().collect::<Vec<_>>());
        }
        let rest: Vec<_> = waiting.into_iter().collect();
        db.acknowledge(reader, &rest).unwrap();
        let left: i64 = db.sql().query_row("SELECT count(*) FROM reader_acks", [], |row| row.get(0)).unwrap();
        prop_assert_eq!(left, 0, "what is acknowledged in full takes no room");
    }
}
