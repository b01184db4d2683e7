//! One service node: its keys, its address, its table, what is wrong with it, and what it has done so far.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::BASE64;
use septet_protocol::crypto::{Ed25519Secret, X25519Secret};
use septet_protocol::id::{Account, Ed25519Public, MessageHash, Namespace, SwarmId};
use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::fault::{Fault, Faults};
use crate::hold::{Gate, Hold};
use crate::http::Door;
use crate::lie::{Aliases, Liar};
use crate::node_info::NodeInfo;
use crate::pubkey::Pubkey;
use crate::storage::Storage;
use crate::stored::StoredMessage;

/// A running node.
pub(crate) struct Node {
    pub info: NodeInfo,
    ed25519: Ed25519Secret,
    pub x25519: X25519Secret,
    storage: Mutex<Storage>,
    faults: watch::Sender<Faults>,
    requests: Mutex<Requests>,
    gate: Gate,
    aliases: Mutex<Aliases>,
    last_store: Mutex<Option<Map<String, Value>>>,
    swarm: AtomicU64,
    pub door: Door,
}

impl Node {
    pub fn new(info: NodeInfo, ed25519: Ed25519Secret, storage: Storage, door: Door) -> Self {
        let x25519 = ed25519.to_x25519();
        let (faults, _) = watch::channel(Faults::default());
        let (storage, swarm) = (Mutex::new(storage), AtomicU64::new(info.swarm.0));
        let (requests, gate, aliases, last_store) = Default::default();
        Self { info, ed25519, x25519, storage, faults, requests, gate, aliases, last_store, swarm, door }
    }

    /// The node's table. Never held across an `await`.
    pub fn storage(&self) -> MutexGuard<'_, Storage> {
        self.storage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong with it now.
    pub fn faults(&self) -> Faults {
        self.faults.borrow().clone()
    }

    /// For waiting until a fault goes away.
    pub fn fault_switch(&self) -> &watch::Sender<Faults> {
        &self.faults
    }

    /// The swarm it belongs to at present.
    pub fn swarm(&self) -> SwarmId {
        if self.faults.borrow().left.is_some() { SwarmId::NONE } else { self.assigned() }
    }

    /// The swarm it was assigned to last, whatever its faults.
    pub fn assigned(&self) -> SwarmId {
        SwarmId(self.swarm.load(Ordering::Relaxed))
    }

    /// Puts it into a swarm.
    pub fn assign(&self, swarm: SwarmId) {
        self.swarm.store(swarm.0, Ordering::Relaxed);
    }

    /// Signs a reply, base64; wrongly if it is told to.
    pub fn sign(&self, message: &[u8]) -> String {
        let mut signature = self.ed25519.sign(message);
        if self.faults.borrow().wrong_signature
            && let [first, ..] = &mut signature
        {
            *first ^= 1;
        }
        BASE64.encode(&signature)
    }

    /// Counts a request under `name`.
    pub fn count(&self, name: &str) {
        count_one(&mut self.requests().all, name);
    }

    /// Counts a request about an account under `name`.
    pub fn count_for(&self, account: &Pubkey, name: &str) {
        count_one(self.requests().by_account.entry(*account).or_default(), name);
    }

    /// Where requests to it are held.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Where clients truly are that it lied to about what it keeps.
    pub fn aliases(&self) -> MutexGuard<'_, Aliases> {
        self.aliases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its last honest reply to `store`.
    pub fn last_store(&self) -> MutexGuard<'_, Option<Map<String, Value>>> {
        self.last_store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Liar for Node {
    fn key(&self) -> Ed25519Public {
        self.info.ed25519
    }

    fn sign(&self, message: &[u8]) -> String {
        Self::sign(self, message)
    }
}

/// How many requests a node has seen, by name.
#[derive(Default)]
struct Requests {
    all: BTreeMap<String, u64>,
    by_account: BTreeMap<Pubkey, BTreeMap<String, u64>>,
}

fn count_one(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => _ = counts.insert(name.to_owned(), 1),
    }
}

/// A node as tests and tools hold it: to look into it and to break it.
#[derive(Clone)]
pub struct NodeHandle(pub(crate) Arc<Node>);

impl NodeHandle {
    /// Address, keys and swarm.
    pub fn info(&self) -> &NodeInfo {
        &self.0.info
    }

    /// The swarm it is in at present; [`SwarmId::NONE`] if in none.
    pub fn swarm(&self) -> SwarmId {
        self.0.swarm()
    }

    /// Its identity.
    pub fn ed25519(&self) -> Ed25519Public {
        self.0.info.ed25519
    }

    /// Lets something be wrong with it, or lets it [lie](crate::Lie), in addition to what is.
    pub fn set_fault(&self, fault: impl Into<Fault>) {
        let fault = fault.into();
        let closes = fault == Fault::Dead;
        self.0.faults.send_modify(|faults| faults.add(fault));
        if closes {
            self.0.door.close();
        }
    }

    /// Makes it well and honest again; it has kept what it stored.
    pub fn clear_faults(&self) {
        self.0.faults.send_replace(Faults::default());
        self.0.aliases().clear();
        self.0.door.open();
    }

    /// How many requests it has seen, by name: `onion` (at its door or passed on to it), `direct` (unencrypted ones),
    /// `relay`, `proxy`, and each storage method it carried out for a client, alone or inside a batch; and how many
    /// lies it told, as `lie:` with the kind (see [`crate::Lie`]).
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.0.requests().all.clone()
    }

    /// How many requests about an account it has carried out for clients, by storage method, alone or inside a batch;
    /// `get_swarm` included. What other members passed on to it is not counted.
    pub fn requests_of(&self, account: &Account) -> BTreeMap<String, u64> {
        self.0.requests().by_account.get(&Pubkey::from(account)).cloned().unwrap_or_default()
    }

    /// Holds the requests of this method that clients make of this node, as [`crate::Devnet::hold`] does for all.
    pub fn hold(&self, method: &str) -> Hold {
        self.0.gate.hold(method)
    }

    /// Counts from zero again.
    pub fn reset_requests(&self) {
        *self.0.requests() = Requests::default();
    }

    /// What it stores for an account in a namespace, in order of arrival.
    pub fn messages_of(&self, account: &Account, namespace: Namespace) -> Vec<StoredMessage> {
        self.0.storage().messages(&Pubkey::from(account), namespace.0)
    }

    /// How many messages it stores in all.
    pub fn message_count(&self) -> usize {
        self.0.storage().len()
    }

    /// Drops one message from this node alone, as if it had never reached it; `false` if it was not there.
    pub fn forget(&self, account: &Account, hash: MessageHash) -> bool {
        !self.0.storage().delete(&Pubkey::from(account), &[hash]).is_empty()
    }
}

impl std::fmt::Debug for NodeHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("NodeHandle").field(&self.0.info).finish()
    }
}
