//! Compiles `proto/session.proto` into Rust types, without needing `protoc`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let schema = "proto/session.proto";
    println!("cargo:rerun-if-changed={schema}");
    let descriptors = protox::compile([schema], ["proto"])?;
    prost_build::Config::new().compile_fds(descriptors)?;
    Ok(())
}
