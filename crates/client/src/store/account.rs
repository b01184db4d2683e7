//! Who we are, and the small things: settings, the clock of sent timestamps, configs.

use rusqlite::{OptionalExtension, Row, named_params, params};
use septet_protocol::account::Seed;
use septet_protocol::id::{Account, Ed25519Public, Namespace, SessionId};
use septet_protocol::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::db::{Db, Me};
use super::error::StoreError;
use super::people::picture_id;
use super::types::{Now, StoredConfig};
use super::values::{Ms, Node, Owner, Person, time};
use crate::model::Profile;

/// A timestamp that is further ahead of now than this, in ms, was given under a wrong clock.
pub(super) const AHEAD_MS: u64 = 5000;
/// How much later than a request response what goes with it is dated, in ms (spec 02 §21.2).
const RESPONSE_LEAD_MS: u64 = 100;

/// Whether something of ours has a sent timestamp.
pub(super) const IS_USED: &str = "SELECT 1 FROM messages WHERE author = ?1 AND timestamp = ?2 AND local = 0
     UNION ALL SELECT 1 FROM outbox WHERE timestamp = ?2 AND message IS NULL";

/// The account of a profile folder.
pub struct StoredAccount {
    /// Our Account ID.
    pub id: SessionId,
    /// What all its keys come from (spec 01 §1).
    pub seed: Seed,
    /// When it came into this folder.
    pub created: Timestamp,
}

/// The setting that says that our own swarm was read whole.
const SWARM_WAS_READ: &str = "swarm_was_read";

impl Db {
    /// Writes the one account of a new database.
    pub(crate) fn insert_account(&mut self, account: &StoredAccount) -> Result<(), StoreError> {
        self.transaction(|db| {
            let person = db.person(account.id)?;
            let sql = "INSERT INTO account (id, person, seed, created) VALUES (1, ?1, ?2, ?3)";
            db.sql().execute(sql, params![person, &account.seed.as_bytes()[..], Ms(account.created)])?;
            db.sql().execute("UPDATE people SET approved = 1, approved_me = 1 WHERE id = ?1", [person])?;
            Ok(())
        })
    }

    /// The account with its seed.
    pub fn account(&self) -> Result<StoredAccount, StoreError> {
        let sql = "SELECT p.account, a.seed, a.created FROM account a JOIN people p ON p.id = a.person";
        self.sql()
            .query_row(sql, [], |row| {
                let Person(id) = row.get(0)?;
                Ok(StoredAccount { id, seed: Seed::from_bytes(row.get(1)?), created: time(row, 2)? })
            })
            .optional()?
            .ok_or(StoreError::NoProfile)
    }

    /// Ourselves.
    pub(super) fn me(&self) -> Result<Me, StoreError> {
        if let Some(me) = self.cached_me() {
            return Ok(me);
        }
        let sql = "SELECT p.account, p.id FROM account a JOIN people p ON p.id = a.person";
        let me = self.sql().query_row(sql, [], |row| {
            let Person(id) = row.get(0)?;
            Ok(Me { id, person: row.get(1)? })
        })?;
        self.cache_me(me);
        Ok(me)
    }

    /// Our name and picture.
    pub fn profile(&self) -> Result<Profile, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "SELECT p.account, p.name, p.picture_file FROM account a JOIN people p ON p.id = a.person",
        )?;
        let read = self.swarm_was_read()?;
        Ok(statement.query_row([], |row| {
            let Person(id) = row.get(0)?;
            Ok(Profile { id, name: row.get(1)?, picture: picture_id(row.get(2)?), read })
        })?)
    }

    /// Whether our own swarm was read whole in this profile's life, or need not be because the account was made here.
    pub fn swarm_was_read(&self) -> Result<bool, StoreError> {
        Ok(self.setting(SWARM_WAS_READ)?.unwrap_or(false))
    }

    /// Our own swarm was read whole.
    pub fn set_swarm_was_read(&mut self) -> Result<(), StoreError> {
        self.set_setting(SWARM_WAS_READ, &true)
    }

    /// A timestamp for something we send: now, or one more than the last one given out, so that none is ever used
    /// twice and later things have later ones, also if the clock is set back a little (spec 02 §6).
    ///
    /// A last one that is far ahead of the network's time was given under a wrong clock. It is left behind, not
    /// followed into the future; should time reach what was given out there, that is stepped over.
    pub fn next_timestamp(&mut self, now: Now) -> Result<Timestamp, StoreError> {
        self.transaction(|db| {
            let last = db.last_timestamp()?;
            let mut next = match now.known() {
                Some(now) if last > now + AHEAD_MS => now,
                _ => now.at().max(last + 1),
            };
            while db.is_used(next)? {
                next = next + 1;
            }
            db.sql().prepare_cached("UPDATE clock SET last = ?1")?.execute([Ms(next)])?;
            Ok(next)
        })
    }

    /// A timestamp for telling somebody that they are accepted: what follows is dated [`RESPONSE_LEAD_MS`] later at
    /// least, and exactly so if it is written at the same moment (spec 02 §21.2).
    pub fn response_timestamp(&mut self, now: Now) -> Result<Timestamp, StoreError> {
        self.transaction(|db| {
            let before = match now {
                Now::Known(now) => Now::Known(now - RESPONSE_LEAD_MS),
                Now::Guessed(now) => Now::Guessed(now - RESPONSE_LEAD_MS),
            };
            let at = db.next_timestamp(before)?;
            db.raise_clock(at + (RESPONSE_LEAD_MS - 1))?;
            Ok(at)
        })
    }

    /// Whether something of ours that is still here has this sent timestamp.
    fn is_used(&self, at: Timestamp) -> Result<bool, StoreError> {
        let mut statement = self.sql().prepare_cached(IS_USED)?;
        Ok(statement.exists(params![self.me()?.person, Ms(at)])?)
    }

    /// The newest timestamp given to anything we sent.
    pub fn last_timestamp(&self) -> Result<Timestamp, StoreError> {
        Ok(self.sql().prepare_cached("SELECT last FROM clock")?.query_row([], |row| time(row, 0))?)
    }

    /// Notes that a timestamp is used.
    pub(super) fn raise_clock(&self, used: Timestamp) -> Result<(), StoreError> {
        self.sql().prepare_cached("UPDATE clock SET last = ?1 WHERE last < ?1")?.execute([Ms(used)])?;
        Ok(())
    }

    /// A setting; `None` if it was never set, or not in this form.
    pub fn setting<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let mut statement = self.sql().prepare_cached("SELECT value FROM settings WHERE name = ?1")?;
        let json: Option<String> = statement.query_row([name], |row| row.get(0)).optional()?;
        Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
    }

    /// Writes a setting down.
    pub fn set_setting(&mut self, name: &str, value: &impl Serialize) -> Result<(), StoreError> {
        let json = serde_json::to_string(value).map_err(|error| {
            StoreError::Database(rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
        })?;
        let sql = "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value";
        self.sql().prepare_cached(sql)?.execute(params![name, json])?;
        Ok(())
    }

    /// A config of an account or group; nothing of the others is read.
    pub fn config(&self, owner: Account, namespace: Namespace) -> Result<Option<StoredConfig>, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "SELECT owner, namespace, dump, needs_push, processed_at FROM configs
             WHERE owner = ?1 AND namespace = ?2",
        )?;
        Ok(statement.query_row(params![Owner(owner), namespace.0], config).optional()?)
    }

    /// Which configs of an account or group are stored, in order.
    pub fn config_namespaces(&self, owner: Account) -> Result<Vec<Namespace>, StoreError> {
        self.namespaces("SELECT namespace FROM configs WHERE owner = ?1 ORDER BY namespace", owner)
    }

    /// Which of them the swarm is to get, or to delete something for.
    pub fn configs_to_push(&self, owner: Account) -> Result<Vec<Namespace>, StoreError> {
        let sql = "SELECT namespace FROM configs WHERE owner = ?1 AND needs_push = 1 ORDER BY namespace";
        self.namespaces(sql, owner)
    }

    fn namespaces(&self, sql: &str, owner: Account) -> Result<Vec<Namespace>, StoreError> {
        let mut statement = self.sql().prepare_cached(sql)?;
        let rows = statement.query_map([Owner(owner)], |row| Ok(Namespace(row.get(0)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Writes a config down; in one transaction with what it describes, see [`Db::transaction`].
    pub fn save_config(&mut self, config: &StoredConfig) -> Result<(), StoreError> {
        let mut statement = self.sql().prepare_cached(
            "INSERT INTO configs (owner, namespace, dump, needs_push, processed_at)
             VALUES (:owner, :namespace, :dump, :push, :processed)
             ON CONFLICT DO UPDATE SET dump = excluded.dump, needs_push = excluded.needs_push,
                 processed_at = max(processed_at, excluded.processed_at)",
        )?;
        statement.execute(named_params! {
            ":owner": Owner(config.owner),
            ":namespace": config.namespace.0,
            ":dump": &config.dump[..],
            ":push": config.needs_push,
            ":processed": Ms(config.processed_at),
        })?;
        Ok(())
    }

    /// A member of the swarm says that the newest config message it showed was stored at this time. It counts as soon
    /// as two members say so: nothing proves it, and what is older than it may be dropped (spec 02 §21.5).
    pub fn claim_config_time(
        &mut self,
        owner: Account,
        namespace: Namespace,
        node: Ed25519Public,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.transaction(|db| {
            let claim = "INSERT INTO config_claims (owner, namespace, node, at) VALUES (?1, ?2, ?3, ?4)
                         ON CONFLICT DO UPDATE SET at = max(at, excluded.at)";
            let key = params![Owner(owner), namespace.0, Node(node), Ms(at)];
            db.sql().prepare_cached(claim)?.execute(key)?;
            let confirm = "UPDATE configs SET processed_at = max(processed_at, coalesce(
                               (SELECT at FROM config_claims WHERE owner = ?1 AND namespace = ?2
                                ORDER BY at DESC LIMIT 1 OFFSET 1), 0))
                           WHERE owner = ?1 AND namespace = ?2";
            db.sql().prepare_cached(confirm)?.execute(params![Owner(owner), namespace.0])?;
            Ok(())
        })
    }

    /// What a member said last with [`Db::claim_config_time`]; zero if nothing.
    pub(super) fn claimed_config_time(
        &self,
        owner: Account,
        namespace: Namespace,
        node: Ed25519Public,
    ) -> Result<Timestamp, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "SELECT at FROM config_claims WHERE owner = ?1 AND namespace = ?2 AND node = ?3",
        )?;
        let key = params![Owner(owner), namespace.0, Node(node)];
        Ok(statement.query_row(key, |row| time(row, 0)).optional()?.unwrap_or_default())
    }

    /// Sent timestamp of the newest config message merged, as two members say; zero if none.
    pub(super) fn config_processed_at(
        &self,
        owner: Account,
        namespace: Namespace,
    ) -> Result<Timestamp, StoreError> {
        let mut statement = self
            .sql()
            .prepare_cached("SELECT processed_at FROM configs WHERE owner = ?1 AND namespace = ?2")?;
        let found = statement.query_row(params![Owner(owner), namespace.0], |row| time(row, 0)).optional()?;
        Ok(found.unwrap_or_default())
    }
}

fn config(row: &Row<'_>) -> rusqlite::Result<StoredConfig> {
    let Owner(owner) = row.get(0)?;
    Ok(StoredConfig {
        owner,
        namespace: Namespace(row.get(1)?),
        dump: Zeroizing::new(row.get(2)?),
        needs_push: row.get(3)?,
        processed_at: time(row, 4)?,
    })
}
