//! Changes of the network while it runs: nodes join, move to another swarm, a swarm dissolves.
//!
//! Decision: who keeps what is worked out from the swarms before and after a change, account by account. Members that
//! are new to an account are given what the old ones kept, as the official server does on a change of swarms, or
//! nothing; those that are not members any more forget it, so that a test sees what is lost. Other members stay as
//! they are, also where they lack something. Changes last until the network stops: a state folder does not keep them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use septet_protocol::id::{Ed25519Public, SwarmId};
use septet_protocol::swarm;

use crate::devnet::Devnet;
use crate::error::DevnetError;
use crate::network::Network;
use crate::node::{Node, NodeHandle};
use crate::pubkey::Pubkey;
use crate::seat::Seat;
use crate::service::NodeService;

/// What becomes of the messages of accounts that get other members.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handover {
    /// The new members are given what the old ones kept, in order of arrival.
    Complete,
    /// Nobody gives anything to anybody: what only members kept that are none any more is lost.
    Lost,
}

impl Devnet {
    /// Lets a new node join a swarm, which may be a new one: it is in all lists from now on and serves when this
    /// returns. It is in [`Devnet::all_nodes`], and in [`Devnet::swarm_of`] its accounts.
    pub fn join(&self, swarm: SwarmId, handover: Handover) -> Result<NodeHandle, DevnetError> {
        let node = Arc::new(self.nursery.make(self.network.nodes().len(), swarm)?);
        let seat = Seat { network: Arc::clone(&self.network), node: Arc::clone(&node) };
        node.door.install(Arc::new(NodeService::new(seat)));
        node.door.open();
        change(&self.network, handover, || self.network.add(Arc::clone(&node)));
        Ok(NodeHandle(node))
    }

    /// Moves a node to a swarm, or out of all ([`SwarmId::NONE`]).
    pub fn assign(&self, node: &NodeHandle, swarm: SwarmId, handover: Handover) {
        change(&self.network, handover, || node.0.assign(swarm));
    }

    /// Dissolves a swarm: its nodes go on in none, and its accounts belong to the swarms beside it.
    pub fn dissolve(&self, swarm: SwarmId, handover: Handover) {
        change(&self.network, handover, || {
            for node in self.network.nodes().iter().filter(|node| node.assigned() == swarm) {
                node.assign(SwarmId::NONE);
            }
        });
    }
}

/// The nodes of each swarm.
type Swarms = BTreeMap<SwarmId, Vec<Arc<Node>>>;

fn swarms(network: &Network) -> Swarms {
    let mut swarms = Swarms::new();
    for node in network.nodes() {
        swarms.entry(node.assigned()).or_default().push(node);
    }
    swarms.remove(&SwarmId::NONE);
    swarms
}

fn members<'a>(swarms: &'a Swarms, account: &Pubkey) -> &'a [Arc<Node>] {
    let nearest = swarm::nearest(account.position(), swarms.keys().copied());
    nearest.and_then(|id| swarms.get(&id)).map_or(&[], Vec::as_slice)
}

/// Makes a change of the swarms, and lets every account's messages follow.
fn change(network: &Network, handover: Handover, make: impl FnOnce()) {
    let before = swarms(network);
    make();
    let after = swarms(network);
    let nodes = network.nodes();
    let accounts: BTreeSet<Pubkey> = nodes.iter().flat_map(|node| node.storage().accounts()).collect();
    for account in accounts {
        hand_over(&account, members(&before, &account), members(&after, &account), handover);
    }
}

fn hand_over(account: &Pubkey, old: &[Arc<Node>], new: &[Arc<Node>], handover: Handover) {
    let key = |node: &Arc<Node>| node.info.ed25519;
    let keys = |nodes: &[Arc<Node>]| -> BTreeSet<Ed25519Public> { nodes.iter().map(key).collect() };
    let (was, is) = (keys(old), keys(new));
    if handover == Handover::Complete {
        for node in new.iter().filter(|node| !was.contains(&key(node))) {
            for giver in old {
                let given = giver.storage().account(account);
                node.storage().take_over(account, given);
            }
        }
    }
    for node in old.iter().filter(|node| !is.contains(&key(node))) {
        node.storage().forget(account);
    }
}
