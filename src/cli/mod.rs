//! The command line: one program without a display, for people, scripts and bots.
//!
//! Names, options, exit codes and JSON keys are a promise to scripts; they grow but are not renamed. A command
//! opens the profile, does one thing through the same [`Client`](septet_client::client::Client) as the window, and
//! says how it went in exactly one place: [`main`] prints every failure, as a sentence or as JSON, and chooses the
//! exit code.

mod account;
mod address;
mod args;
mod failure;
mod json;
mod lists;
mod manual;
mod messages;
mod network;
mod output;
mod people;
mod plain;
mod receive;
mod send;
mod session;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use args::{Args, Command};
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
        command => in_runtime(command, &args.common, output),
    }
}

/// Runs a command that has to do with an account or a network.
fn in_runtime(command: Command, common: &args::Common, output: &Output) -> Result<(), Failure> {
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

async fn dispatch(command: Command, common: &args::Common, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Account(command) => account::run(command, common, output).await,
        Command::Send(options) => send::run(options, common, output).await,
        Command::Receive(options) => receive::run(options, common, output).await,
        Command::Conversations => lists::conversations(common, output).await,
        Command::Messages(options) => messages::run(options, common, output).await,
        Command::Requests => lists::requests(common, output).await,
        Command::Contacts => lists::contacts(common, output).await,
        Command::MarkRead(about) => people::mark_read(&about, common, output).await,
        Command::MarkUnread { about, off } => people::mark_unread(&about, !off, common, output).await,
        Command::Accept(about) => people::accept(&about, common, output).await,
        Command::Decline(about) => people::decline(&about, common, output).await,
        Command::Block(about) => people::block(&about, common, output).await,
        Command::Unblock(about) => people::unblock(&about, common, output).await,
        Command::Pin { about, off } => people::pin(&about, !off, common, output).await,
        Command::Mute { about, duration, off } => people::mute(&about, duration, off, common, output).await,
        Command::Hide { about, off } => people::hide(&about, !off, common, output).await,
        Command::DeleteConversation(about) => people::delete_conversation(&about, common, output).await,
        Command::DeleteContact(about) => people::delete_contact(&about, common, output).await,
        Command::SetExpiry { about, when } => people::set_expiry(&about, when, common, output).await,
        Command::Nickname { about, name } => people::nickname(&about, &name, common, output).await,
        Command::React { about, emoji, remove } => {
            people::react(&about, &emoji, remove, common, output).await
        }
        Command::Delete { about, more, for_everyone } => {
            people::delete(&about, &more, for_everyone, common, output).await
        }
        Command::Path => network::path(common, output).await,
        Command::NodeSnapshot { output: file } => network::node_snapshot(&file, common, output).await,
        Command::Devnet(options) => network::devnet(options, output).await,
        Command::Demo(_) | Command::Completions { .. } | Command::Man { .. } => Ok(()),
    }
}
