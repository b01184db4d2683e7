//! While an account comes back: how far it is, with a way out.

use egui::{Sense, Ui, pos2, vec2};

use super::super::super::command::Progress;
use super::super::super::icons::Icon;
use super::super::super::text::Weight;
use super::super::super::view::ViewCtx;
use super::super::super::widgets::button::{self, Tone};
use super::super::super::widgets::{mark, text_left};
use super::{explanation, heading};

/// Seconds for one turn of the mark.
const TURN: f64 = 2.1;
/// Seconds between two frames while it turns.
const FRAME: f32 = 1.0 / 30.0;

/// What the step remembers between frames.
#[derive(Default)]
pub struct Coming {
    at: Option<Progress>,
    stopping: bool,
}

impl Coming {
    /// It got further.
    pub fn now_at(&mut self, progress: Progress) {
        self.at = Some(progress);
    }

    /// Shows the step; true if the person gives up.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) -> bool {
        let width = ui.available_width();
        ui.add_space(4.0);
        let (rect, _) = ui.allocate_exact_size(vec2(width, 84.0), Sense::hover());
        let turn = (ui.input(|input| input.time) / TURN).fract() as f32;
        mark::turned(ui.painter(), pos2(rect.left() + 36.0, rect.center().y), 72.0, cx.theme.accent, turn);
        ui.ctx().request_repaint_after_secs(FRAME);
        ui.add_space(16.0);
        heading(ui, cx, &cx.t("coming-title"));
        explanation(ui, cx, &cx.t("coming-text"));
        let (done, fetched) = match self.at {
            None | Some(Progress::Connecting) => (0, None),
            Some(Progress::Profile) => (1, None),
            Some(Progress::Messages { fetched }) => (2, Some(fetched)),
            Some(Progress::Done) => (3, None),
        };
        let messages = match fetched {
            Some(fetched) if fetched > 0 => {
                cx.strings.with("coming-messages-count", [("count", fetched.into())])
            }
            _ => cx.t("coming-messages").to_string(),
        };
        for (index, text) in
            [&*cx.t("coming-connecting"), &*cx.t("coming-profile"), &messages].into_iter().enumerate()
        {
            stage(ui, cx, text, index, done);
        }
        ui.add_space(20.0);
        let label = cx.t(if self.stopping { "stopping" } else { "cancel" });
        let pressed = ui
            .add_enabled_ui(!self.stopping, |ui| button::wide(ui, cx, &label, Tone::Quiet, width).clicked());
        let escaped = ui.input(|input| input.key_pressed(egui::Key::Escape)) && !self.stopping;
        self.stopping |= pressed.inner || escaped;
        pressed.inner || escaped
    }
}

/// One line: done, being done, or still to come.
fn stage(ui: &mut Ui, cx: &ViewCtx<'_>, text: &str, index: usize, done: usize) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), Sense::hover());
    let dot = pos2(rect.left() + 9.0, rect.center().y);
    let theme = cx.theme;
    let style = if index < done {
        Icon::CHECK.paint(ui.painter(), dot, 17.0, theme.good);
        cx.body().color(theme.muted)
    } else if index == done {
        ui.painter().circle_filled(dot, 4.5, theme.accent);
        ui.painter().circle_stroke(dot, 8.0, egui::Stroke::new(1.5, theme.accent.gamma_multiply(0.45)));
        cx.body().weight(Weight::Medium)
    } else {
        ui.painter().circle_filled(dot, 3.5, theme.line);
        cx.body().color(theme.faint)
    };
    text_left(ui.painter(), pos2(rect.left() + 30.0, rect.center().y), text, style, rect.width() - 30.0);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Label, true, text));
}
