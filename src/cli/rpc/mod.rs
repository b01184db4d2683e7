//! `septet rpc`: every command as a method of JSON-RPC 2.0 on stdin and stdout, one object a line, and events as
//! notifications.
//!
//! Decision: one process is one account at work. Requests run at the same time, at most [`MOST_RUNNING`] of them; beyond
//! that nothing is read. What is to be written waits in a queue of a few megabytes ([`outgoing`]), and whoever has more to
//! say waits for the reader: answers hold their request's place, events are read again from the store
//! ([`receive`](super::receive)). So a program on the other side that sends too much or reads too little costs little
//! here, and loses nothing.
//!
//! It ends when stdin does, once what runs is answered; when nobody reads any more; or when it is told to. In each case
//! everything that was promised is on disk.

#[cfg(test)]
mod check;
pub mod fetch;
pub mod hub;
mod lines;
mod outgoing;
pub mod schema;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use septet_client::client::ClientError;
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::call::{Account, Call, Context};
use super::send::Send;
use super::turn::Turn;
use super::{Failure, methods, session};
use hub::{Cancel, Hub};
use lines::Next;
use outgoing::Outgoing;
use wire::{Answer, Asked, Request};

/// So many requests run at a time.
const MOST_RUNNING: usize = wire::LARGEST_BATCH;
/// The longest line, in bytes.
const LONGEST_LINE: usize = 1024 * 1024;
/// The longest that a request may wait, in seconds.
const LONGEST_WAIT: f64 = 86_400.0;
/// How long what was said last may take to be read when the program is told to end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Options of `rpc`.
#[derive(clap::Args)]
pub struct Rpc {
    /// Print what there is, and how it looks, and end: openrpc for programs, page for people
    #[arg(long, value_name = "FORM", num_args = 0..=1, default_missing_value = "openrpc")]
    pub schema: Option<Form>,
}

/// How to print what there is.
#[derive(Clone, Copy, ValueEnum)]
pub enum Form {
    /// An OpenRPC document
    Openrpc,
    /// docs/rpc.md
    Page,
}

/// Serves until it is over.
pub async fn run(account: Account) -> Result<(), Failure> {
    let account = Arc::new(account);
    match account.client().await {
        // It can be made, or restored, by a request.
        Ok(_) | Err(ClientError::NoAccount) => {}
        Err(error) => return Err(error.into()),
    }
    let failed = |error| Failure::failed("rpc", format!("Could not start: {error}."));
    let outgoing = Outgoing::to(std::io::stdout()).map_err(failed)?;
    let hub = Arc::new(Hub::new(outgoing.clone()));
    let mut server = Server {
        account: account.clone(),
        hub: hub.clone(),
        outgoing: outgoing.clone(),
        room: Arc::new(Semaphore::new(MOST_RUNNING)),
        requests: JoinSet::new(),
    };
    let lines = read_stdin().map_err(failed)?;
    let result = tokio::select! {
        () = server.serve(lines) => Ok(()),
        () = outgoing.gone() => Ok(()),
        result = session::interrupted() => result,
    };
    server.requests.shutdown().await;
    hub.end().await;
    outgoing.flush(LAST_WORDS).await;
    account.close().await;
    result
}

/// Lines of stdin, read by a thread that ends with the program: nothing can stop it from waiting.
fn read_stdin() -> std::io::Result<mpsc::Receiver<Next>> {
    let (tell, lines) = mpsc::channel(1);
    std::thread::Builder::new().name("rpc-in".into()).spawn(move || {
        let mut stdin = std::io::stdin().lock();
        loop {
            match lines::next(&mut stdin, LONGEST_LINE) {
                Ok(Next::End) => break,
                Ok(line) => {
                    if tell.blocking_send(line).is_err() {
                        break;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "stdin cannot be read any more");
                    break;
                }
            }
        }
    })?;
    Ok(lines)
}

/// Reads requests and has them done.
struct Server {
    account: Arc<Account>,
    hub: Arc<Hub>,
    outgoing: Outgoing,
    room: Arc<Semaphore>,
    requests: JoinSet<()>,
}

impl Server {
    /// Serves until there are no more lines and everything is answered.
    async fn serve(&mut self, mut lines: mpsc::Receiver<Next>) {
        while let Some(line) = lines.recv().await {
            while self.requests.try_join_next().is_some() {}
            let asked = match line {
                Next::TooLong => Err(wire::too_long(LONGEST_LINE)),
                Next::Line(line) if line.trim_ascii().is_empty() => continue,
                Next::Line(line) => wire::read(&line),
                Next::End => break,
            };
            match asked {
                Ok(asked) => self.begin(asked).await,
                Err(Answer(line)) => self.outgoing.push(line).await,
            }
        }
        while self.requests.join_next().await.is_some() {}
        self.hub.end().await;
        self.outgoing.flush(Duration::MAX).await;
    }

    /// Begins what a line asks for; returns when there is room to read on.
    async fn begin(&mut self, asked: Asked) {
        let (asked, is_batch) = match asked {
            Asked::One(one) => (vec![one], false),
            Asked::Batch(some) => (some, true),
        };
        let is_cancel = |asked: &Result<Request, Answer>| {
            asked.as_ref().is_ok_and(|request| request.method == Cancel::NAME)
        };
        // What cancels another request must not wait for it.
        let taken = if asked.iter().all(is_cancel) { 0 } else { asked.len() };
        let taken = u32::try_from(taken).unwrap_or(u32::MAX);
        let Ok(room) = self.room.clone().acquire_many_owned(taken).await else { return };
        // Here, because this is the order in which they were written.
        let asked: Vec<_> = asked.into_iter().map(|one| (turn(&self.hub, &one), one)).collect();
        let (account, hub) = (self.account.clone(), self.hub.clone());
        let outgoing = self.outgoing.clone();
        self.requests.spawn(async move {
            let mut running = JoinSet::new();
            for (turn, one) in asked {
                running.spawn(answer(one, account.clone(), hub.clone(), turn));
            }
            let done = running.join_all().await;
            let (answers, contexts): (Vec<_>, Vec<_>) = done.into_iter().unzip();
            let answers: Vec<Answer> = answers.into_iter().flatten().collect();
            let line = if is_batch { wire::together(answers) } else { answers.into_iter().next() };
            if let Some(Answer(line)) = line {
                outgoing.push(line).await;
            }
            contexts.iter().flatten().for_each(Context::answered);
            drop(room);
        });
    }
}

/// The turn of a request that sends something: what is sent to one is written down in the order of the requests.
fn turn(hub: &Hub, asked: &Result<Request, Answer>) -> Option<Turn> {
    let request = asked.as_ref().ok().filter(|request| request.method == Send::NAME)?;
    Some(hub.takes_turn(request.params.get("to")?.as_str()?))
}

/// Does what is asked; the answer, if there is to be one, and what is to be told once that is on its way.
async fn answer(
    asked: Result<Request, Answer>,
    account: Arc<Account>,
    hub: Arc<Hub>,
    turn: Option<Turn>,
) -> (Option<Answer>, Option<Context>) {
    let Request { id, method, mut params } = match asked {
        Ok(request) => request,
        Err(answer) => return (Some(answer), None),
    };
    let Some(method) = methods::find(&method) else {
        let unknown = |id| {
            wire::wrong(Some(id), wire::METHOD_NOT_FOUND, "method_not_found", "There is no such method.")
        };
        return (id.as_deref().map(unknown), None);
    };
    let timeout = match timeout(&mut params) {
        Ok(timeout) => timeout,
        Err(failure) => return (id.as_deref().map(|id| refused(id, &failure)), None),
    };
    let context = Context::of_request(account, timeout, hub.clone(), turn);
    let cancelled = id.as_deref().map(|id| hub.begins(id));
    let cancelled = async {
        match &cancelled {
            Some(token) => token.cancelled().await,
            None => std::future::pending().await,
        }
    };
    let done = async { (method.call)(params, &context)?.await };
    let result = tokio::select! {
        biased;
        result = done => result,
        () = cancelled => Err(Failure::cancelled()),
    };
    let answer = id.map(|id| {
        hub.ends(&id);
        match result {
            Ok(result) => wire::done(&id, &result),
            Err(failure) => refused(&id, &failure),
        }
    });
    (answer, Some(context))
}

/// The answer to a request that failed.
fn refused(id: &str, failure: &Failure) -> Answer {
    wire::wrong(Some(id), number(failure), failure.code(), &failure.message())
}

/// The number that stands for a failure.
fn number(failure: &Failure) -> i32 {
    match failure.exit_code() {
        _ if failure.is_cancelled() => wire::CANCELLED,
        Failure::USAGE => wire::INVALID_PARAMS,
        exit => wire::FAILED - i32::from(exit),
    }
}

/// Takes out of the parameters how long the network may be waited for: every method has it.
fn timeout(params: &mut Map<String, Value>) -> Result<Option<Duration>, Failure> {
    match params.remove("timeout") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_f64() {
            Some(seconds) if (0.0..=LONGEST_WAIT).contains(&seconds) => {
                Ok(Some(Duration::from_secs_f64(seconds)))
            }
            _ => Err(Failure::usage("The timeout is a number of seconds from 0 to 86400.")),
        },
    }
}
