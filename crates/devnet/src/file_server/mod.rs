//! The file server (spec 04 §2, §14), reached through the last hop of an onion request.
//!
//! `POST /oxen/v4/lsrpc` carries an encrypted v4 request; the routes behind it can also be called directly, as on
//! the real server, which is handy for looking into it with a browser.

mod files;
mod routes;

pub(crate) use files::Files;
pub use files::StoredFile;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::{HeaderMap, Method};
use septet_protocol::crypto::{SystemRandom, X25519Secret};
use septet_protocol::onion::{self, v4};
use tokio::sync::watch;

use crate::fault::FileFault;
use crate::http::{Boxed, Door, Reply, Request, Service};
use crate::network::Network;
use routes::{Call, Outcome};

/// Where onion requests for the server are posted to.
pub(crate) const ONION_TARGET: &str = "/oxen/v4/lsrpc";

/// How the server gives out files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FileServerKind {
    /// As the server the official clients use in 2026: ids made from the content, lifetimes, `extend`.
    #[default]
    Live,
    /// As the open-source server: a new decimal id for each upload, no `expires` on upload, no `extend`.
    OpenSource,
}

/// What is wrong with the server at present.
#[derive(Clone, Default)]
struct Faults {
    wrong_bytes: bool,
    truncated: bool,
    not_found: bool,
    refuses_uploads: Option<u16>,
    broken: bool,
    bad_gateway: bool,
    slow: Option<Duration>,
    dead: bool,
}

/// The server's keys, files and faults.
pub(crate) struct FileServer {
    pub secret: X25519Secret,
    pub files: Files,
    pub door: Door,
    kind: FileServerKind,
    network: Arc<Network>,
    faults: watch::Sender<Faults>,
}

impl FileServer {
    pub fn new(
        secret: X25519Secret,
        files: Files,
        door: Door,
        kind: FileServerKind,
        network: Arc<Network>,
    ) -> Self {
        let (faults, _) = watch::channel(Faults::default());
        Self { secret, files, door, kind, network, faults }
    }

    /// Lets something be wrong, in addition to what is.
    pub fn set_fault(&self, fault: FileFault) {
        self.faults.send_modify(|faults| match fault {
            FileFault::WrongBytes => faults.wrong_bytes = true,
            FileFault::Truncated => faults.truncated = true,
            FileFault::NotFound => faults.not_found = true,
            FileFault::TooLarge => faults.refuses_uploads = Some(413),
            FileFault::RefusesUploads(status) => faults.refuses_uploads = Some(status),
            FileFault::Broken => faults.broken = true,
            FileFault::BadGateway => faults.bad_gateway = true,
            FileFault::Slow(delay) => faults.slow = Some(delay),
            FileFault::Dead => faults.dead = true,
        });
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
        let Outcome { status, content_type, body } = self.serve(&call, &faults);
        Reply::new(status, content_type, body)
    }

    /// Answers an encrypted v4 request; `None` if it cannot be read.
    fn respond_encrypted(&self, body: &[u8], faults: &Faults) -> Option<Reply> {
        let (key, payload) = onion::open_server_layer(&self.secret, body).ok()?;
        let request = v4::Request::parse(&payload)?;
        let outcome = if request.endpoint.starts_with('/') {
            self.serve(&request.into(), faults)
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
            server.respond(&request)
        })
    }
}
