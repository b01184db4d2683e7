//! `receive` as a method: fetches what waits; what it is, subscriptions tell.

use crate::cli::Failure;
use crate::cli::call::{Call, Context, Done, params};
use crate::cli::receive::FETCH;

params! {
    /// Fetch what waits in the swarm; done when it is here. What arrives is told to subscriptions
    pub struct Receive {}
}

impl Call for Receive {
    const NAME: &'static str = "receive";
    type Answer = Done;

    async fn run(self, context: &Context) -> Result<Done, Failure> {
        context.client().await?.sync_once(context.limit(FETCH)).await?;
        Ok(Done::OK)
    }
}
