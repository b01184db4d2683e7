//! What a person chose about the window itself, kept in a small file beside the account.
//!
//! Decision: nothing in it is private, and the window needs it before the account is open (the first frame should
//! have the right colours), so it is a readable file of its own and not a part of the database. A file that cannot be
//! read counts as none.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::theme::{Accent, ThemeChoice};

/// The file's name in the profile's folder.
const FILE: &str = "window.json";

/// The choices.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Dark, light, or as the system says.
    pub theme: ThemeChoice,
    /// The colour of what one can act on.
    pub accent: Accent,
}

impl Preferences {
    /// Those of a profile; the usual ones if there are none.
    pub fn load(profile: &Path) -> Self {
        let read = std::fs::read(profile.join(FILE)).ok();
        read.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Writes them beside the account of a profile. Without a folder there is no account yet, and nothing is written.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, profile: &Path) -> std::io::Result<()> {
        if !profile.is_dir() {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(self).map_err(std::io::Error::other)?;
        let (new, file): (PathBuf, PathBuf) = (profile.join("window.json.new"), profile.join(FILE));
        std::fs::write(&new, text)?;
        std::fs::rename(new, file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_come_back_and_rubbish_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Preferences::load(folder.path()), Preferences::default());
        let chosen = Preferences { theme: ThemeChoice::Light, accent: Accent::Pink };
        chosen.save(folder.path()).unwrap();
        assert_eq!(Preferences::load(folder.path()), chosen);
        std::fs::write(folder.path().join(FILE), "{\"accent\":\"plaid\"}").unwrap();
        assert_eq!(Preferences::load(folder.path()), Preferences::default());
        std::fs::write(folder.path().join(FILE), "{\"accent\":\"red\",\"more\":1}").unwrap();
        assert_eq!(Preferences::load(folder.path()).accent, Accent::Red);
        assert!(chosen.save(&folder.path().join("nowhere")).is_ok());
    }
}
