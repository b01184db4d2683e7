//! The life of a document on one device: edit, push, confirm, merge, dump (spec 05 §7).
//!
//! The rule that everything here serves: **a push never deletes what it stores.** The storage hash of a message
//! identical to the current one is never listed as obsolete, whatever the order of polls, pushes and confirmations.
//!
//! Decision: the three states are three types of content. Only a dirty document has a draft; a clean or waiting one
//! has a finished message, whose bytes are kept: dumping, repeating a push and hashing cost nothing more.

use std::collections::BTreeSet;

use crate::crypto::Ed25519Secret;
use crate::id::Ed25519Public;
use crate::swarm::MAX_MESSAGE_BYTES;
use crate::time::Timestamp;

use super::exchange::{LoadError, Merged, Push, PushError, Rules, State, StorageHash};
use super::keys::Keys;
use super::merge::{Outcome, merge};
use super::message::{Draft, Message};
use super::multipart::{Assembled, PART, Parts, Taken};
use super::value::{Dict, Value};
use super::{Kind, dump, seal};

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
    /// What the last push made of the current message.
    pushed: Option<Vec<Vec<u8>>>,
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
            pushed: None,
        }
    }

    /// Takes over what [`Document::dump`] wrote. A document that was dirty goes on as it was: it was never handed out,
    /// because whoever pushes dumps before sending. A dirty dump of the official core does not say what was changed;
    /// that one becomes the next version, in case a push of it went out (spec 05 §7.1).
    pub fn load(mut self, dump: &[u8]) -> Result<Self, LoadError> {
        dump::load(&mut self, dump)?;
        Ok(self)
    }

    /// Everything, to be stored on this device.
    pub fn dump(&mut self) -> Vec<u8> {
        self.needs_dump = false;
        dump::write(self)
    }

    /// The same, without noting that it was dumped.
    pub fn snapshot(&self) -> Vec<u8> {
        dump::write(self)
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
        self.pushed = None;
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
        let messages = match &self.pushed {
            Some(messages) => messages.clone(),
            None => {
                let sealed = self.keys.seal(&message, self.rules)?;
                if let Some(set) = sealed.set {
                    self.parts.finish(set, now);
                }
                sealed.messages
            }
        };
        self.pushed = Some(messages.clone());
        if self.state() == State::Dirty {
            self.content = Content::Waiting(message);
            self.needs_dump = true;
        }
        Ok(Push { seqno: self.seqno(), messages, obsolete: self.hand_out_old() })
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

    /// The swarm has lost the current message: it is to be pushed once more, with the same bytes (spec 05 §8.4).
    pub fn lost(&mut self) {
        if let Content::Clean(message) = &self.content
            && !message.is_pristine()
        {
            self.content = Content::Waiting(message.clone());
            self.current.clear();
            self.needs_dump = true;
        }
    }

    /// Gives hashes back that could not be deleted.
    pub fn return_obsolete(&mut self, hashes: impl IntoIterator<Item = StorageHash>) {
        self.old.extend(hashes);
        self.forget_current();
        self.needs_dump = true;
    }

    /// What is current is not obsolete.
    fn forget_current(&mut self) {
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
            Content::Dirty(_) => return,
            // Stored once more because the swarm had lost it.
            Content::Clean(_) if self.rules == Rules::January2025 => return,
            Content::Clean(message) | Content::Waiting(message) => message.clone(),
        };
        self.content = Content::Clean(message);
        self.base = None;
        self.current = hashes.to_vec();
        self.handed_out.clear();
        self.forget_current();
        self.needs_dump = true;
    }

    /// Takes in messages from the swarm; see [`super::Config::merge`].
    pub fn merge(&mut self, messages: &[(StorageHash, &[u8])], now: Timestamp) -> Merged {
        let mut accepted = Vec::with_capacity(messages.len());
        let incoming: Vec<_> = messages
            .iter()
            .filter_map(|(hash, stored)| self.read(hash, stored, now, &mut accepted))
            .collect();
        self.parts.expire(now);
        if incoming.is_empty() {
            return Merged { accepted, changed: false };
        }
        let before = self.data().clone();
        self.merge_read(incoming);
        Merged { accepted, changed: *self.data() != before }
    }

    /// Decrypts and parses one message; what could be read goes to `accepted`.
    fn read(
        &mut self,
        hash: &StorageHash,
        stored: &[u8],
        now: Timestamp,
        accepted: &mut Vec<StorageHash>,
    ) -> Option<(Message, Vec<StorageHash>)> {
        let plaintext = self.keys.decrypt(stored)?;
        let unpadded = seal::unpad(&plaintext);
        let (bytes, hashes) = match unpadded.split_first()? {
            (&PART, list) if self.rules == Rules::Current && stored.len() <= MAX_MESSAGE_BYTES => {
                self.needs_dump = true;
                match self.parts.take(list, hash, now) {
                    Taken::Invalid | Taken::Damaged => return None,
                    Taken::Held => {
                        accepted.push(hash.clone());
                        return None;
                    }
                    Taken::Complete(Assembled { message, hashes }) => (message, hashes),
                }
            }
            _ => (seal::open_plaintext(unpadded)?.ok()?, vec![hash.clone()]),
        };
        let message = Message::parse(bytes, self.keys.verify.as_ref()).ok()?;
        accepted.push(hash.clone());
        Some((message, hashes))
    }

    /// Merges parsed messages, with the hashes they are stored under, with what is here.
    fn merge_read(&mut self, mut candidates: Vec<(Message, Vec<StorageHash>)>) {
        let own = match &self.content {
            Content::Clean(message) | Content::Waiting(message) => message.clone(),
            Content::Dirty(draft) => draft.finish(self.keys.sign.as_ref()),
        };
        // Among identical messages the first one counts. Ours goes last while we do not know where it is stored, so
        // that an identical one tells us; if it went first, that one's hash would become obsolete, and with it the
        // very message that is current.
        let own_at = match (own.is_pristine(), self.current.is_empty()) {
            (true, _) => None,
            (false, true) => {
                candidates.push((own.clone(), Vec::new()));
                Some(candidates.len() - 1)
            }
            (false, false) => {
                candidates.insert(0, (own.clone(), self.current.clone()));
                Some(0)
            }
        };
        let messages: Vec<_> = candidates.iter().map(|(message, _)| message).collect();
        let Some(outcome) = merge(&messages, self.keys.can_write()) else { return };
        let chosen = match outcome {
            Outcome::Single(index) => Some(self.prefer_own_if_read_only(index, own_at, &candidates)),
            Outcome::Combined(_) => None,
        };
        let kept = chosen
            .and_then(|index| candidates.get(index))
            .map(|(_, hashes)| hashes.clone())
            .unwrap_or_default();
        for hash in candidates.iter().flat_map(|(_, hashes)| hashes) {
            if !kept.contains(hash) && !self.handed_out.contains(hash) {
                self.needs_dump |= self.old.insert(hash.clone());
            }
        }
        match outcome {
            Outcome::Combined(draft) => self.take_combined(draft),
            Outcome::Single(_) if chosen == own_at => {}
            Outcome::Single(_) => {
                if let Some((message, _)) = chosen.map(|index| candidates.swap_remove(index)) {
                    self.take_single(message, kept, &own);
                }
            }
        }
        self.forget_current();
    }

    /// A device that cannot write keeps its message when another of the same version would win by its hash alone.
    fn prefer_own_if_read_only(
        &self,
        index: usize,
        own_at: Option<usize>,
        candidates: &[(Message, Vec<StorageHash>)],
    ) -> usize {
        let seqno = |index: usize| candidates.get(index).map(|(message, _)| message.seqno);
        match own_at {
            Some(own) if !self.keys.can_write() && seqno(own) == seqno(index) => own,
            _ => index,
        }
    }

    /// A new version made of several becomes current, to be pushed.
    fn take_combined(&mut self, mut draft: Draft) {
        // The diff of a combined message depends on the state it was made in. Others do the same, and two devices
        // that merge at once must make the same bytes (spec 05 §4).
        if self.state() == State::Dirty {
            draft.original = draft.data.clone();
        }
        self.content = Content::Dirty(draft);
        self.current.clear();
        self.pushed = None;
        self.needs_dump = true;
    }

    /// A message from the swarm becomes current; or it is the current one, and now we know where it is stored.
    fn take_single(&mut self, message: Message, hashes: Vec<StorageHash>, own: &Message) {
        let same = message.seqno == own.seqno && message.bytes() == own.bytes();
        if same && !self.current.is_empty() {
            return;
        }
        if !same || self.state() == State::Dirty {
            self.pushed = None;
        }
        let redo = !same && self.rules == Rules::Current && self.has_unsent();
        let (base, before) =
            (self.base.take(), std::mem::replace(&mut self.content, Content::Clean(message)));
        self.current = hashes;
        self.needs_dump = true;
        if redo {
            self.redo(base.as_ref(), &before);
        }
    }

    /// Makes changes again that the swarm has overtaken, and that the official core loses. What was never handed out
    /// counts as new; what may have been sent only where nobody has changed the same since.
    fn redo(&mut self, base: Option<&Dict>, before: &Content) {
        let mut data = self.data().clone();
        let (sent, draft) = match before {
            Content::Clean(message) | Content::Waiting(message) => (&message.data, None),
            Content::Dirty(draft) => (&draft.original, Some(draft)),
        };
        if let Some(base) = base {
            super::diff::rebase(&mut data, base, sent);
        }
        if let Some(draft) = draft.filter(|draft| !draft.original.is_empty()) {
            let mut diff = Vec::new();
            super::diff::write(&mut diff, &draft.original, &draft.data);
            // A diff that was just written can be read.
            let _applied = super::diff::apply(&mut data, &diff, &draft.data);
        }
        data.prune();
        self.update(&[], |current| *current = data);
    }
}
