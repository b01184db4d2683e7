//! Talking to swarms: who keeps whose messages, and the storage requests (spec 03 §4 and §9).
//!
//! An account's messages are kept by a *swarm* of five to ten nodes. [`ring`] says which swarm that is; [`request`]
//! builds the requests a node understands, [`signing`] the texts their signatures cover, [`auth`] the three ways of
//! proving that one may ask; [`reply`], [`member`] and [`witnesses`] read the answers, [`nodes`] the lists of nodes.
//!
//! Decision: a request is typed up to the moment it becomes an [`Rpc`] (method and JSON parameters, signed for one
//! moment of network time), and its reply is read by a type of its own. Replies are read leniently — members of a swarm
//! hand booleans on as integers, fields may be missing — but every identifier and signature strictly.

pub mod auth;
mod batch;
pub mod member;
pub mod nodes;
pub mod reply;
pub mod request;
pub mod ring;
pub mod signing;
pub mod witnesses;

pub use auth::{Auth, Subaccount, SubaccountToken};
pub use batch::Batch;
pub use member::{Member, MemberKeys, Members};
pub use nodes::{Node, SwarmReply};
pub use reply::{ReplyError, SubReply};
pub use request::Rpc;
pub use ring::{nearest, position};
pub use witnesses::Witnesses;

use crate::crypto::blake2b;
use crate::id::{Account, MessageHash, Namespace};

/// The largest message a swarm takes, of people or of configs, in bytes before base64 (spec 03 §9.6, 05 §5.4).
pub const MAX_MESSAGE_BYTES: usize = 76_800;

/// The most requests one batch or sequence may hold (spec 03 §9.15); [`Batch`] keeps it.
pub const MAX_BATCH: usize = 20;

/// The name a swarm gives to stored bytes (spec 03 §9.6): the same account, namespace and bytes always get the same,
/// so storing twice what was encoded once leaves one message.
pub fn message_hash(account: &Account, namespace: Namespace, data: &[u8]) -> MessageHash {
    MessageHash(blake2b::<32>(
        &[],
        &[&account.to_prefixed(), signing::namespace_text(namespace).as_bytes(), data],
    ))
}
