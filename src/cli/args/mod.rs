//! What can be typed.

mod help;
pub mod values;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};
use clap_complete::Shell;

use super::common::{ALWAYS, Common};
use super::network::DevnetOptions;
use super::{account, lists, messages, network, people, receive, rpc, send, settings};
use help::examples;

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

#[derive(Subcommand)]
pub enum Command {
    /// Make, restore and show the account of a profile
    #[command(subcommand)]
    Account(AccountCommand),
    #[command(after_help = examples(&[
        "septet send 05… --text 'on my way' --file photo.jpg",
        "date | septet send self --text-file -",
        "septet send alice --text yes --reply-to 42 --json",
        "septet send alice --voice memo.m4a",
    ]))]
    Send(send::Send),
    #[command(after_help = examples(&[
        "septet receive",
        "septet receive --follow --json --download in",
        "septet receive --conversation alice --timeout 10",
    ]))]
    Receive(receive::Receive),
    #[command(after_help = examples(&["septet conversations", "septet conversations --json"]))]
    Conversations(lists::Conversations),
    #[command(after_help = examples(&[
        "septet messages alice",
        "septet messages 05… --limit 10 --before 42 --json",
    ]))]
    Messages(messages::Messages),
    #[command(after_help = examples(&["septet requests"]))]
    Requests(lists::Requests),
    #[command(after_help = examples(&["septet contacts --json"]))]
    Contacts(lists::Contacts),
    #[command(after_help = examples(&["septet mark-read alice"]))]
    MarkRead(people::MarkRead),
    #[command(after_help = examples(&["septet mark-unread alice", "septet mark-unread alice --off"]))]
    MarkUnread(people::MarkUnread),
    #[command(after_help = examples(&["septet accept 05…"]))]
    Accept(people::Accept),
    #[command(after_help = examples(&["septet decline 05…"]))]
    Decline(people::Decline),
    #[command(after_help = examples(&["septet decline-all"]))]
    DeclineAll(people::DeclineAll),
    #[command(after_help = examples(&["septet block 05…"]))]
    Block(people::Block),
    #[command(after_help = examples(&["septet unblock 05…"]))]
    Unblock(people::Unblock),
    #[command(after_help = examples(&["septet pin self", "septet pin alice --off"]))]
    Pin(people::Pin),
    #[command(after_help = examples(&["septet mute alice --for 8h", "septet mute alice --off"]))]
    Mute(people::Mute),
    #[command(after_help = examples(&["septet hide alice", "septet hide alice --off"]))]
    Hide(people::Hide),
    #[command(after_help = examples(&["septet delete-conversation alice"]))]
    DeleteConversation(people::DeleteConversation),
    #[command(after_help = examples(&["septet delete-contact alice"]))]
    DeleteContact(people::DeleteContact),
    #[command(after_help = examples(&[
        "septet set-expiry alice after-read:3600",
        "septet set-expiry self after-send:86400",
        "septet set-expiry alice off",
    ]))]
    SetExpiry(people::SetExpiry),
    #[command(after_help = examples(&["septet nickname 05… 'Alice from work'", "septet nickname 05… ''"]))]
    Nickname(people::Nickname),
    #[command(after_help = examples(&["septet react alice 42 👍", "septet react alice 42 👍 --remove"]))]
    React(people::React),
    #[command(after_help = examples(&["septet delete alice 42", "septet delete alice 42 43 --for-everyone"]))]
    Delete(people::Delete),
    #[command(after_help = examples(&["septet settings", "septet settings --read-receipts on --json"]))]
    Settings(settings::Settings),
    #[command(after_help = examples(&["septet path", "septet path --timeout 10 --json"]))]
    Path(network::Path),
    /// JSON-RPC 2.0 on stdin and stdout: every command as a method, events as notifications
    #[command(after_help = examples(&["septet rpc", "septet rpc --profile bot", "septet rpc --schema > openrpc.json"]))]
    Rpc(rpc::Rpc),
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
    #[command(after_help = examples(&[
        "septet account create --name Alice",
        "septet account create --name Bot --profile bot --key-file --json",
    ]))]
    Create(account::Create),
    #[command(after_help = examples(&["septet account restore < phrase.txt"]))]
    Restore(account::Restore),
    #[command(after_help = examples(&["septet account show --json"]))]
    Show(account::Show),
    #[command(after_help = examples(&["septet account phrase"]))]
    Phrase(account::Phrase),
    #[command(after_help = examples(&[
        "septet account set --name 'Alice B' --picture me.jpg",
        "septet account set --no-picture",
    ]))]
    Set(account::Set),
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
