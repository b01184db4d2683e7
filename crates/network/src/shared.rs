//! What requests and maintenance share: what is decided, the paths in use, the clock, the status.
//!
//! Decision: one short lock around everything that is decided ([`Policy`]), never held across an `await`. Whoever has
//! found something out tells the policy, and what follows for the paths in use is carried out at once, under the same
//! lock; what takes time — tests, lists, files — is handed to the driver. So no request ever does the work of another
//! one, and all of them see the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use septet_protocol::crypto::SystemRandom;
use septet_protocol::id::Ed25519Public;
use septet_protocol::swarm::Node;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{timeout, timeout_at};

use crate::clock::Clock;
use crate::config::NetworkConfig;
use crate::error::NetworkError;
use crate::http::Http;
use crate::path::Path;
use crate::policy::{Action, PathId, Policy};
use crate::status::{Connection, NetworkStatus, shown};
use crate::web::Web;

/// How long a request waits for a path while paths are being built.
const WAIT_CONNECTING: Duration = Duration::from_secs(10);
/// How long a request waits for a path when nobody could be reached just before.
const WAIT_OFFLINE: Duration = Duration::from_millis(2500);
/// How long a request whose destination is part of the only path waits for the second one.
const WAIT_SECOND: Duration = Duration::from_secs(3);

/// Shared by all requests and the driver.
pub(crate) struct Shared {
    pub config: NetworkConfig,
    pub http: Http,
    pub web: Web,
    pub clock: Clock,
    state: Mutex<State>,
    /// What takes time, for the driver to do.
    orders: mpsc::UnboundedSender<Action>,
    /// The driver is to look at [`Shared::next_wake`] again.
    pub wake: Notify,
    pub status: watch::Sender<NetworkStatus>,
    /// How often the machine has slept, for those who ask the network something regularly.
    pub wakes: watch::Sender<u64>,
    /// When the clock was last measured on purpose.
    pub measured: tokio::sync::Mutex<Option<Instant>>,
}

struct State {
    policy: Policy,
    paths: BTreeMap<PathId, Arc<Path>>,
    /// When the driver will call by itself.
    wake: Option<Instant>,
}

impl Shared {
    /// With what is decided at the start, and where to send what is to be done.
    pub fn new(
        config: NetworkConfig,
        policy: Policy,
        clock: Clock,
        orders: mpsc::UnboundedSender<Action>,
    ) -> Result<Self, NetworkError> {
        let http = Http::new(&config).map_err(NetworkError::Setup)?;
        let web = Web::new(&config.web_certificates, !config.public_only).map_err(NetworkError::Setup)?;
        Ok(Self {
            config,
            http,
            web,
            clock,
            state: Mutex::new(State { policy, paths: BTreeMap::new(), wake: None }),
            orders,
            wake: Notify::new(),
            status: watch::Sender::default(),
            wakes: watch::Sender::default(),
            measured: tokio::sync::Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked left whole data behind: every change under this lock is a single step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the policy what has happened, and has what follows carried out.
    pub fn tell<T>(&self, event: impl FnOnce(&mut Policy, Instant) -> T) -> T {
        let mut state = self.state();
        let now = Instant::now();
        let answer = event(&mut state.policy, now);
        state.policy.tick(now, &mut SystemRandom);
        for action in state.policy.take_actions() {
            match action {
                Action::Open(id, nodes) => {
                    tracing::debug!(path = ?id, "path built");
                    state.paths.insert(id, Arc::new(Path::new(id, nodes)));
                }
                Action::Retire(id) => _ = state.paths.remove(&id),
                Action::Close(id) => {
                    tracing::debug!(path = ?id, "path lost");
                    if let Some(path) = state.paths.remove(&id) {
                        path.give_up();
                    }
                }
                // Fails only if the driver has ended, and the network with it.
                other => _ = self.orders.send(other),
            }
        }
        let wake = state.policy.next_wake(now);
        if wake != state.wake {
            state.wake = wake;
            self.wake.notify_one();
        }
        self.show(&state);
        answer
    }

    /// Asks the policy something.
    pub fn ask_policy<T>(&self, question: impl FnOnce(&Policy) -> T) -> T {
        question(&self.state().policy)
    }

    /// When the policy is to be called although nothing has happened.
    pub fn next_wake(&self) -> Option<Instant> {
        self.state().wake
    }

    fn show(&self, state: &State) {
        self.status.send_if_modified(|status| {
            let connection = match state.paths.is_empty() {
                false => Connection::Connected,
                true if state.policy.is_offline() => Connection::Offline,
                true if status.connection == Connection::Offline => Connection::Offline,
                true => Connection::Connecting,
            };
            let same = status.paths.len() == state.paths.len()
                && status.paths.iter().zip(state.paths.values()).all(|(shown, path)| {
                    shown.iter().map(|hop| hop.ed25519).eq(path.nodes.iter().map(|node| node.ed25519))
                });
            let changed = !same || status.connection != connection;
            if changed {
                let paths = state.paths.values().map(|path| shown(path)).collect();
                *status = NetworkStatus { connection, paths };
            }
            changed
        });
    }

    /// A path for a request, waiting for one if need be. `None` if the destination is part of every path.
    pub async fn find_path(
        &self,
        destination: Option<&Ed25519Public>,
        used: &[PathId],
    ) -> Result<Option<Arc<Path>>, NetworkError> {
        let mut status = self.status.subscribe();
        let offline = status.borrow_and_update().connection == Connection::Offline;
        let wait = if offline { WAIT_OFFLINE } else { WAIT_CONNECTING };
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            if let Some(found) = self.choose_path(destination, used) {
                return Ok(found);
            }
            self.tell(Policy::demand);
            if timeout_at(deadline, status.changed()).await.is_err() {
                return Err(NetworkError::Offline);
            }
            if !offline && status.borrow_and_update().connection == Connection::Offline {
                return Err(NetworkError::Offline);
            }
        }
    }

    /// As long as the only path leads through a destination that is much better than any other, and a second one is
    /// being built, waits for that.
    pub async fn until_path_around(&self, destination: &Ed25519Public) {
        let mut status = self.status.subscribe();
        let in_vain = || self.ask_policy(|policy| policy.paths.may_soon_avoid(destination));
        let wait = async { while in_vain() && status.changed().await.is_ok() {} };
        _ = timeout(WAIT_SECOND, wait).await;
    }

    /// A path; `None` if there is none at all, `Some(None)` if the destination is part of each.
    fn choose_path(&self, destination: Option<&Ed25519Public>, used: &[PathId]) -> Option<Option<Arc<Path>>> {
        let state = self.state();
        if state.paths.is_empty() {
            return None;
        }
        let id = state.policy.paths.choose(destination, used, &mut SystemRandom);
        Some(id.and_then(|id| state.paths.get(&id)).cloned())
    }

    /// So many nodes that are in no path of ours, at random, none of which `except` names; where that is asked for, in
    /// different /24 networks. Those that are gone around come last.
    pub fn off_path_nodes(&self, count: usize, except: impl Fn(&Ed25519Public) -> bool) -> Vec<Node> {
        let (state, now) = (self.state(), Instant::now());
        let distinct = self.config.distinct_subnets;
        let mut chosen: Vec<Node> = Vec::new();
        while chosen.len() < count {
            let fits = |node: &Node| {
                let near = |other: &Node| {
                    other.ed25519 == node.ed25519 || (distinct && other.subnet() == node.subnet())
                };
                !except(&node.ed25519)
                    && !state.policy.paths.contain(&node.ed25519)
                    && !chosen.iter().any(near)
            };
            let Some(node) = state.policy.pool.draw(fits, now, &mut SystemRandom) else { break };
            chosen.push(node);
        }
        chosen
    }
}
