//! A voice message while it is spoken, and until it is sent: in place of the field.
//!
//! Decision: Enter stops, Enter sends; Space listens; Escape forgets. What is longer than a few seconds is not forgotten
//! without a question. Leaving the conversation stops and keeps, never loses: a recording is a file of the draft from the
//! moment it is stopped, and is there again after a restart.

use std::sync::Arc;
use std::time::Duration;

use egui::accesskit::Role;
use egui::{Color32, Id, Key, Modifiers, Rect, Response, Sense, Ui, WidgetInfo, pos2, vec2};
use septet_audio::recording::LONGEST;
use septet_client::model::{ConversationId, KeptFile};

use super::player::{self, Bars};
use crate::gui::command::Command;
use crate::gui::icons::Icon;
use crate::gui::sound::{ClipKey, FRAME, LEVELS, Looked, Meter, SoundWish};
use crate::gui::theme::radius;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::button::{self, Tone};
use crate::gui::widgets::dialog::{self, Answer};
use crate::gui::widgets::{text_left, text_right};

/// Height of the row in points.
const HEIGHT: f32 = 38.0;
/// What is shorter is forgotten without a question.
const LIGHTLY: Duration = Duration::from_secs(3);

/// The recorder of one conversation.
#[derive(Default)]
pub struct Recorder {
    state: State,
    /// It is to be sent as soon as it is kept.
    send: bool,
    /// Whether to forget it is being asked.
    asking: bool,
    focus: bool,
}

#[derive(Default)]
enum State {
    /// Nothing is recorded.
    #[default]
    Off,
    /// The microphone is being switched on.
    Opening,
    /// Somebody speaks.
    Running(Arc<Meter>),
    /// It is being kept.
    Ending,
    /// It waits to be sent.
    Done(KeptFile),
}

/// What came of a frame.
pub enum Outcome {
    /// Nothing.
    Nothing,
    /// It was forgotten.
    Forgotten,
    /// It is to be sent.
    Send(KeptFile),
}

impl Recorder {
    /// It takes the place of the field.
    pub fn is_on(&self) -> bool {
        !matches!(self.state, State::Off)
    }

    /// What waits to be sent.
    pub fn kept(&self) -> Option<&KeptFile> {
        if let State::Done(kept) = &self.state { Some(kept) } else { None }
    }

    /// Begins to record.
    pub fn begin(&mut self, cx: &ViewCtx<'_>, conversation: ConversationId) {
        cx.sound.pause(cx.actions);
        cx.send(Command::Sound(SoundWish::Record(conversation)));
        *self = Self { state: State::Opening, focus: true, ..Self::default() };
    }

    /// The microphone is on.
    pub fn started(&mut self, meter: Arc<Meter>) {
        if matches!(self.state, State::Opening) {
            self.state = State::Running(meter);
        }
    }

    /// Ends it, and keeps it.
    pub fn stop(&mut self, cx: &ViewCtx<'_>, conversation: ConversationId) {
        if matches!(self.state, State::Opening | State::Running(_)) {
            cx.send(Command::Sound(SoundWish::Stop(conversation)));
            (self.state, self.asking) = (State::Ending, false);
        }
    }

    /// It is kept, now or since before.
    pub fn keep(&mut self, kept: KeptFile) {
        (self.state, self.focus) = (State::Done(kept), true);
    }

    /// There is nothing to keep.
    pub fn failed(&mut self) {
        if self.kept().is_none() {
            *self = Self::default();
        }
    }

    /// The conversation is not shown any more.
    pub fn leave(&mut self, cx: &ViewCtx<'_>, conversation: ConversationId) {
        self.stop(cx, conversation);
        self.asking = false;
        self.quiet(cx);
    }

    /// Stops listening to it.
    fn quiet(&self, cx: &ViewCtx<'_>) {
        if let Some(kept) = self.kept() {
            let clip = ClipKey::Kept(kept.clone());
            cx.sound.close_if(cx.actions, |now| now.clip == clip);
        }
    }

    fn forget(&mut self, cx: &ViewCtx<'_>, conversation: ConversationId) -> Outcome {
        self.quiet(cx);
        if self.kept().is_none() {
            cx.send(Command::Sound(SoundWish::Discard(conversation)));
        }
        *self = Self::default();
        Outcome::Forgotten
    }

    /// How long it is, as far as that is known.
    fn length(&self, cx: &ViewCtx<'_>) -> Duration {
        match &self.state {
            State::Running(meter) => meter.elapsed(),
            State::Done(kept) => match cx.sound.look(cx.actions, &ClipKey::Kept(kept.clone())) {
                Looked::Ready(waveform) => waveform.duration,
                // Rather asked once too often.
                Looked::Loading | Looked::Bad => LONGEST,
            },
            State::Off | State::Opening | State::Ending => Duration::ZERO,
        }
    }

    /// Shows it as a row.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, conversation: ConversationId) -> Outcome {
        let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
        let id = Id::unique(("recorder", conversation));
        let bar = ui.interact(row, id, Sense::focusable_noninteractive());
        if std::mem::take(&mut self.focus) {
            bar.request_focus();
        }
        let said = match &self.state {
            State::Running(meter) => {
                let time = player::time(meter.elapsed());
                cx.strings.with("recording", [("time", time.into())])
            }
            State::Done(_) => cx.t("voice-message").to_string(),
            State::Off | State::Opening | State::Ending => cx.t("microphone-opens").to_string(),
        };
        bar.widget_info(|| WidgetInfo::labeled(Role::Status, true, &said));
        let forget = Rect::from_center_size(pos2(row.left() + 16.0, row.center().y), vec2(32.0, 32.0));
        let forget =
            button::icon_at(ui, cx, forget, id.with("forget"), Icon::TRASH_2, &cx.t("forget-recording"));
        let send = Rect::from_min_size(row.right_top() - vec2(HEIGHT, 0.0), vec2(HEIGHT, HEIGHT));
        let send = square(ui, cx, send, id.with("send"), &cx.t("send"), Face::Send).clicked();
        let middle = row.with_min_x(row.left() + 40.0).with_max_x(row.right() - HEIGHT - 8.0);
        ui.painter().rect_filled(middle, radius::COMPOSER, cx.theme.raised);
        let keys = self.keys(ui, id);
        let stop = match &self.state {
            State::Running(meter) => running(ui, cx, middle, meter, id),
            State::Done(kept) => {
                listening(ui, cx, middle, &kept.clone(), keys.space);
                false
            }
            State::Off | State::Opening | State::Ending => {
                text_left(
                    ui.painter(),
                    middle.left_center() + vec2(14.0, 0.0),
                    &said,
                    cx.small(),
                    middle.width(),
                );
                false
            }
        };
        if forget.clicked() || keys.escape {
            if self.length(cx) < LIGHTLY {
                return self.forget(cx, conversation);
            }
            self.asking = true;
        }
        if self.asked(ui, cx) {
            return self.forget(cx, conversation);
        }
        self.go_on(cx, conversation, stop, send, keys.enter)
    }

    /// Stops or sends it, if that was asked for.
    fn go_on(
        &mut self,
        cx: &ViewCtx<'_>,
        conversation: ConversationId,
        stop: bool,
        send: bool,
        enter: bool,
    ) -> Outcome {
        self.send |= send;
        if let Some(kept) = self.kept() {
            if !(self.send || enter) {
                return Outcome::Nothing;
            }
            let kept = kept.clone();
            self.quiet(cx);
            *self = Self::default();
            return Outcome::Send(kept);
        }
        if stop || send || enter {
            self.stop(cx, conversation);
        }
        Outcome::Nothing
    }

    /// True if it is to be forgotten after all.
    fn asked(&mut self, ui: &Ui, cx: &ViewCtx<'_>) -> bool {
        if !self.asking {
            return false;
        }
        let (heading, text, yes) =
            (cx.t("forget-recording"), cx.t("forget-recording-text"), cx.t("forget-recording-yes"));
        let answer = dialog::confirm(ui, cx, &heading, &text, &yes, Tone::Danger);
        self.asking = answer == Answer::Waiting;
        self.focus = !self.asking;
        answer == Answer::Yes
    }

    /// Keys count while nothing else has them.
    fn keys(&self, ui: &Ui, id: Id) -> Keys {
        let free = ui.ctx().memory(|memory| {
            memory.top_modal_layer().is_none() && memory.focused().is_none_or(|focused| focused == id)
        });
        let pressed = |key| free && ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        Keys {
            space: pressed(Key::Space),
            enter: pressed(Key::Enter),
            escape: pressed(Key::Escape) || pressed(Key::Delete),
        }
    }
}

/// What was pressed.
struct Keys {
    space: bool,
    enter: bool,
    escape: bool,
}

/// What stands on a square button.
enum Face {
    Send,
    Stop,
}

fn square(ui: &Ui, cx: &ViewCtx<'_>, rect: Rect, id: Id, label: &str, face: Face) -> Response {
    let response = ui.interact(rect, id, Sense::click());
    let theme = cx.theme;
    let lit = response.hovered() || response.has_focus();
    match face {
        Face::Send => {
            let ground = if lit { theme.accent.lerp_to_gamma(theme.text, 0.15) } else { theme.accent };
            ui.painter().rect_filled(rect, radius::COMPOSER, ground);
            Icon::ARROW_UP.paint(ui.painter(), rect.center(), 20.0, theme.on_accent);
        }
        Face::Stop => {
            if lit {
                ui.painter().rect_filled(rect, radius::FIELD, theme.hover);
            }
            let stop = Rect::from_center_size(rect.center(), vec2(12.0, 12.0));
            ui.painter().rect_filled(stop, 2, theme.bad);
        }
    }
    player::ring(ui, &response, theme, rect, radius::COMPOSER);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, label));
    response.on_hover_text(label)
}

/// A dot that pulses, how long it is, how loud it is, and a way to stop. True if it is to be stopped.
fn running(ui: &Ui, cx: &ViewCtx<'_>, rect: Rect, meter: &Meter, id: Id) -> bool {
    let (theme, elapsed) = (cx.theme, meter.elapsed());
    let pulse = (ui.input(|input| input.time) * std::f64::consts::TAU / 1.4).sin() as f32;
    let dot = theme.bad.gamma_multiply(0.7 + 0.3 * pulse);
    ui.painter().circle_filled(pos2(rect.left() + 18.0, rect.center().y), 5.0, dot);
    let style = cx.small().color(theme.text);
    text_left(ui.painter(), pos2(rect.left() + 32.0, rect.center().y), &player::time(elapsed), style, 44.0);
    let stop = Rect::from_center_size(pos2(rect.right() - 19.0, rect.center().y), vec2(32.0, 32.0));
    let left = LONGEST.saturating_sub(elapsed);
    let color = if left < Duration::from_secs(30) { theme.bad } else { theme.muted };
    let words = cx.strings.with("recording-left", [("time", player::time(left).into())]);
    let edge = pos2(stop.left() - 8.0, rect.center().y);
    let words = text_right(ui.painter(), edge, &words, cx.tiny().color(color));
    let room = Rect::from_x_y_ranges(rect.left() + 84.0..=words.left() - 12.0, rect.shrink(8.0).y_range());
    levels(ui, room, &meter.levels(), theme.accent, theme.line);
    ui.ctx().request_repaint_after(FRAME);
    square(ui, cx, stop, id.with("stop"), &cx.t("stop-recording"), Face::Stop).clicked()
}

/// How loud it was lately, the newest at the right.
fn levels(ui: &Ui, rect: Rect, levels: &[f32], color: Color32, none: Color32) {
    let step = 4.0;
    let count = ((rect.width() / step).max(0.0) as usize).min(LEVELS);
    for index in 0..count {
        let level = levels.len().checked_sub(index + 1).and_then(|at| levels.get(at));
        let height = 3.0 + level.copied().unwrap_or(0.0) * (rect.height() - 3.0);
        let center = pos2(rect.right() - step * (index as f32 + 0.5), rect.center().y);
        let bar = Rect::from_center_size(center, vec2(2.5, height));
        ui.painter().rect_filled(bar, 1, if level.is_some() { color } else { none });
    }
}

/// Listening to it before it is sent.
fn listening(ui: &Ui, cx: &ViewCtx<'_>, rect: Rect, kept: &KeptFile, space: bool) {
    let clip = ClipKey::Kept(kept.clone());
    let look = cx.sound.look(cx.actions, &clip);
    let duration = if let Looked::Ready(waveform) = &look { waveform.duration } else { Duration::ZERO };
    let now = cx.sound.playing(&clip);
    let position = now.as_ref().map(|now| now.position()).unwrap_or_default();
    let plays = now.is_some_and(|now| !now.paused);
    let play = Rect::from_center_size(pos2(rect.left() + 21.0, rect.center().y), vec2(30.0, 30.0));
    let (icon, label) = if plays { (Icon::PAUSE, "pause") } else { (Icon::PLAY, "play") };
    let play = button::icon_at(ui, cx, play, Id::unique("recorder play"), icon, &cx.t(label));
    if play.clicked() || space {
        cx.sound.toggle(cx.actions, &clip, None);
    }
    let left = player::time(duration.saturating_sub(position));
    let edge = pos2(rect.right() - 14.0, rect.center().y);
    text_right(ui.painter(), edge, &left, cx.small());
    let bars = Rect::from_x_y_ranges(rect.left() + 44.0..=rect.right() - 60.0, rect.shrink(6.0).y_range());
    let shown = Bars {
        look: &look,
        part: player::part(position, duration),
        done: cx.theme.accent,
        rest: cx.theme.muted.gamma_multiply(0.45),
    };
    shown.paint(ui.painter(), bars);
    if let Some(to) = player::seek(ui, cx, Id::unique("recorder seek"), bars, position, duration) {
        cx.sound.seek(cx.actions, &clip, None, to);
    }
    if plays {
        ui.ctx().request_repaint_after(FRAME);
    }
}
