//! Sending what was written down.
//!
//! Each recipient has a lane: its jobs go out one after the other in the order they were written, lanes go in
//! parallel ([`lanes`]). A job that fails for a passing reason stays at the head of its lane and is tried again, however
//! long that takes; a job is given up only when the network refuses it for what it is.
//!
//! Decision: a job's bytes are read, and made if they are not there yet, in the transaction that writes down that they
//! may be out from now on. So what is taken back before that is never sent; what is taken back after it is asked to be
//! deleted, by the store and behind itself in its lane; and what was never tried goes out with a date of now
//! ([`Db::freshen`]), whatever happened meanwhile. If the network tells that nothing has left this machine after all,
//! that is written down as well.

pub(super) mod attempt;
mod delivery;
mod encode;
mod lanes;

use std::collections::BTreeSet;
use std::sync::Arc;

use septet_protocol::id::Account;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::connection::Reconnects;
use super::{Engine, uploads};
use crate::event::Event;
use crate::model::{ConversationId, MessageState};
use crate::store::{Db, Job, JobId, JobKind, StoreError};
use attempt::Attempt;
use delivery::Delivered;
use lanes::Lanes;

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
            () = lanes.until_ended() => engine.progress.send_modify(|count| *count += 1),
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            back = reconnects.next() => match back {
                Some(()) => lanes.try_all_now(),
                None => break,
            },
        }
    }
    lanes.stop().await;
}

/// What is found when a job is about to be tried.
enum Turn {
    /// It was taken back.
    Gone,
    /// Files of its message are nowhere yet.
    Unready,
    /// Its bytes may be out from now on.
    Begun(Box<Begun>),
}

/// A job whose bytes may be out from now on.
struct Begun {
    job: Job,
    payload: Vec<u8>,
    /// It was never tried before.
    first: bool,
    /// Conversations that look different because it was dated anew.
    touched: BTreeSet<ConversationId>,
}

/// Does a job; `false` if it is to be tried again later.
async fn serve(engine: &Arc<Engine>, id: JobId) -> bool {
    let written = match attempt(engine, id).await {
        Ok(None) => Ok(()),
        Ok(Some((job, delivered))) => sent(engine, job, delivered).await,
        Err(Attempt::Refused(reason)) => refused(engine, id, reason).await,
        Err(Attempt::Later(reason) | Attempt::NotOut(reason)) => {
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

/// Tries a job; `None` if there is nothing to do, since it was taken back.
async fn attempt(engine: &Arc<Engine>, id: JobId) -> Result<Option<(Job, Delivered)>, Attempt> {
    let Some(job) = engine.store.call(move |db| db.outbox_job(id)).await? else { return Ok(None) };
    if let Some(message) = job.message.filter(|_| !job.encoded && job.wish.is_none()) {
        uploads::complete(engine, message).await?;
    }
    delivery::reach(engine, &job).await?;
    let Begun { job, payload, first, touched } = match begin(engine, id).await? {
        Turn::Begun(begun) => *begun,
        Turn::Gone => return Ok(None),
        Turn::Unready => return Err(Attempt::NotOut("its files are nowhere yet".to_owned())),
    };
    tell_dated(engine, touched);
    let delivered = delivery::deliver(engine, &job, &payload).await;
    if let (Err(Attempt::NotOut(_)), true) = (&delivered, first) {
        engine.store.call(move |db| db.outbox_not_attempted(id)).await?;
    }
    delivered.map(|delivered| Some((job, delivered)))
}

/// Writes down that a job's bytes may be out from now on, and hands them over.
async fn begin(engine: &Arc<Engine>, id: JobId) -> Result<Turn, Attempt> {
    let Some(now) = engine.now().known() else {
        return Err(Attempt::NotOut("what waited for the time is not dated yet".to_owned()));
    };
    let this = Arc::clone(engine);
    let begin = move |db: &mut Db| {
        db.transaction(|db| {
            let Some(job) = db.outbox_job(id)? else { return Ok(Turn::Gone) };
            let touched = db.freshen(&job, now)?;
            let Some(payload) = encode::bytes(&this, db, id)? else { return Ok(Turn::Unready) };
            let first = db.outbox_attempting(id)?;
            let Some(job) = db.outbox_job(id)? else { return Ok(Turn::Gone) };
            Ok(Turn::Begun(Box::new(Begun { job, payload, first, touched })))
        })
    };
    Ok(engine.store.call(begin).await?)
}

/// Tells what looks different because it has another date.
fn tell_dated(engine: &Engine, touched: BTreeSet<ConversationId>) {
    for conversation in touched {
        engine.events.send(Event::Messages(conversation));
        engine.events.send(Event::Conversation(conversation));
    }
}

/// Writes down that a job is done, and tells.
async fn sent(engine: &Arc<Engine>, job: Job, delivered: Delivered) -> Result<(), StoreError> {
    let (now, id, job_kind) = (engine.now(), job.id, job.kind);
    let Delivered { hash, at } = delivered;
    let carried = job.message;
    let record = move |db: &mut Db| {
        db.transaction(|db| {
            let shown = match carried {
                Some(message) => db.message(message)?.is_some_and(|message| !message.deleted),
                None => true,
            };
            Ok((shown, db.outbox_sent(id, hash, at, now)?))
        })
    };
    let (shown, changed) = engine.store.call(record).await?;
    if !shown && job.recipient == Account::from(engine.me()) {
        // Deleted while it was on its way. That others delete it is in its lane already; here it can be done at once.
        engine.forget(vec![hash]);
    }
    if let Some((conversation, message)) = changed.filter(|_| job_kind != JobKind::SyncCopy) {
        engine.events.send(Event::State { conversation, message, state: MessageState::Sent });
        engine.bells.expiry.notify_one();
    }
    Ok(())
}

/// Writes down that a job is given up, and tells.
async fn refused(engine: &Arc<Engine>, id: JobId, reason: String) -> Result<(), StoreError> {
    let told = reason.clone();
    let give_up = move |db: &mut Db| {
        db.transaction(|db| {
            let kind = db.outbox_job(id)?.map(|job| job.kind);
            Ok((kind, db.outbox_failed(id, &reason)?))
        })
    };
    let (kind, changed) = engine.store.call(give_up).await?;
    if let Some((conversation, message)) = changed {
        engine.events.send(Event::State { conversation, message, state: MessageState::Failed });
    } else if kind == Some(JobKind::Other) {
        // A reaction, an unsend request: there is no message that could show that it failed.
        engine.refusals.note(Some(id), &told);
        engine.events.send(Event::Problem(told));
    }
    Ok(())
}

impl Engine {
    /// Something was put into the outbox, taken out of it, or may be tried again.
    pub fn outbox_changed(&self) {
        self.bells.outbox.notify_one();
        // Who waits for an empty outbox looks again.
        self.progress.send_modify(|count| *count += 1);
    }
}
