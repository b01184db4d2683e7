//! The people we know, on all devices (spec 05 §11.1).
//!
//! Decision: who is in the document is told by what we think of them, not by what they did: an accepted, blocked,
//! renamed, pinned person. A stranger whose request waits is not, though some official apps put them there (spec 02
//! §21.3): whoever floods us with requests would fill the document, which has a size, and all our devices. Each device
//! has the requests from the swarm. An entry that another client made for other reasons is kept up to date and never
//! removed by us unless a person asks for that.
//!
//! Decision: an acceptance is never taken back by a merge. Somebody is only forgotten when their entry was removed.

use std::collections::{BTreeMap, BTreeSet};

use septet_protocol::config::{After, Config, Contact, Contacts, ConvoId, Disappearing, Picture, Priority};
use septet_protocol::id::SessionId;
use septet_protocol::time::Timestamp;
use zeroize::Zeroizing;

use super::{Documents, Merge, Messages, take_in};
use crate::model::Expiry;
use crate::store::{ContactData, Db, Now, PictureSource, ProfileData, StoreError};

/// A document that is so many versions ahead replaces changes of ours that it has not seen (spec 05 §4).
const OVERTAKEN_BY: i64 = 5;

/// So many entries say no more than that a request was declined.
const DECLINED: usize = 100;

impl Documents {
    /// People changed in the tables, perhaps: notes those that did for the document. Who is new there was added at the
    /// time given here. Returns whether there are such. To be called in the transaction of the change.
    pub fn contacts_changed(
        &self,
        db: &mut Db,
        people: &BTreeMap<SessionId, Timestamp>,
    ) -> Result<bool, StoreError> {
        let mut noted = false;
        for (id, at) in people.iter().filter(|(id, _)| **id != self.me) {
            let Some(shared) = db.undescribed(*id)? else { continue };
            if shared || db.contact(*id)?.is_some_and(|row| belongs(&row)) {
                noted |= db.note_contact(*id, *at)?;
            }
        }
        Ok(noted)
    }

    /// Writes whom [`Documents::contacts_changed`] noted into the document.
    pub(super) fn take_contact_notes(&self, db: &mut Db, contacts: &mut Contacts) -> Result<(), StoreError> {
        for (id, at) in db.noted_contacts()? {
            self.describe(db, contacts, id, at)?;
        }
        Ok(())
    }

    /// A person deleted a contact: it leaves the documents, unless something is to be remembered of it. To be called
    /// in the transaction of the change.
    pub fn contact_deleted(&self, db: &mut Db, id: SessionId, now: Timestamp) -> Result<(), StoreError> {
        if !db.swarm_was_read()? {
            return Ok(());
        }
        self.with_contacts(db, |db, contacts| {
            contacts.erase(&id);
            self.describe(db, contacts, id, now)
        })?;
        self.forget_read_state(db, id)
    }

    /// A person declined requests: each leaves an entry that only says "hidden", because a request itself is in no
    /// document, and our other devices would go on asking. To be called in the transaction of the change.
    ///
    /// Only the latest [`DECLINED`] such entries stay, so that whoever floods us with requests does not fill the document
    /// by their being declined.
    pub fn contacts_declined(
        &self,
        db: &mut Db,
        declined: &[SessionId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if declined.is_empty() || !db.swarm_was_read()? {
            return Ok(());
        }
        let latest = declined.get(..DECLINED).unwrap_or(declined);
        self.with_contacts(db, |db, contacts| {
            for id in latest {
                contacts.erase(id);
                if db.contact(*id)?.is_some_and(|row| belongs(&row)) {
                    self.describe(db, contacts, *id, now)?;
                    continue;
                }
                let hidden = Contact { priority: Priority::HIDDEN, created: Some(now), ..Contact::new(*id) };
                db.set_described(*id, true)?;
                if let Err(error) = contacts.set(&hidden) {
                    tracing::warn!(%error, "our other devices are not told of a declined request");
                }
            }
            forget_declined(db, contacts)
        })?;
        for id in declined {
            self.forget_read_state(db, *id)?;
        }
        Ok(())
    }

    /// What is gone has no read state: its entry goes with it (spec 05 §11.3).
    fn forget_read_state(&self, db: &mut Db, id: SessionId) -> Result<(), StoreError> {
        self.with_read_states(db, |_, states| {
            states.erase(&ConvoId::OneToOne(id));
            Ok(())
        })
    }

    /// Merges what the swarm has, and writes what is new into the tables.
    pub(super) fn merge_contacts(
        &self,
        db: &mut Db,
        messages: &Messages<'_>,
        now: Timestamp,
    ) -> Result<Merge, StoreError> {
        self.with_contacts(db, |db, contacts| {
            let before: BTreeMap<SessionId, Contact> =
                contacts.iter().map(|contact| (contact.id, contact)).collect();
            let document = contacts.document();
            let (seqno, unpushed) = (document.seqno(), document.needs_push() && !document.has_unsent());
            let mut merge = take_in(contacts, messages, now);
            if merge.changed {
                let overtaken = unpushed && contacts.document().seqno() - seqno >= OVERTAKEN_BY;
                self.apply_contacts(db, contacts, &before, &mut merge, Now::Known(now))?;
                self.forget_erased(db, contacts, &before, overtaken, &mut merge, now)?;
                merge.needs_push |= contacts.needs_push();
            }
            Ok(merge)
        })
    }

    /// Makes document and tables say the same, should they not: the document counts for those it has, the tables for
    /// all others.
    pub(super) fn reconcile_contacts(&self, db: &mut Db, now: Now) -> Result<(), StoreError> {
        self.with_contacts(db, |db, contacts| {
            let rows = db.contacts()?;
            let mut agreed = BTreeMap::new();
            for row in &rows {
                match contacts.get(&row.id) {
                    None => self.describe(db, contacts, row.id, now.at())?,
                    Some(contact) if agrees(&contact, row) => {
                        db.set_described(row.id, true)?;
                        agreed.insert(row.id, contact);
                    }
                    Some(_) => {}
                }
            }
            // Those just described agree as well, but applying them changes nothing.
            self.apply_contacts(db, contacts, &agreed, &mut Merge::default(), now)
        })
    }

    /// Writes all entries that are not as `before` into the tables.
    fn apply_contacts(
        &self,
        db: &mut Db,
        contacts: &mut Contacts,
        before: &BTreeMap<SessionId, Contact>,
        merge: &mut Merge,
        now: Now,
    ) -> Result<(), StoreError> {
        let is_new = |contact: &Contact| contact.id != self.me && before.get(&contact.id) != Some(contact);
        let changed: Vec<Contact> = contacts.iter().filter(is_new).collect();
        let read = db.swarm_was_read()?;
        let mut made = BTreeSet::new();
        for contact in changed {
            let row = db.contact(contact.id)?;
            let priority = row.as_ref().and_then(|row| row.priority);
            let mut told = contact_data(&contact, row.as_ref());
            if priority.is_some_and(|priority| priority >= 0)
                && contact.priority.is_hidden()
                && let Some(id) = db.find_conversation(&contact.id.into())?
            {
                // Hidden elsewhere means that its messages were deleted there (spec 05 §11.1).
                if db.delete_as_elsewhere(id)? {
                    told.priority = Some(0);
                }
                // A declined request is none any more; another message makes it one.
                told.approved_me &= told.approved || contact.approved_us;
                merge.touched.insert(id);
            }
            let first_word = !read && !before.contains_key(&contact.id);
            db.apply_contact(&match row.filter(|_| first_word) {
                Some(row) => completed(told, &row),
                None => told,
            })?;
            if priority.is_none() {
                made.insert(contact.id);
            }
            // What was set here before the swarm is read gets into the document when it was.
            if read {
                self.describe(db, contacts, contact.id, now.at())?;
            }
        }
        self.apply_read_states(db, &made, merge, now)
    }

    /// Deletes whom another device deleted, but nobody to whom something is still to be sent from here. After the swarm
    /// has overtaken changes of ours, nobody can tell who was deleted there and who was only added here: everybody stays.
    fn forget_erased(
        &self,
        db: &mut Db,
        contacts: &mut Contacts,
        before: &BTreeMap<SessionId, Contact>,
        overtaken: bool,
        merge: &mut Merge,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for id in before.keys().copied().filter(|id| *id != self.me) {
            if contacts.get(&id).is_some() {
                continue;
            }
            if overtaken {
                self.describe(db, contacts, id, now)?;
                continue;
            }
            let conversation = db.find_conversation(&id.into())?;
            merge.touched.extend(conversation);
            if let Some(conversation) = conversation
                && db.delete_as_elsewhere(conversation)?
            {
                self.describe(db, contacts, id, now)?;
                continue;
            }
            db.delete_contact(id)?;
            db.set_blocked(id, false)?;
            self.forget_read_state(db, id)?;
        }
        Ok(())
    }

    /// Writes what the tables say of somebody into the document, if they belong there.
    pub(super) fn describe(
        &self,
        db: &Db,
        contacts: &mut Contacts,
        id: SessionId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if id == self.me {
            return Ok(());
        }
        let Some(row) = db.contact(id)? else { return Ok(()) };
        let known = contacts.get(&id);
        let shared = known.is_some() || belongs(&row);
        db.set_described(id, shared)?;
        if !shared {
            return Ok(());
        }
        let new = known.is_none();
        let mut contact = known.unwrap_or_else(|| Contact::new(id));
        fill(&mut contact, &row);
        if new {
            // Never changed afterwards, not even if another client left it out.
            let created = if row.created > Timestamp::default() { row.created } else { at };
            contact.created = Some(Timestamp::from_ms(created.as_secs().saturating_mul(1000)));
        }
        if let Err(error) = contacts.set(&contact) {
            tracing::warn!(%error, "a contact cannot be shared with our other devices");
        }
        Ok(())
    }
}

/// Takes away what only says that a request was declined, the oldest, if there are too many.
fn forget_declined(db: &mut Db, contacts: &mut Contacts) -> Result<(), StoreError> {
    let says_nothing_else = |it: &Contact| {
        let set = it.approved || it.blocked || !it.nickname.is_empty() || it.mute_until.is_some();
        it.priority.is_hidden() && !set && it.disappearing.is_none()
    };
    let mut declined: Vec<Contact> = contacts.iter().filter(says_nothing_else).collect();
    declined.sort_by_key(|it| (std::cmp::Reverse(it.created), it.id));
    for old in declined.iter().skip(DECLINED) {
        contacts.erase(&old.id);
        db.set_described(old.id, false)?;
    }
    Ok(())
}

/// Whether there is something about a person that our other devices must know.
pub(super) fn belongs(row: &ContactData) -> bool {
    row.approved
        || row.blocked
        || row.nickname.is_some()
        || row.muted_until.is_some()
        || row.expiry != Expiry::Off
        || row.priority.is_some_and(|priority| priority > 0)
}

/// Whether an entry says what the tables say.
pub(super) fn agrees(contact: &Contact, row: &ContactData) -> bool {
    let mut described = contact.clone();
    fill(&mut described, row);
    (row.priority.is_some() || contact.priority.is_hidden()) && described == *contact
}

/// Writes what the tables say of somebody into their entry. A profile counts if it is newer (spec 02 §12); what the
/// tables do not know stays.
fn fill(contact: &mut Contact, row: &ContactData) {
    let (known, updated) = (contact.updated.map_or(0, Timestamp::as_secs), row.profile.updated);
    let undated = known == 0 && updated == 0 && !row.profile.name.is_empty();
    if updated > known || undated {
        contact.name = row.profile.name.clone();
        contact.picture = row.profile.picture.as_ref().and_then(picture);
        contact.updated = (updated > 0).then(|| Timestamp::from_ms(updated.saturating_mul(1000)));
    } else if updated == known {
        // Versions that were made apart can come together without what one of them deleted (spec 05 §4).
        if contact.name.is_empty() {
            contact.name = row.profile.name.clone();
        }
        contact.picture = contact.picture.take().or_else(|| row.profile.picture.as_ref().and_then(picture));
    }
    contact.nickname = row.nickname.clone().unwrap_or_default();
    contact.approved = row.approved;
    contact.approved_us = row.approved_me;
    contact.blocked = row.blocked;
    if let Some(priority) = row.priority {
        contact.priority = Priority(priority);
    }
    if !same_second(contact.mute_until, row.muted_until) {
        contact.mute_until = row.muted_until;
    }
    contact.disappearing = match row.expiry {
        Expiry::Off => None,
        Expiry::AfterRead(seconds) => Some(Disappearing { after: After::Read, seconds: seconds.into() }),
        Expiry::AfterSend(seconds) => Some(Disappearing { after: After::Send, seconds: seconds.into() }),
    };
}

/// What an entry says, for the tables, with what is never taken back and what is finer there.
fn contact_data(contact: &Contact, row: Option<&ContactData>) -> ContactData {
    let muted_until = row.map_or(contact.mute_until, |row| {
        if same_second(row.muted_until, contact.mute_until) { row.muted_until } else { contact.mute_until }
    });
    // Who is only a contact has no conversation here before something is said.
    let is_bare = contact.priority.is_hidden() && muted_until.is_none() && contact.disappearing.is_none();
    let has_row = row.is_some_and(|row| row.priority.is_some());
    ContactData {
        id: contact.id,
        profile: ProfileData {
            name: contact.name.clone(),
            picture: contact.picture.as_ref().map(source),
            updated: contact.updated.map_or(0, Timestamp::as_secs),
        },
        nickname: Some(contact.nickname.clone()).filter(|name| !name.is_empty()),
        approved: contact.approved || row.is_some_and(|row| row.approved),
        approved_me: contact.approved_us || row.is_some_and(|row| row.approved_me),
        blocked: contact.blocked,
        priority: (has_row || !is_bare).then_some(contact.priority.0),
        muted_until,
        expiry: expiry(contact.disappearing),
        created: contact.created.unwrap_or_default(),
    }
}

/// What the swarm says of somebody, with what was set here before it was read where it says nothing.
fn completed(told: ContactData, set_here: &ContactData) -> ContactData {
    let silent = told.priority.unwrap_or_default() == 0;
    ContactData {
        nickname: told.nickname.or_else(|| set_here.nickname.clone()),
        blocked: told.blocked || set_here.blocked,
        priority: if silent { set_here.priority.or(told.priority) } else { told.priority },
        muted_until: told.muted_until.or(set_here.muted_until),
        expiry: if told.expiry == Expiry::Off { set_here.expiry } else { told.expiry },
        ..told
    }
}

/// Whether two times are the same in a document, which keeps seconds.
fn same_second(a: Option<Timestamp>, b: Option<Timestamp>) -> bool {
    a.map(Timestamp::as_secs) == b.map(Timestamp::as_secs)
}

/// A timer as the tables have it.
fn expiry(disappearing: Option<Disappearing>) -> Expiry {
    let Some(Disappearing { after, seconds }) = disappearing else { return Expiry::Off };
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    match after {
        After::Read => Expiry::AfterRead(seconds),
        After::Send => Expiry::AfterSend(seconds),
    }
}

/// A picture as the documents have it; `None` if it has no form there.
pub(super) fn picture(source: &PictureSource) -> Option<Picture> {
    Picture::new(&source.url, &source.key).ok().flatten()
}

/// A picture as the tables have it.
pub(super) fn source(picture: &Picture) -> PictureSource {
    PictureSource { url: picture.url().to_owned(), key: Zeroizing::new(picture.key().to_vec()) }
}
