//! What a message answers, above its text: author, a line or two or the kind of file, a small picture.
//!
//! Of what is not here any more only the author is told. It can be clicked all the same, and then says so.

use std::sync::Arc;

use egui::epaint::RectShape;
use egui::{Color32, CornerRadius, Galley, Pos2, Rect, Vec2, pos2, vec2};
use septet_client::model::{AttachmentId, Quote};

use super::super::words;
use super::images::{THUMBNAIL, cover};
use super::layouter::Layouter;
use super::painting::{Act, Painting};
use crate::gui::command::ImageKey;
use crate::gui::images::Picture;
use crate::gui::text::{Style, Weight, Wrap, layout};
use crate::gui::theme::size;

/// Left of the words: the bar and the room beside it.
const INDENT: f32 = 12.0;
/// Side of the small picture.
const PICTURE: f32 = 40.0;
/// Height of the author's line.
const AUTHOR: f32 = 18.0;
/// The widest that its words get.
const WIDEST: f32 = 420.0;

/// What a message answers, laid out; its place comes with the text's.
pub struct QuoteBlock {
    author: Arc<Galley>,
    text: Arc<Galley>,
    picture: Option<AttachmentId>,
    /// Where it stands, once that is known.
    rect: Rect,
}

impl QuoteBlock {
    /// The room it needs.
    pub fn size(&self) -> Vec2 {
        let words = self.author.size().x.max(self.text.size().x);
        let picture = self.picture.map_or(0.0, |_| PICTURE + 12.0);
        let height =
            (AUTHOR + self.text.size().y + 2.0).max(if self.picture.is_some() { PICTURE } else { 0.0 });
        vec2(INDENT + words + picture, height)
    }

    /// Gives it its place: from this corner, so wide.
    pub fn placed(mut self, corner: Pos2, width: f32) -> Self {
        self.rect = Rect::from_min_size(corner, vec2(width, self.size().y));
        self
    }
}

impl Layouter<'_> {
    /// Lays out what the message answers.
    pub fn quote(&self, quote: &Quote, room: f32) -> QuoteBlock {
        let outgoing = self.message.outgoing;
        let author = Style::new(size::SMALL, self.cx.theme.bubble_accent(outgoing)).weight(Weight::Semibold);
        let text = self.cx.small().color(self.cx.theme.bubble_muted(outgoing));
        let picture = quote.picture.map_or(0.0, |_| PICTURE + 12.0);
        let width = (room - INDENT - picture).clamp(40.0, WIDEST);
        QuoteBlock {
            author: layout(
                self.ctx,
                &words::author(self.cx, quote.author),
                author.line(AUTHOR),
                Wrap::Line(width),
            ),
            text: layout(self.ctx, &words::quoted(self.cx, quote), text, Wrap::AtMost(2, width)),
            picture: quote.picture,
            rect: Rect::NOTHING,
        }
    }
}

impl Painting<'_> {
    /// Paints it; a click leads to what it quotes.
    pub fn quote(&mut self, block: &QuoteBlock) {
        let rect = block.rect.translate(self.offset);
        let accent = self.cx.theme.bubble_accent(self.message.outgoing);
        let painter = self.ui.painter();
        painter.rect_filled(Rect::from_min_size(rect.min, vec2(3.0, rect.height())), 1, accent);
        painter.galley(rect.min + vec2(INDENT, 0.0), Arc::clone(&block.author), accent);
        let text = rect.min + vec2(INDENT, AUTHOR);
        painter.galley(text, Arc::clone(&block.text), self.cx.theme.muted);
        if let Some(id) = block.picture {
            self.quoted_picture(id, rect);
        }
        let found = self.message.quote.as_ref().and_then(|quote| quote.message);
        let label = self.cx.t(if found.is_some() { "go-to-quoted" } else { "quote-missing" });
        let response = self.click(rect, "quote", &label);
        if response.has_focus() {
            let ring = egui::Stroke::new(1.5, self.cx.theme.accent);
            self.ui.painter().rect_stroke(rect.expand(2.0), 4, ring, egui::StrokeKind::Outside);
        }
        if response.clicked() {
            self.act = Some(found.map_or(Act::Missing, Act::JumpTo));
        }
    }

    fn quoted_picture(&self, id: AttachmentId, rect: Rect) {
        let corner = pos2(rect.right() - PICTURE, rect.center().y - PICTURE / 2.0);
        let place = Rect::from_min_size(corner, vec2(PICTURE, PICTURE));
        let round = CornerRadius::same(6);
        match self.cx.images.get(self.cx.actions, &ImageKey::Attachment(id), THUMBNAIL) {
            Picture::Ready { texture, size } => {
                let shape = RectShape::filled(place, round, Color32::WHITE);
                self.ui.painter().add(shape.with_texture(texture, cover(size, place.size())));
            }
            Picture::Loading | Picture::Bad => {
                self.ui.painter().rect_filled(place, round, self.cx.theme.raised);
            }
        }
    }
}
