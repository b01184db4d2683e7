//! X25519: key agreement for sealed boxes and onion layers.
//!
//! libsodium computes it: its code for this curve is nearly twice as fast as curve25519-dalek's, and an onion request
//! of four layers needs eight such computations. A test holds the two against each other.
//!
//! Where one public key meets many secret ones, as a contact's does when we write to them, a table of its multiples on
//! the Edwards form of the curve is faster than either ([`FrequentPublic`]).

use curve25519_dalek::edwards::EdwardsBasepointTable;
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::traits::BasepointTable;
use zeroize::{Zeroize, Zeroizing};

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

/// A public key with a table of its multiples (30 kB).
pub(super) struct FrequentPublic(Box<EdwardsBasepointTable>);

impl FrequentPublic {
    /// Costs as much as two or three agreements. `None` if the key lies on the curve's twist, as no account's does; then
    /// [`X25519Secret::diffie_hellman`] still knows what to do.
    pub(super) fn new(key: &X25519Public) -> Option<Self> {
        // Both points with this u give the same result, of which only u counts.
        let point = MontgomeryPoint(key.0).to_edwards(0)?;
        Some(Self(Box::new(EdwardsBasepointTable::create(&point))))
    }

    /// What [`X25519Secret::diffie_hellman`] gives, in as constant a time.
    pub(super) fn agree(&self, secret: &X25519Secret) -> Option<SharedSecret> {
        // Clamped secrets are multiples of eight, so a part of small order drops out.
        let mut point = self.0.mul_base_clamped(*secret.secret);
        let shared = Zeroizing::new(point.to_montgomery().to_bytes());
        point.zeroize();
        (*shared != [0; 32]).then_some(SharedSecret(shared))
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
    use curve25519_dalek::constants::EIGHT_TORSION;
    use curve25519_dalek::edwards::EdwardsPoint;
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

    proptest! {
        /// Half of the strangers' keys are on the twist.
        #[test]
        fn a_table_agrees_as_libsodium_does(ours: [u8; 32], theirs: [u8; 32], stranger: [u8; 32], torsion in 0usize..8) {
            let (a, b) = (X25519Secret::from_bytes(ours), X25519Secret::from_bytes(theirs));
            let mixed = EdwardsPoint::mul_base_clamped(theirs) + EIGHT_TORSION[torsion];
            let small = EIGHT_TORSION[torsion].to_montgomery().to_bytes();
            prop_assert!(FrequentPublic::new(&b.public()).is_some());
            for key in [b.public().0, mixed.to_montgomery().to_bytes(), small, stranger, [0xff; 32]].map(X25519Public) {
                if let Some(frequent) = FrequentPublic::new(&key) {
                    let agreed = frequent.agree(&a).map(|shared| *shared.as_bytes());
                    prop_assert_eq!(agreed, a.diffie_hellman(&key).map(|shared| *shared.as_bytes()));
                }
            }
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
