//! Something that is on or off, with its name and a sentence that tells what that means.

use egui::accesskit::Role;
use egui::{CursorIcon, Response, Sense, Ui, WidgetInfo, pos2, vec2};

use super::super::text::{Wrap, layout};
use super::super::theme::radius;
use super::super::view::ViewCtx;
use super::{focus_ring, text_left};

/// Width of the switch itself in points.
const WIDTH: f32 = 36.0;

/// Shows it as wide as there is room; clicked if it is to be the other way.
pub fn show(ui: &mut Ui, cx: &ViewCtx<'_>, name: &str, explained: &str, on: bool) -> Response {
    let width = ui.available_width();
    let room = width - WIDTH - 20.0;
    let sentence = layout(ui.ctx(), explained, cx.small(), Wrap::Lines(room));
    let (rect, response) = ui.allocate_exact_size(vec2(width, sentence.size().y + 34.0), Sense::click());
    if response.hovered() {
        ui.painter().rect_filled(rect.expand2(vec2(8.0, 0.0)), radius::FIELD, cx.theme.hover);
    }
    let left = rect.left();
    text_left(ui.painter(), pos2(left, rect.top() + 16.0), name, cx.body(), room);
    ui.painter().galley(pos2(left, rect.top() + 28.0), sentence, cx.theme.muted);
    let way = ui.ctx().animate_bool(response.id, on);
    let center = pos2(rect.right() - WIDTH / 2.0, rect.center().y);
    let track = egui::Rect::from_center_size(center, vec2(WIDTH, 20.0));
    let ground = cx.theme.line.lerp_to_gamma(cx.theme.accent, way);
    ui.painter().rect_filled(track, 10, ground);
    let knob = pos2(egui::lerp(track.left() + 10.0..=track.right() - 10.0, way), center.y);
    ui.painter().circle_filled(knob, 7.0, cx.theme.muted.lerp_to_gamma(cx.theme.on_accent, way));
    let wide = response.clone().with_new_rect(rect.expand2(vec2(8.0, 0.0)));
    focus_ring(ui, &wide, cx.theme, radius::FIELD);
    let enabled = response.enabled();
    response.widget_info(|| WidgetInfo::selected(Role::Switch, enabled, on, name));
    response.on_hover_cursor(CursorIcon::PointingHand)
}
