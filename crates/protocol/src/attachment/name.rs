//! File names from strangers (spec 04 §11).
//!
//! A received name is a claim, and can be a trap: `../../.profile`, `invoice\u{202e}fdp.exe`, `CON`, three hundred
//! characters. It is shown, and proposed when the file is saved, only after it went through [`displayed`] or
//! [`for_saving`]. What we keep of a file ourselves never bears its name.

/// The longest name we save under, in bytes: file systems take 255; the rest is for a number such as ` (2)`.
const MAX_BYTES: usize = 240;
/// An ending longer than this is not one.
const MAX_EXTENSION_BYTES: usize = 16;
/// Stands where a character was that would turn the direction of writing.
const REPLACEMENT: char = '\u{fffd}';
/// Names that Windows takes for devices, whatever their ending.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// A received name as it can be shown: its last path component on one line, without control characters, and with
/// U+FFFD in place of changes of direction, which make `gpj.exe` look like `exe.jpg`. May be empty.
pub fn displayed(received: &str) -> String {
    let base = received.rsplit(['/', '\\']).next().unwrap_or_default();
    base.chars()
        .filter(|c| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}'))
        .map(|c| if turns_direction(c) { REPLACEMENT } else { c })
        .collect::<String>()
        .trim()
        .to_owned()
}

/// A received name made fit for saving on any system: additionally without `: < > " | ? *`, no name of a device, not
/// `.` or `..`, no dot or space at its end, at most 240 bytes with its ending kept. `None` if nothing is left; then
/// use [`made_up`].
pub fn for_saving(received: &str) -> Option<String> {
    let name: String = displayed(received)
        .chars()
        .filter(|c| *c != ':')
        .map(|c| if matches!(c, '<' | '>' | '"' | '|' | '?' | '*') { '_' } else { c })
        .collect();
    let name = name.trim_start().trim_end_matches(is_dot_or_space);
    if name.chars().all(|c| c == '.' || c == REPLACEMENT) {
        return None;
    }
    Some(if is_device(name) { shortened(&format!("_{name}")) } else { shortened(name) })
}

/// A name for a file without one: `session-attachment-STAMP_NNN.ext`. `stamp` is the local time of the message, as
/// `YYYY-MM-DD-HHmmss`; `place` is that of the file in its message, the first is 1, and 0 if it is the only one and
/// needs none; the ending follows from the MIME type.
pub fn made_up(content_type: &str, stamp: &str, place: usize) -> String {
    let place = if place == 0 { String::new() } else { format!("_{place:03}") };
    match super::mime::extension(content_type) {
        Some(extension) => format!("session-attachment-{stamp}{place}.{extension}"),
        None => format!("session-attachment-{stamp}{place}"),
    }
}

/// The name under which we send a file of ours: the last component of its path, without control characters; cut
/// like a saved one. Direction marks stay: the name is the user's own, and receivers take care of themselves.
pub fn for_sending(path: &str) -> String {
    let base = path.rsplit(['/', '\\']).next().unwrap_or_default();
    shortened(base.chars().filter(|c| !c.is_control()).collect::<String>().trim())
}

/// Characters that change the direction of writing.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// What Windows silently drops from the end of a name.
fn is_dot_or_space(c: char) -> bool {
    c == '.' || c.is_whitespace()
}

/// The name cut to [`MAX_BYTES`], between characters, with its ending kept.
fn shortened(name: &str) -> String {
    if name.len() <= MAX_BYTES {
        return name.to_owned();
    }
    let extension = match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= MAX_EXTENSION_BYTES => {
            name.get(dot..).unwrap_or_default()
        }
        _ => "",
    };
    let stem_end = name.floor_char_boundary(MAX_BYTES - extension.len());
    let stem = name.get(..stem_end).unwrap_or_default().trim_end_matches(is_dot_or_space);
    format!("{stem}{extension}")
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix).is_some_and(|rest| {
            let mut rest = rest.chars();
            matches!((rest.next(), rest.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
        })
    };
    DEVICES.contains(&stem.as_str()) || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn traps_are_taken_out() {
        for (received, saved) in [
            ("holiday.jpg", Some("holiday.jpg")),
            ("../../etc/passwd", Some("passwd")),
            ("..\\..\\Windows\\win.ini", Some("win.ini")),
            ("/", None),
            ("..", None),
            (" . ", None),
            ("", None),
            ("\0\n\t", None),
            ("a\0b\r\n.txt", Some("ab.txt")),
            ("C:file:stream.txt", Some("Cfilestream.txt")),
            ("invoice\u{202e}fdp.exe", Some("invoice\u{fffd}fdp.exe")),
            ("\u{2066}\u{200f}", None),
            ("what? <a|b> \"c\"*.txt", Some("what_ _a_b_ _c__.txt")),
            ("trailing. . ", Some("trailing")),
            ("CON", Some("_CON")),
            ("nul.txt", Some("_nul.txt")),
            ("Com1 .log", Some("_Com1 .log")),
            ("console.txt", Some("console.txt")),
            (".bashrc", Some(".bashrc")),
            ("日本語.png", Some("日本語.png")),
        ] {
            assert_eq!(for_saving(received).as_deref(), saved, "{received:?}");
        }
        assert_eq!(displayed("a/b\u{202e}c\nd"), "b\u{fffd}cd");
    }

    #[test]
    fn long_names_keep_their_ending() {
        let long = format!("{}.tar", "x".repeat(300));
        let saved = for_saving(&long).unwrap();
        assert_eq!(saved.len(), MAX_BYTES);
        assert!(saved.ends_with("x.tar"));
        let wide = for_saving(&format!("{}.jpeg", "é".repeat(300))).unwrap();
        assert!(wide.len() <= MAX_BYTES && wide.ends_with("é.jpeg"));
        let endless = for_saving(&format!("a.{}", "b".repeat(300))).unwrap();
        assert_eq!(endless.len(), MAX_BYTES);
    }

    #[test]
    fn names_are_made_up_from_the_type() {
        let stamp = "2026-11-22-101500";
        assert_eq!(made_up("image/jpeg", stamp, 0), "session-attachment-2026-11-22-101500.jpg");
        assert_eq!(made_up("video/quicktime", stamp, 3), "session-attachment-2026-11-22-101500_003.mov");
        assert_eq!(made_up("", stamp, 12), "session-attachment-2026-11-22-101500_012");
        assert_eq!(for_sending("/folder/a/Ünterlagen\n.pdf"), "Ünterlagen.pdf");
    }

    proptest! {
        #[test]
        fn a_saved_name_is_one_harmless_component(received in ".*", path in "[./\\\\: a-cé\u{202e}]*") {
            for name in [&received, &path, &received.repeat(40)].into_iter().filter_map(|name| for_saving(name)) {
                let harmful = ['/', '\\', '\0', ':', '\u{202e}'];
                prop_assert!(!name.is_empty() && name.len() <= MAX_BYTES);
                prop_assert!(name != "." && name != ".." && !name.ends_with(['.', ' ']));
                prop_assert!(!name.contains(harmful));
                prop_assert_eq!(for_saving(&name), Some(name));
            }
        }
    }
}
