//! Attachments and pictures at rest.
//!
//! Decision: each file is encrypted under a key of its own (derived from the profile's and the file's random name,
//! so files cannot be exchanged for one another), with libsodium's secretstream in pieces of 64 KiB: a file is read
//! and written piece by piece, and one that was cut short is noticed. Layout: one byte `1`, the 24-byte header, the
//! pieces. A file is written under a name for the time being, synced and renamed, and only then a row points at it;
//! what no row points at is removed after the next start.
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
/// Digits in a file's name.
const NAME: usize = 32;
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

    /// Begins to look for files that no row points at. Files made since the folder was opened are not among them.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the folder cannot be listed.
    pub(super) fn search(&self) -> Result<Search, StoreError> {
        let folder = Folder { shard: None, entries: std::fs::read_dir(&self.folder)? };
        Ok(Search { folder: Some(folder), shards: Vec::new(), files: self.clone() })
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

/// A search for files that no row points at, a few at a time: there may be a hundred thousand. It begins with what lies
/// beside the shards, and goes through one shard after the other then. Shards that are made meanwhile hold nothing but
/// young files.
pub(super) struct Search {
    /// The one that is being looked through.
    folder: Option<Folder>,
    /// Shards whose turn is still to come.
    shards: Vec<String>,
    files: Files,
}

/// A folder that is being looked through.
struct Folder {
    /// Its name; `None` of the one that the shards are in.
    shard: Option<String>,
    entries: ReadDir,
}

impl Search {
    /// Looks at the next `count` entries, not of more than one folder, and removes those that are ours and not in use,
    /// unfinished ones among them. False when all folders are done.
    ///
    /// # Errors
    /// Those of `is_in_use`, and [`StoreError::Io`]; the next step goes on behind what could not be looked at.
    pub(super) fn step(
        &mut self,
        count: usize,
        mut is_in_use: impl FnMut(&str) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        if self.folder.is_none() && !self.begin_shard()? {
            *self.files.young() = None;
            return Ok(false);
        }
        for _ in 0..count {
            let Some(folder) = &mut self.folder else { break };
            let Some(entry) = folder.entries.next() else {
                self.folder = None;
                break;
            };
            let (shard, path) = (folder.shard.clone(), entry?.path());
            self.look_at(shard.as_deref(), &path, &mut is_in_use)?;
        }
        Ok(true)
    }

    /// Goes on with the next shard. False if there is none.
    fn begin_shard(&mut self) -> Result<bool, StoreError> {
        let Some(shard) = self.shards.pop() else { return Ok(false) };
        let entries = std::fs::read_dir(self.files.folder.join(&shard))?;
        self.folder = Some(Folder { shard: Some(shard), entries });
        Ok(true)
    }

    /// Removes an entry of a shard, or of the folder of shards, if it is ours and nobody needs it.
    fn look_at(
        &mut self,
        shard: Option<&str>,
        path: &Path,
        is_in_use: &mut impl FnMut(&str) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let stem = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let unfinished = path.extension().is_some_and(|extension| extension == UNFINISHED);
        if !unfinished && path.extension().is_some() {
            // Whatever does not look like ours is somebody else's and stays.
            return Ok(());
        }
        if shard.is_none() && !unfinished && is_shard(stem) {
            match path.is_dir() {
                true => self.shards.push(stem.to_owned()),
                // In the way of a shard.
                false => remove_quietly(path),
            }
            return Ok(());
        }
        let Some(own) = shard_of(stem) else { return Ok(()) };
        // No row leads to what is not in its shard.
        let misplaced = shard != Some(own);
        let young = self.files.young().as_ref().is_some_and(|young| young.contains(stem));
        if misplaced || !young && (unfinished || !is_in_use(stem)?) {
            remove_quietly(path);
        }
        Ok(())
    }
}

/// Removes a file that nobody needs; what cannot be removed now is tried again after the next start.
fn remove_quietly(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::debug!(%error, "an unused file stays");
    }
}

/// The shard of a file; `None` if it is no name of ours.
fn shard_of(name: &str) -> Option<&str> {
    name.get(..SHARD).filter(|_| name.len() == NAME && is_hex(name))
}

fn is_shard(name: &str) -> bool {
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

    /// The same folder as after the next start.
    fn restarted(files: &Files) -> Files {
        Files::open(files.folder.clone(), Zeroizing::new([7; 32])).unwrap()
    }

    /// Looks through everything; returns how many steps that took.
    fn look_through(files: &Files, count: usize, kept: &[&String]) -> usize {
        let mut search = files.search().unwrap();
        let mut step = || search.step(count, |name| Ok(kept.iter().any(|kept| *kept == name))).unwrap();
        std::iter::from_fn(|| step().then_some(())).count()
    }

    /// All that is in the folder and in its shards but the shards themselves.
    fn entries(files: &Files) -> BTreeSet<PathBuf> {
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

    #[test]
    fn only_our_own_unused_files_are_orphans() {
        let (_folder, files) = files();
        let [kept, lost, copied] =
            ["kept", "lost", "copied"].map(|text| files.write(text.as_bytes()).unwrap());
        let half = format!("{}.{UNFINISHED}", "a".repeat(NAME));
        let shard = files.folder.join("aa");
        disk::create_private_folder(&shard).unwrap();
        std::fs::write(shard.join(&half), "half").unwrap();
        std::fs::write(shard.join("holiday.jpg"), "not ours").unwrap();
        std::fs::create_dir(files.folder.join("holidays")).unwrap();
        std::fs::write(files.folder.join("holidays").join("lake.jpg"), "not ours").unwrap();
        std::fs::write(files.folder.join("holiday.jpg"), "not ours").unwrap();
        // Where no row leads: beside the shards, and in the shard of another.
        let other = if copied.starts_with("aa") { "bb" } else { "aa" };
        disk::create_private_folder(&files.folder.join(other)).unwrap();
        for place in [&files.folder, &files.folder.join(other)] {
            std::fs::copy(files.path(&copied).unwrap(), place.join(&copied)).unwrap();
        }
        std::fs::write(files.folder.join(&half), "half").unwrap();

        // One more is made while the search goes on.
        let files = restarted(&files);
        let young = files.write(b"young").unwrap();
        look_through(&files, 1, &[&kept, &copied]);
        let ours = [&kept, &copied, &young].map(|name| files.path(name).unwrap());
        let theirs = [
            shard.join("holiday.jpg"),
            files.folder.join("holiday.jpg"),
            files.folder.join("holidays/lake.jpg"),
        ];
        assert_eq!(entries(&files), ours.into_iter().chain(theirs).collect());
        assert!(files.read(&kept).is_ok() && files.read(&copied).is_ok());
        assert!(files.read(&young).is_ok(), "a row may point at it soon");
        assert!(matches!(files.read(&lost), Err(StoreError::NotFound)));
    }

    #[test]
    fn a_file_in_the_way_of_a_shard_goes() {
        let (_folder, files) = files();
        for shard in 0..=255_u8 {
            std::fs::write(files.folder.join(HEXLOWER.encode(&[shard])), "in the way").unwrap();
        }
        assert!(files.write(b"x").is_err());
        look_through(&files, 10, &[]);
        assert!(files.write(b"x").is_ok());
    }

    #[test]
    fn a_step_looks_at_no_more_than_one_shard_and_so_many_files() {
        let (_folder, files) = files();
        for shard in ["00", "7f", "ff"] {
            disk::create_private_folder(&files.folder.join(shard)).unwrap();
            for number in 0..10 {
                std::fs::write(files.folder.join(shard).join(format!("{shard}{number:030}")), "lost")
                    .unwrap();
            }
        }
        let files = restarted(&files);
        let mut search = files.search().unwrap();
        let (mut seen, mut most) = (BTreeSet::new(), 0);
        loop {
            let mut shards = BTreeSet::new();
            let mut looked_at = 0;
            let more = search.step(4, |name| {
                shards.insert(name[..2].to_owned());
                looked_at += 1;
                Ok(false)
            });
            assert!(shards.len() <= 1 && looked_at <= 4, "{shards:?} {looked_at}");
            seen.append(&mut shards);
            most = most.max(looked_at);
            if !more.unwrap() {
                break;
            }
        }
        assert_eq!((seen.len(), most, entries(&files).len()), (3, 4, 0));
    }

    #[test]
    fn a_search_goes_on_behind_what_could_not_be_looked_at() {
        let (_folder, files) = files();
        for number in 0..20_u32 {
            files.write(&number.to_be_bytes()).unwrap();
        }
        let files = restarted(&files);
        let mut search = files.search().unwrap();
        let (mut asked, mut failed) = (0, 0);
        loop {
            match search.step(3, |_| {
                asked += 1;
                if asked % 5 == 0 { Err(StoreError::Closed) } else { Ok(false) }
            }) {
                Ok(false) => break,
                Ok(true) => {}
                Err(_) => failed += 1,
            }
        }
        assert_eq!((asked, failed, entries(&files).len()), (20, 4, 4));
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
