//! What is inside an encrypted config message.

#![no_main]

#[allow(dead_code)]
#[path = "../../crates/protocol/tests/config_sync/foreign.rs"]
mod foreign;

libfuzzer_sys::fuzz_target!(|data: &[u8]| foreign::messages(data));
