//! Opening an account: the one in the profile, a new one, or one brought back.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use septet_client::client::{Client, ClientError, OpenOptions, RestoreStage};
use septet_client::model::{ConversationId, Profile};
use septet_protocol::account::{DisplayName, parse_recovery};
use tokio::sync::mpsc::UnboundedReceiver;

use super::super::Source;
use super::super::command::{Command, Progress, Update};
use super::{Teller, sentence};

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
                existing(&folder, options, commands, teller).await?
            } else {
                first_run(&folder, options, commands, teller).await?
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
    folder: &PathBuf,
    options: OpenOptions,
    commands: &mut UnboundedReceiver<Command>,
    teller: &Teller,
) -> Option<Client> {
    teller.tell(Update::NoAccount);
    loop {
        let made = match commands.recv().await? {
            Command::CreateAccount { name } => create(folder, &name, options.clone()).await,
            Command::Restore { phrase, name } => {
                restore(folder, &phrase, name.as_deref(), options.clone(), teller).await
            }
            _ => continue,
        };
        match made {
            Ok(Some(client)) => return Some(client),
            Ok(None) => teller.tell(Update::NameNeeded),
            Err(problem) => teller.tell(Update::AccountFailed(problem)),
        }
    }
}

async fn create(folder: &Path, name: &str, options: OpenOptions) -> Result<Option<Client>, String> {
    let name = DisplayName::parse(name).map_err(|error| sentence(&error))?;
    Client::create(folder, &name, options).await.map(Some).map_err(|error| sentence(&error))
}

/// `None` if no name was found on the network and none was given.
async fn restore(
    folder: &Path,
    phrase: &str,
    name: Option<&str>,
    options: OpenOptions,
    teller: &Teller,
) -> Result<Option<Client>, String> {
    let seed = parse_recovery(phrase).map_err(|error| sentence(&error))?;
    let name = name.map(DisplayName::parse).transpose().map_err(|error| sentence(&error))?;
    let told = teller.clone();
    let progress = move |stage| {
        let stage = match stage {
            RestoreStage::Connecting => Progress::Connecting,
            RestoreStage::Profile => Progress::Fetching,
            _ => Progress::Applying,
        };
        told.tell(Update::Restoring(stage));
    };
    let client =
        Client::restore(folder, seed, name, options, progress).await.map_err(|error| sentence(&error))?;
    let profile: Result<Profile, ClientError> = client.profile().await;
    match profile {
        Ok(profile) if profile.name.is_empty() => Ok(None),
        Ok(_) => Ok(Some(client)),
        Err(error) => Err(sentence(&error)),
    }
}
