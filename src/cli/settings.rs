//! `septet settings`: what is told and shown on this device. Nothing is sent for it.

use schemars::JsonSchema;
use serde::Serialize;

use super::Failure;
use super::call::{Answer, Call, Context, params};

params! {
    /// Show and change what contacts are told on this device
    pub struct Settings {
        /// Tell contacts what was read, and be told by them
        #[arg(long, value_name = "on|off", value_parser = on_or_off)]
        #[serde(default)]
        pub read_receipts: Option<bool>,
        /// Tell contacts that one is typing, and be told by them
        #[arg(long, value_name = "on|off", value_parser = on_or_off)]
        #[serde(default)]
        pub typing_indicators: Option<bool>,
    }
}

/// What holds on this device.
#[derive(Serialize, JsonSchema)]
pub struct Holds {
    /// Contacts are told what was read, and we by them
    read_receipts: bool,
    /// Contacts are told that we are typing, and we that they are
    typing_indicators: bool,
}

impl Answer for Holds {
    fn text(&self) -> Option<String> {
        let word = |on| if on { "on" } else { "off" };
        let (receipts, typing) = (word(self.read_receipts), word(self.typing_indicators));
        Some(format!("Read receipts: {receipts}\nTyping indicators: {typing}"))
    }
}

impl Call for Settings {
    const NAME: &'static str = "settings";
    type Answer = Holds;

    async fn run(self, context: &Context) -> Result<Holds, Failure> {
        let client = context.client().await?;
        if let Some(on) = self.read_receipts {
            client.set_read_receipts(on).await?;
        }
        if let Some(on) = self.typing_indicators {
            client.set_typing_indicators(on).await?;
        }
        let settings = client.settings();
        Ok(Holds { read_receipts: settings.read_receipts, typing_indicators: settings.typing_indicators })
    }
}

/// A switch as it is typed.
fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("must be on or off".to_owned()),
    }
}
