//! Several messages chosen at once: copied, saved, deleted together.
//!
//! Decision: what is chosen is kept whole, not only by number, because the stretch of messages in memory slides over the
//! history while one goes on choosing.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{Key, Sense, Stroke, Ui, vec2};
use septet_client::model::{AttachmentId, AttachmentState, Message, MessageId};
use septet_protocol::time::Timestamp;

use super::words;
use crate::gui::command::Command;
use crate::gui::icons::Icon;
use crate::gui::state::Thread;
use crate::gui::text::Weight;
use crate::gui::theme::metric;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::button::icon;
use crate::gui::widgets::paragraph;

/// Where a message stands among the others.
type Place = (Timestamp, Timestamp, MessageId);

/// What is chosen; there is at least one.
pub struct Selection {
    chosen: BTreeMap<Place, Arc<Message>>,
    /// The one that was touched last, from which a range goes.
    last: MessageId,
}

/// What is to be done with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Done {
    /// Nothing more; choosing ends.
    Leave,
    /// Delete all, after asking.
    Delete,
}

fn place(message: &Message) -> Place {
    (message.sorted_at, message.timestamp, message.id)
}

fn find(thread: &Thread, id: MessageId) -> Option<&Arc<Message>> {
    thread.messages.iter().find(|message| message.id == id)
}

impl Selection {
    /// Begins with one.
    pub fn of(thread: &Thread, id: MessageId) -> Option<Self> {
        let message = find(thread, id)?;
        Some(Self { chosen: BTreeMap::from([(place(message), Arc::clone(message))]), last: id })
    }

    /// Whether a message is chosen.
    pub fn has(&self, message: &Message) -> bool {
        self.chosen.contains_key(&place(message))
    }

    /// Chooses one, or not any more. False if none is left.
    pub fn toggle(&mut self, thread: &Thread, id: MessageId) -> bool {
        if let Some(message) = find(thread, id) {
            if self.chosen.remove(&place(message)).is_none() {
                self.chosen.insert(place(message), Arc::clone(message));
            }
            self.last = id;
        }
        !self.chosen.is_empty()
    }

    /// Chooses all from the last one to this one.
    pub fn extend(&mut self, thread: &Thread, to: MessageId) {
        let at = |id| thread.messages.iter().position(|message| message.id == id);
        let Some(end) = at(to) else { return };
        let begin = at(self.last).unwrap_or(end);
        let range = begin.min(end)..=begin.max(end);
        for message in thread.messages.get(range).unwrap_or_default() {
            self.chosen.insert(place(message), Arc::clone(message));
        }
        self.last = to;
    }

    /// What is chosen is as it is now, as far as it is in memory; what is gone from there is not chosen any more. False if
    /// none is left.
    pub fn refresh(&mut self, thread: &Thread) -> bool {
        let (Some(first), Some(last)) = (thread.messages.first(), thread.messages.last()) else {
            return false;
        };
        let span = place(first)..=place(last);
        let now: BTreeMap<Place, &Arc<Message>> =
            thread.messages.iter().map(|message| (place(message), message)).collect();
        self.chosen.retain(|place, message| match now.get(place) {
            Some(same) => {
                *message = Arc::clone(same);
                true
            }
            None => !span.contains(place),
        });
        !self.chosen.is_empty()
    }

    /// What is chosen, oldest first.
    pub fn messages(&self) -> Vec<Arc<Message>> {
        self.chosen.values().cloned().collect()
    }

    /// Files of it that are on this disk.
    fn files(&self) -> Vec<AttachmentId> {
        let all = self.chosen.values().flat_map(|message| &message.attachments);
        all.filter(|file| file.state == AttachmentState::Local).map(|file| file.id).collect()
    }

    /// All of it as a text: one alone as it is, several with time and author.
    pub fn text(&self, cx: &ViewCtx<'_>) -> String {
        let said = |message: &&Arc<Message>| !message.deleted && message.notice.is_none();
        let all: Vec<_> = self.chosen.values().filter(said).collect();
        if let [only] = all.as_slice() {
            return content(cx, only);
        }
        let line = |message: &&Arc<Message>| {
            let at = cx.clock.full(message.timestamp, cx.strings);
            format!("[{at}] {}: {}", words::author(cx, message.from), content(cx, message))
        };
        all.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The bar that stands in place of the head.
    pub fn bar(&self, ui: &mut Ui, cx: &ViewCtx<'_>) -> Option<Done> {
        let (bar, _) = ui.allocate_exact_size(vec2(ui.available_width(), metric::HEAD), Sense::hover());
        ui.painter().hline(bar.x_range(), bar.bottom() - 0.5, Stroke::new(1.0, cx.theme.line));
        let inner = bar.with_min_x(bar.left() + 12.0).with_max_x(bar.right() - 12.0);
        let row = |layout| egui::UiBuilder::new().max_rect(inner).layout(layout);
        let mut done = None;
        let mut left = ui.new_child(row(egui::Layout::left_to_right(egui::Align::Center)));
        if icon(&mut left, cx, Icon::X, &cx.t("select-end")).clicked() {
            done = Some(Done::Leave);
        }
        left.add_space(8.0);
        let count = cx.strings.with("selected", [("count", self.chosen.len().into())]);
        paragraph(&mut left, &count, cx.body().weight(Weight::Semibold));
        let mut right = ui.new_child(row(egui::Layout::right_to_left(egui::Align::Center)));
        if icon(&mut right, cx, Icon::TRASH_2, &cx.t("delete-selected")).clicked() {
            done = Some(Done::Delete);
        }
        let files = self.files();
        if !files.is_empty() && icon(&mut right, cx, Icon::SAVE, &cx.t("save-selected")).clicked() {
            cx.send(Command::SaveAll(files));
        }
        if icon(&mut right, cx, Icon::COPY, &cx.t("copy-selected")).clicked() {
            self.copy(ui, cx);
        }
        done
    }

    fn copy(&self, ui: &Ui, cx: &ViewCtx<'_>) {
        let count = self.chosen.len().into();
        ui.ctx().copy_text(self.text(cx));
        cx.actions
            .toast(crate::gui::command::Toast::info(cx.strings.with("selected-copied", [("count", count)])));
    }

    /// Keys that are about all of it.
    pub fn keys(&self, ui: &Ui, cx: &ViewCtx<'_>) -> Option<Done> {
        if ui.ctx().text_edit_focused() {
            return None;
        }
        let copy = |event: &egui::Event| matches!(event, egui::Event::Copy);
        if ui.input(|input| input.events.iter().any(copy)) {
            self.copy(ui, cx);
        }
        ui.input(|input| input.key_pressed(Key::Delete)).then_some(Done::Delete)
    }
}

/// What a message says: its text, or what is in it.
fn content(cx: &ViewCtx<'_>, message: &Message) -> String {
    let mut parts = Vec::new();
    if !message.text.is_empty() {
        parts.push(words::named(cx, &message.text));
    }
    for file in &message.attachments {
        parts.push(match (file.voice, file.name.is_empty()) {
            (true, _) => cx.t("voice-message").to_string(),
            (false, true) => cx.t("file").to_string(),
            (false, false) => file.name.clone(),
        });
    }
    parts.join("\n")
}
