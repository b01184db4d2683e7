//! Tells what arrives, in the order of the messages of each conversation (`lanes`), with their files.
//!
//! With a folder for files a message is told when its files are here; the engine fetches several at a time. A file that
//! stands still for too long is not waited for, and its message is told without a path. Whoever is told may be slow:
//! nothing is held for them but what waits for files, and that is bounded; see [`progress`](super::progress).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use septet_client::client::{Client, Saving};
use septet_client::event::Event;
use septet_client::model::{AttachmentState, ConversationId, Message, MessageId, ReaderId};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};

use super::lanes::Lanes;
use super::line::{Line, Written};
use super::progress::Progress;
use crate::cli::messages::{AttachmentRow, LineWriter};
use crate::cli::{Failure, address, plain};

/// How long a message waits for a file of which nothing comes.
const STANDSTILL: Duration = Duration::from_secs(120);
/// So many messages wait for files at a time.
const MOST_WAITING: usize = 256;
/// So many messages are read from the store at once.
const PAGE: u32 = 100;

/// What is to be told.
#[derive(Default)]
pub struct Wanted {
    /// Only this conversation.
    pub only: Option<ConversationId>,
    /// Where files go; without it they are not fetched.
    pub download: Option<PathBuf>,
    /// Everything that came after this message, before what comes from now on.
    pub after: Option<MessageId>,
    /// Leave out what this reader has acknowledged.
    pub reader: Option<ReaderId>,
}

/// One event, ready to be told.
pub struct Shown {
    /// For programs.
    pub line: Line,
    /// For people; those events that are for programs only have none.
    pub text: Option<String>,
}

/// Who is told.
pub trait Sink {
    /// Whether people read it, and events need a text for them.
    fn wants_text(&self) -> bool;
    /// Tells it; returns when there is room for more.
    fn tell(&mut self, shown: Shown) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// A message that waits for its files.
struct Waiting {
    message: Message,
    /// Until then something must come of them.
    patience: Instant,
}

/// What there is to do next.
pub enum Step {
    /// The engine tells something.
    Event(Result<Event, RecvError>),
    /// Files have stood still for too long.
    Standstill,
    /// There is something in the store that was not told.
    Stored,
}

/// Makes the folder that files go to.
pub fn make_folder(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Failure::failed("unwritable", format!("Could not make {}: {error}.", folder.display()))
    })
}

/// Tells events; messages with files to fetch only once these are here.
pub struct Teller<'a, S> {
    client: &'a Client,
    sink: S,
    only: Option<ConversationId>,
    download: Option<PathBuf>,
    reader: Option<ReaderId>,
    events: Receiver<Event>,
    progress: Progress,
    lanes: Lanes<Shown>,
    waiting: BTreeMap<MessageId, Waiting>,
    addresses: BTreeMap<ConversationId, String>,
    writer: LineWriter<'a>,
}

impl<'a, S: Sink + Send> Teller<'a, S> {
    /// Tells what is wanted, from now on.
    pub async fn new(client: &'a Client, wanted: Wanted, sink: S) -> Result<Self, Failure> {
        // In this order: what arrives in between is told once all the same.
        let newest = client.newest_message().await?;
        let events = client.subscribe();
        Ok(Self {
            client,
            sink,
            only: wanted.only,
            download: wanted.download,
            reader: wanted.reader,
            events,
            progress: match wanted.after {
                Some(after) => Progress::after(after.0),
                None => Progress::live(newest.0),
            },
            lanes: Lanes::new(),
            waiting: BTreeMap::new(),
            addresses: BTreeMap::new(),
            writer: LineWriter::new(client),
        })
    }

    /// Waits until there is something to do. May be given up at any time.
    pub async fn next(&mut self) -> Step {
        if self.progress.behind().is_some() && self.waiting.len() < MOST_WAITING {
            return Step::Stored;
        }
        let patience = self.waiting.values().map(|waiting| waiting.patience).min();
        let standstill = async {
            match patience {
                Some(patience) => sleep_until(patience).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            event = self.events.recv() => Step::Event(event),
            () = standstill => Step::Standstill,
        }
    }

    /// Does it. Not to be given up: what has begun to be told is told.
    pub async fn act(&mut self, step: Step) -> Result<(), Failure> {
        match step {
            Step::Event(event) => self.handle(event).await,
            Step::Standstill => self.give_up(Some(Instant::now())).await,
            Step::Stored => self.tell_stored().await,
        }
    }

    /// Tells what there is to tell so far; what waits for files goes on waiting.
    pub async fn finish_events(&mut self) -> Result<(), Failure> {
        loop {
            while self.progress.behind().is_some() && self.waiting.len() < MOST_WAITING {
                self.tell_stored().await?;
            }
            let Ok(event) = self.events.try_recv() else { break };
            self.handle(Ok(event)).await?;
        }
        Ok(())
    }

    /// Whether nothing is left to be told of what came so far.
    pub fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.progress.behind().is_none()
    }

    /// Tells the next page of what is stored and was not told.
    async fn tell_stored(&mut self) -> Result<(), Failure> {
        let Some(after) = self.progress.behind() else { return Ok(()) };
        let page = self.client.arrived_after(MessageId(after), self.only, self.reader, PAGE).await?;
        if page.is_empty() {
            self.progress.caught_up();
        }
        for message in page {
            if self.progress.takes_stored(message.id.0) {
                self.arrived(message).await?;
            }
        }
        Ok(())
    }

    async fn handle(&mut self, event: Result<Event, RecvError>) -> Result<(), Failure> {
        match event {
            Ok(Event::Message(message)) if self.wants(message.conversation) => {
                if self.waiting.len() >= MOST_WAITING {
                    self.progress.fall_behind();
                }
                match self.progress.takes(message.id.0) {
                    true => self.arrived(*message).await,
                    false => Ok(()),
                }
            }
            Ok(Event::Attachment { message, .. }) => self.look_again(message).await,
            // A message that waits may have been deleted.
            Ok(event @ Event::Deleted { message, .. }) => {
                self.other(event).await?;
                self.look_again(message).await
            }
            Ok(Event::Changed { message, .. }) => self.look_again(message).await,
            Ok(Event::Messages(conversation)) => self.look_at_all(Some(conversation)).await,
            Ok(event) => self.other(event).await,
            Err(RecvError::Lagged(_)) => {
                self.progress.fall_behind();
                self.tell(Shown { line: Line::Missed {}, text: None }).await?;
                self.look_at_all(None).await
            }
            Err(RecvError::Closed) => Err(Failure::failed("stopped", "The client stopped.")),
        }
    }

    fn wants(&self, conversation: ConversationId) -> bool {
        self.only.is_none_or(|only| only == conversation)
    }

    /// A message is here; its files may not be.
    async fn arrived(&mut self, message: Message) -> Result<(), Failure> {
        let mut pending = false;
        if self.download.is_some() {
            for attachment in &message.attachments {
                match attachment.state {
                    AttachmentState::Remote => {
                        self.client.download(attachment.id).await?;
                        pending = true;
                    }
                    AttachmentState::Downloading { .. } => pending = true,
                    _ => {}
                }
            }
        }
        if pending {
            self.lanes.hold(message.conversation, message.id);
            let patience = Instant::now() + STANDSTILL;
            self.waiting.insert(message.id, Waiting { message, patience });
            return Ok(());
        }
        for shown in self.show(&message).await? {
            self.pass(message.conversation, shown).await?;
        }
        Ok(())
    }

    /// Looks again at all that wait, or at those of one conversation.
    async fn look_at_all(&mut self, conversation: Option<ConversationId>) -> Result<(), Failure> {
        let of_it = |waiting: &Waiting| conversation.is_none_or(|it| it == waiting.message.conversation);
        let ids: Vec<_> =
            self.waiting.iter().filter(|(_, waiting)| of_it(waiting)).map(|(id, _)| *id).collect();
        for id in ids {
            self.look_again(id).await?;
        }
        Ok(())
    }

    /// Something happened to a file, or to its message: whether it need not wait any longer.
    async fn look_again(&mut self, id: MessageId) -> Result<(), Failure> {
        let Some(waiting) = self.waiting.get_mut(&id) else { return Ok(()) };
        let Some(now) = self.client.message(id).await?.filter(|now| !now.deleted) else {
            // Nobody is told of what was deleted before it could be shown.
            return self.settle(id, false).await;
        };
        if now.attachments != waiting.message.attachments {
            waiting.patience = Instant::now() + STANDSTILL;
        }
        // Only the files: whatever else happened since stands behind it in its lane.
        waiting.message.attachments = now.attachments;
        let pending = |state: &AttachmentState| matches!(state, AttachmentState::Downloading { .. });
        if waiting.message.attachments.iter().any(|attachment| pending(&attachment.state)) {
            return Ok(());
        }
        self.settle(id, true).await
    }

    /// Tells what has stood still since before `now`, or all that waits, as far as it is here.
    pub async fn give_up(&mut self, now: Option<Instant>) -> Result<(), Failure> {
        let over = |waiting: &Waiting| now.is_none_or(|now| waiting.patience <= now);
        let ids: Vec<_> =
            self.waiting.iter().filter(|(_, waiting)| over(waiting)).map(|(id, _)| *id).collect();
        for id in ids {
            self.settle(id, true).await?;
        }
        Ok(())
    }

    /// A message waits no longer: it is told, or not, and what was behind it.
    async fn settle(&mut self, id: MessageId, tell: bool) -> Result<(), Failure> {
        let Some(Waiting { message, .. }) = self.waiting.remove(&id) else { return Ok(()) };
        let shown = if tell { self.show(&message).await? } else { Vec::new() };
        for shown in self.lanes.settle(message.conversation, id, shown) {
            self.tell(shown).await?;
        }
        Ok(())
    }

    /// What a message is told as: itself, and the reactions that came before it.
    async fn show(&mut self, message: &Message) -> Result<Vec<Shown>, Failure> {
        let conversation = self.address(message.conversation).await?;
        if message.deleted {
            let line = Line::Deleted { conversation, message_id: message.id.0 };
            return Ok(vec![Shown { line, text: None }]);
        }
        let text = match self.sink.wants_text() {
            true => Some(self.writer.line(message).await?),
            false => None,
        };
        let line = match &message.notice {
            Some(notice) => Line::Notice {
                conversation: conversation.clone(),
                from: message.from.to_string(),
                message_id: message.id.0,
                timestamp: message.timestamp.as_ms(),
                notice: notice.clone(),
                text: self.writer.sentence(message).await?,
                sync: message.outgoing,
            },
            None => {
                let files = self.save(message).await?;
                Line::Message(Box::new(Written::new(message, conversation.clone(), files)))
            }
        };
        let mut shown = vec![Shown { line, text }];
        for reaction in &message.reactions {
            shown.extend(reaction.from.iter().map(|from| Shown {
                line: Line::Reaction {
                    conversation: conversation.clone(),
                    message_id: message.id.0,
                    from: from.to_string(),
                    emoji: reaction.emoji.clone(),
                    removed: false,
                },
                text: None,
            }));
        }
        Ok(shown)
    }

    /// Saves those files of a message that are here.
    async fn save(&self, message: &Message) -> Result<Vec<AttachmentRow>, Failure> {
        let mut rows: Vec<_> = message.attachments.iter().map(AttachmentRow::new).collect();
        let Some(dir) = &self.download else { return Ok(rows) };
        for (row, attachment) in rows.iter_mut().zip(&message.attachments) {
            if attachment.state == AttachmentState::Local {
                let path = self.client.save_attachment(attachment.id, dir, Saving::Untold).await?;
                row.path = Some(path.display().to_string());
            }
        }
        Ok(rows)
    }

    /// Events that are no messages.
    async fn other(&mut self, event: Event) -> Result<(), Failure> {
        if let Event::Profile = event {
            self.tell(Shown { line: Line::Profile {}, text: None }).await?;
        }
        let Some(conversation) = event.conversation().filter(|it| self.wants(*it)) else { return Ok(()) };
        let address = self.address(conversation).await?;
        let (line, text) = match event {
            Event::Request(_) => {
                let name = address::title(self.client, conversation).await?;
                let text = format!("Message request from {} ({address})", plain::line(&name));
                (Some(Line::Request { conversation: address, name }), Some(text))
            }
            event => (Line::of(event, address), None),
        };
        if let Some(line) = line {
            self.pass(conversation, Shown { line, text }).await?;
        }
        Ok(())
    }

    /// Tells an event when its turn in its conversation has come.
    async fn pass(&mut self, conversation: ConversationId, shown: Shown) -> Result<(), Failure> {
        match self.lanes.pass(conversation, shown) {
            Some(shown) => self.tell(shown).await,
            None => Ok(()),
        }
    }

    async fn tell(&mut self, shown: Shown) -> Result<(), Failure> {
        self.sink.tell(shown).await
    }

    /// How a conversation is printed; looked up once.
    async fn address(&mut self, id: ConversationId) -> Result<String, Failure> {
        if let Some(address) = self.addresses.get(&id) {
            return Ok(address.clone());
        }
        let address = address::of(self.client, id).await?;
        self.addresses.insert(id, address.clone());
        Ok(address)
    }
}
