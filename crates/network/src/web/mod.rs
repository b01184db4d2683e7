//! Pages of the web, fetched for the previews of links that a person sends (spec 02 §15).
//!
//! Decision: this is the only thing that leaves this program without an onion path, and so the only one by which a
//! stranger's server learns where we are. It happens when the person who writes has allowed it, never for what was
//! received, and goes through the same dialler as everything else ([`Connection`]).
//!
//! Decision: a page is a stranger's machine that may lie about all it says. It is asked for one thing at a time on a
//! connection of its own, without cookies or anything that tells one asker from another; it may send us on twenty times,
//! each time under the rules of the first link ([`PreviewUrl`]); it may not make us knock at the doors of the network
//! that we are in (addresses are looked at after names are resolved); and it may last until a deadline and not longer,
//! however much it sends.

mod address;
mod public;

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, HOST, HeaderName, LOCATION, USER_AGENT};
use hyper::{Request, Response};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use address::PreviewUrl;

use crate::activity::Activity;
use crate::connection::{Connection, Meter, Peer};
use crate::gate::Outgoing;
use crate::tls;

/// How often a page may send us on.
pub const MAX_REDIRECTS: usize = 20;

/// How much to take of what is fetched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Take {
    /// The first so many bytes.
    First(usize),
    /// All of it, if it is not more than so many bytes.
    AtMost(usize),
}

/// What was fetched.
#[derive(Clone, Debug)]
pub struct WebPage {
    /// Where it was in the end.
    pub url: PreviewUrl,
    /// What its server calls it, in small letters, such as `text/html; charset=utf-8`; may be empty. Not to be believed.
    pub content_type: String,
    /// The bytes.
    pub body: Vec<u8>,
}

/// Why something was not fetched.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WebError {
    /// No connection, or none to whom the address names.
    #[error("the website cannot be reached")]
    Unreachable,
    /// The name leads into this machine or the network around it.
    #[error("the address does not lead to a public website")]
    NotPublic,
    /// It sent us on too often, or to where we do not go.
    #[error("the website leads on to an address that is not visited")]
    Astray,
    /// It answered with this status.
    #[error("the website answered with the error {0}")]
    Status(u16),
    /// It is larger than wanted.
    #[error("what the website sends is too large")]
    TooLarge,
    /// It took too long.
    #[error("the website takes too long")]
    TimedOut,
    /// The connection broke, or what came is no HTTP.
    #[error("the website's answer broke off")]
    Broken,
}

/// Fetches pages.
pub(crate) struct Web {
    tls: Arc<ClientConfig>,
    allowed: fn(IpAddr) -> bool,
}

impl Web {
    /// For websites that show a certificate of an authority that browsers trust, or one of `more`; `local` also allows
    /// those in this machine and around it, on networks to try things on.
    pub fn new(more: &[CertificateDer<'static>], local: bool) -> Result<Self, String> {
        let tls = tls::public(more).map_err(|error| error.to_string())?;
        Ok(Self { tls: Arc::new(tls), allowed: if local { |_| true } else { public::is_public } })
    }

    /// Fetches what is at an address, until `deadline`. `accept` is the kind to ask for.
    pub async fn fetch(
        &self,
        url: &PreviewUrl,
        accept: &'static str,
        take: Take,
        deadline: Instant,
    ) -> Result<WebPage, WebError> {
        let fetched = tokio::time::timeout_at(deadline, self.follow(url.clone(), accept, take));
        fetched.await.unwrap_or(Err(WebError::TimedOut))
    }

    async fn follow(
        &self,
        mut url: PreviewUrl,
        accept: &'static str,
        take: Take,
    ) -> Result<WebPage, WebError> {
        for _ in 0..=MAX_REDIRECTS {
            let (response, connection) = self.ask(&url, accept).await?;
            match response.status().as_u16() {
                200 => {
                    let content_type =
                        header(&response, CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
                    let body = read(response, take).await?;
                    drop(connection);
                    return Ok(WebPage { url, content_type, body });
                }
                301 | 302 | 303 | 307 | 308 => {
                    let to = header(&response, LOCATION).ok_or(WebError::Astray)?;
                    url = url.join(to).ok_or(WebError::Astray)?;
                }
                status => return Err(WebError::Status(status)),
            }
        }
        Err(WebError::Astray)
    }

    /// Asks once. The connection lasts as long as what is returned with the reply.
    async fn ask(
        &self,
        url: &PreviewUrl,
        accept: &'static str,
    ) -> Result<(Response<Incoming>, Connection), WebError> {
        let port = url.url().port_or_known_default().unwrap_or(443);
        let peer =
            Peer { host: url.host().to_owned(), port, tls: Some(self.tls.clone()), allowed: self.allowed };
        let meter = Meter::new(Arc::<Activity>::default(), [Arc::default(), Arc::default()]);
        let mut connection =
            Connection::open(&peer, meter, CancellationToken::new()).await.map_err(|error| {
                match error.kind() {
                    std::io::ErrorKind::PermissionDenied => WebError::NotPublic,
                    _ => WebError::Unreachable,
                }
            })?;
        let request = request(url, accept).map_err(|_| WebError::Broken)?;
        let response = connection.sender.send_request(request).await.map_err(|_| WebError::Broken)?;
        Ok((response, connection))
    }
}

fn request(url: &PreviewUrl, accept: &'static str) -> Result<Request<Outgoing>, hyper::http::Error> {
    let target = url.url();
    let path = match target.query() {
        Some(query) => format!("{}?{query}", target.path()),
        None => target.path().to_owned(),
    };
    let host = match target.port() {
        Some(port) => format!("{}:{port}", url.host()),
        None => url.host().to_owned(),
    };
    Request::get(path)
        .header(HOST, host)
        // What other messengers send: it tells neither the machine nor the program, nor its version.
        .header(USER_AGENT, "WhatsApp")
        .header(ACCEPT, accept)
        .header(ACCEPT_LANGUAGE, "en-us")
        .body(Outgoing::new(Bytes::new(), None))
}

fn header(response: &Response<Incoming>, name: HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

async fn read(response: Response<Incoming>, take: Take) -> Result<Vec<u8>, WebError> {
    let mut incoming = response.into_body();
    let (Take::First(most) | Take::AtMost(most)) = take;
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let Ok(chunk) = frame.map_err(|_| WebError::Broken)?.into_data() else { continue };
        let room = most.saturating_sub(body.len());
        if let Some(fits) = chunk.get(..room).filter(|_| chunk.len() > room) {
            body.extend_from_slice(fits);
            return match take {
                Take::First(_) => Ok(body),
                Take::AtMost(_) => Err(WebError::TooLarge),
            };
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
