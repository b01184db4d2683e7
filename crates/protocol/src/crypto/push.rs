//! Payloads of push notifications: `nonce(24) ‖ XChaCha20-Poly1305`, padded with zeros.
//!
//! A desktop gets none. It is here because the official core has it: the conformance example answers the core's cases
//! about it like all others.

use super::{OpenError, xchacha_decrypt};

/// Opens a payload with the key the device gave to the notification server, and takes the padding off.
///
/// Zeros at the end are padding, so a text that itself ends in zeros loses them; a payload of nothing but zeros is
/// left as it is. That is how every client reads them.
pub fn decrypt_push_notification(payload: &[u8], key: &[u8; 32]) -> Result<Vec<u8>, OpenError> {
    let (nonce, ciphertext) = payload.split_first_chunk::<24>().ok_or(OpenError)?;
    let mut plain = xchacha_decrypt(key, nonce, ciphertext)?;
    if let Some(last) = plain.iter().rposition(|&byte| byte != 0) {
        plain.truncate(last + 1);
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::xchacha_encrypt;

    #[test]
    fn padding_is_taken_off_and_short_payloads_are_refused() {
        let key = [1; 32];
        let payload = |plain: &[u8]| [&[2; 24][..], &xchacha_encrypt(&key, &[2; 24], plain)].concat();
        assert_eq!(decrypt_push_notification(&payload(b"text\0\0\0"), &key).unwrap(), b"text");
        assert_eq!(decrypt_push_notification(&payload(b"\0\0"), &key).unwrap(), b"\0\0");
        assert_eq!(decrypt_push_notification(&payload(b""), &key).unwrap(), b"");
        assert_eq!(decrypt_push_notification(&[0; 39], &key), Err(OpenError));
    }
}
