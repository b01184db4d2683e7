//! Whatever comes in between: what is written is on all devices of both in the end, or on none.
//!
//! Two people with two devices each write, cancel and delete for everyone while requests are held, nodes are slow or
//! answer nonsense after they did what they were asked, the network is away, devices end and come back, and all of them
//! poll when they like. Each round draws its own course; `SEPTET_INTERLEAVINGS` asks for more than the usual few.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use septet_client::model::{MessageId, Page};
use septet_devnet::{Devnet, Fault, Hold, NodeHandle};
use septet_protocol::id::{Account, Namespace, SessionId};
use septet_protocol::time::Timestamp;

use crate::world::{PATIENCE, Person, With, World};

/// Devices 0 and 1 are Alice's, 2 and 3 are Bob's.
const DEVICES: usize = 4;

/// How many courses are tried.
fn rounds() -> u64 {
    std::env::var("SEPTET_INTERLEAVINGS").ok().and_then(|text| text.parse().ok()).unwrap_or(10)
}

/// What is to become of something written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Everywhere,
    Nowhere,
}

/// Something written.
struct Written {
    device: usize,
    id: MessageId,
    at: Timestamp,
    with: SessionId,
    fate: Fate,
}

/// One course.
struct Round<'a> {
    world: &'a World,
    devices: Vec<Person>,
    rng: Rng,
    /// By its text.
    written: BTreeMap<String, Written>,
    hold: Option<Hold>,
}

impl Round<'_> {
    /// What the nodes are like this time.
    fn weather(&mut self) {
        let person = &self.devices[self.rng.usize(..DEVICES)];
        let swarm = self.world.net.swarm_of(&Account::from(person.id()));
        match self.rng.u8(..6) {
            0 => self.world.net.network_down(true),
            1 => swarm.iter().for_each(|node| node.set_fault(Fault::Slow(Duration::from_millis(80)))),
            // They store, and nobody hears of it.
            2 => swarm.iter().take(2).for_each(|node| node.set_fault(Fault::Truncated)),
            3 => swarm.iter().take(2).for_each(|node| node.set_fault(Fault::WrongSignature)),
            _ => self.hold = Some(self.world.net.hold("store")),
        }
    }

    /// All is well again.
    fn clear_up(&mut self) {
        self.hold = None;
        self.world.net.network_down(false);
        self.world.net.clear_all_faults();
    }

    async fn write(&mut self, text: String) {
        let device = self.rng.usize(..DEVICES);
        let to = match self.rng.u8(..4) {
            0 => device,
            _ => (device + 2) % DEVICES,
        };
        let with = self.devices[to].id();
        let id = self.devices[device].writes(&self.devices[to], &text).await;
        let at = self.devices[device].client.message(id).await.unwrap().unwrap().timestamp;
        let same = |it: &Written| it.at == at && it.device == device ^ 1;
        if self.written.values().any(same) {
            // Two devices of one account that write in the same millisecond write the same message (spec 02 §28).
            self.written.retain(|_, it| !same(it));
            return;
        }
        self.written.insert(text, Written { device, id, at, with, fate: Fate::Everywhere });
    }

    /// Cancels something where it was written; it may be sent already.
    async fn cancel(&mut self) {
        let Some((_, written)) = pick(&mut self.rng, &mut self.written) else { return };
        let client = &self.devices[written.device].client;
        client.cancel(written.id).await.unwrap();
        if client.message(written.id).await.unwrap().is_none() {
            written.fate = Fate::Nowhere;
        }
    }

    /// Deletes something for everyone, on any device of its author that has it.
    async fn delete(&mut self) {
        let Some((text, written)) = pick(&mut self.rng, &mut self.written) else { return };
        let other = self.rng.bool();
        let device = if other { written.device ^ 1 } else { written.device };
        let client = &self.devices[device].client;
        let page = client.messages(client.with(written.with).await, Page::Newest, 1000).await.unwrap();
        if let Some(there) = page.messages.iter().find(|message| message.text == *text) {
            client.delete_for_everyone(there.id).await.unwrap();
            written.fate = Fate::Nowhere;
        }
    }

    /// A device ends without a word and starts again.
    async fn restart(&mut self) {
        let index = self.rng.usize(..DEVICES);
        let device = self.devices.remove(index);
        let device = self.world.crash(device).await;
        device.client.start();
        self.devices.insert(index, device);
    }

    async fn step(&mut self, number: u64, step: u64) {
        match self.rng.u8(..16) {
            0..6 => self.write(format!("{number}.{step}")).await,
            6..9 => self.cancel().await,
            9..12 => self.delete().await,
            12 => self.restart().await,
            13 => {
                let client = self.devices[self.rng.usize(..DEVICES)].client.clone();
                tokio::spawn(async move { client.sync_once(PATIENCE).await });
            }
            14 => self.hold.iter().for_each(|hold| hold.let_through(1)),
            // Not to wait for anything: so that this or that is under way at the next step.
            _ => tokio::time::sleep(Duration::from_millis(self.rng.u64(..60))).await,
        }
    }

    /// Which devices show a text; of a note only its author's are asked.
    async fn shown(&self) -> BTreeMap<String, Vec<bool>> {
        let mut shown: BTreeMap<String, Vec<bool>> = BTreeMap::new();
        for (index, device) in self.devices.iter().enumerate() {
            let other = self.devices[(index + 2) % DEVICES].id();
            let (with_other, notes) = (device.texts(other).await, device.texts(device.id()).await);
            for (text, written) in &self.written {
                let author = self.devices[written.device].id();
                let list = if written.with == author { &notes } else { &with_other };
                if written.with != author || device.id() == author {
                    let times = list.iter().filter(|it| *it == text).count();
                    assert!(times <= 1, "{text} is there {times} times");
                    shown.entry(text.clone()).or_default().push(times == 1);
                }
            }
        }
        shown
    }

    /// What is not as it is to be.
    async fn wrong(&self) -> Vec<String> {
        let shown = self.shown().await;
        let wrong = |(text, written): (&String, &Written)| {
            let shown = &shown[text];
            let well = shown.iter().all(|here| *here == (written.fate == Fate::Everywhere));
            (!well).then(|| format!("{text} of {} is {:?}: {shown:?}", written.device, written.fate))
        };
        self.written.iter().filter_map(wrong).collect()
    }

    /// How much each member of both swarms keeps.
    fn stored(&self) -> String {
        let members = self.devices.iter().step_by(2).map(|device| {
            let account = Account::from(device.id());
            let count = |node: &NodeHandle| node.messages_of(&account, Namespace::MESSAGES).len();
            self.world.net.swarm_of(&account).iter().map(count).collect::<Vec<_>>()
        });
        format!("the members keep {:?}", members.collect::<Vec<_>>())
    }

    /// Lets everybody send what is to be sent and fetch what there is, until it is as it is to be.
    async fn settle(&self, number: u64) {
        let mut wrong = Vec::new();
        for _ in 0..12 {
            for device in &self.devices {
                assert!(
                    device.client.flush(PATIENCE).await.unwrap(),
                    "round {number}: something is never sent"
                );
            }
            for device in &self.devices {
                device.client.sync_once(PATIENCE).await.unwrap();
            }
            wrong = self.wrong().await;
            if wrong.is_empty() {
                return;
            }
        }
        panic!("round {number}: {wrong:#?}, {}", self.stored());
    }
}

/// Anything written that is not deleted yet.
fn pick<'a>(
    rng: &mut Rng,
    written: &'a mut BTreeMap<String, Written>,
) -> Option<(&'a String, &'a mut Written)> {
    let mut left: Vec<_> = written.iter_mut().filter(|(_, it)| it.fate == Fate::Everywhere).collect();
    (!left.is_empty()).then(|| left.swap_remove(rng.usize(..left.len())))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_in_between_all_devices_have_it_or_none() {
    // Nobody is dead here, and what a member does not pass on to another in time it never does.
    let builder = Devnet::builder().relay_patience(Duration::from_secs(2)).member_patience(PATIENCE);
    let world = World { net: builder.start().await.unwrap() };
    let (alice, bob) = world.friends().await;
    let (laptop, _) = world.second_device(&alice).await;
    let (tablet, _) = world.second_device(&bob).await;
    let mut devices = vec![alice, laptop, bob, tablet];
    for device in &devices {
        device.client.start();
        device.client.sync_once(PATIENCE).await.unwrap();
    }
    for number in 0..rounds() {
        let rng = Rng::with_seed(number);
        let mut round = Round { world: &world, devices, rng, written: BTreeMap::new(), hold: None };
        round.weather();
        for step in 0..round.rng.u64(6..16) {
            round.step(number, step).await;
        }
        round.clear_up();
        round.settle(number).await;
        devices = round.devices;
    }
}
