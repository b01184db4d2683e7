//! What is told to others and shown of them, and what time it is for all of them.

use std::time::SystemTime;

use septet_client::client::{Client, ClientError};

use super::Teller;
use crate::gui::command::{Command, Update};

/// Switches something and tells what holds then.
pub async fn change(client: &Client, teller: &Teller, command: Command) -> Result<(), ClientError> {
    let changed = match command {
        Command::SetReadReceipts(on) => client.set_read_receipts(on).await,
        Command::SetTypingIndicators(on) => client.set_typing_indicators(on).await,
        _ => Ok(()),
    };
    teller.tell(Update::Settings(client.settings()));
    changed
}

/// Tells how far the network's clock is from this machine's: messages disappear by the network's.
pub fn tell_clock(client: &Client, teller: &Teller) {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (network, here) =
        (i128::from(client.now().as_ms()), i128::try_from(since.as_millis()).unwrap_or_default());
    teller.tell(Update::ClockAhead(i64::try_from(network - here).unwrap_or_default()));
}
