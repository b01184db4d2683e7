//! Sending what was written down.
//!
//! Each recipient has a lane: its jobs go out one after the other in the order they were written, lanes go in
//! parallel. A job that fails for a passing reason stays at the head of its lane and is tried again, however long
//! that takes; a job is given up only when the network refuses it for what it is. Waiting times are kept in memory
//! only: after a restart, and when the network is back, everything is tried at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use septet_network::NetworkError;
use septet_protocol::id::{Account, MessageHash};
use septet_protocol::swarm::Auth;
use septet_protocol::swarm::request::Store as StoreRequest;
use septet_protocol::time::Timestamp;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::connection::Reconnects;
use super::{Engine, pace, uploads};
use crate::event::Event;
use crate::model::MessageState;
use crate::store::{Job, JobKind, StoreError};

/// So many recipients are served at the same time.
const MOST_LANES: usize = 16;

/// Sends until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    // What is sent has a timestamp; before the time is known, none has a right one.
    tokio::select! {
        () = cancel.cancelled() => return,
        _ = engine.network.time_known() => {}
    }
    let mut lanes = Lanes::default();
    let mut reconnects = Reconnects::of(&engine);
    loop {
        if let Err(error) = lanes.fill(&engine).await {
            tracing::warn!(%error, "the outbox cannot be read");
        }
        let wake = lanes.next_retry();
        tokio::select! {
            () = cancel.cancelled() => break,
            () = engine.bells.outbox.notified() => {}
            Some(ended) = lanes.running.join_next() => {
                lanes.ended(ended.ok());
                engine.progress.send_modify(|count| *count += 1);
            }
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            back = reconnects.next() => match back {
                Some(()) => lanes.waiting.clear(),
                None => break,
            },
        }
    }
    lanes.running.shutdown().await;
}

/// Who is being served, and who waits.
#[derive(Default)]
struct Lanes {
    running: JoinSet<(Account, bool)>,
    /// Recipients being served, with how often their job failed before.
    busy: BTreeMap<Account, u32>,
    waiting: BTreeMap<Account, Wait>,
}

/// A lane whose first job failed for now.
struct Wait {
    failures: u32,
    until: Instant,
}

impl Lanes {
    /// Starts the first job of each recipient that is not being served and may be tried.
    async fn fill(&mut self, engine: &Arc<Engine>) -> Result<(), StoreError> {
        let now = Instant::now();
        for job in engine.store.call(|db| db.outbox_due()).await? {
            let recipient = job.recipient;
            let waits = self.waiting.get(&recipient).is_some_and(|wait| wait.until > now);
            if waits || self.busy.contains_key(&recipient) || self.busy.len() >= MOST_LANES {
                continue;
            }
            let failures = self.waiting.remove(&recipient).map_or(0, |wait| wait.failures);
            self.busy.insert(recipient, failures);
            let engine = Arc::clone(engine);
            self.running.spawn(async move { (recipient, serve(&engine, job).await) });
        }
        Ok(())
    }

    /// When the next waiting lane may be tried.
    fn next_retry(&self) -> Option<Instant> {
        self.waiting.values().map(|wait| wait.until).min()
    }

    /// Notes how a job ended; `None` if its task broke, which serves its recipient again once all others are done.
    fn ended(&mut self, ended: Option<(Account, bool)>) {
        let Some((recipient, done)) = ended else {
            if self.running.is_empty() {
                self.busy.clear();
            }
            return;
        };
        let failures = self.busy.remove(&recipient).unwrap_or(0) + 1;
        if !done {
            let until = Instant::now() + pace::retry(failures);
            self.waiting.insert(recipient, Wait { failures, until });
        }
    }
}

/// Does a job; `false` if it is to be tried again later.
async fn serve(engine: &Arc<Engine>, job: Job) -> bool {
    let result = match job.payload {
        Some(_) => deliver(engine, &job).await,
        None => match uploads::complete(engine, &job).await {
            // The next round finds the job with its bytes.
            Ok(()) => return true,
            Err(attempt) => Err(attempt),
        },
    };
    let written = match result {
        Ok((hash, stored_at)) => sent(engine, job, hash, stored_at).await,
        Err(Attempt::Refused(reason)) => refused(engine, job, reason).await,
        Err(Attempt::Later(reason)) => {
            tracing::debug!(%reason, "a message waits");
            return false;
        }
    };
    if let Err(error) = written {
        tracing::warn!(%error, "what became of a message cannot be written down");
        return false;
    }
    true
}

/// How an attempt failed.
pub enum Attempt {
    /// It may work later; why, for the log.
    Later(String),
    /// It never will; why, as a sentence.
    Refused(String),
}

impl From<StoreError> for Attempt {
    fn from(error: StoreError) -> Self {
        Self::Later(error.to_string())
    }
}

/// Stores a job's bytes in its recipient's swarm.
async fn deliver(engine: &Arc<Engine>, job: &Job) -> Result<(MessageHash, Timestamp), Attempt> {
    let data = job.payload.as_deref().unwrap_or_default();
    let request = StoreRequest { account: job.recipient, namespace: job.namespace, data, ttl: job.ttl_ms };
    let auth = Auth::user(engine.me(), &engine.keys.ed25519);
    let auth = (!job.namespace.is_public_inbox()).then_some(&auth);
    let stored = engine.network.store(&request, auth).await.map_err(|error| attempt(&error))?;
    Ok((stored.hash, engine.network.now()))
}

/// What a network error means for a job: only a refusal of the message itself is final.
fn attempt(error: &NetworkError) -> Attempt {
    match error {
        NetworkError::Rejected { status: 400 | 401 | 403 | 413, .. } => {
            Attempt::Refused("The network refused this message.".to_owned())
        }
        other => Attempt::Later(other.to_string()),
    }
}

/// Writes down that a job is done, and tells.
async fn sent(engine: &Arc<Engine>, job: Job, hash: MessageHash, at: Timestamp) -> Result<(), StoreError> {
    let (now, job_kind) = (engine.now(), job.kind);
    let changed = engine.store.call(move |db| db.outbox_sent(job.id, hash, at, now)).await?;
    if let Some((conversation, message)) = changed.filter(|_| job_kind != JobKind::SyncCopy) {
        engine.events.send(Event::State { conversation, message, state: MessageState::Sent });
        engine.bells.expiry.notify_one();
    }
    Ok(())
}

/// Writes down that a job is given up, and tells.
async fn refused(engine: &Arc<Engine>, job: Job, reason: String) -> Result<(), StoreError> {
    let kind = job.kind;
    let told = reason.clone();
    let changed = engine.store.call(move |db| db.outbox_failed(job.id, &reason)).await?;
    if let Some((conversation, message)) = changed {
        engine.events.send(Event::State { conversation, message, state: MessageState::Failed });
    } else if kind == JobKind::Other {
        // A reaction, an unsend request: there is no message that could show that it failed.
        engine.events.send(Event::Problem(told));
    }
    Ok(())
}
