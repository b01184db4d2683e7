//! What stands at the end of a message: its time, how far it got, what is left of it.

use std::f32::consts::TAU;
use std::sync::Arc;

use egui::{Color32, Galley, Id, Painter, Pos2, Rect, Sense, Shape, Stroke, Vec2, pos2, vec2};
use septet_client::model::{Expiry, Message, MessageState};

use super::super::words;
use super::layouter::Layouter;
use super::painting::Painting;
use crate::gui::countdown::{self, STEPS};
use crate::gui::icons::Icon;
use crate::gui::text::{Style, Wrap, layout};
use crate::gui::theme::size;
use crate::gui::view::ViewCtx;

/// Width of the countdown with the room after it, in points.
const PIE: f32 = 15.0;
/// Radius of the countdown in points.
const RADIUS: f32 = 5.0;
/// Width of the state with the room before it, in points.
const STATE: f32 = 17.0;

/// Time, state and countdown, laid out.
pub struct Meta {
    time: Arc<Galley>,
    state: Option<Icon>,
    timed: bool,
}

impl Meta {
    /// The room it takes.
    pub fn size(&self) -> Vec2 {
        let beside = if self.timed { PIE } else { 0.0 } + if self.state.is_some() { STATE } else { 0.0 };
        self.time.size() + vec2(beside, 0.0)
    }
}

impl Layouter<'_> {
    /// Time and state, to stand in the last part.
    pub fn meta(&self) -> Meta {
        let style = Style::new(size::META, self.cx.theme.bubble_muted(self.message.outgoing)).line(16.0);
        let time = self.cx.clock.time(self.message.timestamp);
        Meta {
            time: layout(self.ctx, &time, style, Wrap::None),
            state: state(self.message),
            timed: self.message.expiry != Expiry::Off && !self.message.deleted,
        }
    }
}

impl Painting<'_> {
    /// Paints it with its top left corner there; in one colour, if it stands on a picture.
    pub fn meta(&self, at: Pos2, meta: &Meta, ink: Option<Color32>) {
        let (theme, painter) = (self.cx.theme, self.ui.painter());
        let muted = ink.unwrap_or_else(|| theme.bubble_muted(self.message.outgoing));
        let mut left = at.x;
        let middle = at.y + meta.time.size().y / 2.0;
        if meta.timed {
            self.countdown(pos2(left + RADIUS + 1.0, middle), muted);
            left += PIE;
        }
        painter.galley_with_override_text_color(pos2(left, at.y), Arc::clone(&meta.time), muted);
        if let Some(icon) = meta.state {
            let end = pos2(at.x + meta.size().x - 7.0, middle - 1.0);
            let color = match self.message.state {
                MessageState::Failed => ink.unwrap_or(theme.out_bad),
                _ if self.message.read => ink.unwrap_or_else(|| theme.bubble_accent(self.message.outgoing)),
                _ => muted,
            };
            icon.paint(painter, end, 14.0, color);
        }
        let rect = Rect::from_min_size(at, meta.size()).expand(2.0);
        let response = self.ui.interact(rect, Id::unique(("meta", self.message.id)), Sense::hover());
        response.on_hover_ui(|ui| {
            ui.label(in_full(self.cx, self.message));
        });
    }

    fn countdown(&self, center: Pos2, color: Color32) {
        let mut steps = STEPS;
        if let Some((left, total)) = left(self.cx, self.message) {
            steps = countdown::step(left, total);
            if let Some(next) = countdown::next_step(left, total) {
                self.ui.ctx().request_repaint_after(next);
            }
        }
        pie(self.ui.painter(), center, steps, color);
    }
}

/// So many twelfths of a disc, in a ring.
fn pie(painter: &Painter, center: Pos2, steps: u32, color: Color32) {
    painter.circle_stroke(center, RADIUS, Stroke::new(1.0, color));
    let angle = |step: u32| TAU * (step as f32 / STEPS as f32) - TAU / 4.0;
    // What goes, goes clockwise from the top; a piece of more than half a disc is not convex.
    let first = STEPS - steps;
    for (from, to) in [(first, STEPS.min(first + STEPS / 2)), (first + STEPS / 2, STEPS)] {
        if from < to {
            let on_ring = |step| center + Vec2::angled(angle(step)) * (RADIUS - 2.0);
            let points = std::iter::once(center).chain((from..=to).map(on_ring)).collect();
            painter.add(Shape::convex_polygon(points, color, Stroke::NONE));
        }
    }
}

fn state(message: &Message) -> Option<Icon> {
    Some(match message.state {
        MessageState::Received => return None,
        MessageState::Sending => Icon::CLOCK,
        MessageState::Failed => Icon::TRIANGLE_ALERT,
        MessageState::Sent if message.read => Icon::CHECK_CHECK,
        MessageState::Sent => Icon::CHECK,
    })
}

/// What is left of a message and how long it lasts in all, in ms, if it counts.
fn left(cx: &ViewCtx<'_>, message: &Message) -> Option<(u64, u64)> {
    let (Expiry::AfterRead(seconds) | Expiry::AfterSend(seconds)) = message.expiry else { return None };
    let end = message.expires_at?;
    Some((end.since(cx.network_now()), u64::from(seconds) * 1000))
}

/// When it disappears, in words, if it does.
pub fn timer(cx: &ViewCtx<'_>, message: &Message) -> Option<String> {
    if message.deleted {
        return None;
    }
    match left(cx, message) {
        Some((left, _)) => {
            let time = countdown::short(cx.strings, left);
            Some(cx.strings.with("disappears-in", [("time", time.into())]))
        }
        None => words::expiry_chip(cx, message.expiry)
            .map(|when| cx.strings.with("disappears-when", [("when", when.into())])),
    }
}

/// What the end of a message tells, in words.
fn in_full(cx: &ViewCtx<'_>, message: &Message) -> String {
    let mut said = cx.clock.full(message.timestamp, cx.strings);
    for more in [words::state(cx, message).map(|state| state.to_string()), timer(cx, message)] {
        if let Some(more) = more {
            said.push_str(" · ");
            said.push_str(&more);
        }
    }
    said
}
