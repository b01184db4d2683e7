//! Who may do what: request signatures and subaccount tokens (spec 03 §9.3, §9.4).

use septet_protocol::id::Ed25519Public;

use super::request::Response;
use crate::pubkey::Pubkey;
use crate::seat::Seat;
use crate::stored::Token;

/// How far a signed timestamp may be from the node's clock, ms.
pub(crate) const TOLERANCE: u64 = 60_000;
/// The same for requests passed on by another member of the swarm, ms.
pub(crate) const TOLERANCE_FORWARDED: u64 = 70_000;

/// What a token must allow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Access(u8);

impl Access {
    /// Only the owner may.
    pub const OWNER: Access = Access(0);
    pub const READ: Access = Access(1);
    pub const WRITE: Access = Access(2);
    pub const DELETE: Access = Access(4);
    /// Not an ability, but a token valid for accounts of any prefix.
    const ANY_PREFIX: u8 = 8;

    /// Both.
    pub const fn and(self, other: Access) -> Access {
        Access(self.0 | other.0)
    }
}

/// A token and the account owner's signature over it.
#[derive(Clone)]
pub(crate) struct Subaccount {
    pub token: Token,
    pub signature: [u8; 64],
}

impl Subaccount {
    /// Whether the token allows `access`.
    pub fn allows(&self, access: Access) -> bool {
        let [_, flags, ..] = self.token;
        flags & access.0 == access.0
    }

    fn is_for(&self, account: &Pubkey) -> bool {
        let [prefix, flags, ..] = self.token;
        prefix == account.prefix() || flags & Access::ANY_PREFIX != 0
    }

    fn key(&self) -> Ed25519Public {
        let [_, _, _, _, key @ ..] = self.token;
        Ed25519Public(key)
    }
}

/// Whose request it is, and the proof.
#[derive(Clone)]
pub(crate) struct Auth {
    pub account: Pubkey,
    pub ed25519: Option<Ed25519Public>,
    pub signature: [u8; 64],
    pub subaccount: Option<Subaccount>,
}

impl Auth {
    /// Whether `message` was signed by someone who may do it. `despite_revocation`: a revoked token is good enough.
    pub fn verify(&self, seat: &Seat, access: Access, despite_revocation: bool, message: &[u8]) -> bool {
        let Some(owner) = self.owner() else { return false };
        let Some(subaccount) = &self.subaccount else { return owner.verify(message, &self.signature) };
        let revoked = !despite_revocation && seat.node.storage().is_revoked(&self.account, &subaccount.token);
        !revoked
            && subaccount.is_for(&self.account)
            && subaccount.allows(access)
            && owner.verify(&subaccount.token, &subaccount.signature)
            && subaccount.key().verify(message, &self.signature)
    }

    /// As [`Auth::verify`], as the reply to give if it fails.
    pub fn demand(&self, seat: &Seat, access: Access, message: &[u8], refusal: &str) -> Result<(), Response> {
        if self.verify(seat, access, false, message) { Ok(()) } else { Err(Response::text(401, refusal)) }
    }

    /// The owner's Ed25519 key; `None` if the one given does not belong to the account.
    fn owner(&self) -> Option<Ed25519Public> {
        match (self.account.prefix(), self.ed25519) {
            (0x05, Some(key)) => key.to_x25519().filter(|x| x.as_bytes() == &self.account.key()).map(|_| key),
            _ => Some(self.account.ed25519()),
        }
    }
}

/// Refuses a timestamp (ms) too far from the node's clock: 406 `<method> timestamp too far from current time`.
pub(crate) fn demand_recent(
    seat: &Seat,
    method: &str,
    timestamp: u64,
    tolerance: u64,
) -> Result<(), Response> {
    if seat.now().abs_diff(timestamp) > tolerance {
        return Err(Response::text(406, format!("{method} timestamp too far from current time")));
    }
    Ok(())
}
