//! Files: uploads and downloads through onion paths (spec 04 §2, §3, §12).
//!
//! The file server is no node: the last hop of a path asks it by HTTP, and what it is asked is encrypted for it. What
//! is moved here is already encrypted by the sender of a message; the server sees neither content nor us.

use std::sync::Arc;
use std::time::Duration;

use septet_protocol::attachment::{FileId, FileServer, FileUrl, Scheme, ServerKey};
use septet_protocol::id::X25519Public;
use septet_protocol::onion::v4::{self, Response};
use septet_protocol::onion::{Destination, Protocol};
use septet_protocol::time::Timestamp;
use serde_json::Value;
use tokio::time::sleep;

use crate::activity::{Activity, Progress};
use crate::attempts::{Attempts, FILE, Failure, Next};
use crate::error::NetworkError;
use crate::failure::{self, Verdict};
use crate::http::PostOptions;
use crate::onion::Fault;
use crate::path::Path;
use crate::policy::PathId;
use crate::shared::Shared;

/// How long nothing may move: the server has this long to answer, and hops give up on it a little sooner.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a transfer may last in all: twice what the largest file needs on a line of 64 kbit/s.
const OVERALL: Duration = Duration::from_secs(3600);
/// Largest reply taken: the largest file, and the wrapping of it.
const MAX_REPLY: usize = 10_300_000;
/// How long servers keep a file if they do not say, in ms.
const USUAL_LIFE: u64 = 14 * 24 * 3600 * 1000;

/// Where an uploaded file is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UploadedFile {
    /// Its address, to be sent to others; says nothing of how the file is encrypted.
    pub url: FileUrl,
    /// Until when the server keeps it.
    pub expires: Timestamp,
}

/// What went wrong with one try.
enum Trouble {
    /// Final.
    GiveUp(NetworkError),
    /// Another path may do better.
    Again(NetworkError),
    /// As if the request had been encrypted for another key than the server's.
    WrongKey,
}

impl Shared {
    /// Uploads bytes to the network's file server.
    pub async fn upload(&self, bytes: Vec<u8>, progress: Progress) -> Result<UploadedFile, NetworkError> {
        let server = &self.config.file_server;
        let size = bytes.len() as u64;
        let headers = [("content-type", "application/octet-stream")];
        let request = v4::request("POST", "/file", &headers, Some(&bytes));
        drop(bytes);
        // What is sent is a little more than the file; the file is what counts.
        let sent = Arc::new(move |done: u64, _| progress(done.min(size), size));
        let options = PostOptions { activity: Arc::new(Activity::telling(sent)), ..options() };
        let read = |response: Response| uploaded(server, &response, self.clock.now());
        self.converse(server, None, &request, &options, read).await
    }

    /// Downloads a file from whichever server its address names.
    pub async fn download(&self, url: &FileUrl, progress: Progress) -> Result<Vec<u8>, NetworkError> {
        let request = v4::request("GET", &format!("/file/{}", url.id()), &[], None);
        let options = PostOptions { received: Some(progress), ..options() };
        let (server, other_key) = server_of(url);
        self.converse(&server, other_key, &request, &options, |response| Some(response.body)).await
    }

    /// Starts a file's life anew; until when the server keeps it then. Not every server can do that.
    pub async fn extend(&self, url: &FileUrl) -> Result<Timestamp, NetworkError> {
        let request = v4::request("POST", &format!("/file/{}/extend", url.id()), &[], None);
        let (server, other_key) = server_of(url);
        let read = |response: Response| {
            let reply: Value = serde_json::from_slice(&response.body).ok()?;
            Some(expires(&reply, self.clock.now()))
        };
        self.converse(&server, other_key, &request, &options(), read).await
    }

    /// A request to a server, with tries over other paths. Servers have no way to go on in the middle of a file, so each
    /// begins anew; what was too slow gets only one more chance, since the line will hardly be another by then. `read`
    /// makes of the server's answer what is wanted.
    async fn converse<T>(
        &self,
        server: &FileServer,
        mut other_key: Option<X25519Public>,
        request: &[u8],
        options: &PostOptions,
        read: impl Fn(Response) -> Option<T>,
    ) -> Result<T, NetworkError> {
        let mut destination = self.server(server, server.x25519);
        let mut attempts = Attempts::new(&FILE);
        loop {
            let error = match self.ask_server(&destination, request, options, &mut attempts.paths).await {
                Ok(response) => match read(response) {
                    Some(value) => return Ok(value),
                    None => NetworkError::Failed,
                },
                Err(Trouble::GiveUp(error)) => return Err(error),
                Err(Trouble::Again(error)) => error,
                Err(Trouble::WrongKey) => {
                    // Keys in addresses can be read in two ways; the other one gets its chance, once.
                    if let Some(key) = other_key.take() {
                        destination = self.server(server, key);
                        attempts.paths.pop();
                        continue;
                    }
                    NetworkError::Failed
                }
            };
            let slow = error == NetworkError::Timeout;
            let pause = match attempts.failed(if slow { Failure::Slow } else { Failure::Path }, error) {
                Next::GiveUp(error) => return Err(error),
                Next::Again(pause) => pause,
            };
            tracing::debug!("a file's transfer begins anew");
            sleep(pause).await;
        }
    }

    /// One request to a server over one path.
    async fn ask_server(
        &self,
        destination: &Destination,
        request: &[u8],
        options: &PostOptions,
        used: &mut Vec<PathId>,
    ) -> Result<Response, Trouble> {
        let path = self.find_path(None, used).await.map_err(Trouble::GiveUp)?;
        let path = path.ok_or(Trouble::GiveUp(NetworkError::Offline))?;
        used.push(path.id);
        let hops = path.hops();
        let sending = self.send(path.guard(), &hops, destination, request, options);
        let sealed = self.attend(&path, &options.activity, sending).await;
        let sealed = sealed.map_err(|fault| self.server_fault(&path, &fault))?;
        let opened = tokio::task::spawn_blocking(move || sealed.key.open_server_v4(&sealed.body)).await;
        match opened {
            Ok(Ok(response)) => {
                self.tell(|policy, now| policy.succeeded(path.id, None, now));
                judge(response)
            }
            _ => {
                // Or a hop has damaged the reply; the path's test will show.
                self.tell(|policy, now| policy.failed(path.id, None, Verdict::PathFailed, false, now));
                Err(Trouble::WrongKey)
            }
        }
    }

    fn server_fault(&self, path: &Path, fault: &Fault) -> Trouble {
        let verdict = self.note(path, None, fault);
        tracing::debug!(?fault, ?verdict, path = ?path.id, "request to a server failed");
        match fault {
            Fault::NoNetwork => Trouble::GiveUp(NetworkError::Offline),
            // Any hop can say so; only if it is the same on several paths it is true.
            Fault::TooLarge => Trouble::Again(NetworkError::FileTooLarge),
            Fault::NoReply | Fault::Slow => Trouble::Again(NetworkError::Timeout),
            Fault::Plain { status: 400, .. } if verdict == Verdict::ServerFailed => Trouble::WrongKey,
            _ => Trouble::Again(NetworkError::Failed),
        }
    }

    fn server(&self, server: &FileServer, x25519: X25519Public) -> Destination {
        let protocol = match server.scheme {
            Scheme::Http => Protocol::Http,
            Scheme::Https => Protocol::Https,
        };
        Destination::Server {
            host: server.host.clone(),
            target: self.config.onion_target.clone(),
            protocol,
            port: Some(server.port),
            method: "POST".to_owned(),
            x25519,
        }
    }
}

fn options() -> PostOptions {
    PostOptions { overall: OVERALL, max_reply: MAX_REPLY, ..PostOptions::silent_for(SILENCE) }
}

/// The server of an address, and the other reading of its key, if there is one. The address decides alone, also where its
/// host is that of our own server (spec 04 §3).
fn server_of(url: &FileUrl) -> (FileServer, Option<X25519Public>) {
    let (x25519, other) = match url.key() {
        ServerKey::Given { x25519, other } => (x25519, other),
        ServerKey::Default => (FileServer::mainnet().x25519, None),
    };
    let host = url.host().to_owned();
    (FileServer { scheme: url.scheme(), host, port: url.port(), x25519, ed25519: None }, other)
}

/// What the server's own word means.
fn judge(response: Response) -> Result<Response, Trouble> {
    let is_json = response.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    match (response.code, failure::server(response.code)) {
        (_, Verdict::Deliver) => Ok(response),
        // A page of HTML under 404 only says that the server has no such entrance.
        (404, _) if is_json => Err(Trouble::GiveUp(NetworkError::FileGone)),
        (413, _) => Err(Trouble::GiveUp(NetworkError::FileTooLarge)),
        (status, Verdict::Refuse) => {
            let text = String::from_utf8_lossy(&response.body).chars().take(200).collect();
            Err(Trouble::GiveUp(NetworkError::Rejected { status, text }))
        }
        _ => Err(Trouble::Again(NetworkError::Failed)),
    }
}

/// The reply to an upload: the file's name, and until when (float seconds) it is kept.
fn uploaded(server: &FileServer, response: &Response, now: Timestamp) -> Option<UploadedFile> {
    let reply: Value = serde_json::from_slice(&response.body).ok()?;
    let id: FileId = match reply.get("id")? {
        Value::String(id) if !id.is_empty() => id.parse().ok()?,
        Value::Number(id) => id.to_string().parse().ok()?,
        _ => return None,
    };
    Some(UploadedFile { url: FileUrl::new(server, id, false), expires: expires(&reply, now) })
}

/// Until when a file is kept, as a reply says (float seconds) or as is usual.
fn expires(reply: &Value, now: Timestamp) -> Timestamp {
    let told = reply.get("expires").and_then(Value::as_f64).filter(|at| at.is_finite() && *at > 0.0);
    told.map_or(now + USUAL_LIFE, |at| Timestamp::from_ms((at * 1000.0) as u64))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn response(code: u16, kind: &str, body: &str) -> Response {
        let headers = BTreeMap::from([("content-type".to_owned(), kind.to_owned())]);
        Response { code, headers, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn only_a_404_in_json_means_that_the_file_is_gone() {
        let error = |response| match judge(response) {
            Err(Trouble::GiveUp(error)) => error,
            _ => panic!("not final"),
        };
        assert_eq!(error(response(404, "application/json", "{}")), NetworkError::FileGone);
        let html = error(response(404, "text/html; charset=utf-8", "<html>"));
        assert_eq!(html, NetworkError::Rejected { status: 404, text: "<html>".into() });
        assert_eq!(error(response(413, "application/json", "{}")), NetworkError::FileTooLarge);
        assert!(matches!(judge(response(507, "application/json", "{}")), Err(Trouble::Again(_))));
        assert!(judge(response(200, "application/octet-stream", "x")).is_ok());
    }

    #[test]
    fn a_key_in_an_address_decides_whatever_the_host() {
        let (mainnet, testnet) = (FileServer::mainnet(), FileServer::testnet());
        let key = |url: String| server_of(&url.parse().unwrap()).0.x25519;
        let (default, other) = (mainnet.ed25519.unwrap(), testnet.ed25519.unwrap());
        for host in [&mainnet.host, &testnet.host, "elsewhere.test"] {
            assert_eq!(key(format!("http://{host}/file/1#p={other}")), testnet.x25519, "{host}");
            assert_eq!(key(format!("http://{host}/file/1#p={default}")), mainnet.x25519, "{host}");
        }
        assert_eq!(key(format!("http://{}/file/1", mainnet.host)), mainnet.x25519);
    }

    #[test]
    fn an_uploads_reply_gives_name_and_expiry() {
        let server = FileServer::mainnet();
        let now = Timestamp::from_ms(1_700_000_000_000);
        let read = |body: &str| uploaded(&server, &response(200, "application/json", body), now);
        let file = read(r#"{"id":"123","expires":1754863793.186}"#).unwrap();
        assert_eq!(file.url.as_str(), "http://filev2.getsession.org/file/123");
        assert_eq!(file.expires, Timestamp::from_ms(1_754_863_793_186));
        assert_eq!(read(r#"{"id":7}"#).unwrap().expires, now + USUAL_LIFE);
        assert_eq!(read(r#"{"id":""}"#), None);
        assert_eq!(read(r#"{"expires":1.0}"#), None);
    }
}
