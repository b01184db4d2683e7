//! How the database's layout grows.
//!
//! Decision: numbered steps, each one SQL file that is never changed after a release. The number of the last step
//! done is SQLite's `user_version`; a step and its number are written in one transaction, so a crash leaves either
//! the old layout or the new one. A database from a newer program is refused, not guessed at.

use rusqlite::Connection;

use super::error::StoreError;

/// Marks a SQLite file as ours: "Sept".
pub(super) const APPLICATION_ID: i64 = 0x5365_7074;
/// What versions before the first release wrote there, whose layout leads nowhere: "Sptt".
pub(super) const UNRELEASED_ID: i64 = 0x5370_7474;

/// The steps, the first leads from an empty file to version 1.
pub(super) const STEPS: &[&str] = &[include_str!("schema/001.sql")];

/// Brings a database up to the newest of `steps`.
pub(super) fn migrate(db: &mut Connection, steps: &[&str]) -> Result<(), StoreError> {
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let found = version(db)?;
    if found > known {
        return Err(StoreError::NewerVersion { found, known });
    }
    for (number, step) in (1..).zip(steps).skip_while(|(number, _)| *number <= found) {
        let transaction = db.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.commit()?;
    }
    Ok(())
}

/// How many steps the database has done; 0 for an empty one.
pub(super) fn version(db: &Connection) -> Result<i64, StoreError> {
    Ok(db.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(db: &Connection) -> Vec<String> {
        let mut statement = db.prepare("SELECT name FROM sqlite_schema ORDER BY name").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn every_older_version_ends_as_the_newest() {
        let mut newest = Connection::open_in_memory().unwrap();
        migrate(&mut newest, STEPS).unwrap();
        for older in 0..=STEPS.len() {
            let mut db = Connection::open_in_memory().unwrap();
            migrate(&mut db, &STEPS[..older]).unwrap();
            assert_eq!(version(&db).unwrap(), older as i64);
            migrate(&mut db, STEPS).unwrap();
            assert_eq!(tables(&db), tables(&newest), "from version {older}");
            assert_eq!(version(&db).unwrap(), STEPS.len() as i64);
        }
    }

    #[test]
    fn data_survives_a_step_and_a_step_that_fails_changes_nothing() {
        let first = "CREATE TABLE a (x INTEGER NOT NULL) STRICT; INSERT INTO a VALUES (7);";
        let good = "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 1;";
        let bad = "CREATE TABLE b (z INTEGER) STRICT; INSERT INTO nowhere VALUES (1);";
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, &[first]).unwrap();
        assert!(migrate(&mut db, &[first, good, bad]).is_err());
        assert_eq!(version(&db).unwrap(), 2);
        assert!(!tables(&db).contains(&"b".to_owned()));
        let sum: i64 = db.query_row("SELECT x + y FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!(sum, 8);
    }

    #[test]
    fn a_database_of_a_newer_program_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        db.pragma_update(None, "user_version", 99).unwrap();
        let error = migrate(&mut db, STEPS).unwrap_err();
        assert!(matches!(error, StoreError::NewerVersion { found: 99, .. }), "{error}");
    }
}
