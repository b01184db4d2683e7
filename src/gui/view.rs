//! What every view gets: one context, by reference, for the length of a frame.
//!
//! Decision: a view is a function of `&mut Ui`, its own small state and this context. It reads the account's state,
//! and changes it only by sending a command.

use egui::Ui;
use septet_protocol::time::Timestamp;

use super::actions::Actions;
use super::clock::Clock;
use super::command::{Command, Toast};
use super::images::Images;
use super::sound::Sound;
use super::state::AppState;
use super::strings::Strings;
use super::text;
use super::theme::Theme;

/// The world as one frame sees it.
pub struct ViewCtx<'a> {
    /// The account's state.
    pub state: &'a AppState,
    /// Where commands go.
    pub actions: &'a Actions,
    /// Colours.
    pub theme: &'a Theme,
    /// Words.
    pub strings: &'a Strings,
    /// Pictures.
    pub images: &'a Images,
    /// What plays.
    pub sound: &'a Sound,
    /// Times in words.
    pub clock: &'a Clock,
    /// The window is too narrow for list and conversation side by side.
    pub narrow: bool,
    /// Counts changes of the fonts; what was laid out before one must be laid out again.
    pub generation: u64,
}

impl ViewCtx<'_> {
    /// A string of the table.
    pub fn t(&self, name: &'static str) -> std::sync::Arc<str> {
        self.strings.t(name)
    }

    /// What time it is on the network; messages disappear by that.
    pub fn network_now(&self) -> Timestamp {
        let now = self.clock.timestamp().as_ms();
        Timestamp::from_ms(now.saturating_add_signed(self.state.clock_ahead))
    }

    /// Sends a command.
    pub fn send(&self, command: Command) {
        self.actions.send(command);
    }

    /// Copies a text and says so.
    pub fn copy(&self, ui: &Ui, text: impl Into<String>, said: &'static str) {
        ui.ctx().copy_text(text.into());
        self.actions.toast(Toast::info(&*self.t(said)));
    }

    /// Running text.
    pub fn body(&self) -> text::Style {
        text::Style::new(super::theme::size::BODY, self.theme.text).line(20.0)
    }

    /// Second lines.
    pub fn small(&self) -> text::Style {
        text::Style::new(super::theme::size::SMALL, self.theme.muted).line(18.0)
    }

    /// Times and chips.
    pub fn tiny(&self) -> text::Style {
        text::Style::new(super::theme::size::TINY, self.theme.faint).line(16.0)
    }
}
