//! The program: a command, or the window.

use std::process::ExitCode;

fn main() -> ExitCode {
    septet::cli::main()
}
