//! Addresses of files: `http://host[:port]/file/ID#p=KEY&d` (spec 04 §3, 09 §2.2).
//!
//! The part after `#` never goes to the server: `p` says which server it is, if not the default one, by its key; `d`
//! says that the file is stream-encrypted. No client ever connects to such an address: the request goes through an
//! onion path, whose last node contacts the server and can read neither request nor reply.
//!
//! Decision: an address keeps the text it was read from, but its fragment is put in the form that every client
//! understands. Some take `d=` for another word than `d`, and some stumble over a `p` that names the default server;
//! our own picture may have been set by a client that wrote one, and we pass its address on.

use std::fmt;
use std::str::FromStr;

use crate::id::{Ed25519Public, X25519Public};

/// The part of a fragment that says "stream-encrypted".
const STREAM: &str = "d";
/// Host of the network's own file server.
const DEFAULT_HOST: &str = "filev2.getsession.org";
/// Key of the default server, as addresses would name it.
const DEFAULT_ED25519: Ed25519Public = Ed25519Public(
    *b"\xb8\xee\xf9\x82\x14\x45\xae\x16\xe2\xe9\x7e\xf8\xaa\x6f\xe7\x82\
    \xfd\x11\xad\x52\x53\xcd\x67\x23\xb2\x81\x34\x1d\xba\x22\xe3\x71",
);
/// Key of the default server, that requests are encrypted to: the conversion of the one above.
const DEFAULT_X25519: X25519Public = X25519Public(
    *b"\x09\x32\x47\x94\xaa\x9c\x11\x94\x81\x89\x76\x2d\x19\x8c\x61\x81\
    \x48\xe9\x13\x6a\xc9\x58\x20\x68\x18\x06\x61\x20\x89\x27\xef\x34",
);
/// An earlier key of the default server. In an address it means that server; nothing is encrypted to it.
const DEFAULT_X25519_OLD: X25519Public = X25519Public(
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

/// Why a text is not the address of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileUrlError {
    /// Not of the form `http(s)://host[:port]/file/ID`, or with user name, query or odd characters. Asking for it again
    /// will not help.
    #[error("not the address of a file on a file server")]
    Form,
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

    /// A server at `http(s)://host[:port]`, with its keys.
    pub fn at(url: &str, x25519: X25519Public, ed25519: Option<Ed25519Public>) -> Result<Self, FileUrlError> {
        let (scheme, host, port, path) = split(url)?;
        if !matches!(path, "" | "/") {
            return Err(FileUrlError::Form);
        }
        Ok(Self { scheme, host, port, x25519, ed25519 })
    }
}

/// The name a server gave a file: a decimal number, or 44 characters of URL-safe base64. Taken as it is; here up to
/// 128 letters, digits, `-`, `_`, `.` and `=`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(String);

impl FileId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for FileId {
    type Err = FileUrlError;
    fn from_str(text: &str) -> Result<Self, FileUrlError> {
        let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b'=');
        let is_path = text.bytes().all(|c| c == b'.');
        if text.len() > 128 || is_path || !text.bytes().all(fits) {
            return Err(FileUrlError::Form);
        }
        Ok(Self(text.to_owned()))
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

/// The address of a file. Keeps the text it was read from, so that it compares and travels unchanged, but for a
/// fragment that other clients would misread.
#[derive(Clone, PartialEq, Eq)]
pub struct FileUrl {
    text: String,
    scheme: Scheme,
    host: String,
    port: u16,
    id: FileId,
    key: ServerKey,
    deterministic: bool,
}

impl FileUrl {
    /// The address of a file that this server has just named (spec 09 §2.2): the port only if it is not the scheme's
    /// own, `p` only if the server is not the default one, `d` bare.
    pub fn new(server: &FileServer, id: FileId, deterministic: bool) -> Self {
        let mut text = format!("{}://{}", server.scheme.as_str(), server.host);
        if server.port != server.scheme.default_port() {
            text.push_str(&format!(":{}", server.port));
        }
        text.push_str(&format!("/file/{id}"));
        let p = match server.ed25519 {
            // Some clients in use stumble over a `p` that names the default server.
            _ if server.x25519 == DEFAULT_X25519 => None,
            Some(key) => Some(key.to_string()),
            None => Some(server.x25519.to_string()),
        };
        let mut fragments = Vec::new();
        fragments.extend(p.map(|key| format!("p={key}")));
        fragments.extend(deterministic.then(|| STREAM.to_owned()));
        let text = with_fragment(&text, &fragments);
        let key = match server.x25519 {
            DEFAULT_X25519 => ServerKey::Default,
            x25519 => ServerKey::Given { x25519, other: None },
        };
        let (scheme, host, port) = (server.scheme, server.host.clone(), server.port);
        Self { text, scheme, host, port, id, key, deterministic }
    }

    /// The address of a file on the default server, for old messages that tell no more than its number.
    pub fn numbered(id: u64) -> Self {
        Self::new(&FileServer::mainnet(), FileId(id.to_string()), false)
    }

    /// The same address, saying that its file is stream-encrypted. Servers name what they are given and do not know.
    pub fn into_deterministic(mut self) -> Self {
        if !self.deterministic {
            self.text.push(if self.text.contains('#') { '&' } else { '#' });
            self.text.push_str(STREAM);
            self.deterministic = true;
        }
        self
    }

    /// The whole address, as it is to be written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How the server is to be talked to.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The server's host, in lower case: a name, an IPv4 address, or an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The server's port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The file's name on the server; ask for `/file/ID`.
    pub const fn id(&self) -> &FileId {
        &self.id
    }

    /// The key of the server.
    pub const fn key(&self) -> ServerKey {
        self.key
    }

    /// Whether the file is stream-encrypted ([`super::deterministic`]).
    pub const fn is_deterministic(&self) -> bool {
        self.deterministic
    }

    /// The file's number, if its name is one; else 0. For `deprecated_id` (spec 04 §8).
    pub fn number(&self) -> u64 {
        self.id.as_str().parse().unwrap_or(0)
    }
}

impl FromStr for FileUrl {
    type Err = FileUrlError;
    fn from_str(text: &str) -> Result<Self, FileUrlError> {
        let (address, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (scheme, host, port, path) = split(address)?;
        let id = path.strip_prefix("/file/").or_else(|| path.strip_prefix("/files/"));
        let id = id.map(|id| id.strip_suffix('/').unwrap_or(id)).filter(|id| !id.is_empty());
        let id = id.ok_or(FileUrlError::Form)?.parse()?;

        let (mut key, mut deterministic) = (ServerKey::Default, false);
        let mut kept = Vec::new();
        for part in fragment.split('&').filter(|part| !part.is_empty()) {
            match part.split_once('=').unwrap_or((part, "")) {
                (STREAM, "") if deterministic => {}
                // However it was written: some clients read it only so.
                (STREAM, "") => {
                    deterministic = true;
                    kept.push(STREAM.to_owned());
                }
                ("p", value) => match given_key(value) {
                    ServerKey::Default => {}
                    given => {
                        key = given;
                        kept.push(part.to_owned());
                    }
                },
                // A picture's key, written by the desktop client for itself: not to be passed on.
                ("e", _) => {}
                _ => kept.push(part.to_owned()),
            }
        }
        let text = with_fragment(address, &kept);
        Ok(Self { text, scheme, host, port, id, key, deterministic })
    }
}

impl fmt::Display for FileUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for FileUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// An address with these parts after `#`.
fn with_fragment(address: &str, parts: &[String]) -> String {
    match parts.is_empty() {
        true => address.to_owned(),
        false => format!("{address}#{}", parts.join("&")),
    }
}

/// Reads `p=`: an Ed25519 key, or, if that cannot be one, an X25519 key. What is no key is as if it were not there.
fn given_key(hex: &str) -> ServerKey {
    let Ok(ed25519) = hex.parse::<Ed25519Public>() else { return ServerKey::Default };
    let as_it_is = X25519Public(ed25519.0);
    if ed25519 == DEFAULT_ED25519 || as_it_is == DEFAULT_X25519 || as_it_is == DEFAULT_X25519_OLD {
        return ServerKey::Default;
    }
    match ed25519.to_x25519() {
        Some(x25519) => ServerKey::Given { x25519, other: Some(as_it_is) },
        None => ServerKey::Given { x25519: as_it_is, other: None },
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
    use proptest::prelude::*;

    const POTATO: &str = "ff86dcd4b26d1bfec944c59859494248626d6428efc12168749d65a1b92f5e28";
    const POTATO_X: &str = "fc097b06821c98a2db75ce02e521cef5fd9d3446e42e81d843c4c8c4e9260f48";

    fn parse(text: &str) -> Result<FileUrl, FileUrlError> {
        text.parse()
    }

    #[test]
    fn known_servers_have_matching_keys() {
        for server in [FileServer::mainnet(), FileServer::testnet()] {
            assert_eq!(server.ed25519.unwrap().to_x25519(), Some(server.x25519));
        }
        assert_eq!(DEFAULT_X25519_OLD.to_string().get(..4), Some("da21"));
    }

    #[test]
    fn scheme_host_and_port_are_read() {
        let url = parse("HTTPS://Files.GetSession.org:8443/file/12#d=&x").unwrap();
        assert_eq!((url.scheme(), url.host(), url.port()), (Scheme::Https, "files.getsession.org", 8443));
        assert_eq!((url.id().as_str(), url.number(), url.key()), ("12", 12, ServerKey::Default));
        assert!(url.is_deterministic());
        assert_eq!(url.as_str(), "HTTPS://Files.GetSession.org:8443/file/12#d&x");
        assert_eq!(parse("https://open.getsession.org/files/ab_-").unwrap().port(), 443);
        let url = parse("http://[2001:db8::1]:81/file/1/").unwrap();
        assert_eq!((url.host(), url.port(), url.id().as_str()), ("[2001:db8::1]", 81, "1"));
        assert_eq!(parse("http://[2001:db8::1]/file/1").unwrap().host(), "[2001:db8::1]");
        for no_port in [":0", ":99999", ":8o", ":"] {
            let url = parse(&format!("http://a.example{no_port}/file/1")).unwrap();
            assert_eq!((url.host(), url.port()), (format!("a.example{no_port}").as_str(), 80));
        }
    }

    #[test]
    fn the_key_in_the_address_decides() {
        let given = |text: &str| parse(&format!("http://files.example/file/1#p={text}")).unwrap().key();
        let (ed, x) = (X25519Public(POTATO.parse::<Ed25519Public>().unwrap().0), POTATO_X.parse().unwrap());
        assert_eq!(given(POTATO), ServerKey::Given { x25519: x, other: Some(ed) });
        assert_eq!(given(POTATO_X), ServerKey::Given { x25519: x, other: None });
        assert_eq!(given(&DEFAULT_ED25519.to_string()), ServerKey::Default);
        assert_eq!(given(&DEFAULT_X25519_OLD.to_string()), ServerKey::Default);
        assert_eq!(given("12"), ServerKey::Default);
        assert_eq!(parse("http://files.example/file/1").unwrap().key(), ServerKey::Default);
    }

    #[test]
    fn what_other_clients_misread_is_not_passed_on() {
        let clean = |fragment: &str| {
            parse(&format!("http://a.example/file/1#{fragment}"))
                .unwrap()
                .as_str()
                .replace("http://a.example/file/1", "")
        };
        assert_eq!(clean("d="), "#d");
        assert_eq!(clean("d=&d"), "#d");
        assert_eq!(clean(&format!("p={DEFAULT_ED25519}&d=")), "#d");
        assert_eq!(clean(&format!("d&p={DEFAULT_X25519_OLD}")), "#d");
        assert_eq!(clean("p=12"), "");
        assert_eq!(clean(&format!("sr=x&p={POTATO}&d=")), format!("#sr=x&p={POTATO}&d"));
        assert_eq!(clean("d=1&D"), "#d=1&D");
        assert!(!parse("http://a.example/file/1#d=1&D").unwrap().is_deterministic());
    }

    #[test]
    fn an_uploaded_file_is_marked_once() {
        for fragment in ["", "#d"] {
            let url = parse(&format!("http://a.example/file/1{fragment}")).unwrap().into_deterministic();
            assert_eq!(url.as_str(), "http://a.example/file/1#d");
            assert_eq!(parse(url.as_str()), Ok(url));
        }
        let url = parse(&format!("http://a.example/file/1#p={POTATO}")).unwrap().into_deterministic();
        assert_eq!(url.as_str(), format!("http://a.example/file/1#p={POTATO}&d"));
    }

    #[test]
    fn a_picture_key_left_in_the_address_is_taken_out() {
        let url = parse("http://filev2.getsession.org/file/1#e=00ff&d").unwrap();
        assert_eq!(url.as_str(), "http://filev2.getsession.org/file/1#d");
        assert_eq!(
            parse("http://filev2.getsession.org/file/1#e=00ff").unwrap().as_str(),
            FileUrl::numbered(1).as_str()
        );
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "filev2.getsession.org/file/1",
            "ftp://filev2.getsession.org/file/1",
            "http:///file/1",
            "http://filev2.getsession.org",
            "http://filev2.getsession.org/file/",
            "http://filev2.getsession.org/file",
            "http://filev2.getsession.org/file/..",
            "http://filev2.getsession.org/file/1/2",
            "http://filev2.getsession.org/file/1//",
            "http://filev2.getsession.org/file//",
            "http://filev2.getsession.org/file/1?x=2",
            "http://filev2.getsession.org/file/%2e",
            "http://user@filev2.getsession.org/file/1",
            "http://é.getsession.org/file/1",
            "http://filev2.getsession.org/room/main/file/1",
        ] {
            assert_eq!(parse(text), Err(FileUrlError::Form), "{text}");
        }
    }

    #[test]
    fn our_own_server_is_named_by_the_key_it_has() {
        let x25519 = POTATO_X.parse().unwrap();
        let mut server = FileServer::at("http://127.0.0.1:18090", x25519, POTATO.parse().ok()).unwrap();
        let id: FileId = "abc".parse().unwrap();
        let url = FileUrl::new(&server, id.clone(), true);
        assert_eq!(url.as_str(), format!("http://127.0.0.1:18090/file/abc#p={POTATO}&d"));
        server.ed25519 = None;
        let url = FileUrl::new(&server, id.clone(), false);
        assert_eq!(url.as_str(), format!("http://127.0.0.1:18090/file/abc#p={POTATO_X}"));
        assert_eq!(parse(url.as_str()).unwrap(), url);
        let url = FileUrl::new(&FileServer::mainnet(), id, false);
        assert_eq!(url.as_str(), "http://filev2.getsession.org/file/abc");
        assert!(FileServer::at("http://127.0.0.1:18090/file", x25519, None).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(id in "[A-Za-z0-9_-]{1,44}", port in 1..=u16::MAX, deterministic: bool) {
            let server = FileServer { port, ..FileServer::testnet() };
            let url = FileUrl::new(&server, id.parse().unwrap(), deterministic);
            let read = parse(url.as_str()).unwrap();
            prop_assert_eq!((read.host(), read.port(), read.id()), (url.host(), port, url.id()));
            prop_assert_eq!((read.as_str(), read.is_deterministic()), (url.as_str(), deterministic));
            let is_ours = matches!(read.key(), ServerKey::Given { x25519, .. } if x25519 == server.x25519);
            prop_assert!(is_ours);
        }

        #[test]
        fn nothing_panics_on_foreign_text(text in ".*", rest in "[a-z:/#&=.]*") {
            let _ = parse(&text);
            let _ = parse(&format!("http://{rest}"));
        }
    }
}
