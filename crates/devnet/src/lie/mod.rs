//! What a node can be made to say against the truth.
//!
//! A [`crate::Fault`] breaks a node; a [`Lie`] lets it work and answer something false, in the right form and as well
//! proven as a lying node could prove it: with its own key, never with another's. A client must come to no harm by
//! any of them, whatever order they come in.
//!
//! Decision: what is false is made here, of values alone; and each kind of lie is told at one place, where the reply
//! of that kind is made (pages in `rpc::retrieve`, lists of nodes in `rpc::directory`, and so on), so that a reply is
//! honest unless that one place says otherwise. Lies of one kind add up; the last one of `store`, of the time and of the swarm holds. Each reply with a lie in it is counted under
//! `lie:` and the kind in [`crate::NodeHandle::requests`]; a reply the lie changes nothing in is not.

mod claim;
mod hop;
mod list;
mod retrieve;

use septet_protocol::id::SessionId;

use crate::node_info::NodeInfo;

pub use claim::StoreLie;
pub(crate) use claim::{Claim, Liar};
pub use hop::HopLie;
pub(crate) use hop::Passing;
pub use list::ListLie;
pub use retrieve::RetrieveLie;
pub(crate) use retrieve::{Aliases, Table, tell};

/// Something false that a node says.
#[derive(Clone, PartialEq, Debug)]
pub enum Lie {
    /// About what it keeps, in replies to `retrieve`. Counted as `lie:retrieve`.
    Retrieve(RetrieveLie),
    /// Its replies carry a time (`t`, the `timestamp` of `info`) that is ahead by so many ms (behind, if negative),
    /// while it goes by the right one. Counted as `lie:time`.
    Time(i64),
    /// About swarms: `get_swarm` names these nodes for every account, and every request for an account is answered
    /// 421 with the same list (unless it [`Lie::Colludes`]). The nodes may be real or [`NodeInfo::invented`], or real
    /// with something changed. The id it gives is the true one. Counted as `lie:swarm`.
    Misdirects(Vec<NodeInfo>),
    /// About the network's nodes, in `get_service_nodes`. Counted as `lie:list`.
    List(ListLie),
    /// About registered names: every one leads to this account, or (`None`) is not registered. Counted as `lie:name`.
    Name(Option<SessionId>),
    /// As an onion hop. Counted as `lie:hop`.
    Hop(HopLie),
    /// About what it was given to store. Counted as `lie:store`.
    Store(StoreLie),
    /// Claims to have deleted what `delete`, `delete_all` or `delete_before` name, with a valid proof, and does
    /// nothing; asked by a client, it passes nothing on to its swarm. Counted as `lie:delete`.
    Delete,
    /// Serves every account as if it were in the account's swarm together with all other nodes that collude: does
    /// whatever is asked, with valid proofs of all of them, keeps nothing, and never finds anything. Counted as
    /// `lie:colludes`.
    Colludes,
}

/// All the lies a node tells at present, by the place where they are told.
#[derive(Clone, Default, PartialEq, Debug)]
pub(crate) struct Lies {
    pub retrieve: Vec<RetrieveLie>,
    pub time: i64,
    pub misdirects: Option<Vec<NodeInfo>>,
    pub list: Vec<ListLie>,
    pub name: Option<Option<SessionId>>,
    pub hop: Vec<HopLie>,
    pub store: Option<StoreLie>,
    pub delete: bool,
    pub colludes: bool,
}

impl Lies {
    /// Adds one to those that are told.
    pub fn add(&mut self, lie: Lie) {
        match lie {
            Lie::Retrieve(lie) => self.retrieve.push(lie),
            Lie::Time(ms) => self.time = ms,
            Lie::Misdirects(members) => self.misdirects = Some(members),
            Lie::List(lie) => self.list.push(lie),
            Lie::Name(account) => self.name = Some(account),
            Lie::Hop(lie) => self.hop.push(lie),
            Lie::Store(lie) => self.store = Some(lie),
            Lie::Delete => self.delete = true,
            Lie::Colludes => self.colludes = true,
        }
    }
}
