//! From a string to glyphs: weights, colour emoji, lines that end in "…".
//!
//! Decision: everything a person or a stranger wrote goes through [`layout`], never straight into egui, so that emoji
//! are taken from their own font ([`fonts::EMOJI`]) wherever they stand.

use std::ops::Range;
use std::sync::Arc;

use egui::epaint::text::{LayoutJob, LayoutSection, TextFormat, TextWrapping};
use egui::text::ByteIndex;
use egui::{Color32, Context, FontFamily, FontId, Galley, Stroke};
use unicode_properties::{EmojiStatus, UnicodeEmoji};
use unicode_segmentation::UnicodeSegmentation;

use super::fonts;

/// How heavy the letters are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Weight {
    /// Running text.
    Regular,
    /// Names in the list.
    Medium,
    /// Names of unread conversations, authors, buttons.
    Semibold,
    /// Titles.
    Bold,
    /// Ids and keys: every character equally wide.
    Mono,
}

impl Weight {
    fn family(self) -> FontFamily {
        match self {
            Self::Regular => FontFamily::Proportional,
            Self::Medium => FontFamily::Name("Inter Medium".into()),
            Self::Semibold => FontFamily::Name("Inter SemiBold".into()),
            Self::Bold => FontFamily::Name("Inter Bold".into()),
            Self::Mono => FontFamily::Monospace,
        }
    }
}

/// How a text looks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Style {
    /// Size in points.
    pub size: f32,
    /// Height of a line in points.
    pub line: f32,
    /// Weight.
    pub weight: Weight,
    /// Colour.
    pub color: Color32,
    /// With a line under it.
    pub underline: bool,
}

impl Style {
    /// A style of regular weight, its lines spaced for reading.
    pub fn new(size: f32, color: Color32) -> Self {
        Self { size, line: (size * 1.43).round(), weight: Weight::Regular, color, underline: false }
    }

    /// The same with another weight.
    pub fn weight(self, weight: Weight) -> Self {
        Self { weight, ..self }
    }

    /// The same with another line height.
    pub fn line(self, line: f32) -> Self {
        Self { line, ..self }
    }

    /// The same in another colour.
    pub fn color(self, color: Color32) -> Self {
        Self { color, ..self }
    }

    fn format(self, family: FontFamily) -> TextFormat {
        TextFormat {
            font_id: FontId::new(self.size, family),
            color: self.color,
            line_height: Some(self.line),
            underline: if self.underline { Stroke::new(1.0, self.color) } else { Stroke::NONE },
            ..TextFormat::default()
        }
    }
}

/// How long a text may get.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Wrap {
    /// One line, cut with "…" at this width.
    Line(f32),
    /// As many lines as it needs, none wider than this.
    Lines(f32),
    /// At most so many lines of this width, then "…".
    AtMost(usize, f32),
    /// One line of any width.
    None,
}

impl Wrap {
    fn wrapping(self) -> TextWrapping {
        match self {
            Self::Line(max_width) => {
                TextWrapping { max_width, max_rows: 1, break_anywhere: true, overflow_character: Some('…') }
            }
            Self::Lines(max_width) => TextWrapping { max_width, ..TextWrapping::default() },
            Self::AtMost(max_rows, max_width) => {
                TextWrapping {
                    max_width, max_rows, overflow_character: Some('…'), ..TextWrapping::default()
                }
            }
            Self::None => TextWrapping::no_max_width(),
        }
    }
}

/// A text of one style, ready to be painted.
pub fn layout(ctx: &Context, text: &str, style: Style, wrap: Wrap) -> Arc<Galley> {
    layout_spans(ctx, &[(text, style)], wrap)
}

/// A text of several styles in a row, ready to be painted.
pub fn layout_spans(ctx: &Context, spans: &[(&str, Style)], wrap: Wrap) -> Arc<Galley> {
    let one_line = matches!(wrap, Wrap::Line(_));
    let mut job = LayoutJob { wrap: wrap.wrapping(), ..LayoutJob::default() };
    for (text, style) in spans {
        if one_line && text.contains(['\n', '\r']) {
            push(&mut job, &text.replace(['\n', '\r'], " "), *style);
        } else {
            push(&mut job, text, *style);
        }
    }
    ctx.fonts_mut(|fonts| fonts.layout_job(job))
}

/// The same for a text that is being edited: characters stay where they are, so the cursor's arithmetic holds.
pub fn layout_editable(ctx: &Context, text: &str, style: Style, width: f32) -> Arc<Galley> {
    let mut job = LayoutJob {
        wrap: TextWrapping { max_width: width, ..TextWrapping::default() },
        keep_trailing_whitespace: true,
        ..LayoutJob::default()
    };
    push(&mut job, text, style);
    ctx.fonts_mut(|fonts| fonts.layout_job(job))
}

/// Appends a text, emoji in their own font.
fn push(job: &mut LayoutJob, text: &str, style: Style) {
    let start = job.text.len();
    job.text.push_str(text);
    for (range, emoji) in runs(text) {
        let family = if emoji { FontFamily::Name(fonts::EMOJI.into()) } else { style.weight.family() };
        job.sections.push(LayoutSection {
            leading_space: 0.0,
            byte_range: ByteIndex(start + range.start)..ByteIndex(start + range.end),
            format: style.format(family),
        });
    }
}

/// Splits a text where it changes between emoji and letters.
fn runs(text: &str) -> Vec<(Range<usize>, bool)> {
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
    if runs.is_empty() {
        runs.push((0..0, false));
    }
    runs
}

/// Whether a grapheme cluster is to be drawn as a picture.
pub fn is_emoji(cluster: &str) -> bool {
    if cluster.contains('\u{fe0e}') {
        return false;
    }
    if cluster.contains(['\u{fe0f}', '\u{20e3}']) {
        return true;
    }
    let mut chars = cluster.chars();
    let Some(first) = chars.next() else { return false };
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
    if text.is_empty() || text.len() > 200 {
        return None;
    }
    text.graphemes(true).all(is_emoji).then(|| text.graphemes(true).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_from_letters() {
        for cluster in ["😀", "❤\u{fe0f}", "☺\u{fe0f}", "1\u{fe0f}\u{20e3}", "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "☕", "☝🏽"]
        {
            assert!(is_emoji(cluster), "{cluster}");
        }
        for cluster in ["a", "1", "#", "→", "…", "❤\u{fe0e}", "健", "ن", "©", "☝"] {
            assert!(!is_emoji(cluster), "{cluster}");
        }
    }

    #[test]
    fn runs_cover_the_text() {
        assert_eq!(runs("lake 🌊!"), vec![(0..5, false), (5..9, true), (9..10, false)]);
        assert_eq!(runs(""), vec![(0..0, false)]);
        assert_eq!(only_emoji(" 😀👍🏽 "), Some(2));
        assert_eq!(only_emoji("ok 👍"), None);
    }
}
