//! Questions about the network itself: `info`, `get_swarm`, `oxend_request` (spec 03 §4.3, §9.15, §9.16).

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::names;
use super::params::{Params, ParseError, Parsed, require};
use super::reply::{finish, swarm_json};
use super::request::{Call, Request, Response};
use crate::http::Boxed;
use crate::node_info::NodeInfo;
use crate::pubkey::Pubkey;
use crate::seat::Seat;
use crate::version::{HARD_FORK, HEIGHT, ServerVersion};

/// `info`: version and time.
pub(super) struct Info;

impl Call for Info {
    fn run(&self, seat: Seat) -> Boxed<Response> {
        Box::pin(async move {
            let mut reply = Map::new();
            reply.insert("version".to_owned(), json!(seat.network.conduct.version.number()));
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
    fn account(&self) -> Option<&Pubkey> {
        Some(&self.0)
    }

    fn run(&self, seat: Seat) -> Boxed<Response> {
        let account = self.0;
        Box::pin(async move { Response::json(200, finish(swarm_json(&seat, &account), &seat)) })
    }
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
            "get_service_nodes" => {
                Ok(service_nodes(told_nodes(seat), &self.params, seat.network.conduct.version))
            }
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
            let version = seat.network.conduct.version;
            if !seat.network.conduct.active_nodes_bin {
                return Response::text(400, "no method active_nodes_bin");
            }
            let records: Vec<u8> = told_nodes(&seat).iter().flat_map(|info| record(info, version)).collect();
            Response::json(200, BASE64.encode(&records).into())
        })
    }
}

fn record(info: &NodeInfo, version: ServerVersion) -> Vec<u8> {
    let (ip, port) = (info.address.ip().octets(), info.address.port().to_be_bytes());
    let version = version.number().map(|part| u8::try_from(part).unwrap_or(u8::MAX));
    [info.ed25519.as_bytes(), &info.swarm.0.to_be_bytes()[..], &ip, &port, &port, &version].concat()
}

/// The daemon's list of these nodes with the fields asked for (spec 03 §2.3); a `limit` takes so many at random.
pub(crate) fn service_nodes(mut nodes: Vec<NodeInfo>, params: &Value, version: ServerVersion) -> Value {
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
    let states: Vec<Value> = nodes.iter().map(|node| pick(node_state(node, version), wanted)).collect();
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

fn node_state(info: &NodeInfo, version: ServerVersion) -> Value {
    json!({
        "public_ip": info.address.ip(),
        "storage_port": info.address.port(),
        "storage_lmq_port": info.address.port(),
        "pubkey_ed25519": info.ed25519,
        "pubkey_x25519": info.x25519,
        "service_node_pubkey": info.legacy,
        "requested_unlock_height": 0,
        "storage_server_version": version.number(),
        "swarm_id": info.swarm.0,
        "swarm": info.swarm.to_string(),
        "active": true,
    })
}
