//! A place where something new may lie, and the steps of asking it.
//!
//! ```text
//! plan ──▶ fetch ──▶ for each part: decode ──▶ apply ──▶ Effects      and again, until plan has no more to ask
//! store    network                  all cores  one transaction
//! ```
//!
//! One go through all of that is a *round*. Only `apply` writes, and each part is written in one transaction together
//! with the mark of how far we are, so a round may be broken off anywhere: what was not stored is fetched again.
//!
//! Decision: parts are decoded one after the other, each after the one before was applied. What a part says may be
//! needed to read the next: a group's keys come before its messages (spec 06 §10.2).

use std::time::Duration;

use futures_util::future::BoxFuture;
use septet_network::NetworkError;
use septet_protocol::id::Namespace;

use crate::engine::effects::Effects;
use crate::store::StoreError;

/// Why a round did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The network did not answer.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The store could not keep what came.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A node could not read one of the compartments. What the others had is stored.
    #[error("a member of the swarm cannot read {0}")]
    Unreadable(Namespace),
    /// All members that were asked sent what is not what it says it is.
    #[error("members of the swarm send forged messages")]
    Forged,
    /// What came cannot be taken in yet; it will come again.
    #[error("the network's time is not known yet")]
    TimeUnknown,
}

/// A place where something new may lie. See the [module](self) for the order of its steps.
pub trait Source: Send + 'static {
    /// What to ask next.
    type Question: Send;
    /// A part of the answer that is stored as one.
    type Part: Send;
    /// What such a part says.
    type Items: Send;

    /// A round begins; the one before may have been broken off.
    fn begin(&mut self);

    /// Reads from the store where to go on; `None` when there is no more to ask in this round.
    fn plan(&mut self) -> impl Future<Output = Result<Option<Self::Question>, PollError>> + Send;

    /// Asks the network. The parts of the answer are taken in in their order.
    fn fetch(
        &mut self,
        question: Self::Question,
    ) -> impl Future<Output = Result<Vec<Self::Part>, PollError>> + Send;

    /// Finds out what a part says, but for what is known already.
    fn decode(&mut self, part: Self::Part) -> impl Future<Output = Result<Self::Items, PollError>> + Send;

    /// Stores it, with the mark of where to go on, in one transaction.
    fn apply(&mut self, items: Self::Items) -> impl Future<Output = Result<Effects, PollError>> + Send;

    /// All there was is here; only after this does the round count as complete.
    fn complete(&mut self) -> impl Future<Output = Result<Effects, PollError>> + Send;

    /// How long to wait for the next round after a complete one, without jitter.
    fn pace(&self) -> Duration;
}

/// Carries out what follows from something stored.
pub type CarryOut<'a> = &'a (dyn Fn(Effects) + Send + Sync);

/// A [`Source`] of any kind, as the scheduler sees it.
pub trait AnySource: Send {
    /// Asks for everything there is. May be dropped at any moment.
    fn round<'a>(&'a mut self, carry_out: CarryOut<'a>) -> BoxFuture<'a, Result<(), PollError>>;

    /// See [`Source::pace`].
    fn pace(&self) -> Duration;
}

impl<S: Source> AnySource for S {
    fn round<'a>(&'a mut self, carry_out: CarryOut<'a>) -> BoxFuture<'a, Result<(), PollError>> {
        Box::pin(async move {
            self.begin();
            while let Some(question) = self.plan().await? {
                for part in self.fetch(question).await? {
                    let items = self.decode(part).await?;
                    carry_out(self.apply(items).await?);
                }
            }
            carry_out(self.complete().await?);
            Ok(())
        })
    }

    fn pace(&self) -> Duration {
        Source::pace(self)
    }
}
