//! What replies of every kind have in common: the time, and whose the account is.

use septet_protocol::id::SwarmId;
use serde_json::{Map, Value, json};

use super::request::Response;
use crate::fault::Departure;
use crate::node_info::NodeInfo;
use crate::pubkey::Pubkey;
use crate::seat::Seat;
use crate::version::{HARD_FORK, ServerVersion};

/// Adds the fields every reply has.
pub(super) fn finish(mut reply: Map<String, Value>, seat: &Seat) -> Value {
    reply.insert("t".to_owned(), seat.told_time().into());
    reply.insert("hf".to_owned(), json!(HARD_FORK));
    Value::Object(reply)
}

/// Refuses a request for an account of another swarm: 421 with the right one (spec 03 §9.17). Where there are no
/// swarms at all, server 2.11 says so instead (spec 09 §4.6).
pub(super) fn demand_responsible(seat: &Seat, account: &Pubkey) -> Result<(), Response> {
    if seat.is_responsible_for(account) {
        return Ok(());
    }
    let (swarm, _) = seat.network.swarm_of(account);
    if swarm == SwarmId::NONE && seat.network.conduct.version >= ServerVersion::V2_11 {
        return Err(Response::text(500, "No swarms known!"));
    }
    match seat.node.faults().left {
        Some(Departure::Silent) => Err(Response::text(421, "")),
        _ => Err(Response::json(421, finish(swarm_json(seat, account), seat))),
    }
}

/// The members of an account's swarm, as `get_swarm` and 421 replies list them; others, if the node misdirects.
pub(super) fn swarm_json(seat: &Seat, account: &Pubkey) -> Map<String, Value> {
    let (swarm, members) = seat.network.swarm_of(account);
    let snodes: Vec<Value> = match seat.node.faults().lies.misdirects {
        Some(members) => {
            seat.node.count("lie:swarm");
            members.iter().map(member_json).collect()
        }
        None => members.iter().map(|node| member_json(&node.info)).collect(),
    };
    let mut reply = Map::new();
    reply.insert("snodes".to_owned(), snodes.into());
    reply.insert("swarm".to_owned(), swarm.to_string().into());
    reply
}

fn member_json(info: &NodeInfo) -> Value {
    let port = info.address.port();
    json!({
        "address": info.snode_address(),
        "pubkey_legacy": info.legacy,
        "pubkey_x25519": info.x25519,
        "pubkey_ed25519": info.ed25519,
        "port": port.to_string(),
        "port_https": port,
        "port_omq": port,
        "port_quic": port,
        "ip": info.address.ip(),
    })
}
