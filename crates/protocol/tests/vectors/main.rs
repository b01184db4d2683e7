//! Test vectors: values made by, or checked against, other implementations of the protocol.
//!
//! They are read from `tests/data/`, or from the folder that `SEPTET_VECTORS` names, so that a newer set can be tried
//! without touching the tree. Large files are kept compressed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod account;
#[path = "../../examples/conformance/answer/mod.rs"]
mod answer;
mod changes_2026;
mod config;
mod core;
mod files;
mod message;
mod name;
mod network;
mod onion;

use std::path::PathBuf;

/// Reads `FILE.json`, or `FILE.json.zst`.
pub fn load(file: &str) -> serde_json::Value {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let folder = std::env::var_os("SEPTET_VECTORS").map_or(data, PathBuf::from);
    let plain = folder.join(file).with_extension("json");
    let text = std::fs::read(&plain).unwrap_or_else(|_| {
        let packed = folder.join(file).with_extension("json.zst");
        let packed =
            std::fs::File::open(&packed).unwrap_or_else(|error| panic!("{}: {error}", packed.display()));
        zstd::decode_all(packed).unwrap()
    });
    serde_json::from_slice(&text).unwrap()
}

/// A text field.
pub fn text<'a>(value: &'a serde_json::Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no text field {field} in {value}"))
}

/// A field of hexadecimal digits.
pub fn bytes(value: &serde_json::Value, field: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text(value, field).as_bytes()).unwrap()
}

/// A field of hexadecimal digits of this many bytes.
pub fn array<const N: usize>(value: &serde_json::Value, field: &str) -> [u8; N] {
    bytes(value, field).try_into().unwrap_or_else(|_| panic!("{field} has not {N} bytes"))
}
