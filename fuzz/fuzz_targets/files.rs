//! Encrypted files, in both formats and as older display pictures.

#![no_main]

#[allow(dead_code)]
#[path = "../../crates/protocol/tests/messages/foreign.rs"]
mod foreign;

libfuzzer_sys::fuzz_target!(|data: &[u8]| foreign::file(data));
