//! A minimal client: no retries, no caches, so that tests see exactly what comes back.

use std::sync::Arc;

use septet_devnet::{Devnet, NodeHandle};
use septet_protocol::crypto::{Ed25519Secret, SystemRandom};
use septet_protocol::id::{Account, SessionId};
use septet_protocol::onion::{self, Destination, EncType, Hop, NodeReply};
use serde_json::{Value, json};

use crate::http::{Http, HttpError};

/// An account with its keys.
pub struct Person {
    pub key: Ed25519Secret,
    pub id: SessionId,
}

impl Person {
    /// A new account.
    pub fn new() -> Self {
        let key = Ed25519Secret::generate(&mut SystemRandom);
        let id = SessionId::from(key.to_x25519().public());
        Self { key, id }
    }

    pub fn account(&self) -> Account {
        self.id.into()
    }

    /// base64 signature of a text.
    pub fn sign(&self, text: &str) -> String {
        data_encoding::BASE64.encode(&self.key.sign(text.as_bytes()))
    }

    /// `params` with `pubkey`, `pubkey_ed25519` and the signature of `text`.
    pub fn signed(&self, mut params: Value, text: &str) -> Value {
        params["pubkey"] = json!(self.id);
        params["pubkey_ed25519"] = json!(self.key.public());
        params["signature"] = json!(self.sign(text));
        params
    }
}

/// TLS that takes any certificate, as clients do with nodes.
pub fn tls() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate))
        .with_no_client_auth()
}

/// An HTTP client.
pub fn http() -> Http {
    Http::new(tls())
}

#[derive(Debug)]
struct AnyCertificate;

impl rustls::client::danger::ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &rustls::pki_types::CertificateDer<'_>,
        _intermediates: &[rustls::pki_types::CertificateDer<'_>],
        _server_name: &rustls::pki_types::ServerName<'_>,
        _ocsp: &[u8],
        _now: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &rustls::pki_types::CertificateDer<'_>,
        _dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &rustls::pki_types::CertificateDer<'_>,
        _dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Status and body of a reply.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }
}

/// Posts bytes to a node.
pub async fn post(node: &NodeHandle, path: &str, body: Vec<u8>) -> Result<Answer, HttpError> {
    post_with(&http(), node, path, body).await
}

/// Posts bytes to a node with a given client, whose connections may be kept.
pub async fn post_with(
    http: &Http,
    node: &NodeHandle,
    path: &str,
    body: Vec<u8>,
) -> Result<Answer, HttpError> {
    let reply = http.post(format!("https://{}{path}", node.info().address)).body(body).send().await?;
    Ok(Answer { status: reply.status().as_u16(), body: reply.bytes().await?.to_vec() })
}

/// A storage request as its text.
pub fn rpc_text(method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string()
}

/// Asks a node directly, without onion.
pub async fn direct(node: &NodeHandle, method: &str, params: Value) -> Answer {
    post(node, "/storage_rpc/v1", rpc_text(method, &params).into_bytes()).await.unwrap()
}

pub fn hop(node: &NodeHandle) -> Hop {
    Hop { ed25519: node.info().ed25519, x25519: node.info().x25519 }
}

/// Three nodes for a path that avoid a destination.
pub fn path<'a>(devnet: &'a Devnet, avoid: &NodeHandle) -> Vec<&'a NodeHandle> {
    devnet.nodes().iter().filter(|node| node.ed25519() != avoid.ed25519()).take(3).collect()
}

/// Sends a storage request through three hops: what the guard answered, and the key for the reply.
pub async fn through(
    path: &[&NodeHandle],
    to: &NodeHandle,
    enc: EncType,
    request: &str,
) -> (Answer, onion::ResponseKey) {
    let (body, key) = built(path, to, enc, request);
    (post(path[0], "/onion_req/v2", body).await.unwrap(), key)
}

fn built(
    path: &[&NodeHandle],
    to: &NodeHandle,
    enc: EncType,
    request: &str,
) -> (Vec<u8>, onion::ResponseKey) {
    let hops: Vec<Hop> = path.iter().map(|node| hop(node)).collect();
    let destination = Destination::Node(hop(to));
    let built = onion::build(&hops, &destination, request.as_bytes(), enc, &mut SystemRandom).unwrap();
    (built.body, built.key)
}

/// Sends a storage request through three hops and opens the reply.
pub async fn ask(devnet: &Devnet, to: &NodeHandle, method: &str, params: Value) -> NodeReply {
    ask_over(&http(), &path(devnet, to), to, method, params).await
}

/// As [`ask`], over a path and connections of one's own.
pub async fn ask_over(
    http: &Http,
    path: &[&NodeHandle],
    to: &NodeHandle,
    method: &str,
    params: Value,
) -> NodeReply {
    let (body, key) = built(path, to, EncType::XChaCha20, &rpc_text(method, &params));
    let answer = post_with(http, path[0], "/onion_req/v2", body).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    key.open_node(&answer.body).unwrap()
}
