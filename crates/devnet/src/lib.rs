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
//! Layout, each line standing on those above it and never on one below:
//!
//! * values: `pubkey`, `node_info`, `stored`, `namespace`, `version`, `base64`, `error`;
//! * `storage`, a node's table, and `state`, which keeps it all on disk if wanted; beside them `http` with `line`, `tls`
//!   and `limit`, and `clock` and `tasks`;
//! * what only tests need: `lie`, then `fault` (what is wrong with a node), `cut` and `hold`;
//! * `node`; then `network`, the nodes together with the register of `names`; `seat`, one node's place in it;
//! * `rpc` answers storage requests from a seat; `onion` peels and passes on;
//! * what stands behind doors: `service` (a node's address list), `seed`, `file_server`;
//! * `devnet`, the whole; around it `builder` makes one, and `membership` changes its swarms, with new nodes from the
//!   `nursery`.
//!
//! * `website` stands apart from the network: what links lead to.
//!
//! Only loopback addresses are served or contacted.

mod base64;
mod builder;
mod clock;
mod cut;
mod devnet;
mod error;
mod fault;
mod file_server;
mod hold;
mod http;
mod lie;
mod limit;
mod line;
mod membership;
mod names;
mod namespace;
mod network;
mod node;
mod node_info;
mod nursery;
mod onion;
mod pubkey;
mod rpc;
mod seat;
mod seed;
mod service;
mod state;
mod storage;
mod stored;
mod tasks;
mod tls;
mod version;
mod website;

pub use builder::DevnetBuilder;
pub use cut::Cut;
pub use devnet::Devnet;
pub use error::DevnetError;
pub use fault::{Fault, FileFault, SeedFault};
pub use file_server::FileServerKind;
pub use hold::Hold;
pub use lie::{HopLie, Lie, ListLie, RetrieveLie, StoreLie};
pub use line::{Line, Traffic};
pub use membership::Handover;
pub use node::NodeHandle;
pub use node_info::NodeInfo;
pub use stored::{StoredFile, StoredMessage};
pub use version::ServerVersion;
pub use website::{WebAnswer, Website};
