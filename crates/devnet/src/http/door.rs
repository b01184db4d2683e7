//! A listening socket that can be shut and opened again on the same port.
//!
//! While it is shut, connections are refused by the system, as with a dead process. A second socket, bound but never
//! listening, keeps the port from being given to somebody else meanwhile (where the system permits; elsewhere opening
//! again is tried until it works).

use std::future::pending;
use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::ops::RangeInclusive;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::body::Outgoing;
use super::{MAX_BODY, Reply, Request, Service};
use crate::line::Bottleneck;

/// A socket bound to a port of this machine's loopback, not yet listening. `port` 0 takes any free one.
pub(crate) fn bind(address: SocketAddrV4) -> io::Result<(TcpSocket, SocketAddrV4)> {
    if !address.ip().is_loopback() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "only loopback addresses are served"));
    }
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address.into())?;
    match socket.local_addr()? {
        SocketAddr::V4(bound) => Ok((socket, bound)),
        SocketAddr::V6(_) => Err(io::Error::other("bound to another family")),
    }
}

/// How connections are served at a door.
#[derive(Clone, Default)]
pub(crate) struct Manner {
    /// Speaks TLS.
    pub tls: Option<TlsAcceptor>,
    /// What lies between clients and the door.
    pub line: Option<Arc<Bottleneck>>,
    /// After how long without a request a connection is closed: somewhere in this range, as the official server
    /// looks every few seconds.
    pub idle: Option<RangeInclusive<Duration>>,
}

/// A server's entrance.
pub(crate) struct Door {
    shared: Arc<Shared>,
    /// Keeps the port ours while shut.
    _reserved: TcpSocket,
}

struct Shared {
    address: SocketAddrV4,
    manner: Manner,
    runtime: Handle,
    service: Mutex<Option<Arc<dyn Service>>>,
    serving: Mutex<Option<JoinHandle<()>>>,
}

impl Door {
    /// A shut door at an address taken with [`bind`].
    pub fn new(reserved: TcpSocket, address: SocketAddrV4, manner: Manner, runtime: Handle) -> Self {
        let shared =
            Shared { address, manner, runtime, service: Mutex::default(), serving: Mutex::default() };
        Self { shared: Arc::new(shared), _reserved: reserved }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddrV4 {
        self.shared.address
    }

    /// Puts a service behind the door.
    pub fn install(&self, service: Arc<dyn Service>) {
        *self.shared.service() = Some(service);
    }

    /// Shuts it for good, as [`Door::close`], and lets go of the service, which mostly knows its door in turn.
    pub fn retire(&self) -> Option<JoinHandle<()>> {
        self.shared.service().take();
        self.close()
    }

    /// Opens it, if it is shut. When the port cannot be had at once, goes on trying in the background.
    pub fn open(&self) {
        let mut serving = self.shared.serving.lock().unwrap_or_else(PoisonError::into_inner);
        if serving.is_some() {
            return;
        }
        let _inside = self.shared.runtime.enter();
        let listener = listen(self.shared.address);
        *serving = Some(self.shared.runtime.spawn(run(Arc::clone(&self.shared), listener.ok())));
    }

    /// Shuts it; open connections break. What is returned ends when the port is free.
    pub fn close(&self) -> Option<JoinHandle<()>> {
        let mut serving = self.shared.serving.lock().unwrap_or_else(PoisonError::into_inner);
        serving.take().inspect(JoinHandle::abort)
    }
}

impl Shared {
    fn service(&self) -> MutexGuard<'_, Option<Arc<dyn Service>>> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.close();
    }
}

/// The largest packet, bytes, without heads: what Ethernet allows.
#[cfg(unix)]
const PACKET: u32 = 1460;
/// How many bytes of a client the system may take that the server has not, about.
const RECEIVE_BUFFER: u32 = 65_536;

fn listen(address: SocketAddrV4) -> io::Result<TcpListener> {
    let (socket, _) = bind(address)?;
    // Small, and packets as on the real network instead of loopback's: else the system, here and at the client's end,
    // would take megabytes at once, and a slow line would begin behind them.
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    #[cfg(unix)]
    socket2::SockRef::from(&socket).set_tcp_mss(PACKET)?;
    socket.listen(1024)
}

/// Accepts until aborted; the connections end with it.
async fn run(shared: Arc<Shared>, listener: Option<TcpListener>) {
    let mut listener = listener;
    let listener = loop {
        match listener.take().map_or_else(|| listen(shared.address), Ok) {
            Ok(listener) => break listener,
            Err(error) => {
                tracing::debug!(address = %shared.address, %error, "the port is not free yet");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    let mut connections = JoinSet::new();
    loop {
        let accepted = listener.accept().await;
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, from)) => _ = connections.spawn(connection(Arc::clone(&shared), stream, from)),
            Err(error) => {
                // Out of file handles, mostly: serving goes on when some are free again.
                tracing::debug!(%error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

async fn connection(shared: Arc<Shared>, stream: TcpStream, from: SocketAddr) {
    let service = shared.service().clone();
    let Some(service) = service else { return };
    if !service.welcome().await {
        // Not before the client says something: it is to find its connection broken, not refused.
        _ = stream.peek(&mut [0]).await;
        return;
    }
    _ = stream.set_nodelay(true);
    let Manner { tls, line, idle } = &shared.manner;
    match line {
        Some(line) => {
            line.connect(stream, |stream| greet(tls.as_ref(), idle.clone(), service, stream, from)).await
        }
        None => greet(tls.as_ref(), idle.clone(), service, stream, from).await,
    }
}

/// Speaks TLS if need be, then HTTP.
async fn greet(
    tls: Option<&TlsAcceptor>,
    idle: Option<RangeInclusive<Duration>>,
    service: Arc<dyn Service>,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    from: SocketAddr,
) {
    match tls {
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => serve(service, stream, from, idle).await,
            Err(error) => tracing::debug!(%error, "TLS handshake failed"),
        },
        None => serve(service, stream, from, idle).await,
    }
}

async fn serve(
    service: Arc<dyn Service>,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    from: SocketAddr,
    idle: Option<RangeInclusive<Duration>>,
) {
    let (busy, _) = watch::channel(0_usize);
    let under_way = busy.clone();
    let handler = service_fn(move |request| {
        let (service, under_way) = (Arc::clone(&service), under_way.clone());
        async move {
            under_way.send_modify(|count| *count += 1);
            let reply = respond(&*service, request, from).await;
            under_way.send_modify(|count| *count -= 1);
            reply
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).keep_alive(true).half_close(true);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), handler));
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = until_idle(&busy, idle) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "connection ended");
    }
}

/// Waits until no request has been under way for as long as connections may be idle.
async fn until_idle(busy: &watch::Sender<usize>, idle: Option<RangeInclusive<Duration>>) {
    let Some(idle) = idle else { return pending().await };
    let mut changes = busy.subscribe();
    loop {
        // The sender is ours, so it does not go away first.
        _ = changes.wait_for(|count| *count == 0).await;
        let range = idle.end().saturating_sub(*idle.start());
        let patience = *idle.start() + range.mul_f64(fastrand::f64());
        tokio::select! {
            () = tokio::time::sleep(patience) => return,
            _ = changes.changed() => {}
        }
    }
}

/// A request was to be left without an answer.
#[derive(Debug, thiserror::Error)]
#[error("hung up")]
struct HungUp;

async fn respond(
    service: &dyn Service,
    request: hyper::Request<Incoming>,
    from: SocketAddr,
) -> Result<hyper::Response<Outgoing>, HungUp> {
    let (head, body) = request.into_parts();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    if let Some(reply) = service.preview(&head.method, &target, &head.headers, from.ip()) {
        return render(reply, true);
    }
    let declared = body.size_hint().lower();
    if usize::try_from(declared).is_ok_and(|declared| declared <= MAX_BODY) {
        let body = match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return too_large(),
            Err(_) => return Err(HungUp),
        };
        let request = Request { method: head.method, target, headers: head.headers, body };
        return render(service.answer(request).await, false);
    }
    too_large()
}

fn too_large() -> Result<hyper::Response<Outgoing>, HungUp> {
    render(Reply::text(413, "Request body too large"), true)
}

fn render(reply: Reply, close: bool) -> Result<hyper::Response<Outgoing>, HungUp> {
    let Reply::Answer { status, content_type, headers, body, drip } = reply else { return Err(HungUp) };
    let mut response = hyper::Response::builder().status(status).header("Content-Type", content_type);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    if close {
        response = response.header("Connection", "close");
    }
    response.body(Outgoing::new(body, drip)).map_err(|_| HungUp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_served() {
        for address in ["0.0.0.0:0", "192.168.1.1:0", "1.1.1.1:443"] {
            let error = bind(address.parse().unwrap()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }
}
