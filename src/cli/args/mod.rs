//! What can be typed.

mod help;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand};
use clap_complete::Shell;
use septet_client::model::Expiry;
use septet_network::NetworkConfig;
use septet_protocol::id::SessionId;
use septet_protocol::name::Name;

use super::Failure;
use help::examples;

/// What stands above the options that every command takes.
const ALWAYS: &str = "Options of every command";

/// A native client for the Session messenger network. Without a command it opens the window.
#[derive(Parser)]
#[command(name = "septet", version, propagate_version = true)]
#[command(after_help = examples(&[
    "septet",
    "septet account create --name Alice",
    "septet send 05… --text 'on my way'",
    "septet receive --follow --json",
    "septet help send",
]))]
pub struct Args {
    #[command(flatten)]
    pub common: Common,

    /// Print JSON: one object, or one a line
    #[arg(long, global = true, help_heading = ALWAYS)]
    pub json: bool,

    /// Log to stderr; twice for more
    #[arg(short, long, global = true, help_heading = ALWAYS, action = clap::ArgAction::Count)]
    pub verbose: u8,

    #[command(subcommand)]
    pub command: Option<Command>,
}

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

    /// How long to wait for the network: as was asked for, or what the command finds right.
    pub fn limit(&self, usual: Duration) -> Duration {
        self.timeout.unwrap_or(usual)
    }
}

/// Which conversation.
#[derive(ClapArgs)]
pub struct About {
    /// Account ID, registered name (ONS), or self
    pub conversation: String,
}

/// Which message of which conversation.
#[derive(ClapArgs)]
pub struct OfMessage {
    /// Account ID, registered name (ONS), or self
    pub conversation: String,
    /// The message's number, as `messages` and `receive` print it
    #[arg(allow_negative_numbers = true)]
    pub id: i64,
}

#[derive(Subcommand)]
pub enum Command {
    /// Make, restore and show the account of a profile
    #[command(subcommand)]
    Account(AccountCommand),
    /// Send a message and wait until the swarm has it
    #[command(after_help = examples(&[
        "septet send 05… --text 'on my way' --file photo.jpg",
        "date | septet send self --text-file -",
        "septet send alice --text yes --reply-to 42 --json",
        "septet send alice --voice memo.m4a",
    ]))]
    Send(SendOptions),
    /// Fetch what arrived and print it; with --json one event a line
    #[command(after_help = examples(&[
        "septet receive",
        "septet receive --follow --json --download in",
        "septet receive --conversation alice --timeout 10",
    ]))]
    Receive(ReceiveOptions),
    /// All conversations: those of the window's list in its order, then requests, hidden and blocked ones
    #[command(after_help = examples(&["septet conversations", "septet conversations --json"]))]
    Conversations,
    /// The newest messages of a conversation, oldest first
    #[command(after_help = examples(&[
        "septet messages alice",
        "septet messages 05… --limit 10 --before 42 --json",
    ]))]
    Messages(MessagesOptions),
    /// Strangers who wrote and wait for an answer
    #[command(after_help = examples(&["septet requests"]))]
    Requests,
    /// People
    #[command(after_help = examples(&["septet contacts --json"]))]
    Contacts,
    /// Mark everything in a conversation as read
    #[command(after_help = examples(&["septet mark-read alice"]))]
    MarkRead(About),
    /// Mark a conversation as unread
    #[command(after_help = examples(&["septet mark-unread alice", "septet mark-unread alice --off"]))]
    MarkUnread {
        #[command(flatten)]
        about: About,
        /// No longer
        #[arg(long)]
        off: bool,
    },
    /// Accept a message request
    #[command(after_help = examples(&["septet accept 05…"]))]
    Accept(About),
    /// Decline a message request
    #[command(after_help = examples(&["septet decline 05…"]))]
    Decline(About),
    /// Block an account
    #[command(after_help = examples(&["septet block 05…"]))]
    Block(About),
    /// Unblock an account
    #[command(after_help = examples(&["septet unblock 05…"]))]
    Unblock(About),
    /// Keep a conversation on top
    #[command(after_help = examples(&["septet pin self", "septet pin alice --off"]))]
    Pin {
        #[command(flatten)]
        about: About,
        /// No longer
        #[arg(long)]
        off: bool,
    },
    /// No notifications of a conversation
    #[command(after_help = examples(&["septet mute alice --for 8h", "septet mute alice --off"]))]
    Mute {
        #[command(flatten)]
        about: About,
        /// For so many seconds, or with a unit: 30m, 8h, 7d
        #[arg(long = "for", value_name = "DURATION", value_parser = values::duration, conflicts_with = "off")]
        duration: Option<Duration>,
        /// Notifications again
        #[arg(long)]
        off: bool,
    },
    /// Take a conversation out of the list
    #[command(after_help = examples(&["septet hide alice", "septet hide alice --off"]))]
    Hide {
        #[command(flatten)]
        about: About,
        /// Show it again
        #[arg(long)]
        off: bool,
    },
    /// Delete a conversation with all its messages, on all devices; the contact stays
    #[command(after_help = examples(&["septet delete-conversation alice"]))]
    DeleteConversation(About),
    /// Delete a contact with the whole conversation, on all devices
    #[command(after_help = examples(&["septet delete-contact alice"]))]
    DeleteContact(About),
    /// Let what is written here disappear
    #[command(after_help = examples(&[
        "septet set-expiry alice after-read:3600",
        "septet set-expiry self after-send:86400",
        "septet set-expiry alice off",
    ]))]
    SetExpiry {
        #[command(flatten)]
        about: About,
        /// off, after-read:SECONDS or after-send:SECONDS
        #[arg(value_name = "WHEN", value_parser = values::expiry)]
        when: Expiry,
    },
    /// Give somebody a private name; an empty one removes it
    #[command(after_help = examples(&["septet nickname 05… 'Alice from work'", "septet nickname 05… ''"]))]
    Nickname {
        #[command(flatten)]
        about: About,
        /// At most 100 bytes
        name: String,
    },
    /// React to a message
    #[command(after_help = examples(&["septet react alice 42 👍", "septet react alice 42 👍 --remove"]))]
    React {
        #[command(flatten)]
        about: OfMessage,
        /// One emoji
        emoji: String,
        /// Take the reaction back
        #[arg(long)]
        remove: bool,
    },
    /// Delete messages, all or none of them
    #[command(after_help = examples(&["septet delete alice 42", "septet delete alice 42 43 --for-everyone"]))]
    Delete {
        #[command(flatten)]
        about: OfMessage,
        /// More of the same conversation
        #[arg(value_name = "ID", allow_negative_numbers = true)]
        more: Vec<i64>,
        /// Also for the other, if it is ours
        #[arg(long)]
        for_everyone: bool,
    },
    /// The onion paths in use
    #[command(after_help = examples(&["septet path", "septet path --timeout 10 --json"]))]
    Path,
    /// Run a local network on loopback until Ctrl+C
    #[command(after_help = examples(&[
        "septet devnet --write-network local.toml",
        "septet devnet --swarms 5 --state net",
    ]))]
    Devnet(DevnetOptions),
    /// Write the network's list of nodes down, to be shipped with the program
    #[command(hide = true)]
    NodeSnapshot {
        /// Where to
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// A local network, somebody who answers, and the window; nothing leaves the machine
    #[command(after_help = examples(&["septet demo", "septet demo --conversation"]))]
    Demo(DemoOptions),
    /// Print what lets a shell complete commands and options
    #[command(after_help = examples(&[
        "septet completions bash > ~/.local/share/bash-completion/completions/septet",
        "septet completions fish > ~/.config/fish/completions/septet.fish",
    ]))]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Write the man pages into a folder
    #[command(hide = true)]
    Man {
        /// Where to
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

#[derive(Subcommand)]
pub enum AccountCommand {
    /// Make an account in an empty profile and publish its profile
    #[command(after_help = examples(&[
        "septet account create --name Alice",
        "septet account create --name Bot --profile bot --key-file --json",
    ]))]
    Create {
        /// Display name, 1 to 100 bytes
        #[arg(long)]
        name: String,
    },
    /// Restore from stdin: 13 words, 12 BIP-39 words or 32 hex digits
    #[command(after_help = examples(&["septet account restore < phrase.txt"]))]
    Restore {
        /// Display name to take if the network has none any more
        #[arg(long)]
        name: Option<String>,
    },
    /// Who am I
    #[command(after_help = examples(&["septet account show --json"]))]
    Show,
    /// Print the recovery password
    #[command(after_help = examples(&["septet account phrase"]))]
    Phrase,
    /// Change the public profile
    #[command(group(clap::ArgGroup::new("change").required(true).multiple(true)))]
    #[command(after_help = examples(&[
        "septet account set --name 'Alice B' --picture me.jpg",
        "septet account set --no-picture",
    ]))]
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
    /// Account ID, registered name (ONS), or self
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
    /// A sound to send as a voice message, of at most five minutes: MP3, AAC, M4A, Ogg Vorbis or WAV
    #[arg(long, value_name = "FILE", conflicts_with_all = ["text", "text_file", "files"])]
    pub voice: Option<PathBuf>,
    /// The message to answer
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    pub reply_to: Option<i64>,
}

#[derive(ClapArgs)]
pub struct ReceiveOptions {
    /// Keep on until Ctrl+C
    #[arg(long)]
    pub follow: bool,
    /// Only this conversation
    #[arg(long, value_name = "C")]
    pub conversation: Option<String>,
    /// Fetch attachments into this folder
    #[arg(long, value_name = "DIR")]
    pub download: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub struct MessagesOptions {
    #[command(flatten)]
    pub about: About,
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
    /// Register a name (ONS) for an account; may be repeated
    #[arg(long = "register", value_name = "NAME=ID", value_parser = values::registration)]
    pub names: Vec<(Name, SessionId)>,
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        Args::command().debug_assert();
    }
}
