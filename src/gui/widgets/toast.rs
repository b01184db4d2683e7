//! Short news at the lower edge, gone by themselves.

use std::time::Duration;

use egui::accesskit::Role;
use egui::{Align2, Area, Frame, Id, Margin, Order, Sense, Stroke, Ui, WidgetInfo, vec2};

use super::super::command::Toast;
use super::super::icons::Icon;
use super::super::text::{Wrap, layout};
use super::super::view::ViewCtx;

/// The news on screen.
#[derive(Default)]
pub struct Toasts {
    shown: Vec<(Toast, f64)>,
}

/// The most lines at once.
const MOST: usize = 4;

impl Toasts {
    /// Adds a line. The same line twice in a row is shown once.
    pub fn push(&mut self, toast: Toast, now: f64) {
        let until = now + if toast.bad { 8.0 } else { 3.0 };
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
        let (rect, _) = ui.allocate_exact_size(galley.size() + vec2(26.0, 0.0), Sense::hover());
        icon.paint(ui.painter(), rect.left_top() + vec2(8.0, 10.0), 16.0, color);
        ui.painter().galley(rect.left_top() + vec2(26.0, 0.0), galley, theme.text);
    });
    let response = inner.response.interact(Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Alert, true, &toast.text));
    response.clicked()
}
