//! What can be done with a message: the bar under the pointer, and the menu.

use egui::{
    Frame, Id, Margin, Popup, Rect, Response, Sense, SetOpenCommand, Stroke, StrokeKind, Ui, WidgetInfo, vec2,
};
use septet_client::model::{Message, MessageState};

use super::super::super::command::{Command, Toast};
use super::super::super::icons::Icon;
use super::super::super::view::ViewCtx;
use super::super::super::widgets::button::{Tone, menu_row};
use super::message::{Act, file_menu};

const BUTTON: egui::Vec2 = vec2(28.0, 26.0);

/// Where the bar of a message stands: over its upper edge, inside the view.
pub fn bar_rect(bounds: Rect, view: Rect) -> Rect {
    let dimensions = vec2(BUTTON.x * 3.0 + 6.0, BUTTON.y + 6.0);
    let right = (bounds.right() - 8.0).max(bounds.left() + dimensions.x);
    let top = (bounds.top() - 26.0).max(view.top() + 4.0);
    Rect::from_min_size(egui::pos2(right - dimensions.x, top), dimensions)
}

/// The bar that appears over a message under the pointer.
pub fn bar(ui: &Ui, cx: &ViewCtx<'_>, message: &Message, bounds: Rect, view: Rect) -> Option<Act> {
    let (theme, rect) = (cx.theme, bar_rect(bounds, view));
    ui.painter().add(theme.shadow.as_shape(rect, 9));
    ui.painter().rect(rect, 9, theme.panel, Stroke::new(1.0, theme.line), StrokeKind::Inside);
    let mut at = rect.min + vec2(3.0, 3.0);
    let mut button = |icon: Icon, label: &'static str| {
        let place = Rect::from_min_size(at, BUTTON);
        at.x += BUTTON.x;
        let response = ui.interact(place, Id::unique(("bar", message.id, label)), Sense::click());
        let lit = response.hovered() || response.has_focus();
        if lit {
            ui.painter().rect_filled(place, 7, theme.hover);
        }
        icon.paint(ui.painter(), place.center(), 17.0, if lit { theme.text } else { theme.muted });
        let label = cx.t(label);
        response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, &*label));
        response.on_hover_text(&*label)
    };
    let reply = button(Icon::REPLY, "reply");
    let copy = button(Icon::COPY, "copy-message");
    let more = button(Icon::ELLIPSIS, "more");
    let mut act = None;
    if reply.clicked() {
        act = Some(Act::Reply(message.id));
    }
    if copy.clicked() {
        copy_text(ui, cx, message);
    }
    let popup = Popup::menu(&more).frame(frame(cx));
    act.or(popup.show(|ui| rows(ui, cx, message)).and_then(|shown| shown.inner))
}

/// The menu under the second mouse button.
pub fn context(whole: &Response, cx: &ViewCtx<'_>, message: &Message) -> Option<Act> {
    // Anywhere in the message, also on a picture or a quote in it.
    let command = if whole.container_secondary_clicked() {
        Some(SetOpenCommand::Bool(true))
    } else {
        whole.container_clicked().then_some(SetOpenCommand::Bool(false))
    };
    let popup = Popup::menu(whole).open_memory(command).at_pointer_fixed().frame(frame(cx));
    popup.show(|ui| rows(ui, cx, message)).and_then(|shown| shown.inner)
}

/// How menus look.
pub fn frame(cx: &ViewCtx<'_>) -> Frame {
    Frame::new()
        .fill(cx.theme.panel)
        .stroke(Stroke::new(1.0, cx.theme.line))
        .corner_radius(10)
        .shadow(cx.theme.shadow)
        .inner_margin(Margin::same(5))
}

fn rows(ui: &mut Ui, cx: &ViewCtx<'_>, message: &Message) -> Option<Act> {
    let mut act = None;
    let mut row = |icon, label: &'static str, tone| {
        let clicked = menu_row(ui, cx, icon, &cx.t(label), tone).clicked();
        if clicked {
            ui.close();
        }
        clicked
    };
    if row(Icon::REPLY, "reply", Tone::Quiet) {
        act = Some(Act::Reply(message.id));
    }
    let copy = !message.text.is_empty() && row(Icon::COPY, "copy-message", Tone::Quiet);
    act = act.or(file_menu::rows(ui, cx, message));
    let mut row = |icon, label: &'static str, tone| {
        let clicked = menu_row(ui, cx, icon, &cx.t(label), tone).clicked();
        if clicked {
            ui.close();
        }
        clicked
    };
    if message.state == MessageState::Failed && row(Icon::ROTATE_CW, "send-again", Tone::Quiet) {
        cx.send(Command::Resend(message.id));
    }
    if message.state == MessageState::Sending && row(Icon::X, "stop-sending", Tone::Danger) {
        cx.send(Command::Cancel(message.id));
    }
    if copy {
        copy_text(ui, cx, message);
    }
    act
}

/// Copies the text of a message, which stays in its logical order.
pub fn copy_text(ui: &Ui, cx: &ViewCtx<'_>, message: &Message) {
    if message.text.is_empty() {
        cx.actions.toast(Toast::bad(&*cx.t("nothing-to-copy")));
    } else {
        cx.copy(ui, message.text.as_str(), "message-copied");
    }
}
