//! Profile folders: made, opened, refused, killed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::*;
use crate::store::profile;

const KEY_FILE: KeyProtection = KeyProtection::KeyFile;

fn account() -> StoredAccount {
    StoredAccount { id: me(), seed: Seed::from_bytes([1; 16]), created: NOW }
}

/// A folder for one profile that is not there yet.
fn folder() -> (TempDir, PathBuf) {
    let outer = tempfile::tempdir().unwrap();
    let path = outer.path().join("some").join("profile");
    (outer, path)
}

/// A closed profile with one message in it.
fn closed_profile(path: &Path) {
    let folder = ProfileFolder::create(path, KEY_FILE, &account(), |db| {
        take(db, vec![from(alice(), at(1), text("kept"))]);
        Ok(())
    });
    drop(folder.unwrap());
}

fn open(path: &Path) -> Result<Db, StoreError> {
    let folder = ProfileFolder::open(path)?;
    Db::open(&folder.database(), &profile::file_key(&folder.key()?))
}

fn refusal(path: &Path) -> StoreError {
    open(path).err().expect("must be refused")
}

/// Every file of a folder with its bytes.
fn contents(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && !path.ends_with("lock"))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_profile_is_made_closed_and_opened() {
    let (_outer, path) = folder();
    assert!(!profile_exists(&path));
    assert!(matches!(Store::open(&path), Err(StoreError::NoProfile)));
    let store = Store::create(&path, KEY_FILE, &account(), |db| {
        db.set_profile(me(), &ProfileData { name: "Me".into(), picture: None, updated: 5 })
    })
    .unwrap();
    assert!(profile_exists(&path));
    store.call(|db| db.apply_received(&batch(vec![from(alice(), at(1), text("hi"))]))).await.unwrap();
    let page = store.read(|db| db.messages(with(db, alice()), Page::Newest, 10, NOW)).await.unwrap();
    assert_eq!(page.messages.len(), 1, "a read that follows a write sees it");
    assert!(store.read(|db| db.sql().execute("DELETE FROM messages", []).map_err(Into::into)).await.is_err());
    let name = store.write_file(b"picture".to_vec()).await.unwrap();
    assert_eq!(store.read_file(&name).await.unwrap(), b"picture");
    let clone = store.clone();
    store.close().await;
    assert!(matches!(clone.read(|db| db.profile()).await, Err(StoreError::Closed)));
    assert!(!path.join("septet.db-wal").exists(), "closing leaves no log");

    let store = Store::open(&path).unwrap();
    assert_eq!(store.read(|db| db.profile()).await.unwrap().name, "Me");
    let account = store.read(|db| db.account()).await.unwrap();
    assert!(account.id == me() && account.seed.as_bytes() == &[1; 16] && account.created == NOW);
    // Between two orders a step of the upkeep is done; the search for files that nobody needs is one of the first.
    for _ in 0..10 {
        store.call(|_| Ok(())).await.unwrap();
    }
    assert!(matches!(store.read_file(&name).await, Err(StoreError::NotFound)), "no row points at it");
    store.close().await;
}

#[tokio::test]
async fn files_go_with_their_messages() {
    let (_outer, path) = folder();
    let store = Store::create(&path, KEY_FILE, &account(), |_| Ok(())).unwrap();
    let file = store.write_file(vec![7; 1000]).await.unwrap();
    let name = file.clone();
    let id = store
        .call(move |db| {
            let mut message = outgoing(db, alice(), at(1), "");
            message.attachments = vec![NewAttachment {
                name: "x".into(),
                content_type: "image/png".into(),
                size: 1000,
                dimensions: None,
                voice: false,
                remote: None,
                file: Some(name),
                pointer: None,
                original: None,
            }];
            Ok(db.insert_outgoing(&message, &[], Now::Known(NOW))?.id)
        })
        .await
        .unwrap();
    store.close().await;
    let store = Store::open(&path).unwrap();
    assert_eq!(store.read_file(&file).await.unwrap().len(), 1000, "in use: not an orphan");
    store.call(move |db| db.cancel_outgoing(id)).await.unwrap();
    // The files are swept after the call's answer; the next call comes after that.
    assert!(store.call(|db| db.doomed_files(10)).await.unwrap().is_empty());
    assert!(matches!(store.read_file(&file).await, Err(StoreError::NotFound)));
    store.close().await;
}

#[tokio::test]
async fn a_second_process_is_refused_until_the_first_is_done() {
    let (_outer, path) = folder();
    let store = Store::create(&path, KEY_FILE, &account(), |_| Ok(())).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::InUse)));
    assert!(matches!(Store::create(&path, KEY_FILE, &account(), |_| Ok(())), Err(StoreError::InUse)));
    store.close().await;
    assert!(matches!(Store::create(&path, KEY_FILE, &account(), |_| Ok(())), Err(StoreError::AlreadyExists)));
    Store::open(&path).unwrap().close().await;
}

#[tokio::test]
async fn a_profile_given_up_leaves_room_for_another() {
    let (_outer, path) = folder();
    let store = Store::create(&path, KEY_FILE, &account(), |_| Ok(())).unwrap();
    store.write_file(b"a picture".to_vec()).await.unwrap();
    store.close().await;
    profile::discard_profile(&path).unwrap();
    assert!(!path.exists());
    fs::create_dir_all(&path).unwrap();
    // An old log beside a new database would be taken for its own.
    fs::write(path.join("septet.db-wal"), "old").unwrap();
    let store = Store::create(&path, KEY_FILE, &account(), |_| Ok(())).unwrap();
    store.close().await;
    assert_eq!(fs::read(path.join("septet.db-wal.old.1")).unwrap(), b"old");
}

#[test]
fn a_creation_that_was_interrupted_leaves_no_profile_and_can_be_done_again() {
    let (_outer, path) = folder();
    let failed = ProfileFolder::create(&path, KEY_FILE, &account(), |_| Err(StoreError::DiskFull));
    assert!(matches!(failed, Err(StoreError::DiskFull)));
    assert!(!profile_exists(&path));
    assert!(matches!(open(&path), Err(StoreError::NoProfile)));
    // As a crash would leave them: a key, half a database and its journal.
    fs::write(path.join("septet.db.new"), "half").unwrap();
    fs::write(path.join("septet.db.new-journal"), "half").unwrap();
    let old_key = fs::read(path.join("key")).unwrap();
    closed_profile(&path);
    assert_eq!(texts(&open(&path).unwrap(), alice()), ["kept"]);
    assert_eq!(fs::read(path.join("key.old.1")).unwrap(), old_key, "a key is never thrown away");
    assert!(!path.join("septet.db.new").exists());
}

#[cfg(unix)]
#[test]
fn everything_is_the_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let (_outer, path) = folder();
    closed_profile(&path);
    let _db = open(&path).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    for entry in fs::read_dir(&path).unwrap() {
        let file = entry.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[cfg(unix)]
#[test]
fn what_may_not_be_written_is_refused_and_left_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_outer, path) = folder();
    closed_profile(&path);
    let allow = |file: &Path, mode| fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    let database = path.join("septet.db");
    allow(&database, 0o400);
    if fs::OpenOptions::new().write(true).open(&database).is_ok() {
        return; // The superuser may write anything.
    }
    let before = contents(&path);
    assert!(matches!(refusal(&path), StoreError::ReadOnly));
    allow(&path.join("lock"), 0o400);
    assert!(matches!(refusal(&path), StoreError::ReadOnly));
    allow(&database, 0o600);
    allow(&path, 0o500);
    assert!(matches!(refusal(&path), StoreError::ReadOnly));
    allow(&path, 0o700);
    assert_eq!(contents(&path), before);
    let (_outer, other) = folder();
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    allow(other.parent().unwrap(), 0o500);
    let made = ProfileFolder::create(&other, KEY_FILE, &account(), |_| Ok(()));
    assert!(matches!(made, Err(StoreError::ReadOnly)));
    allow(other.parent().unwrap(), 0o700);
}

#[test]
fn nothing_readable_is_on_disk() {
    let (_outer, path) = folder();
    closed_profile(&path);
    let mut db = open(&path).unwrap();
    take(&mut db, vec![from(alice(), at(9), text("another secret line"))]);
    // With the log beside the database.
    for (file, bytes) in contents(&path) {
        let text = String::from_utf8_lossy(&bytes);
        for secret in ["another secret line", "kept", "SQLite format", "messages", &alice().to_string()] {
            assert!(!text.contains(secret), "{secret} in {}", file.display());
        }
    }
}

#[test]
fn foreign_and_damaged_databases_are_told_apart_and_left_alone() {
    let (_outer, path) = folder();
    closed_profile(&path);
    let database = path.join("septet.db");
    let good = fs::read(&database).unwrap();

    let check = |bytes: &[u8], is_right: fn(&StoreError) -> bool| {
        fs::write(&database, bytes).unwrap();
        let before = contents(&path);
        let error = refusal(&path);
        assert!(is_right(&error), "{error}");
        assert_eq!(contents(&path), before, "changed by a refused open");
    };
    check(b"", |error| matches!(error, StoreError::Damaged));
    check(b"SQLi", |error| matches!(error, StoreError::Damaged));
    check(b"this is a text file that somebody named so", |error| matches!(error, StoreError::Foreign));
    let mut changed = good.clone();
    changed[100] ^= 1;
    check(&changed, |error| matches!(error, StoreError::Damaged));
    check(&good[..1000], |error| matches!(error, StoreError::Damaged));

    let plain = path.join("plain");
    let other = rusqlite::Connection::open(&plain).unwrap();
    other.execute_batch("CREATE TABLE x (y)").unwrap();
    drop(other);
    let plain = fs::read(plain).unwrap();
    check(&plain, |error| matches!(error, StoreError::Foreign));

    let (_outer, stranger) = folder();
    closed_profile(&stranger);
    let of_another_profile = fs::read(stranger.join("septet.db")).unwrap();
    check(&of_another_profile, |error| matches!(error, StoreError::Foreign));

    fs::write(&database, &good).unwrap();
    assert_eq!(texts(&open(&path).unwrap(), alice()), ["kept"]);
}

#[test]
fn damage_inside_is_reported_when_it_is_met() {
    let (_outer, path) = folder();
    closed_profile(&path);
    let mut db = open(&path).unwrap();
    let long = "x".repeat(3000);
    take(&mut db, (0..300).map(|number| from(alice(), at(number + 10), text(&long))).collect());
    db.close().unwrap();
    let database = path.join("septet.db");
    let mut bytes = fs::read(&database).unwrap();
    let pages = bytes.len() / 4096;
    for page in pages / 2..pages {
        bytes[page * 4096 + 77] ^= 1;
    }
    fs::write(&database, bytes).unwrap();
    let error =
        open(&path).and_then(|db| db.messages(with(&db, alice()), Page::Newest, 500, NOW)).unwrap_err();
    assert!(matches!(error, StoreError::Damaged), "{error:?}");
}

#[test]
fn a_lost_or_wrong_key_and_a_newer_format_are_clear_errors() {
    let (_outer, path) = folder();
    closed_profile(&path);
    let (_outer, stranger) = folder();
    closed_profile(&stranger);
    let key = fs::read(path.join("key")).unwrap();
    fs::copy(stranger.join("key"), path.join("key")).unwrap();
    assert!(matches!(refusal(&path), StoreError::Foreign));
    fs::remove_file(path.join("key")).unwrap();
    assert!(matches!(refusal(&path), StoreError::KeyMissing));
    fs::write(path.join("key"), key).unwrap();
    let db = open(&path).unwrap();
    db.sql().pragma_update(None, "user_version", 99).unwrap();
    db.close().unwrap();
    assert!(matches!(refusal(&path), StoreError::NewerVersion { found: 99, .. }));
}

#[test]
fn a_full_disk_undoes_the_step_and_room_lets_it_go_on() {
    let (_outer, path) = folder();
    closed_profile(&path);
    let mut db = open(&path).unwrap();
    let pages: i64 = db.sql().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    db.sql().pragma_update(None, "max_page_count", pages + 5).unwrap();
    let long = "x".repeat(2000);
    let items: Vec<_> = (0..50).map(|number| from(alice(), at(number + 10), text(&long))).collect();
    let error = db.apply_received(&batch(items.clone())).err().unwrap();
    assert!(matches!(error, StoreError::DiskFull), "{error:?}");
    assert_eq!(texts(&db, alice()), ["kept"]);
    let message = outgoing(&mut db, alice(), at(5), &long.repeat(20));
    let unsent = db.insert_outgoing(&message, &[], Now::Known(NOW));
    assert!(matches!(unsent, Err(StoreError::DiskFull)));
    assert_eq!(db.last_timestamp().unwrap(), Timestamp::default());
    db.sql().pragma_update(None, "max_page_count", 1_000_000).unwrap();
    assert_eq!(take(&mut db, items).messages.len(), 50);
}

#[test]
fn a_crash_in_the_middle_of_a_transaction_leaves_the_state_before_it() {
    let (_outer, path) = folder();
    closed_profile(&path);
    let mut db = open(&path).unwrap();
    take(&mut db, vec![from(alice(), at(10), text("committed"))]);
    let (_outer, crashed) = folder();
    fs::create_dir_all(&crashed).unwrap();
    let undone: Result<(), StoreError> = db.transaction(|db| {
        take(db, (0..500).map(|number| from(alice(), at(number + 100), text("lost"))).collect());
        db.sql().cache_flush()?;
        // What the disk holds at this moment, as if the power went.
        for (file, bytes) in contents(&path) {
            fs::write(crashed.join(file.file_name().unwrap()), bytes).unwrap();
        }
        Err(StoreError::Closed)
    });
    assert!(undone.is_err());
    assert_eq!(texts(&open(&crashed).unwrap(), alice()), ["kept", "committed"]);
    assert_eq!(texts(&db, alice()), ["kept", "committed"]);
}

/// The name of the test below, run in a process of its own as the victim.
const VICTIM: &str = "store::tests::profile::killed_at_any_moment_nothing_told_is_lost";

/// Says what it has done after each step, until it is killed: sends, receives, finishes jobs.
fn victim(path: &Path) {
    let mut db = open(path).unwrap();
    let _folder_stays_locked = ();
    let start = i64::try_from(db.last_timestamp().unwrap().since(NOW)).unwrap() + 1;
    for number in start.. {
        let id = send(&mut db, bob(), at(number), &format!("sent {number}"));
        println!("sent {} {number}", id.0);
        if number % 3 == 0 {
            let job = db.outbox_due().unwrap().remove(0);
            db.outbox_sent(job.job, hash(job.job), NOW, Now::Known(NOW)).unwrap();
        }
        let items = (0..5).map(|part| from(alice(), at(number * 10 + part), text("received"))).collect();
        take(&mut db, items);
        println!("received {number}");
    }
}

/// Kills a process that writes, again and again: whatever it told is there afterwards, once.
#[test]
fn killed_at_any_moment_nothing_told_is_lost() {
    if let Some(path) = std::env::var_os("SEPTET_TEST_VICTIM") {
        return victim(Path::new(&path));
    }
    let (_outer, path) = folder();
    closed_profile(&path);
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", VICTIM, "--nocapture"])
            .env("SEPTET_TEST_VICTIM", &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut told = lines.filter(|line| line.starts_with("sent ") || line.starts_with("received "));
        let mut seen: Vec<String> = told.by_ref().take(3 + round * 4).collect();
        child.kill().unwrap();
        seen.extend(told);
        child.wait().unwrap();
        assert!(seen.len() >= 3, "the victim must have worked: {seen:?}");
        check_after_kill(&path, &seen);
    }
}

fn check_after_kill(path: &Path, told: &[String]) {
    let db = open(path).unwrap();
    let ok: String = db.sql().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(ok, "ok");
    for line in told {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["sent", id, number] => {
                let message =
                    db.message(MessageId(id.parse().unwrap())).unwrap().expect("told, so it is there");
                assert_eq!(message.text, format!("sent {number}"));
            }
            ["received", number] => {
                let number: i64 = number.parse().unwrap();
                for part in 0..5 {
                    let key = QuoteKey { author: alice(), timestamp: at(number * 10 + part) };
                    assert!(db.find_message(key).unwrap().is_some());
                }
            }
            _ => panic!("{line}"),
        }
    }
    // Each message that is not sent has exactly one job, each that is has at most its copy; batches are whole.
    let (without_job, half_batches): (i64, i64) = db
        .sql()
        .query_row(
            "SELECT (SELECT count(*) FROM messages m WHERE m.outgoing = 1 AND m.local = 0 AND
                        (SELECT count(*) FROM outbox o WHERE o.message = m.id) <> 1 AND m.state = 0),
                    (SELECT count(*) FROM messages WHERE outgoing = 0 AND text = 'received') % 5",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!((without_job, half_batches), (0, 0));
    db.close().unwrap();
}
