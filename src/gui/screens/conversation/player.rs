//! Parts of everything that plays: the waveform, going to another place, times and speeds in words; and the strip that
//! tells what plays when its own conversation is not the one that is open.

use std::time::Duration;

use egui::accesskit::{Action, Role};
use egui::{
    Color32, CursorIcon, EventFilter, Id, Key, Modifiers, Painter, Rect, Response, Sense, Stroke, StrokeKind,
    Ui, WidgetInfo, pos2, vec2,
};
use septet_audio::Speed;
use septet_audio::waveform::BARS;
use septet_client::model::ConversationId;

use super::words;
use crate::gui::command::Command;
use crate::gui::icons::Icon;
use crate::gui::sound::{FRAME, Looked, Now};
use crate::gui::text::{Style, Weight};
use crate::gui::theme::{Theme, size};
use crate::gui::view::ViewCtx;
use crate::gui::widgets::button;
use crate::gui::widgets::{text_center, text_left};

/// An arrow key goes so far.
const STEP: Duration = Duration::from_secs(5);
/// A bar of a waveform and the space beside it take so many points, or a little more.
const BAR: f32 = 4.5;
/// Height of the strip in points.
const STRIP: f32 = 40.0;

/// A length of time as `m:ss`, counted so that it ends at 0:00.
pub fn time(time: Duration) -> String {
    let seconds = time.as_millis().div_ceil(1000).min(u128::from(u32::MAX)) as u32;
    // Half a second more than 0:07 is still 0:07 to whoever looks at a clip of that length.
    let seconds = if time.subsec_millis() < 100 { time.as_secs() as u32 } else { seconds };
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// A speed as it stands on its button.
pub fn speed(speed: Speed) -> &'static str {
    match speed {
        Speed::Normal => "1×",
        Speed::Faster => "1.5×",
        Speed::Double => "2×",
    }
}

/// Which part of a clip lies before a place of it.
pub fn part(position: Duration, duration: Duration) -> f32 {
    if duration.is_zero() { 0.0 } else { (position.as_secs_f32() / duration.as_secs_f32()).clamp(0.0, 1.0) }
}

/// A waveform as bars.
pub struct Bars<'a> {
    /// What is known of it.
    pub look: &'a Looked,
    /// Which part of it was played.
    pub part: f32,
    /// The colour of that.
    pub done: Color32,
    /// The colour of the rest.
    pub rest: Color32,
}

impl Bars<'_> {
    /// Paints it.
    pub fn paint(&self, painter: &Painter, rect: Rect) {
        let count = (rect.width() / BAR).floor().clamp(1.0, 400.0) as usize;
        let step = rect.width() / count as f32;
        for index in 0..count {
            let loud = match self.look {
                Looked::Ready(waveform) => {
                    f32::from(waveform.bars.get(index * BARS / count).copied().unwrap_or(0)) / 255.0
                }
                Looked::Loading | Looked::Bad => 0.0,
            };
            let height = 3.0 + loud * (rect.height() - 3.0);
            let middle = (index as f32 + 0.5) / count as f32;
            let center = pos2(rect.left() + middle * rect.width(), rect.center().y);
            let bar = Rect::from_center_size(center, vec2(step - 2.0, height));
            let done = self.part > 0.0 && middle <= self.part;
            painter.rect_filled(bar, 1, if done { self.done } else { self.rest });
        }
    }
}

/// A ring around a round or rounded button that has the keyboard.
pub fn ring(ui: &Ui, response: &Response, theme: &Theme, rect: Rect, corner: u8) {
    if response.has_focus() {
        let stroke = Stroke::new(1.5, theme.text);
        ui.painter().rect_stroke(rect.expand(2.0), corner.saturating_add(2), stroke, StrokeKind::Inside);
    }
}

/// Where a click, a drag or a key in this place goes to.
pub fn seek(
    ui: &Ui,
    cx: &ViewCtx<'_>,
    id: Id,
    rect: Rect,
    position: Duration,
    duration: Duration,
) -> Option<Duration> {
    if duration.is_zero() {
        return None;
    }
    let response = ui.interact(rect, id, Sense::click_and_drag()).on_hover_cursor(CursorIcon::PointingHand);
    let label = cx.t("position");
    response.widget_info(|| WidgetInfo::slider(true, position.as_secs_f64(), &*label));
    ring(ui, &response, cx.theme, rect, 4);
    let moved = response.dragged() && response.drag_delta() != egui::Vec2::ZERO;
    if let Some(pointer) = response.interact_pointer_pos().filter(|_| response.clicked() || moved) {
        let part = ((pointer.x - rect.left()) / rect.width()).clamp(0.0, 1.0);
        return Some(duration.mul_f32(part));
    }
    let focused = response.has_focus();
    if focused {
        let filter = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
    }
    let pressed = |key, action| {
        ui.input_mut(|input| {
            input.num_accesskit_action_requests(id, action) > 0
                || focused && input.consume_key(Modifiers::NONE, key)
        })
    };
    if pressed(Key::ArrowRight, Action::Increment) {
        return Some((position + STEP).min(duration));
    }
    pressed(Key::ArrowLeft, Action::Decrement).then(|| position.saturating_sub(STEP))
}

/// Tells what plays, unless it belongs to the conversation that is `open`, where it is seen anyway.
pub fn strip(ui: &mut Ui, cx: &ViewCtx<'_>, open: Option<ConversationId>) {
    let Some(now) = cx.sound.now() else { return };
    let Some((conversation, _)) = now.of.filter(|(conversation, _)| Some(*conversation) != open) else {
        return;
    };
    let (bar, _) = ui.allocate_exact_size(vec2(ui.available_width(), STRIP), Sense::hover());
    ui.painter().rect_filled(bar, 0, cx.theme.panel);
    ui.painter().hline(bar.x_range(), bar.bottom() - 0.5, Stroke::new(1.0, cx.theme.line));
    let place = |x: f32| Rect::from_center_size(pos2(x, bar.center().y), vec2(30.0, 30.0));
    let (icon, label) = if now.paused { (Icon::PLAY, "play") } else { (Icon::PAUSE, "pause") };
    if button::icon_at(ui, cx, place(bar.left() + 28.0), Id::unique("strip play"), icon, &cx.t(label))
        .clicked()
    {
        cx.sound.toggle(cx.actions, &now.clip, now.of);
    }
    let close = place(bar.right() - 28.0);
    if button::icon_at(ui, cx, close, Id::unique("strip close"), Icon::X, &cx.t("stop-playing")).clicked() {
        cx.sound.close(cx.actions);
    }
    strip_speed(ui, cx, Rect::from_center_size(pos2(close.left() - 24.0, bar.center().y), vec2(38.0, 22.0)));
    strip_title(ui, cx, &now, conversation, bar);
    if !now.paused {
        ui.ctx().request_repaint_after(FRAME);
    }
}

fn strip_speed(ui: &Ui, cx: &ViewCtx<'_>, rect: Rect) {
    let text = speed(cx.sound.speed());
    let label = cx.strings.with("speed", [("speed", text.into())]);
    let response = ui.interact(rect, Id::unique("strip speed"), Sense::click());
    let lit = response.hovered() || response.has_focus();
    ui.painter().rect_filled(rect, 11, if lit { cx.theme.hover } else { cx.theme.raised });
    let ink = if lit { cx.theme.text } else { cx.theme.muted };
    text_center(ui.painter(), rect.center(), text, Style::new(size::TINY, ink).line(16.0), rect.width());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &*label));
    if response.on_hover_text(label).clicked() {
        cx.sound.next_speed(cx.actions);
    }
}

/// Whose it is and how far it is; a click goes there.
fn strip_title(ui: &Ui, cx: &ViewCtx<'_>, now: &Now, id: ConversationId, bar: Rect) {
    let Some(conversation) = cx.state.conversation(id) else { return };
    let rect = bar.with_min_x(bar.left() + 50.0).with_max_x(bar.right() - 100.0);
    let label = cx.strings.with("playing-from", [("name", words::title(cx, conversation).into())]);
    let response = ui.interact(rect, Id::unique("strip title"), Sense::click());
    let style = cx.small().color(cx.theme.text).weight(Weight::Semibold);
    let shown = text_left(ui.painter(), rect.left_center(), &label, style, rect.width() - 56.0);
    let at = pos2(shown.right() + 10.0, rect.center().y);
    text_left(ui.painter(), at, &time(now.position()), cx.small(), 56.0);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
    ring(ui, &response, cx.theme, rect.shrink(4.0), 4);
    if response.on_hover_cursor(CursorIcon::PointingHand).clicked() {
        cx.send(Command::Open(conversation.address.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_down_to_nothing() {
        for (ms, wanted) in [
            (0, "0:00"),
            (99, "0:00"),
            (100, "0:01"),
            (7_020, "0:07"),
            (7_500, "0:08"),
            (299_999, "5:00"),
            (3_661_000, "1:01:01"),
        ] {
            assert_eq!(time(Duration::from_millis(ms)), wanted, "{ms}");
        }
    }
}
