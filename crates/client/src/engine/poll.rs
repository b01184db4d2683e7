//! Asking our own swarm what is new (spec 03 §10.2).
//!
//! Decision: whom to ask is decided in [`poll_plan`], and a single reply is fetched by [`fetch()`]; this is what goes on
//! until there is nothing new, every few seconds, and counts how often it was done.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use septet_protocol::id::{Ed25519Public, MessageHash};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection::Reconnects;
use super::fetch::{COMPARTMENTS, FetchError, Page, fetch, remember, somebody_known};
use super::page_size::PageSize;
use super::poll_plan::{self, PollPlan};
use super::{Engine, pace, restore};
use crate::event::Event;

/// So many pages are fetched from one member in one poll, more than a swarm can hold if they are small.
const MOST_PAGES: u32 = 2000;
/// So many members are asked in one poll, should each make another one necessary.
const MOST_MEMBERS: u32 = 3;
/// A check of another member goes on for so long at a time; then it is looked again whether there is anything new.
const CHECK_AT_ONCE: Duration = Duration::from_secs(10);
/// Counts polls, so that one can wait for a complete one that began after now.
pub struct Polls {
    begun: AtomicU64,
    completed: watch::Sender<u64>,
    /// A config message could not be read.
    unreadable: AtomicBool,
}

impl Default for Polls {
    fn default() -> Self {
        Self {
            begun: AtomicU64::new(0),
            completed: watch::Sender::new(0),
            unreadable: AtomicBool::new(false),
        }
    }
}

impl Polls {
    /// Waits until a poll that begins after this call is complete.
    pub async fn next(&self, engine: &Engine) {
        let wanted = self.begun.load(Ordering::SeqCst) + 1;
        let mut completed = self.completed.subscribe();
        engine.bells.poll.notify_one();
        // The sender lives as long as we do, so this cannot fail.
        let _ = completed.wait_for(|done| *done >= wanted).await;
    }

    /// Waits until the first poll after the start is complete.
    pub async fn first(&self) {
        let mut completed = self.completed.subscribe();
        let _ = completed.wait_for(|done| *done > 0).await;
    }

    /// How many were begun.
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }

    /// The number of each poll that is completed from now on.
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

    /// Whether a poll was ever completed.
    fn any(&self) -> bool {
        *self.completed.borrow() > 0
    }
}

/// Polls until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    let mut poller = Poller::new();
    let mut failures = 0;
    let mut reconnects = Reconnects::of(&engine);
    while !cancel.is_cancelled() {
        let number = engine.polls.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let result = tokio::select! {
            () = cancel.cancelled() => return,
            result = poll(&mut poller, &engine) => result,
        };
        match result {
            Ok(()) => {
                failures = 0;
                reconnects.answered();
                if !engine.polls.any() {
                    engine.events.send(Event::Synced);
                }
                engine.polls.completed.send_replace(number);
            }
            Err(error) => {
                failures += 1;
                report(&engine, &error, failures);
            }
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = engine.bells.poll.notified() => {}
            () = tokio::time::sleep(pace::poll(failures)) => {}
            back = reconnects.next() => if back.is_none() { return },
        }
    }
}

/// Fetches everything there is. The first time in a run it may be the first time ever.
async fn poll(poller: &mut Poller, engine: &Arc<Engine>) -> Result<(), FetchError> {
    poller.poll(engine).await?;
    if !engine.polls.any() {
        restore::first_reading(engine).await?;
    }
    Ok(())
}

/// Tells what a person can do something about; the rest is tried again.
fn report(engine: &Engine, error: &FetchError, failures: u32) {
    tracing::debug!(%error, failures, "poll failed");
    if let FetchError::Store(error) = error
        && failures == 1
    {
        engine.events.send(Event::Problem(format!("New messages cannot be stored: {error}.")));
    }
}

/// What was fetched from a member.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fetched {
    /// All it has.
    All,
    /// Some of what it has, to check another one; the rest comes later.
    Part,
    /// Something that is not what it says it is.
    Forged,
}

/// What is remembered from one poll to the next.
struct Poller {
    plan: PollPlan,
    size: PageSize,
    started: Instant,
    /// The primary that was read to its end last.
    last: Option<Ed25519Public>,
}

impl Poller {
    fn new() -> Self {
        Self { plan: PollPlan::default(), size: PageSize::default(), started: Instant::now(), last: None }
    }

    /// Fetches everything there is, from as many members as the plan wants.
    async fn poll(&mut self, engine: &Arc<Engine>) -> Result<(), FetchError> {
        let mut fetched = Fetched::Forged;
        for _ in 0..MOST_MEMBERS {
            fetched = self.poll_member(engine).await?;
            if fetched != Fetched::Part && !self.plan.is_urgent() {
                break;
            }
        }
        if fetched == Fetched::Forged { Err(FetchError::Forged) } else { Ok(()) }
    }

    /// Fetches everything that the next member has.
    async fn poll_member(&mut self, engine: &Arc<Engine>) -> Result<Fetched, FetchError> {
        let begun = Instant::now();
        let asked = match self.plan.next(self.started.elapsed(), &mut random) {
            Some(member) => Some(member),
            None => {
                let known = somebody_known(engine).await?;
                self.plan.begin_with(known);
                known
            }
        };
        let mut member = asked;
        let mut before: HashSet<MessageHash> = HashSet::new();
        for _ in 0..MOST_PAGES {
            let mut page = match fetch(engine, COMPARTMENTS, member, &mut self.size).await {
                Ok(page) => page,
                Err(error) => {
                    self.plan.failed(member);
                    return Err(error);
                }
            };
            if member.is_some_and(|member| member != page.node) {
                // The network went on to another one.
                self.plan.failed(member);
            }
            // Who shows the same again and promises more would never come to an end.
            let goes_on = page.listed.iter().filter(|hash| before.insert(**hash)).count() > 0;
            page.forged |= page.more && !goes_on;
            member = Some(page.node);
            self.note(&page);
            if let Some(namespace) = page.unreadable {
                // A poll is complete only with everything; or a restored account would push before it has heard all.
                self.plan.failed(member);
                return Err(FetchError::Unreadable(namespace));
            }
            if page.forged {
                return Ok(Fetched::Forged);
            }
            if !page.more {
                if !self.plan.is_check(&page.node) && self.last.replace(page.node) != Some(page.node) {
                    remember(engine, page.node).await?;
                }
                return Ok(Fetched::All);
            }
            if self.plan.is_check(&page.node) && begun.elapsed() >= CHECK_AT_ONCE {
                self.plan.broken_off();
                return Ok(Fetched::Part);
            }
        }
        Ok(Fetched::All)
    }

    /// Tells the plan what came.
    fn note(&mut self, page: &Page) {
        self.plan.set_members(page.swarm.iter());
        self.plan.set_known(page.known.iter().copied());
        let told = poll_plan::Page {
            member: page.node,
            complete: !page.more && page.unreadable.is_none(),
            shown: &page.shown,
            new: &page.new,
            forged: page.forged,
        };
        self.plan.page(&told, self.started.elapsed(), &mut random);
    }
}

/// Any number below `below`.
fn random(below: u32) -> u32 {
    fastrand::u32(..below.max(1))
}
