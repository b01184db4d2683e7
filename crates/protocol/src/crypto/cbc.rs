//! AES-256-CBC with PKCS#7 padding: the cipher of old attachments (spec 04 §5). It authenticates nothing; the
//! attachment format adds an HMAC.

use aes::Aes256;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};

use super::OpenError;

/// Encrypts; the output is a multiple of 16 bytes, at least one byte longer than the input.
pub fn aes256_cbc_encrypt(key: &[u8; 32], iv: &[u8; 16], plaintext: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_padded_vec::<Pkcs7>(plaintext)
}

/// Decrypts and takes the padding off.
pub fn aes256_cbc_decrypt(key: &[u8; 32], iv: &[u8; 16], ciphertext: &[u8]) -> Result<Vec<u8>, OpenError> {
    cbc::Decryptor::<Aes256>::new(key.into(), iv.into())
        .decrypt_padded_vec::<Pkcs7>(ciphertext)
        .map_err(|_| OpenError)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// First block of NIST SP 800-38A, F.2.5.
    #[test]
    fn agrees_with_the_standard() {
        let key = data_encoding::HEXLOWER
            .decode(b"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
            .unwrap();
        let iv: [u8; 16] = std::array::from_fn(|i| i as u8);
        let block = data_encoding::HEXLOWER.decode(b"6bc1bee22e409f96e93d7e117393172a").unwrap();
        let out = aes256_cbc_encrypt(&key.try_into().unwrap(), &iv, &block);
        assert_eq!(data_encoding::HEXLOWER.encode(&out[..16]), "f58c4c04d6e5f1ba779eabfb5f7bfbd6");
    }

    proptest! {
        #[test]
        fn opens_again(key: [u8; 32], iv: [u8; 16], message: Vec<u8>) {
            let sealed = aes256_cbc_encrypt(&key, &iv, &message);
            prop_assert_eq!(sealed.len() % 16, 0);
            prop_assert_eq!(aes256_cbc_decrypt(&key, &iv, &sealed).unwrap(), message);
        }

        #[test]
        fn nothing_panics_on_foreign_bytes(bytes: Vec<u8>) {
            let _ = aes256_cbc_decrypt(&[1; 32], &[2; 16], &bytes);
        }
    }
}
