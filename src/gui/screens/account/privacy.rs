//! What is told to others of what one does, and shown of them.

use egui::Ui;

use crate::gui::command::Command;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::switch;

/// Shows the switches.
pub fn show(ui: &mut Ui, cx: &ViewCtx<'_>) {
    let settings = cx.state.settings;
    let rows: [(&str, &str, bool, fn(bool) -> Command); 2] = [
        (
            &cx.t("read-receipts"),
            &cx.t("read-receipts-explained"),
            settings.read_receipts,
            Command::SetReadReceipts,
        ),
        (
            &cx.t("typing-indicators"),
            &cx.t("typing-indicators-explained"),
            settings.typing_indicators,
            Command::SetTypingIndicators,
        ),
    ];
    for (name, explained, on, command) in rows {
        if switch::show(ui, cx, name, explained, on).clicked() {
            cx.send(command(!on));
        }
    }
}
