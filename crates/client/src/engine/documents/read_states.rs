//! How far conversations were read, on all devices (spec 05 §11.3).
//!
//! Decision: what we read by writing is not put here. Our other devices get a copy of what we wrote, which tells them
//! the same (spec 02 §9), and a push for each message sent would cost more than all else.

use std::collections::{BTreeMap, BTreeSet};

use septet_protocol::config::{Config, ConvoId, ConvoInfoVolatile, ReadState};
use septet_protocol::id::SessionId;
use septet_protocol::time::Timestamp;

use super::{Documents, Merge, Messages, take_in};
use crate::model::ConversationId;
use crate::store::{Db, Now, StoreError};

impl Documents {
    /// A person read a conversation here, or marked it as unread: notes that for the document. To be called in the
    /// transaction of the change.
    pub fn read_changed(&self, db: &mut Db, id: ConversationId, now: Now) -> Result<(), StoreError> {
        db.note_read(id, now.at())
    }

    /// Writes what [`Documents::read_changed`] noted into the document.
    pub(super) fn take_read_notes(
        &self,
        db: &mut Db,
        states: &mut ConvoInfoVolatile,
    ) -> Result<(), StoreError> {
        for (id, at) in db.noted_reads()? {
            db.set_read_written(id)?;
            let Some(mark) = db.read_mark(id)? else { continue };
            let Some(person) = mark.address.account() else { continue };
            let convo = ConvoId::OneToOne(person);
            let known = states.get(&convo).unwrap_or_default();
            let last_read = known.last_read.max(mark.last_read);
            if last_read > mark.last_read {
                // The conversation is new here, and was read further elsewhere.
                db.apply_read_mark(id, last_read, mark.marked_unread, Now::Guessed(at))?;
            }
            let state = ReadState { last_read, unread: mark.marked_unread, ..known };
            if state != known {
                states.set(&convo, &state, None, at);
            }
        }
        Ok(())
    }

    /// Merges what the swarm has, and writes what is new into the tables. What is gone from the document says
    /// nothing of what was read; but nobody marks it as unread any more.
    pub(super) fn merge_read_states(
        &self,
        db: &mut Db,
        messages: &Messages<'_>,
        now: Timestamp,
    ) -> Result<Merge, StoreError> {
        self.with_read_states(db, |db, states| {
            let before = one_to_one(states);
            let mut merge = take_in(states, messages, now);
            if merge.changed {
                for (id, state) in one_to_one(states) {
                    if before.get(&id) != Some(&state) {
                        apply(db, id, state, &mut merge, Now::Known(now))?;
                    }
                }
                keep_what_was_read(states, &before, now);
                for id in before.into_iter().filter(|(_, state)| state.unread).map(|(id, _)| id) {
                    if let Some(row) = db.find_conversation(&id.into())?
                        && states.get(&ConvoId::OneToOne(id)).is_none()
                    {
                        db.set_marked_unread(row, false)?;
                    }
                }
                merge.needs_push |= states.needs_push();
            }
            Ok(merge)
        })
    }

    /// Conversations were made: the document may have told of them before.
    pub(super) fn apply_read_states(
        &self,
        db: &mut Db,
        made: &BTreeSet<SessionId>,
        merge: &mut Merge,
        now: Now,
    ) -> Result<(), StoreError> {
        if made.is_empty() {
            return Ok(());
        }
        let states: ConvoInfoVolatile = self.set.load(db)?;
        for id in made {
            if let Some(state) = states.get(&ConvoId::OneToOne(*id)) {
                apply(db, *id, state, merge, now)?;
            }
        }
        Ok(())
    }

    /// A conversation may have been made after the document had told of it: takes that over.
    pub(super) fn catch_up(&self, db: &mut Db, id: SessionId, now: Now) -> Result<(), StoreError> {
        let Some(row) = db.find_conversation(&id.into())? else { return Ok(()) };
        // What the document tells of later, a merge brings.
        if !db.begin_read_state(row)? {
            return Ok(());
        }
        let untouched = db
            .read_mark(row)?
            .is_some_and(|mark| mark.last_read == Timestamp::default() && !mark.marked_unread);
        if !untouched {
            return Ok(());
        }
        let made = BTreeSet::from([id]);
        self.apply_read_states(db, &made, &mut Merge::default(), now)
    }

    /// Takes over what the document has read further than the tables, should there be such.
    pub(super) fn reconcile_read_states(&self, db: &mut Db, now: Now) -> Result<(), StoreError> {
        let states: ConvoInfoVolatile = self.set.load(db)?;
        for mark in db.read_marks()? {
            let Some(person) = mark.address.account() else { continue };
            let state = states.get(&ConvoId::OneToOne(person));
            if let Some(state) = state.filter(|state| state.last_read > mark.last_read) {
                apply(db, person, state, &mut Merge::default(), now)?;
            }
        }
        Ok(())
    }
}

/// Of two devices that read a conversation at the same time, the one that read less may win a merge; but nothing
/// becomes unread again.
fn keep_what_was_read(
    states: &mut ConvoInfoVolatile,
    before: &BTreeMap<SessionId, ReadState>,
    now: Timestamp,
) {
    for (id, known) in before {
        let convo = ConvoId::OneToOne(*id);
        if let Some(state) = states.get(&convo).filter(|state| state.last_read < known.last_read) {
            states.set(&convo, &ReadState { last_read: known.last_read, ..state }, None, now);
        }
    }
}

/// The read states of conversations with one person, Note to Self among them.
fn one_to_one(states: &ConvoInfoVolatile) -> BTreeMap<SessionId, ReadState> {
    let states = states.iter().filter_map(|(convo, state)| match convo {
        ConvoId::OneToOne(id) => Some((id, state)),
        _ => None,
    });
    states.collect()
}

/// Writes one read state into the tables, if there is such a conversation.
fn apply(
    db: &mut Db,
    id: SessionId,
    state: ReadState,
    merge: &mut Merge,
    now: Now,
) -> Result<(), StoreError> {
    let Some(id) = db.find_conversation(&id.into())? else { return Ok(()) };
    let outcome = db.apply_read_mark(id, state.last_read, state.unread, now)?;
    if outcome.any {
        merge.touched.insert(id);
        merge.read.extend(outcome.read);
    }
    Ok(())
}
