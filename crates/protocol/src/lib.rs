//! What the bytes of the Session network mean.
//!
//! Keys, recovery phrases, ciphers, messages, configs, onion layers and storage requests: everything here is a
//! function from bytes to values and back. Nothing in this crate opens a socket or a file, reads the clock, spawns
//! or logs. Time and randomness are arguments, so every byte we send can be reproduced in a test.
//!
//! Layout: [`id`] and [`time`] hold the types that name things; [`crypto`] the ciphers; the other modules one area
//! of the protocol each, in the order of the documents under `spec/`.

pub mod account;
pub mod attachment;
pub mod bencode;
pub mod config;
mod counted;
pub mod crypto;
mod fields;
pub mod id;
pub mod message;
pub mod name;
pub mod onion;
pub mod swarm;
pub mod time;
pub mod wire;
