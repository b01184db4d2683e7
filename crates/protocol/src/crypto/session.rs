//! Signing and sealing of one-to-one messages: who wrote it is told only to whom it is for (spec 02 §3.2, §3.3, §4.2).
//!
//! ```text
//! SIG    = Ed25519(P ‖ A ‖ Y)
//! sealed = crypto_box_seal(P ‖ A ‖ SIG  →  Y)
//! ```
//! `P` is the (already padded) message, `A` the sender's Ed25519 key, `Y` the recipient's X25519 key.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::cache::Cache;
use super::ed25519::PublicPoint;
use super::sealed_box::{SEAL_OVERHEAD, seal_in_place, seal_open};
use super::x25519::FrequentPublic;
use super::{Ed25519Secret, Random, SharedSecret, Signature, X25519Secret, blake2b, sha512};
use crate::id::{Ed25519Public, SessionId, X25519Public};

/// How many bytes the encrypted form is longer than the message: ephemeral key, tag, sender key, signature.
pub const OVERHEAD: usize = SEAL_OVERHEAD + SIGNED_OVERHEAD;
const SIGNED_OVERHEAD: usize = 32 + 64;

/// The recipient's key is of small order: no account has such a key, so the id is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this account ID cannot belong to anyone")]
pub struct BadRecipient;

/// Why a message did not open. The same message will never open, so there is nothing to retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// Shorter than an empty message would be.
    #[error("the message is too short")]
    TooShort,
    /// Made for another key, or altered.
    #[error("the message is not for this account, or was altered")]
    NotForUs,
    /// It opened, but the signature inside is not the claimed sender's.
    #[error("the message is not signed by its sender")]
    Signature,
    /// The sender's key is no proper key.
    #[error("the sender's key is not valid")]
    SenderKey,
}

/// An opened message and who signed it. Its `Debug` output does not show the message.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The message, still padded.
    pub message: Vec<u8>,
    /// The account that signed it.
    pub sender: SessionId,
    /// The key that signed it.
    pub sender_ed25519: Ed25519Public,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("sender", &self.sender).finish_non_exhaustive()
    }
}

/// `message ‖ sender key ‖ signature`: what is inside the sealed box (spec 02 §3.2).
pub fn sign_for_recipient(message: &[u8], sender: &Ed25519Secret, recipient: &X25519Public) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + SIGNED_OVERHEAD);
    append_signed(&mut out, message, sender, recipient);
    out
}

/// Signs and seals with a fresh ephemeral key (one draw of 32 bytes). [`OVERHEAD`] bytes longer than the message.
pub fn encrypt_for_recipient(
    message: &[u8],
    sender: &Ed25519Secret,
    recipient: &X25519Public,
    rng: &mut impl Random,
) -> Result<Vec<u8>, BadRecipient> {
    let ephemeral = X25519Secret::generate(rng);
    sign_and_seal(message, sender, recipient, &ephemeral, ephemeral.diffie_hellman(recipient))
}

/// Recipients of many messages, whose keys were prepared once. Bounded (2 MB); shared by threads.
#[derive(Clone)]
pub struct Recipients(Arc<Cache<Option<Arc<FrequentPublic>>>>);

impl Default for Recipients {
    fn default() -> Self {
        Self(Arc::new(Cache::new(16)))
    }
}

impl Recipients {
    /// Signs and seals as [`encrypt_for_recipient`] does, to the same bytes; the first message to somebody takes longer,
    /// all others are quicker.
    pub fn encrypt_for_recipient(
        &self,
        message: &[u8],
        sender: &Ed25519Secret,
        recipient: &X25519Public,
        rng: &mut impl Random,
    ) -> Result<Vec<u8>, BadRecipient> {
        let ephemeral = X25519Secret::generate(rng);
        let known = self.0.get(&recipient.0).unwrap_or_else(|| {
            let new = FrequentPublic::new(recipient).map(Arc::new);
            self.0.put(&recipient.0, new.clone());
            new
        });
        let shared = match known {
            Some(frequent) => frequent.agree(&ephemeral),
            None => ephemeral.diffie_hellman(recipient),
        };
        sign_and_seal(message, sender, recipient, &ephemeral, shared)
    }
}

/// The same with an ephemeral key derived from sender, recipient and message, so that equal input gives equal bytes.
/// Used only for wrapping configs (spec 02 §3.3).
pub fn encrypt_for_recipient_deterministic(
    message: &[u8],
    sender: &Ed25519Secret,
    recipient: &X25519Public,
) -> Result<Vec<u8>, BadRecipient> {
    let parts: [&[u8]; 3] = [sender.seed(), &recipient.0, message];
    let seed = Zeroizing::new(blake2b::<32>(b"SessionBoxEphemeralHashKey", &parts));
    let hash = Zeroizing::new(sha512(&[&*seed]));
    let mut secret = Zeroizing::new([0; 32]);
    secret.iter_mut().zip(hash.iter()).for_each(|(to, from)| *to = *from);
    let ephemeral = X25519Secret::from_bytes(*secret);
    sign_and_seal(message, sender, recipient, &ephemeral, ephemeral.diffie_hellman(recipient))
}

/// Opens a message, checks its signature, and tells who wrote it (spec 02 §4.2). The padding is left on.
pub fn decrypt_incoming(ciphertext: &[u8], me: &X25519Secret) -> Result<Opened, DecryptError> {
    Sealed::open(ciphertext, me)?.verified_by(|key| Sender::of(key).ok_or(DecryptError::SenderKey))
}

/// Senders whose keys were converted once, which takes as long as checking a signature. Bounded; shared by threads.
///
/// A sender is remembered when a signature of theirs was good, so nobody is put in by others; and a flood of new ones
/// does not drive out those who write often (`cache.rs`). A key that cannot be converted is remembered as such.
#[derive(Clone)]
pub struct Senders(Arc<Cache<Option<Sender>>>);

impl Default for Senders {
    fn default() -> Self {
        Self(Arc::new(Cache::new(256)))
    }
}

impl Senders {
    /// Opens a message as [`decrypt_incoming`] does, with the same outcome, and sooner if its sender is known.
    pub fn decrypt_incoming(&self, ciphertext: &[u8], me: &X25519Secret) -> Result<Opened, DecryptError> {
        let sealed = Sealed::open(ciphertext, me)?;
        let key = sealed.sender;
        if let Some(known) = self.0.get(&key.0) {
            return sealed.verified_by(|_| known.ok_or(DecryptError::SenderKey));
        }
        let new = Sender::of(key);
        let opened = sealed.verified_by(|_| new.clone().ok_or(DecryptError::SenderKey));
        if new.is_none() || opened.is_ok() {
            self.0.put(&key.0, new);
        }
        opened
    }
}

/// Who signs with a key.
#[derive(Clone)]
struct Sender {
    point: PublicPoint,
    id: SessionId,
}

impl Sender {
    /// `None` if no account has this key.
    fn of(key: Ed25519Public) -> Option<Self> {
        let point = key.point()?;
        let id = SessionId::from(point.to_x25519()?);
        Some(Self { point, id })
    }
}

/// What was in a sealed box, its signature not checked yet.
struct Sealed {
    /// Message, sender's key and our own, as they are signed.
    signed: Vec<u8>,
    sender: Ed25519Public,
    signature: Signature,
}

impl Sealed {
    fn open(ciphertext: &[u8], me: &X25519Secret) -> Result<Self, DecryptError> {
        if ciphertext.len() < OVERHEAD {
            return Err(DecryptError::TooShort);
        }
        let mut signed = seal_open(ciphertext, me).map_err(|_| DecryptError::NotForUs)?;
        let (rest, signature) = signed.split_last_chunk::<64>().ok_or(DecryptError::TooShort)?;
        let signature = *signature;
        let (_, sender) = rest.split_last_chunk::<32>().ok_or(DecryptError::TooShort)?;
        let sender = Ed25519Public(*sender);
        // The signature is over message, sender and recipient: put our key where the signature was.
        signed.truncate(rest.len());
        signed.extend_from_slice(&me.public().0);
        Ok(Self { signed, sender, signature })
    }

    fn verified_by(
        self,
        sender: impl FnOnce(Ed25519Public) -> Result<Sender, DecryptError>,
    ) -> Result<Opened, DecryptError> {
        let Self { signed: mut message, sender: key, signature } = self;
        let sender = sender(key)?;
        if !sender.point.verify(&message, &signature) {
            return Err(DecryptError::Signature);
        }
        message.truncate(message.len().saturating_sub(64));
        Ok(Opened { message, sender: sender.id, sender_ed25519: key })
    }
}

/// Opens what we sealed for ourselves, as configs are wrapped (spec 05 §6); the padding is left on. `me` must be the
/// X25519 key of `sender`.
///
/// Signatures are deterministic, so ours are checked by making them again, at half the price of a verification;
/// one that differs can still be good, if it was made by other rules, and is verified.
pub fn decrypt_own(
    ciphertext: &[u8],
    sender: &Ed25519Secret,
    me: &X25519Secret,
) -> Result<Vec<u8>, DecryptError> {
    if ciphertext.len() < OVERHEAD {
        return Err(DecryptError::TooShort);
    }
    let mut data = seal_open(ciphertext, me).map_err(|_| DecryptError::NotForUs)?;
    let (rest, signature) = data.split_last_chunk::<64>().ok_or(DecryptError::TooShort)?;
    let signature = *signature;
    let (message, from) = rest.split_last_chunk::<32>().ok_or(DecryptError::TooShort)?;
    let message_length = message.len();
    if *from != sender.public().0 {
        return Err(DecryptError::Signature);
    }
    data.truncate(message_length + 32);
    data.extend_from_slice(&me.public().0);
    if sender.sign(&data) != signature && !sender.public().verify(&data, &signature) {
        return Err(DecryptError::Signature);
    }
    data.truncate(message_length);
    Ok(data)
}

fn sign_and_seal(
    message: &[u8],
    sender: &Ed25519Secret,
    recipient: &X25519Public,
    ephemeral: &X25519Secret,
    shared: Option<SharedSecret>,
) -> Result<Vec<u8>, BadRecipient> {
    let shared = shared.ok_or(BadRecipient)?;
    let mut out = Vec::with_capacity(message.len() + OVERHEAD);
    out.resize(SEAL_OVERHEAD, 0);
    append_signed(&mut out, message, sender, recipient);
    seal_in_place(&mut out, recipient, ephemeral, &shared).ok_or(BadRecipient)?;
    Ok(out)
}

fn append_signed(out: &mut Vec<u8>, message: &[u8], sender: &Ed25519Secret, recipient: &X25519Public) {
    let start = out.len();
    out.extend_from_slice(message);
    out.extend_from_slice(&sender.public().0);
    let end = out.len();
    out.extend_from_slice(&recipient.0);
    let signature = sender.sign(out.get(start..).unwrap_or_default());
    out.truncate(end);
    out.extend_from_slice(&signature);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemRandom;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_encrypted_opens_and_names_its_sender(message: Vec<u8>, a: [u8; 32], b: [u8; 32]) {
            let (sender, recipient) = (Ed25519Secret::from_seed(a), Ed25519Secret::from_seed(b).to_x25519());
            let sealed = encrypt_for_recipient(&message, &sender, &recipient.public(), &mut SystemRandom).unwrap();
            prop_assert_eq!(sealed.len(), message.len() + OVERHEAD);
            let opened = decrypt_incoming(&sealed, &recipient).unwrap();
            prop_assert_eq!(opened.message, message);
            prop_assert_eq!(opened.sender_ed25519, sender.public());
            prop_assert_eq!(opened.sender, SessionId::from(sender.to_x25519().public()));
        }

        #[test]
        fn foreign_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let me = X25519Secret::from_bytes([5; 32]);
            prop_assert!(decrypt_incoming(&bytes, &me).is_err());
            prop_assert!(decrypt_incoming(&seal_to(&bytes, &me), &me).is_err());
        }
    }

    /// Bytes in a proper sealed box, so that what is behind it is tested too.
    fn seal_to(bytes: &[u8], me: &X25519Secret) -> Vec<u8> {
        crate::crypto::seal(bytes, &me.public(), &X25519Secret::from_bytes([6; 32])).unwrap()
    }

    #[test]
    fn a_signature_for_another_recipient_is_refused() {
        let sender = Ed25519Secret::from_seed([1; 32]);
        let (me, other) = (X25519Secret::from_bytes([5; 32]), X25519Secret::from_bytes([6; 32]));
        let signed = sign_for_recipient(b"hello", &sender, &other.public());
        assert_eq!(decrypt_incoming(&seal_to(&signed, &me), &me), Err(DecryptError::Signature));
    }

    /// A signature with a random part, as RFC 8032 does not ask for but other rules do.
    fn sign_otherwise(message: &[u8], sender: &Ed25519Secret) -> [u8; 64] {
        use curve25519_dalek::{EdwardsPoint, Scalar};
        let expanded = sha512(&[sender.seed()]);
        let secret: [u8; 32] = expanded[..32].try_into().unwrap();
        let secret = Scalar::from_bytes_mod_order(curve25519_dalek::scalar::clamp_integer(secret));
        let nonce = Scalar::from(123_456_789u64);
        let commitment = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
        let challenge =
            Scalar::from_bytes_mod_order_wide(&sha512(&[&commitment, &sender.public().0, message]));
        [commitment, (nonce + challenge * secret).to_bytes()].concat().try_into().unwrap()
    }

    #[test]
    fn what_we_sealed_for_ourselves_opens_and_nothing_else() {
        let (own, other) = (Ed25519Secret::from_seed([1; 32]), Ed25519Secret::from_seed([2; 32]));
        let me = own.to_x25519();
        let seal = |sender| encrypt_for_recipient_deterministic(b"hello", sender, &me.public()).unwrap();
        assert_eq!(decrypt_own(&seal(&own), &own, &me), Ok(b"hello".to_vec()));
        assert_eq!(decrypt_own(&seal(&other), &own, &me), Err(DecryptError::Signature));
        assert_eq!(decrypt_own(&seal(&own), &own, &other.to_x25519()), Err(DecryptError::NotForUs));
        assert_eq!(decrypt_own(&[0; OVERHEAD - 1], &own, &me), Err(DecryptError::TooShort));

        let with =
            |signature: [u8; 64]| seal_to(&[b"hello".as_slice(), &own.public().0, &signature].concat(), &me);
        let signed = [b"hello".as_slice(), &own.public().0, &me.public().0].concat();
        let otherwise = sign_otherwise(&signed, &own);
        assert_ne!(otherwise, own.sign(&signed));
        assert_eq!(decrypt_own(&with(otherwise), &own, &me), Ok(b"hello".to_vec()));
        let mut broken = own.sign(&signed);
        broken[40] ^= 1;
        assert_eq!(decrypt_own(&with(broken), &own, &me), Err(DecryptError::Signature));
    }

    /// A key with a torsion part, and a message that it signs well: no account has it.
    fn signed_by_nobody(me: &X25519Secret) -> Vec<u8> {
        use curve25519_dalek::{EdwardsPoint, Scalar, constants::EIGHT_TORSION};
        let (secret, nonce) = (Scalar::from(77u8), Scalar::from(99u8));
        let key = (EdwardsPoint::mul_base(&secret) + EIGHT_TORSION[1]).compress().to_bytes();
        let commitment = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
        (0u32..1000)
            .find_map(|number| {
                let message = [&number.to_le_bytes()[..], &key].concat();
                let signed = [&message[..], &me.public().0].concat();
                let challenge = Scalar::from_bytes_mod_order_wide(&sha512(&[&commitment, &key, &signed]));
                let signature = [commitment, (nonce + challenge * secret).to_bytes()].concat();
                let good = Ed25519Public(key).verify(&signed, &signature.clone().try_into().unwrap());
                good.then(|| seal_to(&[message, signature].concat(), me))
            })
            .unwrap()
    }

    #[test]
    fn known_recipients_change_no_byte() {
        use crate::crypto::Replay;
        let (recipients, sender) = (Recipients::default(), Ed25519Secret::from_seed([1; 32]));
        // An account's key, two of small order, and whatever these are.
        for key in
            [*b"accounts have keys as this one..", [0; 32], [0xff; 32], [2; 32], [3; 32], [4; 32], [5; 32]]
        {
            let to = if key[0] == b'a' { X25519Secret::from_bytes(key).public() } else { X25519Public(key) };
            for draw in [[6; 32], [7; 32]] {
                let draw = || Replay::new([draw.to_vec()]);
                let known = recipients.encrypt_for_recipient(b"hello", &sender, &to, &mut draw());
                assert_eq!(known, encrypt_for_recipient(b"hello", &sender, &to, &mut draw()), "{key:?}");
            }
            assert!(recipients.0.get(&to.0).is_some());
        }
    }

    #[test]
    fn known_senders_change_no_outcome() {
        let (senders, me) = (Senders::default(), X25519Secret::from_bytes([5; 32]));
        let sender = Ed25519Secret::from_seed([1; 32]);
        let good = encrypt_for_recipient(b"hello", &sender, &me.public(), &mut SystemRandom).unwrap();
        let other = X25519Secret::from_bytes([6; 32]).public();
        let foreign = seal_to(&sign_for_recipient(b"hello", &sender, &other), &me);
        let nobody = signed_by_nobody(&me);
        assert_eq!(decrypt_incoming(&nobody, &me), Err(DecryptError::SenderKey));
        let no_point = seal_to(&[&[2; 32][..], &[0; 64]].concat(), &me);
        let short = vec![0; OVERHEAD - 1];
        for sealed in [&foreign, &good, &foreign, &good, &nobody, &nobody, &no_point, &short] {
            assert_eq!(senders.decrypt_incoming(sealed, &me), decrypt_incoming(sealed, &me));
        }
        assert!(senders.0.get(&sender.public().0).flatten().is_some());
    }

    #[test]
    fn nobody_becomes_known_by_what_others_write() {
        let (senders, me) = (Senders::default(), X25519Secret::from_bytes([5; 32]));
        let sender = Ed25519Secret::from_seed([1; 32]);
        let forged = seal_to(&[&sender.public().0[..], &[1; 64]].concat(), &me);
        assert_eq!(senders.decrypt_incoming(&forged, &me), Err(DecryptError::Signature));
        assert!(senders.0.get(&sender.public().0).is_none());
        let nobody = signed_by_nobody(&me);
        assert_eq!(senders.decrypt_incoming(&nobody, &me), Err(DecryptError::SenderKey));
        let Sealed { sender, .. } = Sealed::open(&nobody, &me).unwrap();
        assert!(senders.0.get(&sender.0).is_some_and(|known| known.is_none()), "is not converted again");
    }

    #[test]
    fn a_recipient_of_small_order_is_refused() {
        let sender = Ed25519Secret::from_seed([1; 32]);
        let zero = X25519Public([0; 32]);
        assert_eq!(encrypt_for_recipient(b"", &sender, &zero, &mut SystemRandom), Err(BadRecipient));
    }
}
