//! What stands between messages: days, the unread line, lines that tell what happened.

use egui::{Pos2, Rect, Stroke, Ui};

use crate::gui::text::Weight;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::text_center;

/// The centred line that tells what happened.
pub fn notice(ui: &Ui, cx: &ViewCtx<'_>, center: Pos2, text: &str, width: f32) {
    text_center(ui.painter(), center, text, cx.tiny().color(cx.theme.muted), width);
}

/// The name of a day.
pub fn day(ui: &Ui, cx: &ViewCtx<'_>, center: Pos2, text: &str, width: f32) {
    text_center(ui.painter(), center, text, cx.tiny(), width);
}

/// The line above the first message not read yet.
pub fn unread_line(ui: &Ui, cx: &ViewCtx<'_>, row: Rect) {
    let style = cx.tiny().color(cx.theme.accent).weight(Weight::Semibold);
    let words = text_center(ui.painter(), row.center(), &cx.t("unread-line"), style, row.width());
    let stroke = Stroke::new(1.0, cx.theme.accent.gamma_multiply(0.5));
    ui.painter().hline(row.left()..=words.left() - 12.0, row.center().y, stroke);
    ui.painter().hline(words.right() + 12.0..=row.right(), row.center().y, stroke);
}
