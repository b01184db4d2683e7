//! Waiting for the network's time, and what is to be done once it is known (spec 03 §8).
//!
//! Decision: until then nothing is deleted for its age, nothing is taken in from the swarm, and nothing with a
//! timestamp leaves; what a person writes is dated when the time is known (see the store's `dating`). All of that waits
//! for this task, which is also what wakes the others then.
//!
//! What is *proven* without a network is only that it is not earlier than it was ([`Proven`]): the network's time when
//! it was last known is written down, and what has passed since this program was started comes on top.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use septet_protocol::time::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Engine, pace};
use crate::event::Event;
use crate::store::{Db, StoreError};

/// The setting that keeps when the network's time was last known, in ms.
const LAST_KNOWN: &str = "time_last_known";

/// How late it is at least, whatever the machine's clock shows.
#[derive(Default)]
pub struct Proven(OnceLock<(Timestamp, Instant)>);

impl Proven {
    /// When the network's time was last known, as it is written down.
    pub fn load(db: &Db) -> Result<Option<Timestamp>, StoreError> {
        Ok(db.setting(LAST_KNOWN)?.map(Timestamp::from_ms))
    }

    /// Writes down that it is now as late as this by the network's time.
    pub fn note(db: &mut Db, now: Timestamp) -> Result<(), StoreError> {
        db.set_setting(LAST_KNOWN, &now.as_ms())
    }

    /// Counts from what was written down, from now on. To be called once, after the start.
    pub fn begin(&self, last_known: Option<Timestamp>) {
        if let Some(last_known) = last_known {
            self.0.get_or_init(|| (last_known, Instant::now()));
        }
    }

    /// It is not earlier than that. `None` if the network's time was never known.
    pub fn now(&self) -> Option<Timestamp> {
        let (then, began) = self.0.get()?;
        Some(*then + u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

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
