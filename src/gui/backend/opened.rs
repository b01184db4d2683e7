//! Files that a person looks at with another program.
//!
//! Decision: another program can only read what lies decrypted on a disk. It lies there for as short as possible and for
//! nobody else: in a folder of its own that only this user can enter, in memory where the system has such a place
//! (`XDG_RUNTIME_DIR`), else in the profile. It is removed when the program ends, when it starts again after it was
//! killed, and when the message goes. No file gets the right to run.
//!
//! Decision: what a file does when it is opened is decided by the system from its name and its first bytes, so both are
//! looked at, and a person is asked before programs, scripts and pages; what the sender calls it does not count.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command as Program, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use septet_client::client::{Client, ClientError};
use septet_client::model::{AttachmentId, MessageId};
use septet_protocol::crypto::blake2b;

use super::Teller;
use crate::gui::attached::FileNews;
use crate::gui::command::Update;

/// Endings of what can do more than be looked at.
const RISKY: &[&str] = &[
    "apk",
    "app",
    "appimage",
    "application",
    "bash",
    "bat",
    "bin",
    "chm",
    "cmd",
    "com",
    "command",
    "cpl",
    "csh",
    "deb",
    "desktop",
    "dll",
    "dmg",
    "docm",
    "dotm",
    "exe",
    "fish",
    "flatpak",
    "flatpakref",
    "flatpakrepo",
    "gadget",
    "hta",
    "htm",
    "html",
    "img",
    "inf",
    "iso",
    "jar",
    "jnlp",
    "js",
    "jse",
    "ksh",
    "lnk",
    "mht",
    "mhtml",
    "mjs",
    "msc",
    "msi",
    "msix",
    "msp",
    "out",
    "pif",
    "pkg",
    "pl",
    "potm",
    "ppam",
    "pptm",
    "ps1",
    "psm1",
    "py",
    "pyc",
    "pyw",
    "pyz",
    "rb",
    "reg",
    "rpm",
    "run",
    "scf",
    "scr",
    "service",
    "sh",
    "shtml",
    "snap",
    "so",
    "svg",
    "svgz",
    "swf",
    "url",
    "vb",
    "vbe",
    "vbs",
    "webloc",
    "website",
    "workflow",
    "wsf",
    "wsh",
    "xht",
    "xhtml",
    "xlam",
    "xlsm",
    "xltm",
    "xml",
    "xpi",
    "xsl",
    "zsh",
];

/// Files that are open in other programs, and the folder they lie in.
#[derive(Clone)]
pub struct OpenFiles {
    folder: PathBuf,
    files: Arc<Mutex<BTreeMap<AttachmentId, (MessageId, PathBuf)>>>,
}

impl OpenFiles {
    /// Those of an account; `profile` is its folder. Removes what an earlier run left.
    pub fn new(client: &Client, profile: Option<&Path>) -> Self {
        let place = profile.map(|path| path.as_os_str().as_encoded_bytes()).unwrap_or_default();
        let tag = blake2b::<16>(&[], &[&client.id().0, place]);
        let tag: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
        let base = runtime().or(profile.map(Path::to_owned)).unwrap_or_else(std::env::temp_dir);
        let this = Self { folder: base.join(format!("septet-open-{tag}")), files: Arc::default() };
        this.clear();
        this
    }

    /// Opens an attachment; tells the window if that may do harm and the person was not `warned`.
    pub async fn open(&self, client: Client, teller: Teller, id: AttachmentId, warned: bool) {
        if let Err(error) = self.try_open(&client, &teller, id, warned).await {
            teller.problem(&error);
        }
    }

    async fn try_open(
        &self,
        client: &Client,
        teller: &Teller,
        id: AttachmentId,
        warned: bool,
    ) -> Result<(), ClientError> {
        let bytes = client.attachment_bytes(id).await?;
        let message = client.message_of(id).await?.ok_or(ClientError::NotFound("message"))?;
        let name = Client::name_for_saving(&message, id);
        if !warned && is_risky(&name, &bytes) {
            let conversation = message.conversation;
            teller.tell(Update::File(FileNews::Risky { conversation, attachment: id, name }));
            return Ok(());
        }
        let this = self.clone();
        let shown = name.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let path = this.put(id, message.id, &name, &bytes)?;
            launch(OPENER, &path)
        });
        match opened.await.map_err(|_| ClientError::Stopped)? {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                teller.tell(Update::File(FileNews::NoOpener(shown)));
            }
            Err(error) => teller.problem(&error),
        }
        Ok(())
    }

    /// Writes a file where only this user can read it; one that is there already stays as it is.
    fn put(&self, id: AttachmentId, message: MessageId, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
        private_folder(&self.folder)?;
        // Each in a folder of its own, so that all keep their names.
        let folder = self.folder.join(id.0.to_string());
        private_folder(&folder)?;
        let path = folder.join(name);
        match private_file(&path) {
            Ok(mut file) => file.write_all(bytes)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        self.lock().insert(id, (message, path.clone()));
        Ok(path)
    }

    /// Removes those whose messages are gone.
    pub async fn tidy(&self, client: &Client) {
        let open: Vec<(AttachmentId, MessageId)> =
            self.lock().iter().map(|(id, (message, _))| (*id, *message)).collect();
        for (id, message) in open {
            let here = matches!(client.message(message).await, Ok(Some(message)) if !message.deleted);
            if !here && let Some((_, path)) = self.lock().remove(&id) {
                remove(path.parent().unwrap_or(&path));
            }
        }
    }

    /// Removes all of them.
    pub fn clear(&self) {
        self.lock().clear();
        remove(&self.folder);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<AttachmentId, (MessageId, PathBuf)>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in memory that is this user's alone, if the system has one.
fn runtime() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR")?);
    folder.is_dir().then_some(folder)
}

fn remove(folder: &Path) {
    match fs::remove_dir_all(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(%error, "files that were open stay in their folder"),
    }
}

/// Makes a folder that only this user can enter; one that is there must be such a folder.
fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.symlink_metadata()?.is_dir() => {
            Ok(())
        }
        made => made,
    }
}

/// Makes a file that only this user can read, and nobody can run.
fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// What opens files with the program that the system has for them.
const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else if cfg!(windows) {
    "explorer"
} else {
    "xdg-open"
};

/// Has a file opened, and does not wait for whoever does it.
fn launch(opener: impl AsRef<OsStr>, path: &Path) -> io::Result<()> {
    let mut child = Program::new(opener)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    // Somebody must ask how it ended, or it stays in the list of processes.
    std::thread::Builder::new().name("opener".into()).spawn(move || child.wait()).map(drop)
}

/// Whether opening it may do more than show it.
fn is_risky(name: &str, bytes: &[u8]) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
    if ending.is_some_and(|ending| RISKY.binary_search(&ending.as_str()).is_ok()) {
        return true;
    }
    let start = bytes.get(..512).unwrap_or(bytes);
    let bare = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start().to_ascii_lowercase();
    let programs: [&[u8]; 9] = [
        b"\x7felf",
        b"mz",
        b"#!",
        b"\xca\xfe\xba\xbe",
        b"\xcf\xfa\xed\xfe",
        b"\xce\xfa\xed\xfe",
        b"[desktop entry]",
        b"!<arch>",
        b"\xed\xab\xee\xdb",
    ];
    let pages: [&[u8]; 5] = [b"<!doctype", b"<html", b"<svg", b"<?xml", b"<script"];
    programs.iter().chain(&pages).any(|start| bare.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_scripts_and_pages_are_told_by_name_and_by_content() {
        assert!(RISKY.is_sorted());
        for (name, bytes) in [
            ("a.exe", &b""[..]),
            ("Invoice.PDF.Desktop", b""),
            ("page.html", b"hello"),
            ("drawing.svg", b""),
            ("photo.jpg", b"\x7fELF\x02"),
            ("photo.jpg", b"MZ\x90"),
            ("notes.txt", b"#!/bin/sh\n"),
            ("notes", b"\xef\xbb\xbf \n<!DOCTYPE html>"),
            ("picture.png", b"<svg xmlns"),
            ("list", b"[Desktop Entry]\nExec=x"),
        ] {
            assert!(is_risky(name, bytes), "{name} {bytes:?}");
        }
        for (name, bytes) in
            [("a.pdf", &b"%PDF-1.7"[..]), ("photo.jpg", b"\xff\xd8\xff"), ("notes.txt", b"hello"), ("x", b"")]
        {
            assert!(!is_risky(name, bytes), "{name} {bytes:?}");
        }
    }

    fn open_files(folder: &Path) -> OpenFiles {
        OpenFiles { folder: folder.join("open"), files: Arc::default() }
    }

    #[test]
    #[cfg(unix)]
    fn only_this_user_can_read_what_is_open_and_nobody_can_run_it() {
        use std::os::unix::fs::PermissionsExt;
        let place = tempfile::tempdir().unwrap();
        let files = open_files(place.path());
        let path = files.put(AttachmentId(3), MessageId(1), "photo.jpg", b"picture").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"picture");
        assert_eq!(files.put(AttachmentId(3), MessageId(1), "photo.jpg", b"picture").unwrap(), path);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert!(path.ancestors().skip(1).take(2).all(|folder| mode(folder) == 0o700));
        files.clear();
        assert!(!files.folder.exists());
        // What lies there instead of a folder of ours is not written into.
        std::os::unix::fs::symlink(place.path(), &files.folder).unwrap();
        assert!(files.put(AttachmentId(3), MessageId(1), "photo.jpg", b"picture").is_err());
    }

    #[test]
    #[cfg(unix)]
    fn the_opener_gets_the_path_and_one_that_is_missing_is_told() {
        use std::os::unix::fs::PermissionsExt;
        let place = tempfile::tempdir().unwrap();
        let (script, said) = (place.path().join("opener"), place.path().join("said"));
        let text =
            format!("#!/bin/sh\nprintf %s \"$1\" > '{0}.part' && mv '{0}.part' '{0}'\n", said.display());
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        launch(&script, Path::new("/a file/-x")).unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !said.exists() {
            assert!(std::time::Instant::now() < deadline, "the opener does not run");
            std::thread::yield_now();
        }
        assert_eq!(fs::read_to_string(said).unwrap(), "/a file/-x");
        let missing = launch(place.path().join("none"), Path::new("/a")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
