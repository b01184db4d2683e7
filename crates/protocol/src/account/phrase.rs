//! The 13-word recovery password (spec 01 §3): 12 words that carry the seed, three for each 4 bytes, and a checksum
//! word.

use zeroize::Zeroizing;

use super::recovery_error::RecoveryError;
use super::words::{COUNT, PREFIX, WORDS, value};

/// Words in a phrase, with the checksum word.
pub(super) const LENGTH: usize = 13;
const N: u64 = COUNT as u64;

/// The phrase of a seed.
pub(super) fn encode(seed: &[u8; 16]) -> Zeroizing<String> {
    let mut words: Vec<&str> = Vec::with_capacity(LENGTH);
    for group in seed.as_chunks::<4>().0 {
        let x = u64::from(u32::from_le_bytes(*group));
        let first = x % N;
        let second = (x / N + first) % N;
        let third = (x / N / N + second) % N;
        words.extend([first, second, third].iter().filter_map(|&value| WORDS.get(value as usize)));
    }
    let place = checksum_place(&words);
    words.extend(words.get(place).copied());
    Zeroizing::new(words.join(" "))
}

/// The seed of a phrase, given as its words in lower case.
pub(super) fn decode(words: &[&str]) -> Result<Zeroizing<[u8; 16]>, RecoveryError> {
    match words.len() {
        found if found < LENGTH => return Err(RecoveryError::NotEnoughWords { found }),
        LENGTH => {}
        found => return Err(RecoveryError::TooManyWords { found }),
    }
    let mut values = Zeroizing::new(Vec::with_capacity(LENGTH));
    for (index, word) in words.iter().enumerate() {
        values.push(value(word).ok_or(RecoveryError::InvalidWord { position: index + 1 })? as u64);
    }
    let mut seed = Zeroizing::new([0; 16]);
    for (group, triple) in seed.as_chunks_mut::<4>().0.iter_mut().zip(values.as_chunks::<3>().0) {
        let [a, b, c] = *triple;
        let x = a + N * ((N - a + b) % N) + N * N * ((N - b + c) % N);
        *group = u32::try_from(x).map_err(|_| RecoveryError::DecodingFailed)?.to_le_bytes();
    }
    let place = checksum_place(words.get(..LENGTH - 1).unwrap_or_default());
    if values.get(place) != values.last() {
        return Err(RecoveryError::ChecksumMismatch);
    }
    Ok(seed)
}

/// Which of the 12 words is repeated as the 13th: CRC-32 of their first three letters, modulo 12.
fn checksum_place(words: &[&str]) -> usize {
    let mut crc = crc32fast::Hasher::new();
    for word in words {
        crc.update(word.as_bytes().get(..PREFIX).unwrap_or_default());
    }
    crc.finalize() as usize % (LENGTH - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_seed_has_a_phrase_that_leads_back(seed: [u8; 16]) {
            let phrase = encode(&seed);
            let words: Vec<&str> = phrase.split(' ').collect();
            prop_assert_eq!(words.len(), LENGTH);
            prop_assert_eq!(*decode(&words).unwrap(), seed);
            let short: Vec<&str> = words.iter().map(|word| &word[..PREFIX]).collect();
            prop_assert_eq!(*decode(&short).unwrap(), seed);
        }
    }

    /// The worked example of spec 01 §3.2.
    #[test]
    fn the_worked_example_comes_out() {
        let seed: [u8; 16] = std::array::from_fn(|i| i as u8);
        let phrase = "amaze buffet cake entrance symptoms tiger lamb maze nestle python dusted faxed faxed";
        assert_eq!(*encode(&seed), phrase);
    }
}
