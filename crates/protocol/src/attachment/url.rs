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

use super::server::{FileServer, Scheme, ServerKey, split};

/// The part of a fragment that says "stream-encrypted".
const STREAM: &str = "d";
/// Why a text is not the address of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileUrlError {
    /// Not of the form `http(s)://host[:port]/file/ID`, or with user name, query or odd characters. Asking for it again
    /// will not help.
    #[error("not the address of a file on a file server")]
    Form,
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
        let key = server.key();
        let mut fragments = Vec::new();
        // Some clients in use stumble over a `p` that names the default server.
        if key != ServerKey::Default {
            let name = server.ed25519.map_or_else(|| server.x25519.to_string(), |key| key.to_string());
            fragments.push(format!("p={name}"));
        }
        fragments.extend(deterministic.then(|| STREAM.to_owned()));
        let text = with_fragment(&text, &fragments);
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
                ("p", value) => match ServerKey::read(value) {
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

#[cfg(test)]
mod tests {
    use super::super::server::{DEFAULT_ED25519, DEFAULT_X25519_OLD};
    use super::*;
    use crate::id::{Ed25519Public, X25519Public};
    use proptest::prelude::*;

    const POTATO: &str = "ff86dcd4b26d1bfec944c59859494248626d6428efc12168749d65a1b92f5e28";
    const POTATO_X: &str = "fc097b06821c98a2db75ce02e521cef5fd9d3446e42e81d843c4c8c4e9260f48";

    fn parse(text: &str) -> Result<FileUrl, FileUrlError> {
        text.parse()
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
