//! The server itself: what it makes of encrypted and of plain requests.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::{HeaderMap, Method};
use septet_protocol::crypto::{SystemRandom, X25519Secret};
use septet_protocol::onion::{self, v4};
use tokio::sync::watch;

use super::faults::Faults;
use super::files::Files;
use super::kind::FileServerKind;
use super::routes::{self, Call, Outcome, Routes};
use crate::clock::Clock;
use crate::fault::FileFault;
use crate::hold::{Gate, Hold};
use crate::http::{Boxed, Door, Reply, Request, Service};

/// Where onion requests for the server are posted to.
pub(crate) const ONION_TARGET: &str = "/oxen/v4/lsrpc";
/// Under which name requests are held: they are encrypted when they arrive, so that all are alike.
const ANY: &str = "any";

/// The server's keys, files and faults.
pub(crate) struct FileServer {
    pub secret: X25519Secret,
    pub door: Door,
    routes: Routes,
    gate: Gate,
    faults: watch::Sender<Faults>,
}

impl FileServer {
    pub fn new(
        secret: X25519Secret,
        files: Files,
        door: Door,
        kind: FileServerKind,
        clock: Arc<Clock>,
    ) -> Self {
        let (faults, _) = watch::channel(Faults::default());
        Self { secret, door, routes: Routes { files, kind, clock }, gate: Gate::default(), faults }
    }

    /// The files.
    pub fn files(&self) -> &Files {
        &self.routes.files
    }

    /// Holds every request from now on.
    pub fn hold(&self) -> Hold {
        self.gate.hold(ANY)
    }

    /// Lets something be wrong, in addition to what is.
    pub fn set_fault(&self, fault: FileFault) {
        self.faults.send_modify(|faults| faults.add(fault));
        if self.is_dead() {
            self.door.close();
        }
    }

    /// Makes everything well again; the files are still there.
    pub fn clear_faults(&self) {
        self.faults.send_replace(Faults::default());
        self.door.open();
    }

    /// Whether its process is gone.
    pub fn is_dead(&self) -> bool {
        self.faults.borrow().dead
    }

    fn respond(&self, request: &Request) -> Reply {
        let faults = self.faults.borrow().clone();
        if faults.bad_gateway {
            return html(502, "502 Bad Gateway");
        }
        if request.target == ONION_TARGET && request.method == Method::POST {
            return self
                .respond_encrypted(&request.body, &faults)
                .unwrap_or_else(|| html(400, "Bad Request"));
        }
        let header = |name: &str| request.headers.get(name)?.to_str().ok().map(str::to_owned);
        let headers = routes::HEADERS.iter().filter_map(|name| Some(((*name).to_owned(), header(name)?)));
        let (target, method) = (request.target.clone(), request.method.to_string());
        let call = Call { method, target, headers: headers.collect(), body: request.body.clone() };
        let outcome = self.routes.serve(&call, &faults);
        let headers = outcome.headers();
        Reply::new(outcome.status, outcome.content_type, outcome.body).with_headers(headers)
    }

    /// Answers an encrypted v4 request; `None` if it cannot be read.
    fn respond_encrypted(&self, body: &[u8], faults: &Faults) -> Option<Reply> {
        let (key, payload) = onion::open_server_layer(&self.secret, body).ok()?;
        let request = v4::Request::parse(&payload)?;
        let outcome = if request.endpoint.starts_with('/') {
            self.routes.serve(&request.into(), faults)
        } else {
            Outcome::text(400, "Invalid v4 onion request")
        };
        let sealed = key.encrypt(&outcome.to_v4(), &mut SystemRandom);
        Some(Reply::new(200, "application/octet-stream", sealed))
    }
}

fn html(status: u16, text: &str) -> Reply {
    Reply::new(status, "text/html; charset=utf-8", routes::page(text).into_bytes())
}

/// The server behind its door.
pub(crate) struct FileService(pub Arc<FileServer>);

impl Service for FileService {
    fn welcome(&self) -> Boxed<bool> {
        Box::pin(std::future::ready(true))
    }

    fn preview(&self, _method: &Method, _target: &str, _headers: &HeaderMap, _from: IpAddr) -> Option<Reply> {
        None
    }

    fn answer(&self, request: Request) -> Boxed<Reply> {
        let server = Arc::clone(&self.0);
        Box::pin(async move {
            let delay = server.faults.borrow().slow;
            if let Some(delay) = delay {
                tokio::time::sleep(delay).await;
            }
            server.gate.pass(ANY).await;
            server.respond(&request)
        })
    }
}
