//! Which parts of a text are pictures.
//!
//! Decision: an emoji is a grapheme cluster, never a character: a family, a flag or a thumb with a skin tone are
//! several characters that only together are one picture. So texts are cut at clusters, and whole clusters go to the
//! emoji font.

use std::ops::Range;

use unicode_properties::{EmojiStatus, UnicodeEmoji};
use unicode_segmentation::UnicodeSegmentation;

/// A longer text is never taken for "nothing but emoji".
const LONGEST: usize = 200;

/// Splits a text where it changes between emoji and letters: ranges of bytes that cover it, and whether each is emoji.
pub fn runs(text: &str) -> Vec<(Range<usize>, bool)> {
    if text.is_ascii() {
        return vec![(0..text.len(), false)];
    }
    let mut runs: Vec<(Range<usize>, bool)> = Vec::new();
    for (start, cluster) in text.grapheme_indices(true) {
        let (emoji, end) = (is_emoji(cluster), start + cluster.len());
        match runs.last_mut() {
            Some((range, kind)) if *kind == emoji => range.end = end,
            _ => runs.push((start..end, emoji)),
        }
    }
    runs
}

/// Whether a grapheme cluster is to be drawn as a picture.
pub fn is_emoji(cluster: &str) -> bool {
    let mut chars = cluster.chars();
    let Some(first) = chars.next() else { return false };
    if first.is_ascii() && cluster.len() == 1 {
        return false;
    }
    if cluster.contains('\u{fe0e}') {
        return false; // asked for as text
    }
    if cluster.contains(['\u{fe0f}', '\u{20e3}']) {
        return true; // asked for as a picture, or a key cap
    }
    let followed = chars.next().is_some();
    match first.emoji_status() {
        EmojiStatus::EmojiPresentation
        | EmojiStatus::EmojiPresentationAndModifierBase
        | EmojiStatus::EmojiPresentationAndEmojiComponent
        | EmojiStatus::EmojiPresentationAndModifierAndEmojiComponent => true,
        EmojiStatus::EmojiModifierBase => followed,
        _ => false,
    }
}

/// Whether a text is nothing but emoji, and how many; such messages are shown large.
pub fn only_emoji(text: &str) -> Option<usize> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    text.graphemes(true).all(is_emoji).then(|| text.graphemes(true).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pictures_are_told_from_letters() {
        for cluster in ["😀", "❤\u{fe0f}", "☺\u{fe0f}", "1\u{fe0f}\u{20e3}", "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "☕", "☝🏽"]
        {
            assert!(is_emoji(cluster), "{cluster}");
        }
        for cluster in ["a", "1", "#", "→", "…", "❤\u{fe0e}", "健", "ن", "©", "☝", ""] {
            assert!(!is_emoji(cluster), "{cluster}");
        }
    }

    #[test]
    fn large_are_only_emoji_alone() {
        assert_eq!(only_emoji(" 😀👍🏽 "), Some(2));
        assert_eq!(only_emoji("🏳️‍🌈🇺🇦1️⃣"), Some(3));
        assert_eq!(only_emoji("ok 👍"), None);
        assert_eq!(only_emoji("12"), None);
        assert_eq!(only_emoji("  "), None);
    }

    proptest! {
        #[test]
        fn runs_cover_the_text(text in "[a-z 0-9😀👍🏽🇩🇪\u{fe0f}\u{200d}❤ن健]{0,24}") {
            let mut at = 0;
            for (range, _) in runs(&text) {
                prop_assert_eq!(range.start, at);
                at = range.end;
            }
            prop_assert_eq!(at, text.len());
        }
    }
}
