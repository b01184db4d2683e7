//! The ciphers, hashes, keys and signatures that the rest of the protocol is written with.
//!
//! Decision: one narrow, typed function per thing the protocol needs, and nothing else. Which library does the work
//! is chosen by measurement and hidden here: curve25519-dalek for signatures, *ring* for the AEAD ciphers and SHA-2,
//! libsodium for X25519, BLAKE2b, sealed boxes, secretstream and Argon2id. Wherever two libraries can do the same
//! thing, a test holds one against the other.
//!
//! Secrets are types of their own, wiped when dropped, without `Debug`. Randomness is an argument ([`Random`]).
//!
//! [`session`] (one-to-one sealing), [`multi`] (one ciphertext for many recipients), [`push`] (notification payloads)
//! and [`xed25519`] are the network's own constructions on top of these.

mod aead;
#[cfg(test)]
mod against_the_core;
mod cache;
mod cbc;
mod ed25519;
mod hash;
pub mod multi;
pub mod push;
mod random;
mod sealed_box;
pub mod secretstream;
pub mod session;
mod sodium;
mod x25519;
pub mod xed25519;

pub use aead::{
    AES_GCM_NONCE, TAG, XCHACHA_NONCE, aes256_gcm_decrypt, aes256_gcm_encrypt, aes256_gcm_open_in_place,
    aes256_gcm_seal_in_place, secretbox_open, xchacha_decrypt, xchacha_encrypt, xchacha_open_in_place,
    xchacha_seal_in_place,
};
pub use cbc::{aes256_cbc_decrypt, aes256_cbc_encrypt};
pub use ed25519::{Ed25519Secret, Signature};
pub use hash::{
    Blake2bError, Blake2bOptions, argon2id, blake2b, blake2b_any, blake2b_with, hmac_sha256, sha256, sha512,
};
pub use random::{Random, Replay, ReplayError, SystemRandom};
pub use sealed_box::{SEAL_OVERHEAD, seal, seal_open};
pub use x25519::{SharedSecret, X25519Secret};

/// Something did not open: too short, altered, or made with another key. The ciphers do not say which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot be decrypted: altered, cut short, or made for another key")]
pub struct OpenError;

/// Whether two byte strings are equal, in a time that depends on their lengths only.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}
