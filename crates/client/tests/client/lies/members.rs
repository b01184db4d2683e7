//! Lies about who keeps what.

use septet_devnet::{Fault, Lie, NodeHandle, NodeInfo};

use super::{Town, member_lies};

#[tokio::test(flavor = "multi_thread")]
async fn colluders_are_not_followed() {
    let town = Town::new().await;
    let others = |node: &&NodeHandle| node.swarm() != town.liar.swarm();
    let colluders: Vec<NodeHandle> = town.world.net.nodes().iter().filter(others).take(3).cloned().collect();
    colluders.iter().for_each(|node| node.set_fault(Lie::Colludes));
    let lie = Lie::Misdirects(colluders.iter().map(|node| node.info().clone()).collect());
    town.withstands(lie, "lie:swarm").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_names_itself_alone() {
    let town = Town::new().await;
    let lie = Lie::Misdirects(vec![town.liar.info().clone()]);
    town.withstands(lie, "lie:swarm").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_names_nobody_or_serves_everybody() {
    let invented = (0..7).map(|_| NodeInfo::invented()).collect();
    member_lies([
        (Fault::from(Lie::Misdirects(Vec::new())), "lie:swarm"),
        (Lie::Misdirects(invented).into(), "lie:swarm"),
        (Fault::LeftSwarmSilently, "store"),
        (Lie::Colludes.into(), "lie:colludes"),
    ])
    .await;
}
