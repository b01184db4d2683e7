//! `septet receive`: fetches once, or keeps on, and prints what arrived, one event a line.

mod lanes;
mod line;
mod progress;
mod teller;

use std::path::PathBuf;
use std::time::Duration;

use septet_client::client::Client;
use septet_client::model::{MessageId, ReaderId};

use super::call::{Account, Context, params};
use super::common::Common;
use super::output::Output;
use super::{Failure, address, session};
pub use line::{Kind, Line};
pub use teller::{Shown, Sink, Teller, Wanted, make_folder};

/// How long one fetch may take if nothing else is said.
pub const FETCH: Duration = Duration::from_secs(60);

params! {
    /// Fetch what arrived and print it; with --json one event a line
    pub struct Receive {
        /// Keep on until Ctrl+C
        #[arg(long)]
        #[serde(default)]
        pub follow: bool,
        /// Only this conversation
        #[arg(long, value_name = "C")]
        #[serde(default)]
        pub conversation: Option<String>,
        /// Fetch attachments into this folder
        #[arg(long, value_name = "DIR")]
        #[serde(default)]
        pub download: Option<PathBuf>,
        /// First print what came after this message
        #[arg(long, value_name = "ID", allow_negative_numbers = true)]
        #[serde(default)]
        pub after: Option<i64>,
        /// Go on where the last run under this name was, also if it was killed; new names begin now, or after --after
        #[arg(long, value_name = "NAME")]
        #[serde(default)]
        pub durable: Option<String>,
    }
}

/// Runs the command.
pub async fn run(options: Receive, common: &Common, output: &Output) -> Result<(), Failure> {
    if let Some(dir) = &options.download {
        make_folder(dir)?;
    }
    let account = Account::new(common.profile()?, session::options(common)?, false);
    let context = Context::new(account.into(), common.timeout);
    let result = print(&options, &context, output).await;
    context.account().close().await;
    result
}

/// Prints until it is over.
async fn print(options: &Receive, context: &Context, output: &Output) -> Result<(), Failure> {
    let client = context.client().await?;
    let mut wanted = Wanted {
        only: match &options.conversation {
            Some(text) => Some(address::any(&client, text, context.limit(FETCH)).await?),
            None => None,
        },
        download: options.download.clone(),
        after: options.after.map(MessageId),
        reader: None,
    };
    if let Some(name) = &options.durable {
        let (reader, done) = client.reader(name, wanted.after).await?;
        (wanted.reader, wanted.after) = (Some(reader), Some(done));
    }
    let sink = Printer { output, client: &client, reader: wanted.reader };
    let mut teller = Teller::new(&client, wanted, sink).await?;
    let result = match options.follow {
        true => follow(&client, &mut teller, context.timeout()).await,
        false => once(&client, &mut teller, context.limit(FETCH)).await,
    };
    // Under a name it is told again, with its files.
    let given_up = if options.durable.is_none() { teller.give_up(None).await } else { Ok(()) };
    result.and(given_up)
}

/// Fetches once, and waits for the files of what came.
async fn once(
    client: &Client,
    teller: &mut Teller<'_, Printer<'_>>,
    timeout: Duration,
) -> Result<(), Failure> {
    let fetch = client.sync_once(timeout);
    tokio::pin!(fetch);
    loop {
        tokio::select! {
            biased;
            step = teller.next() => teller.act(step).await?,
            result = &mut fetch => { result?; break }
        }
    }
    teller.finish_events().await?;
    while !teller.is_done() {
        let step = teller.next().await;
        teller.act(step).await?;
    }
    Ok(())
}

/// Keeps on until the time is over or somebody ends it.
async fn follow(
    client: &Client,
    teller: &mut Teller<'_, Printer<'_>>,
    timeout: Option<Duration>,
) -> Result<(), Failure> {
    client.start();
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
            biased;
            () = &mut end => break,
            result = &mut interrupted => { result?; break }
            step = teller.next() => step,
        };
        // Not within the waiting: what has begun to be printed is printed, whatever ends meanwhile.
        teller.act(step).await?;
    }
    teller.finish_events().await
}

/// Prints events. What is printed is acknowledged.
struct Printer<'a> {
    output: &'a Output,
    client: &'a Client,
    reader: Option<ReaderId>,
}

impl Sink for Printer<'_> {
    fn wants_text(&self) -> bool {
        !self.output.is_json()
    }

    async fn tell(&mut self, shown: Shown) -> Result<(), Failure> {
        if self.output.is_json() || shown.text.is_some() {
            self.output.result(&shown.line, || shown.text.clone().unwrap_or_default());
        }
        if let (Some(reader), Some(message)) = (self.reader, shown.line.arrived()) {
            self.client.acknowledge(reader, vec![MessageId(message)]).await?;
        }
        Ok(())
    }
}
