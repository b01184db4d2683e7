//! Ed25519: the account's, groups' and nodes' signing keys.
//!
//! Verification is strict: small-order keys and malleable signatures are refused, as libsodium does, so we never
//! accept a signature that the rest of the network refuses.

use std::sync::LazyLock;

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use ed25519_dalek::{Signer, SigningKey, Verifier, VerifyingKey};
use zeroize::Zeroizing;

use super::{Random, X25519Secret, sha512};
use crate::id::{Ed25519Public, X25519Public};

/// An Ed25519 signature.
pub type Signature = [u8; 64];

/// An Ed25519 secret key, made from a 32-byte seed. Wiped when dropped; never printed.
#[derive(Clone)]
pub struct Ed25519Secret(SigningKey);

impl Ed25519Secret {
    /// The key pair of this seed. For an account the seed is the 16-byte account seed and 16 zeros (spec 01 §1).
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        Self(SigningKey::from_bytes(&seed))
    }

    /// A new key pair.
    pub fn generate(rng: &mut impl Random) -> Self {
        Self::from_seed(rng.array())
    }

    /// The seed.
    pub fn seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The public key.
    pub fn public(&self) -> Ed25519Public {
        Ed25519Public(self.0.verifying_key().to_bytes())
    }

    /// Signs.
    pub fn sign(&self, message: &[u8]) -> Signature {
        self.0.sign(message).to_bytes()
    }

    /// The X25519 key that belongs to this key: the clamped first half of SHA-512 of the seed (spec 01 §1 step 5).
    pub fn to_x25519(&self) -> X25519Secret {
        let hash = Zeroizing::new(sha512(&[self.seed()]));
        let mut secret = Zeroizing::new([0; 32]);
        secret.iter_mut().zip(hash.iter()).for_each(|(to, from)| *to = *from);
        X25519Secret::from_bytes(*secret)
    }
}

impl Ed25519Public {
    /// Whether `signature` is this key's signature of `message`.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        self.point().is_some_and(|key| key.verify(message, signature))
    }

    /// The X25519 key that belongs to this key (spec 01 §1 step 4). `None` if this is not a point of the prime-order
    /// group: not on the curve, of small order, or with a torsion part.
    pub fn to_x25519(&self) -> Option<X25519Public> {
        self.point()?.to_x25519()
    }

    /// The point, if these bytes are one that can be a key; saves decoding twice when both questions are asked.
    pub(super) fn point(&self) -> Option<PublicPoint> {
        let key = is_canonical(&self.0).then(|| VerifyingKey::from_bytes(&self.0).ok())??;
        (!key.is_weak()).then_some(PublicPoint(key))
    }
}

/// An Ed25519 public key that is a point of the curve, not of small order, and written in the one proper way.
#[derive(Clone)]
pub(super) struct PublicPoint(VerifyingKey);

impl PublicPoint {
    /// As strict as dalek's `verify_strict`, but knows a commitment of small order by its bytes instead of decoding
    /// it: a commitment that is not written in the one proper way does not verify anyway.
    pub(super) fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        !SMALL_ORDER.contains(signature.r_bytes()) && self.0.verify(message, &signature).is_ok()
    }

    pub(super) fn to_x25519(&self) -> Option<X25519Public> {
        let point = self.0.to_edwards();
        is_torsion_free(&point).then(|| X25519Public(point.to_montgomery().to_bytes()))
    }
}

/// The eight points of small order.
static SMALL_ORDER: LazyLock<[[u8; 32]; 8]> =
    LazyLock::new(|| EIGHT_TORSION.map(|point| point.compress().to_bytes()));

/// Whether the y coordinate is below 2^255 − 19. Nineteen keys could be written in a second way; libsodium refuses it.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    high & 0x7f != 0x7f || middle.iter().any(|&byte| byte != 0xff) || *low < 0xed
}

/// Whether the point is in the prime-order group, that is `(L − 1)·P = −P`. The point is public, so this may take
/// the variable-time road, which is twice as fast as dalek's own test.
fn is_torsion_free(point: &EdwardsPoint) -> bool {
    let minus_one = -Scalar::ONE;
    let product = EdwardsPoint::vartime_double_scalar_mul_basepoint(&minus_one, point, &Scalar::ZERO);
    (product + point).is_identity()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sodium::other;
    use curve25519_dalek::edwards::CompressedEdwardsY;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_and_signatures_are_libsodiums(seed: [u8; 32], message: Vec<u8>) {
            let secret = Ed25519Secret::from_seed(seed);
            prop_assert_eq!(secret.public().0, other::ed25519_public(&seed));
            let signature = secret.sign(&message);
            prop_assert_eq!(signature, other::sign(&seed, &message));
            prop_assert!(secret.public().verify(&message, &signature));
            prop_assert_eq!(secret.to_x25519().public().0, secret.public().to_x25519().unwrap().0);
            prop_assert_eq!(*secret.to_x25519().to_bytes(), other::secret_to_x25519(&seed));
        }

        #[test]
        fn altered_signatures_are_refused(seed: [u8; 32], message: Vec<u8>, bit in 0usize..512) {
            let secret = Ed25519Secret::from_seed(seed);
            let mut signature = secret.sign(&message);
            signature[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!secret.public().verify(&message, &signature));
            prop_assert!(!other::verify(&secret.public().0, &message, &signature));
        }

        /// Random bytes: half are no points, and most points have a torsion part.
        #[test]
        fn conversion_accepts_what_libsodium_accepts(bytes: [u8; 32]) {
            prop_assert_eq!(Ed25519Public(bytes).to_x25519().map(|key| key.0), other::to_x25519(&bytes));
        }
    }

    #[test]
    fn points_outside_the_prime_order_group_are_not_converted() {
        let good = CompressedEdwardsY(Ed25519Secret::from_seed([7; 32]).public().0).decompress().unwrap();
        for torsion in &EIGHT_TORSION {
            let small = Ed25519Public(torsion.compress().to_bytes());
            assert_eq!(small.to_x25519(), None);
            assert!(!small.verify(b"", &[0; 64]));
            assert_eq!(other::to_x25519(&small.0), None);
            let mixed = Ed25519Public((good + torsion).compress().to_bytes());
            assert_eq!(mixed.to_x25519().is_some(), torsion.is_identity());
            assert_eq!(mixed.to_x25519().map(|key| key.0), other::to_x25519(&mixed.0));
        }
    }

    /// A signature that meets the equation, but with the neutral point as commitment: only the strict test sees it.
    #[test]
    fn commitments_of_small_order_are_refused() {
        let secret = Ed25519Secret::from_seed([7; 32]);
        let (public, commitment) = (secret.public().0, EIGHT_TORSION[0].compress().to_bytes());
        let challenge = Scalar::from_bytes_mod_order_wide(&sha512(&[&commitment, &public, b"message"]));
        let answer = challenge * Scalar::from_bytes_mod_order(*secret.to_x25519().to_bytes());
        let signature: Signature = [commitment, answer.to_bytes()].concat().try_into().unwrap();
        let dalek = ed25519_dalek::Signature::from_bytes(&signature);
        assert!(secret.0.verifying_key().verify(b"message", &dalek).is_ok());
        assert!(secret.0.verifying_key().verify_strict(b"message", &dalek).is_err());
        assert!(!secret.public().verify(b"message", &signature));
        assert!(!other::verify(&public, b"message", &signature));
    }

    /// `answer`, or the same number plus the order of the group: it meets the equation as well.
    fn written(answer: Scalar, plus_order: bool) -> [u8; 32] {
        let mut bytes = answer.to_bytes();
        if plus_order {
            let mut carry = 0;
            // The order is one more than what −1 is written as.
            let order = (-Scalar::ONE).to_bytes();
            for (place, (byte, digit)) in bytes.iter_mut().zip(order).enumerate() {
                let sum = u16::from(*byte) + u16::from(digit) + carry + u16::from(place == 0);
                (*byte, carry) = (sum as u8, sum >> 8);
            }
        }
        bytes
    }

    /// Keys and commitments with every torsion part, of small order or not, and answers in both spellings: whatever can
    /// be built that somebody's rules accept. Ours are libsodium's.
    #[test]
    fn edge_cases_are_decided_as_libsodium_decides_them() {
        let (secret, nonce) = (Scalar::from(0x1234_5678_9abc_u64), Scalar::from(0xfedc_ba98_u64));
        let mut accepted = [0; 2];
        for (torsion_key, torsion_commitment) in
            EIGHT_TORSION.iter().flat_map(|a| EIGHT_TORSION.iter().map(move |r| (a, r)))
        {
            for case in 0..64u8 {
                let (zero_key, zero_nonce, plus_order) = (case & 1 != 0, case & 2 != 0, case & 4 != 0);
                let secret = if zero_key { Scalar::ZERO } else { secret };
                let nonce = if zero_nonce { Scalar::ZERO } else { nonce };
                let key = EdwardsPoint::mul_base(&secret) + torsion_key;
                let commitment = EdwardsPoint::mul_base(&nonce) + torsion_commitment;
                let (key, commitment) = (key.compress().to_bytes(), commitment.compress().to_bytes());
                // Several messages, as the challenge decides whether torsion parts cancel out.
                let message = [case >> 3];
                let challenge = Scalar::from_bytes_mod_order_wide(&sha512(&[&commitment, &key, &message]));
                let answer = written(nonce + challenge * secret, plus_order);
                let signature: Signature = [commitment, answer].concat().try_into().unwrap();
                let ours = Ed25519Public(key).verify(&message, &signature);
                assert_eq!(ours, other::verify(&key, &message, &signature), "{case} {key:?}");
                accepted[usize::from(ours)] += 1;
            }
        }
        assert!(accepted.iter().all(|count| *count >= 8), "{accepted:?}");
    }

    /// Commitments that could be written in a second way, small or not: the bytes have to be the ones of the equation.
    #[test]
    fn commitments_in_a_second_spelling_are_refused_as_libsodium_does() {
        let secret = Ed25519Secret::from_seed([7; 32]);
        let public = secret.public().0;
        let scalar = Scalar::from_bytes_mod_order(*secret.to_x25519().to_bytes());
        for (low, high) in (0xec..=0xffu8).flat_map(|low| [(low, 0x7f), (low, 0xff)]) {
            let mut commitment = [0xff; 32];
            (commitment[0], commitment[31]) = (low, high);
            let challenge = Scalar::from_bytes_mod_order_wide(&sha512(&[&commitment, &public, b"message"]));
            let answer = (challenge * scalar).to_bytes();
            let signature: Signature = [commitment, answer].concat().try_into().unwrap();
            assert!(!secret.public().verify(b"message", &signature));
            assert!(!other::verify(&public, b"message", &signature));
        }
    }

    /// y = p + n for n below 19, with both signs: the only values that have two spellings.
    #[test]
    fn keys_in_a_second_spelling_are_refused() {
        for low in 0xed..=0xff {
            for high in [0x7f, 0xff] {
                let mut bytes = [0xff; 32];
                (bytes[0], bytes[31]) = (low, high);
                assert!(Ed25519Public(bytes).point().is_none());
                assert!(!other::verify(&bytes, b"", &[0; 64]));
            }
        }
        assert!(is_canonical(&[0; 32]) && is_canonical(&[0xee; 32]));
        let mut largest = [0xff; 32];
        largest[0] = 0xec;
        assert!(is_canonical(&largest));
    }
}
