//! Posts to servers on this machine that do one thing wrong each.

use std::net::Ipv4Addr;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, crypto::ring};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::*;
use crate::policy::tests::node as any_node;

type Line = TlsStream<TcpStream>;

/// Whoever waits longer than this in a test waits in vain.
const IN_VAIN: Duration = Duration::from_secs(60);

fn acceptor() -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    Arc::new(config).into()
}

/// A node that deals with its connections, counted from 0, as `serve` says; with a small receive buffer.
fn node<F: Future<Output = ()> + Send>(serve: impl Fn(usize, Line) -> F + Send + Sync + 'static) -> Node {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = socket.listen(16).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (serve, acceptor) = (Arc::new(serve), acceptor());
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            let (serve, acceptor) = (serve.clone(), acceptor.clone());
            tokio::spawn(async move {
                if let Ok(line) = acceptor.accept(stream).await {
                    serve(number, line).await;
                }
            });
        }
    });
    at_port(port)
}

/// Some node's key, at a port of this machine.
fn at_port(port: u16) -> Node {
    Node::new(any_node(1).ed25519, Ipv4Addr::LOCALHOST, port).unwrap()
}

fn http() -> Http {
    Http::new(&NetworkConfig::mainnet()).unwrap()
}

/// Reads one request, head and body; `None` at the end of the connection.
async fn hear(line: &mut Line) -> Option<String> {
    let mut heard = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&heard).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            if body.len() == length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        match line.read_buf(&mut heard).await {
            Ok(1..) => {}
            _ => return None,
        }
    }
}

async fn say(line: &mut Line, text: &str) {
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
    let _ = line.write_all(answer.as_bytes()).await;
    let _ = line.flush().await;
}

/// A post with a short silence.
async fn post(http: &Http, node: &Node, silence: u64) -> Result<String, PostError> {
    let options = PostOptions::silent_for(Duration::from_millis(silence));
    let posted = tokio::time::timeout(IN_VAIN, http.post_onion(node, b"question".to_vec(), &options));
    posted.await.unwrap().map(|posted| String::from_utf8(posted.body).unwrap())
}

#[tokio::test]
async fn requests_look_as_the_official_desktop_clients_and_share_a_connection() {
    let node = node(async |number, mut line| {
        while let Some(request) = hear(&mut line).await {
            say(&mut line, &format!("{number} {request}")).await;
        }
    });
    let http = http();
    let head = format!(
        "0 POST /onion_req/v2 HTTP/1.1\r\nUser-Agent: WhatsApp\r\nAccept-Language: en-us\r\nAccept: */*\r\n\
         Host: 127.0.0.1:{}\r\nContent-Length: 8\r\n\r\nquestion",
        node.port
    );
    for _ in 0..5 {
        assert_eq!(post(&http, &node, 10_000).await, Ok(head.clone()));
    }
    assert_eq!(http.connections.count(), 1);
    let direct = http.post_rpc(&node, b"{}".to_vec(), &PostOptions::silent_for(IN_VAIN)).await.unwrap();
    let direct = String::from_utf8(direct.body).unwrap();
    assert!(direct.starts_with("0 POST /storage_rpc/v1 HTTP/1.1\r\nContent-Type: application/json\r\n"));
}

#[tokio::test]
async fn a_kept_connection_that_proves_to_be_closed_is_replaced_at_once() {
    let node = node(async |number, mut line| {
        hear(&mut line).await;
        say(&mut line, &number.to_string()).await;
        // The next one is heard, and gets no answer.
        hear(&mut line).await;
    });
    let http = http();
    for number in ["0", "1", "2"] {
        assert_eq!(post(&http, &node, 10_000).await.as_deref(), Ok(number));
    }
}

#[tokio::test]
async fn a_fresh_connection_that_breaks_is_broken() {
    let heard = Arc::new(AtomicUsize::new(0));
    let count = heard.clone();
    let node = node(move |_, mut line| {
        let count = count.clone();
        async move {
            hear(&mut line).await;
            count.fetch_add(1, SeqCst);
        }
    });
    assert_eq!(post(&http(), &node, 10_000).await, Err(PostError::Broken));
    assert_eq!(heard.load(SeqCst), 1);
}

#[tokio::test]
async fn a_reply_that_breaks_off_is_broken() {
    let node = node(async |_, mut line| {
        hear(&mut line).await;
        let _ = line.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
    });
    assert_eq!(post(&http(), &node, 10_000).await, Err(PostError::Broken));
}

#[tokio::test]
async fn who_says_nothing_is_silent_and_who_only_drips_is_slow() {
    let silent = node(async |_, mut line| {
        hear(&mut line).await;
        std::future::pending().await
    });
    assert_eq!(post(&http(), &silent, 300).await, Err(PostError::Silent));
    let drip = node(async |_, mut line| {
        hear(&mut line).await;
        let _ = line.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await;
        while line.write_all(b"x").await.is_ok() && line.flush().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert_eq!(post(&http(), &drip, 2000).await, Err(PostError::Slow));
}

#[tokio::test]
async fn a_reply_may_take_as_long_as_it_moves_and_is_seen_moving() {
    const PIECES: usize = 30;
    let node = node(async |_, mut line| {
        hear(&mut line).await;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", PIECES * 16 * 1024);
        let _ = line.write_all(head.as_bytes()).await;
        for _ in 0..PIECES {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let _ = line.write_all(&[b'x'; 16 * 1024]).await;
            let _ = line.flush().await;
        }
        hear(&mut line).await;
    });
    let http = http();
    assert!(!http.moving(&node));
    assert_eq!(http.patience(), 1);
    let reply = post(&http, &node, 2000).await;
    assert_eq!(reply.map(|reply| reply.len()), Ok(PIECES * 16 * 1024));
    assert!(http.moving(&node));
    assert_eq!(http.patience(), PATIENCE);
    let other = at_port(1);
    assert!(!http.moving(&other));
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_no_tls_too() {
    let free = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let node = at_port(free.local_addr().unwrap().port());
    // The system takes the connection, and nobody ever speaks on it.
    assert_eq!(post(&http(), &node, 300).await, Err(PostError::Unreachable));
    drop(free);
    assert_eq!(post(&http(), &node, 10_000).await, Err(PostError::Unreachable));
}

#[tokio::test]
async fn a_reply_that_is_too_large_is_not_read() {
    let node = node(async |_, mut line| {
        hear(&mut line).await;
        let _ = line.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 12000001\r\n\r\n").await;
        hear(&mut line).await;
    });
    assert_eq!(post(&http(), &node, 10_000).await, Err(PostError::TooLarge));
}

#[tokio::test]
async fn dropped_connections_have_their_requests_begin_anew() {
    let heard = Arc::new(Notify::new());
    let told = heard.clone();
    let node = node(move |number, mut line| {
        let told = told.clone();
        async move {
            hear(&mut line).await;
            told.notify_one();
            if number > 0 {
                say(&mut line, "awake").await;
            }
            hear(&mut line).await;
        }
    });
    let http = http();
    let sleep = async {
        heard.notified().await;
        http.drop_connections();
    };
    let (reply, ()) = tokio::join!(post(&http, &node, 30_000), sleep);
    assert_eq!(reply.as_deref(), Ok("awake"));
    assert_eq!(http.connections.count(), 1);
    http.drop_connections();
    assert_eq!(http.connections.count(), 0);
}

#[tokio::test]
async fn idle_connections_are_closed_by_us() {
    let ended = Arc::new(Notify::new());
    let told = ended.clone();
    let node = node(move |_, mut line| {
        let told = told.clone();
        async move {
            hear(&mut line).await;
            say(&mut line, "x").await;
            assert_eq!(hear(&mut line).await, None);
            told.notify_one();
        }
    });
    let http = http();
    post(&http, &node, 10_000).await.unwrap();
    tokio::time::timeout(IN_VAIN, ended.notified()).await.unwrap();
    assert_eq!(http.connections.count(), 0);
}

#[tokio::test]
async fn progress_is_what_the_socket_has_taken() {
    const SIZE: usize = 20_000_000;
    let told = Arc::new(Mutex::new(Vec::new()));
    let hear_progress = told.clone();
    let progress = Arc::new(move |done, total| hear_progress.lock().unwrap().push((done, total)));
    // Takes nothing after the handshake.
    let node = node(async |_, line| {
        std::future::pending::<()>().await;
        drop(line);
    });
    let options = PostOptions {
        activity: Arc::new(Activity::telling(progress)),
        ..PostOptions::silent_for(Duration::from_millis(500))
    };
    let posted = http().post_onion(&node, vec![7; SIZE], &options).await;
    assert_eq!(posted.unwrap_err(), PostError::Silent);
    let told = told.lock().unwrap();
    assert!(told.is_sorted());
    let (done, total) = *told.last().unwrap();
    assert_eq!(total, SIZE as u64);
    assert!(done < 1_000_000, "{done} bytes cannot be in two small buffers");
}
