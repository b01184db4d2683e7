//! Killed in the middle of deleting: after the next start all of it goes, with its files, and nothing else does.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::*;

/// The name of the test below, run in a process of its own as the victim.
const VICTIM: &str = "store::tests::kills::killed_while_it_deletes_it_goes_on_after_the_start";
/// What the victim is told where its profile is by.
const PROFILE: &str = "SEPTET_TEST_DELETING";
/// Messages with a file: one of so many.
const FILES: usize = 25;

/// A number that the environment may raise.
fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn carol() -> SessionId {
    SessionId([0xca; 32])
}

fn dave() -> SessionId {
    SessionId([0xda; 32])
}

/// So many messages from somebody, some of them with a file.
fn fill(db: &mut Db, files: &files::Files, author: SessionId, count: usize, expiry: Expiry) {
    let list: Vec<usize> = (0..count).collect();
    for part in list.chunks(1000) {
        let items = part.iter().map(|number| {
            let attachments = match number % FILES {
                0 => vec![NewAttachment { file: Some(files.write(b"bytes").unwrap()), ..file(None) }],
                _ => Vec::new(),
            };
            let text = format!("{number} words of {}", author.0[0]);
            let kind = IncomingKind::Message { text, attachments, quote: None, preview: None, expiry };
            from(author, at(*number as i64 - 1_000_000), kind)
        });
        take(db, items.collect());
    }
}

/// A closed profile: a long conversation, one where everything disappears, a contact, and one of which all stays.
fn profile(path: &Path, count: usize) {
    let account = StoredAccount { id: me(), seed: Seed::from_bytes([1; 16]), created: NOW };
    let store = Store::create(path, KeyProtection::KeyFile, &account, |_| Ok(())).unwrap();
    let files = store.files().clone();
    runtime().block_on(async {
        let filled = store.call(move |db| {
            fill(db, &files, alice(), count, Expiry::Off);
            fill(db, &files, bob(), count / 10, Expiry::AfterSend(10_000));
            fill(db, &files, carol(), count / 100, Expiry::Off);
            fill(db, &files, dave(), FILES * 2, Expiry::Off);
            Ok(())
        });
        filled.await.unwrap();
        store.close().await;
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// Deletes what is not deleted yet, and says what is done. What was begun goes on by itself.
async fn delete(store: &Store, done: &[String]) {
    let is_done = |word: &str| done.iter().any(|done| done == word);
    if !is_done("cleared") {
        store.call(|db| db.clear_messages(with(db, alice()))).await.unwrap();
        say("cleared");
    }
    if !is_done("contact") {
        store.call(|db| db.delete_contact(carol())).await.unwrap();
        say("contact");
    }
    while !store.call(|db| db.delete_expired(at(20_000_000))).await.unwrap().is_empty() {}
    say("expired");
    while left(store).await > FILES * 2 {}
    say("gone");
}

fn say(word: &str) {
    println!("{word}");
    std::io::stdout().flush().unwrap();
}

async fn left(store: &Store) -> usize {
    let count = |db: &mut Db| {
        let sql = "SELECT count(*) FROM messages";
        Ok(db.sql().query_row(sql, [], |row| row.get::<_, i64>(0))?)
    };
    usize::try_from(store.call(count).await.unwrap()).unwrap()
}

fn victim(path: &Path) {
    runtime().block_on(async {
        let store = Store::open(path).unwrap();
        say("begun");
        delete(&store, &[]).await;
        store.close().await;
    });
}

/// Starts a victim that has begun.
fn start(path: &Path) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", VICTIM, "--nocapture"])
        .env(PROFILE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = words(child.stdout.take().unwrap());
    assert_eq!(lines.next().as_deref(), Some("begun"));
    (child, lines)
}

fn words(out: ChildStdout) -> impl Iterator<Item = String> {
    let known = ["begun", "cleared", "contact", "expired", "gone"];
    BufReader::new(out).lines().map(Result::unwrap).filter(move |line| known.contains(&line.as_str()))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => _ = std::fs::copy(entry.path(), target).unwrap(),
        }
    }
}

/// All files below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
}

/// After a kill: what was told is not shown any more, and soon everything is gone but what stays.
async fn goes_on(path: &Path, told: &[String]) {
    let store = Store::open(path).unwrap();
    let shown = |id: SessionId| move |db: &mut Db| Ok(texts(db, id).len());
    let has = |word: &str| told.iter().any(|told| told == word);
    assert!(!has("cleared") || store.call(shown(alice())).await.unwrap() == 0);
    assert!(!has("contact") || store.call(shown(carol())).await.unwrap() == 0);
    // What was not told, a person does again; what has expired, the engine.
    delete(&store, told).await;
    assert_eq!(store.call(shown(dave())).await.unwrap(), FILES * 2);
    let check = |db: &mut Db| {
        let ok: String = db.sql().query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        assert_eq!(ok, "ok");
        for index in ["search_words", "search_trigrams"] {
            db.sql().execute_batch(&format!("INSERT INTO {index} ({index}) VALUES ('integrity-check')"))?;
        }
        let mut statement = db.sql().prepare("SELECT file FROM attachments WHERE file IS NOT NULL")?;
        let place = |name: String| Path::new(&name[..2]).join(&name);
        let files = statement.query_map([], |row| Ok(place(row.get(0)?)))?;
        let files = files.collect::<Result<BTreeSet<PathBuf>, _>>()?;
        assert_eq!(files.len(), 2);
        Ok(files)
    };
    let files = store.call(check).await.unwrap();
    let folder = path.join("files");
    let on_disk = || -> BTreeSet<PathBuf> {
        below(&folder).iter().map(|path| path.strip_prefix(&folder).unwrap().to_owned()).collect()
    };
    let gone = async {
        while on_disk() != files {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.expect("files stay");
    store.close().await;
    assert!(!path.join("septet.db-wal").exists(), "nothing is left in the log");
}

#[test]
fn killed_while_it_deletes_it_goes_on_after_the_start() {
    if let Some(path) = std::env::var_os(PROFILE) {
        return victim(Path::new(&path));
    }
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    profile(&whole, number("SEPTET_KILLED_MESSAGES", 3_000));
    let fresh = |name: &str| {
        let path = folder.path().join(name);
        copy(&whole, &path);
        path
    };
    // How long it takes if nobody kills it; only to choose moments.
    let began = std::time::Instant::now();
    let (mut child, lines) = start(&fresh("reference"));
    assert_eq!(lines.last().as_deref(), Some("gone"));
    child.wait().unwrap();
    let length = began.elapsed();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for round in 0..number("SEPTET_KILLS", 4) {
        let path = fresh("killed");
        let (mut child, lines) = start(&path);
        std::thread::sleep(length.mul_f64(fastrand::f64()));
        child.kill().unwrap();
        child.wait().unwrap();
        let told: Vec<String> = lines.collect();
        println!("round {round}: killed after {told:?}");
        runtime.block_on(goes_on(&path, &told));
        std::fs::remove_dir_all(&path).unwrap();
    }
}
