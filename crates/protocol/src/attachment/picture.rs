//! Display pictures, of people and of groups (spec 04 §6, §7).
//!
//! New ones are encrypted as all files are ([`super::encrypt`]). Older ones have a format of their own, `nonce (12) ‖
//! AES-256-GCM ciphertext ‖ tag (16)`, not padded; they stay readable as long as a server has them. The address tells
//! which it is.

use super::{FileOpenError, FileUrl, Key, SizeError, check_encrypted_size, check_size, deterministic};
use crate::crypto::{AES_GCM_NONCE, Random, aes256_gcm_decrypt, aes256_gcm_encrypt};

/// Encrypts a picture in the old format, which nobody sends any more; for tests of reading it. Draws the nonce
/// (12 bytes).
pub fn encrypt(plain: &[u8], key: &Key<32>, rng: &mut impl Random) -> Result<Vec<u8>, SizeError> {
    check_size(plain.len())?;
    let nonce = rng.array::<AES_GCM_NONCE>();
    let mut blob = nonce.to_vec();
    blob.append(&mut aes256_gcm_encrypt(key.as_bytes(), &nonce, plain));
    Ok(blob)
}

/// Decrypts a picture that was downloaded from `url`. An address that lost its `d` on the way does not cost the picture
/// (spec 09 §2.2).
pub fn decrypt(blob: &[u8], key: &Key<32>, url: &FileUrl) -> Result<Vec<u8>, FileOpenError> {
    let stream = deterministic::decrypt(blob, key);
    if url.is_deterministic() || stream.is_ok() {
        return stream;
    }
    check_encrypted_size(blob)?;
    let (nonce, ciphertext) = blob.split_first_chunk::<AES_GCM_NONCE>().ok_or(FileOpenError::Damaged)?;
    Ok(aes256_gcm_decrypt(key.as_bytes(), nonce, ciphertext)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Ed25519Secret, SystemRandom};
    use proptest::prelude::*;

    fn url(fragment: &str) -> FileUrl {
        format!("http://filev2.getsession.org/file/1{fragment}").parse().unwrap()
    }

    #[test]
    fn the_address_decides_the_format() {
        let account = Ed25519Secret::from_seed([7; 32]);
        let (blob, key) =
            deterministic::encrypt(b"picture", &account, deterministic::Domain::ProfilePicture).unwrap();
        assert_eq!(decrypt(&blob, &key, &url("#d")).unwrap(), b"picture");
        assert_eq!(decrypt(&blob, &key, &url("")).unwrap(), b"picture", "a lost mark");
        let old = encrypt(b"picture", &key, &mut SystemRandom).unwrap();
        assert_eq!(decrypt(&old, &key, &url("")).unwrap(), b"picture");
        assert_eq!(decrypt(&old, &key, &url("#d")), Err(FileOpenError::Damaged));
        assert_eq!(encrypt(b"", &key, &mut SystemRandom), Err(SizeError::Empty));
    }

    proptest! {
        #[test]
        fn opens_again_and_notices_a_changed_bit(
            plain in proptest::collection::vec(any::<u8>(), 1..2000), key: [u8; 32], at: usize,
        ) {
            let key = Key::new(key);
            let mut blob = encrypt(&plain, &key, &mut SystemRandom).unwrap();
            prop_assert_eq!(decrypt(&blob, &key, &url("")).unwrap(), plain);
            let at = at % blob.len();
            blob[at] ^= 1;
            prop_assert_eq!(decrypt(&blob, &key, &url("")), Err(FileOpenError::Damaged));
        }

        #[test]
        fn nothing_panics_on_foreign_bytes(blob: Vec<u8>, deterministic: bool) {
            let url = url(if deterministic { "#d" } else { "" });
            prop_assert!(decrypt(&blob, &Key::new([1; 32]), &url).is_err());
        }
    }
}
