//! Where events go out, and where tasks are woken.

use tokio::sync::{Notify, broadcast, watch};

use crate::event::Event;

/// So many events are kept for a reader that is busy; a slower one loses the oldest and loads its page again.
const KEPT_EVENTS: usize = 16_384;

/// Sends events to whoever listens.
pub struct Events(broadcast::Sender<Event>);

impl Events {
    /// Events that nobody listens to yet.
    pub fn new() -> Self {
        Self(broadcast::channel(KEPT_EVENTS).0)
    }

    /// Tells what changed.
    pub fn send(&self, event: Event) {
        // An error only says that nobody listens.
        let _ = self.0.send(event);
    }

    /// All events from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }
}

/// A bell that is rung by what was written down.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Bell {
    /// See [`Bells::outbox`].
    Outbox,
    /// See [`Bells::downloads`].
    Downloads,
    /// See [`Bells::expiry`].
    Expiry,
    /// See [`Bells::config`].
    Config,
}

/// One bell per task: rung when there is work for it, so that no task has to look in vain.
#[derive(Default)]
pub struct Bells {
    /// A job was put into the outbox, or may be tried again.
    pub outbox: Notify,
    /// A file is to be prepared for sending.
    pub preparing: Notify,
    /// A file is wanted.
    pub downloads: Notify,
    /// Something was written that has no final timestamp.
    pub undated: Notify,
    /// Something is to be deleted from our own swarm.
    pub forgetting: Notify,
    /// A countdown began.
    pub expiry: Notify,
    /// What other devices should know changed.
    pub config: Notify,
    /// Somebody waits until other devices can know.
    pub config_awaited: Notify,
    /// Everybody is to look again at once: the time is known now, or the machine has slept.
    pub woke: watch::Sender<u64>,
}

impl Bells {
    /// Rings one.
    pub fn ring(&self, bell: Bell) {
        match bell {
            Bell::Outbox => self.outbox.notify_one(),
            Bell::Downloads => self.downloads.notify_one(),
            Bell::Expiry => self.expiry.notify_one(),
            Bell::Config => self.config.notify_one(),
        }
    }

    /// Wakes all tasks, also those that wait after a failure.
    pub fn wake_all(&self) {
        self.woke.send_modify(|count| *count += 1);
    }
}
