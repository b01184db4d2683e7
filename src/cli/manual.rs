//! `septet completions` and `septet man`: what shells and `man` know of the commands, made from the grammar itself.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Failure;
use super::args::Args;

/// `completions`: a script for a shell.
pub fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "septet", &mut script);
    String::from_utf8_lossy(&script).trim_end().to_owned()
}

/// `man`: a page for the program and one for each command, in a folder that is made if need be.
pub fn pages(folder: &Path) -> Result<(), Failure> {
    let written =
        std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Args::command(), folder));
    written.map_err(|error| {
        Failure::failed("unwritable", format!("Could not write into {}: {error}.", folder.display()))
    })
}
