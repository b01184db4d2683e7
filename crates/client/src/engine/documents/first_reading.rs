//! Before our own swarm was read whole for the first time in this profile's life, and the moment it was.
//!
//! A restored account knows nothing of itself until its swarm tells it. Written into the documents by then, a name that
//! a person types offline would begin a history of its own there, and in a merge with the real one chance decides which
//! of two first versions wins, on all devices.
//!
//! Decision: until the first whole reading, what is set here stays in the tables, and the documents hold only what the
//! swarm has. Nothing of them is pushed. When it was read, what was set here is added field by field where the swarm has
//! nothing, and given up where it has something. Nobody is asked which one counts: the account's own word is older, and
//! known to more devices. An account that was made here has nothing to read; it is read from the start.

use septet_protocol::config::{Priority, UserProfile};
use septet_protocol::time::Timestamp;

use super::{Documents, contacts, later};
use crate::store::{Db, ProfileData, StoreError};

impl Documents {
    /// Our swarm was read whole, by a poll or a restore: what was set before that is added where it has nothing. Returns
    /// whether this was the first time.
    pub fn read_whole(&self, db: &mut Db, now: Timestamp) -> Result<bool, StoreError> {
        db.transaction(|db| {
            if db.swarm_was_read()? {
                return Ok(false);
            }
            db.set_swarm_was_read()?;
            self.complete_profile(db, now)?;
            self.with_contacts(db, |db, contacts| {
                for row in db.contacts()? {
                    self.describe(db, contacts, row.id, now)?;
                }
                Ok(())
            })?;
            Ok(true)
        })
    }

    /// Adds the name, the picture and the place of Note to Self, where the swarm has none.
    fn complete_profile(&self, db: &mut Db, now: Timestamp) -> Result<(), StoreError> {
        let set_here = db.profile_of(self.me)?.unwrap_or_default();
        let shows_note = db.find_conversation(&self.me.into())?.is_some();
        self.with_profile(db, |profile| {
            let unknown = profile.name().is_none();
            if unknown && !set_here.name.is_empty() {
                profile.set_name_truncated(&set_here.name, later(profile, now));
                if !shows_note {
                    // As of a new account (spec 01 §8).
                    profile.set_note_to_self_priority(Priority::HIDDEN);
                }
            }
            let picture = set_here.picture.as_ref().and_then(contacts::picture);
            if profile.picture().is_none() && picture.is_some() {
                profile.set_picture(picture.as_ref(), later(profile, now));
            }
        })?;
        self.note_changed(db).map(drop)
    }

    /// Changes our name or picture in the tables only, if the swarm was not read yet; returns whether it did. Dated by
    /// nobody, so that people do not take it over from our messages either (spec 02 §12).
    pub(super) fn set_unread_profile(
        &self,
        db: &mut Db,
        change: impl FnOnce(&mut ProfileData),
    ) -> Result<bool, StoreError> {
        if db.swarm_was_read()? {
            return Ok(false);
        }
        let mut profile = db.profile_of(self.me)?.unwrap_or_default();
        change(&mut profile);
        db.set_profile(self.me, &profile)?;
        Ok(true)
    }
}

/// What the swarm says of our profile, and where it says nothing, what was set here before it was read.
pub(super) fn completed(profile: &UserProfile, set_here: &ProfileData) -> ProfileData {
    ProfileData {
        name: profile.name().unwrap_or_else(|| set_here.name.clone()),
        picture: profile.picture().as_ref().map(contacts::source).or_else(|| set_here.picture.clone()),
        updated: profile.updated().map_or(set_here.updated, Timestamp::as_secs),
    }
}
