//! Keeping configs alive in the swarm, and putting back what it has lost (spec 09 §5.2).
//!
//! [`KeepAlive`] decides what is to be done and when; this does it, after each poll: it asks the swarm to keep what is
//! current, and stores the kept bytes of what is missing. A config is never changed for that: what is put back has the
//! name it had.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use septet_protocol::config::StorageHash;
use septet_protocol::id::{MessageHash, Namespace};
use septet_protocol::swarm::MemberKeys;
use septet_protocol::swarm::reply::ExpireReply;
use septet_protocol::swarm::request::Expire;
use septet_protocol::swarm::signing::ExpireMode;
use tokio_util::sync::CancellationToken;

use super::keep_alive::{Action, Detection, Event, KeepAlive, Round, detect};
use super::{Step, SyncError, TTL_CONFIG_MS, carry_out_all};
use crate::engine::Engine;
use crate::engine::documents::Kept;
use crate::store::StoreError;

/// What a push found too few members to have, until the keeper takes it.
#[derive(Default)]
pub struct Lacking(Mutex<BTreeSet<MessageHash>>);

impl Lacking {
    /// Too few members have these.
    pub fn add(&self, hashes: BTreeSet<MessageHash>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(hashes);
    }

    fn take(&self) -> BTreeSet<MessageHash> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Keeps our configs alive until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    let mut keep = KeepAlive::default();
    let mut polls = engine.polls.completions();
    loop {
        // The sender lives as long as the engine.
        let number = tokio::select! {
            () = cancel.cancelled() => return,
            changed = polls.changed() => match changed {
                Ok(()) => *polls.borrow_and_update(),
                Err(_) => return,
            },
        };
        // What was dated by a wrong clock is not for the swarm.
        let Some(now) = engine.network.time() else { continue };
        keep.on(Event::Polled { number, readable: engine.polls.all_readable() }, now);
        let lacking = engine.lacking.take();
        if !lacking.is_empty() {
            keep.on(Event::Lacking { hashes: lacking, begun: engine.polls.begun() }, now);
        }
        loop {
            let action = keep.next(engine.network.now());
            let event = tokio::select! {
                () = cancel.cancelled() => return,
                event = carry_out_action(&engine, action) => event,
            };
            let Some(event) = event else { break };
            keep.on(event, engine.network.now());
        }
        if keep.wants_poll() {
            engine.polls.ring();
        }
    }
}

/// Does what is to be done, and tells what came of it.
async fn carry_out_action(engine: &Engine, action: Action) -> Option<Event> {
    match action {
        Action::Wait => None,
        Action::Extend => Some(extend(engine).await.unwrap_or_else(|error| {
            tracing::debug!(%error, "configs cannot be read");
            unconfirmed(engine)
        })),
        Action::Restore(missing) => {
            let round = restore(engine, missing).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "a config that the swarm has lost cannot be put back");
                Round { failed: 1, ..Round::default() }
            });
            Some(Event::Restored(round))
        }
    }
}

/// Asks the swarm to keep what is current for another 30 days.
async fn extend(engine: &Engine) -> Result<Event, StoreError> {
    let documents = engine.documents.clone();
    let hashes = engine.store.read(move |db| documents.set.active_hashes(db)).await?;
    if hashes.is_empty() {
        let (confirmed, detection) = (true, Detection::Inconclusive);
        return Ok(Event::Extended { confirmed, detection, begun: engine.polls.begun() });
    }
    let credentials = engine.credentials();
    let (owner, auth) = (credentials.owner(), credentials.auth());
    let expiries = vec![engine.network.now() + TTL_CONFIG_MS];
    let request = Expire { hashes, expiries, mode: ExpireMode::Extend };
    let read = |swarm: &MemberKeys, body| ExpireReply::read(&body, swarm, &owner, &request);
    Ok(match engine.network.swarm_query(&owner, |_, _| request.rpc(&auth), read).await {
        Ok((_, reply)) => Event::Extended {
            confirmed: reply.members.any_done(),
            detection: detect(true, &request.hashes, reply.members.done().map(|(_, told)| told)),
            begun: engine.polls.begun(),
        },
        Err(error) => {
            tracing::debug!(%error, "configs keep their old time");
            unconfirmed(engine)
        }
    })
}

fn unconfirmed(engine: &Engine) -> Event {
    Event::Extended { confirmed: false, detection: Detection::Inconclusive, begun: engine.polls.begun() }
}

/// Stores the kept bytes of current configs that some of `missing` belong to.
async fn restore(engine: &Engine, missing: BTreeSet<MessageHash>) -> Result<Round, StoreError> {
    let (documents, wanted) = (engine.documents.clone(), missing.clone());
    let kept = engine.store.read(move |db| documents.set.kept(db, &wanted)).await?;
    let claimed: BTreeSet<MessageHash> = kept.iter().flat_map(|it| it.hashes.iter().copied()).collect();
    let mut round = Round { unclaimed: missing.difference(&claimed).copied().collect(), ..Round::default() };
    let (stored, result) = put_back(engine, &kept).await;
    if let Err(error) = result {
        tracing::debug!(%error, "configs that the swarm has lost are not all back");
    }
    round.failed = kept.len() - stored.len();
    for (_, hashes) in &stored {
        round.restored.extend(hashes.iter().filter_map(StorageHash::to_message_hash));
    }
    let back = kept.iter().filter(|it| stored.iter().any(|(namespace, _)| *namespace == it.namespace));
    round.restored.extend(back.flat_map(|it| it.hashes.iter().copied()));
    if !stored.is_empty() {
        let documents = engine.documents.clone();
        engine.store.call(move |db| documents.set.confirm_stored(db, &stored)).await?;
        // What these replace may be deleted now.
        engine.bells.config.notify_one();
    }
    Ok(round)
}

/// Stores all parts of these, up to the first request that fails; those that are whole, with the names they have now.
async fn put_back(
    engine: &Engine,
    kept: &[Kept],
) -> (Vec<(Namespace, Vec<StorageHash>)>, Result<(), SyncError>) {
    let steps: Vec<Step> =
        (0..).zip(kept).flat_map(|(part, it)| Step::all(part, it.namespace, &it.messages)).collect();
    let (done, result) = carry_out_all(engine, &steps).await;
    let whole = (0..).zip(kept).filter_map(|(part, it)| {
        let own = steps.iter().zip(&done).filter(|(step, _)| step.part == part);
        let hashes: Vec<StorageHash> = own.map(|(_, hash)| hash.clone()).collect();
        (hashes.len() == it.messages.len()).then_some((it.namespace, hashes))
    });
    (whole.collect(), result)
}
