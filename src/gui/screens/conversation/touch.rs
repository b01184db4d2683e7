//! What pointer and keys ask of a message as a whole, and how messages look and answer while several are chosen.

use egui::{Id, Key as Press, Modifiers, Rect, Sense, Ui, pos2, vec2};
use septet_client::model::Message;

use super::menu;
use super::message::{Act, Painted, Wanted, What};
use super::reacting::can_react;
use crate::gui::icons::Icon;
use crate::gui::view::ViewCtx;

/// How much is seen of what is not chosen, while one chooses.
const DIMMED: f32 = 0.55;

/// What pointer and keys ask of a whole message.
pub fn asked_of(ui: &Ui, cx: &ViewCtx<'_>, message: &Message, painted: &Painted) -> Option<Act> {
    let whole = &painted.whole;
    let modifiers = ui.input(|input| input.modifiers);
    // Anywhere in the message, also on a picture or a quote in it.
    if (modifiers.command || modifiers.shift) && whole.container_clicked() {
        return Some(Act::Select(message.id));
    }
    let open =
        |what, from, link, by_key| Some(Act::Open(Wanted { message: message.id, what, from, link, by_key }));
    if whole.container_secondary_clicked() && painted.act.is_none() {
        let at = ui.input(|input| input.pointer.interact_pos()).unwrap_or(whole.rect.center());
        return open(What::Menu, Rect::from_min_size(at, vec2(0.0, 0.0)), painted.link.clone(), false);
    }
    if whole.double_clicked() && menu::can_reply(cx, message) {
        return Some(Act::Reply(message.id));
    }
    if !whole.has_focus() {
        return None;
    }
    let pressed = |modifiers, key| ui.input_mut(|input| input.consume_key(modifiers, key));
    let react =
        pressed(Modifiers::NONE, Press::R) || pressed(Modifiers::COMMAND | Modifiers::SHIFT, Press::E);
    if pressed(Modifiers::COMMAND | Modifiers::SHIFT, Press::R) && menu::can_reply(cx, message) {
        return Some(Act::Reply(message.id));
    }
    if react && can_react(cx, message) {
        return open(What::Few, whole.rect, None, true);
    }
    let menu = pressed(Modifiers::NONE, Press::Enter) || pressed(Modifiers::NONE, Press::Menu);
    if menu || pressed(Modifiers::SHIFT, Press::F10) {
        return open(What::Menu, whole.rect, None, true);
    }
    if pressed(Modifiers::NONE, Press::Delete) {
        return Some(Act::Delete(message.id));
    }
    let copy = |event: &egui::Event| matches!(event, egui::Event::Copy);
    if ui.input(|input| input.events.iter().any(copy)) {
        menu::copy_text(ui, cx, message);
    }
    None
}

/// Shows under a row whether it is chosen.
pub fn chosen_ground(ui: &Ui, cx: &ViewCtx<'_>, row: Rect, chosen: bool) {
    if chosen {
        let rect = row.expand2(vec2(10.0, 0.0));
        ui.painter().rect_filled(rect, 10, cx.theme.accent.gamma_multiply(0.16));
    }
}

/// Where messages are painted while one chooses: nothing in them can be clicked, and what is not chosen stands back.
pub fn at_rest(ui: &mut Ui, chosen: bool) -> Ui {
    let mut inner = ui.new_child(egui::UiBuilder::new().max_rect(ui.max_rect()));
    inner.visuals_mut().disabled_alpha = if chosen { 1.0 } else { DIMMED };
    inner.disable();
    inner
}

/// What lies over a row while one chooses, so that a click anywhere in it chooses it.
pub fn cover(
    ui: &Ui,
    cx: &ViewCtx<'_>,
    message: &Message,
    row: Rect,
    chosen: bool,
    said: &str,
) -> Option<Act> {
    let row = row.expand2(vec2(10.0, 0.0));
    let response = ui.interact(row, Id::unique(("choose", message.id)), Sense::click());
    response.widget_info(|| egui::WidgetInfo::selected(egui::accesskit::Role::CheckBox, true, chosen, said));
    // The mark stands at the side where no bubble is.
    let x = if message.outgoing { row.left() + 22.0 } else { row.right() - 22.0 };
    let center = pos2(x, row.center().y);
    if chosen {
        ui.painter().circle_filled(center, 10.0, cx.theme.accent);
        Icon::CHECK.paint(ui.painter(), center, 14.0, cx.theme.on_accent);
    } else {
        ui.painter().circle_stroke(center, 9.0, egui::Stroke::new(1.5, cx.theme.faint));
    }
    if response.has_focus() {
        let ring = egui::Stroke::new(1.5, cx.theme.accent);
        ui.painter().rect_stroke(row, 10, ring, egui::StrokeKind::Inside);
    }
    response.clicked().then_some(Act::Select(message.id))
}
