//! Accounts: every phrase, spelling and mistake of spec 01 §14.

use data_encoding::HEXLOWER;
use septet_protocol::account::{RecoveryError, Seed, parse_recovery};

use crate::{array, load, text};

#[test]
fn seeds_give_the_keys_and_phrases_written_down() {
    for case in load("account")["valid"].as_array().unwrap() {
        let seed = Seed::from_bytes(array(case, "seed_hex"));
        assert_eq!(*seed.to_hex(), text(case, "seed_hex"));
        assert_eq!(*seed.to_phrase(), text(case, "recovery_phrase"));
        assert_eq!(*seed.to_bip39(), text(case, "bip39_english"));
        let keys = seed.keys();
        assert_eq!(HEXLOWER.encode(keys.ed25519.seed()), text(case, "padded_seed_hex"));
        assert_eq!(keys.ed25519.public().to_string(), text(case, "ed25519_pk"));
        assert_eq!(HEXLOWER.encode(&*keys.x25519.to_bytes()), text(case, "x25519_sk"));
        assert_eq!(keys.x25519.public().to_string(), text(case, "x25519_pk"));
        assert_eq!(keys.session_id.to_string(), text(case, "session_id"));
        for spelling in ["seed_hex", "recovery_phrase", "bip39_english"] {
            assert_eq!(parse_recovery(text(case, spelling)).unwrap().as_bytes(), seed.as_bytes());
        }
    }
}

#[test]
fn every_accepted_variant_is_accepted() {
    for case in load("account")["accepted_variants"].as_array().unwrap() {
        let seed = parse_recovery(text(case, "input")).unwrap();
        assert_eq!(*seed.to_hex(), text(case, "seed_hex"), "{}", text(case, "note"));
    }
}

#[test]
fn every_mistake_is_named() {
    for case in load("account")["invalid"].as_array().unwrap() {
        let error = parse_recovery(text(case, "input")).err().unwrap();
        let name = match error {
            RecoveryError::NotEnoughWords { .. } => "NotEnoughWords",
            RecoveryError::TooManyWords { .. } => "TooManyWords",
            RecoveryError::InvalidWord { .. } => "InvalidWord",
            RecoveryError::ChecksumMismatch => "ChecksumMismatch",
            RecoveryError::DecodingFailed => "DecodingFailed",
            RecoveryError::Bip39ChecksumMismatch => "Bip39ChecksumMismatch",
            RecoveryError::HexLength => "HexLength",
            RecoveryError::LooksLikeAccountId => "LooksLikeAccountId",
        };
        assert_eq!(name, text(case, "error"), "{}", text(case, "note"));
    }
}
