//! A large body's way out: no more of it than the line has shown to carry off.
//!
//! The send buffer ([`crate::pace`]) bounds what the peer's machine has not confirmed. Some lines confirm on the peer's
//! behalf, in a modem, a tunnel or a proxy, and still keep seconds of it in store. What such a line has really carried
//! off is seen by asking a small question behind the bytes: when its answer is there, everything that went before has
//! gone. So while a large body goes out its guard is asked for its clock again and again, which says nothing about us,
//! and no more than a second's worth of bytes is handed out beyond what the last answer has shown to be gone.
//!
//! A guard that does not answer such questions opens the gate: they are a courtesy to other requests, and never stop an
//! upload.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::Notify;

/// How much may be on its way, as the time that the line needs for it.
const AHEAD: Duration = Duration::from_secs(1);
/// What may be on its way before anything is known, and at least, in bytes.
const SMALLEST: u64 = 16 * 1024;
/// The largest piece handed out at once, in bytes.
const PIECE: u64 = 16 * 1024;
/// A rate so many times the one before has grown.
const GROWING: f64 = 1.25;

/// Lets a body out in pieces.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    /// Told whenever something has been handed out, or asked for in vain.
    asked: Notify,
}

#[derive(Debug)]
struct State {
    /// Bytes handed out.
    handed: u64,
    /// Of these, how many have been shown to be gone.
    gone: u64,
    /// When that was shown last, on the steady clock.
    shown: Option<Duration>,
    /// How many may be handed out beyond those; `None`: all.
    window: Option<u64>,
    rate: Option<f64>,
    waiting: Option<Waker>,
}

impl Default for State {
    fn default() -> Self {
        Self { handed: 0, gone: 0, shown: None, window: Some(SMALLEST), rate: None, waiting: None }
    }
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The body goes out from its beginning. What is known of the line stays known.
    fn begin(&self) {
        let mut state = self.state();
        (state.handed, state.gone, state.shown) = (0, 0, None);
    }

    /// Until there is something on its way of which it is not known whether it has gone.
    pub async fn something_under_way(&self) {
        self.until(|state| state.handed > state.gone).await;
    }

    /// Until more is asked for than may be handed out.
    pub async fn full(&self) {
        self.until(|state| state.waiting.is_some()).await;
    }

    async fn until(&self, condition: impl Fn(&State) -> bool) {
        loop {
            let mut asked = std::pin::pin!(self.asked.notified());
            asked.as_mut().enable();
            if condition(&self.state()) {
                return;
            }
            asked.await;
        }
    }

    /// The first `gone` bytes have been carried off, at this moment of the steady clock; `since` is when they began to be.
    /// Whether that is news.
    pub fn confirm(&self, gone: u64, since: Duration, now: Duration) -> bool {
        let mut state = self.state();
        if gone <= state.gone {
            return false;
        }
        let length = now.saturating_sub(state.shown.unwrap_or(since)).as_secs_f64();
        let rate = (gone - state.gone) as f64 / length.max(0.001);
        // More on its way has made it quicker, so it is not the line yet that holds us back.
        let growing = state.rate.replace(rate).is_none_or(|before| rate > before * GROWING);
        let ahead = AHEAD.as_secs_f64() * if growing { 2.0 } else { 1.0 };
        state.window = state.window.map(|_| ((rate * ahead) as u64).max(SMALLEST));
        (state.gone, state.shown) = (gone, Some(now));
        wake(state);
        true
    }

    /// Lets everything out from now on.
    pub fn open(&self) {
        let mut state = self.state();
        state.window = None;
        wake(state);
    }

    /// How many of so many bytes may go out now, if any may. Else `cx` is woken when that changes.
    fn hand_out(&self, left: u64, cx: &Context<'_>) -> Poll<u64> {
        let mut state = self.state();
        let room = state.window.map_or(u64::MAX, |window| (state.gone + window).saturating_sub(state.handed));
        let piece = left.min(room).min(PIECE);
        if piece == 0 && left > 0 {
            state.waiting = Some(cx.waker().clone());
            drop(state);
            self.asked.notify_waiters();
            return Poll::Pending;
        }
        state.handed += piece;
        drop(state);
        self.asked.notify_waiters();
        Poll::Ready(piece)
    }
}

fn wake(mut state: MutexGuard<'_, State>) {
    let waiting = state.waiting.take();
    drop(state);
    if let Some(waiting) = waiting {
        waiting.wake();
    }
}

/// A request's body: as it is, or through a gate.
#[derive(Debug)]
pub(crate) struct Outgoing {
    bytes: Bytes,
    gate: Option<Arc<Gate>>,
}

impl Outgoing {
    /// From the beginning.
    pub fn new(bytes: Bytes, gate: Option<Arc<Gate>>) -> Self {
        if let Some(gate) = &gate {
            gate.begin();
        }
        Self { bytes, gate }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let left = self.bytes.len();
        if left == 0 {
            return Poll::Ready(None);
        }
        let piece = match &self.gate {
            None => left,
            Some(gate) => match gate.hand_out(left as u64, cx) {
                Poll::Ready(piece) => usize::try_from(piece).unwrap_or(left).min(left),
                Poll::Pending => return Poll::Pending,
            },
        };
        Poll::Ready(Some(Ok(Frame::data(self.bytes.split_to(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Wake;

    use super::*;

    struct Counter(std::sync::atomic::AtomicU32);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }

    /// Takes what comes without waiting.
    fn take(body: &mut Outgoing, cx: &mut Context<'_>) -> usize {
        let mut taken = 0;
        while let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut *body).poll_frame(cx) {
            taken += frame.into_data().unwrap().len();
        }
        taken
    }

    #[test]
    fn a_second_of_what_the_line_carries_is_let_out() {
        let woken = Arc::new(Counter(0.into()));
        let waker = woken.clone().into();
        let mut cx = Context::from_waker(&waker);
        let gate = Arc::new(Gate::default());
        let mut body = Outgoing::new(vec![0; 1_000_000].into(), Some(gate.clone()));
        let (at, small) = (Duration::from_secs, SMALLEST as usize);
        assert_eq!(body.size_hint().exact(), Some(1_000_000));
        assert_eq!(take(&mut body, &mut cx), small);
        assert_eq!(take(&mut body, &mut cx), 0);
        // 16 KiB in 2 s: the window stays the smallest, which is what that line carries in the doubled second.
        gate.confirm(SMALLEST, at(0), at(2));
        assert_eq!(woken.0.load(std::sync::atomic::Ordering::SeqCst), 1);
        assert_eq!(take(&mut body, &mut cx), small);
        // 64 KiB a second, four times as quick as before: twice that is tried.
        gate.confirm(5 * SMALLEST, at(0), at(3));
        assert_eq!(take(&mut body, &mut cx), (5 + 8 - 2) * small);
        // No quicker than before: one second of it.
        gate.confirm(13 * SMALLEST, at(0), at(5));
        assert_eq!(take(&mut body, &mut cx), 4 * small);
        gate.open();
        assert_eq!(take(&mut body, &mut cx), 1_000_000 - 17 * small);
        assert!(body.is_end_stream());
    }

    #[tokio::test]
    async fn what_is_under_way_is_told() {
        let gate = Arc::new(Gate::default());
        let mut cx = Context::from_waker(Waker::noop());
        let mut body = Outgoing::new(vec![0; 10].into(), Some(gate.clone()));
        let wait = gate.something_under_way();
        let (taken, ()) = tokio::join!(async { take(&mut body, &mut cx) }, wait);
        assert_eq!(taken, 10);
        assert!(gate.confirm(10, Duration::ZERO, Duration::from_secs(1)));
        assert!(!gate.confirm(10, Duration::ZERO, Duration::from_secs(2)));
        let again = tokio::time::timeout(Duration::from_millis(50), gate.something_under_way()).await;
        assert!(again.is_err(), "all has gone");
    }
}
