//! What a link in a message leads to: picture, title and host of the page, as its sender tells them.
//!
//! Decision: all of it came with the message; nothing is asked of the page. The picture is fetched from the file server
//! like any picture of a message, and only from people we accepted. A click asks first, and the question names the host
//! that the address really leads to, whatever the title says.

use std::sync::Arc;

use egui::epaint::RectShape;
use egui::{Color32, CornerRadius, Galley, Rect, pos2, vec2};

use super::images::cover;
use super::layouter::Layouter;
use super::painting::{Act, Painting};
use super::transfer::is_here;
use crate::gui::command::ImageKey;
use crate::gui::icons::Icon;
use crate::gui::images::Picture;
use crate::gui::text::{Style, Weight, Wrap, layout, links};
use crate::gui::theme::size;

/// Height of the card, and side of its picture with what is around it.
const HEIGHT: f32 = 72.0;
const PADDING: f32 = 8.0;
/// The picture is decoded for this many pixels on the longer side.
const THUMBNAIL: u32 = 200;

/// A link's page in a bubble.
pub struct PreviewBlock {
    /// The bubble.
    pub rect: Rect,
    corners: CornerRadius,
    title: Arc<Galley>,
    host: Arc<Galley>,
    label: String,
}

impl Layouter<'_> {
    /// Lays out the link of the message; nothing if it has none.
    pub fn preview(&mut self, corners: CornerRadius) -> Option<PreviewBlock> {
        let preview = self.message.preview.as_ref()?;
        let outgoing = self.message.outgoing;
        let address = links::host(&preview.url).unwrap_or_default();
        let width = 360.0_f32.min(self.widest);
        let room = width - HEIGHT - PADDING - 4.0;
        let shown = if preview.title.is_empty() { &address } else { &preview.title };
        let title = self.cx.body().weight(Weight::Semibold);
        let title = layout(self.ctx, shown, title, Wrap::AtMost(2, room));
        let host = Style::new(size::TINY, self.cx.theme.bubble_muted(outgoing)).line(16.0);
        let host = layout(self.ctx, &address, host, Wrap::Line(room));
        let about = [("title", preview.title.as_str().into()), ("host", address.as_str().into())];
        let label = self.cx.strings.with("link-preview-of", about);
        let rect = self.take(vec2(width, HEIGHT));
        Some(PreviewBlock { rect, corners, title, host, label })
    }
}

impl Painting<'_> {
    /// Paints it.
    pub fn preview(&mut self, block: &PreviewBlock) {
        let Some(preview) = self.message.preview.as_ref() else { return };
        let (theme, outgoing) = (self.cx.theme, self.message.outgoing);
        let rect = block.rect.translate(self.offset);
        let response = self.click(rect, "preview", &block.label);
        let painter = self.ui.painter();
        painter.rect_filled(rect, block.corners, theme.bubble(outgoing));
        let lit = response.hovered() || response.has_focus();
        if lit {
            painter.rect_filled(rect, block.corners, theme.text.gamma_multiply(0.05));
        }
        let square = Rect::from_min_size(rect.min, vec2(HEIGHT, HEIGHT)).shrink(PADDING);
        self.preview_picture(square);
        let left = square.right() + PADDING + 4.0;
        let height = block.title.size().y + block.host.size().y + 2.0;
        let top = rect.center().y - height / 2.0;
        let painter = self.ui.painter();
        painter.galley(pos2(left, top), Arc::clone(&block.title), theme.text);
        let host = pos2(left, top + block.title.size().y + 2.0);
        painter.galley(host, Arc::clone(&block.host), theme.muted);
        if response.clicked() {
            self.act = Some(Act::Link(preview.url.clone()));
        }
    }

    fn preview_picture(&self, square: Rect) {
        let image = self.message.preview.as_ref().and_then(|preview| preview.image.as_ref());
        let accent = self.cx.theme.bubble_accent(self.message.outgoing);
        let picture = image.filter(|image| is_here(image));
        let picture = picture
            .map(|image| self.cx.images.get(self.cx.actions, &ImageKey::Attachment(image.id), THUMBNAIL));
        let painter = self.ui.painter();
        if let Some(Picture::Ready { texture, size }) = picture {
            let shape = RectShape::filled(square, 9, Color32::WHITE);
            painter.add(shape.with_texture(texture, cover(size, square.size())));
        } else {
            painter.rect_filled(square, 9, accent.gamma_multiply(0.15));
            Icon::LINK.paint(painter, square.center(), 20.0, accent);
        }
    }
}
