//! A message that is being painted: what its parts share, and what a click in them asks.

use egui::accesskit::Role;
use egui::{CursorIcon, Id, Rect, Response, Sense, Ui, Vec2, WidgetInfo};
use septet_client::model::{Attachment, AttachmentId, Message, MessageId, MessageState};

use crate::gui::command::Command;
use crate::gui::view::ViewCtx;

/// What a click in a message asks of the conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Answer it.
    Reply(MessageId),
    /// Show a picture large.
    View(AttachmentId),
    /// Fetch a file, after asking if its sender's are not let in yet.
    Fetch(AttachmentId),
    /// Go to the message it answers.
    JumpTo(MessageId),
    /// Open an address, after asking.
    Link(String),
}

/// A message that is being painted.
pub struct Painting<'a> {
    /// Where.
    pub ui: &'a Ui,
    /// The world.
    pub cx: &'a ViewCtx<'a>,
    /// What.
    pub message: &'a Message,
    /// From where it was laid out to where it is.
    pub offset: Vec2,
    /// What was asked for.
    pub act: Option<Act>,
}

impl Painting<'_> {
    /// A part that can be clicked; `part` names it within the message.
    pub fn click(
        &mut self,
        rect: Rect,
        part: impl std::hash::Hash + std::fmt::Debug,
        label: &str,
    ) -> Response {
        let id = Id::unique(("part of message", self.message.id)).with(part);
        let response = self.ui.interact(rect, id, Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, label));
        response.on_hover_cursor(CursorIcon::PointingHand)
    }

    /// What fetches a file; one of ours that could not be sent goes with its message.
    pub fn again(&self, attachment: &Attachment) -> Command {
        match self.message.outgoing && self.message.state == MessageState::Failed {
            true => Command::Resend(self.message.id),
            false => Command::Download(attachment.id),
        }
    }
}
