//! Opening an account: the one in the profile, a new one, or one brought back.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use septet_client::client::{Client, OpenOptions, RestoreStage};
use septet_client::model::ConversationId;
use septet_protocol::account::{DisplayName, parse_recovery};
use tokio::sync::mpsc::UnboundedReceiver;

use super::super::Source;
use super::super::command::{Command, Progress, Secret, Update};
use super::{Teller, aside, sentence};

/// Something to wait for when the window closes.
pub type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An account, and what comes with it.
pub struct Opened {
    /// The account.
    pub client: Client,
    /// The conversation to show first.
    pub conversation: Option<ConversationId>,
    /// What else is to be ended after the account.
    pub stop: Option<Stop>,
}

/// Opens the account. `None` if the window was closed before there was one.
pub async fn open(
    source: Source,
    commands: &mut UnboundedReceiver<Command>,
    teller: &Teller,
) -> Option<Opened> {
    match source {
        Source::Profile { folder, options } => {
            let client = if Client::exists(&folder) {
                existing(&folder, *options, commands, teller).await?
            } else {
                first_run(&folder, *options, commands, teller).await?
            };
            announce(&client, teller).await;
            Some(Opened { client, conversation: None, stop: None })
        }
        Source::Prepared(prepare) => match prepare.await {
            Ok(opened) => {
                announce(&opened.client, teller).await;
                Some(opened)
            }
            Err(error) => {
                teller.tell(Update::Broken(sentence(&error)));
                closed(commands).await;
                None
            }
        },
    }
}

async fn announce(client: &Client, teller: &Teller) {
    match client.profile().await {
        Ok(profile) => teller.tell(Update::Opened(profile)),
        Err(error) => teller.tell(Update::Broken(sentence(&error))),
    }
}

/// Waits until the window is closed.
async fn closed(commands: &mut UnboundedReceiver<Command>) {
    while commands.recv().await.is_some() {}
}

async fn existing(
    folder: &Path,
    options: OpenOptions,
    commands: &mut UnboundedReceiver<Command>,
    teller: &Teller,
) -> Option<Client> {
    match Client::open(folder, options).await {
        Ok(client) => Some(client),
        Err(error) => {
            teller.tell(Update::Broken(sentence(&error)));
            closed(commands).await;
            None
        }
    }
}

/// Until an account was made or brought back.
async fn first_run(
    folder: &Path,
    options: OpenOptions,
    commands: &mut UnboundedReceiver<Command>,
    teller: &Teller,
) -> Option<Client> {
    teller.tell(Update::NoAccount);
    loop {
        let made = match commands.recv().await? {
            Command::CreateAccount { name } => create(folder, &name, options.clone()).await,
            Command::Restore(phrase) => {
                let coming = restore(folder, &phrase, options.clone(), teller);
                match unless_cancelled(coming, commands, teller).await {
                    Ended::Done(made) => made,
                    Ended::Cancelled => {
                        teller.tell(Update::RestoreCancelled);
                        continue;
                    }
                    Ended::Closed => return None,
                }
            }
            other => {
                aside(teller, other);
                continue;
            }
        };
        match made {
            Ok(client) => return named(client, commands, teller).await,
            Err(problem) => teller.tell(Update::AccountFailed(problem)),
        }
    }
}

async fn create(folder: &Path, name: &str, options: OpenOptions) -> Result<Client, String> {
    let name = DisplayName::parse(name).map_err(|error| sentence(&error))?;
    Client::create(folder, &name, options).await.map_err(|error| sentence(&error))
}

async fn restore(
    folder: &Path,
    phrase: &Secret,
    options: OpenOptions,
    teller: &Teller,
) -> Result<Client, String> {
    let seed = parse_recovery(phrase.reveal()).map_err(|error| sentence(&error))?;
    let told = teller.clone();
    let progress = move |stage| {
        told.tell(Update::Restoring(match stage {
            RestoreStage::Connecting => Progress::Connecting,
            RestoreStage::Profile => Progress::Profile,
            RestoreStage::Messages { fetched } => Progress::Messages { fetched },
            RestoreStage::Done => Progress::Done,
        }));
    };
    Client::restore(folder, seed, None, options, progress).await.map_err(|error| sentence(&error))
}

/// How something that can be cancelled ended.
enum Ended<T> {
    Done(T),
    Cancelled,
    Closed,
}

/// Waits for something while listening to what the person does meanwhile.
async fn unless_cancelled<T>(
    work: impl Future<Output = T>,
    commands: &mut UnboundedReceiver<Command>,
    teller: &Teller,
) -> Ended<T> {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return Ended::Done(done),
            command = commands.recv() => match command {
                Some(Command::CancelRestore) => return Ended::Cancelled,
                Some(other) => aside(teller, other),
                None => return Ended::Closed,
            },
        }
    }
}

/// An account that came back without a name is given one; not if the network has not told yet whether it has one.
async fn named(client: Client, commands: &mut UnboundedReceiver<Command>, teller: &Teller) -> Option<Client> {
    let mut known = client.profile().await.map_or(true, |profile| !profile.read || !profile.name.is_empty());
    if !known {
        teller.tell(Update::NameNeeded);
    }
    while !known {
        match commands.recv().await? {
            Command::SetName(name) => match set_name(&client, &name).await {
                Ok(()) => known = true,
                Err(problem) => teller.tell(Update::AccountFailed(problem)),
            },
            other => aside(teller, other),
        }
    }
    Some(client)
}

async fn set_name(client: &Client, name: &str) -> Result<(), String> {
    let name = DisplayName::parse(name).map_err(|error| sentence(&error))?;
    client.set_name(name).await.map_err(|error| sentence(&error))
}
