//! Why a message was not sent, with a way to try again.

use std::sync::Arc;

use egui::{Galley, Rect};

use super::layouter::Layouter;
use super::painting::Painting;
use crate::gui::command::Command;
use crate::gui::text::{Style, Weight, Wrap, layout_spans};
use crate::gui::theme::size;

/// Why it was not sent.
pub struct FailureBlock {
    /// Where.
    pub rect: Rect,
    /// The sentence.
    text: Arc<Galley>,
}

impl Layouter<'_> {
    /// Lays it out.
    pub fn failure(&mut self) -> FailureBlock {
        let style = Style::new(size::TINY, self.cx.theme.bad).line(16.0);
        let retry = style.color(self.cx.theme.accent).weight(Weight::Semibold);
        let reason = match &self.message.failure {
            Some(reason) => format!("{reason} "),
            None => format!("{} ", self.cx.t("not-sent-sentence")),
        };
        let again = self.cx.t("try-again");
        let text = layout_spans(self.ctx, &[(&reason, style), (&again, retry)], Wrap::Lines(self.widest));
        self.y += 3.0;
        let rect = self.take(text.size());
        FailureBlock { rect, text }
    }
}

impl Painting<'_> {
    /// Paints it.
    pub fn failure(&mut self, block: &FailureBlock) {
        let rect = block.rect.translate(self.offset);
        self.ui.painter().galley(rect.min, Arc::clone(&block.text), self.cx.theme.bad);
        if self.click(rect, "retry", &self.cx.t("try-again")).clicked() {
            self.cx.send(Command::Resend(self.message.id));
        }
    }
}
