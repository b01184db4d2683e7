//! Who signs what a swarm is asked (spec 03 §9.3, §9.4).
//!
//! Decision: whoever asks a swarm holds one of these and not the account's keys, because a group's swarm is asked in
//! the same way by an admin's key or by a member's (spec 06 §6).

use septet_protocol::account::AccountKeys;
use septet_protocol::crypto::Ed25519Secret;
use septet_protocol::id::{Account, GroupId, SessionId};
use septet_protocol::swarm::Auth;

/// The right to ask a swarm for what it keeps of one account.
#[derive(Clone)]
pub enum Credentials {
    /// Of our own account.
    User {
        /// The account.
        id: SessionId,
        /// Its Ed25519 key.
        key: Ed25519Secret,
    },
    /// Of a group of which we are an admin.
    #[cfg_attr(not(test), expect(dead_code, reason = "there are no groups yet"))]
    GroupAdmin {
        /// The group.
        id: GroupId,
        /// The group's key.
        key: Ed25519Secret,
    },
}

impl Credentials {
    /// Those of the account with these keys.
    pub fn of_user(keys: &AccountKeys) -> Self {
        Self::User { id: keys.session_id, key: keys.ed25519.clone() }
    }

    /// Whose swarm it is.
    pub fn owner(&self) -> Account {
        self.auth().account()
    }

    /// What signs a request.
    pub fn auth(&self) -> Auth<'_> {
        match self {
            Self::User { id, key } => Auth::user(*id, key),
            Self::GroupAdmin { id, key } => Auth::GroupAdmin { id: *id, key },
        }
    }
}
