//! After an account was made: its recovery password, to be kept now or later.

use egui::{Sense, Ui, vec2};

use super::super::super::command::{Command, RecoveryWords};
use super::super::super::view::ViewCtx;
use super::super::super::widgets::button::{self, Tone};
use super::super::super::widgets::phrase;
use super::{explanation, heading};

/// What the step remembers between frames.
#[derive(Default)]
pub struct KeepPhrase {
    words: Option<RecoveryWords>,
}

impl KeepPhrase {
    /// The words are here.
    pub fn take(&mut self, words: RecoveryWords) {
        self.words = Some(words);
    }

    /// Shows the step; true if the person goes on.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) -> bool {
        heading(ui, cx, &cx.t("keep-title"));
        explanation(ui, cx, &cx.t("keep-text"));
        match &self.words {
            Some(words) => phrase::show(ui, cx, &words.phrase),
            None => {
                phrase::cells(ui, 13);
            }
        }
        ui.add_space(20.0);
        let width = ui.available_width();
        ui.add_enabled_ui(self.words.is_some(), |ui| {
            if button::wide(ui, cx, &cx.t("copy-recovery"), Tone::Quiet, width).clicked()
                && let Some(words) = &self.words
            {
                cx.send(Command::CopySecret(words.phrase.clone().into()));
            }
        });
        ui.add_space(8.0);
        let half = (width - 8.0) / 2.0;
        let mut gone = false;
        ui.horizontal(|ui| {
            gone |= button::wide(ui, cx, &cx.t("later"), Tone::Quiet, half).clicked();
            ui.allocate_exact_size(vec2(8.0, 1.0), Sense::hover());
            gone |= button::wide(ui, cx, &cx.t("kept"), Tone::Primary, half).clicked();
        });
        gone
    }
}
