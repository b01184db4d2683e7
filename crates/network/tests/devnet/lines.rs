//! Slow lines with deep buffers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use septet_devnet::{Devnet, Fault, Line};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::world::World;

/// A line of 256 kbit/s each way, with a tenth of a second to the other end and eight seconds of buffer.
const LINE: Line = Line { up: 32_000, down: 32_000, delay: Duration::from_millis(100), buffer: 8 * 32_000 };

#[tokio::test(flavor = "multi_thread")]
async fn a_text_written_during_an_upload_does_not_wait_for_it_and_the_upload_never_begins_anew() {
    let world = World::new().await;
    // Whose swarm is looked up before the line is slow.
    world.store(b"before").await.unwrap();
    world.devnet.set_line(Some(LINE));
    let reports = Arc::new(Mutex::new(Vec::new()));
    let (told, half, over) = (reports.clone(), Arc::new(Notify::new()), AtomicBool::new(false));
    let at_half = half.clone();
    let progress = move |done, total| {
        told.lock().unwrap().push(done);
        if done >= total / 2 {
            at_half.notify_one();
        }
    };
    let upload = async {
        // More than the line's buffer and ours would swallow.
        let file = world.network.upload(vec![7; 600_000], progress, CancellationToken::new()).await;
        over.store(true, Ordering::SeqCst);
        file
    };
    let text = async {
        half.notified().await;
        world.store(b"meanwhile").await.unwrap();
        assert!(!over.load(Ordering::SeqCst), "the text has waited for the whole file");
    };
    let (file, ()) = tokio::join!(upload, text);
    assert!(reports.lock().unwrap().is_sorted());
    world.devnet.set_line(None);
    let bytes = world.network.download(&file.unwrap().url, |_, _| {}, CancellationToken::new()).await;
    assert!(bytes.unwrap() == vec![7; 600_000]);
    let mut kept: Vec<_> = world.messages().await.into_iter().map(|message| message.data).collect();
    kept.sort();
    assert_eq!(kept, [b"before".to_vec(), b"meanwhile".to_vec()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_on_a_slow_line_never_begins_anew() {
    let world = World::new().await;
    let content: Vec<u8> = (0..500_000).map(|n| (n % 251) as u8).collect();
    let file = world.network.upload(content.clone(), |_, _| {}, CancellationToken::new()).await.unwrap();
    world.devnet.set_line(Some(LINE));
    world.devnet.reset_requests();
    let bytes = world.network.download(&file.url, |_, _| {}, CancellationToken::new()).await;
    assert!(bytes.unwrap() == content);
    assert_eq!(world.devnet.requests().get("proxy"), Some(&1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_written_during_a_download_does_not_wait_for_it_and_costs_no_path_its_place() {
    let world = World::new().await;
    world.store(b"before").await.unwrap();
    let file = world.network.upload(vec![7; 500_000], |_, _| {}, CancellationToken::new()).await.unwrap();
    let paths = world.network.paths();
    // One second of buffer: what comes down is not ours to hold back, and every reply waits behind it.
    world.devnet.set_line(Some(Line { buffer: 32_000, ..LINE }));
    world.devnet.reset_requests();
    let (begun, over) = (Arc::new(Notify::new()), AtomicBool::new(false));
    let has_begun = begun.clone();
    let download = async {
        let progress = move |_, _| has_begun.notify_one();
        let bytes = world.network.download(&file.url, progress, CancellationToken::new()).await;
        over.store(true, Ordering::SeqCst);
        bytes
    };
    let text = async {
        begun.notified().await;
        world.store(b"meanwhile").await.unwrap();
        assert!(!over.load(Ordering::SeqCst), "the text has waited for the whole file");
    };
    let (bytes, ()) = tokio::join!(download, text);
    assert!(bytes.unwrap() == vec![7; 500_000]);
    assert_eq!(world.devnet.requests().get("proxy"), Some(&1));
    assert_eq!(world.network.paths(), paths);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_upload_says_so_and_goes_on_by_itself() {
    let world = World::new().await;
    world.devnet.set_line(Some(LINE));
    let reports = Arc::new(Mutex::new(Vec::new()));
    let (told, half) = (reports.clone(), Arc::new(Notify::new()));
    let at_half = half.clone();
    let progress = move |done, total| {
        told.lock().unwrap().push(done);
        if done >= total / 2 {
            at_half.notify_one();
        }
    };
    let upload = world.network.upload(vec![7; 300_000], progress, CancellationToken::new());
    let cut = async {
        half.notified().await;
        // Every connection breaks; new ones can be made at once.
        world.devnet.network_down(true);
        world.devnet.network_down(false);
        world.devnet.set_line(None);
    };
    let (file, ()) = tokio::join!(upload, cut);
    let reports = reports.lock().unwrap().clone();
    assert!(!reports.is_sorted() && reports.last() == Some(&300_000), "{reports:?}");
    let bytes = world.network.download(&file.unwrap().url, |_, _| {}, CancellationToken::new()).await;
    assert!(bytes.unwrap() == vec![7; 300_000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_nodes_have_closed_cost_no_path_its_place() {
    // So soon that nearly every request finds the kept connection closed.
    let at_once = Duration::from_millis(1)..=Duration::from_millis(1);
    let world = World::with(Devnet::builder().idle_close(Some(at_once))).await;
    let paths = world.network.paths();
    for n in 0..30 {
        world.store(&[n]).await.unwrap();
    }
    assert_eq!(world.messages().await.len(), 30);
    assert_eq!(world.network.paths(), paths);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_that_only_drips_is_gone_around() {
    let world = World::new().await;
    let guard = world.guards()[0].clone();
    guard.set_fault(Fault::Drip(Duration::from_secs(1)));
    let stores = (0..6).map(|n| {
        let world = &world;
        async move { world.store(&[n]).await }
    });
    for stored in futures_util::future::join_all(stores).await {
        stored.unwrap();
    }
}
