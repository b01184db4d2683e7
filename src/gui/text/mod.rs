//! From a string to glyphs: weights, colour emoji, both directions of writing, lines that end in "…".
//!
//! Decision: everything a person or a stranger wrote goes through [`layout`], never straight into egui, so that emoji
//! are taken from their own font ([`fonts::EMOJI`](super::fonts::EMOJI)) wherever they stand, and Arabic and Hebrew
//! are read from the right. Most texts need neither; they take the short way, where egui breaks the lines.

pub mod bidi;
pub mod cache;
pub mod emoji;
pub mod emoji_names;
pub mod lines;
pub mod links;
mod shape;

use std::sync::Arc;

use egui::epaint::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Color32, Context, FontFamily, FontId, Galley, Rect, Stroke};

pub use emoji::{is_emoji, only_emoji};

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
    /// On a ground of this colour.
    pub ground: Option<Color32>,
}

impl Style {
    /// A style of regular weight, its lines spaced for reading.
    pub fn new(size: f32, color: Color32) -> Self {
        Self {
            size,
            line: (size * 1.43).round(),
            weight: Weight::Regular,
            color,
            underline: false,
            ground: None,
        }
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

    /// The same on a ground.
    pub fn ground(self, ground: Color32) -> Self {
        Self { ground: Some(ground), ..self }
    }

    fn format(self, family: FontFamily) -> TextFormat {
        TextFormat {
            font_id: FontId::new(self.size, family),
            color: self.color,
            line_height: Some(self.line),
            background: self.ground.unwrap_or(Color32::TRANSPARENT),
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
    /// The most lines there may be, and the width of each.
    fn limits(self) -> (usize, f32) {
        match self {
            Self::Line(width) => (1, width),
            Self::Lines(width) => (usize::MAX, width),
            Self::AtMost(rows, width) => (rows, width),
            Self::None => (usize::MAX, f32::INFINITY),
        }
    }

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

/// A part of a text.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Span<'a> {
    /// The words.
    pub text: &'a str,
    /// How they look.
    pub style: Style,
    /// Where they stand is wanted.
    pub marked: bool,
}

/// A text of several parts, ready to be painted.
#[derive(Clone)]
pub struct Laid {
    /// What to paint.
    pub galley: Arc<Galley>,
    /// Where marked spans stand, relative to the galley: the place of each in the list of spans, with one rectangle
    /// for every line it touches.
    pub marks: Vec<(usize, Rect)>,
}

impl Laid {
    /// The marked span under a point, which is relative to the galley.
    pub fn mark_at(&self, point: egui::Pos2) -> Option<usize> {
        self.marks.iter().find(|(_, rect)| rect.contains(point)).map(|(span, _)| *span)
    }
}

/// A text of one style, ready to be painted.
pub fn layout(ctx: &Context, text: &str, style: Style, wrap: Wrap) -> Arc<Galley> {
    layout_spans(ctx, &[(text, style)], wrap)
}

/// A text of several styles in a row, ready to be painted.
pub fn layout_spans(ctx: &Context, spans: &[(&str, Style)], wrap: Wrap) -> Arc<Galley> {
    let spans: Vec<Span<'_>> =
        spans.iter().map(|&(text, style)| Span { text, style, marked: false }).collect();
    layout_rich(ctx, &spans, wrap).galley
}

/// A text of several styles in a row, ready to be painted, with the places of the marked ones.
pub fn layout_rich(ctx: &Context, spans: &[Span<'_>], wrap: Wrap) -> Laid {
    let mut text = String::with_capacity(spans.iter().map(|span| span.text.len()).sum());
    let mut ranges = Vec::with_capacity(spans.len());
    for span in spans {
        let start = text.len();
        text.push_str(span.text);
        ranges.push(start..text.len());
    }
    if matches!(wrap, Wrap::Line(_)) && text.contains(['\n', '\r']) {
        text = text.replace(['\n', '\r'], " ");
    }
    if bidi::is_complex(&text) {
        shape::complex(ctx, &text, spans, &ranges, wrap)
    } else {
        shape::simple(ctx, text, spans, &ranges, wrap)
    }
}

/// Where a text of several lines that is being edited begins: at the right if its first letter with a direction runs
/// to the left.
pub fn edit_align(text: &str) -> egui::Align2 {
    if bidi::runs_left(text) { egui::Align2::RIGHT_TOP } else { egui::Align2::LEFT_TOP }
}

/// A text that is being edited: characters stay where they are, so the cursor's arithmetic holds. Emoji are in colour;
/// words that run to the left are right in themselves, but stand in the order in which they were typed, from the right
/// if the text begins so (see [`edit_align`]).
pub fn layout_editable(ctx: &Context, text: &str, style: Style, width: f32) -> Arc<Galley> {
    layout_editable_with(ctx, text, style, &[], style, width)
}

/// The same with some ranges, in characters and in their order, in a style of their own.
pub fn layout_editable_with(
    ctx: &Context,
    text: &str,
    style: Style,
    ranges: &[std::ops::Range<usize>],
    lit: Style,
    width: f32,
) -> Arc<Galley> {
    let mut job = LayoutJob {
        wrap: TextWrapping { max_width: width, ..TextWrapping::default() },
        keep_trailing_whitespace: true,
        halign: if width.is_finite() { edit_align(text).x() } else { egui::Align::LEFT },
        ..LayoutJob::default()
    };
    let byte = |at: usize| text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte);
    let mut at = 0;
    for range in ranges {
        let (from, to) = (byte(range.start), byte(range.end));
        shape::push(&mut job, text.get(at..from).unwrap_or_default(), style);
        shape::push(&mut job, text.get(from..to).unwrap_or_default(), lit);
        at = to;
    }
    shape::push(&mut job, text.get(at..).unwrap_or_default(), style);
    ctx.fonts_mut(|fonts| fonts.layout_job(job))
}
