//! A message, laid out and painted.
//!
//! Decision: measuring and painting are two steps. The first is done once per message and width and kept; the second
//! happens every frame and only moves finished parts to their place. Each kind of part is a file that knows both.

mod failure;
mod file;
pub mod file_menu;
mod images;
mod invitation;
mod layouter;
mod meta;
mod painting;
mod preview;
mod quote;
mod reactions;
mod text;
mod transfer;
mod voice;

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Context, Id, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo};
use septet_client::model::{Attachment, Message, MessageId, MessageState, Notice};

use self::failure::FailureBlock;
use self::file::FileBlock;
use self::images::ImagesBlock;
use self::invitation::InvitationBlock;
use self::layouter::{Layouter, corners};
use self::painting::Painting;
use self::preview::PreviewBlock;
use self::reactions::ReactionsBlock;
use self::text::TextBlock;
use self::voice::VoiceBlock;
use super::words;
use crate::gui::theme::metric;
use crate::gui::view::ViewCtx;

pub use self::images::may_move;
pub use self::layouter::Place;
pub use self::painting::{Act, Wanted, What};
pub use self::transfer::is_here;

/// A message laid out. Positions are relative to the left end of the column and the top of the item.
pub struct Prepared {
    /// What was laid out; compared by pointer.
    pub message: Arc<Message>,
    /// Its place in the run.
    pub place: Place,
    /// The height of the whole item.
    pub height: f32,
    /// Its parts, top to bottom.
    pub blocks: Vec<Block>,
    /// Everything that is painted.
    pub bounds: Rect,
}

/// One part of a message.
pub enum Block {
    /// Text in a bubble.
    Text(TextBlock),
    /// Pictures in a grid.
    Images(ImagesBlock),
    /// A file in a bubble.
    File(FileBlock),
    /// What its link leads to.
    Preview(PreviewBlock),
    /// An invitation into a community.
    Invitation(InvitationBlock),
    /// A voice message in a bubble.
    Voice(VoiceBlock),
    /// Reactions under the last bubble.
    Reactions(ReactionsBlock),
    /// Why it was not sent, with a way to try again.
    Failure(FailureBlock),
}

/// What a message is made of, before it has a place.
#[derive(Clone, Copy)]
enum Part {
    Invitation,
    Preview,
    Images,
    Text,
    File(usize),
    Voice(usize),
}

/// Lays out a message for a column of this width; `whole` with all of a long text.
pub fn prepare(
    ctx: &Context,
    cx: &ViewCtx<'_>,
    message: &Arc<Message>,
    place: Place,
    column: f32,
    whole: bool,
) -> Prepared {
    let widest = metric::BUBBLE.min((column * 0.76).max(240.0)).min(column);
    let top = if place.first { 10.0 } else { 2.0 };
    let mut at = Layouter { ctx, cx, message, column, widest, whole, y: top };
    let parts = parts(message);
    let mut blocks = Vec::with_capacity(parts.len() + 1);
    for (index, part) in parts.iter().enumerate() {
        let (begins, ends) = (index == 0, index + 1 == parts.len());
        if !begins {
            at.y += if matches!(part, Part::Text) { 5.0 } else { 2.0 };
        }
        let corners = corners(message.outgoing, place.first && begins, place.last && ends);
        let meta = ends.then(|| at.meta());
        blocks.extend(match part {
            Part::Invitation => at.invitation(corners, meta).map(Block::Invitation),
            Part::Preview => at.preview(corners).map(Block::Preview),
            Part::Images => Some(Block::Images(at.images(meta))),
            Part::Text => Some(Block::Text(at.text(corners, meta))),
            Part::File(index) => Some(Block::File(at.file(*index, corners, meta))),
            Part::Voice(index) => Some(Block::Voice(at.voice(*index, corners, meta))),
        });
    }
    if !message.reactions.is_empty() {
        blocks.push(Block::Reactions(at.reactions(place.unfolded)));
    }
    if message.state == MessageState::Failed {
        blocks.push(Block::Failure(at.failure()));
    }
    let bounds = blocks.iter().map(Block::bounds).reduce(Rect::union).unwrap_or(Rect::NOTHING);
    Prepared { message: Arc::clone(message), place, height: at.y, blocks, bounds }
}

/// Whether it is an invitation into a community: a notice that is shown as a message.
pub fn is_invitation(message: &Message) -> bool {
    matches!(message.notice, Some(Notice::CommunityInvitation { .. }))
}

fn parts(message: &Message) -> Vec<Part> {
    let mut parts = Vec::new();
    if message.deleted {
        return vec![Part::Text];
    }
    if is_invitation(message) {
        return vec![Part::Invitation];
    }
    if message.preview.is_some() {
        parts.push(Part::Preview);
    }
    if message.attachments.iter().any(Attachment::is_image) {
        parts.push(Part::Images);
    }
    if !message.text.is_empty() || message.quote.is_some() || message.attachments.is_empty() {
        parts.push(Part::Text);
    }
    let files = message.attachments.iter().enumerate().filter(|(_, attachment)| !attachment.is_image());
    parts.extend(files.map(|(index, file)| if file.voice { Part::Voice(index) } else { Part::File(index) }));
    parts
}

impl Block {
    /// The rectangle it covers.
    pub fn bounds(&self) -> Rect {
        match self {
            Self::Text(block) => block.rect,
            Self::Images(block) => block.bounds(),
            Self::File(block) => block.rect,
            Self::Preview(block) => block.rect,
            Self::Invitation(block) => block.rect,
            Self::Voice(block) => block.rect,
            Self::Reactions(block) => block.bounds(),
            Self::Failure(block) => block.rect,
        }
    }
}

/// What became of a message that was painted.
pub struct Painted {
    /// The response of the whole message.
    pub whole: Response,
    /// What a click in it asks for.
    pub act: Option<Act>,
    /// The link in it that the pointer is on.
    pub link: Option<String>,
}

/// The id of a whole message.
pub fn id(message: MessageId) -> Id {
    Id::unique(("message", message))
}

/// Paints it with its top left corner at `origin`.
pub fn paint(ui: &Ui, cx: &ViewCtx<'_>, prepared: &Prepared, origin: Pos2) -> Painted {
    let message = &*prepared.message;
    let offset = origin.to_vec2();
    let bounds = prepared.bounds.translate(offset);
    let whole = ui.interact(bounds, id(message.id), Sense::click());
    whole.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, spoken(cx, message)));
    file_menu::notice(&whole, prepared, origin);
    let mut painting = Painting { ui, cx, message, offset, act: None, link: None };
    for block in &prepared.blocks {
        match block {
            Block::Text(block) => painting.text(block, &whole),
            Block::Images(block) => painting.images(block),
            Block::File(block) => painting.file(block),
            Block::Preview(block) => painting.preview(block),
            Block::Invitation(block) => painting.invitation(block),
            Block::Voice(block) => painting.voice(block),
            Block::Reactions(block) => painting.reactions(block),
            Block::Failure(block) => painting.failure(block),
        }
    }
    if whole.has_focus() {
        let ring = Stroke::new(1.5, cx.theme.accent);
        ui.painter().rect_stroke(bounds.expand(2.0), 16, ring, StrokeKind::Outside);
    }
    Painted { whole, act: painting.act, link: painting.link }
}

/// A message in one sentence, for the screen reader and for tests.
pub fn spoken(cx: &ViewCtx<'_>, message: &Message) -> String {
    let author = words::author(cx, message.from);
    let text = match &message.notice {
        _ if message.deleted => words::gone(cx, message).to_string(),
        Some(notice) => words::notice(cx.strings, notice, message.outgoing, &author),
        None => words::named(cx, &message.text),
    };
    let state = words::state(cx, message).map(|state| format!(", {state}")).unwrap_or_default();
    let timer = meta::timer(cx, message).map(|timer| format!(", {timer}")).unwrap_or_default();
    format!("{author}: {text}, {}{state}{timer}", cx.clock.time(message.timestamp))
}
