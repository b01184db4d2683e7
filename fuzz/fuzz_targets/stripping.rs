//! Files that are to be sent, and what is taken out of them.

#![no_main]

#[allow(dead_code)]
#[path = "../../crates/protocol/tests/messages/foreign.rs"]
mod foreign;

libfuzzer_sys::fuzz_target!(|data: &[u8]| foreign::to_be_sent(data));
