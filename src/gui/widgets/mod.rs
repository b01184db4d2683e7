//! The small parts that screens are made of. Each takes the context and tells the screen reader what it is.

pub mod avatar;
pub mod button;
pub mod dialog;
pub mod drop_hint;
pub mod emoji_picker;
pub mod field;
pub mod mark;
pub mod phrase;
pub mod pill;
pub mod qr;
pub mod slider;
pub mod switch;
pub mod toast;

use egui::{Painter, Pos2, Rect, Response, Stroke, StrokeKind, Ui, vec2};

use super::text::{Style, Wrap, layout};
use super::theme::Theme;

/// Paints a text whose left edge and vertical middle are given; returns the rectangle it takes.
pub fn text_left(painter: &Painter, left: Pos2, text: &str, style: Style, max_width: f32) -> Rect {
    let galley = layout(painter.ctx(), text, style, Wrap::Line(max_width.max(0.0)));
    let rect = Rect::from_min_size(left - vec2(0.0, galley.size().y / 2.0), galley.size());
    painter.galley(rect.min, galley, style.color);
    rect
}

/// Paints a text whose right edge and vertical middle are given; returns the rectangle it takes.
pub fn text_right(painter: &Painter, right: Pos2, text: &str, style: Style) -> Rect {
    let galley = layout(painter.ctx(), text, style, Wrap::None);
    let rect = Rect::from_min_size(right - vec2(galley.size().x, galley.size().y / 2.0), galley.size());
    painter.galley(rect.min, galley, style.color);
    rect
}

/// Paints a text around a point; returns the rectangle it takes.
pub fn text_center(painter: &Painter, center: Pos2, text: &str, style: Style, max_width: f32) -> Rect {
    let galley = layout(painter.ctx(), text, style, Wrap::Line(max_width.max(0.0)));
    let rect = Rect::from_center_size(center, galley.size());
    painter.galley(rect.min, galley, style.color);
    rect
}

/// A label of several lines that wraps at the width there is.
pub fn paragraph(ui: &mut Ui, text: &str, style: Style) -> Response {
    let galley = layout(ui.ctx(), text, style, Wrap::Lines(ui.available_width()));
    let (rect, response) = ui.allocate_exact_size(galley.size(), egui::Sense::hover());
    ui.painter().galley(rect.min, galley, style.color);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Label, true, text));
    response
}

/// Shows where the keyboard is.
pub fn focus_ring(ui: &Ui, response: &Response, theme: &Theme, corner: u8) {
    if response.has_focus() {
        ui.painter().rect_stroke(response.rect, corner, Stroke::new(1.5, theme.accent), StrokeKind::Inside);
    }
}
