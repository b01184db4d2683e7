//! What is gone is gone: from every answer at once, and from the disk soon after.

use std::path::Path;

use super::*;

/// A few letters that stand together nowhere else, and every run of three of them.
const MARK: &str = "qxzvkj鑫麤靐";

fn with_account(mut db: Db) -> Db {
    db.insert_account(&StoredAccount { id: me(), seed: Seed::from_bytes([1; 16]), created: NOW }).unwrap();
    db
}

/// Whether any of a text is found in the files of a database.
fn is_on_disk(path: &Path) -> bool {
    let files = ["", "-wal"].map(|end| std::fs::read(format!("{}{end}", path.display())).unwrap_or_default());
    let runs: Vec<&[u8]> = MARK.as_bytes().windows(3).collect();
    files.iter().any(|bytes| bytes.windows(3).any(|found| runs.contains(&found)))
}

/// Hundreds of messages around some with a mark, everything written back into the file.
fn marked(path: &Path) -> (Db, Vec<MessageId>) {
    let mut db = with_account(Db::plain(path));
    for batch in 0..4 {
        let items = (0..100).map(|number| {
            let at = at(batch * 100 + number - 10_000);
            let body = if number % 9 == 4 {
                format!("word {MARK} and {MARK}{number}")
            } else {
                "nothing here".into()
            };
            let expiry = if number % 2 == 0 { Expiry::Off } else { Expiry::AfterSend(60) };
            let kind = IncomingKind::Message {
                text: body,
                attachments: Vec::new(),
                quote: None,
                preview: None,
                expiry,
            };
            from(alice(), at, kind)
        });
        take(&mut db, items.collect());
    }
    assert!(db.empty_log().unwrap());
    assert!(is_on_disk(path));
    let found = page(&db, alice()).into_iter().filter(|it| it.text.contains(MARK));
    (db, found.map(|it| it.id).collect())
}

#[test]
fn nothing_of_what_is_deleted_is_left_on_the_disk() {
    type Deed = fn(&mut Db, &[MessageId]);
    let deeds: [(&str, Deed); 4] = [
        ("deleted", |db, ids| _ = db.delete_messages(ids).unwrap()),
        ("removed", |db, ids| _ = db.remove_messages(ids).unwrap()),
        ("expired or unsent", |db, ids| {
            while !db.delete_expired(at(100_000)).unwrap().is_empty() {}
            let left: Vec<Message> = ids.iter().filter_map(|id| db.message(*id).unwrap()).collect();
            assert!(!left.is_empty() && left.len() < ids.len());
            let unsend = |message: &Message| {
                let target = QuoteKey { author: alice(), timestamp: message.timestamp };
                let kind = IncomingKind::Unsend { target, msg_id: None };
                ReceivedItem { hash: hash(message.id), ..from(alice(), at(1), kind) }
            };
            take(db, left.iter().map(unsend).collect());
        }),
        ("cleared", |db, _| {
            db.clear_messages(with(db, alice())).unwrap();
            while db.clear_step().unwrap() {}
        }),
    ];
    for (what, deed) in deeds {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plain.db");
        let (mut db, ids) = marked(&path);
        assert!(!db.is_log_to_be_emptied().unwrap());
        deed(&mut db, &ids);
        assert!(db.is_log_to_be_emptied().unwrap(), "{what}");
        assert!(db.empty_log().unwrap());
        assert!(!db.is_log_to_be_emptied().unwrap());
        assert!(!is_on_disk(&path), "{what}");
    }
}

#[test]
fn drafts_leave_nothing_either() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain.db");
    let mut db = with_account(Db::plain(&path));
    let id = made(&mut db, alice());
    db.set_draft(id, &drafted(&format!("half a {MARK}")), NOW).unwrap();
    db.empty_log().unwrap();
    assert!(is_on_disk(&path));
    db.set_draft(id, &drafted(""), NOW).unwrap();
    assert!(db.is_log_to_be_emptied().unwrap() && db.empty_log().unwrap());
    assert!(!is_on_disk(&path));
}

#[test]
fn a_cleared_conversation_is_empty_at_once_and_what_comes_then_stays() {
    let mut db = db();
    take(&mut db, (0..900).map(|number| from(alice(), at(number - 5000), text("before"))).collect());
    let with_alice = with(&db, alice());
    let old = page(&db, alice());
    db.enqueue(&job(JobKind::ToRecipient, bob(), at(9)), Now::Known(NOW)).unwrap();
    send(&mut db, alice(), at(-6000), "still sending");
    db.clear_messages(with_alice).unwrap();
    assert_eq!(db.outbox_len().unwrap(), 1, "the job for Bob");
    let empty = |db: &Db| {
        let it = conversation(db, alice());
        it.unread == 0
            && it.last_message.is_none()
            && texts(db, alice()).is_empty()
            && db.message(old[5].id).unwrap().is_none()
            && db.search("before", None, 10, None, NOW).unwrap().is_empty()
    };
    assert!(empty(&db));
    let mut steps = 0;
    let mut more = true;
    while more {
        more = db.clear_step().unwrap();
        steps += 1;
        if steps == 2 {
            // What had been there under another hash, what is new, what answers something that is gone.
            let again = ReceivedItem { hash: hash("again"), ..from(alice(), at(-4990), text("again")) };
            let quote = Some(QuoteKey { author: alice(), timestamp: at(-4500) });
            let kind = IncomingKind::Message {
                text: "new".into(),
                attachments: Vec::new(),
                quote,
                preview: None,
                expiry: Expiry::Off,
            };
            take(&mut db, vec![again, from(alice(), at(-5), kind)]);
        }
        if steps >= 2 {
            assert_eq!(texts(&db, alice()), ["again", "new"], "step {steps}");
            assert_eq!(conversation(&db, alice()).unread, 2);
            assert_eq!(page(&db, alice())[1].quote.as_ref().unwrap().message, None);
        } else {
            assert!(empty(&db), "step {steps}");
        }
    }
    assert!(steps > 4, "in several steps");
    let left: i64 = db.sql().query_row("SELECT count(*) FROM messages", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 2);
    assert!(db.mark_read(with_alice, page(&db, alice())[1].id, Now::Known(NOW)).unwrap().any);
    assert_eq!(conversation(&db, alice()).unread, 0);
}

#[tokio::test]
async fn clearing_lets_others_in_between_and_goes_on_after_the_end_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profile");
    let account = StoredAccount { id: me(), seed: Seed::from_bytes([1; 16]), created: NOW };
    let store = Store::create(&path, KeyProtection::KeyFile, &account, |db| {
        for batch in 0..20 {
            take(
                db,
                (0..250).map(|number| from(alice(), at(batch * 250 + number - 9000), text("x"))).collect(),
            );
        }
        Ok(())
    })
    .unwrap();
    let count = |db: &mut Db| -> Result<i64, StoreError> {
        Ok(db.sql().query_row("SELECT count(*) FROM messages", [], |row| row.get(0))?)
    };
    store.call(|db| db.clear_messages(with(db, alice()))).await.unwrap();
    let left = store.call(count).await.unwrap();
    assert!(left > 0 && left < 5000, "{left}: a step was done, and then this order");
    // Ended in the middle of it.
    store.close().await;
    let store = Store::open(&path).unwrap();
    while store.call(count).await.unwrap() > 0 {}
    store.close().await;
}

#[test]
fn what_has_expired_is_in_no_answer_whether_it_was_deleted_or_not() {
    let mut db = db();
    let mention = format!("@{} soon gone", me());
    let kind = |body: &str, expiry| IncomingKind::Message {
        text: body.into(),
        attachments: Vec::new(),
        quote: None,
        preview: None,
        expiry,
    };
    take(
        &mut db,
        vec![
            from(alice(), at(-50), kind("stays", Expiry::Off)),
            from(alice(), at(-40), kind(&mention, Expiry::AfterSend(60))),
            from(alice(), at(-30), kind("gone later", Expiry::AfterSend(3600))),
        ],
    );
    let target = QuoteKey { author: alice(), timestamp: at(-40) };
    let answer = IncomingKind::Message {
        text: "to which?".into(),
        attachments: Vec::new(),
        quote: Some(target),
        preview: None,
        expiry: Expiry::AfterSend(7200),
    };
    take(&mut db, vec![from(alice(), at(-20), answer)]);
    let id = with(&db, alice());
    let soon = page(&db, alice())[1].id;
    for (now, texts, mentions) in [
        (NOW, vec!["stays", &mention, "gone later", "to which?"], 1),
        (at(60_000), vec!["stays", "gone later", "to which?"], 0),
        (at(3_600_000), vec!["stays", "to which?"], 0),
        (at(7_200_000), vec!["stays"], 0),
    ] {
        let shown = db.messages(id, Page::Newest, 10, now).unwrap();
        assert_eq!(shown.messages.iter().map(|it| it.text.as_str()).collect::<Vec<_>>(), texts);
        let one = db.shown_conversation(id, now).unwrap().unwrap();
        let listed = db.conversations(now).unwrap().remove(0);
        assert_eq!(one, listed);
        assert_eq!((one.unread, one.mentions), (u32::try_from(texts.len()).unwrap(), mentions));
        assert_eq!(one.last_message.unwrap().text, *texts.last().unwrap());
        let found = db.search("gone", None, 10, None, now).unwrap().len();
        assert_eq!(found, texts.iter().filter(|text| text.contains("gone")).count());
        let is_over = now >= at(60_000);
        assert_eq!(db.shown_message(soon, now).unwrap().is_none(), is_over);
        assert!(db.message(soon).unwrap().is_some(), "for what is not shown");
        if let Some(answer) = shown.messages.iter().find(|it| it.text == "to which?") {
            assert_eq!(answer.quote.as_ref().unwrap().text.is_empty(), is_over);
        }
    }
}
