//! Configs on several devices of one account: whatever the order of events, they agree in the end, and nobody deletes
//! what is current. And on bytes from elsewhere: nothing panics.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod convergence;
mod foreign;
mod newer;
mod swarm;
