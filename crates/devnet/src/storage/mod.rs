//! What one node keeps: messages and revoked subaccount tokens.
//!
//! Decision: everything lives in memory behind one short-held lock per node. Rows are numbered by arrival, as in the
//! official server's table, because `retrieve` pages by arrival (spec 03 §9.7); three indexes (box, hash, expiry)
//! keep every operation logarithmic. Members of a swarm share the bytes of a message. When the network has a state
//! folder, each change is also written there at once, before the request is answered.

mod expiry;
mod whole;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use septet_protocol::id::MessageHash;

use crate::namespace::is_public_outbox;
use crate::pubkey::Pubkey;
use crate::stored::{StoredMessage, Token};

pub(crate) use expiry::ExpiryRule;

/// The most revoked tokens kept for an account (spec 03 §9.14).
const MAX_REVOKED: usize = 50;

/// How many messages that are gone are remembered of each namespace of an account, for liars.
const REMEMBERED: usize = 16;

/// Where a table writes its changes, so that they outlive it. Each is written when its call returns.
pub(crate) trait Journal: Send + Sync {
    /// A message has arrived as this row.
    fn insert(&self, row: u64, account: &Pubkey, message: &StoredMessage);
    /// A row has another expiry, ms.
    fn expiry(&self, row: u64, expiry: u64);
    /// A row is gone.
    fn remove(&self, row: u64);
    /// These tokens of an account are revoked now, the oldest first, and no others.
    fn revoked(&self, account: &Pubkey, tokens: &VecDeque<Token>);
}

/// What `store` did.
pub(crate) struct Stored {
    /// The message was there before.
    pub already: bool,
    /// The expiry now in force, ms.
    pub expiry: u64,
}

/// Which messages of an account an operation is about: one namespace, or all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    One(i16),
    All,
}

/// A page of `retrieve`.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Page {
    pub messages: Vec<StoredMessage>,
    pub more: bool,
}

#[derive(Clone)]
struct Row {
    account: Pubkey,
    message: StoredMessage,
}

/// The table of one node.
#[derive(Clone, Default)]
pub(crate) struct Storage {
    last_row: u64,
    rows: HashMap<u64, Row>,
    boxes: BTreeMap<(Pubkey, i16), BTreeSet<u64>>,
    hashes: HashMap<MessageHash, u64>,
    expiries: BTreeSet<(u64, u64)>,
    revoked: HashMap<Pubkey, VecDeque<Token>>,
    gone: BTreeMap<(Pubkey, i16), VecDeque<StoredMessage>>,
    journal: Option<Arc<dyn Journal>>,
}

impl Storage {
    /// An empty table that writes its changes to `journal`, if there is one.
    pub fn new(journal: Option<Arc<dyn Journal>>) -> Self {
        Self { journal, ..Self::default() }
    }

    /// A copy whose changes are written nowhere.
    pub fn copy(&self) -> Self {
        Self { journal: None, ..self.clone() }
    }

    /// Puts back a row read from the state folder.
    pub fn restore(&mut self, row: u64, account: Pubkey, message: StoredMessage) {
        self.last_row = self.last_row.max(row);
        self.index(row, account, message);
    }

    /// Puts back a revoked token read from the state folder, oldest first.
    pub fn restore_revoked(&mut self, account: Pubkey, token: Token) {
        self.revoked.entry(account).or_default().push_back(token);
    }

    /// Stores a message, or raises the expiry of the one that is there (spec 03 §9.6).
    pub fn store(&mut self, account: Pubkey, message: StoredMessage) -> Stored {
        if let Some(&row) = self.hashes.get(&message.hash) {
            let old = self.rows.get(&row).map_or(0, |row| row.message.expiry);
            let expiry = old.max(message.expiry);
            if expiry > old {
                self.set_expiry(row, expiry);
            }
            return Stored { already: true, expiry };
        }
        let (expiry, namespace, hash) = (message.expiry, message.namespace, message.hash);
        self.last_row += 1;
        let row = self.last_row;
        if let Some(journal) = &self.journal {
            journal.insert(row, &account, &message);
        }
        self.index(row, account, message);
        if is_public_outbox(namespace) {
            self.remove_scope(&account, Scope::One(namespace), |message| message.hash != hash);
        }
        Stored { already: false, expiry }
    }

    /// Messages of a namespace that arrived after `after`, in order of arrival. A hash that is not (any more) here
    /// counts as none. `max_count` has the meaning of SQL's `LIMIT max_count + 1`, as on the official server.
    pub fn retrieve(
        &self,
        account: &Pubkey,
        namespace: i16,
        after: Option<&MessageHash>,
        max_count: Option<i64>,
        max_size: usize,
    ) -> Page {
        let mut page = Page::default();
        let Some(rows) = self.boxes.get(&(*account, namespace)) else { return page };
        let start = after
            .and_then(|hash| self.hashes.get(hash))
            .filter(|row| rows.contains(row))
            .map_or(0, |row| row.saturating_add(1));
        if max_count == Some(-1) {
            return page;
        }
        let limit = max_count.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
        let mut size = 0;
        for row in rows.range(start..) {
            let Some(Row { message, .. }) = self.rows.get(row) else { continue };
            size += 100 + 43 + message.data.len() * 4 / 3;
            if page.messages.len() >= limit || (!page.messages.is_empty() && size > max_size) {
                page.more = true;
                break;
            }
            page.messages.push(message.clone());
        }
        page
    }

    /// Removes messages by hash; the hashes that were there, sorted.
    pub fn delete(&mut self, account: &Pubkey, hashes: &[MessageHash]) -> BTreeSet<String> {
        hashes
            .iter()
            .filter_map(|hash| {
                let row = self.row_of(account, hash)?;
                self.remove(row);
                Some(hash.to_string())
            })
            .collect()
    }

    /// Removes messages whose own timestamp is at most `before` (ms; `None` = all); namespace and hash of each.
    pub fn delete_scope(
        &mut self,
        account: &Pubkey,
        scope: Scope,
        before: Option<u64>,
    ) -> Vec<(i16, MessageHash)> {
        self.remove_scope(account, scope, |message| before.is_none_or(|before| message.timestamp <= before))
    }

    /// Lowers later expiries to `expiry` (ms); namespace and hash of each message changed (spec 03 §9.11).
    pub fn expire_scope(&mut self, account: &Pubkey, scope: Scope, expiry: u64) -> Vec<(i16, MessageHash)> {
        let rows = self.rows_in(account, scope, |message| message.expiry > expiry);
        rows.iter()
            .filter_map(|&row| {
                self.set_expiry(row, expiry);
                self.rows.get(&row).map(|row| (row.message.namespace, row.message.hash))
            })
            .collect()
    }

    /// Sets the expiry of one message if `rule` allows; `true` if the message is here and was set.
    pub fn expire(&mut self, account: &Pubkey, hash: &MessageHash, expiry: u64, rule: ExpiryRule) -> bool {
        let Some(row) = self.row_of(account, hash) else { return false };
        let allowed = self.rows.get(&row).is_some_and(|row| rule.allows(&row.message, expiry));
        if allowed {
            self.set_expiry(row, expiry);
        }
        allowed
    }

    /// The expiry (ms) of a message, if it is here.
    pub fn expiry(&self, account: &Pubkey, hash: &MessageHash) -> Option<u64> {
        self.rows.get(&self.row_of(account, hash)?).map(|row| row.message.expiry)
    }

    /// Remembers tokens as revoked; only the 50 newest of an account are kept. As on the official server, an account
    /// is known only while it has messages: without any, nothing is remembered.
    pub fn revoke(&mut self, account: Pubkey, tokens: &[Token]) {
        if !self.knows(&account) {
            return;
        }
        let revoked = self.revoked.entry(account).or_default();
        for token in tokens {
            revoked.retain(|known| known != token);
            revoked.push_back(*token);
        }
        while revoked.len() > MAX_REVOKED {
            revoked.pop_front();
        }
        if let Some(journal) = &self.journal {
            journal.revoked(&account, revoked);
        }
    }

    /// Forgets revocations; how many there were.
    pub fn unrevoke(&mut self, account: Pubkey, tokens: &[Token]) -> usize {
        let revoked = self.revoked.entry(account).or_default();
        let before = revoked.len();
        revoked.retain(|known| !tokens.contains(known));
        if let Some(journal) = &self.journal {
            journal.revoked(&account, revoked);
        }
        before - revoked.len()
    }

    /// Whether a token was revoked.
    pub fn is_revoked(&self, account: &Pubkey, token: &Token) -> bool {
        self.revoked.get(account).is_some_and(|revoked| revoked.contains(token))
    }

    /// Removes what expired at or before `now` (ms).
    pub fn sweep(&mut self, now: u64) {
        while let Some(&(expiry, row)) = self.expiries.first() {
            if expiry > now {
                break;
            }
            self.remove(row);
        }
    }

    /// Whether an account has messages.
    fn knows(&self, account: &Pubkey) -> bool {
        self.boxes.range((*account, i16::MIN)..=(*account, i16::MAX)).next().is_some()
    }

    fn forget_revocations(&mut self, account: &Pubkey) {
        if self.revoked.remove(account).is_some()
            && let Some(journal) = &self.journal
        {
            journal.revoked(account, &VecDeque::new());
        }
    }

    /// All messages of an account in one namespace, in order of arrival.
    pub fn messages(&self, account: &Pubkey, namespace: i16) -> Vec<StoredMessage> {
        self.retrieve(account, namespace, None, None, usize::MAX).messages
    }

    /// How many messages are stored.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    fn index(&mut self, row: u64, account: Pubkey, message: StoredMessage) {
        self.boxes.entry((account, message.namespace)).or_default().insert(row);
        self.hashes.insert(message.hash, row);
        self.expiries.insert((message.expiry, row));
        self.rows.insert(row, Row { account, message });
    }

    fn row_of(&self, account: &Pubkey, hash: &MessageHash) -> Option<u64> {
        let row = *self.hashes.get(hash)?;
        self.rows.get(&row).filter(|found| found.account == *account).map(|_| row)
    }

    fn rows_in(&self, account: &Pubkey, scope: Scope, wanted: impl Fn(&StoredMessage) -> bool) -> Vec<u64> {
        let (first, last) = match scope {
            Scope::One(namespace) => (namespace, namespace),
            Scope::All => (i16::MIN, i16::MAX),
        };
        let rows = self.boxes.range((*account, first)..=(*account, last)).flat_map(|(_, rows)| rows);
        rows.filter(|row| self.rows.get(row).is_some_and(|row| wanted(&row.message))).copied().collect()
    }

    fn remove_scope(
        &mut self,
        account: &Pubkey,
        scope: Scope,
        wanted: impl Fn(&StoredMessage) -> bool,
    ) -> Vec<(i16, MessageHash)> {
        let rows = self.rows_in(account, scope, wanted);
        rows.into_iter()
            .filter_map(|row| self.remove(row))
            .map(|message| (message.namespace, message.hash))
            .collect()
    }

    fn remove(&mut self, row: u64) -> Option<StoredMessage> {
        let Row { account, message } = self.rows.remove(&row)?;
        let place = (account, message.namespace);
        if let Some(rows) = self.boxes.get_mut(&place) {
            rows.remove(&row);
            if rows.is_empty() {
                self.boxes.remove(&place);
            }
        }
        if !self.knows(&account) {
            self.forget_revocations(&account);
        }
        self.hashes.remove(&message.hash);
        self.expiries.remove(&(message.expiry, row));
        if let Some(journal) = &self.journal {
            journal.remove(row);
        }
        let gone = self.gone.entry(place).or_default();
        gone.push_back(message.clone());
        if gone.len() > REMEMBERED {
            gone.pop_front();
        }
        Some(message)
    }

    fn set_expiry(&mut self, row: u64, expiry: u64) {
        let Some(found) = self.rows.get_mut(&row) else { return };
        self.expiries.remove(&(found.message.expiry, row));
        found.message.expiry = expiry;
        self.expiries.insert((expiry, row));
        if let Some(journal) = &self.journal {
            journal.expiry(row, expiry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(n: u8, namespace: i16, expiry: u64) -> StoredMessage {
        StoredMessage {
            hash: MessageHash([n; 32]),
            namespace,
            timestamp: u64::from(n),
            expiry,
            data: Arc::from([n]),
        }
    }

    fn account() -> Pubkey {
        Pubkey([5; 33])
    }

    #[test]
    fn storing_twice_keeps_one_and_raises_its_expiry() {
        let mut storage = Storage::default();
        assert!(!storage.store(account(), message(1, 0, 100)).already);
        let again = storage.store(account(), message(1, 0, 90));
        assert!(again.already);
        assert_eq!(again.expiry, 100);
        assert_eq!(storage.store(account(), message(1, 0, 110)).expiry, 110);
        assert_eq!(storage.messages(&account(), 0).len(), 1);
    }

    #[test]
    fn what_gains_less_than_a_hundredth_of_its_life_is_left_alone() {
        const DAY: u64 = 86_400_000;
        let mut storage = Storage::default();
        storage.store(account(), message(1, 2, 1 + 10 * DAY));
        let mut extend =
            |expiry| storage.expire(&account(), &MessageHash([1; 32]), expiry, ExpiryRule::ExtendOnly);
        assert!(!extend(1 + 10 * DAY + DAY / 10 - 1));
        assert!(extend(1 + 10 * DAY + DAY / 10));
        assert!(extend(1 + 60 * DAY));
        assert!(!extend(1 + 60 * DAY + 3 * DAY / 10 - 1), "no life counts as longer than 30 days");
        assert!(extend(1 + 60 * DAY + 3 * DAY / 10));
    }

    #[test]
    fn pages_follow_arrival_and_stop_before_the_size_limit() {
        let mut storage = Storage::default();
        for n in [3, 1, 2] {
            storage.store(account(), message(n, 0, 100));
        }
        let page = storage.retrieve(&account(), 0, None, None, 2 * 144);
        assert_eq!(page.messages.iter().map(|m| m.timestamp).collect::<Vec<_>>(), [3, 1]);
        assert!(page.more);
        let rest = storage.retrieve(&account(), 0, Some(&MessageHash([1; 32])), None, 1);
        assert_eq!(rest.messages.iter().map(|m| m.timestamp).collect::<Vec<_>>(), [2]);
        assert!(!rest.more);
        let unknown = storage.retrieve(&account(), 0, Some(&MessageHash([9; 32])), Some(1), usize::MAX);
        assert_eq!((unknown.messages.len(), unknown.more), (1, true));
        assert_eq!(storage.retrieve(&account(), 0, None, Some(-1), usize::MAX).messages.len(), 0);
        assert_eq!(storage.retrieve(&account(), 0, None, Some(-2), usize::MAX).messages.len(), 3);
    }

    #[test]
    fn a_hash_of_another_namespace_does_not_move_the_page() {
        let mut storage = Storage::default();
        storage.store(account(), message(1, 0, 100));
        storage.store(account(), message(2, 5, 100));
        assert_eq!(
            storage.retrieve(&account(), 0, Some(&MessageHash([2; 32])), None, 9999).messages.len(),
            1
        );
    }

    #[test]
    fn the_sweep_removes_what_has_expired_from_every_index() {
        let mut storage = Storage::default();
        storage.store(account(), message(1, 0, 100));
        storage.store(account(), message(2, 0, 200));
        storage.sweep(100);
        assert_eq!(storage.len(), 1);
        assert!(!storage.store(account(), message(1, 0, 300)).already);
    }

    #[test]
    fn a_public_outbox_keeps_one_message() {
        let mut storage = Storage::default();
        storage.store(account(), message(1, -21, 100));
        storage.store(account(), message(2, -21, 100));
        assert_eq!(storage.messages(&account(), -21).len(), 1);
    }

    #[test]
    fn only_the_fifty_newest_revocations_are_kept() {
        let mut storage = Storage::default();
        storage.store(account(), message(1, 0, 100));
        let tokens: Vec<Token> = (0..60).map(|n| [n; 36]).collect();
        storage.revoke(account(), &tokens);
        assert!(!storage.is_revoked(&account(), &[9; 36]));
        assert!(storage.is_revoked(&account(), &[10; 36]));
        assert_eq!(storage.unrevoke(account(), &tokens), 50);
    }

    #[test]
    fn revocations_live_as_long_as_the_account_has_messages() {
        let mut storage = Storage::default();
        let tokens = [[1; 36], [2; 36]];
        storage.revoke(account(), &tokens);
        assert!(!storage.is_revoked(&account(), &tokens[0]), "nobody is known by that name");
        storage.store(account(), message(1, 0, 100));
        storage.store(account(), message(2, 5, 200));
        storage.revoke(account(), &tokens);
        storage.sweep(100);
        assert!(storage.is_revoked(&account(), &tokens[1]));
        storage.sweep(200);
        storage.store(account(), message(3, 0, 300));
        assert!(!storage.is_revoked(&account(), &tokens[1]));
    }
}
