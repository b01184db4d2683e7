//! A message laid out for one width: where its parts stand, before anything is painted.
//!
//! Decision: measuring and painting are two steps. The first is done once per message and width and kept; the second
//! happens every frame and only moves finished parts to their place.

use std::sync::Arc;

use egui::{Context, CornerRadius, Galley, Pos2, Rect, Vec2, pos2, vec2};
use septet_client::model::{Attachment, AttachmentState, Message, MessageState, Quote};

use super::super::super::text::links::{self, Piece};
use super::super::super::text::{self, Laid, Span, Style, Weight, Wrap, layout, layout_rich, layout_spans};
use super::super::super::theme::{metric, radius, size};
use super::super::super::view::ViewCtx;
use super::words;

/// Where a message stands in a run of messages of one author.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// It begins the run.
    pub first: bool,
    /// It ends the run.
    pub last: bool,
}

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
    Images {
        /// Each with the place of its attachment in the message, and rounded corners.
        cells: Vec<(usize, Rect, CornerRadius)>,
        /// How many more there are than shown.
        more: usize,
        /// Time and state, over the last cell.
        meta: Option<Arc<Galley>>,
    },
    /// A file in a bubble.
    File {
        /// The place of the attachment in the message.
        index: usize,
        /// The bubble.
        rect: Rect,
        /// Its corners.
        corners: CornerRadius,
        /// Time and state.
        meta: Option<Arc<Galley>>,
    },
    /// Reactions under the last bubble.
    Reactions(Vec<(Rect, Arc<Galley>, bool)>),
    /// Why it was not sent, with a way to try again.
    Failure {
        /// Where.
        rect: Rect,
        /// The sentence.
        text: Arc<Galley>,
    },
}

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
    pub meta: Option<(Pos2, Arc<Galley>)>,
    /// What it answers: where, author, text.
    pub quote: Option<(Rect, Arc<Galley>, Arc<Galley>)>,
}

const PADDING: (f32, f32, f32) = (12.0, 7.0, 6.0); // sides, top, bottom
const META_GAP: f32 = 12.0;
const GRID_GAP: f32 = 3.0;

/// Corners of a bubble: tight where it meets its neighbour in the run.
fn corners(outgoing: bool, first: bool, last: bool) -> CornerRadius {
    let top = if first { radius::BUBBLE } else { radius::TIGHT };
    let bottom = if last { radius::BUBBLE } else { radius::TIGHT };
    let round = radius::BUBBLE;
    if outgoing {
        CornerRadius { nw: round, ne: top, sw: round, se: bottom }
    } else {
        CornerRadius { nw: top, ne: round, sw: bottom, se: round }
    }
}

/// What a message is made of, before it has a place.
#[derive(Clone, Copy)]
enum Part {
    Images,
    Text,
    File(usize),
}

struct Layouter<'a> {
    ctx: &'a Context,
    cx: &'a ViewCtx<'a>,
    message: &'a Message,
    column: f32,
    widest: f32,
    y: f32,
}

/// Lays out a message for a column of this width.
pub fn prepare(
    ctx: &Context,
    cx: &ViewCtx<'_>,
    message: &Arc<Message>,
    place: Place,
    column: f32,
) -> Prepared {
    let widest = metric::BUBBLE.min((column * 0.76).max(240.0)).min(column);
    let top = if place.first { 10.0 } else { 2.0 };
    let mut at = Layouter { ctx, cx, message, column, widest, y: top };
    let parts = parts(message);
    let mut blocks = Vec::with_capacity(parts.len() + 1);
    for (index, part) in parts.iter().enumerate() {
        let (begins, ends) = (index == 0, index + 1 == parts.len());
        if !begins {
            at.y += if matches!(part, Part::Text) { 5.0 } else { 2.0 };
        }
        let corners = corners(message.outgoing, place.first && begins, place.last && ends);
        let meta = ends.then(|| at.meta());
        blocks.push(match part {
            Part::Images => at.images(meta),
            Part::Text => at.text(corners, meta),
            Part::File(index) => at.file(*index, corners, meta),
        });
    }
    if !message.reactions.is_empty() {
        blocks.push(at.reactions());
    }
    if message.state == MessageState::Failed {
        blocks.push(at.failure());
    }
    let bounds = blocks.iter().map(Block::bounds).reduce(Rect::union).unwrap_or(Rect::NOTHING);
    Prepared { message: Arc::clone(message), place, height: at.y, blocks, bounds }
}

fn parts(message: &Message) -> Vec<Part> {
    let mut parts = Vec::new();
    if message.deleted {
        return vec![Part::Text];
    }
    if message.attachments.iter().any(Attachment::is_image) {
        parts.push(Part::Images);
    }
    if !message.text.is_empty() || message.quote.is_some() || message.attachments.is_empty() {
        parts.push(Part::Text);
    }
    let files = message.attachments.iter().enumerate().filter(|(_, attachment)| !attachment.is_image());
    parts.extend(files.map(|(index, _)| Part::File(index)));
    parts
}

impl Block {
    /// The rectangle it covers.
    pub fn bounds(&self) -> Rect {
        match self {
            Self::Text(block) => block.rect,
            Self::Images { cells, .. } => {
                cells.iter().map(|(_, rect, _)| *rect).reduce(Rect::union).unwrap_or(Rect::NOTHING)
            }
            Self::File { rect, .. } | Self::Failure { rect, .. } => *rect,
            Self::Reactions(pills) => {
                pills.iter().map(|(rect, ..)| *rect).reduce(Rect::union).unwrap_or(Rect::NOTHING)
            }
        }
    }
}

impl Layouter<'_> {
    /// A rectangle of this size at the author's side, below what is there already.
    fn take(&mut self, size: Vec2) -> Rect {
        let left = if self.message.outgoing { self.column - size.x } else { 0.0 };
        let rect = Rect::from_min_size(pos2(left, self.y), size);
        self.y += size.y;
        rect
    }

    fn meta(&self) -> Arc<Galley> {
        let (theme, outgoing) = (self.cx.theme, self.message.outgoing);
        let muted = Style::new(size::META, theme.bubble_muted(outgoing)).line(16.0);
        let time = self.cx.clock.time(self.message.timestamp);
        match words::state(self.cx, self.message) {
            Some(state) => {
                let color =
                    if self.message.state == MessageState::Failed { theme.out_bad } else { muted.color };
                let before = format!("{time} · ");
                layout_spans(self.ctx, &[(&before, muted), (&state, muted.color(color))], Wrap::None)
            }
            None => layout(self.ctx, &time, muted, Wrap::None),
        }
    }

    fn text(&mut self, corners: CornerRadius, meta: Option<Arc<Galley>>) -> Block {
        let message = self.message;
        let emoji = text::only_emoji(&message.text).filter(|count| *count <= 3 && message.quote.is_none());
        let bare = emoji.is_some() && !message.deleted;
        let (side, top, bottom) = if bare { (2.0, 2.0, 0.0) } else { PADDING };
        let room = self.widest - 2.0 * side;
        let quote = message.quote.as_ref().filter(|_| !message.deleted).map(|quote| self.quote(quote, room));
        let (laid, links) = self.words(bare, room);
        let galley = Arc::clone(&laid.galley);
        let quote_size = quote.as_ref().map_or(Vec2::ZERO, |(author, text)| {
            vec2(12.0 + author.size().x.max(text.size().x), if galley.is_empty() { 40.0 } else { 46.0 })
        });
        let meta_size = meta.as_ref().map_or(Vec2::ZERO, |meta| meta.size());
        let last_line = galley.rows.last().map_or(0.0, |row| row.pos.x + row.size.x);
        let beside = last_line + META_GAP + meta_size.x;
        let inline = !bare && meta.is_some() && beside <= room;
        let mut width = galley.size().x.max(quote_size.x);
        let mut height = galley.size().y + quote_size.y;
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
        let quote = quote.map(|(author, text)| {
            let bar = Rect::from_min_size(origin + vec2(0.0, 2.0), vec2(width, 38.0));
            (bar, author, text)
        });
        Block::Text(TextBlock { rect, corners, bare, text: (text_at, laid), links, meta, quote })
    }

    fn words(&self, bare: bool, room: f32) -> (Laid, Vec<(usize, String)>) {
        let message = self.message;
        let body = self.cx.body();
        if message.deleted {
            let gone = self.cx.t("message-deleted");
            let style = body.color(self.cx.theme.bubble_muted(message.outgoing));
            return (plain(self.ctx, &gone, style, room), Vec::new());
        }
        if bare {
            let style = Style { size: 36.0, line: 46.0, ..body };
            return (plain(self.ctx, message.text.trim(), style, room), Vec::new());
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
                    (format!("@{}", words::author(self.cx, id)), accent.weight(Weight::Semibold), false)
                }
            });
        }
        let spans: Vec<Span<'_>> =
            parts.iter().map(|(text, style, marked)| Span { text, style: *style, marked: *marked }).collect();
        (layout_rich(self.ctx, &spans, Wrap::Lines(room)), links)
    }

    fn quote(&self, quote: &Quote, room: f32) -> (Arc<Galley>, Arc<Galley>) {
        let outgoing = self.message.outgoing;
        let author = Style::new(size::SMALL, self.cx.theme.bubble_accent(outgoing)).weight(Weight::Semibold);
        let text = self.cx.small().color(self.cx.theme.bubble_muted(outgoing));
        let wrap = Wrap::Line((room - 12.0).min(420.0));
        (
            layout(self.ctx, &words::author(self.cx, quote.author), author.line(18.0), wrap),
            layout(self.ctx, &words::quoted(self.cx, quote), text, wrap),
        )
    }

    fn images(&mut self, meta: Option<Arc<Galley>>) -> Block {
        let images: Vec<(usize, &Attachment)> = self
            .message
            .attachments
            .iter()
            .enumerate()
            .filter(|(_, attachment)| attachment.is_image())
            .collect();
        let more = images.len().saturating_sub(4);
        let shown = images.get(..images.len().min(4)).unwrap_or_default();
        let sizes = grid(shown, self.widest.min(383.0));
        let extent = sizes.iter().copied().reduce(Rect::union).unwrap_or(Rect::NOTHING).size();
        let frame = self.take(extent);
        let cells = shown
            .iter()
            .zip(sizes)
            .map(|((index, _), cell)| {
                let rect = cell.translate(frame.min.to_vec2());
                (*index, rect, outer_corners(frame, rect))
            })
            .collect();
        Block::Images { cells, more, meta }
    }

    fn file(&mut self, index: usize, corners: CornerRadius, meta: Option<Arc<Galley>>) -> Block {
        let moving = self.message.attachments.get(index).is_some_and(|attachment| {
            matches!(
                attachment.state,
                AttachmentState::Uploading { .. } | AttachmentState::Downloading { .. }
            )
        });
        let height = if moving { 60.0 } else { 55.0 };
        let rect = self.take(vec2(324.0_f32.min(self.widest), height));
        Block::File { index, rect, corners, meta }
    }

    fn reactions(&mut self) -> Block {
        self.y -= 4.0;
        let count = Style::new(size::SMALL, self.cx.theme.text).weight(Weight::Semibold).line(18.0);
        let mut pills: Vec<(f32, Arc<Galley>, bool)> = Vec::new();
        for reaction in &self.message.reactions {
            let number = format!(" {}", reaction.from.len());
            let galley = layout_spans(self.ctx, &[(&reaction.emoji, count), (&number, count)], Wrap::None);
            let ours = reaction.from.iter().any(|id| self.cx.state.is_me(*id));
            pills.push((galley.size().x + 16.0, galley, ours));
        }
        let width: f32 = pills.iter().map(|(width, ..)| width + 4.0).sum::<f32>() - 4.0;
        let row = self.take(vec2(width + 8.0, 24.0));
        self.y += 4.0;
        let mut x = if self.message.outgoing { row.left() } else { row.left() + 8.0 };
        let place = |(width, galley, ours): (f32, Arc<Galley>, bool)| {
            let rect = Rect::from_min_size(pos2(x, row.top()), vec2(width, 24.0));
            x += width + 4.0;
            (rect, galley, ours)
        };
        Block::Reactions(pills.into_iter().map(place).collect())
    }

    fn failure(&mut self) -> Block {
        let style = Style::new(size::TINY, self.cx.theme.bad).line(16.0);
        let retry = style.color(self.cx.theme.accent).weight(Weight::Semibold);
        let reason = match &self.message.failure {
            Some(reason) => format!("{reason} "),
            None => format!("{} ", self.cx.t("not-sent-sentence")),
        };
        let again = self.cx.t("try-again");
        let text = layout_spans(self.ctx, &[(&reason, style), (&again, retry)], Wrap::Lines(self.widest));
        self.y += 3.0;
        let rect = self.take(text.size());
        Block::Failure { rect, text }
    }
}

/// A text in which nothing can be followed.
fn plain(ctx: &Context, text: &str, style: Style, room: f32) -> Laid {
    layout_rich(ctx, &[Span { text, style, marked: false }], Wrap::Lines(room))
}

/// Places pictures in a frame of this width: one as it is, two side by side, more in rows of two.
fn grid(images: &[(usize, &Attachment)], width: f32) -> Vec<Rect> {
    if let [(_, only)] = images {
        return vec![Rect::from_min_size(Pos2::ZERO, single(only.dimensions, width))];
    }
    let cell = vec2((width - GRID_GAP) / 2.0, ((width - GRID_GAP) / 2.0 * 0.66).round());
    let odd = images.len() % 2 == 1;
    (0..images.len())
        .map(|index| {
            if odd && index == 0 {
                return Rect::from_min_size(Pos2::ZERO, vec2(width, (width * 0.5).round()));
            }
            let at = if odd { index - 1 } else { index };
            let above = if odd { (width * 0.5).round() + GRID_GAP } else { 0.0 };
            let (row, side) = (at / 2, at % 2);
            let corner = pos2(side as f32 * (cell.x + GRID_GAP), above + row as f32 * (cell.y + GRID_GAP));
            Rect::from_min_size(corner, cell)
        })
        .collect()
}

/// The size of a picture that stands alone: its own shape within limits, so that nothing moves when it loads.
fn single(dimensions: Option<(u32, u32)>, widest: f32) -> Vec2 {
    let Some((width, height)) = dimensions.filter(|(width, height)| *width > 0 && *height > 0) else {
        return vec2(280.0_f32.min(widest), 200.0);
    };
    let (width, height) = (width as f32, height as f32);
    let scale = (widest / width).min(320.0 / height).min(1.0);
    vec2((width * scale).round().clamp(120.0, widest), (height * scale).round().clamp(80.0, 320.0))
}

/// Rounds the corners of a cell that are corners of the whole grid.
fn outer_corners(frame: Rect, cell: Rect) -> CornerRadius {
    let near = |a: f32, b: f32| (a - b).abs() < 1.0;
    let (left, right) = (near(frame.left(), cell.left()), near(frame.right(), cell.right()));
    let (top, bottom) = (near(frame.top(), cell.top()), near(frame.bottom(), cell.bottom()));
    let corner = |outer: bool| if outer { radius::BUBBLE } else { 0 };
    CornerRadius {
        nw: corner(left && top),
        ne: corner(right && top),
        sw: corner(left && bottom),
        se: corner(right && bottom),
    }
}
