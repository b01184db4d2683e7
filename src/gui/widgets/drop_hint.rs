//! What is shown while files are held over the window.

use egui::{Id, LayerId, Order, Rect, Stroke, StrokeKind, Ui, vec2};

use super::super::icons::Icon;
use super::super::theme::radius;
use super::super::view::ViewCtx;
use super::text_center;

/// Tells over a region what would become of the files there; nothing while there are none.
pub fn show(ui: &Ui, cx: &ViewCtx<'_>, region: Rect, icon: Icon, words: &str) {
    if ui.input(|input| input.raw.hovered_files.is_empty()) {
        return;
    }
    let painter = ui.ctx().layer_painter(LayerId::new(Order::Foreground, Id::unique("drop hint")));
    let card = region.shrink(12.0);
    painter.rect_filled(card, radius::CARD, cx.theme.bg.gamma_multiply(0.9));
    painter.rect_stroke(card, radius::CARD, Stroke::new(2.0, cx.theme.accent), StrokeKind::Inside);
    icon.paint(&painter, card.center() - vec2(0.0, 22.0), 32.0, cx.theme.accent);
    let below = card.center() + vec2(0.0, 18.0);
    text_center(&painter, below, words, cx.body(), card.width());
}
