//! How long people wait: from `send` to "sent", and for a fortnight's messages, on a local network in this process.
//!
//! These are single runs of the whole client over real sockets, onion layers and databases, so they are printed as
//! medians and totals of wall time, not fitted by criterion. Run on a quiet machine: `cargo bench --bench messages`.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use septet_client::client::{Client, KeyProtection, OpenOptions};
use septet_client::model::Draft;
use septet_devnet::Devnet;
use septet_network::NetworkConfig;
use septet_protocol::account::{DisplayName, Seed};
use septet_protocol::crypto::SystemRandom;
use septet_protocol::id::{Account, Namespace};
use septet_protocol::message::{Content, Outgoing, Visible, encode_one_to_one};
use septet_protocol::time::Timestamp;

const PATIENCE: Duration = Duration::from_secs(120);
const TEXTS: usize = 200;
const WAITING: u64 = 10_000;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let folder = tempfile::tempdir()?;
        let devnet = Devnet::start().await?;
        let network = NetworkConfig::from_toml(&devnet.network_toml())?;
        send_to_sent(folder.path(), &network).await?;
        fetch_waiting(folder.path(), &network, &devnet).await?;
        devnet.shutdown().await;
        anyhow::Ok(())
    })
}

async fn account(folder: &Path, name: &str, network: &NetworkConfig) -> anyhow::Result<Client> {
    let options = OpenOptions { network: network.clone(), key_protection: KeyProtection::KeyFile };
    Ok(Client::create(&folder.join(name), &DisplayName::parse(name)?, options).await?)
}

/// One text after the other, each waited for.
async fn send_to_sent(folder: &Path, network: &NetworkConfig) -> anyhow::Result<()> {
    let alice = account(folder, "Alice", network).await?;
    let bob = Seed::generate(&mut SystemRandom).keys().session_id;
    let with_bob = alice.make_conversation(&bob.into()).await?;
    alice.start();
    let mut times = Vec::with_capacity(TEXTS);
    for number in 0..TEXTS {
        let draft = Draft { text: format!("text number {number}"), ..Draft::default() };
        let start = Instant::now();
        let id = alice.send(with_bob, draft).await?;
        alice.wait_sent(id, PATIENCE).await?;
        times.push(start.elapsed());
    }
    times.sort();
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
    println!(
        "send to sent, {TEXTS} texts: median {:.1?}, 95 % {:.1?}, slowest {:.1?}",
        at(50),
        at(95),
        at(99)
    );
    alice.stop().await;
    Ok(())
}

/// Everything that came while the account was away: fetched, decrypted, stored.
async fn fetch_waiting(folder: &Path, network: &NetworkConfig, devnet: &Devnet) -> anyhow::Result<()> {
    let carol = account(folder, "Carol", network).await?;
    let sender = Seed::generate(&mut SystemRandom).keys();
    let now = devnet.now();
    for number in 0..WAITING {
        let content = Content::Visible(Visible { body: format!("message {number}"), ..Visible::default() });
        let outgoing = Outgoing::new(content, Timestamp::from_ms(now - WAITING + number));
        let data = encode_one_to_one(&outgoing, &sender, &carol.id(), &mut SystemRandom)?;
        devnet.deliver(&Account::from(carol.id()), Namespace::MESSAGES, data, now, now + 1_000_000_000);
    }
    let start = Instant::now();
    carol.sync_once(PATIENCE).await?;
    let took = start.elapsed();
    let conversation =
        carol.find_conversation(&sender.session_id.into()).await?.context("nothing arrived")?;
    let conversation = carol.conversation(conversation).await?.context("nothing arrived")?;
    anyhow::ensure!(u64::from(conversation.unread) == WAITING, "{} arrived", conversation.unread);
    println!("{WAITING} waiting messages fetched, decrypted and stored: {took:.2?}");
    carol.stop().await;
    Ok(())
}
