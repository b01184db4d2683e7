//! What is to be done when a group's swarm has lost keys messages (spec 09 §7.2).
//!
//! Without its keys messages a group is dead for everybody who comes later, and nobody can make them again. What is left
//! is, in this order: to store the bytes that this device kept ([`KeysView::to_restore`]); if it kept none, to fetch the
//! namespace from its beginning once ([`KeysRecovery::wants_back_fill`]); to tell people that this device cannot
//! ([`KeysRecovery::is_expired`]); and at the very last to make new keys ([`ForcedRekey`]).
//!
//! Nothing here talks to anyone or looks at a clock. [`KeysView`] is what one device knows when something is to be
//! decided, [`KeysRecovery`] what happened so far in this run of the program; none of it is saved, but for the time of
//! the last forced rekey. When a swarm is asked, and when it is safe to store at all, is decided for keys messages as for
//! any config of that swarm (spec 09 §5.2).
//!
//! Decision: a clock that went backwards ends the wait for another back-fill, which costs one request, and not that for
//! another rekey, which may lock people out.

use std::collections::BTreeSet;

use crate::id::MessageHash;
use crate::time::Timestamp;

use super::kept_keys::KeptKeys;
use super::user_groups::Removed;

/// How long after a back-fill that left bytes missing there is no other, in ms: 1 hour.
pub const BACK_FILL_PAUSE_MS: u64 = 60 * 60 * 1000;
/// How long after a forced rekey, or the attempt of one, there is no other, in ms: 24 hours.
pub const FORCED_REKEY_PAUSE_MS: u64 = 24 * 60 * 60 * 1000;

/// A group's keys messages as this device sees them.
#[derive(Clone, Copy, Debug)]
pub struct KeysView<'a> {
    /// Whether the account is still in the group. Of one that it is not in, nothing is put back or told.
    pub removed: Removed,
    /// The names of the messages that the swarm should have: those of all generations that are not past, full and
    /// supplemental, also such as brought this device no key (spec 06 §4.5).
    pub active: &'a BTreeSet<MessageHash>,
    /// The bytes that are kept.
    pub kept: &'a KeptKeys,
}

impl<'a> KeysView<'a> {
    /// The active messages whose bytes are not kept.
    pub fn without_bytes(self) -> impl Iterator<Item = MessageHash> {
        self.active.iter().copied().filter(move |name| self.kept.get(name).is_none())
    }

    /// The active messages whose bytes are kept, in the order of their names.
    pub fn with_bytes(self) -> impl Iterator<Item = (MessageHash, &'a [u8])> {
        self.kept.iter().filter(move |(name, _)| self.active.contains(name))
    }

    /// What to store when the swarm is missing `missing`: all that is kept if any active keys message is among them, for
    /// a generation needs its full message and all supplements; else nothing. Whether Info or Members have unsent
    /// changes does not matter. To be stored in `sequence`s for 30 days, for which the right to write is enough;
    /// nothing is ever deleted for it.
    pub fn to_restore(self, missing: &BTreeSet<MessageHash>) -> Vec<(MessageHash, &'a [u8])> {
        if self.removed != Removed::No || self.active.is_disjoint(missing) {
            return Vec::new();
        }
        self.with_bytes().collect()
    }
}

/// How the recovery of one group's keys messages went so far in this run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeysRecovery {
    /// What the swarm said that it lacks, and has not got again.
    lost: BTreeSet<MessageHash>,
    /// The last attempt to store kept bytes failed.
    restore_failed: bool,
    /// When the last back-fill was over, if bytes were missing after it.
    back_filled: Option<Timestamp>,
}

impl KeysRecovery {
    /// The swarm was asked to keep all that is active longer, and its answer allows a conclusion: it lacks `missing`, of
    /// which only the names of keys messages count here. Not to be called for an answer that allows none.
    pub fn on_missing(&mut self, view: KeysView<'_>, missing: &BTreeSet<MessageHash>) {
        self.lost = view.active.intersection(missing).copied().collect();
        self.restore_failed &= !self.lost.is_empty();
    }

    /// What the swarm lacks by its last conclusive answer, less what was stored since.
    pub const fn lost(&self) -> &BTreeSet<MessageHash> {
        &self.lost
    }

    /// All of `sent`, of [`KeysView::to_restore`], were to be stored, and the swarm took those in `stored`. Whether they
    /// are restored: that counts when every single one was taken.
    pub fn on_restored(&mut self, sent: &BTreeSet<MessageHash>, stored: &BTreeSet<MessageHash>) -> bool {
        if sent.is_empty() {
            return false;
        }
        self.restore_failed = !sent.is_subset(stored);
        if !self.restore_failed {
            self.lost.retain(|name| !sent.contains(name));
        }
        !self.restore_failed
    }

    /// Whether all keys messages are to be fetched once more, from the first on: without `last_hash`, outside of the
    /// poll and without moving its mark. Their bytes are missing if a version kept them not that took them in. Not
    /// again for an hour if that did not bring all.
    pub fn wants_back_fill(&self, view: KeysView<'_>, now: Timestamp) -> bool {
        let rests = self.back_filled.is_some_and(|at| now >= at && now.since(at) < BACK_FILL_PAUSE_MS);
        view.removed == Removed::No && !rests && view.without_bytes().next().is_some()
    }

    /// A back-fill was answered, and what it brought is in `view`. Not to be called for one that was not answered: that
    /// is no attempt, and the next may follow as soon as the swarm can be reached.
    pub fn on_back_filled(&mut self, view: KeysView<'_>, now: Timestamp) {
        self.back_filled = view.without_bytes().next().map(|_| now);
    }

    /// A back-fill was answered in this run, and left bytes missing.
    pub const fn back_fill_failed(&self) -> bool {
        self.back_filled.is_some()
    }

    /// Whether to tell that the group was not kept alive: the swarm has lost every active keys message, and this device
    /// has the bytes of none, or could not store them. That it cannot does not mean that nobody can. A group without any
    /// active keys message is not told of here: of that nothing is known to be lost.
    pub fn is_expired(&self, view: KeysView<'_>) -> bool {
        let all_lost = !view.active.is_empty() && view.active.is_subset(&self.lost);
        let helpless = self.restore_failed || view.with_bytes().next().is_none();
        view.removed == Removed::No && all_lost && helpless
    }
}

/// All that a forced rekey depends on: new keys for a group whose old ones are lost, as the last resort.
///
/// New keys go to the members that this device knows. If its list is stale, the others are locked out, and nobody tells
/// them. So all conditions must hold at once, there is no default for any, and a person should be asked before.
#[derive(Clone, Copy, Debug)]
pub struct ForcedRekey<'a> {
    /// This device has the group's secret.
    pub is_admin: bool,
    /// The keys messages. The account is in the group, some are active, and the bytes of none are kept.
    pub view: KeysView<'a>,
    /// What the swarm lacks ([`KeysRecovery::lost`]). Our rule beyond those that clients share: it must be every active
    /// message. A member of the swarm who has just joined it may answer a back-fill with nothing while others have all.
    pub lost: &'a BTreeSet<MessageHash>,
    /// A back-fill was answered in this run and brought nothing ([`KeysRecovery::back_fill_failed`]).
    pub back_fill_failed: bool,
    /// In the poll that is running now, not in an earlier one, everything that the swarm has of the group's configs was
    /// taken in.
    pub level_in_this_poll: bool,
    /// This group was rekeyed by force in this run already.
    pub done_in_this_run: bool,
    /// When this device last tried, in any run; `None` if never.
    pub last_attempt: Option<Timestamp>,
    /// The time on the network's clock.
    pub now: Timestamp,
}

impl ForcedRekey<'_> {
    /// Whether all conditions hold.
    pub fn is_allowed(&self) -> bool {
        let Self { view, lost, last_attempt, now, .. } = *self;
        let rests = last_attempt.is_some_and(|at| now.since(at) < FORCED_REKEY_PAUSE_MS);
        self.is_admin
            && view.removed == Removed::No
            && !view.active.is_empty()
            && view.active.is_subset(lost)
            && view.with_bytes().next().is_none()
            && self.back_fill_failed
            && self.level_in_this_poll
            && !self.done_in_this_run
            && !rests
    }
}
