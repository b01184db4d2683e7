//! What moves: how many bytes a request has brought to or from its peer, and when the last of them went.
//!
//! Bytes are counted at the socket, below TLS and HTTP: one that the system has not taken from us yet has not moved. So
//! "nothing moves" means that the line, the peer or the machine stand still, and a request that merely takes long because
//! the line is slow can be told from one that nobody answers.
//!
//! What belongs to a request that is young or small does not count as traffic on a line: every question sends some bytes,
//! also to a peer that will never answer, and a peer could keep us patient with a byte now and then. What is left is
//! transfers; an upload is one from the beginning, because its first bytes already fill a slow line for seconds.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::machine::{milliseconds, steady};

/// Reports `(done, total)` bytes; `total` is 0 while it is not known.
pub(crate) type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// A request that is younger than this has only just been sent.
const YOUNG: Duration = Duration::from_secs(1);
/// A request that has moved less than this, in bytes, is a question or a drip.
const SMALL: u64 = 16 * 1024;
/// What is to send more than this, in bytes, is a transfer from its first byte on.
const LARGE: u64 = 64 * 1024;
/// Traffic is said to go on for so long after its last byte: on a line with a deep buffer there are long pauses.
const LINGER: Duration = Duration::from_secs(10);

/// When a transfer last moved on something that several requests share: a peer, or the machine's line.
#[derive(Debug, Default)]
pub(crate) struct Traffic(AtomicU64);

impl Traffic {
    /// Whether a transfer has moved in the last few seconds.
    pub fn is_moving(&self) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        last != 0 && milliseconds(steady()).saturating_sub(last) < milliseconds(LINGER)
    }

    /// A transfer has moved.
    pub fn note(&self) {
        self.0.store(milliseconds(steady()), Ordering::Relaxed);
    }
}

/// One request's bytes; to be looked at by others while it is under way. Begins anew with each try.
#[derive(Default)]
pub(crate) struct Activity {
    /// When the try began, in ms on the steady clock; 0 before the first.
    began: AtomicU64,
    /// When the last byte moved, likewise.
    moved: AtomicU64,
    up: AtomicU64,
    down: AtomicU64,
    /// Something has gone up, in this try or one before.
    left: AtomicBool,
    /// Of what `sent` is told the progress.
    total: AtomicU64,
    sent: OnceLock<Progress>,
}

impl fmt::Debug for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (up, down) = (self.up.load(Ordering::Relaxed), self.down.load(Ordering::Relaxed));
        f.debug_struct("Activity").field("up", &up).field("down", &down).finish_non_exhaustive()
    }
}

impl Activity {
    /// One that tells how much of what is to be sent has gone, whenever the socket has taken some.
    pub fn telling(sent: Progress) -> Self {
        let activity = Self::default();
        let _ = activity.sent.set(sent);
        activity
    }

    /// A try begins, in which `total` bytes are to be sent.
    pub fn begin(&self, total: u64) {
        let now = milliseconds(steady());
        self.up.store(0, Ordering::Relaxed);
        self.down.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        self.began.store(now, Ordering::Relaxed);
        self.moved.store(now, Ordering::Relaxed);
    }

    /// The socket has taken bytes.
    pub fn note_up(&self, bytes: u64) {
        self.left.store(true, Ordering::Relaxed);
        let (before, total) =
            (self.up.fetch_add(bytes, Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        self.moved.store(milliseconds(steady()), Ordering::Relaxed);
        // Headers and TLS go along with the body, so the sum goes a little beyond it.
        if let Some(sent) = self.sent.get()
            && before < total
        {
            sent(total.min(before + bytes), total);
        }
    }

    /// The socket has brought bytes.
    pub fn note_down(&self, bytes: u64) {
        self.down.fetch_add(bytes, Ordering::Relaxed);
        self.moved.store(milliseconds(steady()), Ordering::Relaxed);
    }

    /// Bytes that the socket has taken in this try.
    pub fn up(&self) -> u64 {
        self.up.load(Ordering::Relaxed)
    }

    /// Whether a socket has taken anything, in any try: then nobody knows what the peer has got of it.
    pub fn has_left(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }

    /// Bytes moved in this try, both ways.
    pub fn bytes(&self) -> u64 {
        self.up() + self.down.load(Ordering::Relaxed)
    }

    /// How long nothing has moved: since the last byte, or since the try began. Zero before the first try.
    pub fn quiet_for(&self) -> Duration {
        self.since(&self.moved)
    }

    /// How long the try has lasted. Zero before the first.
    pub fn age(&self) -> Duration {
        self.since(&self.began)
    }

    /// Whether it is more than a question that has just been sent.
    pub fn is_transfer(&self) -> bool {
        let large = self.total.load(Ordering::Relaxed) > LARGE;
        large || self.bytes() >= SMALL && self.age() >= YOUNG
    }

    fn since(&self, moment: &AtomicU64) -> Duration {
        match moment.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            moment => Duration::from_millis(milliseconds(steady()).saturating_sub(moment)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn progress_ends_at_the_whole_and_begins_anew_with_each_try() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let hear = told.clone();
        let activity =
            Activity::telling(Arc::new(move |done, total| hear.lock().unwrap().push((done, total))));
        activity.begin(100);
        for _ in 0..3 {
            activity.note_up(60);
        }
        activity.begin(100);
        activity.note_up(10);
        assert_eq!(*told.lock().unwrap(), [(60, 100), (100, 100), (10, 100)]);
        assert_eq!(activity.bytes(), 10);
    }

    #[test]
    fn what_is_young_or_small_is_no_transfer() {
        let activity = Activity::default();
        assert!(!activity.is_transfer() && activity.quiet_for().is_zero());
        activity.begin(SMALL);
        activity.note_up(SMALL);
        assert!(!activity.is_transfer());
        activity.began.store(milliseconds(steady() - YOUNG), Ordering::Relaxed);
        assert!(activity.is_transfer());
        activity.down.store(0, Ordering::Relaxed);
        activity.up.store(SMALL - 1, Ordering::Relaxed);
        assert!(!activity.is_transfer());
        activity.begin(LARGE + 1);
        assert!(activity.is_transfer(), "it will be one");
    }

    #[test]
    fn traffic_is_what_moved_in_the_last_seconds() {
        let traffic = Traffic::default();
        assert!(!traffic.is_moving());
        traffic.note();
        assert!(traffic.is_moving());
        traffic.0.store(milliseconds(steady() - LINGER), Ordering::Relaxed);
        assert!(!traffic.is_moving());
    }
}
