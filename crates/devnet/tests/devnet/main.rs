//! The local network against the documents it follows: every request, limit, text and signature, and every fault.

mod client;
mod directory;
mod faults;
mod files;
mod lasting;
mod onion;
mod refusals;
mod storage;
mod subaccounts;

use septet_devnet::Devnet;

/// A network of the usual shape.
async fn network() -> Devnet {
    Devnet::start().await.unwrap()
}
