//! As much HTTP as the network needs: serving on loopback, and one plain `POST` to a loopback server.
//!
//! Decision: hyper directly, without a framework. The nodes know two addresses, and faults must reach below requests:
//! refuse connections, hold the TLS handshake, close without an answer.

mod body;
mod door;
mod post;

pub(crate) use door::{Door, Manner, bind};
pub(crate) use post::{PostError, post};

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use hyper::HeaderMap;

/// The largest request body (spec 03 §6.8).
pub(crate) const MAX_BODY: usize = 10_485_760;

/// A request with its whole body.
pub(crate) struct Request {
    pub method: hyper::Method,
    /// Path and query.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A reply, or the decision to hang up without one.
pub(crate) enum Reply {
    Answer {
        status: u16,
        content_type: String,
        /// Further headers.
        headers: Vec<(&'static str, String)>,
        body: Bytes,
        /// Sends one byte of the body after each such time.
        drip: Option<Duration>,
    },
    HangUp,
}

impl Reply {
    /// A text of the given status.
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self::new(status, "text/plain", text.into().into_bytes())
    }

    /// The same reply, its body sent byte by byte.
    #[must_use]
    pub fn dripping(mut self, every: Option<Duration>) -> Self {
        if let Self::Answer { drip, .. } = &mut self {
            *drip = every;
        }
        self
    }

    /// The same reply with further headers.
    #[must_use]
    pub fn with_headers(mut self, more: Vec<(&'static str, String)>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.extend(more);
        }
        self
    }

    /// A reply with a body of the given type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let (content_type, body) = (content_type.to_owned(), body.into());
        Self::Answer { status, content_type, headers: Vec::new(), body, drip: None }
    }
}

/// A future on the heap.
pub(crate) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What stands behind a door.
pub(crate) trait Service: Send + Sync + 'static {
    /// Waits until a fresh connection may be served; `false` closes it.
    fn welcome(&self) -> Boxed<bool>;

    /// Looks at the head of a request; a reply here spares reading the body.
    fn preview(
        &self,
        method: &hyper::Method,
        target: &str,
        headers: &HeaderMap,
        from: IpAddr,
    ) -> Option<Reply>;

    /// Answers a request.
    fn answer(&self, request: Request) -> Boxed<Reply>;
}
