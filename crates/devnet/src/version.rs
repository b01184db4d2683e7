//! Which release of the storage server the nodes imitate, and what they say of the chain.
//!
//! Decision: one release for the whole network, 2.8 unless asked otherwise: clients must get on with both, and most
//! of what is newer only makes life easier for them (spec 09 §4).

/// A release of the storage server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum ServerVersion {
    /// 2.8.0.
    #[default]
    V2_8,
    /// 2.11.3: `active_nodes_bin`, `revoked_subaccounts`, `get_expiries` and `delete_before` of `all`, the reserved
    /// namespace, the newest message of a public outbox, members that are gone left out of `swarm` and caught up with
    /// later, `No swarms known!` (spec 09 §4).
    V2_11,
}

impl ServerVersion {
    /// As nodes report it.
    pub(crate) fn number(self) -> [u64; 3] {
        match self {
            Self::V2_8 => [2, 8, 0],
            Self::V2_11 => [2, 11, 3],
        }
    }
}

/// The hard fork the network is at.
pub(crate) const HARD_FORK: [u64; 2] = [19, 4];
/// The height of the chain, which does not grow.
pub(crate) const HEIGHT: u64 = 1_600_000;
