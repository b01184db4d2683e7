//! Opening replies (spec 03 §6.2, §6.4, §6.5).

use data_encoding::BASE64;
use serde_json::Value;

use super::layer::{EncType, LayerKey};
use super::v4;
use crate::crypto::X25519Secret;
use crate::id::X25519Public;

/// Opens the reply to one request. Wiped when dropped; never printed.
#[derive(Clone)]
pub struct ResponseKey {
    key: LayerKey,
    /// Some destinations answer an XChaCha20 request with AES-GCM; never the other way round.
    fallback: Option<LayerKey>,
}

/// Why a reply cannot be used. A hop may have damaged or forged it: try again on another path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// Not encrypted by the destination for us, or altered.
    #[error("the reply cannot be decrypted")]
    Undecryptable,
    /// It opened, but it is not of the form of such replies.
    #[error("the reply is not understood")]
    Malformed,
}

/// A node's reply; authentic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeReply {
    /// As in HTTP; 200 is success.
    pub status: u16,
    /// Mostly JSON; a plain sentence for some errors.
    pub body: Vec<u8>,
}

impl ResponseKey {
    /// The key for replies to what was encrypted with this throw-away key to this destination. `None` if the
    /// destination's key is of small order.
    pub fn new(enc: EncType, ephemeral: &X25519Secret, destination: &X25519Public) -> Option<Self> {
        let shared = ephemeral.diffie_hellman(destination)?;
        let derive = |enc| LayerKey::derive(enc, &shared, &ephemeral.public(), destination);
        let fallback = match enc {
            EncType::XChaCha20 => Some(derive(EncType::AesGcm)),
            EncType::AesGcm => None,
        };
        Some(Self { key: derive(enc), fallback })
    }

    /// Opens a reply that is raw ciphertext.
    pub fn open_raw(&self, sealed: &[u8]) -> Result<Vec<u8>, ReplyError> {
        let opened = self.key.decrypt(sealed);
        let opened = match (opened, &self.fallback) {
            (Err(_), Some(other)) => other.decrypt(sealed),
            (opened, _) => opened,
        };
        opened.map_err(|_| ReplyError::Undecryptable)
    }

    /// Opens a reply that is ciphertext in base64, perhaps wrapped as `{"result": "<base64>"}`, or raw. Servers of
    /// the old kind (v3) answer so with JSON of their own.
    pub fn open_text(&self, body: &[u8]) -> Result<Vec<u8>, ReplyError> {
        let body_text = body.trim_ascii();
        if let Ok(sealed) = BASE64.decode(body_text) {
            return self.open_raw(&sealed);
        }
        if body_text.first() == Some(&b'{')
            && let Ok(wrapped) = serde_json::from_slice::<Value>(body_text)
            && let Some(text) = wrapped.get("result").and_then(Value::as_str)
        {
            return self.open_raw(&BASE64.decode(text.as_bytes()).map_err(|_| ReplyError::Undecryptable)?);
        }
        self.open_raw(body)
    }

    /// Opens a node's reply, `{"status": …, "body": …}`. Also understands `status_code`, and bodies that are JSON
    /// instead of a string with JSON in it.
    pub fn open_node(&self, body: &[u8]) -> Result<NodeReply, ReplyError> {
        let Ok(Value::Object(mut fields)) = serde_json::from_slice(&self.open_text(body)?) else {
            return Err(ReplyError::Malformed);
        };
        let status = fields.get("status").or_else(|| fields.get("status_code")).and_then(Value::as_u64);
        let status = status.and_then(|status| u16::try_from(status).ok()).ok_or(ReplyError::Malformed)?;
        let body = match fields.remove("body") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(text)) => text.into_bytes(),
            Some(json) => json.to_string().into_bytes(),
        };
        Ok(NodeReply { status, body })
    }

    /// Opens the reply of a server that speaks v4.
    pub fn open_server_v4(&self, body: &[u8]) -> Result<v4::Response, ReplyError> {
        v4::Response::parse(&self.open_raw(body)?).ok_or(ReplyError::Malformed)
    }

    pub(super) fn layer(&self) -> &LayerKey {
        &self.key
    }
}
