//! The text of a message in its bubble, with what it answers above and time and state at its end.

use std::sync::Arc;

use egui::{CornerRadius, CursorIcon, Galley, Pos2, Rect, Response, Vec2, pos2, vec2};

use super::super::words;
use super::layouter::{Layouter, plain};
use super::meta::Meta;
use super::painting::{Act, Painting};
use super::quote::QuoteBlock;
use crate::gui::text::links::{self, Piece};
use crate::gui::text::{self, Laid, Span, Style, Weight, Wrap, layout, layout_rich};

const PADDING: (f32, f32, f32) = (12.0, 7.0, 6.0); // sides, top, bottom
const META_GAP: f32 = 12.0;
/// So many lines of a text are shown at once.
const FOLD: usize = 25;
/// Height of the line that shows more.
const MORE: f32 = 24.0;

/// Text in a bubble.
pub struct TextBlock {
    /// The bubble.
    pub rect: Rect,
    /// Its corners.
    pub corners: CornerRadius,
    /// A few emoji, shown large and without a bubble.
    pub bare: bool,
    /// The text and where it stands.
    pub text: (Pos2, Laid),
    /// Links in it: which of its marked parts, address.
    pub links: Vec<(usize, String)>,
    /// Time and state, and where they stand.
    pub meta: Option<(Pos2, Meta)>,
    /// What shows more of a long text, or less again.
    pub more: Option<(Pos2, Arc<Galley>, bool)>,
    /// What it answers.
    pub quote: Option<QuoteBlock>,
}

impl Layouter<'_> {
    /// Lays out the text.
    pub fn text(&mut self, corners: CornerRadius, meta: Option<Meta>) -> TextBlock {
        let message = self.message;
        let emoji = text::only_emoji(&message.text).filter(|count| *count <= 3 && message.quote.is_none());
        let bare = emoji.is_some() && !message.deleted;
        let (side, top, bottom) = if bare { (2.0, 2.0, 0.0) } else { PADDING };
        let room = self.widest - 2.0 * side;
        let quote = message.quote.as_ref().filter(|_| !message.deleted).map(|quote| self.quote(quote, room));
        let (laid, links, folds) = self.words(bare, room);
        let galley = Arc::clone(&laid.galley);
        let more = folds.then(|| {
            let name = if self.whole { "read-less" } else { "read-more" };
            let style =
                self.cx.small().color(self.cx.theme.bubble_accent(message.outgoing)).weight(Weight::Semibold);
            layout(self.ctx, &self.cx.t(name), style, Wrap::None)
        });
        let quote_size = quote
            .as_ref()
            .map_or(Vec2::ZERO, |quote| quote.size() + vec2(0.0, if galley.is_empty() { 2.0 } else { 8.0 }));
        let meta_size = meta.as_ref().map_or(Vec2::ZERO, Meta::size);
        let last_line = match &more {
            Some(more) => more.size().x,
            None => galley.rows.last().map_or(0.0, |row| row.pos.x + row.size.x),
        };
        let beside = last_line + META_GAP + meta_size.x;
        let inline = !bare && meta.is_some() && beside <= room;
        let mut width = galley.size().x.max(quote_size.x);
        let more_height = more.as_ref().map_or(0.0, |_| MORE);
        let mut height = galley.size().y + quote_size.y + more_height;
        if meta.is_some() {
            width = width.max(if inline { beside } else { meta_size.x });
            height += if inline { 0.0 } else { 18.0 };
        }
        let rect = self.take(vec2(width.ceil() + 2.0 * side, height + top + bottom));
        let origin = rect.min + vec2(side, top);
        let text_at = pos2(origin.x, origin.y + quote_size.y);
        let meta = meta.map(|meta| {
            let baseline = if inline { 2.0 } else { 1.0 };
            let at = pos2(rect.right() - side - meta_size.x, rect.bottom() - bottom - 16.0 + baseline);
            (at, meta)
        });
        let quote = quote.map(|quote| quote.placed(origin + vec2(0.0, 2.0), width));
        let whole = self.whole;
        let more =
            more.map(|more| (text_at + vec2(0.0, galley.size().y + MORE - more.size().y), more, whole));
        TextBlock { rect, corners, bare, text: (text_at, laid), links, meta, more, quote }
    }

    /// The words, what in them can be followed, and whether there are more of them than one wants to see at once.
    fn words(&self, bare: bool, room: f32) -> (Laid, Vec<(usize, String)>, bool) {
        let message = self.message;
        let (body, theme) = (self.cx.body(), self.cx.theme);
        if message.deleted {
            let gone = words::gone(self.cx, message);
            let style = body.color(self.cx.theme.bubble_muted(message.outgoing));
            return (plain(self.ctx, &gone, style, room), Vec::new(), false);
        }
        if bare {
            let style = Style { size: 36.0, line: 46.0, ..body };
            return (plain(self.ctx, message.text.trim(), style, room), Vec::new(), false);
        }
        let accent = body.color(self.cx.theme.bubble_accent(message.outgoing));
        let mut links = Vec::new();
        let mut parts: Vec<(String, Style, bool)> = Vec::new();
        for (index, piece) in links::pieces(&message.text).into_iter().enumerate() {
            parts.push(match piece {
                Piece::Words(text) => (text.to_owned(), body, false),
                Piece::Link { shown, address } => {
                    links.push((index, address));
                    (shown.to_owned(), accent, true)
                }
                Piece::Mention { id, .. } => {
                    let name = format!("@{}", words::author(self.cx, id));
                    let bold = accent.weight(Weight::Semibold);
                    match self.cx.state.is_me(id) {
                        true => (name, bold.color(theme.on_accent).ground(theme.accent), false),
                        false => (name, bold, false),
                    }
                }
            });
        }
        let spans: Vec<Span<'_>> =
            parts.iter().map(|(text, style, marked)| Span { text, style: *style, marked: *marked }).collect();
        if self.whole {
            return (layout_rich(self.ctx, &spans, Wrap::Lines(room)), links, true);
        }
        // One line more than is shown tells whether there are more.
        let laid = layout_rich(self.ctx, &spans, Wrap::AtMost(FOLD + 1, room));
        match laid.galley.rows.len() > FOLD {
            true => (layout_rich(self.ctx, &spans, Wrap::AtMost(FOLD, room)), links, true),
            false => (laid, links, false),
        }
    }
}

impl Painting<'_> {
    /// Paints it; `whole` is the response of the whole message.
    pub fn text(&mut self, block: &TextBlock, whole: &Response) {
        let (theme, painter) = (self.cx.theme, self.ui.painter());
        if !block.bare {
            let rect = block.rect.translate(self.offset);
            painter.rect_filled(rect, block.corners, theme.bubble(self.message.outgoing));
        }
        let at = block.text.0 + self.offset;
        // Marks that are stacked on letters stay within their bubble.
        let painter =
            &painter.with_clip_rect(painter.clip_rect().intersect(block.rect.translate(self.offset)));
        painter.galley(at, Arc::clone(&block.text.1.galley), theme.text);
        if let Some((at, meta)) = &block.meta {
            self.meta(*at + self.offset, meta, None);
        }
        if !block.links.is_empty() {
            self.links(block, at, whole);
        }
        if let Some((at, more, whole)) = &block.more {
            self.more(Rect::from_min_size(*at + self.offset, more.size()), more, *whole);
        }
        if let Some(quote) = &block.quote {
            self.quote(quote);
        }
    }

    /// What shows more of a long text, or less again.
    fn more(&mut self, rect: Rect, words: &Arc<Galley>, whole: bool) {
        self.ui.painter().galley(rect.min, Arc::clone(words), self.cx.theme.accent);
        let label = self.cx.t(if whole { "read-less" } else { "read-more" });
        let response = self.click(rect.expand2(vec2(4.0, 3.0)), "fold", &label);
        if response.has_focus() {
            let ring = egui::Stroke::new(1.5, self.cx.theme.accent);
            self.ui.painter().rect_stroke(rect.expand(3.0), 4, ring, egui::StrokeKind::Outside);
        }
        if response.clicked() {
            self.act = Some(Act::Fold(self.message.id));
        }
    }

    fn links(&mut self, block: &TextBlock, at: Pos2, whole: &Response) {
        let under = whole.hover_pos().and_then(|pointer| block.text.1.mark_at((pointer - at).to_pos2()));
        let Some((_, address)) = block.links.iter().find(|(span, _)| Some(*span) == under) else { return };
        self.ui.ctx().set_cursor_icon(CursorIcon::PointingHand);
        self.link = Some(address.clone());
        if whole.clicked() {
            self.act = Some(Act::Link(address.clone()));
        }
    }
}
