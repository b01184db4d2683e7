//! Paging, the list, and the counters.

use super::*;

/// A conversation of `count` messages, several of them at the same moment as others' are not: timestamps differ.
fn filled(count: i64) -> Db {
    let mut db = db();
    let items = (0..count).map(|number| from(alice(), at(number), text(&number.to_string()))).collect();
    take(&mut db, items);
    db
}

fn numbers(page: &MessagePage) -> Vec<i64> {
    page.messages.iter().map(|message| message.text.parse().unwrap()).collect()
}

#[test]
fn pages_join_without_gaps_in_both_directions() {
    let db = filled(101);
    let mut page = db.messages(with(&db, alice()), Page::Newest, 10, NOW).unwrap();
    assert_eq!(numbers(&page), (91..101).collect::<Vec<_>>());
    assert!(page.more_before && !page.more_after);
    let mut all = numbers(&page);
    while page.more_before {
        page = db.messages(with(&db, alice()), Page::Before(page.messages[0].id), 10, NOW).unwrap();
        assert!(page.more_after);
        all.splice(0..0, numbers(&page));
    }
    assert_eq!(all, (0..101).collect::<Vec<_>>());
    let mut forward = numbers(&page);
    while page.more_after {
        page =
            db.messages(with(&db, alice()), Page::After(page.messages.last().unwrap().id), 7, NOW).unwrap();
        forward.extend(numbers(&page));
    }
    assert_eq!(forward, all);
}

#[test]
fn a_page_around_a_message_has_it_in_the_middle() {
    let db = filled(100);
    let all = page(&db, alice());
    for (index, from, to) in [(50, 45, 55), (2, 0, 7), (99, 94, 100), (0, 0, 5)] {
        let page = db.messages(with(&db, alice()), Page::Around(all[index].id), 10, NOW).unwrap();
        assert_eq!(numbers(&page), (from..to).collect::<Vec<_>>(), "around {index}");
        assert_eq!(page.more_before, from > 0);
        assert_eq!(page.more_after, to < 100);
    }
}

#[test]
fn a_page_from_a_message_that_is_gone_is_the_newest() {
    let mut db = filled(20);
    let gone = page(&db, alice())[3].id;
    db.remove_messages(&[gone]).unwrap();
    let page = db.messages(with(&db, alice()), Page::Before(gone), 5, NOW).unwrap();
    assert_eq!(numbers(&page), (15..20).collect::<Vec<_>>());
    assert!(db.messages(with(&db, bob()), Page::Newest, 5, NOW).unwrap().messages.is_empty());
}

#[test]
fn the_list_has_pins_first_then_the_latest_then_titles() {
    let mut db = db();
    let people: Vec<SessionId> = (10..16).map(|byte| SessionId([byte; 32])).collect();
    for (id, name) in people.iter().zip(["Zoe", "adam", "Bert", "Cleo", "Dora", "Eve"]) {
        db.set_profile(*id, &ProfileData { name: name.to_owned(), ..Default::default() }).unwrap();
        db.set_approved(*id, true).unwrap();
        made(&mut db, *id);
    }
    take(&mut db, vec![from(people[3], at(-9), text("c")), from(people[4], at(-5), text("d"))]);
    for (person, priority) in [(people[2], 1), (people[5], 7)] {
        db.set_priority(with(&db, person), priority).unwrap();
    }
    let note = made(&mut db, me());
    db.open_conversation(note, at(-7)).unwrap();
    let list = db.conversations(NOW).unwrap();
    let names: Vec<String> =
        list.iter().map(|it| if it.address == me().into() { "note".into() } else { it.title() }).collect();
    assert_eq!(names, ["Eve", "Bert", "Dora", "note", "Cleo", "adam", "Zoe"]);
    assert_eq!(list[3].kind, ConversationKind::NoteToSelf);
}

#[test]
fn what_is_set_for_a_conversation_is_kept() {
    let mut db = db();
    let id = made(&mut db, alice());
    db.open_conversation(id, NOW).unwrap();
    assert!(db.set_draft(id, &drafted("half a tho"), NOW).unwrap());
    assert!(!db.set_draft(id, &drafted("half a tho"), NOW).unwrap());
    db.set_nickname(alice(), Some("Ali")).unwrap();
    db.set_muted(id, Some(Timestamp::from_ms(u64::MAX))).unwrap();
    db.set_expiry(id, Expiry::AfterRead(60)).unwrap();
    db.set_marked_unread(id, true).unwrap();
    db.set_blocked(alice(), true).unwrap();
    let it = conversation(&db, alice());
    assert_eq!((it.draft.clone().unwrap().text.as_str(), it.title().as_str()), ("half a tho", "Ali"));
    assert_eq!(it.muted_until, Some(Timestamp::from_ms(u64::MAX)));
    assert_eq!(it.expiry, Expiry::AfterRead(60));
    assert!(it.marked_unread && it.blocked && !it.approved);
    assert_eq!(it.active_at, NOW);
    db.set_draft(id, &drafted(""), NOW).unwrap();
    db.set_nickname(alice(), Some("")).unwrap();
    db.set_priority(id, -1).unwrap();
    let it = conversation(&db, alice());
    assert_eq!((it.draft, it.nickname, it.hidden), (None, None, true));
    let nobody = with(&db, bob());
    assert!(!db.set_draft(nobody, &drafted("nobody"), NOW).unwrap());
    assert!(db.conversation(nobody).unwrap().is_none());
}

#[test]
fn counters_are_exact_through_everything() {
    let mut db = db();
    let mention = format!("hello @{}", me());
    take(
        &mut db,
        vec![
            from(alice(), at(1), text("a")),
            from(alice(), at(2), text(&mention)),
            from(alice(), at(3), text("c")),
            from(alice(), at(4), text(&mention.to_uppercase())),
        ],
    );
    let counts = |db: &Db| (conversation(db, alice()).unread, conversation(db, alice()).mentions);
    assert_eq!(counts(&db), (4, 2));
    let ids: Vec<MessageId> = page(&db, alice()).iter().map(|message| message.id).collect();
    db.delete_messages(&[ids[3]]).unwrap();
    assert_eq!(counts(&db), (3, 1));
    let told = db.unread_texts(with(&db, alice()), ids[1], 10).unwrap();
    assert_eq!(told, [at(1), at(2)]);
    assert_eq!(db.unread_texts(with(&db, alice()), ids[1], 1).unwrap(), [at(2)], "the latest");
    let outcome = db.mark_read(with(&db, alice()), ids[1], Now::Known(NOW)).unwrap();
    assert!(outcome.any && outcome.changed && outcome.read.is_empty());
    assert_eq!(counts(&db), (1, 0));
    db.remove_messages(&[ids[2]]).unwrap();
    assert_eq!(counts(&db), (0, 0));
    assert!(!db.mark_read(with(&db, alice()), ids[1], Now::Known(NOW)).unwrap().changed);
    db.clear_messages(with(&db, alice())).unwrap();
    assert_eq!(counts(&db), (0, 0));
}

#[test]
fn a_message_from_the_future_does_not_hide_later_ones() {
    let mut db = db();
    take(&mut db, vec![from(alice(), Timestamp::from_ms(u64::MAX), text("liar"))]);
    let liar = page(&db, alice())[0].id;
    db.mark_read(with(&db, alice()), liar, Now::Known(NOW)).unwrap();
    assert_eq!(conversation(&db, alice()).unread, 0);
    take(&mut db, vec![from(alice(), at(10), text("later"))]);
    assert_eq!(conversation(&db, alice()).unread, 1);
}

#[test]
fn what_comes_late_but_is_older_than_the_read_mark_is_read() {
    let mut db = db();
    take(&mut db, vec![from(alice(), at(-5), text("second"))]);
    let id = page(&db, alice())[0].id;
    db.mark_read(with(&db, alice()), id, Now::Known(NOW)).unwrap();
    take(&mut db, vec![from(alice(), at(-9), text("first"))]);
    assert_eq!(conversation(&db, alice()).unread, 0);
    assert_eq!(texts(&db, alice()), ["first", "second"]);
}
