//! The storage server's requests (spec 03 §9, 09 §4), read and answered as the official server does, 2.8.0 or
//! 2.11.3 ([`ServerVersion`]).
//!
//! Decision: a request is first read completely ([`Call`]), with every batched request in it, and only then carried
//! out: so a mistake anywhere fails the whole call with 400, as on the real server, while refusals (wrong swarm,
//! clock, signature) belong to the one request they concern.

mod auth;
mod delete;
mod directory;
mod expire;
mod meta;
mod names;
mod params;
mod reply;
mod request;
mod retrieve;
mod spread;
mod store;
mod subaccount;

use serde_json::{Map, Value};

use crate::seat::Seat;
use crate::version::ServerVersion;

pub(crate) use directory::service_nodes;
use params::{Params, ParseError, Parsed};
use request::Request;
pub(crate) use request::{Body, Response};

/// Answers a request given as JSON text.
pub(crate) async fn handle(seat: Seat, body: &[u8]) -> Response {
    let faults = seat.node.faults();
    if let Some((status, text)) = faults.answers {
        return Response::text(status, text);
    }
    match read(body, seat.network.conduct.version) {
        Ok(request) if faults.nonsense => {
            seat.node.count(request.name);
            Response::text(200, "{\"results\":[}\u{fffd} not JSON")
        }
        Ok(request) => request.run(seat).await,
        Err(refusal) => refusal,
    }
}

fn read(body: &[u8], version: ServerVersion) -> Result<Request, Response> {
    let refuse = |text: &str| Response::text(400, text);
    let body: Value = serde_json::from_slice(body).map_err(|_| refuse("invalid json"))?;
    let method = body.get("method").and_then(Value::as_str);
    let method = method.ok_or_else(|| refuse("invalid json: no `method` field"))?;
    let params = body.get("params").and_then(Value::as_object);
    let params = params.ok_or_else(|| refuse("invalid json: no `params` field"))?;
    match parse(method, params, version) {
        Some(Ok(request)) => Ok(request),
        Some(Err(ParseError(text))) => Err(Response::text(400, format!("invalid request: {text}"))),
        None => Err(Response::text(400, format!("no method {method}"))),
    }
}

/// Reads the parameters of a method; `None` if a server of this version has no such method.
fn parse(method: &str, params: &Map<String, Value>, version: ServerVersion) -> Option<Parsed<Request>> {
    let params = Params(params);
    let nested = |method: &str, params: &Map<String, Value>| parse(method, params, version);
    Some(match method {
        "store" => store::parse(params),
        "retrieve" => retrieve::parse(params),
        "delete" => delete::parse(params),
        "delete_all" => delete::parse_all(params),
        "delete_before" => delete::parse_before(params, version),
        "expire" => expire::parse(params),
        "expire_all" => expire::parse_all(params),
        "get_expiries" => expire::parse_get(params),
        "revoke_subaccount" => subaccount::parse_revoke(params),
        "unrevoke_subaccount" => subaccount::parse_unrevoke(params),
        "revoked_subaccounts" if version >= ServerVersion::V2_11 => subaccount::parse_list(params),
        "active_nodes_bin" => Ok(Request::new("active_nodes_bin", directory::ActiveNodes)),
        "info" => Ok(Request::new("info", directory::Info)),
        "get_swarm" | "get_snodes_for_pubkey" => directory::parse_get_swarm(params),
        "oxend_request" => directory::parse_oxend(params),
        "batch" => meta::parse_batch(params, &nested),
        "sequence" => meta::parse_sequence(params, &nested),
        "ifelse" => meta::parse_ifelse(params, version, &nested),
        _ => return None,
    })
}
