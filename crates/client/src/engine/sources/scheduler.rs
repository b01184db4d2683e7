//! Asks each source when it is due.
//!
//! When that is says the [`agenda`](super::agenda); this carries it out: it begins rounds, waits for what happens
//! next, and counts the rounds of each source so that others can wait for one.
//!
//! Decision: a source exists only while the scheduler runs, made by its name when its first round begins. Names are
//! all that others hand about, so nothing has to be put away when sources come and go while the program starts or ends.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::agenda::{Agenda, Ended, Next};
use super::key::{Change, SourceKey};
use super::source::{AnySource, CarryOut, PollError};
use crate::engine::effects::Effects;
use crate::engine::pace;
use crate::event::Event;

/// How often a source was asked, and the bell that has it asked now.
pub struct Polls {
    rung: AtomicBool,
    /// What the scheduler listens to.
    happened: Arc<Notify>,
    begun: AtomicU64,
    completed: watch::Sender<u64>,
    /// A config message could not be read.
    unreadable: AtomicBool,
}

impl Polls {
    fn new(happened: Arc<Notify>) -> Self {
        Self {
            rung: AtomicBool::new(false),
            happened,
            begun: AtomicU64::new(0),
            completed: watch::Sender::new(0),
            unreadable: AtomicBool::new(false),
        }
    }

    /// Has it asked at once.
    pub fn ring(&self) {
        self.rung.store(true, Ordering::SeqCst);
        self.happened.notify_one();
    }

    /// Has it asked at once, and waits until a round that begins after this call is complete.
    pub async fn next(&self) {
        let wanted = self.begun() + 1;
        self.ring();
        self.reach(wanted).await;
    }

    /// Waits until the first round after the start is complete.
    pub async fn first(&self) {
        self.reach(1).await;
    }

    /// How many rounds were begun.
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }

    /// The number of each round that is completed from now on.
    pub fn completions(&self) -> watch::Receiver<u64> {
        self.completed.subscribe()
    }

    /// Whether all config messages of this run could be read.
    pub fn all_readable(&self) -> bool {
        !self.unreadable.load(Ordering::SeqCst)
    }

    /// A config message could not be read.
    pub fn found_unreadable(&self) {
        self.unreadable.store(true, Ordering::SeqCst);
    }

    async fn reach(&self, round: u64) {
        let mut completed = self.completed.subscribe();
        // The sender lives as long as we do, so this cannot fail.
        let _ = completed.wait_for(|done| *done >= round).await;
    }

    /// A round begins; returns its number.
    fn begin(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// What others have to say to the scheduler.
#[derive(Default)]
pub struct Sources {
    happened: Arc<Notify>,
    orders: Mutex<Orders>,
}

#[derive(Default)]
struct Orders {
    changes: Vec<Change>,
    wake_all: bool,
    polls: BTreeMap<SourceKey, Arc<Polls>>,
}

impl Sources {
    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A source comes or goes; for one that is there already, or is gone, nothing changes.
    pub fn change(&self, change: Change) {
        self.orders().changes.push(change);
        self.happened.notify_one();
    }

    /// How far a source is, also before it comes; its rounds are counted on if it goes and comes back.
    pub fn polls(&self, key: SourceKey) -> Arc<Polls> {
        let new = || Arc::new(Polls::new(Arc::clone(&self.happened)));
        Arc::clone(self.orders().polls.entry(key).or_insert_with(new))
    }

    /// Has all sources asked that wait for their time, or after a failure.
    pub fn wake_all(&self) {
        self.orders().wake_all = true;
        self.happened.notify_one();
    }

    /// Asks the sources until it is cancelled. `own` is our own swarm, which waits for no other; `make` makes a source
    /// by its name, unless there is no such thing any more.
    pub async fn run(
        &self,
        own: SourceKey,
        make: impl Fn(SourceKey) -> Option<Box<dyn AnySource>> + Send,
        carry_out: CarryOut<'_>,
        cancel: &CancellationToken,
    ) {
        let mut work = Work::new(own, carry_out);
        while !cancel.is_cancelled() {
            self.take_orders(&mut work);
            let wake = self.start_due(&mut work, &make);
            let wait = async {
                match wake {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = cancel.cancelled() => return,
                Some(done) = work.rounds.next() => self.ended(&mut work, done),
                () = self.happened.notified() => {}
                () = wait => {}
            }
        }
    }

    /// Notes what others had to say.
    fn take_orders(&self, work: &mut Work<'_>) {
        let now = work.now();
        let mut orders = self.orders();
        for change in orders.changes.drain(..) {
            match change {
                Change::Appeared(key) => work.agenda.add(key, now),
                Change::Gone(key) => work.remove(&key),
            }
        }
        if std::mem::take(&mut orders.wake_all) {
            work.agenda.wake_all(now);
        }
        for (key, polls) in &orders.polls {
            if polls.rung.swap(false, Ordering::SeqCst) {
                work.agenda.ring(key);
            }
        }
    }

    /// Begins all rounds that are to begin now; returns when it is to be looked again.
    fn start_due(
        &self,
        work: &mut Work<'_>,
        make: impl Fn(SourceKey) -> Option<Box<dyn AnySource>>,
    ) -> Option<Instant> {
        loop {
            match work.agenda.next(work.now()) {
                Next::Nothing => return None,
                Next::At(at) => return Some(work.started + at),
                Next::Start(key) => match work.idle.remove(&key).or_else(|| make(key)) {
                    Some(source) => work.start(key, source, self.polls(key)),
                    None => {
                        // Marked as begun by the agenda: it ends with that.
                        work.agenda.remove(&key);
                        work.agenda.ended(&key, Ended::Cancelled, |_| Duration::ZERO, work.now());
                    }
                },
            }
        }
    }

    /// A round has ended.
    fn ended(&self, work: &mut Work<'_>, done: Done) {
        let Done { key, number, source, result } = done;
        work.cancel.remove(&key);
        let how = match &result {
            Some(Ok(())) => Ended::Complete,
            Some(Err(_)) => Ended::Failed,
            None => Ended::Cancelled,
        };
        let pace = source.pace();
        let failures = work.agenda.ended(&key, how, |failures| pace::poll(pace, failures), work.now());
        match result {
            Some(Ok(())) => {
                work.store_fails = false;
                self.polls(key).completed.send_replace(number);
            }
            Some(Err(error)) => work.report(&error, failures),
            None => return,
        }
        if failures.is_some() {
            work.idle.insert(key, source);
        }
    }
}

/// A round that has ended; without a result if it was broken off.
struct Done {
    key: SourceKey,
    number: u64,
    source: Box<dyn AnySource>,
    result: Option<Result<(), PollError>>,
}

/// What the scheduler holds while it runs.
struct Work<'a> {
    agenda: Agenda,
    started: Instant,
    idle: BTreeMap<SourceKey, Box<dyn AnySource>>,
    rounds: FuturesUnordered<BoxFuture<'a, Done>>,
    /// What breaks off the rounds under way.
    cancel: BTreeMap<SourceKey, CancellationToken>,
    carry_out: CarryOut<'a>,
    /// The last that was heard of the store is that it cannot keep what comes.
    store_fails: bool,
}

impl<'a> Work<'a> {
    fn new(own: SourceKey, carry_out: CarryOut<'a>) -> Self {
        Self {
            agenda: Agenda::new(own),
            started: Instant::now(),
            idle: BTreeMap::new(),
            rounds: FuturesUnordered::new(),
            cancel: BTreeMap::new(),
            carry_out,
            store_fails: false,
        }
    }

    /// The agenda's time.
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Begins a round.
    fn start(&mut self, key: SourceKey, mut source: Box<dyn AnySource>, polls: Arc<Polls>) {
        let (number, carry_out) = (polls.begin(), self.carry_out);
        let cancel = CancellationToken::new();
        self.cancel.insert(key, cancel.clone());
        self.rounds.push(Box::pin(async move {
            let result = cancel.run_until_cancelled(source.round(carry_out)).await;
            Done { key, number, source, result }
        }));
    }

    /// A source is to be asked no more.
    fn remove(&mut self, key: &SourceKey) {
        self.idle.remove(key);
        if self.agenda.remove(key)
            && let Some(cancel) = self.cancel.get(key)
        {
            cancel.cancel();
        }
    }

    /// Tells once what a person can do something about; the rest is tried again.
    fn report(&mut self, error: &PollError, failures: Option<u32>) {
        tracing::debug!(%error, failures, "poll failed");
        if let PollError::Store(error) = error
            && !std::mem::replace(&mut self.store_fails, true)
        {
            let problem = Event::Problem(format!("New messages cannot be stored: {error}."));
            (self.carry_out)(Effects { events: vec![problem], ..Effects::default() });
        }
    }
}

#[cfg(test)]
#[path = "scheduler/tests.rs"]
mod tests;
