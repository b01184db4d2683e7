//! A whole Session network in one process, on loopback.
//!
//! A seed, storage nodes in swarms, and a file server, which answer as the official servers do: onion requests over
//! TLS, the storage requests with their limits, signatures, times and texts, replication inside a swarm, paging,
//! expiry. What passes here passes outside. For tests everything can be looked into ([`Devnet::messages_of`]), broken
//! ([`Fault`], [`FileFault`], [`Devnet::network_down`]), made to lie ([`Lie`]), and put behind a slow line ([`Line`]).
//!
//! ```no_run
//! # async fn example() -> Result<(), septet_devnet::DevnetError> {
//! let devnet = septet_devnet::Devnet::builder().swarms(3).start().await?;
//! println!("{}", devnet.network_toml());
//! devnet.nodes()[0].set_fault(septet_devnet::Fault::Frozen);
//! # Ok(())
//! # }
//! ```
//!
//! Layout, from the outside in: `builder` makes a [`Devnet`]; `http` listens; `service` is a node's address list;
//! `onion` peels and passes on; `rpc` answers storage requests on the tables of `storage`; `file_server` and `seed`
//! stand beside the nodes; `state` keeps it all on disk if wanted. Beside these, what only tests need: `fault` and
//! `lie` say what is wrong with a node, `line` is a slow line before the doors, `membership` changes the swarms, with
//! new nodes from the `nursery`. Only loopback addresses are served or contacted.

mod base64;
mod builder;
mod cut;
mod devnet;
mod error;
mod fault;
mod file_server;
mod http;
mod lie;
mod limit;
mod line;
mod membership;
mod names;
mod network;
mod node;
mod nursery;
mod onion;
mod pubkey;
mod rpc;
mod seed;
mod service;
mod state;
mod storage;
mod tls;

pub use builder::DevnetBuilder;
pub use cut::Cut;
pub use devnet::Devnet;
pub use error::DevnetError;
pub use fault::{Fault, FileFault, SeedFault};
pub use file_server::{FileServerKind, StoredFile};
pub use lie::{HopLie, Lie, ListLie, RetrieveLie, StoreLie};
pub use line::{Line, Traffic};
pub use membership::Handover;
pub use node::{NodeHandle, NodeInfo};
pub use storage::StoredMessage;
