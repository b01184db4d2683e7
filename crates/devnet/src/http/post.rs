//! What the last hop does for a request to a server: one plain-HTTP `POST` (spec 03 §6.8).
//!
//! Decision: only loopback addresses over plain HTTP are contacted, so that nothing leaves the machine; every other
//! host fails as an unknown or unreachable one does on the real network.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use septet_protocol::onion::Protocol;
use tokio::net::TcpStream;

use super::Reply;

/// Why a server gave no reply; the texts are those the real nodes pass on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    #[error("Could not resolve host: {0}")]
    Unknown(String),
    #[error("Failed to connect to {host} port {port} after {ms} ms: Couldn't connect to server")]
    Unreachable { host: String, port: u16, ms: u128 },
    #[error("Connection timed out after {0} milliseconds")]
    TimedOut(u128),
    #[error("Empty reply from server")]
    Broken,
}

impl PostError {
    /// The status a node gives with it.
    pub fn status(&self) -> u16 {
        if matches!(self, Self::TimedOut(_)) { 504 } else { 502 }
    }
}

/// Posts `body` to `protocol://host:port/target`.
pub(crate) async fn post(
    protocol: Protocol,
    host: &str,
    port: u16,
    target: &str,
    body: Bytes,
    patience: Duration,
) -> Result<Reply, PostError> {
    let ip = loopback(host).ok_or_else(|| PostError::Unknown(host.to_owned()))?;
    if protocol != Protocol::Http {
        return Err(PostError::Unreachable { host: host.to_owned(), port, ms: 0 });
    }
    let exchange = exchange(ip, host, port, target, body);
    tokio::time::timeout(patience, exchange).await.unwrap_or(Err(PostError::TimedOut(patience.as_millis())))
}

fn loopback(host: &str) -> Option<IpAddr> {
    if host == "localhost" {
        return Some(Ipv4Addr::LOCALHOST.into());
    }
    host.parse().ok().filter(IpAddr::is_loopback)
}

async fn exchange(ip: IpAddr, host: &str, port: u16, target: &str, body: Bytes) -> Result<Reply, PostError> {
    let started = Instant::now();
    let stream = TcpStream::connect((ip, port)).await.map_err(|_| PostError::Unreachable {
        host: host.to_owned(),
        port,
        ms: started.elapsed().as_millis(),
    })?;
    _ = stream.set_nodelay(true);
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|_| PostError::Broken)?;
    let request = hyper::Request::post(target)
        .header("Host", format!("{host}:{port}"))
        .header("Content-Type", "application/octet-stream")
        .body(Full::new(body))
        .map_err(|_| PostError::Broken)?;
    let connection = tokio::spawn(connection);
    let reply = async {
        let reply = sender.send_request(request).await?;
        let (status, body) = (reply.status().as_u16(), reply.into_body().collect().await?.to_bytes());
        Ok::<_, hyper::Error>(Reply::new(status, "text/plain", body))
    };
    let reply = reply.await.map_err(|_| PostError::Broken);
    connection.abort();
    reply
}
