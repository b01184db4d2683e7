//! Documents and tables, on a database in memory.

mod devices;
mod kills;
mod sending;
mod strangers;

use septet_protocol::account::Seed;
use septet_protocol::config::{Contacts, ConvoInfoVolatile, Kind, PushError};
use septet_protocol::id::{Account, Ed25519Public, MessageHash};
use zeroize::Zeroizing;

use super::*;
use crate::store::{Cursor, ReceivedBatch, StoredAccount, StoredConfig};

const NOW: Timestamp = Timestamp::from_ms(1_790_000_000_000);
const BOB: SessionId = SessionId([0xb0; 32]);

/// The documents of an account and its database, both as new.
fn device() -> (Documents, Db) {
    let seed = Seed::from_bytes([1; 16]);
    let documents = Documents::new(&seed.keys());
    let mut db = Db::memory();
    db.insert_account(&StoredAccount { id: documents.me, seed, created: NOW }).unwrap();
    db.set_swarm_was_read().unwrap();
    (documents, db)
}

/// A device on which the account was restored without a network.
fn restored_device() -> (Documents, Db) {
    let (documents, mut db) = device();
    db.set_setting("swarm_was_read", &false).unwrap();
    assert!(!db.swarm_was_read().unwrap());
    (documents, db)
}

/// Takes what a device has to push of its contacts, as the swarm has it then.
fn pushed(documents: &Documents, db: &mut Db, number: u8) -> Vec<StoredMessage> {
    let ToPush { parts, refused } = documents.take_parts(db, NOW).unwrap();
    assert!(refused.is_empty());
    let part = parts.into_iter().find(|part| part.namespace == Namespace::CONTACTS).unwrap();
    let hash = MessageHash([number; 32]);
    let Part { namespace, seqno, messages, obsolete, .. } = part;
    let stored = Some(vec![StorageHash::from(hash)]);
    documents.set.finish_push(db, &[Pushed { namespace, seqno, stored, obsolete }], true).unwrap();
    let [data] = <[Vec<u8>; 1]>::try_from(messages).unwrap();
    vec![StoredMessage { hash, data, timestamp: NOW, expiry: NOW + 1_000_000 }]
}

/// The conversation with somebody; made if there is none.
fn with(db: &mut Db, id: SessionId) -> ConversationId {
    db.make_conversation(&id.into()).unwrap()
}

/// Gives Bob a nickname as a person would.
fn name_bob(documents: &Documents, db: &mut Db, nickname: &str) {
    db.set_nickname(BOB, Some(nickname)).unwrap();
    let id = with(db, BOB);
    assert!(documents.conversation_changed(db, id, Now::Known(NOW)).unwrap());
}

fn nickname(db: &Db) -> Option<String> {
    db.contact(BOB).unwrap().unwrap().nickname
}

#[test]
fn people_of_an_older_version_get_into_the_document() {
    let (documents, mut db) = device();
    db.set_nickname(BOB, Some("Bobby")).unwrap();
    documents.reconcile(&mut db, Now::Known(NOW)).unwrap();
    let contacts: Contacts = documents.set.load(&db).unwrap();
    assert_eq!(contacts.get(&BOB).unwrap().nickname, "Bobby");
    assert!(contacts.needs_push());
    let version = contacts.document().seqno();
    documents.reconcile(&mut db, Now::Known(NOW + 5000)).unwrap();
    assert_eq!(documents.set.load::<Contacts>(&db).unwrap().document().seqno(), version, "once is enough");
}

#[test]
fn changes_within_a_second_keep_their_order_and_those_of_a_wrong_clock_are_dated_anew() {
    let (documents, mut db) = device();
    let name = |text| DisplayName::parse(text).unwrap();
    let dated = |db: &Db| documents.set.load::<UserProfile>(db).unwrap().updated().unwrap();
    documents.set_name(&mut db, &name("one"), NOW).unwrap();
    documents.set_name(&mut db, &name("two"), NOW).unwrap();
    documents.settle_time(&mut db, NOW).unwrap();
    assert_eq!(dated(&db), NOW + 1000, "or nobody would take the second one over");
    documents.set_name(&mut db, &name("three"), NOW + 3_600_000).unwrap();
    documents.settle_time(&mut db, NOW).unwrap();
    assert_eq!(dated(&db), NOW);
}

#[test]
fn a_damaged_document_is_fetched_again_and_loses_nobody() {
    let (documents, mut db) = device();
    name_bob(&documents, &mut db, "Bobby");
    let there = pushed(&documents, &mut db, 1);
    let (account, namespace) = (Account::from(documents.me), Namespace::CONTACTS);
    let last_hash = Some(Cursor { hash: MessageHash([1; 32]), expires_at: NOW + 1_000_000 });
    let (node, items) = (Ed25519Public([3; 32]), Vec::new());
    let batch = ReceivedBatch { node, account, namespace, last_hash, generation: 0, items, now: NOW };
    db.apply_received(&batch).unwrap();
    let stored = documents.set.stored(&db, namespace).unwrap().unwrap();
    let dump = Zeroizing::new(b"nonsense".to_vec());
    db.save_config(&StoredConfig { dump, ..stored }).unwrap();

    documents.reconcile(&mut db, Now::Known(NOW)).unwrap();
    assert!(db.last_hashes(account).unwrap().is_empty());
    documents.merge(&mut db, namespace, &there, NOW).unwrap();
    assert_eq!(nickname(&db).as_deref(), Some("Bobby"));
}

/// What a device has to push of one document, as the swarm has it then.
fn stored(documents: &Documents, db: &mut Db, namespace: Namespace) -> Vec<StoredMessage> {
    let parts = documents.take_parts(db, NOW).unwrap().parts.into_iter();
    let messages = parts.filter(|part| part.namespace == namespace).flat_map(|part| part.messages);
    (1..)
        .zip(messages)
        .map(|(number, data)| StoredMessage {
            hash: MessageHash([number; 32]),
            data,
            timestamp: NOW,
            expiry: NOW + 1_000_000,
        })
        .collect()
}

#[test]
fn what_is_set_before_the_swarm_was_read_is_added_where_it_has_nothing() {
    let name = |text| DisplayName::parse(text).unwrap();
    let (carol, dave) = (SessionId([0xca; 32]), SessionId([0xda; 32]));
    let change = |documents: &Documents, db: &mut Db, id: SessionId| {
        let id = with(db, id);
        documents.conversation_changed(db, id, Now::Known(NOW)).unwrap()
    };
    let (theirs, mut there) = device();
    theirs.set_name(&mut there, &name("Alice"), NOW).unwrap();
    for (id, nickname) in [(BOB, Some("Bobby")), (carol, None)] {
        there.set_nickname(id, nickname).unwrap();
        let pinned = with(&mut there, id);
        there.set_priority(pinned, 1).unwrap();
        assert!(change(&theirs, &mut there, id));
    }
    let [profile, contacts] = [Namespace::USER_PROFILE, Namespace::CONTACTS]
        .map(|namespace| stored(&theirs, &mut there, namespace));

    for told in [true, false] {
        let (mine, mut here) = restored_device();
        mine.set_name(&mut here, &name("Typed here"), NOW).unwrap();
        for (id, nickname) in [(BOB, "Robert"), (carol, "Caro"), (dave, "David")] {
            here.set_nickname(id, Some(nickname)).unwrap();
            assert!(!change(&mine, &mut here, id), "no document says so yet");
        }
        assert_eq!(here.profile().unwrap().name, "Typed here");
        assert!(mine.take_parts(&mut here, NOW).unwrap().parts.is_empty(), "nothing to be published");
        if told {
            mine.merge(&mut here, Namespace::USER_PROFILE, &profile, NOW).unwrap();
            mine.merge(&mut here, Namespace::CONTACTS, &contacts, NOW).unwrap();
        }
        assert!(mine.read_whole(&mut here, NOW).unwrap() && !mine.read_whole(&mut here, NOW).unwrap());
        let wanted = if told { "Alice" } else { "Typed here" };
        let document: UserProfile = mine.set.load(&here).unwrap();
        assert_eq!((document.name().as_deref(), document.needs_push()), (Some(wanted), !told));
        assert_eq!(document.note_to_self_priority().is_hidden(), !told, "as of a new account");
        assert_eq!((here.profile().unwrap().name.as_str(), here.profile().unwrap().read), (wanted, true));
        let contacts: Contacts = mine.set.load(&here).unwrap();
        for (id, nickname) in [(BOB, if told { "Bobby" } else { "Robert" }), (carol, "Caro"), (dave, "David")]
        {
            assert_eq!(contacts.get(&id).unwrap().nickname, nickname);
            assert_eq!(here.contact(id).unwrap().unwrap().nickname.as_deref(), Some(nickname));
        }
        assert_eq!(contacts.get(&BOB).unwrap().priority, Priority(i64::from(told)));
        assert!(contacts.needs_push(), "what was added is told");
    }
}

#[test]
fn nobody_is_lost_when_the_swarm_is_far_ahead() {
    let ((mine, mut here), (theirs, mut there)) = (device(), device());
    name_bob(&mine, &mut here, "Bobby");
    let carol = SessionId([0xca; 32]);
    let mut newest = Vec::new();
    for version in 1..10 {
        there.set_nickname(carol, Some(&format!("Carol {version}"))).unwrap();
        let id = with(&mut there, carol);
        theirs.conversation_changed(&mut there, id, Now::Known(NOW)).unwrap();
        newest = pushed(&theirs, &mut there, version);
    }
    let merge = mine.merge(&mut here, Namespace::CONTACTS, &newest, NOW).unwrap();
    assert!(merge.changed && merge.needs_push);
    assert_eq!(nickname(&here).as_deref(), Some("Bobby"));
    let contacts: Contacts = mine.set.load(&here).unwrap();
    assert_eq!(contacts.get(&carol).unwrap().nickname, "Carol 9");
    assert_eq!(contacts.get(&BOB).unwrap().nickname, "Bobby");
}

#[test]
fn a_change_is_noted_and_in_the_document_before_anything_else_is_done_with_it() {
    let (documents, mut db) = device();
    name_bob(&documents, &mut db, "Bobby");
    let bob = with(&mut db, BOB);
    assert_eq!(db.noted_configs().unwrap(), [Namespace::CONTACTS]);
    assert!(documents.set.load::<Contacts>(&db).unwrap().get(&BOB).is_none(), "only a note");
    documents.read_changed(&mut db, bob, Now::Known(NOW)).unwrap();
    db.set_marked_unread(bob, true).unwrap();
    let there = pushed(&documents, &mut db, 1);
    assert_eq!(there.len(), 1);
    assert!(db.noted_configs().unwrap().is_empty());
    assert_eq!(documents.set.load::<Contacts>(&db).unwrap().get(&BOB).unwrap().nickname, "Bobby");
    let states: ConvoInfoVolatile = documents.set.load(&db).unwrap();
    assert!(states.get(&septet_protocol::config::ConvoId::OneToOne(BOB)).unwrap().unread);
    // What changes nothing is no note.
    db.set_nickname(BOB, Some("Bobby")).unwrap();
    assert!(!documents.conversation_changed(&mut db, bob, Now::Known(NOW)).unwrap());
    assert!(db.noted_configs().unwrap().is_empty());
}

#[test]
fn a_change_that_is_rolled_back_is_not_noted() {
    let (documents, mut db) = device();
    let bob = with(&mut db, BOB);
    let failed: Result<(), StoreError> = db.transaction(|db| {
        db.set_nickname(BOB, Some("Bobby"))?;
        documents.conversation_changed(db, bob, Now::Known(NOW))?;
        Err(StoreError::NotFound)
    });
    assert!(failed.is_err() && db.noted_configs().unwrap().is_empty());
}

#[test]
fn who_is_only_a_contact_has_no_conversation_before_something_is_said() {
    let ((mine, mut here), (theirs, mut there)) = (device(), device());
    here.set_nickname(BOB, Some("Bobby")).unwrap();
    let bob = with(&mut here, BOB);
    here.set_priority(bob, -1).unwrap();
    mine.conversation_changed(&mut here, bob, Now::Known(NOW)).unwrap();
    let contacts = pushed(&mine, &mut here, 1);
    theirs.merge(&mut there, Namespace::CONTACTS, &contacts, NOW).unwrap();
    assert_eq!(nickname(&there).as_deref(), Some("Bobby"));
    assert!(there.conversations(NOW).unwrap().is_empty());
    theirs.reconcile(&mut there, Now::Known(NOW)).unwrap();
    assert!(there.conversations(NOW).unwrap().is_empty());

    let bob = with(&mut there, BOB);
    assert!(there.conversation(bob).unwrap().unwrap().hidden);
    there.open_conversation(bob, NOW).unwrap();
    assert!(theirs.conversation_changed(&mut there, bob, Now::Known(NOW)).unwrap());
    let shown = pushed(&theirs, &mut there, 2);
    mine.merge(&mut here, Namespace::CONTACTS, &shown, NOW).unwrap();
    assert_eq!(here.contact(BOB).unwrap().unwrap().priority, Some(0), "shown again everywhere");
}
