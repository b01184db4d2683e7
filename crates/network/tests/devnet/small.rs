//! Networks of a few nodes, as people make them to try things on: what there is is used.

use septet_devnet::Devnet;

use crate::world::World;

async fn works(nodes: usize, paths: usize) {
    let builder = Devnet::builder().swarms(1).nodes_per_swarm(nodes);
    let mut world = World::with_paths(builder, paths).await;
    for n in 0..5 {
        let stored = world.store(&[n]).await.unwrap();
        assert_eq!(stored.members.done().count(), nodes);
        assert_eq!(world.messages().await.len(), usize::from(n) + 1);
    }
    world.network = crate::world::connect(&world.devnet, &world.folder);
    world.until_paths(paths).await;
    assert_eq!(world.messages().await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn seven_nodes_make_two_paths() {
    works(7, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn six_nodes_make_two_paths_and_every_member_is_on_one() {
    works(6, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_nodes_make_one_path() {
    works(5, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_nodes_are_enough() {
    works(4, 1).await;
}
