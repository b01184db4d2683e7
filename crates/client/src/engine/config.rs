//! What all devices of an account share: its config documents (spec 05).
//!
//! A document that the swarm does not have yet is marked in the store (see [`documents`](super::documents)). This
//! task pushes all marked ones in one signed request: first everything is stored, then what it replaces is deleted. A
//! push counts only when the swarm has confirmed it, so a kill at any moment only makes the next start push again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use septet_network::NetworkError;
use septet_protocol::account::DisplayName;
use septet_protocol::config::{PushError, StorageHash};
use septet_protocol::id::{Account, Ed25519Public, MessageHash};
use septet_protocol::swarm::reply::{self, ExpireReply, ReplyError, StoreReply};
use septet_protocol::swarm::request::{Delete, Expire, Store as StoreRequest};
use septet_protocol::swarm::signing::ExpireMode;
use septet_protocol::swarm::{Auth, Rpc};
use septet_protocol::time::Timestamp;
use tokio_util::sync::CancellationToken;

use super::connection::Reconnects;
use super::documents::Part;
use super::{Engine, pace};
use crate::event::Event;
use crate::store::StoreError;

/// How long a swarm keeps configs, in ms (spec 02 §7).
const TTL_CONFIG_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// Changes made within this time go out together.
const COALESCE: Duration = Duration::from_millis(100);
/// The swarm's copies are given new time this often (spec 03 §10.2).
const EXTEND: Duration = Duration::from_secs(12 * 60 * 60);

/// Why a push did not succeed.
#[derive(Debug, thiserror::Error)]
enum SyncError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error(transparent)]
    Reply(#[from] ReplyError),
    #[error("the swarm did not take all of it")]
    Incomplete,
}

/// Pushes what changed until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    // A restored account must first hear what its other devices say (spec 01 §8).
    tokio::select! {
        () = cancel.cancelled() => return,
        () = engine.polls.first() => {}
    }
    let mut reconnects = Reconnects::of(&engine);
    let mut failures = 0;
    let mut extended: Option<tokio::time::Instant> = None;
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
        if failures == 0 && extended.is_none_or(|at| at.elapsed() >= EXTEND) {
            extend(&engine).await;
            extended = Some(tokio::time::Instant::now());
        }
        let wait = if failures > 0 { pace::retry(failures) } else { EXTEND };
        tokio::select! {
            () = cancel.cancelled() => return,
            () = engine.bells.config.notified() => tokio::time::sleep(COALESCE).await,
            () = tokio::time::sleep(wait) => {}
            back = reconnects.next(), if failures > 0 => if back.is_none() { return },
        }
    }
}

/// Stores all marked documents in the swarm, then deletes what they replace.
async fn push(engine: &Arc<Engine>) -> Result<(), SyncError> {
    let (documents, now) = (engine.documents.clone(), engine.network.now());
    let (parts, problems) = engine.store.call(move |db| documents.take_parts(db, now)).await?;
    for problem in problems {
        cannot_push(engine, &problem);
    }
    if parts.is_empty() {
        return Ok(());
    }
    let me = Account::from(engine.me());
    let build = |_: &Ed25519Public, now| Rpc::sequence(requests(engine, &parts, now));
    let reply = engine.network.swarm_request(&me, build).await?;
    let mut results = reply::results(reply.body)?.into_iter();
    for part in parts {
        let mut hashes = Vec::new();
        for _ in &part.messages {
            let result = results.next().filter(|result| result.is_ok()).ok_or(SyncError::Incomplete)?;
            hashes.push(StorageHash::from(StoreReply::read(&result.body)?.hash));
        }
        let documents = engine.documents.clone();
        engine.store.call(move |db| documents.confirm(db, part.namespace, part.seqno, &hashes)).await?;
    }
    Ok(())
}

/// The requests of a push: all stores, then all deletions.
fn requests(engine: &Engine, parts: &[Part], now: Timestamp) -> Vec<Rpc> {
    let auth = Auth::user(engine.me(), &engine.keys.ed25519);
    let account = Account::from(engine.me());
    let mut requests = Vec::new();
    for part in parts {
        for data in &part.messages {
            let request = StoreRequest { account, namespace: part.namespace, data, ttl: TTL_CONFIG_MS };
            requests.push(request.rpc(Some(&auth), now));
        }
    }
    let obsolete = parts.iter().flat_map(|part| &part.obsolete);
    let hashes: Vec<_> = obsolete.filter_map(StorageHash::to_message_hash).collect();
    if !hashes.is_empty() {
        requests.push(Delete { hashes, required: false }.rpc(&auth));
    }
    requests
}

/// Gives the swarm's copies new time, so that an account that changes nothing for a month keeps its configs.
async fn extend(engine: &Arc<Engine>) {
    let documents = engine.documents.clone();
    let active = engine.store.read(move |db| documents.active_hashes(db)).await;
    let hashes = match active {
        Ok(hashes) if !hashes.is_empty() => hashes,
        Ok(_) => return,
        Err(error) => return tracing::debug!(%error, "configs cannot be read"),
    };
    let me = Account::from(engine.me());
    let expiries = vec![engine.network.now() + TTL_CONFIG_MS];
    let request = Expire { hashes, expiries, mode: ExpireMode::Extend };
    let auth = Auth::user(engine.me(), &engine.keys.ed25519);
    let reply = match engine.network.swarm_request(&me, |_, _| request.rpc(&auth)).await {
        Ok(reply) => reply,
        Err(error) => return tracing::debug!(%error, "configs keep their old time"),
    };
    if let Ok(reply) = ExpireReply::read(&reply.body, &me, &request) {
        let known = |hash: &MessageHash| {
            let mut members = reply.members.done();
            members.any(|(_, it)| it.updated.contains_key(hash) || it.unchanged.contains_key(hash))
        };
        let answered = reply.members.done().next().is_some();
        let lost: BTreeSet<MessageHash> =
            request.hashes.iter().copied().filter(|hash| answered && !known(hash)).collect();
        push_again(engine, lost).await;
    }
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

/// A document that cannot be pushed stays as it is; a person can act on one cause.
fn cannot_push(engine: &Engine, error: &PushError) {
    tracing::warn!(%error, "a config cannot be pushed");
    if matches!(error, PushError::TooLarge { .. }) {
        let text = "Your settings are too large to be shared with your other devices. Delete some contacts.";
        engine.events.send(Event::Problem(text.to_owned()));
    }
}

impl Engine {
    /// Whether the swarm has all of our configs.
    pub async fn config_is_settled(&self) -> Result<bool, StoreError> {
        let me = Account::from(self.me());
        self.store.read(move |db| Ok(!db.configs(me)?.iter().any(|config| config.needs_push))).await
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
