//! Posting bytes to seeds and nodes, and why it fails.
//!
//! Decision: a post may take as long as it likes while it moves. What ends it is *silence*, no byte to or from the socket
//! for so long; and, since one byte now and then would keep us waiting for ever, *slowness*: less than [`STEP`] in the time
//! of two silences, or longer than it may last in all. While a transfer fills the machine's line a silence may be five
//! times as long, because every question waits behind it.
//!
//! Requests to this network may be repeated without harm. So one that finds its kept connection closed goes out again at
//! once on a fresh one, and so does one whose connection was dropped because the machine slept; neither is held against
//! anybody. Everything else comes out as one of the things that the rest of the crate tells apart ([`PostError`]).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Response, body::Incoming};
use rustls::ClientConfig;
use septet_protocol::swarm::{Node, Rpc};
use url::Url;

use crate::activity::{Activity, Progress, Traffic};
use crate::config::{NetworkConfig, Seed};
use crate::connection::{self, Connection, Meter, Peer};
use crate::connections::Connections;
use crate::gate::{Gate, Outgoing};
use crate::machine::{self, Watch};
use crate::tls;

/// How long each step of a connection (TCP, then TLS) may be silent.
const CONNECT: Duration = Duration::from_secs(4);
/// Bytes that must move within two silences.
const STEP: u64 = 16 * 1024;
/// How long a post may last in all if nothing else is said. A large page of messages takes minutes at 64 kbit/s, and to
/// begin anew would take longer still.
const OVERALL: Duration = Duration::from_secs(600);
/// How much longer silences are while a transfer fills the line: with eight seconds of other bytes before each answer, a
/// connection takes sixteen to be there.
const PATIENCE: u32 = 5;
/// How often a post begins anew because connections were dropped under it.
const RENEWALS: u32 = 3;

/// Bodies up to this size, in bytes, go out at once.
const AT_ONCE: usize = 64 * 1024;
/// How long the question behind a large body may be silent.
const PROBE: Duration = Duration::from_secs(10);
/// How soon another one follows, unless the gate is full.
const PROBE_GAP: Duration = Duration::from_millis(250);
/// How soon it is looked again whether the socket has taken more.
const NOTHING_NEW: Duration = Duration::from_millis(20);
/// How long a piece takes from the gate to the socket, if the socket has room for it.
const HAND_OVER: Duration = Duration::from_millis(1);
/// The kind of all bodies but onion requests.
const JSON: Option<&str> = Some("application/json");

/// Why a post brought no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PostError {
    /// The machine has no network at all; says nothing about the peer.
    NoNetwork,
    /// No connection came about.
    Unreachable,
    /// A fresh connection broke, or what came is no HTTP.
    Broken,
    /// Connected, and then no byte for too long.
    Silent,
    /// Bytes moved, but too few, or for too long.
    Slow,
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
    /// How long nothing at all may move.
    pub silence: Duration,
    /// How long everything together may last.
    pub overall: Duration,
    /// The largest reply to take, in bytes.
    pub max_reply: usize,
    /// Counts what moves; for others to look at meanwhile.
    pub activity: Arc<Activity>,
    /// Told while the reply arrives.
    pub received: Option<Progress>,
}

impl PostOptions {
    /// With this silence; replies up to what a node sends at most.
    pub fn silent_for(silence: Duration) -> Self {
        Self { silence, overall: OVERALL, max_reply: 12_000_000, activity: Arc::default(), received: None }
    }
}

/// Whom a post goes to.
struct Target {
    peer: Peer,
    /// As in the `Host` header; tells peers apart.
    authority: String,
    traffic: Arc<Traffic>,
}

/// What is posted.
struct Question {
    path: String,
    kind: Option<&'static str>,
    body: Bytes,
    /// What lets the body out.
    gate: Option<Arc<Gate>>,
}

impl Question {
    fn new(path: &str, gate: Option<Arc<Gate>>) -> Self {
        Self { path: path.to_owned(), kind: None, body: Bytes::new(), gate }
    }
}

/// Why a try ended.
enum Stop {
    Error(PostError),
    /// The connection had served before, and was closed before the reply began.
    Stale,
    /// The connection's time is over.
    Dropped,
}

impl From<PostError> for Stop {
    fn from(error: PostError) -> Self {
        Self::Error(error)
    }
}

/// Posts to seeds and nodes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Http {
    nodes: Arc<ClientConfig>,
    seeds: Arc<ClientConfig>,
    connections: Arc<Connections>,
    /// Transfers to and from each node.
    peers: Arc<Mutex<BTreeMap<String, Arc<Traffic>>>>,
    /// Transfers of any kind.
    line: Arc<Traffic>,
    watch: Arc<Watch>,
}

impl Http {
    /// Prepares TLS; fails only if the TLS library cannot be set up.
    pub fn new(config: &NetworkConfig) -> Result<Self, String> {
        let pins = config.seeds.iter().flat_map(|seed| {
            seed.certificates.iter().map(|certificate| (seed.host.clone(), certificate.clone()))
        });
        Ok(Self {
            nodes: Arc::new(tls::any_certificate().map_err(|error| error.to_string())?),
            seeds: Arc::new(tls::pinned(pins.collect()).map_err(|error| error.to_string())?),
            connections: Arc::default(),
            peers: Arc::default(),
            line: Arc::default(),
            watch: Arc::default(),
        })
    }

    /// Posts JSON to a seed.
    pub async fn post_seed(
        &self,
        seed: &Seed,
        body: Vec<u8>,
        options: &PostOptions,
    ) -> Result<Posted, PostError> {
        let url = Url::parse(&seed.url).map_err(|_| PostError::Unreachable)?;
        let port = url.port_or_known_default().unwrap_or(443);
        let tls = (url.scheme() == "https").then(|| self.seeds.clone());
        let target = Target {
            authority: format!("{}:{port}", seed.host),
            // IPv6 addresses stand in brackets in URLs only.
            peer: Peer {
                host: seed.host.trim_matches(['[', ']']).to_owned(),
                port,
                tls,
                allowed: connection::anywhere,
            },
            traffic: Arc::default(),
        };
        let question = Question { kind: JSON, body: body.into(), ..Question::new(url.path(), None) };
        self.post(&target, &question, options).await
    }

    /// Posts an onion request to a guard.
    pub async fn post_onion(
        &self,
        guard: &Node,
        body: Vec<u8>,
        options: &PostOptions,
    ) -> Result<Posted, PostError> {
        let gate = (body.len() > AT_ONCE).then(Arc::<Gate>::default);
        let question = Question { body: body.into(), ..Question::new("/onion_req/v2", gate.clone()) };
        let target = self.node(guard);
        let post = self.post(&target, &question, options);
        let Some(gate) = gate else { return post.await };
        tokio::select! {
            posted = post => posted,
            never = self.watch_line(guard, &gate, &options.activity) => match never {},
        }
    }

    /// While a large body goes out: asks the guard small questions behind it, and has the gate let out what the line
    /// carries.
    async fn watch_line(&self, guard: &Node, gate: &Gate, activity: &Activity) -> Infallible {
        // The first questions go at once, behind nothing, so that there are connections for the rest; a second one on the
        // same connection then shows how far away the guard is.
        let ask = async || {
            let since = machine::steady();
            let options = PostOptions::silent_for(PROBE);
            let answer = self.post_rpc(guard, Rpc::info().to_json(), &options).await;
            answer.map(|_| gate.trip(machine::steady().saturating_sub(since)))
        };
        let one = async {
            _ = ask().await;
            _ = ask().await;
            self.ask_behind(guard, gate, activity).await
        };
        let other = async {
            _ = ask().await;
            self.ask_behind(guard, gate, activity).await
        };
        tokio::select! {
            never = one => never,
            never = other => never,
        }
    }

    /// Asks one question after another behind what has gone out.
    async fn ask_behind(&self, guard: &Node, gate: &Gate, activity: &Activity) -> Infallible {
        loop {
            _ = tokio::time::timeout(PROBE_GAP, gate.worth_asking()).await;
            // What was handed out last is still on its way to the socket.
            tokio::time::sleep(HAND_OVER).await;
            let (sent, since) = (activity.up(), machine::steady());
            if !gate.ask(sent) {
                tokio::time::sleep(NOTHING_NEW).await;
                continue;
            }
            let options = PostOptions::silent_for(PROBE);
            if self.post_rpc(guard, Rpc::info().to_json(), &options).await.is_err() {
                gate.open();
                return std::future::pending().await;
            }
            gate.confirm(sent, since, machine::steady());
        }
    }

    /// Posts a storage request to a node directly. For requests that say nothing about us.
    pub async fn post_rpc(
        &self,
        node: &Node,
        body: Vec<u8>,
        options: &PostOptions,
    ) -> Result<Posted, PostError> {
        let question = Question { kind: JSON, body: body.into(), ..Question::new("/storage_rpc/v1", None) };
        self.post(&self.node(node), &question, options).await
    }

    /// Whether a transfer to or from this node has moved in the last few seconds: then whatever else is asked over it
    /// may wait behind that, and says nothing by it.
    pub fn moving(&self, node: &Node) -> bool {
        self.traffic(&authority(node)).is_moving()
    }

    /// How many times as long as usual to wait before silence means something.
    pub fn patience(&self) -> u32 {
        if self.line.is_moving() { PATIENCE } else { 1 }
    }

    /// Closes all connections. Requests under way begin anew by themselves, on fresh ones.
    pub fn drop_connections(&self) {
        self.connections.drop_all();
    }

    /// Whether the machine has slept since anybody looked last; then all connections are dropped. Costs next to nothing.
    pub fn look(&self) -> bool {
        let slept = self.watch.check();
        if slept {
            self.drop_connections();
        }
        slept
    }

    /// How often the machine has slept; whoever waits for a change is woken when it wakes.
    pub fn slept(&self) -> tokio::sync::watch::Receiver<u64> {
        self.watch.slept()
    }

    /// Looks for sleep as long as it is polled, and drops all connections after one.
    pub async fn keep_awake(self) {
        let mut slept = self.slept();
        let drop_old = async {
            while slept.changed().await.is_ok() {
                tracing::info!("the machine has slept");
                self.drop_connections();
            }
        };
        tokio::join!(self.watch.run(), drop_old);
    }

    fn node(&self, node: &Node) -> Target {
        let authority = authority(node);
        Target {
            peer: Peer {
                host: node.ip.to_string(),
                port: node.port,
                tls: Some(self.nodes.clone()),
                allowed: connection::anywhere,
            },
            traffic: self.traffic(&authority),
            authority,
        }
    }

    fn traffic(&self, authority: &str) -> Arc<Traffic> {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        match peers.get(authority) {
            Some(traffic) => traffic.clone(),
            None => peers.entry(authority.to_owned()).or_default().clone(),
        }
    }

    async fn post(
        &self,
        target: &Target,
        question: &Question,
        options: &PostOptions,
    ) -> Result<Posted, PostError> {
        for _ in 0..RENEWALS {
            self.look();
            match self.try_once(target, question, options).await {
                Ok(posted) => return Ok(posted),
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Stale | Stop::Dropped) => {}
            }
        }
        Err(PostError::Broken)
    }

    /// One try on a kept connection if there is one; if that proves to be closed, one on a fresh connection.
    async fn try_once(
        &self,
        target: &Target,
        question: &Question,
        options: &PostOptions,
    ) -> Result<Posted, Stop> {
        options.activity.begin(question.body.len() as u64);
        if let Some(kept) = self.connections.take(&target.authority).await {
            kept.serve(options.activity.clone());
            match self.exchange(kept, target, question, options).await {
                Err(Stop::Stale) => options.activity.begin(question.body.len() as u64),
                other => return other,
            }
        }
        let fresh = self.connect(target, options).await?;
        let posted = self.exchange(fresh, target, question, options).await;
        posted.map_err(|stop| match stop {
            Stop::Stale => Stop::Error(PostError::Broken),
            other => other,
        })
    }

    async fn connect(&self, target: &Target, options: &PostOptions) -> Result<Connection, Stop> {
        let time = self.connections.time();
        let meter = Meter::new(options.activity.clone(), [target.traffic.clone(), self.line.clone()]);
        let limits = PostOptions { silence: CONNECT.min(options.silence), ..options.clone() };
        tokio::select! {
            biased;
            connection = Connection::open(&target.peer, meter, time.clone()) =>
                connection.map_err(|error| Stop::Error(unreachable(&error))),
            () = time.cancelled() => Err(Stop::Dropped),
            stop = self.out_of_patience(&limits) => Err(match stop {
                Stop::Error(_) => Stop::Error(PostError::Unreachable),
                other => other,
            }),
        }
    }

    /// Asks on this connection, and keeps it for later if the reply came whole.
    async fn exchange(
        &self,
        mut connection: Connection,
        target: &Target,
        question: &Question,
        options: &PostOptions,
    ) -> Result<Posted, Stop> {
        let time = connection.time.clone();
        let work = async {
            let request = request(target, question).map_err(|_| PostError::Broken)?;
            // Whoever has not begun to reply has not refused either: the connection was closed before it was asked.
            let response = connection.sender.send_request(request).await.map_err(|_| Stop::Stale)?;
            let status = response.status().as_u16();
            Ok(Posted { status, body: read(response, options).await? })
        };
        let posted = tokio::select! {
            biased;
            result = work => result,
            () = time.cancelled() => Err(Stop::Dropped),
            stop = self.out_of_patience(options) => Err(stop),
        }?;
        self.connections.put(&target.authority, connection);
        Ok(posted)
    }

    /// Until a post has been silent or slow for too long, or the machine has slept meanwhile.
    async fn out_of_patience(&self, options: &PostOptions) -> Stop {
        let activity = &options.activity;
        let (mut solid, mut counted) = (machine::steady(), activity.bytes());
        let mut patience = 1;
        loop {
            // A silence that began behind a transfer is not judged as if there had been none when that ends.
            patience = self.patience().max(patience);
            let silence = options.silence * patience;
            let quiet = activity.quiet_for();
            let now = machine::steady();
            if activity.bytes() - counted.min(activity.bytes()) >= STEP {
                (solid, counted) = (now.saturating_sub(quiet), activity.bytes());
            }
            let thin = now.saturating_sub(solid);
            if quiet >= silence {
                return Stop::Error(PostError::Silent);
            }
            // What moves on the line is no excuse for what does not move here.
            let thinnest = silence.max(options.silence * 2);
            let age = activity.age();
            if thin >= thinnest || age >= options.overall {
                return Stop::Error(PostError::Slow);
            }
            let rest = (silence - quiet).min(thinnest - thin).min(options.overall.saturating_sub(age));
            if !machine::sleep(rest).await {
                return Stop::Dropped;
            }
        }
    }
}

fn authority(node: &Node) -> String {
    format!("{}:{}", node.ip, node.port)
}

fn request(target: &Target, question: &Question) -> Result<Request<Outgoing>, hyper::http::Error> {
    let mut request = Request::post(question.path.as_str());
    if let Some(kind) = question.kind {
        request = request.header(CONTENT_TYPE, kind);
    }
    request
        .header(USER_AGENT, "WhatsApp")
        .header(ACCEPT_LANGUAGE, "en-us")
        .header(ACCEPT, "*/*")
        .header(HOST, target.authority.as_str())
        .body(Outgoing::new(question.body.clone(), question.gate.clone()))
}

async fn read(response: Response<Incoming>, options: &PostOptions) -> Result<Vec<u8>, PostError> {
    let mut incoming = response.into_body();
    let total = hyper::body::Body::size_hint(&incoming).exact().unwrap_or(0);
    if total > options.max_reply as u64 {
        return Err(PostError::TooLarge);
    }
    let mut body = Vec::with_capacity(usize::try_from(total).unwrap_or(0));
    while let Some(frame) = incoming.frame().await {
        let Ok(chunk) = frame.map_err(|_| PostError::Broken)?.into_data() else { continue };
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

fn unreachable(error: &io::Error) -> PostError {
    match error.kind() {
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => PostError::NoNetwork,
        _ => PostError::Unreachable,
    }
}

#[cfg(test)]
mod tests;
