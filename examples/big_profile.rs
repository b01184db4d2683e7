//! Makes a profile of any size to try the program on: `cargo run --release --example big_profile -- FOLDER
//! [--messages 1000000] [--conversations 1000] [--contacts 10000] [--attachments 20000] [--groups 50] [--rooms 20]`,
//! then `septet --profile FOLDER`, with `--network FILE` on a local network.
//!
//! `--measure` opens a profile that is there, marks everything in it as read, and tells what memory each step took.

#[allow(dead_code)] // it is shared with the benches
#[path = "../crates/client/benches/profile/mod.rs"]
mod profile;

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::Parser;
use septet_client::client::{Client, KeyProtection, OpenOptions};
use septet_client::model::Page;
use septet_devnet::Devnet;
use septet_network::NetworkConfig;
use septet_protocol::time::Timestamp;

/// Makes a profile of any size
#[derive(Parser)]
struct Options {
    /// Where to; must not exist
    folder: PathBuf,
    /// How many messages
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
    /// How many conversations with one person
    #[arg(long, default_value_t = 1_000)]
    conversations: u64,
    /// How many contacts
    #[arg(long, default_value_t = 10_000)]
    contacts: u64,
    /// How many files
    #[arg(long, default_value_t = 20_000)]
    attachments: u64,
    /// How many groups
    #[arg(long, default_value_t = 50)]
    groups: u64,
    /// How many rooms of communities
    #[arg(long, default_value_t = 20)]
    rooms: u64,
    /// Opens the profile that is there, reads all of it, and tells what memory that takes
    #[arg(long)]
    measure: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if options.measure {
        return measure(&options.folder).await;
    }
    let sizes = profile::Sizes {
        conversations: options.conversations,
        messages: options.messages,
        contacts: options.contacts,
        attachments: options.attachments,
        groups: options.groups,
        rooms: options.rooms,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let now = Timestamp::from_ms(u64::try_from(now)?);
    let start = Instant::now();
    let told = |stored| eprintln!("{stored} messages after {:.0} s", start.elapsed().as_secs_f64());
    profile::make(&options.folder, sizes, now, told).await?;
    Ok(())
}

/// On a network that is not there any more.
async fn measure(folder: &Path) -> anyhow::Result<()> {
    let devnet = Devnet::start().await?;
    let network = NetworkConfig::from_toml(&devnet.network_toml())?;
    devnet.shutdown().await;
    tell("at start", Instant::now())?;
    let start = Instant::now();
    let options = OpenOptions::new(network).key_protection(KeyProtection::KeyFile);
    let client = Client::open(folder, options).await?;
    tell("opened", start)?;
    let start = Instant::now();
    let list = client.conversations().await?;
    tell("listed", start)?;
    let start = Instant::now();
    for conversation in &list {
        let page = client.messages(conversation.id, Page::Newest, 1).await?;
        if let Some(newest) = page.messages.last() {
            client.mark_read(conversation.id, newest.id).await?;
        }
    }
    tell("all read", start)?;
    let left: u32 = client.conversations().await?.iter().map(|conversation| conversation.unread).sum();
    anyhow::ensure!(left == 0, "{left} messages are still unread");
    client.stop().await;
    Ok(())
}

/// Prints what memory this process has, of Linux.
fn tell(what: &str, since: Instant) -> anyhow::Result<()> {
    let took = since.elapsed();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).context("no such line")?;
        let number = line.split_whitespace().nth(1).context("no number")?;
        anyhow::Ok(number.parse::<u64>()? / 1024)
    };
    println!("{what}: {} MB, at most {} MB, {:.2} s", of("VmRSS:")?, of("VmHWM:")?, took.as_secs_f64());
    Ok(())
}
