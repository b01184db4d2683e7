//! `septet send`: writes a message and waits until the other's swarm has it.

use septet_client::client::ClientError;
use septet_client::model::{Draft, MessageId, MessageState, OutgoingFile};
use serde::Serialize;

use super::args::{Common, SendOptions};
use super::output::Output;
use super::{Failure, session};

#[derive(Serialize)]
struct Sent {
    message_id: i64,
    timestamp: u64,
    hash: Option<String>,
    state: MessageState,
}

/// Sends one message.
pub async fn run(options: SendOptions, common: &Common, output: &Output) -> Result<(), Failure> {
    let text = match (&options.text, &options.text_file) {
        (Some(text), _) => text.clone(),
        (None, Some(file)) => session::read_text(file)?,
        (None, None) => String::new(),
    };
    let client = session::open(common).await?;
    let to = session::conversation(&client, &options.to).await?;
    let draft = Draft {
        text,
        files: options.files.iter().cloned().map(OutgoingFile::Path).collect(),
        reply_to: options.reply_to.map(MessageId),
    };
    let id = client.send(to, draft).await?;
    client.start();
    let message = match client.wait_sent(id, options.timeout).await {
        Err(ClientError::TimedOut(_) | ClientError::Offline) => {
            session::close(client).await?;
            return Err(Failure::offline(format!(
                "Not sent within {} seconds. The message is kept, and goes out when Septet runs and the network is back.",
                options.timeout.as_secs()
            )));
        }
        result => result?,
    };
    let result = match message.state {
        MessageState::Sending | MessageState::Sent | MessageState::Received => {
            let sent = Sent {
                message_id: message.id.0,
                timestamp: message.timestamp.as_ms(),
                hash: message.hash.map(|hash| hash.to_string()),
                state: message.state,
            };
            output.result(&sent, || "Sent.".to_string());
            Ok(())
        }
        MessageState::Failed => {
            let reason = message.failure.unwrap_or_else(|| "The message could not be sent.".into());
            Err(Failure::failed("not_sent", reason))
        }
    };
    if result.is_ok() {
        // The copy for our other devices; if it does not get out now, the next start sends it.
        client.flush(session::FLUSH.min(options.timeout)).await?;
    }
    session::close(client).await?;
    result
}
