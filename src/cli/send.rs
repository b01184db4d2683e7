//! `septet send`: writes a message and waits until the other's swarm has it.
//!
//! Decision: a program that was cut off while it sent cannot know whether it did. It may give what it sends a key
//! (`idempotency_key`), which is written down with the message in one transaction: asked again with the same key, nothing
//! is written, and what became of the first message is waited for and told.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use septet_client::client::{Client, ClientError, PreviewError};
use septet_client::model::{
    ConversationId, Draft, DraftPreview, Message, MessageId, MessageState, OutgoingFile, Sent, SentBefore,
};
use serde::Serialize;

use super::call::{Answer, Call, Context, params};
use super::{Failure, address, plain, session};

/// How long sending may take if nothing else is said.
const SENDING: Duration = Duration::from_secs(60);
/// How long to wait for our own swarm to have the copy for our other devices; if it does not, the next start sends it.
const COPY: Duration = Duration::from_secs(20);
/// No more is read of a file that is to be a voice message: five minutes of plain samples are less.
const LARGEST_VOICE: u64 = 256 << 20;
/// The longest key, in bytes.
const LONGEST_KEY: usize = 200;

params! {
    /// Send a message and wait until the swarm has it
    pub struct Send {
        /// Account ID, registered name (ONS), or self
        pub to: String,
        /// The text
        #[arg(long, conflicts_with = "text_file", allow_hyphen_values = true)]
        #[serde(default)]
        pub text: Option<String>,
        /// A file with the text; - is stdin
        #[arg(long, value_name = "FILE")]
        #[serde(default)]
        pub text_file: Option<PathBuf>,
        /// A file to attach; may be repeated
        #[arg(long = "file", value_name = "PATH")]
        #[serde(default, rename = "file")]
        pub files: Vec<PathBuf>,
        /// A sound to send as a voice message, of at most five minutes: MP3, AAC, M4A, Ogg Vorbis or WAV
        #[arg(long, value_name = "FILE", conflicts_with_all = ["text", "text_file", "files"])]
        #[serde(default)]
        pub voice: Option<PathBuf>,
        /// The message to answer
        #[arg(long, value_name = "ID", allow_negative_numbers = true, conflicts_with = "preview")]
        #[serde(default)]
        pub reply_to: Option<i64>,
        /// Ask the website of the first https link for title and picture, and send them along: it sees this machine's address
        #[arg(long, conflicts_with = "files")]
        #[serde(default)]
        pub preview: bool,
        /// Send at most once under this key, 1 to 200 bytes, however often it is asked for
        #[arg(long, value_name = "KEY")]
        #[serde(default)]
        pub idempotency_key: Option<String>,
    }
}

/// A message that the other's swarm has.
#[derive(Serialize, JsonSchema)]
pub struct SentRow {
    message_id: i64,
    /// In ms since 1970
    timestamp: u64,
    /// The name our own swarm gave it; null while not known, or if it is gone by now
    hash: Option<String>,
    state: MessageState,
    /// It was written before under the same key, and is there once
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    repeated: bool,
}

impl Answer for SentRow {
    fn text(&self) -> Option<String> {
        Some("Sent.".to_owned())
    }
}

impl Call for Send {
    const NAME: &'static str = "send";
    type Answer = SentRow;

    async fn run(self, context: &Context) -> Result<SentRow, Failure> {
        if let Some(key) = self.idempotency_key.as_deref()
            && !(1..=LONGEST_KEY).contains(&key.len())
        {
            return Err(Failure::usage(format!("A key has 1 to {LONGEST_KEY} bytes.")));
        }
        if self.voice.is_some() && (self.text.is_some() || self.text_file.is_some() || !self.files.is_empty())
        {
            return Err(Failure::usage("A voice message has no text and no other files."));
        }
        if self.preview && (self.reply_to.is_some() || !self.files.is_empty() || self.voice.is_some()) {
            return Err(Failure::usage("A preview goes with a text alone."));
        }
        let text = self.text(context)?;
        let client = context.client().await?;
        let limit = context.limit(SENDING);
        let preview = match self.preview {
            true => Some(client.preview(&text).await.map_err(|error| no_preview(&error))?),
            false => None,
        };
        let turn = context.turn().await;
        let to = address::any(&client, &self.to, limit).await?;
        let (id, before) = match self.write(&client, context, to, (text, preview)).await? {
            Sent::Now(id) => (id, None),
            Sent::Before(before) => (before.message, Some(before)),
        };
        drop(turn);
        tracing::info!(message = id.0, "the message is written down");
        client.start();
        let message = match (settled(&client, id, before.is_some(), limit).await?, before) {
            (Some(message), _) => message,
            (None, Some(before)) => return Ok(SentRow::gone(before)),
            (None, None) => return Err(ClientError::NotFound("message").into()),
        };
        if message.state == MessageState::Failed {
            let reason = message.failure.unwrap_or_else(|| "The message could not be sent.".into());
            return Err(Failure::failed("not_sent", reason));
        }
        // The copy gives the message the name that our own swarm knows it by.
        context.copied(&client, id, COPY.min(limit)).await?;
        let message = client.message(id).await?.unwrap_or(message);
        Ok(SentRow {
            message_id: message.id.0,
            timestamp: message.timestamp.as_ms(),
            hash: message.hash.map(|hash| hash.to_string()),
            state: message.state,
            repeated: before.is_some(),
        })
    }
}

impl Send {
    fn text(&self, context: &Context) -> Result<String, Failure> {
        match (&self.text, &self.text_file) {
            (Some(text), _) => Ok(text.clone()),
            (None, Some(file)) if file == Path::new("-") && !context.may_read_stdin() => {
                Err(Failure::usage("The text cannot come from stdin here."))
            }
            (None, Some(file)) => session::read_text(file),
            (None, None) => Ok(String::new()),
        }
    }

    /// Writes the message down, or finds what was written under its key.
    async fn write(
        &self,
        client: &Client,
        context: &Context,
        to: ConversationId,
        (text, preview): (String, Option<DraftPreview>),
    ) -> Result<Sent, Failure> {
        warn_of_places(&self.files, context).await;
        let mut files: Vec<_> = self.files.iter().cloned().map(OutgoingFile::Path).collect();
        if let Some(path) = &self.voice {
            files.push(voice(client, path.clone()).await?);
        }
        let draft = Draft { text, files, reply_to: self.reply_to.map(MessageId), preview };
        Ok(client.send_once(self.idempotency_key.clone(), to, draft).await?)
    }
}

/// Waits until a message is sent or failed; `None` if one that was written before is gone. One that had failed before is
/// tried again.
async fn settled(
    client: &Client,
    id: MessageId,
    before: bool,
    limit: Duration,
) -> Result<Option<Message>, Failure> {
    if before {
        match client.message(id).await? {
            None => return Ok(None),
            Some(message) if message.deleted => return Ok(None),
            Some(message) if message.state == MessageState::Failed => client.resend(id).await?,
            Some(_) => {}
        }
    }
    match client.wait_sent(id, limit).await {
        Err(ClientError::TimedOut(_) | ClientError::Offline) => Err(Failure::offline(format!(
            "Not sent within {} seconds. The message is kept, and goes out when Septet runs and the network is back.",
            limit.as_secs_f64()
        ))),
        Err(ClientError::NotFound(_)) if before => Ok(None),
        result => Ok(Some(result?)),
    }
}

impl SentRow {
    /// What is told of a message that was written before, and is gone by now: it disappeared, or somebody deleted it.
    fn gone(before: SentBefore) -> Self {
        let (message_id, timestamp) = (before.message.0, before.timestamp.as_ms());
        Self { message_id, timestamp, hash: None, state: MessageState::Sent, repeated: true }
    }
}

/// Tells which files may say where they were made, before they are sent.
async fn warn_of_places(files: &[PathBuf], context: &Context) {
    for path in files {
        if septet_client::client::may_tell_place(OutgoingFile::Path(path.clone())).await {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
            context.warn(&format!(
                "{} may say where it was made, and Septet cannot take that out of it. It is sent as it is.",
                plain::line(&name)
            ));
        }
    }
}

/// Nothing is sent without the preview that was asked for.
fn no_preview(error: &PreviewError) -> Failure {
    let reason = error.to_string();
    let mut letters = reason.chars();
    let first: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    Failure::failed(
        "no_preview",
        format!("{first}{}. Nothing was sent; leave --preview away to send it without.", letters.as_str()),
    )
}

/// Makes a file a voice message, in the profile's own store.
async fn voice(client: &Client, path: PathBuf) -> Result<OutgoingFile, Failure> {
    let name = plain::line(&path.file_name().unwrap_or(path.as_os_str()).to_string_lossy());
    let refused = |reason: &dyn std::fmt::Display| {
        let reason = reason.to_string();
        let reason = reason.split(" (os error").next().unwrap_or_default();
        Failure::failed("voice", format!("The file {name} cannot be sent: {reason}."))
    };
    let made = tokio::task::spawn_blocking(move || {
        let mut file = Vec::new();
        std::fs::File::open(path)?.take(LARGEST_VOICE).read_to_end(&mut file)?;
        Ok::<_, std::io::Error>(septet_audio::voice::from_file(file))
    });
    let read = made.await.map_err(|error| refused(&error))?.map_err(|error| refused(&error))?;
    let voice = read.map_err(|error| refused(&error))?;
    let kept = client.keep_voice(voice.content_type, voice.bytes).await;
    Ok(OutgoingFile::Kept(kept.map_err(Failure::from)?))
}
