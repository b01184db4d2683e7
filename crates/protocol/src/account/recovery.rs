//! Reading what a person types to restore an account: a 13-word phrase, a BIP-39 sentence, or hexadecimal digits
//! (spec 01 §6). Which of the three it is shows from the text itself.

use bip39::{Language, Mnemonic};
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::recovery_error::RecoveryError;
use super::{Seed, phrase};

/// Reads a recovery password in any of its forms. Case, punctuation, extra white space and the numbers of a list do not
/// matter, and of each word of a 13-word phrase only the first three letters do.
pub fn parse_recovery(input: &str) -> Result<Seed, RecoveryError> {
    let text = normalised(input);
    let tokens: Vec<&str> = text.split(' ').filter(|token| !token.is_empty()).collect();
    match without_numbering(&tokens).as_slice() {
        [token] if token.len() >= 16 && token.bytes().all(|byte| byte.is_ascii_hexdigit()) => from_hex(token),
        sentence if is_bip39(sentence) => from_bip39(sentence),
        words => phrase::decode(words).map(|seed| Seed(*seed)),
    }
}

/// Lower case, with one space for every run of anything but letters and digits (spec 01 §6.1).
fn normalised(input: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(input.len()));
    for letter in input.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_lowercase() || letter.is_ascii_digit() {
            out.push(letter);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out
}

/// Leaves out numbers that count up from 1, each in front of one word, as people write phrases down (spec 01 §6.1).
/// Anything else stays as it is; no word is a number.
fn without_numbering<'a>(tokens: &[&'a str]) -> Vec<&'a str> {
    let is_word = |token: &str| token.bytes().all(|byte| byte.is_ascii_lowercase());
    let (pairs, rest) = tokens.as_chunks::<2>();
    let numbered =
        |(place, [number, word]): (usize, &[&str; 2])| number.parse() == Ok(place + 1) && is_word(word);
    match rest.is_empty() && pairs.iter().enumerate().all(numbered) {
        true => pairs.iter().map(|[_, word]| *word).collect(),
        false => tokens.to_vec(),
    }
}

/// 32 digits; or 64 of which the second half is zeros, as some tools show the seed.
fn from_hex(digits: &str) -> Result<Seed, RecoveryError> {
    let digits = match digits.len() {
        32 => digits,
        64 => digits.strip_suffix(&"0".repeat(32)).ok_or(RecoveryError::HexLength)?,
        66 if digits.starts_with("05") => return Err(RecoveryError::LooksLikeAccountId),
        _ => return Err(RecoveryError::HexLength),
    };
    let mut seed = Zeroizing::new([0; 16]);
    match HEXLOWER.decode_mut(digits.as_bytes(), &mut *seed) {
        Ok(_) => Ok(Seed(*seed)),
        Err(_) => Err(RecoveryError::HexLength),
    }
}

fn is_bip39(words: &[&str]) -> bool {
    words.len() == 12 && words.iter().all(|word| Language::English.find_word(word).is_some())
}

fn from_bip39(words: &[&str]) -> Result<Seed, RecoveryError> {
    let sentence = Zeroizing::new(words.join(" "));
    let mnemonic = Mnemonic::parse_in_normalized(Language::English, &sentence)
        .map_err(|_| RecoveryError::Bip39ChecksumMismatch)?;
    let entropy = Zeroizing::new(mnemonic.to_entropy());
    // Twelve words are always 16 bytes.
    let seed = <[u8; 16]>::try_from(entropy.as_slice()).map_err(|_| RecoveryError::Bip39ChecksumMismatch)?;
    Ok(Seed(seed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(input: &str) -> RecoveryError {
        parse_recovery(input).err().unwrap()
    }

    #[test]
    fn hexadecimal_forms_are_told_apart() {
        let digits = "000102030405060708090a0b0c0d0e0f";
        let seed: [u8; 16] = std::array::from_fn(|i| i as u8);
        assert_eq!(parse_recovery(&digits.to_uppercase()).unwrap().0, seed);
        assert_eq!(parse_recovery(&format!("{digits}{}", "0".repeat(32))).unwrap().0, seed);
        assert_eq!(error(&digits.repeat(2)), RecoveryError::HexLength);
        assert_eq!(error(&digits[1..]), RecoveryError::HexLength);
        assert_eq!(error(&format!("05{}", digits.repeat(2))), RecoveryError::LooksLikeAccountId);
        assert_eq!(error(&format!("03{}", digits.repeat(2))), RecoveryError::HexLength);
        // Fifteen hexadecimal letters could still be the beginning of a phrase.
        assert_eq!(error("abcdefabcdefabc"), RecoveryError::NotEnoughWords { found: 1 });
    }

    #[test]
    fn the_sentences_say_what_to_do() {
        assert_eq!(
            error("amaze buffet").to_string(),
            "a recovery password has 13 words, but there are 2 words here; check that none is missing"
        );
        assert!(error("").to_string().contains("there are no words"));
        assert!(error("amaze").to_string().contains("there is 1 word here"));
        let wrong = "amaze buffet cake xylophone symptoms tiger lamb maze nestle python dusted faxed faxed";
        assert!(error(wrong).to_string().starts_with("word 4 is not"));
    }

    #[test]
    fn a_numbered_list_is_a_phrase() {
        let seed = Seed::from_bytes([7; 16]);
        for (text, separator) in
            [(seed.to_phrase(), ". "), (seed.to_phrase(), ")\t"), (seed.to_bip39(), " – ")]
        {
            let number = |(place, word): (usize, &str)| format!("  {}{separator}{word}\r\n", place + 1);
            let list: String = text.split(' ').enumerate().map(number).collect();
            assert_eq!(parse_recovery(&list).unwrap().0, seed.0, "{list}");
        }
        let glued: String = seed
            .to_phrase()
            .split(' ')
            .enumerate()
            .map(|(place, word)| format!("{:02}.{word} ", place + 1))
            .collect();
        assert_eq!(parse_recovery(&glued).unwrap().0, seed.0);
    }

    #[test]
    fn numbers_that_do_not_count_the_words_are_not_left_out() {
        assert_eq!(error("1. amaze 3. buffet"), RecoveryError::NotEnoughWords { found: 4 });
        assert_eq!(error("1 amaze 2"), RecoveryError::NotEnoughWords { found: 3 });
        assert_eq!(error("1 2"), RecoveryError::NotEnoughWords { found: 2 });
        assert_eq!(error("1. amaze 2. buffet"), RecoveryError::NotEnoughWords { found: 2 });
    }

    proptest! {
        #[test]
        fn every_spelling_leads_back_to_the_seed(bytes: [u8; 16]) {
            let seed = Seed::from_bytes(bytes);
            for text in [seed.to_phrase(), seed.to_bip39(), seed.to_hex()] {
                prop_assert_eq!(parse_recovery(&text).unwrap().0, bytes);
                let noisy = text.to_uppercase().replace(' ', ",\u{a0}\n");
                prop_assert_eq!(parse_recovery(&noisy).unwrap().0, bytes);
            }
        }

        #[test]
        fn nothing_panics_on_any_text(text: String) {
            let _ = parse_recovery(&text);
        }

        #[test]
        fn nothing_panics_on_any_words(places in proptest::collection::vec(0usize..1626, 11..15)) {
            let words: Vec<&str> = places.iter().map(|&place| crate::account::words::WORDS[place]).collect();
            let _ = parse_recovery(&words.join(" "));
        }
    }
}
