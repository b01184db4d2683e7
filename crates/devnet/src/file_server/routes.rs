//! What the file server answers (spec 04 §2).

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use septet_protocol::crypto::blake2b;
use septet_protocol::id::Ed25519Public;
use septet_protocol::onion::v4;
use serde_json::{Value, json};

use super::date::http_date;
use super::faults::Faults;
use super::files::{Files, LIFETIME};
use super::kind::FileServerKind;
use crate::base64;
use crate::clock::Clock;
use crate::stored::StoredFile;

/// The largest upload, bytes.
const MAX_UPLOAD: usize = 10_223_616;
/// The largest upload of the open-source server, bytes.
const MAX_UPLOAD_OPEN_SOURCE: usize = 6_000_000;
/// The shortest lifetime that can be asked for, ms (spec 09 §2.3).
const MIN_LIFETIME: u64 = 30_000;
/// How far the time of a signed request may be off, s: a day.
const SIGNED_TOLERANCE: u64 = 86_400;
/// Request headers that are looked at, in lower case.
pub(super) const HEADERS: [&str; 5] =
    ["x-fs-ttl", "x-fs-pubkey", "x-fs-timestamp", "x-fs-signature", "content-type"];

/// A request, however it came.
pub(super) struct Call {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Bytes,
}

impl From<v4::Request> for Call {
    fn from(request: v4::Request) -> Self {
        let v4::Request { method, endpoint, headers, body } = request;
        Self { method, target: endpoint, headers, body: body.into() }
    }
}

/// A reply, however it goes.
pub(super) struct Outcome {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Bytes,
    /// Until when the body can be had, ms.
    expires: Option<u64>,
}

impl Outcome {
    fn new(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, body: body.into(), expires: None }
    }

    /// As the payload of an encrypted reply.
    pub fn to_v4(&self) -> Vec<u8> {
        let expires = self.headers();
        let mut headers = vec![("content-type", self.content_type)];
        headers.extend(expires.iter().map(|(name, value)| (*name, value.as_str())));
        v4::Response::encode(self.status, &headers, &self.body)
    }

    /// Headers besides the content's type.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        self.expires.map(|expires| ("expires", http_date(expires))).into_iter().collect()
    }

    pub fn text(status: u16, text: &'static str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text)
    }

    fn json(value: &Value) -> Self {
        Self::new(200, "application/json", value.to_string())
    }

    /// How the server says that something went wrong.
    fn failure(status: u16) -> Self {
        Self::new(status, "application/json", json!({ "status_code": status }).to_string())
    }

    fn unknown() -> Self {
        Self::new(404, "text/html; charset=utf-8", page("Not Found"))
    }
}

/// A page for browsers.
pub(super) fn page(text: &str) -> String {
    format!("<!doctype html>\n<html lang=en>\n<title>{text}</title>\n<h1>{text}</h1>\n")
}

/// Seconds with a fraction, as the server writes times.
fn seconds(ms: u64) -> Value {
    json!(ms as f64 / 1000.0)
}

/// What the routes lead to.
pub(super) struct Routes {
    pub files: Files,
    pub kind: FileServerKind,
    pub clock: Arc<Clock>,
}

impl Routes {
    /// Answers a request.
    pub fn serve(&self, call: &Call, faults: &Faults) -> Outcome {
        if faults.broken {
            return Outcome::failure(500);
        }
        let path = call.target.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match (call.method.as_str(), parts.as_slice()) {
            ("POST", ["file"]) => self.upload(call, faults),
            ("GET", ["file", id]) => self.download(id, faults),
            ("GET", ["file", id, "info"]) => self.info(id, faults),
            ("POST", ["file", id, "extend"]) if self.kind == FileServerKind::Live => {
                self.extend(id, call, faults)
            }
            ("POST", ["files"]) => self.upload_legacy(call, faults),
            ("GET", ["files", id]) => self.download_legacy(id, faults),
            ("GET", ["session_version"]) => self.session_version(call),
            _ => Outcome::unknown(),
        }
    }

    fn add(&self, data: Bytes, ttl: Option<u64>, faults: &Faults) -> Result<(String, StoredFile), Outcome> {
        let largest = match self.kind {
            FileServerKind::Live => MAX_UPLOAD,
            FileServerKind::OpenSource => MAX_UPLOAD_OPEN_SOURCE,
        };
        if let Some(status) = faults.refuses_uploads {
            return Err(Outcome::failure(status));
        }
        if data.is_empty() || data.len() > largest {
            return Err(Outcome::failure(413));
        }
        Ok(self.files.add(self.kind, data, ttl, self.clock.now()))
    }

    fn upload(&self, call: &Call, faults: &Faults) -> Outcome {
        match self.add(call.body.clone(), lifetime(call), faults) {
            Err(refusal) => refusal,
            Ok((id, _)) if self.kind == FileServerKind::OpenSource => Outcome::json(&json!({ "id": id })),
            Ok((id, file)) => {
                let (uploaded, expires) = (seconds(file.uploaded), seconds(file.expires));
                let size = file.data.len();
                Outcome::json(&json!({"id": id, "size": size, "uploaded": uploaded, "expires": expires}))
            }
        }
    }

    fn upload_legacy(&self, call: &Call, faults: &Faults) -> Outcome {
        let body: Option<Value> = serde_json::from_slice(&call.body).ok();
        let data = body.as_ref().and_then(|body| base64::decode(body.get("file")?.as_str()?));
        let Some(data) = data else { return Outcome::failure(400) };
        match self.add(data.into(), None, faults) {
            Err(refusal) => refusal,
            Ok((id, _)) => {
                let id = id.parse::<u64>().map_or_else(|_| id.into(), Value::from);
                Outcome::json(&json!({"result": id, "status_code": 200}))
            }
        }
    }

    fn find(&self, id: &str, faults: &Faults) -> Result<StoredFile, Outcome> {
        let file = if faults.not_found { None } else { self.files.get(id, self.clock.now()) };
        file.ok_or_else(|| Outcome::failure(404))
    }

    fn download(&self, id: &str, faults: &Faults) -> Outcome {
        match self.find(id, faults) {
            Err(refusal) => refusal,
            Ok(file) => Outcome {
                expires: Some(file.expires).filter(|_| self.kind == FileServerKind::Live),
                ..Outcome::new(200, "application/octet-stream", spoil(file.data, faults))
            },
        }
    }

    fn download_legacy(&self, id: &str, faults: &Faults) -> Outcome {
        match self.find(id, faults) {
            Err(refusal) => refusal,
            Ok(file) => {
                let data = BASE64.encode(&spoil(file.data, faults));
                Outcome::json(&json!({"status_code": 200, "result": data}))
            }
        }
    }

    fn info(&self, id: &str, faults: &Faults) -> Outcome {
        self.find(id, faults).map_or_else(|refusal| refusal, |file| describe(&file))
    }

    fn extend(&self, id: &str, call: &Call, faults: &Faults) -> Outcome {
        if faults.not_found {
            return Outcome::failure(404);
        }
        match self.files.extend(id, lifetime(call), self.clock.now()) {
            Some(file) if id.len() == 44 => describe(&file),
            _ => Outcome::failure(404),
        }
    }

    fn session_version(&self, call: &Call) -> Outcome {
        if let Err(refusal) = self.check_signed(call) {
            return refusal;
        }
        let query = call.target.split_once('?').map_or("", |(_, query)| query);
        let platform = query.split('&').find_map(|pair| pair.strip_prefix("platform="));
        match platform {
            Some("desktop" | "android" | "ios") => Outcome::json(&json!({
                "status_code": 200,
                "updated": seconds(self.clock.now()),
                "result": "v1.17.0",
            })),
            _ => Outcome::failure(404),
        }
    }

    /// Checks the three headers of a signed request, if it has them (spec 04 §2).
    fn check_signed(&self, call: &Call) -> Result<(), Outcome> {
        let header = |name: &str| call.headers.get(name).map(String::as_str);
        let given = (header("x-fs-pubkey"), header("x-fs-timestamp"), header("x-fs-signature"));
        let (key, time, signature) = match given {
            (None, None, None) => return Ok(()),
            (Some(key), Some(time), Some(signature)) => (key, time, signature),
            _ => return Err(Outcome::text(400, "Missing authentication header(s)")),
        };
        let invalid = Outcome::text(400, "Invalid authentication header(s)");
        let parsed = (blinded_key(key), time.parse::<u64>().ok(), base64::signature(signature));
        let (Some(key), Some(seconds), Some(signature)) = parsed else { return Err(invalid) };
        if seconds.abs_diff(self.clock.now() / 1000) > SIGNED_TOLERANCE {
            return Err(Outcome::text(425, "Invalid timestamp: outside the allowed tolerance"));
        }
        let mut message = format!("{time}{}{}", call.method, call.target).into_bytes();
        if !call.body.is_empty() {
            message.extend(blake2b::<64>(&[], &[&call.body]));
        }
        if key.verify(&message, &signature) { Ok(()) } else { Err(Outcome::text(401, "Invalid signature")) }
    }
}

/// A key as it is written in a header: `07` and 64 hexadecimal digits.
fn blinded_key(text: &str) -> Option<Ed25519Public> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.strip_prefix("07")?.as_bytes()).ok()?;
    Some(Ed25519Public(bytes.try_into().ok()?))
}

/// The lifetime asked for, ms, as far as it is granted.
fn lifetime(call: &Call) -> Option<u64> {
    let seconds = call.headers.get("x-fs-ttl")?.parse::<u64>().ok()?;
    Some(seconds.saturating_mul(1000).clamp(MIN_LIFETIME, LIFETIME))
}

fn describe(file: &StoredFile) -> Outcome {
    let (uploaded, expires) = (seconds(file.uploaded), seconds(file.expires));
    Outcome::json(&json!({"size": file.data.len(), "uploaded": uploaded, "expires": expires}))
}

fn spoil(data: Bytes, faults: &Faults) -> Bytes {
    let mut data = data;
    if faults.wrong_bytes {
        data = data.iter().map(|byte| byte ^ 0x55).collect();
    }
    if faults.truncated {
        data.truncate(data.len() / 2);
    }
    data
}
