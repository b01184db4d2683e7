//! What can be done with a message: the bar under the pointer, and the menu.

use egui::{Frame, Id, Margin, Rect, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};
use septet_client::model::{Message, MessageState};

use super::message::{Act, Wanted, What, file_menu};
use super::reacting::{self, Chosen, can_react};
use super::words;
use crate::gui::command::{Command, Toast};
use crate::gui::icons::Icon;
use crate::gui::text::links::{self, Piece};
use crate::gui::view::ViewCtx;
use crate::gui::widgets::button::{Tone, menu_row};

const BUTTON: egui::Vec2 = vec2(28.0, 26.0);

/// Whether one can answer a message.
pub fn can_reply(cx: &ViewCtx<'_>, message: &Message) -> bool {
    can_react(cx, message)
}

/// The buttons of the bar over a message.
fn buttons(cx: &ViewCtx<'_>, message: &Message) -> Vec<(Icon, &'static str)> {
    let mut buttons = Vec::with_capacity(4);
    if can_react(cx, message) {
        buttons.push((Icon::SMILE, "react"));
    }
    if can_reply(cx, message) {
        buttons.push((Icon::REPLY, "reply"));
    }
    if !message.text.is_empty() {
        buttons.push((Icon::COPY, "copy-message"));
    }
    buttons.push((Icon::ELLIPSIS, "more"));
    buttons
}

/// Where the bar of a message stands: over its upper edge, inside the view.
pub fn bar_rect(cx: &ViewCtx<'_>, message: &Message, bounds: Rect, view: Rect) -> Rect {
    let count = buttons(cx, message).len() as f32;
    let dimensions = vec2(BUTTON.x * count + 6.0, BUTTON.y + 6.0);
    let right = (bounds.right() - 8.0).max(bounds.left() + dimensions.x);
    let right = right.min(view.right() - 4.0).max(view.left() + dimensions.x + 4.0);
    let top = (bounds.top() - 26.0).max(view.top() + 4.0);
    Rect::from_min_size(egui::pos2(right - dimensions.x, top), dimensions)
}

/// The bar that appears over a message under the pointer.
pub fn bar(ui: &Ui, cx: &ViewCtx<'_>, message: &Message, bounds: Rect, view: Rect) -> Option<Act> {
    let (theme, rect) = (cx.theme, bar_rect(cx, message, bounds, view));
    ui.painter().add(theme.shadow.as_shape(rect, 9));
    ui.painter().rect(rect, 9, theme.panel, Stroke::new(1.0, theme.line), StrokeKind::Inside);
    let mut at = rect.min + vec2(3.0, 3.0);
    let mut act = None;
    for (icon, label) in buttons(cx, message) {
        let place = Rect::from_min_size(at, BUTTON);
        at.x += BUTTON.x;
        let response = ui.interact(place, Id::unique(("bar", message.id, label)), Sense::click());
        let lit = response.hovered() || response.has_focus();
        if lit {
            ui.painter().rect_filled(place, 7, theme.hover);
        }
        icon.paint(ui.painter(), place.center(), 17.0, if lit { theme.text } else { theme.muted });
        let name = cx.t(label);
        response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, &*name));
        if response.on_hover_text(&*name).clicked() {
            let open = |what| {
                let by_key = false;
                Some(Act::Open(Wanted { message: message.id, what, from: place, link: None, by_key }))
            };
            act = match label {
                "react" => open(What::Few),
                "reply" => Some(Act::Reply(message.id)),
                "more" => {
                    file_menu::forget(ui, message);
                    open(What::Menu)
                }
                _ => {
                    copy_text(ui, cx, message);
                    None
                }
            };
        }
    }
    act
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

/// A few emoji on top of the menu.
pub fn reactions(ui: &mut Ui, cx: &ViewCtx<'_>, message: &Message) -> Option<Chosen> {
    let chosen = reacting::few(ui, cx, message, false);
    ui.add_space(3.0);
    let (line, _) = ui.allocate_exact_size(vec2(ui.available_width().min(240.0), 1.0), Sense::hover());
    ui.painter().hline(line.x_range(), line.center().y, Stroke::new(1.0, cx.theme.line));
    ui.add_space(3.0);
    chosen
}

/// What a row of the menu does.
#[derive(Clone, Copy, PartialEq)]
enum Row {
    Resend,
    Stop,
    Reply,
    Copy,
    CopyLink,
    Select,
    Reactors,
    Delete,
}

impl Row {
    fn looks(self) -> (Icon, &'static str, Tone) {
        match self {
            Self::Resend => (Icon::ROTATE_CW, "send-again", Tone::Quiet),
            Self::Stop => (Icon::X, "stop-sending", Tone::Danger),
            Self::Reply => (Icon::REPLY, "reply", Tone::Quiet),
            Self::Copy => (Icon::COPY, "copy-message", Tone::Quiet),
            Self::CopyLink => (Icon::LINK, "copy-link", Tone::Quiet),
            Self::Select => (Icon::CHECK_CHECK, "select", Tone::Quiet),
            Self::Reactors => (Icon::USERS, "reactions-who", Tone::Quiet),
            Self::Delete => (Icon::TRASH_2, "delete", Tone::Danger),
        }
    }
}

/// What applies to a message, in the order of the menu.
fn applying(cx: &ViewCtx<'_>, message: &Message, link: bool) -> Vec<Row> {
    let all = [
        (Row::Resend, message.state == MessageState::Failed),
        (Row::Reply, can_reply(cx, message)),
        (Row::Copy, !message.text.is_empty()),
        (Row::CopyLink, link),
        (Row::Select, true),
        (Row::Reactors, !message.reactions.is_empty()),
        (Row::Stop, message.state == MessageState::Sending),
        (Row::Delete, message.state != MessageState::Sending),
    ];
    all.into_iter().filter(|(_, applies)| *applies).map(|(row, _)| row).collect()
}

/// The rows of the menu. `link` is the one that the pointer was on; `first` gives the keyboard to the first row.
pub fn rows(
    ui: &mut Ui,
    cx: &ViewCtx<'_>,
    message: &Message,
    link: Option<&str>,
    first: bool,
) -> Option<Act> {
    let link = link.map(str::to_owned).or_else(|| only_link(message));
    let (mut act, files) = file_menu::rows(ui, cx, message, first);
    let first = first && !files;
    for (index, row) in applying(cx, message, link.is_some()).into_iter().enumerate() {
        let (icon, label, tone) = row.looks();
        let response = menu_row(ui, cx, icon, &cx.t(label), tone);
        if first && index == 0 {
            response.request_focus();
        }
        if response.clicked() {
            act = carry_out(ui, cx, message, row, link.as_deref());
            ui.close();
        }
    }
    act
}

/// Does what a row says, or tells what to do.
fn carry_out(ui: &Ui, cx: &ViewCtx<'_>, message: &Message, row: Row, link: Option<&str>) -> Option<Act> {
    match row {
        Row::Reply => return Some(Act::Reply(message.id)),
        Row::Select => return Some(Act::Select(message.id)),
        Row::Reactors => return Some(Act::Reactors(message.id, None)),
        Row::Delete => return Some(Act::Delete(message.id)),
        Row::Resend => cx.send(Command::Resend(message.id)),
        Row::Stop => cx.send(Command::Cancel(message.id)),
        Row::Copy => copy_text(ui, cx, message),
        Row::CopyLink => cx.copy(ui, link.unwrap_or_default(), "link-copied"),
    }
    None
}

/// The link of a message that has one and no more.
fn only_link(message: &Message) -> Option<String> {
    let mut links = links::pieces(&message.text).into_iter().filter_map(|piece| match piece {
        Piece::Link { address, .. } => Some(address),
        _ => None,
    });
    links.next().filter(|_| links.next().is_none())
}

/// Copies the text of a message, which stays in its logical order.
pub fn copy_text(ui: &Ui, cx: &ViewCtx<'_>, message: &Message) {
    if message.text.is_empty() {
        cx.actions.toast(Toast::bad(&*cx.t("nothing-to-copy")));
    } else {
        cx.copy(ui, words::named(cx, &message.text), "message-copied");
    }
}
