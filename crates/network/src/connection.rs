//! One connection to a seed or a node: TCP, TLS where wanted, HTTP/1.1 above, and a meter at the bottom.
//!
//! Decision: hyper's bare protocol instead of a ready client, because all that this network asks of a connection is
//! below what a client shows: which bytes the socket has taken and when, how far ahead of the line we send, and whether a
//! request failed on a connection that had been used before.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use crate::activity::{Activity, Traffic};
use crate::gate::Outgoing;
use crate::machine::steady;
use crate::pace::{self, Pace};

/// A host's addresses that are tried, all at once.
const ADDRESSES: usize = 4;

/// Where a connection goes.
#[derive(Clone)]
pub(crate) struct Peer {
    /// Host name or address.
    pub host: String,
    pub port: u16,
    /// How to recognise it; `None` for plain HTTP.
    pub tls: Option<Arc<ClientConfig>>,
    /// Which of its addresses may be gone to.
    pub allowed: fn(IpAddr) -> bool,
}

/// Any address will do.
pub(crate) fn anywhere(_: IpAddr) -> bool {
    true
}

/// What is counted on a connection, for whom.
#[derive(Debug)]
pub(crate) struct Meter {
    /// The request under way; each takes the place of the one before.
    request: Mutex<Arc<Activity>>,
    /// Of the peer, and of the machine's line.
    traffic: [Arc<Traffic>; 2],
}

impl Meter {
    pub fn new(request: Arc<Activity>, traffic: [Arc<Traffic>; 2]) -> Arc<Self> {
        Arc::new(Self { request: Mutex::new(request), traffic })
    }

    fn request(&self) -> Arc<Activity> {
        self.request.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The connection serves another request now.
    fn turn_to(&self, request: Arc<Activity>) {
        *self.request.lock().unwrap_or_else(PoisonError::into_inner) = request;
    }

    fn note(&self, note: impl FnOnce(&Activity)) {
        let request = self.request();
        note(&request);
        if request.is_transfer() {
            self.traffic.iter().for_each(|traffic| traffic.note());
        }
    }
}

/// An open connection, for one request after another. When it is dropped it is closed at once, also amid a request.
pub(crate) struct Connection {
    /// Takes requests.
    pub sender: SendRequest<Outgoing>,
    /// Ends with the connections of its time.
    pub time: CancellationToken,
    meter: Arc<Meter>,
    driver: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// Connects. Failing means that no connection came about, or that what is there speaks no TLS as we want it.
    pub async fn open(peer: &Peer, meter: Arc<Meter>, time: CancellationToken) -> io::Result<Self> {
        let began = steady();
        let socket = dial(peer).await?;
        let pace = Pace::new(steady().saturating_sub(began));
        let socket = Metered { socket, meter: meter.clone(), pace };
        let stream: Box<dyn Stream> = match &peer.tls {
            None => Box::new(socket),
            Some(config) => {
                let name = ServerName::try_from(peer.host.clone());
                let name = name.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
                Box::new(TlsConnector::from(config.clone()).connect(name, socket).await?)
            }
        };
        // Header names are written as Node.js, which the official desktop client runs on, writes them.
        let handshake = http1::Builder::new().title_case_headers(true).handshake(TokioIo::new(stream));
        let (sender, connection) = handshake.await.map_err(io::Error::other)?;
        // How it ends is told to the request under way; between requests nobody minds.
        let driver = tokio::spawn(async move { drop(connection.await) }).abort_handle();
        Ok(Self { sender, time, meter, driver })
    }

    /// Counts what moves from now on for another request.
    pub fn serve(&self, request: Arc<Activity>) {
        self.meter.turn_to(request);
    }
}

/// What HTTP runs over.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The first of a host's addresses that answers; fails with [`io::ErrorKind::PermissionDenied`] if it has only such as
/// are not allowed.
async fn dial(peer: &Peer) -> io::Result<TcpStream> {
    let addresses = tokio::net::lookup_host((peer.host.as_str(), peer.port)).await?;
    let (allowed, refused): (Vec<_>, Vec<_>) = addresses.partition(|address| (peer.allowed)(address.ip()));
    let mut attempts: FuturesUnordered<_> = allowed.into_iter().take(ADDRESSES).map(dial_address).collect();
    let mut last = io::Error::from(match refused.is_empty() {
        true => io::ErrorKind::NotFound,
        false => io::ErrorKind::PermissionDenied,
    });
    while let Some(attempt) = attempts.next().await {
        match attempt {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn dial_address(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_nodelay(true)?;
    socket.set_send_buffer_size(u32::try_from(pace::FIRST).unwrap_or(u32::MAX))?;
    socket.connect(address).await
}

/// A socket of which every byte is counted, and whose send buffer is kept as large as the line deserves.
struct Metered {
    socket: TcpStream,
    meter: Arc<Meter>,
    pace: Pace,
}

impl Metered {
    fn note_write(&mut self, written: &Poll<io::Result<usize>>) {
        match written {
            Poll::Ready(Ok(bytes)) => {
                self.pace.took(*bytes, steady());
                self.meter.note(|request| request.note_up(*bytes as u64));
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                if let Some(size) = self.pace.full(steady()) {
                    // A system that does not allow it keeps the buffer that it has.
                    let _ = SockRef::from(&self.socket).set_send_buffer_size(size);
                }
            }
        }
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buffer))?;
        let bytes = buffer.filled().len() - before;
        if bytes > 0 {
            self.meter.note(|request| request.note_down(bytes as u64));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.note_write(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, bytes);
        self.note_write(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
