//! Who is being served, and who waits.
//!
//! Decision: waiting times are kept in memory only: after a restart, and when the network is back, everything is tried
//! at once. What waits is a job, not its lane: if it is taken back, the next one does not wait in its stead.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::serve;
use crate::engine::{Engine, pace};
use crate::store::{Due, JobId, Lane, StoreError};

/// So many lanes are served at the same time.
const MOST_LANES: usize = 16;

/// The lanes of the outbox.
#[derive(Default)]
pub(super) struct Lanes {
    running: JoinSet<(Due, bool)>,
    /// Lanes being served, with how often their job failed before.
    busy: BTreeMap<Lane, u32>,
    waiting: BTreeMap<Lane, Wait>,
}

/// A lane whose first job failed for now.
struct Wait {
    job: JobId,
    failures: u32,
    until: Instant,
}

impl Lanes {
    /// Starts the first job of each lane that is not being served and may be tried.
    pub async fn fill(&mut self, engine: &Arc<Engine>) -> Result<(), StoreError> {
        let now = Instant::now();
        let due = engine.store.call(|db| db.outbox_due()).await?;
        self.waiting.retain(|lane, wait| due.iter().any(|due| due.lane == *lane && due.job == wait.job));
        for due in due {
            let waits = self.waiting.get(&due.lane).is_some_and(|wait| wait.until > now);
            if waits || self.busy.contains_key(&due.lane) || self.busy.len() >= MOST_LANES {
                continue;
            }
            let failures = self.waiting.remove(&due.lane).map_or(0, |wait| wait.failures);
            self.busy.insert(due.lane.clone(), failures);
            let engine = Arc::clone(engine);
            self.running.spawn(async move {
                let done = serve(&engine, due.job).await;
                (due, done)
            });
        }
        Ok(())
    }

    /// When the next waiting lane may be tried.
    pub fn next_retry(&self) -> Option<Instant> {
        self.waiting.values().map(|wait| wait.until).min()
    }

    /// Until a job has ended; never if there is none.
    pub async fn until_ended(&mut self) {
        match self.running.join_next().await {
            Some(ended) => self.ended(ended.ok()),
            None => std::future::pending().await,
        }
    }

    /// Notes how a job ended; `None` if its task broke, which serves its lane again once all others are done.
    fn ended(&mut self, ended: Option<(Due, bool)>) {
        let Some((Due { job, lane }, done)) = ended else {
            if self.running.is_empty() {
                self.busy.clear();
            }
            return;
        };
        let failures = self.busy.remove(&lane).unwrap_or(0) + 1;
        if !done {
            let until = Instant::now() + pace::retry(failures);
            self.waiting.insert(lane, Wait { job, failures, until });
        }
    }

    /// Nobody waits any longer.
    pub fn try_all_now(&mut self) {
        self.waiting.clear();
    }

    /// Breaks off what is being done.
    pub async fn stop(&mut self) {
        self.running.shutdown().await;
    }
}
