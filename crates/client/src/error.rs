//! What can go wrong, each as a sentence that a person can act on.
//!
//! Decision: an error says what happened and what helps, and never holds what is secret or private: no text, no
//! key, no account id.

use std::time::Duration;

use septet_network::NetworkError;
use septet_network::web::WebError;

use crate::store::StoreError;

/// Why there is no preview of a link; each is a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PreviewError {
    /// There is no `https` link in the text, or one that is not visited because it deceives.
    #[error("the text has no https link that can be previewed")]
    NoLink,
    /// What the link leads to is no page, or one without a title.
    #[error("the page has no title to show")]
    NoTitle,
    /// The page cannot be had.
    #[error(transparent)]
    Web(#[from] WebError),
}

/// Why a client could not be opened or could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The folder holds no account: create or restore one.
    #[error("there is no account in this folder: create one, or restore one from its recovery password")]
    NoAccount,
    /// The folder holds an account already: open it, or choose another folder.
    #[error("this folder already holds an account: open it, or choose another folder")]
    AccountExists,
    /// Another process has this profile open: close that one first.
    #[error("this profile is open in another window or program: close that one first")]
    InUse,
    /// The key that protects the profile could not be had: unlock the keychain, or bring back the key file.
    #[error("this profile is locked: {0}")]
    Locked(String),
    /// The database cannot be read with the profile's key or is broken: bring back a backup.
    #[error("this profile is damaged: {0}")]
    Damaged(String),
    /// The folder holds a database that is not of this program.
    #[error("this folder holds data of another program: choose another folder")]
    Foreign,
    /// The profile was written by a newer version: update the program.
    #[error("this profile was written by a newer version of Septet: update to open it")]
    Newer,
    /// The profile was written before the first release: restore the account into a new folder.
    #[error(
        "this profile was made by a version of Septet from before its first release and cannot be read any more: restore the account from its recovery phrase"
    )]
    Unreleased,
    /// No space left on the disk: free some; nothing written before is lost.
    #[error("the disk is full: free some space and try again")]
    DiskFull,
    /// A file or folder could not be read or written; the system's reason.
    #[error("cannot read or write the profile: {0}")]
    Io(String),
    /// The network could not be set up or refused; the reason.
    #[error("the network refused: {0}")]
    Network(String),
    /// No network within the time given: check the connection, or try later.
    #[error("no connection to the network")]
    Offline,
    /// Not done within the time given; it goes on in the background.
    #[error("not finished within {} seconds", .0.as_secs())]
    TimedOut(Duration),
    /// There is no such conversation, message or attachment (any more).
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The text is not an ONS name, or nobody owns that name.
    #[error("this name does not lead to an account: {0}")]
    Name(String),
    /// The attachment is not on this disk: download it first.
    #[error("this attachment is not downloaded")]
    NotDownloaded,
    /// A message has no form that the network takes, such as one to an id that can be nobody's.
    #[error("this cannot be sent: {0}")]
    Unsendable(String),
    /// What was asked does not apply here, such as blocking oneself.
    #[error("{0}")]
    Refused(&'static str),
    /// The client was stopped: open it again.
    #[error("the client has stopped")]
    Stopped,
}

/// Why a draft was refused. Nothing was written; the draft can be corrected and sent again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Neither text nor file.
    #[error("there is nothing to send: write a text or add a file")]
    Empty,
    /// The text has more code points than a message may have.
    #[error("this message is too long: {found} characters, {limit} are allowed")]
    TooLong {
        /// Code points found.
        found: usize,
        /// Code points allowed (spec 02 §11).
        limit: usize,
    },
    /// A file is larger than the network takes.
    #[error("the file {name} is too large: {size} bytes, {limit} are allowed")]
    FileTooLarge {
        /// Its name.
        name: String,
        /// Its size in bytes.
        size: u64,
        /// The largest size in bytes.
        limit: u64,
    },
    /// A file has no content.
    #[error("the file {name} is empty")]
    FileEmpty {
        /// Its name.
        name: String,
    },
    /// More files than a message may have.
    #[error("too many files: {found}, {limit} fit into one message")]
    TooManyFiles {
        /// Files found.
        found: usize,
        /// Files allowed (spec 02 §13).
        limit: usize,
    },
    /// A file could not be read; the system's reason.
    #[error("cannot read {name}: {reason}")]
    FileUnreadable {
        /// Its name.
        name: String,
        /// The reason.
        reason: String,
    },
    /// A voice message has no text and no other files.
    #[error("a voice message goes alone: send the text and other files on their own")]
    VoiceNotAlone,
    /// We blocked the other: unblock first.
    #[error("you blocked this contact: unblock to write")]
    Blocked,
    /// The message it answers is not in this conversation (any more).
    #[error("the message this answers is not here any more")]
    NoSuchMessage,
    /// The client could not write it down.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// What the store reports, in the words of the one who called.
impl From<StoreError> for ClientError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoProfile => Self::NoAccount,
            StoreError::AlreadyExists => Self::AccountExists,
            StoreError::InUse => Self::InUse,
            StoreError::Keychain(_) | StoreError::KeyMissing => Self::Locked(error.to_string()),
            StoreError::KeyDamaged | StoreError::WrongKey | StoreError::Damaged | StoreError::FileDamaged => {
                Self::Damaged(error.to_string())
            }
            StoreError::Foreign => Self::Foreign,
            StoreError::NewerVersion { .. } => Self::Newer,
            StoreError::Unreleased => Self::Unreleased,
            StoreError::DiskFull => Self::DiskFull,
            StoreError::ReadOnly | StoreError::Io(_) | StoreError::Database(_) => Self::Io(error.to_string()),
            StoreError::NotFound => Self::NotFound("conversation or message"),
            StoreError::Unsendable(error) => Self::Unsendable(error.to_string()),
            StoreError::Closed => Self::Stopped,
        }
    }
}

/// What the network reports.
impl From<NetworkError> for ClientError {
    fn from(error: NetworkError) -> Self {
        match error {
            NetworkError::Offline => Self::Offline,
            NetworkError::NameUnknown | NetworkError::NameForm(_) | NetworkError::NameDisputed => {
                Self::Name(error.to_string())
            }
            other => Self::Network(other.to_string()),
        }
    }
}

impl ClientError {
    /// A stable word for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoAccount => "no_account",
            Self::AccountExists => "account_exists",
            Self::InUse => "in_use",
            Self::Locked(_) => "locked",
            Self::Damaged(_) => "damaged",
            Self::Foreign => "foreign",
            Self::Newer => "newer",
            Self::Unreleased => "unreleased",
            Self::DiskFull => "disk_full",
            Self::Io(_) => "io",
            Self::Network(_) => "network",
            Self::Offline => "offline",
            Self::TimedOut(_) => "timed_out",
            Self::NotFound(_) => "not_found",
            Self::Name(_) => "name",
            Self::NotDownloaded => "not_downloaded",
            Self::Unsendable(_) => "unsendable",
            Self::Refused(_) => "refused",
            Self::Stopped => "stopped",
        }
    }
}

impl SendError {
    /// What is said of a message that failed for this reason.
    pub(crate) fn sentence(&self) -> String {
        let text = self.to_string();
        let mut chars = text.chars();
        let first: String = chars.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
        format!("{first}{}.", chars.as_str())
    }

    /// A stable word for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong { .. } => "too_long",
            Self::FileTooLarge { .. } => "file_too_large",
            Self::FileEmpty { .. } => "file_empty",
            Self::TooManyFiles { .. } => "too_many_files",
            Self::FileUnreadable { .. } => "file_unreadable",
            Self::VoiceNotAlone => "voice_not_alone",
            Self::Blocked => "blocked",
            Self::NoSuchMessage => "no_such_message",
            Self::Client(error) => error.code(),
        }
    }
}
