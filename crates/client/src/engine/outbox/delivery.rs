//! Ways to where jobs go: one trait, a value for each transport.
//!
//! Decision: a way has two steps. Up to the end of the first nothing of a job is out, so it may still be dated anew; it
//! is written down between the two that this is over.

use septet_network::NetworkError;
use septet_protocol::id::MessageHash;
use septet_protocol::swarm::request::Store as StoreRequest;
use septet_protocol::time::Timestamp;

use super::attempt::Attempt;
use crate::engine::Engine;
use crate::store::{Job, Transport};

/// That something is where it was to go.
#[derive(Clone, Copy)]
pub(super) struct Delivered {
    /// What it is called there.
    pub hash: MessageHash,
    /// Since when it is there, on the network's clock.
    pub at: Timestamp,
}

/// A way to where jobs go.
pub(super) trait Delivery {
    /// Waits until a job could go out. Nothing of it is out then.
    fn reach(&self, engine: &Engine, job: &Job) -> impl Future<Output = Result<(), Attempt>> + Send;

    /// Takes a job's bytes where they go. To be repeated with the same bytes only.
    fn deliver(
        &self,
        engine: &Engine,
        job: &Job,
        payload: &[u8],
    ) -> impl Future<Output = Result<Delivered, Attempt>> + Send;
}

/// Stores bytes in the recipient's swarm.
struct SwarmStore;

impl Delivery for SwarmStore {
    async fn reach(&self, engine: &Engine, job: &Job) -> Result<(), Attempt> {
        let reached = engine.network.reach(&job.recipient).await;
        reached.map_err(|error| Attempt::NotOut(error.to_string()))
    }

    async fn deliver(&self, engine: &Engine, job: &Job, payload: &[u8]) -> Result<Delivered, Attempt> {
        let request =
            StoreRequest { account: job.recipient, namespace: job.namespace, data: payload, ttl: job.ttl_ms };
        let credentials = engine.credentials();
        let auth = credentials.auth();
        let auth = (!job.namespace.is_public_inbox()).then_some(&auth);
        let stored = engine.network.store(&request, auth).await.map_err(|error| attempt(&error))?;
        Ok(Delivered { hash: stored.hash, at: engine.network.now() })
    }
}

/// What a network error means for a job: only a refusal of the message itself is final.
fn attempt(error: &NetworkError) -> Attempt {
    match error {
        NetworkError::Rejected { .. } => Attempt::Refused("The network refused this message.".to_owned()),
        NetworkError::Offline => Attempt::NotOut(error.to_string()),
        other => Attempt::Later(other.to_string()),
    }
}

/// Waits until a job could go out, by its transport.
pub(super) async fn reach(engine: &Engine, job: &Job) -> Result<(), Attempt> {
    match job.transport {
        Transport::Swarm => SwarmStore.reach(engine, job).await,
        Transport::Sequence | Transport::Community => Err(unknown()),
    }
}

/// Takes a job's bytes where they go, by its transport.
pub(super) async fn deliver(engine: &Engine, job: &Job, payload: &[u8]) -> Result<Delivered, Attempt> {
    match job.transport {
        Transport::Swarm => SwarmStore.deliver(engine, job, payload).await,
        Transport::Sequence | Transport::Community => Err(unknown()),
    }
}

fn unknown() -> Attempt {
    Attempt::Refused("This version cannot send this.".to_owned())
}
