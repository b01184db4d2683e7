//! Attachments and pictures at rest.
//!
//! Decision: each file is encrypted under a key of its own (derived from the profile's and the file's random name,
//! so files cannot be exchanged for one another), with libsodium's secretstream in pieces of 64 KiB: a file is read
//! and written piece by piece, and one that was cut short is noticed. Layout: one byte `1`, the 24-byte header, the
//! pieces. A file is written under a name for the time being, synced and renamed, and only then a row points at it;
//! what no row points at is removed after the next start (see [`super::orphans`]).
//!
//! ```text
//! files/3f/                                       a shard, made when its first file is
//! files/3f/3f0c…  (32 digits)                     a stored file
//! files/3f/3f77….new                              one that is being written
//! ```
//!
//! Decision: files lie in 256 *shards*, by the first two digits of their names. Names are random, so a folder of a
//! hundred thousand files becomes folders of four hundred, which every file system and every backup handles well, and
//! one of which can be looked through between two orders. A shard is on disk before the first file in it is told to be;
//! one that became empty stays.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::HEXLOWER;
use septet_protocol::crypto::secretstream::{HEADER, OVERHEAD, Pull, Push, Tag};
use septet_protocol::crypto::{Random, SystemRandom, blake2b};
use zeroize::Zeroizing;

use super::error::StoreError;
use crate::disk;

/// The format of stored files.
const VERSION: u8 = 1;
/// Plain bytes in a piece.
const PIECE: usize = 64 * 1024;
/// Of a file that is being written.
pub(super) const UNFINISHED: &str = "new";
/// Digits in a file's name.
pub(super) const NAME: usize = 32;
/// Digits in a shard's name: the first of its files' names.
const SHARD: usize = 2;

/// The folder of stored files. Cheap to clone; all methods block and belong on a thread that may.
#[derive(Clone)]
pub struct Files {
    folder: PathBuf,
    key: Arc<Zeroizing<[u8; 32]>>,
    /// Those made since the folder was opened, while orphans are looked for: a row may point at one soon.
    young: Arc<Mutex<Option<BTreeSet<String>>>>,
    /// The shards that are known to be there and to survive a loss of power.
    lasting: Arc<Mutex<BTreeSet<String>>>,
}

impl Files {
    /// The folder with the key its files' keys are derived from; made if it is not there.
    pub(crate) fn open(folder: PathBuf, key: Zeroizing<[u8; 32]>) -> Result<Self, StoreError> {
        disk::create_private_folder(&folder)?;
        let young = Arc::new(Mutex::new(Some(BTreeSet::new())));
        Ok(Self { folder, key: Arc::new(key), young, lasting: Arc::default() })
    }

    /// Stores bytes; returns the new file's name.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`] and other I/O errors; then nothing is left behind.
    pub fn write(&self, mut bytes: &[u8]) -> Result<String, StoreError> {
        self.write_from(&mut bytes).map(|(name, _)| name)
    }

    /// Stores bytes as a file that goes again unless it is kept.
    ///
    /// # Errors
    /// As [`Files::write`].
    pub fn write_unkept(&self, bytes: &[u8]) -> Result<Unkept, StoreError> {
        Ok(Unkept { name: self.write(bytes)?, files: Some(self.clone()) })
    }

    /// Stores everything a reader gives; returns the new file's name and how many bytes there were.
    ///
    /// # Errors
    /// Those of the reader and of the disk; then nothing is left behind.
    pub fn write_from(&self, source: &mut impl Read) -> Result<(String, u64), StoreError> {
        let name = HEXLOWER.encode(&SystemRandom.array::<{ NAME / 2 }>());
        if let Some(young) = &mut *self.young() {
            young.insert(name.clone());
        }
        let path = self.path(&name)?;
        self.make_shard(&name)?;
        let mut size = 0;
        disk::write_whole(&path, &path.with_extension(UNFINISHED), |file| {
            size = self.encrypt(&name, source, file)?;
            Ok(())
        })?;
        Ok((name, size))
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::FileDamaged`] if it is not what was written.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        let mut out = Vec::new();
        self.read_into(name, &mut out)?;
        Ok(out)
    }

    /// Writes a file's plain bytes to `target` piece by piece. If this fails, `target` may have got a part of them.
    ///
    /// # Errors
    /// As [`Files::read`], and those of `target`.
    pub fn read_into(&self, name: &str, target: &mut impl Write) -> Result<(), StoreError> {
        let (mut file, mut pull) = self.begin(name)?;
        loop {
            let (plain, tag) = pull_piece(&mut file, &mut pull)?;
            target.write_all(&plain)?;
            if tag == Tag::Final {
                break;
            }
        }
        match file.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(StoreError::FileDamaged),
        }
    }

    /// The first bytes of a file, at most [`PIECE`] of them: enough to tell what it is.
    ///
    /// # Errors
    /// As [`Files::read`], as far as those bytes show it.
    pub(crate) fn read_head(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let (mut file, mut pull) = self.begin(name)?;
        Ok(pull_piece(&mut file, &mut pull)?.0)
    }

    /// Opens a file up to its first piece.
    fn begin(&self, name: &str) -> Result<(File, Pull), StoreError> {
        let mut file = File::open(self.path(name)?).map_err(missing)?;
        let mut head = [0; 1 + HEADER];
        file.read_exact(&mut head).map_err(cut_short)?;
        let [version, header @ ..] = head;
        if version != VERSION {
            return Err(StoreError::FileDamaged);
        }
        Ok((file, Pull::new(&self.key_of(name), &header)))
    }

    /// Deletes a file; that it is gone already is all the same.
    pub fn remove(&self, name: &str) -> Result<(), StoreError> {
        match std::fs::remove_file(self.path(name)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Makes the shard that a file belongs into, if it is not there. A sync of the file syncs its name in the shard, but
    /// not the shard's in the folder: this does, once for each shard and run, whoever made it.
    fn make_shard(&self, name: &str) -> Result<(), StoreError> {
        let shard = shard_of(name).ok_or(StoreError::NotFound)?;
        let path = self.folder.join(shard);
        // Held while it is made, so that nobody relies on a shard that another is about to make.
        let mut lasting = self.lasting.lock().unwrap_or_else(PoisonError::into_inner);
        if lasting.contains(shard) && path.is_dir() {
            return Ok(());
        }
        disk::create_private_folder(&path)?;
        disk::sync_parent(&path)?;
        if lasting.is_empty() {
            disk::sync_parent(&self.folder)?;
        }
        lasting.insert(shard.to_owned());
        Ok(())
    }

    /// Where the shards are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether a file was made since the folder was opened, so that a row may point at it soon. Not known any more once
    /// [`Files::forget_young`] was called.
    pub(super) fn is_young(&self, name: &str) -> bool {
        self.young().as_ref().is_some_and(|young| young.contains(name))
    }

    /// Nobody will ask any more which files are young.
    pub(super) fn forget_young(&self) {
        *self.young() = None;
    }

    fn young(&self) -> MutexGuard<'_, Option<BTreeSet<String>>> {
        self.young.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn encrypt(&self, name: &str, source: &mut impl Read, target: &mut impl Write) -> io::Result<u64> {
        let header = SystemRandom.array::<HEADER>();
        target.write_all(&[VERSION])?;
        target.write_all(&header)?;
        let mut push = Push::new(&self.key_of(name), &header);
        let mut piece = next_piece(source)?;
        let mut size = 0;
        loop {
            // One piece ahead: only then it is known which one is the last.
            let next = if piece.len() == PIECE { next_piece(source)? } else { Zeroizing::default() };
            let last = next.is_empty();
            let mut sealed = Vec::with_capacity(piece.len() + OVERHEAD);
            push.push(&piece, if last { Tag::Final } else { Tag::Message }, &mut sealed);
            target.write_all(&sealed)?;
            size += piece.len() as u64;
            if last {
                return Ok(size);
            }
            piece = next;
        }
    }

    fn key_of(&self, name: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(blake2b(&self.key[..], &[name.as_bytes()]))
    }

    /// Where a file is. Only names made here lead anywhere.
    fn path(&self, name: &str) -> Result<PathBuf, StoreError> {
        match shard_of(name) {
            Some(shard) => Ok(self.folder.join(shard).join(name)),
            None => Err(StoreError::NotFound),
        }
    }
}

/// A stored file that no row points at yet. It is removed when this is dropped, whatever ended what it was for: a task
/// that was cancelled, a store that is closed, a message that is gone.
pub struct Unkept {
    name: String,
    /// `None` once it is kept.
    files: Option<Files>,
}

impl Unkept {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A row points at it, and that is committed.
    pub fn keep(mut self) {
        self.files = None;
    }
}

impl Drop for Unkept {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.files.take().map(|files| files.remove(&self.name)) {
            tracing::debug!(%error, "an unused file stays until the next start");
        }
    }
}

/// The shard of a file; `None` if it is no name of ours.
pub(super) fn shard_of(name: &str) -> Option<&str> {
    name.get(..SHARD).filter(|_| name.len() == NAME && is_hex(name))
}

/// Whether a folder of this name is a shard.
pub(super) fn is_shard(name: &str) -> bool {
    name.len() == SHARD && is_hex(name)
}

fn is_hex(name: &str) -> bool {
    name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Reads up to a whole piece; less only at the end.
fn next_piece(source: &mut impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut piece = Zeroizing::new(Vec::with_capacity(PIECE));
    source.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece)
}

/// Reads the next piece, and tells whether it is the last one.
fn pull_piece(file: &mut File, pull: &mut Pull) -> Result<(Zeroizing<Vec<u8>>, Tag), StoreError> {
    let mut piece = Vec::with_capacity(PIECE + OVERHEAD);
    Read::by_ref(file).take((PIECE + OVERHEAD) as u64).read_to_end(&mut piece)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(PIECE));
    let tag = pull.pull(&piece, &mut plain).map_err(|_| StoreError::FileDamaged)?;
    Ok((plain, tag))
}

fn missing(error: io::Error) -> StoreError {
    if error.kind() == io::ErrorKind::NotFound { StoreError::NotFound } else { error.into() }
}

fn cut_short(error: io::Error) -> StoreError {
    if error.kind() == io::ErrorKind::UnexpectedEof { StoreError::FileDamaged } else { error.into() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn files() -> (tempfile::TempDir, Files) {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::open(folder.path().join("files"), Zeroizing::new([7; 32])).unwrap();
        (folder, files)
    }

    #[test]
    fn what_was_written_is_read_whatever_its_length() {
        let (_folder, files) = files();
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 10_000_000] {
            let bytes: Vec<u8> = (0..length).map(|at| (at * 31 % 251) as u8).collect();
            let name = files.write(&bytes).unwrap();
            assert_eq!(files.read(&name).unwrap(), bytes, "{length} bytes");
            let on_disk = std::fs::read(files.path(&name).unwrap()).unwrap();
            assert_eq!(on_disk.len(), 25 + length + OVERHEAD * length.div_ceil(PIECE).max(1));
            assert!(length < 64 || !on_disk.windows(32).any(|window| window == &bytes[..32]));
        }
    }

    #[test]
    fn damage_is_noticed_wherever_it_is() {
        let (_folder, files) = files();
        let name = files.write(&vec![5; PIECE + 100]).unwrap();
        let path = files.path(&name).unwrap();
        let good = std::fs::read(&path).unwrap();
        let damaged = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            matches!(files.read(&name), Err(StoreError::FileDamaged))
        };
        for at in [0, 1, 24, 25, PIECE, PIECE + 60, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(damaged(&bad), "changed at {at}");
        }
        for length in [0, 1, 24, 25, 100, 25 + PIECE + OVERHEAD, good.len() - 1] {
            assert!(damaged(&good[..length]), "cut to {length}");
        }
        assert!(damaged(&[&good[..], &[0]].concat()), "a byte more");
        let other = files.write(b"other").unwrap();
        std::fs::copy(files.path(&other).unwrap(), &path).unwrap();
        assert!(matches!(files.read(&name), Err(StoreError::FileDamaged)), "another file in its place");
    }

    #[test]
    fn a_name_from_elsewhere_leads_nowhere() {
        let (folder, files) = files();
        std::fs::write(folder.path().join("secret"), "x").unwrap();
        for name in ["../secret", "", "/etc/passwd", "0123", &"G".repeat(32), &"../".repeat(16)] {
            assert!(matches!(files.read(name), Err(StoreError::NotFound)), "{name}");
            assert!(files.remove(name).is_err());
        }
        assert!(folder.path().join("secret").exists());
    }

    #[test]
    fn a_file_that_nobody_keeps_goes_again() {
        let (_folder, files) = files();
        let (kept, lost) = (files.write_unkept(b"kept").unwrap(), files.write_unkept(b"lost").unwrap());
        let [kept_name, lost_name] = [&kept, &lost].map(|file| file.name().to_owned());
        kept.keep();
        drop(lost);
        assert_eq!(files.read(&kept_name).unwrap(), b"kept");
        assert!(matches!(files.read(&lost_name), Err(StoreError::NotFound)));
    }

    /// The same folder as after the next start.
    pub fn restarted(files: &Files) -> Files {
        Files::open(files.folder.clone(), Zeroizing::new([7; 32])).unwrap()
    }

    /// All that is in the folder and in its shards but the shards themselves.
    pub fn entries(files: &Files) -> BTreeSet<PathBuf> {
        let list = |folder: &Path| -> Vec<PathBuf> {
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
        };
        let (shards, beside): (Vec<_>, Vec<_>) =
            list(&files.folder).into_iter().partition(|path| path.is_dir());
        shards.iter().flat_map(|shard| list(shard)).chain(beside).collect()
    }

    #[test]
    fn files_lie_in_shards_by_the_first_digits_of_their_names() {
        let (_folder, files) = files();
        let names: Vec<String> = (0..300_u32).map(|it| files.write(&it.to_be_bytes()).unwrap()).collect();
        let places = names.iter().map(|name| files.folder.join(&name[..2]).join(name)).collect();
        assert_eq!(entries(&files), places);
        let files = restarted(&files);
        for (number, name) in (0..300_u32).zip(&names) {
            assert_eq!(files.read(name).unwrap(), number.to_be_bytes());
            files.remove(name).unwrap();
        }
        assert_eq!(entries(&files), BTreeSet::new());
    }

    #[test]
    fn a_shard_that_somebody_took_away_is_made_anew() {
        let (_folder, files) = files();
        files.write(b"x").unwrap();
        std::fs::remove_dir_all(&files.folder).unwrap();
        for _ in 0..300 {
            let name = files.write(b"y").unwrap();
            assert_eq!(files.read(&name).unwrap(), b"y");
        }
    }

    #[cfg(unix)]
    #[test]
    fn stored_files_are_the_owners() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, files) = files();
        let name = files.write(b"x").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let file = files.path(&name).unwrap();
        assert_eq!(mode(&file), 0o600);
        assert_eq!(mode(file.parent().unwrap()), 0o700);
        assert_eq!(mode(&files.folder), 0o700);
    }
}
