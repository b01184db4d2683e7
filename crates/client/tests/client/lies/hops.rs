//! Lies of a node that requests pass through.

use std::time::Duration;

use septet_devnet::{Fault, HopLie, Lie, RetrieveLie, StoreLie};

use super::{Town, UNCOUNTED, together};

/// The node at this place of a path lies; 0 is the guard.
async fn hop_lies(place: usize, lies: impl IntoIterator<Item = (Fault, &'static str)>) {
    let scenario = |(lie, counted): (Fault, &'static str)| {
        let name = format!("{lie:?}");
        let play = async move { Town::new().await.with_hop(place).withstands(lie, counted).await };
        (name, play)
    };
    together(lies.into_iter().map(scenario)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hop_says_costs_its_path() {
    let lies = [HopLie::NotFound(None), HopLie::Unreachable(None), HopLie::Drops, HopLie::Garbles];
    hop_lies(1, lies.map(|lie| (lie.into(), "lie:hop"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_guard_says_costs_its_turn() {
    let lies = [HopLie::NotFound(None), HopLie::NotReady(None), HopLie::Drops, HopLie::Garbles];
    hop_lies(0, lies.map(|lie| (lie.into(), "lie:hop"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_drips_or_closes() {
    // What never gets in is not counted.
    hop_lies(0, [(Fault::Drip(Duration::from_secs(20)), "onion"), (Fault::Closes, UNCOUNTED)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_member_is_blamed() {
    let blamed = |place: usize| async move {
        let town = Town::new().await.with_hop(place);
        let honest = town.swarm().into_iter().find(|node| node.ed25519() != town.liar.ed25519()).unwrap();
        town.withstands(HopLie::Blames(honest.ed25519()), "lie:hop").await;
    };
    together([0, 1].map(|place| (format!("hop {place}"), blamed(place)))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_tells_every_lie_at_once() {
    let town = Town::new().await;
    for lie in [
        Lie::Hop(HopLie::Garbles),
        Lie::Retrieve(RetrieveLie::OtherData),
        Lie::Retrieve(RetrieveLie::MoreForEver),
        Lie::Store(StoreLie::Unkept),
        Lie::Delete,
    ] {
        town.liar.set_fault(lie);
    }
    town.withstands(Lie::Time(-7_200_000), "lie:time").await;
}
