//! How profiles of older versions become those of this one, with everything in them.
//!
//! Every version has a file of data that fills all its tables. A step that is added brings its own; the tests then take
//! the data of each older version through all steps.

use std::path::Path;

use rusqlite::Connection;

use super::*;
use crate::store::migrate::{APPLICATION_ID, STEPS, migrate, version};

/// What fills the tables of each version.
const DATA: &[&str] = &[include_str!("data/001.sql")];

/// A step as a later version may bring: makes a table anew that others point at, and fills a new column of it.
const REBUILD: &str = "
    CREATE TABLE new_servers (id INTEGER PRIMARY KEY, base TEXT NOT NULL UNIQUE, key BLOB NOT NULL,
        secure INTEGER NOT NULL) STRICT;
    INSERT INTO new_servers SELECT id, base, key, base LIKE 'https:%' FROM servers;
    DROP TABLE servers;
    ALTER TABLE new_servers RENAME TO servers;";

fn number(db: &Connection, sql: &str) -> i64 {
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn names(db: &Connection, condition: &str) -> Vec<String> {
    let sql = format!("SELECT name FROM sqlite_schema WHERE {condition} ORDER BY name");
    let mut statement = db.prepare(&sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Tables of rows, not those that search is made of.
fn tables(db: &Connection) -> Vec<String> {
    names(db, "type = 'table' AND sql LIKE '%STRICT%'")
}

/// A database of an older version, with data.
fn filled(connection: Connection, version: usize) -> Connection {
    let mut db = connection;
    migrate(&mut db, &STEPS[..version]).unwrap();
    db.execute_batch(DATA[version - 1]).unwrap();
    db
}

fn memory() -> Connection {
    Connection::open_in_memory().unwrap()
}

/// Everything of a database is in order.
fn check(db: &Connection) {
    let ok: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(ok, "ok");
    assert!(!db.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap());
    assert_eq!(number(db, "PRAGMA foreign_keys"), 1, "enforced again");
    for table in ["search_words", "search_trigrams"] {
        let check = format!("INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)");
        db.execute(&check, []).unwrap();
    }
    let wrong = "SELECT count(*) FROM conversations c WHERE (unread, mentions) <>
        (SELECT count(*), coalesce(sum(mention), 0) FROM messages m WHERE m.conversation = c.id AND counts = 1
         AND (m.sorted_at, m.timestamp) > (c.last_read, c.last_read))";
    assert_eq!(number(db, wrong), 0, "counters");
}

#[test]
fn the_data_of_every_older_version_is_all_there_in_the_newest() {
    assert_eq!(DATA.len(), STEPS.len(), "each step brings data of its version");
    let mut newest = memory();
    migrate(&mut newest, STEPS).unwrap();
    for older in 1..=STEPS.len() {
        let mut db = filled(memory(), older);
        let rows = |db: &Connection, table: &str| number(db, &format!("SELECT count(*) FROM {table}"));
        let before: Vec<(String, i64)> =
            tables(&db).into_iter().map(|it| (it.clone(), rows(&db, &it))).collect();
        for (table, count) in &before {
            assert!(*count > 0, "version {older} has no data in {table}");
        }
        migrate(&mut db, STEPS).unwrap();
        check(&db);
        assert_eq!(version(&db).unwrap(), STEPS.len() as i64);
        assert_eq!(names(&db, "1"), names(&newest, "1"), "from version {older}");
        for (table, count) in before.iter().filter(|(table, _)| tables(&db).contains(table)) {
            assert_eq!(rows(&db, table), *count, "{table}, from version {older}");
        }
    }
}

#[test]
fn what_points_at_a_table_survives_that_it_is_made_anew() {
    let mut db = filled(memory(), 1);
    migrate(&mut db, &[STEPS[0], REBUILD]).unwrap();
    for table in ["blinded", "rooms"] {
        assert_eq!(number(&db, &format!("SELECT count(*) FROM {table}")), 1, "{table}");
    }
    assert_eq!(number(&db, "SELECT secure FROM servers"), 1);
    check(&db);
    assert_eq!((version(&db).unwrap(), number(&db, "PRAGMA application_id")), (2, APPLICATION_ID));
    assert_eq!(number(&db, "PRAGMA foreign_keys"), 1);
}

#[test]
fn a_step_that_loses_what_others_point_at_is_not_taken() {
    let mut db = filled(memory(), 1);
    let loses = "DELETE FROM people WHERE id = 2";
    assert!(matches!(migrate(&mut db, &[STEPS[0], loses]), Err(StoreError::Damaged)));
    assert_eq!(version(&db).unwrap(), 1);
    check(&db);
}

#[test]
fn a_step_that_fails_changes_nothing_and_those_before_it_stay() {
    let first = "CREATE TABLE a (x INTEGER NOT NULL) STRICT; INSERT INTO a VALUES (7);";
    let good = "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 1;";
    let bad = "CREATE TABLE b (z INTEGER) STRICT; INSERT INTO nowhere VALUES (1);";
    let mut db = memory();
    migrate(&mut db, &[first]).unwrap();
    assert!(migrate(&mut db, &[first, good, bad]).is_err());
    assert_eq!(version(&db).unwrap(), 2);
    assert_eq!(names(&db, "name = 'b'"), Vec::<String>::new());
    assert_eq!(number(&db, "SELECT x + y FROM a"), 8);
}

/// What the disk holds of a database at this moment, as if the power went.
fn copied(path: &Path, to: &Path) -> Connection {
    for end in ["", "-wal"] {
        let (from, to) = (format!("{}{end}", path.display()), format!("{}{end}", to.display()));
        if Path::new(&from).exists() {
            std::fs::copy(from, to).unwrap();
        }
    }
    Connection::open(to).unwrap()
}

#[test]
fn killed_in_the_middle_of_a_step_the_old_version_is_there_with_all_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let parts: Vec<&str> = REBUILD.split_inclusive(';').filter(|part| !part.trim().is_empty()).collect();
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    let mut db = filled(connection, 1);
    for done in 1..=parts.len() {
        db.pragma_update(None, "foreign_keys", false).unwrap();
        let step = db.transaction().unwrap();
        step.execute_batch(&parts[..done].concat()).unwrap();
        step.cache_flush().unwrap();
        let mut after = copied(&path, &folder.path().join(format!("{done}.db")));
        assert_eq!(version(&after).unwrap(), 1, "after {done} parts");
        after.pragma_update(None, "foreign_keys", true).unwrap();
        check(&after);
        migrate(&mut after, &[STEPS[0], REBUILD]).unwrap();
        assert_eq!(version(&after).unwrap(), 2);
        // Dropping it undoes it, as the end of the connection does.
        drop(step);
        assert_eq!(version(&db).unwrap(), 1);
    }
}

#[test]
fn a_database_of_a_newer_program_is_refused() {
    let mut db = memory();
    db.pragma_update(None, "user_version", 99).unwrap();
    let error = migrate(&mut db, STEPS).unwrap_err();
    assert!(matches!(error, StoreError::NewerVersion { found: 99, .. }), "{error}");
}
