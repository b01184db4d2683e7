//! The command line: one program without a display, for people, scripts and bots.
//!
//! Names, options, exit codes and JSON keys are a promise to scripts; they grow but are not renamed. A command
//! opens the profile, does one thing through the same [`Client`](septet_client::client::Client) as the window, and
//! says how it went in exactly one place: [`main`] prints every failure, as a sentence or as JSON, and chooses the
//! exit code.

mod account;
mod address;
mod args;
mod call;
mod common;
mod failure;
mod json;
mod lists;
mod manual;
mod messages;
mod methods;
mod network;
mod output;
mod people;
mod plain;
mod receive;
mod rpc;
mod send;
mod session;
mod settings;
mod turn;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use args::{AccountCommand, Args, Command};
use call::{Account, Call, Context};
pub use failure::Failure;
use output::Output;

/// Reads the arguments, runs the command or the window, and reports.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    start_log(args.verbose);
    let output = Output::new(args.json);
    match run(args, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Help and version go to stdout; wrong usage is a failure like any other, also in JSON.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Nothing sensible is left to do if stdout is closed.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let failure = Failure::usage(line);
        Output::new(true).failure(&failure);
    } else {
        let _ = error.print();
    }
    ExitCode::from(Failure::USAGE)
}

fn start_log(verbose: u8) {
    let filter = match verbose {
        // Libraries of the window warn of harmless things (no XSETTINGS, an odd locale); they speak when asked.
        0 => "warn,winit=error,egui_system_font_provider=error",
        1 => "warn,septet=info,septet_client=info,septet_network=info,septet_devnet=info",
        _ => "info,septet=debug,septet_client=debug,septet_network=debug,septet_devnet=debug",
    };
    tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(std::io::stderr).init();
}

fn run(args: Args, output: &Output) -> Result<(), Failure> {
    session::unlock(&args.common)?;
    let Some(command) = args.command else {
        let (folder, options) = (args.common.profile()?, session::options(&args.common)?);
        return crate::gui::run(crate::gui::Options::new(folder, options)).map_err(Failure::from_window);
    };
    if let Command::Demo(demo) = command {
        return crate::demo::run(demo.conversation).map_err(Failure::from_window);
    }
    match command {
        Command::Completions { shell } => {
            output.text(&manual::completions(shell));
            Ok(())
        }
        Command::Man { folder } => manual::pages(&folder),
        Command::Rpc(rpc::Rpc { schema: Some(form) }) => {
            output.text(&rpc::schema::printed(form));
            Ok(())
        }
        command => in_runtime(command, &args.common, output),
    }
}

/// Runs a command that has to do with an account or a network.
fn in_runtime(command: Command, common: &common::Common, output: &Output) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed("runtime", format!("Could not start: {error}.")))?;
    let result = runtime.block_on(dispatch(command, common, output));
    // Threads that still ended while the process does would free what libraries free at its end; but nothing may keep
    // a command that is done.
    runtime.shutdown_timeout(Duration::from_secs(5));
    result
}

async fn dispatch(command: Command, common: &common::Common, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Account(AccountCommand::Create(call)) => answer(call, common, output).await,
        Command::Account(AccountCommand::Restore(call)) => answer(call, common, output).await,
        Command::Account(AccountCommand::Show(call)) => answer(call, common, output).await,
        Command::Account(AccountCommand::Phrase(call)) => answer(call, common, output).await,
        Command::Account(AccountCommand::Set(call)) => answer(call, common, output).await,
        Command::Send(call) => answer(call, common, output).await,
        Command::Receive(options) => receive::run(options, common, output).await,
        Command::Conversations(call) => answer(call, common, output).await,
        Command::Messages(call) => answer(call, common, output).await,
        Command::Requests(call) => answer(call, common, output).await,
        Command::Contacts(call) => answer(call, common, output).await,
        Command::MarkRead(call) => answer(call, common, output).await,
        Command::MarkUnread(call) => answer(call, common, output).await,
        Command::Accept(call) => answer(call, common, output).await,
        Command::Decline(call) => answer(call, common, output).await,
        Command::DeclineAll(call) => answer(call, common, output).await,
        Command::Block(call) => answer(call, common, output).await,
        Command::Unblock(call) => answer(call, common, output).await,
        Command::Pin(call) => answer(call, common, output).await,
        Command::Mute(call) => answer(call, common, output).await,
        Command::Hide(call) => answer(call, common, output).await,
        Command::DeleteConversation(call) => answer(call, common, output).await,
        Command::DeleteContact(call) => answer(call, common, output).await,
        Command::SetExpiry(call) => answer(call, common, output).await,
        Command::Nickname(call) => answer(call, common, output).await,
        Command::React(call) => answer(call, common, output).await,
        Command::Delete(call) => answer(call, common, output).await,
        Command::Settings(call) => answer(call, common, output).await,
        Command::Path(call) => answer(call, common, output).await,
        Command::Rpc(_) => rpc::run(account(common, true)?).await,
        Command::NodeSnapshot { output: file } => network::node_snapshot(&file, common, output).await,
        Command::Devnet(options) => network::devnet(options, output).await,
        Command::Demo(_) | Command::Completions { .. } | Command::Man { .. } => Ok(()),
    }
}

/// The account that was asked for, for one command or as long as the program runs.
fn account(common: &common::Common, lasting: bool) -> Result<Account, Failure> {
    Ok(Account::new(common.profile()?, session::options(common)?, lasting))
}

/// Runs a command on an account, and prints what it answers once everything is on disk.
async fn answer<C: Call>(call: C, common: &common::Common, output: &Output) -> Result<(), Failure> {
    let context = Context::new(account(common, false)?.into(), common.timeout);
    let answer = match output.is_json() {
        true => call.run(&context).await.map(|answer| Some(json::line(&answer))),
        false => call.tell(&context).await,
    };
    context.account().close().await;
    if let Some(text) = answer? {
        output.text(&text);
    }
    Ok(())
}
