//! Proving that one may read or change an account's storage (spec 03 §9.3, §9.4).
//!
//! A user signs with the account's Ed25519 key, a group's admin with the group's; a group member signs with a key of
//! its own, shown to be allowed by a *token* that the admin signed.

use data_encoding::BASE64;
use serde_json::{Map, Value};

use crate::crypto::Ed25519Secret;
use crate::id::{Account, Ed25519Public, GroupId, SessionId};

/// What a subaccount is called and may do: 36 bytes (spec 03 §9.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubaccountToken([u8; 36]);

impl SubaccountToken {
    /// May retrieve.
    pub const READ: u8 = 1;
    /// May store and extend.
    pub const WRITE: u8 = 2;
    /// May delete and shorten.
    pub const DELETE: u8 = 4;
    /// Valid whatever the account's prefix.
    pub const ANY_PREFIX: u8 = 8;

    /// A token of `group` for the holder of `key`; `rights` are the constants of this type, added up.
    pub fn for_group(rights: u8, key: &Ed25519Public) -> Self {
        let mut bytes = [0; 36];
        let (head, tail) = bytes.split_at_mut(4);
        head.copy_from_slice(&[GroupId::PREFIX, rights, 0, 0]);
        tail.copy_from_slice(key.as_bytes());
        Self(bytes)
    }

    /// From its 36 bytes; nothing about them is checked.
    pub const fn from_bytes(bytes: [u8; 36]) -> Self {
        Self(bytes)
    }

    /// The 36 bytes.
    pub const fn as_bytes(&self) -> &[u8; 36] {
        &self.0
    }

    /// The account prefix it was made for (`03` for groups).
    pub const fn prefix(&self) -> u8 {
        self.0[0]
    }

    /// The rights: this type's constants, added up.
    pub const fn rights(&self) -> u8 {
        self.0[1]
    }

    /// The key that its holder signs requests with.
    pub fn key(&self) -> Ed25519Public {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.split_at(4).1);
        Ed25519Public(key)
    }

    /// As requests carry it: 48 base64 characters.
    pub fn to_base64(&self) -> String {
        BASE64.encode(&self.0)
    }
}

impl std::fmt::Debug for SubaccountToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_base64())
    }
}

/// A member's right to use a group's storage.
pub struct Subaccount<'a> {
    /// The token.
    pub token: SubaccountToken,
    /// The group owner's signature over the token.
    pub token_signature: [u8; 64],
    /// The secret key of the token.
    pub key: &'a Ed25519Secret,
}

/// Whose storage, and the key that opens it.
pub enum Auth<'a> {
    /// A user's own storage.
    User {
        /// The account.
        id: SessionId,
        /// Its Ed25519 key.
        key: &'a Ed25519Secret,
    },
    /// A group's storage, by an admin.
    GroupAdmin {
        /// The group.
        id: GroupId,
        /// The group's key.
        key: &'a Ed25519Secret,
    },
    /// A group's storage, by a member.
    GroupMember {
        /// The group.
        id: GroupId,
        /// The member's token and key.
        subaccount: Subaccount<'a>,
    },
}

impl<'a> Auth<'a> {
    /// A user's own storage.
    pub const fn user(id: SessionId, key: &'a Ed25519Secret) -> Self {
        Self::User { id, key }
    }

    /// Whose storage.
    pub const fn account(&self) -> Account {
        match self {
            Self::User { id, .. } => Account::User(*id),
            Self::GroupAdmin { id, .. } | Self::GroupMember { id, .. } => Account::Group(*id),
        }
    }

    /// Adds the signature over `text`, and what is needed to check it, to a request's parameters.
    pub(super) fn sign_into(&self, params: &mut Map<String, Value>, text: &[u8]) {
        let signature = match self {
            Self::User { key, .. } => {
                params.insert("pubkey_ed25519".into(), key.public().to_string().into());
                key.sign(text)
            }
            Self::GroupAdmin { key, .. } => key.sign(text),
            Self::GroupMember { subaccount, .. } => {
                params.insert("subaccount".into(), subaccount.token.to_base64().into());
                params.insert("subaccount_sig".into(), BASE64.encode(&subaccount.token_signature).into());
                subaccount.key.sign(text)
            }
        };
        params.insert("signature".into(), BASE64.encode(&signature).into());
    }
}
