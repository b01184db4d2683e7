//! Waiting for the network's time, and what is to be done once it is known (spec 03 §8).
//!
//! Decision: until then nothing is deleted for its age, nothing is taken in from the swarm, and nothing with a
//! timestamp leaves; what a person writes is dated when the time is known (see the store's `dating`). All of that waits
//! for this task, which is also what wakes the others then.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use septet_protocol::time::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Engine, pace};
use crate::event::Event;
use crate::store::StoreError;

/// Settles what waits for the time, as soon as it is known and whenever something new waits.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    let mut failures = 0;
    loop {
        let now = tokio::select! {
            () = cancel.cancelled() => return,
            now = engine.network.time_known() => now,
        };
        failures = match settle(&engine, now).await {
            Ok(()) => 0,
            Err(error) => {
                tracing::warn!(%error, "what waits for the network's time cannot be dated");
                failures + 1
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            () = engine.bells.undated.notified() => {}
            () = tokio::time::sleep(pace::retry(failures)), if failures > 0 => {}
        }
    }
}

/// Dates what waits, tells what looks different, and wakes everybody who waited.
async fn settle(engine: &Engine, now: Timestamp) -> Result<(), StoreError> {
    let documents = engine.documents.clone();
    let touched = engine
        .store
        .call(move |db| {
            db.transaction(|db| {
                documents.settle_time(db, now)?;
                db.settle_time(now)
            })
        })
        .await?;
    engine.settled.store(true, Ordering::Release);
    for conversation in touched {
        engine.events.send(Event::Messages(conversation));
        engine.events.send(Event::Conversation(conversation));
    }
    engine.bells.wake_all();
    Ok(())
}
