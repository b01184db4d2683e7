//! What can be typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand};
use septet_client::model::Expiry;
use septet_network::NetworkConfig;

use super::Failure;

/// A native client for the Session messenger network. Without a command it opens the window.
#[derive(Parser)]
#[command(name = "septet", version, propagate_version = true)]
pub struct Args {
    #[command(flatten)]
    pub common: Common,

    /// Print JSON: one object, or one a line
    #[arg(long, global = true)]
    pub json: bool,

    /// Log to stderr; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that every command takes.
#[derive(ClapArgs)]
pub struct Common {
    /// Folder of one account's data [default: the platform's data folder, Septet/default]
    #[arg(long, global = true, value_name = "DIR")]
    profile: Option<PathBuf>,

    /// mainnet, testnet, or a network file
    #[arg(long, global = true, value_name = "NAME|FILE", default_value = "mainnet")]
    network: String,

    /// File whose first line unlocks a protected profile; - is stdin
    #[arg(long, global = true, value_name = "FILE")]
    pub password_file: Option<PathBuf>,

    /// Keep the key of a new profile in its folder, not in the system's keychain
    #[arg(long, global = true)]
    pub key_file: bool,
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

#[derive(Subcommand)]
pub enum Command {
    /// Make, restore and show the account of a profile
    #[command(subcommand)]
    Account(AccountCommand),
    /// Send a message and wait until the swarm has it
    Send(SendOptions),
    /// Fetch what arrived and print it
    Receive(ReceiveOptions),
    /// All conversations, in the order of the window's list
    Conversations,
    /// The newest messages of a conversation, oldest first
    Messages(MessagesOptions),
    /// Strangers who wrote and wait for an answer
    Requests,
    /// People
    Contacts,
    /// Mark everything in a conversation as read
    MarkRead {
        /// Account id, or self
        conversation: String,
    },
    /// Mark a conversation as unread
    MarkUnread {
        /// Account id, or self
        conversation: String,
        /// No longer
        #[arg(long)]
        off: bool,
    },
    /// Accept a message request
    Accept {
        /// Account id
        to: String,
    },
    /// Decline a message request
    Decline {
        /// Account id
        to: String,
    },
    /// Block an account
    Block {
        /// Account id
        to: String,
    },
    /// Unblock an account
    Unblock {
        /// Account id
        to: String,
    },
    /// Keep a conversation on top
    Pin {
        /// Account id, or self
        to: String,
        /// No longer
        #[arg(long)]
        off: bool,
    },
    /// No notifications of a conversation
    Mute {
        /// Account id, or self
        to: String,
        /// For so many seconds, or with a unit: 30m, 8h, 7d
        #[arg(long = "for", value_name = "DURATION", value_parser = duration, conflicts_with = "off")]
        duration: Option<Duration>,
        /// Notifications again
        #[arg(long)]
        off: bool,
    },
    /// Take a conversation out of the list
    Hide {
        /// Account id, or self
        to: String,
        /// Show it again
        #[arg(long)]
        off: bool,
    },
    /// Delete a conversation with all its messages, on all devices; the contact stays
    DeleteConversation {
        /// Account id, or self
        to: String,
    },
    /// Delete a contact with the whole conversation, on all devices
    DeleteContact {
        /// Account id
        to: String,
    },
    /// Let what is written here disappear
    SetExpiry {
        /// Account id, or self
        to: String,
        /// off, after-read:SECONDS or after-send:SECONDS
        #[arg(value_name = "WHEN", value_parser = expiry)]
        when: Expiry,
    },
    /// Give somebody a private name; an empty one removes it
    Nickname {
        /// Account id
        to: String,
        /// At most 100 bytes
        name: String,
    },
    /// React to a message
    React {
        /// Account id, or self
        conversation: String,
        /// The message
        id: i64,
        /// One emoji
        emoji: String,
        /// Take the reaction back
        #[arg(long)]
        remove: bool,
    },
    /// Delete a message
    Delete {
        /// Account id, or self
        conversation: String,
        /// The message
        id: i64,
        /// Also for the other, if it is ours
        #[arg(long)]
        for_everyone: bool,
    },
    /// The onion paths in use
    Path {
        /// Seconds to wait for a path
        #[arg(long, value_name = "S", default_value = "30", value_parser = seconds)]
        timeout: Duration,
    },
    /// Run a local network on loopback until Ctrl+C
    Devnet(DevnetOptions),
    /// Write the network's list of nodes down, to be shipped with the program
    #[command(hide = true)]
    NodeSnapshot {
        /// Where to
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// A local network, somebody who answers, and the window; nothing leaves the machine
    Demo(DemoOptions),
}

#[derive(Subcommand)]
pub enum AccountCommand {
    /// Make an account in an empty profile and publish its profile
    Create {
        /// Display name, 1 to 100 bytes
        #[arg(long)]
        name: String,
    },
    /// Restore from stdin: 13 words, 12 BIP-39 words or 32 hex digits
    Restore {
        /// Display name to take if the network has none any more
        #[arg(long)]
        name: Option<String>,
    },
    /// Who am I
    Show,
    /// Print the recovery password
    Phrase,
    /// Change the public profile
    #[command(group(clap::ArgGroup::new("change").required(true).multiple(true)))]
    Set {
        /// New display name, 1 to 100 bytes
        #[arg(long, group = "change")]
        name: Option<String>,
        /// New display picture; the middle of it is used
        #[arg(long, group = "change", value_name = "FILE")]
        picture: Option<PathBuf>,
        /// No display picture any more
        #[arg(long, group = "change", conflicts_with = "picture")]
        no_picture: bool,
    },
}

#[derive(ClapArgs)]
pub struct SendOptions {
    /// Account id, ONS name, or self
    pub to: String,
    /// The text
    #[arg(long, conflicts_with = "text_file", allow_hyphen_values = true)]
    pub text: Option<String>,
    /// A file with the text; - is stdin
    #[arg(long, value_name = "FILE")]
    pub text_file: Option<PathBuf>,
    /// A file to attach; may be repeated
    #[arg(long = "file", value_name = "PATH")]
    pub files: Vec<PathBuf>,
    /// The message to answer
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    pub reply_to: Option<i64>,
    /// Seconds to wait until it is sent
    #[arg(long, value_name = "S", default_value = "60", value_parser = seconds)]
    pub timeout: Duration,
}

#[derive(ClapArgs)]
pub struct ReceiveOptions {
    /// Keep on until Ctrl+C
    #[arg(long)]
    pub follow: bool,
    /// Seconds to wait for the network, and with --follow to run at most
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub timeout: Option<Duration>,
    /// Only this conversation
    #[arg(long, value_name = "C")]
    pub conversation: Option<String>,
    /// Fetch attachments into this folder
    #[arg(long, value_name = "DIR")]
    pub download: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub struct MessagesOptions {
    /// Account id, or self
    pub conversation: String,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// Only those before this message
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    pub before: Option<i64>,
}

#[derive(ClapArgs)]
pub struct DevnetOptions {
    /// Number of swarms, each of seven nodes
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub swarms: u16,
    /// Keep the network's state in this folder
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Let the network's clock differ from the machine's by so many seconds
    #[arg(long, value_name = "S", default_value_t = 0, allow_negative_numbers = true)]
    pub clock_offset: i32,
    /// Write a network file for --network
    #[arg(long, value_name = "FILE")]
    pub write_network: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub struct DemoOptions {
    /// Begin with a conversation that shows what there is
    #[arg(long)]
    pub conversation: bool,
}

/// When messages disappear.
fn expiry(text: &str) -> Result<Expiry, String> {
    let seconds = |number: &str| match number.parse::<u32>() {
        Ok(seconds) if seconds > 0 => Ok(seconds),
        _ => Err("not a number of seconds above zero".to_string()),
    };
    match text.split_once(':') {
        None if text == "off" => Ok(Expiry::Off),
        Some(("after-read", number)) => seconds(number).map(Expiry::AfterRead),
        Some(("after-send", number)) => seconds(number).map(Expiry::AfterSend),
        _ => Err("must be off, after-read:SECONDS or after-send:SECONDS".to_string()),
    }
}

/// Seconds, or a number with one of the units s, m, h, d.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => (number, text.get(number.len()..).unwrap_or_default()),
        None => (text, "s"),
    };
    let number: u64 = number.parse().map_err(|_| "not a duration such as 30m, 8h or 7d".to_string())?;
    let factor = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => 1,
    };
    number
        .checked_mul(factor)
        .filter(|seconds| *seconds <= 3650 * 86_400)
        .map(Duration::from_secs)
        .ok_or_else(|| "longer than ten years".to_string())
}

/// Seconds, also with a fraction; at most a day.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_string())?;
    if !(0.0..=86_400.0).contains(&seconds) {
        return Err("must be 0 to 86400 seconds".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("8h"), Ok(Duration::from_secs(8 * 3600)));
        for bad in ["", "h", "1.5h", "-1d", "99999d", "8 h", "é"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn expiries_have_a_mode_and_seconds() {
        assert_eq!(expiry("off"), Ok(Expiry::Off));
        assert_eq!(expiry("after-read:300"), Ok(Expiry::AfterRead(300)));
        assert_eq!(expiry("after-send:1"), Ok(Expiry::AfterSend(1)));
        for bad in ["", "on", "after-read", "after-read:", "after-send:0", "after-send:-1", "off:3"] {
            assert!(expiry(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn seconds_are_bounded() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["", "x", "-1", "1e9", "NaN", "inf"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
