//! Whether anything grows with what is kept: the same operations on a profile of 1,000 messages and on one of a
//! million with 10,000 contacts, in one run. What must hold: no median is more than twice the other.
//!
//! The large profile is made once and kept under `target/`; a run adds what it sends and receives. The operations are
//! those of the client as the window calls them; only what arrives is handed to the store as the engine does it, because
//! a poll would be measured with its pause. `SEPTET_BENCH_MESSAGES` makes the large one smaller, its contacts and files in
//! proportion.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod profile;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use profile::Sizes;
use septet_client::client::{Client, KeyProtection, OpenOptions};
use septet_client::model::{ConversationId, Draft, MessageId, Page};
use septet_client::store::{Db, Store};
use septet_devnet::Devnet;
use septet_network::NetworkConfig;
use septet_protocol::time::Timestamp;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// So often a profile is opened.
const OPENINGS: usize = 11;

/// Both have as many conversations: the list is the one thing that grows with them.
const SMALL: Sizes =
    Sizes { conversations: 1_000, messages: 1_000, contacts: 1_000, attachments: 20, groups: 50, rooms: 20 };

fn large() -> Sizes {
    let messages = std::env::var("SEPTET_BENCH_MESSAGES").ok().and_then(|text| text.parse().ok());
    let messages: u64 = messages.unwrap_or(1_000_000);
    let (contacts, attachments) = (messages / 100, messages / 50);
    Sizes { messages, contacts: contacts.max(1_000), attachments, ..SMALL }
}

/// The large profile; made if that was not done before.
fn kept(runtime: &Runtime) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("profile-{}", large().messages));
    let unfinished = folder.with_extension("unfinished");
    if !folder.exists() {
        std::fs::remove_dir_all(&unfinished).ok();
        let start = Instant::now();
        make(runtime, &unfinished, large());
        println!("a profile of {} messages made in {:.0?}", large().messages, start.elapsed());
        std::fs::rename(&unfinished, &folder).unwrap();
    }
    folder
}

fn make(runtime: &Runtime, folder: &Path, sizes: Sizes) {
    runtime.block_on(profile::make(folder, sizes, now(), |_| {})).unwrap();
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_ms(u64::try_from(since.as_millis()).unwrap())
}

/// A profile at rest: its tasks do not run.
struct Bench {
    runtime: Runtime,
    folder: PathBuf,
    network: NetworkConfig,
    _temporary: TempDir,
}

impl Bench {
    fn new(is_large: bool) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let temporary = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let folder = match is_large {
            true => kept(&runtime),
            false => {
                let folder = temporary.path().join("profile");
                make(&runtime, &folder, SMALL);
                folder
            }
        };
        // A network that is not there any more.
        let network = runtime.block_on(async {
            let devnet = Devnet::start().await.unwrap();
            let network = NetworkConfig::from_toml(&devnet.network_toml()).unwrap();
            devnet.shutdown().await;
            network
        });
        Self { runtime, folder, network, _temporary: temporary }
    }

    fn open(&self) -> Client {
        let options = OpenOptions::new(self.network.clone()).key_protection(KeyProtection::KeyFile);
        self.runtime.block_on(Client::open(&self.folder, options)).unwrap()
    }

    /// The first opening finds out that documents and tables agree; the median of the others.
    fn openings(&self) -> Duration {
        let mut times: Vec<Duration> = (0..=OPENINGS)
            .map(|_| {
                let start = Instant::now();
                let client = self.open();
                let took = start.elapsed();
                self.runtime.block_on(client.stop());
                took
            })
            .skip(1)
            .collect();
        times.sort();
        times.get(OPENINGS / 2).copied().unwrap_or_default()
    }

    fn store(&self) -> Store {
        Store::open(&self.folder).unwrap()
    }
}

/// What the window asks of an open account.
struct Opened<'a> {
    runtime: &'a Runtime,
    client: Client,
    /// The one with half of all messages.
    long: ConversationId,
    /// One of the others.
    other: ConversationId,
}

impl<'a> Opened<'a> {
    fn new(bench: &'a Bench) -> Self {
        let client = bench.open();
        let find = |number| {
            let address = profile::person(number).into();
            bench.runtime.block_on(client.find_conversation(&address)).unwrap().unwrap()
        };
        let (long, other) = (find(0), find(7));
        Self { runtime: &bench.runtime, client, long, other }
    }

    fn list(&self) -> usize {
        self.runtime.block_on(self.client.conversations()).unwrap().len()
    }

    fn one(&self) -> u32 {
        self.runtime.block_on(self.client.conversation(self.long)).unwrap().unwrap().unread
    }

    fn page(&self, page: Page) -> Vec<MessageId> {
        let page = self.runtime.block_on(self.client.messages(self.long, page, 50)).unwrap();
        page.messages.into_iter().map(|message| message.id).collect()
    }

    fn send(&self, number: u64) {
        let draft = Draft { text: format!("text number {number}"), ..Draft::default() };
        self.runtime.block_on(self.client.send(self.other, draft)).unwrap();
    }

    fn pin(&self, number: u64) {
        self.runtime.block_on(self.client.pin(self.other, number.is_multiple_of(2))).unwrap();
    }

    fn mark_unread(&self, number: u64) {
        self.runtime.block_on(self.client.mark_unread(self.other, number.is_multiple_of(2))).unwrap();
    }
}

fn both(c: &mut Criterion) {
    let benches = [("small", Bench::new(false)), ("large", Bench::new(true))];
    for (name, bench) in &benches {
        println!("{name}: opened in {:.1?}, median of {OPENINGS}", bench.openings());
    }
    for (name, bench) in &benches {
        let opened = Opened::new(bench);
        let half = opened.page(Page::Newest).first().copied().unwrap();
        let mut group = c.benchmark_group("scale");
        let mut number = 0;
        let mut next = || {
            number += 1;
            number
        };
        group.bench_function(format!("list/{name}"), |b| b.iter(|| opened.list()));
        group.bench_function(format!("one row of the list/{name}"), |b| b.iter(|| opened.one()));
        group.bench_function(format!("newest page/{name}"), |b| b.iter(|| opened.page(Page::Newest)));
        group.bench_function(format!("page before/{name}"), |b| b.iter(|| opened.page(Page::Before(half))));
        group.bench_function(format!("send/{name}"), |b| b.iter(|| opened.send(next())));
        group.bench_function(format!("pin/{name}"), |b| b.iter(|| opened.pin(next())));
        group.bench_function(format!("mark unread/{name}"), |b| b.iter(|| opened.mark_unread(next())));
        let start = Instant::now();
        let newest = opened.page(Page::Newest).last().copied().unwrap();
        bench.runtime.block_on(opened.client.mark_read(opened.long, newest)).unwrap();
        println!("{name}: the longest conversation marked as read in {:.1?}", start.elapsed());
        let me = opened.client.id();
        bench.runtime.block_on(opened.client.stop());

        let (store, received) = (bench.store(), now());
        group.bench_function(format!("receive/{name}"), |b| {
            b.iter(|| {
                let (from, batch) = profile::arrival(me, received, next());
                let take = move |db: &mut Db| {
                    db.transaction(|db| {
                        db.apply_received(&batch)?;
                        db.note_contact(from, batch.now)
                    })
                };
                bench.runtime.block_on(store.call(take)).unwrap()
            });
        });
        group.finish();
        bench.runtime.block_on(store.close());
    }
}

criterion_group!(benches, both);
criterion_main!(benches);
