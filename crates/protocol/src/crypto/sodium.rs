//! The only place that calls C: thin, safe wrappers over libsodium.
//!
//! Every wrapper takes arrays of exactly the length the C function reads or writes, or passes a slice's own length
//! along, so no caller can make it touch memory that is not its own. Functions of libsodium that can only fail on a
//! wrong length return nothing here.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Once;

use libsodium_sys as ffi;
use zeroize::{Zeroize, Zeroizing};

use super::OpenError;

static INIT: Once = Once::new();

/// Lets libsodium choose the fastest code for this processor. Costs one atomic load after the first call.
fn init() {
    INIT.call_once(|| {
        // SAFETY: may be called at any time, by any thread.
        if unsafe { ffi::sodium_init() } < 0 {
            // Only without any source of randomness. Going on would mean predictable keys.
            std::process::abort();
        }
    });
}

/// Random bytes of the operating system.
pub(super) fn random_bytes(out: &mut [u8]) {
    init();
    // SAFETY: `out` is writable for its whole length.
    unsafe { ffi::randombytes_buf(out.as_mut_ptr().cast(), out.len()) }
}

/// The X25519 public key of a secret key.
pub(super) fn x25519_public(secret: &[u8; 32]) -> [u8; 32] {
    init();
    let mut out = [0; 32];
    // SAFETY: writes 32, reads 32 bytes.
    unsafe { ffi::crypto_scalarmult_base(out.as_mut_ptr(), secret.as_ptr()) };
    out
}

/// X25519; `None` if the result is all zeros.
pub(super) fn x25519(secret: &[u8; 32], public: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
    init();
    let mut out = Zeroizing::new([0; 32]);
    // SAFETY: writes 32, reads 32 and 32 bytes.
    let result = unsafe { ffi::crypto_scalarmult(out.as_mut_ptr(), secret.as_ptr(), public.as_ptr()) };
    (result == 0).then_some(out)
}

/// HChaCha20: the subkey that makes ChaCha20 into XChaCha20.
pub(super) fn hchacha20(key: &[u8; 32], input: &[u8; 16], out: &mut [u8; 32]) {
    init();
    // SAFETY: reads 16 and 32 bytes, writes 32; a null constant means the standard one.
    unsafe { ffi::crypto_core_hchacha20(out.as_mut_ptr(), input.as_ptr(), key.as_ptr(), ptr::null()) };
}

/// HSalsa20 with a zero input: what NaCl's `box` makes of a shared secret.
pub(super) fn hsalsa20(key: &[u8; 32], out: &mut [u8; 32]) {
    init();
    let input = [0u8; 16];
    // SAFETY: reads 16 and 32 bytes, writes 32; a null constant means the standard one.
    unsafe { ffi::crypto_core_hsalsa20(out.as_mut_ptr(), input.as_ptr(), key.as_ptr(), ptr::null()) };
}

/// XSalsa20-Poly1305 in place; returns the tag.
pub(super) fn secretbox_seal(key: &[u8; 32], nonce: &[u8; 24], data: &mut [u8]) -> [u8; 16] {
    init();
    let mut tag = [0; 16];
    let at = data.as_mut_ptr();
    // SAFETY: libsodium allows output and input to be the same place; both are `data.len()` bytes. Tag, nonce and key
    // are 16, 24 and 32 bytes.
    unsafe {
        ffi::crypto_secretbox_detached(
            at,
            tag.as_mut_ptr(),
            at,
            data.len() as u64,
            nonce.as_ptr(),
            key.as_ptr(),
        );
    }
    tag
}

/// Opens XSalsa20-Poly1305 in place. On failure the data is left as it was.
pub(super) fn secretbox_open(
    key: &[u8; 32],
    nonce: &[u8; 24],
    data: &mut [u8],
    tag: &[u8; 16],
) -> Result<(), OpenError> {
    init();
    let at = data.as_mut_ptr();
    // SAFETY: as in `secretbox_seal`.
    let result = unsafe {
        ffi::crypto_secretbox_open_detached(
            at,
            at,
            tag.as_ptr(),
            data.len() as u64,
            nonce.as_ptr(),
            key.as_ptr(),
        )
    };
    if result == 0 { Ok(()) } else { Err(OpenError) }
}

/// A BLAKE2b computation under way.
pub(super) struct Blake2b(ffi::crypto_generichash_blake2b_state);

impl Blake2b {
    /// Begins. `None` if `length` is not 1..=64 or the key is longer than 64 bytes.
    pub(super) fn new(
        length: usize,
        key: &[u8],
        salt: Option<&[u8; 16]>,
        personal: Option<&[u8; 16]>,
    ) -> Option<Self> {
        if length == 0 || length > 64 || key.len() > 64 {
            return None;
        }
        init();
        let mut state = MaybeUninit::uninit();
        // SAFETY: salt and personalisation are null or 16 bytes; the lengths were checked above, so the call
        // succeeds and initialises the state.
        unsafe {
            ffi::crypto_generichash_blake2b_init_salt_personal(
                state.as_mut_ptr(),
                if key.is_empty() { ptr::null() } else { key.as_ptr() },
                key.len(),
                length,
                salt.map_or(ptr::null(), |s| s.as_ptr()),
                personal.map_or(ptr::null(), |p| p.as_ptr()),
            );
            Some(Self(state.assume_init()))
        }
    }

    /// Adds message bytes.
    pub(super) fn update(&mut self, part: &[u8]) {
        // SAFETY: the state is initialised; reads `part.len()` bytes.
        unsafe { ffi::crypto_generichash_blake2b_update(&mut self.0, part.as_ptr(), part.len() as u64) };
    }

    /// Ends; `out` must have the length given to `new`.
    pub(super) fn finish(mut self, out: &mut [u8]) {
        // SAFETY: the state is initialised and ended only once; writes `out.len()` bytes.
        unsafe { ffi::crypto_generichash_blake2b_final(&mut self.0, out.as_mut_ptr(), out.len()) };
    }
}

impl Drop for Blake2b {
    fn drop(&mut self) {
        self.0.opaque.zeroize();
    }
}

/// Argon2id, version 1.3, one lane. `None` if the memory cannot be had or a limit is out of range.
pub(super) fn argon2id(password: &[u8], salt: &[u8; 16], operations: u64, memory: usize) -> Option<[u8; 32]> {
    init();
    let mut out = [0; 32];
    // SAFETY: writes 32 bytes, reads `password.len()` and 16.
    let result = unsafe {
        ffi::crypto_pwhash(
            out.as_mut_ptr(),
            out.len() as u64,
            password.as_ptr().cast(),
            password.len() as u64,
            salt.as_ptr(),
            operations,
            memory,
            ffi::crypto_pwhash_ALG_ARGON2ID13 as i32,
        )
    };
    (result == 0).then_some(out)
}

/// The state of a secretstream in either direction.
pub(super) struct Stream(ffi::crypto_secretstream_xchacha20poly1305_state);

impl Stream {
    /// The state for this key and header. Reading and writing begin with the same state, so the header may be chosen
    /// by the writer.
    pub(super) fn new(key: &[u8; 32], header: &[u8; 24]) -> Self {
        init();
        let mut state = MaybeUninit::uninit();
        // SAFETY: reads 24 and 32 bytes and initialises the state; cannot fail.
        unsafe {
            ffi::crypto_secretstream_xchacha20poly1305_init_pull(
                state.as_mut_ptr(),
                header.as_ptr(),
                key.as_ptr(),
            );
            Self(state.assume_init())
        }
    }

    /// Encrypts one chunk to the end of `out`: 17 bytes more than `plaintext`.
    pub(super) fn push(&mut self, plaintext: &[u8], tag: u8, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + plaintext.len() + 17, 0);
        let Some(target) = out.get_mut(start..) else { return };
        // SAFETY: writes `plaintext.len() + 17` bytes, which is the length of `target`; no additional data.
        unsafe {
            ffi::crypto_secretstream_xchacha20poly1305_push(
                &mut self.0,
                target.as_mut_ptr(),
                ptr::null_mut(),
                plaintext.as_ptr(),
                plaintext.len() as u64,
                ptr::null(),
                0,
                tag,
            );
        }
    }

    /// Decrypts one chunk to the end of `out` and returns its tag.
    pub(super) fn pull(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<u8, OpenError> {
        let length = chunk.len().checked_sub(17).ok_or(OpenError)?;
        let start = out.len();
        out.resize(start + length, 0);
        let target = out.get_mut(start..).ok_or(OpenError)?;
        let mut tag = 0;
        // SAFETY: writes `chunk.len() - 17` bytes, which is the length of `target`; no additional data.
        let result = unsafe {
            ffi::crypto_secretstream_xchacha20poly1305_pull(
                &mut self.0,
                target.as_mut_ptr(),
                ptr::null_mut(),
                &mut tag,
                chunk.as_ptr(),
                chunk.len() as u64,
                ptr::null(),
                0,
            )
        };
        if result == 0 {
            Ok(tag)
        } else {
            out.truncate(start);
            Err(OpenError)
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.k.zeroize();
        self.0.nonce.zeroize();
    }
}

/// The same operations by libsodium, for tests that hold the two libraries against each other.
#[cfg(test)]
pub(super) mod other {
    use super::*;

    pub(crate) fn ed25519_public(seed: &[u8; 32]) -> [u8; 32] {
        let (mut public, mut secret) = ([0; 32], [0; 64]);
        // SAFETY: writes 32 and 64 bytes, reads 32.
        unsafe { ffi::crypto_sign_seed_keypair(public.as_mut_ptr(), secret.as_mut_ptr(), seed.as_ptr()) };
        public
    }

    pub(crate) fn sign(seed: &[u8; 32], message: &[u8]) -> [u8; 64] {
        let (mut public, mut secret, mut signature) = ([0; 32], [0; 64], [0; 64]);
        // SAFETY: all lengths are those libsodium documents.
        unsafe {
            ffi::crypto_sign_seed_keypair(public.as_mut_ptr(), secret.as_mut_ptr(), seed.as_ptr());
            ffi::crypto_sign_detached(
                signature.as_mut_ptr(),
                ptr::null_mut(),
                message.as_ptr(),
                message.len() as u64,
                secret.as_ptr(),
            );
        }
        signature
    }

    /// A secret key as libsodium has it: seed and public key.
    pub(crate) fn expanded(seed: &[u8; 32]) -> [u8; 64] {
        let (mut public, mut secret) = ([0; 32], [0; 64]);
        // SAFETY: writes 32 and 64 bytes, reads 32.
        unsafe { ffi::crypto_sign_seed_keypair(public.as_mut_ptr(), secret.as_mut_ptr(), seed.as_ptr()) };
        secret
    }

    /// Signing and sealing by the calls of the official core.
    pub(crate) fn core_encrypt(message: &[u8], secret: &[u8; 64], to: &[u8; 32]) -> Vec<u8> {
        let mut buffer = [message, &secret[32..], to].concat();
        let mut signature = [0; 64];
        let end = buffer.len() - 32;
        // SAFETY: writes 64 bytes, reads what the buffer has and 64 bytes.
        unsafe {
            ffi::crypto_sign_detached(
                signature.as_mut_ptr(),
                ptr::null_mut(),
                buffer.as_ptr(),
                buffer.len() as u64,
                secret.as_ptr(),
            );
        }
        buffer.truncate(end);
        buffer.extend_from_slice(&signature);
        let mut out = vec![0; buffer.len() + 48];
        // SAFETY: writes 48 bytes more than it reads; the key is 32.
        unsafe {
            ffi::crypto_box_seal(out.as_mut_ptr(), buffer.as_ptr(), buffer.len() as u64, to.as_ptr());
        }
        out
    }

    /// Opening and verifying by the calls of the official core, which begins with the keys of the account.
    pub(crate) fn core_decrypt(sealed: &[u8], secret: &[u8; 64]) -> Option<Vec<u8>> {
        let (mut x_secret, mut x_public) = ([0; 32], [0; 32]);
        // SAFETY: writes 32 bytes each, reads 64 and 32.
        unsafe {
            ffi::crypto_sign_ed25519_sk_to_curve25519(x_secret.as_mut_ptr(), secret.as_ptr());
            ffi::crypto_scalarmult_base(x_public.as_mut_ptr(), x_secret.as_ptr());
        }
        let mut signed = seal_open(&x_public, &x_secret, sealed)?;
        let (rest, signature) = signed.split_last_chunk::<64>()?;
        let (signature, sender) = (*signature, *rest.last_chunk::<32>()?);
        signed.truncate(signed.len() - 64);
        signed.extend_from_slice(&x_public);
        if !verify(&sender, &signed, &signature) {
            return None;
        }
        signed.truncate(signed.len() - 64);
        Some(signed)
    }

    pub(crate) fn verify(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        // SAFETY: all lengths are those libsodium documents.
        unsafe {
            ffi::crypto_sign_verify_detached(
                signature.as_ptr(),
                message.as_ptr(),
                message.len() as u64,
                public.as_ptr(),
            ) == 0
        }
    }

    pub(crate) fn to_x25519(public: &[u8; 32]) -> Option<[u8; 32]> {
        let mut out = [0; 32];
        // SAFETY: writes and reads 32 bytes.
        let result = unsafe { ffi::crypto_sign_ed25519_pk_to_curve25519(out.as_mut_ptr(), public.as_ptr()) };
        (result == 0).then_some(out)
    }

    pub(crate) fn secret_to_x25519(seed: &[u8; 32]) -> [u8; 32] {
        let mut secret = [0; 64];
        secret[..32].copy_from_slice(seed);
        let mut out = [0; 32];
        // SAFETY: writes 32, reads 64 bytes.
        unsafe { ffi::crypto_sign_ed25519_sk_to_curve25519(out.as_mut_ptr(), secret.as_ptr()) };
        out
    }

    pub(crate) fn xchacha_encrypt(key: &[u8; 32], nonce: &[u8; 24], message: &[u8]) -> Vec<u8> {
        let mut out = vec![0; message.len() + 16];
        // SAFETY: writes 16 bytes more than the message has; no additional data.
        unsafe {
            ffi::crypto_aead_xchacha20poly1305_ietf_encrypt(
                out.as_mut_ptr(),
                ptr::null_mut(),
                message.as_ptr(),
                message.len() as u64,
                ptr::null(),
                0,
                ptr::null(),
                nonce.as_ptr(),
                key.as_ptr(),
            );
        }
        out
    }

    pub(crate) fn seal_open(public: &[u8; 32], secret: &[u8; 32], sealed: &[u8]) -> Option<Vec<u8>> {
        let mut out = vec![0; sealed.len().checked_sub(48)?];
        // SAFETY: writes 48 bytes less than `sealed` has.
        let result = unsafe {
            ffi::crypto_box_seal_open(
                out.as_mut_ptr(),
                sealed.as_ptr(),
                sealed.len() as u64,
                public.as_ptr(),
                secret.as_ptr(),
            )
        };
        (result == 0).then_some(out)
    }

    pub(crate) fn sha512(message: &[u8]) -> [u8; 64] {
        let mut out = [0; 64];
        // SAFETY: writes 64 bytes.
        unsafe { ffi::crypto_hash_sha512(out.as_mut_ptr(), message.as_ptr(), message.len() as u64) };
        out
    }

    pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
        let mut out = [0; 32];
        let mut state = MaybeUninit::uninit();
        // SAFETY: init initialises the state, final writes 32 bytes.
        unsafe {
            ffi::crypto_auth_hmacsha256_init(state.as_mut_ptr(), key.as_ptr(), key.len());
            ffi::crypto_auth_hmacsha256_update(state.as_mut_ptr(), message.as_ptr(), message.len() as u64);
            ffi::crypto_auth_hmacsha256_final(state.as_mut_ptr(), out.as_mut_ptr());
        }
        out
    }
}
