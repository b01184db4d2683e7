//! Members of a swarm that work and say something false: whatever they say, everything arrives once and in order.

use septet_client::model::{ConversationId, MessageState};
use septet_devnet::{Fault, Lie, NodeHandle, RetrieveLie, StoreLie};
use septet_protocol::id::{Account, Namespace, SessionId};

use crate::sync::{look, name};
use crate::world::{PATIENCE, Person, World};

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

/// One of Bob's members lies; what Alice writes arrives all the same, once and in order, and is there once the liar
/// is gone.
async fn survives(lie: RetrieveLie) {
    let world = World::new().await;
    let (alice, bob) = world.friends().await;
    let liars: Vec<_> = world.net.swarm_of(&Account::from(bob.id())).into_iter().take(1).collect();
    liars[0].set_fault(Fault::from(lie));
    let mut expected = vec!["hi".to_owned(), "hello".to_owned()];
    for number in 0..8 {
        let text = format!("number {number}");
        assert_eq!(alice.says(&bob, &text).await.state, MessageState::Sent);
        expected.push(text);
        let here = async || bob.texts(alice.id()).await == expected;
        polls_until(&bob, &format!("{lie:?}: number {number}"), here).await;
    }
    // Whom it asks is drawn, so it may not have been asked yet.
    polls_until(&bob, "the lie", async || told(&liars, "lie:retrieve") > 0).await;
    liars[0].clear_faults();
    bob.client.sync_once(PATIENCE).await.unwrap();
    assert_eq!(bob.texts(alice.id()).await, expected, "{lie:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_with_other_data_suppresses_no_message() {
    survives(RetrieveLie::SwapHashes).await;
    survives(RetrieveLie::OtherData).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_hides_messages_hides_none() {
    survives(RetrieveLie::HideAll).await;
    survives(RetrieveLie::HideEvery(2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_without_end_come_to_an_end() {
    survives(RetrieveLie::SamePageForEver).await;
    survives(RetrieveLie::MoreForEver).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn false_times_date_nothing() {
    survives(RetrieveLie::ShiftTimes { timestamp: 1_000_000_000, expiration: -2_000_000_000 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_that_claims_to_be_new_drops_no_stranger() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice").await, world.person("Bob").await);
    // Bob has people in his configs, which every member shows him with the time they were stored.
    bob.client.set_nickname(ConversationId(SessionId([7; 32])), Some(name("Zoe"))).await.unwrap();
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
    let id = ConversationId(bob.id());
    let mut change = 0;
    while change < 10 || told(&liars, kind) == 0 {
        change += 1;
        let nickname = format!("Bobby {change}");
        alice.client.set_nickname(id, Some(name(&nickname))).await.unwrap();
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
async fn nothing_is_called_sent_that_no_honest_member_has() {
    for lie in [
        StoreLie::Unsigned,
        StoreLie::OtherHash,
        StoreLie::Replayed,
        StoreLie::Stranger,
        StoreLie::BadSignature,
        StoreLie::Unkept,
    ] {
        let world = World::new().await;
        let (alice, bob) = world.friends().await;
        let account = Account::from(bob.id());
        let swarm = world.net.swarm_of(&account);
        let liars: Vec<_> = swarm.iter().take(1).cloned().collect();
        liars[0].set_fault(lie);
        let kept = || {
            let honest = swarm.iter().skip(1);
            honest.map(|node| node.messages_of(&account, Namespace::MESSAGES).len()).max().unwrap()
        };
        let mut number = 0;
        while told(&liars, "lie:store") == 0 || number < 5 {
            let before = kept();
            number += 1;
            let text = format!("{lie:?} {number}");
            assert_eq!(alice.says(&bob, &text).await.state, MessageState::Sent);
            assert!(kept() > before, "{lie:?}: sent, and nobody has it");
            polls_until(&bob, &text, async || bob.texts(alice.id()).await.contains(&text)).await;
        }
    }
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
