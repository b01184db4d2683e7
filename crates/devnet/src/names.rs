//! The chain's register of names (spec 03 §11), as the daemon keeps it: under the hash of each name, its record.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use septet_protocol::id::SessionId;
use septet_protocol::name::Name;

use crate::state::State;
use crate::stored::NameRecord;

/// All registered names.
#[derive(Default)]
pub(crate) struct Names {
    records: RwLock<BTreeMap<[u8; 32], NameRecord>>,
    clear: RwLock<BTreeMap<[u8; 32], (Name, SessionId)>>,
    state: Option<Arc<State>>,
}

impl Names {
    /// Names registered earlier, and where new ones are written down.
    pub fn new(records: BTreeMap<[u8; 32], NameRecord>, state: Option<Arc<State>>) -> Self {
        Self { records: RwLock::new(records), clear: RwLock::default(), state }
    }

    /// What the chain holds under the hash of a name.
    pub fn record(&self, hash: &[u8; 32]) -> Option<NameRecord> {
        self.records.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    /// A name registered since the start, in the clear.
    pub fn in_clear(&self, hash: &[u8; 32]) -> Option<(Name, SessionId)> {
        self.clear.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    /// Puts a name on the chain.
    pub fn register(&self, name: &Name, account: &SessionId) {
        let (hash, record) = (name.hash(), NameRecord::register(name, account));
        let mut clear = self.clear.write().unwrap_or_else(PoisonError::into_inner);
        clear.insert(hash, (name.clone(), *account));
        if let Some(state) = &self.state {
            state.put_name(&hash, &record);
        }
        self.records.write().unwrap_or_else(PoisonError::into_inner).insert(hash, record);
    }
}
