//! Read marks: what they cost, and that counters and marks say the same whatever happens.

use fastrand::Rng;

use super::*;

/// Unread messages and mentions as the rows say, one by one.
fn counted(db: &Db) -> (u32, u32) {
    let sql = "SELECT count(*), coalesce(sum(m.mention), 0) FROM messages m JOIN conversations c ON c.id = m.conversation
               WHERE m.counts = 1 AND (m.sorted_at, m.timestamp) > (c.last_read, c.last_read)";
    db.sql().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

fn said(db: &Db) -> (u32, u32) {
    db.conversations(NOW).unwrap().iter().fold((0, 0), |sum, it| (sum.0 + it.unread, sum.1 + it.mentions))
}

#[test]
fn reading_much_changes_one_row() {
    let mut db = db();
    for batch in 0..20 {
        let items = (0..250).map(|number| from(alice(), at(batch * 250 + number - 10_000), text("x")));
        take(&mut db, items.collect());
    }
    let id = with(&db, alice());
    let all = page(&db, alice());
    let changes = |db: &Db| db.sql().total_changes();
    // Not all of it, then the rest.
    for (up_to, left) in [(&all[399], 600), (&all[999], 0)] {
        let before = changes(&db);
        let outcome = db.mark_read(id, up_to.id, Now::Known(NOW)).unwrap();
        assert!(outcome.any && outcome.changed && outcome.read.is_empty());
        assert_eq!(changes(&db) - before, 1, "the conversation, and no message");
        assert_eq!(conversation(&db, alice()).unread, left);
    }
}

#[test]
fn what_begins_to_disappear_is_told_up_to_a_limit_and_begins_all_the_same() {
    let mut db = db();
    for batch in 0..6 {
        let items = (0..250)
            .map(|number| from(alice(), at(batch * 250 + number - 10_000), timed(Expiry::AfterRead(60))));
        take(&mut db, items.collect());
    }
    let newest = *page(&db, alice()).last().map(|it| &it.id).unwrap();
    let outcome = db.mark_read(with(&db, alice()), newest, Now::Known(NOW)).unwrap();
    assert_eq!(outcome.read.len(), 1000);
    let waits = "SELECT count(*) FROM messages WHERE expires_at IS NULL";
    assert_eq!(db.sql().query_row(waits, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[test]
fn counters_and_rows_agree_whatever_happens() {
    for seed in 0..60 {
        let mut rng = Rng::with_seed(seed);
        let mut db = db();
        let people = [alice(), bob()];
        for person in people {
            made(&mut db, person);
        }
        let mut step = 0;
        while step < 40 {
            step += 1;
            let person = people[rng.usize(..2)];
            let id = with(&db, person);
            // Some claim to be from the future.
            let when = at(rng.i64(-500..100));
            let all = page(&db, person);
            let any = (!all.is_empty()).then(|| all[rng.usize(..all.len())].id);
            match (rng.u8(..10), any) {
                (0..=3, _) => {
                    let body = if rng.bool() { format!("@{}", me()) } else { "x".into() };
                    let item = from(person, when, text(&body));
                    take(&mut db, vec![ReceivedItem { hash: hash(("r", step)), ..item }]);
                }
                (4, _) => _ = take(&mut db, vec![copy(person, when, text("own"))]),
                (5, Some(message)) => _ = db.mark_read(id, message, Now::Known(NOW)).unwrap(),
                (6, Some(message)) => _ = db.delete_messages(&[message]).unwrap(),
                (7, Some(message)) => _ = db.remove_messages(&[message]).unwrap(),
                (8, _) => {
                    let now =
                        if rng.bool() { Now::Known(NOW) } else { Now::Guessed(at(rng.i64(-900..900_000))) };
                    db.apply_read_mark(id, when, false, now).unwrap();
                }
                _ => _ = db.settle_time(at(rng.i64(-9000..9000))).unwrap(),
            }
            assert_eq!(said(&db), counted(&db), "seed {seed}, step {step}");
        }
    }
}
