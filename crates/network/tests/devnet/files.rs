//! Files through onion paths.

use std::sync::{Arc, Mutex};

use septet_devnet::FileFault;
use septet_network::{NetworkError, UploadedFile};
use tokio_util::sync::CancellationToken;

use crate::world::World;

type Reports = Arc<Mutex<Vec<(u64, u64)>>>;

/// What progress was told.
fn listen() -> (Reports, impl Fn(u64, u64) + Send + Sync + 'static) {
    let reports = Reports::default();
    let told = reports.clone();
    (reports, move |done, total| told.lock().unwrap().push((done, total)))
}

async fn upload(world: &World, bytes: &[u8]) -> Result<UploadedFile, NetworkError> {
    world.network.upload(bytes.to_vec(), |_, _| {}, CancellationToken::new()).await
}

async fn download(world: &World, file: &UploadedFile) -> Result<Vec<u8>, NetworkError> {
    world.network.download(&file.url, |_, _| {}, CancellationToken::new()).await
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n % 251) as u8).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_every_size_come_back_as_they_were() {
    let world = World::new().await;
    for size in [1, 100_000, 10_000_000] {
        let (sent, progress) = listen();
        let file = world.network.upload(content(size), progress, CancellationToken::new()).await.unwrap();
        assert!(file.expires.since(world.network.now()) > 13 * 24 * 3600 * 1000);
        let (received, progress) = listen();
        let bytes = world.network.download(&file.url, progress, CancellationToken::new()).await.unwrap();
        assert!(bytes == content(size));
        let (sent, received) = (sent.lock().unwrap(), received.lock().unwrap());
        assert_eq!(sent.last(), Some(&(size as u64, size as u64)));
        assert!(sent.is_sorted() && received.is_sorted());
        let (done, total) = *received.last().unwrap();
        assert!(done == total && done >= size as u64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_and_gone_are_final() {
    let world = World::new().await;
    let file = upload(&world, b"x").await.unwrap();
    assert_eq!(upload(&world, &content(10_300_000)).await, Err(NetworkError::FileTooLarge));
    world.devnet.set_file_fault(FileFault::NotFound);
    world.devnet.reset_requests();
    assert_eq!(download(&world, &file).await, Err(NetworkError::FileGone));
    assert_eq!(world.devnet.requests().get("proxy"), Some(&1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_trouble_costs_no_path_its_place() {
    let world = World::new().await;
    let paths = world.network.paths();
    for fault in [FileFault::Broken, FileFault::BadGateway, FileFault::Dead] {
        world.devnet.set_file_fault(fault);
        world.devnet.reset_requests();
        assert_eq!(upload(&world, b"x").await, Err(NetworkError::Failed));
        assert_eq!(world.devnet.requests().get("proxy"), Some(&3));
        world.devnet.clear_file_faults();
    }
    assert!(upload(&world, b"x").await.is_ok());
    assert_eq!(world.network.paths(), paths);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_can_be_cancelled() {
    let world = World::new().await;
    world.devnet.set_file_fault(FileFault::Slow(std::time::Duration::from_secs(3600)));
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    // As soon as anything has gone out.
    let progress = move |done, _| {
        if done > 0 {
            stop.cancel();
        }
    };
    assert_eq!(
        world.network.upload(content(1_000_000), progress, cancel).await,
        Err(NetworkError::Cancelled)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_another_server_is_fetched_by_either_reading_of_its_key() {
    let (home, abroad) = (World::new().await, World::new().await);
    let file = upload(&abroad, b"from abroad").await.unwrap();
    assert!(file.url.as_str().contains("#p="), "{}", file.url);
    assert_eq!(download(&home, &file).await.as_deref(), Ok(b"from abroad".as_slice()));
}
