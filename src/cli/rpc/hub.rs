//! What requests share: the way out, subscriptions, and what can be cancelled.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use septet_client::client::Client;
use septet_client::model::{MessageId, ReaderId};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::outgoing::Outgoing;
use super::wire;
use crate::cli::call::{Answer, Call, Context, Done, params};
use crate::cli::receive::{FETCH, Kind, Line, Shown, Sink, Teller, Wanted, make_folder};
use crate::cli::{Failure, address, json};

/// So many subscriptions may there be.
const MOST_SUBSCRIPTIONS: usize = 64;
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
    subscriptions: BTreeMap<u32, AbortHandle>,
    tellers: JoinSet<()>,
    /// Requests that run, by their id as JSON.
    running: BTreeMap<String, CancellationToken>,
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
        let hub = context.hub()?;
        let subscription = hub.subscribe(client, wanted, self.kinds, context.when_answered())?;
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
        let found = context.hub()?.state().subscriptions.remove(&self.subscription);
        let Some(task) = found else {
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
        Ok(Done::OK)
    }
}

impl Call for Cancel {
    const NAME: &'static str = "$/cancel";
    type Answer = Done;

    /// A request that is over already cannot be cancelled; that is no mistake.
    async fn run(self, context: &Context) -> Result<Done, Failure> {
        if let Some(token) = context.hub()?.state().running.get(&json::line(&self.id)) {
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
        begin: oneshot::Receiver<()>,
    ) -> Result<u32, Failure> {
        let mut state = self.state();
        if state.subscriptions.len() >= MOST_SUBSCRIPTIONS {
            return Err(Failure::failed("too_many", "There are too many subscriptions: end one first."));
        }
        while state.tellers.try_join_next().is_some() {}
        state.last += 1;
        let subscription = state.last;
        let sink = Notifier {
            subscription,
            kinds,
            reader: wanted.reader,
            client: client.clone(),
            outgoing: self.outgoing.clone(),
        };
        let hub = Arc::clone(self);
        let task = state.tellers.spawn(async move {
            if let Err(failure) = tell(&client, wanted, sink, begin).await {
                tracing::warn!(code = failure.code(), "a subscription ended: {}", failure.message());
            }
            hub.state().subscriptions.remove(&subscription);
        });
        state.subscriptions.insert(subscription, task);
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

/// Tells events as notifications.
struct Notifier {
    subscription: u32,
    kinds: Option<Vec<Kind>>,
    reader: Option<ReaderId>,
    client: Client,
    outgoing: Outgoing,
}

impl Sink for Notifier {
    fn wants_text(&self) -> bool {
        false
    }

    async fn tell(&mut self, shown: Shown) -> Result<(), Failure> {
        let kind = shown.line.kind();
        let wanted = self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind));
        // That something was missed is told whatever is wanted.
        if wanted || kind == Kind::Missed {
            let told = Told { subscription: self.subscription, line: shown.line };
            self.outgoing.push(wire::event(&json::line(&told))).await;
        } else if let (Some(reader), Some(message)) = (self.reader, shown.line.arrived()) {
            // Or it would be looked at again with each start.
            self.client.acknowledge(reader, vec![MessageId(message)]).await?;
        }
        Ok(())
    }
}
