//! One slow line between all clients and the whole network.
//!
//! What a laptop behind a bad connection has: a rate each way, a delay, and in front of the narrow place a buffer,
//! which fills when more comes than goes. Bytes wait there in the order they came, whatever connection they belong
//! to, so that the delay grows as the buffer fills; when it is full, senders are held up, as TCP is in the end by the
//! losses that a full buffer causes. Nodes among themselves, and on their way to the file server, do not use the line.
//!
//! Decision: the line is kept as the moment at which it will have sent all it has taken, per direction, instead of
//! as a queue that is worked off: so its rate is exact, whatever the timers are, and a test can say what the line
//! alone needs. Bytes on the line are those of the connections (TLS and HTTP with all heads); of TCP itself there is
//! the first exchange of each connection, 40 bytes each way. Acknowledgements and repetitions are left out.

use std::future::pending;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// A line between all clients and the network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// Bytes per second from clients to the network; 1,000 kbit/s are 125,000.
    pub up: u64,
    /// Bytes per second from the network to clients.
    pub down: u64,
    /// How long a byte takes from end to end once it was sent, one way.
    pub delay: Duration,
    /// How many bytes of each direction may wait to be sent. One second of buffer is as many as the rate.
    pub buffer: u64,
}

/// A direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Up,
    Down,
}

impl Line {
    /// How long the line needs for so many bytes in one direction.
    fn time(&self, way: Way, bytes: u64) -> Duration {
        let rate = match way {
            Way::Up => self.up,
            Way::Down => self.down,
        };
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(rate.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Takes bytes into the buffer in front of a direction that is busy until `busy`: until when it is busy then, or
    /// when to try again if they do not fit.
    fn take(&self, way: Way, busy: Instant, now: Instant, bytes: u64) -> Result<Instant, Instant> {
        let waiting = busy.saturating_duration_since(now);
        let own = self.time(way, bytes);
        let allowed = self.time(way, self.buffer).saturating_sub(own);
        if waiting <= allowed { Ok(now + waiting + own) } else { Err(now + (waiting - allowed)) }
    }

    /// How large the pieces are that bytes are taken in: small enough for connections to take turns, and few enough
    /// for what is under way to fit into [`UNDER_WAY`] of them.
    fn piece(&self, way: Way) -> usize {
        let per_second = self.time(way, 1_000_000_000).as_nanos().max(1);
        let on_the_way = self.delay.as_nanos().saturating_mul(1_000_000_000) / per_second;
        let most = u64::try_from(on_the_way).unwrap_or(u64::MAX).saturating_add(self.buffer);
        usize::try_from(most / 512).unwrap_or(usize::MAX).clamp(1460, PIECE)
    }
}

/// The largest piece, bytes; what is taken at once when there is no line.
const PIECE: usize = 16_384;
/// How many pieces of a connection may be under way in one direction.
const UNDER_WAY: usize = 4096;
/// Bytes of a TCP packet that sets up a connection.
const SETUP: u64 = 40;
/// How many bytes lie between a connection's socket and its server.
const BETWEEN: usize = 65_536;

/// What all connections of clients pass through, whether it is narrow at present or not.
pub(crate) struct Bottleneck {
    line: watch::Sender<Option<Line>>,
    up: Direction,
    down: Direction,
}

struct Direction {
    /// Until when it sends what it has taken.
    busy: Mutex<Instant>,
    /// Who may try to put something in; the others wait in order.
    turn: tokio::sync::Mutex<()>,
}

impl Direction {
    fn new() -> Self {
        Self { busy: Mutex::new(Instant::now()), turn: tokio::sync::Mutex::new(()) }
    }

    fn set_busy(&self, until: Instant) {
        *self.busy.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

impl Bottleneck {
    /// No line yet.
    pub fn new() -> Self {
        Self { line: watch::channel(None).0, up: Direction::new(), down: Direction::new() }
    }

    /// Puts a line in, or takes it away; its buffer is empty then. What is under way arrives as it would have.
    pub fn set(&self, line: Option<Line>) {
        self.line.send_modify(|current| {
            *current = line;
            for direction in [&self.up, &self.down] {
                direction.set_busy(Instant::now());
            }
        });
    }

    fn direction(&self, way: Way) -> &Direction {
        match way {
            Way::Up => &self.up,
            Way::Down => &self.down,
        }
    }

    /// Waits until bytes are taken into the buffer; when they arrive at the other end, if there is a line.
    async fn pass(&self, way: Way, bytes: u64) -> Option<Instant> {
        (*self.line.borrow())?;
        let direction = self.direction(way);
        let _turn = direction.turn.lock().await;
        let mut changes = self.line.subscribe();
        loop {
            let line = (*changes.borrow_and_update())?;
            let again = {
                let mut busy = direction.busy.lock().unwrap_or_else(PoisonError::into_inner);
                match line.take(way, *busy, Instant::now(), bytes) {
                    Ok(until) => {
                        *busy = until;
                        return Some(until + line.delay);
                    }
                    Err(again) => again,
                }
            };
            tokio::select! {
                () = sleep_until(again) => {}
                _ = changes.changed() => {}
            }
        }
    }

    /// Lets a connection be set up: one packet up, one down.
    async fn set_up(&self) {
        for way in [Way::Up, Way::Down] {
            if let Some(arrival) = self.pass(way, SETUP).await {
                sleep_until(arrival).await;
            }
        }
    }

    fn piece(&self, way: Way) -> usize {
        self.line.borrow().map_or(PIECE, |line| line.piece(way))
    }

    /// Carries bytes one way until there are no more or the other end is gone.
    async fn carry(&self, way: Way, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
        let (send, mut receive) = mpsc::channel::<(Option<Instant>, Bytes)>(UNDER_WAY);
        let take = async move {
            let mut piece = vec![0; PIECE];
            loop {
                let room = piece.get_mut(..self.piece(way)).unwrap_or_default();
                let read = match from.read(room).await {
                    Ok(read) if read > 0 => read,
                    // A connection that breaks ends like one that is closed.
                    Ok(_) | Err(_) => return,
                };
                let taken = Bytes::copy_from_slice(piece.get(..read).unwrap_or_default());
                let arrival = self.pass(way, u64::try_from(read).unwrap_or(u64::MAX)).await;
                if send.send((arrival, taken)).await.is_err() {
                    return;
                }
            }
        };
        let give = async move {
            while let Some((arrival, piece)) = receive.recv().await {
                if let Some(arrival) = arrival {
                    sleep_until(arrival).await;
                }
                if to.write_all(&piece).await.is_err() {
                    return;
                }
            }
            // The error says that the other end is gone, which ends it as well.
            _ = to.shutdown().await;
        };
        let (mut take, mut give) = (pin!(take), pin!(give));
        tokio::select! {
            () = &mut take => give.await,
            () = &mut give => {}
        }
    }

    /// Serves a client's connection behind the line: `serve` gets the end that it is to talk to.
    pub async fn connect<F: Future<Output = ()>>(
        &self,
        stream: TcpStream,
        serve: impl FnOnce(DuplexStream) -> F,
    ) {
        self.set_up().await;
        let (near, far) = tokio::io::duplex(BETWEEN);
        let (far_read, far_write) = tokio::io::split(far);
        let (read, write) = stream.into_split();
        let up = async {
            self.carry(Way::Up, read, far_write).await;
            pending::<()>().await;
        };
        let served = async {
            let mut down = pin!(self.carry(Way::Down, far_read, write));
            tokio::select! {
                () = serve(near) => down.await,
                () = &mut down => {}
            }
        };
        tokio::select! {
            () = served => {}
            () = up => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: Line = Line { up: 1000, down: 4000, delay: Duration::from_millis(100), buffer: 2000 };

    #[test]
    fn each_direction_sends_at_its_rate() {
        let now = Instant::now();
        assert_eq!(LINE.take(Way::Up, now, now, 500), Ok(now + Duration::from_millis(500)));
        assert_eq!(LINE.take(Way::Down, now, now, 500), Ok(now + Duration::from_millis(125)));
        // What comes later waits for what came first; an idle time is not made up for.
        let busy = now + Duration::from_millis(500);
        assert_eq!(LINE.take(Way::Up, busy, now, 100), Ok(now + Duration::from_millis(600)));
        let later = now + Duration::from_secs(9);
        assert_eq!(LINE.take(Way::Up, busy, later, 100), Ok(later + Duration::from_millis(100)));
    }

    #[test]
    fn what_does_not_fit_into_the_buffer_is_held_up_until_it_does() {
        let now = Instant::now();
        let full = now + Duration::from_secs(2);
        assert_eq!(LINE.take(Way::Up, full, now, 500), Err(now + Duration::from_millis(500)));
        let room = now + Duration::from_millis(500);
        assert_eq!(LINE.take(Way::Up, full, room, 500), Ok(now + Duration::from_millis(2500)));
        // More than the buffer holds goes when nothing else is there.
        assert_eq!(LINE.take(Way::Up, full, now, 9000), Err(full));
        assert!(LINE.take(Way::Up, full, full, 9000).is_ok());
    }

    #[test]
    fn all_that_is_under_way_fits() {
        for line in
            [LINE, Line { up: 125_000, down: 12_500_000, delay: Duration::from_secs(1), buffer: 8_000_000 }]
        {
            for way in [Way::Up, Way::Down] {
                let rate = if way == Way::Up { line.up } else { line.down };
                let most = line.buffer + rate * u64::try_from(line.delay.as_millis()).unwrap() / 1000;
                let pieces = most / u64::try_from(line.piece(way)).unwrap();
                assert!(pieces < u64::try_from(UNDER_WAY).unwrap(), "{line:?} {way:?}: {pieces}");
            }
        }
    }
}
