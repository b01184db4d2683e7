//! The network part against a whole network on this machine: real sockets, real onion layers, real faults.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod clock;
mod faults;
mod files;
mod lies;
mod lines;
mod lists;
mod names;
mod paths;
mod requests;
mod small;
mod web;
mod world;
