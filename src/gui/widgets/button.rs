//! Buttons: an icon, a filled one, a quiet one, a row of a menu.

use egui::accesskit::Role;
use egui::{Color32, Rect, Response, Sense, Ui, WidgetInfo, pos2, vec2};

use super::super::icons::Icon;
use super::super::text::{Style, Weight};
use super::super::theme::{metric, radius, size};
use super::super::view::ViewCtx;
use super::{focus_ring, text_center, text_left};

/// A square button with a picture; `label` is its name for tooltip, screen reader and tests.
pub fn icon(ui: &mut Ui, cx: &ViewCtx<'_>, icon: Icon, label: &str) -> Response {
    icon_colored(ui, cx, icon, label, cx.theme.muted)
}

/// The same in a colour of its own.
pub fn icon_colored(ui: &mut Ui, cx: &ViewCtx<'_>, icon: Icon, label: &str, color: Color32) -> Response {
    let side = metric::ICON_BUTTON;
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::click());
    paint_icon(ui, cx, &response, rect, icon, color);
    named(response, label)
}

/// An icon button in a place of the caller's choice.
pub fn icon_at(ui: &Ui, cx: &ViewCtx<'_>, rect: Rect, id: egui::Id, icon: Icon, label: &str) -> Response {
    let response = ui.interact(rect, id, Sense::click());
    paint_icon(ui, cx, &response, rect, icon, cx.theme.muted);
    named(response, label)
}

fn paint_icon(ui: &Ui, cx: &ViewCtx<'_>, response: &Response, rect: Rect, icon: Icon, color: Color32) {
    if !ui.is_rect_visible(rect) {
        return;
    }
    let lit = response.hovered() || response.has_focus();
    if lit {
        ui.painter().rect_filled(rect, radius::FIELD, cx.theme.hover);
    }
    let color = if lit && color == cx.theme.muted { cx.theme.text } else { color };
    icon.paint(ui.painter(), rect.center(), metric::ICON, color);
    focus_ring(ui, response, cx.theme, radius::FIELD);
}

fn named(response: Response, label: &str) -> Response {
    let enabled = response.enabled();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, label));
    response.on_hover_text(label)
}

/// How much a button asks to be pressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// The thing to do here.
    Primary,
    /// Something else one can do.
    Quiet,
    /// It cannot be undone.
    Danger,
}

/// A button with words, as wide as told.
pub fn wide(ui: &mut Ui, cx: &ViewCtx<'_>, text: &str, tone: Tone, width: f32) -> Response {
    words(ui, cx, text, tone, vec2(width, 40.0))
}

/// A button with words of this size.
pub fn words(ui: &mut Ui, cx: &ViewCtx<'_>, text: &str, tone: Tone, dimensions: egui::Vec2) -> Response {
    let (rect, response) = ui.allocate_exact_size(dimensions, Sense::click());
    let theme = cx.theme;
    let (ground, ink) = match tone {
        Tone::Primary => (theme.accent, theme.on_accent),
        Tone::Quiet => (theme.raised, theme.text),
        Tone::Danger => (theme.raised, theme.bad),
    };
    let ground = match (response.hovered(), tone) {
        (true, Tone::Primary) => ground.lerp_to_gamma(theme.text, 0.12),
        (true, _) => ground.lerp_to_gamma(theme.text, 0.07),
        _ => ground,
    };
    ui.painter().rect_filled(rect, radius::ROW, ground);
    let style = Style::new(size::BODY, ink).weight(Weight::Semibold);
    text_center(ui.painter(), rect.center(), text, style, rect.width() - 16.0);
    if response.has_focus() {
        let ring = egui::Stroke::new(1.5, if tone == Tone::Primary { theme.text } else { theme.accent });
        ui.painter().rect_stroke(rect.expand(2.0), radius::ROW + 2, ring, egui::StrokeKind::Inside);
    }
    let enabled = response.enabled();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, text));
    response.on_hover_cursor(egui::CursorIcon::PointingHand)
}

/// A line of a menu.
pub fn menu_row(ui: &mut Ui, cx: &ViewCtx<'_>, icon: Icon, text: &str, tone: Tone) -> Response {
    let width = ui.available_width().clamp(200.0, 240.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 32.0), Sense::click());
    let ink = if tone == Tone::Danger { cx.theme.bad } else { cx.theme.text };
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 7, cx.theme.hover);
    }
    let picture = if tone == Tone::Danger { cx.theme.bad } else { cx.theme.muted };
    icon.paint(ui.painter(), pos2(rect.left() + 18.0, rect.center().y), 16.0, picture);
    text_left(
        ui.painter(),
        pos2(rect.left() + 36.0, rect.center().y),
        text,
        cx.body().color(ink),
        width - 44.0,
    );
    response.widget_info(|| WidgetInfo::labeled(Role::MenuItem, true, text));
    response
}
