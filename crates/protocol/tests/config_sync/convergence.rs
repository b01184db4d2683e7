//! Devices agree, whatever happens on the way.

use proptest::collection::vec;
use proptest::prelude::*;

use septet_protocol::config::{Config, StorageHash};

use crate::swarm::{Device, Edit, Leaf, NOW, Swarm, name};

/// What happens to one device.
#[derive(Debug, Clone)]
enum Event {
    Edit(Edit),
    Poll { order: u64, all: bool },
    Push,
    Confirm,
    LoseAnswer,
    Save,
    Restart,
}

fn leaf() -> impl Strategy<Value = Leaf> {
    prop_oneof![
        any::<i8>().prop_map(Leaf::Int),
        vec(any::<u8>(), 0..3).prop_map(Leaf::Text),
        vec(-3i8..3, 0..4).prop_map(Leaf::Set),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    (vec(0u8..4, 1..4), proptest::option::weighted(0.8, leaf()))
        .prop_map(|(path, value)| Edit { path, value })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => edit().prop_map(Event::Edit),
        4 => (any::<u64>(), any::<bool>()).prop_map(|(order, all)| Event::Poll { order, all }),
        3 => Just(Event::Push),
        3 => Just(Event::Confirm),
        1 => Just(Event::LoseAnswer),
        1 => Just(Event::Save),
        1 => Just(Event::Restart),
    ]
}

fn happen(device: &mut Device, event: &Event, swarm: &mut Swarm) {
    match event {
        Event::Edit(edit) => device.edit(edit),
        Event::Poll { order, all } => device.poll(swarm, *order, *all),
        Event::Push if device.config.needs_push() => device.push(swarm),
        Event::Push => {}
        Event::Confirm => device.confirm(),
        Event::LoseAnswer => device.lose_answer(),
        Event::Save => device.save(),
        Event::Restart => device.restart(),
    }
}

/// Lets all devices poll and push until none has anything to push; returns how many rounds that took.
fn settle(devices: &mut [Device], swarm: &mut Swarm) -> usize {
    for round in 1..=12 {
        let mut quiet = true;
        for (number, device) in devices.iter_mut().enumerate() {
            device.poll(swarm, (round * 31 + number) as u64, true);
            if device.config.needs_push() {
                quiet = false;
                device.push(swarm);
                device.confirm();
            }
        }
        if quiet {
            return round;
        }
    }
    panic!("the devices push for ever");
}

/// All devices have the same message, and the swarm has it.
fn assert_agreement(devices: &mut [Device], swarm: &Swarm) {
    let first = devices[0].current();
    for device in devices.iter_mut() {
        assert_eq!(device.current(), first);
        let hashes: Vec<StorageHash> = first.iter().map(|message| name(message)).collect();
        if device.config.document().seqno() > 0 {
            assert_eq!(device.config.document().current_hashes(), hashes);
            assert!(hashes.iter().all(|hash| swarm.0.contains_key(hash)), "the current message is gone");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Polls at any time, of any part of what is stored, in any order, between store and confirmation too; answers
    /// that are lost; restarts from what was saved.
    #[test]
    fn devices_agree_and_never_delete_what_is_current(
        count in 2usize..=5,
        events in vec((0usize..5, event()), 0..120),
    ) {
        let mut devices: Vec<_> = (0..count).map(|_| Device::new()).collect();
        let mut swarm = Swarm::default();
        for (device, event) in &events {
            happen(&mut devices[device % count], event, &mut swarm);
        }
        devices.iter_mut().for_each(Device::lose_answer);
        settle(&mut devices, &mut swarm);
        assert_agreement(&mut devices, &swarm);
    }

    /// The same messages in any order, all at once, make the same message byte for byte.
    #[test]
    fn the_order_of_delivery_does_not_matter(
        edits in vec((0usize..5, edit()), 1..50),
        order in any::<u64>(),
    ) {
        let mut swarm = Swarm::default();
        let mut devices: Vec<_> = (0..5).map(|_| Device::new()).collect();
        for (index, (device, edit)) in edits.iter().enumerate() {
            devices[*device].edit(edit);
            if index % 7 == 3 {
                devices[*device].poll(&swarm, index as u64, true);
            }
        }
        for device in devices.iter_mut().filter(|device| device.config.needs_push()) {
            let push = device.config.push(NOW).unwrap();
            push.messages.iter().for_each(|message| drop(swarm.store(message)));
        }
        let merged = |order| {
            let mut device = Device::new();
            device.poll(&swarm, order, true);
            device.config.push(NOW).unwrap().messages
        };
        prop_assert_eq!(merged(0), merged(order));
    }

    /// Messages delivered in any groups, to observers who then talk to each other, lead to the same document.
    #[test]
    fn the_grouping_of_delivery_does_not_matter(
        edits in vec((0usize..5, edit()), 1..50),
        polls in vec((0usize..3, any::<u64>()), 0..12),
    ) {
        let mut swarm = Swarm::default();
        for author in 0..5 {
            let mut device = Device::new();
            edits.iter().filter(|(by, _)| *by == author).for_each(|(_, edit)| device.edit(edit));
            if device.config.needs_push() {
                device.push(&mut swarm);
            }
        }
        let mut observers: Vec<_> = (0..3).map(|_| Device::new()).collect();
        polls.iter().for_each(|(observer, order)| observers[*observer].poll(&swarm, *order, false));
        settle(&mut observers, &mut swarm);
        assert_agreement(&mut observers, &swarm);
    }

    /// Every message that five devices stored in a long history, superseded ones included, in any order makes the same
    /// message byte for byte; in any groups, repeats included, it leads devices that talk to the same document.
    #[test]
    fn a_long_history_may_come_in_any_order_and_grouping(
        history in vec((0usize..5, vec(edit(), 1..12), proptest::option::of(any::<u64>())), 1..40),
        polls in vec((0usize..3, any::<u64>()), 0..16),
        order in any::<u64>(),
    ) {
        let mut archive = Swarm::default();
        let mut authors: Vec<_> = (0..5).map(|_| Device::new()).collect();
        for (author, edits, poll) in &history {
            let author = &mut authors[*author];
            poll.iter().for_each(|order| author.poll(&archive, *order, false));
            edits.iter().for_each(|edit| author.edit(edit));
            author.push_and_delete_nothing(&mut archive);
        }
        let current = |order| {
            let mut device = Device::new();
            device.poll(&archive, order, true);
            device.config.push(NOW).unwrap().messages
        };
        prop_assert_eq!(current(0), current(order));

        let mut observers: Vec<_> = (0..3).map(|_| Device::new()).collect();
        polls.iter().for_each(|(observer, order)| observers[*observer].poll(&archive, *order, false));
        settle(&mut observers, &mut archive);
        prop_assert_eq!(settle(&mut observers, &mut archive), 1, "somebody answers a document that all have");
        observers.iter_mut().for_each(|device| device.tidy(&mut archive));
        assert_agreement(&mut observers, &archive);
        let left = usize::from(observers[0].config.document().seqno() > 0);
        prop_assert_eq!(archive.0.len(), left, "what is superseded is deleted");
    }

    /// What different devices change in different places all survives.
    #[test]
    fn changes_in_different_places_all_survive(values in vec(any::<i8>(), 2..=5)) {
        let mut swarm = Swarm::default();
        let mut devices: Vec<_> = values.iter().map(|_| Device::new()).collect();
        for (place, (device, value)) in devices.iter_mut().zip(&values).enumerate() {
            // Four keys: the fifth device writes one level down.
            let path = if place == 4 { vec![0, 1] } else { vec![place as u8] };
            let path = if place == 0 { vec![0, 0] } else { path };
            device.edit(&Edit { path, value: Some(Leaf::Int(*value)) });
            device.push(&mut swarm);
            device.confirm();
        }
        settle(&mut devices, &mut swarm);
        assert_agreement(&mut devices, &swarm);
        let data = devices[0].config.document().data();
        for (place, value) in values.iter().enumerate() {
            let paths: [&[&[u8]]; 5] = [&[b"a", b"a"], &[b"b"], &[b"c"], &[b"d"], &[b"a", b"b"]];
            let found = data.at(paths[place]);
            prop_assert!(found == Some(&septet_protocol::config::value::Value::Int((*value).into())));
        }
    }

    /// A device that was restarted goes on as if it had not been.
    #[test]
    fn a_dump_holds_everything(edits in vec(edit(), 0..20), confirmed: bool) {
        let mut swarm = Swarm::default();
        let mut device = Device::new();
        edits.iter().for_each(|edit| device.edit(edit));
        if device.config.needs_push() {
            device.push(&mut swarm);
        }
        if confirmed {
            device.confirm();
        }
        let dump = device.config.dump();
        device.save();
        let before = (device.config.document().data().clone(), device.config.document().state());
        device.restart();
        prop_assert!(device.config.document().data() == &before.0);
        prop_assert_eq!(device.config.document().state(), before.1);
        prop_assert_eq!(device.config.dump(), dump);
    }
}
