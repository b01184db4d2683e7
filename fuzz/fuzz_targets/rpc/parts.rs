//! Those of `rpc`.

#[path = "../../../src/cli/rpc/check.rs"]
pub mod check;
#[path = "../../../src/cli/rpc/lines.rs"]
pub mod lines;
#[path = "../../../src/cli/rpc/wire.rs"]
pub mod wire;
