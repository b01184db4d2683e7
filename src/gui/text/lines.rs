//! Lines: where a paragraph of tokens is broken, and what is left out when there is no more room.
//!
//! Decision: lines are filled in the order in which the text is read, and each is put in the order in which it is seen
//! afterwards; the other way round a text that runs to the left would be read from its last line to its first. How
//! wide a token is, the caller says: nothing here needs a font.

use std::collections::VecDeque;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::bidi::{Kind, Paragraph, Token, paragraph, to_visual_order};

/// One line, its tokens as they are seen from left to right.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// What is drawn.
    pub tokens: Vec<Token>,
    /// White space at its end, which takes no room and is not drawn.
    pub hanging: Range<usize>,
    /// Width of what is drawn, in points.
    pub width: f32,
    /// It stands at the right edge.
    pub from_right: bool,
}

/// A word of more clusters than this is measured in pieces.
const PIECE: usize = 400;

/// The sign that more follows.
pub const MORE: char = '…';

/// Breaks a text into at most `rows` lines, none wider than `widest` points (unless a single character is). `spans`
/// are the ranges of equal style that cover the text; `width` measures a token.
pub fn lines(
    text: &str,
    spans: &[Range<usize>],
    widest: f32,
    rows: usize,
    width: &mut dyn FnMut(&Token) -> f32,
) -> Vec<Line> {
    let mut breaker = Breaker { text, widest, width };
    let mut lines = Vec::new();
    let mut start = 0;
    let ends = text.match_indices('\n').map(|(at, _)| at).chain([text.len()]);
    for end in ends {
        if lines.len() == rows {
            if let Some(last) = lines.pop() {
                lines.push(breaker.with_more(last));
            }
            break;
        }
        let Paragraph { tokens, level } = paragraph(text, start..end, spans);
        start = end + 1;
        for line in breaker.fill(tokens, rows - lines.len()) {
            lines.push((line, level));
        }
    }
    lines.into_iter().map(|(line, level)| breaker.seen(line, level)).collect()
}

struct Breaker<'a> {
    text: &'a str,
    widest: f32,
    width: &'a mut dyn FnMut(&Token) -> f32,
}

impl Breaker<'_> {
    /// Fills lines with tokens; the last line allowed takes what fits of the rest.
    fn fill(&mut self, tokens: Vec<Token>, rows: usize) -> Vec<Vec<Token>> {
        let mut rest: VecDeque<Token> = tokens.into_iter().flat_map(|token| self.pieces(token)).collect();
        let (mut lines, mut line, mut used) = (Vec::new(), Vec::new(), 0.0);
        while let Some(token) = rest.pop_front() {
            let width = (self.width)(&token);
            if token.kind == Kind::Space || used + width <= self.widest {
                used += width;
                line.push(token);
                continue;
            }
            rest.push_front(token);
            if lines.len() + 1 == rows {
                line.extend(rest.drain(..));
                lines.push(self.shortened(line));
                return lines;
            }
            self.end_line(&mut line, &mut rest, used);
            lines.push(std::mem::take(&mut line));
            used = 0.0;
        }
        lines.push(line);
        lines
    }

    /// A token in pieces that are measured one by one: measuring all that is left of a word again for each of its lines
    /// would take time with the square of its length. No line has room for a whole piece.
    fn pieces(&self, token: Token) -> Vec<Token> {
        let words = self.text.get(token.range.clone()).unwrap_or_default();
        if words.len() <= PIECE || token.instead.is_some() {
            return vec![token];
        }
        let starts = words.grapheme_indices(true).map(|(at, _)| token.range.start + at).step_by(PIECE);
        let starts: Vec<usize> = starts.collect();
        let ends = starts.iter().skip(1).copied().chain([token.range.end]);
        let pieces = starts.iter().zip(ends).map(|(start, end)| {
            let last = end == token.range.end;
            Token { range: *start..end, breaks: token.breaks && last, ..token.clone() }
        });
        pieces.collect()
    }

    /// Ends a line that has no room for the next token of `rest`: at the last place where that is allowed, or, if
    /// there is none, inside a word.
    fn end_line(&mut self, line: &mut Vec<Token>, rest: &mut VecDeque<Token>, used: f32) {
        let keep = line.iter().rposition(|token| token.breaks).map_or(0, |last| last + 1);
        if line.iter().take(keep).any(|token| token.kind != Kind::Space) {
            for token in line.drain(keep..).rev() {
                rest.push_front(token);
            }
            return;
        }
        let Some(token) = rest.pop_front() else { return };
        let bare = line.is_empty();
        let room = self.widest - used;
        match self.cut(&token, room, bare) {
            Some((head, tail)) => {
                line.push(head);
                rest.push_front(tail);
            }
            None if bare => line.push(token),
            None => rest.push_front(token),
        }
    }

    /// Cuts a token so that its first part fits into `room`; with `at_least` one cluster is taken even if it does not.
    /// `None` if nothing fits, or nothing would be left.
    fn cut(&mut self, token: &Token, room: f32, at_least: bool) -> Option<(Token, Token)> {
        let words = self.text.get(token.range.clone())?;
        let ends: Vec<usize> = words
            .grapheme_indices(true)
            .map(|(at, cluster)| token.range.start + at + cluster.len())
            .collect();
        let part = |end: usize| Token { range: token.range.start..end, breaks: false, ..token.clone() };
        // The widths grow with the parts, so the longest that fits is found by halving.
        let mut fits = ends.partition_point(|end| (self.width)(&part(*end)) <= room);
        while fits > 1 && ends.get(fits - 2..fits).is_some_and(|ends| self.is_leading_vowel(ends)) {
            fits -= 1;
        }
        if fits == 0 && at_least {
            fits = 1;
        }
        let end = *ends.get(fits.checked_sub(1)?)?;
        (end < token.range.end).then(|| (part(end), Token { range: end..token.range.end, ..token.clone() }))
    }

    /// Whether the cluster between two places is a vowel of Thai or Lao that is written before its consonant.
    fn is_leading_vowel(&self, ends: &[usize]) -> bool {
        let [from, to] = ends else { return false };
        let cluster = self.text.get(*from..*to).and_then(|cluster| cluster.chars().next());
        cluster.is_some_and(|c| matches!(c, '\u{e40}'..='\u{e44}' | '\u{ec0}'..='\u{ec4}'))
    }

    /// A line that is followed by lines there is no room for.
    fn with_more(&mut self, (line, level): (Vec<Token>, u8)) -> (Vec<Token>, u8) {
        let said = line.last().is_some_and(|token| token.instead == Some(MORE));
        (if said { line } else { self.shortened(line) }, level)
    }

    /// As much of a line as fits together with the sign that more follows.
    fn shortened(&mut self, mut line: Vec<Token>) -> Vec<Token> {
        let end = line.last().map_or(0, |token| token.range.end);
        let (level, span) = line.first().map_or((0, 0), |token| (token.level, token.span));
        let mut more =
            Token { range: end..end, level, kind: Kind::Other, breaks: false, span, instead: Some(MORE) };
        let mut used: f32 = line.iter().map(|token| (self.width)(token)).sum();
        let room = self.widest - (self.width)(&more);
        while let Some(token) = line.pop() {
            used -= (self.width)(&token);
            if token.kind == Kind::Space {
                continue;
            }
            if used + (self.width)(&token) <= room {
                line.push(token);
                break;
            }
            if let Some((head, _)) = self.cut(&token, room - used, false) {
                line.push(head);
                break;
            }
        }
        if let Some(last) = line.last() {
            // It stands where the text is broken off: after the last token, in the direction that one runs.
            (more.level, more.span) = (last.level, last.span);
            more.range = last.range.end..last.range.end;
        }
        line.push(more);
        line
    }

    /// The line as it is seen.
    fn seen(&mut self, mut tokens: Vec<Token>, level: u8) -> Line {
        let drawn = tokens.iter().rposition(|token| token.kind != Kind::Space).map_or(0, |last| last + 1);
        let hanging = tokens.split_off(drawn);
        let end = tokens.last().map_or(0, |token| token.range.end);
        let hanging = match (hanging.first(), hanging.last()) {
            (Some(first), Some(last)) => first.range.start..last.range.end,
            _ => end..end,
        };
        let width = tokens.iter().map(|token| (self.width)(token)).sum();
        to_visual_order(&mut tokens, level);
        Line { tokens, hanging, width, from_right: level % 2 == 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every cluster is one point wide.
    fn count(text: &str) -> impl FnMut(&Token) -> f32 + '_ {
        move |token| match token.instead {
            Some(_) => 1.0,
            None => text[token.range.clone()].graphemes(true).count() as f32,
        }
    }

    fn broken(text: &str, widest: f32, rows: usize) -> Vec<Line> {
        let whole = 0..text.len();
        lines(text, &[whole], widest, rows, &mut count(text))
    }

    /// Lines as they are read.
    fn read(text: &str, widest: f32, rows: usize) -> Vec<String> {
        let read = |line: &Line| {
            let mut tokens = line.tokens.clone();
            tokens.sort_by_key(|token| (token.range.start, token.range.end));
            let part = |token: &Token| match token.instead {
                Some(MORE) => MORE.to_string(),
                _ => text[token.range.clone()].to_owned(),
            };
            tokens.iter().map(part).collect()
        };
        broken(text, widest, rows).iter().map(read).collect()
    }

    #[test]
    fn words_stay_whole_if_they_can() {
        assert_eq!(read("one two three", 7.0, 9), ["one two", "three"]);
        assert_eq!(read("abcdefghij kl", 4.0, 9), ["abcd", "efgh", "ij", "kl"]);
        assert_eq!(read("a\n\nb", 4.0, 9), ["a", "", "b"]);
        assert_eq!(read("", 4.0, 9), [""]);
        assert_eq!(read("a  ", 1.0, 9), ["a"]);
        assert_eq!(read("שלום עולם טוב", 9.0, 9), ["שלום עולם", "טוב"]);
        assert_eq!(read("x สวัสดีเพื่อน", 5.0, 9), ["x", "สวัสดี", "เพื่อน"]);
    }

    #[test]
    fn a_long_word_is_measured_in_proportion_to_its_length() {
        let measured = |length: usize| {
            let text = "ب".repeat(length);
            let (mut total, mut width) = (0, count(&text));
            let whole = 0..text.len();
            let found = lines(&text, &[whole], 40.0, usize::MAX, &mut |token| {
                total += token.range.len();
                width(token)
            });
            assert_eq!(found.len(), length.div_ceil(40));
            total
        };
        let (short, long) = (measured(4_000), measured(16_000));
        assert!(long < 5 * short, "{short} bytes are measured of 4,000 letters, {long} of 16,000");
    }

    #[test]
    fn what_does_not_fit_ends_in_a_sign() {
        assert_eq!(read("one two three", 8.0, 1), ["one two…"]);
        assert_eq!(read("one two three four", 9.0, 2), ["one two", "three fo…"]);
        assert_eq!(read("one\ntwo", 9.0, 1), ["one…"]);
        assert_eq!(read("abc", 3.0, 1), ["abc"]);
        assert_eq!(read("שלום עולם", 6.0, 1), ["שלום…"]);
        let line = &broken("שלום עולם", 6.0, 1)[0];
        assert_eq!(line.tokens[0].instead, Some(MORE));
        assert!(line.from_right);
    }

    proptest! {
        #[test]
        fn every_character_has_one_place_and_lines_keep_their_width(
            text in "[a-c (),.1٢אבسلกเ健😀👍🏽\u{200f}\u{202e}\u{2067}\u{2069}é\n-]{0,60}",
            widest in 1_u8..20,
        ) {
            let found = broken(&text, f32::from(widest), usize::MAX);
            let mut seen: Vec<Range<usize>> = Vec::new();
            for line in &found {
                let width: f32 = line.tokens.iter().map(count(&text)).sum();
                prop_assert!(width <= f32::from(widest));
                prop_assert_eq!(width, line.width);
                seen.extend(line.tokens.iter().map(|token| token.range.clone()));
                seen.push(line.hanging.clone());
            }
            let breaks = text.match_indices('\n').map(|(at, _)| at..at + 1);
            let mut all: Vec<Range<usize>> = seen.into_iter().chain(breaks).filter(|r| !r.is_empty()).collect();
            all.sort_by_key(|range| range.start);
            let mut at = 0;
            for range in all {
                prop_assert_eq!(range.start, at);
                at = range.end;
            }
            prop_assert_eq!(at, text.len());
        }

        #[test]
        fn rows_are_never_more_than_asked(text in "[a-c א健\n]{0,60}", widest in 2_u8..20, rows in 1_usize..4) {
            let found = broken(&text, f32::from(widest), rows);
            prop_assert!(found.len() <= rows);
            prop_assert!(found.iter().all(|line| line.width <= f32::from(widest)));
        }
    }
}
