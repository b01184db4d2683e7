//! A card in the middle, over everything else.

use egui::{Frame, Id, Margin, Modal, Stroke, Ui};

use super::super::text::{Style, Weight};
use super::super::theme::{radius, size};
use super::super::view::ViewCtx;
use super::button::{self, Tone};
use super::paragraph;

/// Shows a card of this width; returns what the content gave and whether it is to be closed (Esc, click outside).
pub fn show<R>(
    ui: &Ui,
    cx: &ViewCtx<'_>,
    name: &str,
    width: f32,
    content: impl FnOnce(&mut Ui) -> R,
) -> (R, bool) {
    let frame = Frame::new()
        .fill(cx.theme.panel)
        .stroke(Stroke::new(1.0, cx.theme.line))
        .corner_radius(radius::CARD)
        .shadow(cx.theme.shadow)
        .inner_margin(Margin::same(24));
    let room = ui.ctx().content_rect().width() - 32.0;
    let modal = Modal::new(Id::unique(name)).frame(frame).backdrop_color(cx.theme.veil);
    let shown = modal.show(ui.ctx(), |ui| {
        ui.set_width((width - 48.0).min(room - 48.0));
        content(ui)
    });
    let close = shown.should_close();
    (shown.inner, close)
}

/// The title of a card.
pub fn title(ui: &mut Ui, cx: &ViewCtx<'_>, text: &str) {
    let style = Style::new(size::HEADING - 4.0, cx.theme.text).weight(Weight::Bold).line(26.0);
    paragraph(ui, text, style);
}

/// What a person answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Nothing yet.
    Waiting,
    /// Do it.
    Yes,
    /// Leave it.
    No,
}

/// Asks once: a title, what would be lost, and two buttons. `yes` names the action.
pub fn confirm(ui: &Ui, cx: &ViewCtx<'_>, heading: &str, text: &str, yes: &str, tone: Tone) -> Answer {
    let (answer, close) = show(ui, cx, "confirm", 420.0, |ui| {
        title(ui, cx, heading);
        ui.add_space(8.0);
        paragraph(ui, text, cx.body().color(cx.theme.muted));
        ui.add_space(20.0);
        let half = (ui.available_width() - 8.0) / 2.0;
        ui.horizontal(|ui| {
            let no = button::wide(ui, cx, &cx.t("cancel"), Tone::Quiet, half).clicked();
            ui.add_space(8.0);
            let yes = button::wide(ui, cx, yes, tone, half).clicked();
            if yes {
                Answer::Yes
            } else if no {
                Answer::No
            } else {
                Answer::Waiting
            }
        })
        .inner
    });
    if close && answer == Answer::Waiting { Answer::No } else { answer }
}
