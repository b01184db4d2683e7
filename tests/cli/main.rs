//! The built program, as scripts and people use it: several profiles in processes of their own, on a local network
//! in another.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // it is a test

mod attachments;
mod bad_input;
mod clock;
mod conformance;
mod conversation;
mod enter;
mod events;
mod harness;
mod human;
mod kill;
mod manual;
mod names;
mod previews;
mod promises;
mod rpc;
mod schema;
mod settings;
mod sync;
mod voice;
