//! A path in use, as requests hold it: its nodes, turns on it, and the word that it is lost.
//!
//! Which paths there are is decided elsewhere ([`crate::policy`]); a request keeps the one it was given until it ends,
//! also when others use another one by then.

use septet_protocol::id::Ed25519Public;
use septet_protocol::onion::Hop;
use septet_protocol::swarm::Node;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use crate::policy::PathId;

/// Requests under way on one path. More would only cost the guard connections, and us handshakes.
const AT_ONCE: usize = 16;

/// A path in use.
#[derive(Debug)]
pub(crate) struct Path {
    /// Distinguishes it from every other path of this run.
    pub id: PathId,
    /// Guard, middle, exit.
    pub nodes: [Node; 3],
    /// Set when it has failed its test.
    lost: CancellationToken,
    /// Turns for requests: each under way holds a connection to the guard.
    turns: Semaphore,
}

impl Path {
    /// A path over these nodes.
    pub fn new(id: PathId, nodes: [Node; 3]) -> Self {
        Self { id, nodes, lost: CancellationToken::new(), turns: Semaphore::new(AT_ONCE) }
    }

    /// The node that sees our address.
    pub const fn guard(&self) -> &Node {
        let [guard, _, _] = &self.nodes;
        guard
    }

    /// The keys of its nodes, from the guard on.
    pub fn keys(&self) -> [Ed25519Public; 3] {
        self.nodes.map(|node| node.ed25519)
    }

    /// As the onion layers need it.
    pub fn hops(&self) -> [Hop; 3] {
        self.nodes.map(hop)
    }

    /// Waits for a turn to send a request; it lasts until the returned value is dropped.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Nobody closes the semaphore.
        self.turns.acquire().await.ok()
    }

    /// It has failed its test: requests that still wait on it need not wait any longer.
    pub fn give_up(&self) {
        self.lost.cancel();
    }

    /// Until [`Path::give_up`].
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }
}

/// A node as an onion layer needs it.
pub(crate) const fn hop(node: Node) -> Hop {
    Hop { ed25519: node.ed25519, x25519: node.x25519() }
}
