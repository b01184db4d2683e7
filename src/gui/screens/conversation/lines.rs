//! What stands between messages: days, the unread line, lines that tell what happened, and that somebody is typing.

use std::time::Duration;

use egui::accesskit::Role;
use egui::{CursorIcon, Id, Pos2, Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use septet_client::model::{ConversationKind, Expiry, Message, Notice};

use super::words;
use crate::gui::command::{Change, Command};
use crate::gui::text::{Weight, Wrap, layout};
use crate::gui::theme::radius;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::{focus_ring, text_center};

/// Height of the bubble of somebody who types, with the room above it, in points.
pub const TYPING: f32 = 46.0;
/// How long one of the dots is lit.
const BEAT: Duration = Duration::from_millis(350);

/// The centred line that tells what happened; with a way to do the same, if it tells of a timer that is not ours.
pub fn notice(ui: &Ui, cx: &ViewCtx<'_>, center: Pos2, message: &Message, text: &str, width: f32) {
    let Some(expiry) = to_follow(cx, message) else {
        text_center(ui.painter(), center, text, cx.tiny().color(cx.theme.muted), width);
        return;
    };
    let label = cx.t("follow-setting");
    let style = cx.tiny().color(cx.theme.accent).weight(Weight::Semibold);
    let button = layout(ui.ctx(), &label, style, Wrap::None);
    let side = button.size() + vec2(16.0, 6.0);
    let words = pos2(center.x - (side.x + 6.0) / 2.0, center.y);
    let room = (width - side.x - 6.0).max(0.0);
    let words = text_center(ui.painter(), words, text, cx.tiny().color(cx.theme.muted), room);
    let place = Rect::from_center_size(pos2(words.right() + 6.0 + side.x / 2.0, center.y), side);
    let response = ui.interact(place, Id::unique(("follow", message.id)), Sense::click());
    let ground = if response.hovered() { cx.theme.hover } else { cx.theme.raised };
    ui.painter().rect_filled(place, radius::FIELD, ground);
    ui.painter().galley(place.center() - button.size() / 2.0, button, style.color);
    focus_ring(ui, &response, cx.theme, radius::FIELD);
    let when = words::expiry_chip(cx, expiry).unwrap_or_else(|| cx.t("disappearing-off").to_string());
    let spoken = cx.strings.with("follow-setting-of", [("when", when.into())]);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &spoken));
    if response.on_hover_cursor(CursorIcon::PointingHand).clicked() {
        cx.send(Command::Change(message.conversation, Change::Expiry(expiry)));
    }
}

/// The timer that the other chose and we did not.
fn to_follow(cx: &ViewCtx<'_>, message: &Message) -> Option<Expiry> {
    let Some(Notice::ExpiryChanged { expiry }) = message.notice else { return None };
    let conversation = cx.state.conversation(message.conversation)?;
    let can =
        conversation.kind == ConversationKind::Private && conversation.approved && !conversation.blocked;
    (can && !message.outgoing && conversation.expiry != expiry).then_some(expiry)
}

/// The bubble of somebody who types, with its top left corner there. It moves while it is seen, and no faster than it has
/// to; where nothing is to move it stands still.
pub fn typing(ui: &Ui, cx: &ViewCtx<'_>, corner: Pos2, name: &str) {
    let rect = Rect::from_min_size(corner + vec2(0.0, 8.0), vec2(54.0, 34.0));
    ui.painter().rect_filled(rect, radius::BUBBLE, cx.theme.bubble_in);
    let (now, focused) = ui.input(|input| (input.time, input.focused));
    let moves = focused && ui.style().animation_time > 0.0;
    let lit = moves.then(|| (now / BEAT.as_secs_f64()) as u64 % 4);
    if moves {
        ui.ctx().request_repaint_after(BEAT);
    }
    for dot in 0..3 {
        let center = rect.center() + vec2(11.0 * (dot as f32 - 1.0), 0.0);
        let strength = if lit == Some(dot) || !moves { 1.0 } else { 0.45 };
        ui.painter().circle_filled(center, 3.5, cx.theme.muted.gamma_multiply(strength));
    }
    let said = cx.strings.with("is-typing", [("name", name.into())]);
    let response = ui.interact(rect, Id::unique("typing bubble"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &said));
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
