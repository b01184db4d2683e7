//! What all devices of an account share: its config documents (spec 05).
//!
//! A document that the swarm does not have yet is marked in the store (see [`documents`](super::documents)). This
//! task pushes all marked ones in one signed request; what they replace is deleted by another one after that. A push
//! counts only when a member of the swarm has proven it, so a kill at any moment only makes the next start push again.
//!
//! Decision: nothing is deleted before two members have proven that they have what replaces it (see
//! [`Witnesses`](septet_protocol::swarm::Witnesses)). The signature under a
//! deletion is good for all members, and a single one could hand it on without having stored anything; and what was
//! replaced by another device's version may be replaced in what one member shows us, and nowhere else.
//!
//! Decision: a change goes out at once, but then two seconds pass before the next push, so that a person who changes
//! much causes few; whoever waits for the end (a command, the end of the program) does not wait for that.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use septet_network::NetworkError;
use septet_protocol::account::DisplayName;
use septet_protocol::config::{PushError, StorageHash};
use septet_protocol::id::{Account, Ed25519Public, MessageHash, Namespace};
use septet_protocol::swarm::reply::{self, ExpireReply, Expired, StoreReply};
use septet_protocol::swarm::request::{Delete, Expire, Store as StoreRequest};
use septet_protocol::swarm::signing::ExpireMode;
use septet_protocol::swarm::{Auth, Batch, MemberKeys, Rpc, message_hash};
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
/// The swarm's copies are given new time this often (spec 03 §10.2).
const EXTEND: Duration = Duration::from_secs(12 * 60 * 60);
/// If that failed, it is tried again after this time.
const EXTEND_AGAIN: Duration = Duration::from_secs(10 * 60);
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
    let mut extend_at = Instant::now();
    loop {
        let result = tokio::select! {
            () = cancel.cancelled() => return,
            result = push(&engine) => result,
        };
        failures = match result {
            Ok(()) => 0,
            Err(error) => {
                tracing::debug!(%error, "configs are not pushed");
                failures + 1
            }
        };
        engine.progress.send_modify(|count| *count += 1);
        let pushed_at = Instant::now();
        if failures == 0 && pushed_at >= extend_at {
            let extended = tokio::select! {
                () = cancel.cancelled() => return,
                extended = extend(&engine) => extended,
            };
            extend_at = pushed_at + if extended { EXTEND } else { EXTEND_AGAIN };
        }
        let next = if failures > 0 { Instant::now() + pace::retry(failures) } else { extend_at };
        tokio::select! {
            () = cancel.cancelled() => return,
            () = engine.bells.config.notified() => tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep_until((pushed_at + APART).max(Instant::now() + COALESCE)) => {}
                () = engine.bells.config_awaited.notified() => {}
            },
            () = tokio::time::sleep_until(next) => {}
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
    let mut done = Vec::new();
    let mut result = Ok(());
    for some in Batch::chunks(&steps, MOST_STEPS) {
        result = carry_out(engine, some, &mut done).await;
        if result.is_err() {
            break;
        }
    }
    let superseded = superseded(&parts, &steps, &done);
    let pushed = pushed(parts, &steps, done);
    let documents = engine.documents.clone();
    engine.store.call(move |db| documents.finish_push(db, &pushed, false)).await?;
    delete(engine, superseded).await?;
    result
}

/// Stores a message of the part with this number.
struct Step {
    part: usize,
    namespace: Namespace,
    data: Vec<u8>,
}

/// What became of a [`Step`].
struct Done {
    hash: StorageHash,
    /// Enough members have proven that they have it.
    safe: bool,
}

/// All that is to be stored.
fn steps(parts: &[Part]) -> Vec<Step> {
    let stores = parts.iter().enumerate().flat_map(|(number, part)| {
        let step = move |data: &Vec<u8>| Step { part: number, namespace: part.namespace, data: data.clone() };
        part.messages.iter().map(step)
    });
    stores.collect()
}

/// Has the swarm carry out some steps in their order; adds to `done` what became of each. The first that fails is an
/// error.
async fn carry_out(engine: &Engine, steps: Batch<'_, Step>, done: &mut Vec<Done>) -> Result<(), SyncError> {
    let me = Account::from(engine.me());
    let auth = Auth::user(engine.me(), &engine.keys.ed25519);
    let request = |step: &Step, now: Timestamp| {
        let Step { namespace, data, .. } = step;
        let request = StoreRequest { account: me, namespace: *namespace, data, ttl: TTL_CONFIG_MS };
        request.rpc(Some(&auth), now)
    };
    let build = |_: &Ed25519Public, now| Rpc::sequence(steps, |step| request(step, now));
    // A member that says it stored something and does not prove it is passed over.
    let read = |swarm: &MemberKeys, body| {
        let mut carried_out = Vec::new();
        for (step, result) in steps.iter().zip(reply::results(body)?) {
            if !result.is_ok() {
                break;
            }
            let hash = message_hash(&me, step.namespace, &step.data);
            let stored = StoreReply::read(&result.body, swarm, hash)?;
            let safe = stored.members.done().count() >= swarm.needed();
            carried_out.push(Done { hash: StorageHash::from(stored.hash), safe });
        }
        Ok(carried_out)
    };
    let (_, carried_out) = engine.network.swarm_query(&me, build, read).await?;
    let complete = carried_out.len() == steps.iter().len();
    done.extend(carried_out);
    if complete { Ok(()) } else { Err(SyncError::Incomplete) }
}

/// What became of each part.
fn pushed(parts: Vec<Part>, steps: &[Step], done: Vec<Done>) -> Vec<Pushed> {
    let mut stored: Vec<Vec<StorageHash>> = parts.iter().map(|_| Vec::new()).collect();
    for (step, Done { hash, .. }) in steps.iter().zip(done) {
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
struct Superseded {
    namespace: Namespace,
    obsolete: Vec<StorageHash>,
    /// What replaces it, if it is not known yet whether the swarm has that.
    unproven: Vec<MessageHash>,
}

/// What may be deleted after a push: what was replaced by something that the swarm has for sure, or that it must be
/// asked for first, because it was stored by another device or too few members have told of it.
fn superseded(parts: &[Part], steps: &[Step], done: &[Done]) -> Vec<Superseded> {
    let mut list = Vec::new();
    for (number, part) in parts.iter().enumerate().filter(|(_, part)| !part.obsolete.is_empty()) {
        let own = || steps.iter().zip(done).filter(|(step, _)| step.part == number).map(|(_, done)| done);
        if own().count() < part.messages.len() {
            continue;
        }
        if part.messages.is_empty() && part.current.is_empty() {
            // Nothing is known to replace it.
            continue;
        }
        let unproven: Vec<&StorageHash> = match part.messages.is_empty() {
            true => part.current.iter().collect(),
            false => own().filter(|done| !done.safe).map(|done| &done.hash).collect(),
        };
        list.push(Superseded {
            namespace: part.namespace,
            obsolete: part.obsolete.clone(),
            unproven: unproven.into_iter().filter_map(StorageHash::to_message_hash).collect(),
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
        // They are pushed again, and what they replace stays until then.
        push_again(engine, missing.clone()).await;
    }
    let obsolete = superseded.iter().flat_map(|it| &it.obsolete);
    let hashes: Vec<MessageHash> = obsolete.filter_map(StorageHash::to_message_hash).collect();
    if !hashes.is_empty() {
        let request = Delete { hashes, required: false };
        let auth = Auth::user(engine.me(), &engine.keys.ed25519);
        engine.network.swarm_request(&Account::from(engine.me()), |_, _| request.rpc(&auth)).await?;
    }
    let documents = engine.documents.clone();
    let deleted: Vec<_> = superseded.into_iter().map(|it| (it.namespace, it.obsolete)).collect();
    engine.store.call(move |db| documents.forget_obsolete(db, &deleted)).await?;
    if missing.is_empty() { Ok(()) } else { Err(SyncError::Unproven) }
}

/// Which of these too few members have, by their own signed words.
async fn not_witnessed(
    engine: &Engine,
    hashes: BTreeSet<MessageHash>,
) -> Result<BTreeSet<MessageHash>, SyncError> {
    let me = Account::from(engine.me());
    let expiries = vec![engine.network.now() + TTL_CONFIG_MS];
    let request = Expire { hashes: hashes.iter().copied().collect(), expiries, mode: ExpireMode::Extend };
    let auth = Auth::user(engine.me(), &engine.keys.ed25519);
    let read = |swarm: &MemberKeys, body| {
        let reply = ExpireReply::read(&body, swarm, &me, &request)?;
        let has = |it: &Expired, hash: &MessageHash| {
            it.updated.contains_key(hash) || it.unchanged.contains_key(hash)
        };
        let count = |hash: &MessageHash| reply.members.done().filter(|(_, it)| has(it, hash)).count();
        let missing = |hash: &MessageHash| count(hash) < swarm.needed();
        Ok(hashes.iter().copied().filter(missing).collect())
    };
    let (_, missing) = engine.network.swarm_query(&me, |_, _| request.rpc(&auth), read).await?;
    Ok(missing)
}

/// Gives the swarm's copies new time, so that an account that changes nothing for a month keeps its configs.
/// Returns whether that is done.
async fn extend(engine: &Arc<Engine>) -> bool {
    let documents = engine.documents.clone();
    let hashes = match engine.store.read(move |db| documents.active_hashes(db)).await {
        Ok(hashes) => hashes,
        Err(error) => {
            tracing::debug!(%error, "configs cannot be read");
            return false;
        }
    };
    if hashes.is_empty() {
        return true;
    }
    let me = Account::from(engine.me());
    let expiries = vec![engine.network.now() + TTL_CONFIG_MS];
    let request = Expire { hashes, expiries, mode: ExpireMode::Extend };
    let auth = Auth::user(engine.me(), &engine.keys.ed25519);
    let reply = match engine.network.swarm_request(&me, |_, _| request.rpc(&auth)).await {
        Ok(reply) => reply,
        Err(error) => {
            tracing::debug!(%error, "configs keep their old time");
            return false;
        }
    };
    let Ok(reply) = ExpireReply::read(&reply.body, &reply.swarm, &me, &request) else { return false };
    let known = |hash: &MessageHash| {
        let mut members = reply.members.done();
        members.any(|(_, it)| it.updated.contains_key(hash) || it.unchanged.contains_key(hash))
    };
    let answered = reply.members.done().next().is_some();
    let lost = request.hashes.iter().copied().filter(|hash| answered && !known(hash)).collect();
    push_again(engine, lost).await;
    answered
}

/// No member of the swarm has these any more: what they belong to is pushed once more (spec 05 §8.4).
async fn push_again(engine: &Arc<Engine>, lost: BTreeSet<MessageHash>) {
    if lost.is_empty() {
        return;
    }
    let documents = engine.documents.clone();
    match engine.store.call(move |db| documents.lost(db, &lost)).await {
        Ok(()) => engine.bells.config.notify_one(),
        Err(error) => tracing::warn!(%error, "a config that the swarm lost is not pushed again"),
    }
}

/// A document that cannot be pushed stays as it is. A person can act on one cause, and is told once.
fn tell_refused(engine: &Engine, refused: &[(Namespace, PushError)]) {
    for (namespace, error) in refused {
        tracing::warn!(%namespace, %error, "a config cannot be pushed");
    }
    let new = engine.refused.set(refused.iter().map(|(namespace, _)| *namespace).collect());
    if new && refused.iter().any(|(_, error)| matches!(error, PushError::TooLarge { .. })) {
        let text = "Your settings are too large to be shared with your other devices. Delete some contacts.";
        engine.events.send(Event::Problem(text.to_owned()));
    }
}

impl Engine {
    /// Whether the swarm has all of our configs that it would take.
    pub async fn config_is_settled(&self) -> Result<bool, StoreError> {
        let me = Account::from(self.me());
        let configs = self.store.read(move |db| db.configs(me)).await?;
        Ok(!configs.iter().any(|config| config.needs_push && !self.refused.has(config.namespace)))
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

    /// What is deleted at once and what is asked for first, after these members' proofs.
    fn after(parts: &[Part], safe: &[bool]) -> Vec<(Vec<StorageHash>, Vec<MessageHash>)> {
        let steps = steps(parts);
        let done: Vec<Done> =
            (100..).zip(safe).map(|(number, safe)| Done { hash: hash(number), safe: *safe }).collect();
        superseded(parts, &steps, &done).into_iter().map(|it| (it.obsolete, it.unproven)).collect()
    }

    #[test]
    fn nothing_is_deleted_before_what_replaces_it_is_proven() {
        let new = [part(1, &[1], &[])];
        assert_eq!(after(&new, &[true]), [(vec![hash(1)], vec![])]);
        assert_eq!(after(&new, &[false]), [(vec![hash(1)], vec![MessageHash([100; 32])])]);
        assert_eq!(after(&new, &[]), [], "not stored");
        let several = [part(2, &[1, 2], &[])];
        assert_eq!(after(&several, &[true]), [], "not all of it stored");
        assert_eq!(after(&several, &[true, false])[0].1, [MessageHash([101; 32])]);
        let merged = [part(0, &[1], &[7])];
        assert_eq!(after(&merged, &[]), [(vec![hash(1)], vec![MessageHash([7; 32])])]);
        assert_eq!(after(&[part(0, &[1], &[])], &[]), [], "nobody knows what replaces it");
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
