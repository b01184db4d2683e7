//! The config documents of an account, as they lie in the store (spec 05).
//!
//! Each lies there as its own dump. Every change is one transaction that loads the dump, changes the document, writes
//! what it says into the tables and the dump back. What changes in the tables is noted in the transaction of the change
//! and written into the document before anything else is done with it ([`Db::noted_contacts`]): so a message or a setting
//! does not cost what all contacts cost. The tables and the document with its notes never disagree, whenever the program
//! ends.
//!
//! Decision: documents that this version does not show yet are merged and kept all the same, so that nothing has to
//! be fetched again when a later version does.

mod contacts;
mod first_reading;
mod pushing;
mod read_states;
mod set;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use septet_protocol::account::{AccountKeys, DisplayName};
use septet_protocol::config::{
    Config, Contacts, ConvoInfoVolatile, Merged, Picture, Priority, StorageHash, UserGroups, UserProfile,
};
use septet_protocol::id::{Namespace, SessionId};
use septet_protocol::swarm::reply::StoredMessage;
use septet_protocol::time::Timestamp;

use crate::model::{ConversationId, Expiry, Memberships};
use crate::store::{Db, Now, ProfileData, ReadMessage, StoreError};

pub use pushing::{Kept, Part, Pushed, ToPush};
pub use set::DocumentSet;
use set::RECONCILED;

/// Changes the documents of one account.
#[derive(Clone)]
pub struct Documents {
    me: SessionId,
    /// The documents themselves.
    pub set: DocumentSet,
}

/// What a namespace held: where each message is stored, and its bytes.
type Messages<'a> = [(StorageHash, &'a [u8])];

impl Documents {
    /// Those of the account with these keys.
    pub fn new(keys: &AccountKeys) -> Self {
        Self { me: keys.session_id, set: DocumentSet::user(keys) }
    }

    /// Changes our public name; only here, if the swarm was not read yet ([`first_reading`]).
    pub fn set_name(&self, db: &mut Db, name: &DisplayName, now: Timestamp) -> Result<(), StoreError> {
        db.transaction(|db| {
            if self.set_unread_profile(db, |profile| profile.name = name.as_str().to_owned())? {
                return Ok(());
            }
            self.with_profile(db, |profile| profile.set_name_truncated(name.as_str(), later(profile, now)))
        })
    }

    /// Changes our display picture, or removes it; only here, if the swarm was not read yet ([`first_reading`]).
    pub fn set_picture(
        &self,
        db: &mut Db,
        picture: Option<&Picture>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        db.transaction(|db| {
            if self.set_unread_profile(db, |profile| profile.picture = picture.map(contacts::source))? {
                return Ok(());
            }
            self.with_profile(db, |profile| profile.set_picture(picture, later(profile, now)))
        })
    }

    /// Our display picture lies somewhere else now (spec 05 §10); `false` if we have another one by now.
    pub fn renew_picture(
        &self,
        db: &mut Db,
        old: &Picture,
        new: &Picture,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.with_profile(db, |profile| {
            let same = profile.picture().as_ref() == Some(old);
            if same {
                profile.set_reuploaded_picture(Some(new), later(profile, now));
            }
            same
        })
    }

    /// Our display picture, and when it was last set or uploaded, as far as all devices know.
    pub fn picture(&self, db: &Db) -> Result<Option<(Picture, Timestamp)>, StoreError> {
        let profile: UserProfile = self.set.load(db)?;
        Ok(profile.picture().map(|picture| (picture, profile.updated().unwrap_or_default())))
    }

    /// Whether the document has a name, which it has of every account that was ever used.
    pub fn is_named(&self, db: &Db) -> Result<bool, StoreError> {
        Ok(self.set.load::<UserProfile>(db)?.name().is_some())
    }

    /// What the account is a member of.
    pub fn memberships(&self, db: &Db) -> Result<Memberships, StoreError> {
        let all: UserGroups = self.set.load(db)?;
        Ok(Memberships { groups: all.groups().count(), communities: all.communities().count() })
    }

    /// Whose documents these are.
    pub fn me(&self) -> SessionId {
        self.me
    }

    /// What a new account says of itself: its name, and that Note to Self is not in the list (spec 01 §10). Its swarm
    /// has nothing that would have to be read first.
    pub fn fill_new(&self, db: &mut Db, name: &DisplayName, now: Timestamp) -> Result<(), StoreError> {
        db.set_swarm_was_read()?;
        self.with_profile(db, |profile| {
            profile.set_name_truncated(name.as_str(), now);
            profile.set_note_to_self_priority(Priority::HIDDEN);
        })
    }

    /// The network's time is known: what was dated by a wrong clock and seen by nobody is dated anew. Several changes
    /// made at once are a few seconds ahead of their time by right ([`later`]).
    pub fn settle_time(&self, db: &mut Db, now: Timestamp) -> Result<(), StoreError> {
        let profile: UserProfile = self.set.load(db)?;
        if profile.needs_push() && profile.updated().is_some_and(|updated| updated > now + AHEAD_MS) {
            self.with_profile(db, |profile| profile.bring_down(now))?;
        }
        Ok(())
    }

    /// Something about a conversation changed in the tables: notes it for the document it belongs to, unless the
    /// swarm was not read yet ([`first_reading`]). Returns whether there is something to write. To be called in the
    /// transaction of the change.
    pub fn conversation_changed(
        &self,
        db: &mut Db,
        id: ConversationId,
        now: Now,
    ) -> Result<bool, StoreError> {
        match db.address_of(id)?.and_then(|address| address.account()) {
            Some(person) => self.conversations_changed(db, &BTreeMap::from([(person, now.at())]), now),
            None => Ok(false),
        }
    }

    /// As [`Documents::conversation_changed`], for several at once; each with the time it was made at, should it be
    /// new.
    pub fn conversations_changed(
        &self,
        db: &mut Db,
        changed: &BTreeMap<SessionId, Timestamp>,
        now: Now,
    ) -> Result<bool, StoreError> {
        let read = db.swarm_was_read()?;
        let note = read && changed.contains_key(&self.me) && self.note_changed(db)?;
        let contacts = read && self.contacts_changed(db, changed)?;
        for id in changed.keys() {
            self.catch_up(db, *id, now)?;
        }
        Ok(contacts || note)
    }

    /// Note to Self has its place in the list and its timer in our profile.
    fn note_changed(&self, db: &mut Db) -> Result<bool, StoreError> {
        let Some(note) = db.conversation_at(&self.me.into())? else { return Ok(false) };
        let priority = if note.hidden { Priority::HIDDEN } else { Priority(note.pinned) };
        let timer = match note.expiry {
            Expiry::Off => None,
            Expiry::AfterRead(seconds) | Expiry::AfterSend(seconds) => Some(u64::from(seconds)),
        };
        self.with_profile(db, |profile| {
            if profile.note_to_self_priority() != priority {
                profile.set_note_to_self_priority(priority);
            }
            if profile.note_to_self_timer() != timer {
                profile.set_note_to_self_timer(timer);
            }
            profile.needs_dump()
        })
    }

    /// Merges what the swarm has of a document, writes what is new into the tables, and tells what came of it.
    pub fn merge(
        &self,
        db: &mut Db,
        namespace: Namespace,
        messages: &[StoredMessage],
        now: Timestamp,
    ) -> Result<Merge, StoreError> {
        let list: Vec<(StorageHash, &[u8])> = messages
            .iter()
            .map(|message| (StorageHash::from(message.hash), message.data.as_slice()))
            .collect();
        // Nothing was stored after now, whatever a node says.
        let newest = messages.iter().map(|message| message.timestamp.min(now)).max().unwrap_or_default();
        db.transaction(|db| {
            let merge = match namespace {
                Namespace::USER_PROFILE => {
                    let merge = self.with_profile(db, |profile| take_in(profile, &list, now))?;
                    self.catch_up(db, self.me, Now::Known(now))?;
                    merge
                }
                Namespace::CONTACTS => self.merge_contacts(db, &list, now)?,
                Namespace::CONVO_INFO_VOLATILE => self.merge_read_states(db, &list, now)?,
                other => self.set.with_config(db, other, |config| take_in(config, &list, now))?,
            };
            Ok(Merge { newest: merge.accepted.then_some(newest), ..merge })
        })
    }

    /// As [`Documents::reconcile`], unless this version did so already: from then on they say the same.
    pub fn reconcile_once(&self, db: &mut Db, now: Now) -> Result<(), StoreError> {
        if db.setting(RECONCILED)?.is_some_and(|by: String| by == env!("CARGO_PKG_VERSION")) {
            return Ok(());
        }
        db.transaction(|db| {
            self.reconcile(db, now)?;
            db.set_setting(RECONCILED, &env!("CARGO_PKG_VERSION"))
        })
    }

    /// Makes documents and tables say the same. They do, as both change in one transaction, unless an older version
    /// wrote them or a document was damaged; that one is fetched from the swarm again.
    pub fn reconcile(&self, db: &mut Db, now: Now) -> Result<(), StoreError> {
        db.transaction(|db| {
            let account = self.set.owner();
            if self.set.is_damaged(db)? {
                db.forget_last_hashes(account)?;
            }
            if db.swarm_was_read()? {
                self.reconcile_contacts(db, now)?;
            }
            self.reconcile_read_states(db, now)
        })
    }

    /// Changes the contacts together with the tables, after what was noted for them.
    fn with_contacts<T>(
        &self,
        db: &mut Db,
        f: impl FnOnce(&mut Db, &mut Contacts) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.set.with(db, |db, contacts| {
            self.take_contact_notes(db, contacts)?;
            f(db, contacts)
        })
    }

    /// Changes the read states together with the tables, after what was noted for them.
    fn with_read_states<T>(
        &self,
        db: &mut Db,
        f: impl FnOnce(&mut Db, &mut ConvoInfoVolatile) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.set.with(db, |db, states| {
            self.take_read_notes(db, states)?;
            f(db, states)
        })
    }

    /// Writes what was noted into the documents.
    fn write_notes(&self, db: &mut Db) -> Result<(), StoreError> {
        for namespace in db.noted_configs()? {
            match namespace {
                Namespace::CONTACTS => self.with_contacts(db, |_, _| Ok(()))?,
                _ => self.with_read_states(db, |_, _| Ok(()))?,
            }
        }
        Ok(())
    }

    /// What is to be pushed, what was noted among it; see [`DocumentSet::take_parts`].
    pub fn take_parts(&self, db: &mut Db, now: Timestamp) -> Result<ToPush, StoreError> {
        db.transaction(|db| {
            if db.swarm_was_read()? {
                self.write_notes(db)?;
            }
            self.set.take_parts(db, now)
        })
    }

    /// Changes the profile document and writes what it says into the tables.
    fn with_profile<T>(&self, db: &mut Db, f: impl FnOnce(&mut UserProfile) -> T) -> Result<T, StoreError> {
        self.set.with(db, |db, profile: &mut UserProfile| {
            let value = f(profile);
            if profile.needs_dump() {
                self.apply_profile(db, profile)?;
            }
            Ok(value)
        })
    }

    /// Writes what our profile says into the tables.
    fn apply_profile(&self, db: &mut Db, profile: &UserProfile) -> Result<(), StoreError> {
        let old = db.profile_of(self.me)?.unwrap_or_default();
        let read = db.swarm_was_read()?;
        let told = match read {
            // A profile without a name is not one to be shown.
            true => ProfileData {
                name: profile.name().unwrap_or(old.name),
                picture: profile.picture().as_ref().map(contacts::source),
                updated: profile.updated().map_or(old.updated, Timestamp::as_secs),
            },
            false => first_reading::completed(profile, &old),
        };
        db.set_profile(self.me, &told)?;
        let priority = profile.note_to_self_priority();
        let timer = profile.note_to_self_timer().map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX));
        let silent = !read && profile.name().is_none();
        // A new device shows it if the others do.
        let wanted = profile.name().is_some() && (!priority.is_hidden() || timer.is_some());
        let note = match wanted {
            true => Some(db.make_conversation(&self.me.into())?),
            false => db.find_conversation(&self.me.into())?,
        };
        if let Some(note) = note.filter(|_| wanted || !silent) {
            db.set_priority(note, priority.0)?;
            // Before the swarm was read whole, what was set here stays where it has nothing.
            if read || timer.is_some() {
                db.set_expiry(note, timer.map_or(Expiry::Off, Expiry::AfterSend))?;
            }
        }
        Ok(())
    }
}

/// A profile that is dated further ahead than this was dated by a wrong clock, in ms.
const AHEAD_MS: u64 = 60_000;

/// When a change of our profile is made: now, but in a later second than the one before, or nobody would take it
/// over (spec 02 §12).
fn later(profile: &UserProfile, now: Timestamp) -> Timestamp {
    profile.updated().map_or(now, |last| now.max(last + 1000))
}

/// What came of a merge.
#[derive(Default)]
pub struct Merge {
    /// Some of it could be read.
    accepted: bool,
    /// Some of it could not.
    pub unreadable: bool,
    /// When the newest of it was stored, as the node says that gave it.
    pub newest: Option<Timestamp>,
    /// Something is other than before.
    pub changed: bool,
    /// The swarm is to get a merged document.
    pub needs_push: bool,
    /// Conversations whose messages changed: read, or deleted on another device.
    pub touched: BTreeSet<ConversationId>,
    /// Messages that were read on another device.
    pub read: Vec<ReadMessage>,
}

/// Merges messages into a document.
fn take_in(config: &mut (impl Config + ?Sized), messages: &Messages<'_>, now: Timestamp) -> Merge {
    let Merged { accepted, changed } = config.merge(messages, now);
    let needs_push = config.needs_push() || !config.document().obsolete().is_empty();
    let unreadable = accepted.len() < messages.len();
    Merge { accepted: !accepted.is_empty(), unreadable, changed, needs_push, ..Merge::default() }
}
