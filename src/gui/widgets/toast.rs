//! Short news at the lower edge, gone by themselves.

use std::time::Duration;

use egui::accesskit::Role;
use egui::{Align2, Area, Frame, Id, Margin, Order, Rect, Sense, Stroke, Ui, WidgetInfo, vec2};
use septet_client::client::UNDO_FOR;

use super::super::command::{Command, Toast};
use super::super::icons::Icon;
use super::super::text::{Weight, Wrap, layout};
use super::super::view::ViewCtx;
use super::{focus_ring, text_center};

/// Room for the word that undoes.
const UNDO_WIDTH: f32 = 76.0;

/// The news on screen.
#[derive(Default)]
pub struct Toasts {
    shown: Vec<(Toast, f64)>,
}

/// How long one with a way back is shown, in seconds: not longer than there is one.
const UNDO: f64 = UNDO_FOR.as_secs_f64() - 0.5;
/// The most lines at once.
const MOST: usize = 4;

impl Toasts {
    /// Adds a line. The same line twice in a row is shown once.
    pub fn push(&mut self, toast: Toast, now: f64) {
        let until = now
            + if !toast.undo.is_empty() {
                UNDO
            } else if toast.bad {
                8.0
            } else {
                3.0
            };
        self.shown.retain(|(shown, _)| *shown != toast);
        self.shown.push((toast, until));
        if self.shown.len() > MOST {
            self.shown.remove(0);
        }
    }

    /// Shows them; a click sends one away.
    pub fn show(&mut self, ui: &Ui, cx: &ViewCtx<'_>) {
        let now = ui.input(|input| input.time);
        self.shown.retain(|(_, until)| *until > now);
        let Some(next) = self.shown.iter().map(|(_, until)| *until).reduce(f64::min) else { return };
        ui.ctx().request_repaint_after(Duration::from_secs_f64((next - now).max(0.05)));
        let mut clicked = None;
        Area::new(Id::unique("toasts"))
            .order(Order::Tooltip)
            .anchor(Align2::CENTER_BOTTOM, vec2(0.0, -72.0))
            .show(ui.ctx(), |ui| {
                ui.spacing_mut().item_spacing.y = 8.0;
                for (index, (toast, _)) in self.shown.iter().enumerate() {
                    if line(ui, cx, toast) {
                        clicked = Some(index);
                    }
                }
            });
        if let Some(index) = clicked {
            self.shown.remove(index);
        }
    }
}

fn line(ui: &mut Ui, cx: &ViewCtx<'_>, toast: &Toast) -> bool {
    let theme = cx.theme;
    let (icon, color) = if toast.bad { (Icon::CIRCLE_ALERT, theme.bad) } else { (Icon::CHECK, theme.good) };
    let frame = Frame::new()
        .fill(theme.raised)
        .stroke(Stroke::new(1.0, theme.line))
        .corner_radius(10)
        .shadow(theme.shadow)
        .inner_margin(Margin::symmetric(14, 10));
    let inner = frame.show(ui, |ui| {
        let room = (ui.ctx().content_rect().width() - 96.0).min(420.0);
        let galley = layout(ui.ctx(), &toast.text, cx.body(), Wrap::Lines(room));
        let beside = if toast.undo.is_empty() { 0.0 } else { UNDO_WIDTH };
        let (rect, _) = ui.allocate_exact_size(galley.size() + vec2(26.0 + beside, 0.0), Sense::hover());
        icon.paint(ui.painter(), rect.left_top() + vec2(8.0, 10.0), 16.0, color);
        ui.painter().galley(rect.left_top() + vec2(26.0, 0.0), galley, theme.text);
        rect
    });
    let undone = !toast.undo.is_empty() && undo(ui, cx, toast, inner.inner);
    let response = inner.response.interact(Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Alert, true, &toast.text));
    response.clicked() || undone
}

/// The way back at the end of a line. True if it was taken.
fn undo(ui: &Ui, cx: &ViewCtx<'_>, toast: &Toast, rect: Rect) -> bool {
    let center = rect.right_center() - vec2(UNDO_WIDTH / 2.0 - 8.0, 0.0);
    let place = Rect::from_center_size(center, vec2(UNDO_WIDTH - 12.0, 28.0));
    let response = ui.interact(place, Id::unique(("undo", &toast.undo)), Sense::click());
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(place, 7, cx.theme.hover);
    }
    let style = cx.body().color(cx.theme.accent).weight(Weight::Semibold);
    let label = cx.t("undo");
    text_center(ui.painter(), place.center(), &label, style, place.width());
    focus_ring(ui, &response, cx.theme, 7);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &*label));
    if response.on_hover_cursor(egui::CursorIcon::PointingHand).clicked() {
        cx.send(Command::UndoDelete(toast.undo.clone()));
        return true;
    }
    false
}
