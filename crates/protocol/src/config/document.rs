//! The life of a document on one device: edit, push, confirm, merge, dump (spec 05 §7).
//!
//! The rule that everything here serves: **a push never deletes what it stores.** The storage hash of a message
//! identical to the current one is never listed as obsolete, whatever the order of polls, pushes and confirmations.
//!
//! Decision: the three states are three types of content. Only a dirty document has a draft; a clean or waiting one
//! has a finished message, whose bytes are kept: dumping, repeating a push and hashing cost nothing more.
//!
//! Decision: what the swarm has of the current message is kept as well, byte for byte as it came or was handed out, in
//! dumps too. What a swarm has lost can only be put back under the same name with the same bytes, and what we would
//! make of the message may differ: another build of the compression, another wrapping (spec 09 §5.2).

use std::collections::BTreeSet;

use crate::crypto::Ed25519Secret;
use crate::id::Ed25519Public;
use crate::time::Timestamp;

use super::Kind;
use super::exchange::{Push, PushError, Rules, State, StorageHash};
use super::keys::Keys;
use super::message::{Draft, Message};
use super::multipart::Parts;
use super::value::{Dict, Value};

/// The content of a document in its three states.
#[derive(Clone)]
pub(super) enum Content {
    Clean(Message),
    Dirty(Draft),
    Waiting(Message),
}

/// One document on one device.
pub struct Document {
    pub(super) keys: Keys,
    pub(super) rules: Rules,
    pub(super) content: Content,
    /// Where the current message is stored; known only when clean.
    pub(super) current: Vec<StorageHash>,
    /// What is superseded and may be deleted.
    pub(super) old: BTreeSet<StorageHash>,
    /// What a push has handed out for deletion, until it is confirmed.
    pub(super) handed_out: BTreeSet<StorageHash>,
    pub(super) parts: Parts,
    /// Data that stays on this device.
    pub(super) local: Dict,
    pub(super) needs_dump: bool,
    /// The data as the swarm has it for sure, while there are changes that it may not have; absent if not known.
    pub(super) base: Option<Dict>,
    /// The current message as the swarm has it, or is to get it: as received, or as the last push made it, in parts
    /// if it is in parts. Absent while dirty, and if an older version wrote the dump.
    pub(super) stored: Option<Vec<Vec<u8>>>,
}

impl Document {
    /// An empty user config of the account with this 32-byte Ed25519 seed.
    pub fn new_user(seed: [u8; 32], kind: Kind, rules: Rules) -> Self {
        Self::new(Keys::user(seed, kind), rules)
    }

    /// An empty document of a group: `encryption` keys, newest first; only admins can `sign`.
    pub fn new_group(
        encryption: Vec<[u8; 32]>,
        domain: &'static str,
        group: Ed25519Public,
        sign: Option<Ed25519Secret>,
        rules: Rules,
    ) -> Self {
        Self::new(Keys::group(encryption, domain, group, sign), rules)
    }

    fn new(keys: Keys, rules: Rules) -> Self {
        Self {
            keys,
            rules,
            content: Content::Clean(Message::pristine()),
            current: Vec::new(),
            old: BTreeSet::new(),
            handed_out: BTreeSet::new(),
            parts: Parts::default(),
            local: Dict::default(),
            needs_dump: false,
            base: None,
            stored: None,
        }
    }

    /// The data as of now.
    pub fn data(&self) -> &Dict {
        match &self.content {
            Content::Clean(message) | Content::Waiting(message) => &message.data,
            Content::Dirty(draft) => &draft.data,
        }
    }

    /// The version as of now.
    pub fn seqno(&self) -> i64 {
        match &self.content {
            Content::Clean(message) | Content::Waiting(message) => message.seqno,
            Content::Dirty(draft) => draft.seqno,
        }
    }

    /// Which habits are followed.
    pub fn rules(&self) -> Rules {
        self.rules
    }

    /// Where the document is between this device and the swarm.
    pub fn state(&self) -> State {
        match self.content {
            Content::Clean(_) => State::Clean,
            Content::Dirty(_) => State::Dirty,
            Content::Waiting(_) => State::Waiting,
        }
    }

    /// Whether this device may only read the document.
    pub fn is_read_only(&self) -> bool {
        !self.keys.can_write()
    }

    /// Whether there is something that the swarm may not have.
    pub fn needs_push(&self) -> bool {
        self.state() != State::Clean
    }

    /// Whether there are changes that the swarm may not have, and that will be made again if it is too far ahead to
    /// merge with (spec 05 §4).
    pub fn has_unsent(&self) -> bool {
        // The changes of a draft that was merged, or made of nothing, cannot be told from what was there before.
        let drafted = matches!(&self.content, Content::Dirty(draft) if !draft.original.is_empty());
        drafted || self.base.is_some()
    }

    /// Whether something changed since the last dump.
    pub fn needs_dump(&self) -> bool {
        self.needs_dump
    }

    /// Where the current message is stored, as far as known.
    pub fn current_hashes(&self) -> &[StorageHash] {
        &self.current
    }

    /// The storage hashes to keep alive: those of the current message and of parts that wait for others.
    pub fn active_hashes(&self) -> Vec<StorageHash> {
        self.current.iter().chain(self.parts.waiting()).cloned().collect()
    }

    /// Sets what is at `path`; nothing happens if it is there already, or if the document is read-only.
    pub fn set(&mut self, path: &[&[u8]], value: Value) {
        if value.is_empty() {
            self.erase(path);
        } else if self.data().at(path) != Some(&value) {
            self.edit(|data| data.insert_at(path, value));
        }
    }

    /// Changes the dict at `path`, which is made if it is not there; at the empty path, the whole document. Nothing
    /// happens if `change` leaves it as it was.
    pub fn update(&mut self, path: &[&[u8]], change: impl FnOnce(&mut Dict)) {
        let mut dict = match (path, self.data().at(path)) {
            ([], _) => self.data().clone(),
            (_, Some(Value::Dict(dict))) => dict.clone(),
            _ => Dict::default(),
        };
        change(&mut dict);
        match path {
            [] if dict != *self.data() => self.edit(|data| *data = dict),
            [] => {}
            _ => self.set(path, Value::Dict(dict)),
        }
    }

    /// Removes what is at `path`; returns whether there was something.
    pub fn erase(&mut self, path: &[&[u8]]) -> bool {
        let there = self.data().at(path).is_some();
        if there {
            self.edit(|data| data.remove_at(path));
        }
        there
    }

    /// Makes the document dirty and changes its data. `change` must change something, and leave nothing empty.
    fn edit(&mut self, change: impl FnOnce(&mut Dict)) {
        if !self.keys.can_write() {
            return;
        }
        self.stored = None;
        self.needs_dump = true;
        let mut draft = match &mut self.content {
            Content::Dirty(draft) => return change(&mut draft.data),
            Content::Clean(message) => {
                self.base = (!message.is_pristine()).then(|| message.data.clone());
                message.increment()
            }
            Content::Waiting(message) => message.increment(),
        };
        self.old.extend(self.current.drain(..));
        change(&mut draft.data);
        self.content = Content::Dirty(draft);
    }

    /// What to store and what to delete; see [`super::Config::push`].
    pub fn push(&mut self, now: Timestamp) -> Result<Push, PushError> {
        if !self.keys.can_write() {
            return Err(PushError::ReadOnly);
        }
        let message = match &self.content {
            Content::Dirty(draft) => draft.finish(self.keys.sign.as_ref()),
            Content::Clean(message) | Content::Waiting(message) => message.clone(),
        };
        let messages = self.sealed(&message, now)?;
        if self.state() == State::Dirty {
            self.content = Content::Waiting(message);
            self.needs_dump = true;
        }
        Ok(Push { seqno: self.seqno(), messages, obsolete: self.hand_out_old() })
    }

    /// What a push stores of the current message; the same bytes until something changes.
    fn sealed(&mut self, message: &Message, now: Timestamp) -> Result<Vec<Vec<u8>>, PushError> {
        // What came from the swarm may be of a form that is not ours.
        let ours = self.stored.as_ref().filter(|_| self.state() == State::Waiting);
        if let Some(stored) = ours {
            return Ok(stored.clone());
        }
        let sealed = self.keys.seal(message, self.rules)?;
        if let Some(set) = sealed.set {
            self.parts.finish(set, now);
        }
        if self.state() != State::Clean {
            self.stored = Some(sealed.messages.clone());
        }
        Ok(sealed.messages)
    }

    /// What to store to put the current message back, should the swarm have lost it: the very bytes it had, if they are
    /// known (spec 09 §5.2). Nothing is changed by that, and whoever may only read the document can do it as well.
    /// `None` if there is no such message: nothing was ever stored, or a push is to replace it.
    pub fn stored(&self) -> Result<Option<Vec<Vec<u8>>>, PushError> {
        match &self.content {
            Content::Clean(message) if !message.is_pristine() => match &self.stored {
                Some(stored) => Ok(Some(stored.clone())),
                None if self.keys.can_write() => Ok(Some(self.keys.seal(message, self.rules)?.messages)),
                None => Err(PushError::ReadOnly),
            },
            _ => Ok(None),
        }
    }

    /// The current message was put back and is stored under these names. Names known before stay known: nothing is
    /// deleted for that.
    pub fn confirm_stored(&mut self, hashes: &[StorageHash]) {
        if self.state() == State::Clean {
            let new = hashes.iter().filter(|hash| !self.current.contains(hash));
            let new: Vec<_> = new.cloned().collect();
            self.needs_dump |= !new.is_empty();
            self.current.extend(new);
            self.forget_current();
        }
    }

    /// The obsolete hashes for a push. They are remembered until it is confirmed, so that a repeated push, also after
    /// a restart, still deletes them.
    fn hand_out_old(&mut self) -> Vec<StorageHash> {
        if self.rules == Rules::January2025 {
            return std::mem::take(&mut self.old).into_iter().collect();
        }
        self.handed_out.append(&mut self.old);
        self.forget_current();
        self.handed_out.iter().cloned().collect()
    }

    /// The superseded hashes, to be deleted without a push, as after a mere merge. Empty while there are changes to
    /// push first.
    pub fn take_obsolete(&mut self) -> Vec<StorageHash> {
        if self.state() != State::Clean {
            return Vec::new();
        }
        let obsolete: Vec<_> = std::mem::take(&mut self.old).into_iter().collect();
        self.needs_dump |= !obsolete.is_empty();
        obsolete
    }

    /// The superseded hashes that are not known to be deleted, without handing them out.
    pub fn obsolete(&self) -> Vec<StorageHash> {
        let all = self.old.union(&self.handed_out);
        all.filter(|hash| !self.current.contains(hash)).cloned().collect()
    }

    /// These are deleted from the swarm.
    pub fn forget_obsolete(&mut self, hashes: &[StorageHash]) {
        for hash in hashes {
            let there = self.old.remove(hash) | self.handed_out.remove(hash);
            self.needs_dump |= there;
        }
    }

    /// Gives hashes back that could not be deleted.
    pub fn return_obsolete(&mut self, hashes: impl IntoIterator<Item = StorageHash>) {
        self.old.extend(hashes);
        self.forget_current();
        self.needs_dump = true;
    }

    /// What is current is not obsolete.
    pub(super) fn forget_current(&mut self) {
        for hash in &self.current {
            self.old.remove(hash);
            self.handed_out.remove(hash);
        }
    }

    /// The messages of the push `seqno` are stored, under `hashes`; see [`super::Config::confirm_pushed`].
    pub fn confirm_pushed(&mut self, seqno: i64, hashes: &[StorageHash]) {
        if seqno != self.seqno() {
            return;
        }
        let message = match &self.content {
            Content::Dirty(_) | Content::Clean(_) => return,
            Content::Waiting(message) => message.clone(),
        };
        self.content = Content::Clean(message);
        self.base = None;
        self.current = hashes.to_vec();
        self.handed_out.clear();
        self.forget_current();
        self.needs_dump = true;
    }
}
