//! How fast the store is with a long history: what a poll brings, what a page costs, what one commit costs, and how long
//! it takes to mark everything as read.
//!
//! `SEPTET_BENCH_MESSAGES` sets how many messages the long conversation has (100,000 if it is not set; the figures of
//! pages hardly change with it, which is what they are here to show).

#![allow(missing_docs, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use septet_client::key::KeyProtection;
use septet_client::model::{ConversationId, Expiry, MessageId, Page};
use septet_client::store::{
    Cursor, Db, Incoming, IncomingKind, JobKind, Meaning, NewJob, Now, OutgoingMessage, ReceivedBatch,
    ReceivedItem, Store, StoredAccount,
};
use septet_protocol::account::Seed;
use septet_protocol::id::{Account, Ed25519Public, MessageHash, Namespace, SessionId};
use septet_protocol::time::Timestamp;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const NOW: Timestamp = Timestamp::from_ms(1_790_000_000_000);
const ME: SessionId = SessionId([1; 32]);
const ALICE: SessionId = SessionId([2; 32]);
/// Messages in one reply of a swarm.
const BATCH: u64 = 250;

struct Bench {
    runtime: Runtime,
    store: Store,
    alice: ConversationId,
    _folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let account = StoredAccount { id: ME, seed: Seed::from_bytes([1; 16]), created: NOW };
        let path = folder.path().join("profile");
        let store = Store::create(&path, KeyProtection::KeyFile, &account, |_| Ok(())).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let befriend = |db: &mut Db| {
            // Of strangers only so much is kept.
            db.set_approved(ALICE, true)?;
            db.make_conversation(&ALICE.into())
        };
        let alice = runtime.block_on(store.call(befriend)).unwrap();
        Self { runtime, store, alice, _folder: folder }
    }

    /// Takes in so many messages, a batch to a commit.
    fn receive(&self, first: u64, count: u64) {
        for start in (first..first + count).step_by(BATCH as usize) {
            let batch = batch(start, BATCH.min(first + count - start));
            self.runtime.block_on(self.store.call(move |db| db.apply_received(&batch))).unwrap();
        }
    }

    fn page(&self, page: Page) -> Vec<MessageId> {
        let alice = self.alice;
        let page = self.store.read(move |db| db.messages(alice, page, 50, NOW));
        self.runtime.block_on(page).unwrap().messages.into_iter().map(|message| message.id).collect()
    }

    fn mark_read(&self, up_to: MessageId) {
        let (alice, now) = (self.alice, Now::Known(NOW + 2_000_000_000));
        let marked = self.store.call(move |db| db.mark_read(alice, up_to, now));
        assert!(self.runtime.block_on(marked).unwrap().any);
    }

    /// Clears the conversation, and asks for something else all the time until its rows are gone.
    fn clear(&self) {
        let (alice, start) = (self.alice, Instant::now());
        self.runtime.block_on(self.store.call(move |db| db.clear_messages(alice))).unwrap();
        let at_once = start.elapsed();
        let (mut longest, mut orders) = (Duration::ZERO, 0);
        let is_there = |db: &mut Db| Ok(db.message(MessageId(1))?.is_some() || db.is_clearing()?);
        loop {
            let asked = Instant::now();
            let left = self.runtime.block_on(self.store.call(is_there)).unwrap();
            longest = longest.max(asked.elapsed());
            orders += 1;
            if !left {
                break;
            }
        }
        eprintln!(
            "cleared in {:.1} ms; its rows were gone after {:.1} s, with {orders} orders in between that waited for {:.0} ms at most",
            at_once.as_secs_f64() * 1000.0,
            start.elapsed().as_secs_f64(),
            longest.as_secs_f64() * 1000.0,
        );
    }

    fn send(&self, number: u64) {
        let timestamp = NOW + 1_000_000_000 + number;
        let message = OutgoingMessage {
            preview: None,
            conversation: self.alice,
            timestamp,
            text: "a message that goes out".to_owned(),
            quote: None,
            attachments: Vec::new(),
            notice: None,
            expiry: Expiry::Off,
        };
        let job = NewJob {
            kind: JobKind::ToRecipient,
            recipient: Account::User(ALICE),
            namespace: Namespace::MESSAGES,
            message: None,
            timestamp,
            ttl_ms: 1_209_600_000,
            payload: Some(vec![0; 600]),
            wish: None,
            copy: None,
        };
        self.runtime
            .block_on(self.store.call(move |db| db.insert_outgoing(&message, &[job], Now::Known(NOW))))
            .unwrap();
    }
}

fn batch(first: u64, count: u64) -> ReceivedBatch {
    let items: Vec<ReceivedItem> = (first..first + count).map(item).collect();
    ReceivedBatch {
        node: Ed25519Public([9; 32]),
        account: Account::User(ME),
        namespace: Namespace::MESSAGES,
        last_hash: items.last().map(|item| Cursor { hash: item.hash, expires_at: item.expiration }),
        generation: 0,
        items,
        now: NOW + 2_000_000_000,
    }
}

fn item(number: u64) -> ReceivedItem {
    let mut hash = septet_protocol::crypto::blake2b(&[], &[&number.to_le_bytes()]);
    hash[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    let kind = IncomingKind::Message {
        text: format!("message {number} of a long conversation, about as long as people write"),
        attachments: Vec::new(),
        quote: None,
        preview: None,
        expiry: Expiry::Off,
    };
    let incoming = Incoming {
        sender: ALICE,
        conversation: ALICE.into(),
        timestamp: NOW + number,
        msg_id: None,
        profile: None,
        kind,
    };
    ReceivedItem {
        hash: MessageHash(hash),
        stored_at: NOW + number,
        expiration: NOW + 1_209_600_000,
        meaning: Meaning::Said(Box::new(incoming)),
    }
}

fn receive(c: &mut Criterion) {
    let mut group = c.benchmark_group("receive");
    group.sample_size(10).measurement_time(Duration::from_secs(20));
    group.bench_function("10,000 messages into an empty profile", |b| {
        b.iter_batched(Bench::new, |bench| bench.receive(0, 10_000), BatchSize::PerIteration);
    });
}

fn long_history(c: &mut Criterion) {
    let count =
        std::env::var("SEPTET_BENCH_MESSAGES").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let bench = Bench::new();
    let start = Instant::now();
    bench.receive(0, count);
    eprintln!("{count} messages taken in within {:.1} s", start.elapsed().as_secs_f64());
    let middle = MessageId(i64::try_from(count / 2).unwrap());
    for (what, up_to) in [("half", middle), ("the rest", *bench.page(Page::Newest).last().unwrap())] {
        let start = Instant::now();
        bench.mark_read(up_to);
        eprintln!("{what} of {count} marked as read in {:.1} ms", start.elapsed().as_secs_f64() * 1000.0);
    }

    let mut group = c.benchmark_group("long history");
    group.bench_function("newest page", |b| b.iter(|| bench.page(Page::Newest)));
    group.bench_function("page around the middle", |b| b.iter(|| bench.page(Page::Around(middle))));
    group.bench_function("page before the middle", |b| b.iter(|| bench.page(Page::Before(middle))));
    group.bench_function("conversation list", |b| {
        b.iter(|| bench.runtime.block_on(bench.store.read(|db| db.conversations(NOW))).unwrap());
    });
    let mut number = 0;
    group.bench_function("send: message and job, one commit", |b| {
        b.iter(|| {
            number += 1;
            bench.send(number);
        });
    });
    let mut next = count;
    group.bench_function("receive: one message, one commit", |b| {
        b.iter(|| {
            bench.receive(next, 1);
            next += 1;
        });
    });
    group.finish();
    bench.clear();
}

criterion_group!(benches, receive, long_history);
criterion_main!(benches);
