//! The communities and groups the account is in (spec 05 §11.4).

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::crypto::Ed25519Secret;
use crate::id::{GroupId, SessionId};
use crate::time::Timestamp;

use super::community_url::{BaseUrl, RoomToken, full_url};
use super::convo_info_volatile::rooms;
use super::document::Document;
use super::exchange::{LoadError, Rules};
use super::field::Fields;
use super::value::{Dict, Scalar, Set, Value};
use super::{Config, Kind, Notifications, Priority, truncate_name};

const COMMUNITIES: &[u8] = b"o";
const GROUPS: &[u8] = b"g";
const LEGACY_GROUPS: &[u8] = b"C";
const SERVER_KEY: &[u8] = b"#";
const ROOMS: &[u8] = b"R";

const MUTE_UNTIL: &[u8] = b"!";
const PRIORITY: &[u8] = b"+";
const NOTIFICATIONS: &[u8] = b"@";
const INVITED: &[u8] = b"i";
const JOINED: &[u8] = b"j";
const NAME: &[u8] = b"n";

const ADMIN_SEED: &[u8] = b"K";
const AUTH_DATA: &[u8] = b"s";
const REMOVED: &[u8] = b"r";

const LEGACY_PUBLIC: &[u8] = b"k";
const LEGACY_SECRET: &[u8] = b"K";
const MEMBERS: &[u8] = b"m";
const ADMINS: &[u8] = b"a";
const TIMER: &[u8] = b"E";

/// Bytes of what lets a member of a group read and write in its swarm: a token and a signature.
pub const AUTH_DATA_LENGTH: usize = 100;

/// What all kinds of groups have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GroupSettings {
    /// Where the conversation stands in the list.
    pub priority: Priority,
    /// When the account joined.
    pub joined: Option<Timestamp>,
    /// What to notify about.
    pub notifications: Notifications,
    /// No notifications until then.
    pub mute_until: Option<Timestamp>,
    /// An invitation that was not accepted yet.
    pub invited: bool,
}

impl GroupSettings {
    fn read(dict: &Dict) -> Self {
        Self {
            priority: Priority(dict.int(PRIORITY).unwrap_or(0)),
            joined: dict.seconds(JOINED),
            notifications: Notifications::from_wire(dict.int(NOTIFICATIONS).unwrap_or(0)),
            mute_until: dict.seconds(MUTE_UNTIL),
            invited: dict.flag(INVITED),
        }
    }

    fn write(&self, dict: &mut Dict) {
        dict.put_seconds(MUTE_UNTIL, self.mute_until);
        dict.put_nonzero(PRIORITY, self.priority.0);
        dict.put_nonzero(NOTIFICATIONS, self.notifications.to_wire());
        dict.put_flag(INVITED, self.invited);
        dict.put_seconds(JOINED, self.joined);
    }
}

/// A room of a community.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Community {
    /// The server.
    pub base: BaseUrl,
    /// The room as it is written there.
    pub room: RoomToken,
    /// The server's key; one for all its rooms.
    pub server_key: [u8; 32],
    /// What all groups have.
    pub settings: GroupSettings,
}

impl Community {
    /// The address to pass on.
    pub fn url(&self) -> String {
        full_url(&self.base, self.room.as_str(), &self.server_key)
    }
}

/// How the account left a group without wanting to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Removed {
    /// It did not.
    #[default]
    No,
    /// It was removed; it may be invited again.
    Kicked,
    /// The group is no more.
    Destroyed,
}

/// A group.
#[derive(Clone, PartialEq, Eq)]
pub struct Group {
    /// Which.
    pub id: GroupId,
    /// Its name, from the invitation; empty if unknown. Cut to 100 bytes when written.
    pub name: String,
    /// Admins: the seed of the group's Ed25519 key. One that does not fit the id is neither read nor written.
    pub admin_seed: Option<Zeroizing<[u8; 32]>>,
    /// Members: what lets them read and write in the group's swarm.
    pub auth_data: Option<[u8; AUTH_DATA_LENGTH]>,
    /// Whether the account was removed from it.
    pub removed: Removed,
    /// What all groups have.
    pub settings: GroupSettings,
}

impl Group {
    /// A group of which nothing is known.
    pub fn new(id: GroupId) -> Self {
        Self {
            id,
            name: String::new(),
            admin_seed: None,
            auth_data: None,
            removed: Removed::No,
            settings: GroupSettings::default(),
        }
    }

    /// The account was removed from the group.
    pub fn kick(&mut self) {
        self.admin_seed = None;
        self.auth_data = None;
        if self.removed == Removed::No {
            self.removed = Removed::Kicked;
        }
    }

    /// The group is no more.
    pub fn destroy(&mut self) {
        self.kick();
        self.removed = Removed::Destroyed;
    }

    /// The account was invited, perhaps again; a group that is no more stays so.
    pub fn invite(&mut self, auth_data: [u8; AUTH_DATA_LENGTH]) {
        if self.removed != Removed::Destroyed {
            self.removed = Removed::No;
            self.auth_data = Some(auth_data);
        }
    }

    /// Whether this is what is left when one device erased the group while another marked it as gone: nothing to show
    /// or to poll, and nothing to be repaired (spec 09 §7.3).
    pub fn is_erased_stub(&self) -> bool {
        let nameless = self.name.is_empty() && self.admin_seed.is_none() && self.auth_data.is_none();
        nameless && self.removed != Removed::No
    }

    /// Whether the account may be told apart as an admin.
    pub fn is_admin(&self) -> bool {
        self.admin_seed.is_some()
    }

    fn read(id: GroupId, dict: &Dict) -> Self {
        let seed = dict.array(ADMIN_SEED).map(Zeroizing::new).filter(|seed| fits(seed, &id));
        Self {
            id,
            name: dict.text(NAME).unwrap_or_default(),
            admin_seed: seed,
            auth_data: dict.array(AUTH_DATA),
            removed: match dict.int(REMOVED) {
                Some(1) => Removed::Kicked,
                Some(2) => Removed::Destroyed,
                _ => Removed::No,
            },
            settings: GroupSettings::read(dict),
        }
    }

    fn write(&self, dict: &mut Dict) {
        self.settings.write(dict);
        dict.put_text(NAME, truncate_name(&self.name));
        let seed = self.admin_seed.as_ref().filter(|seed| fits(seed, &self.id));
        dict.insert(ADMIN_SEED, Value::from(seed.map(|seed| &seed[..]).unwrap_or_default()));
        match (seed, &self.auth_data) {
            // An admin needs none; one that is there stays.
            (Some(_), _) => {}
            (None, Some(auth_data)) => dict.insert(AUTH_DATA, Value::from(&auth_data[..])),
            (None, None) => dict.remove(AUTH_DATA),
        }
        let removed = match self.removed {
            Removed::No => 0,
            Removed::Kicked => 1,
            Removed::Destroyed => 2,
        };
        dict.put_nonzero(REMOVED, removed);
    }
}

/// Shows no secrets.
impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Group({:?}, admin: {}, removed: {:?})", self.id, self.is_admin(), self.removed)
    }
}

/// Whether `seed` makes the key that is the group's id.
fn fits(seed: &[u8; 32], id: &GroupId) -> bool {
    Ed25519Secret::from_seed(*seed).public().as_bytes() == id.as_bytes()
}

/// A group of the old kind: no longer usable, kept for its history.
#[derive(Clone, PartialEq, Eq)]
pub struct LegacyGroup {
    /// Which.
    pub id: SessionId,
    /// Its name. Cut to 100 bytes when written.
    pub name: String,
    /// Its X25519 key pair, public and secret.
    pub keys: Option<([u8; 32], Zeroizing<[u8; 32]>)>,
    /// Its members, and whether they are admins.
    pub members: BTreeMap<SessionId, bool>,
    /// After how many seconds messages disappear, once read.
    pub timer: Option<u64>,
    /// What all groups have.
    pub settings: GroupSettings,
}

impl LegacyGroup {
    /// A group of which nothing is known.
    pub fn new(id: SessionId) -> Self {
        Self {
            id,
            name: String::new(),
            keys: None,
            members: BTreeMap::new(),
            timer: None,
            settings: GroupSettings::default(),
        }
    }

    fn read(id: SessionId, dict: &Dict) -> Self {
        let ids = |key, admin| {
            let members = dict.set(key).into_iter().flat_map(Set::iter);
            members.filter_map(move |member| Some((account(member)?, admin)))
        };
        Self {
            id,
            name: dict.text(NAME).unwrap_or_default(),
            keys: dict.array(LEGACY_PUBLIC).zip(dict.array(LEGACY_SECRET).map(Zeroizing::new)),
            // Who is in both is a member: the later of two entries of a map counts.
            members: ids(ADMINS, true).chain(ids(MEMBERS, false)).collect(),
            timer: dict.positive(TIMER),
            settings: GroupSettings::read(dict),
        }
    }

    fn write(&self, dict: &mut Dict) {
        let ids = |admin| -> Set {
            let ids = self.members.iter().filter(|&(_, &is_admin)| is_admin == admin);
            ids.map(|(id, _)| Scalar::Bytes(id.to_prefixed()[..].into())).collect()
        };
        self.settings.write(dict);
        dict.put_positive(TIMER, self.timer);
        match &self.keys {
            Some((public, secret)) => {
                dict.insert(LEGACY_PUBLIC, Value::from(&public[..]));
                dict.insert(LEGACY_SECRET, Value::from(&secret[..]));
            }
            None => {
                dict.remove(LEGACY_PUBLIC);
                dict.remove(LEGACY_SECRET);
            }
        }
        dict.insert(ADMINS, Value::Set(ids(true)));
        dict.insert(MEMBERS, Value::Set(ids(false)));
        dict.put_always(NAME, truncate_name(&self.name));
    }
}

/// Shows no secrets.
impl std::fmt::Debug for LegacyGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LegacyGroup({:?}, {} members)", self.id, self.members.len())
    }
}

fn account(member: &Scalar) -> Option<SessionId> {
    let Scalar::Bytes(bytes) = member else { return None };
    account_key(bytes.as_slice())
}

fn account_key(key: &[u8]) -> Option<SessionId> {
    let (&SessionId::PREFIX, id) = key.split_first()? else { return None };
    Some(SessionId(id.try_into().ok()?))
}

/// All communities and groups of the account.
pub struct UserGroups(Document);

impl Config for UserGroups {
    fn kind(&self) -> Kind {
        Kind::UserGroups
    }

    fn document(&self) -> &Document {
        &self.0
    }

    fn document_mut(&mut self) -> &mut Document {
        &mut self.0
    }
}

impl UserGroups {
    /// No groups, of the account with this 32-byte Ed25519 seed.
    pub fn new(seed: &[u8; 32]) -> Self {
        Self::with_rules(seed, Rules::Current)
    }

    /// No groups, following `rules`.
    pub fn with_rules(seed: &[u8; 32], rules: Rules) -> Self {
        Self(Document::new_user(*seed, Kind::UserGroups, rules))
    }

    /// The groups that were dumped.
    pub fn load(seed: &[u8; 32], dump: &[u8]) -> Result<Self, LoadError> {
        Self::new(seed).loaded(dump)
    }

    /// Takes over a dump, keeping the rules.
    pub fn loaded(self, dump: &[u8]) -> Result<Self, LoadError> {
        Ok(Self(self.0.load(dump)?))
    }

    /// A room of a community; its name in any case.
    pub fn community(&self, base: &BaseUrl, room: &RoomToken) -> Option<Community> {
        let server = self.0.data().dict(COMMUNITIES)?.dict(base.as_str().as_bytes())?;
        let dict = server.dict(ROOMS)?.dict(room.key().as_bytes())?;
        Some(read_community(base.clone(), room.clone(), server.array(SERVER_KEY)?, dict))
    }

    /// Stores a room. Its server's key becomes that of all rooms there.
    pub fn set_community(&mut self, community: &Community) {
        self.0.update(&[COMMUNITIES, community.base.as_str().as_bytes()], |server| {
            server.insert(SERVER_KEY, Value::from(&community.server_key[..]));
            let key = community.room.key();
            let mut rooms = server.dict(ROOMS).cloned().unwrap_or_default();
            let mut room = rooms.dict(key.as_bytes()).cloned().unwrap_or_default();
            community.settings.write(&mut room);
            room.put_always(NAME, community.room.as_str());
            rooms.insert(key.as_bytes(), Value::Dict(room));
            server.insert(ROOMS, Value::Dict(rooms));
        });
    }

    /// Removes a room, and its server if it was the last one; returns whether it was there.
    pub fn erase_community(&mut self, base: &BaseUrl, room: &RoomToken) -> bool {
        let base = base.as_str().as_bytes();
        let there = self.0.erase(&[COMMUNITIES, base, ROOMS, room.key().as_bytes()]);
        if there && self.0.data().at(&[COMMUNITIES, base, ROOMS]).is_none() {
            self.0.erase(&[COMMUNITIES, base]);
        }
        there
    }

    /// All rooms, ordered by server and room. Those whose server has no proper key are skipped.
    pub fn communities(&self) -> impl Iterator<Item = Community> {
        rooms(self.0.data()).map(|(base, room, key, dict)| read_community(base, room, key, dict))
    }

    /// A group; `None` also for the remains of an erased one ([`Group::is_erased_stub`]).
    pub fn group(&self, id: &GroupId) -> Option<Group> {
        let group = Group::read(*id, self.0.data().dict(GROUPS)?.dict(&id.to_prefixed())?);
        Some(group).filter(|group| self.lists(group))
    }

    /// Stores a group.
    pub fn set_group(&mut self, group: &Group) {
        self.0.update(&[GROUPS, &group.id.to_prefixed()], |dict| group.write(dict));
    }

    /// Removes a group; returns whether it was there.
    pub fn erase_group(&mut self, id: &GroupId) -> bool {
        self.0.erase(&[GROUPS, &id.to_prefixed()])
    }

    /// All groups, ordered by id. Entries whose key is no group id are skipped, and so are the remains of erased ones
    /// ([`Group::is_erased_stub`]).
    pub fn groups(&self) -> impl Iterator<Item = Group> {
        let groups =
            self.0.data().dict(GROUPS).into_iter().flat_map(Dict::dicts).filter_map(|(key, dict)| {
                let (&GroupId::PREFIX, id) = key.split_first()? else { return None };
                Some(Group::read(GroupId(id.try_into().ok()?), dict))
            });
        groups.filter(|group| self.lists(group))
    }

    /// Whether a group is one for those who ask; in January 2025 the remains of an erased one were.
    fn lists(&self, group: &Group) -> bool {
        self.0.rules() == Rules::January2025 || !group.is_erased_stub()
    }

    /// A group of the old kind.
    pub fn legacy_group(&self, id: &SessionId) -> Option<LegacyGroup> {
        Some(LegacyGroup::read(*id, self.0.data().dict(LEGACY_GROUPS)?.dict(&id.to_prefixed())?))
    }

    /// Stores a group of the old kind.
    pub fn set_legacy_group(&mut self, group: &LegacyGroup) {
        self.0.update(&[LEGACY_GROUPS, &group.id.to_prefixed()], |dict| group.write(dict));
    }

    /// Removes a group of the old kind; returns whether it was there.
    pub fn erase_legacy_group(&mut self, id: &SessionId) -> bool {
        self.0.erase(&[LEGACY_GROUPS, &id.to_prefixed()])
    }

    /// All groups of the old kind, ordered by id. Entries whose key is no id are skipped.
    pub fn legacy_groups(&self) -> impl Iterator<Item = LegacyGroup> {
        let groups = self.0.data().dict(LEGACY_GROUPS).into_iter().flat_map(Dict::dicts);
        groups.filter_map(|(key, dict)| Some(LegacyGroup::read(account_key(key)?, dict)))
    }
}

/// A room; shown by its key if its name is missing or is that of another room.
fn read_community(base: BaseUrl, room: RoomToken, server_key: [u8; 32], dict: &Dict) -> Community {
    let named = dict.text(NAME).and_then(|name| name.parse::<RoomToken>().ok());
    let room = named.filter(|name| name.key() == room.key()).unwrap_or_else(|| room.to_key());
    Community { base, room, server_key, settings: GroupSettings::read(dict) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: [u8; 32] = [9; 32];

    #[test]
    fn a_room_is_one_whatever_its_case_and_repairs_its_server() {
        let mut groups = UserGroups::new(&SEED);
        let mut community = Community {
            base: "https://Example.org:443".parse().unwrap(),
            room: "Lobby".parse().unwrap(),
            server_key: [1; 32],
            settings: GroupSettings { priority: Priority::PINNED, ..GroupSettings::default() },
        };
        groups.set_community(&community);
        community.room = "LOBBY".parse().unwrap();
        community.server_key = [2; 32];
        groups.set_community(&community);
        assert_eq!(groups.communities().collect::<Vec<_>>(), [community.clone()]);
        assert_eq!(community.url(), format!("https://example.org/LOBBY?public_key={}", "02".repeat(32)));
        groups.0.erase(&[COMMUNITIES, b"https://example.org", SERVER_KEY]);
        assert_eq!(groups.communities().count(), 0);
        groups.set_community(&community);
        assert_eq!(groups.community(&community.base, &"lobby".parse().unwrap()), Some(community.clone()));
        assert!(groups.erase_community(&community.base, &community.room));
        assert!(groups.document().data().is_empty());
    }

    #[test]
    fn a_group_takes_only_its_own_seed() {
        let mut groups = UserGroups::new(&SEED);
        let seed = Zeroizing::new([3; 32]);
        let id = GroupId(Ed25519Secret::from_seed(*seed).public().0);
        let mut group = Group { name: "club".into(), auth_data: Some([5; 100]), ..Group::new(id) };
        groups.set_group(&group);
        group.admin_seed = Some(seed.clone());
        groups.set_group(&group);
        assert_eq!(groups.group(&id), Some(group.clone()));
        let other = Group { admin_seed: Some(seed), ..Group::new(GroupId([8; 32])) };
        groups.set_group(&other);
        assert!(!groups.group(&other.id).unwrap().is_admin());
        group.kick();
        group.destroy();
        group.kick();
        group.invite([6; 100]);
        groups.set_group(&group);
        let stored = groups.group(&id).unwrap();
        assert_eq!((stored.removed, stored.is_admin(), stored.auth_data), (Removed::Destroyed, false, None));
    }

    #[test]
    fn what_is_left_of_an_erased_group_is_none_and_stays_as_it_is() {
        let mut groups = UserGroups::new(&SEED);
        let mut group = Group { auth_data: Some([5; 100]), ..Group::new(GroupId([8; 32])) };
        groups.set_group(&group);
        group.kick();
        groups.set_group(&group);
        let data = groups.document().data().clone();
        assert!(groups.group(&group.id).is_none() && groups.groups().next().is_none());
        assert!(*groups.document().data() == data, "nothing is repaired");
        group.invite([6; 100]);
        groups.set_group(&group);
        assert!(groups.groups().eq([group.clone()]), "invited again");
        group.kick();
        groups.set_group(&group);
        assert!(groups.erase_group(&group.id) && groups.document().data().is_empty());
    }

    #[test]
    fn a_legacy_group_comes_back_as_it_was() {
        let mut groups = UserGroups::new(&SEED);
        let group = LegacyGroup {
            name: "old".into(),
            keys: Some(([1; 32], [2; 32].into())),
            members: [(SessionId([3; 32]), true), (SessionId([4; 32]), false)].into(),
            timer: Some(60),
            ..LegacyGroup::new(SessionId([5; 32]))
        };
        groups.set_legacy_group(&group);
        assert!(groups.legacy_groups().eq([group.clone()]));
        assert!(groups.erase_legacy_group(&group.id));
    }
}
