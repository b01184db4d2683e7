//! What in a message can be followed: web addresses and mentions of people.
//!
//! Decisions: only `http` and `https` are links, whatever else looks like one. What will really be visited is the host
//! as it goes over the wire: letters that only look like others ("pаypal.com" with a Cyrillic а) show as what they are.

use septet_protocol::id::SessionId;
use septet_protocol::message::mentions;
use url::Url;

/// A part of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece<'a> {
    /// Words.
    Words(&'a str),
    /// A web address.
    Link {
        /// As it was written.
        shown: &'a str,
        /// With its scheme.
        address: String,
    },
    /// Somebody is mentioned.
    Mention {
        /// As it was written: `@` and the id.
        shown: &'a str,
        /// Who.
        id: SessionId,
    },
}

/// Takes a message apart. All pieces together are the whole text.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    for mention in mentions(text) {
        let Some(id) = mention.session_id() else { continue };
        let (Some(before), Some(shown)) =
            (text.get(at..mention.range.start), text.get(mention.range.clone()))
        else {
            continue;
        };
        links(before, &mut found);
        found.push(Piece::Mention { shown, id });
        at = mention.range.end;
    }
    links(text.get(at..).unwrap_or_default(), &mut found);
    found
}

fn links<'a>(text: &'a str, found: &mut Vec<Piece<'a>>) {
    let mut finder = linkify::LinkFinder::new();
    finder.kinds(&[linkify::LinkKind::Url]).url_must_have_scheme(false);
    let mut plain = 0;
    for link in finder.links(text) {
        if let Some(address) = address(link.as_str()) {
            words(text.get(plain..link.start()), found);
            found.push(Piece::Link { shown: link.as_str(), address });
            plain = link.end();
        }
    }
    words(text.get(plain..), found);
}

fn words<'a>(shown: Option<&'a str>, found: &mut Vec<Piece<'a>>) {
    if let Some(shown) = shown.filter(|shown| !shown.is_empty()) {
        found.push(Piece::Words(shown));
    }
}

/// The web address that a text stands for. Without a scheme only what begins with `www.` is one, so that "e.g." and
/// "notes.md" are not.
fn address(shown: &str) -> Option<String> {
    let full = match shown.split_once("://") {
        Some(_) => shown.to_owned(),
        None if shown.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("www.")) => {
            format!("https://{shown}")
        }
        None => return None,
    };
    let parsed = Url::parse(&full).ok()?;
    (matches!(parsed.scheme(), "http" | "https") && parsed.has_host()).then_some(full)
}

/// The host that an address really leads to, in the letters that go over the wire; if those differ from what people
/// read, both: `xn--bcher-kva.example (bücher.example)`. `None` if it leads nowhere.
pub fn host(address: &str) -> Option<String> {
    let parsed = Url::parse(address).ok()?;
    let host = parsed.host_str()?;
    let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
    let read = url::quirks::domain_to_unicode(host);
    Some(if read.is_empty() || read == host {
        format!("{host}{port}")
    } else {
        format!("{host}{port} ({read})")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "05ca03b8e369aeeb69fd260c2957d37b232db17a60db7a39bca9f0c0a6be135c1a";

    fn found(text: &str) -> Vec<String> {
        pieces(text)
            .iter()
            .map(|piece| match piece {
                Piece::Words(words) => format!("\"{words}\""),
                Piece::Link { address, .. } => address.clone(),
                Piece::Mention { id, .. } => format!("@{}", id.short()),
            })
            .collect()
    }

    #[test]
    fn addresses_and_mentions_are_found() {
        assert_eq!(found("plain"), ["\"plain\""]);
        assert_eq!(found("see https://a.example/b?c."), ["\"see \"", "https://a.example/b?c", "\".\""]);
        assert_eq!(found("www.a.example!"), ["https://www.a.example", "\"!\""]);
        assert_eq!(
            found("e.g. notes.md ftp://a.example javascript://x"),
            ["\"e.g. notes.md ftp://a.example javascript://x\""]
        );
        let id: SessionId = ID.parse().unwrap();
        assert_eq!(
            found(&format!("hi @{ID}!")),
            ["\"hi \"".to_owned(), format!("@{}", id.short()), "\"!\"".to_owned()]
        );
        assert_eq!(found(""), Vec::<String>::new());
    }

    #[test]
    fn the_host_is_the_one_that_will_be_visited() {
        let host = |address| host(address).unwrap();
        assert_eq!(host("https://example.org/a?b"), "example.org");
        assert_eq!(host("https://bank.example@evil.example/login"), "evil.example");
        assert_eq!(host("https://evil.example\\@bank.example/"), "evil.example");
        assert_eq!(host("https://example.org:8080#x"), "example.org:8080");
        assert_eq!(host("https://bücher.example/"), "xn--bcher-kva.example (bücher.example)");
        assert_eq!(host("https://p\u{430}ypal.com"), "xn--pypal-4ve.com (p\u{430}ypal.com)");
        assert_eq!(super::host("not an address"), None);
    }

    proptest! {
        #[test]
        fn pieces_are_the_whole_text(text in "[a-c @.:/é健]{0,10}(https://[a-z.]{1,8}|www\\.[a-z.]{1,5})?[ א-ג.]{0,8}") {
            let joined: String = pieces(&text)
                .into_iter()
                .map(|piece| match piece {
                    Piece::Words(shown) | Piece::Link { shown, .. } | Piece::Mention { shown, .. } => shown,
                })
                .collect();
            prop_assert_eq!(joined, text);
        }
    }
}
