//! `septet receive`: fetches once, or keeps on, and prints what arrived, one event a line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use septet_client::client::{Client, ClientError};
use septet_client::event::Event;
use septet_client::model::{AttachmentState, ConversationId, Message, MessageId, MessageState};
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::args::{Common, ReceiveOptions};
use super::lists::{AttachmentRow, message_line};
use super::output::Output;
use super::{Failure, session};

/// How long one fetch may take if nothing else is said.
const FETCH: Duration = Duration::from_secs(60);
/// How long a single fetch waits for attachments after the messages are here.
const DOWNLOADS: Duration = Duration::from_secs(120);

/// What programs read; keys are a promise.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line {
    Message {
        conversation: String,
        from: String,
        message_id: i64,
        timestamp: u64,
        hash: Option<String>,
        text: String,
        attachments: Vec<AttachmentRow>,
        reply_to: Option<i64>,
        expires_in: Option<u32>,
        sync: bool,
    },
    State {
        message_id: i64,
        state: MessageState,
    },
    Request {
        conversation: String,
    },
    Typing {
        conversation: String,
        from: String,
        typing: bool,
    },
    Profile {},
}

/// Runs the command.
pub async fn run(options: ReceiveOptions, common: &Common, output: &Output) -> Result<(), Failure> {
    if let Some(dir) = &options.download {
        std::fs::create_dir_all(dir).map_err(|error| {
            Failure::failed("unwritable", format!("Could not make {}: {error}.", dir.display()))
        })?;
    }
    let client = session::open(common).await?;
    let only = match &options.conversation {
        Some(text) => Some(session::conversation(&client, text).await?),
        None => None,
    };
    let mut printer =
        Printer { client: &client, output, only, download: options.download, waiting: BTreeMap::new() };
    let result = if options.follow {
        printer.follow(options.timeout).await
    } else {
        printer.once(options.timeout.unwrap_or(FETCH)).await
    };
    session::close(client).await?;
    result
}

/// Prints messages; those with attachments to fetch only once these are here.
struct Printer<'a> {
    client: &'a Client,
    output: &'a Output,
    only: Option<ConversationId>,
    download: Option<PathBuf>,
    waiting: BTreeMap<MessageId, Message>,
}

impl Printer<'_> {
    async fn once(&mut self, timeout: Duration) -> Result<(), Failure> {
        let mut events = self.client.subscribe();
        let client = self.client.clone();
        let fetch = client.sync_once(timeout);
        tokio::pin!(fetch);
        loop {
            tokio::select! {
                biased;
                event = events.recv() => self.handle(event).await?,
                result = &mut fetch => { result?; break }
            }
        }
        while let Ok(event) = events.try_recv() {
            self.handle(Ok(event)).await?;
        }
        // What could not be fetched in time is printed without a path.
        let _ = tokio::time::timeout(DOWNLOADS, self.finish_downloads(&mut events)).await;
        for message in std::mem::take(&mut self.waiting).into_values() {
            self.print(message).await?;
        }
        Ok(())
    }

    async fn finish_downloads(&mut self, events: &mut Receiver<Event>) -> Result<(), Failure> {
        while !self.waiting.is_empty() {
            let event = events.recv().await;
            self.handle(event).await?;
        }
        Ok(())
    }

    async fn follow(&mut self, timeout: Option<Duration>) -> Result<(), Failure> {
        let mut events = self.client.subscribe();
        self.client.start();
        let end = async {
            match timeout {
                Some(timeout) => tokio::time::sleep(timeout).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(end);
        let interrupted = session::interrupted();
        tokio::pin!(interrupted);
        loop {
            tokio::select! {
                event = events.recv() => self.handle(event).await?,
                () = &mut end => return Ok(()),
                result = &mut interrupted => return result,
            }
        }
    }

    async fn handle(&mut self, event: Result<Event, RecvError>) -> Result<(), Failure> {
        match event {
            Ok(Event::Message(message)) if self.wants(message.conversation) => self.arrived(*message).await,
            Ok(Event::Attachment { message, .. }) if self.waiting.contains_key(&message) => {
                let Some(message) = self.client.message(message).await? else { return Ok(()) };
                self.waiting.remove(&message.id);
                self.arrived(message).await
            }
            Ok(event) => self.print_event(event).await,
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(
                    missed,
                    "events came faster than they could be printed; `messages` has them all"
                );
                Ok(())
            }
            Err(RecvError::Closed) => Err(Failure::failed("stopped", "The client stopped.")),
        }
    }

    fn wants(&self, conversation: ConversationId) -> bool {
        self.only.is_none_or(|only| only == conversation)
    }

    async fn arrived(&mut self, message: Message) -> Result<(), Failure> {
        let mut pending = false;
        if self.download.is_some() {
            for attachment in &message.attachments {
                match attachment.state {
                    AttachmentState::Remote => {
                        self.client.download(attachment.id).await?;
                        pending = true;
                    }
                    AttachmentState::Downloading { .. } => pending = true,
                    _ => {}
                }
            }
        }
        if pending {
            self.waiting.insert(message.id, message);
            return Ok(());
        }
        self.print(message).await
    }

    async fn print(&self, message: Message) -> Result<(), Failure> {
        let mut attachments: Vec<_> = message.attachments.iter().map(AttachmentRow::new).collect();
        if let Some(dir) = &self.download {
            for (row, attachment) in attachments.iter_mut().zip(&message.attachments) {
                if attachment.state == AttachmentState::Local {
                    row.path = Some(self.save(attachment.id, dir).await?);
                }
            }
        }
        let line = Line::Message {
            conversation: self.address(message.conversation).await?,
            from: message.from.to_string(),
            message_id: message.id.0,
            timestamp: message.timestamp.as_ms(),
            hash: message.hash.map(|hash| hash.to_string()),
            text: message.text.clone(),
            attachments,
            reply_to: message.quote.as_ref().and_then(|quote| quote.message).map(|id| id.0),
            expires_in: match message.expiry {
                septet_client::model::Expiry::Off => None,
                septet_client::model::Expiry::AfterRead(s) | septet_client::model::Expiry::AfterSend(s) => {
                    Some(s)
                }
            },
            sync: message.outgoing,
        };
        self.output.result(&line, || message_line(&message));
        Ok(())
    }

    async fn save(
        &self,
        attachment: septet_client::model::AttachmentId,
        dir: &Path,
    ) -> Result<String, Failure> {
        Ok(self.client.save_attachment(attachment, dir).await?.display().to_string())
    }

    /// What commands call a conversation.
    async fn address(&self, conversation: ConversationId) -> Result<String, Failure> {
        let address = self.client.address_of(conversation).await?;
        Ok(address.ok_or(ClientError::NotFound("conversation"))?.to_string())
    }

    /// Other events are for programs only.
    async fn print_event(&self, event: Event) -> Result<(), Failure> {
        if !self.output.is_json() {
            return Ok(());
        }
        let line = match event {
            Event::State { conversation, message, state } if self.wants(conversation) => {
                Line::State { message_id: message.0, state }
            }
            Event::Request(conversation) if self.wants(conversation) => {
                Line::Request { conversation: self.address(conversation).await? }
            }
            Event::Typing { conversation, from, typing } if self.wants(conversation) => {
                let conversation = self.address(conversation).await?;
                Line::Typing { conversation, from: from.to_string(), typing }
            }
            Event::Profile => Line::Profile {},
            _ => return Ok(()),
        };
        self.output.result(&line, String::new);
        Ok(())
    }
}
