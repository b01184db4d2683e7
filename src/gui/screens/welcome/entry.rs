//! The recovery password while it is being typed: thirteen words, each checked by itself, then all together.
//!
//! Decision: whatever is typed or pasted ends up in the word fields, so that a person always sees what will be used.
//! Numbers of a numbered list, punctuation and line breaks fall away; hexadecimal digits become the words they stand
//! for. Nothing here draws, so every rule is tested without a window.
//!
//! The words are secret: they are held in strings that are wiped when dropped, and there is no `Debug`.

use septet_protocol::account::{RecoveryError, parse_recovery, words};
use septet_protocol::id::SessionId;
use zeroize::Zeroizing;

/// How many words a recovery password has.
pub const WORDS: usize = 13;
/// How many words a BIP-39 sentence has.
pub const BIP39_WORDS: usize = 12;
/// A longer run of hexadecimal digits is not a word any more.
const HEX: usize = 16;

/// Which list the words seem to be from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum List {
    /// That of recovery passwords.
    #[default]
    Recovery,
    /// That of BIP-39.
    Bip39,
}

/// What one word is known to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// Nothing is typed.
    Empty,
    /// It may still become a word.
    Open,
    /// It is a word of the list.
    Good,
    /// It is none and cannot become one.
    Wrong,
}

/// What all words together are known to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Some are still missing.
    Incomplete {
        /// How many are there.
        filled: usize,
        /// How many there must be.
        of: usize,
    },
    /// One is not in the list.
    Unknown {
        /// Which, counted from 0.
        index: usize,
        /// What may have been meant, likeliest first.
        meant: Vec<&'static str>,
    },
    /// All are there, but they are no recovery password.
    Refused(RecoveryError),
    /// They are the recovery password of this account.
    Good(SessionId),
}

/// The words, and what is known of them.
pub struct Entry {
    words: [Zeroizing<String>; WORDS],
    /// How many words were pasted, if they were too many for the fields.
    too_many: Option<usize>,
    /// Where the keyboard is.
    focus: Option<usize>,
    verdict: Verdict,
}

impl Default for Entry {
    fn default() -> Self {
        let verdict = Verdict::Incomplete { filled: 0, of: WORDS };
        Self { words: Default::default(), too_many: None, focus: None, verdict }
    }
}

impl Entry {
    /// One word, to be edited. Call [`Entry::edited`] after a change.
    pub fn word_mut(&mut self, index: usize) -> Option<&mut Zeroizing<String>> {
        self.words.get_mut(index)
    }

    /// One word.
    pub fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", |word| word.as_str())
    }

    /// How many fields are shown.
    pub fn fields(&self) -> usize {
        match self.list() {
            List::Bip39 => BIP39_WORDS,
            List::Recovery => WORDS,
        }
    }

    /// All words, separated by spaces.
    pub fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(160));
        for word in self.words.iter().filter(|word| !word.is_empty()) {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        text
    }

    /// What all words together are known to be.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// A field was edited. Takes apart what is in it; returns the field that is to have the keyboard now.
    pub fn edited(&mut self, index: usize) -> usize {
        let typed = std::mem::take(self.words.get_mut(index).unwrap_or(&mut Zeroizing::default()));
        let ended =
            typed.ends_with(|c: char| !c.is_alphanumeric()) && typed.chars().any(char::is_alphanumeric);
        let found = tokens(&typed);
        let next = match found.as_slice() {
            [] => index,
            [only] => {
                let mut word = only.clone();
                if is_hex(&word) && self.take_digits(&word) {
                    return self.checked(0);
                }
                if ended {
                    word = whole(word, self.list());
                }
                self.put(index, word);
                if ended { (index + 1).min(self.fields() - 1) } else { index }
            }
            several => {
                let open = typed.ends_with(char::is_alphanumeric);
                self.place(several, index, open)
            }
        };
        self.checked(next)
    }

    /// A text is pasted where no field has the keyboard, or read from a picture. Returns the field to go on in.
    pub fn fill(&mut self, text: &str) -> usize {
        let found = tokens(text);
        let next = match found.as_slice() {
            [] => 0,
            [only] if is_hex(only) && self.take_digits(only) => 0,
            several => {
                self.words = Default::default();
                self.place(several, 0, false)
            }
        };
        self.checked(next)
    }

    /// Puts one word in the place of another.
    pub fn replace(&mut self, index: usize, word: &str) {
        self.put(index, Zeroizing::new(word.to_owned()));
        self.checked(index);
    }

    /// The keyboard is in this field now, or in none. A word that is left is written out in full.
    pub fn focus(&mut self, focus: Option<usize>) {
        if self.focus == focus {
            return;
        }
        let list = self.list();
        if let Some(word) = self.focus.and_then(|left| self.words.get_mut(left)) {
            *word = whole(std::mem::take(word), list);
        }
        self.focus = focus;
        self.check();
    }

    /// The rest of the only word that can be meant, to be shown in grey and taken with Tab.
    pub fn rest(&self, index: usize) -> Option<&'static str> {
        let typed = self.word(index);
        if typed.len() < 2 {
            return None;
        }
        match self.list() {
            List::Recovery => only_rest(words::complete(typed), typed),
            List::Bip39 => only_rest(words::complete_bip39(typed), typed),
        }
    }

    /// Takes the rest of the word.
    pub fn complete(&mut self, index: usize) {
        if let Some(rest) = self.rest(index)
            && let Some(word) = self.words.get_mut(index)
        {
            word.push_str(rest);
            self.check();
        }
    }

    /// What one word is known to be.
    pub fn mark(&self, index: usize) -> Mark {
        self.mark_in(index, self.list())
    }

    /// The list that more of the words are in. Thirteen words are always a recovery password.
    pub fn list(&self) -> List {
        if self.words.last().is_some_and(|last| !last.is_empty()) {
            return List::Recovery;
        }
        let wrong = |list| (0..WORDS).filter(|index| self.mark_in(*index, list) == Mark::Wrong).count();
        let twelve = self.words.iter().take(BIP39_WORDS).all(|word| words::is_bip39(word));
        if twelve || wrong(List::Bip39) < wrong(List::Recovery) { List::Bip39 } else { List::Recovery }
    }

    fn mark_in(&self, index: usize, list: List) -> Mark {
        let word = self.word(index);
        let here = self.focus == Some(index);
        let (known, may_become) = match list {
            _ if word.is_empty() => return Mark::Empty,
            List::Recovery => (words::lookup(word).is_some(), words::is_known_prefix(word)),
            List::Bip39 => (words::is_bip39(word), words::complete_bip39(word).next().is_some()),
        };
        match (known, may_become && here) {
            (true, _) => Mark::Good,
            (false, true) => Mark::Open,
            (false, false) => Mark::Wrong,
        }
    }

    fn put(&mut self, index: usize, word: Zeroizing<String>) {
        self.too_many = None;
        if let Some(place) = self.words.get_mut(index) {
            *place = word;
        }
    }

    /// Several words at once, from a field on; twelve and more are all there is. With `open` the last may go on.
    fn place(&mut self, found: &[Zeroizing<String>], index: usize, open: bool) -> usize {
        let found = recovery_within(found);
        let start = if found.len() >= BIP39_WORDS { 0 } else { index };
        if start == 0 && found.len() >= BIP39_WORDS {
            self.words = Default::default();
        }
        for (offset, word) in found.iter().enumerate() {
            let goes_on = open && offset + 1 == found.len();
            let word = if goes_on { word.clone() } else { whole(word.clone(), List::Recovery) };
            self.put(start + offset, word);
        }
        self.too_many = (found.len() > WORDS).then_some(found.len());
        let last = start + found.len() - usize::from(open);
        last.min(self.fields() - 1)
    }

    /// Hexadecimal digits become the words they stand for.
    fn take_digits(&mut self, digits: &str) -> bool {
        let Ok(seed) = parse_recovery(digits) else { return false };
        for (place, word) in self.words.iter_mut().zip(seed.to_phrase().split(' ')) {
            *place = Zeroizing::new(word.to_owned());
        }
        self.too_many = None;
        true
    }

    fn checked(&mut self, next: usize) -> usize {
        self.focus = Some(next);
        self.check();
        next
    }

    fn check(&mut self) {
        self.verdict = self.judge();
    }

    fn judge(&self) -> Verdict {
        if let Some(found) = self.too_many {
            return Verdict::Refused(RecoveryError::TooManyWords { found });
        }
        if let Some(digits) = self.words.iter().find(|word| is_hex(word)) {
            return match parse_recovery(digits) {
                Ok(seed) => Verdict::Good(seed.keys().session_id),
                Err(error) => Verdict::Refused(error),
            };
        }
        let list = self.list();
        if let Some(index) = (0..WORDS).find(|index| self.mark_in(*index, list) == Mark::Wrong) {
            let meant = match list {
                List::Recovery => words::suggest(self.word(index)),
                List::Bip39 => words::suggest_bip39(self.word(index)),
            };
            return Verdict::Unknown { index, meant };
        }
        let of = self.fields();
        let filled = (0..of).filter(|index| self.mark_in(*index, list) == Mark::Good).count();
        if filled < of {
            return Verdict::Incomplete { filled, of };
        }
        match parse_recovery(&self.text()) {
            Ok(seed) => Verdict::Good(seed.keys().session_id),
            Err(error) => Verdict::Refused(error),
        }
    }
}

/// What is missing of the only word found; nothing if there are several, or nothing is missing.
fn only_rest(mut found: impl Iterator<Item = &'static str>, typed: &str) -> Option<&'static str> {
    let first = found.next()?;
    if found.next().is_some() { None } else { first.strip_prefix(typed).filter(|rest| !rest.is_empty()) }
}

/// A word that was begun so that only one can be meant, in full. "act" is left alone: it is a whole word of BIP-39.
fn whole(word: Zeroizing<String>, list: List) -> Zeroizing<String> {
    let full = match list {
        _ if words::is_bip39(&word) => None,
        List::Recovery => words::lookup(&word),
        List::Bip39 => {
            let mut found = words::complete_bip39(&word);
            found.next().filter(|_| found.next().is_none())
        }
    };
    match full {
        Some(full) if full.starts_with(word.as_str()) => Zeroizing::new(full.to_owned()),
        _ => word,
    }
}

/// The words of a text, in lower case. Numbers before words ("3. cake") are none.
fn tokens(text: &str) -> Vec<Zeroizing<String>> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|token| !token.is_empty())
        .filter(|token| token.len() >= HEX || !token.chars().all(|c| c.is_ascii_digit()))
        .map(|token| Zeroizing::new(token.to_lowercase()))
        .collect()
}

fn is_hex(word: &str) -> bool {
    word.len() >= HEX && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// If there are more words than a recovery password has, it may be among them: "My recovery password: amaze …".
fn recovery_within(found: &[Zeroizing<String>]) -> &[Zeroizing<String>] {
    let fits = |part: &&[Zeroizing<String>]| {
        let mut text = Zeroizing::new(String::with_capacity(160));
        for word in *part {
            text.push_str(word);
            text.push(' ');
        }
        parse_recovery(&text).is_ok()
    };
    let digits = || found.chunks(1).find(|word| word.iter().all(|word| is_hex(word)) && fits(word));
    let of = |count| found.windows(count).find(fits);
    match found.len() {
        0..BIP39_WORDS => digits().unwrap_or(found),
        BIP39_WORDS => found,
        _ => of(WORDS).or_else(|| of(BIP39_WORDS)).or_else(digits).unwrap_or(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PHRASE: &str =
        "amaze buffet cake entrance symptoms tiger lamb maze nestle python dusted faxed faxed";
    const BIP39: &str = "abandon amount liar amount expire adjust cage candy arch gather drum buyer";
    const HEX_DIGITS: &str = "000102030405060708090a0b0c0d0e0f";
    const ID: &str = "05ca03b8e369aeeb69fd260c2957d37b232db17a60db7a39bca9f0c0a6be135c1a";

    fn filled(text: &str) -> Entry {
        let mut entry = Entry::default();
        entry.fill(text);
        entry
    }

    fn good() -> Verdict {
        Verdict::Good(ID.parse().unwrap())
    }

    /// Types a text letter by letter, going where the entry says.
    fn typed(text: &str) -> Entry {
        let mut entry = Entry::default();
        let mut at = 0;
        entry.focus(Some(0));
        for letter in text.chars() {
            entry.word_mut(at).unwrap().push(letter);
            at = entry.edited(at);
        }
        entry
    }

    #[test]
    fn a_password_may_have_any_shape() {
        let numbered: Vec<String> =
            PHRASE.split(' ').enumerate().map(|(i, w)| format!("{}. {w}\n", i + 1)).collect();
        for text in [
            PHRASE.to_owned(),
            PHRASE.to_uppercase().replace(' ', ",\n"),
            numbered.concat(),
            format!("My recovery password: {PHRASE}. Keep it!"),
            HEX_DIGITS.to_owned(),
            format!("seed={HEX_DIGITS}"),
            "ama buf cak ent sym tig lam maz nes pyt dus fax fax".to_owned(),
            BIP39.to_owned(),
        ] {
            assert_eq!(*filled(&text).verdict(), good(), "{text}");
        }
        assert_eq!(*filled(HEX_DIGITS).text(), PHRASE);
        assert_eq!((filled(BIP39).fields(), filled(PHRASE).fields()), (12, 13));
    }

    #[test]
    fn typing_goes_from_field_to_field() {
        let entry = typed(PHRASE);
        assert_eq!(*entry.verdict(), good());
        assert_eq!(*entry.text(), PHRASE);
        let entry = typed("ama buf ");
        assert_eq!((entry.word(0), entry.word(1), entry.word(2)), ("amaze", "buffet", ""));
        assert_eq!(*entry.verdict(), Verdict::Incomplete { filled: 2, of: 13 });
        let entry = typed(BIP39);
        assert_eq!((*entry.verdict() == good(), entry.fields()), (true, 12));
    }

    #[test]
    fn a_wrong_word_is_named_with_what_may_be_meant() {
        let entry = filled(&PHRASE.replace("nestle", "neztle"));
        assert!(
            matches!(entry.verdict(), Verdict::Unknown { index: 8, meant } if meant.first() == Some(&"nestle"))
        );
        assert_eq!(entry.mark(8), Mark::Wrong);
        let mut entry = typed("amaze xq");
        assert!(matches!(entry.verdict(), Verdict::Unknown { index: 1, .. }), "no word begins like this");
        entry.replace(1, "buffet");
        assert_eq!(*entry.verdict(), Verdict::Incomplete { filled: 2, of: 13 });
        let mut entry = typed("amaze bu");
        assert_eq!(entry.mark(1), Mark::Open);
        entry.focus(None);
        assert_eq!(entry.mark(1), Mark::Wrong, "two letters are no word once they are left");
    }

    #[test]
    fn the_only_word_that_can_be_meant_is_offered() {
        let mut entry = typed("amaze bu");
        assert_eq!(entry.rest(1), None);
        entry.word_mut(1).unwrap().push('f');
        entry.edited(1);
        assert_eq!(entry.rest(1), Some("fet"));
        entry.complete(1);
        assert_eq!(entry.word(1), "buffet");
        assert_eq!(entry.rest(1), None);
    }

    #[test]
    fn words_that_do_not_belong_together_are_refused() {
        let refused = |text: &str| match filled(text).verdict() {
            Verdict::Refused(error) => *error,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(&PHRASE.replacen("faxed", "tiger", 1)), RecoveryError::ChecksumMismatch);
        assert_eq!(
            refused(&format!("tiger {}", PHRASE.replace("amaze", "lamb"))),
            RecoveryError::TooManyWords { found: 14 }
        );
        assert_eq!(refused(&BIP39.replace("buyer", "zoo")), RecoveryError::Bip39ChecksumMismatch);
        assert_eq!(refused(ID), RecoveryError::LooksLikeAccountId);
        assert_eq!(refused(&HEX_DIGITS[..20]), RecoveryError::HexLength);
    }

    #[test]
    fn several_words_pasted_into_a_field_go_on_from_there() {
        let mut entry = typed("amaze ");
        entry.word_mut(1).unwrap().push_str("buffet cake entrance");
        assert_eq!(entry.edited(1), 3, "the last word may go on");
        assert_eq!(*entry.text(), "amaze buffet cake entrance");
        entry.word_mut(3).unwrap().push_str(PHRASE);
        entry.edited(3);
        assert_eq!(entry.word(12), "faxed");
    }

    proptest! {
        #[test]
        fn nothing_panics_on_any_text(text: String, field in 0_usize..13) {
            let mut entry = filled(&text);
            entry.word_mut(field).unwrap().push_str(&text);
            let next = entry.edited(field);
            prop_assert!(next < WORDS);
            entry.focus(Some(next));
            entry.focus(None);
            let _ = entry.text();
        }

        #[test]
        fn every_account_comes_back(bytes: [u8; 16]) {
            let seed = septet_protocol::account::Seed::from_bytes(bytes);
            let id = seed.keys().session_id;
            for text in [seed.to_phrase(), seed.to_bip39(), seed.to_hex()] {
                let entry = filled(&text);
                prop_assert_eq!(entry.verdict(), &Verdict::Good(id));
            }
        }
    }
}
