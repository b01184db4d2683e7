//! Writing files so that a crash leaves the old one or the new one, never half of one.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Makes a new file that only its owner can read; fails if there is one.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Writes a file as a whole under a name for the time being, and gives it its name when it is safely on disk.
pub(crate) fn write_whole(
    path: &Path,
    temporary: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let result = create_private(temporary).and_then(|mut file| {
        write(&mut file)?;
        file.flush()?;
        file.sync_all()?;
        std::fs::rename(temporary, path)
    });
    if result.is_err() {
        // Ours and unfinished: of no use to anybody. That it may not be there is all the same.
        let _ = std::fs::remove_file(temporary);
    }
    result.and_then(|()| sync_parent(path))
}

/// Makes a rename in a folder survive a loss of power.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        #[cfg(unix)]
        Some(parent) => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

/// Makes a folder, with what leads to it, that only its owner can enter. An existing folder stays as it is.
pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// Removes a file; that it is not there is all the same.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
