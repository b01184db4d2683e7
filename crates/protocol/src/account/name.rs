//! Names that people give themselves (spec 01 §9).

use std::fmt;

/// The most bytes of UTF-8 a name may have.
const MAX_BYTES: usize = 100;

/// A name: 1 to 100 bytes of UTF-8, with nothing invisible at either end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DisplayName(String);

/// Why a text cannot be a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing visible is left.
    #[error("enter a name")]
    Empty,
    /// Longer than 100 bytes.
    #[error(
        "this name is too long: it takes {bytes} bytes, and {MAX_BYTES} is the most (a letter takes one to four)"
    )]
    TooLong {
        /// How many bytes it takes.
        bytes: usize,
    },
}

impl DisplayName {
    /// A name as it was typed. White space and invisible characters are taken off both ends; nothing else is changed.
    pub fn parse(typed: &str) -> Result<Self, NameError> {
        let name = trimmed(typed);
        match name.len() {
            0 => Err(NameError::Empty),
            1..=MAX_BYTES => Ok(Self(name.to_owned())),
            bytes => Err(NameError::TooLong { bytes }),
        }
    }

    /// A name as it was received: trimmed, and cut to 100 bytes between two characters. `None` if nothing is left.
    pub fn truncated(received: &str) -> Option<Self> {
        let name = trimmed(received);
        let name = name.get(..name.floor_char_boundary(MAX_BYTES)).map(trimmed)?;
        (!name.is_empty()).then(|| Self(name.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for DisplayName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<DisplayName> for String {
    fn from(name: DisplayName) -> Self {
        name.0
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(is_invisible)
}

/// Characters that show nothing by themselves. At the ends of a name they would only let one name pass for another,
/// or turn round the text that follows it.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}'   // zero-width characters, direction marks
            | '\u{202a}'..='\u{202e}'   // embeddings and overrides of direction
            | '\u{2060}'..='\u{206f}'   // word joiner, invisible operators, isolates of direction
            | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e001f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends_are_cleaned_and_the_middle_is_left_alone() {
        let clean = |typed: &str| DisplayName::parse(typed).unwrap().0;
        assert_eq!(clean("  Ada \n"), "Ada");
        assert_eq!(clean("\u{202e}\u{200b}Ada\u{feff}\u{2069}\u{3164}"), "Ada");
        assert_eq!(clean("Ada \u{200d} L."), "Ada \u{200d} L.");
        assert_eq!(clean("👩‍🚀❤️"), "👩‍🚀❤️");
        assert_eq!(DisplayName::parse(" \u{200b}\u{202e} "), Err(NameError::Empty));
    }

    #[test]
    fn a_hundred_bytes_are_the_most() {
        assert!(DisplayName::parse(&"ä".repeat(50)).is_ok());
        assert_eq!(DisplayName::parse(&"ä".repeat(51)), Err(NameError::TooLong { bytes: 102 }));
        let cut = DisplayName::truncated(&format!("{}äb", "a".repeat(99))).unwrap();
        assert_eq!(cut.as_str(), "a".repeat(99));
        assert_eq!(DisplayName::truncated(" "), None);
    }

    proptest! {
        #[test]
        fn a_received_name_is_always_a_name(text: String) {
            if let Some(name) = DisplayName::truncated(&text) {
                prop_assert_eq!(DisplayName::parse(name.as_str()), Ok(name));
            }
        }
    }
}
