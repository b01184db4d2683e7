//! Accounts and their public profiles.
//!
//! Decision: an account is a row number inside the database (33 bytes would stand beside each of a million
//! messages otherwise). Profiles follow one rule wherever they come from: the newer "profile updated" time wins
//! (spec 02 §12).

use rusqlite::{OptionalExtension, Row, named_params, params};
use septet_protocol::id::SessionId;
use zeroize::Zeroizing;

use super::db::Db;
use super::error::StoreError;
use super::types::{PictureSource, ProfileData};
use super::values::{Ms, Person};
use crate::model::PictureId;

/// Longest name kept, in bytes (spec 02 §12).
const NAME_BYTES: usize = 100;

/// Whose pictures are to be fetched.
pub(super) const PICTURES_WANTED: &str =
    "SELECT account, name, picture_url, picture_key, profile_updated FROM people
     WHERE picture_state = 1 AND (approved = 1 OR id IN (SELECT person FROM account))";

/// A picture that is to be fetched.
#[derive(Clone)]
pub struct WantedPicture {
    /// Whose.
    pub id: SessionId,
    /// Where it is.
    pub source: PictureSource,
}

impl Db {
    /// The row number of an account; made on demand.
    pub(super) fn person(&self, id: SessionId) -> Result<i64, StoreError> {
        self.author(&id.to_prefixed())
    }

    /// The row number of whom these 33 bytes name, a blinded id among them; made on demand.
    pub(super) fn author(&self, prefixed: &[u8; 33]) -> Result<i64, StoreError> {
        let mut statement = self.sql().prepare_cached("SELECT id FROM people WHERE account = ?1")?;
        if let Some(row) = statement.query_row([prefixed], |row| row.get(0)).optional()? {
            return Ok(row);
        }
        let mut statement = self.sql().prepare_cached("INSERT INTO people (account) VALUES (?1)")?;
        Ok(statement.insert([prefixed])?)
    }

    /// The row number of an account, if it is known.
    pub(super) fn find_person(&self, id: SessionId) -> Result<Option<i64>, StoreError> {
        let mut statement = self.sql().prepare_cached("SELECT id FROM people WHERE account = ?1")?;
        Ok(statement.query_row(params![Person(id)], |row| row.get(0)).optional()?)
    }

    /// Somebody's public profile, if the account is known.
    pub fn profile_of(&self, id: SessionId) -> Result<Option<ProfileData>, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "SELECT name, picture_url, picture_key, profile_updated FROM people WHERE account = ?1",
        )?;
        Ok(statement.query_row(params![Person(id)], |row| profile_data(row, 0)).optional()?)
    }

    /// Takes over a profile if it is newer than the stored one, or if neither tells its time (spec 02 §12).
    /// Returns whether anything changed.
    pub fn merge_profile(&mut self, id: SessionId, profile: &ProfileData) -> Result<bool, StoreError> {
        self.transaction(|db| {
            let person = db.person(id)?;
            let current = db.profile_of(id)?.unwrap_or_default();
            let newer = profile.updated > current.updated || (profile.updated == 0 && current.updated == 0);
            if !newer {
                return Ok(false);
            }
            let name = if profile.name.is_empty() { current.name.clone() } else { cut_name(&profile.name) };
            let merged = ProfileData { name, ..profile.clone() };
            if merged == current {
                return Ok(false);
            }
            db.write_profile(person, &current, &merged)?;
            Ok(true)
        })
    }

    /// Sets a profile whatever its time: our own, or what a config says for certain.
    pub fn set_profile(&mut self, id: SessionId, profile: &ProfileData) -> Result<(), StoreError> {
        self.transaction(|db| {
            let person = db.person(id)?;
            let current = db.profile_of(id)?.unwrap_or_default();
            db.write_profile(person, &current, profile)
        })
    }

    fn write_profile(&self, person: i64, old: &ProfileData, new: &ProfileData) -> Result<(), StoreError> {
        let mut statement = self.sql().prepare_cached(
            "UPDATE people SET name = :name, profile_updated = :updated, picture_url = :url, picture_key = :key
             WHERE id = :id",
        )?;
        statement.execute(named_params! {
            ":id": person,
            ":name": cut_name(&new.name),
            ":updated": i64::try_from(new.updated).unwrap_or(i64::MAX),
            ":url": new.picture.as_ref().map(|picture| &picture.url),
            ":key": new.picture.as_ref().map(|picture| &picture.key[..]),
        })?;
        if old.picture != new.picture {
            // The old file is shown until the new one is here; without a picture it goes at once.
            let sql = match new.picture {
                Some(_) => "UPDATE people SET picture_state = 1 WHERE id = ?1",
                None => "UPDATE people SET picture_state = 0, picture_file = NULL WHERE id = ?1",
            };
            self.sql().prepare_cached(sql)?.execute([person])?;
        }
        Ok(())
    }

    /// Pictures that are to be fetched: our own, and those of people we accepted. A stranger's waits until then, because
    /// whoever writes to us first would otherwise choose a server that learns when we are here, and what is drawn.
    pub fn pictures_wanted(&self) -> Result<Vec<WantedPicture>, StoreError> {
        let mut statement = self.sql().prepare_cached(PICTURES_WANTED)?;
        let rows = statement.query_map([], |row| {
            let Person(id) = row.get(0)?;
            Ok(profile_data(row, 1)?.picture.map(|source| WantedPicture { id, source }))
        })?;
        Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
    }

    /// The picture fetched from `source` lies in `file` now; false if the account has another one by now (then the
    /// file is to be deleted).
    pub fn picture_fetched(
        &mut self,
        id: SessionId,
        source: &PictureSource,
        file: &str,
    ) -> Result<bool, StoreError> {
        self.finish_picture(id, source, 2, Some(file))
    }

    /// The picture cannot be had from `source`; it is not asked for again until it changes.
    pub fn picture_failed(&mut self, id: SessionId, source: &PictureSource) -> Result<bool, StoreError> {
        self.finish_picture(id, source, 3, None)
    }

    fn finish_picture(
        &mut self,
        id: SessionId,
        source: &PictureSource,
        state: i64,
        file: Option<&str>,
    ) -> Result<bool, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "UPDATE people SET picture_state = ?4, picture_file = coalesce(?5, picture_file)
             WHERE account = ?1 AND picture_url = ?2 AND picture_key = ?3",
        )?;
        let rows = statement.execute(params![Person(id), source.url, &source.key[..], state, file])?;
        Ok(rows > 0)
    }

    /// We accept their messages from now on, or no more. Returns whether that is new.
    pub fn set_approved(&mut self, id: SessionId, approved: bool) -> Result<bool, StoreError> {
        self.set_flag(id, "UPDATE people SET approved = ?2 WHERE id = ?1 AND approved <> ?2", approved)
    }

    /// They accept our messages. Returns whether that is new.
    pub fn set_approved_me(&mut self, id: SessionId, approved: bool) -> Result<bool, StoreError> {
        self.set_flag(id, "UPDATE people SET approved_me = ?2 WHERE id = ?1 AND approved_me <> ?2", approved)
    }

    /// We want nothing from them. Returns whether that is new.
    pub fn set_blocked(&mut self, id: SessionId, blocked: bool) -> Result<bool, StoreError> {
        self.set_flag(id, "UPDATE people SET blocked = ?2 WHERE id = ?1 AND blocked <> ?2", blocked)
    }

    fn set_flag(&mut self, id: SessionId, sql: &'static str, value: bool) -> Result<bool, StoreError> {
        self.transaction(|db| {
            let person = db.person(id)?;
            Ok(db.sql().prepare_cached(sql)?.execute(params![person, value])? > 0)
        })
    }

    /// Our private name for somebody; `None` or empty removes it.
    pub fn set_nickname(&mut self, id: SessionId, nickname: Option<&str>) -> Result<(), StoreError> {
        self.transaction(|db| {
            let person = db.person(id)?;
            let nickname = nickname.filter(|name| !name.is_empty()).map(cut_name);
            let mut statement = db.sql().prepare_cached("UPDATE people SET nickname = ?2 WHERE id = ?1")?;
            statement.execute(params![person, nickname])?;
            Ok(())
        })
    }

    /// When the contact was made; the earliest wins.
    pub fn set_contact_created(&mut self, id: SessionId, created: Ms) -> Result<(), StoreError> {
        self.transaction(|db| {
            let person = db.person(id)?;
            let mut statement = db.sql().prepare_cached(
                "UPDATE people SET created = ?2 WHERE id = ?1 AND (created = 0 OR created > ?2)",
            )?;
            statement.execute(params![person, created])?;
            Ok(())
        })
    }
}

/// Reads name, picture_url, picture_key and profile_updated from four columns on.
pub(super) fn profile_data(row: &Row<'_>, first: usize) -> rusqlite::Result<ProfileData> {
    let url: Option<String> = row.get(first + 1)?;
    let key: Option<Vec<u8>> = row.get(first + 2)?;
    let updated: i64 = row.get(first + 3)?;
    Ok(ProfileData {
        name: row.get(first)?,
        picture: url.zip(key).map(|(url, key)| PictureSource { url, key: Zeroizing::new(key) }),
        updated: updated.unsigned_abs(),
    })
}

/// The version of a picture that is here, from its file's name.
pub(super) fn picture_id(file: Option<String>) -> Option<PictureId> {
    file.map(PictureId)
}

/// Cuts a name to what is kept, between characters.
fn cut_name(name: &str) -> String {
    let end = (0..=NAME_BYTES.min(name.len())).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    name.get(..end).unwrap_or_default().to_owned()
}
