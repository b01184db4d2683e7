//! Text that runs in two directions: what to draw as one piece, and in which order.
//!
//! The library that draws shapes a piece of one script rightly, letters of Arabic joined and running to the left, but
//! it puts pieces side by side from left to right, whatever they are. So a paragraph is cut into *tokens* that each
//! run in one direction; the Unicode bidirectional algorithm says how deep each is nested; and the tokens of a line
//! are put in the order in which they are seen.
//!
//! Decisions:
//! - In text that runs to the left a token is a stretch of letters with their marks; everything else stands alone, and
//!   brackets are mirrored. In text that runs to the right a token is all between two places where a line may end.
//! - Tokens keep their letters in order. A character that overrides directions can therefore not turn a word round:
//!   nobody can make "gpj.exe" read as "exe.jpg".

use std::ops::Range;

use unicode_bidi::{BidiClass, BidiInfo, bidi_class};
use unicode_segmentation::UnicodeSegmentation;

use super::emoji::is_emoji;

/// What a token is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// White space.
    Space,
    /// Letters and digits with their marks.
    Letters,
    /// Pictures.
    Emoji,
    /// Punctuation, symbols, what is invisible.
    Other,
}

/// A part of a paragraph that is drawn as one piece.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// Where it stands in the text, in bytes.
    pub range: Range<usize>,
    /// How deep it is nested; odd runs to the left.
    pub level: u8,
    /// What it is made of.
    pub kind: Kind,
    /// A line may end after it.
    pub breaks: bool,
    /// Which of the styles of the text it has.
    pub span: usize,
    /// What is drawn in its place: the mirrored bracket, the sign that more follows.
    pub instead: Option<char>,
}

/// A paragraph as tokens, in the order in which it is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paragraph {
    /// Its tokens.
    pub tokens: Vec<Token>,
    /// Nesting of the whole: 0 runs to the right, 1 to the left.
    pub level: u8,
}

/// Whether a text needs more than the library that draws it can do: another direction than to the right, or a
/// script without spaces between words.
pub fn is_complex(text: &str) -> bool {
    !text.is_ascii()
        && text.chars().any(|c| {
            matches!(c,
                '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
                | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}'
                | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
                | '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}')
        })
}

/// Whether the first letter that has a direction runs to the left.
pub fn runs_left(text: &str) -> bool {
    text.chars()
        .map(bidi_class)
        .find(|class| matches!(class, BidiClass::L | BidiClass::R | BidiClass::AL))
        .is_some_and(|class| class != BidiClass::L)
}

/// Cuts one paragraph of a text into tokens. `spans` are the ranges of equal style that cover the text.
pub fn paragraph(text: &str, place: Range<usize>, spans: &[Range<usize>]) -> Paragraph {
    let words = text.get(place.clone()).unwrap_or_default();
    let info = BidiInfo::new(words, None);
    let base = info.paragraphs.first().map_or(0, |paragraph| paragraph.level.number());
    let mut tokens: Vec<Token> = Vec::new();
    let mut span = 0;
    let (mut before, mut long_before) = ("", "");
    for (at, cluster) in words.grapheme_indices(true) {
        let start = place.start + at;
        while spans.get(span).is_some_and(|range| range.end <= start) {
            span += 1;
        }
        let level = info.levels.get(at).map_or(base, |level| level.number());
        let token = Token {
            range: start..start + cluster.len(),
            level,
            kind: kind(cluster),
            breaks: false,
            span,
            instead: mirrored(cluster).filter(|_| level % 2 == 1),
        };
        if let Some(last) = tokens.last_mut() {
            last.breaks = breaks_between(long_before, before, cluster);
            if belongs(last, &token, before, cluster) {
                last.range.end = token.range.end;
                (long_before, before) = (before, cluster);
                continue;
            }
        }
        tokens.push(token);
        (long_before, before) = (before, cluster);
    }
    Paragraph { tokens, level: base }
}

/// Puts the tokens of a line, given as they are read, in the order in which they are seen from left to right (rules
/// L1 and L2 of the algorithm). `base` is the level of the paragraph.
pub fn to_visual_order(line: &mut [Token], base: u8) {
    for token in line.iter_mut().rev().take_while(|token| token.kind == Kind::Space) {
        token.level = base;
    }
    let highest = line.iter().map(|token| token.level).max().unwrap_or(0);
    let lowest_odd = line.iter().map(|token| token.level).filter(|level| level % 2 == 1).min();
    let Some(lowest_odd) = lowest_odd else { return };
    for level in (lowest_odd..=highest).rev() {
        for run in line.chunk_by_mut(|a, b| (a.level >= level) == (b.level >= level)) {
            if run.first().is_some_and(|token| token.level >= level) {
                run.reverse();
            }
        }
    }
}

/// Whether a cluster is drawn together with the token before it.
fn belongs(last: &Token, next: &Token, before: &str, cluster: &str) -> bool {
    if last.level != next.level || last.span != next.span || last.breaks || next.instead.is_some() {
        return false;
    }
    if last.instead.is_some() || (last.kind == Kind::Space) != (next.kind == Kind::Space) {
        return false;
    }
    if last.kind == Kind::Space {
        return true;
    }
    if next.level % 2 == 1 {
        return last.kind == Kind::Letters && next.kind == Kind::Letters;
    }
    let pictures = (last.kind == Kind::Emoji) == (next.kind == Kind::Emoji);
    pictures && !is_digit_of_the_left(before) && !is_digit_of_the_left(cluster)
}

/// A digit of a script that runs to the left. Numbers always run to the right, but drawn together such digits would
/// be turned round with their script, so each stands alone.
fn is_digit_of_the_left(cluster: &str) -> bool {
    cluster.chars().next().is_some_and(|c| match bidi_class(c) {
        BidiClass::AN => true,
        BidiClass::EN => !c.is_ascii(),
        _ => false,
    })
}

fn kind(cluster: &str) -> Kind {
    match cluster.chars().next() {
        Some(c) if c.is_whitespace() => Kind::Space,
        Some(_) if is_emoji(cluster) => Kind::Emoji,
        Some(c) if c.is_alphanumeric() => Kind::Letters,
        _ => Kind::Other,
    }
}

/// Whether a line may end between two clusters. `long_before` is the one before the first.
fn breaks_between(long_before: &str, before: &str, after: &str) -> bool {
    let (Some(a), Some(b)) = (before.chars().next(), after.chars().next()) else { return false };
    if a == '\u{200b}' {
        return true;
    }
    if a.is_whitespace() || b.is_whitespace() {
        let holds = |c| matches!(c, '\u{a0}' | '\u{202f}' | '\u{2007}');
        return a.is_whitespace() && !b.is_whitespace() && !holds(a);
    }
    if matches!(a, '-' | '\u{2010}' | '–' | '—') {
        return b.is_alphanumeric() && long_before.chars().next().is_some_and(char::is_alphanumeric);
    }
    let stands_alone = |c: char, cluster: &str| is_ideograph(c) || is_emoji(cluster);
    (stands_alone(a, before) || stands_alone(b, after)) && !cannot_begin(b) && !cannot_end(a)
}

/// A character of a script that puts no spaces between words, and where a line may end anywhere.
fn is_ideograph(c: char) -> bool {
    matches!(c,
        '\u{2e80}'..='\u{30ff}' | '\u{3190}'..='\u{a4cf}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}'
        | '\u{20000}'..='\u{3ffff}')
}

/// A character that does not stand at the beginning of a line.
fn cannot_begin(c: char) -> bool {
    ")]}>»›”’,.:;!?%…،؛؟。、，．：；！？）］｝〕〉》」』】〙〗ヽヾーァィゥェォッャュョヮヵヶぁぃぅぇぉっゃゅょゎゕゖ々〻・‐–—\u{200d}\u{fe0f}"
        .contains(c)
}

/// A character that does not stand at the end of a line.
fn cannot_end(c: char) -> bool {
    "([{<«‹“‘（［｛〔〈《「『【〘〖@#$€£¥".contains(c)
}

/// Brackets, each with the one that stands in its place where text runs to the left.
const BRACKETS: [(char, char); 19] = [
    ('(', ')'),
    ('[', ']'),
    ('{', '}'),
    ('<', '>'),
    ('«', '»'),
    ('‹', '›'),
    ('≤', '≥'),
    ('≪', '≫'),
    ('⟨', '⟩'),
    ('⟪', '⟫'),
    ('⁅', '⁆'),
    ('⁽', '⁾'),
    ('「', '」'),
    ('『', '』'),
    ('（', '）'),
    ('【', '】'),
    ('《', '》'),
    ('〈', '〉'),
    ('［', '］'),
];

/// The bracket that is seen where this one stands in text that runs to the left.
pub fn mirror(c: char) -> Option<char> {
    BRACKETS.iter().find_map(|&(open, close)| match c {
        _ if c == open => Some(close),
        _ if c == close => Some(open),
        _ => None,
    })
}

fn mirrored(cluster: &str) -> Option<char> {
    let mut chars = cluster.chars();
    let first = chars.next()?;
    if chars.next().is_some() { None } else { mirror(first) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A text of one paragraph and one style, as tokens.
    fn one_style(text: &str) -> Paragraph {
        let whole = 0..text.len();
        paragraph(text, whole.clone(), &[whole])
    }

    /// What a line of this text looks like from left to right, tokens of letters that run to the left turned round as
    /// shaping will do.
    fn seen(text: &str) -> String {
        let paragraph = one_style(text);
        let mut line = paragraph.tokens;
        to_visual_order(&mut line, paragraph.level);
        line.iter()
            .map(|token| match token.instead {
                Some(c) => c.to_string(),
                None if token.kind == Kind::Letters && runs_left(&text[token.range.clone()]) => {
                    text[token.range.clone()].chars().rev().collect()
                }
                None => text[token.range.clone()].to_owned(),
            })
            .collect()
    }

    #[test]
    fn words_digits_and_punctuation_find_their_places() {
        assert_eq!(seen("plain text, nothing else"), "plain text, nothing else");
        assert_eq!(seen("שלום עולם"), "םלוע םולש");
        assert_eq!(seen("מחיר 12.50 ש"), "ש 12.50 ריחמ");
        assert_eq!(seen("see שלום עולם now"), "see םלוע םולש now");
        assert_eq!(seen("שלום (hello) עולם!"), "!םלוע (hello) םולש");
        assert_eq!(seen("(שלום)"), "(םולש)");
        assert_eq!(seen("שלום, עולם."), ".םלוע ,םולש");
        assert_eq!(seen("אב Hello world גד"), "דג Hello world בא");
    }

    #[test]
    fn digits_of_persian_keep_their_order() {
        let text = "سال ۱۴۰۳";
        let paragraph = one_style(text);
        let mut line = paragraph.tokens;
        to_visual_order(&mut line, paragraph.level);
        let seen: Vec<&str> = line.iter().map(|token| &text[token.range.clone()]).collect();
        assert_eq!(seen, ["۱", "۴", "۰", "۳", " ", "سال"]);
    }

    #[test]
    fn an_override_cannot_turn_a_word_round() {
        assert_eq!(seen("photo\u{202e}gpj.exe").replace('\u{202e}', ""), "photoexe.gpj");
        assert!(seen("\u{202e}invoice").contains("invoice"));
    }

    #[test]
    fn lines_may_end_between_words_and_ideographs() {
        let ends = |text: &str| -> Vec<String> {
            let paragraph = one_style(text);
            let parts = paragraph.tokens.split_inclusive(|token| token.breaks);
            parts.map(|part| text[part[0].range.start..part.last().unwrap().range.end].to_owned()).collect()
        };
        assert_eq!(ends("one two-three -4"), ["one ", "two-", "three ", "-4"]);
        assert_eq!(ends("了解です、また。"), ["了", "解", "で", "す、", "ま", "た。"]);
        assert_eq!(ends("(好)吗"), ["(好)", "吗"]);
        assert_eq!(ends("😀😀!"), ["😀", "😀!"]);
        assert_eq!(ends("10\u{a0}km"), ["10\u{a0}km"]);
        assert_eq!(ends("สวัสดี ครับ"), ["สวัสดี ", "ครับ"]);
    }

    #[test]
    fn the_first_letter_with_a_direction_decides() {
        assert!(runs_left("123 שלום hello") && runs_left("سلام"));
        assert!(!runs_left("hello שלום") && !runs_left("12:30") && !runs_left(""));
        assert!(is_complex("سلام") && is_complex("สวัสดี") && !is_complex("Привет, 健太 😀 é"));
    }

    proptest! {
        #[test]
        fn tokens_cover_the_text_and_order_loses_none(text in "[a-c (),.1٢۳אבسلกเ健😀👍🏽\u{200f}\u{202e}\u{2067}\u{2069}é-]{0,40}") {
            let found = one_style(&text);
            let mut at = 0;
            for token in &found.tokens {
                prop_assert_eq!(token.range.start, at);
                at = token.range.end;
            }
            prop_assert_eq!(at, text.len());
            let mut line = found.tokens.clone();
            to_visual_order(&mut line, found.level);
            line.sort_by_key(|token| token.range.start);
            let ranges = |tokens: &[Token]| tokens.iter().map(|t| t.range.clone()).collect::<Vec<_>>();
            prop_assert_eq!(ranges(&line), ranges(&found.tokens));
        }
    }
}
