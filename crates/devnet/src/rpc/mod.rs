//! The storage server's requests (spec 03 §9), read and answered as the official server 2.8.0 does.
//!
//! Decision: a request is first read completely ([`Call`]), with every batched request in it, and only then carried
//! out: so a mistake anywhere fails the whole call with 400, as on the real server, while refusals (wrong swarm,
//! clock, signature) belong to the one request they concern.

mod auth;
mod delete;
mod directory;
mod expire;
mod meta;
mod params;
mod retrieve;
mod spread;
mod store;
mod subaccount;

use serde_json::{Map, Value, json};

use crate::fault::Departure;
use crate::http::Boxed;
use crate::network::{HARD_FORK, Seat};
use crate::pubkey::Pubkey;

pub(crate) use directory::{service_nodes, swarm_json};
use params::{Params, ParseError, Parsed};
pub(crate) use store::message_hash;

/// What a request is answered with.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub status: u16,
    pub body: Body,
}

/// A reply's body.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Json(Value),
    Text(String),
}

impl Body {
    /// As a value inside another reply.
    pub fn into_value(self) -> Value {
        match self {
            Self::Json(value) => value,
            Self::Text(text) => Value::String(text),
        }
    }

    /// As it stands on its own.
    pub fn into_text(self) -> String {
        match self {
            Self::Json(value) => value.to_string(),
            Self::Text(text) => text,
        }
    }
}

impl Response {
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self { status, body: Body::Text(text.into()) }
    }

    pub fn json(status: u16, value: Value) -> Self {
        Self { status, body: Body::Json(value) }
    }

    fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A request that was read and can be carried out.
pub(crate) trait Call: Send + Sync {
    fn run(&self, seat: Seat) -> Boxed<Response>;
}

/// A call and the method's name.
pub(crate) struct Request {
    name: &'static str,
    call: Box<dyn Call>,
}

impl Request {
    fn new(name: &'static str, call: impl Call + 'static) -> Self {
        Self { name, call: Box::new(call) }
    }

    /// Whether it holds other requests, and so may not be one of a batch.
    fn is_meta(&self) -> bool {
        matches!(self.name, "batch" | "sequence" | "ifelse")
    }

    async fn run(&self, seat: Seat) -> Response {
        let cut_after = match seat.network.wire.begin(self.name) {
            Ok(cut_after) => cut_after,
            Err(lost) => return lost,
        };
        seat.node.count(self.name);
        let response = self.call.run(seat.clone()).await;
        if cut_after {
            seat.network.wire.end();
        }
        response
    }
}

/// Answers a request given as JSON text.
pub(crate) async fn handle(seat: Seat, body: &[u8]) -> Response {
    let faults = seat.node.faults();
    if let Some((status, text)) = faults.answers {
        return Response::text(status, text);
    }
    match read(body) {
        Ok(request) if faults.nonsense => {
            seat.node.count(request.name);
            Response::text(200, "{\"results\":[}\u{fffd} not JSON")
        }
        Ok(request) => request.run(seat).await,
        Err(refusal) => refusal,
    }
}

fn read(body: &[u8]) -> Result<Request, Response> {
    let refuse = |text: &str| Response::text(400, text);
    let body: Value = serde_json::from_slice(body).map_err(|_| refuse("invalid json"))?;
    let method = body.get("method").and_then(Value::as_str);
    let method = method.ok_or_else(|| refuse("invalid json: no `method` field"))?;
    let params = body.get("params").and_then(Value::as_object);
    let params = params.ok_or_else(|| refuse("invalid json: no `params` field"))?;
    match parse(method, params) {
        Some(Ok(request)) => Ok(request),
        Some(Err(ParseError(text))) => Err(Response::text(400, format!("invalid request: {text}"))),
        None => Err(Response::text(400, format!("no method {method}"))),
    }
}

/// Reads the parameters of a method; `None` if there is no such method.
fn parse(method: &str, params: &Map<String, Value>) -> Option<Parsed<Request>> {
    let params = Params(params);
    Some(match method {
        "store" => store::parse(params),
        "retrieve" => retrieve::parse(params),
        "delete" => delete::parse(params),
        "delete_all" => delete::parse_all(params),
        "delete_before" => delete::parse_before(params),
        "expire" => expire::parse(params),
        "expire_all" => expire::parse_all(params),
        "get_expiries" => expire::parse_get(params),
        "revoke_subaccount" => subaccount::parse_revoke(params),
        "unrevoke_subaccount" => subaccount::parse_unrevoke(params),
        "active_nodes_bin" => Ok(Request::new("active_nodes_bin", directory::ActiveNodes)),
        "info" => Ok(Request::new("info", directory::Info)),
        "get_swarm" | "get_snodes_for_pubkey" => directory::parse_get_swarm(params),
        "oxend_request" => directory::parse_oxend(params),
        "batch" => meta::parse_batch(params),
        "sequence" => meta::parse_sequence(params),
        "ifelse" => meta::parse_ifelse(params),
        _ => return None,
    })
}

/// Adds the fields every reply has.
fn finish(mut reply: Map<String, Value>, seat: &Seat) -> Value {
    reply.insert("t".to_owned(), seat.told_time().into());
    reply.insert("hf".to_owned(), json!(HARD_FORK));
    Value::Object(reply)
}

/// Refuses a request for an account of another swarm: 421 with the right one (spec 03 §9.17).
fn demand_responsible(seat: &Seat, account: &Pubkey) -> Result<(), Response> {
    if seat.is_responsible_for(account) {
        return Ok(());
    }
    match seat.node.faults().left {
        Some(Departure::Silent) => Err(Response::text(421, "")),
        _ => Err(Response::json(421, finish(swarm_json(seat, account), seat))),
    }
}
