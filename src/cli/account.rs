//! `septet account …`: making, restoring and showing the account of a profile.

use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use septet_client::client::{Client, RestoreStage};
use septet_client::model::ConnectionState;
use septet_protocol::account::{DisplayName, RecoveryError, parse_recovery};
use serde::Serialize;

use super::call::{Answer, Call, Context, Done, params};
use super::{Failure, plain, session};

params! {
    /// Make an account in an empty profile and publish its profile
    pub struct Create {
        /// Display name, 1 to 100 bytes
        #[arg(long)]
        pub name: String,
    }

    /// Restore from stdin: 13 words, 12 BIP-39 words or 32 hex digits
    pub struct Restore {
        /// Display name to take if the network has none any more
        #[arg(long)]
        #[serde(default)]
        pub name: Option<String>,
        /// 13 words, 12 BIP-39 words or 32 hex digits; on the command line they are read from stdin
        #[arg(skip)]
        #[serde(default)]
        pub recovery: Option<String>,
        /// Say on stderr how far it is
        #[arg(skip)]
        #[serde(skip)]
        pub progress: bool,
    }

    /// Who am I
    pub struct Show {}

    /// Print the recovery password
    pub struct Phrase {}

    /// Change the public profile
    #[command(group(clap::ArgGroup::new("change").required(true).multiple(true)))]
    pub struct Set {
        /// New display name, 1 to 100 bytes
        #[arg(long, group = "change")]
        #[serde(default)]
        pub name: Option<String>,
        /// New display picture; the middle of it is used
        #[arg(long, group = "change", value_name = "FILE")]
        #[serde(default)]
        pub picture: Option<PathBuf>,
        /// No display picture any more
        #[arg(long, group = "change", conflicts_with = "picture")]
        #[serde(default)]
        pub no_picture: bool,
    }
}

/// An account that was made.
#[derive(Serialize, JsonSchema)]
pub struct Created {
    account_id: String,
    /// 13 words
    recovery_phrase: String,
    /// The same as 12 BIP-39 words
    bip39: String,
    name: String,
    /// Whether the network has the profile already
    published: bool,
}

/// An account that is here again, and how much of what.
#[derive(Serialize, JsonSchema)]
pub struct Restored {
    account_id: String,
    /// Empty if the network has no profile any more and none was given
    name: String,
    contacts: usize,
    conversations: usize,
    groups: usize,
    communities: usize,
}

/// Who we are.
#[derive(Serialize, JsonSchema)]
pub struct Shown {
    account_id: String,
    name: String,
    /// The account's key for encryption, 64 hex digits
    x25519: String,
    /// The key that its messages are signed with, 64 hex digits
    ed25519: String,
}

/// The account's secret in its written forms.
#[derive(Serialize, JsonSchema)]
pub struct Secret {
    /// 13 words
    recovery_phrase: String,
    /// The same as 12 BIP-39 words
    bip39: String,
    /// The same as 32 hex digits
    seed_hex: String,
}

/// How long the network is waited for if nothing else is said.
const PUBLISHING: Duration = Duration::from_secs(30);

impl Call for Create {
    const NAME: &'static str = "account_create";
    type Answer = Created;

    /// The phrase is told whatever the network does: without it the account would be lost.
    async fn run(self, context: &Context) -> Result<Created, Failure> {
        let name = display_name(&self.name)?;
        let make = async |folder: PathBuf, options| Client::create(&folder, &name, options).await;
        let client = context.account().make(make).await?;
        let doing = client.doing();
        let profile = client.profile().await?;
        let recovery = client.recovery().await?;
        let published = context.delivered(&client, &doing, PUBLISHING).await;
        if let Err(failure) = &published {
            context.warn(&failure.message());
        }
        Ok(Created {
            account_id: profile.id.to_string(),
            recovery_phrase: recovery.phrase.clone(),
            bip39: recovery.bip39.clone(),
            name: name.as_str().to_owned(),
            published: published.is_ok(),
        })
    }
}

impl Answer for Created {
    fn text(&self) -> Option<String> {
        Some(format!(
            "Account ID: {}\nRecovery password (keep it secret, it is the only way back):\n{}",
            self.account_id, self.recovery_phrase
        ))
    }
}

/// What is said of a restored account that its swarm has told nothing of. The account stays: nobody has to type the
/// recovery password again.
const NOT_READ: &str = "The network could not be reached. The account is on this device; its name, contacts and \
    messages come with the next command that reaches it, such as `septet receive`.";

impl Call for Restore {
    const NAME: &'static str = "account_restore";
    type Answer = Restored;

    async fn run(self, context: &Context) -> Result<Restored, Failure> {
        let fallback = self.name.as_deref().map(display_name).transpose()?;
        let recovery = match self.recovery {
            Some(recovery) => recovery,
            None if context.may_read_stdin() => session::read_text(Path::new("-"))?,
            None => return Err(Failure::usage("The recovery password is missing.")),
        };
        let seed = parse_recovery(&recovery).map_err(wrong_recovery)?;
        let progress = move |stage: RestoreStage| {
            if self.progress {
                eprintln!("{}", stage_text(stage));
            }
        };
        let restore = async move |folder: PathBuf, options| {
            Client::restore(&folder, seed, fallback, options, progress).await
        };
        let client = context.account().make(restore).await?;
        let doing = client.doing();
        let profile = client.profile().await?;
        let connected = client.connection().state == ConnectionState::Connected;
        if !profile.read && (!connected || profile.name.is_empty()) {
            return Err(Failure::offline(NOT_READ));
        }
        let restored = restored(&client).await?;
        // What is left to publish goes out now or with the next start: the account's data are here.
        if let Err(failure) = context.delivered(&client, &doing, PUBLISHING).await {
            context.warn(&failure.message());
        }
        if restored.name.is_empty() {
            context.warn(
                "The network has no profile of this account any more. Give it a name: septet account set --name NAME",
            );
        }
        Ok(restored)
    }

    async fn tell(self, context: &Context) -> Result<Option<String>, Failure> {
        Ok(Self { progress: true, ..self }.run(context).await?.text())
    }
}

async fn restored(client: &Client) -> Result<Restored, Failure> {
    let profile = client.profile().await?;
    let conversations = client.conversations().await?;
    let memberships = client.memberships().await?;
    Ok(Restored {
        account_id: profile.id.to_string(),
        contacts: conversations
            .iter()
            .filter(|c| c.approved && c.address.account() != Some(profile.id))
            .count(),
        name: profile.name,
        conversations: conversations.iter().filter(|c| c.is_listed()).count(),
        groups: memberships.groups,
        communities: memberships.communities,
    })
}

impl Answer for Restored {
    fn text(&self) -> Option<String> {
        let name = if self.name.is_empty() { "(no name yet)" } else { &plain::line(&self.name) };
        Some(format!(
            "Restored {name}\nAccount ID: {}\n{} contacts, {} conversations, {} groups, {} communities",
            self.account_id, self.contacts, self.conversations, self.groups, self.communities
        ))
    }
}

fn stage_text(stage: RestoreStage) -> String {
    match stage {
        RestoreStage::Connecting => "Connecting…".into(),
        RestoreStage::Profile => "Looking for your profile…".into(),
        RestoreStage::Messages { fetched } => format!("Fetching the last 14 days: {fetched} messages…"),
        RestoreStage::Done => "Done.".into(),
    }
}

impl Call for Show {
    const NAME: &'static str = "account_show";
    type Answer = Shown;

    async fn run(self, context: &Context) -> Result<Shown, Failure> {
        let client = context.client().await?;
        let profile = client.profile().await?;
        Ok(Shown {
            account_id: profile.id.to_string(),
            name: profile.name,
            x25519: profile.id.x25519().to_string(),
            ed25519: client.ed25519().to_string(),
        })
    }
}

impl Answer for Shown {
    fn text(&self) -> Option<String> {
        Some(format!("{}\nAccount ID: {}", plain::line(&self.name), self.account_id))
    }
}

impl Call for Phrase {
    const NAME: &'static str = "account_phrase";
    type Answer = Secret;

    async fn run(self, context: &Context) -> Result<Secret, Failure> {
        let recovery = context.client().await?.recovery().await?;
        Ok(Secret {
            recovery_phrase: recovery.phrase.clone(),
            bip39: recovery.bip39.clone(),
            seed_hex: recovery.hex.clone(),
        })
    }
}

impl Answer for Secret {
    fn text(&self) -> Option<String> {
        Some(self.recovery_phrase.clone())
    }
}

impl Call for Set {
    const NAME: &'static str = "account_set";
    type Answer = Done;

    async fn run(self, context: &Context) -> Result<Done, Failure> {
        if self.name.is_none() && self.picture.is_none() && !self.no_picture {
            return Err(Failure::usage("There is nothing to change: give a name, a picture or no_picture."));
        }
        let name = self.name.as_deref().map(display_name).transpose()?;
        let picture = self.picture.as_deref().map(read_picture).transpose()?;
        let client = context.client().await?;
        let doing = client.doing();
        let limit = context.limit(PUBLISHING);
        if !client.profile().await?.read {
            // Else what the account has would take the place of what is set now.
            client.sync_once(limit).await?;
        }
        if picture.is_some() || self.no_picture {
            // The picture goes to the file server first: contacts are told where it is.
            client.start();
            match tokio::time::timeout(limit, client.set_picture(picture)).await {
                Ok(set) => set?,
                Err(_) => {
                    return Err(Failure::offline(
                        "The picture was not uploaded in time. Nothing has changed.",
                    ));
                }
            }
        }
        if let Some(name) = name {
            client.set_name(name).await?;
        }
        context.delivered(&client, &doing, PUBLISHING).await
    }
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
