//! False pages: what a node says it keeps.
//!
//! Decision: the liar reads the page an honest node would give and changes it. What it showed last it remembers
//! together with where the client truly is, so that a client that goes on from a false hash goes on where it was: the
//! lies are about messages, not about the order of pages, and a clumsy liar would be found out by accident.

use std::collections::BTreeMap;
use std::sync::Arc;

use septet_protocol::crypto::{Random, SystemRandom};
use septet_protocol::id::{MessageHash, Namespace};

use crate::pubkey::Pubkey;
use crate::storage::{Page, Storage};
use crate::stored::{StoredMessage, message_hash};

/// Something false about what a node keeps for an account in a namespace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RetrieveLie {
    /// Each message has the hash of the next one in its namespace (the last that of the first).
    SwapHashes,
    /// Each message has its true hash, and random bytes of the same length as data.
    OtherData,
    /// Each message has its true data under a random hash, another one each time.
    InventHashes,
    /// There is nothing, and no more.
    HideAll,
    /// Every so-many-th message of a namespace, in order of arrival, is left out: 1 hides all, 2 every second.
    HideEvery(usize),
    /// What was stored once and is gone (deleted, replaced, expired) comes again after each page, under random
    /// hashes, others each time. The last 16 of a namespace are remembered.
    ReplayUnderNewHashes,
    /// As [`RetrieveLie::ReplayUnderNewHashes`], under their own right hashes.
    ReplayUnderOwnHashes,
    /// After each page comes a message of random bytes under its right hash, another one each time: in a public
    /// inbox anybody could have stored it, elsewhere (configs) nobody.
    AddForged,
    /// After each page come messages of another account of the same swarm, under their own right hashes.
    AddForeign,
    /// After each page comes a message of so many random bytes, under its right hash.
    AddHuge(usize),
    /// Each page is in reverse order.
    Reverse,
    /// There is always more, also when the page is empty.
    MoreForEver,
    /// Each page is the first one, whatever was asked for, and there is always more.
    SamePageForEver,
    /// Each message's `timestamp` and `expiration` are later by so many ms (earlier, if negative).
    ShiftTimes {
        /// Added to `timestamp`.
        timestamp: i64,
        /// Added to `expiration`.
        expiration: i64,
    },
}

/// How long a forged message has to live, ms: 14 days.
const FORGED_TTL: u64 = 14 * 86_400_000;

/// Where a client truly is, by the last hash it was shown.
pub(crate) type Aliases = BTreeMap<MessageHash, Option<MessageHash>>;

/// The page a liar gives, and whether there is anything false in it: `honest` makes the true one after a hash.
pub(crate) fn tell(
    lies: &[RetrieveLie],
    aliases: &mut Aliases,
    table: &Table,
    after: Option<MessageHash>,
    honest: impl Fn(Option<&MessageHash>) -> Page,
) -> (Page, bool) {
    let after = match after {
        _ if lies.contains(&RetrieveLie::SamePageForEver) => None,
        Some(shown) => aliases.get(&shown).copied().unwrap_or(Some(shown)),
        None => None,
    };
    let truth = honest(after.as_ref());
    let mut told = truth.clone();
    for lie in lies {
        lie.tell(&mut told, table);
    }
    if let Some(shown) = told.messages.last() {
        let real = truth.messages.last().map(|message| message.hash).or(after);
        aliases.insert(shown.hash, real);
    }
    let lied = told != truth;
    (told, lied)
}

/// What a liar makes its lies of.
pub(crate) struct Table {
    account: Pubkey,
    namespace: i16,
    now: u64,
    /// Everything in the namespace, in order of arrival.
    kept: Vec<MessageHash>,
    /// What was there once.
    gone: Vec<StoredMessage>,
    /// What another account has there.
    foreign: Vec<StoredMessage>,
}

impl Table {
    /// `now` in ms.
    pub fn of(storage: &Storage, account: &Pubkey, namespace: i16, now: u64) -> Self {
        let kept = storage.messages(account, namespace).iter().map(|message| message.hash).collect();
        let gone = storage.gone(account, namespace);
        let other = storage.accounts().into_iter().find(|other| other != account);
        let foreign = other.map(|other| storage.messages(&other, namespace)).unwrap_or_default();
        Self { account: *account, namespace, now, kept, gone, foreign }
    }

    fn place(&self, hash: &MessageHash) -> Option<usize> {
        self.kept.iter().position(|kept| kept == hash)
    }

    /// The hash of the message that arrived next; the same for what is not here.
    fn neighbour(&self, hash: MessageHash) -> MessageHash {
        let next = self.place(&hash).and_then(|place| self.kept.get(place + 1).or(self.kept.first()));
        next.copied().unwrap_or(hash)
    }

    fn forged(&self, bytes: usize) -> StoredMessage {
        let data = random_bytes(bytes);
        let hash = message_hash(&self.account, Namespace(self.namespace), &data);
        let expiry = self.now.saturating_add(FORGED_TTL);
        StoredMessage { hash, namespace: self.namespace, timestamp: self.now, expiry, data }
    }
}

impl RetrieveLie {
    fn tell(self, page: &mut Page, table: &Table) {
        let messages = &mut page.messages;
        match self {
            Self::SwapHashes => messages.iter_mut().for_each(|item| item.hash = table.neighbour(item.hash)),
            Self::OtherData => messages.iter_mut().for_each(|item| item.data = random_bytes(item.data.len())),
            Self::InventHashes => messages.iter_mut().for_each(|item| item.hash = random_hash()),
            Self::HideAll => *page = Page { messages: Vec::new(), more: false },
            Self::HideEvery(nth) => {
                let hidden = |item: &StoredMessage| {
                    table.place(&item.hash).is_some_and(|place| (place + 1).checked_rem(nth) == Some(0))
                };
                messages.retain(|item| !hidden(item));
            }
            Self::ReplayUnderNewHashes => {
                let again = table.gone.iter().cloned();
                messages.extend(again.map(|item| StoredMessage { hash: random_hash(), ..item }));
            }
            Self::ReplayUnderOwnHashes => messages.extend(table.gone.iter().cloned()),
            Self::AddForged => messages.push(table.forged(200)),
            Self::AddForeign => messages.extend(table.foreign.iter().cloned()),
            Self::AddHuge(bytes) => messages.push(table.forged(bytes)),
            Self::Reverse => messages.reverse(),
            Self::MoreForEver | Self::SamePageForEver => page.more = true,
            Self::ShiftTimes { timestamp, expiration } => {
                for item in messages {
                    item.timestamp = item.timestamp.saturating_add_signed(timestamp);
                    item.expiry = item.expiry.saturating_add_signed(expiration);
                }
            }
        }
    }
}

fn random_hash() -> MessageHash {
    MessageHash(SystemRandom.array())
}

fn random_bytes(length: usize) -> Arc<[u8]> {
    std::iter::repeat_with(|| fastrand::u8(..)).take(length).collect()
}
