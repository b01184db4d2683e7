//! How the database's layout grows.
//!
//! Decision: numbered steps, each one SQL file that is never changed after a release. The number of the last step
//! done is SQLite's `user_version`; a step and its number are written in one transaction, so a crash leaves either
//! the old layout or the new one. Foreign keys are not enforced during a step and checked at its end. A database from a
//! newer program is refused, not guessed at.

use rusqlite::{Connection, TransactionBehavior};

use super::error::StoreError;

/// Marks a SQLite file as ours: "Sep1".
pub(super) const APPLICATION_ID: i64 = 0x5365_7031;
/// What versions before the first release wrote there, whose layouts lead nowhere: "Sptt", "Sept".
pub(super) const UNRELEASED_IDS: [i64; 2] = [0x5370_7474, 0x5365_7074];

/// The steps, the first leads from an empty file to version 1.
pub(super) const STEPS: &[&str] = &[include_str!("schema/001.sql")];

/// Brings a database up to the newest of `steps`.
pub(super) fn migrate(db: &mut Connection, steps: &[&str]) -> Result<(), StoreError> {
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let found = version(db)?;
    if found > known {
        return Err(StoreError::NewerVersion { found, known });
    }
    if found == known {
        return Ok(());
    }
    // A table that is made anew is dropped on the way; what points at it must not go with it. This can only be switched
    // outside of a transaction.
    db.pragma_update(None, "foreign_keys", false)?;
    let done = (1..).zip(steps).skip_while(|(number, _)| *number <= found).try_for_each(|(number, step)| {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        if transaction.prepare("PRAGMA foreign_key_check")?.exists([])? {
            return Err(StoreError::Damaged);
        }
        transaction.pragma_update(None, "user_version", number)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        Ok(transaction.commit()?)
    });
    db.pragma_update(None, "foreign_keys", true)?;
    done
}

/// How many steps the database has done; 0 for an empty one.
pub(super) fn version(db: &Connection) -> Result<i64, StoreError> {
    Ok(db.pragma_query_value(None, "user_version", |row| row.get(0))?)
}
