//! A listening socket that can be shut and opened again on the same port.
//!
//! While it is shut, connections are refused by the system, as with a dead process. A second socket, bound but never
//! listening, keeps the port from being given to somebody else meanwhile (where the system permits; elsewhere opening
//! again is tried until it works).

use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::{MAX_BODY, Reply, Request, Service};

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

/// A server's entrance.
pub(crate) struct Door {
    shared: Arc<Shared>,
    /// Keeps the port ours while shut.
    _reserved: TcpSocket,
}

struct Shared {
    address: SocketAddrV4,
    tls: Option<TlsAcceptor>,
    runtime: Handle,
    service: Mutex<Option<Arc<dyn Service>>>,
    serving: Mutex<Option<JoinHandle<()>>>,
}

impl Door {
    /// A shut door at an address taken with [`bind`].
    pub fn new(
        reserved: TcpSocket,
        address: SocketAddrV4,
        tls: Option<TlsAcceptor>,
        runtime: Handle,
    ) -> Self {
        let shared = Shared { address, tls, runtime, service: Mutex::default(), serving: Mutex::default() };
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

fn listen(address: SocketAddrV4) -> io::Result<TcpListener> {
    let (socket, _) = bind(address)?;
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
        return;
    }
    _ = stream.set_nodelay(true);
    match &shared.tls {
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => serve(service, stream, from).await,
            Err(error) => tracing::debug!(%error, "TLS handshake failed"),
        },
        None => serve(service, stream, from).await,
    }
}

async fn serve(service: Arc<dyn Service>, stream: impl AsyncRead + AsyncWrite + Unpin, from: SocketAddr) {
    let handler = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { respond(&*service, request, from).await }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).keep_alive(true).half_close(true);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), handler).await {
        tracing::trace!(%error, "connection ended");
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
) -> Result<hyper::Response<Full<Bytes>>, HungUp> {
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

fn too_large() -> Result<hyper::Response<Full<Bytes>>, HungUp> {
    render(Reply::text(413, "Request body too large"), true)
}

fn render(reply: Reply, close: bool) -> Result<hyper::Response<Full<Bytes>>, HungUp> {
    let Reply::Answer { status, content_type, body } = reply else { return Err(HungUp) };
    let mut response = hyper::Response::builder().status(status).header("Content-Type", content_type);
    if close {
        response = response.header("Connection", "close");
    }
    response.body(Full::new(body)).map_err(|_| HungUp)
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
