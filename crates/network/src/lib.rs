//! How bytes travel on the Session network.
//!
//! A client asks nodes through *onion paths* of three nodes each, of which none knows both who asks and what for. This
//! crate finds the nodes, keeps paths, sends requests through them, finds the swarm that keeps an account's messages,
//! and moves files. It knows nothing of conversations.
//!
//! ```text
//! Network (handle)
//!   ├─ keeper      two tested paths at all times; seed, disk: where nodes come from
//!   ├─ swarm       requests to an account's swarm: member, retries, redirects, clock
//!   ├─ file_server uploads and downloads          names: who is called what
//!   └─ onion       one request over one path; failure: what each error means
//!        └─ http   connections; tls: whom we believe
//! ```
//! `shared` is what they have in common: node pool, paths, clock, status.

mod choose;
mod clock;
pub mod config;
mod disk;
mod error;
mod failure;
mod file_server;
mod http;
mod keeper;
mod names;
mod network;
mod onion;
mod path;
mod pool;
mod seed;
mod shared;
mod status;
mod swarm;
mod tls;

pub use config::{ConfigError, NetworkConfig};
pub use error::NetworkError;
pub use file_server::UploadedFile;
pub use network::{Network, Reply};
pub use status::{Connection, NetworkStatus, PathHop};
