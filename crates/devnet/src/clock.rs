//! The network's time: the machine's, moved by as much as a test wants.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The clock all nodes and the file server go by.
#[derive(Default)]
pub(crate) struct Clock(AtomicI64);

impl Clock {
    /// Unix ms.
    pub fn now(&self) -> u64 {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        u64::try_from(real).unwrap_or(u64::MAX).saturating_add_signed(self.0.load(Ordering::Relaxed))
    }

    /// Moves it from the machine's time, for everybody at once.
    pub fn set_offset(&self, ms: i64) {
        self.0.store(ms, Ordering::Relaxed);
    }
}
