//! What is received, in whatever order.

use super::*;
use crate::event::Event;

#[test]
fn a_strangers_first_message_makes_a_request_once() {
    let mut db = db();
    let applied = take(&mut db, vec![from(alice(), at(1), text("hi"))]);
    assert_eq!(applied.requests, [with(&db, alice())]);
    assert_eq!(applied.messages.len(), 1);
    assert!(applied.contacts_changed.contains(&alice()));
    let it = conversation(&db, alice());
    assert!(it.is_request() && !it.is_listed());
    let applied = take(&mut db, vec![from(alice(), at(2), text("hello?"))]);
    assert!(applied.requests.is_empty());
    // Declined: hidden; another message brings it back.
    db.set_priority(with(&db, alice()), -1).unwrap();
    let applied = take(&mut db, vec![from(alice(), at(3), text("please"))]);
    assert_eq!(applied.requests, [with(&db, alice())]);
    assert!(db.accept(with(&db, alice()), Now::Known(at(4))).unwrap());
    assert!(!db.accept(with(&db, alice()), Now::Known(at(4))).unwrap());
    assert!(conversation(&db, alice()).is_listed());
}

#[test]
fn what_happens_to_messages_is_told_once_and_not_of_those_that_it_comes_with() {
    let mut db = db();
    befriend(&mut db, alice());
    let kinds = |applied: &AppliedBatch| -> Vec<&str> {
        let kind = |event: &Event| match event {
            Event::Reaction { removed: false, .. } => "reaction",
            Event::Reaction { removed: true, .. } => "removed",
            Event::Deleted { .. } => "deleted",
            Event::Read { .. } => "read",
            other => panic!("{other:?}"),
        };
        applied.told.iter().map(kind).collect()
    };
    // Together with their message, or before it.
    let together = vec![
        from(alice(), at(1), text("one")),
        from(alice(), at(2), reaction(alice(), 1, "👍", false)),
        from(alice(), at(3), reaction(alice(), 9, "👍", false)),
        from(alice(), at(4), text("gone")),
        from(alice(), at(5), unsend(alice(), 4)),
    ];
    let applied = take(&mut db, together);
    assert_eq!(kinds(&applied), [""; 0]);
    assert_eq!(applied.messages.iter().map(|message| message.reactions.len()).collect::<Vec<_>>(), [1]);
    // Afterwards; what is old or known already changes nothing.
    let mine = send(&mut db, alice(), at(10), "mine");
    let receipt = || IncomingKind::ReadReceipt { timestamps: vec![at(10)] };
    let applied = take(
        &mut db,
        vec![
            from(alice(), at(11), reaction(alice(), 1, "👍", true)),
            from(alice(), at(12), reaction(me(), 10, "😀", false)),
            from(alice(), at(13), receipt()),
            from(alice(), at(14), receipt()),
            from(alice(), at(15), unsend(alice(), 1)),
        ],
    );
    assert_eq!(kinds(&applied), ["removed", "reaction", "read", "deleted"]);
    let of_mine = |event: &&Event| matches!(event, Event::Reaction { message, .. } | Event::Read { message, .. } if *message == mine);
    assert_eq!(applied.told.iter().filter(of_mine).count(), 2);
    let applied = take(&mut db, vec![from(alice(), at(11), reaction(me(), 10, "😀", false))]);
    assert_eq!(kinds(&applied), [""; 0]);
}

#[test]
fn an_answer_to_our_first_message_is_an_acceptance() {
    for answer in [text("hey"), IncomingKind::RequestResponse] {
        let mut db = db();
        send(&mut db, alice(), at(1), "hi");
        assert!(!conversation(&db, alice()).approved_me);
        let applied = take(&mut db, vec![from(alice(), at(10), answer)]);
        assert!(conversation(&db, alice()).approved_me);
        assert!(applied.messages.iter().any(|message| message.notice == Some(Notice::TheyAccepted)));
        assert!(applied.requests.is_empty());
        let again = take(&mut db, vec![from(alice(), at(20), IncomingKind::RequestResponse)]);
        assert!(again.messages.is_empty());
    }
}

#[test]
fn a_strangers_request_response_makes_no_conversation() {
    let mut db = db();
    let applied = take(&mut db, vec![from(alice(), at(1), IncomingKind::RequestResponse)]);
    assert!(applied.messages.is_empty());
    assert!(db.conversations(NOW).unwrap().is_empty());
}

#[test]
fn nothing_comes_from_the_blocked() {
    let mut db = db();
    befriend(&mut db, alice());
    db.set_blocked(alice(), true).unwrap();
    let applied = take(&mut db, vec![from(alice(), at(1), text("let me in"))]);
    assert!(applied.messages.is_empty() && !applied.list_changed);
    assert!(
        db.unseen(me().into(), &[from(alice(), at(1), text("")).hash]).unwrap().is_empty(),
        "seen all the same"
    );
    assert!(page(&db, alice()).is_empty());
}

#[test]
fn the_same_hash_or_the_same_identity_comes_in_once() {
    let mut db = db();
    let item = from(alice(), at(1), text("once"));
    assert_eq!(take(&mut db, vec![item.clone(), item.clone()]).messages.len(), 1);
    assert!(take(&mut db, vec![item.clone()]).messages.is_empty());
    // Stored twice by its sender, under two hashes: both are known, to delete both.
    let twin = ReceivedItem { hash: hash("twin"), ..item.clone() };
    assert!(take(&mut db, vec![twin]).messages.is_empty());
    let id = page(&db, alice())[0].id;
    let mut hashes = vec![item.hash, hash("twin")];
    hashes.sort();
    assert_eq!(db.hashes_of(&[id]).unwrap(), hashes);
    // Removed here: its hash keeps it away.
    db.remove_messages(&[id]).unwrap();
    assert!(take(&mut db, vec![item]).messages.is_empty());
    assert!(page(&db, alice()).is_empty());
}

#[test]
fn batch_and_place_are_one_transaction() {
    let mut db = db();
    let batch = batch(vec![from(alice(), at(1), text("x"))]);
    let undone: Result<(), _> = db.transaction(|db| {
        db.apply_received(&batch)?;
        Err(StoreError::DiskFull)
    });
    assert!(undone.is_err());
    assert_eq!(db.last_hash(batch.node, batch.account, batch.namespace).unwrap(), None);
    assert_eq!(db.unseen(batch.account, &[batch.items[0].hash]).unwrap().len(), 1);
    assert_eq!(db.apply_received(&batch).unwrap().messages.len(), 1);
    assert_eq!(
        db.last_hash(batch.node, batch.account, batch.namespace).unwrap(),
        batch.last_hash.map(|it| it.hash)
    );
    assert_eq!(db.last_hashes(batch.account).unwrap()[&(batch.node, batch.namespace)], batch.items[0].hash);
    db.forget_last_hashes(batch.account).unwrap();
    assert!(db.last_hashes(batch.account).unwrap().is_empty());
}

#[test]
fn our_copy_from_another_device_reads_and_accepts() {
    let mut db = db();
    take(&mut db, vec![from(alice(), at(-10), text("1")), from(alice(), at(-5), text("2"))]);
    let applied = take(&mut db, vec![copy(alice(), at(-7), text("answer"))]);
    assert_eq!(applied.messages.len(), 1);
    let own = &applied.messages[0];
    assert!(own.outgoing && own.state == MessageState::Sent && own.from == me());
    assert_eq!(own.conversation, with(&db, alice()));
    assert!(applied.changed.contains(&own.conversation));
    let it = conversation(&db, alice());
    assert!(it.approved && it.unread == 1);
}

#[test]
fn our_copy_of_a_message_sent_here_only_brings_its_hash() {
    let mut db = db();
    let id = send(&mut db, alice(), at(1), "x");
    let job = due(&db).remove(0);
    db.outbox_sent(job.id, hash("theirs"), NOW, Now::Known(NOW)).unwrap();
    let item = copy(alice(), at(1), text("x"));
    let applied = take(&mut db, vec![item.clone()]);
    assert!(applied.messages.is_empty() && applied.outbox_changed);
    assert_eq!(db.message(id).unwrap().unwrap().hash, Some(item.hash));
    assert_eq!(db.outbox_len().unwrap(), 0, "the copy is there: nobody stores it again");
}

#[test]
fn a_reaction_may_come_before_its_message() {
    let mut db = db();
    befriend(&mut db, alice());
    take(&mut db, vec![from(alice(), at(9), reaction(alice(), 1, "🎉", false))]);
    take(&mut db, vec![from(alice(), at(1), text("party"))]);
    let message = page(&db, alice()).remove(0);
    assert_eq!(message.reactions, [Reaction { emoji: "🎉".into(), from: vec![alice()] }]);
    assert!(db.react(message.id, "🎉", false, at(20)).unwrap());
    let message = page(&db, alice()).remove(0);
    assert_eq!(message.reactions[0].from, [alice(), me()]);
    take(&mut db, vec![from(alice(), at(30), reaction(alice(), 1, "🎉", true))]);
    // A late word does not undo a newer one.
    take(&mut db, vec![incoming(alice(), alice(), at(25), reaction(alice(), 1, "🎉", false))]);
    assert_eq!(page(&db, alice()).remove(0).reactions[0].from, [me()]);
}

#[test]
fn only_an_author_may_unsend_and_may_do_so_early() {
    let mut db = db();
    befriend(&mut db, alice());
    let item = from(alice(), at(1), text("oops"));
    take(&mut db, vec![item.clone(), from(alice(), at(5), reaction(alice(), 1, "👍", false))]);
    let sent = send(&mut db, alice(), at(2), "ours");
    // Not theirs to delete.
    take(&mut db, vec![from(bob(), at(6), unsend(alice(), 1)), from(alice(), at(7), unsend(me(), 2))]);
    assert_eq!(texts(&db, alice()), ["oops", "ours"]);
    let applied = take(&mut db, vec![from(alice(), at(8), unsend(alice(), 1))]);
    assert_eq!(applied.delete_hashes, [item.hash]);
    let here = with(&db, alice());
    assert!(
        matches!(applied.told.as_slice(), [Event::Deleted { conversation, .. }] if *conversation == here)
    );
    let message = page(&db, alice()).remove(0);
    assert!(
        message.deleted && message.text.is_empty() && message.reactions.is_empty() && message.hash.is_none()
    );
    assert_eq!(conversation(&db, alice()).unread, 0);
    // Again under another hash: it stays deleted, and that one goes too.
    let applied = take(&mut db, vec![ReceivedItem { hash: hash("twin"), ..item }]);
    assert_eq!(applied.delete_hashes, [hash("twin")]);
    // By another device of ours.
    take(&mut db, vec![copy(alice(), at(9), unsend(me(), 2))]);
    assert!(db.message(sent).unwrap().unwrap().deleted);
    // Before the message itself.
    take(&mut db, vec![from(alice(), at(20), unsend(alice(), 15))]);
    let applied = take(&mut db, vec![from(alice(), at(15), text("too late"))]);
    assert!(applied.messages[0].deleted && applied.messages[0].text.is_empty());
    assert_eq!(applied.delete_hashes.len(), 1);
}

#[test]
fn an_unsent_note_leaves_nothing() {
    let mut db = db();
    take(&mut db, vec![copy(me(), at(1), text("note")), copy(me(), at(2), unsend(me(), 1))]);
    take(&mut db, vec![copy(me(), at(5), unsend(me(), 4))]);
    take(&mut db, vec![copy(me(), at(4), text("other note"))]);
    assert!(page(&db, me()).is_empty());
}

#[test]
fn receipts_reach_messages_sent_here_and_elsewhere() {
    let mut db = db();
    befriend(&mut db, alice());
    let id = send(&mut db, alice(), at(1), "x");
    let receipt = IncomingKind::ReadReceipt { timestamps: vec![at(1), at(3), at(99)] };
    let applied = take(&mut db, vec![from(alice(), at(50), receipt)]);
    assert!(matches!(applied.told.as_slice(), [Event::Read { message, .. }] if *message == id));
    assert!(db.message(id).unwrap().unwrap().read);
    take(&mut db, vec![copy(alice(), at(3), text("from the phone"))]);
    assert!(page(&db, alice()).iter().all(|message| message.read));
    // A stranger's receipts are nothing.
    take(&mut db, vec![from(bob(), at(51), IncomingKind::ReadReceipt { timestamps: vec![at(1)] })]);
    assert!(db.conversation(with(&db, bob())).unwrap().is_none());
}

#[test]
fn profiles_follow_their_time() {
    let mut db = db();
    befriend(&mut db, alice());
    let mut ms = 0;
    let mut tell = |db: &mut Db, name: &str, updated, picture: Option<u8>| {
        ms += 1;
        let mut item = from(alice(), at(ms), text("x"));
        let picture =
            picture.map(|byte| PictureSource { url: format!("http://f/{byte}"), key: vec![byte; 32].into() });
        let profile = ProfileData { name: name.to_owned(), picture, updated };
        said(&mut item).profile = Some(profile);
        take(db, vec![item])
    };
    let name = |db: &Db| conversation(db, alice()).name;
    assert!(tell(&mut db, "Alice", 0, None).list_changed);
    tell(&mut db, "Alison", 0, None);
    assert_eq!(name(&db), "Alison", "neither tells its time: the last one counts");
    let applied = tell(&mut db, "Alice", 100, Some(1));
    assert!(applied.picture_wanted && applied.contacts_changed.contains(&alice()));
    tell(&mut db, "Old", 99, None);
    tell(&mut db, "Same", 100, None);
    tell(&mut db, "None", 0, None);
    assert_eq!(name(&db), "Alice");

    let wanted = db.pictures_wanted().unwrap();
    assert_eq!(wanted.len(), 1);
    assert!(db.picture_fetched(alice(), &wanted[0].source, &"1".repeat(32)).unwrap());
    assert!(db.pictures_wanted().unwrap().is_empty());
    assert_eq!(conversation(&db, alice()).picture, Some(PictureId("1".repeat(32))));
    tell(&mut db, "", 200, Some(2));
    assert_eq!(name(&db), "Alice", "an empty name says nothing");
    assert!(
        conversation(&db, alice()).picture.is_some(),
        "the old picture is shown until the new one is here"
    );
    assert!(!db.picture_fetched(alice(), &wanted[0].source, "old").unwrap(), "not the one wanted now");
    tell(&mut db, "Alice", 300, None);
    assert_eq!(conversation(&db, alice()).picture, None);
    assert_eq!(db.doomed_files(10).unwrap(), ["1".repeat(32)]);
    tell(&mut db, &"ä".repeat(80), 400, None);
    assert_eq!(name(&db), "ä".repeat(50), "100 bytes");
    // Nobody changes our own profile by a message.
    let mut own = copy(alice(), at(500), text("x"));
    said(&mut own).profile = Some(ProfileData { name: "Not me".into(), picture: None, updated: 999 });
    take(&mut db, vec![own]);
    assert_eq!(db.profile().unwrap().name, "");
}

#[test]
fn control_lines_come_where_they_belong() {
    let mut db = db();
    let changed = |seconds| notice(Notice::ExpiryChanged { expiry: Expiry::AfterSend(seconds) });
    take(
        &mut db,
        vec![from(bob(), at(1), notice(Notice::MediaSaved)), from(bob(), at(2), notice(Notice::MissedCall))],
    );
    assert!(db.conversations(NOW).unwrap().is_empty(), "not from strangers");
    befriend(&mut db, alice());
    take(&mut db, vec![from(alice(), at(1), changed(1)), from(alice(), at(3), changed(3))]);
    take(&mut db, vec![from(alice(), at(2), changed(2)), from(alice(), at(4), notice(Notice::MissedCall))]);
    let lines: Vec<_> = page(&db, alice()).into_iter().filter_map(|message| message.notice).collect();
    assert_eq!(lines, [Notice::ExpiryChanged { expiry: Expiry::AfterSend(3) }, Notice::MissedCall]);
    assert_eq!(conversation(&db, alice()).unread, 1);
    assert_eq!(conversation(&db, alice()).expiry, Expiry::Off, "theirs is not ours");
}

#[test]
fn a_quote_finds_its_message_whenever_it_comes() {
    let mut db = db();
    befriend(&mut db, alice());
    let quoting = IncomingKind::Message {
        text: "yes".into(),
        attachments: Vec::new(),
        quote: Some(QuoteKey { author: me(), timestamp: at(1) }),
        preview: None,
        expiry: Expiry::Off,
    };
    take(&mut db, vec![from(alice(), at(5), quoting)]);
    let quote = page(&db, alice()).remove(0).quote.unwrap();
    assert_eq!((quote.message, quote.text.as_str()), (None, ""));
    assert_eq!(conversation(&db, alice()).mentions, 1, "quoting us mentions us");
    take(&mut db, vec![copy(alice(), at(1), text("really?"))]);
    let page = page(&db, alice());
    let quote = page[1].quote.clone().unwrap();
    assert_eq!((quote.message, quote.text.as_str()), (Some(page[0].id), "really?"));
}

#[test]
fn messages_disappear_by_their_own_timer() {
    let mut db = db();
    befriend(&mut db, alice());
    let swarm = |item: ReceivedItem, ms| ReceivedItem { expiration: at(ms), ..item };
    take(
        &mut db,
        vec![
            swarm(from(alice(), at(-5000), timed(Expiry::AfterSend(60))), 54_000),
            swarm(from(alice(), at(-4000), timed(Expiry::AfterRead(60))), 1_000_000),
            swarm(from(alice(), at(-90_000), timed(Expiry::AfterSend(60))), 1_000),
        ],
    );
    let messages = page(&db, alice());
    assert_eq!(messages.len(), 2, "what has disappeared already is not shown");
    assert_eq!(messages[0].expires_at, Some(at(55_000)), "one node's word ends nothing early");
    assert_eq!(messages[1].expires_at, None);
    let outcome = db.mark_read(with(&db, alice()), messages[1].id, Now::Known(at(100))).unwrap();
    let read = outcome.read.iter().find(|read| read.id == messages[1].id).unwrap();
    assert_eq!(read.expires_at, Some(at(60_100)));
    assert_eq!(read.hash, messages[1].hash);
    assert_eq!(page(&db, alice())[1].expires_at, Some(at(60_100)));
    // Read elsewhere before it came: the countdown runs, whatever one node says of its end.
    let late = vec![
        swarm(from(alice(), at(-4500), timed(Expiry::AfterRead(60))), 30_000),
        swarm(from(alice(), at(-4600), timed(Expiry::AfterRead(60))), 9_000_000),
    ];
    let applied = take(&mut db, late);
    assert_eq!(applied.messages[1].expires_at, Some(at(60_000)));
    assert_eq!(applied.messages[0].expires_at, Some(at(60_000)));
    assert_eq!(applied.read.len(), 2, "for the swarm to say when they end");
    // What several members say may only bring the end nearer.
    let id = applied.messages[1].id;
    for (told, end) in [(50_000, 50_000), (70_000, 50_000), (20_000, 20_000)] {
        db.ends_earlier(id, at(told)).unwrap();
        assert_eq!(db.message(id).unwrap().unwrap().expires_at, Some(at(end)));
    }
}

#[test]
fn what_was_deleted_elsewhere_is_not_brought_back_by_old_messages() {
    let mut db = db();
    let config = |namespace, ms| StoredConfig {
        owner: Account::User(me()),
        namespace,
        dump: b"dump".to_vec().into(),
        needs_push: false,
        processed_at: at(ms),
    };
    db.save_config(&config(Namespace::CONTACTS, 0)).unwrap();
    db.save_config(&config(Namespace::USER_PROFILE, 0)).unwrap();
    let old = at(-120_001);
    assert!(take(&mut db, vec![from(alice(), old, text("old"))]).messages.is_empty());
    assert_eq!(take(&mut db, vec![from(bob(), at(-119_000), text("new"))]).messages.len(), 1);
    db.set_priority(with(&db, bob()), -1).unwrap();
    assert!(take(&mut db, vec![from(bob(), old, text("old"))]).messages.is_empty());
    // Note to Self only if it is hidden.
    assert_eq!(take(&mut db, vec![copy(me(), old, text("note"))]).messages.len(), 1);
    db.set_priority(with(&db, me()), -1).unwrap();
    assert!(take(&mut db, vec![copy(me(), old - 1, text("note"))]).messages.is_empty());
    let stored = db.config_namespaces(Account::User(me())).unwrap();
    assert_eq!(stored, [Namespace::USER_PROFILE, Namespace::CONTACTS]);
}

#[test]
fn one_members_word_on_when_a_config_was_stored_loses_no_message() {
    let mut db = db();
    let owner = Account::User(me());
    let dump = b"dump".to_vec().into();
    let config =
        StoredConfig { owner, namespace: Namespace::CONTACTS, dump, needs_push: false, processed_at: at(0) };
    db.save_config(&StoredConfig { processed_at: at(-9_000_000), ..config }).unwrap();
    let [liar, honest, third] = [7, 8, 9].map(|byte| Ed25519Public([byte; 32]));
    let mut give = |node, claims: Timestamp, item: &ReceivedItem| {
        db.claim_config_time(owner, Namespace::CONTACTS, node, claims).unwrap();
        let batch = ReceivedBatch { node, ..batch(vec![item.clone()]) };
        db.apply_received(&batch).unwrap().messages.len()
    };
    let stranger = from(alice(), at(-3_600_000), text("are you there?"));
    assert_eq!(give(liar, at(0), &stranger), 0, "dropped for now");
    assert_eq!(give(honest, at(-8_000_000), &stranger), 1, "another one brings it");
    // What two say holds: sent before a conversation was deleted elsewhere.
    let old = from(bob(), at(-3_600_000), text("old"));
    assert_eq!(give(honest, at(-10), &old), 0);
    assert_eq!(give(third, at(-20), &old), 0);
    assert!(db.unseen(owner, &[old.hash]).unwrap().is_empty(), "dropped for good");
}

#[test]
fn deleted_contacts_are_strangers_again_and_old_hashes_stay_known() {
    let mut db = db();
    befriend(&mut db, alice());
    let item = from(alice(), at(1), text("x"));
    take(&mut db, vec![item.clone()]);
    db.delete_contact(alice()).unwrap();
    assert!(conversation(&db, alice()).hidden);
    assert!(take(&mut db, vec![item]).messages.is_empty());
    let applied = take(&mut db, vec![from(alice(), at(2), text("hello again"))]);
    assert_eq!(applied.requests, [with(&db, alice())]);
}

#[test]
fn a_strangers_picture_waits_until_they_are_accepted() {
    let mut db = db();
    let picture = PictureSource { url: "http://f/1".into(), key: vec![1; 32].into() };
    let profile = ProfileData { name: "Alice".into(), picture: Some(picture), updated: 5 };
    let mut request = from(alice(), at(1), text("hi"));
    said(&mut request).profile = Some(profile.clone());
    take(&mut db, vec![request]);
    assert!(db.pictures_wanted().unwrap().is_empty());
    assert!(db.accept(with(&db, alice()), Now::Known(at(2))).unwrap());
    let wanted: Vec<_> = db.pictures_wanted().unwrap().into_iter().map(|wish| wish.id).collect();
    assert_eq!(wanted, [alice()]);

    db.set_profile(me(), &profile).unwrap();
    assert_eq!(db.pictures_wanted().unwrap().len(), 2, "our own needs no leave");
}

#[test]
fn a_file_without_address_or_key_is_shown_and_never_fetched() {
    let mut db = db();
    befriend(&mut db, alice());
    take(&mut db, vec![from(alice(), at(1), files(vec![file(None)]))]);
    let shown = page(&db, alice()).remove(0).attachments.remove(0);
    assert_eq!((shown.name.as_str(), shown.state), ("x.bin", AttachmentState::Unusable));
    assert!(!db.attachment_wanted(shown.id).unwrap());
    assert!(!db.attachment_unwanted(shown.id).unwrap());
    assert_eq!(db.downloads_next(at(0)).unwrap(), None);
}

#[test]
fn files_of_deleted_messages_are_doomed() {
    let mut db = db();
    befriend(&mut db, alice());
    let remote = RemoteFile { url: "http://f/1".into(), key: vec![1; 64].into(), digest: None };
    let file = file(Some(remote));
    take(&mut db, vec![from(alice(), at(1), files(vec![file.clone(), file]))]);
    let message = page(&db, alice()).remove(0);
    assert_eq!(message.attachments.len(), 2);
    assert_eq!(message.attachments[0].state, AttachmentState::Remote);
    let summary = conversation(&db, alice()).last_message.unwrap().attachment.unwrap();
    assert_eq!((summary.count, summary.name.as_str()), (2, "x.bin"));
    let id = message.attachments[0].id;
    assert!(db.attachment_wanted(id).unwrap());
    assert!(!db.attachment_wanted(id).unwrap());
    assert_eq!(db.transfers_due(TransferState::Download, NOW, 3).unwrap().len(), 1);
    assert!(db.attachment_downloaded(id, &"a".repeat(32), "image/png").unwrap());
    assert!(db.is_file_in_use(&"a".repeat(32)).unwrap());
    assert!(db.doomed_files(10).unwrap().is_empty());
    db.delete_messages(&[message.id]).unwrap();
    assert_eq!(db.doomed_files(10).unwrap(), ["a".repeat(32)]);
    assert!(!db.attachment_downloaded(id, &"b".repeat(32), "image/png").unwrap(), "its message is gone");
    db.files_gone(&["a".repeat(32)]).unwrap();
    assert!(db.doomed_files(10).unwrap().is_empty() && !db.is_file_in_use(&"a".repeat(32)).unwrap());
}

#[test]
fn contacts_go_to_configs_and_back() {
    let mut here = db();
    befriend(&mut here, alice());
    here.set_nickname(alice(), Some("Ali")).unwrap();
    here.set_priority(with(&here, alice()), 3).unwrap();
    here.set_expiry(with(&here, alice()), Expiry::AfterRead(300)).unwrap();
    let profile = ProfileData { name: "Alice".into(), picture: None, updated: 7 };
    here.merge_profile(alice(), &profile).unwrap();
    let contact = here.contact(alice()).unwrap().unwrap();
    assert!(here.contacts().unwrap() == [contact.clone()], "ourselves left out");
    let mut there = db();
    assert!(there.apply_contact(&contact).unwrap());
    assert!(!there.apply_contact(&contact).unwrap());
    let (a, b) = (conversation(&here, alice()), conversation(&there, alice()));
    assert_eq!((a.pinned, a.expiry, a.title(), a.approved), (b.pinned, b.expiry, b.title(), b.approved));

    take(&mut there, vec![from(alice(), at(-3), text("1")), from(alice(), at(-1), text("2"))]);
    let outcome = there.apply_read_mark(with(&there, alice()), at(-2), true, Now::Known(NOW)).unwrap();
    assert!(outcome.any && outcome.changed);
    assert!(!there.apply_read_mark(with(&there, alice()), at(-2), true, Now::Known(NOW)).unwrap().changed);
    let mark = there.read_marks().unwrap().remove(0);
    assert_eq!((mark.last_read, mark.marked_unread), (at(-2), true));
}

#[test]
fn settings_are_kept() {
    let mut db = db();
    assert_eq!(db.setting::<bool>("receipts").unwrap(), None);
    db.set_setting("receipts", &true).unwrap();
    db.set_setting("receipts", &false).unwrap();
    assert_eq!(db.setting("receipts").unwrap(), Some(false));
    assert_eq!(db.setting::<u8>("receipts").unwrap(), None, "of another form");
}

#[test]
fn old_hashes_are_forgotten_when_the_swarm_has_forgotten_them() {
    let mut db = db();
    let item = from(alice(), at(1), text("x"));
    let end = item.expiration;
    let hash = item.hash;
    take(&mut db, vec![item]);
    db.forget_old(end).unwrap();
    assert!(db.unseen(me().into(), &[hash]).unwrap().is_empty(), "a margin for clocks");
    db.forget_old(end + 3_600_000).unwrap();
    assert_eq!(db.unseen(me().into(), &[hash]).unwrap(), [hash]);
}
