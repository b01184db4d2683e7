//! What bots need: to be told again what they have not acknowledged, and to know when what they did is out.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{Client, ClientError};
use crate::model::{ConversationId, Message, MessageId, ReaderId};
use crate::store::Tracked;

/// Something that is done, to wait for later: what it was is told by [`Doing::during`]; see [`Client::doing`].
#[derive(Clone, Debug)]
pub struct Doing {
    jobs: Tracked,
    refusals: u64,
}

impl Doing {
    /// Does it, or a part of it.
    pub async fn during<F: Future>(&self, something: F) -> F::Output {
        self.jobs.during(something).await
    }
}

/// What became of something that was done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// The network has it.
    Done,
    /// Not yet; it goes on by itself.
    Late,
    /// The network would not take it, for this reason.
    Refused(String),
}

impl Client {
    /// The newest number that a message ever had here; 0 if there was none. What arrives later has a greater one.
    pub async fn newest_message(&self) -> Result<MessageId, ClientError> {
        self.read(|db| db.newest_message()).await
    }

    /// The reader of a name, and up to which message it has everything. One that is new has everything up to `from`, or,
    /// without that, up to now.
    pub async fn reader(
        &self,
        name: &str,
        from: Option<MessageId>,
    ) -> Result<(ReaderId, MessageId), ClientError> {
        let name = name.to_owned();
        self.write(move |db| {
            let from = match from {
                Some(from) => from,
                None => db.newest_message()?,
            };
            db.reader(&name, from)
        })
        .await
    }

    /// The reader of a name, if there is one.
    pub async fn find_reader(&self, name: &str) -> Result<Option<ReaderId>, ClientError> {
        let name = name.to_owned();
        Ok(self.read(move |db| db.find_reader(&name)).await?.map(|(id, _)| id))
    }

    /// Forgets the reader of a name. False if there was none.
    pub async fn forget_reader(&self, name: &str) -> Result<bool, ClientError> {
        let name = name.to_owned();
        self.write(move |db| db.forget_reader(&name)).await
    }

    /// A reader has done with these messages, in any order: it is not told of them again.
    pub async fn acknowledge(&self, reader: ReaderId, messages: Vec<MessageId>) -> Result<(), ClientError> {
        self.write(move |db| db.acknowledge(reader, &messages)).await
    }

    /// What came from the network after a number, at most `limit` messages in the order of their numbers: of all
    /// conversations, or of one, without what `reader` has acknowledged.
    pub async fn arrived_after(
        &self,
        after: MessageId,
        conversation: Option<ConversationId>,
        reader: Option<ReaderId>,
        limit: u32,
    ) -> Result<Vec<Message>, ClientError> {
        let now = self.shown_by();
        let read = move |db: &crate::store::Db| db.arrived_after(after, conversation, reader, limit, now);
        let mut messages = self.read(read).await?;
        for message in &mut messages {
            self.0.engine.transfers.overlay(message);
        }
        Ok(messages)
    }

    /// Something is about to be done, and is to be waited for with [`Client::delivered`].
    pub fn doing(&self) -> Doing {
        Doing { jobs: Tracked::default(), refusals: self.0.engine.refusals.count() }
    }

    /// Waits, for at most `limit`, until the network has what was done: what is for others in their swarms, what our other
    /// devices are to know in ours. Unlike [`Client::flush`] it does not wait for what others do meanwhile, or what was
    /// stuck before.
    pub async fn delivered(&self, doing: &Doing, limit: Duration) -> Result<Delivery, ClientError> {
        let engine = &self.0.engine;
        let deadline = Instant::now() + limit;
        let mut progress = engine.progress.subscribe();
        let spans = doing.jobs.spans();
        let push = engine.pushes.next();
        loop {
            progress.borrow_and_update();
            let jobs = spans.clone();
            let out = self.read(move |db| db.jobs_are_done(&jobs)).await?;
            if let Some(reason) = self.refused(doing) {
                return Ok(Delivery::Refused(reason));
            }
            if out && (engine.pushes.has(push) || engine.config_is_settled().await?) {
                return Ok(Delivery::Done);
            }
            engine.bells.config_awaited.notify_one();
            if timeout_at(deadline, progress.changed()).await.is_err() {
                return Ok(Delivery::Late);
            }
        }
    }

    /// Why the network would not take something that was done, if so.
    pub fn refused(&self, doing: &Doing) -> Option<String> {
        self.0.engine.refusals.of(doing.refusals, &doing.jobs.spans())
    }

    /// Waits, for at most `limit`, until nothing of a message of ours is left to be sent, also not the copy for our
    /// own devices, which tells the name that our own swarm has for it.
    pub async fn copied(&self, message: MessageId, limit: Duration) -> Result<bool, ClientError> {
        let deadline = Instant::now() + limit;
        let mut progress = self.0.engine.progress.subscribe();
        loop {
            progress.borrow_and_update();
            if self.read(move |db| db.message_is_out(message)).await? {
                return Ok(true);
            }
            if timeout_at(deadline, progress.changed()).await.is_err() {
                return Ok(false);
            }
        }
    }
}
