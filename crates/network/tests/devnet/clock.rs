//! The network's time, and what happens when ours is off.

use septet_devnet::{Devnet, Fault};

use crate::world::World;

const HOUR: i64 = 3_600_000;
/// How far off nodes tolerate a clock, in ms. On a busy machine ours is wrong by half of what an answer takes.
const TOLERATED: i64 = 60_000;

/// Our idea of the network's time, less the network's own, in ms.
fn difference(world: &World) -> i64 {
    world.network.now().as_ms().cast_signed() - world.devnet.now().cast_signed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_is_put_right_before_the_first_request() {
    let devnet = Devnet::start().await.unwrap();
    devnet.set_clock_offset(HOUR);
    let folder = tempfile::tempdir().unwrap();
    let network = crate::world::connect(&devnet, &folder);
    network.time_known().await;
    assert!((network.now().as_ms().cast_signed() - devnet.now().cast_signed()).abs() < TOLERATED);
    assert_eq!(devnet.requests().get("retrieve"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_refused_for_its_time_is_signed_again() {
    let world = World::new().await;
    world.store(b"x").await.unwrap();
    for offset in [HOUR, -HOUR] {
        world.devnet.set_clock_offset(offset);
        world.devnet.reset_requests();
        assert_eq!(world.messages().await.len(), 1);
        assert!(difference(&world).abs() < TOLERATED);
        assert_eq!(world.devnet.requests().get("retrieve"), Some(&2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_with_a_wrong_clock_does_not_mislead_us() {
    let world = World::new().await;
    world.store(b"x").await.unwrap();
    let member = world.devnet.swarm_of(&world.account())[0].clone();
    member.set_fault(Fault::ClockSkew(HOUR));
    for _ in 0..10 {
        assert_eq!(world.messages().await.len(), 1);
    }
    assert!(difference(&world).abs() < TOLERATED);
}
