//! Who signs what is asked of a swarm (spec 03 §9.3, §9.4).
//!
//! Decision: whoever talks to a swarm asks for credentials and does not look for keys itself, so that what is written
//! for our own swarm serves a group's as well, where an admin signs with the group's key and a member with its own.

use septet_protocol::crypto::Ed25519Secret;
use septet_protocol::id::{Account, SessionId};
use septet_protocol::swarm::Auth;

use super::Engine;

/// Whose swarm it is, and the key that opens it.
#[derive(Clone, Copy)]
pub enum Credentials<'a> {
    /// Our own, by us.
    User {
        /// We.
        id: SessionId,
        /// The account's key.
        key: &'a Ed25519Secret,
    },
}

impl<'a> Credentials<'a> {
    /// Whose swarm it is.
    pub fn owner(&self) -> Account {
        self.auth().account()
    }

    /// What signs requests.
    pub fn auth(&self) -> Auth<'a> {
        match *self {
            Self::User { id, key } => Auth::user(id, key),
        }
    }
}

impl Engine {
    /// Those for our own swarm.
    pub fn credentials(&self) -> Credentials<'_> {
        Credentials::User { id: self.me(), key: &self.keys.ed25519 }
    }
}
