//! Authenticated encryption: XChaCha20-Poly1305, AES-256-GCM, and opening of XSalsa20-Poly1305.
//!
//! XChaCha20-Poly1305 is put together from libsodium's HChaCha20 and *ring*'s ChaCha20-Poly1305, which is about twice
//! as fast as libsodium's own; a test holds both against each other. The `…_in_place` forms encrypt where the bytes
//! already lie; onion requests use them to add layer after layer without copying.

use ring::aead::{AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::{OpenError, sodium};

/// Bytes of the tag all these ciphers append.
pub const TAG: usize = 16;
/// Bytes of an AES-GCM nonce.
pub const AES_GCM_NONCE: usize = 12;
/// Bytes of an XChaCha20 nonce.
pub const XCHACHA_NONCE: usize = 24;

/// Encrypts with XChaCha20-Poly1305 (IETF), no additional data. Output: ciphertext, then the 16-byte tag.
pub fn xchacha_encrypt(key: &[u8; 32], nonce: &[u8; 24], plaintext: &[u8]) -> Vec<u8> {
    with_tag(plaintext, |data| xchacha_seal_in_place(key, nonce, data))
}

/// Opens what [`xchacha_encrypt`] made.
pub fn xchacha_decrypt(key: &[u8; 32], nonce: &[u8; 24], ciphertext: &[u8]) -> Result<Vec<u8>, OpenError> {
    let mut data = ciphertext.to_vec();
    let length = xchacha_open_in_place(key, nonce, &mut data)?.len();
    data.truncate(length);
    Ok(data)
}

/// Encrypts in place and returns the tag.
pub fn xchacha_seal_in_place(key: &[u8; 32], nonce: &[u8; 24], data: &mut [u8]) -> [u8; TAG] {
    let (subkey, nonce) = xchacha_subkey(key, nonce);
    seal(&CHACHA20_POLY1305, &subkey, nonce, data)
}

/// Opens `ciphertext ‖ tag` in place; returns the plaintext, which lies at the start of `data`.
pub fn xchacha_open_in_place<'a>(
    key: &[u8; 32],
    nonce: &[u8; 24],
    data: &'a mut [u8],
) -> Result<&'a mut [u8], OpenError> {
    let (subkey, nonce) = xchacha_subkey(key, nonce);
    open(&CHACHA20_POLY1305, &subkey, nonce, data)
}

/// Encrypts with AES-256-GCM, no additional data. Output: ciphertext, then the 16-byte tag.
pub fn aes256_gcm_encrypt(key: &[u8; 32], nonce: &[u8; 12], plaintext: &[u8]) -> Vec<u8> {
    with_tag(plaintext, |data| aes256_gcm_seal_in_place(key, nonce, data))
}

/// Opens what [`aes256_gcm_encrypt`] made.
pub fn aes256_gcm_decrypt(key: &[u8; 32], nonce: &[u8; 12], ciphertext: &[u8]) -> Result<Vec<u8>, OpenError> {
    let mut data = ciphertext.to_vec();
    let length = aes256_gcm_open_in_place(key, nonce, &mut data)?.len();
    data.truncate(length);
    Ok(data)
}

/// Encrypts in place and returns the tag.
pub fn aes256_gcm_seal_in_place(key: &[u8; 32], nonce: &[u8; 12], data: &mut [u8]) -> [u8; TAG] {
    seal(&AES_256_GCM, key, *nonce, data)
}

/// Opens `ciphertext ‖ tag` in place; returns the plaintext, which lies at the start of `data`.
pub fn aes256_gcm_open_in_place<'a>(
    key: &[u8; 32],
    nonce: &[u8; 12],
    data: &'a mut [u8],
) -> Result<&'a mut [u8], OpenError> {
    open(&AES_256_GCM, key, *nonce, data)
}

/// Opens a NaCl `secretbox` (XSalsa20-Poly1305): the 16-byte tag, then the ciphertext.
pub fn secretbox_open(key: &[u8; 32], nonce: &[u8; 24], boxed: &[u8]) -> Result<Vec<u8>, OpenError> {
    let (tag, ciphertext) = boxed.split_first_chunk::<TAG>().ok_or(OpenError)?;
    let mut data = ciphertext.to_vec();
    sodium::secretbox_open(key, nonce, &mut data, tag)?;
    Ok(data)
}

fn with_tag(plaintext: &[u8], seal: impl FnOnce(&mut [u8]) -> [u8; TAG]) -> Vec<u8> {
    let mut out = Vec::with_capacity(plaintext.len() + TAG);
    out.extend_from_slice(plaintext);
    let tag = seal(&mut out);
    out.extend_from_slice(&tag);
    out
}

/// The first 16 bytes of the nonce make a key of their own; the other 8 are left as the nonce.
fn xchacha_subkey(key: &[u8; 32], nonce: &[u8; 24]) -> (Zeroizing<[u8; 32]>, [u8; 12]) {
    let mut subkey = Zeroizing::new([0; 32]);
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, rest @ ..] = *nonce;
    sodium::hchacha20(key, &[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p], &mut subkey);
    let [q, r, s, t, u, v, w, x] = rest;
    (subkey, [0, 0, 0, 0, q, r, s, t, u, v, w, x])
}

fn cipher(algorithm: &'static Algorithm, key: &[u8; 32]) -> LessSafeKey {
    match UnboundKey::new(algorithm, key) {
        Ok(key) => LessSafeKey::new(key),
        // ring refuses nothing but another length of key, and both ciphers have keys of 32 bytes.
        Err(_) => unreachable!("both ciphers have keys of 32 bytes"),
    }
}

fn seal(algorithm: &'static Algorithm, key: &[u8; 32], nonce: [u8; 12], data: &mut [u8]) -> [u8; TAG] {
    let sealed = cipher(algorithm, key).seal_in_place_separate_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::empty(),
        data,
    );
    let mut out = [0; TAG];
    match sealed {
        Ok(tag) => out.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from),
        // ring refuses nothing but messages of 64 GB and more.
        Err(_) => unreachable!("messages are far below the ciphers' limit"),
    }
    out
}

fn open<'a>(
    algorithm: &'static Algorithm,
    key: &[u8; 32],
    nonce: [u8; 12],
    data: &'a mut [u8],
) -> Result<&'a mut [u8], OpenError> {
    cipher(algorithm, key)
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), data)
        .map_err(|_| OpenError)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn xchacha_agrees_with_libsodium_and_opens_again(key: [u8; 32], nonce: [u8; 24], message: Vec<u8>) {
            let sealed = xchacha_encrypt(&key, &nonce, &message);
            prop_assert_eq!(&sealed, &sodium::other::xchacha_encrypt(&key, &nonce, &message));
            prop_assert_eq!(xchacha_decrypt(&key, &nonce, &sealed).unwrap(), message);
        }

        #[test]
        fn gcm_opens_again_and_notices_a_changed_bit(key: [u8; 32], nonce: [u8; 12], message: Vec<u8>, at: usize) {
            let mut sealed = aes256_gcm_encrypt(&key, &nonce, &message);
            prop_assert_eq!(aes256_gcm_decrypt(&key, &nonce, &sealed).unwrap(), message);
            let at = at % sealed.len();
            sealed[at] ^= 1;
            prop_assert_eq!(aes256_gcm_decrypt(&key, &nonce, &sealed), Err(OpenError));
        }

        #[test]
        fn nothing_panics_on_foreign_bytes(bytes: Vec<u8>) {
            prop_assert!(xchacha_decrypt(&[1; 32], &[2; 24], &bytes).is_err());
            prop_assert!(aes256_gcm_decrypt(&[1; 32], &[2; 12], &bytes).is_err());
            prop_assert!(secretbox_open(&[1; 32], &[2; 24], &bytes).is_err());
        }
    }
}
