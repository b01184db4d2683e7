//! What `septet rpc` reads: lines of any kind, cut as its buffer may cut them, and the answers to what they ask for.

#![no_main]

#[allow(dead_code)]
#[path = "rpc/cli.rs"]
mod cli;

use std::io::BufReader;

use cli::rpc::lines::{Next, next};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let mut from = BufReader::with_capacity(usize::from(*first % 16) + 1, rest);
    let limit = usize::from(first / 16) * 64 + 8;
    loop {
        match next(&mut from, limit).unwrap() {
            Next::Line(line) => {
                assert!(line.len() <= limit && !line.contains(&b'\n'));
                cli::rpc::check::line(&line, "{\"ok\":true}");
            }
            Next::TooLong => assert!(rest.len() > limit),
            Next::End => break,
        }
    }
});
