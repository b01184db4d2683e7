//! What runs for an account: polling, sending, fetching, forgetting.
//!
//! An [`Engine`] is the one place where store and network meet. Each of its tasks does one thing and sleeps until
//! its bell rings or its time comes; none holds anything in memory that the store would not bring back after a kill.
//! The [`Client`](crate::client::Client) is the handle on it.

mod clock;
mod compose;
mod config;
mod connection;
mod credentials;
mod deferred;
mod documents;
mod downloads;
mod effects;
mod ephemeral;
mod events;
mod expiry;
mod forgetting;
#[cfg(test)]
mod local;
mod outbox;
mod outgoing;
mod own_picture;
mod pace;
mod pictures;
mod preparing;
mod previews;
mod receipts;
mod receive;
mod refusals;
mod renewal;
mod restore;
mod shorten;
mod sources;
mod transfers;
mod uploads;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use septet_network::Network;
use septet_protocol::account::AccountKeys;
use septet_protocol::id::{Account, SessionId};
use septet_protocol::time::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::model::{Connection, Settings};
use crate::store::{Now, Store};

pub(crate) use clock::Proven;
pub(crate) use compose::Words;
pub(crate) use documents::Documents;
pub(crate) use ephemeral::Ephemeral;
pub(crate) use events::{Bells, Events};
pub(crate) use outgoing::{base_name, check_text, look_at, may_tell_place, take_in};
pub(crate) use previews::Previews;
pub(crate) use receipts::Receipts;
use refusals::Refusals;
pub(crate) use restore::Restore;
pub(crate) use shorten::Reader;
use sources::key::SourceKey;

/// A guess at the network's time that is earlier than is proven by more than this, in ms, is no guess. Clocks that are
/// right differ by less from what was written down of them.
const BEHIND: u64 = 10_000;

/// An open account.
pub(crate) struct Engine {
    /// The account's keys.
    pub keys: AccountKeys,
    /// Everything that is kept.
    pub store: Store,
    /// The way to the swarms.
    pub network: Network,
    /// What the window and the command line listen to.
    pub events: Events,
    /// What wakes the tasks.
    pub bells: Bells,
    /// The account's config documents.
    pub documents: Documents,
    /// Documents that the swarm would not take.
    pub refused: config::Refused,
    /// How far what other devices should know is out.
    pub pushes: config::Pushes,
    /// What the network would not take.
    pub refusals: Refusals,
    /// What the swarm is to get back.
    pub lacking: config::recovery::Lacking,
    /// What waited for the network's time is dated; until then, what is written waits as well.
    settled: AtomicBool,
    /// How late it is at least.
    pub proven: Proven,
    /// Where what is new comes from.
    pub sources: sources::Sources,
    /// How far our own swarm is, of those.
    pub polls: Arc<sources::Polls>,
    /// Counts whenever something of what is to be sent is done or tried.
    pub progress: watch::Sender<u64>,
    /// All that there was has come in this very run, as the account was restored.
    pub just_restored: AtomicBool,
    /// What we tell others of what we read.
    pub receipts: Receipts,
    /// Who is typing.
    pub ephemeral: Ephemeral,
    /// Whether links are previewed.
    pub previews: Previews,
    /// Files on their way.
    pub transfers: transfers::Transfers,
    running: Mutex<Option<Running>>,
}

/// The tasks of a started engine.
struct Running {
    cancel: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Engine {
    /// An engine at rest.
    pub fn new(keys: AccountKeys, store: Store, network: Network) -> Arc<Self> {
        let (documents, sources) = (Documents::new(&keys), sources::Sources::default());
        let polls = sources.polls(SourceKey::Swarm(Account::from(keys.session_id)));
        Arc::new(Self {
            keys,
            store,
            network,
            events: Events::new(),
            bells: Bells::default(),
            documents,
            refused: config::Refused::default(),
            pushes: config::Pushes::default(),
            refusals: Refusals::default(),
            lacking: config::recovery::Lacking::default(),
            settled: AtomicBool::new(false),
            proven: Proven::default(),
            sources,
            polls,
            progress: watch::Sender::new(0),
            just_restored: AtomicBool::new(false),
            receipts: Receipts::default(),
            ephemeral: Ephemeral::default(),
            previews: Previews::default(),
            transfers: transfers::Transfers::default(),
            running: Mutex::new(None),
        })
    }

    /// Our own id.
    pub fn me(&self) -> SessionId {
        self.keys.session_id
    }

    /// What is told and shown on this device.
    pub fn settings(&self) -> Settings {
        let (read_receipts, typing_indicators) = (self.receipts.are_on(), self.ephemeral.typing_is_on());
        Settings { read_receipts, typing_indicators }
    }

    /// What time it is on the network, and whether that is known and everything written before it is dated.
    pub fn now(&self) -> Now {
        match self.network.time() {
            Some(now) if self.settled.load(Ordering::Acquire) => Now::Known(now),
            _ => Now::Guessed(self.network.now()),
        }
    }

    /// The network's time, or the best guess.
    pub fn guess(&self) -> Timestamp {
        let now = self.network.now();
        match self.network.time() {
            Some(known) => known,
            None => self.proven.now().unwrap_or_default().max(now),
        }
    }

    /// What has disappeared by then is not shown: the network's time, or the best guess. Where the machine's clock cannot
    /// be right, because by it it would be earlier than is proven, nobody knows for how long it was off, and nothing
    /// is shown that counts down: then this is the end of all times.
    pub fn shown_by(&self) -> Timestamp {
        if let Some(known) = self.network.time() {
            return known;
        }
        let (proven, now) = (self.proven.now().unwrap_or_default(), self.network.now());
        if proven.since(now) > BEHIND { Timestamp::from_ms(u64::MAX) } else { proven.max(now) }
    }

    /// How well we are connected.
    pub fn connection(&self) -> Connection {
        connection::connection(&self.network.status().borrow())
    }

    /// Starts all tasks; does nothing if they run.
    pub fn start(self: &Arc<Self>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return;
        }
        let cancel = CancellationToken::new();
        let tasks = vec![
            tokio::spawn(clock::run(Arc::clone(self), cancel.clone())),
            tokio::spawn(connection::run(Arc::clone(self), cancel.clone())),
            tokio::spawn(sources::run(Arc::clone(self), cancel.clone())),
            tokio::spawn(preparing::run(Arc::clone(self), cancel.clone())),
            tokio::spawn(outbox::run(Arc::clone(self), cancel.clone())),
            tokio::spawn(downloads::run(Arc::clone(self), cancel.clone())),
            tokio::spawn(transfers::run(Arc::clone(self), cancel.clone())),
            tokio::spawn(forgetting::run(Arc::clone(self), cancel.clone())),
            tokio::spawn(expiry::run(Arc::clone(self), cancel.clone())),
            tokio::spawn(config::run(Arc::clone(self), cancel.clone())),
            tokio::spawn(config::recovery::run(Arc::clone(self), cancel.clone())),
            tokio::spawn(renewal::run(Arc::clone(self), cancel.clone())),
            tokio::spawn(deferred::run(Arc::clone(self), cancel.clone())),
            tokio::spawn(ephemeral::run(Arc::clone(self), cancel.clone())),
        ];
        *running = Some(Running { cancel, tasks });
    }

    /// Asks all tasks to end, without waiting.
    pub fn cancel(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = running.as_ref() {
            running.cancel.cancel();
        }
    }

    /// Ends all tasks and waits until they have.
    pub async fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Running { cancel, tasks }) = running else { return };
        cancel.cancel();
        for task in tasks {
            // A task that broke has nothing more to write down; what it left is in the store.
            let _ = task.await;
        }
    }
}
