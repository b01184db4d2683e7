//! What a profile leaves on the disk, read as somebody reads it who has the key: every page of the database, those that
//! are free among them, and the folder of files.

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use rusqlite::{Connection, MAIN_DB};
use septet_protocol::crypto::{blake2b, xchacha_decrypt};
use serde_json::Value;

/// The folder of a profile.
pub struct Disk(pub PathBuf);

impl Disk {
    /// Every page of the database as it is in the file, decrypted. The profile must be closed.
    pub fn pages(&self) -> Vec<u8> {
        let mut database = self.connection();
        let ok: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(ok, "ok");
        database.serialize(MAIN_DB).unwrap().to_vec()
    }

    /// All terms that one can search for.
    pub fn terms(&self) -> Vec<String> {
        let database = self.connection();
        let mut terms = Vec::new();
        for index in ["search_words", "search_trigrams"] {
            let sql = format!("CREATE VIRTUAL TABLE temp.terms_{index} USING fts5vocab(main, {index}, row)");
            database.execute_batch(&sql).unwrap();
            let mut statement = database.prepare(&format!("SELECT term FROM temp.terms_{index}")).unwrap();
            terms.extend(statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap));
        }
        terms
    }

    /// How many bytes the log has; nothing is decrypted.
    pub fn log_length(&self) -> u64 {
        std::fs::metadata(self.0.join("septet.db-wal")).map_or(0, |about| about.len())
    }

    /// Where in the folder of files something lies that is no folder, whatever it is.
    pub fn files(&self) -> Vec<String> {
        let folder = self.0.join("files");
        let mut places: Vec<String> = below(&folder)
            .into_iter()
            .map(|path| path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned())
            .collect();
        places.sort();
        places
    }

    /// Where in the folder of files those lie that rows point at.
    pub fn files_of_rows(&self) -> Vec<String> {
        let database = self.connection();
        let sql = "SELECT file FROM attachments WHERE file IS NOT NULL
                   UNION SELECT picture_file FROM people WHERE picture_file IS NOT NULL ORDER BY 1";
        let mut statement = database.prepare(sql).unwrap();
        let names = statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap);
        names.map(|name| Path::new(&name[..2]).join(&name).to_str().unwrap().to_owned()).collect()
    }

    /// The pointers of all attachments, and those of the pictures of previews, as rows have them.
    pub fn pointers(&self) -> [Vec<Option<Vec<u8>>>; 2] {
        let database = self.connection();
        ["position >= 0", "position < 0"].map(|which| {
            let sql = format!("SELECT pointer FROM attachments WHERE {which} ORDER BY message, position");
            let mut statement = database.prepare(&sql).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        })
    }

    /// All texts that rows hold, whether they are shown or not.
    pub fn texts(&self) -> Vec<String> {
        let database = self.connection();
        let mut statement = database.prepare("SELECT text FROM messages WHERE text <> ''").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    fn connection(&self) -> Connection {
        let file: Value = serde_json::from_slice(&std::fs::read(self.0.join("key")).unwrap()).unwrap();
        let bytes = |value: &Value| HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap();
        let wrapping: [u8; 32] = bytes(&file["protection"]["wrapping_key"]).try_into().unwrap();
        let nonce: [u8; 24] = bytes(&file["nonce"]).try_into().unwrap();
        let wrapped: [u8; 48] = bytes(&file["wrapped"]).try_into().unwrap();
        let data = xchacha_decrypt(&wrapping, &nonce, &wrapped).unwrap();
        let key: [u8; 32] = blake2b(&data, &[b"septet database"]);
        let database = Connection::open(self.0.join("septet.db")).unwrap();
        database.execute_batch("PRAGMA cipher_log_level = NONE").unwrap();
        let key = [&key[..], &bytes(&file["salt"])].concat();
        database.execute_batch(&format!("PRAGMA key = \"x'{}'\"", HEXLOWER.encode(&key))).unwrap();
        database
    }
}

/// All files below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
}

/// How often some bytes stand in others.
pub fn count(haystack: &[u8], needle: &str) -> usize {
    haystack.windows(needle.len()).filter(|window| *window == needle.as_bytes()).count()
}

/// The folder of a profile that a test keeps.
pub fn of(folder: &Path) -> Disk {
    Disk(folder.join("profile"))
}
