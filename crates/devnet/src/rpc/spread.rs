//! Requests that the whole swarm carries out (spec 03 §9.2).
//!
//! The node that was asked works itself and passes the request on to every other member at the same time. Members
//! check for themselves (their clocks and memberships may differ), and each signs what it did.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use super::{Call, Response, demand_responsible, finish};
use crate::fault::{self, Admission};
use crate::http::Boxed;
use crate::network::Seat;
use crate::node::Node;
use crate::pubkey::Pubkey;

/// The part of a recursive request that each member does.
pub(crate) trait Work: Send + Sync + 'static {
    fn account(&self) -> &Pubkey;

    /// Refuses what must not be done: times, then signatures. `forwarded`: another member passed it on.
    fn check(&self, seat: &Seat, forwarded: bool) -> Result<(), Response>;

    /// Does it here; the member's entry of the reply.
    fn apply(&self, seat: &Seat) -> Map<String, Value>;

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
    let mut own = work.apply(&seat);
    let members = seat.members_for(work.account());
    let others = members.iter().filter(|member| member.info.ed25519 != seat.node.info.ed25519);
    let mut entries: Map<String, Value> =
        join_all(others.map(|member| at_member(&seat, member, &*work))).await.into_iter().collect();
    let mut reply = Map::new();
    work.decorate(&seat, &mut own, &mut reply);
    entries.insert(seat.node.info.ed25519.to_string(), own.into());
    let all_failed = entries.values().all(|entry| entry.get("failed").is_some());
    let status = if all_failed { 500 } else { work.status(&entries) };
    reply.insert("swarm".to_owned(), entries.into());
    Response::json(status, finish(reply, &seat))
}

/// What one other member makes of it, under its key.
async fn at_member(seat: &Seat, member: &Arc<Node>, work: &impl Work) -> (String, Value) {
    let there = seat.at(member);
    let working = async {
        match fault::admit(member.fault_switch()).await {
            Admission::Lost => std::future::pending().await,
            Admission::Taken => carry_out(&there, work),
        }
    };
    let entry = tokio::time::timeout(seat.network.patience.member, working)
        .await
        .unwrap_or_else(|_| json!({"failed": true, "timeout": true}));
    (member.info.ed25519.to_string(), entry)
}

fn carry_out(there: &Seat, work: &impl Work) -> Value {
    let faults = there.node.faults();
    let allowed = demand_responsible(there, work.account()).and_then(|()| work.check(there, true));
    match allowed {
        Err(refusal) => {
            json!({"failed": true, "code": refusal.status.to_string(), "reason": refusal.body.into_text()})
        }
        Ok(()) => {
            let entry = work.apply(there);
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
