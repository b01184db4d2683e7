//! An account at work: everything between the network's bytes and what a person sees.
//!
//! A [`Client`](client::Client) owns one profile folder: an encrypted database, an outbox, the files. It polls the
//! account's swarm, receives, sends, retries and keeps other devices in step, and tells what changed as
//! [`Event`](event::Event)s. The window and the command line are two readers of the same shapes ([`model`]).

pub mod client;
mod disk;
mod engine;
mod error;
pub mod event;
pub mod model;
mod source_file;
pub mod store;

pub use store::{files, key};
