//! File servers: the network's own, and how any of them is talked to and named by a key (spec 04 §1).

use super::FileUrlError;
use crate::id::{Ed25519Public, X25519Public};

/// Host of the network's own file server.
const DEFAULT_HOST: &str = "filev2.getsession.org";
/// Key of the default server, as addresses would name it.
pub(super) const DEFAULT_ED25519: Ed25519Public = Ed25519Public(
    *b"\xb8\xee\xf9\x82\x14\x45\xae\x16\xe2\xe9\x7e\xf8\xaa\x6f\xe7\x82\
    \xfd\x11\xad\x52\x53\xcd\x67\x23\xb2\x81\x34\x1d\xba\x22\xe3\x71",
);
/// Key of the default server, that requests are encrypted to: the conversion of the one above.
const DEFAULT_X25519: X25519Public = X25519Public(
    *b"\x09\x32\x47\x94\xaa\x9c\x11\x94\x81\x89\x76\x2d\x19\x8c\x61\x81\
    \x48\xe9\x13\x6a\xc9\x58\x20\x68\x18\x06\x61\x20\x89\x27\xef\x34",
);
/// An earlier key of the default server. In an address it means that server; nothing is encrypted to it.
pub(super) const DEFAULT_X25519_OLD: X25519Public = X25519Public(
    *b"\xda\x21\xe1\xd8\x86\xc6\xfb\xae\xa3\x13\xf7\x52\x98\xbd\x64\xaa\
    \xb0\x3a\x97\xce\x98\x5b\x46\xbb\x2d\xad\x9f\x20\x89\xc8\xee\x59",
);
/// Key of the test network's server.
const TESTNET_ED25519: Ed25519Public = Ed25519Public(
    *b"\x92\x9e\x33\xde\xd0\x5e\x65\x3f\xec\x04\xb4\x96\x45\x11\x7f\x51\
    \x85\x1f\x10\x2a\x94\x7e\x04\x80\x67\x91\xbe\x41\x6e\xd7\x66\x02",
);
/// Key of the test network's server.
const TESTNET_X25519: X25519Public = X25519Public(
    *b"\x16\xd6\xc6\x0a\xeb\xb0\x85\x1d\xe7\xe6\xf4\xdc\x0a\x47\x34\x67\
    \x1d\xbf\x80\xf7\x36\x64\xc0\x08\x59\x65\x11\x45\x4c\xb6\x57\x6d",
);

/// How the last node of the path talks to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain; enough, since the content is encrypted to the server's key.
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    /// The port when none is given.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// As in an address and in an onion request: `http` or `https`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// A file server that we upload to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileServer {
    /// How the last node talks to it.
    pub scheme: Scheme,
    /// Its host name or IPv4 address, in lower case.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The key that requests are encrypted to.
    pub x25519: X25519Public,
    /// The key that addresses name it by. Without it they name it by the other one, which official clients do not
    /// understand (spec 04 §3).
    pub ed25519: Option<Ed25519Public>,
}

impl FileServer {
    /// The network's default server (spec 04 §1).
    pub fn mainnet() -> Self {
        Self {
            scheme: Scheme::Http,
            host: DEFAULT_HOST.to_owned(),
            port: Scheme::Http.default_port(),
            x25519: DEFAULT_X25519,
            ed25519: Some(DEFAULT_ED25519),
        }
    }

    /// The test network's server (spec 04 §1).
    pub fn testnet() -> Self {
        Self {
            scheme: Scheme::Http,
            host: "superduperfiles.oxen.io".to_owned(),
            port: Scheme::Http.default_port(),
            x25519: TESTNET_X25519,
            ed25519: Some(TESTNET_ED25519),
        }
    }

    /// The key that requests to it are encrypted to.
    pub fn key(&self) -> ServerKey {
        match self.x25519 {
            DEFAULT_X25519 => ServerKey::Default,
            x25519 => ServerKey::Given { x25519, other: None },
        }
    }

    /// A server at `http(s)://host[:port]`, with its keys.
    pub fn at(url: &str, x25519: X25519Public, ed25519: Option<Ed25519Public>) -> Result<Self, FileUrlError> {
        let (scheme, host, port, path) = split(url)?;
        if !matches!(path, "" | "/") {
            return Err(FileUrlError::Form);
        }
        Ok(Self { scheme, host, port, x25519, ed25519 })
    }
}

/// The key a request for a file is encrypted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerKey {
    /// That of the network's default server.
    Default,
    /// That in the address.
    Given {
        /// The key, by the usual reading of the address.
        x25519: X25519Public,
        /// By the other reading, if there is one: to be tried once if the server answers plain HTTP 400, or a reply
        /// that does not decrypt (spec 04 §3).
        other: Option<X25519Public>,
    },
}

impl ServerKey {
    /// Reads `p=`: an Ed25519 key, or, if that cannot be one, an X25519 key. What is no key is as if it were not there.
    pub(super) fn read(hex: &str) -> Self {
        let Ok(ed25519) = hex.parse::<Ed25519Public>() else { return Self::Default };
        let as_it_is = X25519Public(ed25519.0);
        if ed25519 == DEFAULT_ED25519 || as_it_is == DEFAULT_X25519 || as_it_is == DEFAULT_X25519_OLD {
            return Self::Default;
        }
        match ed25519.to_x25519() {
            Some(x25519) => Self::Given { x25519, other: Some(as_it_is) },
            None => Self::Given { x25519: as_it_is, other: None },
        }
    }
}

/// Splits `http(s)://host[:port]/path` (no fragment) and lower-cases the host.
pub(super) fn split(address: &str) -> Result<(Scheme, String, u16, &str), FileUrlError> {
    let (scheme, rest) = address.split_once("://").ok_or(FileUrlError::Form)?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return Err(FileUrlError::Form),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // What is no port belongs to the host's name, which then no server answers to; and so end IPv6 addresses.
    let port = authority.rsplit_once(':').and_then(|(host, port)| Some((host, parse_port(port)?)));
    let (host, port) = port.unwrap_or((authority, scheme.default_port()));
    let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b':' | b'[' | b']');
    if host.is_empty() || host.len() > 253 || !host.bytes().all(fits) {
        return Err(FileUrlError::Form);
    }
    Ok((scheme, host.to_ascii_lowercase(), port, path))
}

/// A port: digits alone, not 0.
fn parse_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|c| c.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_servers_have_matching_keys() {
        for server in [FileServer::mainnet(), FileServer::testnet()] {
            assert_eq!(server.ed25519.unwrap().to_x25519(), Some(server.x25519));
        }
        assert_eq!(DEFAULT_X25519_OLD.to_string().get(..4), Some("da21"));
    }
}
