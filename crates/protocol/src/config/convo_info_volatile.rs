//! How far conversations have been read (spec 05 §11.3).
//!
//! Entries come and go with activity: what was read long ago leaves the synchronised data for an archive on this
//! device, which still answers. So an entry that is absent means "nothing is known", never "unread".

use crate::id::{GroupId, SessionId};
use crate::time::Timestamp;

use super::community_url::{BaseUrl, RoomToken};
use super::contacts::BlindedId;
use super::document::Document;
use super::exchange::{LoadError, Push, PushError, Rules};
use super::field::Fields;
use super::value::{Dict, Value};
use super::{Config, Kind};

const ONE_TO_ONE: &[u8] = b"1";
const GROUPS: &[u8] = b"g";
const LEGACY_GROUPS: &[u8] = b"C";
const COMMUNITIES: &[u8] = b"o";
const BLINDED: &[u8] = b"b";
const SERVER_KEY: &[u8] = b"#";
const ROOMS: &[u8] = b"R";

const READ: &[u8] = b"r";
const UNREAD: &[u8] = b"u";
const PRO_EXPIRES: &[u8] = b"e";
const PRO_TAG: &[u8] = b"g";
const LEGACY: &[u8] = b"y";

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// What was read longer ago than this is archived, in milliseconds.
const ACTIVE_MS: u64 = 30 * DAY_MS;
/// By the rules of January 2025: what was read longer ago than this is removed at a push, in milliseconds.
const PRUNED_2025_MS: u64 = 45 * DAY_MS;
/// From here on an expiry is in milliseconds: older versions wrote those.
const MILLISECONDS_FROM: u64 = 100_000_000_000;

/// Which conversation.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ConvoId {
    /// With one person; with the own account, Note to Self.
    OneToOne(SessionId),
    /// A group.
    Group(GroupId),
    /// A group of the old kind.
    LegacyGroup(SessionId),
    /// A room of a community; the name of the room in any case.
    Community {
        /// The server.
        base: BaseUrl,
        /// The room.
        room: RoomToken,
    },
    /// With someone known by a blinded id only.
    Blinded(BlindedId),
}

impl ConvoId {
    /// The keys that lead to its entry.
    fn path(&self) -> Vec<Vec<u8>> {
        let keyed = |section: &[u8], id: [u8; 33]| vec![section.to_vec(), id.to_vec()];
        match self {
            Self::OneToOne(id) => keyed(ONE_TO_ONE, id.to_prefixed()),
            Self::Group(id) => keyed(GROUPS, id.to_prefixed()),
            Self::LegacyGroup(id) => keyed(LEGACY_GROUPS, id.to_prefixed()),
            Self::Blinded(id) => keyed(BLINDED, id.to_prefixed()),
            Self::Community { base, room } => {
                vec![COMMUNITIES.to_vec(), base.as_str().into(), ROOMS.to_vec(), room.key().into()]
            }
        }
    }
}

/// The last proof of Pro that was seen of the other side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProSeen {
    /// When it ends. Kept in whole seconds.
    pub expires: Timestamp,
    /// What a revocation names.
    pub revocation_tag: [u8; 32],
}

/// What is known about how far a conversation was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReadState {
    /// When the newest message that was read was sent; zero if that is not known.
    pub last_read: Timestamp,
    /// Marked as unread by the user.
    pub unread: bool,
    /// One-to-one and blinded conversations: the other side's Pro.
    pub pro: Option<ProSeen>,
}

impl ReadState {
    fn read(dict: &Dict) -> Self {
        let expires = dict.positive(PRO_EXPIRES).map(|value| {
            Timestamp::from_ms(if value > MILLISECONDS_FROM { value } else { value.saturating_mul(1000) })
        });
        Self {
            last_read: Timestamp::from_ms(dict.positive(READ).unwrap_or(0)),
            unread: dict.flag(UNREAD),
            pro: expires
                .zip(dict.array(PRO_TAG))
                .map(|(expires, revocation_tag)| ProSeen { expires, revocation_tag }),
        }
    }

    fn write(&self, dict: &mut Dict, id: &ConvoId) {
        dict.put_positive(READ, Some(self.last_read.as_ms()));
        dict.put_flag(UNREAD, self.unread);
        if let ConvoId::OneToOne(_) | ConvoId::Blinded(_) = id {
            dict.put_seconds(PRO_EXPIRES, self.pro.map(|pro| pro.expires));
            match self.pro {
                Some(pro) => dict.insert(PRO_TAG, Value::from(&pro.revocation_tag[..])),
                None => dict.remove(PRO_TAG),
            }
        }
        if let ConvoId::Blinded(id) = id {
            dict.put_flag(LEGACY, id.legacy);
        }
    }

    /// Whether it was read so long before `now` that it is archived when it is written.
    fn is_old(&self, now: Timestamp) -> bool {
        self.last_read <= now - ACTIVE_MS
    }

    /// Whether it may leave the synchronised data at a push.
    fn is_stale(&self, now: Timestamp) -> bool {
        let before = now - ACTIVE_MS;
        !self.unread && self.last_read < before && self.pro.is_none_or(|pro| pro.expires < before)
    }
}

/// The read states of all conversations.
pub struct ConvoInfoVolatile(Document);

impl Config for ConvoInfoVolatile {
    fn kind(&self) -> Kind {
        Kind::ConvoInfoVolatile
    }

    fn document(&self) -> &Document {
        &self.0
    }

    fn document_mut(&mut self) -> &mut Document {
        &mut self.0
    }

    /// Also removes what was read too long ago, which makes a new version.
    fn push(&mut self, now: Timestamp) -> Result<Push, PushError> {
        self.age(now);
        self.0.push(now)
    }
}

impl ConvoInfoVolatile {
    /// No read states, of the account with this 32-byte Ed25519 seed.
    pub fn new(seed: &[u8; 32]) -> Self {
        Self::with_rules(seed, Rules::Current)
    }

    /// No read states, following `rules`.
    pub fn with_rules(seed: &[u8; 32], rules: Rules) -> Self {
        Self(Document::new_user(*seed, Kind::ConvoInfoVolatile, rules))
    }

    /// The read states that were dumped.
    pub fn load(seed: &[u8; 32], dump: &[u8]) -> Result<Self, LoadError> {
        Self::new(seed).loaded(dump)
    }

    /// Takes over a dump, keeping the rules.
    pub fn loaded(self, dump: &[u8]) -> Result<Self, LoadError> {
        Ok(Self(self.0.load(dump)?))
    }

    /// What is known of a conversation, also if that is archived.
    pub fn get(&self, id: &ConvoId) -> Option<ReadState> {
        let path = id.path();
        let path: Vec<_> = path.iter().map(Vec::as_slice).collect();
        match self.0.data().at(&path).or_else(|| self.0.local.at(&path)) {
            Some(Value::Dict(dict)) => Some(ReadState::read(dict)),
            _ => None,
        }
    }

    /// Stores what is known of a conversation; of a community also `server_key`, which is required there.
    ///
    /// What was read 30 days ago or longer is only archived, even if marked unread.
    pub fn set(&mut self, id: &ConvoId, state: &ReadState, server_key: Option<&[u8; 32]>, now: Timestamp) {
        let path = id.path();
        let path: Vec<_> = path.iter().map(Vec::as_slice).collect();
        let (base, server) = (path.first().copied().zip(path.get(1).copied()), server_key);
        let (Some((section, name)), rules) = (base, self.0.rules()) else { return };
        let key_path = [section, name, SERVER_KEY];
        let is_community = matches!(id, ConvoId::Community { .. });
        if rules == Rules::January2025 {
            self.set_2025(id, &path, state, now);
            if let (true, Some(key)) = (is_community, server) {
                self.0.set(&key_path, Value::from(&key[..]));
            }
            return;
        }
        let known = self.0.data().at(&path).or_else(|| self.0.local.at(&path));
        let mut entry = match known {
            Some(Value::Dict(dict)) => dict.clone(),
            _ => Dict::default(),
        };
        state.write(&mut entry, id);
        if state.is_old(now) {
            self.erase_synchronised(&path);
            self.0.local.insert_at(&path, Value::Dict(entry));
            if let (true, Some(key)) = (is_community, server) {
                self.0.local.insert_at(&key_path, Value::from(&key[..]));
            }
            self.0.needs_dump = true;
            return;
        }
        self.0.set(&path, Value::Dict(entry));
        if let (true, Some(key)) = (is_community, server) {
            self.0.set(&key_path, Value::from(&key[..]));
        }
        self.forget_archived(&path);
    }

    /// Notes that messages up to the one sent at `sent` were read, and that the conversation is not marked unread.
    /// Never goes back.
    pub fn mark_read(
        &mut self,
        id: &ConvoId,
        sent: Timestamp,
        server_key: Option<&[u8; 32]>,
        now: Timestamp,
    ) {
        let known = self.get(id).unwrap_or_default();
        let state = ReadState { last_read: known.last_read.max(sent), unread: false, ..known };
        if state != known {
            self.set(id, &state, server_key, now);
        }
    }

    /// Removes a conversation, also from the archive; returns whether it was there.
    pub fn erase(&mut self, id: &ConvoId) -> bool {
        let path = id.path();
        let path: Vec<_> = path.iter().map(Vec::as_slice).collect();
        let archived = self.forget_archived(&path);
        self.erase_synchronised(&path) || archived
    }

    /// Removes an entry, and its server if that has no other rooms.
    fn erase_synchronised(&mut self, path: &[&[u8]]) -> bool {
        let there = self.0.erase(path);
        if let (true, [section, base, rooms, _]) = (there, path)
            && self.0.data().at(&[section, base, rooms]).is_none()
        {
            self.0.erase(&[section, base]);
        }
        there
    }

    fn forget_archived(&mut self, path: &[&[u8]]) -> bool {
        let there = self.0.local.at(path).is_some();
        if there {
            self.0.needs_dump = true;
            self.0.local.remove_at(path);
            if let [section, base, rooms, _] = path
                && self.0.local.at(&[section, base, rooms]).is_none()
            {
                self.0.local.remove_at(&[section, base]);
            }
        }
        there
    }

    /// All synchronised read states, without the archive: one-to-one, groups, communities, groups of the old kind,
    /// blinded; each ordered by id. Malformed entries are skipped.
    pub fn iter(&self) -> impl Iterator<Item = (ConvoId, ReadState)> {
        let data = self.0.data();
        let keyed = move |section: &[u8], make: fn(&[u8]) -> Option<ConvoId>| {
            let entries = data.dict(section).into_iter().flat_map(Dict::dicts);
            entries.filter_map(move |(key, dict)| Some((make(key)?, ReadState::read(dict))))
        };
        keyed(ONE_TO_ONE, |key| account(key).map(ConvoId::OneToOne))
            .chain(keyed(GROUPS, |key| {
                let (&GroupId::PREFIX, id) = key.split_first()? else { return None };
                Some(ConvoId::Group(GroupId(id.try_into().ok()?)))
            }))
            .chain(
                rooms(data)
                    .map(|(base, room, _, dict)| (ConvoId::Community { base, room }, ReadState::read(dict))),
            )
            .chain(keyed(LEGACY_GROUPS, |key| account(key).map(ConvoId::LegacyGroup)))
            .chain(keyed(BLINDED, |key| BlindedId::from_prefixed(key).map(ConvoId::Blinded)))
    }

    /// The key of a community's server, if there is an entry of one of its rooms.
    pub fn server_key(&self, base: &BaseUrl) -> Option<[u8; 32]> {
        self.0.data().dict(COMMUNITIES)?.dict(base.as_str().as_bytes())?.array(SERVER_KEY)
    }

    /// Archives what was read too long ago.
    fn age(&mut self, now: Timestamp) {
        let recent = self.0.rules() == Rules::January2025;
        let stale: Vec<_> = self
            .iter()
            .filter(|(id, state)| if recent { is_pruned_2025(id, state, now) } else { state.is_stale(now) })
            .map(|(id, _)| id)
            .collect();
        for id in stale {
            let path = id.path();
            let path: Vec<_> = path.iter().map(Vec::as_slice).collect();
            if let (false, Some(entry)) = (recent, self.0.data().at(&path).cloned()) {
                if let ([section, base, _, _], ConvoId::Community { .. }) = (path.as_slice(), &id)
                    && let Some(key) = self.0.data().at(&[section, base, SERVER_KEY]).cloned()
                {
                    self.0.local.insert_at(&[section, base, SERVER_KEY], key);
                }
                self.0.local.insert_at(&path, entry);
            }
            self.erase_synchronised(&path);
        }
    }

    /// By the rules of January 2025: a read mark may go back, and is not written if it is old.
    fn set_2025(&mut self, id: &ConvoId, path: &[&[u8]], state: &ReadState, now: Timestamp) {
        let known = self.get(id).unwrap_or_default();
        let written = state.last_read < known.last_read || state.last_read >= now - ACTIVE_MS;
        let last_read = if written { state.last_read } else { known.last_read };
        let state = ReadState { last_read, ..*state };
        self.0.update(path, |dict| {
            dict.put_positive(READ, Some(state.last_read.as_ms()));
            dict.put_flag(UNREAD, state.unread);
        });
    }
}

fn is_pruned_2025(id: &ConvoId, state: &ReadState, now: Timestamp) -> bool {
    !matches!(id, ConvoId::Group(_)) && !state.unread && state.last_read < now - PRUNED_2025_MS
}

fn account(key: &[u8]) -> Option<SessionId> {
    let (&SessionId::PREFIX, id) = key.split_first()? else { return None };
    Some(SessionId(id.try_into().ok()?))
}

/// The rooms of all communities: server, room by its key, the server's key, entry. Servers without a proper key are
/// skipped: their rooms cannot be used.
pub(super) fn rooms(data: &Dict) -> impl Iterator<Item = (BaseUrl, RoomToken, [u8; 32], &Dict)> {
    data.dict(COMMUNITIES).into_iter().flat_map(Dict::dicts).flat_map(|(base, server)| {
        let base = BaseUrl::from_key(base).zip(server.array::<32>(SERVER_KEY));
        let rooms = base.and_then(|base| Some((base, server.dict(ROOMS)?)));
        rooms.into_iter().flat_map(|((base, server_key), rooms)| {
            rooms.dicts().filter_map(move |(key, dict)| {
                let room = std::str::from_utf8(key).ok()?.parse().ok()?;
                Some((base.clone(), room, server_key, dict))
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: [u8; 32] = [9; 32];
    const DAY: u64 = DAY_MS;

    fn day(number: u64) -> Timestamp {
        Timestamp::from_ms(number * DAY)
    }

    fn read_at(last_read: Timestamp) -> ReadState {
        ReadState { last_read, ..ReadState::default() }
    }

    fn room() -> ConvoId {
        ConvoId::Community { base: "http://x.org".parse().unwrap(), room: "lobby".parse().unwrap() }
    }

    #[test]
    fn what_was_read_long_ago_is_archived_and_still_answers() {
        let mut convos = ConvoInfoVolatile::new(&SEED);
        let person = ConvoId::OneToOne(SessionId([1; 32]));
        convos.set(&person, &read_at(day(100)), None, day(101));
        convos.set(&room(), &read_at(day(100)), Some(&[7; 32]), day(101));
        convos.set(&ConvoId::Group(GroupId([2; 32])), &read_at(day(60)), None, day(101));
        assert_eq!(convos.iter().count(), 2);
        let first = convos.push(day(101)).unwrap();
        convos.confirm_pushed(first.seqno, &["h".into()]);
        assert_eq!(convos.push(day(130)).unwrap().seqno, 1);
        let aged = convos.push(day(131)).unwrap();
        assert_eq!((aged.seqno, aged.obsolete), (2, vec!["h".into()]));
        assert!(convos.document().data().is_empty());
        assert_eq!(convos.get(&person), Some(read_at(day(100))));
        let mut convos = ConvoInfoVolatile::load(&SEED, &convos.dump()).unwrap();
        assert_eq!(convos.get(&room()), Some(read_at(day(100))));
        convos.mark_read(&room(), day(131), Some(&[7; 32]), day(131));
        assert_eq!(convos.iter().collect::<Vec<_>>(), [(room(), read_at(day(131)))]);
        assert_eq!(convos.document().local.dict(COMMUNITIES), None);
    }

    #[test]
    fn reading_never_goes_back() {
        let mut convos = ConvoInfoVolatile::new(&SEED);
        convos.mark_read(&room(), day(10), Some(&[7; 32]), day(10));
        convos.mark_read(&room(), day(9), Some(&[7; 32]), day(10));
        assert_eq!(convos.get(&room()), Some(read_at(day(10))));
        assert!(convos.erase(&room()) && !convos.erase(&room()));
        assert!(convos.document().data().is_empty());
    }

    #[test]
    fn pro_is_kept_with_the_person() {
        let mut convos = ConvoInfoVolatile::new(&SEED);
        let id = ConvoId::Blinded(BlindedId { legacy: true, key: [3; 32] });
        let pro = Some(ProSeen { expires: day(500), revocation_tag: [4; 32] });
        let state = ReadState { last_read: day(10), unread: true, pro };
        convos.set(&id, &state, None, day(10));
        assert_eq!(convos.iter().collect::<Vec<_>>(), [(id, state)]);
    }
}
