//! The texts that request signatures and node signatures cover (spec 03 §9.3, §9.6–§9.14).
//!
//! Decision: each text has one function, used by the side that signs and by the side that checks. Hashes are taken as
//! anything that can be written, so that a node can check a request with the hashes just as they were sent.

use std::fmt::{Display, Write};

use crate::id::{Account, Namespace};
use crate::swarm::auth::SubaccountToken;
use crate::time::Timestamp;

/// Which of an account's namespaces a sweeping request covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// One namespace.
    One(Namespace),
    /// Every namespace.
    All,
}

/// How `expire` changes an expiry (spec 03 §9.12).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ExpireMode {
    /// Sets it, earlier or later.
    #[default]
    Set,
    /// Only to an earlier time.
    Shorten,
    /// Only to a later time.
    Extend,
}

impl ExpireMode {
    /// The word in the signed text and the name of the parameter; empty for [`ExpireMode::Set`].
    pub const fn word(self) -> &'static str {
        match self {
            Self::Set => "",
            Self::Shorten => "shorten",
            Self::Extend => "extend",
        }
    }
}

/// A namespace as signatures and message hashes write it: nothing for 0, else decimal.
pub fn namespace_text(namespace: Namespace) -> String {
    if namespace.0 == 0 { String::new() } else { namespace.to_string() }
}

fn scope_text(scope: Scope) -> String {
    match scope {
        Scope::One(namespace) => namespace_text(namespace),
        Scope::All => "all".to_owned(),
    }
}

fn append<T: Display>(mut text: String, items: impl IntoIterator<Item = T>) -> Vec<u8> {
    for item in items {
        // Writing to a String cannot fail.
        let _ = write!(text, "{item}");
    }
    text.into_bytes()
}

/// `store`: namespace and signing time.
pub fn store(namespace: Namespace, signed_at: Timestamp) -> Vec<u8> {
    format!("store{}{signed_at}", namespace_text(namespace)).into_bytes()
}

/// `retrieve`: namespace and signing time.
pub fn retrieve(namespace: Namespace, signed_at: Timestamp) -> Vec<u8> {
    format!("retrieve{}{signed_at}", namespace_text(namespace)).into_bytes()
}

/// `delete`: the hashes in the order of the request.
pub fn delete<H: Display>(hashes: impl IntoIterator<Item = H>) -> Vec<u8> {
    append("delete".to_owned(), hashes)
}

/// `delete_all`: what is swept and the signing time.
pub fn delete_all(scope: Scope, signed_at: Timestamp) -> Vec<u8> {
    format!("delete_all{}{signed_at}", scope_text(scope)).into_bytes()
}

/// `delete_before`: what is swept and the last timestamp to go.
pub fn delete_before(scope: Scope, before: Timestamp) -> Vec<u8> {
    format!("delete_before{}{before}", scope_text(scope)).into_bytes()
}

/// `expire`: mode, expiries (one, or one a hash), hashes in the order of the request.
pub fn expire<H: Display>(
    mode: ExpireMode,
    expiries: impl IntoIterator<Item = Timestamp>,
    hashes: impl IntoIterator<Item = H>,
) -> Vec<u8> {
    let mut text = format!("expire{}", mode.word());
    for expiry in expiries {
        let _ = write!(text, "{expiry}");
    }
    append(text, hashes)
}

/// `expire_all`: what is swept and the latest expiry left.
pub fn expire_all(scope: Scope, expiry: Timestamp) -> Vec<u8> {
    format!("expire_all{}{expiry}", scope_text(scope)).into_bytes()
}

/// `get_expiries`: signing time and hashes.
pub fn get_expiries<H: Display>(signed_at: Timestamp, hashes: impl IntoIterator<Item = H>) -> Vec<u8> {
    append(format!("get_expiries{signed_at}"), hashes)
}

/// `revoke_subaccount`: signing time and the tokens' bytes.
pub fn revoke_subaccount(signed_at: Timestamp, tokens: &[SubaccountToken]) -> Vec<u8> {
    with_tokens(format!("revoke_subaccount{signed_at}"), tokens)
}

/// `unrevoke_subaccount`: signing time and the tokens' bytes.
pub fn unrevoke_subaccount(signed_at: Timestamp, tokens: &[SubaccountToken]) -> Vec<u8> {
    with_tokens(format!("unrevoke_subaccount{signed_at}"), tokens)
}

fn with_tokens(text: String, tokens: &[SubaccountToken]) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    for token in tokens {
        bytes.extend_from_slice(token.as_bytes());
    }
    bytes
}

/// The texts a node signs in its part of a reply, each beginning (but for `store`) with the account.
pub mod node {
    use super::{Account, Display, SubaccountToken, Timestamp, append, with_tokens};

    /// A node's word that it has stored a message: the hash alone.
    pub fn stored(hash: impl Display) -> Vec<u8> {
        hash.to_string().into_bytes()
    }

    /// A node's word on `delete`: the hashes asked for, in order, then those it removed, sorted.
    pub fn deleted<A: Display, B: Display>(
        account: &Account,
        requested: impl IntoIterator<Item = A>,
        deleted: impl IntoIterator<Item = B>,
    ) -> Vec<u8> {
        let mut text = account.to_string().into_bytes();
        text.extend(append(String::new(), requested));
        text.extend(append(String::new(), deleted));
        text
    }

    /// A node's word on `delete_all`, `delete_before` and `expire_all`: the time that was asked for, then the hashes
    /// it touched, sorted across all namespaces.
    pub fn swept<H: Display>(
        account: &Account,
        time: Timestamp,
        hashes: impl IntoIterator<Item = H>,
    ) -> Vec<u8> {
        append(format!("{account}{time}"), hashes)
    }

    /// A node's word on `expire`: the applied expiry (for several: each, in the order of `updated`), the hashes asked
    /// for, those it updated (sorted), and those it left with their expiry (sorted).
    pub fn expired<A: Display, B: Display, C: Display>(
        account: &Account,
        expiries: impl IntoIterator<Item = Timestamp>,
        requested: impl IntoIterator<Item = A>,
        updated: impl IntoIterator<Item = B>,
        unchanged: impl IntoIterator<Item = (C, Timestamp)>,
    ) -> Vec<u8> {
        let mut text = append(account.to_string(), expiries);
        text.extend(append(String::new(), requested));
        text.extend(append(String::new(), updated));
        text.extend(append(
            String::new(),
            unchanged.into_iter().map(|(hash, expiry)| format!("{hash}{expiry}")),
        ));
        text
    }

    /// A node's word on `revoke_subaccount` and `unrevoke_subaccount`.
    pub fn revoked(account: &Account, signed_at: Timestamp, tokens: &[SubaccountToken]) -> Vec<u8> {
        with_tokens(format!("{account}{signed_at}"), tokens)
    }
}
