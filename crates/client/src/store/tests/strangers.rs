//! What strangers can make us keep.

use super::*;
use crate::store::receive::strangers::{MOST_MESSAGES, MOST_REQUESTS};
use septet_protocol::id::GroupId;

/// The stranger with a number.
fn stranger(number: u32) -> SessionId {
    let mut key = [0x55; 32];
    key[..4].copy_from_slice(&number.to_be_bytes());
    SessionId(key)
}

fn count(db: &Db, table: &str) -> i64 {
    db.sql().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

fn limit() -> u32 {
    u32::try_from(MOST_REQUESTS).unwrap()
}

/// A request of a stranger, with a file, a name and a picture.
fn request(number: u32) -> ReceivedItem {
    let remote = RemoteFile { url: format!("http://f/{number}"), key: vec![1; 64].into(), digest: None };
    let ms = i64::from(number) - 100_000;
    let mut item = from(stranger(number), at(ms), files(vec![file(Some(remote))]));
    let picture = PictureSource { url: format!("http://p/{number}"), key: vec![1; 32].into() };
    said(&mut item).profile =
        Some(ProfileData { name: format!("{number}"), picture: Some(picture), updated: 5 });
    item
}

#[test]
fn a_flood_of_requests_drives_out_the_oldest_and_leaves_nothing_of_them() {
    let mut db = db();
    befriend(&mut db, alice());
    take(&mut db, vec![from(alice(), at(-900_000), text("old friend"))]);
    // Who has a nickname here is no stranger, however old.
    take(&mut db, vec![request(0)]);
    db.set_nickname(stranger(0), Some("Zero")).unwrap();
    let total = 20_000;
    for batch in 0..total / 200 {
        let items = (1..=200).map(|number| request(batch * 200 + number)).collect();
        let applied = take(&mut db, items);
        assert_eq!(applied.requests.len(), applied.messages.len());
        assert!(count(&db, "conversations") <= MOST_REQUESTS + 2);
    }
    let kept = MOST_REQUESTS + 2;
    for (table, rows) in
        [("conversations", kept), ("messages", kept), ("people", kept + 1), ("attachments", kept - 1)]
    {
        assert_eq!(count(&db, table), rows, "{table}");
    }
    assert!(db.find_conversation(&stranger(total).into()).unwrap().is_some());
    assert!(db.find_conversation(&stranger(total - limit() + 1).into()).unwrap().is_some());
    assert!(db.find_conversation(&stranger(total - limit()).into()).unwrap().is_none());
    for id in [alice(), stranger(0)] {
        assert!(!page(&db, id).is_empty());
    }
}

#[test]
fn files_of_requests_that_are_dropped_go_too() {
    let mut db = db();
    take(&mut db, vec![request(0)]);
    let shown = page(&db, stranger(0)).remove(0).attachments.remove(0);
    db.attachment_wanted(shown.id).unwrap();
    assert!(db.attachment_downloaded(shown.id, &"a".repeat(32), "image/png").unwrap());
    take(&mut db, (1..=limit()).map(request).collect());
    assert_eq!(db.doomed_files(9).unwrap(), ["a".repeat(32)]);
    assert!(db.find_conversation(&stranger(0).into()).unwrap().is_none());
    // Another message of theirs is a request like any.
    let applied = take(&mut db, vec![from(stranger(0), at(-1), text("again"))]);
    assert_eq!(applied.requests, [with(&db, stranger(0))]);
}

#[test]
fn one_stranger_fills_one_request_up_to_a_limit() {
    let mut db = db();
    for batch in 0..84 {
        let items = (0..250).map(|number| from(alice(), at(batch * 250 + number - 100_000), text("!!!")));
        take(&mut db, items.collect());
    }
    assert_eq!(count(&db, "messages"), MOST_MESSAGES);
    assert_eq!(i64::from(conversation(&db, alice()).unread), MOST_MESSAGES);
    assert_eq!(page(&db, alice()).last().unwrap().timestamp, at(84 * 250 - 1 - 100_000), "the newest stay");
}

/// Everything but something to read.
#[test]
fn what_is_no_message_makes_no_row_of_people_or_conversations() {
    let mut db = db();
    let sizes = |db: &Db| {
        ["people", "conversations", "messages", "reactions", "calls", "pending_receipts", "groups"]
            .map(|table| count(db, table))
    };
    let before = sizes(&db);
    for batch in 0..100 {
        let items = (0..200).map(|number| {
            let number = batch * 200 + number;
            let sender = stranger(number);
            let target = QuoteKey { author: sender, timestamp: at(-9) };
            let timer = Notice::ExpiryChanged { expiry: Expiry::AfterSend(60) };
            let kind = match number % 7 {
                0 => IncomingKind::RequestResponse,
                1 => IncomingKind::Reaction { target, emoji: "👍".parse().unwrap(), remove: false },
                2 => IncomingKind::Unsend { target, msg_id: None },
                3 => IncomingKind::ReadReceipt { timestamps: vec![at(-5)] },
                4 => IncomingKind::Call { call: CallKey([7; 32]), expiry: Expiry::Off },
                5 => IncomingKind::Notice { notice: timer, expiry: Expiry::Off },
                _ => IncomingKind::Notice { notice: Notice::MediaSaved, expiry: Expiry::Off },
            };
            let mut item = from(sender, at(-5), kind);
            said(&mut item).profile =
                Some(ProfileData { name: "Somebody".into(), picture: None, updated: u64::from(number) });
            item
        });
        let applied = take(&mut db, items.collect());
        assert!(applied.messages.is_empty() && applied.contacts_changed.is_empty());
    }
    assert_eq!(sizes(&db), before);
    assert!(count(&db, "pending_unsends") <= 10_000);
}

/// Somebody who wrote to us names people of their choice.
#[test]
fn a_request_brings_in_nobody_but_its_sender() {
    let mut db = db();
    take(&mut db, vec![from(alice(), at(-900), text("hi"))]);
    let people = count(&db, "people");
    let items = (0..2000_u32).map(|number| {
        let target = QuoteKey { author: stranger(number), timestamp: at(-9) };
        let kind = match number % 2 {
            0 => IncomingKind::Reaction { target, emoji: "👍".parse().unwrap(), remove: false },
            _ => IncomingKind::Message {
                text: "x".into(),
                attachments: Vec::new(),
                quote: Some(target),
                preview: None,
                expiry: Expiry::Off,
            },
        };
        from(alice(), at(i64::from(number) - 5000), kind)
    });
    take(&mut db, items.collect());
    assert_eq!(count(&db, "people"), people);
    assert_eq!(count(&db, "reactions"), 0);
    // Nor do their own reactions and wishes grow without end.
    for number in 0..12 {
        let items = (0..200).flat_map(|index| {
            let ms = -(number * 200 + index) - 10_000;
            let target = QuoteKey { author: alice(), timestamp: at(ms) };
            let reaction = IncomingKind::Reaction { target, emoji: "👍".parse().unwrap(), remove: false };
            let unsend = IncomingKind::Unsend { target, msg_id: None };
            [(reaction, "reaction"), (unsend, "unsend")].map(|(kind, name)| ReceivedItem {
                hash: hash((ms, name)),
                ..from(alice(), at(ms + 1), kind)
            })
        });
        take(&mut db, items.collect());
    }
    assert_eq!((count(&db, "reactions"), count(&db, "pending_unsends")), (1000, 1000));
}

fn invitation(group: u32, right: GroupRight) -> IncomingKind {
    let SessionId(key) = stranger(group);
    IncomingKind::Invitation(Invitation { group: GroupId(key), name: "Choir".into(), right })
}

#[test]
fn an_invitation_is_kept_with_all_it_gives_and_strangers_invite_without_a_word() {
    let mut db = db();
    let member = |byte| GroupRight::Member(vec![byte; 100].into());
    let admin = GroupRight::Admin(vec![3; 32].into());
    let group = |db: &Db| {
        let sql = "SELECT g.name, g.auth, g.seed, g.invited, p.account = ?1 FROM groups g JOIN people p ON p.id = g.invited_by";
        let key = alice().to_prefixed();
        type Row = (String, Option<Vec<u8>>, Option<Vec<u8>>, bool, bool);
        let read = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Row> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        };
        db.sql().query_row(sql, [&key[..]], read).unwrap()
    };
    let applied = take(&mut db, vec![from(alice(), at(-9), invitation(1, member(1)))]);
    assert!(applied.messages.is_empty() && applied.contacts_changed.is_empty());
    assert_eq!(group(&db), ("Choir".into(), Some(vec![1; 100]), None, true, true));
    assert!(db.find_conversation(&alice().into()).unwrap().is_none());
    assert!(!db.conversations(NOW).unwrap()[0].is_listed());
    // Then as an admin; what was given stays.
    take(&mut db, vec![from(alice(), at(-8), invitation(1, admin))]);
    assert_eq!(group(&db), ("Choir".into(), Some(vec![1; 100]), Some(vec![3; 32]), true, true));
    // Of somebody we accepted, a line tells.
    db.set_approved(alice(), true).unwrap();
    let id = made(&mut db, alice());
    db.open_conversation(id, at(-9)).unwrap();
    let applied = take(&mut db, vec![from(alice(), at(-7), invitation(1, member(2)))]);
    assert_eq!(applied.messages[0].notice, Some(Notice::GroupInvitation { name: "Choir".into() }));
    assert_eq!(group(&db).1, Some(vec![2; 100]));
}

#[test]
fn of_a_blocked_account_only_what_makes_us_an_admin_is_taken() {
    let mut db = db();
    befriend(&mut db, alice());
    db.set_blocked(alice(), true).unwrap();
    let (member, admin) = (GroupRight::Member(vec![1; 100].into()), GroupRight::Admin(vec![3; 32].into()));
    let call = IncomingKind::Call { call: CallKey([1; 32]), expiry: Expiry::Off };
    let response = IncomingKind::RequestResponse;
    let applied = take(
        &mut db,
        vec![
            from(alice(), at(-9), invitation(1, member)),
            from(alice(), at(-8), text("hi")),
            from(alice(), at(-7), call),
            from(alice(), at(-6), response),
        ],
    );
    assert!(applied.messages.is_empty());
    assert_eq!((count(&db, "groups"), count(&db, "messages")), (0, 0));
    let applied = take(&mut db, vec![from(alice(), at(-5), invitation(2, admin))]);
    assert!(applied.messages.is_empty(), "no line tells of it where nobody looks");
    assert_eq!((count(&db, "groups"), count(&db, "messages")), (1, 0));
}

#[test]
fn invitations_of_strangers_are_as_many_as_requests() {
    let mut db = db();
    for batch in 0..84 {
        let items = (0..100).map(|number| {
            let number = batch * 100 + number;
            let right = GroupRight::Member(vec![1; 100].into());
            from(stranger(number % 7), at(i64::from(number) - 100_000), invitation(number, right))
        });
        take(&mut db, items.collect());
    }
    assert_eq!((count(&db, "groups"), count(&db, "conversations")), (MOST_REQUESTS, MOST_REQUESTS));
    assert_eq!(count(&db, "people"), 8);
}
