//! What is told to others of what one does, and shown of them.

use egui::Ui;

use crate::gui::command::Command;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::switch;

/// What switches something on or off.
type Switch = fn(bool) -> Command;

/// Shows the switches.
pub fn show(ui: &mut Ui, cx: &ViewCtx<'_>) {
    let settings = cx.state.settings;
    let rows: [(&'static str, bool, Switch); 3] = [
        ("read-receipts", settings.read_receipts, Command::SetReadReceipts),
        ("typing-indicators", settings.typing_indicators, Command::SetTypingIndicators),
        ("link-previews", cx.state.link_previews == Some(true), Command::SetLinkPreviews),
    ];
    let explained = ["read-receipts-explained", "typing-indicators-explained", "link-previews-explained"];
    for ((name, on, command), explained) in rows.into_iter().zip(explained) {
        if switch::show(ui, cx, &cx.t(name), &cx.t(explained), on).clicked() {
            cx.send(command(!on));
        }
    }
}
