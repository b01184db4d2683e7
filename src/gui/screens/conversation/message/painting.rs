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
    /// Show a long text whole, or only its beginning again.
    Fold(MessageId),
    /// Say what an invitation into a community leads to.
    Community {
        /// Its address, with its key.
        url: String,
        /// What it is called.
        name: String,
    },
    /// Say that what it answers is not here any more.
    Missing,
    /// Show all its reactions.
    Unfold(MessageId),
    /// Tell who reacted to it, with one emoji or first of all.
    Reactors(MessageId, Option<String>),
    /// Show something beside it.
    Open(Wanted),
    /// Choose it, and others with it.
    Select(MessageId),
    /// Delete it, after asking.
    Delete(MessageId),
}

/// What is to be shown beside a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Beside which.
    pub message: MessageId,
    /// What.
    pub what: What,
    /// What it was asked for from; a single point for where the pointer is.
    pub from: Rect,
    /// The link that the menu is about, if there was one.
    pub link: Option<String>,
    /// It was asked for with a key, so the keyboard goes there, and comes back when it closes.
    pub by_key: bool,
}

/// The kinds of things that are shown beside a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// All that can be done with it.
    Menu,
    /// A few emoji to react with.
    Few,
    /// All emoji to react with.
    All,
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
    /// The link under the pointer.
    pub link: Option<String>,
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
