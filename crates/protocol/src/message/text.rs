//! The text of a message: what may be sent, what is kept of what came, and who is mentioned (spec 02 §11).

use std::fmt;
use std::ops::Range;

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::id::SessionId;

/// The longest text we send, in Unicode code points.
pub const MAX_SENT_CHARS: usize = 2_000;
/// What is kept of a received text, in Unicode code points.
pub const MAX_RECEIVED_CHARS: usize = 10_000;

/// A text fit to be sent: 1 to [`MAX_SENT_CHARS`] code points, something visible, no white space at its ends, lines
/// ended by `\n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageText(String);

/// Why a text cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing, or nothing visible. Send it only with an attachment, and then without a text.
    #[error("the message is empty")]
    Empty,
    /// Longer than [`MAX_SENT_CHARS`]. Shorten it or split it.
    #[error("the message has {chars} characters; at most {MAX_SENT_CHARS} can be sent")]
    TooLong {
        /// Its length in Unicode code points.
        chars: usize,
    },
}

impl MessageText {
    /// Trims the text and checks it.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let trimmed = text.trim_matches(is_space);
        if is_blank(trimmed) {
            return Err(TextError::Empty);
        }
        let text = trimmed.replace("\r\n", "\n").replace('\r', "\n");
        match text.chars().count() {
            chars if chars > MAX_SENT_CHARS => Err(TextError::TooLong { chars }),
            _ => Ok(Self(text)),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for MessageText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// White space, and the byte order mark that some editors leave at the start of a text.
fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

/// Whether there is nothing to see in a text: only white space and characters without a shape of their own, such
/// as zero-width spaces and changes of direction.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        is_space(c)
            || c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{fe00}'..='\u{fe0f}')
    })
}

/// A received text, cut to [`MAX_RECEIVED_CHARS`]. Nothing is dropped for its length.
pub fn truncated_body(text: String) -> String {
    truncated(text, MAX_RECEIVED_CHARS)
}

/// A text, cut to so many Unicode code points.
pub(super) fn truncated(mut text: String, chars: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(chars) {
        text.truncate(end);
    }
    text
}

/// `@` and an id, somewhere in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Where it stands, in bytes, with its `@`: 67 bytes.
    pub range: Range<usize>,
    /// Prefix and key. Prefixes other than `05` occur in communities.
    pub id: [u8; 33],
}

impl Mention {
    /// The account, if it is an account's ordinary id.
    pub fn session_id(&self) -> Option<SessionId> {
        match self.id {
            [SessionId::PREFIX, key @ ..] => Some(SessionId(key)),
            _ => None,
        }
    }
}

/// All mentions of a text, in order: `@` immediately followed by 66 hexadecimal digits, in any case.
pub fn mentions(text: &str) -> Vec<Mention> {
    let mut found: Vec<Mention> = Vec::new();
    for (start, _) in text.match_indices('@') {
        let end = start + 67;
        let mut id = [0; 33];
        if let Some(digits) = text.get(start + 1..end)
            && HEXLOWER_PERMISSIVE.decode_mut(digits.as_bytes(), &mut id).is_ok()
        {
            found.push(Mention { range: start..end, id });
        }
    }
    found
}

/// Whether a text mentions this account.
pub fn mentions_account(text: &str, account: &SessionId) -> bool {
    mentions(text).iter().any(|mention| mention.session_id().as_ref() == Some(account))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "05ca03b8e369aeeb69fd260c2957d37b232db17a60db7a39bca9f0c0a6be135c1a";

    #[test]
    fn a_text_is_trimmed_and_counted_in_code_points() {
        assert_eq!(MessageText::parse("\u{feff} \n hi  there\t\n").unwrap().as_str(), "hi  there");
        assert_eq!(MessageText::parse("a\r\nb\rc\nd").unwrap().as_str(), "a\nb\nc\nd");
        let longest = "😀".repeat(MAX_SENT_CHARS);
        assert_eq!(MessageText::parse(&longest).unwrap().as_str(), longest);
        assert_eq!(MessageText::parse(&format!("{longest}é")), Err(TextError::TooLong { chars: 2001 }));
        assert_eq!(MessageText::parse(&format!("{longest} \n")).unwrap().as_str(), longest);
    }

    #[test]
    fn a_text_without_anything_to_see_is_empty() {
        for text in
            ["", " \t\r\n", "\u{3000}\u{a0}", "\u{feff}", "\u{200b}\u{200e}", "\u{2060} \u{202e}", "\0"]
        {
            assert_eq!(MessageText::parse(text), Err(TextError::Empty), "{text:?}");
        }
        assert!(MessageText::parse("\u{200f}שלום").is_ok());
    }

    #[test]
    fn a_received_text_is_cut_between_code_points() {
        assert_eq!(truncated_body("short".into()), "short");
        assert_eq!(truncated_body("é".repeat(10_000)).chars().count(), 10_000);
        assert_eq!(truncated_body("é".repeat(10_001)), "é".repeat(10_000));
    }

    #[test]
    fn mentions_are_found_with_their_places() {
        let text = format!("é @{ALICE}, @{} @05ca @@{ALICE}0", ALICE.to_uppercase());
        let found = mentions(&text);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].range, 3..70);
        assert!(found.iter().all(|mention| mention.session_id() == Some(ALICE.parse().unwrap())));
        assert!(mentions_account(&text, &ALICE.parse().unwrap()));
        let blinded = mentions(&format!("@15{}", &ALICE[2..]));
        assert_eq!(blinded[0].session_id(), None);
        assert_eq!(blinded[0].id[0], 0x15);
        assert!(mentions("@é").is_empty());
        assert!(mentions(ALICE).is_empty());
    }
}
