//! The window as a person uses it: pictures of the main screens, and what happens on clicks and keys.
//!
//! The window is real; the account behind it is played by the test, which reads commands and feeds updates.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // it is a test

mod account;
mod compose;
mod details;
mod devices;
mod files;
mod first_run;
mod id_code;
mod pictures;
mod pointing;
mod profile;
mod quiet;
mod real;
mod requests;
mod rows;
mod sample;
mod stage;
mod use_it;
mod voice;
mod whole;
mod writing;
