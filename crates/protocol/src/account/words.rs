//! The 1626 English words of recovery passwords (spec 01 §3.1), and help for typing them.
//!
//! The list is the Electrum and Monero one. The first three letters of each word are its own, and only they count:
//! `ama` and `amazement` both stand for `amaze`.

use std::sync::LazyLock;

use bip39::Language;

/// How many words there are.
pub(super) const COUNT: usize = 1626;
/// How many letters identify a word.
pub(super) const PREFIX: usize = 3;

/// In alphabetical order; a word's place is its value.
pub(super) static WORDS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("../../data/recovery-words.txt").lines().collect());

/// The value of the word that this one stands for: the place of the word with the same first three letters.
pub(super) fn value(word: &str) -> Option<usize> {
    let prefix = word.get(..PREFIX)?;
    let place = WORDS.partition_point(|candidate| *candidate < prefix);
    WORDS.get(place)?.starts_with(prefix).then_some(place)
}

/// The word of the list that this one (in lower case) stands for, if any.
pub fn lookup(word: &str) -> Option<&'static str> {
    WORDS.get(value(word)?).copied()
}

/// Whether what has been typed so far can become, or already stands for, a word of the list. In lower case. The empty
/// text can.
pub fn is_known_prefix(typed: &str) -> bool {
    if typed.len() >= PREFIX { lookup(typed).is_some() } else { complete(typed).next().is_some() }
}

/// The words that begin with what has been typed, in alphabetical order.
pub fn complete(typed: &str) -> impl Iterator<Item = &'static str> {
    let start = WORDS.partition_point(|word| *word < typed);
    WORDS.iter().skip(start).copied().take_while(move |word| word.starts_with(typed))
}

/// Up to five words that may have been meant: those that begin like it, else the nearest by letters changed, added
/// or left out (at most two), all equally near.
pub fn suggest(word: &str) -> Vec<&'static str> {
    let word = word.to_lowercase();
    likely(&word, complete(&word), &WORDS)
}

/// Whether this is (in lower case) a word of the English BIP-39 list. Unlike in the list above, every letter counts.
pub fn is_bip39(word: &str) -> bool {
    Language::English.find_word(word).is_some()
}

/// The BIP-39 words that begin with what has been typed, in alphabetical order.
pub fn complete_bip39(typed: &str) -> impl Iterator<Item = &'static str> {
    Language::English.words_by_prefix_iter(typed)
}

/// Up to five BIP-39 words that may have been meant; see [`suggest`].
pub fn suggest_bip39(word: &str) -> Vec<&'static str> {
    let word = word.to_lowercase();
    likely(&word, complete_bip39(&word), Language::English.word_list())
}

/// Words of a list that may have been meant by this one; `begun` are those that begin like it.
fn likely(word: &str, begun: impl Iterator<Item = &'static str>, list: &[&'static str]) -> Vec<&'static str> {
    const MOST: usize = 5;
    if word.is_empty() {
        return Vec::new();
    }
    let begun: Vec<_> = begun.take(MOST).collect();
    if !begun.is_empty() {
        return begun;
    }
    let mut near: Vec<_> = list
        .iter()
        .map(|candidate| (distance(word, candidate), *candidate))
        .filter(|(distance, _)| *distance <= 2)
        .collect();
    near.sort_unstable();
    let nearest = near.first().map_or(0, |(distance, _)| *distance);
    let nearest = near.into_iter().take_while(|(distance, _)| *distance == nearest);
    nearest.map(|(_, candidate)| candidate).take(MOST).collect()
}

/// The number of letters to change, add, leave out or exchange with a neighbour to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 2 {
        return usize::MAX;
    }
    // Rows of the usual table; `before` is the row two above, needed for exchanged neighbours.
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut previous_a = None;
    for (row, &letter_a) in a.iter().enumerate() {
        let mut current = vec![row + 1];
        let mut previous_b = None;
        for (column, &letter_b) in b.iter().enumerate() {
            let at = |line: &[usize], place: usize| line.get(place).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&above, column) + usize::from(letter_a != letter_b))
                .min(at(&above, column + 1) + 1)
                .min(at(&current, column) + 1);
            if previous_a == Some(letter_b) && previous_b == Some(letter_a) {
                best = best.min(at(&before, column.wrapping_sub(1)) + 1);
            }
            current.push(best);
            previous_b = Some(letter_b);
        }
        before = std::mem::replace(&mut above, current);
        previous_a = Some(letter_a);
    }
    above.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sha256;
    use data_encoding::HEXLOWER;

    #[test]
    fn the_list_is_the_official_one() {
        assert_eq!(WORDS.len(), COUNT);
        assert_eq!(
            HEXLOWER.encode(&sha256(&[WORDS.join("\n").as_bytes()])),
            "998df55cb16d2318130c5cf7e9d4408247c8c4674935ee6e07d53f2f00ccf19b"
        );
        assert!(WORDS.is_sorted());
        assert!(WORDS.windows(2).all(|pair| pair[0][..PREFIX] != pair[1][..PREFIX]));
        assert!(WORDS.iter().enumerate().all(|(place, word)| value(word) == Some(place)));
    }

    #[test]
    fn three_letters_are_a_word() {
        assert_eq!(lookup("ama"), Some("amaze"));
        assert_eq!(lookup("amazement"), Some("amaze"));
        assert_eq!((lookup("am"), lookup("xyl"), lookup(""), lookup("éé")), (None, None, None, None));
        assert!(is_known_prefix("") && is_known_prefix("am") && is_known_prefix("amazement"));
        assert!(!is_known_prefix("xy") && !is_known_prefix("amx") && !is_known_prefix("é"));
    }

    #[test]
    fn words_are_completed_and_corrected() {
        assert_eq!(complete("abb").collect::<Vec<_>>(), ["abbey"]);
        assert!(complete("zzz").next().is_none());
        assert!(suggest("amzae").contains(&"amaze"));
        assert!(suggest("tigre").contains(&"tiger"));
        assert_eq!(suggest("bufet").first(), Some(&"buffet"));
        assert!(suggest("qqqqqqqqq").is_empty() && suggest("").is_empty());
        assert_eq!(suggest("AMA"), ["amaze"]);
    }

    #[test]
    fn the_other_list_has_its_own_words() {
        assert!(is_bip39("abandon") && !is_bip39("aba") && !is_bip39("amaze"));
        assert_eq!(complete_bip39("aban").collect::<Vec<_>>(), ["abandon"]);
        assert_eq!(suggest_bip39("abandn").first(), Some(&"abandon"));
        assert!(suggest_bip39("").is_empty());
    }

    #[test]
    fn distance_counts_single_slips_once() {
        assert_eq!(
            [distance("tiger", "tiger"), distance("tigre", "tiger"), distance("tigr", "tiger")],
            [0, 1, 1]
        );
        assert_eq!(
            [distance("abc", "xbc"), distance("abc", "xyz"), distance("a", "abcd")],
            [1, 3, usize::MAX]
        );
    }
}
