//! Everything a profile keeps: the encrypted database and the encrypted files beside it.
//!
//! Decision: SQL lives in this module only, and all of it is plain, blocking code on [`Db`]. A [`Store`] owns two
//! threads: one writes, one reads beside it. What is asked of it are closures over [`Db`], so several steps become
//! one transaction where the engine wants that, and no task of the runtime ever waits for a disk:
//!
//! ```text
//! let page = store.read(move |db| db.messages(conversation, Page::Newest, 50, now)).await?;
//! let sent = store.call(move |db| db.insert_outgoing(&message, &jobs, now)).await?;
//! ```
//!
//! A closure once handed over is carried out even if nobody waits for it any more; a read that begins after a write
//! has returned sees it.

mod account;
mod arrived;
mod attachment;
mod conversation;
mod dating;
mod db;
mod deferred;
mod delete;
mod draft;
mod elsewhere;
mod error;
pub mod files;
pub mod key;
mod kinds;
mod message;
mod migrate;
mod noted;
mod orphans;
mod outbox;
mod outgoing;
mod people;
mod profile;
mod reacting;
mod read;
mod reader;
mod receive;
mod search;
#[cfg(test)]
pub(crate) mod tests;
mod tracked;
mod types;
mod upkeep;
mod values;
mod wanted;

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use zeroize::Zeroizing;

pub use account::StoredAccount;
pub use arrived::*;
pub use db::Db;
pub(crate) use deferred::VERSION;
pub use error::StoreError;
pub use kinds::{AttachmentClass, Transport};
pub use people::WantedPicture;
pub(crate) use profile::discard_profile;
pub use profile::profile_exists;
pub use tracked::Tracked;
pub use types::*;

use files::Files;
use key::KeyProtection;
use profile::ProfileFolder;
use upkeep::{Next, Upkeep};

/// Something to do with the database.
type Task = Box<dyn FnOnce(&mut Db) + Send>;

/// What a thread of the store is told.
enum Order {
    Do(Task),
    /// Close the database; the sender is dropped when that is done.
    Stop(oneshot::Sender<()>),
}

/// An open profile. Cheap to clone; the profile stays open and locked until [`Store::close`] or the last clone is
/// gone.
#[derive(Clone)]
pub struct Store(Arc<Threads>);

struct Threads {
    writer: mpsc::Sender<Order>,
    reader: mpsc::Sender<Order>,
    files: Files,
    network_key: Zeroizing<[u8; 32]>,
    running: Mutex<Vec<JoinHandle<()>>>,
}

impl Threads {
    /// Tells both threads to end. The receiver gets an error when the folder is free.
    fn stop(&self) -> oneshot::Receiver<()> {
        let (done, stopped) = oneshot::channel();
        // A thread that is gone needs no order; its sender is dropped with it.
        let _ = self.reader.send(Order::Stop(oneshot::channel().0));
        let _ = self.writer.send(Order::Stop(done));
        stopped
    }

    /// Waits until both threads are gone to the last instruction. The cipher library under SQLCipher keeps state per
    /// thread and frees it when a thread ends; if the process ended at the same moment, it would free it twice.
    fn join(&self) {
        let threads = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // The last clone may be dropped by one of them; a thread cannot wait for itself.
            if thread.thread().id() != std::thread::current().id() {
                // Whatever it broke on has been told where it happened.
                let _ = thread.join();
            }
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        drop(self.stop());
        self.join();
    }
}

impl Store {
    /// Makes a profile with an account in it and opens it. `fill` runs on the new database before the profile
    /// exists for anybody: either all of it is there, or no profile. Blocks; call it where that is allowed.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`], [`StoreError::InUse`], [`StoreError::DiskFull`], [`StoreError::ReadOnly`],
    /// [`StoreError::Io`].
    pub fn create(
        folder: &Path,
        protection: KeyProtection,
        account: &StoredAccount,
        fill: impl FnOnce(&mut Db) -> Result<(), StoreError>,
    ) -> Result<Self, StoreError> {
        Self::start(ProfileFolder::create(folder, protection, account, fill)?)
    }

    /// Opens a profile. Blocks; call it where that is allowed.
    ///
    /// # Errors
    /// [`StoreError::NoProfile`], [`StoreError::InUse`], the errors of the key file and the keychain,
    /// [`StoreError::Foreign`], [`StoreError::Damaged`], [`StoreError::NewerVersion`], [`StoreError::Unreleased`],
    /// [`StoreError::ReadOnly`], [`StoreError::DiskFull`], [`StoreError::Io`]. Nothing is changed or deleted then.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::start(ProfileFolder::open(folder)?)
    }

    fn start(folder: ProfileFolder) -> Result<Self, StoreError> {
        let key = folder.key()?;
        let file_key = profile::file_key(&key);
        let db = Db::open(&folder.database(), &file_key)?;
        db.account()?;
        let reader_db = Db::open_reader(&folder.database(), &file_key)?;
        let files = Files::open(folder.files(), key.files())?;
        let network_key = key.network();

        let (writer, writer_orders) = mpsc::channel();
        let (reader, reader_orders) = mpsc::channel();
        let (reader_lives, reader_gone) = mpsc::channel();
        let reading = spawn("store-read", move || read(reader_db, &reader_orders, reader_lives))?;
        let upkeep = Upkeep::new(files.clone());
        let writing = spawn("store", move || write(db, folder, upkeep, &writer_orders, &reader_gone))?;
        let running = Mutex::new(vec![reading, writing]);
        Ok(Self(Arc::new(Threads { writer, reader, files, network_key, running })))
    }

    /// Does something with the database, in the order of the calls, and waits for its result.
    ///
    /// # Errors
    /// Those of `f`; [`StoreError::Closed`].
    pub async fn call<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Db) -> Result<T, StoreError> + Send + 'static,
    {
        match Tracked::current() {
            Some(tracked) => ask(&self.0.writer, move |db| tracked.watch(db, f)).await,
            None => ask(&self.0.writer, f).await,
        }
    }

    /// Reads something beside the writer. Writing fails here.
    ///
    /// # Errors
    /// Those of `f`; [`StoreError::Closed`].
    pub async fn read<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    {
        ask(&self.0.reader, |db| f(db)).await
    }

    /// What the network part's files are encrypted with.
    pub fn network_key(&self) -> &[u8; 32] {
        &self.0.network_key
    }

    /// The folder of encrypted files; its methods block.
    pub fn files(&self) -> &Files {
        &self.0.files
    }

    /// Stores bytes as an encrypted file; returns its name.
    ///
    /// # Errors
    /// See [`Files::write`].
    pub async fn write_file(&self, bytes: Vec<u8>) -> Result<String, StoreError> {
        let files = self.0.files.clone();
        blocking(move || files.write(&bytes)).await
    }

    /// Reads an encrypted file.
    ///
    /// # Errors
    /// See [`Files::read`].
    pub async fn read_file(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        let (files, name) = (self.0.files.clone(), name.to_owned());
        blocking(move || files.read(&name)).await
    }

    /// Deletes an encrypted file that no row points at.
    ///
    /// # Errors
    /// See [`Files::remove`].
    pub async fn remove_file(&self, name: &str) -> Result<(), StoreError> {
        let (files, name) = (self.0.files.clone(), name.to_owned());
        blocking(move || files.remove(&name)).await
    }

    /// Does what was asked for so far, closes the database and gives the folder free. Later calls, of other clones
    /// too, get [`StoreError::Closed`].
    pub async fn close(&self) {
        // An error is the sign that all is closed, now or before. What the threads have left to do is no work.
        let _ = self.0.stop().await;
        self.0.join();
    }

    /// As [`Store::close`], but waits on this thread: not to be called on a thread of the runtime.
    pub(crate) fn close_now(&self) {
        let _ = self.0.stop().blocking_recv();
        self.0.join();
    }
}

/// The reading thread. `_lives` tells the writing one that it is done.
fn read(mut db: Db, orders: &mpsc::Receiver<Order>, _lives: mpsc::Sender<()>) {
    while let Ok(Order::Do(task)) = orders.recv() {
        task(&mut db);
    }
    close(db);
}

/// The writing thread; it holds the folder's lock.
fn write(
    mut db: Db,
    folder: ProfileFolder,
    mut upkeep: Upkeep,
    orders: &mpsc::Receiver<Order>,
    reader_gone: &mpsc::Receiver<()>,
) {
    let stopped = work(&mut db, orders, &mut upkeep);
    // The last connection to close writes the log back into the database. Nothing is ever sent here: an error is the
    // sign that the reader is done.
    let _ = reader_gone.recv();
    close(db);
    drop(folder);
    drop(stopped);
}

/// Carries out orders until told to stop or nobody is left to give any, and keeps the store in order between them.
fn work(db: &mut Db, orders: &mpsc::Receiver<Order>, upkeep: &mut Upkeep) -> Option<oneshot::Sender<()>> {
    let mut next = Next::Now;
    loop {
        let order = match next {
            Next::Now => orders.recv_timeout(Duration::ZERO),
            Next::At(due) => orders.recv_timeout(due.saturating_duration_since(Instant::now())),
            Next::Later => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match order {
            Ok(Order::Do(task)) => {
                task(db);
                upkeep.ordered();
            }
            Ok(Order::Stop(done)) => return Some(done),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
        next = upkeep.step(db);
    }
}

fn close(db: Db) {
    if let Err(error) = db.close() {
        tracing::warn!(%error, "the database was not closed cleanly; the next start goes on from its log");
    }
}

fn spawn(name: &str, f: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    Ok(std::thread::Builder::new().name(name.to_owned()).spawn(f)?)
}

async fn ask<T, F>(thread: &mpsc::Sender<Order>, f: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce(&mut Db) -> Result<T, StoreError> + Send + 'static,
{
    let (answer, result) = oneshot::channel();
    let task: Task = Box::new(move |db| {
        // Nobody may be waiting any more; what was asked for is done all the same.
        let _ = answer.send(f(db));
    });
    thread.send(Order::Do(task)).map_err(|_| StoreError::Closed)?;
    result.await.unwrap_or(Err(StoreError::Closed))
}

async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(f).await.unwrap_or(Err(StoreError::Closed))
}
