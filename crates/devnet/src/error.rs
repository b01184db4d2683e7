//! Why a local network cannot be started.

use std::net::SocketAddrV4;
use std::path::PathBuf;

/// Why a local network cannot be started or described.
#[derive(Debug, thiserror::Error)]
pub enum DevnetError {
    /// A network needs at least one node, and fits into the loopback addresses.
    #[error("a network of {0} nodes cannot be made: 1 to 10,000 are possible")]
    Size(usize),
    /// The folder holds a network of another shape: choose another folder, or ask for that shape.
    #[error("the folder holds a network of {found} nodes, not {wanted}; choose another folder")]
    OtherShape {
        /// Nodes asked for.
        wanted: usize,
        /// Nodes found.
        found: usize,
    },
    /// No port could be had.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddrV4,
        /// Why not.
        source: std::io::Error,
    },
    /// The state folder cannot be made.
    #[error("cannot use the folder {}: {source}", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The state folder's database cannot be read or written.
    #[error("the state of the local network cannot be used: {0}")]
    State(#[from] rusqlite::Error),
    /// The certificate was not accepted.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The network file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    NetworkFile {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}
