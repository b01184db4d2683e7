//! The people the account knows, and those it wrote to through a community (spec 05 §11.1).
//!
//! Being in here means that there is a conversation. A [`Contact`] is read as a whole and written as a whole; keys of
//! newer versions inside its entry are left alone.

use data_encoding::HEXLOWER;

use crate::id::SessionId;
use crate::time::Timestamp;

use super::community_url::BaseUrl;
use super::document::Document;
use super::exchange::{LoadError, Rules};
use super::field::{Fields, check_name};
use super::value::{Dict, Value};
use super::{Config, Disappearing, FieldError, Kind, Notifications, Picture, Priority, truncate_name};

const CONTACTS: &[u8] = b"c";
const BLINDED: &[u8] = b"b";
const SERVER_KEY: &[u8] = b"#";
const ROOMS: &[u8] = b"R";

const MUTE_UNTIL: &[u8] = b"!";
const PRIORITY: &[u8] = b"+";
const NOTIFICATIONS: &[u8] = b"@";
const APPROVED_US: &[u8] = b"A";
const TIMER: &[u8] = b"E";
const NICKNAME: &[u8] = b"N";
const APPROVED: &[u8] = b"a";
const BLOCKED: &[u8] = b"b";
const TIMER_MODE: &[u8] = b"e";
const FEATURES: &[u8] = b"f";
const CREATED: &[u8] = b"j";
const NAME: &[u8] = b"n";
const URL: &[u8] = b"p";
const URL_KEY: &[u8] = b"q";
const UPDATED: &[u8] = b"t";
const LEGACY: &[u8] = b"y";

/// Someone the account knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contact {
    /// Who.
    pub id: SessionId,
    /// The name they gave themselves; may be empty. Cut to 100 bytes when written.
    pub name: String,
    /// The name we gave them; empty if none. At most 100 bytes.
    pub nickname: String,
    /// Their picture.
    pub picture: Option<Picture>,
    /// When they last changed name or picture, as far as known.
    pub updated: Option<Timestamp>,
    /// Their Pro features, bit by bit.
    pub features: u64,
    /// We accepted them.
    pub approved: bool,
    /// They accepted us.
    pub approved_us: bool,
    /// Their messages are dropped.
    pub blocked: bool,
    /// Where the conversation stands in the list.
    pub priority: Priority,
    /// What to notify about; [`Notifications::MentionsOnly`] is written as all.
    pub notifications: Notifications,
    /// No notifications until then.
    pub mute_until: Option<Timestamp>,
    /// When messages disappear.
    pub disappearing: Option<Disappearing>,
    /// When the contact was added. Set once.
    pub created: Option<Timestamp>,
}

impl Contact {
    /// Someone of whom nothing is known.
    pub fn new(id: SessionId) -> Self {
        Self {
            id,
            name: String::new(),
            nickname: String::new(),
            picture: None,
            updated: None,
            features: 0,
            approved: false,
            approved_us: false,
            blocked: false,
            priority: Priority::NORMAL,
            notifications: Notifications::Default,
            mute_until: None,
            disappearing: None,
            created: None,
        }
    }

    /// The name to show: ours for them, or theirs; empty if there is neither.
    pub fn display_name(&self) -> &str {
        if self.nickname.is_empty() { &self.name } else { &self.nickname }
    }

    /// Takes over a profile that came with a message, if it is newer than what is known. Returns whether it was.
    pub fn take_profile(&mut self, name: &str, picture: Option<Picture>, updated: Timestamp) -> bool {
        if self.updated.is_some_and(|known| known.as_secs() >= updated.as_secs()) {
            return false;
        }
        self.name = truncate_name(name).to_owned();
        self.picture = picture;
        self.updated = Some(updated);
        true
    }

    fn read(id: SessionId, dict: &Dict) -> Self {
        Self {
            id,
            name: dict.text(NAME).unwrap_or_default(),
            nickname: dict.text(NICKNAME).unwrap_or_default(),
            picture: dict.picture(URL, URL_KEY),
            updated: dict.seconds(UPDATED),
            features: dict.bits(FEATURES),
            approved: dict.flag(APPROVED),
            approved_us: dict.flag(APPROVED_US),
            blocked: dict.flag(BLOCKED),
            priority: Priority(dict.int(PRIORITY).unwrap_or(0)),
            notifications: Notifications::from_wire(dict.int(NOTIFICATIONS).unwrap_or(0)).for_contact(),
            mute_until: dict.seconds(MUTE_UNTIL),
            disappearing: Disappearing::read(dict, TIMER_MODE, TIMER),
            created: dict.seconds(CREATED),
        }
    }

    /// Writes all fields, in the order of their keys.
    fn write(&self, dict: &mut Dict) {
        let (mode, timer) = Disappearing::to_wire(self.disappearing);
        dict.put_seconds(MUTE_UNTIL, self.mute_until);
        dict.put_nonzero(PRIORITY, self.priority.0);
        dict.put_nonzero(NOTIFICATIONS, self.notifications.for_contact().to_wire());
        dict.put_flag(APPROVED_US, self.approved_us);
        dict.put_nonzero(TIMER, timer);
        dict.put_text(NICKNAME, &self.nickname);
        dict.put_flag(APPROVED, self.approved);
        dict.put_flag(BLOCKED, self.blocked);
        dict.put_nonzero(TIMER_MODE, mode);
        dict.put_bits(FEATURES, self.features);
        dict.put_seconds(CREATED, self.created);
        dict.put_always(NAME, truncate_name(&self.name));
        dict.put_picture(URL, URL_KEY, self.picture.as_ref());
        dict.put_seconds(UPDATED, self.updated);
    }
}

/// An account as one community knows it: its key, blinded for that community.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BlindedId {
    /// Of the older kind, `15…` rather than `25…`.
    pub legacy: bool,
    /// The 32 bytes after the prefix.
    pub key: [u8; 32],
}

impl BlindedId {
    /// The first byte of the 33-byte form.
    pub const fn prefix(&self) -> u8 {
        if self.legacy { 0x15 } else { 0x25 }
    }

    /// Prefix and key, 33 bytes.
    pub fn to_prefixed(&self) -> [u8; 33] {
        let mut out = [self.prefix(); 33];
        out.iter_mut().skip(1).zip(self.key).for_each(|(to, from)| *to = from);
        out
    }

    /// From the 33-byte form.
    pub fn from_prefixed(bytes: &[u8]) -> Option<Self> {
        let (prefix, key) = bytes.split_first()?;
        let legacy = match prefix {
            0x15 => true,
            0x25 => false,
            _ => return None,
        };
        Some(Self { legacy, key: key.try_into().ok()? })
    }
}

/// Someone the account wrote to through a community and knows only by a blinded id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlindedContact {
    /// The community server through which they are reached.
    pub base: BaseUrl,
    /// That server's key.
    pub server_key: [u8; 32],
    /// Who.
    pub id: BlindedId,
    /// The name they gave themselves; cut to 100 bytes when written.
    pub name: String,
    /// Their picture.
    pub picture: Option<Picture>,
    /// When they last changed name or picture, as far as known.
    pub updated: Option<Timestamp>,
    /// Their Pro features, bit by bit.
    pub features: u64,
    /// Where the conversation stands in the list.
    pub priority: Priority,
    /// When it was begun.
    pub created: Option<Timestamp>,
}

impl BlindedContact {
    fn read(base: BaseUrl, server_key: [u8; 32], key: [u8; 32], dict: &Dict) -> Self {
        Self {
            base,
            server_key,
            id: BlindedId { legacy: dict.flag(LEGACY), key },
            name: dict.text(NAME).unwrap_or_default(),
            picture: dict.picture(URL, URL_KEY),
            updated: dict.seconds(UPDATED),
            features: dict.bits(FEATURES),
            priority: Priority(dict.int(PRIORITY).unwrap_or(0)),
            created: dict.seconds(CREATED),
        }
    }

    fn write(&self, dict: &mut Dict) {
        dict.put_nonzero(PRIORITY, self.priority.0);
        dict.put_bits(FEATURES, self.features);
        dict.put_seconds(CREATED, self.created);
        dict.put_always(NAME, truncate_name(&self.name));
        dict.put_picture(URL, URL_KEY, self.picture.as_ref());
        dict.put_seconds(UPDATED, self.updated);
        dict.put_flag(LEGACY, self.id.legacy);
    }
}

/// All contacts of the account.
pub struct Contacts(Document);

impl Config for Contacts {
    fn kind(&self) -> Kind {
        Kind::Contacts
    }

    fn document(&self) -> &Document {
        &self.0
    }

    fn document_mut(&mut self) -> &mut Document {
        &mut self.0
    }
}

impl Contacts {
    /// No contacts, of the account with this 32-byte Ed25519 seed.
    pub fn new(seed: &[u8; 32]) -> Self {
        Self::with_rules(seed, Rules::Current)
    }

    /// No contacts, following `rules`.
    pub fn with_rules(seed: &[u8; 32], rules: Rules) -> Self {
        Self(Document::new_user(*seed, Kind::Contacts, rules))
    }

    /// The contacts that were dumped.
    pub fn load(seed: &[u8; 32], dump: &[u8]) -> Result<Self, LoadError> {
        Self::new(seed).loaded(dump)
    }

    /// Takes over a dump, keeping the rules.
    pub fn loaded(self, dump: &[u8]) -> Result<Self, LoadError> {
        Ok(Self(self.0.load(dump)?))
    }

    fn contacts(&self) -> Option<&Dict> {
        self.0.data().dict(CONTACTS)
    }

    /// The contact with this id.
    pub fn get(&self, id: &SessionId) -> Option<Contact> {
        let dict = self.contacts()?.dict(&id.to_prefixed())?;
        Some(Contact::read(*id, dict))
    }

    /// The contact with this id, or a new one, which is not stored yet.
    pub fn get_or_new(&self, id: &SessionId) -> Contact {
        self.get(id).unwrap_or_else(|| Contact::new(*id))
    }

    /// Stores a contact, new or changed.
    pub fn set(&mut self, contact: &Contact) -> Result<(), FieldError> {
        check_name(&contact.nickname)?;
        self.0.update(&[CONTACTS, &contact.id.to_prefixed()], |dict| contact.write(dict));
        Ok(())
    }

    /// Changes a contact, which is made if it is not there.
    pub fn update(&mut self, id: &SessionId, change: impl FnOnce(&mut Contact)) -> Result<(), FieldError> {
        let mut contact = self.get_or_new(id);
        change(&mut contact);
        self.set(&contact)
    }

    /// Removes a contact; returns whether it was there.
    pub fn erase(&mut self, id: &SessionId) -> bool {
        self.0.erase(&[CONTACTS, &id.to_prefixed()])
    }

    /// All contacts, ordered by id. Entries whose key is no account id are skipped.
    pub fn iter(&self) -> impl Iterator<Item = Contact> {
        self.contacts().into_iter().flat_map(Dict::dicts).filter_map(|(key, dict)| {
            let (&SessionId::PREFIX, id) = key.split_first()? else { return None };
            Some(Contact::read(SessionId(id.try_into().ok()?), dict))
        })
    }

    /// Someone known through a community.
    pub fn get_blinded(&self, base: &BaseUrl, id: &BlindedId) -> Option<BlindedContact> {
        self.blinded().find(|contact| contact.base == *base && contact.id == *id)
    }

    /// Stores someone known through a community.
    pub fn set_blinded(&mut self, contact: &BlindedContact) {
        let base = contact.base.as_str().as_bytes();
        self.0.update(&[BLINDED, base], |server| {
            server.insert(SERVER_KEY, Value::from(&contact.server_key[..]));
            let mut people = server.dict(ROOMS).cloned().unwrap_or_default();
            let key = HEXLOWER.encode(&contact.id.key);
            let mut entry = people.dict(key.as_bytes()).cloned().unwrap_or_default();
            contact.write(&mut entry);
            people.insert(key.as_bytes(), Value::Dict(entry));
            server.insert(ROOMS, Value::Dict(people));
        });
    }

    /// Removes someone known through a community; returns whether they were there.
    pub fn erase_blinded(&mut self, base: &BaseUrl, id: &BlindedId) -> bool {
        let base = base.as_str().as_bytes();
        let there = self.0.erase(&[BLINDED, base, ROOMS, HEXLOWER.encode(&id.key).as_bytes()]);
        if there && self.0.data().at(&[BLINDED, base, ROOMS]).is_none() {
            self.0.erase(&[BLINDED, base]);
        }
        there
    }

    /// Everyone known through communities, ordered by server and key. Malformed entries are skipped.
    pub fn blinded(&self) -> impl Iterator<Item = BlindedContact> {
        let servers = self.0.data().dict(BLINDED).into_iter().flat_map(Dict::dicts);
        servers.flat_map(|(base, server)| {
            let base = BaseUrl::from_key(base);
            let server_key = server.array::<32>(SERVER_KEY);
            let people = server.dict(ROOMS).into_iter().flat_map(Dict::dicts);
            people.filter_map(move |(key, dict)| {
                let key = HEXLOWER.decode(key).ok()?.try_into().ok()?;
                Some(BlindedContact::read(base.clone()?, server_key?, key, dict))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: [u8; 32] = [9; 32];
    const ANN: SessionId = SessionId([1; 32]);

    #[test]
    fn a_contact_comes_back_as_it_was_stored() {
        let mut contacts = Contacts::new(&SEED);
        let contact = Contact {
            name: "Ann".into(),
            nickname: "Annie".into(),
            picture: Picture::new("http://x/1", &[5; 32]).unwrap(),
            updated: Some(Timestamp::from_ms(5000)),
            features: 0b101,
            approved: true,
            approved_us: true,
            blocked: true,
            priority: Priority::PINNED,
            notifications: Notifications::Disabled,
            mute_until: Some(Timestamp::from_ms(6000)),
            disappearing: Disappearing::from_wire(2, 60),
            created: Some(Timestamp::from_ms(7000)),
            ..Contact::new(ANN)
        };
        contacts.set(&contact).unwrap();
        assert_eq!(contacts.get(&ANN), Some(contact.clone()));
        assert_eq!(contacts.iter().collect::<Vec<_>>(), [contact]);
        assert!(contacts.erase(&ANN));
        assert!(!contacts.erase(&ANN));
        assert!(contacts.document().data().is_empty());
    }

    #[test]
    fn a_profile_is_taken_over_only_if_it_is_newer() {
        let mut contact = Contact::new(ANN);
        assert!(contact.take_profile("Ann", None, Timestamp::from_ms(5000)));
        assert!(!contact.take_profile("Bob", None, Timestamp::from_ms(5999)));
        assert!(contact.take_profile("Cid", None, Timestamp::from_ms(6000)));
        assert_eq!(contact.name, "Cid");
    }

    #[test]
    fn a_nickname_that_is_too_long_changes_nothing() {
        let mut contacts = Contacts::new(&SEED);
        let result = contacts.update(&ANN, |contact| contact.nickname = "x".repeat(101));
        assert_eq!(result, Err(FieldError::NameTooLong { length: 101 }));
        assert!(!contacts.needs_push() && contacts.get(&ANN).is_none());
    }

    #[test]
    fn blinded_contacts_come_and_go_with_their_server() {
        let mut contacts = Contacts::new(&SEED);
        let base: BaseUrl = "http://example.org".parse().unwrap();
        let contact = BlindedContact {
            base: base.clone(),
            server_key: [3; 32],
            id: BlindedId { legacy: true, key: [4; 32] },
            name: "Ann".into(),
            picture: None,
            updated: None,
            features: 0,
            priority: Priority::NORMAL,
            created: Some(Timestamp::from_ms(1000)),
        };
        contacts.set_blinded(&contact);
        assert_eq!(contacts.get_blinded(&base, &contact.id), Some(contact.clone()));
        assert!(contacts.erase_blinded(&base, &contact.id));
        assert!(contacts.document().data().is_empty());
    }
}
