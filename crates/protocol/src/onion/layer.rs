//! The key of one layer, and encryption with it (spec 03 §6.2).
//!
//! Request and reply use the same key; in the hash of the XChaCha20 key the client's throw-away key always comes
//! first.

use zeroize::Zeroizing;

use crate::crypto::{
    AES_GCM_NONCE, OpenError, Random, SharedSecret, TAG, X25519Secret, XCHACHA_NONCE,
    aes256_gcm_open_in_place, aes256_gcm_seal_in_place, blake2b, hmac_sha256, xchacha_open_in_place,
    xchacha_seal_in_place,
};
use crate::id::X25519Public;

/// The cipher of a layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EncType {
    /// AES-256-GCM; what is meant if nothing is said.
    AesGcm,
    /// XChaCha20-Poly1305.
    XChaCha20,
}

impl EncType {
    /// As `enc_type` on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesGcm => "aes-gcm",
            Self::XChaCha20 => "xchacha20",
        }
    }

    /// Reads `enc_type`, short and long forms.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "aes-gcm" | "gcm" => Some(Self::AesGcm),
            "xchacha20" | "xchacha20-poly1305" => Some(Self::XChaCha20),
            _ => None,
        }
    }

    /// Bytes of the nonce, which stands in front of the ciphertext.
    pub(super) const fn nonce_len(self) -> usize {
        match self {
            Self::AesGcm => AES_GCM_NONCE,
            Self::XChaCha20 => XCHACHA_NONCE,
        }
    }
}

/// A nonce of either length.
pub(super) enum Nonce {
    AesGcm([u8; AES_GCM_NONCE]),
    XChaCha20([u8; XCHACHA_NONCE]),
}

impl Nonce {
    pub(super) fn draw(enc: EncType, rng: &mut impl Random) -> Self {
        match enc {
            EncType::AesGcm => Self::AesGcm(rng.array()),
            EncType::XChaCha20 => Self::XChaCha20(rng.array()),
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::AesGcm(bytes) => bytes,
            Self::XChaCha20(bytes) => bytes,
        }
    }
}

/// The key of one layer. Wiped when dropped; never printed.
#[derive(Clone)]
pub struct LayerKey {
    enc: EncType,
    key: Zeroizing<[u8; 32]>,
}

/// Says nothing about the key.
impl std::fmt::Debug for LayerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LayerKey").field("enc", &self.enc).finish_non_exhaustive()
    }
}

impl LayerKey {
    /// The client's side: `ephemeral` is its throw-away key. `None` if the node's key is of small order.
    pub fn client(enc: EncType, ephemeral: &X25519Secret, node: &X25519Public) -> Option<Self> {
        Some(Self::derive(enc, &ephemeral.diffie_hellman(node)?, &ephemeral.public(), node))
    }

    /// The node's (or server's) side: `ephemeral` is the client's throw-away key. `None` if that is of small order.
    pub fn node(enc: EncType, secret: &X25519Secret, ephemeral: &X25519Public) -> Option<Self> {
        Some(Self::derive(enc, &secret.diffie_hellman(ephemeral)?, ephemeral, &secret.public()))
    }

    pub(super) fn derive(
        enc: EncType,
        shared: &SharedSecret,
        client: &X25519Public,
        node: &X25519Public,
    ) -> Self {
        let key = match enc {
            EncType::AesGcm => hmac_sha256(b"LOKI", &[shared.as_bytes()]),
            EncType::XChaCha20 => blake2b(&[], &[shared.as_bytes(), &client.0, &node.0]),
        };
        Self { enc, key: Zeroizing::new(key) }
    }

    /// Encrypts with a fresh nonce: `nonce ‖ ciphertext ‖ tag`.
    pub fn encrypt(&self, plaintext: &[u8], rng: &mut impl Random) -> Vec<u8> {
        let nonce = Nonce::draw(self.enc, rng);
        let nonce_len = nonce.as_bytes().len();
        let mut out = Vec::with_capacity(nonce_len + plaintext.len() + TAG);
        out.extend_from_slice(nonce.as_bytes());
        out.extend_from_slice(plaintext);
        let tag = self.seal_in_place(&nonce, out.get_mut(nonce_len..).unwrap_or_default());
        out.extend_from_slice(&tag);
        out
    }

    /// Opens `nonce ‖ ciphertext ‖ tag`.
    pub fn decrypt(&self, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (mut data, length);
        match self.enc {
            EncType::AesGcm => {
                let (nonce, rest) = sealed.split_first_chunk::<AES_GCM_NONCE>().ok_or(OpenError)?;
                data = rest.to_vec();
                length = aes256_gcm_open_in_place(&self.key, nonce, &mut data)?.len();
            }
            EncType::XChaCha20 => {
                let (nonce, rest) = sealed.split_first_chunk::<XCHACHA_NONCE>().ok_or(OpenError)?;
                data = rest.to_vec();
                length = xchacha_open_in_place(&self.key, nonce, &mut data)?.len();
            }
        }
        data.truncate(length);
        Ok(data)
    }

    /// Encrypts where the bytes lie; the nonce must be of this key's kind, which [`Nonce::draw`] sees to.
    pub(super) fn seal_in_place(&self, nonce: &Nonce, data: &mut [u8]) -> [u8; TAG] {
        match nonce {
            Nonce::AesGcm(nonce) => aes256_gcm_seal_in_place(&self.key, nonce, data),
            Nonce::XChaCha20(nonce) => xchacha_seal_in_place(&self.key, nonce, data),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemRandom;
    use proptest::prelude::*;

    fn either() -> impl Strategy<Value = EncType> {
        prop_oneof![Just(EncType::AesGcm), Just(EncType::XChaCha20)]
    }

    proptest! {
        #[test]
        fn both_sides_have_the_same_key(enc in either(), a: [u8; 32], b: [u8; 32], message: Vec<u8>) {
            let (ephemeral, node) = (X25519Secret::from_bytes(a), X25519Secret::from_bytes(b));
            let client = LayerKey::client(enc, &ephemeral, &node.public()).unwrap();
            let server = LayerKey::node(enc, &node, &ephemeral.public()).unwrap();
            prop_assert_eq!(&server.decrypt(&client.encrypt(&message, &mut SystemRandom)).unwrap(), &message);
            prop_assert_eq!(client.decrypt(&server.encrypt(&message, &mut SystemRandom)).unwrap(), message);
        }

        #[test]
        fn foreign_bytes_are_refused(enc in either(), bytes: Vec<u8>) {
            let node = X25519Secret::from_bytes([2; 32]);
            let key = LayerKey::client(enc, &X25519Secret::from_bytes([1; 32]), &node.public()).unwrap();
            prop_assert_eq!(key.decrypt(&bytes), Err(OpenError));
        }
    }

    #[test]
    fn names_are_read_in_both_forms() {
        for (name, enc) in [("gcm", EncType::AesGcm), ("xchacha20-poly1305", EncType::XChaCha20)] {
            assert_eq!(EncType::parse(name), Some(enc));
            assert_eq!(EncType::parse(enc.name()), Some(enc));
        }
        assert_eq!(EncType::parse("rot13"), None);
    }
}
