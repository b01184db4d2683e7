//! The network going away in the middle of a request: to see what a client makes of a request of which it does not
//! know how far it came.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// When the network goes away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// When a request has arrived, before it is carried out.
    Before,
    /// When it is carried out, before anybody hears of that.
    After,
}

/// There is no network any more: whatever is answered, nobody gets it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Gone;

/// Everything between the nodes and their clients.
#[derive(Default)]
pub(crate) struct Wire {
    plan: Mutex<Option<(String, Cut, u32)>>,
    cut: watch::Sender<bool>,
}

impl Wire {
    fn planned(&self) -> MutexGuard<'_, Option<(String, Cut, u32)>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans a cut at the request of this name that is the `number`th from now on, 1 being the next.
    pub fn plan(&self, request: &str, cut: Cut, number: u32) {
        *self.planned() = Some((request.to_owned(), cut, number));
    }

    /// Whether the network has gone away.
    pub fn is_cut(&self) -> bool {
        *self.cut.borrow()
    }

    /// Until the network has gone away.
    pub async fn until_cut(&self) {
        // The sender is ours, so it does not go away first.
        let _ = self.cut.subscribe().wait_for(|cut| *cut).await;
    }

    /// The network is back; nothing is planned.
    pub fn mend(&self) {
        *self.planned() = None;
        self.cut.send_replace(false);
    }

    /// A request begins: whether the cut comes after it.
    pub fn begin(&self, request: &str) -> Result<bool, Gone> {
        let mut plan = self.planned();
        let met = match &mut *plan {
            Some((name, cut, number)) if name == request => {
                *number = number.saturating_sub(1);
                (*number == 0).then_some(*cut)
            }
            _ => None,
        };
        if met.is_some() {
            *plan = None;
        }
        if met == Some(Cut::Before) {
            self.cut.send_replace(true);
        }
        if self.is_cut() { Err(Gone) } else { Ok(met.is_some()) }
    }

    /// A request is carried out that the cut was planned after.
    pub fn end(&self) {
        self.cut.send_replace(true);
    }
}
