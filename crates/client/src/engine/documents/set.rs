//! The documents of one owner, whatever they say: where they lie in the store, and what opens them.
//!
//! Decision: what all documents have in common (loading, keeping, [`pushing`](super::pushing), putting back) asks only
//! for an owner and its keys; what they say is the business of [`Documents`](super::Documents). A group's documents are
//! another value of this type, with the group's keys and kinds.

use septet_protocol::account::AccountKeys;
use septet_protocol::config::{
    Config, Contacts, ConvoInfoVolatile, Document, Kind, LoadError, Rules, UserGroups, UserProfile,
};
use septet_protocol::id::{Account, Namespace};
use septet_protocol::time::Timestamp;
use zeroize::Zeroizing;

use crate::store::{Db, StoreError, StoredConfig};

/// The setting that says which version made documents and tables say the same.
pub(super) const RECONCILED: &str = "reconciled_by";

/// A document whose fields this version uses.
pub(super) trait Typed: Config + Sized {
    const KIND: Kind;
    fn empty(seed: &[u8; 32]) -> Self;
    fn read(seed: &[u8; 32], dump: &[u8]) -> Result<Self, LoadError>;
}

macro_rules! typed {
    ($($name:ident),*) => {$(
        impl Typed for $name {
            const KIND: Kind = Kind::$name;
            fn empty(seed: &[u8; 32]) -> Self {
                Self::new(seed)
            }
            fn read(seed: &[u8; 32], dump: &[u8]) -> Result<Self, LoadError> {
                Self::load(seed, dump)
            }
        }
    )*};
}
typed!(UserProfile, Contacts, ConvoInfoVolatile, UserGroups);

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

/// The documents of one owner.
#[derive(Clone)]
pub struct DocumentSet {
    owner: Account,
    keys: Keys,
}

/// What opens documents, and with it, which kinds there are.
#[derive(Clone)]
enum Keys {
    /// The four of a user: the seed of the account's key.
    User(Zeroizing<[u8; 32]>),
}

impl DocumentSet {
    /// Those of the account with these keys.
    pub fn user(keys: &AccountKeys) -> Self {
        let seed = Zeroizing::new(*keys.ed25519.seed());
        Self { owner: Account::from(keys.session_id), keys: Keys::User(seed) }
    }

    /// Whose they are.
    pub fn owner(&self) -> Account {
        self.owner
    }

    /// The seed of a user's documents.
    fn seed(&self) -> &[u8; 32] {
        let Keys::User(seed) = &self.keys;
        seed
    }

    /// Changes a document together with the tables.
    pub(super) fn with<C: Typed, T>(
        &self,
        db: &mut Db,
        f: impl FnOnce(&mut Db, &mut C) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        db.transaction(|db| {
            let stored = self.stored(db, C::KIND.namespace())?;
            let mut config = match stored.map(|stored| C::read(self.seed(), &stored.dump)) {
                Some(Ok(config)) => config,
                Some(Err(_)) => self.replaced(db)?,
                None => C::empty(self.seed()),
            };
            let value = f(db, &mut config)?;
            if config.needs_dump() {
                self.save(db, &mut config)?;
            }
            Ok(value)
        })
    }

    /// An empty document in the place of one that cannot be read: the swarm has the rest of it, and the tables are asked
    /// at the next start.
    fn replaced<C: Typed>(&self, db: &mut Db) -> Result<C, StoreError> {
        tracing::warn!("a stored config cannot be read; it is made anew from the swarm");
        db.forget_last_hashes(self.owner)?;
        db.set_setting(RECONCILED, &"")?;
        Ok(C::empty(self.seed()))
    }

    /// Changes a document of any kind in what all kinds have in common.
    pub(super) fn with_config<T>(
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

    /// A document as it is stored; an empty one if it is not.
    pub(super) fn load<C: Typed>(&self, db: &Db) -> Result<C, StoreError> {
        let stored = self.stored(db, C::KIND.namespace())?;
        Ok(load(stored.as_ref(), || C::empty(self.seed()), |dump| C::read(self.seed(), dump).ok()))
    }

    /// As [`DocumentSet::load`], of any kind.
    pub(super) fn config(&self, db: &Db, namespace: Namespace) -> Result<Box<dyn Config>, StoreError> {
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
        Ok(Plain(kind, Document::new_user(*self.seed(), kind, Rules::Current)))
    }

    pub(super) fn stored(&self, db: &Db, namespace: Namespace) -> Result<Option<StoredConfig>, StoreError> {
        db.config(self.owner, namespace)
    }

    /// Writes a document down.
    pub(super) fn save(&self, db: &mut Db, config: &mut dyn Config) -> Result<(), StoreError> {
        let namespace = config.kind().namespace();
        // What another device's version made obsolete is to be deleted even if there is nothing to store.
        let needs_push = config.needs_push() || !config.document().obsolete().is_empty();
        let dump = Zeroizing::new(config.dump());
        // The store keeps the later of both times.
        let processed_at = Timestamp::default();
        db.save_config(&StoredConfig { owner: self.owner, namespace, dump, needs_push, processed_at })
    }

    /// Whether a stored document cannot be read. It is made anew from what the swarm has.
    pub fn is_damaged(&self, db: &Db) -> Result<bool, StoreError> {
        for namespace in db.config_namespaces(self.owner)? {
            if let Some(stored) = self.stored(db, namespace)?
                && self.empty(namespace)?.1.load(&stored.dump).is_err()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
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
