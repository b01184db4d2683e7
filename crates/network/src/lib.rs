//! How bytes travel on the Session network.
//!
//! A client asks nodes through *onion paths* of three nodes each, of which none knows both who asks and what for. This
//! crate finds the nodes, keeps paths, sends requests through them, finds the swarm that keeps an account's messages,
//! and moves files. It knows nothing of conversations.
//!
//! ```text
//! Network (handle)
//!   ├─ policy      whom to ask and whom to believe, decided without doing any of it
//!   ├─ driver      doing it; seed, disk, snapshot: where lists of nodes and guards come from
//!   ├─ swarm       requests to an account's swarm: member, redirects, clock; attempts: how often anything is tried
//!   ├─ file_server uploads and downloads          names: who is called what
//!   └─ onion       one request over one path; failure: what each error means
//!        └─ http   posts, and their limits of time; activity: what moves
//!             └─ connections, connection: open sockets; pace, gate: how far ahead of the line; tls: whom we believe
//! ```
//! `web` fetches pages for the previews of links, over a `connection` of its own. `shared` is what they have in common: the
//! policy, paths, clock, status; `machine`: clocks, and whether it has slept.

mod activity;
mod attempts;
mod choose;
mod clock;
pub mod config;
mod connection;
mod connections;
mod disk;
mod driver;
mod error;
mod failure;
mod file_server;
mod gate;
mod http;
mod machine;
mod names;
mod network;
mod onion;
mod pace;
mod path;
mod policy;
mod seed;
mod shared;
mod snapshot;
mod status;
mod swarm;
mod tls;
pub mod web;

pub use config::{ConfigError, NetworkConfig};
pub use error::NetworkError;
pub use file_server::UploadedFile;
pub use machine::MachineClock;
pub use network::{Network, Reply};
pub use snapshot::NodeSnapshot;
pub use status::{Connection, NetworkStatus, PathHop};
