//! A command as a function: from typed parameters and an account to a typed answer.
//!
//! Decision: a command exists once. Its parameters are one struct, which is what can be typed (`clap`), what `septet rpc`
//! takes (`serde`) and what is documented (`schemars`); its answer is another, which `--json` prints and `septet rpc`
//! returns. [`methods`](super::methods) lists all of them. What a command says to people is made from its answer.

use std::any::Any;
use std::path::PathBuf;
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use schemars::JsonSchema;
use septet_client::client::{Client, ClientError, Delivery, Doing, OpenOptions};
use septet_client::model::MessageId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, oneshot};

use super::Failure;
use super::turn::Turn;

/// One command that works on an account.
pub trait Call: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// What it is called as a method: the words of the command, joined by `_`.
    const NAME: &'static str;
    /// What it answers.
    type Answer: Answer;

    /// Does it; returns when what it promises is done.
    fn run(self, context: &Context) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;

    /// Does it, and says how it went in the words that people read; `None`: nothing is to be said.
    fn tell(self, context: &Context) -> impl Future<Output = Result<Option<String>, Failure>> + Send {
        async move { Ok(self.run(context).await?.text()) }
    }
}

/// What a command answers.
pub trait Answer: Serialize + JsonSchema + Send {
    /// The same for people; `None` if there is nothing to tell.
    fn text(&self) -> Option<String> {
        None
    }
}

/// It is done, and there is nothing to tell.
#[derive(Serialize, JsonSchema)]
pub struct Done {
    /// Always true.
    ok: bool,
}

impl Done {
    /// It is done.
    pub const OK: Self = Self { ok: true };
}

impl Answer for Done {}

/// Declares the parameters of commands: what can be typed, sent and documented.
macro_rules! params {
    ($($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* })*) => {$(
        #[derive(clap::Args, serde::Deserialize, schemars::JsonSchema)]
        $(#[$meta])*
        #[serde(deny_unknown_fields)]
        pub struct $name { $($body)* }
    )*};
}
pub(super) use params;

/// The account of a profile folder, opened when it is first needed.
pub struct Account {
    folder: PathBuf,
    options: OpenOptions,
    /// The program goes on after a command: the account is at work all the time.
    lasting: bool,
    client: Mutex<Option<Client>>,
}

impl Account {
    /// The account of a folder, for one command, or for as long as the program runs.
    pub fn new(folder: PathBuf, options: OpenOptions, lasting: bool) -> Self {
        Self { folder, options, lasting, client: Mutex::default() }
    }

    /// Opens it, if it is not open yet.
    pub async fn client(&self) -> Result<Client, ClientError> {
        let mut client = self.client.lock().await;
        match &*client {
            Some(client) => Ok(client.clone()),
            None => {
                let opened = Client::open(&self.folder, self.options.clone()).await?;
                Ok(self.begin(client.insert(opened)))
            }
        }
    }

    /// Makes it, as `make` does in its folder.
    pub async fn make<F>(&self, make: impl FnOnce(PathBuf, OpenOptions) -> F) -> Result<Client, ClientError>
    where
        F: Future<Output = Result<Client, ClientError>>,
    {
        let mut client = self.client.lock().await;
        if client.is_some() {
            return Err(ClientError::AccountExists);
        }
        let made = make(self.folder.clone(), self.options.clone()).await?;
        Ok(self.begin(client.insert(made)))
    }

    fn begin(&self, client: &Client) -> Client {
        if self.lasting {
            client.start();
        }
        client.clone()
    }

    /// Ends the work on it: everything on disk, every task over.
    pub async fn close(&self) {
        if let Some(client) = self.client.lock().await.take() {
            client.stop().await;
        }
    }
}

/// What a command works with.
pub struct Context {
    account: Arc<Account>,
    timeout: Option<Duration>,
    /// What runs around requests, of a type that only it and its own methods know.
    service: Option<Arc<dyn Any + Send + Sync>>,
    turn: Mutex<Option<Turn>>,
    /// Told once the answer is on its way.
    answered: Lock<Vec<oneshot::Sender<()>>>,
}

impl Context {
    /// For a command that was typed; `timeout` is how long it may wait for the network, if that was said.
    pub fn new(account: Arc<Account>, timeout: Option<Duration>) -> Self {
        Self { account, timeout, service: None, turn: Mutex::default(), answered: Lock::default() }
    }

    /// For a request to `septet rpc`.
    pub fn of_request(
        account: Arc<Account>,
        timeout: Option<Duration>,
        service: Arc<dyn Any + Send + Sync>,
        turn: Option<Turn>,
    ) -> Self {
        Self { service: Some(service), turn: Mutex::new(turn), ..Self::new(account, timeout) }
    }

    /// The account at work.
    pub async fn client(&self) -> Result<Client, Failure> {
        Ok(self.account.client().await?)
    }

    /// The account's folder and how it is opened.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// How long to wait for the network: as was asked for, or what the command finds right.
    pub fn limit(&self, usual: Duration) -> Duration {
        self.timeout.unwrap_or(usual)
    }

    /// Waits for this request's turn; over when what is returned is dropped.
    pub async fn turn(&self) -> Option<Turn> {
        let mut turn = self.turn.lock().await.take()?;
        turn.comes().await;
        Some(turn)
    }

    /// How long the command may take, if that was said.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Whether stdin is this command's own to read.
    pub fn may_read_stdin(&self) -> bool {
        self.service.is_none()
    }

    /// What runs around the request, for methods that only it has.
    pub fn service<S: Any + Send + Sync>(&self) -> Result<Arc<S>, Failure> {
        let service = self.service.clone().and_then(|service| service.downcast().ok());
        service.ok_or_else(|| Failure::usage("Only septet rpc can do that."))
    }

    /// Hears when the answer is on its way.
    pub fn when_answered(&self) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).push(tell);
        told
    }

    /// The answer is on its way.
    pub fn answered(&self) {
        for tell in self.answered.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // Who does not wait any more need not be told.
            let _ = tell.send(());
        }
    }

    /// Tells a person something that they should know; the command goes on.
    pub fn warn(&self, text: &str) {
        eprintln!("septet: {text}");
    }

    /// Waits until our own swarm has the copy of a message for our other devices. A program that ends after this waits
    /// for everything that is to be sent.
    pub async fn copied(&self, client: &Client, message: MessageId, limit: Duration) -> Result<(), Failure> {
        match self.account.lasting {
            true => client.copied(message, limit).await?,
            false => client.flush(limit).await?,
        };
        Ok(())
    }

    /// Waits until the network has what was done. A program that ends after this waits for everything that
    /// is to be sent.
    ///
    /// # Errors
    /// Offline if the network has not taken all of it in time; it is kept and goes out later. Failed if the network
    /// refused something for good.
    pub async fn delivered(&self, client: &Client, doing: &Doing, usual: Duration) -> Result<Done, Failure> {
        let limit = self.limit(usual);
        client.start();
        let delivery = match self.account.lasting {
            true => client.delivered(doing, limit).await?,
            false => {
                let all = client.flush(limit).await?;
                match client.refused(doing) {
                    Some(reason) => Delivery::Refused(reason),
                    None if all => Delivery::Done,
                    None => Delivery::Late,
                }
            }
        };
        match delivery {
            Delivery::Done => Ok(Done::OK),
            Delivery::Refused(reason) => Err(Failure::failed("not_delivered", reason)),
            Delivery::Late => Err(Failure::offline(format!(
                "Done here, but the network has not taken it within {} seconds. It is kept, and goes out when Septet \
                 runs and the network is back.",
                limit.as_secs_f64()
            ))),
        }
    }
}
