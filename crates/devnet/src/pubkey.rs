//! Accounts as the server sees them.
//!
//! Decision: the storage server takes *any* 33 bytes as an account, whatever the prefix; so here an account is just
//! those bytes, and the prefix is looked at only where a rule depends on it.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use septet_protocol::id::{Account, Ed25519Public, SessionId, SwarmId};
use septet_protocol::swarm;

/// Prefix and key of an account, 33 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pubkey(pub [u8; 33]);

impl Pubkey {
    /// Reads 66 hexadecimal digits of either case.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 33];
        if text.len() != 66 {
            return None;
        }
        HEXLOWER_PERMISSIVE.decode_mut(text.as_bytes(), &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// The kind of account: `05` user, `03` group.
    pub fn prefix(&self) -> u8 {
        let [prefix, ..] = self.0;
        prefix
    }

    /// The 32 bytes after the prefix.
    pub fn key(&self) -> [u8; 32] {
        let [_, key @ ..] = self.0;
        key
    }

    /// The account's own key, where that is an Ed25519 key (every kind but users).
    pub fn ed25519(&self) -> Ed25519Public {
        Ed25519Public(self.key())
    }

    /// Where it stands on the ring of swarms; the prefix does not matter.
    pub fn position(&self) -> SwarmId {
        swarm::position(&Account::User(SessionId(self.key())))
    }

    /// Lower-case hexadecimal, as nodes sign it.
    pub fn hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

impl From<&Account> for Pubkey {
    fn from(account: &Account) -> Self {
        Self(account.to_prefixed())
    }
}
