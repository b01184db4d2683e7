//! What is deleted on this device, for a moment and for good; how often we may react.

use super::*;
use crate::model::{MessageId, Reaction};

fn one(db: &mut Db) -> MessageId {
    befriend(db, alice());
    let react = reaction(alice(), 1, "👍", false);
    take(db, vec![from(alice(), at(1), text("a secret"))]);
    take(db, vec![from(alice(), at(2), react)]);
    page(db, alice())[0].id
}

fn texts_found(db: &Db) -> usize {
    db.search("secret", None, 10, None, NOW).unwrap().len()
}

#[test]
fn what_was_deleted_a_moment_ago_is_shown_nowhere_and_comes_back_whole() {
    let mut db = db();
    let id = one(&mut db);
    let whole = page(&db, alice()).remove(0);
    assert_eq!(db.hide_here(&[id]).unwrap(), [id]);
    assert_eq!(db.hide_here(&[id]).unwrap(), [], "it is deleted already");
    let place = page(&db, alice()).remove(0);
    assert!(place.deleted && place.deleted_here && place.text.is_empty() && place.reactions.is_empty());
    assert_eq!(texts_found(&db), 0);
    let last = conversation(&db, alice()).last_message.unwrap();
    assert!(last.deleted && last.text.is_empty());
    assert_eq!(db.unhide(&[id]).unwrap(), [id]);
    assert_eq!(page(&db, alice()), [whole]);
    assert_eq!(texts_found(&db), 1);
    assert_eq!(db.unhide(&[id]).unwrap(), [], "nothing to bring back");
}

#[test]
fn after_its_time_nothing_brings_it_back() {
    for all in [false, true] {
        let mut db = db();
        let id = one(&mut db);
        db.hide_here(&[id]).unwrap();
        db.finish_deleting((!all).then_some(&[id])).unwrap();
        assert_eq!(db.unhide(&[id]).unwrap(), []);
        let place = page(&db, alice()).remove(0);
        assert!(place.deleted && place.deleted_here && place.text.is_empty());
        let sql = "SELECT count(*) FROM messages WHERE text <> ''";
        assert_eq!(db.sql().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
        // A reaction to it has nothing to stand under.
        let applied = take(&mut db, vec![from(alice(), at(9), reaction(alice(), 1, "🎉", false))]);
        assert!(applied.told.is_empty() && page(&db, alice())[0].reactions.is_empty());
    }
}

#[test]
fn the_authors_wish_goes_before_ours() {
    for finished in [false, true] {
        let mut db = db();
        let id = one(&mut db);
        let hash = page(&db, alice())[0].hash.unwrap();
        db.hide_here(&[id]).unwrap();
        if finished {
            db.finish_deleting(None).unwrap();
        }
        let applied = take(&mut db, vec![from(alice(), at(9), unsend(alice(), 1))]);
        assert_eq!(applied.delete_hashes, [hash], "the swarm's copy goes as well");
        assert_eq!(db.unhide(&[id]).unwrap(), [], "it cannot be brought back");
        let place = page(&db, alice()).remove(0);
        assert!(place.deleted && !place.deleted_here);
    }
}

#[test]
fn what_is_deleted_here_stays_in_our_swarm_for_our_other_devices() {
    let mut db = db();
    befriend(&mut db, alice());
    let item = from(alice(), at(1), text("kept elsewhere"));
    take(&mut db, vec![item.clone()]);
    db.delete_here(&[page(&db, alice())[0].id]).unwrap();
    let applied = take(&mut db, vec![ReceivedItem { hash: hash("twin"), ..item }]);
    assert!(applied.delete_hashes.is_empty() && applied.messages.is_empty());
    assert!(page(&db, alice())[0].deleted_here, "and it does not come back");
}

#[test]
fn a_reaction_that_says_nothing_new_is_told_to_nobody() {
    let mut db = db();
    one(&mut db);
    for (second, remove, told) in [(3, false, 0), (4, true, 1), (5, true, 0), (6, false, 1)] {
        let applied = take(&mut db, vec![from(alice(), at(second), reaction(alice(), 1, "👍", remove))]);
        assert_eq!(applied.told.len(), told, "{second}");
    }
    let applied = take(&mut db, vec![from(alice(), at(7), reaction(alice(), 1, "🎉", true))]);
    assert!(applied.told.is_empty(), "nothing was there to take away");
    assert_eq!(page(&db, alice())[0].reactions, [Reaction { emoji: "👍".into(), from: vec![alice()] }]);
}

#[test]
fn twenty_reactions_in_a_minute_and_no_more() {
    let mut db = db();
    let begin = NOW.as_ms();
    let mut may = |ms: u64| db.may_react(Timestamp::from_ms(begin + ms)).unwrap();
    assert!((0..20).all(|number| may(number * 1000)));
    assert!(!may(20_000) && !may(59_999));
    // The first was a minute ago, then the second.
    assert!(may(60_000) && !may(60_999) && may(61_000));
    // The clock went back: what it says of the future is no reason to wait.
    assert!(db.may_react(Timestamp::from_ms(begin - 1)).unwrap());
}

#[test]
fn emoji_chosen_last_come_first() {
    let mut db = db();
    for number in 0..30 {
        db.note_emoji(&format!("emoji {number}")).unwrap();
    }
    db.note_emoji("emoji 28").unwrap();
    let recent = db.recent_emoji().unwrap();
    assert_eq!((recent.len(), &recent[0][..], &recent[1][..]), (24, "emoji 28", "emoji 29"));
}

#[test]
fn what_is_to_go_from_our_swarm_stands_until_it_has() {
    let mut db = db();
    db.doom_hashes(&[hash("a"), hash("b"), hash("a")], NOW).unwrap();
    assert_eq!(db.doomed_hashes(10).unwrap().len(), 2);
    db.hashes_gone(&[hash("a")]).unwrap();
    assert_eq!(db.doomed_hashes(10).unwrap(), [hash("b")]);
    db.forget_old(NOW + 29 * 24 * 3_600_000).unwrap();
    assert_eq!(db.doomed_hashes(10).unwrap().len(), 1);
    db.forget_old(NOW + 30 * 24 * 3_600_000).unwrap();
    assert!(db.doomed_hashes(10).unwrap().is_empty(), "the swarm has forgotten it by itself");
}
