//! `septet settings`: what is told and shown on this device. Nothing is sent for it.

use clap::{Args as ClapArgs, ValueEnum};

use super::args::Common;
use super::output::Output;
use super::{Failure, session};

/// What to change; what is left out stays as it is.
#[derive(ClapArgs)]
pub struct SettingsOptions {
    /// Tell contacts what was read, and be told by them
    #[arg(long, value_name = "on|off", hide_possible_values = true)]
    read_receipts: Option<Switch>,
    /// Tell contacts that one is typing, and be told by them
    #[arg(long, value_name = "on|off", hide_possible_values = true)]
    typing_indicators: Option<Switch>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// Changes what was asked for and prints what holds.
pub async fn run(options: SettingsOptions, common: &Common, output: &Output) -> Result<(), Failure> {
    let client = session::open(common).await?;
    if let Some(to) = options.read_receipts {
        client.set_read_receipts(to == Switch::On).await?;
    }
    if let Some(to) = options.typing_indicators {
        client.set_typing_indicators(to == Switch::On).await?;
    }
    let settings = client.settings();
    session::close(client).await;
    let word = |on| if on { "on" } else { "off" };
    output.result(&settings, || {
        let (receipts, typing) = (word(settings.read_receipts), word(settings.typing_indicators));
        format!("Read receipts: {receipts}\nTyping indicators: {typing}")
    });
    Ok(())
}
