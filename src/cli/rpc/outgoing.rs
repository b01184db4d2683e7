//! What is to be written to stdout, as much of it as may wait.
//!
//! Decision: a reader that is slow, or has stopped, costs at most [`MOST_BYTES`]. Whoever has something to say waits until
//! there is room, in the order in which they came; a thread of its own writes, so nothing else waits for the reader.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

/// So many bytes may wait. A line that is longer waits until nothing else does.
const MOST_BYTES: u32 = 4 * 1024 * 1024;

/// A line with the room it takes.
struct Line(
    String,
    #[allow(dead_code, reason = "gives the room free when it is dropped")] OwnedSemaphorePermit,
);

/// Lines on their way to a reader.
#[derive(Clone)]
pub struct Outgoing {
    lines: mpsc::UnboundedSender<Line>,
    room: Arc<Semaphore>,
    gone: CancellationToken,
}

impl Outgoing {
    /// Starts the thread that writes to `to`.
    pub fn to(to: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, waiting) = mpsc::unbounded_channel();
        let gone = CancellationToken::new();
        let outgoing =
            Self { lines, room: Arc::new(Semaphore::new(MOST_BYTES as usize)), gone: gone.clone() };
        std::thread::Builder::new().name("rpc-out".into()).spawn(move || {
            // Only that nobody reads any more is of interest.
            let _ = write(to, waiting);
            gone.cancel();
        })?;
        Ok(outgoing)
    }

    /// Has a line written; returns when there was room for it. Whoever gives up waiting has said nothing.
    pub async fn push(&self, line: String) {
        let bytes = u32::try_from(line.len()).unwrap_or(MOST_BYTES).clamp(1, MOST_BYTES);
        let room = tokio::select! {
            room = self.room.clone().acquire_many_owned(bytes) => room,
            () = self.gone.cancelled() => return,
        };
        if let Ok(room) = room {
            // An error says that nobody reads any more, which `gone` tells.
            let _ = self.lines.send(Line(line, room));
        }
    }

    /// Ends when nobody reads any more.
    pub async fn gone(&self) {
        self.gone.cancelled().await;
    }

    /// Waits, for at most `limit`, until everything is written.
    pub async fn flush(&self, limit: Duration) {
        let all = self.room.acquire_many(MOST_BYTES);
        tokio::select! {
            _ = tokio::time::timeout(limit, all) => {}
            () = self.gone.cancelled() => {}
        }
    }
}

/// Writes lines until there are no more, or the reader is gone.
fn write(mut to: impl Write, mut lines: mpsc::UnboundedReceiver<Line>) -> io::Result<()> {
    while let Some(Line(mut line, _room)) = lines.blocking_recv() {
        line.push('\n');
        to.write_all(line.as_bytes())?;
        to.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc as blocking;

    use super::*;

    /// A reader that reads when it is told to.
    struct Slow {
        go: blocking::Receiver<()>,
        read: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.go.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
            self.read.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_reader_that_stops_makes_writers_wait_and_loses_nothing() {
        let (go, told) = blocking::channel();
        let read = Arc::new(Mutex::new(Vec::new()));
        let outgoing = Outgoing::to(Slow { go: told, read: read.clone() }).unwrap();
        let large = "x".repeat(MOST_BYTES as usize / 2);
        outgoing.push(large.clone()).await;
        outgoing.push(large.clone()).await;
        let third = outgoing.push("third".into());
        tokio::pin!(third);
        let waits = tokio::select! {
            biased;
            () = &mut third => false,
            () = tokio::task::yield_now() => true,
        };
        assert!(waits, "there is no room");
        go.send(()).unwrap();
        third.await;
        go.send(()).unwrap();
        go.send(()).unwrap();
        outgoing.flush(Duration::from_secs(60)).await;
        assert_eq!(read.lock().unwrap().len(), MOST_BYTES as usize + 2 + "third\n".len());
    }

    #[tokio::test]
    async fn a_reader_that_is_gone_keeps_nobody() {
        let (go, told) = blocking::channel();
        let outgoing = Outgoing::to(Slow { go: told, read: Arc::default() }).unwrap();
        drop(go);
        outgoing.push("x".repeat(MOST_BYTES as usize)).await;
        outgoing.gone().await;
        outgoing.push("x".repeat(MOST_BYTES as usize)).await;
        outgoing.flush(Duration::MAX).await;
    }
}
