//! What the window knows of the account: a copy that updates keep current and frames draw from.
//!
//! Decision: only what is shown is kept. Of a conversation that is a *stretch* of its messages, at most [`STRETCH`]
//! of them, that slides over the history as one scrolls; the rest is on disk. Messages are shared by `Arc`: a view
//! that laid one out knows by the pointer whether it is still the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use septet_client::model::{
    Address, Attachment, AttachmentState, AttachmentSummary, Connection, Conversation, ConversationId,
    Message, MessageId, MessagePage, Page, Profile, Quote, Settings,
};

use super::command::Update;

/// The most messages of one conversation that are kept in memory.
pub const STRETCH: usize = 2000;
/// How many messages are loaded at once.
pub const PAGE: u32 = 80;
/// How many conversations besides the open one keep their messages, for switching back at once.
const KEPT: usize = 8;

/// Where the program is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Phase {
    /// The profile is being opened.
    #[default]
    Starting,
    /// There is no account yet.
    FirstRun,
    /// An account is open.
    Open,
    /// The account cannot be opened; why, as a sentence.
    Broken(String),
}

/// The account as the window sees it.
#[derive(Default)]
pub struct AppState {
    /// Where the program is.
    pub phase: Phase,
    /// Who we are.
    pub me: Option<Profile>,
    /// All conversations, in the order of the list.
    pub conversations: Arc<Vec<Conversation>>,
    /// Path light.
    pub connection: Connection,
    /// What is told and shown on this device.
    pub settings: Settings,
    /// So many ms the network's clock is ahead of this machine's.
    pub clock_ahead: i64,
    /// Where the other is typing.
    pub typing: BTreeSet<ConversationId>,
    /// Something came that only a later version can show, and the person is to be told.
    pub update_wanted: bool,
    /// Whether links that are sent from here get a preview; `None` if nobody has chosen yet, which means no.
    pub link_previews: Option<bool>,
    /// Emoji to offer, the likeliest first; empty until they are known.
    pub recent_emoji: Vec<String>,
    /// Counts changes of what people are called; what was laid out with their names must be laid out again.
    pub names: u64,
    /// Loaded messages.
    threads: BTreeMap<ConversationId, Thread>,
    /// Counts uses of threads, to drop the one not used longest.
    clock: u64,
}

/// The stretch of a conversation that is in memory.
#[derive(Default)]
pub struct Thread {
    /// Oldest first.
    pub messages: Vec<Arc<Message>>,
    /// There are older ones on disk.
    pub more_before: bool,
    /// There are newer ones on disk.
    pub more_after: bool,
    /// Counts changes; equal means nothing changed.
    pub revision: u64,
    /// Something was loaded at least once.
    pub loaded: bool,
    used: u64,
}

impl AppState {
    /// A conversation of the list.
    pub fn conversation(&self, id: ConversationId) -> Option<&Conversation> {
        self.conversations.iter().find(|conversation| conversation.id == id)
    }

    /// The conversation of the list at an address.
    pub fn at(&self, address: &Address) -> Option<&Conversation> {
        self.conversations.iter().find(|conversation| conversation.address == *address)
    }

    /// The loaded messages of a conversation.
    pub fn thread(&self, id: ConversationId) -> Option<&Thread> {
        self.threads.get(&id)
    }

    /// Whether this is our own id.
    pub fn is_me(&self, id: septet_protocol::id::SessionId) -> bool {
        self.me.as_ref().is_some_and(|me| me.id == id)
    }

    /// Takes over what an update says about the account. Updates for single views are not for here and do nothing.
    pub fn apply(&mut self, update: &Update) {
        match update {
            Update::NoAccount => self.phase = Phase::FirstRun,
            Update::Opened(profile) => {
                self.phase = Phase::Open;
                self.me = Some(profile.clone());
            }
            Update::Broken(reason) => self.phase = Phase::Broken(reason.clone()),
            Update::Profile(profile) => self.me = Some(profile.clone()),
            Update::RecentEmoji(emoji) => self.recent_emoji.clone_from(emoji),
            Update::Conversations(list) => {
                self.names += u64::from(renamed(&self.conversations, list));
                self.conversations = Arc::clone(list);
            }
            Update::Conversation(row) => self.put_row(row),
            Update::UpdateWanted(wanted) => self.update_wanted = *wanted,
            Update::LinkPreviews(choice) => self.link_previews = *choice,
            Update::Connection(connection) => self.connection = connection.clone(),
            Update::Settings(settings) => self.settings = *settings,
            Update::ClockAhead(ms) => self.clock_ahead = *ms,
            Update::Typing(conversation, true) => _ = self.typing.insert(*conversation),
            Update::Typing(conversation, false) => _ = self.typing.remove(conversation),
            Update::Gone(conversation, message) => {
                if let Some(thread) = self.threads.get_mut(conversation) {
                    thread.remove(*message);
                }
            }
            Update::Seen(conversation, message) => {
                if let Some(thread) = self.threads.get_mut(conversation) {
                    thread.seen(*message);
                }
            }
            Update::Page { conversation, page, messages } => self.page(*conversation, *page, messages),
            Update::Message(message) => {
                if let Some(thread) = self.threads.get_mut(&message.conversation) {
                    thread.upsert(message);
                }
            }
            Update::State { conversation, message, state } => {
                self.change(*conversation, *message, |message| message.state = *state);
            }
            Update::Attachment { conversation, message, attachment, state } => {
                self.change(*conversation, *message, |message| {
                    if let Some(found) = message.files_mut().find(|a| a.id == *attachment) {
                        found.state = state.clone();
                    }
                });
            }
            _ => {}
        }
    }

    /// Puts a conversation in its place in the list.
    fn put_row(&mut self, row: &Conversation) {
        let list = Arc::make_mut(&mut self.conversations);
        if let Some(known) = list.iter().position(|known| known.id == row.id) {
            self.names += u64::from(!same_name(&list.remove(known), row));
        } else {
            self.names += 1;
        }
        let place = list.partition_point(|other| other.list_order(row).is_lt());
        list.insert(place, row.clone());
    }

    fn change(&mut self, conversation: ConversationId, id: MessageId, change: impl FnOnce(&mut Message)) {
        let Some(thread) = self.threads.get_mut(&conversation) else { return };
        if let Some(message) = thread.messages.iter_mut().rev().find(|message| message.id == id) {
            change(Arc::make_mut(message));
            thread.revision += 1;
        }
    }

    fn page(&mut self, id: ConversationId, page: Page, found: &MessagePage) {
        self.clock += 1;
        if !self.threads.contains_key(&id) && self.threads.len() > KEPT {
            let oldest = self.threads.iter().min_by_key(|(_, thread)| thread.used).map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                self.threads.remove(&oldest);
            }
        }
        let thread = self.threads.entry(id).or_default();
        thread.used = self.clock;
        thread.take(page, found);
    }
}

impl Thread {
    /// Puts a loaded page in its place.
    fn take(&mut self, page: Page, found: &MessagePage) {
        self.revision += 1;
        self.loaded = true;
        match page {
            Page::Before(_) => {
                let known: std::collections::BTreeSet<_> = self.messages.iter().map(|m| m.id).collect();
                let new = found.messages.iter().filter(|m| !known.contains(&m.id)).cloned().map(Arc::new);
                self.messages.splice(0..0, new);
                self.more_before = found.more_before;
                if self.messages.len() > STRETCH {
                    self.messages.truncate(STRETCH);
                    self.more_after = true;
                }
            }
            Page::After(_) => {
                for message in &found.messages {
                    self.place(message);
                }
                self.more_after = found.more_after;
                if self.messages.len() > STRETCH {
                    self.messages.drain(..self.messages.len() - STRETCH);
                    self.more_before = true;
                }
            }
            Page::Newest | Page::Around(_) => {
                // What did not change keeps its place in memory, and with it its layout.
                let old = std::mem::take(&mut self.messages);
                let old: BTreeMap<_, _> = old.into_iter().map(|message| (message.id, message)).collect();
                self.messages = found
                    .messages
                    .iter()
                    .map(|message| match old.get(&message.id) {
                        Some(same) if **same == *message => Arc::clone(same),
                        _ => Arc::new(message.clone()),
                    })
                    .collect();
                self.more_before = found.more_before;
                self.more_after = found.more_after;
            }
        }
    }

    /// What is quoted is as it is now: a message that is deleted is not quoted any more, one that is back is.
    fn requote(&mut self, from: &Message, gone: bool) {
        let stale = |quote: &Quote| {
            (quote.author, quote.timestamp) == (from.from, from.timestamp)
                && (gone == quote.message.is_some() || !gone && quote.message != Some(from.id))
        };
        for message in &mut self.messages {
            if !message.quote.as_ref().is_some_and(stale) {
                continue;
            }
            if let Some(quote) = &mut Arc::make_mut(message).quote {
                *quote = if gone { without(quote) } else { quoting(from) };
                self.revision += 1;
            }
        }
    }

    /// A message that came or changed. One newer than the stretch reaches is left for when it gets there.
    fn upsert(&mut self, message: &Message) {
        let known = self.messages.iter().any(|known| known.id == message.id);
        if known || !self.more_after {
            self.place(message);
            self.revision += 1;
        }
        self.requote(message, message.deleted);
    }

    fn remove(&mut self, id: MessageId) {
        if let Some(index) = self.messages.iter().rposition(|message| message.id == id) {
            let gone = self.messages.remove(index);
            self.revision += 1;
            self.requote(&gone, true);
        }
    }

    /// Received messages up to this one are read.
    fn seen(&mut self, up_to: MessageId) {
        let Some(end) = self.messages.iter().rposition(|message| message.id == up_to) else { return };
        let unread = |message: &&mut Arc<Message>| !message.outgoing && !message.read;
        for message in self.messages.iter_mut().take(end + 1).filter(unread) {
            Arc::make_mut(message).read = true;
            self.revision += 1;
        }
    }

    fn place(&mut self, message: &Message) {
        if let Some(known) = self.messages.iter_mut().rev().find(|known| known.id == message.id) {
            if **known != *message {
                *known = Arc::new(message.clone());
            }
            return;
        }
        let key = |message: &Message| (message.sorted_at, message.timestamp, message.id);
        let index = self.messages.partition_point(|other| key(other) <= key(message));
        self.messages.insert(index, Arc::new(message.clone()));
    }

    /// An attachment of a loaded message.
    pub fn attachment(&self, id: septet_client::model::AttachmentId) -> Option<(&Arc<Message>, &Attachment)> {
        self.messages.iter().find_map(|message| {
            message.attachments.iter().find(|attachment| attachment.id == id).map(|found| (message, found))
        })
    }
}

/// Whether two rows of one conversation have the same name.
fn same_name(a: &Conversation, b: &Conversation) -> bool {
    (&a.name, &a.nickname) == (&b.name, &b.nickname)
}

/// Whether somebody is called something else in a new list.
fn renamed(old: &[Conversation], new: &[Conversation]) -> bool {
    let known: BTreeMap<ConversationId, &Conversation> = old.iter().map(|row| (row.id, row)).collect();
    !new.iter().all(|row| known.get(&row.id).is_some_and(|known| same_name(known, row)))
}

/// A quote of what is not here.
fn without(quote: &Quote) -> Quote {
    Quote {
        author: quote.author,
        timestamp: quote.timestamp,
        message: None,
        text: String::new(),
        attachment: None,
        picture: None,
    }
}

/// A quote of a message.
fn quoting(message: &Message) -> Quote {
    let first = message.attachments.first();
    let here = |first: &&Attachment| first.is_image() && first.state == AttachmentState::Local;
    Quote {
        author: message.from,
        timestamp: message.timestamp,
        message: Some(message.id),
        text: message.text.chars().take(240).collect(),
        attachment: first.map(|first| AttachmentSummary {
            content_type: first.content_type.clone(),
            name: first.name.clone(),
            count: u32::try_from(message.attachments.len()).unwrap_or(u32::MAX),
            voice: first.voice,
        }),
        picture: first.filter(here).map(|first| first.id),
    }
}
