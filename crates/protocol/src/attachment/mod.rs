//! Files: how they are encrypted, named, pointed to and cleaned (spec 04).
//!
//! A file travels in two parts. Its encrypted bytes lie on a file server, for anyone who knows the address; the
//! message carries an [`AttachmentPointer`] with that address ([`FileUrl`]) and the key. Display pictures work the
//! same way ([`picture`]).
//!
//! Decision: we send the [`legacy`] format and read both; which one it is say the address
//! ([`FileUrl::is_deterministic`]) and the key, and where they disagree, the key. What a pointer promises (lengths of
//! keys, presence of the digest) is checked once, when the pointer is read: an [`Encryption`] cannot hold a wrong
//! combination.
//!
//! [`name`], [`mime`] and [`metadata`] deal with what a file tells beside its content: a name that might be a trap,
//! a type that might be a lie, and the place where a photograph or a video was taken.

pub mod deterministic;
mod key;
pub mod legacy;
pub mod metadata;
pub mod mime;
pub mod name;
pub mod picture;
mod pointer;
mod url;

pub use key::Key;
pub use pointer::{AttachmentPointer, Encryption, PointerError};
pub use url::{FileId, FileServer, FileUrl, FileUrlError, Scheme, ServerKey};

/// The largest file we send, in bytes before encryption (spec 04 §9).
pub const MAX_FILE_BYTES: usize = 10_000_000;
/// The largest encrypted file that can occur: a deterministic one of the greatest size (spec 04 §7.3). Longer replies
/// of a file server are refused.
pub const MAX_ENCRYPTED_BYTES: usize = 10_223_616;

/// A file that cannot be sent for its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// There is nothing in it; receivers would refuse it.
    #[error("the file is empty")]
    Empty,
    /// More than [`MAX_FILE_BYTES`].
    #[error("the file has {size} bytes; at most {MAX_FILE_BYTES} can be sent")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
}

/// Checks that a file of this many bytes can be sent.
pub fn check_size(size: usize) -> Result<(), SizeError> {
    match size {
        0 => Err(SizeError::Empty),
        1..=MAX_FILE_BYTES => Ok(()),
        _ => Err(SizeError::TooLarge { size }),
    }
}

/// Why a downloaded file does not become a plain one. None of these gets better by downloading again from an honest
/// server, but a server or a hop may have damaged the bytes, so one more try is in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileOpenError {
    /// Altered, cut short, or encrypted with another key.
    #[error("the file is damaged or was encrypted with another key")]
    Damaged,
    /// The plain file is shorter than its sender said.
    #[error("the file is shorter than its sender said")]
    TooShort,
    /// The message that points to it has no key, or one of a wrong length. There is no use in trying again.
    #[error("the message does not say how to decrypt the file")]
    NoKey,
}

impl From<crate::crypto::OpenError> for FileOpenError {
    fn from(_: crate::crypto::OpenError) -> Self {
        Self::Damaged
    }
}
