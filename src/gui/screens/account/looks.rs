//! Theme and accent.

use egui::accesskit::Role;
use egui::{Color32, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};

use super::super::super::icons::Icon;
use super::super::super::preferences::Preferences;
use super::super::super::text::{Style, Weight, Wrap, layout};
use super::super::super::theme::{Accent, Theme, ThemeChoice, radius, size};
use super::super::super::view::ViewCtx;
use super::super::super::widgets::{focus_ring, paragraph};

const THEMES: [(ThemeChoice, Icon, &str); 3] = [
    (ThemeChoice::System, Icon::MONITOR, "theme-system"),
    (ThemeChoice::Dark, Icon::MOON, "theme-dark"),
    (ThemeChoice::Light, Icon::SUN, "theme-light"),
];

/// Shows the choices; what is chosen holds from the next frame on.
pub fn show(ui: &mut Ui, cx: &ViewCtx<'_>, preferences: &mut Preferences) {
    paragraph(ui, &cx.t("theme"), cx.tiny());
    ui.add_space(6.0);
    themes(ui, cx, &mut preferences.theme);
    ui.add_space(16.0);
    paragraph(ui, &cx.t("accent"), cx.tiny());
    ui.add_space(6.0);
    accents(ui, cx, &mut preferences.accent);
}

/// Three segments in one frame.
fn themes(ui: &mut Ui, cx: &ViewCtx<'_>, choice: &mut ThemeChoice) {
    let width = ui.available_width().min(420.0);
    ui.horizontal(|ui| {
        let (frame, _) = ui.allocate_exact_size(vec2(width, 38.0), Sense::hover());
        ui.painter().rect_filled(frame, radius::ROW, cx.theme.raised);
        let third = (width - 6.0) / 3.0;
        for (index, (option, icon, name)) in THEMES.into_iter().enumerate() {
            let corner = frame.min + vec2(3.0 + index as f32 * third, 3.0);
            let rect = egui::Rect::from_min_size(corner, vec2(third, 32.0));
            let response = ui.interact(rect, ui.scope_id().with(name), Sense::click());
            let chosen = *choice == option;
            let ink = if chosen || response.hovered() { cx.theme.text } else { cx.theme.muted };
            if chosen {
                let ground = if cx.theme.dark { cx.theme.line } else { Color32::WHITE };
                ui.painter().rect_filled(rect, radius::FIELD, ground);
            }
            let style =
                Style::new(size::SMALL, ink).weight(if chosen { Weight::Semibold } else { Weight::Medium });
            let label = cx.t(name);
            let galley = layout(ui.ctx(), &label, style, Wrap::Line(third - 36.0));
            let left = rect.center().x - (galley.size().x + 24.0) / 2.0;
            icon.paint(ui.painter(), egui::pos2(left + 8.0, rect.center().y), 16.0, ink);
            ui.painter().galley(
                egui::pos2(left + 24.0, rect.center().y - galley.size().y / 2.0),
                galley,
                ink,
            );
            focus_ring(ui, &response, cx.theme, radius::FIELD);
            response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, &*label));
            if response.on_hover_cursor(egui::CursorIcon::PointingHand).clicked() {
                *choice = option;
            }
        }
    });
}

/// Seven circles.
fn accents(ui: &mut Ui, cx: &ViewCtx<'_>, choice: &mut Accent) {
    ui.horizontal_wrapped(|ui| {
        let plain = if cx.theme.dark { Theme::dark() } else { Theme::light() };
        for accent in Accent::ALL {
            let (rect, response) = ui.allocate_exact_size(vec2(38.0, 34.0), Sense::click());
            let center = rect.left_center() + vec2(15.0, 0.0);
            let color = plain.accented(accent).accent;
            ui.painter().circle_filled(center, 11.0, color);
            let chosen = *choice == accent;
            if chosen {
                ui.painter().circle_stroke(center, 14.5, Stroke::new(2.0, color));
            } else if response.hovered() {
                ui.painter().circle_stroke(center, 14.0, Stroke::new(1.0, cx.theme.faint));
            }
            if response.has_focus() {
                let ring = egui::Rect::from_center_size(center, vec2(36.0, 36.0));
                ui.painter().rect_stroke(ring, 18, Stroke::new(1.5, cx.theme.text), StrokeKind::Inside);
            }
            let label = cx.t(name(accent));
            response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, &*label));
            if response.on_hover_text(&*label).clicked() {
                *choice = accent;
            }
        }
    });
}

fn name(accent: Accent) -> &'static str {
    match accent {
        Accent::Blue => "accent-blue",
        Accent::Green => "accent-green",
        Accent::Yellow => "accent-yellow",
        Accent::Orange => "accent-orange",
        Accent::Red => "accent-red",
        Accent::Pink => "accent-pink",
        Accent::Purple => "accent-purple",
    }
}
