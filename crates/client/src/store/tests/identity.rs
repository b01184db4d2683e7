//! What makes two messages the same one, and a conversation the same one.

use super::*;
use crate::store::{StoreError, migrate};
use septet_protocol::id::GroupId;

/// A text from Alice with a number of its own, or none.
fn numbered(body: &str, timestamp: Timestamp, msg_id: Option<i64>) -> ReceivedItem {
    let mut item = from(alice(), timestamp, text(body));
    item.hash = hash((body, msg_id));
    said(&mut item).msg_id = msg_id;
    item
}

#[test]
fn messages_of_one_moment_are_several_only_if_their_numbers_differ() {
    for (first, second, count) in [
        (None, None, 1),
        (Some(1), None, 1),
        (None, Some(1), 1),
        (Some(1), Some(1), 1),
        (Some(1), Some(-1), 2),
    ] {
        for separately in [true, false] {
            let mut db = db();
            let items = vec![numbered("one", at(-5), first), numbered("two", at(-5), second)];
            match separately {
                true => items.into_iter().for_each(|item| _ = take(&mut db, vec![item])),
                false => _ = take(&mut db, items),
            }
            assert_eq!(texts(&db, alice()).len(), count, "{first:?} {second:?}");
        }
    }
}

#[test]
fn an_unsend_request_takes_the_message_it_means() {
    let mut db = db();
    take(&mut db, vec![numbered("one", at(-5), Some(1)), numbered("two", at(-5), Some(2))]);
    let target = QuoteKey { author: alice(), timestamp: at(-5) };
    let unsend = |msg_id| from(alice(), at(-3), IncomingKind::Unsend { target, msg_id });
    take(&mut db, vec![unsend(Some(2))]);
    assert_eq!(texts(&db, alice()), ["one", ""]);
    let mut early = super::db();
    take(&mut early, vec![unsend(Some(2))]);
    take(&mut early, vec![numbered("one", at(-5), Some(1)), numbered("two", at(-5), Some(2))]);
    assert_eq!(texts(&early, alice()), ["one", ""]);
}

#[test]
fn people_may_write_in_the_same_moment_in_several_conversations() {
    let mut db = db();
    take(&mut db, vec![copy(alice(), at(-5), text("to Alice")), copy(bob(), at(-5), text("to Bob"))]);
    assert_eq!((texts(&db, alice()), texts(&db, bob())), (vec!["to Alice".into()], vec!["to Bob".into()]));
}

#[test]
fn a_conversation_keeps_its_number_when_it_goes_and_comes_back() {
    let mut db = db();
    take(&mut db, vec![from(alice(), at(-5), text("hi"))]);
    let id = with(&db, alice());
    db.delete_conversation(id).unwrap();
    db.delete_contact(alice()).unwrap();
    take(&mut db, vec![from(alice(), at(-3), text("me again"))]);
    assert_eq!(with(&db, alice()), id);
    assert_eq!(db.address_of(id).unwrap(), Some(alice().into()));
    assert_eq!(db.address_of(ConversationId(id.0 + 1)).unwrap(), None);
}

#[test]
fn every_kind_of_conversation_has_a_place() {
    let mut db = db();
    let group = Address::from(GroupId([3; 32]));
    let room: Address = "https://example.org/lobby".parse().unwrap();
    let blinded: Address = format!("15{}", "ab".repeat(32)).parse().unwrap();
    for (address, kind) in [
        (Address::from(me()), ConversationKind::NoteToSelf),
        (alice().into(), ConversationKind::Private),
        (group, ConversationKind::Group),
        (room, ConversationKind::Room),
        (blinded, ConversationKind::Blinded),
    ] {
        let id = db.make_conversation(&address).unwrap();
        assert_eq!(db.make_conversation(&address).unwrap(), id);
        let it = db.conversation(id).unwrap().unwrap();
        assert_eq!((it.kind, &it.address), (kind, &address));
    }
    assert_eq!(db.conversations(NOW).unwrap().len(), 5);
    assert_eq!(db.contacts().unwrap().len(), 1, "only people");
}

#[test]
fn a_place_in_a_swarm_from_before_a_reset_is_not_kept() {
    let mut db = db();
    let account = Account::User(me());
    let before = batch(vec![from(alice(), at(1), text("one"))]);
    assert_eq!(db.cursor_generation(account).unwrap(), before.generation);
    db.forget_last_hashes(account).unwrap();
    db.apply_received(&before).unwrap();
    assert!(db.last_hashes(account).unwrap().is_empty(), "that retrieve began before");
    assert_eq!(texts(&db, alice()), ["one"], "what it brought is kept");
    let generation = db.cursor_generation(account).unwrap();
    assert_ne!(generation, before.generation);
    db.apply_received(&ReceivedBatch { generation, ..before }).unwrap();
    assert_eq!(db.last_hashes(account).unwrap().len(), 1);
}

#[test]
fn reactions_that_wait_for_nothing_expire_and_those_that_found_it_stay() {
    let mut db = db();
    take(&mut db, vec![from(alice(), at(-9), text("here"))]);
    let react = |ms| {
        let target = QuoteKey { author: alice(), timestamp: at(ms) };
        let kind = IncomingKind::Reaction { target, emoji: "👍".parse().unwrap(), remove: false };
        ReceivedItem { hash: hash(ms), ..from(alice(), at(-1), kind) }
    };
    take(&mut db, vec![react(-9), react(-8), react(-7)]);
    take(&mut db, vec![from(alice(), at(-8), text("came late"))]);
    db.forget_old(at(15 * 24 * 3_600_000)).unwrap();
    let count: i64 = db.sql().query_row("SELECT count(*) FROM reactions", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 2);
    assert!(page(&db, alice()).iter().all(|message| message.reactions.len() == 1));
}

#[test]
fn a_database_from_before_the_first_release_is_refused_and_left_as_it_is() {
    for id in migrate::UNRELEASED_IDS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profile");
        let account = StoredAccount { id: me(), seed: Seed::from_bytes([1; 16]), created: NOW };
        let store = Store::create(&path, KeyProtection::KeyFile, &account, |db| {
            Ok(db.sql().pragma_update(None, "application_id", id)?)
        });
        assert!(matches!(store, Err(StoreError::Unreleased)));
        let before = std::fs::read(path.join("septet.db")).unwrap();
        let error = Store::open(&path).err().unwrap();
        assert!(matches!(error, StoreError::Unreleased));
        assert!(error.to_string().contains("before its first release"), "{error}");
        assert_eq!(std::fs::read(path.join("septet.db")).unwrap(), before);
    }
}
