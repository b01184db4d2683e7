//! The first thing anyone sees: who we are, and two ways on.

use egui::{Sense, Ui, vec2};

use super::super::super::text::{Style, Weight, Wrap, layout};
use super::super::super::theme::size;
use super::super::super::view::ViewCtx;
use super::super::super::widgets::button::{self, Tone};
use super::super::super::widgets::{mark, text_center};

/// Lines in the middle are tried in so many widths.
const STEPS: u8 = 10;

/// The way a person takes.
pub enum Choice {
    /// A new account.
    Create,
    /// One they have.
    Restore,
}

/// Shows it.
pub fn show(ui: &mut Ui, cx: &ViewCtx<'_>) -> Option<Choice> {
    let width = ui.available_width();
    ui.add_space(12.0);
    let (rect, _) = ui.allocate_exact_size(vec2(width, 96.0), Sense::hover());
    mark::paint(ui.painter(), rect.center(), 96.0, cx.theme.accent);
    ui.add_space(22.0);
    let title = Style::new(size::HEADING + 2.0, cx.theme.text).weight(Weight::Bold).line(30.0);
    centered(ui, &cx.t("welcome-title"), title, width);
    ui.add_space(8.0);
    centered(ui, &cx.t("welcome-text"), cx.body().color(cx.theme.muted), width.min(390.0));
    ui.add_space(28.0);
    let create = button::wide(ui, cx, &cx.t("create-account"), Tone::Primary, width).clicked();
    ui.add_space(8.0);
    let restore = button::wide(ui, cx, &cx.t("have-account"), Tone::Quiet, width).clicked();
    match (create, restore) {
        (true, _) => Some(Choice::Create),
        (_, true) => Some(Choice::Restore),
        _ => None,
    }
}

/// Lines in the middle, none wider than `widest`.
fn centered(ui: &mut Ui, text: &str, style: Style, widest: f32) {
    let mut galley = layout(ui.ctx(), text, style, Wrap::Lines(widest));
    // As narrow as the same number of lines allows, so that no word stands alone in the last.
    for step in 1..STEPS {
        let narrower = layout(ui.ctx(), text, style, Wrap::Lines(widest * (1.0 - 0.05 * f32::from(step))));
        if narrower.rows.len() > galley.rows.len() {
            break;
        }
        galley = narrower;
    }
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), galley.size().y), Sense::hover());
    for row in &galley.rows {
        let middle = egui::pos2(rect.center().x, rect.top() + row.rect().center().y);
        text_center(ui.painter(), middle, row.text().trim(), style, rect.width());
    }
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Label, true, text));
}
