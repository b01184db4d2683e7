//! Reading once more what an older version could not (spec 09 §6.1).
//!
//! Once after an update, when the network's time is known: what was kept is decoded as if it had just come, and what
//! this version knows is taken in on the same way as new messages. What was tried is marked in the same transaction,
//! so a kill in between only means that the rest is tried after the next start.

use std::sync::Arc;

use septet_protocol::id::{Account, Namespace};
use septet_protocol::time::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Documents, Engine, arrivals, receive};
use crate::store::{AppliedBatch, Db, DeferredId, ReceivedItem, StoreError, VERSION};

/// So many at a time: as much as may be in memory at once.
const AT_ONCE: u32 = 64;

/// Reads everything once that this version has not tried yet, and ends.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    let now = tokio::select! {
        () = cancel.cancelled() => return,
        now = engine.network.time_known() => now,
    };
    tokio::select! {
        () = cancel.cancelled() => {}
        result = read_all(&engine, now) => if let Err(error) = result {
            tracing::warn!(%error, "what an older version kept is not read now, but after the next start");
        },
    }
}

async fn read_all(engine: &Arc<Engine>, now: Timestamp) -> Result<(), StoreError> {
    let owner = Account::from(engine.me());
    loop {
        let untried = move |db: &Db| db.deferred_untried(owner, Namespace::MESSAGES, VERSION, AT_ONCE, now);
        let (ids, messages): (Vec<_>, Vec<_>) =
            engine.store.read(untried).await?.into_iter().map(|kept| (kept.id, kept.message)).unzip();
        if ids.is_empty() {
            return Ok(());
        }
        let items = ids.into_iter().zip(receive::read_all(engine, messages).await).collect();
        let documents = engine.documents.clone();
        let apply = move |db: &mut Db| take_in(db, &documents, items, VERSION, now);
        let (applied, configs_changed) = engine.store.call(apply).await?;
        if configs_changed {
            engine.bells.config.notify_one();
        }
        engine.follow_up(applied);
    }
}

/// Takes in what was kept, as it is read now; says whether configs changed by it.
fn take_in(
    db: &mut Db,
    documents: &Documents,
    kept: Vec<(DeferredId, ReceivedItem)>,
    version: &str,
    now: Timestamp,
) -> Result<(AppliedBatch, bool), StoreError> {
    let owner = Account::from(documents.me());
    let items: Vec<ReceivedItem> = kept.iter().map(|(_, item)| item.clone()).collect();
    arrivals::apply_with(db, documents, &items, now, |db| {
        db.apply_deferred(&kept, owner, Namespace::MESSAGES, version, now)
    })
}
