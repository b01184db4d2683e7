//! Where what is new comes from: our own swarm, and one day groups' swarms and communities.
//!
//! Each is a [`Source`](source::Source), asked at its own pace by one [`scheduler`]; what is new in it is written down by
//! the source and told by [`Effects`]. To add one: a name in [`SourceKey`], a value that is a
//! source (another swarm is another [`Swarm`](swarm::page::Swarm)), and the line in [`make`] that makes it.

mod agenda;
pub mod key;
mod scheduler;
mod source;
pub mod swarm;

use std::sync::Arc;

use septet_protocol::id::Account;
use tokio_util::sync::CancellationToken;

use super::connection::Reconnects;
use super::effects::Effects;
use super::{Engine, pace, restore};
use crate::event::Event;
use key::{Change, SourceKey};
pub use scheduler::{Polls, Sources};
use source::AnySource;
use swarm::{First, SwarmSource, own};

/// Asks all sources until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    let own = SourceKey::Swarm(Account::from(engine.me()));
    engine.sources.change(Change::Appeared(own));
    let carry_out = |effects| engine.carry_out(effects);
    let asking = engine.sources.run(own, |key| make(&engine, key), &carry_out, &cancel);
    let mut reconnects = Reconnects::of(&engine);
    let waking = async {
        while reconnects.next().await.is_some() {
            engine.sources.wake_all();
        }
    };
    tokio::select! {
        () = asking => {}
        () = waking => {}
    }
}

/// The source of this name, if there is one.
fn make(engine: &Arc<Engine>, key: SourceKey) -> Option<Box<dyn AnySource>> {
    match key {
        SourceKey::Swarm(owner) if owner == Account::from(engine.me()) => {
            let first = first_reading(Arc::clone(engine));
            Some(Box::new(SwarmSource::new(own::swarm(engine), pace::POLL_OWN, Some(first))))
        }
        SourceKey::Swarm(_) => None,
    }
}

/// Our own swarm was read to its end for the first time in this run, and perhaps ever.
fn first_reading(engine: Arc<Engine>) -> First {
    Box::new(move || {
        let engine = Arc::clone(&engine);
        Box::pin(async move {
            restore::first_reading(&engine).await?;
            Ok(Effects { events: vec![Event::Synced], ..Effects::default() })
        })
    })
}
