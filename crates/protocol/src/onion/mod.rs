//! Onion requests: a request in layers, of which each node on the path can open one (spec 03 §6).
//!
//! ```text
//! frame(ct, json)  = u32 little-endian length of ct ‖ ct ‖ json
//! layer for node n = Enc(n, frame(next layer, {"destination": …, "ephemeral_key": …}))
//! ```
//! The guard knows us but not the destination, the last hop knows the destination but not us. Every layer has a key
//! of its own, agreed between a throw-away key and the node's key; the reply comes back under the innermost one.
//!
//! [`build`], [`build_unnamed`] and [`ResponseKey`] are the client's side; [`parse_request`], [`peel`] and [`LayerKey`] are a node's;
//! [`open_server_layer`] and [`v4`] serve both a client that talks to a server and the server itself. The test network
//! runs the nodes' half of this module, so each half is tested against the other and both against the official
//! core's values.

mod build;
mod frame;
mod layer;
mod peel;
mod reply;
#[cfg(test)]
mod tests;
pub mod v4;

pub use build::{OnionError, Request, build, build_unnamed};
pub use layer::{EncType, LayerKey};
pub use peel::{Envelope, FrameError, PeelError, Peeled, RpcOptions, open_server_layer, parse_request, peel};
pub use reply::{NodeReply, ReplyError, ResponseKey};

use crate::id::{Ed25519Public, X25519Public};

/// A node as a layer needs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hop {
    /// What the node before it calls it.
    pub ed25519: Ed25519Public,
    /// What its layer is encrypted to.
    pub x25519: X25519Public,
}

/// Where the request ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Destination {
    /// A node of the network, which runs a storage request.
    Node(Hop),
    /// A server outside of the network (file server, communities), which the last hop asks by HTTP.
    Server {
        /// Host name or address.
        host: String,
        /// Path on the server: `/oxen/v4/lsrpc`.
        target: String,
        /// How the last hop talks to the server.
        protocol: Protocol,
        /// Port, if it is not the protocol's own.
        port: Option<u16>,
        /// HTTP method: `POST`.
        method: String,
        /// What the innermost layer is encrypted to.
        x25519: X25519Public,
    },
}

impl Destination {
    /// The key of the innermost layer.
    pub fn x25519(&self) -> &X25519Public {
        match self {
            Self::Node(hop) => &hop.x25519,
            Self::Server { x25519, .. } => x25519,
        }
    }
}

/// How the last hop talks to a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// Without TLS; the onion layer for the server protects the request all the same.
    Http,
    /// With TLS.
    Https,
}

impl Protocol {
    /// As in URLs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port when none is named.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    fn parse(name: &str) -> Option<Self> {
        match name {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            _ => None,
        }
    }
}
