//! Asking how far messages are to be deleted.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Key, Modifiers, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};
use septet_client::model::{ConversationKind, Message, MessageId, MessageState};

use crate::gui::command::Command;
use crate::gui::text::Wrap;
use crate::gui::text::layout;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::button::{self, Tone};
use crate::gui::widgets::dialog::{self, Answer};
use crate::gui::widgets::paragraph;

/// Messages that are to be deleted.
pub struct Deleting {
    messages: Vec<Arc<Message>>,
    /// From everybody's devices, as far as that can be chosen.
    everyone: bool,
    begun: bool,
}

impl Deleting {
    /// Asks about these. What loses nothing (a place that is kept, a line that tells what happened) goes without asking.
    pub fn begin(cx: &ViewCtx<'_>, messages: Vec<Arc<Message>>) -> Option<Self> {
        if messages.iter().all(|message| message.deleted || message.notice.is_some()) {
            carry_out(cx, &messages, false);
            return None;
        }
        let everyone = messages.iter().all(|message| can_go_everywhere(message));
        Some(Self { messages, everyone, begun: false })
    }

    /// Shows the question, and does what is answered.
    pub fn ask(&mut self, ui: &Ui, cx: &ViewCtx<'_>) -> Answer {
        let (answer, close) = dialog::show(ui, cx, "delete messages", 420.0, |ui| self.content(ui, cx));
        if answer == Answer::Yes {
            carry_out(cx, &self.messages, self.everyone);
        }
        if close && answer == Answer::Waiting { Answer::No } else { answer }
    }

    fn content(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) -> Answer {
        let count = self.messages.len();
        dialog::title(ui, cx, &cx.strings.with("delete-heading", [("count", count.into())]));
        ui.add_space(10.0);
        let choice = self.messages.iter().all(|message| can_go_everywhere(message));
        if choice {
            let note = self.messages.first().and_then(|message| cx.state.conversation(message.conversation));
            let note = note.is_some_and(|with| with.kind == ConversationKind::NoteToSelf);
            let (name, about) = match note {
                true => ("delete-all-mine", "delete-all-mine-about"),
                false => ("delete-everyone", "delete-everyone-about"),
            };
            let first = self.option(ui, cx, true, name, about);
            if !std::mem::replace(&mut self.begun, true) {
                first.request_focus();
            }
            let about = if note { "delete-here-note-about" } else { "delete-here-about" };
            self.option(ui, cx, false, "delete-here", about);
        } else {
            paragraph(ui, &cx.t("delete-here-only"), cx.body().color(cx.theme.muted));
        }
        ui.add_space(16.0);
        let half = (ui.available_width() - 8.0) / 2.0;
        ui.horizontal(|ui| {
            let no = button::wide(ui, cx, &cx.t("cancel"), Tone::Quiet, half).clicked();
            ui.add_space(8.0);
            let delete = button::wide(ui, cx, &cx.t("delete"), Tone::Danger, half);
            if !choice && !std::mem::replace(&mut self.begun, true) {
                delete.request_focus();
            }
            let elsewhere = !delete.has_focus() && choice && !no;
            let enter = elsewhere && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
            match (delete.clicked() || enter, no) {
                (true, _) => Answer::Yes,
                (_, true) => Answer::No,
                _ => Answer::Waiting,
            }
        })
        .inner
    }

    /// One of the two ways.
    fn option(
        &mut self,
        ui: &mut Ui,
        cx: &ViewCtx<'_>,
        everyone: bool,
        name: &'static str,
        about: &'static str,
    ) -> egui::Response {
        let (name, about) = (cx.t(name), cx.t(about));
        let room = ui.available_width() - 48.0;
        let heading = layout(ui.ctx(), &name, cx.body(), Wrap::Lines(room));
        let text = layout(ui.ctx(), &about, cx.small(), Wrap::Lines(room));
        let height = heading.size().y + text.size().y + 18.0;
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
        let on = self.everyone == everyone;
        if response.hovered() || response.has_focus() {
            ui.painter().rect_filled(rect, 8, cx.theme.hover);
        }
        if response.has_focus() {
            let ring = Stroke::new(1.5, cx.theme.accent);
            ui.painter().rect_stroke(rect, 8, ring, StrokeKind::Inside);
        }
        let dot = rect.left_top() + vec2(20.0, 9.0 + heading.size().y / 2.0);
        let color = if on { cx.theme.accent } else { cx.theme.faint };
        ui.painter().circle_stroke(dot, 8.0, Stroke::new(1.5, color));
        if on {
            ui.painter().circle_filled(dot, 4.5, color);
        }
        let at = rect.left_top() + vec2(40.0, 8.0);
        let below = at + vec2(0.0, heading.size().y + 2.0);
        ui.painter().galley(at, heading, cx.theme.text);
        ui.painter().galley(below, text, cx.theme.muted);
        response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, on, &*name));
        // Space chooses; Enter chooses and is the dialog's yes.
        if response.clicked() {
            self.everyone = everyone;
        }
        response
    }
}

/// Whether a message can be deleted from everybody's devices: ours, out, and not deleted (spec 02 §23).
fn can_go_everywhere(message: &Message) -> bool {
    message.outgoing && message.state == MessageState::Sent && !message.deleted && message.notice.is_none()
}

fn carry_out(cx: &ViewCtx<'_>, messages: &[Arc<Message>], everyone: bool) {
    let messages: Vec<MessageId> = messages.iter().map(|message| message.id).collect();
    cx.send(Command::Delete { messages, everyone });
}
