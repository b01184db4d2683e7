//! Messages that disappear: many at once, on devices of which one is away for a while, one is started anew, and one or
//! all of which have a wrong clock. None is shown after its time, none goes early, and nothing of them is left on any
//! disk.
//!
//! A machine that was started anew with a wrong clock and has no network cannot know what time it is. Until it has one it
//! may hide what is not over, and no more than hide it; but even then it shows nothing that is over.

mod record;

use std::ops::{Range, RangeInclusive};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use septet_client::event::Event;
use septet_client::model::{ConversationId, Downloads, Draft, Expiry, MessageId, OutgoingFile, Page};
use septet_network::MachineClock;
use septet_protocol::id::SessionId;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::disk;
use crate::world::{PATIENCE, Person, With, World};
use record::{CLOCKS, LATE, MARK, Record, Sent, numbers};

/// So many timers are set one after the other.
const GROUPS: usize = 10;
/// How far a machine's clock is from the network's, in ms.
const WRONG: i64 = 3 * 3_600_000;
/// A message that is to be there at the end.
const HERE: &str = "stays here";
/// Another, though by a clock so wrong it is over.
const AN_HOUR: &str = "stays an hour";
/// Its time in seconds.
const HOUR: u32 = 3600;
/// So many count down on the laptop when it goes away; what it has shown for sure.
const PENDING: usize = 10;
/// So often is a device looked at that cannot know what time it is; somebody reads on it meanwhile.
const UNKNOWING: usize = 20;

/// How many messages, and how many seconds they have.
#[derive(Clone)]
struct Size {
    count: usize,
    timers: RangeInclusive<u32>,
}

impl Size {
    /// What the environment asks for.
    fn asked() -> Option<Self> {
        let count = std::env::var("SEPTET_VANISHING").ok()?.parse().ok()?;
        Some(Self { count, timers: 5..=60 })
    }
}

/// Whose clock is wrong.
#[derive(Clone, Default)]
struct Clocks {
    name: &'static str,
    /// By how many ms the network's is ahead of everybody's.
    network: i64,
    /// The phone's machine, for the whole time.
    phone: MachineClock,
    /// The laptop's machine, until the laptop goes away.
    laptop: MachineClock,
    /// The laptop's machine when it is back. If it was started anew it has no network at first.
    laptop_later: MachineClock,
    restarted: bool,
}

impl Clocks {
    /// The laptop's clock was right, and when its machine is started anew it is so far ahead.
    fn laptop_restarted(name: &'static str, ahead: i64) -> Self {
        let laptop_later = MachineClock::ahead_by(ahead).started_anew("another");
        Self { name, laptop_later, restarted: true, ..Self::default() }
    }
}

/// Looks at a device all the time, and reads what is there if it is to.
struct Watcher {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Watcher {
    fn of(world: &Arc<World>, record: &Arc<Mutex<Record>>, person: &Person, it: Watched) -> Self {
        let (world, record, client) = (Arc::clone(world), Arc::clone(record), person.client.clone());
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            for round in 0.. {
                let (before, own_before) = (world.net.now(), client.now().as_ms());
                let page = client.messages(it.conversation, Page::Newest, 10_000).await.unwrap();
                let (after, own) = (world.net.now(), client.now().as_ms());
                let skew = own.abs_diff(world.net.now());
                let unknowing = it.unknowing && skew.max(own_before.abs_diff(before)) > CLOCKS;
                let newest = page.messages.iter().rfind(|message| !message.outgoing);
                let newest = newest.filter(|newest| it.reads && round % 15 == 14 && !newest.read);
                let newest = newest.map(|newest| newest.id);
                {
                    let mut record = record.lock().unwrap();
                    match unknowing {
                        true => record.look_unknowing(it.name, before, &page.messages),
                        false => record.look(it.name, [before, after], skew, &page.messages),
                    }
                    if newest.is_some() {
                        record.reads(it.is_alice, &numbers(&page.messages), world.net.now());
                    }
                }
                if let Some(newest) = newest {
                    read(&client, it.conversation, newest).await;
                }
                tokio::select! {
                    () = stopped.cancelled() => return,
                    () = tokio::time::sleep(Duration::from_millis(50)) => {}
                }
            }
        });
        Self { task, stop }
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// Which device is watched, and whether somebody reads on it.
#[derive(Clone, Copy)]
struct Watched {
    name: &'static str,
    is_alice: bool,
    conversation: ConversationId,
    reads: bool,
    /// Whether it is open to doubt at first what time it is.
    unknowing: bool,
}

async fn read(client: &septet_client::client::Client, id: ConversationId, up_to: MessageId) {
    // It may have disappeared since it was looked at.
    let _ = client.mark_read(id, up_to).await;
}

/// Everybody who takes part.
struct Play {
    world: Arc<World>,
    record: Arc<Mutex<Record>>,
    rng: Rng,
}

impl Play {
    /// Sends so many messages with a timer of their own, every tenth with a file.
    async fn sends(
        &mut self,
        from: &Person,
        to: SessionId,
        by_alice: bool,
        numbers: Range<usize>,
        timers: RangeInclusive<u32>,
    ) {
        let seconds = self.rng.u32(timers);
        let expiry = if self.rng.bool() { Expiry::AfterRead(seconds) } else { Expiry::AfterSend(seconds) };
        self.sends_with(from, to, by_alice, numbers, expiry).await;
    }

    async fn sends_with(
        &self,
        from: &Person,
        to: SessionId,
        by_alice: bool,
        numbers: Range<usize>,
        expiry: Expiry,
    ) {
        let (Expiry::AfterRead(seconds) | Expiry::AfterSend(seconds)) = expiry else { unreachable!() };
        let after_read = matches!(expiry, Expiry::AfterRead(_));
        let conversation = from.client.with(to).await;
        self.record.lock().unwrap().writes(by_alice, self.world.net.now());
        from.client.set_expiry(conversation, expiry).await.unwrap();
        for number in numbers {
            let text = format!("{MARK}{number}");
            let files = if number % 10 == 3 { vec![file(&text)] } else { Vec::new() };
            let length = u64::from(seconds) * 1000;
            let sent = Sent { by_alice, after_read, start: None, length };
            self.record.lock().unwrap().sends(number, sent);
            from.client.send(conversation, Draft { text, files, ..Draft::default() }).await.unwrap();
        }
    }

    fn watch(&self, name: &'static str, person: &Person, conversation: ConversationId) -> Watcher {
        let it = Watched { name, is_alice: name == "alice", conversation, reads: true, unknowing: false };
        Watcher::of(&self.world, &self.record, person, it)
    }

    /// Opens the laptop, when all that it has shown before is over, on a machine that was started anew while there is no
    /// network, and lets it be looked at for a while before there is.
    async fn restarts(
        &self,
        folder: TempDir,
        machine: MachineClock,
        conversation: ConversationId,
    ) -> (Person, Watcher) {
        let ends = self.record.lock().unwrap().last_end("laptop").unwrap_or(0);
        while self.world.net.now() < ends + LATE + CLOCKS {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.world.net.network_down(true);
        let laptop = self.world.open_on(folder, machine).await;
        let it = Watched { name: "laptop", is_alice: false, conversation, reads: true, unknowing: true };
        let watcher = Watcher::of(&self.world, &self.record, &laptop, it);
        laptop.client.start();
        let looked_at = async {
            while self.record.lock().unwrap().unknowing < UNKNOWING {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, looked_at).await.expect("it knows what time it is");
        self.world.net.network_down(false);
        (laptop, watcher)
    }

    /// Opens the laptop again; it is looked at for a moment without anything that runs, and then with it.
    async fn returns(
        &self,
        folder: TempDir,
        machine: MachineClock,
        conversation: ConversationId,
    ) -> (Person, Watcher) {
        let laptop = self.world.open_on(folder, machine).await;
        let watcher = self.watch("laptop", &laptop, conversation);
        laptop.client.start();
        (laptop, watcher)
    }

    /// Waits until a device has shown these.
    async fn until_seen(&self, device: &'static str, numbers: Range<usize>) {
        let seen = async {
            while !self.record.lock().unwrap().has_seen(device, numbers.clone()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.expect("they do not come");
    }

    /// Waits until a device shows nothing any more of what was to disappear.
    async fn until_gone(&self, person: &Person, conversation: ConversationId) {
        let gone = async {
            loop {
                let page = person.client.messages(conversation, Page::Newest, 10_000).await.unwrap();
                if numbers(&page.messages).is_empty() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(PATIENCE * 3, gone).await.expect("something stays");
    }
}

fn file(mark: &str) -> OutgoingFile {
    let bytes = mark.repeat(50).into_bytes();
    OutgoingFile::Bytes {
        name: format!("{mark}.bin"),
        content_type: "application/octet-stream".to_owned(),
        bytes,
    }
}

/// Nothing is left of what disappeared, and all of what did not.
fn is_clean(name: &str, folder: &TempDir) {
    let disk = disk::of(folder.path());
    assert_eq!(disk.log_length(), 0, "{name}");
    let pages = disk.pages();
    for stays in [HERE, AN_HOUR] {
        assert!(disk::count(&pages, stays) > 0, "{name}: what stays is found");
    }
    assert_eq!(disk::count(&pages, MARK), 0, "{name}");
    let terms = disk.terms();
    assert!(terms.iter().any(|term| term == "stays"), "{name}: {terms:?}");
    assert!(!terms.iter().any(|term| term.starts_with(&MARK[..3])), "{name}: {terms:?}");
    assert_eq!((disk.files().len(), disk.files()), (1, disk.files_of_rows()), "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_disappears_is_shown_till_its_time_and_then_nowhere_any_more() {
    let size = Size::asked().unwrap_or(Size { count: 60, timers: 1..=5 });
    disappears(&size, &Clocks { name: "all", network: WRONG, ..Clocks::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_where_the_clock_of_one_is_wrong() {
    let wrong = [MachineClock::ahead_by(WRONG), MachineClock::ahead_by(-WRONG)];
    let [laptop, phone] = wrong.clone();
    let [laptop_later, _] = wrong;
    let cases = [
        Clocks { name: "laptop ahead", laptop, laptop_later, ..Clocks::default() },
        Clocks { name: "phone behind", phone, ..Clocks::default() },
        Clocks::laptop_restarted("laptop ahead after a restart", WRONG),
        Clocks::laptop_restarted("laptop behind after a restart", -WRONG),
    ];
    match Size::asked() {
        Some(size) => {
            for clocks in &cases {
                disappears(&size, clocks).await;
            }
        }
        // Most of it is waiting, so they wait together.
        None => {
            let size = Size { count: 30, timers: 1..=4 };
            join_all(cases.iter().map(|clocks| disappears(&size, clocks))).await;
        }
    }
}

/// A message of an hour, on a machine whose clock is wrong and which nobody tells the time.
async fn is_hidden_and_shown_again(ahead: i64) {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let (with_bob, with_alice) = (alice.client.with(bob.id()).await, bob.client.with(alice.id()).await);
    alice.client.set_expiry(with_bob, Expiry::AfterSend(HOUR)).await.unwrap();
    alice.says(&bob, AN_HOUR).await;
    bob.hears(AN_HOUR).await;
    let Person { client, folder, .. } = bob;
    client.stop().await;
    world.net.network_down(true);
    let machine = MachineClock::ahead_by(ahead).started_anew("another");
    bob = world.open_on(folder, machine).await;
    let shows_it = async |bob: &Person| bob.texts(alice.id()).await.contains(&AN_HOUR.to_owned());
    assert!(!shows_it(&bob).await, "{ahead}");
    bob.client.start();
    let changes = |event| matches!(event, Event::Messages(id) if id == with_alice).then_some(());
    bob.waits("that it is hidden", changes).await;
    assert!(!shows_it(&bob).await, "{ahead}");
    assert!(disk::of(bob.folder.path()).texts().contains(&AN_HOUR.to_owned()), "{ahead}");
    world.net.network_down(false);
    bob.waits("that it is not hidden any more", changes).await;
    assert!(shows_it(&bob).await, "{ahead}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_wrong_clock_hides_is_shown_again_when_the_time_is_known() {
    tokio::join!(is_hidden_and_shown_again(WRONG), is_hidden_and_shown_again(-WRONG));
}

/// Alice and the phone, both of which have what is to stay.
async fn begin(world: &World, clocks: &Clocks) -> (Person, Person) {
    world.net.set_clock_offset(clocks.network);
    let (alice, mut phone) = world.friends_on([MachineClock::default(), clocks.phone.clone()]).await;
    let with_bob = alice.client.with(phone.id()).await;
    for (expiry, text) in [(Expiry::AfterSend(HOUR), AN_HOUR), (Expiry::Off, HERE)] {
        alice.client.set_expiry(with_bob, expiry).await.unwrap();
        alice.says(&phone, text).await;
        phone.hears(text).await;
    }
    alice.hands(&phone, "stays.bin", vec![7; 1000]).await;
    let stays = phone.waits("the file", |event| match event {
        Event::Message(message) => message.attachments.first().cloned(),
        _ => None,
    });
    let stays = stays.await;
    phone.receives(&stays).await;
    (alice, phone)
}

/// Sends messages to devices of which some have a wrong clock.
async fn disappears(size: &Size, clocks: &Clocks) {
    let Size { count, timers } = size.clone();
    let world = Arc::new(World::new().await);
    let (alice, mut phone) = begin(&world, clocks).await;
    let with_bob = alice.client.with(phone.id()).await;
    let (laptop, _) = world.second_device_on(&phone, clocks.laptop.clone()).await;
    laptop.client.start();
    laptop.client.sync_once(PATIENCE).await.unwrap();
    let ids = [alice.id(), phone.id()];
    let record = Arc::new(Mutex::new(Record::default()));
    let mut play = Play { world: Arc::clone(&world), record, rng: Rng::with_seed(11) };
    let of_alice = play.watch("alice", &alice, with_bob);
    let (on_phone, on_laptop) = (phone.client.with(ids[0]).await, laptop.client.with(ids[0]).await);
    // Files come by themselves, so that there is something of them to be removed.
    for (person, conversation) in [(&alice, with_bob), (&phone, on_phone), (&laptop, on_laptop)] {
        person.client.set_downloads(conversation, Downloads::Automatic).await.unwrap();
    }
    let mut of_phone = play.watch("phone", &phone, on_phone);
    let mut of_laptop = Some(play.watch("laptop", &laptop, on_laptop));
    let (mut at_home, mut away) = (Some(laptop), None);
    for group in 0..GROUPS {
        match group {
            2 => {
                let last = count..count + PENDING;
                let expiry = Expiry::AfterSend(*timers.end());
                play.sends_with(&alice, ids[1], true, last.clone(), expiry).await;
                play.until_seen("laptop", last).await;
                of_laptop.take().unwrap().end().await;
                let Person { client, folder, .. } = at_home.take().unwrap();
                client.stop().await;
                away = Some(folder);
            }
            4 => {
                of_phone.end().await;
                let Person { client, folder, .. } = phone;
                client.stop().await;
                phone = world.open_on(folder, clocks.phone.clone()).await;
                phone.client.start();
                of_phone = play.watch("phone", &phone, on_phone);
            }
            6 => {
                let (folder, machine) = (away.take().unwrap(), clocks.laptop_later.clone());
                let (laptop, watcher) = match clocks.restarted {
                    true => play.restarts(folder, machine, on_laptop).await,
                    false => play.returns(folder, machine, on_laptop).await,
                };
                // What is sent next is to come while it has time.
                for person in [&alice, &phone, &laptop] {
                    person.client.sync_once(PATIENCE).await.unwrap();
                }
                (at_home, of_laptop) = (Some(laptop), Some(watcher));
            }
            _ => {}
        }
        let numbers = group * count / GROUPS..(group + 1) * count / GROUPS;
        let by_alice = group % 3 != 2;
        let (from, to) = if by_alice { (&alice, ids[1]) } else { (&phone, ids[0]) };
        play.sends(from, to, by_alice, numbers, timers.clone()).await;
        assert!(from.client.flush(PATIENCE * 3).await.unwrap());
    }
    let laptop = at_home.unwrap();
    for (person, conversation) in [(&alice, with_bob), (&phone, on_phone), (&laptop, on_laptop)] {
        person.client.sync_once(PATIENCE).await.unwrap();
        play.until_gone(person, conversation).await;
    }
    for (person, with) in [(&alice, ids[1]), (&phone, ids[0]), (&laptop, ids[0])] {
        assert!(person.texts(with).await.contains(&AN_HOUR.to_owned()));
    }
    for watcher in [of_alice, of_phone, of_laptop.unwrap()] {
        watcher.end().await;
    }
    play.record.lock().unwrap().is_right(clocks.name, count);
    for (name, person) in [("alice", alice), ("phone", phone), ("laptop", laptop)] {
        person.client.stop().await;
        is_clean(name, &person.folder);
    }
}
