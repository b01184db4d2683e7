//! X25519: key agreement for sealed boxes and onion layers.
//!
//! libsodium computes it: its code for this curve is nearly twice as fast as curve25519-dalek's, and an onion request
//! of four layers needs eight such computations. A test holds the two against each other.

use zeroize::Zeroizing;

use super::{Random, sodium};
use crate::id::X25519Public;

/// An X25519 secret key with its public key. Wiped when dropped; never printed.
#[derive(Clone)]
pub struct X25519Secret {
    /// Clamped.
    secret: Zeroizing<[u8; 32]>,
    public: X25519Public,
}

/// What two parties agreed on. Wiped when dropped; never printed. Hash it before use as a key.
pub struct SharedSecret(Zeroizing<[u8; 32]>);

impl X25519Secret {
    /// The key pair of these bytes, which are clamped first.
    pub fn from_bytes(secret: [u8; 32]) -> Self {
        let mut secret = Zeroizing::new(secret);
        let [first, .., last] = &mut *secret;
        *first &= 248;
        *last = (*last & 127) | 64;
        let public = X25519Public(sodium::x25519_public(&secret));
        Self { secret, public }
    }

    /// A new key pair.
    pub fn generate(rng: &mut impl Random) -> Self {
        Self::from_bytes(rng.array())
    }

    /// The clamped secret.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.secret.clone()
    }

    /// The public key.
    pub fn public(&self) -> X25519Public {
        self.public
    }

    /// Agrees on a secret with the owner of `other`. `None` if that key is of small order: the result would be all
    /// zeros whatever our secret is.
    pub fn diffie_hellman(&self, other: &X25519Public) -> Option<SharedSecret> {
        sodium::x25519(&self.secret, &other.0).map(SharedSecret)
    }
}

impl SharedSecret {
    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::edwards::EdwardsPoint;
    use curve25519_dalek::montgomery::MontgomeryPoint;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agreement_is_daleks(ours: [u8; 32], theirs: [u8; 32], stranger: [u8; 32]) {
            let (a, b) = (X25519Secret::from_bytes(ours), X25519Secret::from_bytes(theirs));
            prop_assert_eq!(a.public().0, EdwardsPoint::mul_base_clamped(ours).to_montgomery().to_bytes());
            let shared = *a.diffie_hellman(&b.public()).unwrap().as_bytes();
            prop_assert_eq!(shared, *b.diffie_hellman(&a.public()).unwrap().as_bytes());
            prop_assert_eq!(shared, MontgomeryPoint(b.public().0).mul_clamped(ours).to_bytes());
            let result = a.diffie_hellman(&X25519Public(stranger)).map(|shared| *shared.as_bytes());
            prop_assert_eq!(result, Some(MontgomeryPoint(stranger).mul_clamped(ours).to_bytes()));
        }
    }

    #[test]
    fn keys_of_small_order_are_refused() {
        let secret = X25519Secret::from_bytes([9; 32]);
        assert!(secret.diffie_hellman(&X25519Public([0; 32])).is_none());
        let mut one = [0; 32];
        one[0] = 1;
        assert!(secret.diffie_hellman(&X25519Public(one)).is_none());
    }
}
