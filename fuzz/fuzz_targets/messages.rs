//! Contents of messages, known, newer and broken, and the texts inside them.

#![no_main]

#[allow(dead_code)]
#[path = "../../crates/protocol/tests/messages/foreign.rs"]
mod foreign;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    foreign::content(data);
    foreign::text(data);
});
