//! From what a person wants to send to what can be written down: text trimmed and counted, files looked at, named and
//! typed.
//!
//! Decision: a message is written down and shown the moment it is sent; what takes long comes after, and goes on after
//! a kill (see [`super::preparing`]). What can be told of a draft at once is checked before anything is written, so
//! that a refused draft leaves no trace and can be corrected. Of a file that is its name, its kind and its size; its
//! bytes are read only if they are few. What lies on disk is remembered as it was at that moment ([`SourceFile`]) and
//! copied into our own encrypted store right after.

use std::io::{self, Read};
use std::path::Path;

use septet_protocol::attachment::{MAX_FILE_BYTES, metadata, mime, name};
use septet_protocol::message::{MAX_ATTACHMENTS, MAX_SENT_CHARS, MessageText, TextError};

use super::pictures;
use crate::error::SendError;
use crate::model::{Draft, KeptFile, OutgoingFile};
use crate::source_file::{self, SourceFile};
use crate::store::files::Files;
use crate::store::{NewAttachment, Original, StoreError};

/// The largest file in bytes (spec 04 §9).
pub const LARGEST_FILE: u64 = MAX_FILE_BYTES as u64;
/// The largest picture in bytes that is read in the hope that it shrinks below [`LARGEST_FILE`].
const LARGEST_PICTURE: u64 = 100_000_000;
/// Files of at most so many bytes are copied before the message is written down…
const COPIED_AT_ONCE: u64 = 256 * 1024;
/// …if those of one message have no more together.
const MOST_AT_ONCE: u64 = 1024 * 1024;
/// So many bytes of a file tell its kind and, of most pictures, their size.
const HEAD: u64 = 256 * 1024;

/// A file that may be sent as far as one can tell without reading all of it.
pub struct LookedAt {
    /// Its base name.
    name: String,
    content_type: String,
    /// In bytes, before it is prepared.
    size: u64,
    /// What it will have in pixels once it is prepared, if that can be told.
    dimensions: Option<(u32, u32)>,
    voice: bool,
    content: Content,
}

/// Where the bytes of such a file are.
enum Content {
    Memory(Vec<u8>),
    Kept(String),
    Disk(SourceFile),
}

/// The text of a draft as it will be sent, empty if it has only files; refuses what is too long, a draft of nothing,
/// and a voice message that does not go alone.
pub fn check_text(draft: &Draft) -> Result<String, SendError> {
    let voice = |file: &OutgoingFile| matches!(file, OutgoingFile::Kept(kept) if kept.voice);
    if draft.files.iter().any(voice) && (draft.files.len() > 1 || !draft.text.trim().is_empty()) {
        return Err(SendError::VoiceNotAlone);
    }
    match MessageText::parse(&draft.text) {
        Ok(text) => Ok(text.into_string()),
        Err(TextError::Empty) if !draft.files.is_empty() => Ok(String::new()),
        Err(TextError::Empty) => Err(SendError::Empty),
        Err(TextError::TooLong { chars }) => Err(SendError::TooLong { found: chars, limit: MAX_SENT_CHARS }),
    }
}

/// Looks at all files of a draft; refuses what can be told to be unsendable. Blocks for as long as the disk takes to
/// give a part of each.
pub fn look_at(files: Vec<OutgoingFile>, kept: &Files) -> Result<Vec<LookedAt>, SendError> {
    if files.len() > MAX_ATTACHMENTS {
        return Err(SendError::TooManyFiles { found: files.len(), limit: MAX_ATTACHMENTS });
    }
    let looked = files.into_iter().map(|file| match file {
        OutgoingFile::Path(path) => look_at_path(&path),
        OutgoingFile::Bytes { name, content_type, bytes } => {
            LookedAt::of_bytes(name::for_sending(&name), content_type, bytes)
        }
        OutgoingFile::Kept(file) => look_at_kept(file, kept),
    });
    looked.collect()
}

/// Gives each file a place that outlives this program: small ones, and those from memory, in the folder of files.
/// Blocks until they are written.
pub fn take_in(looked: Vec<LookedAt>, folder: &Files) -> Result<Vec<NewAttachment>, StoreError> {
    let mut left = MOST_AT_ONCE;
    let mut taken = Vec::new();
    for LookedAt { name, content_type, size, dimensions, voice, content } in looked {
        let original = match content {
            Content::Kept(file) => Original::Here(file),
            Content::Memory(bytes) => Original::Here(folder.write(&bytes)?),
            Content::Disk(source) if size <= COPIED_AT_ONCE.min(left) => {
                left -= size;
                match source.read() {
                    Ok(bytes) => Original::Here(folder.write(&bytes)?),
                    // It is tried again in the background, which tells what became of it.
                    Err(_) => Original::There(source),
                }
            }
            Content::Disk(source) => Original::There(source),
        };
        taken.push(NewAttachment {
            name,
            content_type,
            size,
            dimensions,
            voice,
            remote: None,
            file: None,
            original: Some(original),
            pointer: None,
        });
    }
    Ok(taken)
}

/// Whether a file may still say where it was made when it is sent. Reads it, which blocks. One that cannot be sent says
/// nothing; sending it tells why.
pub fn may_tell_place(file: OutgoingFile) -> bool {
    let bytes = match file {
        OutgoingFile::Path(path) => read_path(&path).ok(),
        OutgoingFile::Bytes { bytes, .. } => Some(bytes),
        // Only our own pictures and voices are kept before they are sent.
        OutgoingFile::Kept(_) => None,
    };
    bytes.is_some_and(|bytes| metadata::clean(bytes).may_tell_place)
}

impl LookedAt {
    /// A file that is in memory.
    fn of_bytes(name: String, content_type: String, bytes: Vec<u8>) -> Result<Self, SendError> {
        let head = bytes.get(..HEAD as usize).unwrap_or(&bytes);
        let size = bytes.len() as u64;
        check_size(&name, head, size)?;
        let dimensions = pictures::foresee(head);
        Ok(Self { name, content_type, size, dimensions, voice: false, content: Content::Memory(bytes) })
    }
}

/// Looks at a file on disk.
fn look_at_path(path: &Path) -> Result<LookedAt, SendError> {
    let name = base_name(path);
    let failed = |error: io::Error| unreadable(&name, source_file::reason(&error));
    let mut file = source_file::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    let mut head = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut head).map_err(failed)?;
    let content_type = mime::guess(&name, head.get(..64).unwrap_or(&head)).to_owned();
    let Some(source) = SourceFile::new(path, &about) else {
        // What cannot be found again later, such as a pipe, is read now.
        let limit = limit(&head);
        file.take((limit + 1).saturating_sub(head.len() as u64)).read_to_end(&mut head).map_err(failed)?;
        return LookedAt::of_bytes(name, content_type, head);
    };
    check_size(&name, &head, source.size())?;
    let dimensions = pictures::foresee(&head);
    let (size, content) = (source.size(), Content::Disk(source));
    Ok(LookedAt { name, content_type, size, dimensions, voice: false, content })
}

/// Looks at a file of our own store.
fn look_at_kept(kept: KeptFile, folder: &Files) -> Result<LookedAt, SendError> {
    let KeptFile { name, content_type, size, voice, file } = kept;
    let head = folder.read_head(&file).map_err(|error| unreadable(&name, error.to_string()))?;
    check_size(&name, &head, size)?;
    let dimensions = pictures::foresee(&head);
    Ok(LookedAt { name, content_type, size, dimensions, voice, content: Content::Kept(file) })
}

/// Refuses a file that is empty, or too large for all that preparing can do.
fn check_size(name: &str, head: &[u8], size: u64) -> Result<(), SendError> {
    match size {
        0 => Err(SendError::FileEmpty { name: name.to_owned() }),
        _ if size > limit(head) => {
            Err(SendError::FileTooLarge { name: name.to_owned(), size, limit: LARGEST_FILE })
        }
        _ => Ok(()),
    }
}

/// How large a file that begins so may be before it is prepared.
fn limit(head: &[u8]) -> u64 {
    if pictures::may_shrink(head) { LARGEST_PICTURE } else { LARGEST_FILE }
}

fn unreadable(name: &str, reason: String) -> SendError {
    SendError::FileUnreadable { name: name.to_owned(), reason }
}

/// The last part of a path, as text.
pub fn base_name(path: &Path) -> String {
    path.file_name().map(|name| name::for_sending(&name.to_string_lossy())).unwrap_or_default()
}

/// The content of a file that may be sent.
fn read_path(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source_file::open(path)?.take(LARGEST_PICTURE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn bytes(len: usize) -> OutgoingFile {
        let content_type = "application/octet-stream".to_owned();
        OutgoingFile::Bytes { name: "file.bin".to_owned(), content_type, bytes: vec![7; len] }
    }

    /// A folder for files, and another one inside for those that are taken in.
    fn folder() -> (tempfile::TempDir, Files) {
        let folder = tempfile::tempdir().unwrap();
        let kept = Files::open(folder.path().join("kept"), Zeroizing::new([7; 32])).unwrap();
        (folder, kept)
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
    fn a_voice_message_goes_alone() {
        let kept = |voice| {
            let (name, content_type, file) = ("voice".to_owned(), "audio/mp3".to_owned(), "f".to_owned());
            OutgoingFile::Kept(KeptFile { name, content_type, size: 1, voice, file })
        };
        let check =
            |text: &str, files| check_text(&Draft { text: text.to_owned(), files, ..Draft::default() });
        assert_eq!(check(" ", vec![kept(true)]), Ok(String::new()));
        assert_eq!(check("Hello", vec![kept(true)]), Err(SendError::VoiceNotAlone));
        assert_eq!(check("", vec![bytes(1), kept(true)]), Err(SendError::VoiceNotAlone));
        assert_eq!(check("Hello", vec![bytes(1), kept(false)]), Ok("Hello".to_owned()));
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
        let (_folder, kept) = folder();
        let look_at = |files| look_at(files, &kept);
        assert!(matches!(look_at(vec![bytes(0)]), Err(SendError::FileEmpty { .. })));
        assert_eq!(look_at(vec![bytes(1)]).map(|files| files.len()).ok(), Some(1));
        assert!(look_at(vec![bytes(10_000_000)]).is_ok());
        let refused = look_at(vec![bytes(10_000_001)]);
        assert!(matches!(refused, Err(SendError::FileTooLarge { size: 10_000_001, .. })));
        let refused = look_at((0..33).map(|_| bytes(1)).collect());
        assert!(matches!(refused, Err(SendError::TooManyFiles { found: 33, .. })));
    }

    /// A picture may be larger before it is prepared, other files may not.
    #[test]
    fn files_on_disk_are_measured_without_being_read() {
        let (folder, kept) = folder();
        let look_at = |name: &str, begins: &[u8], size: u64| {
            let path = folder.path().join(name);
            std::fs::write(&path, begins).unwrap();
            std::fs::File::options().append(true).open(&path).unwrap().set_len(size).unwrap();
            look_at(vec![OutgoingFile::Path(path)], &kept).err()
        };
        assert_eq!(look_at("empty", b"", 0), Some(SendError::FileEmpty { name: "empty".to_owned() }));
        assert_eq!(look_at("film.mp4", b"film", 10_000_000), None);
        let too_large = |name: &str, size| {
            let name = name.to_owned();
            Some(SendError::FileTooLarge { name, size, limit: LARGEST_FILE })
        };
        assert_eq!(look_at("long.mp4", b"film", 10_000_001), too_large("long.mp4", 10_000_001));
        assert_eq!(look_at("photo.jpg", b"\xff\xd8\xff\xe0", 30_000_000), None);
        let size = LARGEST_PICTURE + 1;
        assert_eq!(look_at("huge.jpg", b"\xff\xd8\xff\xe0", size), too_large("huge.jpg", size));
    }

    #[test]
    fn few_bytes_are_copied_at_once_and_many_later() {
        let (folder, kept) = folder();
        let files: Vec<OutgoingFile> = [("small", 10), ("large", COPIED_AT_ONCE + 1)]
            .into_iter()
            .map(|(name, size)| {
                let path = folder.path().join(name);
                std::fs::write(&path, vec![1; size as usize]).unwrap();
                OutgoingFile::Path(path)
            })
            .collect();
        let taken = take_in(look_at(files, &kept).unwrap(), &kept).unwrap();
        let Some(Original::Here(file)) = &taken[0].original else { panic!("not copied") };
        assert_eq!(kept.read(file).unwrap(), [1; 10]);
        let Some(Original::There(source)) = &taken[1].original else { panic!("copied") };
        assert_eq!(source.size(), COPIED_AT_ONCE + 1);
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
        let (folder, kept) = folder();
        let look_at = |path| look_at(vec![OutgoingFile::Path(path)], &kept);
        let path = folder.path().join("Notes.TXT");
        std::fs::write(&path, "hello").unwrap();
        let files = look_at(path).unwrap();
        assert_eq!((files[0].name.as_str(), files[0].content_type.as_str()), ("Notes.TXT", "text/plain"));
        let refused = look_at(folder.path().join("missing"));
        assert!(matches!(refused, Err(SendError::FileUnreadable { .. })));
        let refused = look_at(folder.path().to_owned());
        assert!(matches!(refused, Err(SendError::FileUnreadable { .. })));
    }
}
