//! Whose turn it is among requests that concern the same.

use tokio::sync::oneshot;

/// A request's turn; over when dropped.
pub struct Turn {
    before: oneshot::Receiver<()>,
    _end: oneshot::Sender<()>,
}

impl Turn {
    /// It comes when the other end of `before` is dropped, and drops `end` when it is over.
    pub fn new(before: oneshot::Receiver<()>, end: oneshot::Sender<()>) -> Self {
        Self { before, _end: end }
    }

    /// Waits until the one before is over.
    pub async fn comes(&mut self) {
        // The other end is never used: that it is gone is the sign.
        let _ = (&mut self.before).await;
    }
}
