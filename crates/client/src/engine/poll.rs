//! Asking our own swarm what is new (spec 03 §10.2).
//!
//! One request fetches all compartments of the account: configs and messages. Its answer is applied in order, configs
//! first, and each compartment is stored together with the mark of where the next request goes on; a kill between
//! any two steps only makes the next poll fetch again what was not stored.
//!
//! Decision: polls stay with one member of the swarm for a while, because the mark is per member and a new member
//! sends everything of the last 14 days; but they move on now and then, because a member can miss a message.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use septet_network::NetworkError;
use septet_protocol::id::{Account, Ed25519Public, MessageHash, Namespace, SessionId};
use septet_protocol::swarm::reply::{self, ReplyError, RetrieveReply, StoredMessage};
use septet_protocol::swarm::request::{Delete, Retrieve};
use septet_protocol::swarm::{Auth, Batch, Rpc};
use septet_protocol::time::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::connection::Reconnects;
use super::documents::Merge;
use super::{Engine, pace, receive};
use crate::event::Event;
use crate::model::{AttachmentState, ConversationId, Message};
use crate::store::{AppliedBatch, Db, ReceivedBatch, ReceivedItem, StoreError};

/// The compartments of an account in the order they are applied (spec 05 §1), and the share of a reply for each:
/// −n is an n-th.
const COMPARTMENTS: Batch<'static, (Namespace, i64)> = Batch::of(&[
    (Namespace::USER_PROFILE, -8),
    (Namespace::CONTACTS, -8),
    (Namespace::USER_GROUPS, -8),
    (Namespace::CONVO_INFO_VOLATILE, -8),
    (Namespace::MESSAGES, -2),
]);
/// The compartment that a restore asks for first.
const PROFILE: Batch<'static, (Namespace, i64)> = Batch::of(&[(Namespace::USER_PROFILE, -1)]);
/// So many polls go to one member before another one is asked.
const POLLS_PER_MEMBER: u32 = 100;
/// More pages than a swarm can hold; a node that promises more is lying.
const MOST_PAGES: u32 = 200;

/// Counts polls, so that one can wait for a complete one that began after now.
pub struct Polls {
    begun: AtomicU64,
    completed: watch::Sender<u64>,
}

impl Default for Polls {
    fn default() -> Self {
        Self { begun: AtomicU64::new(0), completed: watch::Sender::new(0) }
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
    /// A node answered nonsense.
    #[error(transparent)]
    Reply(#[from] ReplyError),
    /// The store could not keep what came.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A node could not read one of the compartments. What the others had is stored.
    #[error("a member of the swarm cannot read {0}")]
    Unreadable(Namespace),
}

/// Polls until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    let mut member = Member::default();
    let mut failures = 0;
    let mut reconnects = Reconnects::of(&engine);
    while !cancel.is_cancelled() {
        let number = engine.polls.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let result = tokio::select! {
            () = cancel.cancelled() => return,
            result = poll(&engine, &mut member) => result,
        };
        match result {
            Ok(()) => {
                failures = 0;
                if !engine.polls.any() {
                    engine.events.send(Event::Synced);
                }
                engine.polls.completed.send_replace(number);
            }
            Err(error) => {
                failures += 1;
                member = Member::default();
                report(&engine, &error, failures);
            }
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = engine.bells.poll.notified() => {}
            () = tokio::time::sleep(pace::poll(failures)) => {}
            back = reconnects.next(), if failures > 0 => if back.is_none() { return },
        }
    }
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

/// The member of our swarm that polls go to.
#[derive(Default)]
struct Member {
    node: Option<Ed25519Public>,
    polls: u32,
}

/// Fetches everything there is.
async fn poll(engine: &Arc<Engine>, member: &mut Member) -> Result<(), PollError> {
    member.polls += 1;
    if member.polls > POLLS_PER_MEMBER {
        *member = Member::default();
    }
    for _ in 0..MOST_PAGES {
        let page = fetch(engine, COMPARTMENTS, member.node).await?;
        member.node = Some(page.node);
        if let Some(namespace) = page.unreadable {
            // A poll is complete only with everything; or a restored account would push before it has heard all.
            return Err(PollError::Unreadable(namespace));
        }
        if !page.more {
            break;
        }
    }
    Ok(())
}

/// What one request brought.
struct Page {
    /// The member that answered.
    node: Ed25519Public,
    /// There is more.
    more: bool,
    /// Messages that are new here.
    messages: u64,
    /// A compartment that the member could not read.
    unreadable: Option<Namespace>,
}

/// Fetches and stores one reply's worth.
async fn fetch(
    engine: &Arc<Engine>,
    compartments: Batch<'_, (Namespace, i64)>,
    prefer: Option<Ed25519Public>,
) -> Result<Page, PollError> {
    let account = Account::from(engine.me());
    let marks = engine.store.read(move |db| db.last_hashes(account)).await?;
    let build = |node: &Ed25519Public, now| request(engine, compartments, &marks, node, now);
    let reply = engine.network.swarm_request_at(&account, prefer, build).await?;
    let mut page = Page { node: reply.node, more: false, messages: 0, unreadable: None };
    for ((namespace, _), result) in compartments.iter().copied().zip(reply::results(reply.body)?) {
        if !result.is_ok() {
            // One compartment that a member cannot read must not hide the others.
            tracing::debug!(%namespace, code = result.code, "a retrieve failed");
            page.unreadable = Some(namespace);
            continue;
        }
        let fetched = RetrieveReply::read(&result.body, &account, namespace)?;
        let mark = marks.get(&(page.node, namespace));
        let moved = fetched.messages.last().is_some_and(|last| mark != Some(&last.hash));
        if moved {
            page.more |= fetched.more;
            page.messages += store(engine, page.node, namespace, fetched).await?;
        }
    }
    Ok(page)
}

/// Fetches what a restored account had (spec 01 §8).
#[derive(Default)]
pub struct Restore {
    node: Option<Ed25519Public>,
}

impl Restore {
    /// Asks members of the swarm for the profile until one has a name, or all of three had none.
    pub async fn profile(&mut self, engine: &Arc<Engine>) {
        let (mut answers, mut failures) = (0, 0);
        while answers < 3 {
            match fetch(engine, PROFILE, None).await {
                Ok(page) => {
                    self.node = Some(page.node);
                    answers += 1;
                }
                Err(error) => {
                    failures += 1;
                    tracing::debug!(%error, "the profile is not fetched");
                    tokio::time::sleep(pace::retry(failures)).await;
                }
            }
            if engine.store.read(|db| db.profile()).await.is_ok_and(|profile| !profile.name.is_empty()) {
                return;
            }
        }
    }

    /// Fetches all messages that the swarm still has, and tells how many so far.
    pub async fn messages(&mut self, engine: &Arc<Engine>, progress: &(impl Fn(u64) + Sync)) {
        let (mut fetched, mut failures) = (0, 0);
        loop {
            match fetch(engine, COMPARTMENTS, self.node).await {
                Ok(page) => {
                    self.node = Some(page.node);
                    fetched += page.messages;
                    progress(fetched);
                    if !page.more {
                        return;
                    }
                }
                Err(error) => {
                    failures += 1;
                    tracing::debug!(%error, "messages are not fetched");
                    tokio::time::sleep(pace::retry(failures)).await;
                }
            }
        }
    }
}

/// The request for one page.
fn request(
    engine: &Engine,
    compartments: Batch<'_, (Namespace, i64)>,
    marks: &BTreeMap<(Ed25519Public, Namespace), MessageHash>,
    node: &Ed25519Public,
    now: Timestamp,
) -> Rpc {
    let auth = Auth::user(engine.me(), &engine.keys.ed25519);
    let retrieve = |&(namespace, share): &(Namespace, i64)| {
        let last_hash = marks.get(&(*node, namespace)).copied();
        Retrieve { namespace, last_hash, max_size: Some(share) }.rpc(&auth, now)
    };
    Rpc::batch(compartments, retrieve)
}

/// Stores what one compartment had, with the mark of how far we are; returns how many messages were new.
async fn store(
    engine: &Arc<Engine>,
    node: Ed25519Public,
    namespace: Namespace,
    fetched: RetrieveReply,
) -> Result<u64, PollError> {
    let account = Account::from(engine.me());
    let last_hash = fetched.messages.last().map(|message| message.hash);
    let now = engine.network.now();
    let mut messages = fetched.messages;
    messages.retain(|message| message.expiry > now);
    let batch = ReceivedBatch { node, account, namespace, last_hash, items: Vec::new(), now };
    if namespace != Namespace::MESSAGES {
        // Merging the same again is harmless, and needed if a document was lost (spec 05 §8.3).
        store_config(engine, batch, messages).await?;
        return Ok(0);
    }
    let hashes: Vec<MessageHash> = messages.iter().map(|message| message.hash).collect();
    let unseen = engine.store.read(move |db| db.unseen(account, &hashes)).await?;
    let unseen: HashSet<MessageHash> = unseen.into_iter().collect();
    messages.retain(|message| unseen.contains(&message.hash));
    let items = receive::read_all(engine, messages).await;
    let documents = engine.documents.clone();
    let apply = move |db: &mut Db| {
        db.transaction(|db| {
            let people = concerned(&items);
            let mut applied = db.apply_received(&ReceivedBatch { items, ..batch })?;
            want_files(db, &mut applied.messages)?;
            let changed = !people.is_empty() && documents.conversations_changed(db, &people)?;
            Ok((applied, changed))
        })
    };
    let (applied, configs_changed) = engine.store.call(apply).await?;
    if configs_changed {
        engine.bells.config.notify_one();
    }
    let new = applied.messages.len() as u64;
    engine.follow_up(applied);
    Ok(new)
}

/// Everybody of whom these messages may tell something new, with the time of their first one, so that all our
/// devices write the same into the configs.
fn concerned(items: &[ReceivedItem]) -> BTreeMap<SessionId, Timestamp> {
    let mut people: BTreeMap<SessionId, Timestamp> = BTreeMap::new();
    for incoming in items.iter().filter_map(|item| item.incoming.as_ref()) {
        let first = people.entry(incoming.conversation.0).or_insert(incoming.timestamp);
        *first = incoming.timestamp.min(*first);
    }
    people
}

/// Files of people we accepted, and our own from other devices, are fetched without asking (spec 02 §13); those of
/// strangers wait for a click.
fn want_files(db: &mut Db, messages: &mut [Message]) -> Result<(), StoreError> {
    let mut trusted: BTreeMap<ConversationId, bool> = BTreeMap::new();
    for message in messages.iter_mut().filter(|message| !message.attachments.is_empty()) {
        let known = trusted.get(&message.conversation).copied();
        let trusted = match known {
            Some(trusted) => trusted,
            None => {
                let approved =
                    db.conversation(message.conversation)?.is_some_and(|it| it.approved && !it.blocked);
                *trusted.entry(message.conversation).or_insert(approved)
            }
        };
        if !trusted && !message.outgoing {
            continue;
        }
        for attachment in &mut message.attachments {
            if db.attachment_wanted(attachment.id)? {
                attachment.state = AttachmentState::Downloading { done: 0, total: 0 };
            }
        }
    }
    Ok(())
}

/// Merges what the swarm has of a config, with the mark of how far we are in the same transaction.
async fn store_config(
    engine: &Arc<Engine>,
    batch: ReceivedBatch,
    messages: Vec<StoredMessage>,
) -> Result<(), PollError> {
    let (documents, namespace, now) = (engine.documents.clone(), batch.namespace, batch.now);
    let merged = engine.store.call(move |db| {
        db.transaction(|db| {
            let merged = match messages.is_empty() {
                true => Merge::default(),
                false => documents.merge(db, namespace, &messages, now)?,
            };
            db.apply_received(&batch)?;
            Ok(merged)
        })
    });
    let merged = merged.await?;
    if merged.needs_push {
        engine.bells.config.notify_one();
    }
    if merged.changed {
        engine.bells.downloads.notify_one();
        engine.events.send(Event::Profile);
        engine.events.send(Event::Conversations);
    }
    for conversation in merged.touched {
        engine.events.send(Event::Messages(conversation));
    }
    engine.became_read(merged.read);
    Ok(())
}

impl Engine {
    /// Tells what arrived, and does what the network has to hear of.
    fn follow_up(self: &Arc<Self>, applied: AppliedBatch) {
        for message in applied.messages {
            self.events.send(Event::Message(Box::new(message)));
        }
        for conversation in applied.requests {
            self.events.send(Event::Request(conversation));
        }
        for conversation in applied.changed {
            self.events.send(Event::Messages(conversation));
        }
        if applied.list_changed {
            self.events.send(Event::Conversations);
        }
        if applied.outbox_changed {
            self.bells.outbox.notify_one();
        }
        self.bells.downloads.notify_one();
        self.bells.expiry.notify_one();
        self.became_read(applied.read);
        self.forget(applied.delete_hashes);
    }

    /// Deletes messages from our own swarm, in the background; they expire there anyway, so failing is no harm
    /// (spec 02 §23).
    pub fn forget(self: &Arc<Self>, hashes: Vec<MessageHash>) {
        if hashes.is_empty() {
            return;
        }
        let engine = Arc::clone(self);
        tokio::spawn(async move {
            let account = Account::from(engine.me());
            let request = Delete { hashes, required: false };
            let build = |_: &Ed25519Public, _| request.rpc(&Auth::user(engine.me(), &engine.keys.ed25519));
            if let Err(error) = engine.network.swarm_request(&account, build).await {
                tracing::debug!(%error, "messages stay in the swarm until they expire");
            }
        });
    }
}
