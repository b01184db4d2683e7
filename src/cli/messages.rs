//! `septet messages`, and how a message is printed wherever one is: a row for programs, a line for people.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{Timestamp as Instant, tz::TimeZone};
use schemars::JsonSchema;
use septet_client::client::Client;
use septet_client::model::{
    Attachment, AttachmentState, ConversationId, LinkPreview, Message, MessageId, MessagePage, MessageState,
    Notice, Page, Quote,
};
use septet_protocol::id::SessionId;
use septet_protocol::time::Timestamp;
use serde::Serialize;

use super::call::{Answer, Call, Context, params};
use super::{Failure, address, plain};
use crate::gui::screens::conversation::words;
use crate::gui::strings::Strings;

/// How long a name may be looked up for, if nothing else is said.
const LOOK_UP: Duration = Duration::from_secs(30);

/// Digits of an Account ID.
const ID_LENGTH: usize = 66;

params! {
    /// The newest messages of a conversation, oldest first
    pub struct Messages {
        /// Account ID, registered name (ONS), or self
        pub conversation: String,
        /// How many, 1 to 10000
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        #[serde(default = "usual_limit")]
        #[schemars(range(min = 1, max = 10_000))]
        pub limit: u32,
        /// Only those before this message
        #[arg(long, value_name = "ID", allow_negative_numbers = true)]
        #[serde(default)]
        pub before: Option<i64>,
    }
}

/// How many messages are told of if nothing else is said.
const fn usual_limit() -> u32 {
    50
}

/// Messages, oldest first.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub struct MessageRows(Vec<MessageRow>);

impl Answer for MessageRows {}

/// One message, as `messages` prints it.
#[derive(Serialize, JsonSchema)]
pub struct MessageRow {
    message_id: i64,
    conversation: String,
    from: String,
    /// When it was sent, in ms since 1970
    timestamp: u64,
    /// The name our own swarm gave it; null while not known
    hash: Option<String>,
    text: String,
    state: MessageState,
    /// By the other, or by us
    read: bool,
    attachments: Vec<AttachmentRow>,
    /// The message it answers; null if it answers none, or one that is not here
    reply_to: Option<i64>,
    /// What it answers, also if that is not here
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<QuoteRow>,
    /// What a link in the text leads to
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<PreviewRow>,
    reactions: Vec<ReactionRow>,
    /// It is a line that tells what happened
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<Notice>,
    /// Only its place is kept
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
    /// When it disappears, in ms since 1970, once that is known
    expires_at: Option<u64>,
}

/// One attachment, as `messages` and `receive` print it.
#[derive(Serialize, JsonSchema, Clone)]
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
    /// Where it is.
    pub state: FileState,
    /// Where `--download` put it.
    pub path: Option<String>,
}

/// Where an attachment is.
#[derive(Serialize, JsonSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    Local,
    Remote,
    Preparing,
    Uploading,
    Downloading,
    Failed,
    Expired,
    Unusable,
}

/// What a message answers, also if that is not here.
#[derive(Serialize, JsonSchema)]
pub struct QuoteRow {
    /// Who wrote it
    author: String,
    /// When it was sent, in ms since 1970
    timestamp: u64,
}

/// What a link in a message leads to, as its sender tells it.
#[derive(Serialize, JsonSchema)]
pub struct PreviewRow {
    /// The link, as it stands in the text
    url: String,
    /// Title of the page; may be empty if there is a picture
    title: String,
    /// A picture came along
    has_image: bool,
}

/// One emoji under a message, and whose.
#[derive(Serialize, JsonSchema)]
pub struct ReactionRow {
    emoji: String,
    from: Vec<String>,
}

impl AttachmentRow {
    /// Without a path.
    pub fn new(attachment: &Attachment) -> Self {
        let state = match attachment.state {
            AttachmentState::Preparing => FileState::Preparing,
            AttachmentState::Uploading { .. } => FileState::Uploading,
            AttachmentState::Remote => FileState::Remote,
            AttachmentState::Downloading { .. } => FileState::Downloading,
            AttachmentState::Local => FileState::Local,
            AttachmentState::Failed { .. } => FileState::Failed,
            AttachmentState::Expired => FileState::Expired,
            AttachmentState::Unusable => FileState::Unusable,
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

impl PreviewRow {
    /// Link, title, and whether there is a picture.
    pub fn new(preview: &LinkPreview) -> Self {
        let (url, title) = (preview.url.clone(), preview.title.clone());
        Self { url, title, has_image: preview.image.is_some() }
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
            preview: message.preview.as_ref().map(PreviewRow::new),
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

impl Call for Messages {
    const NAME: &'static str = "messages";
    type Answer = MessageRows;

    async fn run(self, context: &Context) -> Result<MessageRows, Failure> {
        let client = context.client().await?;
        let (conversation, page) = self.page(&client, context).await?;
        let printed = address::of(&client, conversation).await?;
        Ok(MessageRows(page.messages.iter().map(|message| MessageRow::new(message, &printed)).collect()))
    }

    async fn tell(self, context: &Context) -> Result<Option<String>, Failure> {
        let client = context.client().await?;
        let (_, page) = self.page(&client, context).await?;
        let mut writer = LineWriter::new(&client);
        let mut lines = Vec::new();
        for message in &page.messages {
            lines.push(writer.line(message).await?);
        }
        Ok(Some(if lines.is_empty() { "No messages.".into() } else { lines.join("\n") }))
    }
}

impl Messages {
    /// The messages that are asked for.
    async fn page(
        &self,
        client: &Client,
        context: &Context,
    ) -> Result<(ConversationId, MessagePage), Failure> {
        if !(1..=10_000).contains(&self.limit) {
            return Err(Failure::usage("The limit is a number from 1 to 10000."));
        }
        let conversation = address::known(client, &self.conversation, context.limit(LOOK_UP)).await?;
        let page = self.before.map_or(Page::Newest, |id| Page::Before(MessageId(id)));
        Ok((conversation, client.messages(conversation, page, self.limit).await?))
    }
}

thread_local! {
    /// The words of the window, made once for each thread: they cannot go from one to another.
    static STRINGS: Strings = Strings::english();
}

/// Writes messages as lines for people.
pub struct LineWriter<'a> {
    client: &'a Client,
    /// What people are called, as long as this writes.
    names: BTreeMap<SessionId, String>,
}

impl<'a> LineWriter<'a> {
    /// For messages of this account.
    pub fn new(client: &'a Client) -> Self {
        Self { client, names: BTreeMap::new() }
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
        if let Some(preview) = &message.preview {
            line.push_str(&format!(" [link: {}]", plain::line(&preview.title)));
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
        Ok(STRINGS.with(|strings| words::notice(strings, notice, message.outgoing, &who)))
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
