//! The messages of the network as bytes: the protobuf schema of spec 02 §2, and nothing that interprets it.
//!
//! The schema is `proto/session.proto`, compiled when the crate is built. [`crate::message`] and
//! [`crate::attachment`] turn these types into ones that mean something; no other code should need them.
//!
//! Decision: every field is optional here. So a missing required field can be told from a zero one on receipt (it
//! makes the message malformed), and a set but empty one is written, which older decoders insist on. Fields are
//! written in ascending order of their numbers; unknown fields are skipped; repeated numbers are read packed or not.

/// The generated types.
#[allow(clippy::all, clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
pub mod proto {
    include!(concat!(env!("OUT_DIR"), "/septet.wire.rs"));
}

pub use prost::{DecodeError, Message};
