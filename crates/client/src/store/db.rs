//! One connection to the encrypted database.
//!
//! Decisions, with their reasons:
//! * **SQLCipher with a raw key.** The 32-byte key is random, so no password hashing is needed at each open. The
//!   file's salt is written down in the key file: a file that begins with another one is not ours, and a damaged
//!   first page is told from a wrong key.
//! * **WAL, `synchronous = FULL`.** A message must not be lost after `send` returned, even if the power fails, and
//!   what was received must not be fetched twice or forgotten. FULL costs one `fsync` for each commit; a whole poll
//!   is one commit, so that does not matter.
//! * **`secure_delete`.** Deleted messages are overwritten, in the encrypted pages and in the search tables too. What
//!   the log still holds of them goes when it is emptied, soon after and at the end.
//! * **Transactions nest.** Every method of [`Db`] is one transaction of its own; called inside
//!   [`Db::transaction`] it becomes a part of that one. So the engine joins steps ("message, outbox, config") into
//!   one that happens as a whole or not at all.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use septet_protocol::id::SessionId;
use zeroize::Zeroizing;

use super::error::StoreError;
use super::migrate;

/// What SQLCipher needs to read a file: the key, and the salt that the file begins with.
pub(crate) struct FileKey {
    /// 32 random bytes.
    pub key: Zeroizing<[u8; 32]>,
    /// The first 16 bytes of the database file.
    pub salt: [u8; 16],
}

/// Ourselves, as rows refer to us.
#[derive(Clone, Copy)]
pub(super) struct Me {
    pub id: SessionId,
    pub person: i64,
}

/// One connection to the database. Its methods are in the modules beside this one, by what they are about.
pub struct Db {
    connection: Connection,
    depth: u32,
    me: Cell<Option<Me>>,
}

impl Db {
    /// Opens an existing database for reading and writing and brings it up to date.
    pub(crate) fn open(path: &Path, key: &FileKey) -> Result<Self, StoreError> {
        check_header(path, key)?;
        let mut connection = connect(path, key, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        if connection.is_readonly("main")? {
            return Err(StoreError::ReadOnly);
        }
        let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        match application {
            migrate::APPLICATION_ID => {}
            id if migrate::UNRELEASED_IDS.contains(&id) => {
                // Or closing would write a log back that a crash has left.
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
                return Err(StoreError::Unreleased);
            }
            _ => return Err(StoreError::Foreign),
        }
        log_mode(&connection, "WAL")?;
        migrate::migrate(&mut connection, migrate::STEPS)?;
        connection.execute_batch(WATCH)?;
        Ok(Self { connection, depth: 0, me: Cell::new(None) })
    }

    /// Makes a new database. It has no log file of its own, so that it can be renamed once it is closed.
    pub(crate) fn create(path: &Path, key: &FileKey) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut connection = connect(path, key, flags)?;
        log_mode(&connection, "DELETE")?;
        migrate::migrate(&mut connection, migrate::STEPS)?;
        Ok(Self { connection, depth: 0, me: Cell::new(None) })
    }

    /// A second connection for reading beside the writer; it sees what was committed when each read begins.
    pub(crate) fn open_reader(path: &Path, key: &FileKey) -> Result<Self, StoreError> {
        let connection = connect(path, key, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(Self { connection, depth: 0, me: Cell::new(None) })
    }

    /// Does several things as one: all of it is stored, or, if `f` returns an error, nothing.
    ///
    /// # Errors
    /// Those of `f`; [`StoreError::DiskFull`] and the like from the commit, after which nothing is stored.
    pub fn transaction<T>(
        &mut self,
        f: impl FnOnce(&mut Db) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (begin, commit, rollback) = match self.depth {
            0 => ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"),
            _ => ("SAVEPOINT step", "RELEASE step", "ROLLBACK TO step; RELEASE step"),
        };
        self.connection.execute_batch(begin)?;
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        let result = result.and_then(|value| match self.connection.execute_batch(commit) {
            Ok(()) => Ok(value),
            Err(error) => Err(error.into()),
        });
        // After some errors (a full disk) SQLite has rolled back by itself; then there is nothing to undo.
        if result.is_err() && !self.connection.is_autocommit() {
            self.connection.execute_batch(rollback)?;
        }
        result
    }

    /// Reads several things as they were at one moment.
    pub(super) fn snapshot<T>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if !self.connection.is_autocommit() {
            return f(&self.connection);
        }
        let transaction = self.connection.unchecked_transaction()?;
        let value = f(&transaction)?;
        transaction.finish()?;
        Ok(value)
    }

    /// The connection, for the modules beside this one.
    pub(super) fn sql(&self) -> &Connection {
        &self.connection
    }

    /// Who we are, if it was read before: it never changes.
    pub(super) fn cached_me(&self) -> Option<Me> {
        self.me.get()
    }

    /// Notes who we are.
    pub(super) fn cache_me(&self, me: Me) {
        self.me.set(Some(me));
    }

    /// Whether something that people wrote was deleted since the log was emptied last. The log holds it still.
    pub(super) fn is_log_to_be_emptied(&self) -> Result<bool, StoreError> {
        Ok(self.sql().prepare_cached("SELECT 1 FROM temp.wiped")?.exists([])?)
    }

    /// Writes the log back into the file and empties it. False if somebody reads from it just now; then it is to be
    /// tried again.
    pub(super) fn empty_log(&mut self) -> Result<bool, StoreError> {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: i64 = self.sql().query_row(sql, [], |row| row.get(0))?;
        if busy == 0 {
            self.sql().execute("DELETE FROM temp.wiped", [])?;
        }
        Ok(busy == 0)
    }

    /// Closes the file; the log is written back into it if no other connection is open.
    pub(crate) fn close(self) -> Result<(), StoreError> {
        self.connection.close().map_err(|(_, error)| error.into())
    }
}

#[cfg(test)]
impl Db {
    /// A database like any other, but not encrypted: for looking at its bytes.
    pub(crate) fn plain(path: &Path) -> Self {
        let mut connection = Connection::open(path).unwrap();
        settings(&connection).unwrap();
        log_mode(&connection, "WAL").unwrap();
        migrate::migrate(&mut connection, migrate::STEPS).unwrap();
        connection.execute_batch(WATCH).unwrap();
        Self { connection, depth: 0, me: Cell::new(None) }
    }

    /// An empty database in memory, without an account.
    pub(crate) fn memory() -> Self {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate::migrate(&mut connection, migrate::STEPS).unwrap();
        settings(&connection).unwrap();
        Self { connection, depth: 0, me: Cell::new(None) }
    }
}

/// Notes that something was deleted, on the connection that writes; no statement can forget it.
const WATCH: &str = "
    CREATE TEMP TABLE wiped (id INTEGER PRIMARY KEY);
    CREATE TEMP TRIGGER wiped_message AFTER DELETE ON main.messages BEGIN
        INSERT OR IGNORE INTO wiped VALUES (1);
    END;
    CREATE TEMP TRIGGER wiped_text AFTER UPDATE OF text ON main.messages WHEN OLD.text <> NEW.text BEGIN
        INSERT OR IGNORE INTO wiped VALUES (1);
    END;
    CREATE TEMP TRIGGER wiped_attachment AFTER DELETE ON main.attachments BEGIN
        INSERT OR IGNORE INTO wiped VALUES (1);
    END;
    CREATE TEMP TRIGGER wiped_draft AFTER DELETE ON main.drafts BEGIN
        INSERT OR IGNORE INTO wiped VALUES (1);
    END;
    CREATE TEMP TRIGGER wiped_deferred AFTER DELETE ON main.deferred BEGIN
        INSERT OR IGNORE INTO wiped VALUES (1);
    END;";

/// Opens a connection, hands over the key and proves it by reading.
fn connect(path: &Path, key: &FileKey, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Before the key: SQLCipher would print its own lines to stderr.
    connection.execute_batch("PRAGMA cipher_log_level = NONE")?;
    connection.execute_batch(&key_pragma(key))?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(128);
    // The first read is what fails if the key is wrong or the first page is damaged.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    settings(&connection)?;
    Ok(connection)
}

/// What holds for every connection.
fn settings(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch(
        "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
         PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000;
         PRAGMA journal_size_limit = 16777216; PRAGMA recursive_triggers = OFF",
    )?;
    Ok(())
}

/// The statement that hands over key and salt.
fn key_pragma(key: &FileKey) -> Zeroizing<String> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = Zeroizing::new(String::with_capacity(128));
    text.push_str("PRAGMA key = \"x'");
    for byte in key.key.iter().chain(&key.salt) {
        for digit in [byte >> 4, byte & 15] {
            text.push(DIGITS.get(usize::from(digit)).copied().map_or('0', char::from));
        }
    }
    text.push_str("'\"");
    text
}

/// Tells files that cannot be ours before a key is tried on them.
fn check_header(path: &Path, key: &FileKey) -> Result<(), StoreError> {
    use std::io::Read;
    let mut head = Vec::with_capacity(16);
    std::fs::File::open(path)?.take(16).read_to_end(&mut head)?;
    if head == key.salt {
        Ok(())
    } else if head.len() < 16 {
        Err(StoreError::Damaged)
    } else {
        Err(StoreError::Foreign)
    }
}

/// Chooses how SQLite keeps a transaction whole.
fn log_mode(connection: &Connection, mode: &str) -> Result<(), StoreError> {
    let got: String = connection.pragma_update_and_check(None, "journal_mode", mode, |row| row.get(0))?;
    if got.eq_ignore_ascii_case(mode) { Ok(()) } else { Err(StoreError::ReadOnly) }
}
