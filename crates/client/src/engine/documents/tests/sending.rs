//! Deleted on another device while this one is still sending.

use super::*;
use crate::model::{MessageId, Page};
use crate::store::{JobKind, NewJob, OutgoingMessage};

/// Writes something to Bob; it waits in the outbox.
fn write_to_bob(db: &mut Db, text: &str, at: Timestamp) -> MessageId {
    let conversation = with(db, BOB);
    let message = OutgoingMessage {
        preview: None,
        conversation,
        timestamp: at,
        text: text.to_owned(),
        quote: None,
        attachments: Vec::new(),
        expiry: Expiry::Off,
        notice: None,
    };
    let job = NewJob {
        recipient: BOB.into(),
        namespace: Namespace::MESSAGES,
        message: Some(MessageId(0)),
        kind: JobKind::ToRecipient,
        timestamp: at,
        ttl_ms: 1000,
        payload: Some(text.as_bytes().to_vec()),
        copy: None,
        wish: None,
    };
    db.insert_outgoing(&message, &[job], Now::Known(NOW)).unwrap().id
}

/// A deletion, made on another device while something is being sent here, leaves just that.
fn deleted_elsewhere_while_sending(delete: impl Fn(&Documents, &mut Db)) {
    for sending in [true, false] {
        let ((mine, mut here), (theirs, mut there)) = (device(), device());
        for (documents, db) in [(&mine, &mut here), (&theirs, &mut there)] {
            name_bob(documents, db, "Bobby");
        }
        let known = pushed(&theirs, &mut there, 1);
        mine.merge(&mut here, Namespace::CONTACTS, &known, NOW).unwrap();
        let old = write_to_bob(&mut here, "old", NOW - 5000);
        let [job] = here.outbox_due().unwrap().try_into().unwrap();
        here.outbox_sent(job.job, MessageHash([1; 32]), NOW, Now::Known(NOW)).unwrap();
        if sending {
            write_to_bob(&mut here, "on its way", NOW);
        }
        let bob = with(&mut here, BOB);
        mine.conversation_changed(&mut here, bob, Now::Known(NOW)).unwrap();
        let both = pushed(&mine, &mut here, 2);
        theirs.merge(&mut there, Namespace::CONTACTS, &both, NOW).unwrap();

        delete(&theirs, &mut there);
        let deleted = pushed(&theirs, &mut there, 3);
        let merge = mine.merge(&mut here, Namespace::CONTACTS, &deleted, NOW).unwrap();
        assert!(merge.touched.contains(&bob));
        let texts = || -> Vec<String> {
            let page = here.messages(bob, Page::Newest, 10, NOW).unwrap();
            page.messages.into_iter().map(|message| message.text).collect()
        };
        assert!(here.message(old).unwrap().is_none(), "what is sent is deleted");
        assert_eq!(texts(), if sending { vec!["on its way"] } else { Vec::new() });
        assert_eq!(here.outbox_len().unwrap(), u64::from(sending));
        let it = here.conversation(bob).unwrap().unwrap();
        assert_eq!((it.is_listed(), it.approved && sending), (sending, sending));
        // The other device shows it again, for it will get the copy.
        assert_eq!(mine.set.load::<Contacts>(&here).unwrap().needs_push(), sending);
        if sending {
            let again = pushed(&mine, &mut here, 4);
            theirs.merge(&mut there, Namespace::CONTACTS, &again, NOW).unwrap();
            let seen = there.contact(BOB).unwrap().unwrap();
            assert_eq!((seen.priority, seen.nickname.as_deref()), (Some(0), Some("Bobby")));
        }
    }
}

#[test]
fn a_conversation_hidden_elsewhere_keeps_what_is_still_to_be_sent() {
    deleted_elsewhere_while_sending(|documents, db| {
        let bob = with(db, BOB);
        db.delete_conversation(bob).unwrap();
        assert!(documents.conversation_changed(db, bob, Now::Known(NOW)).unwrap());
    });
}

#[test]
fn a_contact_deleted_elsewhere_stays_while_something_is_sent_to_it() {
    deleted_elsewhere_while_sending(|documents, db| {
        db.delete_contact(BOB).unwrap();
        documents.contact_deleted(db, BOB, NOW).unwrap();
    });
}
