//! What a client tells of what changed.
//!
//! Decision: an event says *where* to look again, and for bots also *what* came; a reader that misses some (they are
//! kept for a while only) loads the page it shows and is right again. What it names is as small as it can be, one row of
//! the list or one message, so that a reader need not load everything for everything.

use septet_protocol::id::SessionId;

use crate::model::{
    AttachmentId, AttachmentState, Connection, ConversationId, Message, MessageId, MessageState,
};

/// Something changed.
#[derive(Clone, Debug)]
pub enum Event {
    /// A message arrived and is stored; ours from another device if it is outgoing.
    Message(Box<Message>),
    /// A message got further: sending, sent, failed.
    State {
        /// Its conversation.
        conversation: ConversationId,
        /// Which one.
        message: MessageId,
        /// How far it is now.
        state: MessageState,
    },
    /// An attachment moves or has arrived.
    Attachment {
        /// Its conversation.
        conversation: ConversationId,
        /// The message it belongs to.
        message: MessageId,
        /// Which one.
        attachment: AttachmentId,
        /// Where it is now.
        state: AttachmentState,
    },
    /// Somebody put an emoji under a message that was here already, or took it away. Reactions that came with their
    /// message or before it are told with it.
    Reaction {
        /// The message's conversation.
        conversation: ConversationId,
        /// Under which message.
        message: MessageId,
        /// Who did it.
        from: SessionId,
        /// The emoji.
        emoji: String,
        /// It was taken away.
        removed: bool,
    },
    /// A message that was here was deleted by its author.
    Deleted {
        /// Its conversation.
        conversation: ConversationId,
        /// Which one.
        message: MessageId,
    },
    /// The other has read a message of ours.
    Read {
        /// Its conversation.
        conversation: ConversationId,
        /// Which one.
        message: MessageId,
        /// Who has read it.
        from: SessionId,
    },
    /// A message was written here, or one that was here changed here: load it again. If it is not there any more, it
    /// is gone without a trace.
    Changed {
        /// Its conversation.
        conversation: ConversationId,
        /// Which one.
        message: MessageId,
    },
    /// We have read a conversation up to a message.
    Seen {
        /// Which conversation.
        conversation: ConversationId,
        /// The newest message that is read.
        message: MessageId,
    },
    /// Messages of a conversation changed in another way (expired, deleted on another device): load the page again. Told
    /// after what else there is to tell of them.
    Messages(ConversationId),
    /// A conversation is new in the list, or its row there changed: order, name, unread count, request, draft.
    Conversation(ConversationId),
    /// Many of them did: load the list again.
    Conversations,
    /// A stranger's first message made a request.
    Request(ConversationId),
    /// Somebody is typing, or stopped.
    Typing {
        /// Where.
        conversation: ConversationId,
        /// Who.
        from: SessionId,
        /// Whether they type now.
        typing: bool,
    },
    /// Our own profile changed.
    Profile,
    /// The connection or its paths changed.
    Connection(Connection),
    /// Something came that only a later version can show: look whether to say so, with `Client::update_wanted`.
    UpdateWanted,
    /// The first poll after start is complete: what waited in the swarm is here.
    Synced,
    /// Something the person should know and can act on, as a sentence.
    Problem(String),
}

impl Event {
    /// Of which conversation it tells, if of one.
    pub fn conversation(&self) -> Option<ConversationId> {
        match self {
            Self::Message(message) => Some(message.conversation),
            Self::State { conversation, .. }
            | Self::Attachment { conversation, .. }
            | Self::Reaction { conversation, .. }
            | Self::Deleted { conversation, .. }
            | Self::Read { conversation, .. }
            | Self::Changed { conversation, .. }
            | Self::Seen { conversation, .. }
            | Self::Typing { conversation, .. }
            | Self::Messages(conversation)
            | Self::Conversation(conversation)
            | Self::Request(conversation) => Some(*conversation),
            Self::Conversations
            | Self::Profile
            | Self::Connection(_)
            | Self::UpdateWanted
            | Self::Synced
            | Self::Problem(_) => None,
        }
    }
}
