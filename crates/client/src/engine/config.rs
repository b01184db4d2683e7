//! What all devices of an account share: its config documents (spec 05).
//!
//! A document that the swarm does not have yet is marked in the store (see [`documents`](super::documents)). This
//! task pushes all marked ones in one signed request; what they replace is deleted by another one after that. A push
//! counts only when members of the swarm have proven it, so a kill at any moment only makes the next start push again.
//! What the swarm has is kept alive there, and put back if it gets lost, by [`recovery`].
//!
//! Decision: nothing is stored or replaced before two members have proven it ([`Witnesses`]). The signature under a
//! deletion is good for all members, and a single one could hand it on without having stored anything; and what was
//! replaced by another device's version may be replaced in what one member shows us, and nowhere else.
//!
//! Decision: a change goes out at once, but then two seconds pass before the next push, so that a person who changes
//! much causes few; whoever waits for the end (a command, the end of the program) does not wait for that.

mod keep_alive;
pub mod recovery;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use septet_network::NetworkError;
use septet_protocol::account::DisplayName;
use septet_protocol::config::{PushError, StorageHash};
use septet_protocol::id::{Ed25519Public, MessageHash, Namespace};
use septet_protocol::swarm::reply::{self, ExpireReply};
use septet_protocol::swarm::request::{Delete, Expire, Store as StoreRequest};
use septet_protocol::swarm::signing::ExpireMode;
use septet_protocol::swarm::{Batch, MemberKeys, Rpc, Witnesses, message_hash};
use septet_protocol::time::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection::Reconnects;
use super::documents::{Part, Pushed, ToPush};
use super::{Engine, pace};
use crate::event::Event;
use crate::model::ConnectionState;
use crate::store::{Db, StoreError};

/// How long a swarm keeps configs, in ms (spec 02 §7).
const TTL_CONFIG_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// Changes made within this time go out together.
const COALESCE: Duration = Duration::from_millis(100);
/// Pushes are so far apart, unless somebody waits for one (spec 05 §8.2).
const APART: Duration = Duration::from_secs(2);
/// So many messages go into one request; documents that are one message each fit into one.
const MOST_STEPS: usize = 8;

/// Why a push did not succeed.
#[derive(Debug, thiserror::Error)]
enum SyncError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error("the swarm did not take all of it")]
    Incomplete,
    #[error("too few members of the swarm have proven that they have it")]
    Unproven,
    #[error("the network's time is not known yet")]
    TimeUnknown,
}

/// Documents that the swarm would not take, as a person was told. Nobody waits for those.
#[derive(Default)]
pub struct Refused(Mutex<BTreeSet<Namespace>>);

impl Refused {
    /// These are refused now; returns whether one of them was not before.
    fn set(&self, refused: BTreeSet<Namespace>) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = refused.difference(&known).next().is_some();
        *known = refused;
        new
    }

    fn has(&self, namespace: Namespace) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&namespace)
    }
}

/// How many pushes began, and up to which of them all is in the swarm. What was noted before a push began goes out with
/// it: so one can wait for one's own change while others go on changing things.
#[derive(Default)]
pub struct Pushes {
    begun: AtomicU64,
    done: AtomicU64,
}

impl Pushes {
    /// A push begins; its number, from 1 on.
    fn begin(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// The push of this number succeeded.
    fn end(&self, number: u64) {
        self.done.fetch_max(number, Ordering::AcqRel);
    }

    /// The number of the first push that takes everything along that was noted by now.
    pub fn next(&self) -> u64 {
        self.begun.load(Ordering::Acquire) + 1
    }

    /// Whether the push of this number, or one after it, succeeded.
    pub fn has(&self, number: u64) -> bool {
        self.done.load(Ordering::Acquire) >= number
    }
}

/// Pushes what changed until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    // A restored account must first hear what its other devices say (spec 01 §8).
    tokio::select! {
        () = cancel.cancelled() => return,
        () = engine.polls.first() => {}
    }
    // What was dated by a wrong clock is not for other devices.
    tokio::select! {
        () = cancel.cancelled() => return,
        _ = engine.network.time_known() => {}
    }
    let mut reconnects = Reconnects::of(&engine);
    let mut failures = 0;
    loop {
        let number = engine.pushes.begin();
        let result = tokio::select! {
            () = cancel.cancelled() => return,
            result = push(&engine) => result,
        };
        failures = match result {
            Ok(()) => {
                engine.pushes.end(number);
                0
            }
            Err(error) => {
                tracing::debug!(%error, "configs are not pushed");
                failures + 1
            }
        };
        engine.progress.send_modify(|count| *count += 1);
        let pushed_at = Instant::now();
        tokio::select! {
            () = cancel.cancelled() => return,
            () = engine.bells.config.notified() => tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep_until((pushed_at + APART).max(Instant::now() + COALESCE)) => {}
                () = engine.bells.config_awaited.notified() => {}
            },
            () = tokio::time::sleep(pace::retry(failures)), if failures > 0 => {}
            back = reconnects.next() => if back.is_none() { return },
        }
    }
}

/// Stores all marked documents in the swarm, then deletes what they replace.
async fn push(engine: &Arc<Engine>) -> Result<(), SyncError> {
    // What was handed out counts as sent, perhaps; so nothing is handed out as long as it cannot be.
    if engine.connection().state != ConnectionState::Connected {
        return Err(NetworkError::Offline.into());
    }
    let now = engine.network.time().ok_or(SyncError::TimeUnknown)?;
    let documents = engine.documents.clone();
    let take = move |db: &mut Db| {
        db.transaction(|db| {
            documents.settle_time(db, now)?;
            documents.take_parts(db, now)
        })
    };
    let ToPush { parts, refused } = engine.store.call(take).await?;
    tell_refused(engine, &refused);
    if parts.is_empty() {
        return Ok(());
    }
    let steps = steps(&parts);
    let (done, result) = carry_out_all(engine, &steps).await;
    let superseded = superseded(&parts, &steps, &done);
    let pushed = pushed(parts, &steps, done);
    let documents = engine.documents.clone();
    engine.store.call(move |db| documents.set.finish_push(db, &pushed, false)).await?;
    delete(engine, superseded).await?;
    result
}

/// Stores a message of the part with this number.
struct Step {
    part: usize,
    namespace: Namespace,
    data: Vec<u8>,
}

impl Step {
    /// Stores all messages of a part.
    fn all(part: usize, namespace: Namespace, messages: &[Vec<u8>]) -> impl Iterator<Item = Self> {
        messages.iter().map(move |data| Self { part, namespace, data: data.clone() })
    }
}

/// All that is to be stored.
fn steps(parts: &[Part]) -> Vec<Step> {
    (0..).zip(parts).flat_map(|(number, part)| Step::all(number, part.namespace, &part.messages)).collect()
}

/// Has the swarm carry out steps in their order, up to the first request that fails; what became of them.
async fn carry_out_all(engine: &Engine, steps: &[Step]) -> (Vec<StorageHash>, Result<(), SyncError>) {
    let mut done = Vec::new();
    for some in Batch::chunks(steps, MOST_STEPS) {
        if let Err(error) = carry_out(engine, some, &mut done).await {
            return (done, Err(error));
        }
    }
    (done, Ok(()))
}

/// Has the swarm carry out some steps in their order; adds to `done` what each is called there, up to the first that
/// failed, which is an error.
async fn carry_out(
    engine: &Engine,
    steps: Batch<'_, Step>,
    done: &mut Vec<StorageHash>,
) -> Result<(), SyncError> {
    let credentials = engine.credentials();
    let (owner, auth) = (credentials.owner(), credentials.auth());
    let request = |step: &Step, now: Timestamp| {
        let Step { namespace, data, .. } = step;
        let request = StoreRequest { account: owner, namespace: *namespace, data, ttl: TTL_CONFIG_MS };
        request.rpc(Some(&auth), now)
    };
    let build = |_: &Ed25519Public, now| Rpc::sequence(steps, |step| request(step, now));
    let witnesses: Vec<Witnesses> = steps.iter().map(|_| Witnesses::default()).collect();
    // As long as too few have proven it, the next member is asked to store the same.
    let read = |swarm: &MemberKeys, body| {
        let mut carried_out = Vec::new();
        for ((step, witnesses), result) in steps.iter().zip(&witnesses).zip(reply::results(body)?) {
            if !result.is_ok() {
                break;
            }
            let hash = message_hash(&owner, step.namespace, &step.data);
            carried_out.push(StorageHash::from(witnesses.read(&result.body, swarm, hash)?.hash));
        }
        Ok(carried_out)
    };
    let (_, carried_out) = engine.network.swarm_query(&owner, build, read).await?;
    let complete = carried_out.len() == steps.iter().len();
    done.extend(carried_out);
    if complete { Ok(()) } else { Err(SyncError::Incomplete) }
}

/// What became of each part.
fn pushed(parts: Vec<Part>, steps: &[Step], done: Vec<StorageHash>) -> Vec<Pushed> {
    let mut stored: Vec<Vec<StorageHash>> = parts.iter().map(|_| Vec::new()).collect();
    for (step, hash) in steps.iter().zip(done) {
        if let Some(hashes) = stored.get_mut(step.part) {
            hashes.push(hash);
        }
    }
    let part = |(part, hashes): (Part, Vec<StorageHash>)| Pushed {
        namespace: part.namespace,
        seqno: part.seqno,
        stored: (hashes.len() == part.messages.len()).then_some(hashes),
        obsolete: part.obsolete,
    };
    parts.into_iter().zip(stored).map(part).collect()
}

/// What a document made obsolete.
#[derive(PartialEq, Eq, Debug)]
struct Superseded {
    namespace: Namespace,
    obsolete: Vec<StorageHash>,
    /// What replaces it, if another device stored that and it is not known yet whether the swarm has it.
    unproven: Vec<MessageHash>,
}

/// What may be deleted after a push: what was replaced by something that the swarm has for sure, or that it must be
/// asked for first, because it was stored by another device.
fn superseded(parts: &[Part], steps: &[Step], done: &[StorageHash]) -> Vec<Superseded> {
    let mut list = Vec::new();
    for (number, part) in (0..).zip(parts).filter(|(_, part)| !part.obsolete.is_empty()) {
        let own = steps.iter().zip(done).filter(|(step, _)| step.part == number).count();
        // Not all of it is stored, or nothing is known to replace what is obsolete.
        if own < part.messages.len() || part.messages.is_empty() && part.current.is_empty() {
            continue;
        }
        let unproven = if part.messages.is_empty() { part.current.as_slice() } else { &[] };
        list.push(Superseded {
            namespace: part.namespace,
            obsolete: part.obsolete.clone(),
            unproven: unproven.iter().filter_map(StorageHash::to_message_hash).collect(),
        });
    }
    list
}

/// Deletes from the swarm what is replaced. The request is signed for all members, and whoever gets it can hand it on;
/// so nothing is signed away before enough members have what replaces it.
async fn delete(engine: &Arc<Engine>, mut superseded: Vec<Superseded>) -> Result<(), SyncError> {
    let unproven: BTreeSet<MessageHash> = superseded.iter().flat_map(|it| it.unproven.clone()).collect();
    let mut missing = BTreeSet::new();
    if !unproven.is_empty() {
        missing = not_witnessed(engine, unproven).await?;
        superseded.retain(|it| !it.unproven.iter().any(|hash| missing.contains(hash)));
        // They are put back, and what they replace stays until then.
        if !missing.is_empty() {
            engine.lacking.add(missing.clone());
            engine.polls.ring();
        }
    }
    let obsolete = superseded.iter().flat_map(|it| &it.obsolete);
    let hashes: Vec<MessageHash> = obsolete.filter_map(StorageHash::to_message_hash).collect();
    if !hashes.is_empty() {
        let (request, credentials) = (Delete { hashes, required: false }, engine.credentials());
        engine.network.swarm_request(&credentials.owner(), |_, _| request.rpc(&credentials.auth())).await?;
    }
    let documents = engine.documents.clone();
    let deleted: Vec<_> = superseded.into_iter().map(|it| (it.namespace, it.obsolete)).collect();
    engine.store.call(move |db| documents.set.forget_obsolete(db, &deleted)).await?;
    if missing.is_empty() { Ok(()) } else { Err(SyncError::Unproven) }
}

/// Which of these too few members have, by their own signed words.
async fn not_witnessed(
    engine: &Engine,
    hashes: BTreeSet<MessageHash>,
) -> Result<BTreeSet<MessageHash>, SyncError> {
    let credentials = engine.credentials();
    let (owner, auth) = (credentials.owner(), credentials.auth());
    let expiries = vec![engine.network.now() + TTL_CONFIG_MS];
    let request = Expire { hashes: hashes.iter().copied().collect(), expiries, mode: ExpireMode::Extend };
    let read = |swarm: &MemberKeys, body| {
        let reply = ExpireReply::read(&body, swarm, &owner, &request)?;
        let count = |hash: &MessageHash| reply.members.done().filter(|(_, it)| it.has(hash)).count();
        let missing = |hash: &MessageHash| count(hash) < swarm.needed();
        Ok(hashes.iter().copied().filter(missing).collect())
    };
    let (_, missing) = engine.network.swarm_query(&owner, |_, _| request.rpc(&auth), read).await?;
    Ok(missing)
}

/// A document that cannot be pushed stays as it is. A person can act on one cause, and is told once.
fn tell_refused(engine: &Engine, refused: &[(Namespace, PushError)]) {
    for (namespace, error) in refused {
        tracing::warn!(%namespace, %error, "a config cannot be pushed");
    }
    let new = engine.refused.set(refused.iter().map(|(namespace, _)| *namespace).collect());
    if new && refused.iter().any(|(_, error)| matches!(error, PushError::TooLarge { .. })) {
        let text = "Your settings are too large to be shared with your other devices. Delete some contacts.";
        engine.refusals.note(None, text);
        engine.events.send(Event::Problem(text.to_owned()));
    }
}

impl Engine {
    /// Whether the swarm has all of our configs that it would take. Nobody knows before it was read whole.
    pub async fn config_is_settled(&self) -> Result<bool, StoreError> {
        let owner = self.credentials().owner();
        let read = self.store.read(move |db| {
            Ok((db.swarm_was_read()?, [db.configs_to_push(owner)?, db.noted_configs()?].concat()))
        });
        let (read, waiting) = read.await?;
        Ok(read && waiting.into_iter().all(|namespace| self.refused.has(namespace)))
    }

    /// Changes our public name, here and on all devices.
    pub async fn set_name(&self, name: DisplayName) -> Result<(), StoreError> {
        let (documents, now) = (self.documents.clone(), self.network.now());
        self.store.call(move |db| documents.set_name(db, &name, now)).await?;
        self.bells.config.notify_one();
        self.events.send(Event::Profile);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u8) -> StorageHash {
        StorageHash::from(MessageHash([number; 32]))
    }

    fn part(messages: usize, obsolete: &[u8], current: &[u8]) -> Part {
        let list = |numbers: &[u8]| numbers.iter().map(|number| hash(*number)).collect();
        let (obsolete, current) = (list(obsolete), list(current));
        Part {
            namespace: Namespace::CONTACTS,
            seqno: 1,
            messages: vec![vec![1]; messages],
            obsolete,
            current,
        }
    }

    /// What is deleted at once and what is asked for first, after so many messages were stored.
    fn after(parts: &[Part], stored: u8) -> Vec<(Vec<StorageHash>, Vec<MessageHash>)> {
        let done: Vec<StorageHash> = (100..).take(stored.into()).map(hash).collect();
        superseded(parts, &steps(parts), &done).into_iter().map(|it| (it.obsolete, it.unproven)).collect()
    }

    #[test]
    fn nothing_is_deleted_before_what_replaces_it_is_proven() {
        let new = [part(1, &[1], &[])];
        assert_eq!(after(&new, 1), [(vec![hash(1)], vec![])]);
        assert_eq!(after(&new, 0), [], "not stored");
        let several = [part(2, &[1, 2], &[]), part(1, &[3], &[])];
        assert_eq!(after(&several, 1), [], "not all of it stored");
        assert_eq!(after(&several, 2), [(vec![hash(1), hash(2)], vec![])]);
        let merged = [part(0, &[1], &[7])];
        assert_eq!(after(&merged, 0), [(vec![hash(1)], vec![MessageHash([7; 32])])]);
        assert_eq!(after(&[part(0, &[1], &[])], 0), [], "nobody knows what replaces it");
    }

    #[test]
    fn a_refusal_is_told_once_and_again_after_it_was_mended() {
        let refused = Refused::default();
        let contacts = || BTreeSet::from([Namespace::CONTACTS]);
        assert!(refused.set(contacts()) && refused.has(Namespace::CONTACTS));
        assert!(!refused.set(contacts()));
        assert!(!refused.set(BTreeSet::new()) && !refused.has(Namespace::CONTACTS));
        assert!(refused.set(contacts()));
    }
}
