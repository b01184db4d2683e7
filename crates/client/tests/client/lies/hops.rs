//! Lies of a node that requests pass through.

use std::time::Duration;

use septet_devnet::{Fault, HopLie, Lie, RetrieveLie, StoreLie};

use super::{Town, UNCOUNTED, together};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_or_done_on_the_way_costs_a_path() {
    let hop = [HopLie::NotFound(None), HopLie::Unreachable(None), HopLie::Drops, HopLie::Garbles];
    let guard = [HopLie::NotFound(None), HopLie::NotReady(None), HopLie::Drops, HopLie::Garbles];
    let said = hop.map(|lie| (1, lie)).into_iter().chain(guard.map(|lie| (0, lie)));
    let done = [
        (0, Fault::Drip(Duration::from_secs(20)), "onion"),
        // What never gets in is not counted.
        (0, Fault::Closes, UNCOUNTED),
    ];
    let all = said.map(|(place, lie)| (place, lie.into(), "lie:hop")).chain(done);
    let scenario = |(place, lie, counted): (usize, Fault, &'static str)| {
        let play = |lie| async move { Town::new().await.with_hop(place).withstands(lie, counted).await };
        (format!("{lie:?} of hop {place}"), play(lie))
    };
    together(all.map(scenario)).await;
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
