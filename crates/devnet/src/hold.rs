//! Holding requests back until a test lets them go: to force an order of events without waiting for a time.
//!
//! Decision: a gate stands before each node, and one before all of them; a request that has arrived and been counted
//! waits at a gate while somebody holds its method. It waits like a person: what it was about to do is done when it
//! is let through, also if its client has hung up meanwhile. Those who wait are known by tickets in order of arrival,
//! so that a test can wait for them and let some of them through.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// Requests of one method are held as long as this lives; dropping it lets all of them through.
#[must_use = "what is held goes on as soon as this is dropped"]
pub struct Hold(Arc<Barrier>);

impl Hold {
    /// How many requests wait.
    pub fn held(&self) -> usize {
        self.0.queue.borrow().waiting.len()
    }

    /// Until so many requests, or more, wait.
    pub async fn until_held(&self, count: usize) {
        // The sender is in the barrier, which is ours, too.
        _ = self.0.queue.subscribe().wait_for(|queue| queue.waiting.len() >= count).await;
    }

    /// Holds nobody else: who comes from now on goes through, those who wait go on waiting.
    pub fn only_these(&self) {
        self.0.queue.send_modify(|queue| queue.open = true);
    }

    /// Lets those through that have waited longest, so many of them; others go on waiting.
    pub fn let_through(&self, count: usize) {
        self.0.queue.send_modify(|queue| {
            for _ in 0..count {
                queue.waiting.pop_first();
            }
        });
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.queue.send_modify(|queue| {
            queue.open = true;
            queue.waiting.clear();
        });
    }
}

impl std::fmt::Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hold").field("method", &self.0.method).field("held", &self.held()).finish()
    }
}

/// One hold, as those see it who wait.
struct Barrier {
    method: String,
    queue: watch::Sender<Queue>,
}

#[derive(Default)]
struct Queue {
    /// Who comes goes through.
    open: bool,
    tickets: u64,
    /// The tickets of those who wait.
    waiting: BTreeSet<u64>,
}

impl Barrier {
    async fn pass(&self) {
        let mut ticket = None;
        self.queue.send_modify(|queue| {
            if !queue.open {
                queue.tickets += 1;
                ticket = Some(queue.tickets);
                queue.waiting.insert(queue.tickets);
            }
        });
        let Some(ticket) = ticket else { return };
        let _leave = Leave { barrier: self, ticket };
        // The sender is ours, so it does not go away first.
        _ = self.queue.subscribe().wait_for(|queue| !queue.waiting.contains(&ticket)).await;
    }
}

/// Gives a ticket back, also when the request is given up while it waits.
struct Leave<'a> {
    barrier: &'a Barrier,
    ticket: u64,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.barrier.queue.send_if_modified(|queue| queue.waiting.remove(&self.ticket));
    }
}

/// Where requests are held.
#[derive(Default)]
pub(crate) struct Gate(Mutex<Vec<Arc<Barrier>>>);

impl Gate {
    /// Holds the requests of this method from now on.
    pub fn hold(&self, method: &str) -> Hold {
        let barrier = Arc::new(Barrier { method: method.to_owned(), queue: watch::Sender::default() });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&barrier));
        Hold(barrier)
    }

    /// Waits until nobody holds this method who did when the request came.
    pub async fn pass(&self, method: &str) {
        let closed: Vec<Arc<Barrier>> = {
            let mut barriers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            barriers.retain(|barrier| !barrier.queue.borrow().open);
            barriers.iter().filter(|barrier| barrier.method == method).cloned().collect()
        };
        for barrier in closed {
            barrier.pass().await;
        }
    }
}
