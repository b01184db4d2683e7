//! `septet account …`: making, restoring and showing the account of a profile.

use std::path::Path;
use std::time::Duration;

use septet_client::client::{Client, RestoreStage};
use septet_client::model::ConnectionState;
use septet_protocol::account::{DisplayName, RecoveryError, parse_recovery};
use serde::Serialize;

use super::args::{AccountCommand, Common};
use super::output::Output;
use super::{Failure, plain, session};

#[derive(Serialize)]
struct Created<'a> {
    account_id: String,
    recovery_phrase: &'a str,
    bip39: &'a str,
    name: &'a str,
    published: bool,
}

#[derive(Serialize)]
struct Restored {
    account_id: String,
    name: String,
    contacts: usize,
    conversations: usize,
    groups: usize,
    communities: usize,
}

#[derive(Serialize)]
struct Shown {
    account_id: String,
    name: String,
    x25519: String,
    ed25519: String,
}

#[derive(Serialize)]
struct Phrase<'a> {
    recovery_phrase: &'a str,
    bip39: &'a str,
    seed_hex: &'a str,
}

/// Runs one of the account commands.
pub async fn run(command: AccountCommand, common: &Common, output: &Output) -> Result<(), Failure> {
    match command {
        AccountCommand::Create { name } => create(&name, common, output).await,
        AccountCommand::Restore { name } => restore(name.as_deref(), common, output).await,
        AccountCommand::Show => show(common, output).await,
        AccountCommand::Phrase => phrase(common, output).await,
        AccountCommand::Set { name, picture, no_picture } => {
            set(name.as_deref(), picture.as_deref(), no_picture, common, output).await
        }
    }
}

/// How long the network is waited for if nothing else is said.
const PUBLISHING: Duration = Duration::from_secs(30);

/// The phrase is printed whatever the network does: without it the account would be lost.
async fn create(name: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let name = display_name(name)?;
    let client = Client::create(&common.profile()?, &name, session::options(common)?).await?;
    let profile = client.profile().await?;
    let recovery = client.recovery().await?;
    let published = session::deliver(client, common.limit(PUBLISHING)).await;
    let created = Created {
        account_id: profile.id.to_string(),
        recovery_phrase: &recovery.phrase,
        bip39: &recovery.bip39,
        name: name.as_str(),
        published: published.is_ok(),
    };
    output.result(&created, || {
        format!(
            "Account ID: {}\nRecovery password (keep it secret, it is the only way back):\n{}",
            created.account_id, created.recovery_phrase
        )
    });
    if let Err(failure) = published {
        output.warning(&failure.message());
    }
    Ok(())
}

/// What is said of a restored account that its swarm has told nothing of. The account stays: nobody has to type the
/// recovery password again.
const NOT_READ: &str = "The network could not be reached. The account is on this device; its name, contacts and \
    messages come with the next command that reaches it, such as `septet receive`.";

async fn restore(name: Option<&str>, common: &Common, output: &Output) -> Result<(), Failure> {
    let fallback = name.map(display_name).transpose()?;
    let seed = parse_recovery(&session::read_text(Path::new("-"))?).map_err(wrong_recovery)?;
    let json = output.is_json();
    let progress = move |stage: RestoreStage| {
        if !json {
            eprintln!("{}", stage_text(stage));
        }
    };
    let profile_dir = common.profile()?;
    let client = Client::restore(&profile_dir, seed, fallback, session::options(common)?, progress).await?;
    let profile = client.profile().await?;
    let connected = client.connection().state == ConnectionState::Connected;
    if !profile.read && (!connected || profile.name.is_empty()) {
        session::close(client).await;
        return Err(Failure::offline(NOT_READ));
    }
    let conversations = client.conversations().await?;
    let memberships = client.memberships().await?;
    let restored = Restored {
        account_id: profile.id.to_string(),
        name: profile.name,
        contacts: conversations
            .iter()
            .filter(|c| c.approved && c.address.account() != Some(profile.id))
            .count(),
        conversations: conversations.iter().filter(|c| c.is_listed()).count(),
        groups: memberships.groups,
        communities: memberships.communities,
    };
    // What is left to publish goes out now or with the next start: the account's data are here.
    session::deliver(client, common.limit(PUBLISHING)).await.or_else(|failure| {
        output.warning(&failure.message());
        Ok::<_, Failure>(())
    })?;
    output.result(&restored, || {
        let name = if restored.name.is_empty() { "(no name yet)" } else { &plain::line(&restored.name) };
        format!(
            "Restored {name}\nAccount ID: {}\n{} contacts, {} conversations, {} groups, {} communities",
            restored.account_id,
            restored.contacts,
            restored.conversations,
            restored.groups,
            restored.communities
        )
    });
    if restored.name.is_empty() {
        output.warning(
            "The network has no profile of this account any more. Give it a name: septet account set --name NAME",
        );
    }
    Ok(())
}

fn stage_text(stage: RestoreStage) -> String {
    match stage {
        RestoreStage::Connecting => "Connecting…".into(),
        RestoreStage::Profile => "Looking for your profile…".into(),
        RestoreStage::Messages { fetched } => format!("Fetching the last 14 days: {fetched} messages…"),
        RestoreStage::Done => "Done.".into(),
    }
}

async fn show(common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let profile = client.profile().await?;
    let shown = Shown {
        account_id: profile.id.to_string(),
        name: profile.name,
        x25519: profile.id.x25519().to_string(),
        ed25519: client.ed25519().to_string(),
    };
    session::close(client).await;
    output.result(&shown, || format!("{}\nAccount ID: {}", plain::line(&shown.name), shown.account_id));
    Ok(())
}

async fn phrase(common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let recovery = client.recovery().await?;
    session::close(client).await;
    let shown = Phrase { recovery_phrase: &recovery.phrase, bip39: &recovery.bip39, seed_hex: &recovery.hex };
    output.result(&shown, || shown.recovery_phrase.to_string());
    Ok(())
}

async fn set(
    name: Option<&str>,
    picture: Option<&Path>,
    no_picture: bool,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let name = name.map(display_name).transpose()?;
    let picture = picture.map(read_picture).transpose()?;
    let client = session::open(common).await?;
    if !client.profile().await?.read {
        // Else what the account has would take the place of what is set now.
        client.sync_once(common.limit(PUBLISHING)).await?;
    }
    if picture.is_some() || no_picture {
        // The picture goes to the file server first: contacts are told where it is.
        client.start();
        let limit = common.limit(PUBLISHING);
        match tokio::time::timeout(limit, client.set_picture(picture)).await {
            Ok(set) => set?,
            Err(_) => {
                return Err(Failure::offline("The picture was not uploaded in time. Nothing has changed."));
            }
        }
    }
    if let Some(name) = name {
        client.set_name(name).await?;
    }
    session::deliver(client, common.limit(PUBLISHING)).await?;
    output.done();
    Ok(())
}

fn read_picture(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| {
        Failure::failed("unreadable", format!("Could not read {}: {error}.", path.display()))
    })
}

fn display_name(name: &str) -> Result<DisplayName, Failure> {
    DisplayName::parse(name).map_err(|error| Failure::failed("invalid_name", error.to_string()))
}

/// The sentence is the error's; the word tells programs which of the classes of spec 01 §6.3 it is.
fn wrong_recovery(error: RecoveryError) -> Failure {
    let code = match error {
        RecoveryError::NotEnoughWords { .. } => "not_enough_words",
        RecoveryError::TooManyWords { .. } => "too_many_words",
        RecoveryError::InvalidWord { .. } => "invalid_word",
        RecoveryError::ChecksumMismatch => "checksum_mismatch",
        RecoveryError::DecodingFailed => "decoding_failed",
        RecoveryError::Bip39ChecksumMismatch => "bip39_checksum_mismatch",
        RecoveryError::HexLength => "hex_length",
        RecoveryError::LooksLikeAccountId => "looks_like_account_id",
    };
    Failure::failed(code, error.to_string())
}
