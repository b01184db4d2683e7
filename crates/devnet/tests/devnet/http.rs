//! A plain HTTP client for tests: one connection per server is kept, nothing is retried or followed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderMap};
use hyper::{Method, Response, StatusCode, body::Incoming};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Why there is no reply.
#[derive(Debug)]
pub enum HttpError {
    /// No connection came about.
    Connect(#[allow(dead_code, reason = "shown when a test fails")] std::io::Error),
    /// It broke.
    Broken(#[allow(dead_code, reason = "shown when a test fails")] hyper::Error),
}

impl HttpError {
    /// Whether no connection came about.
    pub fn is_connect(&self) -> bool {
        matches!(self, Self::Connect(_))
    }
}

impl From<hyper::Error> for HttpError {
    fn from(error: hyper::Error) -> Self {
        Self::Broken(error)
    }
}

/// Who asks.
pub struct Http {
    tls: TlsConnector,
    kept: Mutex<BTreeMap<String, SendRequest<Full<Bytes>>>>,
}

impl Http {
    /// With this manner of TLS for `https`.
    pub fn new(tls: rustls::ClientConfig) -> Self {
        Self { tls: Arc::new(tls).into(), kept: Mutex::default() }
    }

    pub fn get(&self, url: impl Into<String>) -> Question<'_> {
        self.ask(Method::GET, url.into())
    }

    pub fn post(&self, url: impl Into<String>) -> Question<'_> {
        self.ask(Method::POST, url.into())
    }

    fn ask(&self, method: Method, url: String) -> Question<'_> {
        Question { http: self, method, url, headers: Vec::new(), body: Bytes::new() }
    }

    async fn connection(&self, secure: bool, host: &str) -> Result<SendRequest<Full<Bytes>>, HttpError> {
        let kept = self.kept.lock().unwrap().remove(host);
        if let Some(mut kept) = kept
            && kept.ready().await.is_ok()
        {
            return Ok(kept);
        }
        let stream = TcpStream::connect(host).await.map_err(HttpError::Connect)?;
        if !secure {
            return begin(stream).await;
        }
        let (name, _) = host.split_once(':').unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        begin(self.tls.connect(name, stream).await.map_err(HttpError::Connect)?).await
    }
}

async fn begin<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // How it ends is told to whoever asks on it.
    tokio::spawn(async move { _ = connection.await });
    Ok(sender)
}

/// A request that is being made.
pub struct Question<'a> {
    http: &'a Http,
    method: Method,
    url: String,
    headers: Vec<(&'static str, &'static str)>,
    body: Bytes,
}

impl Question<'_> {
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub async fn send(self) -> Result<Reply, HttpError> {
        let (scheme, rest) = self.url.split_once("://").unwrap();
        let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let mut request = hyper::Request::builder().method(self.method).uri(path).header(HOST, host);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let mut connection = self.http.connection(scheme == "https", host).await?;
        let response = connection.send_request(request.body(Full::new(self.body)).unwrap()).await?;
        self.http.kept.lock().unwrap().insert(host.to_owned(), connection);
        Ok(Reply(response))
    }
}

/// What came back; its body may still be under way.
#[derive(Debug)]
pub struct Reply(Response<Incoming>);

impl Reply {
    pub fn status(&self) -> StatusCode {
        self.0.status()
    }

    pub fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }

    /// How long the body will be, in bytes, as its head says.
    pub fn content_length(&self) -> Option<u64> {
        hyper::body::Body::size_hint(self.0.body()).exact()
    }

    /// The next piece of the body.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, HttpError>> {
        let frame = self.0.body_mut().frame().await?;
        Some(frame.map(|frame| frame.into_data().unwrap_or_default()).map_err(HttpError::from))
    }

    /// The whole body.
    pub async fn bytes(self) -> Result<Bytes, HttpError> {
        Ok(self.0.into_body().collect().await?.to_bytes())
    }

    /// The whole body, which must be UTF-8.
    pub async fn text(self) -> Result<String, HttpError> {
        Ok(String::from_utf8(self.bytes().await?.to_vec()).unwrap())
    }
}
