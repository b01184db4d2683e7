//! JSON as the command line prints it: one value is one line, for every reader of lines there is.
//!
//! JSON allows U+2028, U+2029 and U+0085 inside of a string as they are, but readers of lines take them for the end of
//! one: Python's `splitlines`, browsers, some shells. Decision: whatever ends a line somewhere, and whatever steers a
//! terminal, is written as `\uXXXX`. The value stays the same, and everything that prints JSON goes through here.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::plain::steers;

/// One value on one line, without a line break at the end.
pub fn line(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let written = value.serialize(&mut Serializer::with_formatter(&mut bytes, Escaping));
    // Our own shapes always have a JSON form; an empty object is the honest rest.
    written.ok().and_then(|()| String::from_utf8(bytes).ok()).unwrap_or_else(|| "{}".to_owned())
}

/// Compact JSON whose strings have nothing in them that ends a line or steers a terminal.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut clean = fragment;
        while let Some((at, steering)) = clean.char_indices().find(|(_, c)| steers(*c)) {
            let (before, rest) = clean.split_at(at);
            writer.write_all(before.as_bytes())?;
            for unit in steering.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            clean = rest.get(steering.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(clean.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Everything at which Python's `splitlines`, JavaScript or a terminal begins a new line.
    const BREAKS: &[char] =
        &['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];

    fn nasty() -> impl Strategy<Value = String> {
        let nasty = prop_oneof![
            prop::sample::select(BREAKS),
            prop::sample::select(
                &['"', '\\', '\0', '\u{1b}', '\u{7f}', '\u{9b}', '\u{202e}', '\u{feff}', '😀'][..]
            ),
            any::<char>(),
        ];
        prop::collection::vec(nasty, 0..40).prop_map(String::from_iter)
    }

    #[test]
    fn readers_of_lines_see_one_and_terminals_nothing_to_obey() {
        let text: String =
            BREAKS.iter().chain(&['\u{1b}', '\u{9b}', '\u{7f}', '\u{202e}', '\u{2066}']).collect();
        let line = line(&text);
        assert!(line.bytes().all(|byte| (b' '..b'\x7f').contains(&byte)), "{line}");
        assert!(line.contains("\\u2028") && line.contains("\\u0085"), "{line}");
    }

    #[test]
    fn what_people_write_stays_readable() {
        assert_eq!(line(&"é 健太 👩‍👩‍👧‍👦 مرحبا"), "\"é 健太 👩‍👩‍👧‍👦 مرحبا\"");
    }

    proptest! {
        #[test]
        fn every_value_is_one_line_and_comes_back(map in prop::collection::btree_map(nasty(), nasty(), 0..5)) {
            let line = line(&map);
            prop_assert!(!line.contains(BREAKS), "{line:?}");
            prop_assert!(!line.contains(steers), "{line:?}");
            let back: BTreeMap<String, String> = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(&back, &map);
            prop_assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), serde_json::to_value(&map).unwrap());
        }
    }
}
