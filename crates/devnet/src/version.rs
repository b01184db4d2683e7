//! What the nodes say of themselves and of the chain.

/// The version every node reports.
pub(crate) const VERSION: [u64; 3] = [2, 8, 0];
/// The hard fork the network is at.
pub(crate) const HARD_FORK: [u64; 2] = [19, 4];
/// The height of the chain, which does not grow.
pub(crate) const HEIGHT: u64 = 1_600_000;
