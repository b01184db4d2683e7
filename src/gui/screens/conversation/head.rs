//! The head of a conversation: who it is with, the facts that hold for it, what can be done.

use egui::accesskit::Role;
use egui::{Popup, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use septet_client::model::{Conversation, ConversationKind};

use super::super::super::command::Command;
use super::super::super::icons::Icon;
use super::super::super::text::Weight;
use super::super::super::theme::metric;
use super::super::super::view::ViewCtx;
use super::super::super::widgets::avatar::Avatar;
use super::super::super::widgets::button::{Tone, icon, menu_row};
use super::super::super::widgets::text_left;
use super::{menu_frame, words};

/// What the head was asked for.
#[derive(Default)]
pub struct Head {
    /// Back to the list.
    pub back: bool,
    /// Something that needs a question first.
    pub ask: Option<Ask>,
}

/// What the menu asks of the conversation.
pub enum Ask {
    /// Block the account.
    Block,
    /// Unblock it.
    Unblock,
}

/// Shows it.
pub fn show(ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation) -> Head {
    let mut head = Head::default();
    let width = ui.available_width();
    let (bar, _) = ui.allocate_exact_size(vec2(width, metric::HEAD), Sense::hover());
    ui.painter().hline(bar.x_range(), bar.bottom() - 0.5, Stroke::new(1.0, cx.theme.line));
    let inner = bar.with_min_x(bar.left() + 16.0).with_max_x(bar.right() - 12.0);
    let mut row = ui.new_child(
        egui::UiBuilder::new().max_rect(inner).layout(egui::Layout::left_to_right(egui::Align::Center)),
    );
    if cx.narrow {
        head.back = icon(&mut row, cx, Icon::CHEVRON_LEFT, &cx.t("back")).clicked();
        row.add_space(8.0);
    }
    title(&mut row, cx, conversation);
    row.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        let more = icon(ui, cx, Icon::ELLIPSIS, &cx.t("conversation-menu"));
        Popup::menu(&more).frame(menu_frame(cx)).show(|ui| head.ask = menu(ui, cx, conversation));
    });
    head
}

fn title(ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation) {
    let small = metric::AVATAR_SMALL;
    let name = words::title(cx, conversation);
    let width = (ui.available_width() - 56.0).max(0.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, metric::HEAD), Sense::hover());
    let letters = if conversation.name.is_empty() && conversation.nickname.is_none() { "" } else { &*name };
    Avatar {
        id: conversation.id.0,
        name: letters,
        picture: conversation.picture.as_ref(),
        note: conversation.kind == ConversationKind::NoteToSelf,
    }
    .paint(ui.painter(), pos2(rect.left() + small / 2.0, rect.center().y), small, cx);
    let left = rect.left() + small + 12.0;
    let room = rect.right() - left;
    let bold = cx.body().weight(Weight::Semibold).line(18.0);
    let chips = chips(cx, conversation);
    let middle = rect.center().y;
    let title_y = if chips.is_empty() { middle } else { middle - 10.0 };
    text_left(ui.painter(), pos2(left, title_y), &name, bold, room);
    let mut x = left;
    for (icon, text) in chips {
        icon.paint(ui.painter(), pos2(x + 7.5, middle + 9.0), 14.0, cx.theme.muted);
        let style = cx.tiny().color(cx.theme.muted);
        let words =
            text_left(ui.painter(), pos2(x + 20.0, middle + 9.0), &text, style, rect.right() - x - 20.0);
        x = words.right() + 12.0;
    }
    response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, &*name));
}

fn chips(cx: &ViewCtx<'_>, conversation: &Conversation) -> Vec<(Icon, String)> {
    let mut chips = Vec::new();
    if let Some(timer) = words::expiry_chip(cx, conversation.expiry) {
        chips.push((Icon::CLOCK, timer));
    }
    if conversation.muted_until.is_some() {
        chips.push((Icon::BELL_OFF, cx.t("muted").to_string()));
    }
    if conversation.blocked {
        chips.push((Icon::BAN, cx.t("blocked").to_string()));
    }
    chips
}

fn menu(ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation) -> Option<Ask> {
    let mut ask = None;
    let pinned = conversation.pinned > 0;
    let (icon, label) = if pinned { (Icon::PIN_OFF, "unpin") } else { (Icon::PIN, "pin") };
    if menu_row(ui, cx, icon, &cx.t(label), Tone::Quiet).clicked() {
        cx.send(Command::Pin(conversation.id, !pinned));
        ui.close();
    }
    if menu_row(ui, cx, Icon::COPY, &cx.t("copy-account-id"), Tone::Quiet).clicked() {
        cx.copy(ui, conversation.id.to_string(), "account-id-copied");
        ui.close();
    }
    if conversation.kind == ConversationKind::Private {
        let (icon, label, tone, wanted) = if conversation.blocked {
            (Icon::USER_CHECK, "unblock", Tone::Quiet, Ask::Unblock)
        } else {
            (Icon::BAN, "block", Tone::Danger, Ask::Block)
        };
        if menu_row(ui, cx, icon, &cx.t(label), tone).clicked() {
            ask = Some(wanted);
            ui.close();
        }
    }
    ask
}
