//! A file that is to be sent and still lies where a person has it.
//!
//! Decision: between the moment a message is written down and the moment its files are copied, only their place is
//! kept. What lies there later is taken only if its size and the time of its last change are what they were: rather no
//! file is sent than another one.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

/// Such a file, as it was at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SourceFile {
    path: String,
    size: u64,
    /// In ns since 1970.
    modified: i64,
}

impl SourceFile {
    /// A file as it is now; `None` if nothing would tell later whether it is still the same.
    pub fn new(path: &Path, about: &Metadata) -> Option<Self> {
        let path = std::path::absolute(path).ok()?.to_str()?.to_owned();
        let modified = modified(about)?;
        (about.is_file() && about.len() > 0).then_some(Self { path, size: about.len(), modified })
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its content, if it is still the file that it was.
    ///
    /// # Errors
    /// Those of the disk, and [`std::io::ErrorKind::InvalidData`] if it changed.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut file = open(Path::new(&self.path))?;
        self.check(&file.metadata()?)?;
        let mut bytes = Vec::new();
        file.by_ref().take(self.size + 1).read_to_end(&mut bytes)?;
        // It may have been written to meanwhile.
        self.check(&file.metadata()?)?;
        if bytes.len() as u64 == self.size { Ok(bytes) } else { Err(changed()) }
    }

    fn check(&self, about: &Metadata) -> io::Result<()> {
        let same = about.is_file() && about.len() == self.size && modified(about) == Some(self.modified);
        if same { Ok(()) } else { Err(changed()) }
    }
}

fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it was changed after the message was written")
}

/// Why a file cannot be read, for a sentence.
pub fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it is not there".to_owned(),
        io::ErrorKind::PermissionDenied => "this is not allowed".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or_default().to_owned()
        }
    }
}

/// When a file was written last, in ns since 1970.
fn modified(about: &Metadata) -> Option<i64> {
    let since = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_nanos()).ok()
}

/// Opens what is not a folder.
///
/// # Errors
/// Those of the disk.
pub fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    match file.metadata()?.is_dir() {
        true => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")),
        false => Ok(file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_file_that_was_meant_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photo.jpg");
        let meant = || SourceFile::new(&path, &std::fs::metadata(&path).unwrap());
        std::fs::write(&path, "this").unwrap();
        let source = meant().unwrap();
        assert_eq!(source.read().unwrap(), b"this");

        std::fs::write(&path, "this and more").unwrap();
        assert_eq!(source.read().unwrap_err().kind(), io::ErrorKind::InvalidData, "longer");
        // As long as the first one, but of another time.
        std::fs::write(&path, "that").unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
        File::options().append(true).open(&path).unwrap().set_modified(later).unwrap();
        assert_eq!(source.read().unwrap_err().kind(), io::ErrorKind::InvalidData, "another one");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(source.read().unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::create_dir(&path).unwrap();
        assert_eq!(source.read().unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert!(meant().is_none());
    }

    #[test]
    fn what_has_no_content_of_its_own_cannot_be_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty");
        std::fs::write(&path, "").unwrap();
        assert!(SourceFile::new(&path, &std::fs::metadata(&path).unwrap()).is_none());
    }
}
