//! Fetching what a restored account had (spec 01 §8).
//!
//! A restore does it while a person waits; without a network, or if that took too long, the first poll does. Nothing is
//! published before it is done (see [`first_reading`](super::documents)).
//!
//! Decision: one member's "there is nothing" is not believed. A person would be asked for a name they have, and see
//! an account without anybody in it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use septet_protocol::id::Ed25519Public;
use tokio::time::Instant;

use super::sources::swarm::own;
use super::sources::swarm::page::Swarm;
use super::sources::swarm::page_size::PageSize;
use super::{Engine, pace};
use crate::event::Event;
use crate::store::StoreError;

/// So many members must agree that an account has no profile.
const AGREE: usize = 2;

/// Fetches what a restored account had (spec 01 §8).
#[derive(Default)]
pub struct Restore {
    node: Option<Ed25519Public>,
    members: Vec<Ed25519Public>,
    size: PageSize,
}

impl Restore {
    /// Asks members of the swarm for the profile until one has a name, or until two of them agree that there is none;
    /// one alone may say what it likes.
    pub async fn profile(&mut self, engine: &Arc<Engine>) {
        let (swarm, mut without, mut failures) = (own::swarm(engine), BTreeSet::new(), 0);
        loop {
            let prefer = self.members.iter().find(|member| !without.contains(*member)).copied();
            match swarm.fetch(own::PROFILE, prefer, &mut self.size).await {
                Ok(page) => {
                    self.node = Some(page.node);
                    self.members = page.swarm.iter().copied().collect();
                    let tells = !page.forged && page.unreadable.is_none();
                    if !tells || !without.insert(page.node) {
                        // The same again, or nothing that counts.
                        failures += 1;
                        self.members.retain(|member| *member != page.node);
                    }
                }
                Err(error) => {
                    failures += 1;
                    tracing::debug!(%error, "the profile is not fetched");
                    tokio::time::sleep(pace::retry(failures)).await;
                }
            }
            let documents = engine.documents.clone();
            if engine.store.read(move |db| documents.is_named(db)).await.unwrap_or_default() {
                return;
            }
            let alone = without.len() == 1 && self.members.len() <= 1;
            if without.len() >= AGREE || alone && failures > 0 {
                return;
            }
        }
    }

    /// Fetches all messages that the swarm still has, and tells how many so far; asks for no more after `until`.
    /// Returns whether that was everything.
    pub async fn messages(
        &mut self,
        engine: &Arc<Engine>,
        until: Instant,
        progress: &(impl Fn(u64) + Sync),
    ) -> bool {
        let (swarm, mut fetched, mut failures) = (own::swarm(engine), 0, 0);
        let mut shown = false;
        let mut asked = BTreeSet::new();
        loop {
            match swarm.fetch(own::COMPARTMENTS, self.node, &mut self.size).await {
                Ok(page) => {
                    self.node = Some(page.node);
                    fetched += page.messages;
                    shown |= !page.shown.is_empty();
                    progress(fetched);
                    let whole = !page.more && !page.forged && page.unreadable.is_none();
                    if Instant::now() >= until {
                        leave_off(&swarm, page.node).await;
                        return whole;
                    }
                    if page.more && !page.forged {
                        continue;
                    }
                    // One that has nothing at all, or nothing true, is not the last word; another one is.
                    asked.insert(page.node);
                    let other = page.swarm.iter().find(|member| !asked.contains(*member)).copied();
                    if (shown && !page.forged) || asked.len() > AGREE || other.is_none() {
                        leave_off(&swarm, page.node).await;
                        return whole;
                    }
                    self.node = other;
                }
                Err(error) => {
                    failures += 1;
                    tracing::debug!(%error, "messages are not fetched");
                    tokio::time::sleep(pace::retry(failures)).await;
                }
            }
        }
    }
}

/// Polls are to go on where this ends.
async fn leave_off(swarm: &Swarm, member: Ed25519Public) {
    swarm.engine.just_restored.store(true, Ordering::Relaxed);
    if let Err(error) = swarm.remember(member).await {
        tracing::debug!(%error, "another member will be asked for everything");
    }
}

/// A poll has read our swarm to its end: if that was never so before in this profile's life, what was set meanwhile is
/// added to what the swarm has.
pub async fn first_reading(engine: &Arc<Engine>) -> Result<(), StoreError> {
    let documents = engine.documents.clone();
    let (read, named) =
        engine.store.read(move |db| Ok((db.swarm_was_read()?, documents.is_named(db)?))).await?;
    if read {
        return Ok(());
    }
    if !named {
        // One member's word that there is nothing does not do.
        Restore::default().profile(engine).await;
    }
    engine.read_whole().await
}

impl Engine {
    /// Our swarm was read whole.
    pub async fn read_whole(&self) -> Result<(), StoreError> {
        let (documents, now) = (self.documents.clone(), self.network.now());
        if self.store.call(move |db| documents.read_whole(db, now)).await? {
            self.bells.config.notify_one();
            self.events.send(Event::Profile);
            self.events.send(Event::Conversations);
        }
        Ok(())
    }
}
