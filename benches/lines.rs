//! What a slow line with a deep buffer costs: starting, restoring an account with 2,000 messages, 3 MB up and down, and a
//! text written meanwhile; real clients on local networks in this process, each behind a line of its own.
//!
//! Run by hand, with the lines wanted: `cargo bench --bench lines -- RATES DELAYS BUFFERS STEPS`, each a list with
//! commas: rates in kbit/s each way (`64,256,1000`), delays in ms one way (`100,500`), buffers in seconds at that rate
//! (`1,8`), steps of `start`, `restore` and `files`. Without arguments everything is measured, which takes half an hour.
//!
//! Each row compares the time it took with what the line alone would need for the *useful* bytes: those that the same
//! step moved just before without any line. So bytes that are sent twice, or polls that go on for longer, count as lost
//! time. What must hold: 1.5 times that and 10 s, at most one restart of a transfer, a text within 10 s.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use septet_client::client::{Client, KeyProtection, OpenOptions};
use septet_client::event::Event;
use septet_client::model::{
    AttachmentId, AttachmentState, ConnectionState, Draft, MessageId, MessageState, OutgoingFile, Page,
};
use septet_devnet::{Devnet, Line, Traffic};
use septet_network::NetworkConfig;
use septet_protocol::account::{DisplayName, Seed, parse_recovery};
use septet_protocol::crypto::SystemRandom;
use septet_protocol::id::{Account, Namespace, SessionId};
use septet_protocol::message::{Content, Outgoing, Visible, encode_one_to_one};
use septet_protocol::time::Timestamp;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;

const PATIENCE: Duration = Duration::from_secs(3000);
const WAITING: u64 = 2000;
const FILE: usize = 3_000_000;
/// A text may take this long.
const TEXT: Duration = Duration::from_secs(10);
/// So many lines are measured at the same time: they mostly wait.
const AT_ONCE: usize = 12;

#[derive(Clone, Copy)]
struct Case {
    kbit: u64,
    delay: u64,
    buffer: u64,
}

impl Case {
    fn line(self) -> Line {
        let (delay, buffer) = (Duration::from_millis(self.delay), Duration::from_secs(self.buffer));
        Line::symmetric(self.kbit, delay, buffer)
    }
}

fn main() -> anyhow::Result<()> {
    let log = tracing_subscriber::EnvFilter::from_default_env();
    tracing_subscriber::fmt().with_env_filter(log).with_writer(std::io::stderr).init();
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let list = |place: usize, all: &str| -> Vec<String> {
        wanted.get(place).map_or(all, String::as_str).split(',').map(str::to_owned).collect()
    };
    let numbers =
        |place, all| list(place, all).iter().map(|word| word.parse()).collect::<Result<Vec<u64>, _>>();
    let (rates, delays, buffers) = (numbers(0, "1000,256,64")?, numbers(1, "100,500")?, numbers(2, "1,8")?);
    let steps = list(3, "start,restore,files");
    println!(
        "| kbit/s | delay | buffer | what | took | line alone | bound | holds | bytes up/down | useful up/down | restarts |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut work, turns) = (JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
        for kbit in rates {
            for (delay, buffer) in
                delays.iter().flat_map(|delay| buffers.iter().map(|buffer| (*delay, *buffer)))
            {
                for step in steps.clone() {
                    let (case, turns) = (Case { kbit, delay, buffer }, turns.clone());
                    work.spawn(async move {
                        let _turn = turns.acquire().await;
                        if let Err(error) = measure(case, &step).await {
                            println!("| {kbit} | {delay} ms | {buffer} s | {step} | failed: {error:#} |");
                        }
                    });
                }
            }
        }
        work.join_all().await;
        anyhow::Ok(())
    })
}

async fn measure(case: Case, step: &str) -> anyhow::Result<()> {
    let world = World { devnet: Devnet::start().await?, folder: tempfile::tempdir()?, case };
    match step {
        "start" => world.start().await?,
        "restore" => world.restore().await?,
        "files" => world.files().await?,
        other => bail!("no step is called {other}"),
    }
    world.devnet.shutdown().await;
    Ok(())
}

/// One line's network and the profiles of those behind it.
struct World {
    devnet: Devnet,
    folder: TempDir,
    case: Case,
}

/// A step's time and bytes.
struct Measured {
    took: Duration,
    traffic: Traffic,
}

impl World {
    fn options(&self) -> anyhow::Result<OpenOptions> {
        let network = NetworkConfig::from_toml(&self.devnet.network_toml())?;
        Ok(OpenOptions { network, key_protection: KeyProtection::KeyFile })
    }

    async fn create(&self, name: &str) -> anyhow::Result<Client> {
        let profile = self.folder.path().join(name);
        Ok(Client::create(&profile, &DisplayName::parse(name)?, self.options()?).await?)
    }

    fn profile(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn line(&self, narrow: bool) {
        self.devnet.set_line(narrow.then(|| self.case.line()));
    }

    /// Measures a step.
    async fn time<T>(&self, step: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<(Measured, T)> {
        let (before, start) = (self.devnet.traffic(), Instant::now());
        let value = step.await?;
        let (took, after) = (start.elapsed(), self.devnet.traffic());
        let traffic = Traffic { up: after.up - before.up, down: after.down - before.down };
        Ok((Measured { took, traffic }, value))
    }

    /// A row of the table; `useful`: the step's bytes without a line.
    fn row(&self, what: &str, measured: &Measured, useful: Traffic, restarts: u32) {
        let need = self.case.line().needs(useful);
        let bound = need.mul_f64(1.5) + Duration::from_secs(10);
        let holds = measured.took <= bound && restarts <= 1;
        let kb = |traffic: Traffic| format!("{}/{} kB", traffic.up / 1000, traffic.down / 1000);
        self.print(
            what,
            measured.took,
            Some(need),
            bound,
            holds,
            &format!("{} | {} | {restarts}", kb(measured.traffic), kb(useful)),
        );
    }

    fn print(
        &self,
        what: &str,
        took: Duration,
        need: Option<Duration>,
        bound: Duration,
        holds: bool,
        rest: &str,
    ) {
        let Case { kbit, delay, buffer } = self.case;
        let need = need.map_or_else(|| "—".to_owned(), |need| format!("{:.1} s", need.as_secs_f64()));
        println!(
            "| {kbit} | {delay} ms | {buffer} s | {what} | {:.1} s | {need} | {:.1} s | {} | {rest} |",
            took.as_secs_f64(),
            bound.as_secs_f64(),
            if holds { "yes" } else { "**no**" },
        );
    }

    async fn start(&self) -> anyhow::Result<()> {
        // A cold start ends with the first path.
        let cold = |name: &'static str| async move {
            let client = self.create(name).await?;
            let mut events = client.subscribe();
            client.start();
            if client.connection().state != ConnectionState::Connected {
                wait(&mut events, |event| match event {
                    Event::Connection(connection) => {
                        (connection.state == ConnectionState::Connected).then_some(())
                    }
                    _ => None,
                })
                .await?;
            }
            Ok(client)
        };
        let (useful, alice) = self.time(cold("Alice")).await?;
        // An account with a past: to fetch it again would take minutes.
        self.deliver(&alice)?;
        alice.sync_once(PATIENCE).await?;
        alice.stop().await;
        self.line(true);
        let (measured, bob) = self.time(cold("Bob")).await?;
        bob.stop().await;
        self.row("cold start", &measured, useful.traffic, 0);
        self.line(false);
        let warm = || async {
            let client = Client::open(&self.profile("Alice"), self.options()?).await?;
            let mut events = client.subscribe();
            client.start();
            wait(&mut events, |event| matches!(event, Event::Synced).then_some(())).await?;
            Ok(client)
        };
        let (useful, client) = self.time(warm()).await?;
        client.stop().await;
        self.line(true);
        let (measured, client) = self.time(warm()).await?;
        client.stop().await;
        self.row("start, first poll", &measured, useful.traffic, 0);
        Ok(())
    }

    async fn restore(&self) -> anyhow::Result<()> {
        let alice = self.create("Alice").await?;
        alice.sync_once(PATIENCE).await?;
        let sender = self.deliver(&alice)?;
        let phrase = alice.recovery().await?.phrase.clone();
        alice.stop().await;
        let restore = |name: &'static str| {
            let phrase = phrase.as_str();
            async move {
                let seed = parse_recovery(phrase)?;
                let client =
                    Client::restore(&self.profile(name), seed, None, self.options()?, |_| {}).await?;
                let mut events = client.subscribe();
                client.start();
                while self.unread(&client, sender).await? < WAITING {
                    wait(&mut events, |event| matches!(event, Event::Message(_)).then_some(())).await?;
                }
                Ok(client)
            }
        };
        let (useful, client) = self.time(restore("without a line")).await?;
        client.stop().await;
        self.line(true);
        let (measured, client) = self.time(restore("on the line")).await?;
        let name = client.profile().await?.name;
        client.stop().await;
        anyhow::ensure!(name == "Alice", "the name is {name:?}");
        self.row("restore of 2,000 messages", &measured, useful.traffic, 0);
        Ok(())
    }

    /// Puts 2,000 messages of one sender into an account's swarm.
    fn deliver(&self, to: &Client) -> anyhow::Result<SessionId> {
        let sender = Seed::generate(&mut SystemRandom).keys();
        let now = self.devnet.now();
        for number in 0..WAITING {
            let content =
                Content::Visible(Visible { body: format!("message {number}"), ..Visible::default() });
            let outgoing = Outgoing::new(content, Timestamp::from_ms(now - WAITING + number));
            let data = encode_one_to_one(&outgoing, &sender, &to.id(), &mut SystemRandom)?;
            self.devnet.deliver(&Account::from(to.id()), Namespace::MESSAGES, data, now, now + 1_000_000_000);
        }
        Ok(sender.session_id)
    }

    async fn unread(&self, client: &Client, with: SessionId) -> anyhow::Result<u64> {
        let with = client.make_conversation(&with.into()).await?;
        let conversation = client.conversation(with).await?;
        Ok(conversation.map_or(0, |it| u64::from(it.unread)))
    }

    async fn files(&self) -> anyhow::Result<()> {
        let (alice, bob) = (self.create("Alice").await?, self.create("Bob").await?);
        for client in [&alice, &bob] {
            client.sync_once(PATIENCE).await?;
        }
        let (alice_id, bob_id) = (alice.id(), bob.id());
        bob.stop().await;
        let (useful, _) = self.time(upload(&alice, bob_id, false)).await?;
        self.line(true);
        let (measured, (restarts, text)) = self.time(upload(&alice, bob_id, true)).await?;
        self.line(false);
        alice.stop().await;
        self.row("3 MB up", &measured, useful.traffic, restarts);
        self.text("text during the upload", text);

        let bob = Client::open(&self.profile("Bob"), self.options()?).await?;
        bob.sync_once(PATIENCE).await?;
        let with_alice = bob.make_conversation(&alice_id.into()).await?;
        let page = bob.messages(with_alice, Page::Newest, 10).await?;
        let mut files = page.messages.iter().flat_map(|message| &message.attachments).map(|file| file.id);
        let (first, second) = (files.next().context("no file")?, files.next().context("no second file")?);
        let (useful, _) = self.time(download(&bob, first, false)).await?;
        self.line(true);
        let (measured, (restarts, text)) = self.time(download(&bob, second, true)).await?;
        self.row("3 MB down", &measured, useful.traffic, restarts);
        self.text("text during the download", text);
        bob.stop().await;
        Ok(())
    }

    fn text(&self, what: &str, took: Option<Duration>) {
        match took {
            Some(took) => self.print(what, took, None, TEXT, took <= TEXT, "— | — | —"),
            None => self.print(what, PATIENCE, None, TEXT, false, "— | — | never sent"),
        }
    }
}

/// Sends 3 MB; with a text to somebody else in the middle if wanted. How often the file began anew, and how long the text
/// took.
async fn upload(client: &Client, to: SessionId, with_text: bool) -> anyhow::Result<(u32, Option<Duration>)> {
    let mut events = client.subscribe();
    let bytes = (0..FILE).map(|n| (n * 31 % 251) as u8).collect();
    let file = OutgoingFile::Bytes {
        name: "data.bin".to_owned(),
        content_type: "application/octet-stream".to_owned(),
        bytes,
    };
    let to = client.make_conversation(&to.into()).await?;
    let id = client.send(to, Draft { files: vec![file], ..Draft::default() }).await?;
    let mut watch = Watch::default();
    loop {
        match next(&mut events).await? {
            Event::Attachment { message, state, .. } if message == id => {
                watch.progress(client, &state, with_text).await?
            }
            Event::State { message, state: MessageState::Sent, .. } if message == id => break,
            Event::State { message, state: MessageState::Sent, .. } => watch.sent(message),
            Event::State { state: MessageState::Failed, .. } => bail!("it is given up"),
            _ => {}
        }
    }
    watch.end(client, with_text).await
}

/// Fetches a file of a stranger's message; the rest as [`upload`].
async fn download(
    client: &Client,
    id: AttachmentId,
    with_text: bool,
) -> anyhow::Result<(u32, Option<Duration>)> {
    let mut events = client.subscribe();
    client.download(id).await?;
    let mut watch = Watch::default();
    loop {
        match next(&mut events).await? {
            Event::Attachment { attachment, state: AttachmentState::Local, .. } if attachment == id => break,
            Event::Attachment { attachment, state: AttachmentState::Failed { reason }, .. }
                if attachment == id =>
            {
                bail!(reason)
            }
            Event::Attachment { attachment, state, .. } if attachment == id => {
                watch.progress(client, &state, with_text).await?;
            }
            Event::State { message, state: MessageState::Sent, .. } => watch.sent(message),
            _ => {}
        }
    }
    watch.end(client, with_text).await
}

/// A transfer as it goes on.
#[derive(Default)]
struct Watch {
    done: u64,
    restarts: u32,
    /// The text written meanwhile, and when it was.
    text: Option<(MessageId, Instant)>,
    took: Option<Duration>,
}

impl Watch {
    async fn progress(
        &mut self,
        client: &Client,
        state: &AttachmentState,
        with_text: bool,
    ) -> anyhow::Result<()> {
        let (AttachmentState::Uploading { done, total } | AttachmentState::Downloading { done, total }) =
            state
        else {
            return Ok(());
        };
        self.restarts += u32::from(*done < self.done);
        self.done = *done;
        if with_text && self.text.is_none() && *total > 0 && done * 2 >= *total {
            let carol = Seed::generate(&mut SystemRandom).keys().session_id;
            let begun = Instant::now();
            let draft = Draft { text: "meanwhile".to_owned(), ..Draft::default() };
            let carol = client.make_conversation(&carol.into()).await?;
            self.text = Some((client.send(carol, draft).await?, begun));
        }
        Ok(())
    }

    fn sent(&mut self, id: MessageId) {
        if let Some((text, begun)) = self.text
            && text == id
        {
            self.took = Some(begun.elapsed());
        }
    }

    async fn end(mut self, client: &Client, with_text: bool) -> anyhow::Result<(u32, Option<Duration>)> {
        if with_text && self.took.is_none() {
            let (id, begun) = self.text.context("no text was written")?;
            client.wait_sent(id, PATIENCE).await?;
            self.took = Some(begun.elapsed());
        }
        Ok((self.restarts, self.took))
    }
}

async fn next(events: &mut Receiver<Event>) -> anyhow::Result<Event> {
    tokio::time::timeout(PATIENCE, async {
        loop {
            match events.recv().await {
                Ok(event) => return Ok(event),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => bail!("the client has ended"),
            }
        }
    })
    .await?
}

async fn wait<T>(
    events: &mut Receiver<Event>,
    mut wanted: impl FnMut(Event) -> Option<T>,
) -> anyhow::Result<T> {
    loop {
        if let Some(found) = wanted(next(events).await?) {
            return Ok(found);
        }
    }
}
