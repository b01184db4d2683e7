//! What the writing thread does when nobody asks it for anything.
//!
//! Decision: everything here is done in small steps, between orders and in pauses, so that nobody waits for it: files of
//! deleted rows are unlinked, cleared conversations are taken away, files that no row points at are looked for after the
//! start, and the log is emptied when something was deleted. What a killed program left is found again at the next start.

use std::time::{Duration, Instant};

use super::db::Db;
use super::error::StoreError;
use super::files::Files;
use super::orphans::Search;

/// The log is not emptied more often than this: it costs two waits for the disk.
const LOG_PAUSE: Duration = Duration::from_secs(2);
/// So many files are unlinked or looked at in one step.
const FILES: u32 = 100;

/// When to come back.
pub(super) enum Next {
    /// At once, if nobody asks for anything.
    Now,
    /// Not before then.
    At(Instant),
    /// After the next order.
    Later,
}

/// What there is to do.
pub(super) struct Upkeep {
    files: Files,
    orphans: Option<Search>,
    /// Files that could not be unlinked wait for the next order.
    stuck: bool,
    log_emptied: Option<Instant>,
}

impl Upkeep {
    /// As after a start: everything may be left from before.
    pub(super) fn new(files: Files) -> Self {
        let orphans = Search::begin(&files);
        if let Err(error) = &orphans {
            tracing::debug!(%error, "the folder of files cannot be looked through");
        }
        Self { files, orphans: orphans.ok(), stuck: false, log_emptied: None }
    }

    /// An order was carried out: there may be more to do.
    pub(super) fn ordered(&mut self) {
        self.stuck = false;
    }

    /// Does one small thing of what there is to do.
    pub(super) fn step(&mut self, db: &mut Db) -> Next {
        self.try_step(db).unwrap_or_else(|error| {
            tracing::debug!(%error, "what is deleted stays on the disk for now");
            Next::Later
        })
    }

    fn try_step(&mut self, db: &mut Db) -> Result<Next, StoreError> {
        if !self.stuck && self.unlink(db)? || db.is_clearing()? && db.clear_step()? {
            return Ok(Next::Now);
        }
        if db.is_log_to_be_emptied()? {
            let due = self.log_emptied.map(|at| at + LOG_PAUSE).filter(|due| *due > Instant::now());
            match due {
                Some(due) if self.orphans.is_none() => return Ok(Next::At(due)),
                Some(_) => {}
                None => {
                    self.log_emptied = Some(Instant::now());
                    db.empty_log()?;
                    return Ok(Next::Now);
                }
            }
        }
        if let Some(search) = &mut self.orphans {
            if !search.step(FILES as usize, |name| db.is_file_in_use(name))? {
                self.orphans = None;
            }
            return Ok(Next::Now);
        }
        Ok(Next::Later)
    }

    /// Unlinks files whose rows are gone. True if there may be more.
    fn unlink(&mut self, db: &mut Db) -> Result<bool, StoreError> {
        let names = db.doomed_files(FILES)?;
        if names.is_empty() {
            return Ok(false);
        }
        let count = names.len();
        let gone: Vec<String> = names.into_iter().filter(|name| self.files.remove(name).is_ok()).collect();
        db.files_gone(&gone)?;
        // What cannot be unlinked now is in the way of the others; it is tried again later.
        self.stuck = gone.len() < count;
        Ok(true)
    }
}
