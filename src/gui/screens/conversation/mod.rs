//! An open conversation: head, messages, and the place to write.

mod composer;
mod head;
mod menu;
mod messages;
mod paint;
mod prepare;
mod staged;
pub mod timeline;
mod viewer;
pub mod words;

use egui::{Frame, Margin, Panel, Ui, vec2};
use septet_client::model::{AttachmentId, Conversation, ConversationId};

use self::composer::Composer;
use self::messages::Messages;
use self::paint::Act;
use super::super::command::{Command, StagedFile};
use super::super::icons::Icon;
use super::super::text::links;
use super::super::view::ViewCtx;
use super::super::widgets::button::{self, Tone};
use super::super::widgets::dialog::{self, Answer};
use super::super::widgets::{drop_hint, paragraph};

pub use self::menu::frame as menu_frame;

/// An open conversation.
pub struct ConversationView {
    /// Which.
    pub id: ConversationId,
    messages: Messages,
    composer: Composer,
    viewer: Option<AttachmentId>,
    asking: Option<Question>,
}

/// Something that is asked before it is done.
enum Question {
    Link(String),
    Block,
    Decline,
}

impl ConversationView {
    /// Opens a conversation.
    pub fn new(id: ConversationId) -> Self {
        Self { id, messages: Messages::default(), composer: Composer::default(), viewer: None, asking: None }
    }

    /// Adds a file to what is being written.
    pub fn stage(&mut self, cx: &ViewCtx<'_>, file: StagedFile) {
        self.composer.stage(cx, file);
    }

    /// A message was refused: its text is to be written again.
    pub fn refused(&mut self, text: String) {
        self.composer.give_back(text);
    }

    /// The conversation is not shown any more.
    pub fn leave(&mut self, cx: &ViewCtx<'_>) {
        self.composer.keep(cx, self.id, f64::INFINITY);
    }

    /// The conversation is shown again.
    pub fn enter(&mut self) {
        self.composer.focus();
    }

    /// Shows it in the room there is. True if the person wants to go back to the list.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) -> bool {
        let Some(conversation) = cx.state.conversation(self.id) else {
            return false; // it will be in the list in a moment
        };
        self.composer.begin(conversation.draft.as_deref());
        let region = ui.available_rect_before_wrap();
        let head = head::show(ui, cx, conversation);
        match head.ask {
            Some(head::Ask::Block) => self.asking = Some(Question::Block),
            Some(head::Ask::Unblock) => cx.send(Command::Unblock(self.id)),
            None => {}
        }
        let mut sent = false;
        Panel::bottom(("composer", self.id))
            .frame(Frame::new().fill(cx.theme.bg))
            .show_separator_line(false)
            .resizable(false)
            .show(ui, |ui| {
                if conversation.is_request() {
                    self.request_bar(ui, cx, conversation);
                } else if conversation.blocked {
                    blocked_bar(ui, cx, self.id);
                } else {
                    sent = self.composer.show(ui, cx, self.id);
                }
            });
        self.thread(ui, cx, sent);
        drop_hint::show(ui, cx, region, Icon::PAPERCLIP, &cx.t("drop-here"));
        self.dialogs(ui, cx, conversation);
        let now = ui.input(|input| input.time);
        self.composer.keep(cx, self.id, now);
        head.back
    }

    fn thread(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, sent: bool) {
        let Some(thread) = cx.state.thread(self.id).filter(|thread| thread.loaded) else { return };
        if sent {
            self.messages.go_to_bottom(cx, self.id, thread);
        }
        match self.messages.show(ui, cx, self.id, thread) {
            Some(Act::Reply(id)) => self.composer.reply_to(id),
            Some(Act::View(id)) => self.viewer = Some(id),
            Some(Act::JumpTo(id)) => self.messages.jump_to(cx, self.id, id),
            Some(Act::Link(address)) => self.asking = Some(Question::Link(address)),
            None => {}
        }
    }

    /// What stands in place of the composer while a stranger waits.
    fn request_bar(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation) {
        let top = ui.max_rect().left_top();
        let line = egui::Stroke::new(1.0, cx.theme.line);
        ui.painter().hline(top.x..=top.x + ui.available_width(), top.y, line);
        Frame::new().inner_margin(Margin::symmetric(24, 16)).show(ui, |ui| {
            let name = conversation.title();
            let text = cx.strings.with("request-explained", [("name", name.as_str().into())]);
            paragraph(ui, &text, cx.small());
            ui.add_space(12.0);
            ui.horizontal(|ui| {
                let width = ((ui.available_width() - 16.0) / 3.0).min(180.0);
                if button::wide(ui, cx, &cx.t("accept"), Tone::Primary, width).clicked() {
                    cx.send(Command::Accept(self.id));
                }
                ui.add_space(8.0);
                if button::wide(ui, cx, &cx.t("decline"), Tone::Quiet, width).clicked() {
                    self.asking = Some(Question::Decline);
                }
                ui.add_space(8.0);
                if button::wide(ui, cx, &cx.t("block"), Tone::Danger, width).clicked() {
                    self.asking = Some(Question::Block);
                }
            });
        });
    }

    fn dialogs(&mut self, ui: &Ui, cx: &ViewCtx<'_>, conversation: &Conversation) {
        if let Some(id) = self.viewer
            && viewer::show(ui, cx, self.id, id, &mut self.viewer)
        {
            self.viewer = None;
        }
        let Some(question) = &self.asking else { return };
        let title = conversation.title();
        let name = [("name", title.as_str().into())];
        let answer = match question {
            Question::Link(address) => {
                let text = cx
                    .strings
                    .with("open-link-text", [("host", links::host(address).unwrap_or_default().into())]);
                dialog::confirm(
                    ui,
                    cx,
                    &cx.t("open-link"),
                    &format!("{text}\n\n{address}"),
                    &cx.t("open"),
                    Tone::Primary,
                )
            }
            Question::Block => {
                let heading = cx.strings.with("block-heading", name);
                dialog::confirm(ui, cx, &heading, &cx.t("block-text"), &cx.t("block"), Tone::Danger)
            }
            Question::Decline => {
                let heading = cx.strings.with("decline-heading", name);
                dialog::confirm(ui, cx, &heading, &cx.t("decline-text"), &cx.t("decline"), Tone::Danger)
            }
        };
        if answer == Answer::Yes {
            match question {
                Question::Link(address) => ui.ctx().open_url(egui::OpenUrl::new_tab(address)),
                Question::Block => cx.send(Command::Block(self.id)),
                Question::Decline => cx.send(Command::Decline(self.id)),
            }
        }
        if answer != Answer::Waiting {
            self.asking = None;
        }
    }
}

/// What stands in place of the composer of a blocked account.
fn blocked_bar(ui: &mut Ui, cx: &ViewCtx<'_>, id: ConversationId) {
    Frame::new().inner_margin(Margin::symmetric(24, 14)).show(ui, |ui| {
        ui.horizontal(|ui| {
            let width = ui.available_width() - 120.0;
            ui.allocate_ui(vec2(width, 40.0), |ui| paragraph(ui, &cx.t("blocked-explained"), cx.small()));
            if button::wide(ui, cx, &cx.t("unblock"), Tone::Quiet, 112.0).clicked() {
                cx.send(Command::Unblock(id));
            }
        });
    });
}
