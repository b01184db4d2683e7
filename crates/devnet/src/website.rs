//! A website on loopback, for tests of link previews: pages with what they answer, and a list of who asked for what.
//!
//! Decision: it writes its answers byte by byte as they are given, because what a preview has to bear is what no proper
//! server sends. Its certificate is data in the source, made once with `openssl req -x509`, for `127.0.0.1`; who is to
//! believe it names [`Website::certificate`] in `web_certificates` of the network file.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::error::DevnetError;
use crate::tasks::Tasks;

const CERTIFICATE: &[u8] = include_bytes!("../data/website.crt.der");
const CERTIFICATE_PEM: &str = include_str!("../data/website.crt.pem");
const TEST_KEY: &[u8] = include_bytes!("../data/website.key.der");
/// The longest request that is read.
const LONGEST_REQUEST: usize = 16 * 1024;

/// What a page answers.
#[derive(Clone, Debug)]
pub enum WebAnswer {
    /// A body of this MIME type.
    Body(String, Vec<u8>),
    /// Another address, with the status 302.
    Redirect(String),
    /// A status and nothing else.
    Status(u16),
    /// This MIME type and beginning, then spaces for ever.
    Endless(String, Vec<u8>),
    /// Nothing at all, on a connection that stays open.
    Silence,
    /// These bytes in place of a reply.
    Raw(Vec<u8>),
}

/// A website that runs until it is dropped.
pub struct Website {
    address: SocketAddr,
    pages: Arc<Pages>,
    _task: Tasks,
}

struct Pages {
    answers: Mutex<BTreeMap<String, WebAnswer>>,
    asked: watch::Sender<Vec<String>>,
}

impl Pages {
    fn answers(&self) -> MutexGuard<'_, BTreeMap<String, WebAnswer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Website {
    /// Starts one without pages, on a free port; to be called within a tokio runtime.
    pub async fn start() -> Result<Self, DevnetError> {
        let key = PrivatePkcs8KeyDer::from(TEST_KEY.to_vec());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key.into())?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let wanted = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        let refused = |source| DevnetError::Listen { address: wanted, source };
        let listener = TcpListener::bind(wanted).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let pages = Arc::new(Pages { answers: Mutex::default(), asked: watch::Sender::default() });
        let (tasks, serving) = (Tasks::new(Handle::current()), pages.clone());
        tasks.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, pages) = (acceptor.clone(), serving.clone());
                tokio::spawn(async move {
                    // How a visitor leaves is its own affair.
                    let _ = serve(&acceptor, socket, &pages).await;
                });
            }
        });
        Ok(Self { address, pages, _task: tasks })
    }

    /// Its certificate as PEM.
    pub const fn certificate() -> &'static str {
        CERTIFICATE_PEM
    }

    /// The address of a path that begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    /// Makes a path, with its query, answer this.
    pub fn put(&self, path: &str, answer: WebAnswer) {
        self.pages.answers().insert(path.to_owned(), answer);
    }

    /// Makes a path answer this page.
    pub fn put_html(&self, path: &str, html: &str) {
        self.put(path, WebAnswer::Body("text/html; charset=utf-8".to_owned(), html.as_bytes().to_vec()));
    }

    /// All requests so far: the line and the headers of each, as they came.
    pub fn asked(&self) -> Vec<String> {
        self.pages.asked.borrow().clone()
    }

    /// Waits until there have been so many requests.
    pub async fn until_asked(&self, count: usize) {
        // It cannot end before this value is dropped.
        let _ = self.pages.asked.subscribe().wait_for(|asked| asked.len() >= count).await;
    }
}

async fn serve(acceptor: &TlsAcceptor, socket: TcpStream, pages: &Pages) -> std::io::Result<()> {
    let mut stream = acceptor.accept(socket).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_REQUEST {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    pages.asked.send_modify(|asked| asked.push(head));
    let answer = pages.answers().get(&path).cloned().unwrap_or(WebAnswer::Status(404));
    let begin = |kind: &str, length: &str| format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{length}\r\n");
    match answer {
        WebAnswer::Body(kind, body) => {
            let length = format!("Content-Length: {}\r\n", body.len());
            stream.write_all(begin(&kind, &length).as_bytes()).await?;
            stream.write_all(&body).await?;
        }
        WebAnswer::Redirect(to) => {
            let head = format!(
                "HTTP/1.1 302 Found\r\nLocation: {to}\r\nSet-Cookie: seen=1\r\nContent-Length: 0\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await?;
        }
        WebAnswer::Status(status) => {
            let head = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
        }
        WebAnswer::Endless(kind, body) => {
            stream.write_all(begin(&kind, "").as_bytes()).await?;
            stream.write_all(&body).await?;
            loop {
                stream.write_all(&[b' '; 4096]).await?;
            }
        }
        WebAnswer::Silence => std::future::pending().await,
        WebAnswer::Raw(bytes) => stream.write_all(&bytes).await?,
    }
    stream.shutdown().await
}
