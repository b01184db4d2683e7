//! Title and picture of a page, read from the head of its HTML.
//!
//! Decision: no tree is built. A page's head is a row of tags, and all that is wanted of them is the value of a few; so
//! tags are walked over once, what is inside of scripts, styles and comments is stepped over, and the body ends it.
//! Whatever comes, the walk takes time in proportion to it and ends.

use super::entities;

/// A title is cut to so many characters.
const LONGEST_TITLE: usize = 300;

/// What a page says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Its title, in one line; `None` if it has none that is readable.
    pub title: Option<String>,
    /// The address of its picture, as it is written there.
    pub image: Option<String>,
}

/// Reads a page; `content_type` is what its server says of it.
pub fn read(page: &[u8], content_type: &str) -> Head {
    let Some(text) = text(page, content_type) else { return Head::default() };
    let mut found = Found::default();
    Walk { lower: text.to_ascii_lowercase(), text: &text, at: 0 }.run(&mut found);
    let Found { open_graph, twitter, title, pictures } = found;
    let title = [open_graph, twitter, title].into_iter().flatten().map(|title| clean(&title));
    Head { title: title.into_iter().find(|title| !title.is_empty()), image: pictures.best() }
}

/// What was found on the way; of each the first.
#[derive(Default)]
struct Found {
    open_graph: Option<String>,
    twitter: Option<String>,
    title: Option<String>,
    pictures: Pictures,
}

#[derive(Default)]
struct Pictures {
    open_graph: Option<String>,
    twitter: Option<String>,
    icon: Option<String>,
}

impl Pictures {
    fn best(self) -> Option<String> {
        [self.open_graph, self.twitter, self.icon].into_iter().flatten().find(|address| !address.is_empty())
    }
}

impl Found {
    fn meta(&mut self, attributes: &[(String, String)]) {
        let get = |wanted| attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let Some(content) = get("content") else { return };
        let place =
            match get("property").or_else(|| get("name")).map(|name| name.to_ascii_lowercase()).as_deref() {
                Some("og:title") => &mut self.open_graph,
                Some("twitter:title") => &mut self.twitter,
                Some("og:image" | "og:image:url" | "og:image:secure_url") => &mut self.pictures.open_graph,
                Some("twitter:image" | "twitter:image:src") => &mut self.pictures.twitter,
                _ => return,
            };
        place.get_or_insert_with(|| content.clone());
    }

    fn link(&mut self, attributes: &[(String, String)]) {
        let get = |wanted| attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let (Some(kind), Some(address)) = (get("rel"), get("href")) else { return };
        let kind = kind.to_ascii_lowercase();
        if kind.split_ascii_whitespace().any(|kind| matches!(kind, "icon" | "apple-touch-icon")) {
            self.pictures.icon.get_or_insert_with(|| address.clone());
        }
    }
}

/// A walk over the tags of a page.
struct Walk<'a> {
    text: &'a str,
    /// The same in small letters: every character stands at the same place.
    lower: String,
    at: usize,
}

impl Walk<'_> {
    fn run(mut self, found: &mut Found) {
        while self.to("<") {
            let rest = self.lower.get(self.at..).unwrap_or_default();
            if rest.starts_with("<!--") {
                self.at += 4;
                self.past("-->");
            } else if rest.starts_with("</") || rest.starts_with("<!") || rest.starts_with("<?") {
                if rest.starts_with("</head") {
                    return;
                }
                self.past(">");
            } else if let Some((name, attributes)) = self.tag() {
                match name.as_str() {
                    "body" => return,
                    "meta" => found.meta(&attributes),
                    "link" => found.link(&attributes),
                    "title" => {
                        let title = self.until_end("</title");
                        found.title.get_or_insert_with(|| entities::decode(title));
                    }
                    "script" => _ = self.until_end("</script"),
                    "style" => _ = self.until_end("</style"),
                    "noscript" => _ = self.until_end("</noscript"),
                    "template" => _ = self.until_end("</template"),
                    _ => {}
                }
            }
        }
    }

    /// Goes to where this begins; to the end, and false, if it is nowhere.
    fn to(&mut self, what: &str) -> bool {
        let found = self.lower.get(self.at..).and_then(|rest| rest.find(what));
        self.at = found.map_or(self.lower.len(), |offset| self.at + offset);
        found.is_some()
    }

    /// Goes to behind this, or to the end.
    fn past(&mut self, what: &str) {
        if self.to(what) {
            self.at += what.len();
        }
    }

    /// What stands before the tag that begins so; goes there, or to the end.
    fn until_end(&mut self, tag: &str) -> &str {
        let start = self.at;
        self.to(tag);
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The tag that begins here, with its attributes, their names in small letters and their values decoded; goes behind
    /// it. `None` if it is none: then one character on.
    fn tag(&mut self) -> Option<(String, Vec<(String, String)>)> {
        self.at += 1;
        let name = self.word(|c| c.is_ascii_alphanumeric() || c == '-');
        if name.is_empty() {
            return None;
        }
        let mut attributes = Vec::new();
        loop {
            self.word(|c| c.is_whitespace() || c == '/');
            match self.peek() {
                None => return Some((name, attributes)),
                Some('>') => {
                    self.at += 1;
                    return Some((name, attributes));
                }
                Some('=') => self.at += 1,
                Some(_) => {
                    let attribute = self.word(|c| !c.is_whitespace() && !matches!(c, '/' | '>' | '='));
                    attributes.push((attribute, self.value()));
                }
            }
        }
    }

    /// The value of the attribute whose name was just read.
    fn value(&mut self) -> String {
        self.word(char::is_whitespace);
        if self.peek() != Some('=') {
            return String::new();
        }
        self.at += 1;
        self.word(char::is_whitespace);
        let start = match self.peek() {
            Some(quote @ ('"' | '\'')) => {
                self.at += 1;
                let start = self.at;
                self.to(if quote == '"' { "\"" } else { "'" });
                let value = start..self.at;
                self.at = (self.at + 1).min(self.lower.len());
                value
            }
            _ => {
                let start = self.at;
                self.word(|c| !c.is_whitespace() && c != '>');
                start..self.at
            }
        };
        entities::decode(self.text.get(start).unwrap_or_default())
    }

    fn peek(&self) -> Option<char> {
        self.lower.get(self.at..)?.chars().next()
    }

    /// Takes characters as long as they fit, in small letters.
    fn word(&mut self, fits: impl Fn(char) -> bool) -> String {
        let rest = self.lower.get(self.at..).unwrap_or_default();
        let end = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default().to_owned();
        self.at += end;
        word
    }
}

/// A title in one line, without what changes how other text looks.
fn clean(title: &str) -> String {
    let visible = |c: char| {
        if c.is_whitespace() || c.is_control() {
            return Some(' ');
        }
        let turns = matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{feff}' | '\u{fffd}');
        (!turns).then_some(c)
    };
    let line: String = title.chars().filter_map(visible).take(LONGEST_TITLE * 4).collect();
    let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(LONGEST_TITLE).collect::<String>().trim_end().to_owned()
}

/// A page as text. `None` if it is in a writing that we do not know: better no title than a wrong one.
fn text(page: &[u8], content_type: &str) -> Option<String> {
    if let Some(rest) = page.strip_prefix(b"\xef\xbb\xbf") {
        return Some(String::from_utf8_lossy(rest).into_owned());
    }
    let head = page.get(..2048.min(page.len())).unwrap_or_default();
    let named =
        charset(content_type).or_else(|| charset(&String::from_utf8_lossy(head).to_ascii_lowercase()));
    match named.as_deref() {
        None if std::str::from_utf8(head).is_err_and(|error| error.error_len().is_some()) => {
            Some(western(page))
        }
        None | Some("utf-8" | "utf8" | "us-ascii" | "ascii") => {
            Some(String::from_utf8_lossy(page).into_owned())
        }
        Some("iso-8859-1" | "iso-8859-15" | "latin1" | "windows-1252" | "cp1252") => Some(western(page)),
        Some(_) => String::from_utf8(page.to_vec()).ok(),
    }
}

/// What stands behind `charset=`.
fn charset(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("charset=")?;
    let rest = rest.trim_start_matches(['"', '\'', ' ']);
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(rest.len());
    rest.get(..end).filter(|name| !name.is_empty()).map(str::to_ascii_lowercase)
}

/// Western European text of one byte for each character, as browsers read it.
fn western(page: &[u8]) -> String {
    const QUOTES: [char; 32] = [
        '€', ' ', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', ' ', 'Ž', ' ', ' ', '‘', '’', '“',
        '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', ' ', 'ž', 'Ÿ',
    ];
    let letter = |byte: &u8| match byte {
        0x80..=0x9f => QUOTES.get(usize::from(byte - 0x80)).copied().unwrap_or(' '),
        byte => char::from(*byte),
    };
    page.iter().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn title(page: &str) -> Option<String> {
        read(page.as_bytes(), "text/html; charset=utf-8").title
    }

    #[test]
    fn the_title_is_what_the_page_wants_to_be_called() {
        assert_eq!(title("<title>A &amp; B</title>").as_deref(), Some("A & B"));
        assert_eq!(title("<TITLE lang=en>\n  A\n B\t</TITLE>").as_deref(), Some("A B"));
        let both = "<title>Plain</title><meta content='Open' property=\"og:title\">";
        assert_eq!(title(both).as_deref(), Some("Open"));
        assert_eq!(
            title("<title>Plain</title><meta name=twitter:title content=Bird>").as_deref(),
            Some("Bird")
        );
        assert_eq!(title("<title>1</title><title>2</title>").as_deref(), Some("1"));
        assert_eq!(
            title("<meta property=og:title content=''><title>Plain</title>").as_deref(),
            Some("Plain")
        );
        assert_eq!(title("<title>cut").as_deref(), Some("cut"));
        assert_eq!(title("<title>a\u{202e}b\u{200b}</title>").as_deref(), Some("ab"));
        assert_eq!(title(&format!("<title>{}</title>", "é ".repeat(500))).unwrap().chars().count(), 299);
        for none in
            ["", "<title></title>", "<title> \u{202e} </title>", "just text", "<", "<meta", "<meta content="]
        {
            assert_eq!(title(none), None, "{none}");
        }
    }

    #[test]
    fn what_only_looks_like_a_title_is_none() {
        for page in [
            "<script>var a = '<title>No</title>'</script><title>Yes</title>",
            "<!-- <title>No</title> --><title>Yes</title>",
            "<style><title>No</title></style><title>Yes</title>",
            "<meta name=\"x\" content=\"><title>No</title>\"><title>Yes</title>",
            "<title>Yes</title></head><meta property=og:title content=No>",
            "<title>Yes</title><body><meta property=og:title content=No>",
        ] {
            assert_eq!(title(page).as_deref(), Some("Yes"), "{page}");
        }
    }

    #[test]
    fn the_picture_is_the_one_that_the_page_names() {
        let image = |page: &str| read(page.as_bytes(), "").image;
        let icon = "<link rel='shortcut icon' href=/i.ico><link rel=stylesheet href=x.css>";
        assert_eq!(image(icon).as_deref(), Some("/i.ico"));
        let all = format!("{icon}<meta property=og:image content='https://a.example/p?a=1&amp;b=2'>");
        assert_eq!(image(&all).as_deref(), Some("https://a.example/p?a=1&b=2"));
        assert_eq!(image("<img src=x>"), None);
    }

    #[test]
    fn writings_that_are_known_are_read_and_others_are_not_guessed() {
        let page = |bytes: &[u8], kind| read(bytes, kind).title;
        assert_eq!(page(b"<title>\xe9\x80</title>", "text/html; charset=ISO-8859-1").as_deref(), Some("é€"));
        assert_eq!(
            page(b"<meta charset=\"windows-1252\"><title>\xe9</title>", "text/html").as_deref(),
            Some("é")
        );
        assert_eq!(page(b"<title>\xe9</title>", "text/html").as_deref(), Some("é"));
        assert_eq!(page("<title>é</title>".as_bytes(), "text/html").as_deref(), Some("é"));
        assert_eq!(
            page("\u{feff}<title>é</title>".as_bytes(), "text/html; charset=latin1").as_deref(),
            Some("é")
        );
        assert_eq!(page(b"<title>\x82\xa0</title>", "text/html; charset=shift_jis"), None);
    }

    proptest! {
        #[test]
        fn no_page_breaks_it(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            tags in "(<(/?(title|meta|link|head|body|script)|!--|!|\\?)?[ a-z='\"/&;#é]{0,12}>?){0,20}",
        ) {
            read(&bytes, "");
            let mut page = tags.clone().into_bytes();
            page.extend_from_slice(&bytes);
            for kind in ["text/html; charset=utf-8", "charset=latin1", "charset=\"", "charset=gbk"] {
                let head = read(&page, kind);
                prop_assert!(head.title.is_none_or(|title| !title.is_empty() && !title.contains('\n')));
            }
        }
    }
}
