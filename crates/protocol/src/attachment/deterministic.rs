//! Stream encryption, what everybody sends today: the same account and the same file give the same bytes
//! (spec 04 §7).
//!
//! So the file server stores a file sent twice only once, and its life can be prolonged. Key and header are a hash
//! of the account's seed and the file; the file is padded *in front* and encrypted as a libsodium secretstream in
//! chunks of 32 KiB.

use super::{FileOpenError, Key, check_encrypted_size};
use crate::crypto::secretstream::{HEADER, OVERHEAD, Pull, Push, Tag};
use crate::crypto::{Ed25519Secret, blake2b};

/// First byte of every such file.
const MAGIC: u8 = b'S';
/// Plain bytes of a chunk.
const CHUNK: usize = 32_768;
/// The largest file this format can hold.
pub const MAX_PLAIN_BYTES: usize = 10_218_286;

/// What the file is; goes into the key, so that a picture and an attachment of equal bytes differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// A file or picture in a message.
    Attachment,
    /// A display picture.
    ProfilePicture,
}

/// Encrypts a file for upload; returns the bytes and the key for the message. `None` if the file is larger than
/// [`MAX_PLAIN_BYTES`].
pub fn encrypt(plain: &[u8], account: &Ed25519Secret, domain: Domain) -> Option<(Vec<u8>, Key<32>)> {
    if plain.len() > MAX_PLAIN_BYTES {
        return None;
    }
    let (header, key) = header_and_key(plain, account, domain);
    let padding = padding_size(plain.len());
    let mut padded = vec![0; padding];
    if let Some(last) = padded.last_mut() {
        *last = 1;
    }
    padded.extend_from_slice(plain);

    let chunks = padded.chunks(CHUNK);
    let mut blob = Vec::with_capacity(1 + HEADER + padded.len() + chunks.len() * OVERHEAD);
    blob.push(MAGIC);
    blob.extend_from_slice(&header);
    let mut stream = Push::new(key.as_bytes(), &header);
    let last = chunks.len().saturating_sub(1);
    for (index, chunk) in chunks.enumerate() {
        let tag = if index == last { Tag::Final } else { Tag::Message };
        stream.push(chunk, tag, &mut blob);
    }
    Some((blob, key))
}

/// Checks and decrypts a downloaded file of at most [`super::MAX_ENCRYPTED_BYTES`].
pub fn decrypt(blob: &[u8], key: &Key<32>) -> Result<Vec<u8>, FileOpenError> {
    check_encrypted_size(blob)?;
    let Some((&[MAGIC], rest)) = blob.split_first_chunk::<1>() else { return Err(FileOpenError::Damaged) };
    let (header, rest) = rest.split_first_chunk::<HEADER>().ok_or(FileOpenError::Damaged)?;
    let mut stream = Pull::new(key.as_bytes(), header);
    let mut plain = Vec::with_capacity(rest.len());
    let mut chunks = rest.chunks(CHUNK + OVERHEAD).peekable();
    let mut ended = false;
    while let Some(chunk) = chunks.next() {
        ended = stream.pull(chunk, &mut plain)? == Tag::Final;
        if ended && chunks.peek().is_some() {
            return Err(FileOpenError::Damaged);
        }
    }
    if !ended {
        return Err(FileOpenError::Damaged);
    }
    match plain.iter().position(|byte| *byte != 0) {
        Some(padding) if plain.get(padding) == Some(&1) => {
            plain.drain(..=padding);
            Ok(plain)
        }
        _ => Err(FileOpenError::Damaged),
    }
}

/// A hash of the account's seed and the file, cut into the stream's header and its key.
fn header_and_key(plain: &[u8], account: &Ed25519Secret, domain: Domain) -> ([u8; HEADER], Key<32>) {
    let domain = match domain {
        Domain::Attachment => 0,
        Domain::ProfilePicture => 1,
    };
    let hash = blake2b::<56>(&[domain], &[account.seed(), plain]);
    let (mut header, mut key) = ([0; HEADER], [0; 32]);
    header.iter_mut().chain(key.iter_mut()).zip(hash).for_each(|(to, from)| *to = from);
    (header, Key::new(key))
}

/// Bytes put in front of a file of `size` bytes, at least 1 (spec 04 §7.3). Together with the overhead of all
/// chunks they make the encrypted file a round number of bytes.
pub fn padding_size(size: usize) -> usize {
    let chunks = size.div_ceil(CHUNK);
    let least = size + 1 + HEADER + 1 + chunks * OVERHEAD;
    let step = (1 << least.max(131_072).ilog2()) / 32;
    let padding = least.next_multiple_of(step) - least + 1;
    // Long paddings make chunks of their own, whose overhead takes part of the room.
    let mut overhead = padding / (CHUNK + OVERHEAD) * OVERHEAD;
    let free = chunks * CHUNK - size;
    if padding % (CHUNK + OVERHEAD) > free {
        overhead += OVERHEAD;
    }
    padding - overhead
}

/// Bytes of the encrypted form of a file of `size` bytes.
pub fn encrypted_size(size: usize) -> usize {
    let padded = size + padding_size(size);
    1 + HEADER + padded + padded.div_ceil(CHUNK) * OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn account() -> Ed25519Secret {
        Ed25519Secret::from_seed([7; 32])
    }

    #[test]
    fn the_largest_file_is_as_large_as_documented() {
        assert_eq!(encrypted_size(MAX_PLAIN_BYTES), super::super::MAX_ENCRYPTED_BYTES);
        assert!(encrypt(&vec![0; MAX_PLAIN_BYTES + 1], &account(), Domain::Attachment).is_none());
    }

    #[test]
    fn a_stream_cut_after_a_whole_chunk_is_refused() {
        let (blob, key) = encrypt(&[5; 100_000], &account(), Domain::Attachment).unwrap();
        for chunks in 0..3 {
            let cut = &blob[..1 + HEADER + chunks * (CHUNK + OVERHEAD)];
            assert_eq!(decrypt(cut, &key), Err(FileOpenError::Damaged));
        }
        assert_eq!(decrypt(&[&blob[..], &[0]].concat(), &key), Err(FileOpenError::Damaged));
    }

    proptest! {
        #[test]
        fn sizes_are_round_and_as_computed(size in 0..MAX_PLAIN_BYTES) {
            let encrypted = encrypted_size(size);
            prop_assert!(padding_size(size) >= 1);
            prop_assert_eq!(encrypted % 4096, 0);
        }

        #[test]
        fn opens_again_and_notices_a_changed_bit(size in 0..70_000_usize, at: usize, picture: bool) {
            let plain: Vec<u8> = (0..size).map(|i| (i * 11) as u8).collect();
            let domain = if picture { Domain::ProfilePicture } else { Domain::Attachment };
            let (mut blob, key) = encrypt(&plain, &account(), domain).unwrap();
            prop_assert_eq!(blob.len(), encrypted_size(size));
            prop_assert_eq!(decrypt(&blob, &key).unwrap(), plain);
            let at = at % blob.len();
            blob[at] ^= 1;
            prop_assert_eq!(decrypt(&blob, &key), Err(FileOpenError::Damaged));
        }

        #[test]
        fn nothing_panics_on_foreign_bytes(mut blob: Vec<u8>) {
            prop_assert!(decrypt(&blob, &Key::new([1; 32])).is_err());
            blob.insert(0, MAGIC);
            prop_assert!(decrypt(&blob, &Key::new([1; 32])).is_err());
        }
    }
}
