//! What runs in the background of a network, and ends with it.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

/// The tasks of a network.
pub(crate) struct Tasks {
    runtime: Handle,
    running: Mutex<Option<JoinSet<()>>>,
}

impl Tasks {
    pub fn new(runtime: Handle) -> Self {
        Self { runtime, running: Mutex::new(Some(JoinSet::new())) }
    }

    /// Runs `work` until the network ends.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(running) = running.as_mut() else { return };
        while running.try_join_next().is_some() {}
        running.spawn_on(work, &self.runtime);
    }

    /// Runs `work` to its end even when the one who asked has hung up, and gives its result if not shut down first.
    pub async fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (done, result) = oneshot::channel();
        self.spawn(async move { _ = done.send(work.await) });
        result.await.ok()
    }

    /// Stops everything that runs.
    pub fn stop(&self) -> Option<JoinSet<()>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = &mut running {
            running.abort_all();
        }
        running
    }
}

/// What is still ending.
#[must_use = "everything ends by itself, too; to wait for it is optional"]
pub(crate) struct Stopping {
    pub tasks: Option<JoinSet<()>>,
    pub doors: Vec<JoinHandle<()>>,
}

impl Stopping {
    /// Waits until nothing runs any more.
    pub async fn finish(self) {
        if let Some(mut tasks) = self.tasks {
            tasks.shutdown().await;
        }
        for door in self.doors {
            // The error says that the task was stopped, which was the purpose.
            _ = door.await;
        }
    }
}
