//! What a config is loaded from.

#![no_main]

#[allow(dead_code)]
#[path = "../../crates/protocol/tests/config_sync/foreign.rs"]
mod foreign;

libfuzzer_sys::fuzz_target!(|data: &[u8]| foreign::dumps(data));
