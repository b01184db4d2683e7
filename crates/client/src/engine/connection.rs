//! The path light: what the network says of itself, told on.

use std::sync::Arc;

use septet_network::{Connection as Link, NetworkStatus};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Engine;
use crate::event::Event;
use crate::model::{Connection, ConnectionState, PathHop};

/// Tells of every change of the connection until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    let mut status = engine.network.status();
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
        }
    }
}

/// Waits until requests go through again after they did not; `None` if the network part is gone.
pub async fn connected(status: &mut watch::Receiver<NetworkStatus>) -> Option<()> {
    loop {
        let before = status.borrow_and_update().connection;
        status.changed().await.ok()?;
        let after = status.borrow().connection;
        if after == Link::Connected && before != Link::Connected {
            return Some(());
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
