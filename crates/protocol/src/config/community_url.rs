//! How a community is addressed: a server, a room on it, and the server's key (spec 05 §11.4).
//!
//! Different spellings of an address must lead to the same entry, so addresses are brought into one form when they
//! are read, and only that form can be held here.

use std::fmt;
use std::str::FromStr;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

/// The longest base address, in bytes.
const MAX_BASE: usize = 267;
/// The longest full address, in bytes.
const MAX_FULL: usize = 410;
/// The longest room token.
const MAX_ROOM: usize = 64;
const KEY_PARAMETER: &str = "?public_key=";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32Z: &[u8] = b"ybndrfg8ejkmcpqxot1uwisza345h769";

/// Why an address is not one of a community.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommunityUrlError {
    /// Not `http://` or `https://`.
    #[error("the address must begin with http:// or https://")]
    Scheme,
    /// The name of the server is malformed.
    #[error("the name of the server is malformed")]
    Host,
    /// The port is no number up to 65535.
    #[error("the port is malformed")]
    Port,
    /// The room's name has characters other than letters, digits, `-` and `_`, or is empty or too long.
    #[error("the name of the room is malformed")]
    Room,
    /// The room is missing.
    #[error("the address does not name a room")]
    NoRoom,
    /// The server's key is missing or malformed.
    #[error("the public key is missing or malformed")]
    Key,
    /// Longer than any address may be.
    #[error("the address is too long")]
    Length,
}

/// The address of a community server, in its one form: `scheme://host[:port]`, lower case, no default port.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// From a key of a document, if it is an address in its one form.
    pub(super) fn from_key(key: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(key).ok()?;
        text.parse().ok().filter(|base: &Self| base.as_str() == text)
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BaseUrl {
    type Err = CommunityUrlError;

    fn from_str(text: &str) -> Result<Self, CommunityUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(CommunityUrlError::Scheme)?;
        let (scheme, default_port) = match scheme {
            _ if scheme.eq_ignore_ascii_case("http") => ("http", 80),
            _ if scheme.eq_ignore_ascii_case("https") => ("https", 443),
            _ => return Err(CommunityUrlError::Scheme),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, parse_port(port)?),
            None => (authority, 0),
        };
        let host = host.to_ascii_lowercase();
        if !is_host(&host) {
            return Err(CommunityUrlError::Host);
        }
        let base = if port == 0 || port == default_port {
            format!("{scheme}://{host}")
        } else {
            format!("{scheme}://{host}:{port}")
        };
        if base.len() > MAX_BASE { Err(CommunityUrlError::Length) } else { Ok(Self(base)) }
    }
}

fn parse_port(text: &str) -> Result<u16, CommunityUrlError> {
    let digits = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(CommunityUrlError::Port)
}

/// At least two parts of letters, digits and hyphens, joined by dots.
fn is_host(host: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    host.len() >= 4 && host.contains('.') && host.split('.').all(is_part)
}

/// The name of a room as its community writes it; rooms are the same if they differ only in case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RoomToken(String);

impl RoomToken {
    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in lower case, which is what tells rooms apart.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The same room, its name in lower case.
    pub fn to_key(&self) -> Self {
        Self(self.key())
    }
}

impl fmt::Display for RoomToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RoomToken {
    type Err = CommunityUrlError;

    fn from_str(text: &str) -> Result<Self, CommunityUrlError> {
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !(1..=MAX_ROOM).contains(&text.len()) || !text.bytes().all(is_good) {
            return Err(CommunityUrlError::Room);
        }
        Ok(Self(text.to_owned()))
    }
}

/// An address as people pass it on, taken apart. The room is as written there: parse it as a [`RoomToken`] to use it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommunityUrl {
    /// The server.
    pub base: BaseUrl,
    /// The room, not checked.
    pub room: String,
    /// The server's key, if the address has one.
    pub key: Option<[u8; 32]>,
}

impl CommunityUrl {
    /// Takes an address apart that must have the server's key: `<base>/<room>?public_key=<key>`, also with `/r/`.
    pub fn parse(url: &str) -> Result<Self, CommunityUrlError> {
        let parsed = Self::parse_partial(url)?;
        if parsed.key.is_none() { Err(CommunityUrlError::Key) } else { Ok(parsed) }
    }

    /// Takes an address apart that may lack the server's key.
    pub fn parse_partial(url: &str) -> Result<Self, CommunityUrlError> {
        if url.len() > MAX_FULL {
            return Err(CommunityUrlError::Length);
        }
        let (rest, key) = match url.rsplit_once(KEY_PARAMETER) {
            Some((rest, key)) => (rest, Some(parse_key(key).ok_or(CommunityUrlError::Key)?)),
            None => (url, None),
        };
        let (base, room) =
            rest.rsplit_once("/r/").or_else(|| rest.rsplit_once('/')).ok_or(CommunityUrlError::NoRoom)?;
        Ok(Self { base: base.parse()?, room: room.to_owned(), key })
    }
}

/// Writes the address of a room in the form that all clients write.
pub fn full_url(base: &BaseUrl, room: &str, key: &[u8; 32]) -> String {
    format!("{base}/{room}{KEY_PARAMETER}{}", HEXLOWER.encode(key))
}

/// Reads a key in hexadecimal, base64 or z-base-32.
fn parse_key(text: &str) -> Option<[u8; 32]> {
    match text.len() {
        64 => HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?.try_into().ok(),
        43 => decode_bits(text, BASE64, 6),
        44 => decode_bits(text.strip_suffix('=')?, BASE64, 6),
        52 => decode_bits(text, BASE32Z, 5),
        _ => None,
    }
}

/// Reads symbols of `bits` bits each, most significant bit first; bits beyond 32 bytes are dropped.
fn decode_bits(text: &str, alphabet: &[u8], bits: u32) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    let mut slots = key.iter_mut();
    let (mut pending, mut count) = (0u32, 0);
    for byte in text.bytes() {
        let symbol = alphabet.iter().position(|&symbol| symbol == byte)?;
        pending = pending << bits | symbol as u32;
        count += bits;
        if count >= 8 {
            count -= 8;
            *slots.next()? = (pending >> count) as u8;
            pending &= (1 << count) - 1;
        }
    }
    slots.next().is_none().then_some(key)
}
