//! The documents that all devices of an account share: profile, contacts, read states, groups (spec 05).
//!
//! Each is a tree of keys and values ([`value`]) with a sequence number. A device that changes one stores the whole
//! document in the account's swarm, with what it changed ([`diff`]); a device that finds several versions replays the
//! changes of all in an order on which everyone agrees ([`merge`]). Everything is deterministic, encryption included
//! ([`seal`], [`wrap`]), so devices that arrive at the same document store the same bytes.
//!
//! [`Document`] is the life cycle of one such document; [`UserProfile`], [`Contacts`], [`ConvoInfoVolatile`] and
//! [`UserGroups`] are typed views on one, and all of them are a [`Config`].
//!
//! Of the keys of a group, which are no such document, [`KeptKeys`] keeps the messages as they came, and [`KeysRecovery`]
//! tells what to do when the swarm has lost them.
//!
//! Decision: the fifth type of spec 05 §11.5, `Local`, is not here. It is never sent, so no other program can meet one;
//! what belongs to one device (looks, window, sounds) is kept by the program that uses it.

mod community_url;
mod contacts;
mod convo_info_volatile;
mod diff;
mod document;
mod dump;
mod exchange;
mod field;
mod incoming;
mod kept_keys;
#[cfg(test)]
mod kept_tests;
mod keys;
mod keys_recovery;
#[cfg(test)]
mod keys_recovery_tests;
mod merge;
mod message;
mod multipart;
mod pro;
pub mod seal;
#[cfg(test)]
mod tests;
mod user_groups;
mod user_profile;
pub mod value;
pub mod wrap;

use crate::id::Namespace;
use crate::time::Timestamp;

pub use community_url::{BaseUrl, CommunityUrl, CommunityUrlError, RoomToken, full_url};
pub use contacts::{BlindedContact, BlindedId, Contact, Contacts};
pub use convo_info_volatile::{ConvoId, ConvoInfoVolatile, ProSeen, ReadState};
pub use document::Document;
pub use exchange::{LoadError, Merged, Push, PushError, Rules, State, StorageHash};
pub use field::{
    After, Disappearing, FieldError, MAX_NAME, MAX_PICTURE_URL, Notifications, Picture, Priority,
    truncate_name,
};
pub use kept_keys::{KeptKeys, MAX_KEPT_KEYS, MAX_KEPT_KEYS_BYTES, NotKept};
pub use keys_recovery::{BACK_FILL_PAUSE_MS, FORCED_REKEY_PAUSE_MS, ForcedRekey, KeysRecovery, KeysView};
pub use pro::{ProCredential, RotatingSeed};
pub use user_groups::{AUTH_DATA_LENGTH, Community, Group, GroupSettings, LegacyGroup, Removed, UserGroups};
pub use user_profile::UserProfile;

/// Which of the four user configs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// The account's own profile.
    UserProfile,
    /// The people the account knows.
    Contacts,
    /// Groups and communities.
    UserGroups,
    /// Read states. Last, for it refers to conversations that the others create.
    ConvoInfoVolatile,
}

impl Kind {
    /// All, in the order in which they are to be applied after a poll.
    pub const ALL: [Self; 4] = [Self::UserProfile, Self::Contacts, Self::UserGroups, Self::ConvoInfoVolatile];

    /// Where it is stored.
    pub const fn namespace(self) -> Namespace {
        match self {
            Self::UserProfile => Namespace::USER_PROFILE,
            Self::Contacts => Namespace::CONTACTS,
            Self::UserGroups => Namespace::USER_GROUPS,
            Self::ConvoInfoVolatile => Namespace::CONVO_INFO_VOLATILE,
        }
    }

    /// The kind that is stored in `namespace`.
    pub fn from_namespace(namespace: Namespace) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.namespace() == namespace)
    }

    /// The domain of its encryption.
    pub const fn domain(self) -> &'static str {
        match self {
            Self::UserProfile => "UserProfile",
            Self::Contacts => "Contacts",
            Self::UserGroups => "UserGroups",
            Self::ConvoInfoVolatile => "ConvoInfoVolatile",
        }
    }

    /// Its number in the wrapping.
    const fn wire(self) -> u64 {
        match self {
            Self::UserProfile => 1,
            Self::Contacts => 2,
            Self::ConvoInfoVolatile => 3,
            Self::UserGroups => 4,
        }
    }
}

/// What all configs have in common: the life cycle (spec 05 §7). Object safe.
pub trait Config {
    /// Which config this is.
    fn kind(&self) -> Kind;

    /// The document behind it.
    fn document(&self) -> &Document;

    /// The document behind it, to be changed.
    fn document_mut(&mut self) -> &mut Document;

    /// Whether there is something that the swarm may not have; stays true until a push is confirmed.
    fn needs_push(&self) -> bool {
        self.document().needs_push()
    }

    /// Whether something changed since the last [`Config::dump`].
    fn needs_dump(&self) -> bool {
        self.document().needs_dump()
    }

    /// What to store in the swarm, and what to delete after that. Gives the same bytes until it is confirmed or
    /// something changes; without a change it gives the current message again. After an error nothing has changed.
    fn push(&mut self, now: Timestamp) -> Result<Push, PushError> {
        self.document_mut().push(now)
    }

    /// The messages of the push `seqno` are stored, under `hashes`. Ignored if that push is not the latest.
    fn confirm_pushed(&mut self, seqno: i64, hashes: &[StorageHash]) {
        self.document_mut().confirm_pushed(seqno, hashes);
    }

    /// Takes in all messages that were found in the namespace, in any order.
    fn merge(&mut self, messages: &[(StorageHash, &[u8])], now: Timestamp) -> Merged {
        self.document_mut().merge(messages, now)
    }

    /// Everything, to be stored on this device.
    fn dump(&mut self) -> Vec<u8> {
        self.document_mut().dump()
    }

    /// What to store to put the current message back, should the swarm have lost it; `None` if there is none, or if
    /// a push is to replace it (spec 09 §5.2).
    fn stored(&self) -> Result<Option<Vec<Vec<u8>>>, PushError> {
        self.document().stored()
    }

    /// The current message was put back and is stored under these names.
    fn confirm_stored(&mut self, hashes: &[StorageHash]) {
        self.document_mut().confirm_stored(hashes);
    }

    /// The storage hashes whose life in the swarm is to be prolonged.
    fn active_hashes(&self) -> Vec<StorageHash> {
        self.document().active_hashes()
    }
}
