//! Name and picture of a sender, as messages carry them (spec 02 §12).

use crate::account::DisplayName;
use crate::attachment::{FileUrl, Key};
use crate::wire::{proto, text};

/// Who a sender says to be. Always the whole profile: what is not in it, the sender does not have (any more).
///
/// The receiver applies it only if `updated` is later than that of what it has, or if both are 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Their name; `None` if they did not say one, which changes nothing.
    pub name: Option<DisplayName>,
    /// Their picture; `None` means that they have none, and an earlier one is to be removed.
    pub picture: Option<ProfilePicture>,
    /// Unix **seconds** of the last change; 0 if not said.
    pub updated: u64,
}

/// Where a display picture is and how to open it ([`crate::attachment::picture`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfilePicture {
    /// Where its encrypted bytes are.
    pub url: FileUrl,
    /// The key they open with.
    pub key: Key<32>,
}

impl Profile {
    /// As it is written: the profile, and beside it the picture's key. Address and key only together.
    pub(super) fn to_wire(&self) -> (proto::Profile, Option<Vec<u8>>) {
        let profile = proto::Profile {
            display_name: self.name.as_ref().map(|name| name.as_str().into()),
            profile_picture: self.picture.as_ref().map(|picture| picture.url.as_str().into()),
            last_profile_update_seconds: Some(self.updated),
        };
        (profile, self.picture.as_ref().map(|picture| picture.key.as_bytes().to_vec()))
    }

    /// As it is read. An address without a key of 32 bytes, or the other way round, is no picture.
    pub(super) fn from_wire(profile: proto::Profile, key: Option<Vec<u8>>) -> Self {
        let key = zeroize::Zeroizing::new(key.unwrap_or_default());
        let url = text(profile.profile_picture).and_then(|url| url.parse().ok());
        Self {
            name: text(profile.display_name).and_then(|name| DisplayName::truncated(&name)),
            picture: url.zip(Key::from_slice(&key)).map(|(url, key)| ProfilePicture { url, key }),
            updated: profile.last_profile_update_seconds.unwrap_or(0),
        }
    }
}
