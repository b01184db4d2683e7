//! From a serialised message to encrypted bytes and back: compression, padding, encryption (spec 05 §5).
//!
//! Every step is deterministic, the nonce included, so that devices that arrive at the same document store the same
//! bytes, which the swarm keeps once. For the same reason compression goes through the one-shot function of zstd:
//! a streaming encoder writes another frame header.

use std::cell::RefCell;
use std::io::Read;

use zeroize::Zeroizing;
use zstd::zstd_safe::{self, CCtx, DCtx};

use crate::crypto::{TAG, XCHACHA_NONCE, blake2b, xchacha_open_in_place, xchacha_seal_in_place};

/// What encryption adds: the tag and the nonce.
pub const OVERHEAD: usize = TAG + XCHACHA_NONCE;
/// The most that a compressed message may become; the largest that may be pushed is a fraction of this.
pub const MAX_MESSAGE: usize = 32 * 1024 * 1024;
/// The first byte of a compressed message.
const COMPRESSED: u8 = b'z';
const LEVEL: i32 = 1;
/// The largest window a frame of unknown size may ask for, as a power of two.
const MAX_WINDOW_LOG: u32 = 25;
const NONCE_KEY_PREFIX: &[u8] = b"libsessionutil-config-encrypted-";

/// Why bytes are not an encrypted message of this key and domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Shorter than the tag and nonce, altered, or encrypted with another key.
    #[error("cannot be decrypted")]
    Decrypt,
    /// The domain is not 1 to 24 bytes long.
    #[error("the encryption domain must be 1 to 24 bytes long")]
    Domain,
    /// The compressed form is damaged, or becomes larger than [`MAX_MESSAGE`].
    #[error("the compressed form is damaged or too large")]
    Compression,
}

thread_local! {
    // A context of zstd is about a megabyte: making one costs more than compressing a small config.
    static COMPRESSOR: RefCell<CCtx<'static>> = RefCell::new(CCtx::create());
    static DECOMPRESSOR: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
}

/// The compressed form with its leading `z`; `None` if that is not shorter (spec 05 §5.1).
pub fn compress(message: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0; 1 + zstd_safe::compress_bound(message.len())];
    let (first, frame) = out.split_first_mut()?;
    *first = COMPRESSED;
    let length = COMPRESSOR.with_borrow_mut(|zstd| zstd.compress(frame, message, LEVEL)).ok()?;
    out.truncate(1 + length);
    (out.len() < message.len()).then_some(out)
}

/// Undoes [`compress`], of any zstd frame; `frame` is without the leading `z`.
pub fn decompress(frame: &[u8]) -> Result<Vec<u8>, SealError> {
    match zstd_safe::get_frame_content_size(frame) {
        Ok(Some(size)) => {
            let size = usize::try_from(size)
                .ok()
                .filter(|&size| size <= MAX_MESSAGE)
                .ok_or(SealError::Compression)?;
            let mut out = Vec::with_capacity(size);
            DECOMPRESSOR
                .with_borrow_mut(|zstd| zstd.decompress(&mut out, frame))
                .map_err(|_| SealError::Compression)?;
            Ok(out)
        }
        Ok(None) => decompress_stream(frame).map_err(|_| SealError::Compression),
        Err(_) => Err(SealError::Compression),
    }
}

/// Decompresses a frame that does not say how large it will be.
fn decompress_stream(frame: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(frame)?;
    decoder.window_log_max(MAX_WINDOW_LOG)?;
    let mut out = Vec::new();
    decoder.take(MAX_MESSAGE as u64 + 1).read_to_end(&mut out)?;
    if out.len() > MAX_MESSAGE {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(out)
}

/// The length that a message of `length` bytes is padded to when encryption adds `overhead` (spec 05 §5.2).
pub fn padded_length(length: usize, overhead: usize) -> usize {
    let total = length + overhead;
    let chunk = match total {
        0..5_120 => 256,
        5_120..20_480 => 1_024,
        20_480..40_960 => 2_048,
        _ => 5_120,
    };
    (total.div_ceil(chunk) * chunk).saturating_sub(overhead)
}

/// Puts zero bytes in front.
pub fn pad(message: &[u8]) -> Vec<u8> {
    let padded = padded_length(message.len(), OVERHEAD);
    let mut out = Vec::with_capacity(padded + OVERHEAD);
    out.resize(padded - message.len(), 0);
    out.extend_from_slice(message);
    out
}

/// Takes the zero bytes in front away.
pub fn unpad(padded: &[u8]) -> &[u8] {
    let zeros = padded.iter().take_while(|&&byte| byte == 0).count();
    padded.get(zeros..).unwrap_or_default()
}

/// The serialised message inside an unpadded plaintext; `None` if it is neither plain nor compressed (spec 05 §5.6).
pub fn open_plaintext(unpadded: &[u8]) -> Option<Result<Vec<u8>, SealError>> {
    match unpadded.split_first()? {
        (b'd', _) => Some(Ok(unpadded.to_vec())),
        (&COMPRESSED, frame) => Some(decompress(frame)),
        _ => None,
    }
}

/// Encrypts `plaintext`, in place, for the purpose `domain` (spec 05 §5.3). Output: ciphertext, tag, nonce.
pub fn encrypt(mut plaintext: Vec<u8>, key_base: &[u8; 32], domain: &str) -> Result<Vec<u8>, SealError> {
    let key = derive_key(key_base, plaintext.len(), domain)?;
    let nonce = blake2b::<XCHACHA_NONCE>(&[NONCE_KEY_PREFIX, domain.as_bytes()].concat(), &[&plaintext]);
    plaintext.reserve_exact(OVERHEAD);
    let tag = xchacha_seal_in_place(&key, &nonce, &mut plaintext);
    plaintext.extend_from_slice(&tag);
    plaintext.extend_from_slice(&nonce);
    Ok(plaintext)
}

/// Opens what [`encrypt`] made.
pub fn decrypt(ciphertext: &[u8], key_base: &[u8; 32], domain: &str) -> Result<Vec<u8>, SealError> {
    let (sealed, nonce) = ciphertext.split_last_chunk::<XCHACHA_NONCE>().ok_or(SealError::Decrypt)?;
    let length = sealed.len().checked_sub(TAG).ok_or(SealError::Decrypt)?;
    let key = derive_key(key_base, length, domain)?;
    let mut plaintext = sealed.to_vec();
    let opened = xchacha_open_in_place(&key, nonce, &mut plaintext).map_err(|_| SealError::Decrypt)?.len();
    plaintext.truncate(opened);
    Ok(plaintext)
}

fn derive_key(key_base: &[u8; 32], length: usize, domain: &str) -> Result<Zeroizing<[u8; 32]>, SealError> {
    if !(1..=24).contains(&domain.len()) {
        return Err(SealError::Domain);
    }
    Ok(Zeroizing::new(blake2b(&[], &[key_base, &(length as u64).to_be_bytes(), domain.as_bytes()])))
}
