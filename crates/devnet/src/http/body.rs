//! A reply's body on its way out: at once, or drop by drop.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Interval, interval_at};

/// A body of known length.
pub(crate) struct Outgoing {
    left: Bytes,
    drip: Option<Interval>,
}

impl Outgoing {
    /// All of it at once, or one byte after each `drip`.
    pub fn new(body: Bytes, drip: Option<Duration>) -> Self {
        let drip = drip.filter(|every| !every.is_zero());
        let drip = drip.map(|every| interval_at(tokio::time::Instant::now() + every, every));
        Self { left: body, drip }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let length = match &mut self.drip {
            Some(drip) => {
                ready!(drip.poll_tick(cx));
                1
            }
            None => self.left.len(),
        };
        Poll::Ready(Some(Ok(Frame::data(self.left.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.left.len()).unwrap_or(u64::MAX))
    }
}
