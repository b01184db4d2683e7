//! Who signs what a swarm is asked (spec 03 §9.3, §9.4).
//!
//! Decision: whoever asks a swarm holds one of these and does not look for keys itself, so that what is written for our
//! own swarm serves a group's as well, where an admin signs with the group's key and a member with its own (spec 06 §6).

use septet_protocol::crypto::Ed25519Secret;
use septet_protocol::id::{Account, GroupId, SessionId};
use septet_protocol::swarm::Auth;

use super::Engine;

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

impl Engine {
    /// Those for our own swarm.
    pub fn credentials(&self) -> Credentials {
        Credentials::User { id: self.me(), key: self.keys.ed25519.clone() }
    }
}
