//! Why the store could not do what was asked.
//!
//! Decision: each variant is one thing a person can act on, told in one sentence; what SQLite reports is sorted into
//! them in exactly one place. Nothing is ever deleted or "repaired" because of an error.

use std::io;

use rusqlite::ErrorCode;
use rusqlite::ffi;
use septet_protocol::message::EncodeError;

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Create or restore an account first.
    #[error("there is no account in this profile folder")]
    NoProfile,
    /// Open it instead, or choose another folder.
    #[error("there is already an account in this profile folder")]
    AlreadyExists,
    /// Close the other program that uses the folder.
    #[error("this profile is in use by another running Septet")]
    InUse,
    /// Unlock the system's keychain, then try again.
    #[error("the system's keychain holds this profile's key but did not give it out: {0}")]
    Keychain(String),
    /// Put the key file back, from a backup if need be.
    #[error("the profile's key file is missing; without it the database cannot be read")]
    KeyMissing,
    /// Put an intact key file back.
    #[error("the profile's key file is damaged")]
    KeyDamaged,
    /// The key file and the secret that opens it do not belong together.
    #[error("the profile's key does not open it")]
    WrongKey,
    /// The file is of another program, or of another profile.
    #[error("the database in this profile folder does not belong to this profile")]
    Foreign,
    /// Restore a backup, or the account from its recovery phrase into a new folder.
    #[error("the profile's database is damaged")]
    Damaged,
    /// Install a newer version of this program.
    #[error(
        "the profile was made by a newer version of Septet (format {found}; this one knows up to {known})"
    )]
    NewerVersion {
        /// The version found.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// Restore the account from its recovery phrase into a new folder.
    #[error(
        "the profile was made by a version of Septet from before its first release, which cannot be read any more"
    )]
    Unreleased,
    /// Make room, then try again; what was stored before is intact.
    #[error("the disk is full")]
    DiskFull,
    /// Make the folder and its files writable.
    #[error("the profile folder cannot be written to")]
    ReadOnly,
    /// The operating system refused to read or write a file.
    #[error("the profile could not be read or written: {0}")]
    Io(io::Error),
    /// The row asked for is not there (any more); load the page again.
    #[error("this is not there any more")]
    NotFound,
    /// A stored file is not what was written: damaged or exchanged.
    #[error("a stored file is damaged")]
    FileDamaged,
    /// What was to be written down for sending has no form on the network: say it in another way. The transaction in
    /// which that came up has stored nothing.
    #[error("this cannot be sent: {0}")]
    Unsendable(#[from] EncodeError),
    /// The store was closed; nothing more can be asked of it.
    #[error("the profile is closed")]
    Closed,
    /// A mistake in this program.
    #[error("database error: {0}")]
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let code = match &error {
            rusqlite::Error::SqliteFailure(failure, _) => *failure,
            rusqlite::Error::QueryReturnedNoRows => return Self::NotFound,
            // A column holds what this program never writes.
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..) => return Self::Damaged,
            _ => return Self::Database(error),
        };
        match code.code {
            ErrorCode::DiskFull => Self::DiskFull,
            // The shared-memory file of the log could not grow.
            ErrorCode::SystemIoFailure if code.extended_code == ffi::SQLITE_IOERR_SHMSIZE => Self::DiskFull,
            ErrorCode::SystemIoFailure => Self::Io(io::Error::other(error)),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged,
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => Self::ReadOnly,
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::InUse,
            _ => Self::Database(error),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            _ => Self::Io(error),
        }
    }
}
