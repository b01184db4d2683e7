//! What opens beside a message: its menu, a few emoji to react with, all of them.
//!
//! Decision: one at a time, and it belongs to the list of messages, not to the message: it stays when the pointer leaves
//! the message or the message scrolls away, and ends when the message does.

use egui::{Id, Popup, PopupAnchor, PopupCloseBehavior, PopupKind, Rect, Ui};
use septet_client::model::MessageId;

use super::menu;
use super::message::{self, Act, Wanted, What};
use super::reacting::{self, Chosen};
use crate::gui::state::Thread;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::emoji_picker::EmojiPicker;

/// What is open beside a message.
pub struct Beside {
    wanted: Wanted,
    picker: EmojiPicker,
    /// It was drawn, so the keyboard is where it was put.
    begun: bool,
}

impl Beside {
    /// Opens something.
    pub fn open(ui: &Ui, wanted: Wanted) -> Self {
        Popup::open_id(ui.ctx(), id(wanted.what));
        Self { wanted, picker: EmojiPicker::default(), begun: false }
    }

    /// Beside which message.
    pub fn message(&self) -> MessageId {
        self.wanted.message
    }
}

fn id(what: What) -> Id {
    Id::unique(("beside a message", what))
}

/// Shows what is open, until it is closed.
pub fn show(beside: &mut Option<Beside>, ui: &Ui, cx: &ViewCtx<'_>, thread: &Thread) -> Option<Act> {
    let it = beside.as_mut()?;
    let what = it.wanted.what;
    let message = thread.messages.iter().find(|message| message.id == it.wanted.message);
    let (Some(message), true) = (message, Popup::is_id_open(ui.ctx(), id(what))) else {
        Popup::close_id(ui.ctx(), id(what));
        if it.wanted.by_key {
            ui.ctx().memory_mut(|memory| memory.request_focus(message::id(it.wanted.message)));
        }
        *beside = None;
        return None;
    };
    let closing = match what {
        What::Menu => PopupCloseBehavior::CloseOnClick,
        What::Few | What::All => PopupCloseBehavior::CloseOnClickOutside,
    };
    let kind = if what == What::Menu { PopupKind::Menu } else { PopupKind::Popup };
    let popup = Popup::new(id(what), ui.ctx().clone(), anchor(it.wanted.from), ui.layer_id())
        .kind(kind)
        .anchor_widget(message::id(message.id))
        .open_memory(None)
        .close_behavior(closing)
        .gap(4.0)
        .frame(menu::frame(cx));
    let (wanted, picker) = (&it.wanted, &mut it.picker);
    let first = wanted.by_key && !it.begun;
    let mut next = None;
    let shown = popup.show(|ui| {
        let begun = !ui.is_sizing_pass();
        let mut act = None;
        let chosen = match what {
            What::Menu => {
                let chosen =
                    reacting::can_react(cx, message).then(|| menu::reactions(ui, cx, message)).flatten();
                act = menu::rows(ui, cx, message, wanted.link.as_deref(), first);
                chosen
            }
            What::Few => reacting::few(ui, cx, message, first),
            What::All => picker.show(ui, cx, &reacting::offered(cx)).map(Chosen::Emoji),
        };
        match chosen {
            Some(Chosen::Emoji(emoji)) => {
                reacting::toggle(cx, message, emoji);
                ui.close();
            }
            Some(Chosen::All) => next = Some(Wanted { what: What::All, ..wanted.clone() }),
            None => {}
        }
        (act, begun)
    });
    let (act, begun) = shown.map_or((None, false), |shown| shown.inner);
    it.begun |= begun;
    if act.is_some() {
        it.wanted.by_key = false; // the keyboard goes where that leads
    }
    if let Some(next) = next {
        *beside = Some(Beside::open(ui, next));
        ui.ctx().request_repaint();
    }
    act
}

fn anchor(from: Rect) -> PopupAnchor {
    if from.area() > 0.0 { PopupAnchor::ParentRect(from) } else { PopupAnchor::Position(from.min) }
}
