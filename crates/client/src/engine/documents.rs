//! The config documents of an account, as they lie in the store (spec 05).
//!
//! Each lies there as its own dump. Every change is one transaction that loads the dump, changes the document, writes
//! what it says into the tables and the dump back: the tables and the document never disagree, whenever the program
//! ends.
//!
//! Decision: documents that this version does not show yet are merged and kept all the same, so that nothing has to
//! be fetched again when a later version does.

use septet_protocol::account::{AccountKeys, DisplayName};
use septet_protocol::config::{
    Config, Document, Kind, Merged, Picture, Priority, Push, PushError, Rules, StorageHash, UserProfile,
};
use septet_protocol::id::{Account, MessageHash, Namespace, SessionId};
use septet_protocol::swarm::reply::StoredMessage;
use septet_protocol::time::Timestamp;
use zeroize::Zeroizing;

use crate::model::ConversationId;
use crate::store::{Db, PictureSource, ProfileData, StoreError, StoredConfig};

/// Changes the documents of one account.
#[derive(Clone)]
pub struct Documents {
    me: SessionId,
    seed: Zeroizing<[u8; 32]>,
}

/// One part of a push: a document and the messages it consists of.
pub struct Part {
    /// Where it is stored.
    pub namespace: Namespace,
    /// Its version.
    pub seqno: i64,
    /// What is to be stored.
    pub messages: Vec<Vec<u8>>,
    /// What is to be deleted after that.
    pub obsolete: Vec<StorageHash>,
}

/// A document of any kind that has no typed form here.
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

    /// Changes our public name.
    pub fn set_name(&self, db: &mut Db, name: &DisplayName, now: Timestamp) -> Result<(), StoreError> {
        self.with_profile(db, |profile| profile.set_name_truncated(name.as_str(), now))
    }

    /// What a new account says of itself: its name, and that Note to Self is not in the list (spec 01 §10).
    pub fn fill_new(&self, db: &mut Db, name: &DisplayName, now: Timestamp) -> Result<(), StoreError> {
        self.with_profile(db, |profile| {
            profile.set_name_truncated(name.as_str(), now);
            profile.set_note_to_self_priority(Priority::HIDDEN);
        })
    }

    /// Something about a conversation changed in the tables: writes it into the document it belongs to. To be called
    /// in the transaction of the change.
    pub fn conversation_changed(&self, db: &mut Db, id: ConversationId) -> Result<(), StoreError> {
        if id.0 != self.me {
            return Ok(());
        }
        let Some(note) = db.conversation(id)? else { return Ok(()) };
        let priority = if note.hidden { Priority::HIDDEN } else { Priority(note.pinned) };
        self.with_profile(db, |profile| {
            if profile.note_to_self_priority() != priority {
                profile.set_note_to_self_priority(priority);
            }
        })
    }

    /// Merges what the swarm has of a document; tells whether that changed anything and whether it must be pushed.
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
        let newest = messages.iter().map(|message| message.timestamp).max().unwrap_or_default();
        db.transaction(|db| {
            let merge = |config: &mut dyn Config| {
                let Merged { accepted, changed } = config.merge(&list, now);
                (accepted.is_empty(), Merge { changed, needs_push: config.needs_push() })
            };
            let (nothing, merged) = match namespace {
                Namespace::USER_PROFILE => self.with_profile(db, |profile| merge(profile))?,
                other => self.with_config(db, other, merge)?,
            };
            if !nothing && let Some(stored) = self.stored(db, namespace)? {
                db.save_config(&StoredConfig { processed_at: newest, ..stored })?;
            }
            Ok(merged)
        })
    }

    /// What is to be pushed, and why some of it cannot be. Each document is written back, because handing out its
    /// bytes changes it.
    pub fn take_parts(&self, db: &mut Db, now: Timestamp) -> Result<(Vec<Part>, Vec<PushError>), StoreError> {
        let (mut parts, mut problems) = (Vec::new(), Vec::new());
        db.transaction(|db| {
            for stored in db.configs(Account::from(self.me))?.into_iter().filter(|config| config.needs_push) {
                let namespace = stored.namespace;
                match self.with_config(db, namespace, |config| config.push(now))? {
                    Ok(Push { seqno, messages, obsolete }) => {
                        parts.push(Part { namespace, seqno, messages, obsolete });
                    }
                    Err(error) => problems.push(error),
                }
            }
            Ok((parts, problems))
        })
    }

    /// The swarm has a push.
    pub fn confirm(
        &self,
        db: &mut Db,
        namespace: Namespace,
        seqno: i64,
        hashes: &[StorageHash],
    ) -> Result<(), StoreError> {
        db.transaction(|db| self.with_config(db, namespace, |config| config.confirm_pushed(seqno, hashes)))
    }

    /// The names of everything in the swarm that our documents consist of.
    pub fn active_hashes(&self, db: &Db) -> Result<Vec<MessageHash>, StoreError> {
        let mut hashes = Vec::new();
        for stored in db.configs(Account::from(self.me))? {
            let config = self.config(db, stored.namespace)?;
            hashes.extend(config.active_hashes().iter().filter_map(StorageHash::to_message_hash));
        }
        Ok(hashes)
    }

    /// Changes the profile document and writes what it says into the tables.
    fn with_profile<T>(&self, db: &mut Db, f: impl FnOnce(&mut UserProfile) -> T) -> Result<T, StoreError> {
        db.transaction(|db| {
            let stored = self.stored(db, Namespace::USER_PROFILE)?;
            let read = |dump: &[u8]| UserProfile::load(&self.seed, dump).ok();
            let mut profile = load(stored.as_ref(), || UserProfile::new(&self.seed), read);
            let value = f(&mut profile);
            if profile.needs_dump() {
                self.apply_profile(db, &profile)?;
                self.save(db, Namespace::USER_PROFILE, &mut profile)?;
            }
            Ok(value)
        })
    }

    /// Changes a document of any kind.
    fn with_config<T>(
        &self,
        db: &mut Db,
        namespace: Namespace,
        f: impl FnOnce(&mut dyn Config) -> T,
    ) -> Result<T, StoreError> {
        let mut config = self.config(db, namespace)?;
        let value = f(&mut config);
        if config.needs_dump() {
            self.save(db, namespace, &mut config)?;
        }
        Ok(value)
    }

    /// A document as it is stored; an empty one if it is not.
    fn config(&self, db: &Db, namespace: Namespace) -> Result<Plain, StoreError> {
        let kind = Kind::from_namespace(namespace).ok_or(StoreError::NotFound)?;
        let stored = self.stored(db, namespace)?;
        let empty = || Document::new_user(*self.seed, kind, Rules::Current);
        Ok(Plain(kind, load(stored.as_ref(), empty, |dump| empty().load(dump).ok())))
    }

    fn stored(&self, db: &Db, namespace: Namespace) -> Result<Option<StoredConfig>, StoreError> {
        let configs = db.configs(Account::from(self.me))?;
        Ok(configs.into_iter().find(|config| config.namespace == namespace))
    }

    /// Writes a document down.
    fn save(&self, db: &mut Db, namespace: Namespace, config: &mut dyn Config) -> Result<(), StoreError> {
        let needs_push = config.needs_push();
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
        let picture = profile.picture().map(|picture: Picture| PictureSource {
            url: picture.url().to_owned(),
            key: Zeroizing::new(picture.key().to_vec()),
        });
        // A profile without a name is not one to be shown.
        let name = profile.name().unwrap_or(old.name);
        let updated = profile.updated().map_or(old.updated, Timestamp::as_secs);
        db.set_profile(self.me, &ProfileData { name, picture, updated })?;
        let note = ConversationId(self.me);
        if db.conversation(note)?.is_some() {
            db.set_priority(note, profile.note_to_self_priority().0)?;
        }
        Ok(())
    }
}

/// What came of a merge.
#[derive(Clone, Copy, Default)]
pub struct Merge {
    /// Something is other than before.
    pub changed: bool,
    /// The swarm is to get a merged document.
    pub needs_push: bool,
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
