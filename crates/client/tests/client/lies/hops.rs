//! Lies of a node that requests pass through.

use std::time::Duration;

use septet_devnet::{Fault, HopLie, Lie, RetrieveLie, StoreLie};

use super::Town;

/// The node in the middle of a path lies, then a guard.
async fn a_hop_lies(lie: HopLie) {
    Town::new().await.with_hop(1).withstands(lie, "lie:hop").await;
}

async fn a_guard_lies(lie: HopLie) {
    Town::new().await.with_hop(0).withstands(lie, "lie:hop").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hop_finds_nobody() {
    a_hop_lies(HopLie::NotFound(None)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_finds_nobody() {
    a_guard_lies(HopLie::NotFound(None)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hop_reaches_nobody() {
    a_hop_lies(HopLie::Unreachable(None)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_says_nobody_is_ready() {
    a_guard_lies(HopLie::NotReady(None)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hop_blames_an_honest_member() {
    let town = Town::new().await.with_hop(1);
    let member = town.swarm().into_iter().find(|node| node.ed25519() != town.liar.ed25519()).unwrap();
    town.withstands(HopLie::Blames(member.ed25519()), "lie:hop").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_blames_an_honest_member() {
    let town = Town::new().await.with_hop(0);
    let member = town.swarm().into_iter().find(|node| node.ed25519() != town.liar.ed25519()).unwrap();
    town.withstands(HopLie::Blames(member.ed25519()), "lie:hop").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hop_drops_everything() {
    a_hop_lies(HopLie::Drops).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_drops_everything() {
    a_guard_lies(HopLie::Drops).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hop_gives_garbage_back() {
    a_hop_lies(HopLie::Garbles).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_gives_garbage_back() {
    a_guard_lies(HopLie::Garbles).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_gives_one_byte_in_twenty_seconds() {
    let town = Town::new().await.with_hop(0);
    town.withstands(Fault::Drip(Duration::from_secs(20)), "onion").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_closes_every_connection() {
    let town = Town::new().await.with_hop(0);
    // What never gets in is not counted.
    town.withstands(Fault::Closes, super::UNCOUNTED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_tells_every_lie_at_once() {
    let mut town = Town::new().await;
    for lie in [
        Lie::Hop(HopLie::Garbles),
        Lie::Time(-7_200_000),
        Lie::Retrieve(RetrieveLie::OtherData),
        Lie::Retrieve(RetrieveLie::MoreForEver),
        Lie::Store(StoreLie::Unkept),
        Lie::Delete,
    ] {
        town.liar.set_fault(lie);
    }
    let everything = town.liar.clone();
    town.lives_through("lie:time").await;
    everything.clear_faults();
    town.nothing_is_missing().await;
}
