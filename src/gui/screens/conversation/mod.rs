//! An open conversation: head, messages, and the place to write.

mod beside;
mod composer;
mod deleting;
pub mod details;
mod emoji_button;
mod files;
mod head;
mod items;
mod lines;
mod link_bar;
mod members;
mod menu;
mod message;
mod messages;
pub mod player;
mod reacting;
mod reactors;
mod recorder;
mod request;
mod selecting;
mod staged;
mod suggest;
pub mod timeline;
mod touch;
mod viewer;
pub mod words;
mod written;

use std::sync::Arc;

use egui::{Align, Frame, Key, Layout, Margin, Modifiers, Panel, Ui, UiBuilder};
use septet_client::model::{AttachmentId, Conversation, ConversationId, Message, MessageId};

use self::deleting::Deleting;
use self::details::{Details, Side, Wish};
use self::head::Head;
use self::message::Act;
use self::messages::Messages;
use self::reactors::Reactors;
use self::selecting::Done;
use super::super::command::Command;
use super::super::icons::Icon;
use super::super::text::links;
use super::super::view::ViewCtx;
use super::super::widgets::button::{self, Tone};
use super::super::widgets::dialog::{self, Answer};
use super::super::widgets::{drop_hint, paragraph};
use super::deeds::{self, Deed, Fate};

pub use self::composer::Composer;
pub use self::menu::frame as menu_frame;

/// Beside its details a conversation is at least so wide, in points; else they take its place.
const TALK_LEAST: f32 = 320.0;

/// An open conversation.
pub struct ConversationView {
    /// Which.
    pub id: ConversationId,
    messages: Messages,
    composer: Composer,
    details: Details,
    viewer: Option<AttachmentId>,
    asking: Option<Question>,
}

/// Something that is asked before it is done.
enum Question {
    Link(String),
    /// Joining a community, which this version cannot.
    Community {
        url: String,
        name: String,
    },
    Deed(Deed),
    /// Whether files come by themselves, because this one is wanted.
    Files(AttachmentId),
    /// Whether to open a file of this name that may do harm.
    Risky(AttachmentId, String),
    Delete(Deleting),
    Reactors(Reactors),
}

impl ConversationView {
    /// Opens a conversation.
    pub fn new(id: ConversationId) -> Self {
        Self {
            id,
            messages: Messages::default(),
            composer: Composer::default(),
            details: Details::default(),
            viewer: None,
            asking: None,
        }
    }

    /// Changes what is being written, and keeps it.
    pub fn write(&mut self, cx: &ViewCtx<'_>, change: impl FnOnce(&mut Composer, &ViewCtx<'_>)) {
        change(&mut self.composer, cx);
        self.composer.keep(cx, self.id, f64::INFINITY);
    }

    /// Asks before a file is opened that may do harm.
    pub fn ask_risky(&mut self, file: AttachmentId, name: String) {
        self.asking = Some(Question::Risky(file, name));
    }

    /// The conversation is not shown any more.
    pub fn leave(&mut self, cx: &ViewCtx<'_>) {
        self.composer.keep(cx, self.id, f64::INFINITY);
        self.composer.stop_typing(cx, self.id);
        self.composer.stop_recording(cx, self.id);
        self.messages.leave();
    }

    /// What one wanted to go to is not here any more.
    pub fn not_here(&mut self, cx: &ViewCtx<'_>, message: MessageId) {
        self.messages.not_here(cx, message);
    }

    /// Another conversation is shown.
    pub fn turn_away(&mut self, cx: &ViewCtx<'_>) {
        self.composer.stop_typing(cx, self.id);
    }

    /// The conversation is shown again.
    pub fn enter(&mut self) {
        self.composer.focus();
    }

    /// Shows it in the room there is, with its details beside it if they are open there.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, side: &mut Side) -> Fate {
        let Some(conversation) = cx.state.conversation(self.id) else {
            return Fate::Stays; // it will be in the list in a moment
        };
        self.composer.begin(cx, self.id, conversation.draft.as_ref());
        self.escape(ui, side);
        let region = ui.available_rect_before_wrap();
        side.covers = cx.narrow || region.width() < details::WIDTH + TALK_LEAST;
        let place = if side.covers { region } else { region.with_min_x(region.right() - details::WIDTH) };
        let mut fate = Fate::Stays;
        if !(side.open && side.covers) {
            let talk = if side.open { region.with_max_x(place.left()) } else { region };
            let mut child = ui.new_child(UiBuilder::new().max_rect(talk));
            let head = self.talk(&mut child, cx, conversation);
            side.open ^= head.details;
            if head.timer {
                self.details.set_timer(conversation, side);
            }
            if head.back {
                fate = Fate::Leaves;
            }
            fate = head.deed.and_then(|deed| self.begin(cx, conversation, deed)).unwrap_or(fate);
        }
        if let Some(wish) = self.details.show(ui, cx, conversation, place, side) {
            match wish {
                Wish::Close => {
                    side.open = false;
                    self.composer.focus();
                }
                // The details open it themselves.
                Wish::Timer => {}
                Wish::Deed(deed) => fate = self.begin(cx, conversation, deed).unwrap_or(fate),
            }
        }
        fate = self.dialogs(ui, cx, conversation).unwrap_or(fate);
        let now = ui.input(|input| input.time);
        self.composer.keep(cx, self.id, now);
        fate
    }

    /// The conversation itself.
    fn talk(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation) -> Head {
        let region = ui.available_rect_before_wrap();
        let head = match self.messages.selection.take() {
            None => head::show(ui, cx, conversation),
            Some(selection) => {
                let done = selection.bar(ui, cx);
                self.messages.selection = Some(selection);
                self.done(cx, done);
                Head::default()
            }
        };
        player::strip(ui, cx, Some(self.id));
        let mut sent = false;
        Panel::bottom(("composer", self.id))
            .frame(Frame::new().fill(cx.theme.bg))
            .show_separator_line(false)
            .resizable(false)
            .show(ui, |ui| {
                if conversation.is_request() {
                    let chosen = request::bar(ui, cx, conversation).map(Question::Deed);
                    self.asking = chosen.or(self.asking.take());
                } else if conversation.blocked {
                    blocked_bar(ui, cx, self.id);
                } else {
                    sent = self.composer.show(ui, cx, self.id);
                }
            });
        request::waits(ui, cx, conversation);
        self.thread(ui, cx, sent);
        if request::takes_files(conversation) {
            drop_hint::show(ui, cx, region, Icon::PAPERCLIP, &cx.t("drop-here"));
        }
        head
    }

    /// Escape ends the choosing of messages, then the answer; what is on top of the conversation goes first.
    fn escape(&mut self, ui: &Ui, side: &Side) {
        let busy = self.viewer.is_some() || self.asking.is_some() || !side.escape;
        let choosing = self.messages.selection.is_some();
        if busy || !ui.input(|input| input.key_pressed(Key::Escape)) {
            return;
        }
        if choosing {
            self.messages.selection = None;
        } else if !self.composer.step_back() {
            return;
        }
        ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
    }

    /// What is to be done with the chosen messages.
    fn done(&mut self, cx: &ViewCtx<'_>, done: Option<Done>) {
        match done {
            Some(Done::Leave) => self.messages.selection = None,
            Some(Done::Delete) if self.asking.is_none() => {
                let chosen = self.messages.selection.as_ref().map(|selection| selection.messages());
                self.ask_to_delete(cx, chosen.unwrap_or_default());
            }
            Some(Done::Delete) | None => {}
        }
    }

    fn ask_to_delete(&mut self, cx: &ViewCtx<'_>, messages: Vec<Arc<Message>>) {
        self.asking = Deleting::begin(cx, messages).map(Question::Delete);
        if self.asking.is_none() {
            self.messages.selection = None;
        }
    }

    /// Does something with the conversation, or asks first. What becomes of it, if it is done.
    fn begin(&mut self, cx: &ViewCtx<'_>, conversation: &Conversation, deed: Deed) -> Option<Fate> {
        if deed.asks(conversation) {
            self.asking = Some(Question::Deed(deed));
            return None;
        }
        deed.carry_out(cx, conversation);
        Some(deed.fate())
    }

    fn thread(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, sent: bool) {
        let Some(thread) = cx.state.thread(self.id).filter(|thread| thread.loaded) else { return };
        if sent {
            self.messages.go_to_bottom(cx, self.id, thread);
        }
        match self.messages.show(ui, cx, self.id, thread) {
            Some(Act::Reply(id)) => self.composer.reply_to(thread, id),
            Some(Act::View(id)) => self.viewer = Some(id),
            Some(Act::JumpTo(id)) => self.messages.jump_to(cx, self.id, id),
            Some(Act::Fetch(file)) => {
                let conversation = cx.state.conversation(self.id);
                if conversation.is_some_and(|conversation| files::fetch(cx, conversation, file)) {
                    self.asking = Some(Question::Files(file));
                }
            }
            Some(Act::Link(address)) => self.asking = Some(Question::Link(address)),
            Some(Act::Community { url, name }) => self.asking = Some(Question::Community { url, name }),
            Some(Act::Reactors(id, emoji)) => {
                self.asking = Some(Question::Reactors(Reactors::new(id, emoji)));
            }
            Some(Act::Delete(id)) => {
                let message = thread.messages.iter().find(|message| message.id == id).cloned();
                self.ask_to_delete(cx, message.into_iter().collect());
            }
            // What concerns the list alone was done there.
            Some(Act::Missing | Act::Fold(_) | Act::Unfold(_) | Act::Open(_) | Act::Select(_)) | None => {}
        }
        if self.asking.is_none() && self.viewer.is_none() {
            let done = self.messages.selection_keys(ui, cx);
            self.done(cx, done);
        }
    }

    /// The viewer, and what is asked. What becomes of the conversation, if something was done with it.
    fn dialogs(&mut self, ui: &Ui, cx: &ViewCtx<'_>, conversation: &Conversation) -> Option<Fate> {
        if let Some(id) = self.viewer
            && viewer::show(ui, cx, self.id, id, &mut self.viewer)
        {
            self.viewer = None;
        }
        let mut fate = None;
        let answer = match self.asking.as_mut()? {
            Question::Link(address) => open_link(ui, cx, address),
            Question::Community { url, name } => community(ui, cx, url, name),
            Question::Files(file) => files::ask(ui, cx, conversation, *file),
            Question::Risky(file, name) => files::ask_risky(ui, cx, *file, name),
            Question::Deed(deed) => {
                let answer = deeds::ask(ui, cx, conversation, *deed);
                if answer == Answer::Yes {
                    fate = Some(deed.fate());
                }
                answer
            }
            Question::Delete(deleting) => {
                let answer = deleting.ask(ui, cx);
                if answer == Answer::Yes {
                    self.messages.selection = None;
                }
                answer
            }
            Question::Reactors(reactors) => reactors.show(ui, cx, cx.state.thread(self.id)),
        };
        if answer != Answer::Waiting {
            self.asking = None;
        }
        fate
    }
}

/// Asks before a browser tells a stranger's host where we are.
fn open_link(ui: &Ui, cx: &ViewCtx<'_>, address: &str) -> Answer {
    let host = links::host(address).unwrap_or_default();
    let text = cx.strings.with("open-link-text", [("host", host.into())]);
    let text = format!("{text}\n\n{address}");
    let answer = dialog::confirm(ui, cx, &cx.t("open-link"), &text, &cx.t("open"), Tone::Primary);
    if answer == Answer::Yes {
        ui.ctx().open_url(egui::OpenUrl::new_tab(address));
    }
    answer
}

/// Says what this version cannot do, and offers the address.
fn community(ui: &Ui, cx: &ViewCtx<'_>, url: &str, name: &str) -> Answer {
    let host = links::host(url).unwrap_or_default();
    let text = cx.strings.with("community-not-yet-text", [("room", name.into()), ("host", host.into())]);
    let answer =
        dialog::confirm(ui, cx, &cx.t("community-not-yet"), &text, &cx.t("community-copy"), Tone::Primary);
    if answer == Answer::Yes {
        cx.copy(ui, url, "community-copied");
    }
    answer
}

/// What stands in place of the composer of a blocked account.
fn blocked_bar(ui: &mut Ui, cx: &ViewCtx<'_>, id: ConversationId) {
    Frame::new().inner_margin(Margin::symmetric(24, 14)).show(ui, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if button::wide(ui, cx, &cx.t("unblock"), Tone::Quiet, 112.0).clicked() {
                cx.send(Command::Unblock(id));
            }
            ui.add_space(16.0);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                paragraph(ui, &cx.t("blocked-explained"), cx.small());
            });
        });
    });
}
