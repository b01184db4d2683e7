//! One service node: its keys, its address, its table, what is wrong with it, and what it has done so far.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::{BASE64, Encoding, Specification};
use septet_protocol::crypto::{Ed25519Secret, Random, SystemRandom, X25519Secret};
use septet_protocol::id::{Account, Ed25519Public, MessageHash, Namespace, SwarmId, X25519Public};
use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::fault::{Fault, Faults};
use crate::http::Door;
use crate::lie::retrieve::Aliases;
use crate::pubkey::Pubkey;
use crate::storage::{Storage, StoredMessage};

/// What everyone knows about a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeInfo {
    /// Where it serves HTTPS; its loopback address is unique in the network where the system allows that.
    pub address: SocketAddrV4,
    /// Its identity.
    pub ed25519: Ed25519Public,
    /// The key its onion layers are encrypted for.
    pub x25519: X25519Public,
    /// Its key in the daemon's list, known to clients from texts only.
    pub legacy: Ed25519Public,
    /// The swarm it was assigned to when it was made; in lists, the one it is in.
    pub swarm: SwarmId,
}

impl NodeInfo {
    /// A node that does not exist, for lies about the network: its keys belong together, and nothing serves at its
    /// address, which is a loopback address.
    pub fn invented() -> Self {
        let ip = Ipv4Addr::new(127, 251, fastrand::u8(..), fastrand::u8(1..255));
        let address = SocketAddrV4::new(ip, 22_021);
        let swarm = SwarmId(fastrand::u64(..u64::MAX));
        Self::of(SystemRandom.array(), SystemRandom.array(), address, swarm)
    }

    /// A node with keys from these seeds.
    pub(crate) fn of(seed: [u8; 32], legacy: [u8; 32], address: SocketAddrV4, swarm: SwarmId) -> Self {
        let ed25519 = Ed25519Secret::from_seed(seed);
        Self {
            address,
            ed25519: ed25519.public(),
            x25519: ed25519.to_x25519().public(),
            legacy: Ed25519Secret::from_seed(legacy).public(),
            swarm,
        }
    }

    /// The address of the daemon's naming: base32z of the legacy key, and `.snode`.
    pub(crate) fn snode_address(&self) -> String {
        let mut spec = Specification::new();
        spec.symbols.push_str("ybndrfg8ejkmcpqxot1uwisza345h769");
        let name = spec.encoding().map(|base32z: Encoding| base32z.encode(self.legacy.as_bytes()));
        format!("{}.snode", name.unwrap_or_default())
    }
}

/// A running node.
pub(crate) struct Node {
    pub info: NodeInfo,
    ed25519: Ed25519Secret,
    pub x25519: X25519Secret,
    storage: Mutex<Storage>,
    faults: watch::Sender<Faults>,
    requests: Mutex<BTreeMap<String, u64>>,
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
        let (requests, aliases, last_store) = Default::default();
        Self { info, ed25519, x25519, storage, faults, requests, aliases, last_store, swarm, door }
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
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        match requests.get_mut(name) {
            Some(count) => *count += 1,
            None => _ = requests.insert(name.to_owned(), 1),
        }
    }

    /// Where clients truly are that it lied to about what it keeps.
    pub fn aliases(&self) -> MutexGuard<'_, Aliases> {
        self.aliases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its last honest reply to `store`.
    pub fn last_store(&self) -> MutexGuard<'_, Option<Map<String, Value>>> {
        self.last_store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn requests(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.0.requests().clone()
    }

    /// Counts from zero again.
    pub fn reset_requests(&self) {
        self.0.requests().clear();
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
