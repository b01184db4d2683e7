//! Which conversation is open: chosen in the list or by keys, left, or gone.

use egui::{Key, Modifiers, Ui};
use septet_client::model::ConversationId;

use super::super::command::{Change, Command};
use super::super::screens::deeds::Fate;
use super::super::screens::list::{self, Choice};
use super::super::theme::Theme;
use super::super::view::ViewCtx;
use super::{Page, Window};

impl Window {
    /// What was chosen in the list.
    pub(super) fn chosen(&mut self, theme: &Theme, narrow: bool, choice: Choice) {
        match choice {
            Choice::Open(id) => {
                self.leave_account();
                self.choose(theme, narrow, id);
            }
            Choice::Meet(address) => {
                self.leave_account();
                match self.state.at(&address).map(|conversation| conversation.id) {
                    Some(id) => self.choose(theme, narrow, id),
                    None => self.actions.send(Command::Open(address)),
                }
            }
            Choice::Details(id) => {
                self.leave_account();
                self.choose(theme, narrow, id);
                self.side.open = true;
            }
            Choice::Done(id, fate) => self.meet(theme, narrow, id, fate),
            Choice::Path => self.page = Some(Page::Path),
            Choice::Account => self.page = Some(Page::Account),
        }
    }

    /// Something was done with a conversation: it is left, if it is open, or gone with all that was typed there.
    pub(super) fn meet(&mut self, theme: &Theme, narrow: bool, id: ConversationId, fate: Fate) {
        if fate == Fate::Stays {
            return;
        }
        if fate == Fate::Gone {
            self.views.remove(&id);
        }
        if self.open == Some(id) {
            self.leave(theme, narrow);
            self.open = None;
        }
    }

    pub(super) fn choose(&mut self, theme: &Theme, narrow: bool, id: ConversationId) {
        if self.open != Some(id) {
            self.leave(theme, narrow);
            self.side.open &= !self.side.covers;
            self.open(id);
        } else if self.state.conversation(id).is_some_and(|conversation| conversation.marked_unread) {
            self.actions.send(Command::Change(id, Change::MarkUnread(false)));
        }
    }

    pub(super) fn leave(&mut self, theme: &Theme, narrow: bool) {
        let cx = context!(self, theme, narrow);
        if let Some(view) = self.open.and_then(|id| self.views.get_mut(&id)) {
            view.leave(&cx);
        }
    }

    pub(super) fn keys(&mut self, ui: &Ui, theme: &Theme, narrow: bool) {
        let pressed = |modifiers, key| ui.input_mut(|input| input.consume_key(modifiers, key));
        if pressed(Modifiers::COMMAND, Key::K) || pressed(Modifiers::COMMAND, Key::N) {
            if narrow && self.open.is_some() {
                self.leave(theme, narrow);
                self.open = None;
            }
            ui.ctx().memory_mut(|memory| memory.request_focus(list::search_id()));
        }
        let step = if pressed(Modifiers::ALT, Key::ArrowDown) {
            1
        } else if pressed(Modifiers::ALT, Key::ArrowUp) {
            -1
        } else {
            return;
        };
        let listed: Vec<ConversationId> =
            self.state.conversations.iter().filter(|c| c.is_listed()).map(|c| c.id).collect();
        let at = listed.iter().position(|id| Some(*id) == self.open);
        let next = match (at, step) {
            (Some(at), 1) => at + 1,
            (Some(at), _) => at.saturating_sub(1),
            (None, _) => 0,
        };
        if let Some(id) = listed.get(next).copied() {
            self.choose(theme, narrow, id);
        }
    }
}
