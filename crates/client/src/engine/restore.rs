//! Fetching what a restored account had (spec 01 §8).
//!
//! Decision: one member's "there is nothing" is not believed. A person would be asked for a name they have, and see
//! an account without anybody in it.

use std::collections::BTreeSet;
use std::sync::Arc;

use septet_protocol::id::Ed25519Public;
use tokio::time::Instant;

use super::sources::swarm::own;
use super::sources::swarm::page::Swarm;
use super::sources::swarm::page_size::PageSize;
use super::{Engine, pace};

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
            if engine.store.read(|db| db.profile()).await.is_ok_and(|profile| !profile.name.is_empty()) {
                return;
            }
            let alone = without.len() == 1 && self.members.len() <= 1;
            if without.len() >= AGREE || alone && failures > 0 {
                return;
            }
        }
    }

    /// Fetches all messages that the swarm still has, and tells how many so far; asks for no more after `until`.
    pub async fn messages(&mut self, engine: &Arc<Engine>, until: Instant, progress: &(impl Fn(u64) + Sync)) {
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
                    if Instant::now() >= until {
                        return leave_off(&swarm, page.node).await;
                    }
                    if page.more && !page.forged {
                        continue;
                    }
                    // One that has nothing at all, or nothing true, is not the last word; another one is.
                    asked.insert(page.node);
                    let other = page.swarm.iter().find(|member| !asked.contains(*member)).copied();
                    if (shown && !page.forged) || asked.len() > AGREE || other.is_none() {
                        return leave_off(&swarm, page.node).await;
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
    if let Err(error) = swarm.remember(member).await {
        tracing::debug!(%error, "another member will be asked for everything");
    }
}
