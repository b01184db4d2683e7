//! Test vectors: values made by, or checked against, other implementations of the protocol.
//!
//! They are read from `tests/data/`, or from the folder that `SEPTET_VECTORS` names, so that a newer set can be tried
//! without touching the tree. Large files are kept compressed.

mod network;

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
