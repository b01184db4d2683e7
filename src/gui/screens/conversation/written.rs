//! The text in the composer: what is seen, and the people it names.
//!
//! Decision: a mention is shown as `@` and a name and sent as `@` and an id (spec 02 §11), so the two texts differ. What
//! is edited is the one that is seen, as ordinary characters, because a field counts its cursor in those; beside it
//! stands where in it the mentions are. A change that touches one takes all of it, so that half a name is never sent as
//! a whole one. Undo knows only the text that is seen: mentions that come back with it are known by what they look like.

use std::any::TypeId;
use std::ops::Range;

use egui::TextBuffer;
use egui::text::{CCursor, CharIndex};
use septet_protocol::id::SessionId;
use septet_protocol::message::mentions;

/// What people are called.
pub type Names<'a> = dyn Fn(SessionId) -> String + 'a;

/// A text with mentions.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Written {
    text: String,
    /// Where mentions stand, in characters, in their order, and whom they name.
    mentions: Vec<(Range<usize>, SessionId)>,
    /// All that stood here once, as they are shown.
    known: Vec<(String, SessionId)>,
}

impl Written {
    /// From a text as it is sent.
    pub fn read(sent: &str, names: &Names<'_>) -> Self {
        let mut written = Self::default();
        written.insert(0, sent, names);
        written
    }

    /// As it is seen.
    pub fn shown(&self) -> &str {
        &self.text
    }

    /// As it is sent.
    pub fn sent(&self) -> String {
        if self.mentions.is_empty() {
            return self.text.clone();
        }
        let mut out = String::with_capacity(self.text.len() + 64 * self.mentions.len());
        let mut mentions = self.mentions.iter().peekable();
        let mut skip = 0;
        for (at, c) in self.text.chars().enumerate() {
            if let Some((range, id)) = mentions.next_if(|(range, _)| range.start == at) {
                out.push('@');
                out.push_str(&id.to_string());
                skip = range.end;
            }
            if at >= skip {
                out.push(c);
            }
        }
        out
    }

    /// Where mentions stand, in characters.
    pub fn mentions(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.mentions.iter().map(|(range, _)| range.clone())
    }

    /// Nothing is left of it.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Puts another text in front, on lines of its own.
    pub fn prepend(&mut self, sent: &str, names: &Names<'_>) {
        self.insert(0, &format!("{sent}\n"), names);
    }

    /// Puts a text as it is sent at a place; returns how many characters it takes as it is seen.
    pub fn insert(&mut self, at: usize, sent: &str, names: &Names<'_>) -> usize {
        let (mut place, mut taken) = (at, 0);
        for mention in mentions(sent) {
            let Some(id) = mention.session_id() else { continue };
            place += self.insert_plain(place, sent.get(taken..mention.range.start).unwrap_or_default());
            place += self.insert_mention(place, id, names);
            taken = mention.range.end;
        }
        place += self.insert_plain(place, sent.get(taken..).unwrap_or_default());
        place - at
    }

    /// Names somebody at a place; returns how many characters that takes.
    pub fn insert_mention(&mut self, at: usize, id: SessionId, names: &Names<'_>) -> usize {
        let shown = format!("@{}", names(id));
        let length = self.insert_plain(at, &shown);
        let index = self.mentions.partition_point(|(range, _)| range.start < at);
        self.mentions.insert(index, (at..at + length, id));
        if !self.known.iter().any(|(_, known)| *known == id) {
            self.known.push((shown, id));
        }
        length
    }

    /// Puts characters at a place. In the middle of a mention they make it none.
    fn insert_plain(&mut self, at: usize, text: &str) -> usize {
        let length = text.chars().count();
        let byte = self.byte(at);
        self.text.insert_str(byte, text);
        self.mentions.retain(|(range, _)| !(range.start < at && at < range.end));
        for (range, _) in &mut self.mentions {
            if range.start >= at {
                *range = range.start + length..range.end + length;
            }
        }
        length
    }

    /// Takes characters away, and mentions that they are part of; returns where the text goes on.
    pub fn remove(&mut self, range: Range<usize>) -> usize {
        let mut whole = range.clone();
        for (mention, _) in &self.mentions {
            if mention.start < range.end && range.start < mention.end {
                whole = whole.start.min(mention.start)..whole.end.max(mention.end);
            }
        }
        let bytes = self.byte(whole.start)..self.byte(whole.end);
        self.text.replace_range(bytes, "");
        let gone = whole.end.saturating_sub(whole.start);
        self.mentions.retain(|(mention, _)| mention.end <= whole.start || mention.start >= whole.end);
        for (mention, _) in &mut self.mentions {
            if mention.start >= whole.end {
                *mention = mention.start - gone..mention.end - gone;
            }
        }
        whole.start
    }

    /// Another text is seen, as after undoing: what looks like a mention that stood here is one.
    fn replace(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        self.mentions.clear();
        for (shown, id) in &self.known {
            for (byte, _) in text.match_indices(shown.as_str()) {
                let start = text.get(..byte).unwrap_or_default().chars().count();
                let range = start..start + shown.chars().count();
                let free = |(other, _): &(Range<usize>, SessionId)| {
                    other.end <= range.start || range.end <= other.start
                };
                if self.mentions.iter().all(free) {
                    self.mentions.push((range, *id));
                }
            }
        }
        self.mentions.sort_by_key(|(range, _)| range.start);
    }

    /// The byte at which a character begins.
    fn byte(&self, at: usize) -> usize {
        self.text.char_indices().nth(at).map_or(self.text.len(), |(byte, _)| byte)
    }

    /// Where a cursor belongs that stands inside of a mention: at the end that is nearer.
    pub fn outside(&self, at: usize) -> usize {
        match self.mentions.iter().find(|(range, _)| range.start < at && at < range.end) {
            Some((range, _)) if at - range.start < range.end - at => range.start,
            Some((range, _)) => range.end,
            None => at,
        }
    }
}

/// The text while a field edits it.
pub struct Editing<'a> {
    /// The text.
    pub written: &'a mut Written,
    /// What people are called whose ids are pasted.
    pub names: &'a Names<'a>,
}

impl TextBuffer for Editing<'_> {
    fn is_mutable(&self) -> bool {
        true
    }

    fn as_str(&self) -> &str {
        self.written.shown()
    }

    fn insert_text(&mut self, text: &str, at: CharIndex) -> usize {
        self.written.insert(at.0, text, self.names)
    }

    fn delete_char_range(&mut self, range: Range<CharIndex>) {
        self.written.remove(range.start.0..range.end.0);
    }

    fn delete_selected_ccursor_range(&mut self, [min, max]: [CCursor; 2]) -> CCursor {
        let index = CharIndex(self.written.remove(min.index.0..max.index.0));
        CCursor { index, prefer_next_row: true }
    }

    fn replace_with(&mut self, text: &str) {
        self.written.replace(text);
    }

    fn type_id(&self) -> TypeId {
        TypeId::of::<Written>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANN: SessionId = SessionId([1; 32]);
    const BOB: SessionId = SessionId([2; 32]);

    fn names(id: SessionId) -> String {
        if id == ANN { "Ann Lee".to_owned() } else { "Bob".to_owned() }
    }

    fn read(sent: &str) -> Written {
        Written::read(sent, &names)
    }

    #[test]
    fn ids_are_seen_as_names_and_sent_as_ids() {
        let sent = format!("é @{ANN}, @{BOB}@{ANN}!");
        let written = read(&sent);
        assert_eq!(written.shown(), "é @Ann Lee, @Bob@Ann Lee!");
        assert_eq!(written.sent(), sent);
        assert_eq!(read("@Bob").sent(), "@Bob");
        assert_eq!(read("").sent(), "");
    }

    #[test]
    fn a_mention_goes_as_a_whole() {
        let mut written = read(&format!("a @{ANN} b"));
        assert_eq!(written.remove(9..10), 2);
        assert_eq!((written.shown(), written.sent().as_str()), ("a  b", "a  b"));
        let mut written = read(&format!("@{ANN}@{BOB} c"));
        assert_eq!(written.remove(7..9), 0);
        assert_eq!(written.sent(), " c");
    }

    #[test]
    fn what_is_typed_into_a_mention_makes_it_plain_and_beside_it_does_not() {
        let mut written = read(&format!("@{BOB}"));
        written.insert(4, "!", &names);
        written.insert(0, "x", &names);
        assert_eq!(written.sent(), format!("x@{BOB}!"));
        written.insert(3, "-", &names);
        assert_eq!(written.sent(), "x@B-ob!");
        assert_eq!((written.outside(2), read(&format!("@{ANN}")).outside(7)), (2, 8));
    }

    #[test]
    fn what_comes_back_by_undoing_is_a_mention_again() {
        let mut written = read(&format!("hi @{BOB} and @{ANN}"));
        let (shown, sent) = (written.shown().to_owned(), written.sent());
        written.remove(0..8);
        Editing { written: &mut written, names: &names }.replace_with(&shown);
        assert_eq!(written.sent(), sent);
    }

    proptest! {
        #[test]
        fn ranges_stay_where_their_names_are(
            changes in proptest::collection::vec((0_usize..3, 0_usize..40, 0_usize..6, "[a é@\n]{0,4}"), 0..30),
        ) {
            let mut written = Written::default();
            for (kind, at, length, text) in changes {
                let count = written.shown().chars().count();
                let at = at.min(count);
                match kind {
                    0 => _ = written.insert(at, &text, &names),
                    1 => _ = written.insert_mention(at, if length % 2 == 0 { ANN } else { BOB }, &names),
                    _ => _ = written.remove(at..(at + length).min(count)),
                }
                let shown: Vec<char> = written.shown().chars().collect();
                let mut end = 0;
                for (range, id) in &written.mentions {
                    prop_assert!(range.start >= end && range.end <= shown.len());
                    let seen: String = shown[range.clone()].iter().collect();
                    prop_assert_eq!(seen, format!("@{}", names(*id)));
                    end = range.end;
                }
                let again = Written::read(&written.sent(), &names);
                prop_assert_eq!(again.shown(), written.shown());
            }
        }
    }
}
