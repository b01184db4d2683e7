//! The node's side: taking one layer off (spec 03 §6.3, §6.8), and the server's.

use data_encoding::BASE64;
use serde_json::{Map, Value};

use super::layer::{EncType, LayerKey};
use super::{Protocol, frame};
use crate::crypto::{Random, X25519Secret};
use crate::id::{Ed25519Public, X25519Public};

/// A layer that is still closed: what a guard gets by HTTP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope<'a> {
    /// What [`peel`] opens.
    pub ciphertext: &'a [u8],
    /// The throw-away key of this layer.
    pub ephemeral: X25519Public,
    /// The cipher of this layer.
    pub enc: EncType,
    /// How many nodes it has passed already.
    pub hop_no: u64,
}

/// Why a body is not an onion request. The texts are what nodes answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame is cut short.
    #[error("Unexpected payload size")]
    Frame,
    /// No JSON object behind the ciphertext.
    #[error("Invalid json")]
    Json,
    /// `ephemeral_key` is missing or not 64 hexadecimal digits.
    #[error("Invalid ephemeral_key")]
    EphemeralKey,
    /// `enc_type` is unknown.
    #[error("Invalid enc_type")]
    EncType,
}

/// Why a layer cannot be peeled.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PeelError {
    /// Not encrypted to this node, or altered: answered in the clear.
    #[error("Invalid ciphertext")]
    Ciphertext,
    /// It opened, but makes no sense: answered under this key.
    #[error("Invalid json")]
    Content(LayerKey),
    /// It is for a server, but by another protocol than HTTP or with a path that is not a Session server's: answered
    /// under this key.
    #[error("Invalid url")]
    Url(LayerKey),
}

/// What a node finds under its layer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Peeled {
    /// To be passed on to the next node.
    Forward {
        /// Which node.
        next: Ed25519Public,
        /// The throw-away key of the next layer.
        ephemeral: X25519Public,
        /// The cipher of the next layer.
        enc: EncType,
        /// The next layer.
        ciphertext: Vec<u8>,
    },
    /// To be posted to a server, with the whole layer as body.
    Server {
        /// Host name or address.
        host: String,
        /// Path; one that Session servers have.
        target: String,
        /// How to talk to the server.
        protocol: Protocol,
        /// Port, if it is not the protocol's own.
        port: Option<u16>,
        /// HTTP method.
        method: String,
        /// What the server gets: [`open_server_layer`] opens it.
        raw_layer: Vec<u8>,
    },
    /// This node is the destination.
    Rpc {
        /// The JSON of the RPC, not parsed.
        request: Vec<u8>,
        /// How the reply is to be given.
        options: RpcOptions,
    },
}

/// How a node is to give its reply (spec 03 §6.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RpcOptions {
    /// Put the reply's body in as JSON, not as a string with JSON in it. Off if not said.
    pub json: bool,
    /// Give the encrypted reply as base64. On if not said.
    pub base64: bool,
}

impl Default for RpcOptions {
    fn default() -> Self {
        Self { json: false, base64: true }
    }
}

impl RpcOptions {
    /// The HTTP body with which a node answers: `{"body": …, "status": …}`, encrypted, in base64.
    pub fn encode_reply(self, key: &LayerKey, status: u16, body: &str, rng: &mut impl Random) -> Vec<u8> {
        let body = match serde_json::from_str::<Value>(body) {
            Ok(value) if self.json => value,
            _ => Value::from(body),
        };
        let sealed = key.encrypt(format!(r#"{{"body":{body},"status":{status}}}"#).as_bytes(), rng);
        if self.base64 { BASE64.encode(&sealed).into_bytes() } else { sealed }
    }
}

/// Reads the body that a guard gets by HTTP.
pub fn parse_request(body: &[u8]) -> Result<Envelope<'_>, FrameError> {
    let (ciphertext, json) = frame::split(body).ok_or(FrameError::Frame)?;
    let fields: Map<String, Value> = serde_json::from_slice(json).map_err(|_| FrameError::Json)?;
    Ok(Envelope {
        ciphertext,
        ephemeral: ephemeral_key(&fields).ok_or(FrameError::EphemeralKey)?,
        enc: enc_type(&fields).ok_or(FrameError::EncType)?,
        hop_no: fields.get("hop_no").and_then(Value::as_u64).unwrap_or_default(),
    })
}

/// Takes one layer off. The key also encrypts the reply, if the reply is this node's to give.
pub fn peel(
    secret: &X25519Secret,
    enc: EncType,
    ephemeral: &X25519Public,
    ciphertext: &[u8],
) -> Result<(LayerKey, Peeled), PeelError> {
    let key = LayerKey::node(enc, secret, ephemeral).ok_or(PeelError::Ciphertext)?;
    let layer = key.decrypt(ciphertext).map_err(|_| PeelError::Ciphertext)?;
    match read_layer(layer) {
        Ok(peeled) => Ok((key, peeled)),
        Err(Unreadable::Content) => Err(PeelError::Content(key)),
        Err(Unreadable::Url) => Err(PeelError::Url(key)),
    }
}

/// The server's side: opens the layer that a last hop posted. The key also encrypts the reply.
pub fn open_server_layer(secret: &X25519Secret, raw_layer: &[u8]) -> Result<(LayerKey, Vec<u8>), PeelError> {
    let envelope = parse_request(raw_layer).map_err(|_| PeelError::Ciphertext)?;
    let key = LayerKey::node(envelope.enc, secret, &envelope.ephemeral).ok_or(PeelError::Ciphertext)?;
    let payload = key.decrypt(envelope.ciphertext).map_err(|_| PeelError::Ciphertext)?;
    Ok((key, payload))
}

/// Whether a node may ask a server for this path (spec 03 §6.3).
fn target_is_allowed(target: &str) -> bool {
    (target.starts_with("/loki/") || target.starts_with("/oxen/"))
        && target.ends_with("/lsrpc")
        && !target.contains('?')
}

/// What is wrong with an opened layer.
enum Unreadable {
    Content,
    Url,
}

fn read_layer(layer: Vec<u8>) -> Result<Peeled, Unreadable> {
    let (inner, json) = frame::split(&layer).ok_or(Unreadable::Content)?;
    let inner_length = inner.len();
    let fields: Map<String, Value> = serde_json::from_slice(json).map_err(|_| Unreadable::Content)?;
    if fields.contains_key("headers") {
        let flag = |name| fields.get(name).and_then(Value::as_bool);
        let base64 = flag("base64").unwrap_or(true);
        let options = RpcOptions { json: flag("json").unwrap_or(false), base64 };
        Ok(Peeled::Rpc { request: inner_of(layer, inner_length), options })
    } else if fields.contains_key("host") {
        let peeled = read_server(&fields, layer).ok_or(Unreadable::Content)?;
        peeled.ok_or(Unreadable::Url)
    } else {
        read_forward(&fields, layer, inner_length).ok_or(Unreadable::Content)
    }
}

fn read_forward(fields: &Map<String, Value>, layer: Vec<u8>, inner_length: usize) -> Option<Peeled> {
    Some(Peeled::Forward {
        next: fields.get("destination")?.as_str()?.parse().ok()?,
        ephemeral: ephemeral_key(fields)?,
        enc: enc_type(fields)?,
        ciphertext: inner_of(layer, inner_length),
    })
}

/// The inner `None`: well formed, but not to be asked for.
fn read_server(fields: &Map<String, Value>, layer: Vec<u8>) -> Option<Option<Peeled>> {
    let text = |name| fields.get(name).and_then(Value::as_str);
    let (host, target) = (text("host")?.to_owned(), text("target")?.to_owned());
    let port = match fields.get("port") {
        Some(Value::Null) | None => None,
        Some(value) => Some(u16::try_from(value.as_u64()?).ok()?),
    };
    let method = text("method").unwrap_or("POST").to_owned();
    let protocol = Protocol::parse(text("protocol").unwrap_or("https"));
    Some(protocol.filter(|_| target_is_allowed(&target)).map(|protocol| Peeled::Server {
        host,
        target,
        protocol,
        port,
        method,
        raw_layer: layer,
    }))
}

/// The first part of a frame, keeping its memory.
fn inner_of(mut layer: Vec<u8>, length: usize) -> Vec<u8> {
    layer.truncate(4 + length);
    layer.drain(..4.min(layer.len()));
    layer
}

fn ephemeral_key(fields: &Map<String, Value>) -> Option<X25519Public> {
    fields.get("ephemeral_key")?.as_str()?.parse().ok()
}

/// AES-GCM if nothing is said.
fn enc_type(fields: &Map<String, Value>) -> Option<EncType> {
    fields.get("enc_type").map_or(Some(EncType::AesGcm), |value| EncType::parse(value.as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_paths_of_session_servers_are_asked_for() {
        assert!(target_is_allowed("/oxen/v4/lsrpc") && target_is_allowed("/loki/v3/lsrpc"));
        assert!(!target_is_allowed("/oxen/v4/lsrpc?x=/lsrpc") && !target_is_allowed("/other/lsrpc"));
        let read = |json: &str| read_layer([&[0; 4], json.as_bytes()].concat());
        let server = r#"{"host":"h","target":"/oxen/v4/lsrpc","protocol":"P"}"#;
        assert!(matches!(read(&server.replace('P', "http")), Ok(Peeled::Server { port: None, .. })));
        assert!(matches!(read(&server.replace('P', "ftp")), Err(Unreadable::Url)));
        assert!(matches!(read(r#"{"host":"h","target":"/etc/passwd"}"#), Err(Unreadable::Url)));
        assert!(matches!(read(r#"{"host":"h"}"#), Err(Unreadable::Content)));
    }
}
