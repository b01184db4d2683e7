//! What follows from something that has been written down, and the one place where it is carried out.
//!
//! Whoever stores what came (a source of messages, a merge of configs) returns an [`Effects`] and tells nobody by
//! itself. So a transaction that fails tells of nothing, and who reads how something is taken in need not know whom it
//! concerns.
//!
//! Decision: all of it is done after the transaction and may be lost to a kill. Events are for views, which load what
//! they show after a start; bells ring for tasks that look for work when they start; copies in the swarm expire by
//! themselves. What must not be lost is in the transaction.

use std::collections::BTreeSet;
use std::sync::Arc;

use septet_protocol::id::MessageHash;

use super::events::Bell;
use super::sources::key::{Change, SourceKey};
use super::{Engine, Reader};
use crate::event::Event;
use crate::store::{HeardTyping, ReadMessage};

/// What is to be done after something was written down; nothing by default.
#[derive(Default)]
pub struct Effects {
    /// What to tell whoever listens, in this order.
    pub events: Vec<Event>,
    /// Which tasks have work now.
    pub bells: BTreeSet<Bell>,
    /// Who types, or does not any more.
    pub typing: Vec<HeardTyping>,
    /// Messages that were read on another device, whose countdowns our other devices are to agree on (spec 02 §18.4).
    pub read: Vec<ReadMessage>,
    /// Messages to be deleted from our own swarm (spec 02 §23).
    pub delete: Vec<MessageHash>,
    /// Sources that are to be asked from now on, or no more.
    pub sources: Vec<Change>,
    /// A source in which there was a config message that nobody could read (spec 09 §5.2).
    pub unreadable: Option<SourceKey>,
}

impl Engine {
    /// Does what follows from something that is written down now.
    pub fn carry_out(self: &Arc<Self>, effects: Effects) {
        if let Some(source) = effects.unreadable {
            self.sources.polls(source).found_unreadable();
        }
        for heard in &effects.typing {
            self.heard_typing(heard);
        }
        for event in effects.events {
            if let Event::Message(message) = &event
                && !message.outgoing
            {
                self.wrote(message.conversation, message.from, message.timestamp);
            }
            self.events.send(event);
        }
        for bell in effects.bells {
            self.bells.ring(bell);
        }
        for change in effects.sources {
            self.sources.change(change);
        }
        self.became_read(effects.read, Reader::Elsewhere);
        self.forget(effects.delete);
    }
}
