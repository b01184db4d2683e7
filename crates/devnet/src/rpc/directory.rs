//! Questions about the network itself: `info`, `get_swarm`, `oxend_request` (spec 03 §4.3, §9.15, §9.16).

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::params::{Params, ParseError, Parsed, require};
use super::{Call, Request, Response, finish};
use crate::http::Boxed;
use crate::names;
use crate::network::{HARD_FORK, HEIGHT, Seat, VERSION};
use crate::node::NodeInfo;
use crate::pubkey::Pubkey;

/// `info`: version and time.
pub(super) struct Info;

impl Call for Info {
    fn run(&self, seat: Seat) -> Boxed<Response> {
        Box::pin(async move {
            let mut reply = Map::new();
            reply.insert("version".to_owned(), json!(VERSION));
            reply.insert("timestamp".to_owned(), seat.told_time().into());
            Response::json(200, finish(reply, &seat))
        })
    }
}

#[derive(Clone, Copy)]
struct GetSwarm(Pubkey);

/// Reads the parameters of `get_swarm`.
pub(super) fn parse_get_swarm(params: Params<'_>) -> Parsed<Request> {
    match params.account(true) {
        Ok(account) => Ok(Request::new("get_swarm", GetSwarm(account))),
        // The same mistake has another wording here.
        Err(ParseError(text)) => Err(ParseError(text.replace("digits (33 bytes)", "digits/33 bytes"))),
    }
}

impl Call for GetSwarm {
    fn run(&self, seat: Seat) -> Boxed<Response> {
        let account = self.0;
        Box::pin(async move { Response::json(200, finish(swarm_json(&seat, &account), &seat)) })
    }
}

/// The members of an account's swarm, as `get_swarm` and 421 replies list them; others, if the node misdirects.
pub(crate) fn swarm_json(seat: &Seat, account: &Pubkey) -> Map<String, Value> {
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

#[derive(Clone)]
struct Oxend {
    endpoint: String,
    params: Value,
}

/// Reads the parameters of `oxend_request`.
pub(super) fn parse_oxend(params: Params<'_>) -> Parsed<Request> {
    let endpoint = require("endpoint", params.string("endpoint")?)?.to_owned();
    if !matches!(endpoint.as_str(), "get_service_nodes" | "ons_resolve") {
        return Err(ParseError(format!("Invalid oxend endpoint '{endpoint}'")));
    }
    let params = params.get("params").cloned().unwrap_or_else(|| json!({}));
    Ok(Request::new("oxend_request", Oxend { endpoint, params }))
}

impl Oxend {
    fn answer(&self, seat: &Seat) -> Response {
        let result = match self.endpoint.as_str() {
            "get_service_nodes" => Ok(service_nodes(told_nodes(seat), &self.params)),
            _ => names::resolve(seat, &self.params),
        };
        match result {
            Ok(result) => {
                let mut reply = Map::new();
                reply.insert("result".to_owned(), result);
                Response::json(200, finish(reply, seat))
            }
            Err(text) => Response::text(400, text),
        }
    }
}

impl Call for Oxend {
    fn run(&self, seat: Seat) -> Boxed<Response> {
        let request = self.clone();
        Box::pin(async move { request.answer(&seat) })
    }
}

/// All nodes as a node tells of them.
fn told_nodes(seat: &Seat) -> Vec<NodeInfo> {
    let (mut nodes, lies) = (seat.network.list(), seat.node.faults().lies.list);
    if !lies.is_empty() {
        seat.node.count("lie:list");
    }
    lies.iter().for_each(|lie| lie.tell(&mut nodes));
    nodes
}

/// `active_nodes_bin`: the list as records of 51 bytes (spec 03 §2.4).
pub(super) struct ActiveNodes;

impl Call for ActiveNodes {
    fn run(&self, seat: Seat) -> Boxed<Response> {
        Box::pin(async move {
            if !seat.network.active_nodes_bin {
                return Response::text(400, "no method active_nodes_bin");
            }
            let records: Vec<u8> = told_nodes(&seat).iter().flat_map(record).collect();
            Response::json(200, BASE64.encode(&records).into())
        })
    }
}

fn record(info: &NodeInfo) -> Vec<u8> {
    let (ip, port) = (info.address.ip().octets(), info.address.port().to_be_bytes());
    let version = VERSION.map(|part| u8::try_from(part).unwrap_or(u8::MAX));
    [info.ed25519.as_bytes(), &info.swarm.0.to_be_bytes()[..], &ip, &port, &port, &version].concat()
}

/// The daemon's list of these nodes with the fields asked for (spec 03 §2.3); a `limit` takes so many at random.
pub(crate) fn service_nodes(mut nodes: Vec<NodeInfo>, params: &Value) -> Value {
    let wanted = |field: &str| match params.get("fields") {
        Some(Value::Object(fields)) if fields.get("all") != Some(&Value::Bool(true)) => {
            fields.get(field).is_some_and(|wanted| wanted == &Value::Bool(true))
        }
        Some(Value::Array(fields)) => fields.iter().any(|name| name == field || name == "all"),
        _ => true,
    };
    if let Some(limit) = params.get("limit").and_then(Value::as_u64).filter(|&limit| limit > 0) {
        fastrand::shuffle(&mut nodes);
        nodes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let states: Vec<Value> = nodes.iter().map(|node| pick(node_state(node), wanted)).collect();
    let chain = json!({
        "height": HEIGHT,
        "block_hash": "0".repeat(64),
        "hardfork": HARD_FORK.first(),
        "snode_revision": HARD_FORK.last(),
    });
    let mut result = pick(chain, wanted);
    if let Some(result) = result.as_object_mut() {
        result.insert("service_node_states".to_owned(), states.into());
        result.insert("status".to_owned(), "OK".into());
    }
    result
}

fn pick(all: Value, wanted: impl Fn(&str) -> bool) -> Value {
    match all {
        Value::Object(fields) => fields.into_iter().filter(|(name, _)| wanted(name)).collect(),
        other => other,
    }
}

fn node_state(info: &NodeInfo) -> Value {
    json!({
        "public_ip": info.address.ip(),
        "storage_port": info.address.port(),
        "storage_lmq_port": info.address.port(),
        "pubkey_ed25519": info.ed25519,
        "pubkey_x25519": info.x25519,
        "service_node_pubkey": info.legacy,
        "requested_unlock_height": 0,
        "storage_server_version": VERSION,
        "swarm_id": info.swarm.0,
        "swarm": info.swarm.to_string(),
        "active": true,
    })
}
