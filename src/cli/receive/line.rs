//! The events of `receive --json` and `rpc`, as programs read them. docs/events.md and its schema tell what each key
//! means; keys are a promise.

use schemars::JsonSchema;
use septet_client::event::Event;
use septet_client::model::{Expiry, Message, MessageState, Notice};
use serde::{Deserialize, Serialize};

use crate::cli::messages::{AttachmentRow, PreviewRow, QuoteRow, reply_to};

/// One event.
#[derive(Serialize, JsonSchema)]
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
        /// The same for people
        text: String,
        /// We did it ourselves on another device
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
    /// Events that are no messages or notices were not told, because the reader was too slow.
    Missed {},
}

/// The kinds of events.
#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Message,
    Notice,
    Reaction,
    Deleted,
    Read,
    State,
    Request,
    Typing,
    Profile,
    Missed,
}

impl Kind {
    /// Whether a slow reader is not told of such events: those of messages are in the store.
    pub fn can_be_missed(self) -> bool {
        !matches!(self, Self::Message | Self::Notice)
    }
}

impl Line {
    /// What says itself all that there is to say, of the conversation that is printed as `conversation`; nothing for
    /// other events.
    pub fn of(event: Event, conversation: String) -> Option<Self> {
        Some(match event {
            Event::Reaction { message, from, emoji, removed, .. } => {
                let (message_id, from) = (message.0, from.to_string());
                Self::Reaction { conversation, message_id, from, emoji, removed }
            }
            Event::Deleted { message, .. } => Self::Deleted { conversation, message_id: message.0 },
            Event::Read { message, from, .. } => {
                Self::Read { conversation, message_id: message.0, from: from.to_string() }
            }
            Event::State { message, state, .. } => Self::State { conversation, message_id: message.0, state },
            Event::Typing { from, typing, .. } => {
                Self::Typing { conversation, from: from.to_string(), typing }
            }
            _ => return None,
        })
    }

    /// What kind of event it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Message(_) => Kind::Message,
            Self::Notice { .. } => Kind::Notice,
            Self::Reaction { .. } => Kind::Reaction,
            Self::Deleted { .. } => Kind::Deleted,
            Self::Read { .. } => Kind::Read,
            Self::State { .. } => Kind::State,
            Self::Request { .. } => Kind::Request,
            Self::Typing { .. } => Kind::Typing,
            Self::Profile {} => Kind::Profile,
            Self::Missed {} => Kind::Missed,
        }
    }

    /// The number of the message that it tells of for the first time: what readers acknowledge.
    pub fn arrived(&self) -> Option<i64> {
        match self {
            Self::Message(written) => Some(written.message_id),
            Self::Notice { message_id, .. } => Some(*message_id),
            _ => None,
        }
    }
}

/// What a message says.
#[derive(Serialize, JsonSchema)]
pub struct Written {
    conversation: String,
    from: String,
    message_id: i64,
    /// When it was sent, in ms since 1970
    timestamp: u64,
    /// The name our own swarm gave it
    hash: Option<String>,
    text: String,
    attachments: Vec<AttachmentRow>,
    /// The message it answers; null if it answers none, or one that is not here
    reply_to: Option<i64>,
    /// What it answers, also if that is not here
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<QuoteRow>,
    /// What a link in the text leads to
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<PreviewRow>,
    /// After so many seconds it disappears; null if it stays
    expires_in: Option<u32>,
    /// We wrote it ourselves on another device
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
            preview: message.preview.as_ref().map(PreviewRow::new),
            expires_in: match message.expiry {
                Expiry::Off => None,
                Expiry::AfterRead(seconds) | Expiry::AfterSend(seconds) => Some(seconds),
            },
            sync: message.outgoing,
        }
    }
}
