//! Messages that disappear: many at once, on devices of which one is away for a while, one is started anew, and all of
//! which have a wrong clock. None is shown after its time, none goes early, and nothing of them is left on any disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use septet_client::event::Event;
use septet_client::model::{ConversationId, Draft, Expiry, Message, MessageId, OutgoingFile, Page};
use septet_protocol::id::SessionId;
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
/// How far the machine's clock is from the network's, in ms.
const WRONG: i64 = 3 * 3_600_000;

/// How many messages; the environment may ask for more, and then they have longer timers.
fn how_many() -> (usize, std::ops::RangeInclusive<u32>) {
    match std::env::var("SEPTET_VANISHING").ok().and_then(|count| count.parse().ok()) {
        Some(count) => (count, 5..=60),
        None => (60, 1..=5),
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

    /// By how many ms the devices that read the same message disagree at most about its end.
    fn differ(&self) -> Option<u64> {
        let end = |device, number| self.seen.get(&(device, number)).and_then(|seen| seen.end);
        let of = |number: &usize| Some(end("phone", *number)?.abs_diff(end("laptop", *number)?));
        let both = self.sent.iter().filter(|(_, sent)| sent.by_alice);
        both.filter_map(|(number, _)| of(number)).max()
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
                let before = world.net.now();
                let page = client.messages(it.conversation, Page::Newest, 10_000).await.unwrap();
                let (after, own) = (world.net.now(), client.now().as_ms());
                let skew = own.abs_diff(world.net.now());
                let newest = page.messages.iter().rfind(|message| !message.outgoing);
                let newest = newest.filter(|newest| it.reads && round % 15 == 14 && !newest.read);
                let newest = newest.map(|newest| newest.id);
                {
                    let mut record = record.lock().unwrap();
                    record.look(it.name, [before, after], skew, &page.messages);
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
        let after_read = self.rng.bool();
        let expiry = if after_read { Expiry::AfterRead(seconds) } else { Expiry::AfterSend(seconds) };
        let conversation = from.client.with(to).await;
        // Whoever writes has read what stands above.
        let above = (0..numbers.start).collect();
        self.record.lock().unwrap().reads(by_alice, &above, self.world.net.now());
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
        let it = Watched { name, is_alice: name == "alice", conversation, reads: true };
        Watcher::of(&self.world, &self.record, person, it)
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
fn is_clean(name: &str, folder: &tempfile::TempDir) {
    let disk = disk::of(folder.path());
    assert_eq!(disk.log_length(), 0, "{name}");
    let pages = disk.pages();
    assert!(disk::count(&pages, "stays here") > 0, "{name}: what stays is found");
    assert_eq!(disk::count(&pages, MARK), 0, "{name}");
    let terms = disk.terms();
    assert!(terms.iter().any(|term| term == "stays"), "{name}: {terms:?}");
    assert!(!terms.iter().any(|term| term.starts_with(&MARK[..3])), "{name}: {terms:?}");
    assert_eq!((disk.files().len(), disk.files()), (1, disk.files_of_rows()), "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_disappears_is_shown_till_its_time_and_then_nowhere_any_more() {
    let (count, timers) = how_many();
    let world = Arc::new(World::new().await);
    world.net.set_clock_offset(WRONG);
    let (alice, mut phone) = world.friends().await;
    alice.says(&phone, "stays here").await;
    alice.hands(&phone, "stays.bin", vec![7; 1000]).await;
    let stays = phone.waits("the file", |event| match event {
        Event::Message(message) => message.attachments.first().cloned(),
        _ => None,
    });
    let stays = stays.await;
    phone.receives(&stays).await;
    let (laptop, _) = world.second_device(&phone).await;
    laptop.client.start();
    laptop.client.sync_once(PATIENCE).await.unwrap();
    let ids = [alice.id(), phone.id()];
    let record = Arc::new(Mutex::new(Record::default()));
    let mut play = Play { world: Arc::clone(&world), record, rng: Rng::with_seed(11) };
    let with_bob = alice.client.with(ids[1]).await;
    let of_alice = play.watch("alice", &alice, with_bob);
    let (on_phone, on_laptop) = (phone.client.with(ids[0]).await, laptop.client.with(ids[0]).await);
    let mut of_phone = play.watch("phone", &phone, on_phone);
    let mut of_laptop = Some(play.watch("laptop", &laptop, on_laptop));
    let (mut at_home, mut away) = (Some(laptop), None);
    for group in 0..GROUPS {
        match group {
            2 => {
                of_laptop.take().unwrap().end().await;
                let Person { client, folder, .. } = at_home.take().unwrap();
                client.stop().await;
                away = Some(folder);
            }
            4 => {
                of_phone.end().await;
                phone = world.reopen(phone).await;
                of_phone = play.watch("phone", &phone, on_phone);
            }
            6 => {
                // Looked at for a while without anything that runs, and then with it.
                let laptop = world.open(away.take().unwrap()).await;
                of_laptop = Some(play.watch("laptop", &laptop, on_laptop));
                laptop.client.start();
                at_home = Some(laptop);
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
