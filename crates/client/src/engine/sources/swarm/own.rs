//! Our own swarm: configs and messages from people (spec 05 §1).

use std::sync::Arc;

use septet_protocol::id::Namespace;
use septet_protocol::swarm::Batch;

use super::page::{Compartment, Contents, Swarm};
use crate::engine::Engine;

/// The compartments of an account.
pub const COMPARTMENTS: Batch<'static, Compartment> = Batch::of(&[
    PROFILE_COMPARTMENT,
    Compartment { namespace: Namespace::CONTACTS, share: 8, contents: Contents::Config },
    Compartment { namespace: Namespace::USER_GROUPS, share: 8, contents: Contents::Config },
    Compartment { namespace: Namespace::CONVO_INFO_VOLATILE, share: 8, contents: Contents::Config },
    Compartment { namespace: Namespace::MESSAGES, share: 2, contents: Contents::Messages },
]);

/// That of our profile.
const PROFILE_COMPARTMENT: Compartment =
    Compartment { namespace: Namespace::USER_PROFILE, share: 8, contents: Contents::Config };

/// The compartment that a restore asks for first, with the whole reply to itself.
pub const PROFILE: Batch<'static, Compartment> =
    Batch::of(&[Compartment { share: 1, ..PROFILE_COMPARTMENT }]);

/// Our own swarm.
pub fn swarm(engine: &Arc<Engine>) -> Swarm {
    Swarm { engine: Arc::clone(engine), credentials: engine.credentials(), compartments: COMPARTMENTS }
}
