//! Calls: a line for each, and none for those that were taken (spec 02 §25).

use super::*;

const CALL: CallKey = CallKey([1; 32]);

fn offer(ms: i64, call: CallKey) -> ReceivedItem {
    ReceivedItem { hash: hash(ms), ..from(alice(), at(ms), IncomingKind::Call { call, expiry: Expiry::Off }) }
}

fn settled(ms: i64, call: CallKey) -> ReceivedItem {
    // A call's own copy names no conversation.
    ReceivedItem { hash: hash(ms), ..copy(me(), at(ms), IncomingKind::CallSettled(call)) }
}

fn lines(db: &Db) -> Vec<Timestamp> {
    page(db, alice()).iter().map(|line| line.timestamp).collect()
}

#[test]
fn a_call_that_is_offered_several_times_is_one_line() {
    for together in [true, false] {
        let mut db = db();
        befriend(&mut db, alice());
        let items = vec![offer(-8, CALL), offer(-9, CALL), offer(-5, CallKey([2; 32])), offer(-7, CALL)];
        match together {
            true => _ = take(&mut db, items),
            false => items.into_iter().for_each(|item| _ = take(&mut db, vec![item])),
        }
        assert_eq!(lines(&db), [at(-9), at(-5)]);
        assert_eq!(conversation(&db, alice()).unread, 2);
        // A line that was deleted does not come back with the next offer.
        let line = page(&db, alice())[0].id;
        db.remove_messages(&[line]).unwrap();
        take(&mut db, vec![offer(-10, CALL)]);
        assert_eq!(lines(&db), [at(-5)]);
    }
}

#[test]
fn a_call_that_another_device_took_leaves_nothing() {
    for order in [[-9, -8], [-8, -9]] {
        let mut db = db();
        befriend(&mut db, alice());
        for ms in order {
            let item = if ms == -9 { offer(ms, CALL) } else { settled(ms, CALL) };
            take(&mut db, vec![item]);
        }
        take(&mut db, vec![offer(-7, CALL)]);
        assert!(lines(&db).is_empty());
        assert_eq!(conversation(&db, alice()).unread, 0);
        assert!(db.find_conversation(&me().into()).unwrap().is_none(), "nothing to note");
    }
}

#[test]
fn nobody_else_can_settle_a_call_or_take_its_name() {
    let mut db = db();
    befriend(&mut db, alice());
    befriend(&mut db, bob());
    take(&mut db, vec![from(bob(), at(-9), IncomingKind::CallSettled(CALL))]);
    take(&mut db, vec![from(bob(), at(-9), IncomingKind::Call { call: CALL, expiry: Expiry::Off })]);
    take(&mut db, vec![offer(-8, CALL)]);
    assert_eq!(lines(&db), [at(-8)]);
}

#[test]
fn calls_are_forgotten_when_no_swarm_has_them_any_more() {
    let mut db = db();
    befriend(&mut db, alice());
    take(&mut db, vec![offer(-9, CALL)]);
    db.forget_old(at(31 * 24 * 3_600_000)).unwrap();
    let count: i64 = db.sql().query_row("SELECT count(*) FROM calls", [], |row| row.get(0)).unwrap();
    assert_eq!((count, lines(&db).len()), (0, 1));
}
