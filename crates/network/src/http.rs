//! Posting bytes to seeds and nodes.
//!
//! Decision: two HTTP clients for the life of the program, one with the seeds' pinned certificates and one for nodes
//! that accepts any ([`crate::tls`]). Both keep connections open (HTTP/1.1 keep-alive, no delay), use no proxy of the
//! environment, and look like the other clients of the network. Failures come out as the four things that the rest of
//! the crate tells apart.

use std::error::Error as _;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream;
use reqwest::header::{ACCEPT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use reqwest::{Body, Client, Response};
use septet_protocol::swarm::Node;

use crate::config::NetworkConfig;
use crate::tls;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(4);

/// Bytes that are handed to the socket, or taken from it, between two reports of progress.
const CHUNK: usize = 32 * 1024;

/// Reports `(done, total)` bytes; `total` is 0 while it is not known.
pub(crate) type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// Why a post brought no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PostError {
    /// The machine has no network at all; says nothing about the peer.
    NoNetwork,
    /// No connection came about.
    Unreachable,
    /// Connected, but no whole reply within the limit, or the connection broke.
    NoReply,
    /// The reply is larger than allowed.
    TooLarge,
}

/// A reply as it came: nothing in it is authenticated unless the connection was.
#[derive(Debug)]
pub(crate) struct Posted {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// What else is wanted of a post, besides its reply.
#[derive(Clone)]
pub(crate) struct PostOptions {
    /// For everything together, connecting included; with `patience` only up to the first byte of the reply.
    pub limit: Duration,
    /// For long replies: how long each further piece may take.
    pub patience: Option<Duration>,
    /// The largest reply to take, in bytes.
    pub max_reply: usize,
    /// Told while the body is sent.
    pub sent: Option<Progress>,
    /// Told while the reply arrives.
    pub received: Option<Progress>,
}

impl PostOptions {
    /// Just a time limit; replies up to what a node sends at most.
    pub const fn within(limit: Duration) -> Self {
        Self { limit, patience: None, max_reply: 12_000_000, sent: None, received: None }
    }
}

/// The two clients.
#[derive(Clone)]
pub(crate) struct Http {
    nodes: Client,
    seeds: Client,
}

impl Http {
    /// Prepares both clients; fails only if the TLS library cannot be set up.
    pub fn new(config: &NetworkConfig) -> Result<Self, String> {
        let pins = config.seeds.iter().flat_map(|seed| {
            seed.certificates.iter().map(|certificate| (seed.host.clone(), certificate.clone()))
        });
        let seeds = tls::pinned(pins.collect()).map_err(|error| error.to_string())?;
        let nodes = tls::any_certificate().map_err(|error| error.to_string())?;
        Ok(Self { nodes: client(nodes)?, seeds: client(seeds)? })
    }

    /// Posts JSON to a seed.
    pub async fn post_seed(&self, url: &str, body: Vec<u8>, limit: Duration) -> Result<Posted, PostError> {
        let request = self.seeds.post(url).header(CONTENT_TYPE, "application/json").body(body);
        // A list of some thousand nodes; far more is no list.
        exchange(request, &PostOptions { max_reply: 32_000_000, ..PostOptions::within(limit) }).await
    }

    /// Posts an onion request to a guard.
    pub async fn post_onion(
        &self,
        guard: &Node,
        body: Vec<u8>,
        options: &PostOptions,
    ) -> Result<Posted, PostError> {
        let request = self.nodes.post(node_url(guard.ip, guard.port, "onion_req/v2"));
        let request = match &options.sent {
            None => request.body(body),
            // Nodes want to know the length beforehand, which a stream does not tell by itself.
            Some(progress) => {
                request.header(CONTENT_LENGTH, body.len()).body(with_progress(body, progress.clone()))
            }
        };
        exchange(request, options).await
    }

    /// Posts a storage request to a node directly. For requests that say nothing about us.
    pub async fn post_rpc(&self, node: &Node, body: Vec<u8>, limit: Duration) -> Result<Posted, PostError> {
        let request = self.nodes.post(node_url(node.ip, node.port, "storage_rpc/v1"));
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        exchange(request, &PostOptions::within(limit)).await
    }
}

fn client(tls: rustls::ClientConfig) -> Result<Client, String> {
    let headers = HeaderMap::from_iter([
        (USER_AGENT, HeaderValue::from_static("WhatsApp")),
        (ACCEPT_LANGUAGE, HeaderValue::from_static("en-us")),
    ]);
    Client::builder()
        .tls_backend_preconfigured(tls)
        .default_headers(headers)
        .no_proxy()
        .http1_only()
        .tcp_nodelay(true)
        .tcp_keepalive(Duration::from_secs(30))
        .pool_idle_timeout(Duration::from_secs(90))
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| error.to_string())
}

fn node_url(ip: Ipv4Addr, port: u16, path: &str) -> String {
    format!("https://{ip}:{port}/{path}")
}

async fn exchange(request: reqwest::RequestBuilder, options: &PostOptions) -> Result<Posted, PostError> {
    // Not reqwest's own limit: ours also covers a reply that trickles in.
    let began = Instant::now();
    let response = within(options.limit, request.send()).await?.map_err(|error| classify(&error))?;
    let status = response.status().as_u16();
    let body = match options.patience {
        Some(patience) => read(response, options, patience).await?,
        None => {
            let rest = options.limit.saturating_sub(began.elapsed());
            within(rest, read(response, options, rest)).await??
        }
    };
    Ok(Posted { status, body })
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, PostError> {
    tokio::time::timeout(limit, work).await.map_err(|_| PostError::NoReply)
}

async fn read(
    mut response: Response,
    options: &PostOptions,
    patience: Duration,
) -> Result<Vec<u8>, PostError> {
    let total = response.content_length().unwrap_or(0);
    if total > options.max_reply as u64 {
        return Err(PostError::TooLarge);
    }
    let mut body = Vec::with_capacity(usize::try_from(total).unwrap_or(0));
    while let Some(chunk) = within(patience, response.chunk()).await?.map_err(|error| classify(&error))? {
        if body.len() + chunk.len() > options.max_reply {
            return Err(PostError::TooLarge);
        }
        body.extend_from_slice(&chunk);
        if let Some(progress) = &options.received {
            progress(body.len() as u64, total);
        }
    }
    Ok(body)
}

/// A body that tells how much of it has gone.
fn with_progress(body: Vec<u8>, progress: Progress) -> Body {
    let total = body.len() as u64;
    let pieces = stream::unfold((body, 0), move |(body, done)| {
        let progress = progress.clone();
        async move {
            let rest = body.get(done..)?;
            let piece = rest.get(..CHUNK.min(rest.len())).filter(|piece| !piece.is_empty())?.to_vec();
            let done = done + piece.len();
            // Told before the socket has taken it: nobody asks for more after the last piece.
            progress(done as u64, total);
            Some((Ok::<_, io::Error>(piece), (body, done)))
        }
    });
    Body::wrap_stream(pieces)
}

fn classify(error: &reqwest::Error) -> PostError {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<io::Error>()
            && matches!(io.kind(), io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown)
        {
            return PostError::NoNetwork;
        }
        source = inner.source();
    }
    if error.is_connect() { PostError::Unreachable } else { PostError::NoReply }
}
