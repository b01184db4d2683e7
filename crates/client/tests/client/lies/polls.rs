//! What comes of lies that only some situations show: a stranger's first message, configs in honest members' memory, a
//! device made anew.

use septet_devnet::{Fault, Lie, NodeHandle, RetrieveLie, StoreLie};
use septet_protocol::id::{Account, Namespace, SessionId};

use crate::sync::{look, name};
use crate::world::{PATIENCE, Person, With, World};

/// How often these nodes have told lies of a kind.
fn told(nodes: &[NodeHandle], kind: &str) -> u64 {
    nodes.iter().filter_map(|node| node.requests().get(kind).copied()).sum()
}

/// Polls until it is so.
async fn polls_until(person: &Person, what: &str, mut wanted: impl AsyncFnMut() -> bool) {
    let polls = async {
        while !wanted().await {
            person.client.sync_once(PATIENCE).await.unwrap();
        }
    };
    assert!(tokio::time::timeout(PATIENCE, polls).await.is_ok(), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_that_claims_to_be_new_drops_no_stranger() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice").await, world.person("Bob").await);
    // Bob has people in his configs, which every member shows him with the time they were stored.
    bob.client.set_nickname(bob.client.with(SessionId([7; 32])).await, Some(name("Zoe"))).await.unwrap();
    assert!(bob.client.flush(PATIENCE).await.unwrap());
    let bob = world.reopen(bob).await;
    let liar = &world.net.swarm_of(&Account::from(bob.id()))[0];
    liar.set_fault(Fault::from(RetrieveLie::ShiftTimes { timestamp: 9_000_000_000, expiration: 0 }));
    alice.says(&bob, "we have not met").await;
    let here = async || bob.texts(alice.id()).await == ["we have not met"];
    polls_until(&bob, "the stranger", here).await;
}

/// Alice changes her configs while members of her swarm lie; her other device hears of all changes, and nothing is
/// missing in the honest members' memory when the liars are gone.
async fn configs_survive(lie: Fault, kind: &str) {
    let world = World::new().await;
    let (alice, bob) = world.friends().await;
    assert!(alice.client.flush(PATIENCE).await.unwrap());
    let (second, _) = world.second_device(&alice).await;
    second.client.sync_once(PATIENCE).await.unwrap();
    let me = Account::from(alice.id());
    let swarm = world.net.swarm_of(&me);
    let liars: Vec<_> = swarm.iter().take(1).cloned().collect();
    liars[0].set_fault(lie.clone());
    let id = bob.id();
    let mut change = 0;
    while change < 10 || told(&liars, kind) == 0 {
        change += 1;
        let nickname = format!("Bobby {change}");
        alice.client.set_nickname(alice.client.with(id).await, Some(name(&nickname))).await.unwrap();
        assert!(alice.client.flush(PATIENCE).await.unwrap(), "{lie:?}");
        for node in swarm.iter().skip(1) {
            let kept = node.messages_of(&me, Namespace::CONTACTS).len();
            assert!(kept > 0, "{lie:?}: a member lost the contacts with change {change}");
        }
        let there = async || look(&second, id).await.nickname.as_deref() == Some(&nickname);
        polls_until(&second, &format!("{lie:?}: {nickname}"), there).await;
    }
    liars[0].clear_faults();
    let (third, _) = world.second_device(&alice).await;
    let newest = format!("Bobby {change}");
    let there = async || look(&third, id).await.nickname.as_deref() == Some(&newest);
    polls_until(&third, "the newest", there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_config_replaces_no_new_one() {
    configs_survive(RetrieveLie::ReplayUnderOwnHashes.into(), "lie:retrieve").await;
    configs_survive(RetrieveLie::ReplayUnderNewHashes.into(), "lie:retrieve").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_one_member_keeps_to_itself_deletes_nothing() {
    configs_survive(StoreLie::OnlyItself.into(), "lie:store").await;
    configs_survive(StoreLie::Unkept.into(), "lie:store").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_is_not_ended_by_one_member_that_says_nothing() {
    let world = World::new().await;
    let alice = world.person("Alice").await;
    alice.says(&alice, "a note").await;
    assert!(alice.client.flush(PATIENCE).await.unwrap());
    let swarm = world.net.swarm_of(&Account::from(alice.id()));
    // Each member in turn: one of them would be the first that is asked.
    for liar in &swarm {
        liar.set_fault(Fault::Lies(Lie::Retrieve(RetrieveLie::HideAll)));
        let (restored, _) = world.second_device(&alice).await;
        assert_eq!(restored.client.profile().await.unwrap().name, "Alice");
        liar.clear_faults();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_fetches_once_and_ends_hears_what_one_member_hides() {
    let world = World::new().await;
    let (alice, mut bob) = world.friends().await;
    let swarm = world.net.swarm_of(&Account::from(bob.id()));
    // Each member in turn: one of them is the one that a run begins with, because the run before ended with it.
    for (number, liar) in swarm.iter().enumerate() {
        bob = world.rest(bob).await;
        liar.set_fault(Fault::Lies(Lie::Retrieve(RetrieveLie::HideAll)));
        let text = format!("number {number}");
        alice.says(&bob, &text).await;
        bob.client.sync_once(PATIENCE).await.unwrap();
        let here = super::messages(&bob, alice.id()).await;
        assert!(here.iter().any(|message| message.text == text), "{text}");
        liar.clear_faults();
    }
}
