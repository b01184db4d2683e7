//! What a node does with an onion request (spec 03 §6.8): peel a layer, then pass it on, answer it, or post it to a
//! server.
//!
//! Between nodes a request goes by a call instead of a socket; each node's faults, clock and limits apply to its own
//! part all the same, and who waits for whom is as on the real network.

use septet_protocol::crypto::SystemRandom;
use septet_protocol::id::{Ed25519Public, X25519Public};
use septet_protocol::onion::{self, EncType, LayerKey, PeelError, Peeled, Protocol, RpcOptions};

use crate::fault::{self, Admission};
use crate::http::{self, Boxed, Reply};
use crate::lie::Passing;
use crate::rpc::{self, Response};
use crate::seat::Seat;

/// The most hops a request may have.
const MAX_HOPS: u64 = 15;

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
    ephemeral: X25519Public,
    enc: EncType,
    hop: u64,
}

/// Answers `POST /onion_req/v2`.
pub(crate) async fn enter(seat: Seat, body: &[u8]) -> Answer {
    seat.node.count("onion");
    match onion::parse_request(body) {
        Ok(envelope) => {
            let (ciphertext, hop) = (envelope.ciphertext.to_vec(), envelope.hop_no);
            work_on(seat, Layer { ciphertext, ephemeral: envelope.ephemeral, enc: envelope.enc, hop }).await
        }
        Err(reason) => Answer::text(400, format!("Error parsing onion request: {reason}")),
    }
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
    match onion::peel(&seat.node.x25519, layer.enc, &layer.ephemeral, &layer.ciphertext) {
        Err(PeelError::Ciphertext) => Answer::text(400, "Invalid ciphertext"),
        Err(PeelError::Content(key)) => refuse(&key, "Invalid json"),
        Err(PeelError::Url(key)) => refuse(&key, "Invalid url"),
        Ok((key, Peeled::Rpc { request, options })) => {
            wrap(&key, rpc::handle(seat.clone(), &request).await, options)
        }
        Ok((_, Peeled::Forward { next, ephemeral, enc, ciphertext })) => {
            pass_on(seat, next, Layer { ciphertext, ephemeral, enc, hop: layer.hop.saturating_add(1) }).await
        }
        Ok((_, Peeled::Server { host, target, protocol, port, raw_layer, .. })) => {
            proxy(seat, protocol, &host, port, &target, raw_layer).await
        }
    }
}

/// An error that only the client can read.
fn refuse(key: &LayerKey, text: &str) -> Answer {
    wrap(key, Response::text(400, text), RpcOptions::default())
}

/// Encrypts a reply for the client.
fn wrap(key: &LayerKey, response: Response, options: RpcOptions) -> Answer {
    let body = response.body.into_text();
    Answer { status: 200, body: options.encode_reply(key, response.status, &body, &mut SystemRandom) }
}

async fn pass_on(seat: &Seat, next: Ed25519Public, layer: Layer) -> Answer {
    seat.node.count("relay");
    // The first lie that is about the next node.
    let lie = seat.node.faults().lies.hop.into_iter().find_map(|lie| lie.told(&next));
    if lie.is_some() {
        seat.node.count("lie:hop");
    }
    match lie {
        None => relay(seat, next, layer).await,
        Some(Passing::Refused(status, text)) => Answer::text(status, text),
        Some(Passing::Dropped) => std::future::pending().await,
        Some(Passing::Garbled) => {
            let Answer { body, .. } = relay(seat, next, layer).await;
            Answer { status: 200, body: fault::garbage(body.len()) }
        }
    }
}

async fn relay(seat: &Seat, next: Ed25519Public, layer: Layer) -> Answer {
    let known = if seat.node.faults().knows_nobody { None } else { seat.network.find(&next) };
    let Some(next_node) = known else {
        return Answer::text(502, format!("Next node not found: {next}"));
    };
    let relayed = receive(seat.at(&next_node), layer);
    tokio::time::timeout(seat.network.conduct.patience.relay, relayed)
        .await
        .unwrap_or_else(|_| Answer::text(504, "Request time out"))
}

async fn proxy(
    seat: &Seat,
    protocol: Protocol,
    host: &str,
    port: Option<u16>,
    target: &str,
    payload: Vec<u8>,
) -> Answer {
    seat.node.count("proxy");
    // Whatever the protocol: this is the port if none is given (spec 03 §6.3).
    let port = port.unwrap_or(443);
    let posted =
        http::post(protocol, host, port, target, payload.into(), seat.network.conduct.patience.proxy);
    match posted.await {
        Ok(Reply::Answer { status, body, .. }) => Answer { status, body: body.into() },
        Ok(Reply::HangUp) => Answer::text(502, http::PostError::Broken.to_string()),
        Err(error) => Answer::text(error.status(), error.to_string()),
    }
}
