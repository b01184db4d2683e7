//! Messages that disappear (spec 02 §18), and what is forgotten with time.
//!
//! The store knows when each countdown ends; this task sleeps until the next one, deletes what is over, and tells where
//! something is not shown any more. Timers stand still while a machine sleeps, so as long as something counts down the
//! clock is looked at about once a second, which costs no look into the store.
//!
//! Decision: nothing is deleted by a clock that may be wrong, but a machine without a network does not keep what is over
//! for ever either. While the network's time is not known, what is *proven* to be over goes
//! ([`Proven`](super::clock::Proven)); what only the best guess says is over is not shown and waits. Where the guess
//! cannot be right, nothing is shown that counts down ([`Engine::shown_by`]). If it was wrong, what waited is shown again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use septet_protocol::time::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::clock::Proven;
use super::connection::Reconnects;
use super::{Engine, pace};
use crate::event::Event;
use crate::model::ConversationId;
use crate::store::{Db, StoreError};

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(60);
/// The clock is looked at this often while something counts down.
const LOOK: Duration = Duration::from_millis(800);
/// Old hashes are cleared away, and the time is written down, this often.
const CLEARING: Duration = Duration::from_secs(60 * 60);

/// Removes what disappears until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    let mut reconnects = Reconnects::of(&engine);
    let (mut told, mut cleared, mut failures) = (Timestamp::default(), None::<Instant>, 0);
    loop {
        let all = cleared.is_none_or(|at| at.elapsed() >= CLEARING) && engine.network.time().is_some();
        let moment = Moment::now(&engine, told);
        let wait = match clear(&engine, moment, all).await {
            Ok(wait) => {
                failures = 0;
                told = moment.shown_by;
                cleared = if all { Some(Instant::now()) } else { cleared };
                wait
            }
            Err(error) => {
                tracing::warn!(%error, "messages that should disappear cannot be removed");
                failures += 1;
                Some(pace::retry(failures))
            }
        };
        tokio::select! {
            () = cancel.cancelled() => break,
            () = engine.bells.expiry.notified() => {}
            _ = engine.network.time_known(), if moment.known.is_none() => {}
            back = reconnects.next() => if back.is_none() { break },
            () = pass(&engine, wait) => {}
        }
    }
    if let Some(now) = engine.network.time()
        && let Err(error) = engine.store.call(move |db| Proven::note(db, now)).await
    {
        tracing::debug!(%error, "the time is not written down");
    }
}

/// What time it is, in several senses.
#[derive(Clone, Copy)]
struct Moment {
    /// As the network says, if that is known.
    known: Option<Timestamp>,
    /// It is at least so late.
    proven: Option<Timestamp>,
    /// What is shown goes by this.
    shown_by: Timestamp,
    /// By what the views went when they were last told.
    told: Timestamp,
}

impl Moment {
    fn now(engine: &Engine, told: Timestamp) -> Self {
        let known = engine.network.time();
        Self { known, proven: known.or_else(|| engine.proven.now()), shown_by: engine.shown_by(), told }
    }
}

/// Removes what is over and tells where something is not shown any more; how long until there is more to do, if there
/// will be.
async fn clear(engine: &Engine, moment: Moment, all: bool) -> Result<Option<Duration>, StoreError> {
    let (touched, wait) = engine.store.call(move |db| remove(db, moment, all)).await?;
    for conversation in touched {
        engine.events.send(Event::Messages(conversation));
        engine.events.send(Event::Conversation(conversation));
    }
    Ok(wait)
}

fn remove(
    db: &mut Db,
    moment: Moment,
    all: bool,
) -> Result<(BTreeSet<ConversationId>, Option<Duration>), StoreError> {
    db.transaction(|db| {
        let mut touched = BTreeSet::new();
        if let Some(proven) = moment.proven {
            touched.extend(db.delete_expired(proven)?);
        }
        if let Some(now) = moment.known {
            if all {
                db.forget_old(now)?;
            }
            if all || !touched.is_empty() {
                Proven::note(db, now)?;
            }
        } else {
            touched.extend(db.expired_between(moment.told, moment.shown_by)?);
        }
        if moment.shown_by < moment.told {
            touched.extend(db.expired_between(moment.shown_by, moment.told)?);
        }
        let deleting = moment.proven.zip(db.next_expiry()?).map(|(proven, next)| next.since(proven));
        let hiding = db.next_expiry_after(moment.shown_by)?.map(|next| next.since(moment.shown_by));
        Ok((touched, deleting.into_iter().chain(hiding).min().map(Duration::from_millis)))
    })
}

/// Lets so much time pass, at most [`LONGEST`], also if the machine sleeps meanwhile.
async fn pass(engine: &Engine, wait: Option<Duration>) {
    let Some(wait) = wait else { return tokio::time::sleep(LONGEST).await };
    let wait = wait.min(LONGEST);
    let end = engine.guess() + u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    let last = Instant::now() + wait;
    loop {
        let left = Duration::from_millis(end.since(engine.guess()));
        let left = left.min(last.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(LOOK)).await;
    }
}
