//! Building a request, from the inside out (spec 03 §6.3).
//!
//! The payload is copied once, into the middle of a buffer with room on both sides; every layer is then encrypted in
//! place, so a request of 1 MiB costs four passes of the cipher and nothing else.

use serde_json::Value;

use super::frame::Nest;
use super::layer::{LayerKey, Nonce};
use super::{Destination, EncType, Hop, Protocol, ResponseKey};
use crate::crypto::{Random, TAG, X25519Secret};
use crate::id::X25519Public;

/// More than the JSON behind a layer has for a node; a server's is longer by host and target.
const JSON_ROOM: usize = 256;

/// Why no request can be built. Another path (or destination) may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OnionError {
    /// A path to a server has at least one hop.
    #[error("an onion path to a server needs at least one hop")]
    EmptyPath,
    /// A node's key is not a usable key: the node list is wrong about this one.
    #[error("a node's encryption key is not valid")]
    NodeKey,
    /// More than a frame can hold (4 GiB).
    #[error("the request is too large")]
    TooLarge,
}

/// A finished request.
pub struct Request {
    /// What is posted to the first hop.
    pub body: Vec<u8>,
    /// What opens the reply.
    pub key: ResponseKey,
}

/// How a client writes what stands behind the layers. Nodes understand every form alike.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// Whether each layer's cipher is named; unnamed it is AES-GCM.
    pub(super) named: bool,
    /// Tells a node that it is the destination (spec 03 §6.4).
    pub(super) control: &'static [u8],
}

/// As the official core writes it.
const CORE: Form = Form { named: true, control: br#"{"headers":""}"# };
/// As the official desktop client writes it.
const DESKTOP: Form =
    Form { named: false, control: br#"{"body":null,"headers":{"Content-Type":"application/json"}}"# };

/// Wraps `payload` in one layer for the destination and one for each hop, `path[0]` being the guard, and names the
/// cipher in every layer, as the official core does. Without a hop the request goes to the node itself.
///
/// For a node the payload is the JSON of the RPC, for a server a [`v4`](super::v4) request. Random draws: for every
/// layer from the innermost to the outermost its throw-away key (32 bytes) and its nonce (12 or 24 bytes).
pub fn build(
    path: &[Hop],
    destination: &Destination,
    payload: &[u8],
    enc: EncType,
    rng: &mut impl Random,
) -> Result<Request, OnionError> {
    wrap(path, destination, payload, enc, CORE, rng)
}

/// As [`build`] with AES-GCM, in the form of the official desktop client, which does not name the cipher (spec 03 §6.2).
pub fn build_unnamed(
    path: &[Hop],
    destination: &Destination,
    payload: &[u8],
    rng: &mut impl Random,
) -> Result<Request, OnionError> {
    wrap(path, destination, payload, EncType::AesGcm, DESKTOP, rng)
}

pub(super) fn wrap(
    path: &[Hop],
    destination: &Destination,
    payload: &[u8],
    enc: EncType,
    form: Form,
    rng: &mut impl Random,
) -> Result<Request, OnionError> {
    let to_node = matches!(destination, Destination::Node(_));
    if path.is_empty() && !to_node {
        return Err(OnionError::EmptyPath);
    }
    let layers = path.len() + 1;
    let front = layers * (enc.nonce_len() + 4) + if to_node { 4 } else { 0 };
    let mut nest = Nest::with_room(front, payload.len() + layers * (TAG + JSON_ROOM));
    nest.append(payload);
    if to_node {
        nest.frame(form.control).ok_or(OnionError::TooLarge)?;
    }
    let name = form.named.then(|| enc.name());
    let innermost = X25519Secret::generate(rng);
    let key = ResponseKey::new(enc, &innermost, destination.x25519()).ok_or(OnionError::NodeKey)?;
    seal(&mut nest, key.layer(), enc, rng);
    let outermost = |ephemeral| format!(r#"{{{}"ephemeral_key":"{ephemeral}"}}"#, cipher(name));
    let mut json = match path.is_empty() {
        true => outermost(innermost.public()),
        false => route(destination, name, &innermost.public()),
    };
    for (index, hop) in path.iter().enumerate().rev() {
        nest.frame(json.as_bytes()).ok_or(OnionError::TooLarge)?;
        let ephemeral = X25519Secret::generate(rng);
        let layer = LayerKey::client(enc, &ephemeral, &hop.x25519).ok_or(OnionError::NodeKey)?;
        seal(&mut nest, &layer, enc, rng);
        json = match index {
            0 => outermost(ephemeral.public()),
            _ => route_to_node(hop, name, &ephemeral.public()),
        };
    }
    nest.frame(json.as_bytes()).ok_or(OnionError::TooLarge)?;
    Ok(Request { body: nest.finish(), key })
}

/// Encrypts the content: nonce in front, tag behind.
fn seal(nest: &mut Nest, key: &LayerKey, enc: EncType, rng: &mut impl Random) {
    let nonce = Nonce::draw(enc, rng);
    let tag = key.seal_in_place(&nonce, nest.content());
    nest.prepend(nonce.as_bytes());
    nest.append(&tag);
}

/// The member that names a layer's cipher, and its comma; nothing if it is not to be named.
fn cipher(name: Option<&str>) -> String {
    name.map(|name| format!(r#""enc_type":"{name}","#)).unwrap_or_default()
}

/// What the last hop is told.
fn route(destination: &Destination, name: Option<&str>, ephemeral: &X25519Public) -> String {
    match destination {
        Destination::Node(hop) => route_to_node(hop, name, ephemeral),
        Destination::Server { host, target, protocol, port, method, .. } => {
            let (host, target) = (Value::from(host.as_str()), Value::from(target.as_str()));
            let method = Value::from(method.as_str());
            let (port, own) = (port.unwrap_or(protocol.default_port()), protocol.name());
            match name {
                // Keys in alphabetical order.
                Some(name) => format!(
                    r#"{{"enc_type":"{name}","ephemeral_key":"{ephemeral}","host":{host},"method":{method},"port":{port},"protocol":"{own}","target":{target}}}"#
                ),
                // What nodes assume by themselves is left out.
                None => {
                    let usual = (*protocol, port) == (Protocol::Https, Protocol::Https.default_port());
                    let place =
                        if usual { String::new() } else { format!(r#""protocol":"{own}","port":{port},"#) };
                    format!(
                        r#"{{"host":{host},"target":{target},"method":{method},{place}"ephemeral_key":"{ephemeral}"}}"#
                    )
                }
            }
        }
    }
}

fn route_to_node(hop: &Hop, name: Option<&str>, ephemeral: &X25519Public) -> String {
    format!(r#"{{"destination":"{}",{}"ephemeral_key":"{ephemeral}"}}"#, hop.ed25519, cipher(name))
}
