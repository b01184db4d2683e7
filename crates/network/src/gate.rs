//! A large body's way out: no more of it than the line has shown to carry off.
//!
//! The send buffer ([`crate::pace`]) bounds what the peer's machine has not confirmed. Some lines confirm on the peer's
//! behalf, in a modem, a tunnel or a proxy, and still keep seconds of it in store. What such a line has really carried
//! off is seen by asking a small question behind the bytes: when its answer is there, everything that went before has
//! gone. So while a large body goes out its guard is asked for its clock again and again, which says nothing about us,
//! and no more than a second's worth of bytes is handed out beyond what the last answer has shown to be gone, and what
//! the line carries while such an answer is on its way: over a satellite that is another second's worth. Two questions
//! are under way, each behind half of what is: with a single one the line would stand still until its answer is here.
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
/// The longest way to the peer and back that is believed: what takes longer has waited for other bytes.
const LONGEST_TRIP: Duration = Duration::from_secs(2);
/// A rate is measured over this time at least, and a round trip.
const SAMPLE: Duration = Duration::from_millis(50);

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
    /// How many the last question is behind.
    asked: u64,
    /// Since when the rate is measured, on the steady clock, and how many were gone then.
    measured: Option<(Duration, u64)>,
    /// How many may be handed out beyond those; `None`: all.
    window: Option<u64>,
    /// The shortest known way to the peer and back.
    round_trip: Duration,
    waiting: Option<Waker>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            handed: 0,
            gone: 0,
            asked: 0,
            measured: None,
            window: Some(SMALLEST),
            round_trip: LONGEST_TRIP,
            waiting: None,
        }
    }
}

impl State {
    fn worth_asking(&self) -> bool {
        self.handed > self.asked && self.waiting.is_some()
    }

    /// How many more bytes may go out.
    fn room(&self) -> u64 {
        let room =
            |window: u64| (self.gone + window).min(self.asked + window / 2).saturating_sub(self.handed);
        self.window.map_or(u64::MAX, room)
    }

    /// The line has carried off so many bytes a second.
    fn open_by(&mut self, rate: f64) {
        // As long as the window is what holds us back, this makes it larger.
        let ahead = (AHEAD + self.round_trip).as_secs_f64();
        self.window = self.window.map(|_| ((rate * ahead) as u64).max(SMALLEST));
        tracing::trace!(rate, window = ?self.window, round_trip = ?self.round_trip, "what the line carries");
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
        (state.handed, state.gone, state.asked, state.measured) = (0, 0, 0, None);
    }

    /// A question was answered after so long.
    pub fn trip(&self, length: Duration) {
        let mut state = self.state();
        state.round_trip = state.round_trip.min(length);
    }

    /// Until it is worth asking: there is something that no question is behind, and more waits for one.
    pub async fn worth_asking(&self) {
        self.until(State::worth_asking).await;
    }

    /// A question goes out behind so many bytes; `false` if there is one behind as many already.
    pub fn ask(&self, sent: u64) -> bool {
        let mut state = self.state();
        let news = sent > state.asked;
        state.asked = state.asked.max(sent);
        wake(state);
        news
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

    /// The first `gone` bytes have been carried off: that was asked at `since`, and is known at `now`, both on the steady
    /// clock.
    pub fn confirm(&self, gone: u64, since: Duration, now: Duration) {
        let mut state = self.state();
        if gone <= state.gone {
            return;
        }
        state.gone = gone;
        state.round_trip = state.round_trip.min(now.saturating_sub(since));
        let (from, before) = *state.measured.get_or_insert((since, 0));
        let length = now.saturating_sub(from);
        if length >= state.round_trip.max(SAMPLE) {
            state.measured = Some((now, gone));
            state.open_by((gone - before) as f64 / length.as_secs_f64());
        }
        wake(state);
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
        let piece = left.min(state.room()).min(PIECE);
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

    use proptest::prelude::*;

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
    fn a_second_of_what_the_line_carries_is_let_out_half_of_it_behind_each_question() {
        let woken = Arc::new(Counter(0.into()));
        let waker = woken.clone().into();
        let mut cx = Context::from_waker(&waker);
        let gate = Arc::new(Gate::default());
        let mut body = Outgoing::new(vec![0; 1_000_000].into(), Some(gate.clone()));
        gate.trip(Duration::ZERO);
        let (at, half) = (Duration::from_secs, SMALLEST / 2);
        let mut let_out = |cx: &mut Context<'_>| {
            let before = gate.state().handed;
            take(&mut body, cx);
            let handed = gate.state().handed;
            gate.ask(handed);
            handed - before
        };
        assert_eq!(let_out(&mut cx), half);
        assert_eq!(let_out(&mut cx), half);
        assert_eq!(let_out(&mut cx), 0);
        // 16 KiB in 2 s: the window stays the smallest, which is what that line carries in the doubled second.
        gate.confirm(2 * half, at(0), at(2));
        assert!(woken.0.load(std::sync::atomic::Ordering::SeqCst) > 0);
        assert_eq!(let_out(&mut cx) + let_out(&mut cx) + let_out(&mut cx), 2 * half);
        // As much in a quarter of a second: four times as much is let out.
        gate.confirm(4 * half, at(2), Duration::from_millis(2250));
        assert_eq!([let_out(&mut cx), let_out(&mut cx), let_out(&mut cx)], [4 * half, 4 * half, 0]);
        gate.open();
        assert_eq!(let_out(&mut cx), 1_000_000 - 12 * half);
        assert!(body.is_end_stream());
    }

    /// A line to a peer that carries so many bytes a ms, and on which an answer takes some ms, if nothing else is on it:
    /// how many ms it needs for a body, and how many, from the tenth second on, a byte waits to be sent.
    fn send(rate: f64, trip: u64, length: usize) -> (u64, f64) {
        let at = Duration::from_millis;
        let gate = Arc::new(Gate::default());
        let mut body = Outgoing::new(vec![0; length].into(), Some(gate.clone()));
        gate.trip(at(trip));
        let mut cx = Context::from_waker(Waker::noop());
        let (mut sent, mut left, mut longest) = (0.0, 0.0, 0.0_f64);
        // When they went, how many bytes before them, and when all of those had left.
        let mut questions: Vec<(u64, u64, Option<u64>)> = Vec::new();
        for now in 0.. {
            sent += take(&mut body, &mut cx) as f64;
            if questions.len() < 2 && gate.state().worth_asking() && gate.ask(sent as u64) {
                questions.push((now, sent as u64, None));
            }
            left = sent.min(left + rate);
            if left >= length as f64 {
                return (now, longest);
            }
            if now > 10_000 {
                longest = longest.max((sent - left) / rate);
            }
            for (_, behind, gone) in &mut questions {
                gone.get_or_insert(if left >= *behind as f64 { now } else { u64::MAX });
                *gone = gone.filter(|at| *at != u64::MAX);
            }
            let answered =
                |(_, _, gone): &mut (u64, u64, Option<u64>)| gone.is_some_and(|gone| gone + trip <= now);
            for (since, behind, _) in questions.extract_if(.., answered) {
                gate.confirm(behind, at(since), at(now));
            }
        }
        unreachable!("the body has an end")
    }

    proptest! {
        #[test]
        fn the_line_is_used_and_its_store_is_not_filled(kbit in 64_u32..20_000, trip in 2_u64..1050) {
            let rate = f64::from(kbit) / 8.0;
            let length = 60_000.0 * rate;
            let (took, longest) = send(rate, trip, length as usize);
            prop_assert!(took <= 80_000, "{took} ms for a minute's worth");
            prop_assert!(longest <= 2_300.0, "{longest} ms in the store");
        }
    }

    #[tokio::test]
    async fn what_no_question_is_behind_is_worth_asking() {
        let gate = Arc::new(Gate::default());
        let mut cx = Context::from_waker(Waker::noop());
        let length = 2 * SMALLEST as usize;
        let mut body = Outgoing::new(vec![0; length].into(), Some(gate.clone()));
        let wait = gate.worth_asking();
        let (taken, ()) = tokio::join!(async { take(&mut body, &mut cx) }, wait);
        let taken = taken as u64;
        assert_eq!(taken, SMALLEST / 2);
        assert!(gate.ask(taken) && !gate.ask(taken));
        assert!(!gate.state().worth_asking());
    }
}
