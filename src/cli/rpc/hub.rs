//! What requests share: the way out, subscriptions, and what can be cancelled.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use septet_client::client::Client;
use septet_client::model::{MessageId, ReaderId};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::outgoing::Outgoing;
use super::wire;
use crate::cli::call::{Answer, Call, Context, Done, params};
use crate::cli::receive::{FETCH, Kind, Line, Shown, Sink, Teller, Wanted, make_folder};
use crate::cli::turn::Turn;
use crate::cli::{Failure, address, json};

/// So many turns are kept in mind before those that are over are forgotten.
const MOST_TURNS: usize = 256;
/// So many subscriptions may there be.
const MOST_SUBSCRIPTIONS: usize = 64;
/// So many messages may be told and not acknowledged, if nothing else is said.
const USUAL_WINDOW: u32 = 32;
/// The longest name of a reader, in bytes.
const LONGEST_NAME: usize = 200;

/// What requests share.
pub struct Hub {
    outgoing: Outgoing,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The last number given to a subscription.
    last: u32,
    subscriptions: BTreeMap<u32, Subscription>,
    tellers: JoinSet<()>,
    /// Of the readers that are told something just now, what they have not acknowledged.
    windows: BTreeMap<ReaderId, Arc<Window>>,
    /// By what requests concern, the end of the last one's turn.
    turns: BTreeMap<String, oneshot::Receiver<()>>,
    /// Requests that run, by their id as JSON.
    running: BTreeMap<String, CancellationToken>,
}

/// Somebody who is told.
struct Subscription {
    task: AbortHandle,
    reader: Option<ReaderId>,
}

impl State {
    /// A subscription is over, and makes room for another of its name; `None` if it was so before.
    fn leaves(&mut self, subscription: u32) -> Option<AbortHandle> {
        let Subscription { task, reader } = self.subscriptions.remove(&subscription)?;
        if let Some(reader) = reader {
            self.windows.remove(&reader);
        }
        Some(task)
    }
}

/// What a reader was told and has not acknowledged, of which there may be only so much. A program that answers each event
/// by a request, and reads nothing while it writes, would else come to wait for us while we wait for it.
struct Window {
    room: Semaphore,
    told: Mutex<BTreeSet<i64>>,
}

impl Window {
    fn of(size: u32) -> Self {
        Self { room: Semaphore::new(size as usize), told: Mutex::default() }
    }

    /// A message is to be told; waits until it may be.
    async fn opens(&self, message: i64) {
        if let Ok(room) = self.room.acquire().await {
            room.forget();
        }
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(message);
    }

    fn acknowledged(&self, message: i64) {
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).remove(&message) {
            self.room.add_permits(1);
        }
    }
}

impl Hub {
    /// With nothing to tell yet.
    pub fn new(outgoing: Outgoing) -> Self {
        Self { outgoing, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request runs; what cancels it.
    pub fn begins(&self, id: &str) -> CancellationToken {
        let token = CancellationToken::new();
        self.state().running.insert(id.to_owned(), token.clone());
        token
    }

    /// A request takes its turn among those that concern the same, in the order in which they are read.
    pub fn takes_turn(&self, concerning: &str) -> Turn {
        let (end, ended) = oneshot::channel();
        let mut state = self.state();
        if state.turns.len() > MOST_TURNS {
            state.turns.retain(|_, turn| matches!(turn.try_recv(), Err(TryRecvError::Empty)));
        }
        let before = state.turns.insert(concerning.to_owned(), ended);
        Turn::new(before.unwrap_or_else(|| oneshot::channel().1), end)
    }

    /// A request is over.
    pub fn ends(&self, id: &str) {
        self.state().running.remove(id);
    }

    /// Ends all subscriptions, and waits until they are over.
    pub async fn end(&self) {
        let mut tellers = std::mem::take(&mut self.state().tellers);
        tellers.shutdown().await;
    }
}

params! {
    /// Tell what arrives, as notifications `event`, from now on
    pub struct Subscribe {
        /// Only events of these kinds
        #[arg(skip)]
        #[serde(default)]
        pub kinds: Option<Vec<Kind>>,
        /// Only this conversation: Account ID, registered name (ONS), or self
        #[arg(skip)]
        #[serde(default)]
        pub conversation: Option<String>,
        /// Fetch attachments into this folder; a message is told when its files are there
        #[arg(skip)]
        #[serde(default)]
        pub download: Option<PathBuf>,
        /// First tell what came after this message
        #[arg(skip)]
        #[serde(default)]
        pub after: Option<i64>,
        /// Tell again whatever was told under this name and not acknowledged with `ack`, also after a crash. A name that
        /// is new begins now, or after `after`
        #[arg(skip)]
        #[serde(default)]
        pub durable: Option<String>,
        /// Under a durable name: so many may be told and not acknowledged; then nothing more is told until one is. 1 to
        /// 10000, 32 if nothing is said
        #[arg(skip)]
        #[serde(default)]
        #[schemars(range(min = 1, max = 10_000))]
        pub window: Option<u32>,
    }

    /// Tell no more
    pub struct Unsubscribe {
        /// The number that `subscribe` gave
        #[arg(skip)]
        pub subscription: u32,
        /// Also forget where its durable name was: the next one of this name is new
        #[arg(skip)]
        #[serde(default)]
        pub forget: Option<String>,
    }

    /// A message or notice is done with: under this name it is not told again
    pub struct Ack {
        /// The durable name
        #[arg(skip)]
        pub durable: String,
        /// The number of what was told
        #[arg(skip)]
        pub message_id: i64,
    }

    /// Give up a request that runs. It is answered with the error `cancelled`; what it had written down stays
    pub struct Cancel {
        /// The id of the request
        #[arg(skip)]
        pub id: Value,
    }
}

/// A subscription.
#[derive(Serialize, JsonSchema)]
pub struct Subscribed {
    /// Its number; every event carries it
    subscription: u32,
}

impl Answer for Subscribed {}

/// An event and whose it is.
#[derive(Serialize, JsonSchema)]
pub struct Told {
    /// The subscription it is told for
    subscription: u32,
    #[serde(flatten)]
    line: Line,
}

impl Call for Subscribe {
    const NAME: &'static str = "subscribe";
    type Answer = Subscribed;

    async fn run(self, context: &Context) -> Result<Subscribed, Failure> {
        if let Some(dir) = &self.download {
            make_folder(dir)?;
        }
        let client = context.client().await?;
        let mut wanted = Wanted {
            only: match &self.conversation {
                Some(text) => Some(address::any(&client, text, context.limit(FETCH)).await?),
                None => None,
            },
            download: self.download,
            after: self.after.map(MessageId),
            reader: None,
        };
        if let Some(name) = &self.durable {
            check_name(name)?;
            let (reader, done) = client.reader(name, wanted.after).await?;
            (wanted.reader, wanted.after) = (Some(reader), Some(done));
        }
        let window = self.window.unwrap_or(USUAL_WINDOW);
        if !(1..=10_000).contains(&window) {
            return Err(Failure::usage("The window is a number from 1 to 10000."));
        }
        let window = wanted.reader.map(|reader| (reader, Arc::new(Window::of(window))));
        let hub = context.service::<Hub>()?;
        let subscription = hub.subscribe(client, wanted, self.kinds, window, context.when_answered())?;
        Ok(Subscribed { subscription })
    }
}

fn check_name(name: &str) -> Result<(), Failure> {
    match (1..=LONGEST_NAME).contains(&name.len()) {
        true => Ok(()),
        false => Err(Failure::usage(format!("A name has 1 to {LONGEST_NAME} bytes."))),
    }
}

impl Call for Unsubscribe {
    const NAME: &'static str = "unsubscribe";
    type Answer = Done;

    async fn run(self, context: &Context) -> Result<Done, Failure> {
        let Some(task) = context.service::<Hub>()?.state().leaves(self.subscription) else {
            return Err(Failure::failed("no_such_subscription", "There is no subscription of this number."));
        };
        task.abort();
        if let Some(name) = &self.forget {
            context.client().await?.forget_reader(name).await?;
        }
        Ok(Done::OK)
    }
}

impl Call for Ack {
    const NAME: &'static str = "ack";
    type Answer = Done;

    async fn run(self, context: &Context) -> Result<Done, Failure> {
        let client = context.client().await?;
        let reader = client.find_reader(&self.durable).await?;
        let reader = reader
            .ok_or_else(|| Failure::failed("no_such_reader", "Nobody has subscribed under this name yet."))?;
        client.acknowledge(reader, vec![MessageId(self.message_id)]).await?;
        let window = context.service::<Hub>()?.state().windows.get(&reader).cloned();
        if let Some(window) = window {
            window.acknowledged(self.message_id);
        }
        Ok(Done::OK)
    }
}

impl Call for Cancel {
    const NAME: &'static str = "$/cancel";
    type Answer = Done;

    /// A request that is over already cannot be cancelled; that is no mistake.
    async fn run(self, context: &Context) -> Result<Done, Failure> {
        if let Some(token) = context.service::<Hub>()?.state().running.get(&json::line(&self.id)) {
            token.cancel();
        }
        Ok(Done::OK)
    }
}

impl Hub {
    /// Begins to tell, once the answer that says so is on its way.
    fn subscribe(
        self: &Arc<Self>,
        client: Client,
        wanted: Wanted,
        kinds: Option<Vec<Kind>>,
        window: Option<(ReaderId, Arc<Window>)>,
        begin: oneshot::Receiver<()>,
    ) -> Result<u32, Failure> {
        let mut state = self.state();
        if state.subscriptions.len() >= MOST_SUBSCRIPTIONS {
            return Err(Failure::failed("too_many", "There are too many subscriptions: end one first."));
        }
        if window.as_ref().is_some_and(|(reader, _)| state.windows.contains_key(reader)) {
            return Err(Failure::failed("in_use", "There is a subscription under this name already."));
        }
        while state.tellers.try_join_next().is_some() {}
        state.last += 1;
        let subscription = state.last;
        state.windows.extend(window.clone());
        let sink = Notifier {
            kinds,
            window: window.map(|(_, window)| window),
            client: client.clone(),
            reader: wanted.reader,
            ending: Ending { hub: Arc::clone(self), subscription },
        };
        let reader = wanted.reader;
        let task = state.tellers.spawn(async move {
            if let Err(failure) = tell(&client, wanted, sink, begin).await {
                tracing::warn!(code = failure.code(), "a subscription ended: {}", failure.message());
            }
        });
        state.subscriptions.insert(subscription, Subscription { task, reader });
        Ok(subscription)
    }
}

/// Tells what is wanted until it is ended.
async fn tell(
    client: &Client,
    wanted: Wanted,
    sink: Notifier,
    begin: oneshot::Receiver<()>,
) -> Result<(), Failure> {
    let mut teller = Teller::new(client, wanted, sink).await?;
    // An error says that the answer was given up: nobody knows of this subscription.
    if begin.await.is_err() {
        return Ok(());
    }
    loop {
        let step = teller.next().await;
        teller.act(step).await?;
    }
}

/// A subscription as long as it is served.
struct Ending {
    hub: Arc<Hub>,
    subscription: u32,
}

impl Drop for Ending {
    fn drop(&mut self) {
        // Unless somebody has ended it before.
        let _ = self.hub.state().leaves(self.subscription);
    }
}

/// Tells events as notifications.
struct Notifier {
    kinds: Option<Vec<Kind>>,
    window: Option<Arc<Window>>,
    client: Client,
    reader: Option<ReaderId>,
    ending: Ending,
}

impl Sink for Notifier {
    fn wants_text(&self) -> bool {
        false
    }

    async fn tell(&mut self, shown: Shown) -> Result<(), Failure> {
        let (kind, arrived) = (shown.line.kind(), shown.line.arrived());
        let wanted = self.kinds.as_ref().is_none_or(|kinds| match kind {
            // To everybody who may have missed something.
            Kind::Missed => kinds.iter().any(|kind| kind.can_be_missed()),
            kind => kinds.contains(&kind),
        });
        if wanted {
            if let (Some(window), Some(message)) = (&self.window, arrived) {
                window.opens(message).await;
            }
            let told = Told { subscription: self.ending.subscription, line: shown.line };
            self.ending.hub.outgoing.push(wire::event(&json::line(&told))).await;
        } else if let (Some(reader), Some(message)) = (self.reader, arrived) {
            // Or it would be looked at again with each start.
            self.client.acknowledge(reader, vec![MessageId(message)]).await?;
        }
        Ok(())
    }
}
