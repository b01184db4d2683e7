//! The local network against the documents it follows: every request, limit, text and signature, and every fault.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that goes wrong is to panic"
)]

mod claims;
mod client;
mod directory;
mod faults;
mod files;
mod holds;
mod http;
mod lasting;
mod lies;
mod membership;
mod newer;
mod onion;
mod refusals;
mod storage;
mod subaccounts;
mod vectors;
mod wire;
mod witnesses;

use septet_devnet::Devnet;

/// A network of the usual shape.
async fn network() -> Devnet {
    Devnet::start().await.unwrap()
}
