//! How bytes travel on the Session network.
//!
//! A client asks nodes through *onion paths* of three nodes each, of which none knows both who asks and what for. This
//! crate finds the nodes, keeps paths, sends requests through them, finds the swarm that keeps an account's messages,
//! and moves files. It knows nothing of conversations.

pub mod config;

pub use config::{ConfigError, NetworkConfig};
