//! The head of a conversation: who it is with, the facts that hold for it, what can be done.

use egui::accesskit::Role;
use egui::{CursorIcon, Id, Popup, Rect, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};
use septet_client::model::{Conversation, ConversationKind, Expiry};

use super::super::super::icons::Icon;
use super::super::super::text::Weight;
use super::super::super::theme::{metric, radius};
use super::super::super::view::ViewCtx;
use super::super::super::widgets::avatar::{self, Avatar};
use super::super::super::widgets::button::{Tone, icon, menu_row};
use super::super::super::widgets::{focus_ring, text_left};
use super::super::deeds::{self, Deed};
use super::details::timer;
use super::{menu_frame, words};

/// What the head was asked for.
#[derive(Default)]
pub struct Head {
    /// Back to the list.
    pub back: bool,
    /// The details, or away with them.
    pub details: bool,
    /// The page with the timer.
    pub timer: bool,
    /// Something of the menu.
    pub deed: Option<Deed>,
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
    title(&mut row, cx, conversation, &mut head);
    row.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        let more = icon(ui, cx, Icon::ELLIPSIS, &cx.t("conversation-menu"));
        Popup::menu(&more).frame(menu_frame(cx)).show(|ui| menu(ui, cx, conversation, &mut head));
        if timer::can_be_set(conversation) && conversation.expiry == Expiry::Off {
            head.timer |= icon(ui, cx, Icon::CLOCK, &cx.t("set-disappearing")).clicked();
        }
    });
    head
}

/// Who it is with, and the facts that hold for it.
fn title(ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation, head: &mut Head) {
    let small = metric::AVATAR_SMALL;
    let name = words::title(cx, conversation);
    let width = (ui.available_width() - 92.0).max(0.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, metric::HEAD), Sense::hover());
    let under = ui.painter().add(Shape::Noop);
    let letters = if conversation.name.is_empty() && conversation.nickname.is_none() { "" } else { &*name };
    Avatar {
        id: avatar::whose(&conversation.address),
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
    let mut end = text_left(ui.painter(), pos2(left, title_y), &name, bold, room).right();
    let (mut x, mut timer) = (left, None);
    for (icon, text) in chips {
        icon.paint(ui.painter(), pos2(x + 7.5, middle + 9.0), 14.0, cx.theme.muted);
        let style = cx.tiny().color(cx.theme.muted);
        let words =
            text_left(ui.painter(), pos2(x + 20.0, middle + 9.0), &text, style, rect.right() - x - 20.0);
        if icon == Icon::CLOCK && timer::can_be_set(conversation) {
            let place = Rect::from_min_max(pos2(x - 3.0, middle), pos2(words.right() + 5.0, middle + 18.0));
            timer = Some((place, text));
        }
        x = words.right() + 12.0;
        end = end.max(words.right());
    }
    response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, &*name));
    let mut button = rect.with_max_x(end.min(rect.right())).expand2(vec2(6.0, -8.0));
    if timer.is_some() {
        button.max.y = middle; // what is below is a button of its own
    }
    let response = ui.interact(button, response.id.with("details"), Sense::click());
    if response.hovered() {
        let (ground, ink) = (radius::ROW, cx.theme.hover);
        ui.painter().set(under, Shape::rect_filled(button, ground, ink));
    }
    focus_ring(ui, &response, cx.theme, radius::ROW);
    let label = cx.t(words::details(conversation));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &*label));
    head.details |= response.on_hover_text(&*label).on_hover_cursor(CursorIcon::PointingHand).clicked();
    if let Some((place, when)) = timer {
        head.timer |= timer_chip(ui, cx, place, &when);
    }
}

/// The timer, to be changed. True if it was clicked.
fn timer_chip(ui: &Ui, cx: &ViewCtx<'_>, place: Rect, when: &str) -> bool {
    let response = ui.interact(place, Id::unique("timer chip"), Sense::click());
    if response.hovered() {
        let ring = Stroke::new(1.0, cx.theme.faint);
        ui.painter().rect_stroke(place, radius::FIELD, ring, StrokeKind::Inside);
    }
    focus_ring(ui, &response, cx.theme, radius::FIELD);
    let label = cx.strings.with("disappearing-now", [("when", when.into())]);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
    response.on_hover_text(&label).on_hover_cursor(CursorIcon::PointingHand).clicked()
}

fn chips(cx: &ViewCtx<'_>, conversation: &Conversation) -> Vec<(Icon, String)> {
    let mut chips = Vec::new();
    if let Some(timer) = words::expiry_chip(cx, conversation.expiry) {
        chips.push((Icon::CLOCK, timer));
    }
    if deeds::is_muted(cx, conversation) {
        chips.push((Icon::BELL_OFF, cx.t("muted").to_string()));
    }
    if deeds::is_tucked_away(conversation) {
        chips.push((Icon::EYE_OFF, cx.t("hidden").to_string()));
    }
    if conversation.blocked {
        chips.push((Icon::BAN, cx.t("blocked").to_string()));
    }
    chips
}

fn menu(ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation, head: &mut Head) {
    let details = cx.t(words::details(conversation));
    if menu_row(ui, cx, Icon::INFO, &details, Tone::Quiet).clicked() {
        head.details = true;
        ui.close();
    }
    let upper = [Deed::Pin, Deed::Unpin, Deed::Show];
    head.deed = deeds::menu_rows(ui, cx, conversation, &upper);
    deeds::mute_row(ui, cx, conversation);
    if menu_row(ui, cx, Icon::COPY, &cx.t("copy-account-id"), Tone::Quiet).clicked() {
        cx.copy(ui, conversation.address.to_string(), "account-id-copied");
        ui.close();
    }
    let lower = [Deed::Unblock, Deed::Block];
    head.deed = head.deed.or(deeds::menu_rows(ui, cx, conversation, &lower));
}
