//! The types that name things: accounts, groups, nodes' swarms, namespaces, stored messages.
//!
//! Decision: an identifier is parsed once, at the edge, into a type that cannot hold a wrong one; from there on no
//! code handles bare strings. Identifiers are read in any case and written in lower case (spec 01 §2).

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};

/// Why a text is not an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not as long as this kind of identifier is (an account id: 66 characters).
    #[error("expected {expected} characters, found {found}")]
    Length {
        /// The number of characters such an identifier has.
        expected: usize,
        /// The number of characters found.
        found: usize,
    },
    /// A character that is not a hexadecimal digit (or, for message hashes, not base64).
    #[error("contains a character that does not belong there")]
    Character,
    /// Well formed, but of another kind: the two digits of its prefix.
    #[error("has the prefix {0:02x}, which is not of this kind")]
    Prefix(u8),
}

/// Reads 64 hexadecimal digits.
fn hex32(text: &str) -> Result<[u8; 32], IdError> {
    let bytes = text.as_bytes();
    if bytes.len() != 64 {
        return Err(IdError::Length { expected: 64, found: text.chars().count() });
    }
    let mut out = [0; 32];
    HEXLOWER_PERMISSIVE.decode_mut(bytes, &mut out).map_err(|_| IdError::Character)?;
    Ok(out)
}

/// Reads a two-digit prefix and 64 hexadecimal digits.
fn prefixed(text: &str) -> Result<(u8, [u8; 32]), IdError> {
    let bytes = text.as_bytes();
    if bytes.len() != 66 {
        return Err(IdError::Length { expected: 66, found: text.chars().count() });
    }
    let mut out = [0; 33];
    HEXLOWER_PERMISSIVE.decode_mut(bytes, &mut out).map_err(|_| IdError::Character)?;
    let [prefix, key @ ..] = out;
    Ok((prefix, key))
}

macro_rules! key_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                hex32(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

macro_rules! account_type {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The first byte of the 33-byte form.
            pub const PREFIX: u8 = $prefix;

            /// The 32 bytes after the prefix.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// Prefix and key, 33 bytes.
            pub fn to_prefixed(&self) -> [u8; 33] {
                let mut out = [Self::PREFIX; 33];
                out[1..].copy_from_slice(&self.0);
                out
            }

            /// First four and last four characters, for places without room: `05ca…5c1a`.
            pub fn short(&self) -> String {
                let full = self.to_string();
                let (head, tail) = (full.get(..4).unwrap_or_default(), full.get(62..).unwrap_or_default());
                format!("{head}…{tail}")
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.to_prefixed()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.short())
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                match prefixed(text)? {
                    ($prefix, key) => Ok(Self(key)),
                    (other, _) => Err(IdError::Prefix(other)),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

key_type! {
    /// An Ed25519 public key, 32 bytes; not checked to be a valid point.
    Ed25519Public
}
key_type! {
    /// An X25519 public key, 32 bytes.
    X25519Public
}
account_type! {
    /// A user: `05` and the account's X25519 key (spec 01 §2). "Account ID" to people.
    SessionId, 0x05
}
account_type! {
    /// A group: `03` and its Ed25519 key (spec 01 §2).
    GroupId, 0x03
}

impl SessionId {
    /// The key that messages for this account are sealed to.
    pub const fn x25519(&self) -> X25519Public {
        X25519Public(self.0)
    }
}

impl From<X25519Public> for SessionId {
    fn from(key: X25519Public) -> Self {
        Self(key.0)
    }
}

/// Whose messages a swarm keeps: what storage requests call `pubkey` (spec 03 §1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// A user, `05…`.
    User(SessionId),
    /// A group, `03…`.
    Group(GroupId),
}

impl Account {
    /// The 32 bytes after the prefix.
    pub const fn key(&self) -> &[u8; 32] {
        match self {
            Self::User(id) => id.as_bytes(),
            Self::Group(id) => id.as_bytes(),
        }
    }

    /// Prefix and key, 33 bytes.
    pub fn to_prefixed(&self) -> [u8; 33] {
        match self {
            Self::User(id) => id.to_prefixed(),
            Self::Group(id) => id.to_prefixed(),
        }
    }
}

impl From<SessionId> for Account {
    fn from(id: SessionId) -> Self {
        Self::User(id)
    }
}

impl From<GroupId> for Account {
    fn from(id: GroupId) -> Self {
        Self::Group(id)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => id.fmt(f),
            Self::Group(id) => id.fmt(f),
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => fmt::Debug::fmt(id, f),
            Self::Group(id) => fmt::Debug::fmt(id, f),
        }
    }
}

impl FromStr for Account {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        match prefixed(text)? {
            (SessionId::PREFIX, key) => Ok(Self::User(SessionId(key))),
            (GroupId::PREFIX, key) => Ok(Self::Group(GroupId(key))),
            (other, _) => Err(IdError::Prefix(other)),
        }
    }
}

/// The number of a swarm, and a position on the ring of 2^64 (spec 03 §4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SwarmId(pub u64);

impl SwarmId {
    /// What a node outside of every swarm reports.
    pub const NONE: SwarmId = SwarmId(u64::MAX);
}

/// Lower-case hexadecimal without leading zeros, as `get_swarm` writes it.
impl fmt::Display for SwarmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// A compartment of an account's storage (spec 03 §9.5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Namespace(pub i16);

impl Namespace {
    /// One-to-one messages; anyone may store.
    pub const MESSAGES: Namespace = Namespace(0);
    /// The account's own profile.
    pub const USER_PROFILE: Namespace = Namespace(2);
    /// The account's contacts.
    pub const CONTACTS: Namespace = Namespace(3);
    /// Read states of conversations.
    pub const CONVO_INFO_VOLATILE: Namespace = Namespace(4);
    /// The account's groups and communities.
    pub const USER_GROUPS: Namespace = Namespace(5);
    /// A group's keys (spec 06 §4).
    pub const GROUP_KEYS: Namespace = Namespace(12);

    /// Whether anyone may store here without a signature (spec 03 §9.5).
    pub const fn is_public_inbox(self) -> bool {
        self.0 % 10 == 0
    }
}

/// Decimal, with `-` if negative.
impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name a swarm gives a stored message: 32 bytes, written as 43 base64 characters (spec 03 §9.6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageHash(pub [u8; 32]);

impl fmt::Display for MessageHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_NOPAD.encode(&self.0))
    }
}

impl fmt::Debug for MessageHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MessageHash {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() != 43 {
            return Err(IdError::Length { expected: 43, found: text.chars().count() });
        }
        let mut out = [0; 32];
        BASE64_NOPAD.decode_mut(text.as_bytes(), &mut out).map_err(|_| IdError::Character)?;
        Ok(Self(out))
    }
}

impl Serialize for MessageHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MessageHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "05ca03b8e369aeeb69fd260c2957d37b232db17a60db7a39bca9f0c0a6be135c1a";

    #[test]
    fn an_account_id_is_read_in_any_case_and_written_in_lower_case() {
        let id: SessionId = ALICE.to_uppercase().parse().unwrap();
        assert_eq!(id.to_string(), ALICE);
        assert_eq!(id.short(), "05ca…5c1a");
        assert_eq!(Account::from(id).to_string(), ALICE);
    }

    #[test]
    fn ids_of_a_wrong_form_are_refused() {
        assert_eq!("05ca".parse::<SessionId>(), Err(IdError::Length { expected: 66, found: 4 }));
        assert_eq!(ALICE.replace("ca", "cg").parse::<SessionId>(), Err(IdError::Character));
        assert_eq!(ALICE.replacen("05", "15", 1).parse::<SessionId>(), Err(IdError::Prefix(0x15)));
        assert_eq!("é".repeat(33).parse::<SessionId>(), Err(IdError::Character));
    }

    #[test]
    fn a_message_hash_is_43_characters() {
        let text = "rQ84X0Wyo4XlHMOlbRsfYaEfh0oQOIhWKwcYZTxTUbM";
        assert_eq!(text.parse::<MessageHash>().unwrap().to_string(), text);
        assert!("x".parse::<MessageHash>().is_err());
    }
}
