//! What requests and maintenance share: the pool, the paths, the clock, the status.
//!
//! Decision: short locks around plain data, never held across an `await`. Requests only read, and mark what failed;
//! the keeper alone builds and drops paths, woken by those marks. So no request ever does the work of
//! another one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use septet_protocol::crypto::SystemRandom;
use septet_protocol::id::{Account, Ed25519Public};
use septet_protocol::swarm::Node;
use tokio::sync::{Notify, watch};
use tokio::time::timeout_at;

use crate::choose;
use crate::clock::Clock;
use crate::config::NetworkConfig;
use crate::error::NetworkError;
use crate::http::Http;
use crate::path::Path;
use crate::pool::Pool;
use crate::status::{Connection, NetworkStatus, shown};

/// How long a request waits for a path while paths are being built.
const WAIT_CONNECTING: Duration = Duration::from_secs(10);
/// How long a request waits for a path when nobody could be reached just before.
const WAIT_OFFLINE: Duration = Duration::from_millis(2500);

/// Shared by all requests and the keeper.
pub(crate) struct Shared {
    pub config: NetworkConfig,
    pub http: Http,
    pub clock: Clock,
    pool: Mutex<Pool>,
    paths: Mutex<Vec<Arc<Path>>>,
    /// Swarms as nodes told us, where the pool does not know better.
    swarms: Mutex<BTreeMap<Account, Vec<Node>>>,
    /// Destinations whose last answer did not come in time, and the path it was expected on.
    slow: Mutex<BTreeMap<Ed25519Public, u64>>,
    pub status: watch::Sender<NetworkStatus>,
    /// Something for the keeper to look at.
    pub wake: Notify,
    /// When the clock was last measured on purpose.
    pub measured: tokio::sync::Mutex<Option<Instant>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked left whole data behind: every change under these locks is a single step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A way to a destination.
enum Way {
    Path(Arc<Path>),
    /// There are paths, but the destination is part of each.
    OnEvery,
    None,
}

impl Shared {
    pub fn new(config: NetworkConfig) -> Result<Self, NetworkError> {
        let http = Http::new(&config).map_err(NetworkError::Setup)?;
        Ok(Self {
            config,
            http,
            clock: Clock::default(),
            pool: Mutex::default(),
            paths: Mutex::default(),
            swarms: Mutex::default(),
            slow: Mutex::default(),
            status: watch::Sender::default(),
            wake: Notify::new(),
            measured: tokio::sync::Mutex::default(),
        })
    }

    /// The pool, for as long as the guard lives: not across an `await`.
    pub fn pool(&self) -> MutexGuard<'_, Pool> {
        lock(&self.pool)
    }

    /// A copy of all nodes.
    pub fn nodes(&self) -> Vec<Node> {
        self.pool().nodes().to_vec()
    }

    /// The paths in use.
    pub fn paths(&self) -> Vec<Arc<Path>> {
        lock(&self.paths).clone()
    }

    /// Takes a new path into use, or one out of it, and tells whoever waits.
    pub fn change_paths(&self, change: impl FnOnce(&mut Vec<Arc<Path>>)) {
        let mut paths = lock(&self.paths);
        change(&mut paths);
        let shown: Vec<_> = paths.iter().map(|path| shown(path)).collect();
        drop(paths);
        self.status.send_if_modified(|status| {
            let connection = match status.connection {
                _ if !shown.is_empty() => Connection::Connected,
                Connection::Connected => Connection::Connecting,
                other => other,
            };
            let changed = status.connection != connection || status.paths != shown;
            *status = NetworkStatus { connection, paths: shown };
            changed
        });
    }

    /// Says how far we are while there is no path.
    pub fn without_path(&self, connection: Connection) {
        self.status.send_if_modified(|status| {
            let changed = status.paths.is_empty() && status.connection != connection;
            if changed {
                status.connection = connection;
            }
            changed
        });
    }

    /// A path for a request: at random, preferably one that is not suspect and not in `used`.
    fn way(&self, destination: Option<&Ed25519Public>, used: &[u64]) -> Way {
        let paths = self.paths();
        if paths.is_empty() {
            return Way::None;
        }
        let usable = |path: &&Arc<Path>| destination.is_none_or(|key| !path.contains(key));
        let usable: Vec<_> = paths.iter().filter(usable).cloned().collect();
        let best = usable.iter().map(|path| (path.is_suspect(), used.contains(&path.id))).min();
        let best =
            usable.into_iter().filter(|path| Some((path.is_suspect(), used.contains(&path.id))) == best);
        choose::one(best.collect(), &mut SystemRandom).map_or(Way::OnEvery, Way::Path)
    }

    /// A path for a request, waiting for one if need be. `None` if the destination is part of every path.
    pub async fn find_path(
        &self,
        destination: Option<&Ed25519Public>,
        used: &[u64],
    ) -> Result<Option<Arc<Path>>, NetworkError> {
        let mut status = self.status.subscribe();
        let offline = status.borrow_and_update().connection == Connection::Offline;
        let wait = if offline { WAIT_OFFLINE } else { WAIT_CONNECTING };
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            match self.way(destination, used) {
                Way::Path(path) => return Ok(Some(path)),
                Way::OnEvery => return Ok(None),
                Way::None => self.wake.notify_one(),
            }
            if timeout_at(deadline, status.changed()).await.is_err() {
                return Err(NetworkError::Offline);
            }
            if !offline && status.borrow_and_update().connection == Connection::Offline {
                return Err(NetworkError::Offline);
            }
        }
    }

    /// Marks a path as one to be tested, and has it tested.
    pub fn suspect(&self, path: &Path) {
        path.fail();
        self.wake.notify_one();
    }

    /// Has a path tested on which a request takes long.
    pub fn doubt(&self, path: &Path) {
        path.doubt();
        self.wake.notify_one();
    }

    /// Notes a failure of a node; with the third it is forgotten everywhere.
    pub fn strike(&self, key: &Ed25519Public) {
        if self.pool().strike(key) {
            self.forget(key);
        }
    }

    /// Forgets a node: no pool, no swarm, no path has it any more.
    pub fn forget(&self, key: &Ed25519Public) {
        self.pool().remove(key);
        for members in lock(&self.swarms).values_mut() {
            members.retain(|member| member.ed25519 != *key);
        }
        if self.paths().iter().any(|path| path.contains(key)) {
            self.wake.notify_one();
        }
    }

    /// A destination did not answer in time on a path. Twice on different paths, and it is the destination's fault.
    pub fn was_slow(&self, key: &Ed25519Public, path: &Path) {
        let before = lock(&self.slow).insert(*key, path.id);
        if before.is_some_and(|before| before != path.id) {
            lock(&self.slow).remove(key);
            self.strike(key);
        }
    }

    /// A destination answered.
    pub fn was_quick(&self, key: &Ed25519Public) {
        let mut slow = lock(&self.slow);
        if !slow.is_empty() {
            slow.remove(key);
        }
    }

    /// The members of an account's swarm as far as we know them without asking.
    pub fn known_swarm(&self, account: &Account) -> Vec<Node> {
        let told = lock(&self.swarms).get(account).cloned().unwrap_or_default();
        if told.is_empty() { self.pool().swarm_of(account) } else { told }
    }

    /// Takes a node's word for who is in an account's swarm; the keys and addresses are ours where we have them.
    pub fn learn_swarm(&self, account: &Account, members: Vec<Node>) {
        let pool = self.pool();
        let members =
            members.into_iter().map(|member| *pool.get(&member.ed25519).unwrap_or(&member)).collect();
        drop(pool);
        lock(&self.swarms).insert(*account, members);
    }

    /// This node is not in the account's swarm after all.
    pub fn unlearn_member(&self, account: &Account, key: &Ed25519Public) {
        let mut members = self.known_swarm(account);
        members.retain(|member| member.ed25519 != *key);
        lock(&self.swarms).insert(*account, members);
    }

    /// Takes a fresh list of nodes. Swarms that were told to us are asked for again.
    pub fn replace_pool(&self, nodes: Vec<Node>) {
        self.pool().replace(nodes);
        lock(&self.swarms).clear();
        lock(&self.slow).clear();
        self.wake.notify_one();
    }
}
