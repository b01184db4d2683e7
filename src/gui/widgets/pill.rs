//! A small count on a round ground.

use egui::{Color32, Painter, Pos2, Rect, vec2};

use super::super::text::{Style, Weight, Wrap, layout};

/// Paints a pill whose right edge and vertical middle are given; returns its width.
pub fn right(painter: &Painter, right: Pos2, text: &str, ground: Color32, ink: Color32) -> f32 {
    let style = Style::new(12.0, ink).weight(Weight::Semibold).line(16.0);
    let galley = layout(painter.ctx(), text, style, Wrap::None);
    let width = (galley.size().x + 12.0).max(20.0);
    let rect = Rect::from_min_size(right - vec2(width, 10.0), vec2(width, 20.0));
    painter.rect_filled(rect, 10, ground);
    painter.galley(rect.center() - galley.size() / 2.0, galley, ink);
    width
}

/// Paints a mark without a number, whose right edge and vertical middle are given; returns its width.
pub fn dot(painter: &Painter, right: Pos2, ground: Color32) -> f32 {
    const SIDE: f32 = 10.0;
    painter.circle_filled(right - vec2(5.0 + SIDE / 2.0, 0.0), SIDE / 2.0, ground);
    5.0 + SIDE
}

/// A count as people read it: exact to 999.
pub fn count(number: u32) -> String {
    if number > 999 { "999+".to_owned() } else { number.to_string() }
}
