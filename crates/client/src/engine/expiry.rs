//! Messages that disappear (spec 02 §18), and what is forgotten with time.
//!
//! The store knows when each countdown ends; this task sleeps until the next one. It looks at the clock at least once
//! a minute, because a machine that slept does not count sleeping time. Nothing goes before the network's time is
//! known, whatever the machine's clock says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use septet_protocol::id::MessageHash;
use septet_protocol::swarm::reply::{ExpireReply, Expired};
use septet_protocol::swarm::request::Expire;
use septet_protocol::swarm::signing::ExpireMode;
use septet_protocol::time::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Engine;
use super::connection::Reconnects;
use crate::event::Event;
use crate::store::{ReadMessage, StoreError};

/// The longest sleep.
const LONGEST: Duration = Duration::from_secs(60);
/// Old hashes are cleared away this often, counted in wake-ups of at most [`LONGEST`].
const WAKES_PER_CLEARING: u32 = 60;

/// Removes what disappears until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    let mut wakes = 0;
    let mut reconnects = Reconnects::of(&engine);
    loop {
        let now = tokio::select! {
            () = cancel.cancelled() => return,
            now = engine.network.time_known() => now,
        };
        let next = match clear(&engine, wakes % WAKES_PER_CLEARING == 0, now).await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(%error, "messages that should disappear cannot be removed");
                None
            }
        };
        wakes += 1;
        let wait = next.map(|at| Duration::from_millis(at.since(engine.network.now()).max(1)));
        tokio::select! {
            () = cancel.cancelled() => return,
            () = engine.bells.expiry.notified() => {}
            back = reconnects.next() => if back.is_none() { return },
            () = tokio::time::sleep(wait.unwrap_or(LONGEST).min(LONGEST)) => {}
        }
    }
}

/// Removes what has disappeared by now; tells when the next message does.
async fn clear(engine: &Arc<Engine>, all: bool, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let (touched, next) = engine
        .store
        .call(move |db| {
            if all {
                db.forget_old(now)?;
            }
            Ok((db.delete_expired(now)?, db.next_expiry()?))
        })
        .await?;
    for conversation in touched {
        engine.events.send(Event::Messages(conversation));
        engine.events.send(Event::Conversation(conversation));
    }
    Ok(next)
}

/// The earliest end that so many members have signed, or an earlier one; one alone makes nothing vanish early.
fn agreed(mut ends: Vec<Timestamp>, needed: usize) -> Option<Timestamp> {
    ends.sort_unstable();
    ends.get(needed.checked_sub(1)?).copied()
}

impl Engine {
    /// Messages became read here: those that disappear after reading are told to our swarm, so that our other
    /// devices agree on when (spec 02 §18.4). Failing is no harm: each device then counts by itself.
    pub fn became_read(self: &Arc<Self>, read: Vec<ReadMessage>) {
        let mut ends: BTreeMap<Timestamp, Vec<ReadMessage>> = BTreeMap::new();
        for message in read {
            if let (Some(at), Some(_)) = (message.expires_at, message.hash) {
                ends.entry(at).or_default().push(message);
            }
        }
        if ends.is_empty() {
            return;
        }
        self.bells.expiry.notify_one();
        let engine = Arc::clone(self);
        tokio::spawn(async move {
            for (at, messages) in ends {
                engine.shorten(at, messages).await;
            }
        });
    }

    /// Shortens the life of messages in our swarm; where another device was faster, its earlier end counts.
    async fn shorten(&self, at: Timestamp, messages: Vec<ReadMessage>) {
        let hashes: Vec<MessageHash> = messages.iter().filter_map(|message| message.hash).collect();
        let request = Expire { hashes, expiries: vec![at], mode: ExpireMode::Shorten };
        let credentials = self.credentials();
        let (account, auth) = (credentials.owner(), credentials.auth());
        let reply = match self.network.swarm_request(&account, |_, _| request.rpc(&auth)).await {
            Ok(reply) => reply,
            Err(error) => return tracing::debug!(%error, "a countdown is not told to the swarm"),
        };
        let needed = reply.swarm.needed();
        let Ok(reply) = ExpireReply::read(&reply.body, &reply.swarm, &account, &request) else { return };
        let mut earlier = Vec::new();
        for message in &messages {
            let end_at = |expired: &Expired| expired.left_at(&message.hash?);
            let ends = reply.members.done().filter_map(|(_, expired)| end_at(expired)).collect();
            if let Some(end) = agreed(ends, needed).filter(|end| *end < at) {
                earlier.push((message.id, end));
            }
        }
        let written = self.store.call(move |db| {
            for (id, end) in earlier {
                db.set_expires_at(id, end)?;
            }
            Ok(())
        });
        if let Err(error) = written.await {
            tracing::warn!(%error, "a countdown cannot be written down");
        }
        self.bells.expiry.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_member_alone_makes_nothing_vanish_early() {
        let at = |list: &[u64]| list.iter().map(|ms| Timestamp::from_ms(*ms)).collect::<Vec<_>>();
        assert_eq!(agreed(at(&[]), 2), None);
        assert_eq!(agreed(at(&[1]), 2), None);
        assert_eq!(agreed(at(&[900, 1, 800]), 2), Some(Timestamp::from_ms(800)));
        assert_eq!(agreed(at(&[5]), 1), Some(Timestamp::from_ms(5)), "alone in its swarm");
    }
}
