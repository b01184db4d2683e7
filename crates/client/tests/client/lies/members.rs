//! Lies about who keeps what.

use septet_devnet::{Fault, Lie, NodeHandle, NodeInfo};

use super::Town;

/// Nodes of another swarm.
fn strangers(town: &Town) -> Vec<NodeHandle> {
    let others = |node: &&NodeHandle| node.swarm() != town.liar.swarm();
    town.world.net.nodes().iter().filter(others).take(3).cloned().collect()
}

fn infos(nodes: &[NodeHandle]) -> Vec<NodeInfo> {
    nodes.iter().map(|node| node.info().clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn colluders_are_named() {
    let town = Town::new().await;
    let colluders = strangers(&town);
    colluders.iter().for_each(|node| node.set_fault(Lie::Colludes));
    let lie = Lie::Misdirects(infos(&colluders));
    town.withstands(lie, "lie:swarm").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_named() {
    Town::new().await.withstands(Lie::Misdirects(Vec::new()), "lie:swarm").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invented_nodes_are_named() {
    let invented = (0..7).map(|_| NodeInfo::invented()).collect();
    Town::new().await.withstands(Lie::Misdirects(invented), "lie:swarm").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_names_itself_alone() {
    let town = Town::new().await;
    let lie = Lie::Misdirects(vec![town.liar.info().clone()]);
    town.withstands(lie, "lie:swarm").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_says_it_has_left() {
    Town::new().await.withstands(Fault::LeftSwarmSilently, "store").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_keeps_nothing_and_proves_everything() {
    Town::new().await.withstands(Lie::Colludes, "lie:colludes").await;
}
