//! Why a text is not a recovery password, in sentences for people.

/// Why a text is not a recovery password. The sentences are for people and never repeat what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryError {
    /// Fewer than 13 words, and no BIP-39 sentence.
    #[error("a recovery password has 13 words, but there {} here; check that none is missing", words(*.found))]
    NotEnoughWords {
        /// How many words were given.
        found: usize,
    },
    /// More than 13 words.
    #[error("a recovery password has 13 words, but there {} here; longer phrases belong to other programs", words(*.found))]
    TooManyWords {
        /// How many words were given.
        found: usize,
    },
    /// A word that is not in the list.
    #[error("word {position} is not a word that recovery passwords use; check its spelling")]
    InvalidWord {
        /// Which word, counted from 1.
        position: usize,
    },
    /// All words are known, but they do not belong together.
    #[error("the words are known, but one of them is wrong or they are in another order")]
    ChecksumMismatch,
    /// Three words that no client ever writes together.
    #[error("these words cannot stand together in a recovery password; check each of them")]
    DecodingFailed,
    /// Twelve BIP-39 words that do not belong together.
    #[error("these are 12 BIP-39 words, but one of them is wrong or they are in another order")]
    Bip39ChecksumMismatch,
    /// Hexadecimal digits, but not 32 of them.
    #[error("a recovery key in hexadecimal form has 32 digits")]
    HexLength,
    /// An account id was entered.
    #[error("this is an Account ID, which anyone may know; restoring needs the recovery password")]
    LooksLikeAccountId,
}

/// "are 7 words", "is 1 word", "are no words".
fn words(found: usize) -> String {
    match found {
        0 => "are no words".into(),
        1 => "is 1 word".into(),
        _ => format!("are {found} words"),
    }
}
