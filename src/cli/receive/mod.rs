//! `septet receive`: fetches once, or keeps on, and prints what arrived, one event a line.
//!
//! Events of one conversation are printed in the order of its messages (`lanes`). With `--download` a message is printed
//! when its files are here; the engine fetches several at a time. A file that stands still for too long is not waited
//! for, and its message is printed without a path.

mod lanes;
mod line;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use septet_client::client::{Client, Saving};
use septet_client::event::Event;
use septet_client::model::{AttachmentState, ConversationId, Message, MessageId};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};

use super::args::{Common, ReceiveOptions};
use super::messages::{AttachmentRow, LineWriter};
use super::output::Output;
use super::{Failure, address, plain, session};
use lanes::Lanes;
use line::{Line, Written};

/// How long one fetch may take if nothing else is said.
const FETCH: Duration = Duration::from_secs(60);
/// How long a message waits for a file of which nothing comes.
const STANDSTILL: Duration = Duration::from_secs(120);

/// Runs the command.
pub async fn run(options: ReceiveOptions, common: &Common, output: &Output) -> Result<(), Failure> {
    if let Some(dir) = &options.download {
        std::fs::create_dir_all(dir).map_err(|error| {
            Failure::failed("unwritable", format!("Could not make {}: {error}.", dir.display()))
        })?;
    }
    let client = session::open(common).await?;
    let only = match &options.conversation {
        Some(text) => Some(address::any(&client, text, common.limit(FETCH)).await?),
        None => None,
    };
    let mut printer = Printer {
        client: &client,
        output,
        only,
        download: options.download,
        lanes: Lanes::new(),
        waiting: BTreeMap::new(),
        addresses: BTreeMap::new(),
        writer: LineWriter::new(&client),
    };
    let result = if options.follow {
        printer.follow(common.timeout).await
    } else {
        printer.once(common.limit(FETCH)).await
    };
    let printed = printer.give_up(None).await;
    session::close(client).await;
    result.and(printed)
}

/// One event, ready to be printed.
struct Shown {
    line: Line,
    /// For people; those events that are for programs only have none.
    text: Option<String>,
}

/// A message that waits for its files.
struct Waiting {
    message: Message,
    /// Until then something must come of them.
    patience: Instant,
}

/// What there is to do next.
enum Step {
    Event(Result<Event, RecvError>),
    Standstill,
}

/// Prints events; messages with files to fetch only once these are here.
struct Printer<'a> {
    client: &'a Client,
    output: &'a Output,
    only: Option<ConversationId>,
    download: Option<PathBuf>,
    lanes: Lanes<Shown>,
    waiting: BTreeMap<MessageId, Waiting>,
    addresses: BTreeMap<ConversationId, String>,
    writer: LineWriter<'a>,
}

impl Printer<'_> {
    /// Fetches once, and waits for the files of what came.
    async fn once(&mut self, timeout: Duration) -> Result<(), Failure> {
        let mut events = self.client.subscribe();
        let client = self.client.clone();
        let fetch = client.sync_once(timeout);
        tokio::pin!(fetch);
        loop {
            tokio::select! {
                biased;
                event = events.recv() => self.handle(event).await?,
                result = &mut fetch => { result?; break }
            }
        }
        self.handle_all(&mut events).await?;
        while !self.waiting.is_empty() {
            match self.next(&mut events).await {
                Step::Event(event) => self.handle(event).await?,
                Step::Standstill => self.give_up(Some(Instant::now())).await?,
            }
        }
        Ok(())
    }

    /// Keeps on until the time is over or somebody ends it.
    async fn follow(&mut self, timeout: Option<Duration>) -> Result<(), Failure> {
        let mut events = self.client.subscribe();
        self.client.start();
        let end = async {
            match timeout {
                Some(timeout) => tokio::time::sleep(timeout).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(end);
        let interrupted = session::interrupted();
        tokio::pin!(interrupted);
        loop {
            let step = tokio::select! {
                step = self.next(&mut events) => step,
                () = &mut end => break,
                result = &mut interrupted => { result?; break }
            };
            // Not within the waiting: what has begun to be printed is printed, whatever ends meanwhile.
            match step {
                Step::Event(event) => self.handle(event).await?,
                Step::Standstill => self.give_up(Some(Instant::now())).await?,
            }
        }
        self.handle_all(&mut events).await
    }

    /// Waits for an event, or until files have stood still for too long.
    async fn next(&self, events: &mut Receiver<Event>) -> Step {
        let patience = self.waiting.values().map(|waiting| waiting.patience).min();
        let standstill = async {
            match patience {
                Some(patience) => sleep_until(patience).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            event = events.recv() => Step::Event(event),
            () = standstill => Step::Standstill,
        }
    }

    /// Handles what has been told so far.
    async fn handle_all(&mut self, events: &mut Receiver<Event>) -> Result<(), Failure> {
        while let Ok(event) = events.try_recv() {
            self.handle(Ok(event)).await?;
        }
        Ok(())
    }

    async fn handle(&mut self, event: Result<Event, RecvError>) -> Result<(), Failure> {
        match event {
            Ok(Event::Message(message)) if self.wants(message.conversation) => self.arrived(*message).await,
            Ok(Event::Attachment { message, .. }) => self.look_again(message).await,
            // A message that waits may have been deleted.
            Ok(event @ Event::Deleted { message, .. }) => {
                self.other(event).await?;
                self.look_again(message).await
            }
            Ok(Event::Changed { message, .. }) => self.look_again(message).await,
            Ok(Event::Messages(conversation)) => self.look_at_all(Some(conversation)).await,
            Ok(event) => self.other(event).await,
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(
                    missed,
                    "events came faster than they could be printed; `messages` has them all"
                );
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
            self.pass(message.conversation, shown);
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

    /// Prints what has stood still since before `now`, or all that waits, as far as it is here.
    async fn give_up(&mut self, now: Option<Instant>) -> Result<(), Failure> {
        let over = |waiting: &Waiting| now.is_none_or(|now| waiting.patience <= now);
        let ids: Vec<_> =
            self.waiting.iter().filter(|(_, waiting)| over(waiting)).map(|(id, _)| *id).collect();
        for id in ids {
            self.settle(id, true).await?;
        }
        Ok(())
    }

    /// A message waits no longer: it is printed, or not, and what was behind it.
    async fn settle(&mut self, id: MessageId, print: bool) -> Result<(), Failure> {
        let Some(Waiting { message, .. }) = self.waiting.remove(&id) else { return Ok(()) };
        let shown = if print { self.show(&message).await? } else { Vec::new() };
        for shown in self.lanes.settle(message.conversation, id, shown) {
            self.print(&shown);
        }
        Ok(())
    }

    /// What a message is printed as: itself, and the reactions that came before it.
    async fn show(&mut self, message: &Message) -> Result<Vec<Shown>, Failure> {
        let conversation = self.address(message.conversation).await?;
        if message.deleted {
            let line = Line::Deleted { conversation, message_id: message.id.0 };
            return Ok(vec![Shown { line, text: None }]);
        }
        let text = match self.output.is_json() {
            true => None,
            false => Some(self.writer.line(message).await?),
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
            self.print(&Shown { line: Line::Profile {}, text: None });
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
            self.pass(conversation, Shown { line, text });
        }
        Ok(())
    }

    /// Prints an event when its turn in its conversation has come.
    fn pass(&mut self, conversation: ConversationId, shown: Shown) {
        if let Some(shown) = self.lanes.pass(conversation, shown) {
            self.print(&shown);
        }
    }

    fn print(&self, shown: &Shown) {
        if self.output.is_json() || shown.text.is_some() {
            self.output.result(&shown.line, || shown.text.clone().unwrap_or_default());
        }
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
