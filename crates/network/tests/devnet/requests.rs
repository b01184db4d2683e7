//! Requests to swarms when all is well.

use septet_network::NetworkError;
use septet_protocol::id::Namespace;
use septet_protocol::swarm::reply::{self, DeleteReply, RetrieveReply, StoreReply};
use septet_protocol::swarm::request::{Delete, Retrieve, Store};
use septet_protocol::swarm::{Batch, MemberKeys, Rpc, message_hash};

use crate::world::{DAY, World};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_is_kept_by_every_member_and_comes_back() {
    let world = World::new().await;
    let reply = world.store(b"hello").await.unwrap();
    assert_eq!(reply.hash, message_hash(&world.account(), Namespace::MESSAGES, b"hello"));
    assert_eq!(reply.members.done().count(), 7);
    for member in world.devnet.swarm_of(&world.account()) {
        assert_eq!(member.messages_of(&world.account(), Namespace::MESSAGES).len(), 1);
    }
    let messages = world.messages().await;
    assert_eq!(messages.len(), 1);
    assert_eq!((messages[0].data.as_slice(), messages[0].hash), (b"hello".as_slice(), reply.hash));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_twice_are_one_message() {
    let world = World::new().await;
    world.store(b"once").await.unwrap();
    let again = world.store(b"once").await.unwrap();
    assert!(again.members.done().all(|(_, stored)| stored.already));
    assert_eq!(world.messages().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_comes_back_in_parts_in_order() {
    let world = World::new().await;
    let (account, auth) = (world.account(), world.auth());
    let build = |_: &_, now| {
        let store = |namespace, data| Store { account, namespace, data, ttl: DAY }.rpc(Some(&auth), now);
        let retrieve = Retrieve { namespace: Namespace::CONTACTS, last_hash: None, max_size: Some(-2) };
        let requests = [
            store(Namespace::MESSAGES, b"to the inbox"),
            store(Namespace::CONTACTS, b"contacts"),
            retrieve.rpc(&auth, now),
        ];
        Rpc::sequence(Batch::of(&requests), Rpc::clone)
    };
    let reply = world.network.swarm_request(&account, build).await.unwrap();
    let parts = reply::results(reply.body).unwrap();
    assert!(parts.iter().all(reply::SubReply::is_ok), "{parts:?}");
    let hash = message_hash(&account, Namespace::CONTACTS, b"contacts");
    assert!(StoreReply::read(&parts[1].body, &reply.swarm, hash).unwrap().members.any_done());
    let retrieved = RetrieveReply::read(&parts[2].body, &account, Namespace::CONTACTS).unwrap();
    assert_eq!(retrieved.messages[0].data, b"contacts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_refused_does_not_hide_the_others() {
    let world = World::new().await;
    let (account, auth) = (world.account(), world.auth());
    let build = |_: &_, now| {
        let unsigned = Store { account, namespace: Namespace::CONTACTS, data: b"x", ttl: DAY }.rpc(None, now);
        let signed =
            Store { account, namespace: Namespace::CONTACTS, data: b"y", ttl: DAY }.rpc(Some(&auth), now);
        Rpc::batch(Batch::of(&[unsigned, signed]), Rpc::clone)
    };
    let parts = reply::results(world.network.swarm_request(&account, build).await.unwrap().body).unwrap();
    assert_eq!(parts.iter().map(|part| part.code).collect::<Vec<_>>(), [401, 200]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_members_refuse_is_not_tried_again() {
    let world = World::new().await;
    world.devnet.reset_requests();
    let store = Store { account: world.account(), namespace: Namespace::CONTACTS, data: b"x", ttl: DAY };
    let error = world.network.store(&store, None).await.unwrap_err();
    assert!(matches!(error, NetworkError::Rejected { status: 401, .. }), "{error:?}");
    assert_eq!(world.devnet.requests().get("store"), Some(&2));
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_is_proven_by_the_members() {
    let world = World::new().await;
    let hash = world.store(b"gone").await.unwrap().hash;
    let delete = Delete { hashes: vec![hash], required: true };
    let read = |swarm: &MemberKeys, body| DeleteReply::read(&body, swarm, &world.account(), &delete);
    let build = |_: &_, _| delete.rpc(&world.auth());
    let (_, reply) = world.network.swarm_query(&world.account(), build, read).await.unwrap();
    assert_eq!(reply.members.done().filter(|(_, deleted)| deleted.contains(&hash)).count(), 7);
    assert!(world.messages().await.is_empty());
    let again = world.network.swarm_query(&world.account(), build, read).await;
    assert!(matches!(again, Err(NetworkError::Rejected { status: 404, .. })), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_can_be_asked_again() {
    let world = World::new().await;
    world.store(b"one").await.unwrap();
    let retrieve = Retrieve { namespace: Namespace::MESSAGES, last_hash: None, max_size: None };
    let first = world.retrieve().await.unwrap().node;
    for _ in 0..5 {
        let build = |node: &_, now| {
            assert_eq!(*node, first);
            retrieve.rpc(&world.auth(), now)
        };
        let again = world.network.swarm_request_at(&world.account(), Some(first), build).await.unwrap();
        assert_eq!(again.node, first);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_at_once() {
    let world = World::new().await;
    let store = |n: usize| {
        let world = &world;
        async move { world.store(format!("message {n}").as_bytes()).await }
    };
    let replies = futures_util::future::join_all((0..100).map(store)).await;
    assert!(replies.iter().all(Result::is_ok));
    assert_eq!(world.messages().await.len(), 100);
}
