//! Who reacted to a message, emoji by emoji.

use egui::accesskit::Role;
use egui::{ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};
use septet_client::model::{ConversationKind, Message, MessageId, Reaction};
use septet_protocol::id::SessionId;

use super::words;
use crate::gui::command::Command;
use crate::gui::icons::Icon;
use crate::gui::state::Thread;
use crate::gui::text::Weight;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::avatar::{self, Avatar};
use crate::gui::widgets::button::{self, Tone};
use crate::gui::widgets::dialog::{self, Answer};
use crate::gui::widgets::{emoji_picker, focus_ring, text_center, text_left};

/// Height of a person's row.
const ROW: f32 = 44.0;

/// The list while it is open.
pub struct Reactors {
    message: MessageId,
    /// Whose list is shown; the first one's if it is none of them.
    emoji: Option<String>,
}

impl Reactors {
    /// Of a message, beginning with an emoji.
    pub fn new(message: MessageId, emoji: Option<String>) -> Self {
        Self { message, emoji }
    }

    /// Shows it. Closes by itself when there are no reactions any more.
    pub fn show(&mut self, ui: &Ui, cx: &ViewCtx<'_>, thread: Option<&Thread>) -> Answer {
        let message = thread.and_then(|thread| thread.messages.iter().find(|other| other.id == self.message));
        let Some(message) = message.filter(|message| !message.reactions.is_empty()) else {
            return Answer::No;
        };
        let (done, close) = dialog::show(ui, cx, "reactors", 380.0, |ui| {
            dialog::title(ui, cx, &cx.t("reactions"));
            ui.add_space(10.0);
            self.tabs(ui, cx, message);
            ui.add_space(6.0);
            let list = self.shown(message).map(|reaction| people(ui, cx, message, reaction));
            ui.add_space(12.0);
            let width = ui.available_width();
            list.is_none() || button::wide(ui, cx, &cx.t("close"), Tone::Quiet, width).clicked()
        });
        if done || close { Answer::No } else { Answer::Waiting }
    }

    fn shown<'a>(&self, message: &'a Message) -> Option<&'a Reaction> {
        let named = |reaction: &&Reaction| Some(&reaction.emoji) == self.emoji.as_ref();
        message.reactions.iter().find(named).or(message.reactions.first())
    }

    /// A button for each emoji.
    fn tabs(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, message: &Message) {
        let shown = self.shown(message).map(|reaction| reaction.emoji.clone());
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
            for reaction in &message.reactions {
                let (rect, response) = ui.allocate_exact_size(vec2(54.0, 30.0), Sense::click());
                let on = shown.as_ref() == Some(&reaction.emoji);
                let edge = Stroke::new(1.0, if on { cx.theme.accent } else { cx.theme.line });
                let ground = if on || response.hovered() { cx.theme.hover } else { cx.theme.raised };
                ui.painter().rect(rect, 15, ground, edge, StrokeKind::Inside);
                let text = format!("{} {}", reaction.emoji, reaction.from.len());
                let style = cx.small().color(cx.theme.text).weight(Weight::Semibold);
                text_center(ui.painter(), rect.center(), &text, style, rect.width());
                focus_ring(ui, &response, cx.theme, 15);
                let label = cx.strings.with(
                    "reactions-with",
                    [
                        ("emoji", emoji_picker::name_of(&reaction.emoji).into()),
                        ("count", reaction.from.len().into()),
                    ],
                );
                response.widget_info(|| WidgetInfo::selected(Role::Tab, true, on, &label));
                if response.clicked() {
                    self.emoji = Some(reaction.emoji.clone());
                }
            }
        });
    }
}

/// The people who chose an emoji.
fn people(ui: &mut Ui, cx: &ViewCtx<'_>, message: &Message, reaction: &Reaction) {
    let area = ScrollArea::vertical().id_salt("reactors").max_height(ROW * 7.0).auto_shrink([false, true]);
    area.show_rows(ui, ROW, reaction.from.len(), |ui, shown| {
        for id in reaction.from.get(shown).unwrap_or_default() {
            person(ui, cx, message, reaction, *id);
        }
    });
}

fn person(ui: &mut Ui, cx: &ViewCtx<'_>, message: &Message, reaction: &Reaction, id: SessionId) {
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let center = pos2(row.left() + 16.0, row.center().y);
    let ours = cx.state.is_me(id);
    let name = words::author(cx, id);
    match cx.state.at(&id.into()) {
        _ if ours => avatar::own(ui.painter(), center, 30.0, cx),
        with => {
            let letters = with.map(|with| with.title()).unwrap_or_default();
            let picture = with.and_then(|with| with.picture.as_ref());
            let note = with.is_some_and(|with| with.kind == ConversationKind::NoteToSelf);
            Avatar { id, name: &letters, picture, note }.paint(ui.painter(), center, 30.0, cx);
        }
    }
    text_left(ui.painter(), pos2(row.left() + 42.0, center.y), &name, cx.body(), row.width() - 90.0);
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &name));
    if !ours {
        return;
    }
    let place = egui::Rect::from_center_size(pos2(row.right() - 18.0, center.y), vec2(32.0, 32.0));
    let label = cx.t("reaction-remove");
    if button::icon_at(ui, cx, place, response.id.with("remove"), Icon::X, &label).clicked() {
        let emoji = reaction.emoji.clone();
        cx.send(Command::React { message: message.id, emoji, remove: true });
    }
}
