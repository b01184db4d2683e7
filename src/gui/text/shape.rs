//! Lines of tokens turned into what egui paints.
//!
//! Two traps that this code is shaped by: egui shapes per section, and a section takes its direction from its first
//! letter, so each token must be a section of its own; and `LayoutJob::append` joins sections of equal format, so
//! sections are pushed by hand.

use std::collections::HashMap;
use std::ops::Range;

use egui::epaint::text::{LayoutJob, LayoutSection, TextFormat, TextWrapping};
use egui::text::ByteIndex;
use egui::{Context, FontFamily, Galley, Rect, pos2};

use super::super::fonts;
use super::bidi::{Kind, Token};
use super::lines::{Line, lines};
use super::{Laid, Span, Style, Wrap, emoji};

/// Lays out a text that runs to the right; egui breaks the lines.
pub fn simple(ctx: &Context, text: String, spans: &[Span<'_>], ranges: &[Range<usize>], wrap: Wrap) -> Laid {
    let mut job = LayoutJob { wrap: wrap.wrapping(), ..LayoutJob::default() };
    for (span, range) in spans.iter().zip(ranges) {
        push(&mut job, text.get(range.clone()).unwrap_or_default(), span.style);
    }
    let galley = ctx.fonts_mut(|fonts| fonts.layout_job(job));
    let marks = if spans.iter().any(|span| span.marked) {
        simple_marks(&galley, &text, spans, ranges)
    } else {
        Vec::new()
    };
    Laid { galley, marks }
}

/// Where marked spans stand. In text that runs to the right there is one glyph for every character.
fn simple_marks(
    galley: &Galley,
    text: &str,
    spans: &[Span<'_>],
    ranges: &[Range<usize>],
) -> Vec<(usize, Rect)> {
    let chars = |end: usize| text.get(..end).map_or(0, |text| text.chars().count());
    let mut marks = Vec::new();
    for (index, (_, range)) in spans.iter().zip(ranges).enumerate().filter(|(_, (span, _))| span.marked) {
        let (from, to) = (chars(range.start), chars(range.end));
        let mut first = 0;
        for row in &galley.rows {
            let count = row.glyphs.len();
            let glyphs =
                row.glyphs.iter().skip(from.saturating_sub(first)).take(to.saturating_sub(first.max(from)));
            let x = glyphs.fold(None, |x: Option<(f32, f32)>, glyph| {
                Some((x.map_or(glyph.pos.x, |(left, _)| left), glyph.max_x()))
            });
            if let Some((left, right)) = x {
                let rect = Rect::from_min_max(pos2(left, 0.0), pos2(right, row.size.y));
                marks.push((index, rect.translate(row.pos.to_vec2())));
            }
            first += count + usize::from(row.ends_with_newline);
        }
    }
    marks
}

/// Lays out a text that may run in both directions; we break the lines.
pub fn complex(ctx: &Context, text: &str, spans: &[Span<'_>], ranges: &[Range<usize>], wrap: Wrap) -> Laid {
    let (rows, widest) = wrap.limits();
    let mut ruler = Ruler { ctx, text, spans, known: HashMap::new() };
    let found = lines(text, ranges, widest, rows, &mut |token| ruler.width(token));
    let block = found.iter().map(|line| line.width).fold(0.0, f32::max);
    let mut job = LayoutJob { wrap: TextWrapping::no_max_width(), ..LayoutJob::default() };
    let mut places = Vec::new();
    for (row, line) in found.iter().enumerate() {
        let indent = if line.from_right { (block - line.width).max(0.0) } else { 0.0 };
        ruler.write(&mut job, line, indent, row + 1 == found.len());
        ruler.mark(&mut places, line, indent, row);
    }
    let galley = ctx.fonts_mut(|fonts| fonts.layout_job(job));
    let marks = places
        .into_iter()
        .filter_map(|(span, row, x)| {
            let row = galley.rows.get(row)?;
            let y = row.pos.y..=row.pos.y + row.size.y;
            Some((span, Rect::from_x_y_ranges(x.start..=x.end, y)))
        })
        .collect();
    Laid { galley, marks }
}

/// Measures tokens and writes them down.
struct Ruler<'a> {
    ctx: &'a Context,
    text: &'a str,
    spans: &'a [Span<'a>],
    /// Words recur, above all the space between them.
    known: HashMap<(usize, &'a str), f32>,
}

impl<'a> Ruler<'a> {
    fn words(&self, token: &Token) -> &'a str {
        self.text.get(token.range.clone()).unwrap_or_default()
    }

    fn style(&self, token: &Token) -> Option<Style> {
        self.spans.get(token.span).or(self.spans.last()).map(|span| span.style)
    }

    fn width(&mut self, token: &Token) -> f32 {
        let words = self.words(token);
        let plain = token.instead.is_none();
        if plain && let Some(width) = self.known.get(&(token.span, words)) {
            return *width;
        }
        let mut job = LayoutJob { wrap: TextWrapping::no_max_width(), ..LayoutJob::default() };
        self.push(&mut job, token, 0.0);
        let galley = self.ctx.fonts_mut(|fonts| fonts.layout_job(job));
        let width = galley.rows.iter().map(|row| row.size.x).fold(0.0, f32::max);
        if plain {
            self.known.insert((token.span, words), width);
        }
        width
    }

    /// Appends a line, ended with a line break unless it is the last.
    fn write(&self, job: &mut LayoutJob, line: &Line, indent: f32, last: bool) {
        let mut indent = indent;
        for token in &line.tokens {
            self.push(job, token, std::mem::take(&mut indent));
        }
        if last && !line.tokens.is_empty() {
            return;
        }
        let start = job.text.len();
        if !last {
            job.text.push('\n');
        }
        match job.sections.last_mut().filter(|_| !line.tokens.is_empty()) {
            Some(section) => section.byte_range.end = ByteIndex(job.text.len()),
            None => {
                let at = Token {
                    range: line.hanging.clone(),
                    level: 0,
                    kind: Kind::Space,
                    breaks: false,
                    span: self.span_at(line.hanging.start),
                    instead: None,
                };
                if let Some(style) = self.style(&at) {
                    job.sections.push(section(
                        start..job.text.len(),
                        style.format(style.weight.family()),
                        0.0,
                    ));
                }
            }
        }
    }

    fn span_at(&self, byte: usize) -> usize {
        let mut end = 0;
        let found = self.spans.iter().position(|span| {
            end += span.text.len();
            byte < end
        });
        found.unwrap_or(self.spans.len().saturating_sub(1))
    }

    fn push(&self, job: &mut LayoutJob, token: &Token, leading_space: f32) {
        let Some(style) = self.style(token) else { return };
        let start = job.text.len();
        match token.instead {
            Some(c) => job.text.push(c),
            None => job.text.push_str(self.words(token)),
        }
        let family = if token.kind == Kind::Emoji { emoji_family() } else { style.weight.family() };
        job.sections.push(section(start..job.text.len(), style.format(family), leading_space));
    }

    /// Notes where the marked tokens of a line stand: span, row, from left to right.
    fn mark(&mut self, places: &mut Vec<(usize, usize, Range<f32>)>, line: &Line, indent: f32, row: usize) {
        let mut x = indent;
        for token in &line.tokens {
            let width = self.width(token);
            if self.spans.get(token.span).is_some_and(|span| span.marked) {
                match places.last_mut() {
                    Some((span, at, place))
                        if (*span, *at) == (token.span, row) && (place.end - x).abs() < 0.01 =>
                    {
                        place.end = x + width;
                    }
                    _ => places.push((token.span, row, x..x + width)),
                }
            }
            x += width;
        }
    }
}

/// Appends a text that runs to the right, emoji in their own font.
pub fn push(job: &mut LayoutJob, text: &str, style: Style) {
    let start = job.text.len();
    job.text.push_str(text);
    for (range, picture) in emoji::runs(text) {
        let family = if picture { emoji_family() } else { style.weight.family() };
        job.sections.push(section(start + range.start..start + range.end, style.format(family), 0.0));
    }
    if job.sections.is_empty() {
        job.sections.push(section(start..start, style.format(style.weight.family()), 0.0));
    }
}

fn emoji_family() -> FontFamily {
    FontFamily::Name(fonts::EMOJI.into())
}

fn section(range: Range<usize>, format: TextFormat, leading_space: f32) -> LayoutSection {
    LayoutSection { leading_space, byte_range: ByteIndex(range.start)..ByteIndex(range.end), format }
}

#[cfg(test)]
mod tests {
    use super::super::bidi::mirror;
    use super::super::layout_rich;
    use super::*;
    use egui::epaint::text::{FontInsert, FontPriority, InsertFontFamily};
    use egui::{Color32, FontData, RawInput};
    use proptest::prelude::*;

    const ARABIC: &[u8] = include_bytes!("../../../tests/window/fonts/Arabic.ttf");

    /// Does something with fonts for Latin and Arabic.
    fn with_fonts(f: impl Fn(&Context)) {
        let ctx = Context::default();
        ctx.set_fonts(fonts::definitions());
        let lowest = InsertFontFamily { family: FontFamily::Proportional, priority: FontPriority::Lowest };
        ctx.add_font(FontInsert::new("Arabic", FontData::from_static(ARABIC), vec![lowest]));
        for _ in 0..2 {
            ctx.run_ui(RawInput::default(), |ui| f(ui.ctx())).textures_delta.clear();
        }
    }

    fn span(text: &str, marked: bool) -> Span<'_> {
        Span { text, style: Style::new(14.0, Color32::WHITE).line(20.0), marked }
    }

    /// What is to be seen of a text, whatever the order, brackets the same in both directions.
    fn visible(text: &str) -> Vec<char> {
        let same = |c: char| mirror(c).map_or(c, |other| c.min(other));
        let mut chars: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).map(same).collect();
        chars.sort_unstable();
        chars
    }

    #[test]
    fn a_link_in_arabic_stands_left_of_what_is_read_before_it() {
        with_fonts(|ctx| {
            let before = "سأرسل لك ";
            let link = "https://a.example";
            let laid =
                layout_rich(ctx, &[span(before, false), span(link, true), span(" مساءً", false)], Wrap::None);
            let [(1, place)] = laid.marks.as_slice() else { panic!("{:?}", laid.marks) };
            let all = laid.galley.rect;
            let read_before = layout_rich(ctx, &[span(before, false)], Wrap::None).galley.rect.width();
            assert!((all.right() - place.right() - read_before).abs() < 6.0, "{place:?} in {all:?}");
            assert!(place.left() > 10.0);
            assert_eq!(laid.mark_at(place.center()), Some(1));
            assert_eq!(laid.mark_at(pos2(1.0, 10.0)), None);
        });
    }

    #[test]
    fn a_link_over_two_lines_has_two_rectangles() {
        with_fonts(|ctx| {
            let spans =
                [span("at ", false), span("https://a.example/with-a-long-path", true), span(" now", false)];
            let laid = layout_rich(ctx, &spans, Wrap::Lines(140.0));
            assert!(laid.marks.len() >= 2, "{:?}", laid.marks);
            assert!(laid.marks.windows(2).all(|pair| pair[0].1.bottom() <= pair[1].1.top() + 0.1));
        });
    }

    #[test]
    fn lines_that_run_to_the_left_end_at_the_right_edge() {
        with_fonts(|ctx| {
            let text = "سأرسل لك الصور مساءً سأرسل لك الصور";
            let galley = layout_rich(ctx, &[span(text, false)], Wrap::Lines(120.0)).galley;
            assert!(galley.rows.len() > 1);
            let right = |row: &egui::epaint::text::PlacedRow| row.pos.x + row.size.x;
            assert!(galley.rows.iter().all(|row| (right(row) - galley.rect.right()).abs() < 1.0));
        });
    }

    #[test]
    fn what_is_cut_off_ends_at_the_left() {
        with_fonts(|ctx| {
            let galley = layout_rich(ctx, &[span("سأرسل لك الصور مساءً", false)], Wrap::Line(60.0)).galley;
            assert!(galley.text().starts_with('…'), "{}", galley.text());
            assert!(galley.rect.width() <= 60.5);
        });
    }

    /// The longest texts there can be, of what is hardest to break: words without an end, letters under towers of
    /// accents, and a turn of the direction at every letter.
    #[test]
    fn texts_without_places_to_break_keep_their_width() {
        let tower = format!("e{}", "\u{301}".repeat(2_000));
        let word = "a".repeat(10_000);
        let arabic = "س".repeat(10_000);
        let turns = "\u{202e}a\u{202d}س".repeat(2_500);
        with_fonts(|ctx| {
            for text in [&tower, &format!("{arabic} {tower}"), &word, &arabic, &turns] {
                let galley = layout_rich(ctx, &[span(text, false)], Wrap::Lines(300.0)).galley;
                assert!(galley.rect.width() <= 301.0, "{} {:?}", galley.rect.width(), text.chars().next());
                assert_eq!(galley.text().matches('\u{301}').count(), text.matches('\u{301}').count());
                let few = layout_rich(ctx, &[span(text, false)], Wrap::AtMost(2, 300.0)).galley;
                assert!(few.rows.len() <= 2);
            }
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn nothing_is_lost_and_widths_are_kept(
            before in "[a-c (),.1٢سلمأ😀\n\u{200f}é-]{0,30}",
            link in "[a-z./]{0,12}",
            after in "[سلمأ (),.٢a\n]{0,30}",
            width in 40.0_f32..300.0,
        ) {
            let text = format!("{before}{link}{after}");
            with_fonts(|ctx| {
                let spans = [span(&before, false), span(&link, true), span(&after, false)];
                let laid = layout_rich(ctx, &spans, Wrap::Lines(width));
                assert_eq!(visible(laid.galley.text()), visible(&text));
                assert!(laid.galley.rect.width() <= width + 1.0, "{} > {width}", laid.galley.rect.width());
                for (index, place) in &laid.marks {
                    assert_eq!(*index, 1);
                    assert!(laid.galley.rect.expand(1.0).contains_rect(*place));
                }
                for rows in [1, 2] {
                    let few = layout_rich(ctx, &spans, Wrap::AtMost(rows, width)).galley;
                    assert!(few.rows.len() <= rows && few.rect.width() <= width + 1.0);
                }
                layout_rich(ctx, &spans, Wrap::Line(width));
            });
        }
    }
}
