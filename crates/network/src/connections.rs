//! Connections that wait for the next request, and how they end.
//!
//! Decision: a connection that has been idle for [`IDLE`] is closed by us. Nodes close theirs after 8 to 12 seconds
//! without a word, so a request sent a moment later would run into a closing door; and what nobody uses costs both sides
//! nothing. A poll every few seconds keeps its connection open.
//!
//! All connections of one *time* can be ended together, those with a request under way as well: after the machine has
//! slept nothing that was open before can be trusted to still be there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::connection::Connection;
use crate::machine::steady;

/// How long a connection waits for another request.
const IDLE: Duration = Duration::from_secs(6);
/// How long a connection may take to be ready that has just brought a whole reply. It is a matter of the next moment.
const READY: Duration = Duration::from_secs(1);

/// The idle connections, by whom they lead to.
#[derive(Default)]
pub(crate) struct Connections(Mutex<State>);

#[derive(Default)]
struct State {
    idle: BTreeMap<String, Vec<Idle>>,
    /// Ends when the connections of this time are dropped.
    time: CancellationToken,
    /// Somebody waits to close the idle ones.
    sweeping: bool,
}

struct Idle {
    connection: Connection,
    since: Duration,
}

impl Idle {
    fn is_old(&self) -> bool {
        steady().saturating_sub(self.since) >= IDLE
    }
}

impl Connections {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time of a connection that is opened now.
    pub fn time(&self) -> CancellationToken {
        self.state().time.clone()
    }

    /// A connection that can take a request at once, the one used last.
    pub async fn take(&self, peer: &str) -> Option<Connection> {
        loop {
            let idle = self.state().idle.get_mut(peer)?.pop()?;
            let Idle { mut connection, .. } = if idle.is_old() { continue } else { idle };
            let ready = tokio::time::timeout(READY, connection.sender.ready()).await;
            if matches!(ready, Ok(Ok(()))) {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection whose reply has been read to its end.
    pub fn put(self: &Arc<Self>, peer: &str, connection: Connection) {
        if connection.sender.is_closed() || connection.time.is_cancelled() {
            return;
        }
        let mut state = self.state();
        state.idle.entry(peer.to_owned()).or_default().push(Idle { connection, since: steady() });
        if !std::mem::replace(&mut state.sweeping, true) {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// Closes every connection, also those on which a request waits: it ends with its connection's time.
    pub fn drop_all(&self) {
        let mut state = self.state();
        std::mem::take(&mut state.time).cancel();
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        drop(idle);
    }

    /// Closes what has waited too long; how long until the next one has, `None` if there is none.
    fn close_old(&self) -> Option<Duration> {
        let mut state = self.state();
        state.idle.retain(|_, connections| {
            connections.retain(|idle| !idle.is_old());
            !connections.is_empty()
        });
        let oldest = state.idle.values().flatten().map(|idle| idle.since).min();
        state.sweeping = oldest.is_some();
        Some((oldest? + IDLE).saturating_sub(steady()))
    }

    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.state().idle.values().map(Vec::len).sum()
    }
}

/// Closes idle connections in time, until there are none.
async fn sweep(connections: Weak<Connections>) {
    while let Some(wait) = connections.upgrade().and_then(|connections| connections.close_old()) {
        tokio::time::sleep(wait + Duration::from_millis(10)).await;
    }
}
