//! A profile folder: who may use it, and how it comes to be.
//!
//! ```text
//! lock        held while the profile is open; a second process is refused
//! key         the wrapped data key
//! septet.db   the encrypted database (and -wal, -shm beside it while open)
//! files/      encrypted attachments and pictures, in shards
//! ```
//!
//! Decision: a profile exists if and only if `septet.db` does. It is built under another name, with account and all,
//! and renamed when it is complete and on disk; a crash before that leaves an empty profile folder, in the eyes of
//! this program. Remains of such a crash are moved aside or built anew; nothing that was ever a profile is touched.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::account::StoredAccount;
use super::db::{Db, FileKey};
use super::error::StoreError;
use super::key::{KeyProtection, ProfileKey};
use crate::disk;

/// A profile folder, locked for this process as long as this value lives.
pub(super) struct ProfileFolder {
    path: PathBuf,
    lock: File,
}

impl Drop for ProfileFolder {
    fn drop(&mut self) {
        // Closing alone does not do: a process that is being started holds copies of our open files for a moment.
        if let Err(error) = self.lock.unlock() {
            tracing::debug!(%error, "the profile stays locked until this process has ended");
        }
    }
}

/// Whether there is an account in this folder.
pub fn profile_exists(folder: &Path) -> bool {
    folder.join("septet.db").exists()
}

/// Takes a closed profile away, with everything of ours in its folder: for an account that was never finished.
pub(crate) fn discard_profile(path: &Path) -> Result<(), StoreError> {
    let folder = ProfileFolder::lock(path)?;
    // The database first: without it there is no profile any more, whatever else is left.
    for name in ["septet.db", "septet.db-wal", "septet.db-shm", "key"] {
        disk::remove_if_there(&path.join(name))?;
    }
    for name in ["files", "network"] {
        let inner = path.join(name);
        if inner.exists() {
            std::fs::remove_dir_all(inner)?;
        }
    }
    drop(folder);
    disk::remove_if_there(&path.join("lock"))?;
    // Not if somebody else has something in it.
    let _ = std::fs::remove_dir(path);
    Ok(())
}

impl ProfileFolder {
    /// Locks an existing profile.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        if !profile_exists(path) {
            return Err(StoreError::NoProfile);
        }
        Self::lock(path)
    }

    /// Builds a new profile; `fill` adds what belongs into it from the start.
    pub(super) fn create(
        path: &Path,
        protection: KeyProtection,
        account: &StoredAccount,
        fill: impl FnOnce(&mut Db) -> Result<(), StoreError>,
    ) -> Result<Self, StoreError> {
        disk::create_private_folder(path)?;
        let folder = Self::lock(path)?;
        if profile_exists(path) {
            return Err(StoreError::AlreadyExists);
        }
        // A key or log without a database is from a creation that was interrupted, or its database was taken
        // elsewhere. It is kept under another name: SQLite would take an old log for the new database's own.
        folder.set_aside("key")?;
        folder.set_aside("septet.db-wal")?;
        let key = ProfileKey::create(&folder.key_file(), protection)?;
        let unfinished = path.join("septet.db.new");
        for remains in [unfinished.clone(), path.join("septet.db.new-journal")] {
            if remains.exists() {
                std::fs::remove_file(remains)?;
            }
        }
        // Made here so that it is the owner's only; SQLite takes an empty file for a new database.
        disk::create_private(&unfinished)?;
        let mut db = Db::create(&unfinished, &file_key(&key))?;
        db.transaction(|db| {
            db.insert_account(account)?;
            fill(db)
        })?;
        db.close()?;
        File::open(&unfinished)?.sync_all()?;
        std::fs::rename(&unfinished, folder.database())?;
        disk::sync_parent(&folder.database())?;
        Ok(folder)
    }

    fn lock(path: &Path) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let lock = options.open(path.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// The database file.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join("septet.db")
    }

    /// The folder of stored files.
    pub(super) fn files(&self) -> PathBuf {
        self.path.join("files")
    }

    fn key_file(&self) -> PathBuf {
        self.path.join("key")
    }

    /// Reads the key.
    pub(super) fn key(&self) -> Result<ProfileKey, StoreError> {
        ProfileKey::load(&self.key_file())
    }

    fn set_aside(&self, name: &str) -> Result<(), StoreError> {
        let file = self.path.join(name);
        if file.exists() {
            let aside = (1..).map(|number| self.path.join(format!("{name}.old.{number}")));
            if let Some(aside) = aside.into_iter().find(|path| !path.exists()) {
                std::fs::rename(&file, aside)?;
            }
        }
        Ok(())
    }
}

/// What the database needs of a profile's key.
pub(super) fn file_key(key: &ProfileKey) -> FileKey {
    FileKey { key: key.database(), salt: key.salt() }
}
