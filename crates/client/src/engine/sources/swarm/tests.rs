//! A swarm of a local network, asked step by step: what happens between two steps is up to each test.

use std::ops::Deref;
use std::sync::Arc;

use septet_protocol::crypto::Ed25519Secret;
use septet_protocol::id::{Account, GroupId, Namespace};

use super::page::{Compartment, Contents, Marks, Part};
use super::*;
use crate::engine::credentials::Credentials;
use crate::engine::local::Local;
use crate::engine::sources::source::AnySource;

/// An account on a network of its own.
struct World(Local);

impl Deref for World {
    type Target = Local;

    fn deref(&self) -> &Local {
        &self.0
    }
}

impl World {
    async fn new() -> Self {
        Self(Local::new().await)
    }

    fn owner(&self) -> Account {
        Account::from(self.engine.me())
    }

    /// Our own swarm.
    fn source(&self) -> SwarmSource {
        SwarmSource::new(own::swarm(&self.engine), Duration::from_secs(2), None)
    }

    /// Puts bytes that nobody can read into our swarm, so many of them; returns their name.
    fn deliver(&self, namespace: Namespace, byte: u8, count: usize) -> MessageHash {
        self.deliver_to(self.owner(), namespace, byte, count)
    }

    /// As [`World::deliver`], into anybody's.
    fn deliver_to(&self, owner: Account, namespace: Namespace, byte: u8, count: usize) -> MessageHash {
        let now = self.net.now();
        self.net.deliver(&owner, namespace, vec![byte; count], now, now + 24 * 3600 * 1000)
    }

    /// Where answers of our swarm ended.
    async fn marks(&self) -> Marks {
        self.marks_of(self.owner()).await
    }

    /// Where answers of anybody's swarm ended.
    async fn marks_of(&self, owner: Account) -> Marks {
        self.engine.store.read(move |db| db.last_hashes(owner)).await.unwrap()
    }

    /// From now on everything is fetched again.
    async fn reset(&self) {
        let owner = self.owner();
        self.engine.store.call(move |db| db.forget_last_hashes(owner)).await.unwrap();
    }

    /// Which of these have been taken in.
    async fn taken_in(&self, hashes: &[MessageHash]) -> Vec<MessageHash> {
        let (owner, asked) = (self.owner(), hashes.to_vec());
        let unseen = self.engine.store.read(move |db| db.unseen(owner, &asked)).await.unwrap();
        hashes.iter().copied().filter(|hash| !unseen.contains(hash)).collect()
    }
}

/// Takes in the parts of an answer.
async fn take_in(source: &mut SwarmSource, parts: Vec<Part>) {
    for part in parts {
        let items = source.decode(part).await.unwrap();
        source.apply(items).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_during_a_poll_is_not_undone_by_it() {
    let world = World::new().await;
    let hashes: Vec<_> = (0..3).map(|byte| world.deliver(Namespace::MESSAGES, byte, 100)).collect();
    let mut source = world.source();
    source.begin();
    let question = source.plan().await.unwrap().unwrap();
    let parts = source.fetch(question).await.unwrap();
    world.reset().await;
    take_in(&mut source, parts).await;
    assert_eq!(world.taken_in(&hashes).await, hashes, "what came is kept");
    assert_eq!(world.marks().await, Marks::new(), "but not where it ended");
    assert!(source.plan().await.unwrap().is_none());
    // The next poll reads all of it again, and writes down where that ends.
    source.begin();
    let question = source.plan().await.unwrap().unwrap();
    let parts = source.fetch(question).await.unwrap();
    assert_eq!(parts.iter().map(|part| part.fetched.messages.len()).sum::<usize>(), 3);
    take_in(&mut source, parts).await;
    assert_eq!(world.marks().await.into_values().collect::<Vec<_>>(), [hashes[2]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_between_two_pages_begins_again_and_blames_nobody() {
    let world = World::new().await;
    // More than a first page each.
    let hashes: Vec<_> = (0..4).map(|byte| world.deliver(Namespace::MESSAGES, byte, 76_000)).collect();
    let mut source = world.source();
    source.begin();
    let mut pages = 0;
    while let Some(question) = source.plan().await.unwrap() {
        pages += 1;
        let parts = source.fetch(question).await.unwrap();
        take_in(&mut source, parts).await;
        // The same page is to come again, and nothing on it is new.
        source.size = PageSize::default();
        if pages == 1 {
            assert_eq!(world.marks().await.len(), 1);
            world.reset().await;
        }
    }
    assert!(pages > 3, "{pages}");
    assert_eq!(world.taken_in(&hashes).await, hashes);
    assert_eq!(world.marks().await.into_values().collect::<Vec<_>>(), [hashes[3]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_round_takes_in_configs_before_messages() {
    let world = World::new().await;
    for namespace in own::COMPARTMENTS.iter().map(|compartment| compartment.namespace) {
        world.deliver(namespace, 7, 100);
    }
    let mut source = world.source();
    source.begin();
    let question = source.plan().await.unwrap().unwrap();
    let parts = source.fetch(question).await.unwrap();
    let order: Vec<Namespace> = parts.iter().map(|part| part.compartment.namespace).collect();
    assert_eq!(order.len(), own::COMPARTMENTS.iter().len());
    assert_eq!(order.last(), Some(&Namespace::MESSAGES));
    assert!(!order[..4].contains(&Namespace::MESSAGES));
}

/// The messages of a group, without what it takes to read them.
const GROUP: Batch<'static, Compartment> =
    Batch::of(&[Compartment { namespace: Namespace(11), share: 2, contents: Contents::Messages }]);

#[tokio::test(flavor = "multi_thread")]
async fn a_groups_swarm_is_asked_as_ours_is() {
    let world = World::new().await;
    let key = Ed25519Secret::from_seed([9; 32]);
    let id = GroupId(key.public().0);
    let hash = world.deliver_to(id.into(), Namespace(11), 1, 100);
    let credentials = Credentials::GroupAdmin { id, key };
    let swarm = Swarm { engine: Arc::clone(&world.engine), credentials, compartments: GROUP };
    let mut source = SwarmSource::new(swarm, Duration::from_secs(5), None);
    let none = |_: Effects| ();
    AnySource::round(&mut source, &none).await.unwrap();
    assert_eq!(world.marks_of(id.into()).await.into_values().collect::<Vec<_>>(), [hash]);
    assert_eq!(world.marks().await, Marks::new(), "it has places of its own");
}
