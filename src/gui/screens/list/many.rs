//! What is done with many at once: declining all requests, unblocking whom one chooses.
//!
//! Decision: one chooses a blocked contact on its circle, which is in the same place in every row, so that the rest of
//! the row opens the conversation as everywhere.

use std::collections::BTreeSet;

use egui::accesskit::{Role, Toggled};
use egui::{Id, Pos2, Rect, Sense, Stroke, Ui, UiBuilder, WidgetInfo, vec2};
use septet_client::model::{Conversation, ConversationId};

use super::Choice;
use super::shelf::Shelf;
use crate::gui::command::Command;
use crate::gui::icons::Icon;
use crate::gui::screens::conversation::words;
use crate::gui::screens::deeds::Fate;
use crate::gui::theme::metric;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::button::{self, Tone};
use crate::gui::widgets::dialog::{self, Answer};
use crate::gui::widgets::paragraph;

/// Height of what stands above the rows, in points.
const HEIGHT: f32 = 42.0;

/// What is remembered between frames.
#[derive(Default)]
pub struct Many {
    chosen: BTreeSet<ConversationId>,
    asking: Option<Shelf>,
}

impl Many {
    /// What can be done with all that are shown, above them.
    pub fn bar(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, shelf: Shelf) {
        let blocked = |id: &ConversationId| cx.state.conversation(*id).is_some_and(|with| with.blocked);
        self.chosen.retain(|id| shelf == Shelf::Blocked && blocked(id));
        let chosen = self.with_count(cx, "unblock-chosen");
        let button = match shelf {
            Shelf::Requests if shelf.count(cx) > 0 => Some((cx.t("decline-all").to_string(), Tone::Danger)),
            Shelf::Blocked => (!self.chosen.is_empty()).then_some((chosen, Tone::Primary)),
            _ => return,
        };
        // As high with the sentence as with the button, so that the rows stay where they are.
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
        let place = rect.shrink2(vec2(12.0, 0.0));
        let mut ui = ui.new_child(UiBuilder::new().max_rect(place));
        match button {
            Some((words, tone)) => {
                let size = vec2(place.width(), HEIGHT - 6.0);
                if button::words(&mut ui, cx, &words, tone, size).clicked() {
                    self.asking = Some(shelf);
                }
            }
            None => {
                ui.add_space(2.0);
                paragraph(&mut ui, &cx.t("choose-blocked-explained"), cx.tiny().color(cx.theme.muted));
            }
        }
    }

    /// A row's circle chooses it, where several can be chosen.
    pub fn choose(
        &mut self,
        ui: &Ui,
        cx: &ViewCtx<'_>,
        shelf: Shelf,
        conversation: &Conversation,
        row: Pos2,
    ) {
        if shelf != Shelf::Blocked {
            return;
        }
        let (id, side) = (conversation.id, metric::AVATAR);
        let center = row + vec2(34.0, metric::ROW / 2.0);
        let rect = Rect::from_center_size(center, vec2(side, side));
        let response = ui.interact(rect, Id::unique(("choose blocked", id)), Sense::click());
        if response.clicked() && !self.chosen.remove(&id) {
            self.chosen.insert(id);
        }
        let chosen = self.chosen.contains(&id);
        if chosen {
            ui.painter().circle_filled(center, side / 2.0, cx.theme.accent);
            Icon::CHECK.paint(ui.painter(), center, metric::ICON, cx.theme.on_accent);
        }
        if response.has_focus() || response.hovered() {
            ui.painter().circle_stroke(center, side / 2.0 + 2.0, Stroke::new(1.5, cx.theme.accent));
        }
        let name = words::title(cx, conversation);
        let label = cx.strings.with("choose-blocked", [("name", name.as_str().into())]);
        response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, chosen, &label));
        let toggled = if chosen { Toggled::True } else { Toggled::False };
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_toggled(toggled));
        response.on_hover_text(&label);
    }

    /// The question before it is done. What becomes of the conversation that is open.
    pub fn question(&mut self, ui: &Ui, cx: &ViewCtx<'_>, open: Option<ConversationId>) -> Option<Choice> {
        let shelf = self.asking?;
        let waiting: Vec<ConversationId> = match shelf {
            Shelf::Requests => {
                cx.state.conversations.iter().filter(|it| it.is_request()).map(|it| it.id).collect()
            }
            _ => self.chosen.iter().copied().collect(),
        };
        let (heading, text, yes, tone) = match shelf {
            Shelf::Requests => ("decline-all-heading", "decline-all-text", "decline-all", Tone::Danger),
            _ => ("unblock-heading", "unblock-text", "unblock", Tone::Primary),
        };
        let heading = cx.strings.with(heading, [("count", waiting.len().into())]);
        let answer = match waiting.is_empty() {
            true => Answer::No, // somebody else was faster
            false => dialog::confirm(ui, cx, &heading, &cx.t(text), &cx.t(yes), tone),
        };
        if answer != Answer::Waiting {
            self.asking = None;
        }
        if answer != Answer::Yes {
            return None;
        }
        if shelf == Shelf::Requests {
            cx.send(Command::DeclineAll);
            return open.filter(|id| waiting.contains(id)).map(|id| Choice::Done(id, Fate::Gone));
        }
        for id in std::mem::take(&mut self.chosen) {
            cx.send(Command::Unblock(id));
        }
        None
    }

    fn with_count(&self, cx: &ViewCtx<'_>, name: &'static str) -> String {
        cx.strings.with(name, [("count", self.chosen.len().into())])
    }
}
