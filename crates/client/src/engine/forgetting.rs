//! Deleting messages from our own swarm.
//!
//! Decision: what is deleted goes from this device at once, and its name stands in the store until the swarm has deleted
//! it as well, so neither a missing network nor a kill leaves a copy behind for a new device of ours to find. Only a
//! refusal ends that early, and then the person is told: the swarm forgets it by itself, two weeks after it was sent.

use std::sync::Arc;

use septet_network::NetworkError;
use septet_protocol::id::MessageHash;
use septet_protocol::swarm::request::Delete;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::connection::Reconnects;
use super::{Engine, pace};
use crate::event::Event;
use crate::store::StoreError;

/// Names in one request.
const AT_ONCE: u32 = 100;

/// Deletes what is to be deleted until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    let mut reconnects = Reconnects::of(&engine);
    let mut failures = 0;
    loop {
        let wait = match engine.forget_some().await {
            Ok(true) => {
                failures = 0;
                engine.progress.send_modify(|count| *count += 1);
                continue;
            }
            Ok(false) => None,
            Err(reason) => {
                tracing::debug!(%reason, "messages stay in the swarm for now");
                failures += 1;
                Some(pace::retry(failures))
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            () = engine.bells.forgetting.notified() => {}
            back = reconnects.next() => if back.is_none() { return },
            () = sleep(wait.unwrap_or_default()), if wait.is_some() => {}
        }
    }
}

impl Engine {
    /// Has messages deleted from our own swarm, in the background (spec 02 §23).
    pub fn forget(self: &Arc<Self>, hashes: Vec<MessageHash>) {
        if hashes.is_empty() {
            return;
        }
        let engine = Arc::clone(self);
        tokio::spawn(async move {
            let until = engine.guess();
            match engine.store.call(move |db| db.doom_hashes(&hashes, until)).await {
                Ok(()) => engine.bells.forgetting.notify_one(),
                Err(error) => tracing::debug!(%error, "messages stay in the swarm until they expire"),
            }
        });
    }

    /// Asks for some to be deleted; false if there are none.
    async fn forget_some(&self) -> Result<bool, String> {
        let failed = |error: StoreError| error.to_string();
        let hashes = self.store.read(|db| db.doomed_hashes(AT_ONCE)).await.map_err(failed)?;
        if hashes.is_empty() {
            return Ok(false);
        }
        let (request, credentials) = (Delete { hashes: hashes.clone(), required: false }, self.credentials());
        let build = |_: &_, _| request.rpc(&credentials.auth());
        match self.network.swarm_request(&credentials.owner(), build).await {
            Ok(_) => {}
            Err(NetworkError::Rejected { status, .. }) => {
                tracing::warn!(status, "the swarm refuses to delete messages");
                let told = "Your swarm would not delete its copy of what you deleted. It forgets it within two weeks.";
                self.events.send(Event::Problem(told.to_owned()));
            }
            Err(error) => return Err(error.to_string()),
        }
        self.store.call(move |db| db.hashes_gone(&hashes)).await.map_err(failed)?;
        Ok(true)
    }
}
