//! Registered names.

use septet_network::NetworkError;
use septet_protocol::name::Name;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_name_leads_to_its_account() {
    let world = World::new().await;
    world.devnet.register_name(&Name::parse("alice").unwrap(), &world.keys.session_id);
    assert_eq!(world.network.resolve_name(" Alice ").await, Ok(world.keys.session_id));
    assert_eq!(world.devnet.requests().get("oxend_request"), Some(&3));
    assert_eq!(world.network.resolve_name("bob").await, Err(NetworkError::NameUnknown));
    assert!(matches!(world.network.resolve_name("-bob").await, Err(NetworkError::NameForm(_))));
}
