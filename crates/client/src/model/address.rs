//! What names a conversation outside of one profile.
//!
//! Decision: inside, a conversation is a row number ([`ConversationId`](super::ConversationId)), small and the same
//! for every kind. Its address is what people type, what events and commands print, and what the network's configs
//! call it. An address is held in one form only: two spellings of it are equal.

use std::fmt;
use std::str::FromStr;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use septet_protocol::config::{BaseUrl, BlindedId, CommunityUrl, CommunityUrlError, RoomToken};
use septet_protocol::id::{Account, GroupId, IdError, SessionId};

/// First byte of the binary form of a room; that of every other kind is the prefix of its id.
const ROOM: u8 = 0x01;

/// Whom or what a conversation is with.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Address {
    /// One other account; with one's own, Note to Self.
    Account(SessionId),
    /// A group.
    Group(GroupId),
    /// A room of a community.
    Room {
        /// The server.
        server: BaseUrl,
        /// The room, its name in lower case.
        room: RoomToken,
    },
    /// Somebody known from a community only.
    Blinded(BlindedId),
}

/// Why a text names no conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It was meant as an id.
    #[error(transparent)]
    Id(#[from] IdError),
    /// It was meant as the address of a room.
    #[error(transparent)]
    Room(#[from] CommunityUrlError),
}

impl Address {
    /// A room, whatever the case of its name.
    pub fn room(server: BaseUrl, room: &RoomToken) -> Self {
        Self::Room { server, room: room.to_key() }
    }

    /// The account, if it is with one.
    pub const fn account(&self) -> Option<SessionId> {
        match self {
            Self::Account(id) => Some(*id),
            _ => None,
        }
    }

    /// The account or group, if it is one of the network's.
    pub const fn id(&self) -> Option<Account> {
        match self {
            Self::Account(id) => Some(Account::User(*id)),
            Self::Group(id) => Some(Account::Group(*id)),
            Self::Room { .. } | Self::Blinded(_) => None,
        }
    }

    /// Enough to recognise it by, for where there is no room and no name.
    pub fn short(&self) -> String {
        match self {
            Self::Account(id) => id.short(),
            Self::Group(id) => id.short(),
            Self::Room { room, .. } => room.to_string(),
            Self::Blinded(_) => {
                let text = self.to_string();
                let (head, tail) = (text.get(..6).unwrap_or(&text), text.get(62..).unwrap_or_default());
                format!("{head}…{tail}")
            }
        }
    }

    /// The binary form: 33 bytes for what has an id (its prefix and key), `01` and the text for a room.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Account(id) => id.to_prefixed().to_vec(),
            Self::Group(id) => id.to_prefixed().to_vec(),
            Self::Room { .. } => [&[ROOM], self.to_string().as_bytes()].concat(),
            Self::Blinded(id) => id.to_prefixed().to_vec(),
        }
    }

    /// Reads the binary form; `None` if it is not one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&ROOM, text) => {
                let url = CommunityUrl::parse_partial(std::str::from_utf8(text).ok()?).ok()?;
                Some(Self::room(url.base, &url.room.parse().ok()?))
            }
            (&SessionId::PREFIX, key) => Some(Self::Account(SessionId(key.try_into().ok()?))),
            (&GroupId::PREFIX, key) => Some(Self::Group(GroupId(key.try_into().ok()?))),
            _ => BlindedId::from_prefixed(bytes).map(Self::Blinded),
        }
    }
}

impl From<SessionId> for Address {
    fn from(id: SessionId) -> Self {
        Self::Account(id)
    }
}

impl From<GroupId> for Address {
    fn from(id: GroupId) -> Self {
        Self::Group(id)
    }
}

impl From<Account> for Address {
    fn from(account: Account) -> Self {
        match account {
            Account::User(id) => id.into(),
            Account::Group(id) => id.into(),
        }
    }
}

/// As commands read and print it: 66 hexadecimal digits, or `https://server/room`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => id.fmt(f),
            Self::Group(id) => id.fmt(f),
            Self::Room { server, room } => write!(f, "{server}/{room}"),
            Self::Blinded(id) => f.write_str(&HEXLOWER.encode(&id.to_prefixed())),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.contains("://") {
            let url = CommunityUrl::parse_partial(text)?;
            return Ok(Self::room(url.base, &url.room.parse()?));
        }
        if text.len() != 66 {
            return Err(IdError::Length { expected: 66, found: text.chars().count() }.into());
        }
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| IdError::Character)?;
        let prefix = bytes.first().copied().filter(|prefix| *prefix != ROOM).ok_or(IdError::Prefix(ROOM))?;
        Self::from_bytes(&bytes).ok_or_else(|| IdError::Prefix(prefix).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Address> {
        ["05", "03", "15", "25"]
            .iter()
            .map(|prefix| format!("{prefix}{}", "7c".repeat(32)))
            .chain(["https://example.org/Lobby".to_owned(), "http://example.org:8080/a-b_c".to_owned()])
            .map(|text| text.parse().unwrap())
            .collect()
    }

    #[test]
    fn every_kind_survives_text_and_bytes() {
        for address in all() {
            assert_eq!(address.to_string().parse(), Ok(address.clone()));
            assert_eq!(Address::from_bytes(&address.to_bytes()), Some(address));
        }
        let distinct: std::collections::BTreeSet<Vec<u8>> = all().iter().map(Address::to_bytes).collect();
        assert_eq!(distinct.len(), all().len());
    }

    #[test]
    fn spellings_of_one_address_are_equal() {
        let id: Address = format!("05{}", "AB".repeat(32)).parse().unwrap();
        assert_eq!(id, Address::Account(SessionId([0xab; 32])));
        let key = "ab".repeat(32);
        let rooms = [
            "https://example.org/lobby".to_owned(),
            "HTTPS://Example.org:443/r/LOBBY".to_owned(),
            format!("https://example.org/Lobby?public_key={key}"),
        ];
        for room in rooms {
            assert_eq!(room.parse::<Address>().unwrap().to_string(), "https://example.org/lobby");
        }
    }

    #[test]
    fn what_names_nothing_is_told_apart() {
        let wrong = [
            ("05ab".to_owned(), AddressError::Id(IdError::Length { expected: 66, found: 4 })),
            (format!("05{}", "g".repeat(64)), AddressError::Id(IdError::Character)),
            (format!("99{}", "a".repeat(64)), AddressError::Id(IdError::Prefix(0x99))),
            ("https://example.org".to_owned(), AddressError::Room(CommunityUrlError::Scheme)),
        ];
        for (text, error) in wrong {
            assert_eq!(text.parse::<Address>(), Err(error), "{text}");
        }
        for bytes in [&[][..], &[5; 32], &[1], b"\x01https://example.org/a b", &[9; 33]] {
            assert_eq!(Address::from_bytes(bytes), None, "{bytes:?}");
        }
    }
}
