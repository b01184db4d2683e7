//! Which jobs for the outbox somebody's own changes made, so that one can wait for those and no others.
//!
//! Decision: who changes something need not know that it is watched, or by which steps it makes jobs. Whatever is asked of
//! the store within [`Tracked::during`] is carried out by the one thread that writes; the numbers that are new after it
//! were made by it.

use std::sync::{Arc, Mutex, PoisonError};

use super::db::Db;
use super::error::StoreError;
use super::types::JobId;

tokio::task_local! {
    static CURRENT: Tracked;
}

/// Jobs by their numbers: after one and up to another.
type Span = (JobId, JobId);

/// The jobs that were made during something.
#[derive(Clone, Default, Debug)]
pub struct Tracked(Arc<Mutex<Vec<Span>>>);

impl Tracked {
    /// Does something, and remembers the jobs that it makes.
    pub async fn during<F: Future>(&self, something: F) -> F::Output {
        CURRENT.scope(self.clone(), something).await
    }

    /// Whoever watches what happens just now.
    pub(super) fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Changes the store, and remembers the jobs that this makes.
    pub(super) fn watch<T>(
        &self,
        db: &mut Db,
        change: impl FnOnce(&mut Db) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let before = db.newest_job()?;
        let result = change(db)?;
        let after = db.newest_job()?;
        if after > before {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push((before, after));
        }
        Ok(result)
    }

    /// All of them so far.
    pub fn spans(&self) -> Vec<Span> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
