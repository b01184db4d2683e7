//! What is in the profile: conversations, requests, contacts. Read from disk; the network is not asked.

use septet_client::model::{Conversation, ConversationKind, Expiry, LastMessage};
use septet_protocol::time::Timestamp;
use serde::Serialize;

use super::args::Common;
use super::output::Output;
use super::{Failure, address, plain, session};

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
    request: bool,
    blocked: bool,
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

impl LastRow {
    fn new(last: &LastMessage) -> Self {
        Self { text: last.text.clone(), timestamp: last.timestamp.as_ms(), from: last.from.to_string() }
    }
}

/// Where a conversation stands in the list, the window's own first.
fn place(conversation: &Conversation) -> u8 {
    match conversation {
        it if it.blocked => 3,
        it if it.is_request() => 1,
        it if it.is_listed() => 0,
        _ => 2,
    }
}

/// `conversations`: those of the window's list, then requests, hidden and blocked ones.
pub async fn conversations(common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let now = client.now();
    let mut all = client.conversations().await?;
    session::close(client).await;
    all.retain(address::is_something);
    // Stable: within each the order stays the window's.
    all.sort_by_key(place);
    let rows: Vec<_> = all.iter().map(|conversation| conversation_row(conversation, now)).collect();
    output.result(&rows, || {
        let lines: Vec<_> = rows.iter().map(conversation_line).collect();
        if lines.is_empty() { "No conversations.".into() } else { lines.join("\n") }
    });
    Ok(())
}

fn conversation_row(conversation: &Conversation, now: Timestamp) -> ConversationRow {
    ConversationRow {
        conversation: address::of_conversation(conversation),
        kind: conversation.kind,
        name: address::title_of(conversation),
        unread: conversation.unread,
        mentions: conversation.mentions,
        pinned: conversation.pinned > 0,
        muted: conversation.muted_until.is_some_and(|until| until > now),
        hidden: !conversation.is_listed(),
        request: conversation.is_request(),
        blocked: conversation.blocked,
        marked_unread: conversation.marked_unread,
        expiry: conversation.expiry,
        draft: conversation.draft.as_ref().map(|draft| draft.text.clone()).filter(|text| !text.is_empty()),
        last_message: conversation.last_message.as_ref().map(LastRow::new),
    }
}

fn conversation_line(row: &ConversationRow) -> String {
    let mark = match row {
        it if it.blocked => " (blocked)",
        it if it.request => " (request)",
        it if it.hidden => " (hidden)",
        _ => "",
    };
    let unread = if row.unread > 0 { format!(" ({} unread)", row.unread) } else { String::new() };
    let last =
        row.last_message.as_ref().map(|last| format!(": {}", plain::line(&last.text))).unwrap_or_default();
    format!("{}  {}{mark}{unread}{last}", row.conversation, plain::line(&row.name))
}

/// `requests`.
pub async fn requests(common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let all = client.conversations().await?;
    session::close(client).await;
    let rows: Vec<_> = all
        .iter()
        .filter(|c| c.is_request())
        .map(|c| RequestRow {
            conversation: address::of_conversation(c),
            name: address::title_of(c),
            last_message: c.last_message.as_ref().map(LastRow::new),
        })
        .collect();
    output.result(&rows, || {
        let line = |row: &RequestRow| {
            let text = row.last_message.as_ref().map(|last| plain::line(&last.text)).unwrap_or_default();
            format!("{}  {}: {text}", row.conversation, plain::line(&row.name))
        };
        if rows.is_empty() {
            "No message requests.".into()
        } else {
            rows.iter().map(line).collect::<Vec<_>>().join("\n")
        }
    });
    Ok(())
}

/// `contacts`: everybody we approved, who approved us, or whom we blocked.
pub async fn contacts(common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    let all = client.conversations().await?;
    session::close(client).await;
    let mut rows: Vec<_> = all
        .iter()
        .filter(|c| c.kind == ConversationKind::Private && (c.approved || c.approved_me || c.blocked))
        .map(|c| ContactRow {
            account_id: address::of_conversation(c),
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
        let line = |row: &ContactRow| {
            let name = row.nickname.as_ref().unwrap_or(&row.name);
            let mark = if row.blocked { " (blocked)" } else { "" };
            format!("{}  {}{mark}", row.account_id, plain::line(name))
        };
        if rows.is_empty() {
            "No contacts.".into()
        } else {
            rows.iter().map(line).collect::<Vec<_>>().join("\n")
        }
    });
    Ok(())
}
