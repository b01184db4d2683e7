//! The events of `receive --json`, as programs read them. docs/events.md and its schema tell what each key means; keys
//! are a promise.

use septet_client::model::{Expiry, Message, MessageState, Notice};
use serde::Serialize;

use crate::cli::messages::{AttachmentRow, QuoteRow, reply_to};

/// One event.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Line {
    /// Somebody wrote something, or we did on another device.
    Message(Box<Written>),
    /// A line that the program made.
    Notice {
        conversation: String,
        from: String,
        message_id: i64,
        timestamp: u64,
        notice: Notice,
        text: String,
        sync: bool,
    },
    /// Somebody put an emoji under a message, or took it away.
    Reaction { conversation: String, message_id: i64, from: String, emoji: String, removed: bool },
    /// A message was deleted by its author.
    Deleted { conversation: String, message_id: i64 },
    /// A message was read.
    Read { conversation: String, message_id: i64, from: String },
    /// A message of ours got further.
    State { conversation: String, message_id: i64, state: MessageState },
    /// A stranger's first message made a request.
    Request { conversation: String, name: String },
    /// Somebody is typing, or stopped.
    Typing { conversation: String, from: String, typing: bool },
    /// Our own profile changed.
    Profile {},
}

/// What a message says.
#[derive(Serialize)]
pub struct Written {
    conversation: String,
    from: String,
    message_id: i64,
    timestamp: u64,
    hash: Option<String>,
    text: String,
    attachments: Vec<AttachmentRow>,
    reply_to: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<QuoteRow>,
    expires_in: Option<u32>,
    sync: bool,
}

impl Written {
    /// A message of the conversation that is printed as `conversation`, with its files as they were saved.
    pub fn new(message: &Message, conversation: String, attachments: Vec<AttachmentRow>) -> Self {
        Self {
            conversation,
            from: message.from.to_string(),
            message_id: message.id.0,
            timestamp: message.timestamp.as_ms(),
            hash: message.hash.map(|hash| hash.to_string()),
            text: message.text.clone(),
            attachments,
            reply_to: reply_to(message),
            quote: message.quote.as_ref().map(QuoteRow::new),
            expires_in: match message.expiry {
                Expiry::Off => None,
                Expiry::AfterRead(seconds) | Expiry::AfterSend(seconds) => Some(seconds),
            },
            sync: message.outgoing,
        }
    }
}
