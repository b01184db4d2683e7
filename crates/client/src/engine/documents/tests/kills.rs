//! Killed at any moment of a push: no change is lost, and all devices agree afterwards.

use fastrand::Rng;

use super::devices::{Device, Life, Swarm, settle};
use super::*;

const CAROL: SessionId = SessionId([0xca; 32]);
const DAVE: SessionId = SessionId([0xda; 32]);

/// So many steps has a push of three documents: its begin, three stores, the deletion, the end, and what follows.
const MOST_MOMENTS: usize = 7;
/// Everything is stored and deleted, and the reply is lost.
const REPLY_LOST: usize = 5;

fn set_name(device: &mut Device, name: &str) {
    let name = DisplayName::parse(name).unwrap();
    device.documents.set_name(&mut device.db, &name, NOW).unwrap();
}

fn nickname(device: &mut Device, id: SessionId, name: &str) {
    device.change(id, |db| {
        db.make_conversation(&id.into())?;
        db.set_nickname(id, Some(name))
    });
}

/// Two devices that agree on a name and two people.
fn pair() -> (Swarm, [Device; 2]) {
    let mut swarm = Swarm::default();
    let mut devices = [Device::new(), Device::new()];
    set_name(&mut devices[0], "Alice");
    for id in [BOB, CAROL, DAVE] {
        nickname(&mut devices[0], id, "friend");
        devices[0].read(id, NOW - 50_000, false);
    }
    settle(&mut swarm, &mut devices);
    (swarm, devices)
}

/// A change in every document, which only the first device makes.
fn change_here(device: &mut Device) {
    set_name(device, "Alice B");
    nickname(device, BOB, "Bobby");
    device.read(BOB, NOW - 10_000, true);
}

/// Changes of other fields in the same documents, which only the second device makes.
fn change_there(device: &mut Device) {
    let me = device.documents.me;
    device.set(me, |db, id| db.set_expiry(id, Expiry::AfterSend(3600)));
    device.set(BOB, |db, id| db.set_priority(id, 1));
    device.read(CAROL, NOW - 5_000, true);
    device.delete_contact(DAVE);
}

/// Both changes are on both devices.
fn both_are_there(devices: &[Device; 2]) {
    for device in devices {
        let (name, _, people) = device.shown();
        assert_eq!(name, "Alice B");
        let bob = &people[&BOB];
        assert_eq!((bob.1.as_deref(), bob.3, bob.5), (Some("Bobby"), Some(1), true));
        assert!(people[&CAROL].5, "marked as unread");
        assert!(!people.contains_key(&DAVE), "deleted");
        assert_eq!(people[&device.documents.me].4.1, Expiry::AfterSend(3600));
    }
}

#[test]
fn killed_at_any_moment_of_a_push_loses_nothing_whatever_the_other_does() {
    for moment in 0..=MOST_MOMENTS {
        for other_moment in (0..=MOST_MOMENTS).map(Some).chain([None]) {
            for other_polls in [false, true] {
                let (mut swarm, mut devices) = pair();
                let [here, there] = &mut devices;
                change_here(here);
                let ended = here.push(&mut swarm, &mut Life(moment)).is_some();
                assert_eq!(ended, moment >= MOST_MOMENTS, "so many moments there are");
                here.check();
                if other_polls {
                    there.poll(&swarm, &mut Life::long()).unwrap();
                }
                change_there(there);
                let mut life = other_moment.map_or(Life::long(), Life);
                let _ = there.push(&mut swarm, &mut life);
                there.check();
                settle(&mut swarm, &mut devices);
                both_are_there(&devices);
            }
        }
    }
}

#[test]
fn killed_while_taking_in_what_another_device_pushed() {
    for moment in 0..4 {
        for push_first in [false, true] {
            let (mut swarm, mut devices) = pair();
            let [here, there] = &mut devices;
            change_here(here);
            if push_first {
                // Stored, but the reply never came.
                let _ = here.push(&mut swarm, &mut Life(REPLY_LOST));
            }
            change_there(there);
            there.push(&mut swarm, &mut Life::long()).unwrap();
            assert!(here.poll(&swarm, &mut Life(moment)).is_none());
            here.check();
            settle(&mut swarm, &mut devices);
            both_are_there(&devices);
        }
    }
}

#[test]
fn many_changes_that_are_not_sent_yet_are_one_version() {
    let (mut swarm, mut devices) = pair();
    let version = |device: &mut Device| {
        device.documents.write_notes(&mut device.db).unwrap();
        device.documents.set.load::<Contacts>(&device.db).unwrap().document().seqno()
    };
    let before = version(&mut devices[0]);
    for number in 0..10 {
        nickname(&mut devices[0], BOB, &format!("Bob {number}"));
        version(&mut devices[0]);
    }
    nickname(&mut devices[0], CAROL, "Caro");
    assert_eq!(version(&mut devices[0]), before + 1);
    // Or what another device does meanwhile would count as too old.
    nickname(&mut devices[1], DAVE, "David");
    settle(&mut swarm, &mut devices);
    let (_, _, people) = devices[1].shown();
    let names = [BOB, CAROL, DAVE].map(|id| people[&id].1.clone().unwrap());
    assert_eq!(names, ["Bob 9", "Caro", "David"]);
}

#[test]
fn a_change_survives_however_far_the_other_device_has_gone() {
    for sent_before in [false, true] {
        let (mut swarm, mut devices) = pair();
        let [here, there] = &mut devices;
        if sent_before {
            change_here(here);
            here.push(&mut swarm, &mut Life::long()).unwrap();
            there.poll(&swarm, &mut Life::long()).unwrap();
        }
        nickname(here, BOB, "Robert");
        here.read(BOB, NOW - 8_000, true);
        here.delete_contact(DAVE);
        for number in 0..9 {
            nickname(there, CAROL, &format!("Carol {number}"));
            there.read(CAROL, NOW - 9_000 + number, false);
            there.push(&mut swarm, &mut Life::long()).unwrap();
        }
        settle(&mut swarm, &mut devices);
        let (_, _, people) = devices[1].shown();
        let bob = &people[&BOB];
        assert_eq!((bob.1.as_deref(), bob.5), (Some("Robert"), true));
        assert_eq!(people[&CAROL].1.as_deref(), Some("Carol 8"));
        assert!(!people.contains_key(&DAVE));
    }
}

#[test]
fn a_change_that_may_have_been_sent_survives_and_takes_nothing_newer_back() {
    // Handed out, but stored nowhere: the other device goes far ahead.
    let (mut swarm, mut devices) = pair();
    let [here, there] = &mut devices;
    change_here(here);
    assert!(here.push(&mut swarm, &mut Life(1)).is_none());
    nickname(here, CAROL, "Caro");
    assert!(here.push(&mut swarm, &mut Life(1)).is_none());
    go_far_ahead(there, &mut swarm);
    settle(&mut swarm, &mut devices);
    let people = devices[1].shown().2;
    let names = [BOB, CAROL, DAVE].map(|id| people[&id].1.clone().unwrap());
    assert_eq!(names, ["Bobby", "Caro", "Dave 8"]);

    // Stored, though the reply was lost: the other device heard of it and changed it since.
    let (mut swarm, mut devices) = pair();
    let [here, there] = &mut devices;
    change_here(here);
    assert!(here.push(&mut swarm, &mut Life(REPLY_LOST)).is_none());
    there.poll(&swarm, &mut Life::long()).unwrap();
    assert_eq!(there.shown().2[&BOB].1.as_deref(), Some("Bobby"));
    nickname(there, BOB, "Bob again");
    go_far_ahead(there, &mut swarm);
    settle(&mut swarm, &mut devices);
    assert_eq!(devices[0].shown().2[&BOB].1.as_deref(), Some("Bob again"));
}

/// Nine versions of contacts, one by one.
fn go_far_ahead(device: &mut Device, swarm: &mut Swarm) {
    for number in 0..9 {
        nickname(device, DAVE, &format!("Dave {number}"));
        device.push(swarm, &mut Life::long()).unwrap();
    }
}

#[test]
fn what_was_read_is_never_unread_again() {
    for (less, more) in [(0, 1), (1, 0)] {
        let (mut swarm, mut devices) = pair();
        devices[less].read(BOB, NOW - 20_000, false);
        devices[more].read(BOB, NOW - 10_000, false);
        settle(&mut swarm, &mut devices);
        for device in &devices {
            let states: ConvoInfoVolatile = device.documents.set.load(&device.db).unwrap();
            let bob = states.get(&septet_protocol::config::ConvoId::OneToOne(BOB)).unwrap();
            assert_eq!(bob.last_read, NOW - 10_000);
        }
    }
}

#[test]
fn a_change_made_after_a_lost_reply_leaves_nothing_behind() {
    let (mut swarm, mut devices) = pair();
    change_here(&mut devices[0]);
    assert!(devices[0].push(&mut swarm, &mut Life(REPLY_LOST)).is_none());
    // Changed again before it hears that the first change is there.
    nickname(&mut devices[0], BOB, "Bob the second");
    devices[0].push(&mut swarm, &mut Life::long()).unwrap();
    settle(&mut swarm, &mut devices);
    assert_eq!(devices[1].shown().2[&BOB].1.as_deref(), Some("Bob the second"));
}

#[test]
fn what_a_swarm_did_not_delete_is_deleted_with_the_next_push() {
    let (mut swarm, mut devices) = pair();
    change_here(&mut devices[0]);
    devices[0].push_without_deletion(&mut swarm);
    assert_eq!(swarm.messages(Namespace::CONTACTS).len(), 2);
    devices[0].push(&mut swarm, &mut Life::long()).unwrap();
    assert_eq!(swarm.messages(Namespace::CONTACTS).len(), 1);
    settle(&mut swarm, &mut devices);
}

#[test]
fn a_deleted_contact_stays_deleted_whatever_was_set_for_it() {
    let (mut swarm, mut devices) = pair();
    devices[0].set(BOB, |db, id| db.set_muted(id, Some(NOW + 1_000_000)));
    devices[0].set(BOB, |db, id| db.set_expiry(id, Expiry::AfterRead(60)));
    settle(&mut swarm, &mut devices);
    devices[1].delete_contact(BOB);
    settle(&mut swarm, &mut devices);
    for device in &mut devices {
        let documents = device.documents.clone();
        documents.reconcile(&mut device.db, Now::Known(NOW)).unwrap();
        let contacts: Contacts = documents.set.load(&device.db).unwrap();
        assert!(contacts.get(&BOB).is_none());
        let row = device.db.contact(BOB).unwrap().unwrap();
        assert_eq!((row.muted_until, row.expiry, row.nickname), (None, Expiry::Off, None));
    }
}

#[test]
fn many_contacts_go_in_several_messages_and_a_kill_between_them_loses_none() {
    const COUNT: u32 = 1300;
    let mut rng = Rng::with_seed(1);
    let mut swarm = Swarm::default();
    let mut devices = [Device::new(), Device::new()];
    let mut people = BTreeMap::new();
    for _ in 0..COUNT {
        let id = SessionId(std::array::from_fn(|_| rng.u8(..)));
        let name: String = (0..90).map(|_| rng.alphanumeric()).collect();
        devices[0].db.make_conversation(&id.into()).unwrap();
        devices[0].db.set_nickname(id, Some(&name)).unwrap();
        people.insert(id, NOW);
    }
    let documents = devices[0].documents.clone();
    assert!(documents.conversations_changed(&mut devices[0].db, &people, Now::Known(NOW)).unwrap());
    for moment in 0..5 {
        let _ = devices[0].push(&mut swarm, &mut Life(moment));
        devices[1].poll(&swarm, &mut Life::long()).unwrap();
        devices[1].push(&mut swarm, &mut Life::long()).unwrap();
    }
    settle(&mut swarm, &mut devices);
    assert!(swarm.messages(Namespace::CONTACTS).len() > 1, "several messages");
    assert_eq!(devices[1].shown().2.len(), COUNT as usize);
    // A later version replaces all of them.
    nickname(&mut devices[1], BOB, "Bobby");
    let parts = swarm.messages(Namespace::CONTACTS).len();
    settle(&mut swarm, &mut devices);
    assert_eq!(swarm.messages(Namespace::CONTACTS).len(), parts);
    assert_eq!(devices[0].shown().2[&BOB].1.as_deref(), Some("Bobby"));
}

#[test]
fn what_is_too_large_stays_here_until_it_is_smaller() {
    let mut rng = Rng::with_seed(2);
    let (documents, mut db) = device();
    let mut many = BTreeMap::new();
    for _ in 0..14_000 {
        let id = SessionId(std::array::from_fn(|_| rng.u8(..)));
        let mut text = |length| (0..length).map(|_| char::from(rng.u8(33..127))).collect::<String>();
        let (url, name, nickname) = (text(200), text(100), text(100));
        let key = Zeroizing::new((0..32).map(|_| rng.u8(..)).collect());
        let picture = Some(crate::store::PictureSource { url, key });
        db.set_profile(id, &ProfileData { name, picture, updated: 1 }).unwrap();
        db.set_nickname(id, Some(&nickname)).unwrap();
        many.insert(id, NOW);
    }
    assert!(documents.conversations_changed(&mut db, &many, Now::Known(NOW)).unwrap());
    let ToPush { parts, refused } = documents.take_parts(&mut db, NOW).unwrap();
    assert!(parts.is_empty());
    let [(Namespace::CONTACTS, PushError::TooLarge { .. })] = refused.as_slice() else {
        panic!("{refused:?}")
    };
    let contacts: Contacts = documents.set.load(&db).unwrap();
    assert_eq!(contacts.document().state(), septet_protocol::config::State::Dirty);
    let rows: Vec<SessionId> = many.into_keys().take(7000).collect();
    db.transaction(|db| {
        for id in rows {
            db.delete_contact(id)?;
        }
        Ok(())
    })
    .unwrap();
    let mut contacts: Contacts = documents.set.load(&db).unwrap();
    let gone: Vec<SessionId> = contacts.iter().take(7000).map(|contact| contact.id).collect();
    for id in gone {
        contacts.erase(&id);
    }
    documents.set.save(&mut db, &mut contacts).unwrap();
    let ToPush { parts, refused } = documents.take_parts(&mut db, NOW).unwrap();
    assert!(refused.is_empty(), "{refused:?}");
    assert!(parts[0].messages.len() > 20);
}

#[test]
fn groups_and_communities_survive_what_this_version_does_not_know() {
    let (mut swarm, mut devices) = pair();
    let seed = *Seed::from_bytes([1; 16]).keys().ed25519.seed();
    // Another client of the account, which knows groups, made two versions of the same number.
    let versions = ["Book club", "Chess club"].map(|name| {
        let mut groups = UserGroups::new(&seed);
        groups.document_mut().update(&[b"g", &[3; 33]], |dict| {
            dict.insert(b"n", name.as_bytes().into());
            dict.insert(b"K", b"".as_slice().into());
            dict.insert(b"new", 7.into());
        });
        groups.push(NOW).unwrap().messages.remove(0)
    });
    for data in &versions {
        swarm.store(devices[0].documents.me, Namespace::USER_GROUPS, data);
    }
    settle(&mut swarm, &mut devices);
    for device in &devices {
        let config = device.documents.set.config(&device.db, Namespace::USER_GROUPS).unwrap();
        assert!(config.document().seqno() > 1, "a merged version");
        let data = config.document().data();
        assert!(data.at(&[b"g", &[3; 33], b"new"]).is_some() && data.at(&[b"g", &[3; 33], b"K"]).is_some());
    }
}

/// Makes one change of any kind.
fn edit(device: &mut Device, rng: &mut Rng, number: u64) {
    let me = device.documents.me;
    let id = [BOB, CAROL, DAVE][rng.usize(..3)];
    let on = rng.bool();
    match rng.u8(..17) {
        0 => set_name(device, &format!("Alice {number}")),
        1 => {
            let picture = Picture::new(&format!("http://x/file/{number}"), &[number as u8; 32]).unwrap();
            let picture = picture.filter(|_| on);
            device.documents.set_picture(&mut device.db, picture.as_ref(), NOW).unwrap();
        }
        2 => device.set(me, |db, id| db.set_priority(id, rng.i64(-1..3))),
        3 => device.set(me, |db, id| {
            let timer = if on { Expiry::AfterSend(rng.u32(1..999)) } else { Expiry::Off };
            db.set_expiry(id, timer)
        }),
        4 => nickname(device, id, &format!("friend {number}")),
        5 => device.change(id, |db| db.set_nickname(id, None)),
        flag @ 6..9 => device.change(id, |db| {
            db.make_conversation(&id.into())?;
            match flag {
                6 => db.set_approved(id, true)?,
                7 => db.set_approved_me(id, true)?,
                _ => db.set_blocked(id, on)?,
            };
            Ok(())
        }),
        9 => device.set(id, |db, id| db.set_priority(id, i64::from(on))),
        10 => device.set(id, |db, id| db.set_priority(id, -1)),
        11 => device.set(id, |db, id| db.set_muted(id, on.then_some(NOW + number * 1000))),
        12 => device.set(id, |db, id| {
            let timer = if on { Expiry::AfterRead(rng.u32(1..999)) } else { Expiry::Off };
            db.set_expiry(id, timer)
        }),
        // A message brings their profile; it is newer than all before.
        13 => device.change(id, |db| {
            let name = format!("Name {number}");
            db.merge_profile(id, &ProfileData { name, picture: None, updated: 1000 + number }).map(drop)
        }),
        14 => device.delete_contact(id),
        15 => device.change(id, |db| match db.find_conversation(&id.into())? {
            Some(id) => db.delete_conversation(id),
            None => Ok(()),
        }),
        _ => device.read(id, NOW - rng.u64(..1_000_000), on),
    }
    device.check();
}

#[test]
fn three_devices_that_change_anything_at_any_time_agree() {
    for seed in 0..40 {
        let mut rng = Rng::with_seed(seed);
        let mut swarm = Swarm::default();
        let mut devices = [Device::new(), Device::new(), Device::new()];
        set_name(&mut devices[0], "Alice");
        settle(&mut swarm, &mut devices);
        for step in 0..60 {
            let device = &mut devices[rng.usize(..3)];
            let mut life = if rng.u8(..4) == 0 { Life(rng.usize(..12)) } else { Life::long() };
            match rng.u8(..10) {
                0..6 => edit(device, &mut rng, step),
                6..8 => _ = device.poll(&swarm, &mut life),
                8 => _ = device.push(&mut swarm, &mut life),
                _ => {
                    let documents = device.documents.clone();
                    documents.reconcile(&mut device.db, Now::Known(NOW)).unwrap();
                }
            }
            device.check();
        }
        println!("settling seed {seed}");
        settle(&mut swarm, &mut devices);
    }
}
