//! What a document takes in from the swarm (spec 05 §7).
//!
//! Messages are decrypted, put together from their parts and merged with what is here; what that leaves behind is to be
//! deleted. The rule of [`document`](super::document) holds throughout: what is identical to the current message never
//! becomes obsolete.

use crate::swarm::MAX_MESSAGE_BYTES;
use crate::time::Timestamp;

use super::document::{Content, Document};
use super::exchange::{Merged, Rules, State, StorageHash};
use super::merge::{Outcome, merge};
use super::message::{Draft, Message};
use super::multipart::{Assembled, PART, Taken};
use super::seal;
use super::value::Dict;

/// A message that takes part in a merge.
struct Candidate {
    message: Message,
    /// Where it is stored, in parts if it is in parts; nothing if that is not known, as of our own.
    hashes: Vec<StorageHash>,
    /// Its bytes there, in the same order; absent if some came before they were kept.
    stored: Option<Vec<Vec<u8>>>,
}

impl Document {
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
    ) -> Option<Candidate> {
        let plaintext = self.keys.decrypt(stored)?;
        let unpadded = seal::unpad(&plaintext);
        let Assembled { message, hashes, stored } = match unpadded.split_first()? {
            (&PART, list) if self.rules == Rules::Current && stored.len() <= MAX_MESSAGE_BYTES => {
                self.needs_dump = true;
                match self.parts.take(list, hash, stored, now) {
                    Taken::Invalid | Taken::Damaged => return None,
                    Taken::Held => {
                        accepted.push(hash.clone());
                        return None;
                    }
                    Taken::Complete(assembled) => assembled,
                }
            }
            _ => Assembled {
                message: seal::open_plaintext(unpadded)?.ok()?,
                hashes: vec![hash.clone()],
                stored: Some(vec![stored.to_vec()]),
            },
        };
        let message = Message::parse(message, self.keys.verify.as_ref()).ok()?;
        accepted.push(hash.clone());
        Some(Candidate { message, hashes, stored })
    }

    /// Merges parsed messages with what is here.
    fn merge_read(&mut self, mut candidates: Vec<Candidate>) {
        let own = match &self.content {
            Content::Clean(message) | Content::Waiting(message) => message.clone(),
            Content::Dirty(draft) => draft.finish(self.keys.sign.as_ref()),
        };
        // Among identical messages the first one counts. Ours goes last while we do not know where it is stored, so
        // that an identical one tells us; if it went first, that one's hash would become obsolete, and with it the
        // very message that is current.
        let ours = Candidate { message: own.clone(), hashes: self.current.clone(), stored: None };
        let own_at = match (own.is_pristine(), self.current.is_empty()) {
            (true, _) => None,
            (false, true) => {
                candidates.push(ours);
                Some(candidates.len() - 1)
            }
            (false, false) => {
                candidates.insert(0, ours);
                Some(0)
            }
        };
        let messages: Vec<_> = candidates.iter().map(|candidate| &candidate.message).collect();
        let Some(outcome) = merge(&messages, self.keys.can_write()) else { return };
        let chosen = match outcome {
            Outcome::Single(index) => Some(self.prefer_own_if_read_only(index, own_at, &candidates)),
            Outcome::Combined(_) => None,
        };
        let kept = chosen
            .and_then(|index| candidates.get(index))
            .map(|candidate| candidate.hashes.clone())
            .unwrap_or_default();
        for hash in candidates.iter().flat_map(|candidate| &candidate.hashes) {
            if !kept.contains(hash) && !self.handed_out.contains(hash) {
                self.needs_dump |= self.old.insert(hash.clone());
            }
        }
        match outcome {
            Outcome::Combined(draft) => self.take_combined(draft),
            Outcome::Single(_) if chosen == own_at => self.learn_bytes(candidates),
            Outcome::Single(_) => {
                if let Some(candidate) = chosen.map(|index| candidates.swap_remove(index)) {
                    self.take_single(candidate, &own);
                }
            }
        }
        self.forget_current();
    }

    /// The current message came once more: its bytes are kept, if an older version did not.
    fn learn_bytes(&mut self, candidates: Vec<Candidate>) {
        if self.stored.is_none() && self.rules == Rules::Current && self.state() == State::Clean {
            let mut again = candidates.into_iter().filter(|it| it.hashes == self.current);
            self.stored = again.find_map(|candidate| candidate.stored);
            self.needs_dump |= self.stored.is_some();
        }
    }

    /// A device that cannot write keeps its message when another of the same version would win by its hash alone.
    fn prefer_own_if_read_only(
        &self,
        index: usize,
        own_at: Option<usize>,
        candidates: &[Candidate],
    ) -> usize {
        let seqno = |index: usize| candidates.get(index).map(|candidate| candidate.message.seqno);
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
        self.stored = None;
        self.needs_dump = true;
    }

    /// A message from the swarm becomes current; or it is the current one, and now we know where it is stored.
    fn take_single(&mut self, candidate: Candidate, own: &Message) {
        let Candidate { message, hashes, stored } = candidate;
        let same = message.seqno == own.seqno && message.bytes() == own.bytes();
        if same && !self.current.is_empty() {
            return;
        }
        self.stored = stored.filter(|_| self.rules == Rules::Current);
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
