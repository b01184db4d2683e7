//! Septet, a native desktop client for the Session messenger network.
//!
//! This crate is the app: a window ([`gui`]), a command line ([`cli`]) and a demonstration that needs nothing but
//! itself ([`demo`]). All of them are readers of one account at work, `septet_client::client::Client`; none of them touches
//! keys, sockets or SQL.

pub mod cli;
pub mod demo;
pub mod gui;
