//! What a node does with an onion request (spec 03 §6.8): peel a layer, then pass it on, answer it, or post it to a
//! server.
//!
//! Between nodes a request goes by a call instead of a socket; each node's faults, clock and limits apply to its own
//! part all the same, and who waits for whom is as on the real network.

use data_encoding::BASE64;
use septet_protocol::id::{Ed25519Public, X25519Public};
use serde_json::{Map, Value, json};

use crate::channel::{EncType, LayerKey, read_frame, read_layer};
use crate::fault::{self, Admission};
use crate::http::{self, Boxed, Reply};
use crate::network::Seat;
use crate::rpc::{self, Response};

/// The most hops a request may have.
const MAX_HOPS: i64 = 15;

/// What goes back along the path: a status and bytes, which hops pass on unchanged.
pub(crate) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    fn text(status: u16, text: impl Into<String>) -> Self {
        Self { status, body: text.into().into_bytes() }
    }
}

/// One layer as it reaches a node.
struct Layer {
    ciphertext: Vec<u8>,
    client: X25519Public,
    enc_type: EncType,
    hop: i64,
}

/// What a layer turned out to hold.
enum Inner {
    Request { rpc: Vec<u8>, embed: bool, base64: bool },
    Server { protocol: String, host: String, port: u16, target: String },
    Next { node: Ed25519Public, layer: Layer },
}

/// Answers `POST /onion_req/v2`.
pub(crate) async fn enter(seat: Seat, body: &[u8]) -> Answer {
    seat.node.count("onion");
    match read_entry(body) {
        Ok(layer) => work_on(seat, layer).await,
        Err(reason) => Answer::text(400, format!("Error parsing onion request: {reason}")),
    }
}

fn read_entry(body: &[u8]) -> Result<Layer, String> {
    let frame = read_frame(body)?;
    let (client, enc_type) = read_layer(&frame.control)?;
    let hop = match frame.control.get("hop_no") {
        None => 0,
        Some(hop) => hop.as_i64().ok_or("hop_no is not an integer")?.max(0),
    };
    Ok(Layer { ciphertext: frame.blob.to_vec(), client, enc_type, hop })
}

/// Takes a request passed on by another node, unless faults swallow it.
async fn receive(seat: Seat, layer: Layer) -> Answer {
    if fault::admit(seat.node.fault_switch()).await == Admission::Lost {
        return std::future::pending().await;
    }
    seat.node.count("onion");
    let faults = seat.node.faults();
    if faults.not_ready || faults.busy {
        return Answer::text(503, format!("Snode not ready: {}", seat.node.info.ed25519));
    }
    if layer.hop > MAX_HOPS {
        return Answer::text(400, "onion request max path length exceeded");
    }
    work_on(seat, layer).await
}

fn work_on(seat: Seat, layer: Layer) -> Boxed<Answer> {
    Box::pin(async move {
        let mut answer = peel_and_go(&seat, layer).await;
        let faults = seat.node.faults();
        if faults.garbage {
            answer.status = 200;
        }
        Answer { body: fault::spoil(&faults, answer.body), ..answer }
    })
}

async fn peel_and_go(seat: &Seat, layer: Layer) -> Answer {
    let key = LayerKey::agree(&seat.node.x25519, &layer.client, layer.enc_type);
    let opened = key.and_then(|key| Some((key.open(&layer.ciphertext)?, key)));
    let Some((plain, key)) = opened else { return Answer::text(400, "Invalid ciphertext") };
    match read_inner(&plain, layer.hop) {
        None => wrap(&key, Response::text(400, "Invalid json"), false, true),
        Some(Inner::Request { rpc, embed, base64 }) => {
            wrap(&key, rpc::handle(seat.clone(), &rpc).await, embed, base64)
        }
        Some(Inner::Next { node, layer }) => pass_on(seat, node, layer).await,
        Some(Inner::Server { protocol, host, port, target }) => {
            if !is_allowed(&protocol, &target) {
                return wrap(&key, Response::text(400, "Invalid url"), false, true);
            }
            proxy(seat, &protocol, &host, port, &target, plain).await
        }
    }
}

/// What an opened layer wants; `None` if it makes no sense.
fn read_inner(plain: &[u8], hop: i64) -> Option<Inner> {
    let frame = read_frame(plain).ok()?;
    let control = &frame.control;
    if control.contains_key("headers") {
        let flag = |name: &str, default: bool| control.get(name).map_or(Some(default), Value::as_bool);
        let (embed, base64) = (flag("json", false)?, flag("base64", true)?);
        return Some(Inner::Request { rpc: frame.blob.to_vec(), embed, base64 });
    }
    if control.contains_key("host") {
        return read_server(control);
    }
    let node = control.get("destination")?.as_str()?.parse().ok()?;
    let (client, enc_type) = read_layer(control).ok()?;
    let layer = Layer { ciphertext: frame.blob.to_vec(), client, enc_type, hop: hop + 1 };
    Some(Inner::Next { node, layer })
}

fn read_server(control: &Map<String, Value>) -> Option<Inner> {
    let text = |name: &str| control.get(name).and_then(Value::as_str).map(str::to_owned);
    let protocol = if control.contains_key("protocol") { text("protocol")? } else { "https".to_owned() };
    let port = match control.get("port") {
        None => 443,
        Some(port) => port.as_u64()?.try_into().ok()?,
    };
    Some(Inner::Server { protocol, host: text("host")?, port, target: text("target")? })
}

/// Which addresses on servers may be posted to.
fn is_allowed(protocol: &str, target: &str) -> bool {
    matches!(protocol, "http" | "https")
        && (target.starts_with("/loki/") || target.starts_with("/oxen/"))
        && target.ends_with("/lsrpc")
        && !target.contains('?')
}

/// Encrypts a reply for the client, as the text it is sent as.
fn wrap(key: &LayerKey, response: Response, embed: bool, base64: bool) -> Answer {
    let body = match response.body {
        rpc::Body::Json(value) if embed => value,
        body => Value::String(body.into_text()),
    };
    let reply = json!({"status": response.status, "body": body}).to_string();
    let sealed = key.seal(reply.as_bytes());
    let body = if base64 { BASE64.encode(&sealed).into_bytes() } else { sealed };
    Answer { status: 200, body }
}

async fn pass_on(seat: &Seat, next: Ed25519Public, layer: Layer) -> Answer {
    seat.node.count("relay");
    let known = if seat.node.faults().knows_nobody { None } else { seat.network.find(&next) };
    let Some(next_node) = known else {
        return Answer::text(502, format!("Next node not found: {next}"));
    };
    let relayed = receive(seat.at(next_node), layer);
    tokio::time::timeout(seat.network.patience.relay, relayed)
        .await
        .unwrap_or_else(|_| Answer::text(504, "Request time out"))
}

async fn proxy(
    seat: &Seat,
    protocol: &str,
    host: &str,
    port: u16,
    target: &str,
    payload: Vec<u8>,
) -> Answer {
    seat.node.count("proxy");
    let patience = seat.network.patience.proxy;
    match http::post(protocol, host, port, target, payload.into(), patience).await {
        Ok(Reply::Answer { status, body, .. }) => Answer { status, body: body.into() },
        Ok(Reply::HangUp) => Answer::text(502, http::PostError::Broken.to_string()),
        Err(error) => Answer::text(error.status(), error.to_string()),
    }
}
