//! The files themselves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use data_encoding::BASE64URL;
use septet_protocol::crypto::{Blake2bOptions, blake2b_with};

use super::kind::FileServerKind;
use crate::state::State;
use crate::stored::StoredFile;

/// How long a file lives if the upload does not say, and at most, ms: 14 days (spec 09 §2.3).
pub(super) const LIFETIME: u64 = 14 * 86_400_000;
/// How long it lives on the open-source server, ms: 21 days.
const LIFETIME_OPEN_SOURCE: u64 = 21 * 86_400_000;

/// All files, by id.
pub(crate) struct Files {
    files: Mutex<BTreeMap<String, StoredFile>>,
    state: Option<Arc<State>>,
}

impl Files {
    /// The files of the state folder, if there is one.
    pub fn new(files: BTreeMap<String, StoredFile>, state: Option<Arc<State>>) -> Self {
        Self { files: Mutex::new(files), state }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, StoredFile>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a file and gives its id. `ttl` in ms. The same content uploaded again is one file, with a new lifetime.
    pub fn add(&self, kind: FileServerKind, data: Bytes, ttl: Option<u64>, now: u64) -> (String, StoredFile) {
        let mut files = self.lock();
        let (id, lifetime) = match kind {
            FileServerKind::Live => (content_id(&data), ttl.unwrap_or(LIFETIME)),
            FileServerKind::OpenSource => (unused_id(&files), LIFETIME_OPEN_SOURCE),
        };
        let uploaded = files.get(&id).map_or(now, |file| file.uploaded);
        let file = StoredFile { data, uploaded, expires: now.saturating_add(lifetime) };
        self.record(&id, &file);
        files.insert(id.clone(), file.clone());
        (id, file)
    }

    /// The file, if it is there and has not expired.
    pub fn get(&self, id: &str, now: u64) -> Option<StoredFile> {
        self.lock().get(id).filter(|file| file.expires > now).cloned()
    }

    /// Starts its lifetime anew, unless it would live longer as it is; the file as it is then.
    pub fn extend(&self, id: &str, ttl: Option<u64>, now: u64) -> Option<StoredFile> {
        let mut files = self.lock();
        let file = files.get_mut(id).filter(|file| file.expires > now)?;
        file.expires = file.expires.max(now.saturating_add(ttl.unwrap_or(LIFETIME)));
        self.record(id, file);
        Some(file.clone())
    }

    /// Removes what has expired.
    pub fn sweep(&self, now: u64) {
        self.lock().retain(|id, file| {
            let keep = file.expires > now;
            if let (false, Some(state)) = (keep, &self.state) {
                state.remove_file(id);
            }
            keep
        });
    }

    /// All files, by id.
    pub fn all(&self) -> BTreeMap<String, StoredFile> {
        self.lock().clone()
    }

    fn record(&self, id: &str, file: &StoredFile) {
        if let Some(state) = &self.state {
            state.put_file(id, file);
        }
    }
}

/// The id of a content: 44 characters (spec 04 §2).
fn content_id(data: &[u8]) -> String {
    let options = Blake2bOptions { salt: Some(b"SessionFileSvr\0\0"), ..Default::default() };
    BASE64URL.encode(&blake2b_with::<33>(options, &[data]))
}

fn unused_id(files: &BTreeMap<String, StoredFile>) -> String {
    loop {
        let id = fastrand::u64(1..1 << 53).to_string();
        if !files.contains_key(&id) {
            return id;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_from_the_content() {
        assert_eq!(content_id(b""), "iBE4bTXi02LqZpnAFL99yO2KWKpbpFYtGjEEk43-oiTg");
        assert_eq!(content_id(b"hello attachment"), "FE0HOOwC15badU_oIy7z7AseTkYY9hWCsqCLUz92PypM");
    }

    #[test]
    fn the_same_content_is_one_file_with_a_new_lifetime() {
        let files = Files::new(BTreeMap::new(), None);
        let (id, _) = files.add(FileServerKind::Live, Bytes::from_static(b"x"), Some(50), 100);
        let (again, file) = files.add(FileServerKind::Live, Bytes::from_static(b"x"), None, 120);
        assert_eq!((id.len(), &id), (44, &again));
        assert_eq!((file.uploaded, file.expires), (100, 120 + LIFETIME));
        assert_eq!(files.all().len(), 1);
    }

    #[test]
    fn a_file_is_gone_when_its_time_is_over() {
        let files = Files::new(BTreeMap::new(), None);
        let (id, _) = files.add(FileServerKind::Live, Bytes::from_static(b"x"), Some(50), 100);
        assert!(files.get(&id, 149).is_some());
        assert!(files.get(&id, 150).is_none());
        assert!(files.extend(&id, None, 150).is_none());
        files.sweep(150);
        assert!(files.all().is_empty());
    }

    #[test]
    fn the_open_source_server_gives_a_number_for_each_upload() {
        let files = Files::new(BTreeMap::new(), None);
        let (a, _) = files.add(FileServerKind::OpenSource, Bytes::from_static(b"x"), None, 0);
        let (b, _) = files.add(FileServerKind::OpenSource, Bytes::from_static(b"x"), None, 0);
        assert_ne!(a, b);
        assert!(a.parse::<u64>().unwrap() < 1 << 53);
    }
}
