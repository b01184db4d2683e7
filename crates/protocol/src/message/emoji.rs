//! What can be put under a message: one emoji (spec 02 §16).
//!
//! Decision: the form is that of Unicode's "possible emoji" (UTS #51, section 1.4.9), which takes in every emoji that a
//! keyboard offers, skin tones, families, flags and keycaps among them, and which is one character to the eye. Whether
//! a font can draw it is not asked: next year's emojis are to arrive this year. So what has no character yet in the
//! blocks where new emojis appear counts as one.

use std::fmt;
use std::str::{Chars, FromStr};

use serde::{Deserialize, Serialize};
use unicode_properties::UnicodeEmoji;

/// The longest emoji in bytes of UTF-8; the longest that keyboards offer has 35.
const MAX_BYTES: usize = 64;
const JOINER: char = '\u{200d}';
const EMOJI_STYLE: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';

/// One emoji. In JSON a text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Emoji(String);

/// The text is not one emoji: it is empty, something else, or more than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an emoji")]
pub struct EmojiError;

impl Emoji {
    /// The emoji as UTF-8, 1 to 64 bytes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The emoji as UTF-8.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl From<Emoji> for String {
    fn from(emoji: Emoji) -> Self {
        emoji.0
    }
}

impl TryFrom<String> for Emoji {
    type Error = EmojiError;

    fn try_from(text: String) -> Result<Self, EmojiError> {
        text.parse()
    }
}

impl FromStr for Emoji {
    type Err = EmojiError;

    fn from_str(text: &str) -> Result<Self, EmojiError> {
        match text.len() <= MAX_BYTES && is_emoji(text) {
            true => Ok(Self(text.to_owned())),
            false => Err(EmojiError),
        }
    }
}

impl fmt::Display for Emoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Emoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Elements, with joiners between them.
fn is_emoji(text: &str) -> bool {
    let mut rest = text.chars();
    loop {
        if !take_element(&mut rest) {
            return false;
        }
        match rest.next() {
            None => return true,
            Some(JOINER) => {}
            Some(_) => return false,
        }
    }
}

/// Takes one element off the front: a flag, a keycap, or a picture with what changes its looks.
fn take_element(rest: &mut Chars<'_>) -> bool {
    let Some(first) = rest.next() else { return false };
    if is_flag_letter(first) {
        return rest.next().is_some_and(is_flag_letter);
    }
    if matches!(first, '0'..='9' | '#' | '*') {
        take_if(rest, |c| c == EMOJI_STYLE);
        return take_if(rest, |c| c == KEYCAP);
    }
    if !is_picture(first) {
        return false;
    }
    take_if(rest, is_skin_tone);
    take_if(rest, |c| c == EMOJI_STYLE);
    take_if(rest, |c| c == KEYCAP);
    // Flags of regions spell a name in invisible letters.
    let mut tagged = false;
    while take_if(rest, |c| matches!(c, '\u{e0020}'..='\u{e007e}')) {
        tagged = true;
    }
    !tagged || take_if(rest, |c| c == '\u{e007f}')
}

/// Takes one character off the front, if it is such a one.
fn take_if(rest: &mut Chars<'_>, wanted: impl Fn(char) -> bool) -> bool {
    let mut ahead = rest.clone();
    let found = ahead.next().is_some_and(wanted);
    if found {
        *rest = ahead;
    }
    found
}

fn is_flag_letter(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

fn is_skin_tone(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

/// A character with the property `Emoji`, or one that will have it.
fn is_picture(c: char) -> bool {
    c.is_emoji_char() || matches!(c, '\u{1f6d0}'..='\u{1f6ff}' | '\u{1fa70}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fits(text: &str) -> bool {
        text.parse::<Emoji>().is_ok_and(|emoji| emoji.as_str() == text)
    }

    #[test]
    fn what_keyboards_offer_is_an_emoji() {
        let offered = "😂 🥰 😢 😡 😮 😈 ❤ ❤️ ☺️ ©️ 👍 👍🏿 ☝🏽 🏿 1️⃣ #️⃣ \
            *️⃣ 2⃣ 🇩🇪 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🏳️‍🌈 🏳️‍⚧️ 🏴‍☠️ 👨‍👩‍👧‍👦 👩🏽‍❤️‍💋‍👨🏿 🧑🏻‍🤝‍🧑🏿 🐦‍🔥 👁️‍🗨️ 🤷🏾‍♀️ 🧑‍🧑‍🧒‍🧒 🫩";
        for emoji in offered.split_whitespace().chain(["\u{1faff}"]) {
            assert!(fits(emoji), "{emoji}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            " ",
            "a",
            "1",
            "#",
            "12",
            "ok",
            "é",
            "你",
            "😂😂",
            "🇩🇪🇫🇷",
            "🇩",
            "😂 ",
            " 😂",
            "😂a",
            "a😂",
            "\u{200d}",
            "😂\u{200d}",
            "\u{200d}😂",
            "\u{fe0f}",
            "1\u{fe0f}",
            "\u{20e3}",
            "👍🏿🏿",
            "😂\u{e0067}",
            "\u{e0067}",
            "😂\n",
            "\u{202e}😂",
            "😂\u{301}",
            "❤\u{fe0e}",
            "🇩🇪a",
        ] {
            assert!(!fits(text), "{text:?}");
        }
        assert!(!fits(&"😂".repeat(2_500)));
        assert!(!fits(&["👩"; 2_000].join("\u{200d}")), "one to the eye, but longer than any");
    }

    #[test]
    fn what_is_stored_is_an_emoji_again() {
        let emoji: Emoji = "👍🏿".parse().unwrap();
        let json = serde_json::to_string(&emoji).unwrap();
        assert_eq!(json, "\"👍🏿\"");
        assert_eq!(serde_json::from_str::<Emoji>(&json).unwrap(), emoji);
        assert!(serde_json::from_str::<Emoji>("\"ok\"").is_err());
    }

    proptest! {
        #[test]
        fn no_text_is_an_emoji(text in "[a-zA-Z0-9 \\p{L}\\p{Nd}\\p{P}]+") {
            // ‼ and ⁉ are both punctuation and emojis.
            prop_assume!(!text.chars().any(|c| matches!(c, '\u{203c}' | '\u{2049}' | '〰' | '〽')));
            prop_assert!(!fits(&text));
        }

        #[test]
        fn nothing_panics(text: String) {
            let _ = fits(&text);
        }
    }
}
