//! What is in the profile: conversations, requests, contacts. Read from disk; the network is not asked.

use schemars::JsonSchema;
use septet_client::model::{Conversation, ConversationKind, Expiry, LastMessage};
use septet_protocol::time::Timestamp;
use serde::Serialize;

use super::call::{Answer, Call, Context, params};
use super::{Failure, address, plain};

params! {
    /// All conversations: those of the window's list in its order, then requests, hidden and blocked ones
    pub struct Conversations {}

    /// Strangers who wrote and wait for an answer
    pub struct Requests {}

    /// People
    pub struct Contacts {}
}

/// Conversations.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub struct ConversationRows(Vec<ConversationRow>);

/// A conversation.
#[derive(Serialize, JsonSchema)]
pub struct ConversationRow {
    conversation: String,
    kind: ConversationKind,
    name: String,
    unread: u32,
    /// Unread messages that mention us
    mentions: u32,
    pinned: bool,
    muted: bool,
    /// Not in the window's list
    hidden: bool,
    /// A stranger's, waiting to be accepted
    request: bool,
    blocked: bool,
    /// By hand
    marked_unread: bool,
    /// When what we write here disappears
    expiry: Expiry,
    /// The text that is written and not sent yet
    draft: Option<String>,
    last_message: Option<LastRow>,
}

/// The newest message of a conversation.
#[derive(Serialize, JsonSchema)]
pub struct LastRow {
    text: String,
    /// In ms since 1970
    timestamp: u64,
    from: String,
}

/// Message requests.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub struct RequestRows(Vec<RequestRow>);

/// A message request.
#[derive(Serialize, JsonSchema)]
pub struct RequestRow {
    conversation: String,
    name: String,
    last_message: Option<LastRow>,
}

/// Contacts.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub struct ContactRows(Vec<ContactRow>);

/// Somebody we approved, who approved us, or whom we blocked.
#[derive(Serialize, JsonSchema)]
pub struct ContactRow {
    account_id: String,
    name: String,
    nickname: Option<String>,
    /// We accepted them
    approved: bool,
    /// They accepted us
    approved_me: bool,
    blocked: bool,
    /// Their display picture is here
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

impl Call for Conversations {
    const NAME: &'static str = "conversations";
    type Answer = ConversationRows;

    async fn run(self, context: &Context) -> Result<ConversationRows, Failure> {
        let client = context.client().await?;
        let now = client.now();
        let mut all = client.conversations().await?;
        all.retain(address::is_something);
        // Stable: within each the order stays the window's.
        all.sort_by_key(place);
        Ok(ConversationRows(all.iter().map(|it| ConversationRow::new(it, now)).collect()))
    }
}

impl ConversationRow {
    fn new(conversation: &Conversation, now: Timestamp) -> Self {
        let draft = conversation.draft.as_ref().map(|draft| draft.text.clone());
        Self {
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
            draft: draft.filter(|text| !text.is_empty()),
            last_message: conversation.last_message.as_ref().map(LastRow::new),
        }
    }

    fn line(&self) -> String {
        let mark = match self {
            it if it.blocked => " (blocked)",
            it if it.request => " (request)",
            it if it.hidden => " (hidden)",
            _ => "",
        };
        let unread = if self.unread > 0 { format!(" ({} unread)", self.unread) } else { String::new() };
        let last = self.last_message.as_ref().map(|last| format!(": {}", plain::line(&last.text)));
        format!(
            "{}  {}{mark}{unread}{}",
            self.conversation,
            plain::line(&self.name),
            last.unwrap_or_default()
        )
    }
}

impl Answer for ConversationRows {
    fn text(&self) -> Option<String> {
        lines(&self.0, ConversationRow::line, "No conversations.")
    }
}

impl Call for Requests {
    const NAME: &'static str = "requests";
    type Answer = RequestRows;

    async fn run(self, context: &Context) -> Result<RequestRows, Failure> {
        let all = context.client().await?.conversations().await?;
        let row = |c: &Conversation| RequestRow {
            conversation: address::of_conversation(c),
            name: address::title_of(c),
            last_message: c.last_message.as_ref().map(LastRow::new),
        };
        Ok(RequestRows(all.iter().filter(|c| c.is_request()).map(row).collect()))
    }
}

impl Answer for RequestRows {
    fn text(&self) -> Option<String> {
        let line = |row: &RequestRow| {
            let text = row.last_message.as_ref().map(|last| plain::line(&last.text)).unwrap_or_default();
            format!("{}  {}: {text}", row.conversation, plain::line(&row.name))
        };
        lines(&self.0, line, "No message requests.")
    }
}

impl Call for Contacts {
    const NAME: &'static str = "contacts";
    type Answer = ContactRows;

    /// Everybody we approved, who approved us, or whom we blocked.
    async fn run(self, context: &Context) -> Result<ContactRows, Failure> {
        let all = context.client().await?.conversations().await?;
        let mut rows: Vec<_> = all
            .iter()
            .filter(|c| c.kind == ConversationKind::Private && (c.approved || c.approved_me || c.blocked))
            .map(ContactRow::new)
            .collect();
        rows.sort_by(|a, b| {
            (a.name.to_lowercase(), &a.account_id).cmp(&(b.name.to_lowercase(), &b.account_id))
        });
        Ok(ContactRows(rows))
    }
}

impl ContactRow {
    fn new(conversation: &Conversation) -> Self {
        Self {
            account_id: address::of_conversation(conversation),
            name: conversation.name.clone(),
            nickname: conversation.nickname.clone(),
            approved: conversation.approved,
            approved_me: conversation.approved_me,
            blocked: conversation.blocked,
            picture: conversation.picture.is_some(),
        }
    }
}

impl Answer for ContactRows {
    fn text(&self) -> Option<String> {
        let line = |row: &ContactRow| {
            let name = row.nickname.as_ref().unwrap_or(&row.name);
            let mark = if row.blocked { " (blocked)" } else { "" };
            format!("{}  {}{mark}", row.account_id, plain::line(name))
        };
        lines(&self.0, line, "No contacts.")
    }
}

/// One line for each row, or what is said if there is none.
fn lines<T>(rows: &[T], line: impl Fn(&T) -> String, none: &str) -> Option<String> {
    let lines: Vec<_> = rows.iter().map(line).collect();
    Some(if lines.is_empty() { none.to_owned() } else { lines.join("\n") })
}
