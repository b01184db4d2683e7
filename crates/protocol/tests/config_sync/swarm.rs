//! A swarm in memory, and devices that share a config through it.

use std::collections::BTreeMap;

use septet_protocol::config::value::{Scalar, Value};
use septet_protocol::config::{Config, Contacts, Push, State, StorageHash};
use septet_protocol::crypto::blake2b;
use septet_protocol::time::Timestamp;

const SEED: [u8; 32] = [42; 32];
pub const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

/// Keeps each message once, whoever stores it.
#[derive(Default)]
pub struct Swarm(pub BTreeMap<StorageHash, Vec<u8>>);

impl Swarm {
    pub fn store(&mut self, message: &[u8]) -> StorageHash {
        let hash = name(message);
        self.0.insert(hash.clone(), message.to_vec());
        hash
    }
}

pub fn name(message: &[u8]) -> StorageHash {
    data_encoding::HEXLOWER.encode(&blake2b::<16>(&[], &[message])).as_str().into()
}

/// An edit of the raw tree: short paths over few keys, so that edits collide.
#[derive(Debug, Clone)]
pub struct Edit {
    pub path: Vec<u8>,
    pub value: Option<Leaf>,
}

/// What an edit sets.
#[derive(Debug, Clone)]
pub enum Leaf {
    Int(i8),
    Text(Vec<u8>),
    Set(Vec<i8>),
}

/// One device. What it has saved is what it comes back with after a restart.
pub struct Device {
    pub config: Contacts,
    saved: Vec<u8>,
    /// A push that was stored and not confirmed.
    pending: Option<(i64, Vec<StorageHash>)>,
}

impl Device {
    pub fn new() -> Self {
        let mut config = Contacts::new(&SEED);
        let saved = config.dump();
        Self { config, saved, pending: None }
    }

    pub fn edit(&mut self, edit: &Edit) {
        let keys: Vec<[u8; 1]> = edit.path.iter().map(|key| [b'a' + key % 4]).collect();
        let path: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
        let document = self.config.document_mut();
        match &edit.value {
            None => drop(document.erase(&path)),
            Some(Leaf::Int(value)) => document.set(&path, Value::Int((*value).into())),
            Some(Leaf::Text(text)) => document.set(&path, Value::from(&text[..])),
            Some(Leaf::Set(members)) => {
                let members = members.iter().map(|member| Scalar::Int((*member).into()));
                document.set(&path, Value::Set(members.collect()));
            }
        }
    }

    pub fn save(&mut self) {
        self.saved = self.config.dump();
    }

    /// Ends without warning and starts again from what was saved.
    pub fn restart(&mut self) {
        self.config = Contacts::load(&SEED, &self.saved).unwrap();
        self.pending = None;
    }

    /// Merges what the swarm has: some of it, in the order that `order` makes.
    pub fn poll(&mut self, swarm: &Swarm, order: u64, all: bool) {
        let mut messages: Vec<_> = swarm.0.iter().collect();
        messages
            .sort_by_key(|(hash, _)| blake2b::<16>(&[], &[hash.as_str().as_bytes(), &order.to_be_bytes()]));
        if !all {
            messages.truncate(1 + order as usize % messages.len().max(1));
        }
        let messages: Vec<_> = messages.into_iter().map(|(hash, bytes)| (hash.clone(), &bytes[..])).collect();
        self.config.merge(&messages, NOW);
    }

    /// Saves, pushes, and has the swarm store and delete; the confirmation is still to come.
    pub fn push(&mut self, swarm: &mut Swarm) {
        self.config.dump();
        let Push { seqno, messages, obsolete } = self.config.push(NOW).unwrap();
        self.save();
        let stored: Vec<_> = messages.iter().map(|message| swarm.store(message)).collect();
        for hash in obsolete {
            assert!(!stored.contains(&hash), "a push deletes what it stores");
            swarm.0.remove(&hash);
        }
        self.pending = Some((seqno, stored));
    }

    /// Pushes and confirms what there is to push; what it supersedes stays, as if the deletion had failed.
    pub fn push_and_delete_nothing(&mut self, swarm: &mut Swarm) {
        if self.config.needs_push() {
            let Push { seqno, messages, .. } = self.config.push(NOW).unwrap();
            let hashes: Vec<_> = messages.iter().map(|message| swarm.store(message)).collect();
            self.config.confirm_pushed(seqno, &hashes);
        }
    }

    /// Deletes what is superseded without pushing.
    pub fn tidy(&mut self, swarm: &mut Swarm) {
        for hash in self.config.document_mut().take_obsolete() {
            swarm.0.remove(&hash);
        }
    }

    /// The answer to the last push arrives.
    pub fn confirm(&mut self) {
        if let Some((seqno, hashes)) = self.pending.take() {
            self.config.confirm_pushed(seqno, &hashes);
            self.save();
        }
    }

    /// The answer to the last push is lost.
    pub fn lose_answer(&mut self) {
        self.pending = None;
    }

    /// The message that is current, as it would be stored.
    pub fn current(&mut self) -> Vec<Vec<u8>> {
        assert_eq!(self.config.document().state(), State::Clean);
        self.config.push(NOW).unwrap().messages
    }
}
