//! Options that every command takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;
use septet_network::NetworkConfig;

use super::Failure;
use super::args::values;

/// What stands above the options that every command takes.
pub const ALWAYS: &str = "Options of every command";

/// Options that every command takes.
#[derive(ClapArgs)]
pub struct Common {
    /// Folder of one account's data [default: the platform's data folder, Septet/default]
    #[arg(long, global = true, help_heading = ALWAYS, value_name = "DIR")]
    profile: Option<PathBuf>,

    /// mainnet, testnet, or a network file
    #[arg(long, global = true, help_heading = ALWAYS, value_name = "NAME|FILE", default_value = "mainnet")]
    network: String,

    /// File whose first line unlocks a protected profile; - is one line of stdin
    #[arg(long, global = true, help_heading = ALWAYS, value_name = "FILE")]
    pub password_file: Option<PathBuf>,

    /// Keep the key of a new profile in its folder, not in the system's keychain
    #[arg(long, global = true, help_heading = ALWAYS)]
    pub key_file: bool,

    /// Seconds to wait for the network; for receive --follow, to run at most [default: 30; send and receive: 60;
    /// receive --follow: without end]
    #[arg(long, global = true, help_heading = ALWAYS, value_name = "S", value_parser = values::seconds)]
    pub timeout: Option<Duration>,
}

impl Common {
    /// The profile folder that was asked for, or the platform's.
    pub fn profile(&self) -> Result<PathBuf, Failure> {
        if let Some(profile) = &self.profile {
            return Ok(profile.clone());
        }
        directories::BaseDirs::new().map(|dirs| dirs.data_dir().join("Septet").join("default")).ok_or_else(
            || Failure::usage("There is no home folder to keep a profile in. Name one with --profile."),
        )
    }

    /// The network that was asked for.
    pub fn network(&self) -> Result<NetworkConfig, Failure> {
        NetworkConfig::from_arg(&self.network)
            .map_err(|error| Failure::failed("network_file", error.to_string()))
    }
}
