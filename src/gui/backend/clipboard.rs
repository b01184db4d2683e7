//! Secrets on the clipboard: put there without being kept by managers of its history, and taken off after a minute.
//!
//! Decision: it is taken off only if it is still there. What a person copied since is theirs.

use std::time::Duration;

use arboard::Clipboard;
#[cfg(target_os = "linux")]
use arboard::SetExtLinux;

use super::super::command::{Secret, Toast, Update};
use super::Teller;

/// How long a secret stays.
const STAYS: Duration = Duration::from_secs(60);

/// Copies a secret and says so.
pub fn copy(teller: Teller, secret: Secret) {
    tokio::spawn(async move {
        let mut held = Held { secret };
        let put = tokio::task::spawn_blocking(move || held.put().map(|()| held)).await;
        match put {
            Ok(Ok(held)) => {
                teller.tell(Update::SecretCopied(true));
                tokio::time::sleep(STAYS).await;
                drop(held);
            }
            Ok(Err(error)) => {
                tracing::warn!("the clipboard cannot be used: {error}");
                teller.tell(Update::SecretCopied(false));
            }
            Err(error) => teller.tell(Update::Toast(Toast::bad(super::sentence(&error)))),
        }
    });
}

/// A secret that is on the clipboard as long as this lives: also if the program ends before the minute does.
struct Held {
    secret: Secret,
}

impl Held {
    fn put(&mut self) -> Result<(), arboard::Error> {
        let mut clipboard = Clipboard::new()?;
        let set = clipboard.set();
        #[cfg(target_os = "linux")]
        let set = set.exclude_from_history();
        set.text(self.secret.reveal().to_owned())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Ok(mut clipboard) = Clipboard::new() else { return };
        let still =
            clipboard.get_text().map(zeroize::Zeroizing::new).is_ok_and(|text| *text == self.secret.reveal());
        if still && let Err(error) = clipboard.clear() {
            tracing::warn!("the clipboard cannot be emptied: {error}");
        }
    }
}
