//! The messages of the network as bytes: the protobuf schema of spec 02 §2, and nothing that interprets it.
//!
//! The schema is `proto/session.proto`, compiled when the crate is built. [`crate::message`] and
//! [`crate::attachment`] turn these types into ones that mean something; no other code should need them.
//!
//! Decision: every field is optional here. So a missing required field can be told from a zero one on receipt (it
//! makes the message malformed), and a set but empty one is written, which older decoders insist on. Fields are
//! written in ascending order of their numbers; unknown fields are skipped; repeated numbers are read packed or not.
//!
//! Decision: texts are bytes here. A decoder of strings refuses the whole message for one text that is not UTF-8, and a
//! broken display name would silently lose everything that a person writes. So a text that nobody needs and that is
//! not UTF-8 counts as absent ([`text`]), and one that is the point of its message is shown as far as it can be
//! ([`lossy_text`]).

/// The generated types.
#[allow(clippy::all, clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
pub mod proto {
    include!(concat!(env!("OUT_DIR"), "/septet.wire.rs"));
}

pub use prost::{DecodeError, Message};

/// A field's text; `None` if it is not there or not UTF-8.
pub(crate) fn text(field: Option<Vec<u8>>) -> Option<String> {
    String::from_utf8(field?).ok()
}

/// A field's text with U+FFFD in place of what is not UTF-8.
pub(crate) fn lossy_text(field: Vec<u8>) -> String {
    String::from_utf8(field).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
