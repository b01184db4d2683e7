//! What others wrote, as a terminal may show it.
//!
//! A name or a text is anybody's to choose, and a terminal obeys what it is sent: escape sequences colour and move,
//! direction characters turn lines round, a line break followed by a well chosen text looks like a message that nobody
//! wrote. Decision: characters that steer are shown as what they are (`\u{202e}`), lines after the first are indented, and
//! blanks that could push a text into the terminal's next line are shortened. Who needs the text itself asks for JSON.

/// In front of every line of a text but its first.
const INDENT: &str = "    ";
/// So many blanks may follow each other.
const MOST_BLANKS: usize = 8;

/// Whether a character does something to a terminal, to the direction of writing or to where lines end, rather than
/// being seen.
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || c == '\u{feff}'
}

/// A text on one line: names, and texts in lists.
pub fn line(text: &str) -> String {
    let lines: Vec<_> = lines(text).into_iter().filter(|line| !line.trim().is_empty()).collect();
    shown(&lines.join(" ").replace('\t', " "))
}

/// A text of several lines, those after the first indented.
pub fn paragraphs(text: &str) -> String {
    let lines: Vec<_> = lines(text).into_iter().map(|line| shown(line).trim_end().to_owned()).collect();
    lines.join(&format!("\n{INDENT}"))
}

/// The lines of a text, by anybody's idea of what ends one.
fn lines(text: &str) -> Vec<&str> {
    let text = text.trim_end_matches(ends_line);
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some((at, end)) = rest.char_indices().find(|(_, c)| ends_line(*c)) {
        let (line, after) = rest.split_at(at);
        lines.push(line);
        rest = after.strip_prefix("\r\n").or_else(|| after.strip_prefix(end)).unwrap_or_default();
    }
    lines.push(rest);
    lines
}

fn ends_line(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Looks like nothing: white space, and letters without a shape.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}')
}

/// One line with everything that steers written out, and without long stretches of nothing.
fn shown(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut blanks = 0;
    for c in line.chars() {
        blanks = if is_blank(c) { blanks + 1 } else { 0 };
        match c {
            _ if blanks > MOST_BLANKS => {}
            '\t' => out.push(c),
            c if steers(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_cannot_steer_the_terminal() {
        assert_eq!(paragraphs("a\u{1b}[31mb\u{9b}c"), "a\\u{1b}[31mb\\u{9b}c");
        assert_eq!(line("\u{202e}gpj.exe"), "\\u{202e}gpj.exe");
        assert_eq!(line("Zoë 👩‍👩‍👧‍👦 健太"), "Zoë 👩‍👩‍👧‍👦 健太");
    }

    #[test]
    fn no_text_makes_a_line_of_its_own() {
        assert_eq!(paragraphs("yes\r\n18  Bob: no\n"), "yes\n    18  Bob: no");
        assert_eq!(line("Eve\n18  Bob"), "Eve 18  Bob");
        for end in ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}", "\u{b}", "\u{c}", "\u{1e}"] {
            assert_eq!(paragraphs(&format!("a{end}b")), "a\n    b", "{end:?}");
            assert_eq!(line(&format!("a{end}b")), "a b", "{end:?}");
        }
        let pushed = paragraphs(&format!("hi{}18  Bob: no", "\u{2800}".repeat(90)));
        assert_eq!(pushed, format!("hi{}18  Bob: no", "\u{2800}".repeat(MOST_BLANKS)));
    }

    proptest! {
        #[test]
        fn nothing_that_steers_is_left(text in "\\PC{0,20}[\\x00-\\x20\\x7f-\\x9f\u{2028}-\u{202e}]{0,9}\\PC{0,20}") {
            let one = line(&text);
            prop_assert!(!one.contains(steers), "{one:?}");
            let many = paragraphs(&text);
            for (at, line) in many.split('\n').enumerate() {
                prop_assert!(!line.replace('\t', "").contains(steers), "{line:?}");
                prop_assert!(at == 0 || line.is_empty() || line.starts_with(INDENT) || line.trim().is_empty(), "{line:?}");
            }
        }
    }
}
