//! XEd25519: signatures made with an X25519 key, and checked by anyone who knows only the account id (spec 07 §4.4).
//!
//! An X25519 key stands for two Ed25519 points that differ in their sign. The one with sign bit 0 is taken; a signer
//! whose point has the other sign negates its secret. What comes out is an ordinary Ed25519 signature.

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::scalar::Scalar;
use zeroize::{Zeroize, Zeroizing};

use super::{Blake2bOptions, Random, Signature, X25519Secret, blake2b_with, sha512};
use crate::id::{Ed25519Public, X25519Public};

/// Signs; draws 64 random bytes.
///
/// The nonce is BLAKE2b-64, personalised `xed25519signatur`, of secret, message and the random bytes; the secret as it
/// is after clamping, or reduced if it had to be negated. Any secret and unique nonce would verify; this is the rule of
/// the official core.
pub fn sign(secret: &X25519Secret, message: &[u8], rng: &mut impl Random) -> Signature {
    let random = Zeroizing::new(rng.array::<64>());
    let mut hashed = secret.to_bytes();
    let mut a = Zeroizing::new(Scalar::from_bytes_mod_order(*hashed));
    let mut public = EdwardsPoint::mul_base(&a).compress().to_bytes();
    if let [.., last] = &mut public
        && *last & 0x80 != 0
    {
        *last &= 0x7f;
        *a = -*a;
        *hashed = a.to_bytes();
    }
    let options = Blake2bOptions { personal: Some(b"xed25519signatur"), ..Default::default() };
    let wide = Zeroizing::new(blake2b_with::<64>(options, &[&*hashed, message, &*random]));
    let mut r = Scalar::from_bytes_mod_order_wide(&wide);
    let commitment = EdwardsPoint::mul_base(&r).compress();
    let challenge = Scalar::from_bytes_mod_order_wide(&sha512(&[commitment.as_bytes(), &public, message]));
    let answer = r + challenge * *a;
    r.zeroize();
    let mut signature = [0; 64];
    signature
        .iter_mut()
        .zip(commitment.as_bytes().iter().chain(answer.as_bytes()))
        .for_each(|(to, from)| *to = *from);
    signature
}

/// Whether the owner of this X25519 key made the signature.
pub fn verify(public: &X25519Public, message: &[u8], signature: &Signature) -> bool {
    to_ed25519(public).is_some_and(|key| key.verify(message, signature))
}

/// The Ed25519 key with sign bit 0 that belongs to this X25519 key: `y = (u − 1) / (u + 1)`. `None` if there is no
/// such point.
pub fn to_ed25519(public: &X25519Public) -> Option<Ed25519Public> {
    MontgomeryPoint(public.0).to_edwards(0).map(|point| Ed25519Public(point.compress().to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemRandom;
    use crate::crypto::sodium::other;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn signatures_verify_here_and_as_ed25519_in_libsodium(secret: [u8; 32], message: Vec<u8>) {
            let secret = X25519Secret::from_bytes(secret);
            let signature = sign(&secret, &message, &mut SystemRandom);
            prop_assert!(verify(&secret.public(), &message, &signature));
            let key = to_ed25519(&secret.public()).unwrap();
            prop_assert!(other::verify(&key.0, &message, &signature));
            prop_assert!(!verify(&secret.public(), &[&message[..], b"x"].concat(), &signature));
        }

        #[test]
        fn nothing_panics_on_foreign_bytes(key: [u8; 32], a: [u8; 32], b: [u8; 32]) {
            let signature: [u8; 64] = [a, b].concat().try_into().unwrap();
            prop_assert!(!verify(&X25519Public(key), b"message", &signature));
        }
    }
}
