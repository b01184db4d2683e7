//! `septet messages`, and how a message is printed wherever one is: a row for programs, a line for people.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{Timestamp as Instant, tz::TimeZone};
use septet_client::client::Client;
use septet_client::model::{
    Attachment, AttachmentState, Message, MessageId, MessageState, Notice, Page, Quote,
};
use septet_protocol::id::SessionId;
use septet_protocol::time::Timestamp;
use serde::Serialize;

use super::args::{Common, MessagesOptions};
use super::output::Output;
use super::{Failure, address, plain, session};
use crate::gui::screens::conversation::words;
use crate::gui::strings::Strings;

/// How long a name may be looked up for, if nothing else is said.
const LOOK_UP: Duration = Duration::from_secs(30);

/// Digits of an Account ID.
const ID_LENGTH: usize = 66;

/// One message, as `messages` prints it.
#[derive(Serialize)]
struct MessageRow {
    message_id: i64,
    conversation: String,
    from: String,
    timestamp: u64,
    hash: Option<String>,
    text: String,
    state: MessageState,
    read: bool,
    attachments: Vec<AttachmentRow>,
    reply_to: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<QuoteRow>,
    reactions: Vec<ReactionRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<Notice>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
    expires_at: Option<u64>,
}

/// One attachment, as `messages` and `receive` print it.
#[derive(Serialize, Clone)]
pub struct AttachmentRow {
    /// File name, cleaned.
    pub name: String,
    /// MIME type as sent.
    pub content_type: String,
    /// Bytes.
    pub size: u64,
    /// It is a voice message.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub voice: bool,
    /// `local`, `remote`, `uploading`, `downloading`, `failed`, `expired` or `unusable`.
    pub state: &'static str,
    /// Where `--download` put it.
    pub path: Option<String>,
}

/// What a message answers, also if that is not here.
#[derive(Serialize)]
pub struct QuoteRow {
    author: String,
    timestamp: u64,
}

#[derive(Serialize)]
struct ReactionRow {
    emoji: String,
    from: Vec<String>,
}

impl AttachmentRow {
    /// Without a path.
    pub fn new(attachment: &Attachment) -> Self {
        let state = match attachment.state {
            AttachmentState::Preparing => "preparing",
            AttachmentState::Uploading { .. } => "uploading",
            AttachmentState::Remote => "remote",
            AttachmentState::Downloading { .. } => "downloading",
            AttachmentState::Local => "local",
            AttachmentState::Failed { .. } => "failed",
            AttachmentState::Expired => "expired",
            AttachmentState::Unusable => "unusable",
        };
        Self {
            name: attachment.name.clone(),
            content_type: attachment.content_type.clone(),
            size: attachment.size,
            voice: attachment.voice,
            state,
            path: None,
        }
    }
}

impl QuoteRow {
    /// Of whom and when.
    pub fn new(quote: &Quote) -> Self {
        Self { author: quote.author.to_string(), timestamp: quote.timestamp.as_ms() }
    }
}

/// The number of the message that one answers: none if it answers none, or one that is not here.
pub fn reply_to(message: &Message) -> Option<i64> {
    message.quote.as_ref().and_then(|quote| quote.message).map(|id| id.0)
}

impl MessageRow {
    fn new(message: &Message, conversation: &str) -> Self {
        Self {
            message_id: message.id.0,
            conversation: conversation.to_owned(),
            from: message.from.to_string(),
            timestamp: message.timestamp.as_ms(),
            hash: message.hash.map(|hash| hash.to_string()),
            text: message.text.clone(),
            state: message.state,
            read: message.read,
            attachments: message.attachments.iter().map(AttachmentRow::new).collect(),
            reply_to: reply_to(message),
            quote: message.quote.as_ref().map(QuoteRow::new),
            reactions: message
                .reactions
                .iter()
                .map(|reaction| ReactionRow {
                    emoji: reaction.emoji.clone(),
                    from: reaction.from.iter().map(ToString::to_string).collect(),
                })
                .collect(),
            notice: message.notice.clone(),
            deleted: message.deleted,
            expires_at: message.expires_at.map(Timestamp::as_ms),
        }
    }
}

/// `messages`.
pub async fn run(options: MessagesOptions, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = address::known(&client, &options.about.conversation, common.limit(LOOK_UP)).await?;
    let page = options.before.map_or(Page::Newest, |id| Page::Before(MessageId(id)));
    let page = client.messages(conversation, page, options.limit).await?;
    let printed = address::of(&client, conversation).await?;
    let rows: Vec<_> = page.messages.iter().map(|message| MessageRow::new(message, &printed)).collect();
    let mut lines = Vec::new();
    if !output.is_json() {
        let mut writer = LineWriter::new(&client);
        for message in &page.messages {
            lines.push(writer.line(message).await?);
        }
    }
    session::close(client).await;
    output.result(&rows, || if lines.is_empty() { "No messages.".into() } else { lines.join("\n") });
    Ok(())
}

/// Writes messages as lines for people.
pub struct LineWriter<'a> {
    client: &'a Client,
    strings: Strings,
    /// What people are called, as long as this writes.
    names: BTreeMap<SessionId, String>,
}

impl<'a> LineWriter<'a> {
    /// For messages of this account.
    pub fn new(client: &'a Client) -> Self {
        Self { client, strings: Strings::english(), names: BTreeMap::new() }
    }

    /// One message: number, local time, author, text, files. Lines of the text after its first are indented.
    pub async fn line(&mut self, message: &Message) -> Result<String, Failure> {
        let head = format!("{}  {}  ", message.id.0, local_time(message.timestamp));
        if message.notice.is_some() {
            return Ok(format!("{head}* {}", plain::line(&self.sentence(message).await?)));
        }
        let who = if message.outgoing { "me".to_owned() } else { self.name(message.from).await? };
        let mut line = format!("{head}{who}: ");
        if let Some(id) = reply_to(message) {
            line.push_str(&format!("(answers {id}) "));
        }
        let text = self.with_names(&message.text).await?;
        line.push_str(&plain::paragraphs(&text));
        if message.deleted {
            line.push_str("(deleted)");
        }
        for file in &message.attachments {
            let unusable = if file.state == AttachmentState::Unusable { ", cannot be opened" } else { "" };
            line.push_str(&format!(" [{}, {} bytes{unusable}]", plain::line(&file.name), file.size));
        }
        for reaction in &message.reactions {
            line.push_str(&format!(" ({} {})", plain::line(&reaction.emoji), reaction.from.len()));
        }
        match message.state {
            MessageState::Sending => line.push_str(" (sending)"),
            MessageState::Failed => line.push_str(" (failed)"),
            MessageState::Sent | MessageState::Received => {}
        }
        Ok(line)
    }

    /// What a notice says; empty if the message is none.
    pub async fn sentence(&mut self, message: &Message) -> Result<String, Failure> {
        let Some(notice) = &message.notice else { return Ok(String::new()) };
        let who = address::title(self.client, message.conversation).await?;
        Ok(words::notice(&self.strings, notice, message.outgoing, &who))
    }

    /// A text in which mentions (`@` and an Account ID, spec 02 §11) are names, as far as these are known.
    async fn with_names(&mut self, text: &str) -> Result<String, Failure> {
        let mut parts = text.split('@');
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            out.push('@');
            let mentioned = part.get(..ID_LENGTH).and_then(|id| id.parse::<SessionId>().ok());
            match mentioned {
                Some(id) => {
                    out.push_str(&self.name(id).await?);
                    out.push_str(part.get(ID_LENGTH..).unwrap_or_default());
                }
                None => out.push_str(part),
            }
        }
        Ok(out)
    }

    /// What an account is called. A name is anybody's to choose, an id is not: both are shown.
    async fn name(&mut self, id: SessionId) -> Result<String, Failure> {
        if let Some(name) = self.names.get(&id) {
            return Ok(name.clone());
        }
        let short = id.short();
        let shown = match address::name(self.client, id).await? {
            Some(name) => format!("{} ({short})", plain::line(&name)),
            None => short,
        };
        self.names.insert(id, shown.clone());
        Ok(shown)
    }
}

fn local_time(timestamp: Timestamp) -> String {
    i64::try_from(timestamp.as_ms())
        .ok()
        .and_then(|ms| Instant::from_millisecond(ms).ok())
        .map(|instant| instant.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default()
}
