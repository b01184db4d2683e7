//! One account on three devices, and devices that end in the middle of telling each other.

use std::collections::BTreeMap;

use fastrand::Rng;
use septet_client::client::ClientError;
use septet_client::model::{Address, Conversation, Expiry, Profile};
use septet_devnet::Cut;
use septet_protocol::account::parse_recovery;
use septet_protocol::config::{Config, Contacts, ConvoId, ConvoInfoVolatile, Kind, UserProfile};
use septet_protocol::id::{Account, SessionId};
use septet_protocol::time::Timestamp;

use crate::sync::name;
use crate::world::{PATIENCE, Person, With, World};

/// What all devices are to agree on, of one conversation.
type Shown = (String, Option<String>, i64, bool, [bool; 3], bool, Option<u64>, Expiry);

fn shown(it: &Conversation) -> Shown {
    let flags = [it.approved, it.approved_me, it.blocked];
    let muted = it.muted_until.map(Timestamp::as_secs);
    let (name, nickname) = (it.name.clone(), it.nickname.clone());
    (name, nickname, it.pinned, it.hidden, flags, it.marked_unread, muted, it.expiry)
}

/// What a device shows of everybody of whom there is something to agree on.
async fn shows(device: &Person) -> (Profile, BTreeMap<Address, Shown>) {
    let all = device.client.conversations().await.unwrap();
    let matters = |it: &&Conversation| {
        let flags = it.approved || it.approved_me || it.blocked || it.nickname.is_some();
        !it.hidden || flags || it.expiry != Expiry::Off || it.muted_until.is_some()
    };
    let all = all.iter().filter(matters).map(|it| (it.address.clone(), shown(it))).collect();
    (device.client.profile().await.unwrap(), all)
}

/// The one version of a document that the swarm has.
async fn document<C: Config>(world: &World, device: &Person, new: fn(&[u8; 32]) -> C) -> C {
    let recovery = device.client.recovery().await.unwrap();
    let seed = parse_recovery(&recovery.phrase).unwrap();
    let mut document = new(seed.keys().ed25519.seed());
    let stored = world.net.messages_of(&Account::from(device.id()), document.kind().namespace());
    assert_eq!(stored.len(), 1, "{:?}: what is replaced is deleted", document.kind());
    let messages = [(stored[0].hash.into(), &stored[0].data[..])];
    assert_eq!(document.merge(&messages, device.client.now()).accepted.len(), 1);
    document
}

/// What the swarm has is what a device shows.
async fn agrees_with_the_swarm(world: &World, device: &Person) {
    let profile = document(world, device, UserProfile::new).await;
    assert_eq!(profile.name(), Some(device.client.profile().await.unwrap().name));
    let contacts = document(world, device, Contacts::new).await;
    let states = document(world, device, ConvoInfoVolatile::new).await;
    let all = device.client.conversations().await.unwrap();
    for contact in contacts.iter() {
        let it = all.iter().find(|it| it.address == contact.id.into()).unwrap();
        let nickname = it.nickname.clone().unwrap_or_default();
        assert_eq!((&it.name, &nickname), (&contact.name, &contact.nickname));
        assert_eq!(
            (it.approved, it.approved_me, it.blocked),
            (contact.approved, contact.approved_us, contact.blocked)
        );
        assert_eq!((it.hidden, it.pinned), (contact.priority.is_hidden(), contact.priority.0.max(0)));
        assert_eq!(it.muted_until.map(Timestamp::as_secs), contact.mute_until.map(Timestamp::as_secs));
        assert_eq!(it.expiry != Expiry::Off, contact.disappearing.is_some());
        let state = states.get(&ConvoId::OneToOne(contact.id)).unwrap_or_default();
        assert_eq!(it.marked_unread, state.unread);
    }
    let note = all.iter().find(|it| it.address == device.id().into());
    assert_eq!(note.is_none_or(|note| note.hidden), profile.note_to_self_priority().is_hidden());
}

/// Lets devices tell each other until nothing new is stored, and checks what must be so then.
async fn settle(world: &World, devices: &[Person]) {
    let stores = || world.net.requests().get("store").copied().unwrap_or_default();
    let mut rounds = 0;
    loop {
        let before = stores();
        for device in devices {
            device.client.sync_once(PATIENCE).await.unwrap();
        }
        if stores() == before {
            break;
        }
        rounds += 1;
        assert!(rounds < 10, "they answer each other for ever");
    }
    let expected = shows(&devices[0]).await;
    for device in devices {
        assert_eq!(shows(device).await, expected);
        agrees_with_the_swarm(world, device).await;
    }
    for kind in Kind::ALL {
        let stored = world.net.messages_of(&Account::from(devices[0].id()), kind.namespace());
        assert!(stored.len() <= 1, "{kind:?}: one version");
    }
}

/// Alice on so many devices that agree, and whom she knows.
async fn household(world: &World, count: usize) -> (Vec<Person>, [SessionId; 3]) {
    let (first, bob) = world.friends().await;
    let strangers = [[0xca; 32], [0xda; 32]].map(SessionId);
    for id in strangers {
        first.client.set_nickname(first.client.with(id).await, Some(name("somebody"))).await.unwrap();
    }
    first.client.mark_unread(first.client.with(bob.id()).await, true).await.unwrap();
    first.client.sync_once(PATIENCE).await.unwrap();
    let people = [bob.id(), strangers[0], strangers[1]];
    bob.client.stop().await;
    let mut devices = vec![first];
    while devices.len() < count {
        let (next, _) = world.second_device(&devices[0]).await;
        devices.push(next);
    }
    settle(world, &devices).await;
    (devices, people)
}

/// Makes one change of any kind, as a person does.
async fn change(device: &Person, people: [SessionId; 3], rng: &mut Rng, number: u32) {
    let (client, own) = (&device.client, device.id());
    let (id, on) = (people[rng.usize(..3)], rng.bool());
    let timer = if on { Expiry::AfterSend(rng.u32(60..999)) } else { Expiry::Off };
    let done = match rng.u8(..16) {
        0 => client.set_name(name(&format!("Alice {number}"))).await,
        1 => client.pin(client.with(own).await, on).await,
        2 => client.hide(client.with(own).await).await,
        3 => client.open_conversation(&own.into()).await.map(drop),
        4 => client.set_expiry(client.with(own).await, timer).await,
        5 => client.set_nickname(client.with(id).await, on.then(|| name(&format!("friend {number}")))).await,
        6 => client.accept(client.with(id).await).await,
        7 => client.block(client.with(id).await).await,
        8 => client.unblock(client.with(id).await).await,
        9 => client.pin(client.with(id).await, on).await,
        10 => client.hide(client.with(id).await).await,
        11 => client.open_conversation(&id.into()).await.map(drop),
        12 => client.mute(client.with(id).await, on.then(|| client.now() + 1_000_000)).await,
        // Only what was read within a month is shared (spec 05 §11.3): of the others nothing was ever read.
        13 => client.mark_unread(client.with(people[0]).await, on).await,
        14 => client.delete_conversation(client.with(id).await).await,
        _ => match client.set_expiry(client.with(id).await, timer).await {
            // Not of somebody who is not accepted.
            Err(ClientError::Refused(_)) => client.delete_contact(client.with(id).await).await,
            done => done,
        },
    };
    done.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn three_devices_that_change_the_same_and_different_things_apart_agree() {
    let world = World::new().await;
    let (mut devices, people) = household(&world, 3).await;
    for round in 0..4 {
        let mut rng = Rng::with_seed(round);
        // No network for anybody in some rounds; in the others one device rests while the others talk.
        let down = round % 2 == 0;
        world.net.network_down(down);
        let resting = rng.usize(..3);
        for index in [resting, rng.usize(..3)] {
            let device = devices.remove(index);
            devices.insert(index, world.crash(device).await);
        }
        for number in 0..12 {
            let index = rng.usize(..3);
            change(&devices[index], people, &mut rng, 100 * round as u32 + number).await;
            if index != resting && !down && rng.u8(..4) == 0 {
                devices[index].client.sync_once(PATIENCE).await.unwrap();
            }
        }
        world.net.network_down(false);
        settle(&world, &devices).await;
    }
    world.net.reset_requests();
    for device in devices.iter().chain(&devices) {
        device.client.sync_once(PATIENCE).await.unwrap();
    }
    assert_eq!(world.net.requests().get("store"), None, "nobody answers anybody any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_ends_at_any_moment_of_a_push_loses_no_change() {
    let world = World::new().await;
    let (mut devices, [bob, ..]) = household(&world, 2).await;
    let moments = [
        ("store", 1, Cut::Before),
        ("store", 1, Cut::After),
        ("store", 2, Cut::After),
        ("store", 3, Cut::After),
        ("delete", 1, Cut::Before),
        ("delete", 1, Cut::After),
    ];
    for (number, (request, nth, cut)) in moments.into_iter().enumerate() {
        let second = devices.remove(1);
        let first = devices.remove(0);
        world.net.cut_at(request, nth, cut);
        let unread = number % 2 == 1;
        first.client.set_name(name(&format!("Alice {number}"))).await.unwrap();
        first
            .client
            .set_nickname(first.client.with(bob).await, Some(name(&format!("Bob {number}"))))
            .await
            .unwrap();
        first.client.mark_unread(first.client.with(bob).await, unread).await.unwrap();
        tokio::select! {
            () = world.net.until_cut() => {}
            flushed = first.client.flush(PATIENCE) => panic!("{request} {nth}: {flushed:?}"),
        }
        let first = world.crash(first).await;
        world.net.mend();
        // The other device goes on meanwhile.
        second.client.pin(second.client.with(bob).await, unread).await.unwrap();
        assert!(second.client.flush(PATIENCE).await.unwrap());
        devices = vec![first, second];
        settle(&world, &devices).await;
        for device in &devices {
            let it = device.client.conversation(device.client.with(bob).await).await.unwrap().unwrap();
            assert_eq!(device.client.profile().await.unwrap().name, format!("Alice {number}"));
            assert_eq!(it.nickname, Some(format!("Bob {number}")), "{request} {nth} {cut:?}");
            assert_eq!((it.marked_unread, it.pinned), (unread, i64::from(unread)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_left_alone_and_in_nobodys_way() {
    let world = World::new().await;
    let (devices, people) = household(&world, 2).await;
    let account = Account::from(devices[0].id());
    let now = world.net.now();
    let garbage = [vec![0; 300], b"d1:#i9e1:&de".to_vec(), vec![0xff; 76_000]];
    for kind in Kind::ALL {
        for data in &garbage {
            world.net.deliver(&account, kind.namespace(), data.clone(), now, now + 1_000_000);
        }
    }
    let before = Kind::ALL.map(|kind| world.net.messages_of(&account, kind.namespace()).len());
    devices[0]
        .client
        .set_nickname(devices[0].client.with(people[0]).await, Some(name("Bobby")))
        .await
        .unwrap();
    devices[1].client.pin(devices[1].client.with(people[0]).await, true).await.unwrap();
    for device in devices.iter().chain(&devices).chain(&devices) {
        device.client.sync_once(PATIENCE).await.unwrap();
    }
    for device in &devices {
        let it = device.client.conversation(device.client.with(people[0]).await).await.unwrap().unwrap();
        assert_eq!((it.nickname.as_deref(), it.pinned), (Some("Bobby"), 1));
    }
    let after = Kind::ALL.map(|kind| world.net.messages_of(&account, kind.namespace()).len());
    assert_eq!(before, after, "it may be from a newer version");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_changes_at_once_are_few_pushes() {
    let world = World::new().await;
    let (devices, people) = household(&world, 2).await;
    world.net.reset_requests();
    for number in 0..30 {
        let nickname = Some(name(&format!("friend {number}")));
        devices[0].client.set_nickname(devices[0].client.with(people[0]).await, nickname).await.unwrap();
    }
    settle(&world, &devices).await;
    let stores = world.net.requests().get("store").copied().unwrap_or_default();
    assert!((1..=4).contains(&stores), "{stores}");
    let there =
        devices[1].client.conversation(devices[1].client.with(people[0]).await).await.unwrap().unwrap();
    assert_eq!(there.nickname.as_deref(), Some("friend 29"));
}
