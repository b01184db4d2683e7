//! Lies about the nodes of the network, told by the only seed to a device that starts for the first time. (What agreement
//! of several nodes brings is tested in `crates/network`.)

use septet_client::model::ConnectionState;
use septet_devnet::{Lie, ListLie, NodeInfo, SeedFault};

use super::{Town, together};
use crate::world::World;

/// Nobody gets anywhere as long as the seed lies, and everybody once it is honest.
async fn the_seed_lies(lie: ListLie) {
    let world = World::new().await;
    world.net.set_seed_fault(SeedFault::Lies(lie));
    let carol = world.person("Carol").await;
    world.until_seed_asked(1).await;
    assert_ne!(carol.client.connection().state, ConnectionState::Connected);
    world.net.clear_seed_faults();
    carol.says(&carol, "the seed is honest again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_seed_lies_to_a_first_start() {
    let lies = [ListLie::PoisonKeys, ListLie::WrongPorts, ListLie::Short(3)];
    together(lies.map(|lie| (format!("{lie:?}"), the_seed_lies(lie)))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_says_who_is_in_which_swarm() {
    let world = World::new().await;
    world.net.set_seed_fault(SeedFault::Lies(ListLie::NoSwarms));
    let town = Town::of(world).await;
    let invented = (0..7).map(|_| NodeInfo::invented()).collect();
    town.withstands(Lie::Misdirects(invented), "lie:swarm").await;
}
