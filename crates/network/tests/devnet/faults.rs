//! Nodes and networks that fail.

use std::time::Duration;

use septet_devnet::{Devnet, Fault, NodeHandle};
use septet_network::{Connection, NetworkError};
use septet_protocol::id::{Ed25519Public, Namespace};
use septet_protocol::swarm::Member;
use septet_protocol::swarm::request::Retrieve;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_guard_is_replaced() {
    // It may be a member of the account's swarm too; then each store waits for it.
    let world = World::with(Devnet::builder().member_patience(Duration::from_millis(300))).await;
    let guard = world.guards()[0].clone();
    guard.set_fault(Fault::Dead);
    for n in 0..20 {
        world.store(&[n]).await.unwrap();
    }
    let without = |status: &septet_network::NetworkStatus| {
        status.paths.len() == 2 && !status.paths.iter().any(|path| path[0].ed25519 == guard.ed25519())
    };
    world.network.status().wait_for(without).await.unwrap();
    assert_eq!(world.messages().await.len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_hop_is_gone_around_and_costs_no_guard() {
    let mut world = World::new().await;
    let guards = world.guards().iter().map(NodeHandle::ed25519).collect();
    let frozen = world.path(0)[1].clone();
    world.move_away_from(&frozen);
    frozen.set_fault(Fault::Frozen);
    // What runs into the frozen node goes another way when the path is given up.
    for n in 0..6 {
        world.store(&[n]).await.unwrap();
    }
    let without = |status: &septet_network::NetworkStatus| {
        let hops: Vec<_> = status.paths.iter().flatten().collect();
        hops.len() == 6 && !hops.iter().any(|hop| hop.ed25519 == frozen.ed25519())
    };
    world.network.status().wait_for(without).await.unwrap();
    world.until_guards(&guards).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_thinks_for_long_has_the_path_tested_and_costs_it_nothing() {
    let mut world = World::new().await;
    let [slow, _] = world.two_members_off_our_paths();
    let paths = world.network.paths();
    // Longer than a path is trusted in silence, shorter than a member may think.
    slow.set_fault(Fault::Slow(Duration::from_secs(5)));
    world.devnet.reset_requests();
    let retrieve = Retrieve { namespace: Namespace::MESSAGES, last_hash: None, max_size: None };
    let build = |_: &Ed25519Public, now| retrieve.rpc(&world.auth(), now);
    let reply = world.network.swarm_request_at(&world.account(), Some(slow.ed25519()), build).await.unwrap();
    assert_eq!(reply.node, slow.ed25519());
    let requests = world.devnet.requests();
    assert_eq!(requests.get("retrieve"), Some(&1));
    assert!(requests.get("info").is_some_and(|tests| *tests >= 1), "{requests:?}");
    assert_eq!(world.network.paths(), paths);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_guard_is_replaced() {
    let mut world = World::new().await;
    let guard = world.guards()[0].clone();
    world.move_away_from(&guard);
    guard.set_fault(Fault::Frozen);
    let mut status = world.network.status();
    let without = |status: &septet_network::NetworkStatus| {
        status.paths.len() == 2 && !status.paths.iter().any(|path| path[0].ed25519 == guard.ed25519())
    };
    // A request goes over either path; only one that needs the frozen guard finds out.
    let found_out = async {
        for n in 0_u8.. {
            world.store(&[n]).await.unwrap();
            if !status.borrow_and_update().paths.iter().any(|path| path[0].ed25519 == guard.ed25519()) {
                break;
            }
        }
        status.wait_for(without).await.map(drop).unwrap();
    };
    tokio::time::timeout(Duration::from_secs(60), found_out).await.expect("the guard is replaced in time");
    world.store(b"through another").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn hops_that_say_what_is_wrong_are_replaced() {
    for fault in [Fault::KnowsNobody, Fault::NotReady, Fault::Busy, Fault::Garbage, Fault::Truncated] {
        let mut world = World::new().await;
        let hop = world.path(0)[1].clone();
        world.move_away_from(&hop);
        hop.set_fault(fault.clone());
        for n in 0..8 {
            let stored = world.store(&[n]).await;
            assert!(stored.is_ok(), "{fault:?}: {stored:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_left_the_swarm_sends_us_on() {
    for fault in [Fault::LeftSwarm, Fault::LeftSwarmSilently] {
        let world = World::new().await;
        let swarm = world.devnet.swarm_of(&world.account());
        let left: Vec<_> = swarm[..3].to_vec();
        left.iter().for_each(|node| node.set_fault(fault.clone()));
        for n in 0..15 {
            world.store(&[n]).await.unwrap();
        }
        let node = world.retrieve().await.unwrap().node;
        assert!(!left.iter().any(|member| member.ed25519() == node), "{fault:?}");
        assert_eq!(world.messages().await.len(), 15);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_signatures_count_for_nothing() {
    let world = World::new().await;
    let swarm = world.devnet.swarm_of(&world.account());
    swarm[..5].iter().for_each(|node| node.set_fault(Fault::WrongSignature));
    let reply = world.store(b"two are enough").await.unwrap();
    assert_eq!(reply.members.done().count(), 2);
    let unproven = reply.members.iter().filter(|(_, member)| **member == Member::Unproven).count();
    assert_eq!(unproven, 5);
    swarm[5].set_fault(Fault::WrongSignature);
    let error = world.store(b"one may vouch for itself").await.unwrap_err();
    assert!(matches!(error, NetworkError::BadReply(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_talk_nonsense_or_fail_are_passed_over() {
    for fault in [Fault::Nonsense, Fault::Answers(500, "oops".into()), Fault::Answers(503, "ill".into())] {
        let world = World::new().await;
        let swarm = world.devnet.swarm_of(&world.account());
        world.store(b"x").await.unwrap();
        swarm[..2].iter().for_each(|node| node.set_fault(fault.clone()));
        for _ in 0..10 {
            assert_eq!(world.messages().await.len(), 1, "{fault:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_dead_members_do_not_stop_the_swarm() {
    let mut world = World::with(Devnet::builder().member_patience(Duration::from_millis(300))).await;
    // Members only: as hops they would cost tries as well, and there are three.
    world.two_members_off_our_paths().iter().for_each(|node| node.set_fault(Fault::Dead));
    for n in 0..5 {
        let reply = world.store(&[n]).await.unwrap();
        assert_eq!(reply.members.done().count(), 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_goes_and_comes_back_costs_no_guard() {
    let world = World::new().await;
    let guards = world.guards().iter().map(NodeHandle::ed25519).collect();
    world.devnet.network_down(true);
    // A connection that was still open may have taken some of it.
    let lost = world.store(b"lost").await.unwrap_err();
    assert!(matches!(lost, NetworkError::Offline | NetworkError::Timeout), "{lost}");
    world.until(Connection::Offline).await;
    let out = world.devnet.requests().get("store").copied();
    for _ in 0..3 {
        assert_eq!(world.network.reach(&world.account()).await, Err(NetworkError::Offline));
        assert_eq!(world.store(b"lost").await.unwrap_err(), NetworkError::Offline);
    }
    assert_eq!(world.devnet.requests().get("store").copied(), out, "nothing more was out");

    world.devnet.network_down(false);
    world.until_paths(2).await;
    world.network.reach(&world.account()).await.unwrap();
    world.store(b"found").await.unwrap();
    world.until_guards(&guards).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_starts_offline_connects_when_there_is_a_network() {
    let devnet = Devnet::start().await.unwrap();
    devnet.network_down(true);
    let folder = tempfile::tempdir().unwrap();
    let network = crate::world::connect(&devnet, &folder);
    network.status().wait_for(|status| status.connection == Connection::Offline).await.unwrap();
    devnet.network_down(false);
    let connected = network.status();
    let mut connected = connected;
    let connected = connected.wait_for(|status| status.connection == Connection::Connected);
    tokio::time::timeout(Duration::from_secs(20), connected).await.expect("in time").unwrap();
}
