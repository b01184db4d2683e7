//! Those files of the command line that need nothing but JSON, as they are there.

#[path = "../../../src/cli/json.rs"]
pub mod json;
#[path = "../../../src/cli/plain.rs"]
pub mod plain;
#[path = "parts.rs"]
pub mod rpc;
