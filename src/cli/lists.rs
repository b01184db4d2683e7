//! What is in the profile: conversations, messages, requests, contacts. Read from disk; the network is not asked.

use jiff::{Timestamp as Instant, tz::TimeZone};
use septet_client::client::ClientError;
use septet_client::model::{
    Address, Attachment, AttachmentState, Conversation, ConversationKind, Expiry, LastMessage, Message,
    MessageId, MessageState, Page,
};
use septet_protocol::time::Timestamp;
use serde::Serialize;

use super::args::{Common, MessagesOptions};
use super::output::Output;
use super::{Failure, session};

#[derive(Serialize)]
struct ConversationRow {
    conversation: String,
    kind: ConversationKind,
    name: String,
    unread: u32,
    mentions: u32,
    pinned: bool,
    muted: bool,
    hidden: bool,
    marked_unread: bool,
    expiry: Expiry,
    draft: Option<String>,
    last_message: Option<LastRow>,
}

#[derive(Serialize)]
struct LastRow {
    text: String,
    timestamp: u64,
    from: String,
}

#[derive(Serialize)]
struct RequestRow {
    conversation: String,
    name: String,
    last_message: Option<LastRow>,
}

#[derive(Serialize)]
struct ContactRow {
    account_id: String,
    name: String,
    nickname: Option<String>,
    approved: bool,
    approved_me: bool,
    blocked: bool,
    picture: bool,
}

/// One message, as `messages` prints it.
#[derive(Serialize)]
pub struct MessageRow {
    message_id: i64,
    conversation: String,
    from: String,
    timestamp: u64,
    hash: Option<String>,
    text: String,
    state: MessageState,
    read: bool,
    attachments: Vec<AttachmentRow>,
    reply_to: Option<ReplyRow>,
    reactions: Vec<ReactionRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<septet_client::model::Notice>,
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
    /// `local`, `remote`, `uploading`, `downloading`, `failed` or `expired`.
    pub state: &'static str,
    /// Where `--download` put it.
    pub path: Option<String>,
}

#[derive(Serialize)]
struct ReplyRow {
    message_id: Option<i64>,
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
            state,
            path: None,
        }
    }
}

impl LastRow {
    fn new(last: &LastMessage) -> Self {
        Self { text: last.text.clone(), timestamp: last.timestamp.as_ms(), from: last.from.to_string() }
    }
}

impl MessageRow {
    fn new(message: &Message, conversation: &Address) -> Self {
        Self {
            message_id: message.id.0,
            conversation: conversation.to_string(),
            from: message.from.to_string(),
            timestamp: message.timestamp.as_ms(),
            hash: message.hash.map(|hash| hash.to_string()),
            text: message.text.clone(),
            state: message.state,
            read: message.read,
            attachments: message.attachments.iter().map(AttachmentRow::new).collect(),
            reply_to: message.quote.as_ref().map(|quote| ReplyRow {
                message_id: quote.message.map(|id| id.0),
                author: quote.author.to_string(),
                timestamp: quote.timestamp.as_ms(),
            }),
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

/// `conversations`: those of the window's list, then hidden ones.
pub async fn conversations(common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let now = client.now();
    let all = client.conversations().await?;
    let (listed, hidden): (Vec<_>, Vec<_>) =
        all.iter().filter(|c| !c.is_request() && !c.blocked).partition(|c| c.is_listed());
    let rows: Vec<_> = listed.into_iter().chain(hidden).map(|c| conversation_row(c, now)).collect();
    output.result(&rows, || {
        let lines: Vec<_> = rows.iter().map(conversation_line).collect();
        if lines.is_empty() { "No conversations.".into() } else { lines.join("\n") }
    });
    session::close(client).await
}

fn conversation_row(conversation: &Conversation, now: Timestamp) -> ConversationRow {
    ConversationRow {
        conversation: conversation.address.to_string(),
        kind: conversation.kind,
        name: title(conversation),
        unread: conversation.unread,
        mentions: conversation.mentions,
        pinned: conversation.pinned > 0,
        muted: conversation.muted_until.is_some_and(|until| until > now),
        hidden: !conversation.is_listed(),
        marked_unread: conversation.marked_unread,
        expiry: conversation.expiry,
        draft: conversation.draft.as_ref().map(|draft| draft.text.clone()).filter(|text| !text.is_empty()),
        last_message: conversation.last_message.as_ref().map(LastRow::new),
    }
}

fn title(conversation: &Conversation) -> String {
    match conversation.kind {
        ConversationKind::NoteToSelf => "Note to Self".into(),
        _ => conversation.title(),
    }
}

fn conversation_line(row: &ConversationRow) -> String {
    let unread = if row.unread > 0 { format!(" ({} unread)", row.unread) } else { String::new() };
    let last =
        row.last_message.as_ref().map(|last| format!(": {}", one_line(&last.text))).unwrap_or_default();
    format!("{}  {}{unread}{last}", row.conversation, printable(&row.name))
}

/// `messages`.
pub async fn messages(options: MessagesOptions, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let conversation = session::known_conversation(&client, &options.conversation).await?;
    let page = options.before.map_or(Page::Newest, |id| Page::Before(MessageId(id)));
    let page = client.messages(conversation, page, options.limit).await?;
    let address = client.address_of(conversation).await?.ok_or(ClientError::NotFound("conversation"))?;
    let rows: Vec<_> = page.messages.iter().map(|message| MessageRow::new(message, &address)).collect();
    output.result(&rows, || page.messages.iter().map(message_line).collect::<Vec<_>>().join("\n"));
    session::close(client).await
}

/// One message for people: local time, author, text, files.
pub fn message_line(message: &Message) -> String {
    let who = if message.outgoing { "me".to_string() } else { message.from.short() };
    let mut line = format!("{}  {who}: {}", local_time(message.timestamp), printable(&message.text));
    for file in &message.attachments {
        let unusable = if file.state == AttachmentState::Unusable { ", cannot be opened" } else { "" };
        line.push_str(&format!(" [{}, {} bytes{unusable}]", printable(&file.name), file.size));
    }
    match message.state {
        MessageState::Sending => line.push_str(" (sending)"),
        MessageState::Failed => line.push_str(" (failed)"),
        MessageState::Sent | MessageState::Received => {}
    }
    line
}

fn local_time(timestamp: Timestamp) -> String {
    i64::try_from(timestamp.as_ms())
        .ok()
        .and_then(|ms| Instant::from_millisecond(ms).ok())
        .map(|instant| instant.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default()
}

/// What others wrote must not steer the terminal: no control characters but line breaks.
pub fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').collect()
}

fn one_line(text: &str) -> String {
    printable(text).replace('\n', " ")
}

/// `requests`.
pub async fn requests(common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let all = client.conversations().await?;
    let rows: Vec<_> = all
        .iter()
        .filter(|c| c.is_request())
        .map(|c| RequestRow {
            conversation: c.address.to_string(),
            name: c.title(),
            last_message: c.last_message.as_ref().map(LastRow::new),
        })
        .collect();
    output.result(&rows, || {
        let line = |row: &RequestRow| {
            let text = row.last_message.as_ref().map(|last| one_line(&last.text)).unwrap_or_default();
            format!("{}  {}: {text}", row.conversation, printable(&row.name))
        };
        if rows.is_empty() {
            "No message requests.".into()
        } else {
            rows.iter().map(line).collect::<Vec<_>>().join("\n")
        }
    });
    session::close(client).await
}

/// `contacts`: everybody we approved, who approved us, or whom we blocked.
pub async fn contacts(common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let all = client.conversations().await?;
    let mut rows: Vec<_> = all
        .iter()
        .filter(|c| c.kind == ConversationKind::Private && (c.approved || c.approved_me || c.blocked))
        .map(|c| ContactRow {
            account_id: c.address.to_string(),
            name: c.name.clone(),
            nickname: c.nickname.clone(),
            approved: c.approved,
            approved_me: c.approved_me,
            blocked: c.blocked,
            picture: c.picture.is_some(),
        })
        .collect();
    rows.sort_by(|a, b| (a.name.to_lowercase(), &a.account_id).cmp(&(b.name.to_lowercase(), &b.account_id)));
    output.result(&rows, || {
        let line = |row: &ContactRow| format!("{}  {}", row.account_id, printable(&row.name));
        if rows.is_empty() {
            "No contacts.".into()
        } else {
            rows.iter().map(line).collect::<Vec<_>>().join("\n")
        }
    });
    session::close(client).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\r\nc\u{9b}d"), "a[31mb\ncd");
        assert_eq!(one_line("a\nb"), "a b");
    }
}
