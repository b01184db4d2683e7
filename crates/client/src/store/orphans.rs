//! Looking for stored files that no row points at: what a kill or a loss of power left behind.
//!
//! Decision: a few at a time, as there may be a hundred thousand. The search begins with what lies beside the shards, and
//! goes through one shard after the other then. Shards that are made meanwhile hold nothing but young files, which are
//! left alone.

use std::fs::ReadDir;
use std::path::Path;

use super::error::StoreError;
use super::files::{Files, UNFINISHED, is_shard, shard_of};

/// A search, begun once after each start.
pub(super) struct Search {
    /// The one that is being looked through.
    folder: Option<Folder>,
    /// Shards whose turn is still to come.
    shards: Vec<String>,
    files: Files,
}

/// A folder that is being looked through.
struct Folder {
    /// Its name; `None` of the one that the shards are in.
    shard: Option<String>,
    entries: ReadDir,
}

impl Search {
    /// Begins to look. Files made since the folder was opened are not orphans.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the folder cannot be listed.
    pub(super) fn begin(files: &Files) -> Result<Self, StoreError> {
        let folder = Folder { shard: None, entries: std::fs::read_dir(files.folder())? };
        Ok(Self { folder: Some(folder), shards: Vec::new(), files: files.clone() })
    }

    /// Looks at the next `count` entries, not of more than one folder, and removes those that are ours and not in use,
    /// unfinished ones among them. False when all folders are done.
    ///
    /// # Errors
    /// Those of `is_in_use`, and [`StoreError::Io`]; the next step goes on behind what could not be looked at.
    pub(super) fn step(
        &mut self,
        count: usize,
        mut is_in_use: impl FnMut(&str) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        if self.folder.is_none() && !self.begin_shard()? {
            self.files.forget_young();
            return Ok(false);
        }
        for _ in 0..count {
            let Some(folder) = &mut self.folder else { break };
            let Some(entry) = folder.entries.next() else {
                self.folder = None;
                break;
            };
            let (shard, path) = (folder.shard.clone(), entry?.path());
            self.look_at(shard.as_deref(), &path, &mut is_in_use)?;
        }
        Ok(true)
    }

    /// Goes on with the next shard. False if there is none.
    fn begin_shard(&mut self) -> Result<bool, StoreError> {
        let Some(shard) = self.shards.pop() else { return Ok(false) };
        let entries = std::fs::read_dir(self.files.folder().join(&shard))?;
        self.folder = Some(Folder { shard: Some(shard), entries });
        Ok(true)
    }

    /// Removes an entry of a shard, or of the folder of shards, if it is ours and nobody needs it.
    fn look_at(
        &mut self,
        shard: Option<&str>,
        path: &Path,
        is_in_use: &mut impl FnMut(&str) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let stem = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let unfinished = path.extension().is_some_and(|extension| extension == UNFINISHED);
        if !unfinished && path.extension().is_some() {
            // Whatever does not look like ours is somebody else's and stays.
            return Ok(());
        }
        if shard.is_none() && !unfinished && is_shard(stem) {
            match path.is_dir() {
                true => self.shards.push(stem.to_owned()),
                // In the way of a shard.
                false => remove_quietly(path),
            }
            return Ok(());
        }
        let Some(own) = shard_of(stem) else { return Ok(()) };
        // No row leads to what is not in its shard.
        let misplaced = shard != Some(own);
        let young = self.files.is_young(stem);
        if misplaced || !young && (unfinished || !is_in_use(stem)?) {
            remove_quietly(path);
        }
        Ok(())
    }
}

/// Removes a file that nobody needs; what cannot be removed now is tried again after the next start.
fn remove_quietly(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::debug!(%error, "an unused file stays");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use data_encoding::HEXLOWER;

    use super::super::files::NAME;
    use super::super::files::tests::{entries, files, restarted};
    use super::*;
    use crate::disk;

    /// Looks through everything, so many entries at a time.
    fn look_through(files: &Files, count: usize, kept: &[&String]) {
        let mut search = Search::begin(files).unwrap();
        while search.step(count, |name| Ok(kept.iter().any(|kept| *kept == name))).unwrap() {}
    }

    #[test]
    fn only_our_own_unused_files_are_orphans() {
        let (_folder, files) = files();
        let [kept, lost, copied] =
            ["kept", "lost", "copied"].map(|text| files.write(text.as_bytes()).unwrap());
        let folder = files.folder().to_owned();
        let at = |name: &str| folder.join(&name[..2]).join(name);
        let half = format!("{}.{UNFINISHED}", "a".repeat(NAME));
        let shard = files.folder().join("aa");
        disk::create_private_folder(&shard).unwrap();
        std::fs::write(shard.join(&half), "half").unwrap();
        std::fs::write(shard.join("holiday.jpg"), "not ours").unwrap();
        std::fs::create_dir(files.folder().join("holidays")).unwrap();
        std::fs::write(files.folder().join("holidays").join("lake.jpg"), "not ours").unwrap();
        std::fs::write(files.folder().join("holiday.jpg"), "not ours").unwrap();
        // Where no row leads: beside the shards, and in the shard of another.
        let other = if copied.starts_with("aa") { "bb" } else { "aa" };
        disk::create_private_folder(&files.folder().join(other)).unwrap();
        for place in [files.folder(), &files.folder().join(other)] {
            std::fs::copy(at(&copied), place.join(&copied)).unwrap();
        }
        std::fs::write(files.folder().join(&half), "half").unwrap();

        // One more is made while the search goes on.
        let files = restarted(&files);
        let young = files.write(b"young").unwrap();
        look_through(&files, 1, &[&kept, &copied]);
        let ours = [&kept, &copied, &young].map(|name| at(name));
        let theirs = [
            shard.join("holiday.jpg"),
            files.folder().join("holiday.jpg"),
            files.folder().join("holidays/lake.jpg"),
        ];
        assert_eq!(entries(&files), ours.into_iter().chain(theirs).collect());
        assert!(files.read(&kept).is_ok() && files.read(&copied).is_ok());
        assert!(files.read(&young).is_ok(), "a row may point at it soon");
        assert!(matches!(files.read(&lost), Err(StoreError::NotFound)));
    }

    #[test]
    fn a_file_in_the_way_of_a_shard_goes() {
        let (_folder, files) = files();
        for shard in 0..=255_u8 {
            std::fs::write(files.folder().join(HEXLOWER.encode(&[shard])), "in the way").unwrap();
        }
        assert!(files.write(b"x").is_err());
        look_through(&files, 10, &[]);
        assert!(files.write(b"x").is_ok());
    }

    #[test]
    fn a_step_looks_at_no_more_than_one_shard_and_so_many_files() {
        let (_folder, files) = files();
        for shard in ["00", "7f", "ff"] {
            disk::create_private_folder(&files.folder().join(shard)).unwrap();
            for number in 0..10 {
                std::fs::write(files.folder().join(shard).join(format!("{shard}{number:030}")), "lost")
                    .unwrap();
            }
        }
        let files = restarted(&files);
        let mut search = Search::begin(&files).unwrap();
        let (mut seen, mut most) = (BTreeSet::new(), 0);
        loop {
            let mut shards = BTreeSet::new();
            let mut looked_at = 0;
            let more = search.step(4, |name| {
                shards.insert(name[..2].to_owned());
                looked_at += 1;
                Ok(false)
            });
            assert!(shards.len() <= 1 && looked_at <= 4, "{shards:?} {looked_at}");
            seen.append(&mut shards);
            most = most.max(looked_at);
            if !more.unwrap() {
                break;
            }
        }
        assert_eq!((seen.len(), most, entries(&files).len()), (3, 4, 0));
    }

    #[test]
    fn a_search_goes_on_behind_what_could_not_be_looked_at() {
        let (_folder, files) = files();
        for number in 0..20_u32 {
            files.write(&number.to_be_bytes()).unwrap();
        }
        let files = restarted(&files);
        let mut search = Search::begin(&files).unwrap();
        let (mut asked, mut failed) = (0, 0);
        loop {
            match search.step(3, |_| {
                asked += 1;
                if asked % 5 == 0 { Err(StoreError::Closed) } else { Ok(false) }
            }) {
                Ok(false) => break,
                Ok(true) => {}
                Err(_) => failed += 1,
            }
        }
        assert_eq!((asked, failed, entries(&files).len()), (20, 4, 4));
    }
}
