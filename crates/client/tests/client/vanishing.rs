//! Messages that disappear: many at once, on devices of which one is away for a while, one is started anew, and one or
//! all of which have a wrong clock. None is shown after its time, none goes early, and nothing of them is left on any
//! disk.
//!
//! A machine that was started anew with a wrong clock and has no network cannot know what time it is. Until it has one it
//! may hide what is not over, and no more than hide it; but even then it shows nothing that is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use septet_client::event::Event;
use septet_client::model::{ConversationId, Draft, Expiry, Message, MessageId, OutgoingFile, Page};
use septet_network::MachineClock;
use septet_protocol::id::SessionId;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::disk;
use crate::world::{PATIENCE, Person, With, World};

/// Every text begins with these letters, which stand together nowhere else.
const MARK: &str = "wqjxkvz";
/// So many timers are set one after the other.
const GROUPS: usize = 10;
/// What is shown may be late by so much, in ms.
const LATE: u64 = 1000;
/// The clocks of devices are to be right to so many ms: replies of a busy machine come late.
const CLOCKS: u64 = 1500;
/// So many messages where the clock of one is wrong, unless the environment asks for more.
const FEW: usize = 30;
/// How far a machine's clock is from the network's, in ms.
const WRONG: i64 = 3 * 3_600_000;
/// A message that is to be there at the end, though by a clock so wrong it is over: an hour, in seconds.
const HOUR: u32 = 3600;
/// So many count down on the laptop when it goes away.
const PENDING: usize = 3;
/// So often is a device looked at that cannot know what time it is; somebody reads on it meanwhile.
const UNKNOWING: usize = 20;

/// How many messages; the environment may ask for more, and then they have longer timers.
fn how_many(few: usize) -> (usize, std::ops::RangeInclusive<u32>) {
    match std::env::var("SEPTET_VANISHING").ok().and_then(|count| count.parse().ok()) {
        Some(count) => (count, 5..=60),
        None => (few, 1..=5),
    }
}

/// Whose clock is wrong.
#[derive(Clone, Default)]
struct Clocks {
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
    fn laptop_restarted(ahead: i64) -> Self {
        let laptop_later = MachineClock::ahead_by(ahead).started_anew("another");
        Self { laptop_later, restarted: true, ..Self::default() }
    }
}

/// A message on its way to disappear.
#[derive(Clone, Copy)]
struct Sent {
    by_alice: bool,
    after_read: bool,
    /// When it was read first, in ms of the network's time, or a little before that.
    start: Option<u64>,
    length: u64,
}

/// What one device has shown of a message.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// When its countdown began, where that does not depend on reading.
    start: Option<u64>,
    /// When it is to end, as it said last.
    end: Option<u64>,
    gone: bool,
}

/// What was sent, what was shown, and what was wrong.
#[derive(Default)]
struct Record {
    sent: BTreeMap<usize, Sent>,
    seen: BTreeMap<(&'static str, usize), Seen>,
    /// How far the clock of a device was from the network's at most, in ms.
    skew: u64,
    wrong: Vec<String>,
    looks: usize,
    /// How often a device was looked at that could not know what time it is.
    unknowing: usize,
}

impl Record {
    /// Somebody is about to read what is here of the other; from then on it counts.
    fn reads(&mut self, by_alice: bool, numbers: &BTreeSet<usize>, now: u64) {
        for number in numbers {
            let sent = self.sent.get_mut(number).unwrap();
            if sent.after_read && sent.by_alice != by_alice {
                sent.start.get_or_insert(now);
            }
        }
    }

    /// When the last of what a device has shown ends.
    fn last_end(&self, device: &str) -> Option<u64> {
        self.seen.iter().filter(|((of, _), _)| *of == device).filter_map(|(_, seen)| seen.end).max()
    }

    /// By how many ms the devices that read the same message disagree at most about its end.
    fn differ(&self) -> Option<u64> {
        let end = |device, number| self.seen.get(&(device, number)).and_then(|seen| seen.end);
        let of = |number: &usize| Some(end("phone", *number)?.abs_diff(end("laptop", *number)?));
        let both = self.sent.iter().filter(|(_, sent)| sent.by_alice);
        both.filter_map(|(number, _)| of(number)).max()
    }

    /// A device that cannot know what time it is was asked for its messages, at this moment.
    fn look_unknowing(&mut self, device: &'static str, before: u64, shown: &[Message]) {
        self.unknowing += 1;
        let shown = shown.iter().filter(|message| message.text.starts_with(MARK));
        for (message, end) in shown.filter_map(|message| Some((message, message.expires_at?.as_ms()))) {
            // It may hide too much, and then nothing is missing as soon as it knows the time.
            if before > end + LATE {
                self.wrong.push(format!("{device}: {} is shown {} ms late", message.text, before - end));
            }
        }
    }

    /// A device was asked for its messages between two moments, with a clock that is so far from the network's.
    fn look(&mut self, device: &'static str, between: [u64; 2], skew: u64, shown: &[Message]) {
        let [before, after] = between;
        // What began by a clock that was off ends by it, though the clock is right by then.
        let skew = self.skew.max(skew);
        self.skew = skew;
        self.looks += 1;
        let mut here = BTreeSet::new();
        for message in shown.iter().filter(|message| message.text.starts_with(MARK)) {
            let number: usize = message.text[MARK.len()..].parse().unwrap();
            here.insert(number);
            let seen = self.seen.entry((device, number)).or_default();
            if seen.gone {
                self.wrong.push(format!("{device}: {number} came back"));
            }
            let sent = self.sent[&number];
            if message.outgoing || !sent.after_read {
                seen.start = Some(message.timestamp.as_ms());
            }
            if let Some(end) = message.expires_at.map(|at| at.as_ms()) {
                seen.end = Some(end);
                let Some(start) = seen.start.or(sent.start) else {
                    self.wrong.push(format!("{device}: {number} counts and was not read"));
                    continue;
                };
                if end + skew < start + sent.length {
                    let early = start + sent.length - end;
                    self.wrong.push(format!("{device}: {number} is to end {early} ms early"));
                }
                let latest = match sent.after_read || message.outgoing {
                    true => after,
                    false => message.timestamp.as_ms(),
                };
                if end > latest + sent.length + skew {
                    let late = end - latest - sent.length;
                    self.wrong.push(format!("{device}: {number} is to end {late} ms late"));
                }
                if before > end + LATE + skew {
                    self.wrong.push(format!("{device}: {number} is shown {} ms late", before - end));
                }
            }
        }
        for ((_, number), seen) in self.seen.iter_mut().filter(|((of, _), _)| *of == device) {
            if seen.gone || here.contains(number) {
                continue;
            }
            seen.gone = true;
            let sent = self.sent[number];
            match seen.start.or(sent.start) {
                None => self.wrong.push(format!("{device}: {number} is gone and was not read")),
                Some(start) if after + skew < start + sent.length => {
                    let early = start + sent.length - after;
                    self.wrong.push(format!("{device}: {number} is gone {early} ms early"));
                }
                Some(_) => {}
            }
        }
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

fn numbers(shown: &[Message]) -> BTreeSet<usize> {
    shown.iter().filter_map(|message| message.text.strip_prefix(MARK)?.parse().ok()).collect()
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
        numbers: std::ops::Range<usize>,
        timers: std::ops::RangeInclusive<u32>,
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
        numbers: std::ops::Range<usize>,
        expiry: Expiry,
    ) {
        let (Expiry::AfterRead(seconds) | Expiry::AfterSend(seconds)) = expiry else { unreachable!() };
        let after_read = matches!(expiry, Expiry::AfterRead(_));
        let conversation = from.client.with(to).await;
        {
            // Whoever writes has read what stands above.
            let mut record = self.record.lock().unwrap();
            let above = record.sent.keys().copied().collect();
            record.reads(by_alice, &above, self.world.net.now());
        }
        from.client.set_expiry(conversation, expiry).await.unwrap();
        for number in numbers {
            let text = format!("{MARK}{number}");
            let files = if number % 10 == 3 { vec![file(&text)] } else { Vec::new() };
            let length = u64::from(seconds) * 1000;
            let sent = Sent { by_alice, after_read, start: None, length };
            self.record.lock().unwrap().sent.insert(number, sent);
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
    async fn until_seen(&self, device: &'static str, numbers: std::ops::Range<usize>) {
        let is_seen = |record: &Record| {
            let mut numbers = numbers.clone();
            numbers.all(|number| record.seen.contains_key(&(device, number)))
        };
        let seen = async {
            while !is_seen(&self.record.lock().unwrap()) {
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
    for stays in ["stays here", "stays an hour"] {
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
    disappears(60, Clocks { network: WRONG, ..Clocks::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_where_the_one_that_was_away_is_three_hours_ahead() {
    let (laptop, laptop_later) = (MachineClock::ahead_by(WRONG), MachineClock::ahead_by(WRONG));
    disappears(FEW, Clocks { laptop, laptop_later, ..Clocks::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_where_the_one_that_is_started_anew_is_three_hours_behind() {
    disappears(FEW, Clocks { phone: MachineClock::ahead_by(-WRONG), ..Clocks::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_where_a_machine_is_three_hours_ahead_after_it_was_started_anew() {
    disappears(FEW, Clocks::laptop_restarted(WRONG)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_where_a_machine_is_three_hours_behind_after_it_was_started_anew() {
    disappears(FEW, Clocks::laptop_restarted(-WRONG)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_wrong_clock_hides_is_shown_again_when_the_time_is_known() {
    for ahead in [WRONG, -WRONG] {
        let world = World::new().await;
        let (alice, mut bob) = world.friends().await;
        let (with_bob, with_alice) = (alice.client.with(bob.id()).await, bob.client.with(alice.id()).await);
        alice.client.set_expiry(with_bob, Expiry::AfterSend(HOUR)).await.unwrap();
        alice.says(&bob, "stays an hour").await;
        bob.hears("stays an hour").await;
        let Person { client, folder, .. } = bob;
        client.sync_once(PATIENCE).await.unwrap();
        client.stop().await;
        world.net.network_down(true);
        let machine = MachineClock::ahead_by(ahead).started_anew("another");
        bob = world.open_on(folder, machine).await;
        bob.client.start();
        let shows_it = async |bob: &Person| bob.texts(alice.id()).await.contains(&"stays an hour".to_owned());
        let changes = |event| matches!(event, Event::Messages(id) if id == with_alice).then_some(());
        bob.waits("that it is hidden", changes).await;
        assert!(!shows_it(&bob).await, "{ahead}");
        assert!(disk::of(bob.folder.path()).texts().contains(&"stays an hour".to_owned()), "{ahead}");
        world.net.network_down(false);
        bob.waits("that it is not hidden any more", changes).await;
        assert!(shows_it(&bob).await, "{ahead}");
    }
}

/// Sends at least so many messages to devices of which some have a wrong clock.
async fn disappears(few: usize, clocks: Clocks) {
    let (count, timers) = how_many(few);
    let world = Arc::new(World::new().await);
    world.net.set_clock_offset(clocks.network);
    let (alice, mut phone) = world.friends_on([MachineClock::default(), clocks.phone.clone()]).await;
    let with_bob = alice.client.with(phone.id()).await;
    alice.client.set_expiry(with_bob, Expiry::AfterSend(HOUR)).await.unwrap();
    alice.says(&phone, "stays an hour").await;
    phone.hears("stays an hour").await;
    alice.client.set_expiry(with_bob, Expiry::Off).await.unwrap();
    alice.says(&phone, "stays here").await;
    alice.hands(&phone, "stays.bin", vec![7; 1000]).await;
    let stays = phone.waits("the file", |event| match event {
        Event::Message(message) => message.attachments.first().cloned(),
        _ => None,
    });
    let stays = stays.await;
    phone.receives(&stays).await;
    let (laptop, _) = world.second_device_on(&phone, clocks.laptop.clone()).await;
    laptop.client.start();
    laptop.client.sync_once(PATIENCE).await.unwrap();
    let ids = [alice.id(), phone.id()];
    let record = Arc::new(Mutex::new(Record::default()));
    let mut play = Play { world: Arc::clone(&world), record, rng: Rng::with_seed(11) };
    let of_alice = play.watch("alice", &alice, with_bob);
    let (on_phone, on_laptop) = (phone.client.with(ids[0]).await, laptop.client.with(ids[0]).await);
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
        assert!(person.texts(with).await.contains(&"stays an hour".to_owned()));
    }
    for watcher in [of_alice, of_phone, of_laptop.unwrap()] {
        watcher.end().await;
    }
    let record = std::mem::take(&mut *play.record.lock().unwrap());
    println!("{count} messages, {} looks", record.looks);
    println!("devices differ by {:?} ms at most, clocks by {} ms", record.differ(), record.skew);
    assert!(record.skew < CLOCKS);
    assert_eq!(record.wrong, Vec::<String>::new());
    for device in ["alice", "phone", "laptop"] {
        let shown = record.seen.keys().filter(|(of, _)| *of == device).count();
        println!("{device} showed {shown}");
        assert!(shown * 4 > count, "{device} showed {shown}");
    }
    for (name, person) in [("alice", alice), ("phone", phone), ("laptop", laptop)] {
        person.client.stop().await;
        is_clean(name, &person.folder);
    }
}
