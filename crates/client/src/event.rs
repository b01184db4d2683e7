//! What a client tells of what changed.
//!
//! Decision: an event says *where* to look again, and for bots also *what* came; a reader that misses some (they are
//! kept for a while only) loads the page it shows and is right again.

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
    /// Messages of a conversation changed in another way (read, reaction, deletion, expiry): load the page again.
    Messages(ConversationId),
    /// The list changed: order, names, unread counts, requests, drafts.
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
