//! `septet send`: writes a message and waits until the other's swarm has it.

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use septet_client::client::{Client, ClientError};
use septet_client::model::{Draft, MessageId, MessageState, OutgoingFile};
use serde::Serialize;

use super::args::{Common, SendOptions};
use super::output::Output;
use super::{Failure, address, plain, session};

/// How long sending may take if nothing else is said.
const SENDING: Duration = Duration::from_secs(60);
/// How long to wait for our own swarm to have the copy for our other devices; if it does not, the next start sends it.
const COPY: Duration = Duration::from_secs(20);

/// No more is read of a file that is to be a voice message: five minutes of plain samples are less.
const LARGEST_VOICE: u64 = 256 << 20;

#[derive(Serialize)]
struct Sent {
    message_id: i64,
    timestamp: u64,
    hash: Option<String>,
    state: MessageState,
}

/// Tells which files may say where they were made, before they are sent.
async fn warn_of_places(files: &[PathBuf], output: &Output) {
    for path in files {
        if septet_client::client::may_tell_place(OutgoingFile::Path(path.clone())).await {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
            output.warning(&format!(
                "{} may say where it was made, and Septet cannot take that out of it. It is sent as it is.",
                plain::line(&name)
            ));
        }
    }
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

/// Sends one message.
pub async fn run(options: SendOptions, common: &Common, output: &Output) -> Result<(), Failure> {
    let text = match (&options.text, &options.text_file) {
        (Some(text), _) => text.clone(),
        (None, Some(file)) => session::read_text(file)?,
        (None, None) => String::new(),
    };
    let limit = common.limit(SENDING);
    let client = session::open(common).await?;
    let to = address::any(&client, &options.to, limit).await?;
    let mut files: Vec<_> = options.files.iter().cloned().map(OutgoingFile::Path).collect();
    if let Some(path) = options.voice {
        files.push(voice(&client, path).await?);
    }
    let draft = Draft { text, files, reply_to: options.reply_to.map(MessageId) };
    warn_of_places(&options.files, output).await;
    let id = client.send(to, draft).await?;
    tracing::info!(message = id.0, "the message is written down");
    client.start();
    let message = match client.wait_sent(id, limit).await {
        Err(ClientError::TimedOut(_) | ClientError::Offline) => {
            session::close(client).await;
            return Err(Failure::offline(format!(
                "Not sent within {} seconds. The message is kept, and goes out when Septet runs and the network is back.",
                limit.as_secs_f64()
            )));
        }
        result => result?,
    };
    if message.state == MessageState::Failed {
        session::close(client).await;
        let reason = message.failure.unwrap_or_else(|| "The message could not be sent.".into());
        return Err(Failure::failed("not_sent", reason));
    }
    // The copy gives the message the name that our own swarm knows it by.
    client.flush(COPY.min(limit)).await?;
    let message = client.message(id).await?.unwrap_or(message);
    session::close(client).await;
    let sent = Sent {
        message_id: message.id.0,
        timestamp: message.timestamp.as_ms(),
        hash: message.hash.map(|hash| hash.to_string()),
        state: message.state,
    };
    output.result(&sent, || "Sent.".to_string());
    Ok(())
}
