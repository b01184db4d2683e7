//! A knob on a line.

use egui::accesskit::Action;
use egui::{CornerRadius, EventFilter, Key, Modifiers, Rect, Response, Sense, Ui, WidgetInfo, pos2, vec2};

use super::super::view::ViewCtx;

/// Height in points.
const HEIGHT: f32 = 32.0;
/// Radius of the knob in points.
const KNOB: f32 = 8.0;
/// How far one key press goes.
const STEP: f32 = 0.05;

/// Shows a slider as wide as told. `at` goes from 0 to 1; `said` is what the screen reader tells of it.
pub fn show(ui: &mut Ui, cx: &ViewCtx<'_>, width: f32, label: &str, at: &mut f32, said: f64) -> Response {
    let (rect, mut response) = ui.allocate_exact_size(vec2(width, HEIGHT), Sense::click_and_drag());
    let track = Rect::from_center_size(rect.center(), vec2((width - 2.0 * KNOB).max(1.0), 4.0));
    let before = *at;
    if let Some(pointer) = response.interact_pointer_pos() {
        *at = (pointer.x - track.left()) / track.width();
    }
    *at += keys(ui, &response);
    *at = at.clamp(0.0, 1.0);
    if *at != before {
        response.mark_changed();
    }
    let enabled = response.enabled();
    let knob = pos2(track.left() + *at * track.width(), track.center().y);
    let lit = response.hovered() || response.dragged() || response.has_focus();
    let color = if enabled { cx.theme.accent } else { cx.theme.faint };
    let corner = CornerRadius::same(2);
    ui.painter().rect_filled(track, corner, cx.theme.line);
    ui.painter().rect_filled(track.with_max_x(knob.x), corner, color);
    if lit && enabled {
        ui.painter().circle_filled(knob, KNOB + 4.0, color.gamma_multiply(0.25));
    }
    ui.painter().circle_filled(knob, KNOB, color);
    response.widget_info(|| WidgetInfo::slider(enabled, said, label));
    response
}

/// How far keys and the screen reader move it.
fn keys(ui: &Ui, response: &Response) -> f32 {
    let (id, focused) = (response.id, response.has_focus());
    if focused {
        let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
    }
    ui.input_mut(|input| {
        let mut steps = input.num_accesskit_action_requests(id, Action::Increment) as f32
            - input.num_accesskit_action_requests(id, Action::Decrement) as f32;
        if focused {
            let mut pressed = |key| input.count_and_consume_key(Modifiers::NONE, key) as f32;
            steps += pressed(Key::ArrowRight) + pressed(Key::ArrowUp);
            steps -= pressed(Key::ArrowLeft) + pressed(Key::ArrowDown);
        }
        steps * STEP
    })
}
