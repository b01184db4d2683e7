//! The way from a view to the account and to the edge of the window.

use std::cell::RefCell;

use tokio::sync::mpsc::UnboundedSender;

use super::command::{Command, Toast};

/// The way to the account, and to the edge of the window.
pub struct Actions {
    commands: UnboundedSender<Command>,
    toasts: RefCell<Vec<Toast>>,
}

impl Actions {
    /// Commands go to `commands`.
    pub fn new(commands: UnboundedSender<Command>) -> Self {
        Self { commands, toasts: RefCell::default() }
    }

    /// Sends a command. If nobody listens any more the program is ending, and there is nothing left to do.
    pub fn send(&self, command: Command) {
        if self.commands.send(command).is_err() {
            tracing::debug!("a command came after the end");
        }
    }

    /// Shows a line at the edge of the window.
    pub fn toast(&self, toast: Toast) {
        self.toasts.borrow_mut().push(toast);
    }

    /// Takes what was said since the last frame.
    pub fn take_toasts(&self) -> Vec<Toast> {
        self.toasts.take()
    }
}
