//! The path light, and the waking of all tasks: what the network says of itself, told on.

use std::sync::Arc;

use septet_network::{Connection as Link, NetworkStatus};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Engine;
use crate::event::Event;
use crate::model::{Connection, ConnectionState, PathHop};

/// Tells of every change of the connection, and wakes all tasks when the machine has slept, until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    let (mut status, mut wakes) = (engine.network.status(), engine.network.wakes());
    let mut told = None;
    loop {
        let now = connection(&status.borrow_and_update());
        if told.as_ref() != Some(&now) {
            engine.events.send(Event::Connection(now.clone()));
            told = Some(now);
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            changed = status.changed() => if changed.is_err() { return },
            woke = wakes.changed() => match woke {
                Ok(()) => engine.bells.wake_all(),
                Err(_) => return,
            },
        }
    }
}

/// Tells when requests go through again after they did not, and when everybody is to look again
/// ([`Bells::wake_all`](super::Bells::wake_all)). Remembers what it saw last, so that a change between two waits is not
/// missed.
pub struct Reconnects {
    status: watch::Receiver<NetworkStatus>,
    connected: bool,
    woke: watch::Receiver<u64>,
}

impl Reconnects {
    /// From now on.
    pub fn of(engine: &Engine) -> Self {
        let status = engine.network.status();
        let connected = status.borrow().connection == Link::Connected;
        Self { status, connected, woke: engine.bells.woke.subscribe() }
    }

    /// Waits for the next time; `None` if the network part is gone. May be dropped and called again.
    pub async fn next(&mut self) -> Option<()> {
        loop {
            let was = self.connected;
            self.connected = self.status.borrow_and_update().connection == Link::Connected;
            if self.connected && !was {
                return Some(());
            }
            tokio::select! {
                changed = self.status.changed() => changed.ok()?,
                // The bell lives as long as the engine, so this only ends with it.
                woke = self.woke.changed() => return woke.ok(),
            }
        }
    }
}

/// The connection as the views show it.
pub fn connection(status: &NetworkStatus) -> Connection {
    let state = match status.connection {
        Link::Offline => ConnectionState::Offline,
        Link::Connecting => ConnectionState::Connecting,
        Link::Connected => ConnectionState::Connected,
    };
    let hop = |hop: &septet_network::PathHop| PathHop {
        ip: hop.ip.to_string(),
        country: hop.country.clone(),
        ed25519: hop.ed25519.to_string(),
    };
    let paths = status.paths.iter().map(|path| path.iter().map(hop).collect()).collect();
    Connection { state, paths }
}

impl Engine {
    /// Waits until requests go through.
    pub async fn wait_connected(&self) {
        let mut status = self.network.status();
        // Fails only if the network part is gone; then whoever waits finds that out by itself.
        let _ = status.wait_for(|status| status.connection == Link::Connected).await;
    }
}
