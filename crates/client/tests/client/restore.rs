//! One account on a second device.

use std::time::Instant;

use septet_client::client::{Client, RestoreStage};
use septet_client::model::{Expiry, Memberships};
use septet_protocol::account::{DisplayName, Seed, parse_recovery};
use septet_protocol::config::{
    Community, Config, Contact, Contacts, Group, GroupSettings, Priority, UserGroups, UserProfile,
};
use septet_protocol::crypto::SystemRandom;
use septet_protocol::id::{Account, GroupId, Namespace, SessionId};
use septet_protocol::message::{Content, Outgoing, Visible, encode_one_to_one};
use septet_protocol::swarm::MAX_MESSAGE_BYTES;
use septet_protocol::time::Timestamp;

use crate::sync::{look, name, picture, sees_picture, synced};
use crate::world::{PATIENCE, Person, With, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_account_has_its_name_and_both_sides_of_its_conversations() {
    let world = World::new().await;
    let (mut alice, mut bob) = world.friends().await;
    alice.says(&bob, "how are you?").await;
    bob.hears("how are you?").await;
    bob.says(&alice, "fine").await;
    alice.hears("fine").await;
    assert!(alice.client.flush(PATIENCE).await.unwrap());

    let (restored, stages) = world.second_device(&alice).await;
    assert_eq!(restored.id(), alice.id());
    assert_eq!(restored.client.profile().await.unwrap().name, "Alice");
    assert_eq!(stages.first(), Some(&RestoreStage::Connecting));
    assert!(stages.contains(&RestoreStage::Profile));
    assert_eq!(stages.last(), Some(&RestoreStage::Done));
    restored.client.sync_once(PATIENCE).await.unwrap();
    assert_eq!(restored.texts(bob.id()).await, ["hi", "hello", "how are you?", "fine"]);
    let conversation =
        restored.client.conversation(restored.client.with(bob.id()).await).await.unwrap().unwrap();
    assert!(conversation.approved && conversation.approved_me);
    assert_eq!(conversation.name, "Bob");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_member_has_sent_one_other_sends_again_and_no_more() {
    const COUNT: u64 = 300;
    let world = World::new().await;
    let alice = world.resting_person("Alice").await;
    let sender = Seed::generate(&mut SystemRandom).keys();
    let (account, now) = (Account::from(alice.id()), world.net.now());
    let mut bytes = 0;
    for number in 0..COUNT {
        let content = Content::Visible(Visible { body: format!("message {number}"), ..Visible::default() });
        let outgoing = Outgoing::new(content, Timestamp::from_ms(now - COUNT + number));
        let data = encode_one_to_one(&outgoing, &sender, &alice.id(), &mut SystemRandom).unwrap();
        bytes += data.len() as u64;
        world.net.deliver(&account, Namespace::MESSAGES, data, now, now + 1_000_000_000);
    }
    let (mut restored, _) = world.second_device(&alice).await;
    assert!(world.net.traffic().down >= bytes);
    // The next run hears a second member, which has all of it to send; from then on both know where to go on.
    let mut whole = Vec::new();
    for start in 0..5 {
        let before = world.net.traffic().down;
        restored.client.sync_once(PATIENCE).await.unwrap();
        let again = world.net.traffic().down - before;
        assert!(again < bytes * 3, "start {start}: {again} of {bytes} bytes");
        if again >= bytes / 2 {
            whole.push(start);
        }
        assert_eq!(restored.texts(sender.session_id).await.len() as u64, COUNT);
        let Person { client, folder, .. } = restored;
        client.stop().await;
        restored = world.open(folder).await;
    }
    assert_eq!(whole, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn note_to_self_is_hidden_until_there_is_a_note() {
    let world = World::new().await;
    let alice = world.person("Alice").await;
    let note = alice.id();
    let listed = async |person: &Person| {
        let note = person.client.with(note).await;
        person.client.conversation(note).await.unwrap().is_some_and(|conversation| conversation.is_listed())
    };
    assert!(alice.client.flush(PATIENCE).await.unwrap());
    let (second, _) = world.second_device(&alice).await;
    for device in [&alice, &second] {
        assert!(!listed(device).await, "there is no note yet");
    }
    alice.says(&alice, "remember the milk").await;
    assert!(listed(&alice).await);
    second.client.sync_once(PATIENCE).await.unwrap();
    assert!(listed(&second).await);
    // A change of the profile must not hide it again.
    alice.client.set_name(name("Alice B")).await.unwrap();
    assert!(alice.client.flush(PATIENCE).await.unwrap());
    second.client.sync_once(PATIENCE).await.unwrap();
    assert_eq!(second.client.profile().await.unwrap().name, "Alice B");
    for device in [&alice, &second] {
        assert!(listed(device).await, "a new name hides nothing");
    }
    alice.client.hide(alice.client.with(note).await).await.unwrap();
    assert!(alice.client.flush(PATIENCE).await.unwrap());
    second.client.sync_once(PATIENCE).await.unwrap();
    for device in [&alice, &second] {
        assert!(!listed(device).await, "hidden on one device is hidden on all");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_device_sends_the_other_shows() {
    let world = World::new().await;
    let (alice, bob) = world.friends().await;
    assert!(alice.client.flush(PATIENCE).await.unwrap());
    let (mut second, _) = world.second_device(&alice).await;
    second.client.start();
    let sent = alice.says(&bob, "from my first device").await;
    let copy = second.hears("from my first device").await;
    assert!(copy.outgoing);
    assert_eq!((copy.timestamp, copy.conversation), (sent.timestamp, second.client.with(bob.id()).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_given_up_leaves_no_account() {
    let world = World::new().await;
    world.net.network_down(true);
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("profile");
    let (began, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let seed = || Seed::from_bytes([7; 16]);
    let tell = |stage| began.send(stage).unwrap_or_default();
    {
        let restore = Client::restore(&profile, seed(), None, world.options(), tell);
        tokio::select! {
            _ = restore => panic!("restored without a network"),
            stage = begun.recv() => assert_eq!(stage, Some(RestoreStage::Connecting)),
        }
    }
    assert!(!Client::exists(&profile));
    // The folder is free for the next try.
    let name = DisplayName::parse("Alice").unwrap();
    let client = Client::create(&profile, &name, world.options()).await.unwrap();
    assert_eq!(client.profile().await.unwrap().name, "Alice");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_a_restored_account_waits_and_overwrites_nothing() {
    let world = World::new().await;
    let mut alice = world.person("Alice").await;
    let [carol, dave, erin] = [1, 2, 3].map(|id| SessionId([id; 32]));
    for (id, nickname) in [(carol, "Caro"), (erin, "E.")] {
        alice.client.set_nickname(alice.client.with(id).await, Some(name(nickname))).await.unwrap();
    }
    alice.client.pin(alice.client.with(erin).await, true).await.unwrap();
    alice.client.set_picture(Some(picture())).await.unwrap();
    assert!(alice.client.flush(PATIENCE).await.unwrap());
    let me = Account::from(alice.id());
    let profiles = || world.net.messages_of(&me, Namespace::USER_PROFILE);
    let published = profiles();

    world.net.network_down(true);
    let (restored, _) = world.second_device(&alice).await;
    let profile = restored.client.profile().await.unwrap();
    assert_eq!((profile.name.as_str(), profile.read), ("", false), "nothing to ask for: it will come");
    restored.client.set_name(name("Typed here")).await.unwrap();
    restored.client.set_nickname(restored.client.with(carol).await, Some(name("Carol"))).await.unwrap();
    restored.client.set_nickname(restored.client.with(dave).await, Some(name("David"))).await.unwrap();
    assert_eq!(restored.client.profile().await.unwrap().name, "Typed here");
    // It is not forgotten by a start that nothing was read.
    let mut restored = world.reopen(restored).await;
    assert!(!restored.client.profile().await.unwrap().read);
    world.net.network_down(false);
    for device in [&restored, &alice, &restored] {
        device.client.sync_once(PATIENCE).await.unwrap();
    }
    // All that was there is as it was, everywhere; what is new is there as well.
    for device in [&alice, &restored] {
        let profile = device.client.profile().await.unwrap();
        assert_eq!((profile.name.as_str(), profile.read), ("Alice", true));
        assert_eq!(look(device, carol).await.nickname.as_deref(), Some("Caro"));
        let it = look(device, erin).await;
        assert_eq!((it.nickname.as_deref(), it.pinned), (Some("E."), 1));
        assert_eq!(look(device, dave).await.nickname.as_deref(), Some("David"));
    }
    let own = restored.id();
    for device in [&mut alice, &mut restored] {
        assert_eq!(sees_picture(device, own).await, (400, 400));
    }
    assert_eq!(profiles(), published, "nobody published another profile");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_given_for_a_restore_counts_only_if_the_account_has_none() {
    let world = World::new().await;
    let used = world.person("Alice").await;
    assert!(used.client.flush(PATIENCE).await.unwrap());
    let used = parse_recovery(&used.client.recovery().await.unwrap().phrase).unwrap();
    for (seed, wanted, online) in [
        (used.clone(), "Alice", true),
        (used, "Alice", false),
        (Seed::from_bytes([8; 16]), "Fallback", true),
        (Seed::from_bytes([9; 16]), "Fallback", false),
    ] {
        world.net.network_down(!online);
        let folder = tempfile::tempdir().unwrap();
        let profile = folder.path().join("profile");
        let me = Account::from(seed.keys().session_id);
        let fallback = Some(name("Fallback"));
        let client = Client::restore(&profile, seed, fallback, world.options(), |_| ()).await.unwrap();
        assert_eq!(client.profile().await.unwrap().read, online);
        assert_eq!(client.profile().await.unwrap().name, if online { wanted } else { "Fallback" });
        world.net.network_down(false);
        client.sync_once(PATIENCE).await.unwrap();
        assert_eq!(client.profile().await.unwrap().name, wanted);
        assert_eq!(world.net.messages_of(&me, Namespace::USER_PROFILE).len(), 1);
        client.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_machine_gets_everything_back() {
    let world = World::new().await;
    let (mut alice, bob) = world.friends().await;
    let (here, with_bob) = (&alice.client, bob.id());
    here.set_picture(Some(picture())).await.unwrap();
    bob.client.set_picture(Some(picture())).await.unwrap();
    bob.says(&alice, "read this").await;
    let read = alice.hears("read this").await;
    let here = &alice.client;
    here.mark_read(here.with(with_bob).await, read.id).await.unwrap();
    here.set_nickname(here.with(with_bob).await, Some(name("Bobby"))).await.unwrap();
    here.pin(here.with(with_bob).await, true).await.unwrap();
    here.set_expiry(here.with(with_bob).await, Expiry::AfterRead(43_200)).await.unwrap();
    let [hidden, blocked, deleted] = [1, 2, 3].map(|id| SessionId([id; 32]));
    for id in [hidden, blocked, deleted] {
        here.set_nickname(here.with(id).await, Some(name("somebody"))).await.unwrap();
        here.mute(here.with(id).await, Some(here.now() + 3_600_000)).await.unwrap();
    }
    here.hide(here.with(hidden).await).await.unwrap();
    here.block(here.with(blocked).await).await.unwrap();
    assert!(here.flush(PATIENCE).await.unwrap());
    here.delete_contact(here.with(deleted).await).await.unwrap();
    assert!(here.flush(PATIENCE).await.unwrap());
    sees_picture(&mut alice, with_bob).await;

    let (mut restored, _) = world.second_device(&alice).await;
    assert_eq!(restored.client.profile().await.unwrap().name, "Alice");
    for id in [with_bob, hidden, blocked] {
        assert_eq!(synced(look(&restored, id).await), synced(look(&alice, id).await));
        assert_eq!(look(&restored, id).await.expiry, look(&alice, id).await.expiry);
    }
    let bob_there = look(&restored, with_bob).await;
    assert_eq!((bob_there.nickname.as_deref(), bob_there.pinned, bob_there.unread), (Some("Bobby"), 1, 0));
    assert_eq!(bob_there.expiry, Expiry::AfterRead(43_200));
    assert!(look(&restored, hidden).await.hidden && look(&restored, blocked).await.blocked);
    assert_eq!(restored.client.find_conversation(&deleted.into()).await.unwrap(), None);
    world.net.reset_requests();
    restored.client.sync_once(PATIENCE).await.unwrap();
    assert_eq!(world.net.requests().get("store"), None, "it has nothing to add");
    let own = restored.id();
    assert_eq!(sees_picture(&mut restored, own).await, (400, 400));
    assert_eq!(sees_picture(&mut restored, with_bob).await, (400, 400));
}

/// Puts what a config has to push into the swarm of an account, as another client of it would; so many messages.
fn leave(world: &World, me: SessionId, mut config: impl Config) -> usize {
    let (now, namespace) = (world.net.now(), config.kind().namespace());
    let messages = config.push(Timestamp::from_ms(now)).unwrap().messages;
    let count = messages.len();
    for data in messages {
        assert!(data.len() <= MAX_MESSAGE_BYTES);
        world.net.deliver(&Account::from(me), namespace, data, now, now + 1_000_000_000);
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn more_contacts_than_fit_one_message_come_back_and_are_left_as_they_are() {
    const COUNT: usize = 1600;
    let world = World::new().await;
    let seed = Seed::from_bytes([42; 16]);
    let keys = seed.keys();
    let (me, key) = (keys.session_id, keys.ed25519.seed());
    let mut rng = fastrand::Rng::with_seed(3);
    let mut contacts = Contacts::new(key);
    for number in 0..COUNT {
        let mut contact = Contact::new(SessionId(std::array::from_fn(|_| rng.u8(..))));
        contact.name = (0..60).map(|_| rng.alphanumeric()).collect();
        contact.nickname = if number % 2 == 0 { format!("Friend {number}") } else { String::new() };
        contact.approved = true;
        contact.approved_us = number % 3 != 0;
        contact.priority = Priority((number % 5 == 0).into());
        contact.created = (number % 7 != 0).then(|| Timestamp::from_ms(1_700_000_000_000));
        contacts.set(&contact).unwrap();
    }
    let mut groups = UserGroups::new(key);
    groups.set_group(&Group::new(GroupId([9; 32])));
    for room in ["lobby", "kitchen"] {
        let base = "https://example.org".parse().unwrap();
        let (room, server_key) = (room.parse().unwrap(), [7; 32]);
        groups.set_community(&Community { base, room, server_key, settings: GroupSettings::default() });
    }
    let mut profile = UserProfile::new(key);
    profile.set_name("Alice", Timestamp::from_ms(1_700_000_000_000)).unwrap();
    profile.set_note_to_self_priority(Priority::HIDDEN);
    leave(&world, me, profile);
    leave(&world, me, groups);
    let parts = leave(&world, me, contacts);
    assert!(parts > 1, "several messages");

    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let client =
        Client::restore(&folder.path().join("profile"), seed, None, world.options(), |_| ()).await.unwrap();
    println!("{COUNT} contacts in {parts} messages restored: {:?}", begun.elapsed());
    let restored = Person::new(client, folder);
    let all = restored.client.conversations().await.unwrap();
    assert_eq!(all.iter().filter(|it| it.approved).count(), COUNT);
    assert_eq!(all.iter().filter(|it| it.pinned == 1).count(), COUNT / 5);
    assert_eq!(all.iter().filter(|it| it.nickname.is_some()).count(), COUNT / 2);
    let memberships = restored.client.memberships().await.unwrap();
    assert_eq!(memberships, Memberships { groups: 1, communities: 2 });
    restored.client.sync_once(PATIENCE).await.unwrap();
    assert_eq!(world.net.requests().get("store"), None, "it has nothing to add");

    // A change replaces all parts.
    let friend = all.iter().find(|it| it.approved).unwrap().address.account().unwrap();
    restored
        .client
        .set_nickname(restored.client.with(friend).await, Some(name("Best friend")))
        .await
        .unwrap();
    assert!(restored.client.flush(PATIENCE).await.unwrap());
    assert_eq!(world.net.messages_of(&Account::from(me), Namespace::CONTACTS).len(), parts);
    let (again, _) = world.second_device(&restored).await;
    assert_eq!(look(&again, friend).await.nickname.as_deref(), Some("Best friend"));
    assert_eq!(again.client.conversations().await.unwrap().iter().filter(|it| it.approved).count(), COUNT);
}
