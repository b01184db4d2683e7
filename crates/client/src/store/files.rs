//! Attachments and pictures at rest.
//!
//! Decision: each file is encrypted under a key of its own (derived from the profile's and the file's random name,
//! so files cannot be exchanged for one another), with libsodium's secretstream in pieces of 64 KiB: a file is read
//! and written piece by piece, and one that was cut short is noticed. Layout: one byte `1`, the 24-byte header, the
//! pieces. A file is written under a name for the time being, synced and renamed, and only then a row points at it;
//! what no row points at is removed after the next start.

use std::collections::BTreeSet;
use std::fs::{File, ReadDir};
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
const UNFINISHED: &str = "new";

/// The folder of stored files. Cheap to clone; all methods block and belong on a thread that may.
#[derive(Clone)]
pub struct Files {
    folder: PathBuf,
    key: Arc<Zeroizing<[u8; 32]>>,
    /// Those made since the folder was opened, while orphans are looked for: a row may point at one soon.
    young: Arc<Mutex<Option<BTreeSet<String>>>>,
}

impl Files {
    /// The folder with the key its files' keys are derived from; made if it is not there.
    pub(crate) fn open(folder: PathBuf, key: Zeroizing<[u8; 32]>) -> Result<Self, StoreError> {
        disk::create_private_folder(&folder)?;
        let young = Arc::new(Mutex::new(Some(BTreeSet::new())));
        Ok(Self { folder, key: Arc::new(key), young })
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
        let name = HEXLOWER.encode(&SystemRandom.array::<16>());
        if let Some(young) = &mut *self.young() {
            young.insert(name.clone());
        }
        let path = self.folder.join(&name);
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

    /// Begins to look for files that no row points at. Files made since the folder was opened are not among them.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the folder cannot be listed.
    pub(super) fn search(&self) -> Result<Search, StoreError> {
        Ok(Search { entries: std::fs::read_dir(&self.folder)?, files: self.clone() })
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
        if is_name(name) { Ok(self.folder.join(name)) } else { Err(StoreError::NotFound) }
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

/// A search for files that no row points at, a few at a time: a folder may hold a hundred thousand.
pub(super) struct Search {
    entries: ReadDir,
    files: Files,
}

impl Search {
    /// Looks at the next `count` entries of the folder and removes those that are ours and not in use, unfinished ones
    /// among them. False at the end of the folder.
    pub(super) fn step(
        &mut self,
        count: usize,
        mut is_in_use: impl FnMut(&str) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        for _ in 0..count {
            let Some(entry) = self.entries.next() else {
                *self.files.young() = None;
                return Ok(false);
            };
            let path = entry?.path();
            let stem = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            let unfinished = path.extension().is_some_and(|extension| extension == UNFINISHED);
            // Whatever does not look like ours is somebody else's and stays.
            if !is_name(stem) || !(unfinished || path.extension().is_none()) {
                continue;
            }
            let young = self.files.young().as_ref().is_some_and(|young| young.contains(stem));
            if !young && (unfinished || !is_in_use(stem)?) {
                remove_quietly(&path);
            }
        }
        Ok(true)
    }
}

/// Removes a file that nobody needs; what cannot be removed now is tried again after the next start.
fn remove_quietly(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::debug!(%error, "an unused file stays");
    }
}

fn is_name(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
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
mod tests {
    use super::*;

    fn files() -> (tempfile::TempDir, Files) {
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

    #[test]
    fn only_our_own_unused_files_are_orphans() {
        let (_folder, files) = files();
        let kept = files.write(b"kept").unwrap();
        let lost = files.write(b"lost").unwrap();
        std::fs::write(files.folder.join(format!("{}.new", "a".repeat(32))), "half").unwrap();
        std::fs::write(files.folder.join("holiday.jpg"), "not ours").unwrap();
        // As after the next start, with one more that is made while the search goes on.
        let files = Files::open(files.folder.clone(), Zeroizing::new([7; 32])).unwrap();
        let young = files.write(b"young").unwrap();
        let mut search = files.search().unwrap();
        while search.step(1, |name| Ok(name == kept)).unwrap() {}
        assert!(files.read(&young).is_ok(), "a row may point at it soon");
        assert_eq!(std::fs::read_dir(&files.folder).unwrap().count(), 3);
        assert!(files.read(&kept).is_ok());
        assert!(matches!(files.read(&lost), Err(StoreError::NotFound)));
        assert!(files.folder.join("holiday.jpg").exists());
    }

    #[cfg(unix)]
    #[test]
    fn stored_files_are_the_owners() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, files) = files();
        let name = files.write(b"x").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&files.path(&name).unwrap()), 0o600);
        assert_eq!(mode(&files.folder), 0o700);
    }
}
