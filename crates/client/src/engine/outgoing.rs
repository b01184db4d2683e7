//! From what a person wants to send to what can be sent: text trimmed and counted, files read, named and typed.
//!
//! Decision: a draft is checked completely before anything of it is written down, so a refused draft leaves no
//! trace and can be corrected; what was accepted is in our own encrypted store and needs the original file no more.

use std::io::Read;
use std::path::Path;

use septet_protocol::attachment::{MAX_FILE_BYTES, metadata, mime, name};
use septet_protocol::message::{MAX_ATTACHMENTS, MAX_SENT_CHARS, MessageText, TextError};

use crate::engine::pictures::{self, Prepared};
use crate::error::SendError;
use crate::model::{Draft, OutgoingFile};

/// The largest file in bytes (spec 04 §9).
const LARGEST_FILE: u64 = MAX_FILE_BYTES as u64;
/// The largest picture in bytes that is read in the hope that it shrinks below [`LARGEST_FILE`].
const LARGEST_PICTURE: u64 = 100_000_000;

/// A file that was read and may be sent.
pub struct LoadedFile {
    /// Its base name.
    pub name: String,
    /// What is sent.
    pub prepared: Prepared,
}

/// The text of a draft as it will be sent, empty if it has only files; refuses what is too long, and a draft of
/// nothing.
pub fn check_text(draft: &Draft) -> Result<String, SendError> {
    match MessageText::parse(&draft.text) {
        Ok(text) => Ok(text.into_string()),
        Err(TextError::Empty) if !draft.files.is_empty() => Ok(String::new()),
        Err(TextError::Empty) => Err(SendError::Empty),
        Err(TextError::TooLong { chars }) => Err(SendError::TooLong { found: chars, limit: MAX_SENT_CHARS }),
    }
}

/// Reads and prepares all files of a draft. Blocks as long as that takes.
pub fn load_files(files: Vec<OutgoingFile>) -> Result<Vec<LoadedFile>, SendError> {
    if files.len() > MAX_ATTACHMENTS {
        return Err(SendError::TooManyFiles { found: files.len(), limit: MAX_ATTACHMENTS });
    }
    files.into_iter().map(load_file).collect()
}

/// Whether a file may still say where it was made when it is sent. Reads it, which blocks. One that cannot be sent says
/// nothing; sending it tells why.
pub fn may_tell_place(file: OutgoingFile) -> bool {
    let bytes = match file {
        OutgoingFile::Path(path) => read(&path, &base_name(&path)),
        OutgoingFile::Bytes { bytes, .. } => Ok(bytes),
    };
    bytes.is_ok_and(|bytes| metadata::clean(bytes).may_tell_place)
}

/// Reads and prepares one file.
fn load_file(file: OutgoingFile) -> Result<LoadedFile, SendError> {
    let (name, content_type, bytes) = match file {
        OutgoingFile::Path(path) => {
            let name = base_name(&path);
            let bytes = read(&path, &name)?;
            let content_type = mime::guess(&name, bytes.get(..64).unwrap_or(&bytes)).to_owned();
            (name, content_type, bytes)
        }
        OutgoingFile::Bytes { name, content_type, bytes } => (name::for_sending(&name), content_type, bytes),
    };
    if bytes.is_empty() {
        return Err(SendError::FileEmpty { name });
    }
    let prepared = pictures::prepare(bytes, &content_type, LARGEST_FILE);
    let size = prepared.bytes.len() as u64;
    if size > LARGEST_FILE {
        return Err(SendError::FileTooLarge { name, size, limit: LARGEST_FILE });
    }
    Ok(LoadedFile { name, prepared })
}

/// The last part of a path, as text.
fn base_name(path: &Path) -> String {
    path.file_name().map(|name| name::for_sending(&name.to_string_lossy())).unwrap_or_default()
}

/// The content of a file; a file that is surely too large is refused without reading all of it.
fn read(path: &Path, name: &str) -> Result<Vec<u8>, SendError> {
    let unreadable = |error: std::io::Error| SendError::FileUnreadable {
        name: name.to_owned(),
        reason: error.to_string(),
    };
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        let reason = "it is a folder".to_owned();
        return Err(SendError::FileUnreadable { name: name.to_owned(), reason });
    }
    let mut bytes = Vec::new();
    file.by_ref().take(64).read_to_end(&mut bytes).map_err(unreadable)?;
    let limit = if pictures::may_shrink(&bytes) { LARGEST_PICTURE } else { LARGEST_FILE };
    file.take((limit + 1).saturating_sub(bytes.len() as u64)).read_to_end(&mut bytes).map_err(unreadable)?;
    let found = bytes.len() as u64;
    if found > limit {
        let size = metadata.len().max(found);
        return Err(SendError::FileTooLarge { name: name.to_owned(), size, limit: LARGEST_FILE });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(len: usize) -> OutgoingFile {
        let content_type = "application/octet-stream".to_owned();
        OutgoingFile::Bytes { name: "file.bin".to_owned(), content_type, bytes: vec![7; len] }
    }

    #[test]
    fn a_draft_of_nothing_is_refused() {
        for text in ["", "  \n\t "] {
            let draft = Draft { text: text.to_owned(), ..Draft::default() };
            assert_eq!(check_text(&draft), Err(SendError::Empty));
        }
        let draft = Draft { files: vec![bytes(1)], ..Draft::default() };
        assert_eq!(check_text(&draft), Ok(String::new()));
    }

    #[test]
    fn texts_are_trimmed_and_counted_in_code_points() {
        let emoji = "😀".repeat(MAX_SENT_CHARS);
        let draft = Draft { text: format!("  {emoji}\n"), ..Draft::default() };
        assert_eq!(check_text(&draft), Ok(emoji.clone()));
        let draft = Draft { text: format!("{emoji}x"), ..Draft::default() };
        assert_eq!(check_text(&draft), Err(SendError::TooLong { found: 2001, limit: 2000 }));
    }

    #[test]
    fn files_have_one_byte_at_least_and_ten_million_at_most() {
        assert!(matches!(load_files(vec![bytes(0)]), Err(SendError::FileEmpty { .. })));
        assert_eq!(load_files(vec![bytes(1)]).map(|files| files.len()).ok(), Some(1));
        assert!(load_files(vec![bytes(10_000_000)]).is_ok());
        let refused = load_files(vec![bytes(10_000_001)]);
        assert!(matches!(refused, Err(SendError::FileTooLarge { size: 10_000_001, .. })));
        let refused = load_files((0..33).map(|_| bytes(1)).collect());
        assert!(matches!(refused, Err(SendError::TooManyFiles { found: 33, .. })));
    }

    #[test]
    fn a_file_that_may_tell_its_place_is_known_before_it_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content, tells) in [
            ("scan.tif", &b"MM\0*\0\0\0\x08"[..], true),
            ("cut.jpg", b"\xff\xd8\xff\xe1", true),
            ("notes.txt", b"at home", false),
            ("clip.mp4", b"\0\0\0\x0cftypisom", false),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            assert_eq!(may_tell_place(OutgoingFile::Path(path)), tells, "{name}");
        }
        assert!(!may_tell_place(OutgoingFile::Path(folder.path().join("missing"))));
    }

    #[test]
    fn files_on_disk_are_named_and_typed_by_their_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Notes.TXT");
        std::fs::write(&path, "hello").unwrap();
        let files = load_files(vec![OutgoingFile::Path(path)]).unwrap();
        assert_eq!(files[0].name, "Notes.TXT");
        assert_eq!(files[0].prepared.content_type, "text/plain");
        let refused = load_files(vec![OutgoingFile::Path(folder.path().join("missing"))]);
        assert!(matches!(refused, Err(SendError::FileUnreadable { .. })));
        let refused = load_files(vec![OutgoingFile::Path(folder.path().to_owned())]);
        assert!(matches!(refused, Err(SendError::FileUnreadable { .. })));
    }
}
