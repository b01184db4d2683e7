//! Links that may be previewed: which link of a text that is, and what is never visited (spec 02 §15).
//!
//! Decision: a link whose look deceives is as good as none. What passes here leads where it seems to lead: no user name
//! in front of the host, no letters of other alphabets among ours, nothing that a URL parser and a reader could take
//! for different hosts. The same check is made of everything that a page sends us on to.

use std::fmt;

use septet_protocol::message::LinkPreview;
use url::Url;

/// The longest host, in bytes.
const MAX_HOST_BYTES: usize = 2_048;
/// How a link begins.
const SCHEME: &str = "https://";

/// A link with `https` that leads where it seems to lead; at most [`LinkPreview::MAX_URL_BYTES`] long.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PreviewUrl {
    /// As it was written.
    text: String,
    /// As it is visited.
    url: Url,
}

impl PreviewUrl {
    /// Checks an address. `None` if it is none, has another scheme than `https`, or deceives.
    pub fn parse(text: &str) -> Option<Self> {
        let begin = text.get(..SCHEME.len())?;
        if text.len() > LinkPreview::MAX_URL_BYTES || !begin.eq_ignore_ascii_case(SCHEME) {
            return None;
        }
        let rest = text.get(SCHEME.len()..)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let url = Url::parse(text).ok()?;
        let plain = url.username().is_empty() && url.password().is_none() && !authority.contains(['@', '%']);
        let sound = plain && is_sound_host(url.host_str()?) && path.chars().all(is_uri_char);
        // A backslash ends the host for a browser, and a line break is nothing to it.
        let read_alike = !authority.contains(|c: char| c == '\\' || c.is_whitespace() || c.is_control());
        (sound && read_alike).then(|| Self { text: text.to_owned(), url })
    }

    /// The first `https` link of a text, if it may be previewed. A later one never takes its place.
    pub fn first_in(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let start = lower.match_indices(SCHEME).map(|(at, _)| at).find(|at| {
            let before = text.get(..*at).and_then(|before| before.chars().next_back());
            !before.is_some_and(|c| c.is_ascii_alphanumeric())
        })?;
        Self::parse(link_at(text.get(start..)?))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// As it is visited.
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// Where a page there leads when it names this address, which may be relative to its own.
    pub fn join(&self, to: &str) -> Option<Self> {
        Self::parse(self.url.join(to.trim()).ok()?.as_str())
    }

    /// The host, in the letters that go over the wire.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

impl fmt::Display for PreviewUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The link that a text begins with: up to white space, or to what belongs to no link; without the punctuation of the
/// sentence around it.
fn link_at(text: &str) -> &str {
    let rest = text.get(SCHEME.len()..).unwrap_or_default();
    let host_end = rest.find(|c: char| !is_host_char(c)).unwrap_or(rest.len());
    let path = rest.get(host_end..).unwrap_or_default();
    let path_end = path.find(|c: char| !is_uri_char(c)).unwrap_or(path.len());
    let mut end = SCHEME.len() + host_end + path_end;
    while let Some(last) = text.get(..end).and_then(|link| link.chars().next_back()) {
        let link = text.get(..end).unwrap_or_default();
        let goes = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' => true,
            // "(see https://a.example/x)", but "https://a.example/x_(y)".
            ')' => link.matches(')').count() > link.matches('(').count(),
            ']' => link.matches(']').count() > link.matches('[').count(),
            _ => false,
        };
        if !goes {
            break;
        }
        end -= last.len_utf8();
    }
    text.get(..end).unwrap_or_default()
}

/// What a host may be written with, its port and what may stand before it included: those are refused, not cut off.
fn is_host_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '@' | '%' | '[' | ']')
}

/// What RFC 3986 allows in an address.
fn is_uri_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "%:/?#[]@!$&'()*+,;=-._~".contains(c)
}

/// Two labels or more, none empty, all of one alphabet.
fn is_sound_host(host: &str) -> bool {
    let (read, valid) = idna(host);
    let labels = host.split('.').count() >= 2 && host.split('.').all(|label| !label.is_empty());
    let letters = || read.chars().filter(|c| *c != '.');
    let mixed = letters().any(|c| c.is_ascii()) && letters().any(|c| !c.is_ascii());
    valid && labels && !mixed && host.len() <= MAX_HOST_BYTES && !host.contains('%')
}

/// A host as people read it, and whether that could be told.
fn idna(host: &str) -> (String, bool) {
    let read = url::quirks::domain_to_unicode(host);
    if read.is_empty() { (host.to_owned(), !host.contains("xn--")) } else { (read, true) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn first(text: &str) -> Option<String> {
        PreviewUrl::first_in(text).map(|url| url.as_str().to_owned())
    }

    #[test]
    fn the_first_link_is_found_as_it_was_written() {
        for (text, link) in [
            ("https://a.example", "https://a.example"),
            ("see https://a.example/x?y=1#z.", "https://a.example/x?y=1#z"),
            ("(see https://a.example/x)", "https://a.example/x"),
            ("https://a.example/x_(y), and https://b.example", "https://a.example/x_(y)"),
            ("見てhttps://a.example/xを", "https://a.example/x"),
            ("HTTPS://A.example/X!", "HTTPS://A.example/X"),
            ("http://b.example https://a.example", "https://a.example"),
            ("a\nhttps://a.example:8443/x\nb", "https://a.example:8443/x"),
            ("https://пример.испытание/x", "https://пример.испытание/x"),
        ] {
            assert_eq!(first(text).as_deref(), Some(link), "{text}");
            let preview = LinkPreview { url: link.into(), title: "T".into(), image: None };
            assert!(preview.belongs_to(text), "{text}");
        }
        for text in
            ["", "a.example", "http://a.example", "xhttps://a.example", "https://", "https:// a.example"]
        {
            assert_eq!(first(text), None, "{text}");
        }
    }

    #[test]
    fn what_deceives_is_no_link() {
        let long = format!("https://a.example/{}", "x".repeat(LinkPreview::MAX_URL_BYTES));
        for text in [
            "https://bank.example@evil.example/",
            "https://bank.example:pass@evil.example/",
            "https://localhost/",
            "https://a..example/",
            "https://.example/",
            "https://a.example./",
            "https://[::1]/",
            "https://p\u{430}ypal.com/",
            "https://bücher.example/",
            "https://xn--bcher-kva.example/",
            "https://a.%65xample/",
            "https://a.example\\@b.example/",
            "https://a.example/\u{202e}x",
            "https://a.example/ä",
            "https://a.example/a b",
            "https://a.exa\nmple/",
            "http://a.example/",
            "javascript://a.example/",
            &long,
        ] {
            assert_eq!(PreviewUrl::parse(text), None, "{text}");
        }
        // One that deceives hides no other.
        assert_eq!(first("https://a@b.example/ https://c.example/"), None);
    }

    #[test]
    fn a_page_leads_on_within_the_same_rules() {
        let page = PreviewUrl::parse("https://a.example/x/y?z").unwrap();
        let to = |address: &str| page.join(address).map(|url| url.as_str().to_owned());
        assert_eq!(to("/p.png").as_deref(), Some("https://a.example/p.png"));
        assert_eq!(to("p.png").as_deref(), Some("https://a.example/x/p.png"));
        assert_eq!(to(" //b.example/p ").as_deref(), Some("https://b.example/p"));
        for bad in ["http://a.example/", "data:image/png;base64,AA", "https://u@b.example/", "//localhost/"] {
            assert_eq!(to(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(text in "\\PC{0,40}(https://)?[a-c.:@%/\\\\\\[\\]#?é健\u{202e} ]{0,20}\\PC{0,10}") {
            if let Some(found) = PreviewUrl::first_in(&text) {
                prop_assert!(text.contains(found.as_str()));
                prop_assert_eq!(found.url().scheme(), "https");
                prop_assert!(found.url().username().is_empty());
                prop_assert_eq!(PreviewUrl::parse(found.as_str()), Some(found));
            }
            let _ = PreviewUrl::parse(&text);
        }

        #[test]
        fn what_is_found_belongs_to_its_text(
            before in "[a-z .(é]{0,8}", host in "[a-z]{1,5}\\.[a-z]{1,5}", path in "(/[a-z0-9?&=#_.()-]{0,12})?",
            after in "[.,!?]{0,2}([ \n][ a-zé.健]{0,8})?",
        ) {
            let text = format!("{before} https://{host}{path}{after}");
            let found = PreviewUrl::first_in(&text).unwrap();
            let preview = LinkPreview { url: found.as_str().into(), title: "T".into(), image: None };
            prop_assert!(preview.belongs_to(&text), "{} in {}", found, text);
        }
    }
}
