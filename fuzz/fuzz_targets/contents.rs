//! What an opened message says, from bytes to typed content, without the cryptography around it.

#![no_main]

#[allow(dead_code)]
#[path = "../../crates/protocol/tests/messages/foreign.rs"]
mod foreign;

libfuzzer_sys::fuzz_target!(|data: &[u8]| foreign::opened(data));
