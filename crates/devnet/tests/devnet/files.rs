//! The file server (spec 04 §2, §14), through the onion.

use std::time::{Duration, Instant};

use septet_devnet::{Devnet, DevnetBuilder, FileFault, FileServerKind};
use septet_protocol::crypto::{Ed25519Secret, SystemRandom, blake2b};
use septet_protocol::onion::v4::{self, Response};
use septet_protocol::onion::{self, Destination, EncType, Hop, Protocol};
use serde_json::{Value, json};

use crate::client::{Answer, hop, http, post};
use crate::network;

type Headers<'a> = &'a [(&'a str, &'a str)];

fn destination(devnet: &Devnet) -> Destination {
    let url = devnet.file_server_url();
    let port = url.rsplit(':').next().unwrap().parse().unwrap();
    Destination::Server {
        host: "127.0.0.1".to_owned(),
        target: "/oxen/v4/lsrpc".to_owned(),
        protocol: Protocol::Http,
        port: Some(port),
        method: "POST".to_owned(),
        x25519: devnet.file_server_key(),
    }
}

async fn send(devnet: &Devnet, payload: &[u8], enc: EncType) -> (Answer, onion::ResponseKey) {
    let hops: Vec<Hop> = devnet.nodes().iter().take(3).map(hop).collect();
    let built = onion::build(&hops, &destination(devnet), payload, enc, &mut SystemRandom).unwrap();
    (post(&devnet.nodes()[0], "/onion_req/v2", built.body).await.unwrap(), built.key)
}

async fn call(
    devnet: &Devnet,
    method: &str,
    target: &str,
    headers: Headers<'_>,
    body: Option<&[u8]>,
) -> Response {
    let payload = v4::request(method, target, headers, body);
    let (answer, key) = send(devnet, &payload, EncType::AesGcm).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    key.open_server_v4(&answer.body).unwrap()
}

fn body(response: &Response) -> Value {
    assert_eq!(response.header("content-type"), Some("application/json"), "{response:?}");
    serde_json::from_slice(&response.body).unwrap()
}

async fn upload(devnet: &Devnet, data: &[u8]) -> String {
    let response = call(devnet, "POST", "/file", &[], Some(data)).await;
    assert_eq!(response.code, 200);
    body(&response)["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_uploaded_is_downloaded() {
    let devnet = network().await;
    let before = devnet.now();
    let uploaded = call(&devnet, "POST", "/file", &[], Some(b"hello")).await;
    let reply = body(&uploaded);
    let id = reply["id"].as_str().unwrap();
    assert_eq!(id.len(), 44);
    let expires = reply["expires"].as_f64().unwrap() * 1000.0;
    assert!((expires - (before + 14 * 86_400_000) as f64).abs() < 60_000.0);
    let file = call(&devnet, "GET", &format!("/file/{id}"), &[], None).await;
    assert_eq!((file.code, &file.body[..]), (200, &b"hello"[..]));
    assert_eq!(file.header("content-type"), Some("application/octet-stream"));
    let info = body(&call(&devnet, "GET", &format!("/file/{id}/info"), &[], None).await);
    assert_eq!((&info["size"], &info["expires"]), (&json!(5), &reply["expires"]));
    assert_eq!(upload(&devnet, b"hello").await, id, "the same content is the same file");
    assert_eq!(devnet.files().len(), 1);
    assert_eq!(devnet.requests()["proxy"], 4);
}

#[tokio::test]
async fn lifetimes_can_be_chosen_and_begun_anew() {
    let devnet = network().await;
    let short = call(&devnet, "POST", "/file", &[("X-FS-TTL", "30")], Some(b"short")).await;
    let id = body(&short)["id"].as_str().unwrap().to_owned();
    let expires = body(&short)["expires"].as_f64().unwrap();
    assert!((expires - devnet.now() as f64 / 1000.0 - 30.0).abs() < 10.0);
    let extended = body(&call(&devnet, "POST", &format!("/file/{id}/extend"), &[], None).await);
    assert!(extended["expires"].as_f64().unwrap() > expires + 86_400.0);
    assert_eq!(extended["size"], 5);
    devnet.set_clock_offset(15 * 86_400_000);
    let gone = call(&devnet, "GET", &format!("/file/{id}"), &[], None).await;
    assert_eq!((gone.code, body(&gone)), (404, json!({"status_code": 404})));
    devnet.sweep();
    assert!(devnet.files().is_empty());
}

/// `expires` of a JSON reply, ms after `now`.
fn left(response: &Response, now: u64) -> f64 {
    body(response)["expires"].as_f64().unwrap() * 1000.0 - now as f64
}

#[tokio::test]
async fn lifetimes_have_bounds_and_are_only_ever_raised() {
    const DAY: f64 = 86_400_000.0;
    let devnet = network().await;
    let now = devnet.now();
    let near = |left: f64, expected: f64| assert!((left - expected).abs() < 20_000.0, "{left} {expected}");
    let long = call(&devnet, "POST", "/file", &[("X-FS-TTL", "8640000")], Some(b"long")).await;
    near(left(&long, now), 14.0 * DAY);
    let short = call(&devnet, "POST", "/file", &[("X-FS-TTL", "1")], Some(b"short")).await;
    assert!(left(&short, now) >= 30_000.0);
    let extend = async |response: &Response, ttl: &str| {
        let target = format!("/file/{}/extend", body(response)["id"].as_str().unwrap());
        call(&devnet, "POST", &target, &[("X-FS-TTL", ttl)], None).await
    };
    assert_eq!(body(&extend(&long, "30").await)["expires"], body(&long)["expires"], "never lowered");
    near(left(&extend(&short, "86400").await, now), DAY);
    near(left(&extend(&short, "864000000").await, now), 14.0 * DAY);
}

#[tokio::test]
async fn a_download_says_until_when_the_file_can_be_had() {
    let devnet = network().await;
    let uploaded = call(&devnet, "POST", "/file", &[], Some(b"hello")).await;
    let target = format!("/file/{}", body(&uploaded)["id"].as_str().unwrap());
    let file = call(&devnet, "GET", &target, &[], None).await;
    let expires = file.header("expires").unwrap();
    // The same second, written another way: `Sun, 06 Nov 1994 08:49:37 GMT`.
    let seconds = body(&uploaded)["expires"].as_f64().unwrap() as u64;
    let clock = format!("{:02}:{:02}:{:02} GMT", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    assert!(expires.ends_with(&clock) && expires.len() == 29, "{expires}");
    let plain = http().get(format!("{}{target}", devnet.file_server_url())).send().await.unwrap();
    assert_eq!(plain.headers()["expires"], expires);
}

#[tokio::test]
async fn an_upload_can_be_held() {
    let devnet = network().await;
    let hold = devnet.hold_files();
    let (id, ()) = tokio::join!(upload(&devnet, b"held"), async {
        hold.until_held(1).await;
        assert!(devnet.files().is_empty());
        drop(hold);
    });
    assert!(devnet.files().contains_key(&id));
}

#[tokio::test]
async fn who_comes_later_need_not_be_held() {
    let devnet = network().await;
    let hold = devnet.hold_files();
    let (id, ()) = tokio::join!(upload(&devnet, b"held"), async {
        hold.until_held(1).await;
        hold.only_these();
        let later = upload(&devnet, b"later").await;
        assert_eq!(devnet.files().into_keys().collect::<Vec<_>>(), [later]);
        assert_eq!(hold.held(), 1);
        drop(hold);
    });
    assert!(devnet.files().contains_key(&id));
}

#[tokio::test]
async fn uploads_have_a_size() {
    let devnet = network().await;
    for (length, code) in [(0, 413), (1, 200), (10_223_616, 200), (10_223_617, 413)] {
        let response = call(&devnet, "POST", "/file", &[], Some(&vec![1; length])).await;
        assert_eq!(response.code, code, "{length}");
        if code != 200 {
            assert_eq!(body(&response), json!({"status_code": code}));
        }
    }
}

#[tokio::test]
async fn an_unknown_file_and_an_unknown_address_are_told_apart() {
    let devnet = network().await;
    for target in ["/file/1234", "/file/1234/info", "/files/9"] {
        let response = call(&devnet, "GET", target, &[], None).await;
        assert_eq!((response.code, body(&response)), (404, json!({"status_code": 404})));
    }
    assert_eq!(call(&devnet, "POST", "/file/1234/extend", &[], None).await.code, 404);
    for (method, target) in [("GET", "/nothing"), ("DELETE", "/file/1"), ("GET", "/")] {
        let response = call(&devnet, method, target, &[], None).await;
        assert_eq!(response.code, 404);
        assert!(response.header("content-type").unwrap().starts_with("text/html"));
    }
    let response = call(&devnet, "GET", "file/1", &[], None).await;
    assert_eq!((response.code, &response.body[..]), (400, &b"Invalid v4 onion request"[..]));
}

#[tokio::test]
async fn what_the_server_cannot_open_comes_back_as_a_page() {
    let devnet = network().await;
    let (answer, _) = send(&devnet, b"not a v4 request", EncType::XChaCha20).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("<html"));
}

#[tokio::test]
async fn the_old_forms_still_work() {
    let devnet = network().await;
    let upload = call(&devnet, "POST", "/files", &[], Some(br#"{"file":"aGVsbG8="}"#)).await;
    let id = &body(&upload)["result"];
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let file = body(&call(&devnet, "GET", &format!("/files/{id}"), &[], None).await);
    assert_eq!(file, json!({"status_code": 200, "result": "aGVsbG8="}));
}

#[tokio::test]
async fn the_open_source_server_is_simpler() {
    let devnet = DevnetBuilder::new().file_server(FileServerKind::OpenSource).start().await.unwrap();
    let reply = body(&call(&devnet, "POST", "/file", &[], Some(b"x")).await);
    assert_eq!(reply.as_object().unwrap().len(), 1);
    let id = reply["id"].as_str().unwrap();
    assert!(id.parse::<u64>().is_ok());
    let extend = call(&devnet, "POST", &format!("/file/{id}/extend"), &[], None).await;
    assert_eq!(extend.code, 404);
    assert!(extend.header("content-type").unwrap().starts_with("text/html"));
    assert_eq!(call(&devnet, "POST", "/file", &[], Some(&vec![1; 6_000_001])).await.code, 413);
}

#[tokio::test]
async fn the_version_is_for_those_who_sign_or_do_not() {
    let devnet = network().await;
    let target = "/session_version?platform=desktop";
    assert_eq!(body(&call(&devnet, "GET", target, &[], None).await)["status_code"], 200);
    assert_eq!(call(&devnet, "GET", "/session_version?platform=toaster", &[], None).await.code, 404);

    let seed = blake2b::<32>(b"VersionCheckKey_sig", &[&[7; 32]]);
    let key = Ed25519Secret::from_seed(seed);
    let pubkey = format!("07{}", key.public());
    let ask = async |seconds: u64, text: &str| {
        let signature = data_encoding::BASE64.encode(&key.sign(text.as_bytes()));
        let time = seconds.to_string();
        let headers =
            [("X-FS-Pubkey", &*pubkey), ("X-FS-Timestamp", &*time), ("X-FS-Signature", &*signature)];
        call(&devnet, "GET", target, &headers, None).await.code
    };
    let now = devnet.now() / 1000;
    assert_eq!(ask(now, &format!("{now}GET{target}")).await, 200);
    assert_eq!(ask(now, "something else").await, 401);
    let old = now - 90_000;
    assert_eq!(ask(old, &format!("{old}GET{target}")).await, 425);
    assert_eq!(call(&devnet, "GET", target, &[("X-FS-Pubkey", &*pubkey)], None).await.code, 400);
}

#[tokio::test]
async fn the_server_can_be_broken_in_every_way() {
    let devnet = network().await;
    let id = upload(&devnet, b"0123456789").await;
    let get = async || call(&devnet, "GET", &format!("/file/{id}"), &[], None).await;
    devnet.set_file_fault(FileFault::WrongBytes);
    let wrong = get().await;
    assert_eq!(wrong.body.len(), 10);
    assert_ne!(&wrong.body[..], b"0123456789");
    devnet.clear_file_faults();
    devnet.set_file_fault(FileFault::Truncated);
    assert_eq!(&get().await.body[..], b"01234");
    devnet.clear_file_faults();
    devnet.set_file_fault(FileFault::NotFound);
    assert_eq!(get().await.code, 404);
    devnet.clear_file_faults();
    devnet.set_file_fault(FileFault::TooLarge);
    assert_eq!(call(&devnet, "POST", "/file", &[], Some(b"x")).await.code, 413);
    devnet.clear_file_faults();
    devnet.set_file_fault(FileFault::Broken);
    assert_eq!(get().await.code, 500);
    devnet.clear_file_faults();
    devnet.set_file_fault(FileFault::Slow(Duration::from_millis(150)));
    let started = Instant::now();
    assert_eq!(&get().await.body[..], b"0123456789");
    assert!(started.elapsed() >= Duration::from_millis(150));
    devnet.clear_file_faults();

    let payload = v4::request("GET", &format!("/file/{id}"), &[], None);
    devnet.set_file_fault(FileFault::BadGateway);
    let (answer, _) = send(&devnet, &payload, EncType::AesGcm).await;
    assert_eq!(answer.status, 502);
    assert!(answer.text().contains("502 Bad Gateway"));
    devnet.clear_file_faults();
    devnet.set_file_fault(FileFault::Dead);
    let (answer, _) = send(&devnet, &payload, EncType::AesGcm).await;
    assert_eq!(answer.status, 502);
    assert!(answer.text().starts_with("Failed to connect to 127.0.0.1 port"), "{}", answer.text());
    devnet.clear_file_faults();
    assert_eq!(&get().await.body[..], b"0123456789");
}

#[tokio::test]
async fn a_server_that_thinks_too_long_is_given_up() {
    let devnet = DevnetBuilder::new().proxy_patience(Duration::from_millis(100)).start().await.unwrap();
    devnet.set_file_fault(FileFault::Slow(Duration::from_secs(60)));
    let payload = v4::request("GET", "/file/1", &[], None);
    let (answer, _) = send(&devnet, &payload, EncType::AesGcm).await;
    assert_eq!((answer.status, answer.text()), (504, "Connection timed out after 100 milliseconds"));
}

#[tokio::test]
async fn uploads_are_refused_with_a_status_and_downloads_go_on() {
    let devnet = network().await;
    let id = upload(&devnet, b"there before").await;
    for status in [400, 403, 413, 500, 503] {
        devnet.set_file_fault(FileFault::RefusesUploads(status));
        assert_eq!(call(&devnet, "POST", "/file", &[], Some(b"new")).await.code, status);
        let got = call(&devnet, "GET", &format!("/file/{id}"), &[], None).await;
        assert_eq!((got.code, &got.body[..]), (200, &b"there before"[..]));
    }
    devnet.clear_file_faults();
    upload(&devnet, b"new").await;
}
