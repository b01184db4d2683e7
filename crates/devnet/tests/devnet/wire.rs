//! What happens to connections: closed when idle, broken, dripping, behind a slow line.

use std::time::{Duration, Instant};

use septet_devnet::{Devnet, Fault, Line};
use septet_protocol::onion::EncType;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::client::{direct, http, path, post, post_with, rpc_text, through};
use crate::network;

fn info() -> Vec<u8> {
    rpc_text("info", &json!({})).into_bytes()
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let idle = Duration::from_millis(50)..=Duration::from_millis(60);
    let devnet = Devnet::builder().idle_close(Some(idle)).start().await.unwrap();
    // A node closes; a slow answer in between does not count as idle.
    let node = &devnet.nodes()[0];
    node.set_fault(Fault::Slow(Duration::from_millis(200)));
    assert_eq!(post(node, "/storage_rpc/v1", info()).await.unwrap().status, 200);
    let mut stream = tls_stream(node.info().address).await;
    assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0, "the node closed it");
}

/// A connection over which nothing has been asked yet.
async fn tls_stream(address: std::net::SocketAddrV4) -> tokio_rustls::client::TlsStream<TcpStream> {
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(crate::client::tls()));
    let stream = TcpStream::connect(address).await.unwrap();
    connector.connect("localhost".try_into().unwrap(), stream).await.unwrap()
}

#[tokio::test]
async fn a_node_that_closes_breaks_connections_at_the_first_byte() {
    let devnet = network().await;
    let (node, kept) = (&devnet.nodes()[0], http());
    assert_eq!(post_with(&kept, node, "/storage_rpc/v1", info()).await.unwrap().status, 200);
    node.set_fault(Fault::Closes);
    assert!(post_with(&kept, node, "/storage_rpc/v1", info()).await.is_err(), "an open connection breaks");
    TcpStream::connect(node.info().address).await.expect("it accepts");
    assert!(post(node, "/storage_rpc/v1", info()).await.is_err());
    node.clear_faults();
    assert_eq!(post(node, "/storage_rpc/v1", info()).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_body_drips() {
    let devnet = network().await;
    let node = &devnet.nodes()[0];
    let length = direct(node, "info", json!({})).await.body.len();
    let each = Duration::from_millis(2);
    node.set_fault(Fault::Drip(each));
    let started = Instant::now();
    let answer = direct(node, "info", json!({})).await;
    assert_eq!(answer.body.len(), length);
    assert!(started.elapsed() >= each * u32::try_from(length).unwrap());
    // With drops far apart the head is there at once and the body for hours not.
    node.set_fault(Fault::Drip(Duration::from_secs(3600)));
    let url = format!("https://{}/storage_rpc/v1", node.info().address);
    let mut reply = http().post(url).body(info()).send().await.unwrap();
    assert_eq!(reply.content_length(), Some(u64::try_from(length).unwrap()));
    assert!(tokio::time::timeout(Duration::from_millis(50), reply.chunk()).await.is_err());
}

#[tokio::test]
async fn the_certificate_is_rsa_of_2048_bits() {
    let devnet = network().await;
    let stream = tls_stream(devnet.nodes()[0].info().address).await;
    let certificate = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    // rsaEncryption, and a modulus of 2048 bits with its leading zero.
    let has = |bytes: &[u8]| certificate.windows(bytes.len()).any(|window| window == bytes);
    assert!(
        has(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]) && has(&[0x02, 0x82, 0x01, 0x01, 0x00])
    );
    assert!(has(b"localhost"));
}

#[tokio::test]
async fn everything_passes_one_line_at_its_rate() {
    let devnet = network().await;
    let to = &devnet.nodes()[20];
    let path = path(&devnet, to);
    let bytes = 200_000;
    let line = Line { up: 400_000, down: 4_000_000, delay: Duration::from_millis(20), buffer: 50_000 };
    devnet.set_line(Some(line));
    let started = Instant::now();
    // Two at a time share it: each alone would need a quarter of a second.
    let half = || post(path[0], "/onion_req/v2", vec![7; bytes / 2]);
    let (one, other) = tokio::join!(half(), half());
    assert_eq!((one.unwrap().status, other.unwrap().status), (400, 400));
    let least = Duration::from_millis(500) + 2 * line.delay;
    assert!(started.elapsed() >= least, "{:?}", started.elapsed());
    // A request and its reply over the narrow line, whole and intact.
    let (answer, key) = through(&path, to, EncType::AesGcm, &rpc_text("info", &json!({}))).await;
    assert_eq!(key.open_node(&answer.body).unwrap().status, 200);
    devnet.set_line(None);
    assert_eq!(direct(to, "info", json!({})).await.status, 200);
}

#[tokio::test]
async fn an_open_connection_feels_the_line() {
    let devnet = network().await;
    let (node, kept) = (&devnet.nodes()[0], http());
    assert_eq!(post_with(&kept, node, "/storage_rpc/v1", info()).await.unwrap().status, 200);
    let delay = Duration::from_millis(150);
    devnet.set_line(Some(Line { up: 1_000_000, down: 1_000_000, delay, buffer: 100_000 }));
    let started = Instant::now();
    assert_eq!(post_with(&kept, node, "/storage_rpc/v1", info()).await.unwrap().status, 200);
    assert!(started.elapsed() >= 2 * delay, "there and back");
    assert_eq!(http().post(devnet.seed_url()).body("{}").send().await.unwrap().status().as_u16(), 200);
}
