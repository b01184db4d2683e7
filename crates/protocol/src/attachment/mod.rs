//! Files: how they are encrypted, named, pointed to and cleaned (spec 04).
//!
//! A file travels in two parts. Its encrypted bytes lie on a file server, for anyone who knows the address; the
//! message carries an [`AttachmentPointer`] with that address ([`FileUrl`]) and the key. Display pictures work the
//! same way ([`picture`]).
//!
//! Decision: we send stream encryption ([`encrypt`]), as every client does since August 2026, and read it and the
//! [`legacy`] format; which one it is say the address ([`FileUrl::is_deterministic`]) and the key, and where they
//! disagree, the key. What a pointer promises (lengths of keys, presence of the digest) is checked once, when the
//! pointer is read: an [`Encryption`] cannot hold a wrong combination.
//!
//! [`name`], [`mime`] and [`metadata`] deal with what a file tells beside its content: a name that might be a trap,
//! a type that might be a lie, and the place where a photograph or a video was taken.

mod community_url;
pub mod deterministic;
mod key;
pub mod legacy;
pub mod metadata;
pub mod mime;
pub mod name;
pub mod picture;
mod pointer;
mod server;
mod url;

pub use community_url::{CommunityFileUrl, CommunityFileUrlError};
pub use key::Key;
pub use pointer::{AttachmentPointer, Encryption, PointerError};
pub use server::{FileServer, Scheme, ServerKey};
pub use url::{FileId, FileUrl, FileUrlError};

use crate::crypto::{Ed25519Secret, OpenError};

/// The largest file we send, in bytes before encryption (spec 04 §9).
pub const MAX_FILE_BYTES: usize = 10_000_000;
/// The largest encrypted file that can occur: a stream-encrypted one of the greatest size (spec 04 §7.3, 09 §2.1).
/// Longer replies of a file server are refused, and so is opening longer ones.
pub const MAX_ENCRYPTED_BYTES: usize = 10_223_616;

/// An encrypted file, ready to be uploaded, with the key for its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// What to upload; its address gets a `d` ([`FileUrl::into_deterministic`]).
    pub blob: Vec<u8>,
    /// What opens it.
    pub key: Key<32>,
}

/// Encrypts a file of 1 to [`MAX_FILE_BYTES`] bytes for upload (spec 04 §7). The same account, file and domain always
/// give the same bytes and key, so what was uploaded before, even by another device, is not stored twice.
pub fn encrypt(
    plain: &[u8],
    account: &Ed25519Secret,
    domain: deterministic::Domain,
) -> Result<Encrypted, SizeError> {
    check_size(plain.len())?;
    let encrypted = deterministic::encrypt(plain, account, domain);
    let (blob, key) = encrypted.ok_or(SizeError::TooLarge { size: plain.len() })?;
    Ok(Encrypted { blob, key })
}

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

/// Checks that a downloaded file is not larger than any that is sent.
fn check_encrypted_size(blob: &[u8]) -> Result<(), FileOpenError> {
    match blob.len() {
        0..=MAX_ENCRYPTED_BYTES => Ok(()),
        _ => Err(FileOpenError::TooLarge),
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
    /// More than [`MAX_ENCRYPTED_BYTES`]: nobody sends such files, and nobody opens them.
    #[error("the file is larger than any that can be sent")]
    TooLarge,
    /// The message that points to it has no key, or one of a wrong length. There is no use in trying again.
    #[error("the message does not say how to decrypt the file")]
    NoKey,
}

impl From<OpenError> for FileOpenError {
    fn from(_: OpenError) -> Self {
        Self::Damaged
    }
}
