//! The attachment encryption of before August 2026: padded, AES-256-CBC, HMAC-SHA256, and a digest in the message
//! (spec 04 §5). It is read for ever; it is written by tests alone.
//!
//! Uploaded are `IV (16) ‖ ciphertext ‖ HMAC (32)`. The padding hides the exact size in steps of 5 %; the true size
//! stands in the message.

use super::{FileOpenError, Key, MAX_FILE_BYTES, SizeError, check_encrypted_size, check_size};
use crate::crypto::{Random, aes256_cbc_decrypt, aes256_cbc_encrypt, constant_time_eq, hmac_sha256, sha256};

/// Bytes of the initialisation vector in front.
const IV: usize = 16;
/// Bytes of the HMAC at the end.
const MAC: usize = 32;
/// Every file is padded to at least so many bytes.
const MIN_PADDED: usize = 541;

/// An encrypted file as older clients uploaded it, with what its message has to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// What to upload.
    pub blob: Vec<u8>,
    /// AES key (32 bytes), then HMAC key (32 bytes).
    pub key: Key<64>,
    /// SHA-256 of `blob`.
    pub digest: [u8; 32],
    /// Bytes of the plain file.
    pub size: usize,
}

/// The size a file of `size` bytes is padded to: the next step of a ladder whose steps grow by 5 %.
pub fn padded_size(size: usize) -> usize {
    if size >= MAX_FILE_BYTES {
        return size;
    }
    let step = (size.max(1) as f64).ln() / 1.05_f64.ln();
    let target = 1.05_f64.powf(step.ceil()).floor() as usize;
    // A step computed a hair too low must not cut the file.
    target.clamp(MIN_PADDED, MAX_FILE_BYTES).max(size)
}

/// Encrypts a file under a fresh key. Draws the key (64 bytes), then the IV (16).
pub fn encrypt(plain: &[u8], rng: &mut impl Random) -> Result<Encrypted, SizeError> {
    check_size(plain.len())?;
    let mut padded = Vec::with_capacity(padded_size(plain.len()));
    padded.extend_from_slice(plain);
    padded.resize(padded_size(plain.len()), 0);
    Ok(seal(&padded, plain.len(), rng))
}

/// Encrypts a small picture without padding, as link previews are (spec 04 §5). Draws as [`encrypt`].
pub fn encrypt_unpadded(plain: &[u8], rng: &mut impl Random) -> Result<Encrypted, SizeError> {
    check_size(plain.len())?;
    Ok(seal(plain, plain.len(), rng))
}

fn seal(padded: &[u8], size: usize, rng: &mut impl Random) -> Encrypted {
    let key = Key::new(rng.array::<64>());
    let iv = rng.array::<IV>();
    let (aes, mac) = halves(&key);
    let ciphertext = aes256_cbc_encrypt(aes, &iv, padded);
    let mut blob = Vec::with_capacity(IV + ciphertext.len() + MAC);
    blob.extend_from_slice(&iv);
    blob.extend_from_slice(&ciphertext);
    let tag = hmac_sha256(mac, &[&blob]);
    blob.extend_from_slice(&tag);
    let digest = sha256(&[&blob]);
    Encrypted { blob, key, digest, size }
}

/// Checks and decrypts a downloaded file. `size` is what its message says; longer ones are cut to it. A size of 0 (or
/// none) means that the sender did not say: then the whole is kept, unless it is nothing but zeros.
pub fn decrypt(blob: &[u8], key: &Key<64>, digest: &[u8; 32], size: usize) -> Result<Vec<u8>, FileOpenError> {
    check_encrypted_size(blob)?;
    let (aes, mac) = halves(key);
    let (signed, tag) = blob.split_last_chunk::<MAC>().ok_or(FileOpenError::Damaged)?;
    let (iv, ciphertext) = signed.split_first_chunk::<IV>().ok_or(FileOpenError::Damaged)?;
    let authentic = constant_time_eq(&hmac_sha256(mac, &[signed]), tag);
    if !authentic || !constant_time_eq(&sha256(&[blob]), digest) {
        return Err(FileOpenError::Damaged);
    }
    let mut plain = aes256_cbc_decrypt(aes, iv, ciphertext)?;
    match size {
        0 if plain.iter().all(|byte| *byte == 0) => plain.clear(),
        0 => {}
        _ if plain.len() < size => return Err(FileOpenError::TooShort),
        _ => plain.truncate(size),
    }
    Ok(plain)
}

/// The AES key and the HMAC key.
fn halves(key: &Key<64>) -> (&[u8; 32], &[u8; 32]) {
    let (halves, _) = key.as_bytes().as_chunks::<32>();
    match halves {
        [aes, mac] => (aes, mac),
        _ => unreachable!("64 bytes are two times 32"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemRandom;
    use proptest::prelude::*;

    #[test]
    fn the_padding_never_cuts_and_never_adds_more_than_5_percent() {
        for size in (1..100_000).step_by(7).chain((100_000..=MAX_FILE_BYTES).step_by(9_973)) {
            let padded = padded_size(size);
            assert!(padded >= size && padded <= MAX_FILE_BYTES, "{size} → {padded}");
            assert!(padded == MIN_PADDED || padded as f64 <= size as f64 * 1.05 + 1.0, "{size} → {padded}");
        }
        assert_eq!(padded_size(MAX_FILE_BYTES), MAX_FILE_BYTES);
    }

    #[test]
    fn the_largest_file_fits_and_one_byte_more_does_not() {
        let plain = vec![3; MAX_FILE_BYTES];
        let sealed = encrypt(&plain, &mut SystemRandom).unwrap();
        assert_eq!(sealed.blob.len(), 16 + 10_000_016 + 32);
        assert_eq!(decrypt(&sealed.blob, &sealed.key, &sealed.digest, sealed.size).unwrap(), plain);
        let too_large = encrypt(&vec![3; MAX_FILE_BYTES + 1], &mut SystemRandom);
        assert_eq!(too_large.unwrap_err(), SizeError::TooLarge { size: MAX_FILE_BYTES + 1 });
        assert_eq!(encrypt(&[], &mut SystemRandom).unwrap_err(), SizeError::Empty);
    }

    #[test]
    fn an_untold_size_keeps_everything_but_zeros() {
        let sealed = encrypt(b"x", &mut SystemRandom).unwrap();
        assert_eq!(decrypt(&sealed.blob, &sealed.key, &sealed.digest, 0).unwrap().len(), MIN_PADDED);
        let zeros = encrypt(&[0; 9], &mut SystemRandom).unwrap();
        assert!(decrypt(&zeros.blob, &zeros.key, &zeros.digest, 0).unwrap().is_empty());
        let size = MIN_PADDED + 1;
        assert_eq!(decrypt(&sealed.blob, &sealed.key, &sealed.digest, size), Err(FileOpenError::TooShort));
    }

    proptest! {
        #[test]
        fn opens_again_and_notices_a_changed_bit(
            plain in proptest::collection::vec(any::<u8>(), 1..2000), at: usize, padded: bool,
        ) {
            let encrypt = |plain: &[u8]| match padded {
                true => encrypt(plain, &mut SystemRandom),
                false => encrypt_unpadded(plain, &mut SystemRandom),
            };
            let mut sealed = encrypt(&plain).unwrap();
            let opened = decrypt(&sealed.blob, &sealed.key, &sealed.digest, sealed.size).unwrap();
            prop_assert_eq!(opened, plain);
            let at = at % sealed.blob.len();
            sealed.blob[at] ^= 1;
            // Even with a digest that fits: the HMAC must notice by itself.
            let digest = sha256(&[&sealed.blob]);
            prop_assert_eq!(decrypt(&sealed.blob, &sealed.key, &digest, 1), Err(FileOpenError::Damaged));
        }

        #[test]
        fn nothing_panics_on_foreign_bytes(blob: Vec<u8>, size: usize) {
            prop_assert!(decrypt(&blob, &Key::new([1; 64]), &[2; 32], size).is_err());
        }
    }
}
