//! How often we react, and with what.
//!
//! Decision: both are settings and not kept in memory, so that the limit holds for a command line that is started anew
//! for each reaction, too.

use septet_protocol::time::Timestamp;

use super::db::Db;
use super::error::StoreError;

/// So many reactions may be given or taken back…
const MOST: usize = 20;
/// …within so many ms (spec 02 §16).
const WITHIN_MS: u64 = 60_000;
/// So many emoji are remembered.
const REMEMBERED: usize = 24;

/// When we reacted of late: ms.
const REACTED_AT: &str = "reacted_at";
/// What with, the latest first.
const RECENT_EMOJI: &str = "recent_emoji";

impl Db {
    /// Whether we may react now, and if so, notes that we do.
    pub fn may_react(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let mut times: Vec<u64> = self.setting(REACTED_AT)?.unwrap_or_default();
        // What a clock that went back says of the future does not count.
        times.retain(|at| *at <= now.as_ms() && now.as_ms() - at < WITHIN_MS);
        if times.len() >= MOST {
            return Ok(false);
        }
        times.push(now.as_ms());
        self.set_setting(REACTED_AT, &times)?;
        Ok(true)
    }

    /// An emoji was chosen.
    pub fn note_emoji(&mut self, emoji: &str) -> Result<(), StoreError> {
        let mut recent = self.recent_emoji()?;
        recent.retain(|other| other != emoji);
        recent.insert(0, emoji.to_owned());
        recent.truncate(REMEMBERED);
        self.set_setting(RECENT_EMOJI, &recent)
    }

    /// Emoji that were chosen on this device, the latest first.
    pub fn recent_emoji(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.setting(RECENT_EMOJI)?.unwrap_or_default())
    }
}
