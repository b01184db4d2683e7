//! A network that outlives its process: keys, ports, messages and files in one SQLite database.
//!
//! Decision: memory is what requests work on; this only follows. Each change is written before its request is
//! answered, without waiting for the disk: it survives the end of the process, killed or not, though perhaps not a
//! power cut, which is enough for a test network. A change that cannot be written is logged, and the network goes on.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, OptionalExtension, params};
use septet_protocol::id::MessageHash;

use crate::error::DevnetError;
use crate::pubkey::Pubkey;
use crate::storage::{Journal, Storage};
use crate::stored::{NameRecord, StoredFile, StoredMessage, Token};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS nodes (
        node INTEGER PRIMARY KEY, swarm INTEGER NOT NULL, seed BLOB NOT NULL, legacy BLOB NOT NULL,
        port INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS contents (hash BLOB PRIMARY KEY, data BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS messages (
        node INTEGER NOT NULL, arrival INTEGER NOT NULL, account BLOB NOT NULL, namespace INTEGER NOT NULL,
        hash BLOB NOT NULL, timestamp INTEGER NOT NULL, expiry INTEGER NOT NULL,
        PRIMARY KEY (node, arrival)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS revoked (
        node INTEGER NOT NULL, account BLOB NOT NULL, place INTEGER NOT NULL, token BLOB NOT NULL,
        PRIMARY KEY (node, account, place)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS files (
        id TEXT PRIMARY KEY, uploaded INTEGER NOT NULL, expires INTEGER NOT NULL, data BLOB NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS names (hash BLOB PRIMARY KEY, encrypted BLOB NOT NULL, nonce BLOB NOT NULL) STRICT;
    DELETE FROM contents WHERE hash NOT IN (SELECT hash FROM messages);
";

/// A node as it was made.
#[derive(Clone)]
pub(crate) struct NodeRecord {
    pub swarm: u64,
    pub seed: [u8; 32],
    pub legacy: [u8; 32],
    /// 0 before it was given one.
    pub port: u16,
}

/// The number of a node, as a column.
struct NodeIndex(usize);

impl FromSql for NodeIndex {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        usize::try_from(number).map(Self).map_err(|_| FromSqlError::OutOfRange(number))
    }
}

/// The open database.
pub(crate) struct State(Mutex<Connection>);

impl State {
    /// Opens the database of a folder, which is made if need be.
    pub fn open(folder: &Path) -> Result<Self, DevnetError> {
        std::fs::create_dir_all(folder)
            .map_err(|source| DevnetError::Folder { folder: folder.to_owned(), source })?;
        let connection = Connection::open(folder.join("devnet.sqlite"))?;
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Mutex::new(connection)))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value kept under a name.
    pub fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, DevnetError> {
        let connection = self.lock();
        let mut query = connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
        Ok(query.query_row([key], |row| row.get(0)).optional()?)
    }

    /// Keeps a value under a name.
    pub fn set_meta(&self, key: &str, value: &[u8]) -> Result<(), DevnetError> {
        self.lock()
            .execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)", params![key, value])?;
        Ok(())
    }

    /// The nodes in their order; none in a fresh folder.
    pub fn nodes(&self) -> Result<Vec<NodeRecord>, DevnetError> {
        let connection = self.lock();
        let mut query = connection.prepare("SELECT swarm, seed, legacy, port FROM nodes ORDER BY node")?;
        let rows = query.query_map([], |row| {
            let swarm = row.get::<_, i64>(0)?.cast_unsigned();
            Ok(NodeRecord { swarm, seed: row.get(1)?, legacy: row.get(2)?, port: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps the nodes.
    pub fn set_nodes(&self, nodes: &[NodeRecord]) -> Result<(), DevnetError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare(
                "INSERT OR REPLACE INTO nodes (node, swarm, seed, legacy, port) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for (index, node) in (0_i64..).zip(nodes) {
                insert.execute(params![
                    index,
                    node.swarm.cast_signed(),
                    node.seed,
                    node.legacy,
                    node.port
                ])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Puts back what each node stored. Members of a swarm share the bytes of a message.
    pub fn load_storage(&self, nodes: &mut [Storage]) -> Result<(), DevnetError> {
        let connection = self.lock();
        let mut contents: BTreeMap<[u8; 32], Arc<[u8]>> = BTreeMap::new();
        let mut query = connection.prepare("SELECT hash, data FROM contents")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            contents.insert(row.get(0)?, row.get::<_, Vec<u8>>(1)?.into());
        }
        let mut query = connection.prepare(
            "SELECT node, arrival, account, namespace, hash, timestamp, expiry FROM messages ORDER BY node, arrival",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let hash: [u8; 32] = row.get(4)?;
            let (Some(storage), Some(data)) =
                (nodes.get_mut(row.get::<_, NodeIndex>(0)?.0), contents.get(&hash))
            else {
                continue;
            };
            let message = StoredMessage {
                hash: MessageHash(hash),
                namespace: row.get(3)?,
                timestamp: row.get::<_, i64>(5)?.cast_unsigned(),
                expiry: row.get::<_, i64>(6)?.cast_unsigned(),
                data: Arc::clone(data),
            };
            storage.restore(row.get::<_, i64>(1)?.cast_unsigned(), Pubkey(row.get(2)?), message);
        }
        let mut query = connection.prepare("SELECT node, account, token FROM revoked ORDER BY place")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(storage) = nodes.get_mut(row.get::<_, NodeIndex>(0)?.0) {
                storage.restore_revoked(Pubkey(row.get(1)?), row.get(2)?);
            }
        }
        Ok(())
    }

    /// The uploaded files.
    pub fn files(&self) -> Result<BTreeMap<String, StoredFile>, DevnetError> {
        let connection = self.lock();
        let mut query = connection.prepare("SELECT id, uploaded, expires, data FROM files")?;
        let rows = query.query_map([], |row| {
            let file = StoredFile {
                uploaded: row.get::<_, i64>(1)?.cast_unsigned(),
                expires: row.get::<_, i64>(2)?.cast_unsigned(),
                data: Bytes::from(row.get::<_, Vec<u8>>(3)?),
            };
            Ok((row.get(0)?, file))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps a file, or its new times.
    pub fn put_file(&self, id: &str, file: &StoredFile) {
        self.write(
            "INSERT INTO files (id, uploaded, expires, data) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET expires = excluded.expires",
            params![id, file.uploaded.cast_signed(), file.expires.cast_signed(), &file.data[..]],
        );
    }

    /// Forgets a file.
    pub fn remove_file(&self, id: &str) {
        self.write("DELETE FROM files WHERE id = ?1", [id]);
    }

    /// The registered names.
    pub fn names(&self) -> Result<BTreeMap<[u8; 32], NameRecord>, DevnetError> {
        let connection = self.lock();
        let mut query = connection.prepare("SELECT hash, encrypted, nonce FROM names")?;
        let rows = query.query_map([], |row| {
            Ok((row.get(0)?, NameRecord { encrypted: row.get(1)?, nonce: row.get(2)? }))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps a registered name.
    pub fn put_name(&self, hash: &[u8; 32], record: &NameRecord) {
        self.write(
            "INSERT OR REPLACE INTO names (hash, encrypted, nonce) VALUES (?1, ?2, ?3)",
            params![hash, record.encrypted, record.nonce],
        );
    }

    fn write(&self, sql: &str, values: impl rusqlite::Params) {
        let connection = self.lock();
        let written = connection.prepare_cached(sql).and_then(|mut statement| statement.execute(values));
        if let Err(error) = written {
            tracing::error!(%error, "a change of the local network could not be kept");
        }
    }
}

/// One node's part of the database.
pub(crate) struct NodeJournal {
    state: Arc<State>,
    node: i64,
}

impl NodeJournal {
    pub fn new(state: Arc<State>, node: usize) -> Self {
        Self { state, node: i64::try_from(node).unwrap_or(i64::MAX) }
    }
}

impl Journal for NodeJournal {
    fn insert(&self, row: u64, account: &Pubkey, message: &StoredMessage) {
        self.state.write(
            "INSERT OR IGNORE INTO contents (hash, data) VALUES (?1, ?2)",
            params![message.hash.0, &message.data[..]],
        );
        self.state.write(
            "INSERT INTO messages (node, arrival, account, namespace, hash, timestamp, expiry)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                self.node,
                row.cast_signed(),
                account.0,
                message.namespace,
                message.hash.0,
                message.timestamp.cast_signed(),
                message.expiry.cast_signed()
            ],
        );
    }

    fn expiry(&self, row: u64, expiry: u64) {
        self.state.write(
            "UPDATE messages SET expiry = ?3 WHERE node = ?1 AND arrival = ?2",
            params![self.node, row.cast_signed(), expiry.cast_signed()],
        );
    }

    fn remove(&self, row: u64) {
        self.state.write(
            "DELETE FROM messages WHERE node = ?1 AND arrival = ?2",
            params![self.node, row.cast_signed()],
        );
    }

    fn revoked(&self, account: &Pubkey, tokens: &VecDeque<Token>) {
        self.state
            .write("DELETE FROM revoked WHERE node = ?1 AND account = ?2", params![self.node, account.0]);
        for (place, token) in (0_i64..).zip(tokens) {
            self.state.write(
                "INSERT INTO revoked (node, account, place, token) VALUES (?1, ?2, ?3, ?4)",
                params![self.node, account.0, place, token],
            );
        }
    }
}
