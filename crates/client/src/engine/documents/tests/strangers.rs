//! Strangers stay out of what our devices share, until they are accepted.

use septet_protocol::config::Contact;

use super::*;
use crate::engine::sources::swarm::arrivals;
use crate::store::{AppliedBatch, Incoming, IncomingKind, Meaning, ReceivedItem};

/// What somebody sends us, with their profile.
fn from(sender: SessionId, ms: u64, kind: IncomingKind) -> ReceivedItem {
    let profile = Some(ProfileData { name: "Somebody".into(), picture: None, updated: ms });
    let timestamp = NOW - ms;
    let incoming = Incoming { sender, conversation: sender.into(), timestamp, msg_id: None, profile, kind };
    let mut hash = sender.0;
    hash[31] = ms.to_le_bytes()[0];
    let (hash, expiration) = (MessageHash(hash), NOW + 1_000_000);
    ReceivedItem { hash, stored_at: timestamp, expiration, meaning: Meaning::Said(Box::new(incoming)) }
}

fn text() -> IncomingKind {
    let (text, attachments, expiry) = ("hi".to_owned(), Vec::new(), Expiry::Off);
    IncomingKind::Message { text, attachments, quote: None, preview: None, expiry }
}

/// Takes it in as a poll does; says whether configs changed.
fn take(documents: &Documents, db: &mut Db, items: Vec<ReceivedItem>) -> (AppliedBatch, bool) {
    let (node, account) = (Ed25519Public([9; 32]), Account::from(documents.me));
    let namespace = Namespace::MESSAGES;
    let batch = ReceivedBatch { node, account, namespace, last_hash: None, generation: 0, items, now: NOW };
    let applied =
        arrivals::apply_with(db, documents, &batch.items, NOW, |db| db.apply_received(&batch)).unwrap();
    (applied.batch, applied.configs_changed)
}

fn stranger(number: u16) -> SessionId {
    let [high, low] = number.to_be_bytes();
    let mut key = [0x55; 32];
    (key[0], key[1]) = (high, low);
    SessionId(key)
}

#[test]
fn a_flood_of_strangers_changes_no_shared_document() {
    let (documents, mut db) = device();
    name_bob(&documents, &mut db, "Bobby");
    documents.write_notes(&mut db).unwrap();
    let before = documents.set.stored(&db, Namespace::CONTACTS).unwrap().unwrap().dump;
    for batch in 0..8 {
        let senders = (0..200).map(|number| stranger(batch * 200 + number));
        let items = senders.flat_map(|sender| {
            [from(sender, 5, text()), from(sender, 4, IncomingKind::RequestResponse), from(sender, 3, text())]
        });
        let (applied, changed) = take(&documents, &mut db, items.collect());
        assert!(!changed && !applied.messages.is_empty());
    }
    documents.reconcile(&mut db, Now::Known(NOW)).unwrap();
    let after = documents.set.stored(&db, Namespace::CONTACTS).unwrap().unwrap().dump;
    assert!(before == after, "{} bytes before, {} after", before.len(), after.len());
}

#[test]
fn a_stranger_who_is_accepted_is_shared_with_all_that_is_known_of_them() {
    let (documents, mut db) = device();
    take(&documents, &mut db, vec![from(BOB, 5, text())]);
    assert!(documents.set.load::<Contacts>(&db).unwrap().get(&BOB).is_none());
    let id = with(&mut db, BOB);
    assert!(db.accept(id, Now::Known(NOW)).unwrap());
    assert!(documents.conversation_changed(&mut db, id, Now::Known(NOW)).unwrap());
    documents.write_notes(&mut db).unwrap();
    let contact = documents.set.load::<Contacts>(&db).unwrap().get(&BOB).unwrap();
    assert!(contact.approved && contact.approved_us);
    assert_eq!(contact.name, "Somebody");
}

#[test]
fn a_declined_request_leaves_a_hidden_entry_and_only_the_latest_hundred_stay() {
    let (documents, mut db) = device();
    name_bob(&documents, &mut db, "Bobby");
    let strangers: Vec<SessionId> = (0..300).map(stranger).collect();
    take(&documents, &mut db, strangers.iter().map(|id| from(*id, 5, text())).collect());
    db.set_nickname(strangers[0], Some("Zoe")).unwrap();
    for (batch, at) in strangers.chunks(60).zip(0..) {
        for id in batch {
            db.decline(*id).unwrap();
        }
        documents.contacts_declined(&mut db, batch, NOW + at * 1000).unwrap();
    }
    let contacts: Contacts = documents.set.load(&db).unwrap();
    let declined: Vec<Contact> =
        contacts.iter().filter(|it| it.id != BOB && it.nickname.is_empty()).collect();
    assert_eq!(declined.len(), 100);
    for id in &strangers[240..] {
        let entry = contacts.get(id).unwrap();
        assert!(entry.priority.is_hidden() && !entry.approved && !entry.approved_us && entry.name.is_empty());
    }
    assert!(contacts.get(&strangers[1]).is_none());
    assert_eq!(contacts.get(&strangers[0]).unwrap().nickname, "Zoe", "what is to be remembered stays");
    assert_eq!(contacts.get(&BOB).unwrap().nickname, "Bobby");
}
