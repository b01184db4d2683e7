//! What must hold in every history: ten thousand random ones for each property.

use std::time::Duration;

use proptest::prelude::*;

use super::play::{Manner, Play, node, settings};
use crate::policy::{Saved, Source};

const CASES: u32 = 10_000;

fn dice(seed: u64) -> fastrand::Rng {
    fastrand::Rng::with_seed(seed ^ 0x5eed)
}

/// A short time mostly, sometimes a long one.
fn some_time(dice: &mut fastrand::Rng) -> Duration {
    Duration::from_millis(match dice.u8(0..10) {
        0..=5 => dice.u64(1..1_000),
        6..=8 => dice.u64(1_000..30_000),
        _ => dice.u64(30_000..1_200_000),
    })
}

/// One thing that can happen in an honest network with nodes that come and go, and a line that does.
fn anything(play: &mut Play, dice: &mut fastrand::Rng) {
    match dice.u8(0..20) {
        0..=7 => play.do_job(dice.usize(0..8)),
        8..=11 => play.request(),
        12..=14 => play.wait(some_time(dice)),
        15 => play.line = !play.line || dice.u8(0..3) > 0,
        16 => {
            let some = play.network[dice.usize(0..play.network.len())];
            let gone = play.manner(&some) == Manner::Gone;
            play.behave(some, if gone { Manner::Well } else { Manner::Gone });
        }
        17 => {
            play.policy.line_changed();
            play.tick();
        }
        18 => play.seeds = !play.seeds,
        _ => play.live(Duration::from_secs(2)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens: paths are disjoint and tested, no kept guard is a hop, no guard is given up without the
    /// evidence, the policy never spins and never piles up orders. `Play` asserts all that at every step.
    #[test]
    fn the_rules_hold_in_every_history(seed: u64) {
        let mut dice = dice(seed);
        let nodes = dice.choice([4, 5, 6, 7, 12, 21]).unwrap();
        let guards: &[u8] = dice.choice([&[][..], &[0], &[0, 1]]).unwrap();
        let mut play = Play::new(seed, nodes, guards);
        for _ in 0..25 {
            anything(&mut play, &mut dice);
        }
    }

    /// However often and however long the line is gone, and whatever is tried meanwhile: the guards stay, and are used
    /// again when it is back.
    #[test]
    fn a_lost_line_never_costs_a_guard(seed: u64) {
        let mut dice = dice(seed);
        let mut play = Play::new(seed, 21, &[3, 4]);
        play.live(Duration::from_secs(1));
        for _ in 0..3 {
            play.line = false;
            for _ in 0..4 {
                match dice.u8(0..3) {
                    0 => play.request(),
                    1 => play.live(some_time(&mut dice) / 20),
                    _ => play.do_job(dice.usize(0..4)),
                }
            }
            play.line = true;
            play.request();
            play.live(Duration::from_secs(150));
        }
        let kept = [node(3).ed25519, node(4).ed25519];
        prop_assert!(play.guards().into_iter().eq(std::collections::BTreeSet::from(kept)));
    }

    /// Complaints about others, as many as liars like, cost nobody a place in the list, and no honest guard.
    #[test]
    fn liars_on_the_way_evict_nobody(seed: u64) {
        let mut dice = dice(seed);
        let mut play = Play::new(seed, 21, &[0, 1]);
        for _ in 0..3 {
            play.behave(node(dice.u8(2..21)), Manner::Complains);
        }
        for _ in 0..20 {
            match dice.u8(0..4) {
                0 => play.request(),
                1 => play.wait(some_time(&mut dice)),
                _ => play.do_job(dice.usize(0..4)),
            }
        }
        prop_assert_eq!(play.policy.pool.nodes().len(), 21);
        prop_assert!(play.policy.guards.is_kept(&node(0).ed25519) && play.policy.guards.is_kept(&node(1).ed25519));
    }

    /// From whatever state, once the network is honest and there, there are soon two paths again.
    #[test]
    fn it_recovers_from_everything(seed: u64) {
        let mut dice = dice(seed);
        let mut play = Play::new(seed, 12, &[0, 1]);
        for _ in 0..12 {
            anything(&mut play, &mut dice);
        }
        play.manners.clear();
        (play.line, play.seeds) = (true, true);
        play.live(Duration::from_secs(200));
        prop_assert_eq!(play.open.len(), 2, "jobs {:?}", play.jobs);
    }

    /// A good list is never replaced by one that is too small, nor by nodes' word alone with one that loses more than a
    /// third of it.
    #[test]
    fn a_good_list_is_hard_to_take_away(seed: u64) {
        let mut dice = dice(seed);
        let network: Vec<_> = (0..24).map(node).collect();
        let saved = Saved { nodes: Some((network.clone(), Duration::ZERO)), ..Saved::default() };
        let mut play = Play::with(seed, network, saved, settings(12));
        for _ in 0..6 {
            let before = play.policy.pool.nodes().to_vec();
            let list: Vec<_> = (0..60).map(node).filter(|_| dice.u8(0..4) > 1).collect();
            let source = dice.choice([Source::Nodes, Source::Seeds, Source::Bootstrap]).unwrap();
            play.listed(source, Some(list.clone()));
            play.tick();
            let after = play.policy.pool.nodes();
            if after != before {
                let lost = before.iter().filter(|node| !list.contains(node)).count();
                prop_assert!(list.len() >= 12);
                prop_assert!(source == Source::Seeds || 3 * lost <= before.len());
            }
        }
    }
}
