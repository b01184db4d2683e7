//! Who keeps whose messages (spec 03 §4, §7; 09 §3.4).
//!
//! The list of nodes says who is in which swarm, and so whose swarm is whose. When a node says otherwise — by a 421, or
//! asked with `get_swarm` — that is a *claim*: it may know better, because swarms change, or it may want to lead us to
//! nodes of its own.
//!
//! Decision: a claim is believed when a second node, that has no part in it, says the same; until then we stay with
//! what we have. Of what is claimed only those members count that are in the list of nodes. What was learnt so holds
//! until the next list.

use std::collections::{BTreeMap, BTreeSet};

use septet_protocol::id::{Account, Ed25519Public};
use septet_protocol::swarm::Node;

use super::pool::Pool;

/// What was learnt of accounts' swarms.
#[derive(Default)]
pub(crate) struct Swarms {
    told: BTreeMap<Account, BTreeSet<Ed25519Public>>,
    /// Nodes that say of themselves that they do not keep an account's messages.
    left: BTreeMap<Account, BTreeSet<Ed25519Public>>,
}

/// What is to become of a claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Claim {
    /// It says what we know.
    Known,
    /// A second node is to be asked for these members: any but those named here.
    Check {
        /// The members that are claimed and in the list.
        members: BTreeSet<Ed25519Public>,
        /// Who may not be asked, having a part in it.
        parties: BTreeSet<Ed25519Public>,
    },
    /// Nobody it names is in the list.
    Nothing,
}

impl Swarms {
    /// The members of an account's swarm; none if that is to be asked for.
    pub fn members(&self, account: &Account, pool: &Pool) -> Vec<Node> {
        let told = self.told.get(account).into_iter().flatten();
        let told: Vec<Node> = told.filter_map(|key| pool.get(key)).copied().collect();
        let mut members = if told.is_empty() { pool.swarm_of(account) } else { told };
        if let Some(left) = self.left.get(account) {
            members.retain(|node| !left.contains(&node.ed25519));
        }
        members
    }

    /// A node says of itself that it is none of an account's swarm: that much may be believed of anybody.
    pub fn has_left(&mut self, account: &Account, key: &Ed25519Public) {
        self.left.entry(*account).or_default().insert(*key);
    }

    /// A node claims that an account's swarm has these members.
    pub fn claim(
        &self,
        account: &Account,
        by: &Ed25519Public,
        members: impl IntoIterator<Item = Ed25519Public>,
        pool: &Pool,
    ) -> Claim {
        let members: BTreeSet<_> = members.into_iter().filter(|key| pool.get(key).is_some()).collect();
        let known: BTreeSet<_> = self.members(account, pool).iter().map(|node| node.ed25519).collect();
        if members.is_empty() {
            Claim::Nothing
        } else if members == known {
            Claim::Known
        } else {
            let mut parties = members.clone();
            parties.extend(known);
            parties.insert(*by);
            Claim::Check { members, parties }
        }
    }

    /// A second node was asked about a claim; whether it is thereby believed.
    pub fn confirm(
        &mut self,
        account: &Account,
        claimed: &BTreeSet<Ed25519Public>,
        second: impl IntoIterator<Item = Ed25519Public>,
        pool: &Pool,
    ) -> bool {
        let second: BTreeSet<_> = second.into_iter().filter(|key| pool.get(key).is_some()).collect();
        let both: BTreeSet<_> = claimed.intersection(&second).copied().collect();
        // Lists may differ by a node that has just come or gone.
        let agree = !both.is_empty() && 2 * both.len() > claimed.len().max(second.len());
        if agree {
            self.left.remove(account);
            self.told.insert(*account, both);
        }
        agree
    }

    /// A fresh list has come: it knows better again.
    pub fn list_changed(&mut self) {
        self.told.clear();
        self.left.clear();
    }
}
