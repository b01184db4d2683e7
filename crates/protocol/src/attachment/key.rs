//! Keys that travel inside messages.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A secret of `N` bytes that came in or goes out with a message: the key of a file, of a picture, of a group.
/// Wiped when dropped; never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Key<const N: usize>([u8; N]);

impl<const N: usize> Key<N> {
    /// A key of these bytes.
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// A key of these bytes, if there are `N`.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes. Whoever copies them wipes the copy.
    pub const fn as_bytes(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> fmt::Debug for Key<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key<{N}>(…)")
    }
}
