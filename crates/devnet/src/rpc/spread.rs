//! Requests that the whole swarm carries out (spec 03 §9.2).
//!
//! The node that was asked works itself and passes the request on to every other member at the same time. Members
//! check for themselves (their clocks and memberships may differ), and each signs what it did. Server 2.11 leaves out of
//! the reply those that are gone, and catches up later with those and with the ones that did not answer in time
//! (spec 09 §4.5).

use std::sync::Arc;

use futures_util::future::join_all;
use septet_protocol::id::Ed25519Public;
use serde_json::{Map, Value, json};

use super::reply::{demand_responsible, finish};
use super::request::{Call, Response};
use crate::fault::{self, Admission};
use crate::http::Boxed;
use crate::lie::{Claim, Lies};
use crate::node::Node;
use crate::pubkey::Pubkey;
use crate::seat::Seat;
use crate::storage::Storage;
use crate::version::ServerVersion;

/// The part of a recursive request that each member does.
pub(crate) trait Work: Send + Sync + 'static {
    fn account(&self) -> &Pubkey;

    /// Refuses what must not be done: times, then signatures. `forwarded`: another member passed it on.
    fn check(&self, seat: &Seat, forwarded: bool) -> Result<(), Response>;

    /// Does it on the node's table, or on a copy; the member's entry of the reply.
    fn apply(&self, seat: &Seat, storage: &mut Storage) -> Map<String, Value>;

    /// The claim to have done it with which a node that tells these lies answers instead.
    fn claim(&self, _lies: &Lies) -> Option<Claim> {
        None
    }

    /// Takes note of an honest reply.
    fn answered(&self, _seat: &Seat, _reply: &Map<String, Value>) {}

    /// What the member that was asked adds to its own entry and to the whole reply.
    fn decorate(&self, _seat: &Seat, _own: &mut Map<String, Value>, _reply: &mut Map<String, Value>) {}

    /// The status of a reply in which some member succeeded.
    fn status(&self, _entries: &Map<String, Value>) -> u16 {
        200
    }
}

/// A recursive request.
pub(crate) struct Spread<W>(pub Arc<W>);

impl<W: Work> Call for Spread<W> {
    fn account(&self) -> Option<&Pubkey> {
        Some(self.0.account())
    }

    fn run(&self, seat: Seat) -> Boxed<Response> {
        let work = Arc::clone(&self.0);
        Box::pin(async move { spread(seat, work).await })
    }
}

async fn spread<W: Work>(seat: Seat, work: Arc<W>) -> Response {
    let allowed = demand_responsible(&seat, work.account()).and_then(|()| work.check(&seat, false));
    if let Err(refusal) = allowed {
        return refusal;
    }
    let (claim, signer, mut own) = carry_out(&seat, &*work);
    // A liar keeps to itself what it was to pass on.
    let mut entries = if claim.is_some() { Map::new() } else { at_others(&seat, &work).await };
    let mut reply = Map::new();
    work.decorate(&seat, &mut own, &mut reply);
    entries.insert(signer.to_string(), own.into());
    // As on the official server, also when every entry says `failed`.
    let status = work.status(&entries);
    reply.insert("swarm".to_owned(), entries.into());
    match claim {
        Some(claim) => claim.retell(seat.node.last_store().clone(), &mut reply),
        None => work.answered(&seat, &reply),
    }
    Response::json(status, finish(reply, &seat))
}

/// Does the work at a node, or lets the node claim that; its entry, and the key the entry is to stand under.
fn carry_out(seat: &Seat, work: &impl Work) -> (Option<Claim>, Ed25519Public, Map<String, Value>) {
    let faults = seat.node.faults();
    if faults.query_failure {
        let failed = [("failed", true), ("query_failure", true)];
        let entry = failed.map(|(key, value)| (key.to_owned(), Value::from(value)));
        return (None, seat.node.info.ed25519, entry.into_iter().collect());
    }
    let claim = work.claim(&faults.lies);
    let mut storage = seat.node.storage();
    let keeps = !faults.lies.colludes && claim.is_none_or(Claim::keeps);
    let mut entry =
        if keeps { work.apply(seat, &mut storage) } else { work.apply(seat, &mut storage.copy()) };
    drop(storage);
    if faults.lies.colludes {
        seat.node.count("lie:colludes");
    }
    let signer = claim.map_or(seat.node.info.ed25519, |claim| {
        seat.node.count(claim.name());
        claim.spoil(&*seat.node, &mut entry)
    });
    (claim, signer, entry)
}

async fn at_others<W: Work>(seat: &Seat, work: &Arc<W>) -> Map<String, Value> {
    let members = seat.members_for(work.account());
    let others = members.into_iter().filter(|member| member.info.ed25519 != seat.node.info.ed25519);
    let known_gone = |member: &Arc<Node>| catches_up(seat) && member.faults().dead;
    let (gone, others): (Vec<_>, Vec<_>) = others.partition(known_gone);
    gone.iter().for_each(|member| catch_up(seat.at(member), Arc::clone(work)));
    join_all(others.iter().map(|member| at_member(seat, member, work))).await.into_iter().collect()
}

/// What one other member makes of it, under its key.
async fn at_member<W: Work>(seat: &Seat, member: &Arc<Node>, work: &Arc<W>) -> (String, Value) {
    let there = seat.at(member);
    let working = async {
        match fault::admit(member.fault_switch()).await {
            Admission::Lost => std::future::pending().await,
            Admission::Taken => take_over(&there, &**work),
        }
    };
    let entry = tokio::time::timeout(seat.network.conduct.patience.member, working).await;
    if entry.is_err() && catches_up(seat) {
        catch_up(there, Arc::clone(work));
    }
    (member.info.ed25519.to_string(), entry.unwrap_or_else(|_| json!({"failed": true, "timeout": true})))
}

/// Whether members that could not be reached are told later.
fn catches_up(seat: &Seat) -> bool {
    seat.network.conduct.version >= ServerVersion::V2_11
}

/// Lets a member do its part as soon as it is well enough.
fn catch_up(there: Seat, work: Arc<impl Work>) {
    let network = Arc::clone(&there.network);
    network.tasks.spawn(async move {
        let mut changes = there.node.fault_switch().subscribe();
        while fault::admit(there.node.fault_switch()).await == Admission::Lost {
            // The node has the sender, and the node is ours.
            _ = changes.changed().await;
        }
        take_over(&there, &*work);
    });
}

/// Does a request that another member passed on.
fn take_over(there: &Seat, work: &impl Work) -> Value {
    let faults = there.node.faults();
    let allowed = demand_responsible(there, work.account()).and_then(|()| work.check(there, true));
    match allowed {
        Err(refusal) => {
            json!({"failed": true, "code": refusal.status.to_string(), "reason": refusal.body.into_text()})
        }
        Ok(()) => {
            let (_, _, entry) = carry_out(there, work);
            if faults.garbage || faults.truncated || faults.nonsense {
                return json!({"failed": true, "bad_peer_response": true});
            }
            Value::Object(entry.into_iter().map(|(key, value)| (key, as_bencoded(value))).collect())
        }
    }
}

/// Between members entries travel bencoded, which knows no booleans.
fn as_bencoded(value: Value) -> Value {
    match value {
        Value::Bool(yes) => Value::from(u8::from(yes)),
        other => other,
    }
}
