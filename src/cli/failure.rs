//! A command's failure: a word for programs, a sentence for people, a number for the shell.

use septet_client::client::{ClientError, SendError};

use super::plain;

/// The word for what was cancelled.
const CANCELLED: &str = "cancelled";

/// Why a command failed. Printed once, by [`super::main`].
#[derive(Debug)]
pub struct Failure {
    exit: u8,
    code: &'static str,
    message: String,
}

impl Failure {
    /// Exit code of wrong usage.
    pub const USAGE: u8 = 2;
    const FAILED: u8 = 1;
    const LOCKED: u8 = 3;
    const OFFLINE: u8 = 4;

    /// Failed for the reason that the sentence `message` tells; `code` is a stable word for programs.
    pub fn failed(code: &'static str, message: impl Into<String>) -> Self {
        Self { exit: Self::FAILED, code, message: message.into() }
    }

    /// The command was used wrongly.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Self::USAGE, code: "usage", message: message.into() }
    }

    /// The network could not be reached, or was not done, within the time limit.
    pub fn offline(message: impl Into<String>) -> Self {
        Self { exit: Self::OFFLINE, code: "offline", message: message.into() }
    }

    /// A request to `septet rpc` was cancelled.
    pub fn cancelled() -> Self {
        Self::failed(CANCELLED, "This was cancelled.")
    }

    /// Whether it was.
    pub fn is_cancelled(&self) -> bool {
        self.code == CANCELLED
    }

    /// The window or the demo could not run.
    pub fn from_window(error: anyhow::Error) -> Self {
        Self::failed("window", format!("{error:#}"))
    }

    /// What the process ends with.
    pub fn exit_code(&self) -> u8 {
        self.exit
    }

    /// The stable word.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence, on one line. Libraries write their errors as parts of a sentence; here one becomes whole.
    pub fn message(&self) -> String {
        let line = plain::line(&self.message);
        let mut characters = line.chars();
        let head = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
        let end = if line.ends_with(['.', '?', '!', '…']) { "" } else { "." };
        format!("{head}{}{end}", characters.as_str())
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let exit = match error.code() {
            "locked" | "wrong_password" => Self::LOCKED,
            "offline" | "timed_out" => Self::OFFLINE,
            _ => Self::FAILED,
        };
        Self { exit, code: error.code(), message: error.to_string() }
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Client(error) => error.into(),
            error => Self::failed(error.code(), error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_whole_sentence() {
        assert_eq!(Failure::failed("x", "the disk\nis full").message(), "The disk is full.");
        assert_eq!(Failure::failed("x", "Did you mean this?").message(), "Did you mean this?");
        assert_eq!(Failure::failed("x", "").message(), ".");
        assert_eq!(Failure::failed("x", "no \u{202e}file").message(), "No \\u{202e}file.");
    }
}
