//! Accounts at work on a whole network in one process: real sockets, real onion layers, real swarms.
//!
//! Every test has its own network and its own folders, and waits with a time limit for what it wants to see.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod world;

mod approval;
mod attachments;
mod conversation;
mod devices;
mod disk;
mod enter;
mod faults;
mod forgetting;
mod hostile;
mod interleavings;
mod kinds;
mod lies;
mod many;
mod moment;
mod pointing;
mod previews;
mod renewal;
mod restore;
mod sending;
mod sync;
mod trust;
mod vanishing;
