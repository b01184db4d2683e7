//! How our types stand in columns.
//!
//! Decision: one pair of conversions for each type, used everywhere; a column that holds something no version of this
//! program writes is reported as a damaged database and never guessed at.

use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Type, ValueRef};
use septet_protocol::id::{Account, Ed25519Public, GroupId, MessageHash, SessionId};
use septet_protocol::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::kinds::{AttachmentClass, Transport};
use super::types::{Deletion, JobKind, TransferState};
use crate::model::{Address, ConversationKind, Downloads, Expiry, MessageState};

/// A timestamp as a column: whole milliseconds. What is beyond the range of a column (only a liar sends that)
/// becomes its greatest value; `Timestamp::from_ms(u64::MAX)`, "for ever", survives the way there and back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ms(pub Timestamp);

impl Ms {
    /// The column's value.
    pub(super) fn column(at: Timestamp) -> i64 {
        i64::try_from(at.as_ms()).unwrap_or(i64::MAX)
    }
}

impl ToSql for Ms {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(Self::column(self.0)))
    }
}

impl FromSql for Ms {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let ms = value.as_i64()?;
        let ms = if ms == i64::MAX { u64::MAX } else { u64::try_from(ms).unwrap_or(0) };
        Ok(Self(Timestamp::from_ms(ms)))
    }
}

/// A user's account as a column: 33 bytes.
#[derive(Clone, Copy)]
pub(super) struct Person(pub SessionId);

impl ToSql for Person {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.to_prefixed().to_vec()))
    }
}

impl FromSql for Person {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match Owner::column_result(value)?.0 {
            Account::User(id) => Ok(Self(id)),
            Account::Group(_) => Err(FromSqlError::InvalidType),
        }
    }
}

/// A user's or group's account as a column: 33 bytes.
#[derive(Clone, Copy)]
pub(super) struct Owner(pub Account);

impl ToSql for Owner {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.to_prefixed().to_vec()))
    }
}

impl FromSql for Owner {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes: [u8; 33] = value.as_blob()?.try_into().map_err(|_| FromSqlError::InvalidType)?;
        let [prefix, key @ ..] = bytes;
        match prefix {
            SessionId::PREFIX => Ok(Self(Account::User(SessionId(key)))),
            GroupId::PREFIX => Ok(Self(Account::Group(GroupId(key)))),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

/// What a conversation is with, as a column; see [`Address::to_bytes`].
#[derive(Clone)]
pub(super) struct Named(pub Address);

impl FromSql for Named {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Address::from_bytes(value.as_blob()?).map(Self).ok_or(FromSqlError::InvalidType)
    }
}

/// A message's hash as a column: 32 bytes.
#[derive(Clone, Copy)]
pub(super) struct Hash(pub MessageHash);

impl ToSql for Hash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(&self.0.0[..]))
    }
}

impl FromSql for Hash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value.as_blob()?.try_into().map_err(|_| FromSqlError::InvalidType)?;
        Ok(Self(MessageHash(bytes)))
    }
}

/// A node's key as a column: 32 bytes.
#[derive(Clone, Copy)]
pub(super) struct Node(pub Ed25519Public);

impl ToSql for Node {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(&self.0.0[..]))
    }
}

impl FromSql for Node {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value.as_blob()?.try_into().map_err(|_| FromSqlError::InvalidType)?;
        Ok(Self(Ed25519Public(bytes)))
    }
}

macro_rules! numbered {
    ($name:ident { $($variant:ident = $number:literal),+ $(,)? }) => {
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(match self { $(Self::$variant => $number,)+ }))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                match value.as_i64()? {
                    $($number => Ok(Self::$variant),)+
                    _ => Err(FromSqlError::InvalidType),
                }
            }
        }
    };
}

numbered!(MessageState { Sending = 0, Sent = 1, Failed = 2, Received = 3 });
numbered!(TransferState {
    Upload = 0,
    Remote = 1,
    Download = 2,
    Local = 3,
    Failed = 4,
    Expired = 5,
    Unusable = 6,
    Prepare = 7,
});
numbered!(Deletion { No = 0, ByAuthor = 1, Here = 2, HereForNow = 3 });
numbered!(JobKind { ToRecipient = 0, SyncCopy = 1, OwnNote = 2, Other = 3 });
numbered!(Transport { Swarm = 0, Sequence = 1, Community = 2 });
numbered!(AttachmentClass { Picture = 0, Video = 1, Audio = 2, Voice = 3, File = 4, Preview = 5 });
numbered!(Downloads { Ask = 0, OnClick = 1, Automatic = 2 });
numbered!(ConversationKind { NoteToSelf = 0, Private = 1, Group = 2, Room = 3, Blinded = 4 });

/// A value as JSON, for a column.
pub(super) fn json_text(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// Reads a value from JSON that may be absent.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

/// The two columns of a disappearing setting.
pub(super) fn expiry_columns(expiry: Expiry) -> (i64, i64) {
    match expiry {
        Expiry::Off => (0, 0),
        Expiry::AfterRead(seconds) => (1, i64::from(seconds)),
        Expiry::AfterSend(seconds) => (2, i64::from(seconds)),
    }
}

/// Reads a disappearing setting from two columns.
pub(super) fn expiry(row: &Row<'_>, first: usize) -> rusqlite::Result<Expiry> {
    let seconds: u32 = row.get(first + 1)?;
    match row.get::<_, i64>(first)? {
        0 => Ok(Expiry::Off),
        1 => Ok(Expiry::AfterRead(seconds)),
        2 => Ok(Expiry::AfterSend(seconds)),
        other => Err(rusqlite::Error::IntegralValueOutOfRange(first, other)),
    }
}

/// Reads a timestamp that may be absent.
pub(super) fn optional_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<Ms>>(column)?.map(|ms| ms.0))
}

/// Reads a timestamp.
pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    Ok(row.get::<_, Ms>(column)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_ever_and_far_beyond_survive() {
        let db = rusqlite::Connection::open_in_memory().unwrap();
        for ms in [0, 1_700_000_000_000, u64::MAX] {
            let back: Ms = db.query_row("SELECT ?1", [Ms(Timestamp::from_ms(ms))], |row| row.get(0)).unwrap();
            assert_eq!(back.0.as_ms(), ms);
        }
        let odd = Ms(Timestamp::from_ms(u64::MAX - 5));
        let back: Ms = db.query_row("SELECT ?1", [odd], |row| row.get(0)).unwrap();
        assert_eq!(back.0.as_ms(), u64::MAX);
    }
}
