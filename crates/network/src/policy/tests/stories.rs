//! Single stories, told step by step.

use std::time::Duration;

use super::play::{Job, Manner, Play, node, settings};
use crate::policy::paths::{LATE, ROTATION};
use crate::policy::{Claim, Saved, Source, agreement};
use septet_protocol::id::{Account, SessionId, SwarmId};

const MINUTE: Duration = Duration::from_secs(60);

fn two_paths() -> Play {
    let mut play = Play::new(1, 21, &[0, 1]);
    play.settle();
    assert_eq!(play.open.len(), 2);
    play
}

#[test]
fn the_first_path_that_passes_is_used_at_once() {
    let mut play = Play::new(1, 21, &[0, 1]);
    assert_eq!(play.jobs.len(), 2);
    play.do_job(1);
    assert_eq!(play.open.len(), 1, "the other test is still under way");
}

#[test]
fn a_test_that_takes_long_is_overtaken() {
    let mut play = Play::new(1, 21, &[0, 1]);
    play.do_job(0);
    play.wait(LATE);
    assert_eq!(play.jobs.len(), 2, "another path is tried beside the slow one");
    play.do_job(1);
    assert_eq!(play.open.len(), 2);
    play.do_job(0);
    assert_eq!(
        play.guards(),
        [node(0).ed25519, node(1).ed25519].into(),
        "the kept guard has its place again"
    );
}

#[test]
fn a_reboot_of_a_minute_costs_no_guard() {
    let mut play = two_paths();
    play.behave(node(0), Manner::Gone);
    for _ in 0..20 {
        play.request();
        play.live(Duration::from_secs(3));
    }
    assert_eq!(play.open.len(), 2, "somebody stands in for it");
    play.behave(node(0), Manner::Well);
    play.live(2 * MINUTE);
    assert_eq!(play.guards(), [node(0).ed25519, node(1).ed25519].into());
}

#[test]
fn a_guard_that_is_gone_for_good_is_replaced_by_whoever_stood_in() {
    let mut play = two_paths();
    play.behave(node(0), Manner::Gone);
    for _ in 0..400 {
        play.request();
        play.live(Duration::from_secs(3));
    }
    let saved = play.saved.clone().unwrap();
    assert!(!saved.kept.contains(&node(0).ed25519) && saved.kept.len() == 2);
    assert_eq!(saved.former, [node(0).ed25519]);
    assert!(play.guards().into_iter().eq(std::collections::BTreeSet::from_iter(saved.kept)));
}

#[test]
fn a_guard_given_up_serves_again_if_there_are_too_few() {
    let mut play = Play::new(1, 4, &[0]);
    play.settle();
    play.behave(node(0), Manner::Gone);
    (1..4).for_each(|n| play.behave(node(n), Manner::Gone));
    play.live(20 * MINUTE);
    assert!(play.policy.guards.is_kept(&node(0).ed25519), "nobody answers: nobody is to blame");
    (0..4).for_each(|n| play.behave(node(n), Manner::Well));
    play.live(2 * MINUTE);
    assert_eq!(play.guards(), [node(0).ed25519].into());
}

#[test]
fn a_guard_whose_paths_keep_dying_is_replaced() {
    let mut play = two_paths();
    for _ in 0..40 {
        play.request();
    }
    play.behave(node(0), Manner::Chokes);
    for _ in 0..300 {
        play.request();
        play.live(Duration::from_secs(5));
    }
    assert!(!play.policy.guards.is_kept(&node(0).ed25519));
    assert!(play.policy.guards.is_kept(&node(1).ed25519), "the other one is innocent");
}

#[test]
fn a_guard_that_complains_at_once_is_not_asked_without_a_pause() {
    let mut play = two_paths();
    play.behave(node(0), Manner::Complains);
    play.request();
    play.request();
    play.live(5 * MINUTE);
    assert_eq!(play.open.len(), 2, "somebody stands in for it");
    let asked = play.died.get(&node(0).ed25519).copied().unwrap_or_default();
    assert!((3..20).contains(&asked), "{asked} times in five minutes");
    play.behave(node(0), Manner::Well);
    play.live(3 * MINUTE);
    assert!(play.guards().contains(&node(0).ed25519), "it is still a guard of ours");
}

#[test]
fn a_dead_hop_costs_its_path_and_neither_guard() {
    let mut play = two_paths();
    let [_, middle, _] = *play.open.values().next().unwrap();
    play.behave(middle, Manner::Gone);
    for _ in 0..6 {
        play.request();
        play.settle();
    }
    assert_eq!(play.open.len(), 2);
    assert!(!play.open.values().flatten().any(|node| *node == middle));
    assert_eq!(play.guards(), [node(0).ed25519, node(1).ed25519].into());
}

#[test]
fn hops_are_drawn_again_every_ten_minutes_of_use_behind_the_same_guards() {
    let mut play = two_paths();
    (0..20).for_each(|_| play.request());
    let before = play.open.clone();
    play.wait(ROTATION);
    assert!(play.jobs.iter().all(|job| matches!(job, Job::Test(..))), "{:?}", play.jobs);
    assert_eq!(play.open, before, "the old paths serve until the new ones are proven");
    play.settle();
    assert_eq!(play.guards(), [node(0).ed25519, node(1).ed25519].into());
    assert!(play.open.keys().all(|id| !before.contains_key(id)));
}

#[test]
fn unused_paths_are_left_alone() {
    let mut play = two_paths();
    let before = play.open.clone();
    play.wait(3 * ROTATION);
    assert_eq!(play.open, before);
}

#[test]
fn what_there_is_is_used_where_seeds_are_silent_and_the_list_is_short() {
    let network: Vec<_> = (0..7).map(node).collect();
    let saved = Saved { nodes: Some((network.clone(), Duration::ZERO)), ..Saved::default() };
    let mut play = Play::with(1, network, saved, settings(12));
    play.seeds = false;
    play.live(MINUTE);
    assert_eq!(play.open.len(), 2);
}

#[test]
fn where_seeds_are_blocked_others_are_asked() {
    let asked = |play: &Play| match play.jobs.as_slice() {
        [Job::Fetch(source)] => *source,
        other => panic!("{other:?}"),
    };
    let mut play = Play::with(1, Vec::new(), Saved::default(), settings(12));
    play.seeds = false;
    assert_eq!(asked(&play), Source::Seeds);
    play.do_job(0);
    assert_eq!(asked(&play), Source::Bootstrap);
    play.do_job(0);
    assert_eq!(asked(&play), Source::Snapshot);
    play.do_job(0);
    assert!(play.jobs.is_empty() && play.policy.is_offline());
    play.wait(Duration::from_secs(1));
    assert_eq!(asked(&play), Source::Seeds);
}

#[test]
fn the_list_that_came_with_the_program_is_better_than_none() {
    let snapshot: Vec<_> = (0..21).map(node).collect();
    let settings = crate::policy::Settings { snapshot: snapshot.clone(), ..settings(12) };
    let mut play = Play::with(1, snapshot, Saved::default(), settings);
    play.seeds = false;
    play.live(Duration::from_secs(5));
    assert_eq!(play.open.len(), 2);
}

#[test]
fn an_old_list_of_our_own_is_only_a_last_resort() {
    let network: Vec<_> = (0..21).map(node).collect();
    let saved = Saved { nodes: Some((network.clone(), 60 * 24 * 60 * MINUTE)), ..Saved::default() };
    let mut play = Play::with(1, network, saved, settings(12));
    assert_eq!(play.policy.pool.len(), 0);
    play.seeds = false;
    play.settle();
    assert_eq!(play.policy.pool.len(), 21);
}

#[test]
fn two_must_agree_on_all_that_is_used_of_a_node() {
    let (mut moved, mut elsewhere) = (node(2), node(5));
    moved.port = 1;
    elsewhere.swarm = Some(SwarmId(9));
    let lists = [
        vec![node(1), node(2), node(3), node(5), node(9), node(9)],
        vec![node(1), moved, node(3), elsewhere],
        vec![node(1), node(4)],
    ];
    let mut agreed = agreement(&lists);
    agreed.sort_by_key(|node| node.ip);
    assert_eq!(agreed, [node(1), node(3)]);
    assert!(agreement(&lists[..1]).is_empty());
}

#[test]
fn a_claim_about_a_swarm_needs_a_second_voice() {
    let mut play = two_paths();
    let account = Account::User(SessionId([9; 32]));
    let policy = &mut play.policy;
    let known = policy.swarms.members(&account, &policy.pool);
    assert_eq!(known.len(), 7);
    let liar = known[0].ed25519;
    let captive = [liar, node(20).ed25519];
    let stranger = node(59).ed25519;
    let claim = policy.swarms.claim(&account, &liar, captive.into_iter().chain([stranger]), &policy.pool);
    let Claim::Check { members, parties } = claim else { panic!("{claim:?}") };
    assert!(!members.contains(&stranger), "who is not in the list does not count");
    assert!(parties.contains(&liar));
    let honest = known.iter().map(|node| node.ed25519);
    assert!(!policy.swarms.confirm(&account, &members, honest, &policy.pool));
    assert_eq!(policy.swarms.members(&account, &policy.pool), known);
    assert!(policy.swarms.confirm(&account, &members, captive, &policy.pool));
    assert_eq!(policy.swarms.members(&account, &policy.pool).len(), 2);
    assert_eq!(policy.swarms.claim(&account, &liar, [stranger], &policy.pool), Claim::Nothing);
}
