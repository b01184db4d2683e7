//! Asking our own swarm what is new (spec 03 §10.2).
//!
//! One request fetches all compartments of the account: configs and messages. Its answer is applied in order, configs
//! first; a kill between any two steps only makes the next poll fetch again what was not stored.
//!
//! Decision: whom to ask is decided in [`poll_plan`], how much at once in
//! [`page_size`](super::page_size), and what came is stored by [`arrivals`]; this is what carries
//! it out. What came is taken in only when the network's time is known, because of much of it the age decides.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use septet_network::NetworkError;
use septet_protocol::id::{Account, Ed25519Public, MessageHash, Namespace};
use septet_protocol::swarm::reply::{self, RetrieveReply, SubReply};
use septet_protocol::swarm::request::Retrieve;
use septet_protocol::swarm::{Auth, Batch, MemberKeys, Rpc};
use septet_protocol::time::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::connection::Reconnects;
use super::page_size::PageSize;
use super::poll_plan::{self, PollPlan};
use super::{Engine, arrivals, pace, restore};
use crate::event::Event;
use crate::store::StoreError;

/// The compartments of an account in the order they are applied (spec 05 §1), and the share of a reply for each: one
/// part of so many.
pub const COMPARTMENTS: Batch<'static, (Namespace, i64)> = Batch::of(&[
    (Namespace::USER_PROFILE, 8),
    (Namespace::CONTACTS, 8),
    (Namespace::USER_GROUPS, 8),
    (Namespace::CONVO_INFO_VOLATILE, 8),
    (Namespace::MESSAGES, 2),
]);
/// So many pages are fetched from one member in one poll, more than a swarm can hold if they are small.
const MOST_PAGES: u32 = 2000;
/// So many members are asked in one poll, should each make another one necessary.
const MOST_MEMBERS: u32 = 3;
/// A check of another member goes on for so long at a time; then it is looked again whether there is anything new.
const CHECK_AT_ONCE: Duration = Duration::from_secs(10);
/// The network's time is known long before that, or nobody tells it.
const TIME_WAIT: Duration = Duration::from_secs(10);

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

/// Why a poll did not complete.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The network did not answer.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The store could not keep what came.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A node could not read one of the compartments. What the others had is stored.
    #[error("a member of the swarm cannot read {0}")]
    Unreadable(Namespace),
    /// All members that were asked sent what is not what it says it is.
    #[error("members of the swarm send forged messages")]
    Forged,
    /// What came cannot be taken in yet; it will come again.
    #[error("the network's time is not known yet")]
    TimeUnknown,
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
async fn poll(poller: &mut Poller, engine: &Arc<Engine>) -> Result<(), PollError> {
    poller.poll(engine).await?;
    if !engine.polls.any() {
        restore::first_reading(engine).await?;
    }
    Ok(())
}

/// Tells what a person can do something about; the rest is tried again.
fn report(engine: &Engine, error: &PollError, failures: u32) {
    tracing::debug!(%error, failures, "poll failed");
    if let PollError::Store(error) = error
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
    async fn poll(&mut self, engine: &Arc<Engine>) -> Result<(), PollError> {
        let mut fetched = Fetched::Forged;
        for _ in 0..MOST_MEMBERS {
            fetched = self.poll_member(engine).await?;
            if fetched != Fetched::Part && !self.plan.is_urgent() {
                break;
            }
        }
        if fetched == Fetched::Forged { Err(PollError::Forged) } else { Ok(()) }
    }

    /// Fetches everything that the next member has.
    async fn poll_member(&mut self, engine: &Arc<Engine>) -> Result<Fetched, PollError> {
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
                return Err(PollError::Unreadable(namespace));
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

/// Where the member is kept that was read to its end last.
const LAST_MEMBER: &str = "last_member";

/// The member that was read to its end last, in an earlier run; else any of which it is known where to go on.
async fn somebody_known(engine: &Engine) -> Result<Option<Ed25519Public>, StoreError> {
    let account = Account::from(engine.me());
    let read =
        engine.store.read(move |db| Ok((db.last_hashes(account)?, db.setting::<String>(LAST_MEMBER)?)));
    let (marks, last) = read.await?;
    let known: BTreeSet<Ed25519Public> = tellers(&marks).copied().collect();
    let last = last.and_then(|key| key.parse().ok()).filter(|last| known.contains(last));
    Ok(last.or_else(|| fastrand::choice(known)))
}

/// Writes down that a member was read to its end, for the next start to begin there.
pub(super) async fn remember(engine: &Engine, member: Ed25519Public) -> Result<(), StoreError> {
    engine.store.call(move |db| db.set_setting(LAST_MEMBER, &member.to_string())).await
}

/// Members of whose messages it is known where to go on.
fn tellers(
    marks: &BTreeMap<(Ed25519Public, Namespace), MessageHash>,
) -> impl Iterator<Item = &Ed25519Public> {
    marks.keys().filter(|(_, namespace)| *namespace == Namespace::MESSAGES).map(|(node, _)| node)
}

/// Any number below `below`.
fn random(below: u32) -> u32 {
    fastrand::u32(..below.max(1))
}

/// What one request brought.
pub struct Page {
    /// The member that answered.
    pub node: Ed25519Public,
    /// All members of the swarm.
    pub swarm: MemberKeys,
    /// How often the marks had been reset when it was asked.
    generation: i64,
    /// Members that need not send everything.
    known: BTreeSet<Ed25519Public>,
    /// There is more.
    pub more: bool,
    /// Messages that are new here.
    pub messages: u64,
    /// What the member listed.
    listed: Vec<MessageHash>,
    /// What of that is not over.
    pub shown: Vec<MessageHash>,
    /// What of that nobody had shown before.
    new: BTreeSet<MessageHash>,
    /// A compartment that the member could not read.
    pub unreadable: Option<Namespace>,
    /// Some of the answer is not what it has to be.
    pub forged: bool,
}

/// Fetches and stores one reply's worth.
pub async fn fetch(
    engine: &Arc<Engine>,
    compartments: Batch<'_, (Namespace, i64)>,
    prefer: Option<Ed25519Public>,
    size: &mut PageSize,
) -> Result<Page, PollError> {
    let account = Account::from(engine.me());
    let marks = engine.store.read(move |db| Ok((db.last_hashes(account)?, db.cursor_generation(account)?)));
    let (marks, generation) = marks.await?;
    let (begun, asked) = (Instant::now(), *size);
    let build = |node: &Ed25519Public, now| request(engine, compartments, &marks, node, asked, now);
    let reply = match engine.network.swarm_request_at(&account, prefer, build).await {
        Ok(reply) => reply,
        Err(error) => {
            if matches!(error, NetworkError::Timeout | NetworkError::Failed) {
                size.halve();
            }
            return Err(error.into());
        }
    };
    size.came(begun.elapsed());
    let now = timeout(TIME_WAIT, engine.network.time_known()).await.map_err(|_| PollError::TimeUnknown)?;
    let mut page = Page {
        node: reply.node,
        swarm: reply.swarm,
        generation,
        known: tellers(&marks).copied().collect(),
        more: false,
        messages: 0,
        listed: Vec::new(),
        shown: Vec::new(),
        new: BTreeSet::new(),
        unreadable: None,
        forged: false,
    };
    let results = reply::results(reply.body).unwrap_or_default();
    // Who leaves some out has not answered what it was asked.
    page.forged = results.len() != compartments.iter().len();
    for ((namespace, _), result) in compartments.iter().copied().zip(results) {
        let mark = marks.get(&(page.node, namespace)).copied();
        take_in(engine, &mut page, namespace, &result, mark, now).await?;
    }
    Ok(page)
}

/// Stores what a member has in one compartment.
async fn take_in(
    engine: &Arc<Engine>,
    page: &mut Page,
    namespace: Namespace,
    result: &SubReply,
    mark: Option<MessageHash>,
    now: Timestamp,
) -> Result<(), PollError> {
    if !result.is_ok() {
        // One compartment that a member cannot read must not hide the others.
        tracing::debug!(%namespace, code = result.code, "a retrieve failed");
        page.unreadable = Some(namespace);
        return Ok(());
    }
    let Ok(fetched) = RetrieveReply::read(&result.body, &Account::from(engine.me()), namespace) else {
        page.forged = true;
        return Ok(());
    };
    page.forged |= fetched.forged > 0;
    let moved = fetched.messages.last().is_some_and(|last| mark != Some(last.hash));
    if moved {
        page.more |= fetched.more;
        let source = arrivals::Source { node: page.node, namespace, generation: page.generation };
        let arrived = arrivals::store(engine, source, fetched, now).await?;
        page.listed.extend(arrived.listed);
        page.shown.extend(arrived.shown);
        page.new.extend(arrived.new);
        page.messages += arrived.messages;
    }
    Ok(())
}

/// The request for one page.
fn request(
    engine: &Engine,
    compartments: Batch<'_, (Namespace, i64)>,
    marks: &BTreeMap<(Ed25519Public, Namespace), MessageHash>,
    node: &Ed25519Public,
    size: PageSize,
    now: Timestamp,
) -> Rpc {
    let auth = Auth::user(engine.me(), &engine.keys.ed25519);
    let retrieve = |&(namespace, parts): &(Namespace, i64)| {
        let last_hash = marks.get(&(*node, namespace)).copied();
        Retrieve { namespace, last_hash, max_size: Some(size.share(parts)) }.rpc(&auth, now)
    };
    Rpc::batch(compartments, retrieve)
}
