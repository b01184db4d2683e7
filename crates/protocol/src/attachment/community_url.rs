//! Addresses of files in communities: `BASE/room/ROOM/file/NUMBER`, or `BASE/file/NUMBER` from older clients
//! (spec 07 §6.7, 09 §7.4).
//!
//! Such a file is fetched from the room its message stands in, whatever server the address names, so that nobody can
//! make us ask a server of their choice: of a received address only the number and the mark of encryption matter.

use std::fmt;
use std::str::FromStr;

use crate::config::{BaseUrl, RoomToken};

/// The text is not the address of a file in a community. Asking for it again will not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the address of a file in a community")]
pub struct CommunityFileUrlError;

/// The address of a file in a community.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommunityFileUrl {
    /// The community's server.
    pub base: BaseUrl,
    /// The room, in the letters it was written in. `None` in the form that older clients write: the room of the message.
    pub room: Option<RoomToken>,
    /// The file's number in the room.
    pub id: u64,
    /// The file is stream-encrypted with the key of its message. Read if it comes; we send files to communities as they
    /// are.
    pub deterministic: bool,
}

impl FromStr for CommunityFileUrl {
    type Err = CommunityFileUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, fragment) = text.split_once('#').unwrap_or((text, ""));
        let address = address.strip_suffix('/').unwrap_or(address);
        let (place, id) = address.rsplit_once("/file/").ok_or(CommunityFileUrlError)?;
        let (base, room) = match place.split_once("/room/") {
            Some((base, room)) => (base, Some(room.parse().map_err(|_| CommunityFileUrlError)?)),
            None => (place, None),
        };
        let digits = id.bytes().all(|c| c.is_ascii_digit());
        Ok(Self {
            base: base.parse().map_err(|_| CommunityFileUrlError)?,
            room,
            id: id.parse().ok().filter(|_| digits).ok_or(CommunityFileUrlError)?,
            deterministic: fragment.split('&').any(|part| matches!(part, "d" | "d=")),
        })
    }
}

impl fmt::Display for CommunityFileUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.base)?;
        if let Some(room) = &self.room {
            write!(f, "/room/{room}")?;
        }
        write!(f, "/file/{}", self.id)?;
        if self.deterministic { f.write_str("#d") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "https://a.example/room/main/file/",
            "https://a.example/room/main/file/x",
            "https://a.example/room/main/file/+1",
            "https://a.example/room/main/file/1/2",
            "https://a.example/room/main/file/1//",
            "https://a.example/room//file/1",
            "https://a.example/room/a/b/file/1",
            "https://a.example/file/99999999999999999999",
            "ftp://a.example/file/1",
            "/file/1",
        ] {
            assert_eq!(text.parse::<CommunityFileUrl>(), Err(CommunityFileUrlError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(room in proptest::option::of("[A-Za-z0-9_-]{1,64}"), id: u64, deterministic: bool) {
            let room = room.map(|room| room.parse().unwrap());
            let url = CommunityFileUrl { base: "http://a.example:81".parse().unwrap(), room, id, deterministic };
            prop_assert_eq!(url.to_string().parse(), Ok(url));
        }

        #[test]
        fn nothing_panics_on_foreign_text(text in ".*", rest in "[a-z:/#&=.0-9]*") {
            let _ = text.parse::<CommunityFileUrl>();
            let _ = format!("http://{rest}/file/1").parse::<CommunityFileUrl>();
        }
    }
}
