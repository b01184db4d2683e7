//! A table as a whole: what members of a swarm hand over to each other, and what liars look at.

use std::collections::{BTreeMap, BTreeSet};

use super::{Scope, Storage};
use crate::pubkey::Pubkey;
use crate::stored::{StoredMessage, Token};

impl Storage {
    /// The accounts that have messages.
    pub fn accounts(&self) -> BTreeSet<Pubkey> {
        self.boxes.keys().map(|(account, _)| *account).collect()
    }

    /// All messages of an account in order of arrival, and its revoked tokens, the oldest first.
    pub fn account(&self, account: &Pubkey) -> (Vec<StoredMessage>, Vec<Token>) {
        let mut rows = self.rows_in(account, Scope::All, |_| true);
        rows.sort_unstable();
        let messages = rows.iter().filter_map(|row| self.rows.get(row)).map(|row| row.message.clone());
        (messages.collect(), self.revoked(account))
    }

    /// The expiry (ms) of every message of an account, by hash.
    pub fn all_expiries(&self, account: &Pubkey) -> BTreeMap<String, u64> {
        let rows = self.rows_in(account, Scope::All, |_| true);
        let messages = rows.iter().filter_map(|row| self.rows.get(row)).map(|row| &row.message);
        messages.map(|message| (message.hash.to_string(), message.expiry)).collect()
    }

    /// An account's revoked tokens, the oldest first.
    pub fn revoked(&self, account: &Pubkey) -> Vec<Token> {
        self.revoked.get(account).into_iter().flatten().copied().collect()
    }

    /// Takes what another member of the swarm has kept.
    pub fn take_over(&mut self, account: &Pubkey, (messages, revoked): (Vec<StoredMessage>, Vec<Token>)) {
        for message in messages {
            self.store(*account, message);
        }
        self.revoke(*account, &revoked);
    }

    /// Forgets an account.
    pub fn forget(&mut self, account: &Pubkey) {
        self.remove_scope(account, Scope::All, |_| true);
    }

    /// What was in a namespace and is not any more: the last few, the oldest first.
    pub fn gone(&self, account: &Pubkey, namespace: i16) -> Vec<StoredMessage> {
        self.gone.get(&(*account, namespace)).into_iter().flatten().cloned().collect()
    }
}
