//! The network going away in the middle of a request: to see what a client makes of a request of which it does not
//! know how far it came.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::rpc::Response;

/// When the network goes away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// When a request has arrived, before it is carried out.
    Before,
    /// When it is carried out, before anybody hears of that.
    After,
}

#[derive(Default)]
struct State {
    plan: Option<(String, Cut, u32)>,
    cut: bool,
}

/// Everything between the nodes and their clients.
#[derive(Default)]
pub(crate) struct Wire(Mutex<State>);

impl Wire {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans a cut at the request of this name that is the `number`th from now on, 1 being the next.
    pub fn plan(&self, request: &str, cut: Cut, number: u32) {
        self.state().plan = Some((request.to_owned(), cut, number));
    }

    /// Whether the network has gone away.
    pub fn is_cut(&self) -> bool {
        self.state().cut
    }

    /// The network is back; nothing is planned.
    pub fn mend(&self) {
        *self.state() = State::default();
    }

    /// A request begins: what is planned for it, or the reply that nobody gets if there is no network any more.
    pub fn begin(&self, request: &str) -> Result<bool, Response> {
        let mut state = self.state();
        let met = match &mut state.plan {
            Some((name, cut, number)) if name == request => {
                *number = number.saturating_sub(1);
                (*number == 0).then_some(*cut)
            }
            _ => None,
        };
        state.cut |= met == Some(Cut::Before);
        if met.is_some() {
            state.plan = None;
        }
        if state.cut { Err(Response::text(503, "cut")) } else { Ok(met.is_some()) }
    }

    /// A request is carried out that the cut was planned after.
    pub fn end(&self) {
        self.state().cut = true;
    }
}
