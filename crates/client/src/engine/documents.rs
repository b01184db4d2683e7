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
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use septet_protocol::account::{AccountKeys, DisplayName};
use septet_protocol::config::{
    Config, Contacts, ConvoInfoVolatile, Document, Kind, LoadError, Merged, Picture, Priority, Rules,
    StorageHash, UserGroups, UserProfile,
};
use septet_protocol::id::{Account, Namespace, SessionId};
use septet_protocol::swarm::reply::StoredMessage;
use septet_protocol::time::Timestamp;
use zeroize::Zeroizing;

use crate::model::{ConversationId, Expiry, Memberships};
use crate::store::{Db, Now, ProfileData, ReadMessage, StoreError, StoredConfig};

pub use pushing::{Kept, Part, Pushed, ToPush};

/// The setting that says which version made documents and tables say the same.
const RECONCILED: &str = "reconciled_by";

/// Changes the documents of one account.
#[derive(Clone)]
pub struct Documents {
    me: SessionId,
    seed: Zeroizing<[u8; 32]>,
}

/// What a namespace held: where each message is stored, and its bytes.
type Messages<'a> = [(StorageHash, &'a [u8])];

/// A document whose fields this version uses.
trait Typed: Config + Sized {
    const KIND: Kind;
    fn empty(seed: &[u8; 32]) -> Self;
    fn read(seed: &[u8; 32], dump: &[u8]) -> Result<Self, LoadError>;
    /// Writes into it what was noted for it.
    fn take_notes(&mut self, _documents: &Documents, _db: &mut Db) -> Result<(), StoreError> {
        Ok(())
    }
}

macro_rules! typed {
    ($($name:ident $(notes $take:path)?),*) => {$(
        impl Typed for $name {
            const KIND: Kind = Kind::$name;
            fn empty(seed: &[u8; 32]) -> Self {
                Self::new(seed)
            }
            fn read(seed: &[u8; 32], dump: &[u8]) -> Result<Self, LoadError> {
                Self::load(seed, dump)
            }
            $(fn take_notes(&mut self, documents: &Documents, db: &mut Db) -> Result<(), StoreError> {
                $take(documents, db, self)
            })?
        }
    )*};
}
typed!(
    UserProfile,
    Contacts notes Documents::take_contact_notes,
    ConvoInfoVolatile notes Documents::take_read_notes,
    UserGroups
);

/// A document of any kind, for what does not need its fields.
struct Plain(Kind, Document);

impl Config for Plain {
    fn kind(&self) -> Kind {
        self.0
    }
    fn document(&self) -> &Document {
        &self.1
    }
    fn document_mut(&mut self) -> &mut Document {
        &mut self.1
    }
}

impl Documents {
    /// Those of the account with these keys.
    pub fn new(keys: &AccountKeys) -> Self {
        Self { me: keys.session_id, seed: Zeroizing::new(*keys.ed25519.seed()) }
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
        let profile: UserProfile = self.load(db)?;
        Ok(profile.picture().map(|picture| (picture, profile.updated().unwrap_or_default())))
    }

    /// Whether the document has a name, which it has of every account that was ever used.
    pub fn is_named(&self, db: &Db) -> Result<bool, StoreError> {
        Ok(self.load::<UserProfile>(db)?.name().is_some())
    }

    /// What the account is a member of.
    pub fn memberships(&self, db: &Db) -> Result<Memberships, StoreError> {
        let all: UserGroups = self.load(db)?;
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
        let profile: UserProfile = self.load(db)?;
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
                other => self.with_config(db, other, |config| take_in(config, &list, now))?,
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
            let account = Account::from(self.me);
            for namespace in db.config_namespaces(account)? {
                let Some(stored) = self.stored(db, namespace)? else { continue };
                if self.empty(namespace)?.1.load(&stored.dump).is_err() {
                    db.forget_last_hashes(account)?;
                }
            }
            if db.swarm_was_read()? {
                self.reconcile_contacts(db, now)?;
            }
            self.reconcile_read_states(db, now)
        })
    }

    /// Changes a document together with the tables.
    fn with<C: Typed, T>(
        &self,
        db: &mut Db,
        f: impl FnOnce(&mut Db, &mut C) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        db.transaction(|db| {
            let mut config: C = match self.read(db)? {
                Some(config) => config,
                None => self.replaced(db)?,
            };
            config.take_notes(self, db)?;
            let value = f(db, &mut config)?;
            if config.needs_dump() {
                self.save(db, &mut config)?;
            }
            Ok(value)
        })
    }

    /// Changes the profile document and writes what it says into the tables.
    fn with_profile<T>(&self, db: &mut Db, f: impl FnOnce(&mut UserProfile) -> T) -> Result<T, StoreError> {
        self.with(db, |db, profile: &mut UserProfile| {
            let value = f(profile);
            if profile.needs_dump() {
                self.apply_profile(db, profile)?;
            }
            Ok(value)
        })
    }

    /// Changes a document of any kind in what all kinds have in common.
    fn with_config<T>(
        &self,
        db: &mut Db,
        namespace: Namespace,
        f: impl FnOnce(&mut dyn Config) -> T,
    ) -> Result<T, StoreError> {
        let mut config = self.config(db, namespace)?;
        let value = f(&mut *config);
        if config.needs_dump() {
            self.save(db, &mut *config)?;
        }
        Ok(value)
    }

    /// Writes what was noted into the documents.
    fn write_notes(&self, db: &mut Db) -> Result<(), StoreError> {
        for namespace in db.noted_configs()? {
            match namespace {
                Namespace::CONTACTS => self.with(db, |_, _: &mut Contacts| Ok(()))?,
                _ => self.with(db, |_, _: &mut ConvoInfoVolatile| Ok(()))?,
            }
        }
        Ok(())
    }

    /// A document as it is stored, without what is noted for it; an empty one if it is not.
    fn load<C: Typed>(&self, db: &Db) -> Result<C, StoreError> {
        Ok(self.read(db)?.unwrap_or_else(|| C::empty(&self.seed)))
    }

    /// As [`Documents::load`]; `None` if what is stored cannot be read.
    fn read<C: Typed>(&self, db: &Db) -> Result<Option<C>, StoreError> {
        let stored = self.stored(db, C::KIND.namespace())?;
        Ok(stored.map_or_else(|| Some(C::empty(&self.seed)), |stored| C::read(&self.seed, &stored.dump).ok()))
    }

    /// An empty document in the place of one that cannot be read: the swarm has the rest of it, and the tables have it
    /// until the next start.
    fn replaced<C: Typed>(&self, db: &mut Db) -> Result<C, StoreError> {
        tracing::warn!("a stored config cannot be read; it is made anew from the swarm");
        db.forget_last_hashes(Account::from(self.me))?;
        db.set_setting(RECONCILED, &"")?;
        Ok(C::empty(&self.seed))
    }

    /// As [`Documents::load`], of any kind.
    fn config(&self, db: &Db, namespace: Namespace) -> Result<Box<dyn Config>, StoreError> {
        if namespace == Namespace::CONVO_INFO_VOLATILE {
            // What is old leaves this one at a push, so it needs its own.
            return Ok(Box::new(self.load::<ConvoInfoVolatile>(db)?));
        }
        let (stored, empty) = (self.stored(db, namespace)?, self.empty(namespace)?);
        let read = |dump: &[u8]| self.empty(namespace).ok()?.1.load(dump).ok();
        let Plain(kind, empty) = empty;
        Ok(Box::new(Plain(kind, load(stored.as_ref(), || empty, read))))
    }

    /// An empty document of any kind.
    fn empty(&self, namespace: Namespace) -> Result<Plain, StoreError> {
        let kind = Kind::from_namespace(namespace).ok_or(StoreError::NotFound)?;
        Ok(Plain(kind, Document::new_user(*self.seed, kind, Rules::Current)))
    }

    fn stored(&self, db: &Db, namespace: Namespace) -> Result<Option<StoredConfig>, StoreError> {
        db.config(Account::from(self.me), namespace)
    }

    /// Writes a document down.
    fn save(&self, db: &mut Db, config: &mut dyn Config) -> Result<(), StoreError> {
        let namespace = config.kind().namespace();
        // What another device's version made obsolete is to be deleted even if there is nothing to store.
        let needs_push = config.needs_push() || !config.document().obsolete().is_empty();
        let dump = Zeroizing::new(config.dump());
        // The store keeps the later of both times.
        let processed_at = Timestamp::default();
        db.save_config(&StoredConfig {
            owner: Account::from(self.me),
            namespace,
            dump,
            needs_push,
            processed_at,
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

/// A document from its dump. A dump that cannot be read is as good as none: the swarm has the rest.
fn load<T>(
    stored: Option<&StoredConfig>,
    empty: impl FnOnce() -> T,
    read: impl FnOnce(&[u8]) -> Option<T>,
) -> T {
    match stored.map(|stored| read(&stored.dump)) {
        Some(Some(config)) => config,
        Some(None) => {
            tracing::warn!("a stored config cannot be read; it is made anew from the swarm");
            empty()
        }
        None => empty(),
    }
}
