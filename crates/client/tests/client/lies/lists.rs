//! Lies about the nodes of the network, told by the seed to a device that starts for the first time, and by a node that
//! nobody asks for its list. (What agreement of several nodes brings is tested in `crates/network`.)

use septet_client::model::ConnectionState;
use septet_devnet::{ListLie, SeedFault};

use super::Town;
use crate::world::World;

/// The only seed lies when Alice's next device and everybody else start for the first time; they do when it is honest.
async fn the_seed_lies(lie: ListLie) {
    let world = World::new().await;
    world.net.set_seed_fault(SeedFault::Lies(lie));
    let stranded = world.person("Carol").await;
    world.until_seed_asked(1).await;
    assert_ne!(stranded.client.connection().state, ConnectionState::Connected, "{lie:?}");
    world.net.clear_seed_faults();
    stranded.says(&stranded, "the seed is honest again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seed_gives_keys_of_its_own() {
    the_seed_lies(ListLie::PoisonKeys).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seed_gives_addresses_where_nobody_is() {
    the_seed_lies(ListLie::WrongPorts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seed_gives_three_nodes() {
    the_seed_lies(ListLie::Short(3)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_says_who_is_in_which_swarm() {
    let world = World::new().await;
    world.net.set_seed_fault(SeedFault::Lies(ListLie::NoSwarms));
    let town = Town::of(world).await;
    let invented = (0..7).map(|_| septet_devnet::NodeInfo::invented()).collect();
    town.withstands(septet_devnet::Lie::Misdirects(invented), "lie:swarm").await;
}
