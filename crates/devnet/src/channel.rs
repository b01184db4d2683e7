//! The layers of an onion request, seen from the side that opens them (spec 03 §6.1, §6.2).
//!
//! Decision: the servers' half is written on the bare ciphers, not on the client's onion code: a mistake in one half
//! cannot hide behind the same mistake in the other.

use septet_protocol::crypto::{
    AES_GCM_NONCE, Random, SystemRandom, X25519Secret, XCHACHA_NONCE, aes256_cbc_decrypt, aes256_cbc_encrypt,
    aes256_gcm_decrypt, aes256_gcm_encrypt, blake2b, hmac_sha256, xchacha_decrypt, xchacha_encrypt,
};
use septet_protocol::id::X25519Public;
use serde_json::{Map, Value};

/// How a layer is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum EncType {
    #[default]
    AesGcm,
    XChaCha20,
    AesCbc,
}

impl EncType {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "aes-gcm" | "gcm" => Some(Self::AesGcm),
            "xchacha20" | "xchacha20-poly1305" => Some(Self::XChaCha20),
            "aes-cbc" | "cbc" => Some(Self::AesCbc),
            _ => None,
        }
    }
}

/// The key of one layer: opens the request and encrypts the reply to it.
#[derive(Clone)]
pub(crate) struct LayerKey {
    enc_type: EncType,
    key: [u8; 32],
}

impl LayerKey {
    /// Agreed between our key and the client's for this layer; `None` if the latter is no good.
    pub fn agree(ours: &X25519Secret, client: &X25519Public, enc_type: EncType) -> Option<Self> {
        let shared = ours.diffie_hellman(client)?;
        let key = match enc_type {
            EncType::AesGcm => hmac_sha256(b"LOKI", &[shared.as_bytes()]),
            EncType::XChaCha20 => {
                blake2b(&[], &[shared.as_bytes(), client.as_bytes(), ours.public().as_bytes()])
            }
            EncType::AesCbc => *shared.as_bytes(),
        };
        Some(Self { enc_type, key })
    }

    /// Opens nonce and ciphertext.
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        match self.enc_type {
            EncType::AesGcm => {
                let (nonce, sealed) = sealed.split_first_chunk::<AES_GCM_NONCE>()?;
                aes256_gcm_decrypt(&self.key, nonce, sealed).ok()
            }
            EncType::XChaCha20 => {
                let (nonce, sealed) = sealed.split_first_chunk::<XCHACHA_NONCE>()?;
                xchacha_decrypt(&self.key, nonce, sealed).ok()
            }
            EncType::AesCbc => {
                let (iv, sealed) = sealed.split_first_chunk::<16>()?;
                aes256_cbc_decrypt(&self.key, iv, sealed).ok()
            }
        }
    }

    /// Encrypts a reply under a new nonce, which comes first.
    pub fn seal(&self, plain: &[u8]) -> Vec<u8> {
        match self.enc_type {
            EncType::AesGcm => {
                let nonce = SystemRandom.array::<AES_GCM_NONCE>();
                [&nonce[..], &aes256_gcm_encrypt(&self.key, &nonce, plain)].concat()
            }
            EncType::XChaCha20 => {
                let nonce = SystemRandom.array::<XCHACHA_NONCE>();
                [&nonce[..], &xchacha_encrypt(&self.key, &nonce, plain)].concat()
            }
            EncType::AesCbc => {
                let iv = SystemRandom.array::<16>();
                [&iv[..], &aes256_cbc_encrypt(&self.key, &iv, plain)].concat()
            }
        }
    }
}

/// A length-prefixed blob, and JSON about it.
pub(crate) struct Frame<'a> {
    pub blob: &'a [u8],
    pub control: Map<String, Value>,
}

/// Reads a frame; the text of the mistake otherwise.
pub(crate) fn read_frame(bytes: &[u8]) -> Result<Frame<'_>, String> {
    let (length, rest) =
        bytes.split_first_chunk::<4>().ok_or("Unexpected payload size; expected ciphertext size")?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (blob, control) = rest
        .split_at_checked(length)
        .ok_or_else(|| format!("Unexpected payload size {}, expected >= {length}", rest.len()))?;
    let control = serde_json::from_slice(control).map_err(|error| format!("invalid json: {error}"))?;
    Ok(Frame { blob, control })
}

/// The key and cipher with which the next layer is encrypted.
pub(crate) fn read_layer(control: &Map<String, Value>) -> Result<(X25519Public, EncType), String> {
    let key = control.get("ephemeral_key").ok_or("key 'ephemeral_key' not found")?;
    let key = key.as_str().and_then(|text| text.parse().ok()).ok_or("ephemeral_key is not a hex key")?;
    let enc_type = match control.get("enc_type") {
        None => EncType::default(),
        Some(name) => name.as_str().and_then(EncType::parse).ok_or("Invalid encryption type")?,
    };
    Ok((key, enc_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cipher_opens_what_it_sealed_and_nothing_else() {
        let (node, client) =
            (X25519Secret::generate(&mut SystemRandom), X25519Secret::generate(&mut SystemRandom));
        for enc_type in [EncType::AesGcm, EncType::XChaCha20, EncType::AesCbc] {
            let key = LayerKey::agree(&node, &client.public(), enc_type).unwrap();
            let sealed = key.seal(b"hello");
            assert_eq!(key.open(&sealed).unwrap(), b"hello");
            assert!(key.open(&sealed[..sealed.len() - 1]).is_none());
            assert!(key.open(&[]).is_none());
        }
    }

    #[test]
    fn frames_that_lie_about_their_length_are_refused() {
        assert_eq!(
            read_frame(b"abc").err().unwrap(),
            "Unexpected payload size; expected ciphertext size"
        );
        let error = read_frame(b"\x09\0\0\0{}").err().unwrap();
        assert_eq!(error, "Unexpected payload size 2, expected >= 9");
        let frame = read_frame(b"\x01\0\0\0x{\"a\":1}").unwrap();
        assert_eq!((frame.blob, frame.control.len()), (&b"x"[..], 1));
    }
}
