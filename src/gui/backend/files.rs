//! Files on their way out of messages, and the system's dialogs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::ColorImage;
use septet_client::client::{Client, Saving};
use septet_client::model::AttachmentId;

use super::super::command::{Toast, Update};
use super::{Teller, pictures, sentence};

/// More files of one name than this are not counted up.
const MOST_COPIES: u32 = 10_000;

/// Asks where to put an attachment and puts it there; without a dialog, into the folder for downloads.
pub fn save_as(client: Client, teller: Teller, attachment: AttachmentId, name: String) {
    tokio::spawn(async move {
        let target = if dialogs() {
            let chosen = rfd::AsyncFileDialog::new().set_file_name(&name).save_file().await;
            chosen.map(|file| file.path().to_owned())
        } else {
            downloads()
        };
        let Some(target) = target else { return };
        teller.tell(match client.save_attachment(attachment, &target, Saving::Told).await {
            Ok(path) => Update::Saved(path),
            Err(error) => Update::Toast(Toast::bad(sentence(&error))),
        });
    });
}

/// Asks for a folder; without a dialog, the one for downloads.
pub async fn pick_folder() -> Option<PathBuf> {
    if !dialogs() {
        return downloads();
    }
    rfd::AsyncFileDialog::new().pick_folder().await.map(|folder| folder.path().to_owned())
}

/// Asks where to put a picture and puts it there as PNG; without a dialog, into the folder for downloads.
pub fn save_png(teller: Teller, name: String, picture: Arc<ColorImage>) {
    tokio::spawn(async move {
        let (target, chosen) = match dialogs() {
            true => {
                let dialog = rfd::AsyncFileDialog::new().set_file_name(&name).add_filter("PNG", &["png"]);
                (dialog.save_file().await.map(|file| file.path().to_owned()), true)
            }
            false => (downloads().map(|folder| folder.join(&name)), false),
        };
        let Some(target) = target else { return };
        let saved = tokio::task::spawn_blocking(move || {
            let bytes = pictures::unmultiplied(&picture).and_then(pictures::png);
            write(target, &bytes.unwrap_or_default(), chosen)
        });
        match saved.await {
            Ok(Ok(path)) => teller.tell(Update::Saved(path)),
            Ok(Err(error)) => teller.problem(&error),
            Err(error) => teller.problem(&error),
        }
    });
}

/// Writes a file. One that is there is replaced only if the person was asked; otherwise a number is added.
fn write(target: PathBuf, bytes: &[u8], replace: bool) -> std::io::Result<PathBuf> {
    if replace {
        return std::fs::write(&target, bytes).map(|()| target);
    }
    let stem = target.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut free = target.clone();
    for number in 2..MOST_COPIES {
        match std::fs::File::create_new(&free) {
            Ok(mut file) => return std::io::Write::write_all(&mut file, bytes).map(|()| free),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                free = target.with_file_name(format!("{stem} ({number}).png"));
            }
            Err(error) => return Err(error),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

/// Where files go when nobody can be asked.
fn downloads() -> Option<PathBuf> {
    directories::UserDirs::new().map(|user| user.download_dir().unwrap_or(user.home_dir()).to_owned())
}

/// A dialog that offers pictures only.
pub fn pictures_only() -> rfd::AsyncFileDialog {
    rfd::AsyncFileDialog::new().add_filter("PNG, JPEG, WebP, GIF", &["png", "jpg", "jpeg", "webp", "gif"])
}

/// Whether the system has a way to show a file dialog.
pub fn dialogs() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let bus = std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some()
        || std::env::var_os("XDG_RUNTIME_DIR").is_some_and(|folder| Path::new(&folder).join("bus").exists());
    let zenity = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join("zenity").exists())
    };
    bus || zenity()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_only_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("Code 05.png");
        assert_eq!(write(target.clone(), b"one", false).unwrap(), target);
        let second = write(target.clone(), b"two", false).unwrap();
        assert_eq!(second, folder.path().join("Code 05 (2).png"));
        assert_eq!(std::fs::read(&target).unwrap(), b"one");
        assert_eq!(std::fs::read(&second).unwrap(), b"two");
        write(target.clone(), b"three", true).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"three");
        assert!(write(folder.path().join("none").join("a.png"), b"", false).is_err());
    }
}
